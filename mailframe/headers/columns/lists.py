"""Address lists by the column: a list is the sum of its mailboxes.

A whole column is cut at the commas that separate: what quotes, comments and encoded-words hold is
known by arithmetic on the few octets that mean anything. Each distinct mailbox is then read once,
whoever writes it, for people write to each other: the plain ones together, the others one by one.
Regular is a list whose quotes and comments are shut, with no group, at most one pair of brackets a
mailbox, and nothing in it but whole mailboxes; every other list is for
`mailframe.headers.addresses` as a whole.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.headers import addresses
from mailframe.headers.addresses import Mailbox
from mailframe.headers.columns.marks import (
    Marks,
    Mask,
    Positions,
    high,
    holding,
    is_one_of,
    merged,
    owners,
    positions,
    strip,
    table,
    within,
)
from mailframe.headers.columns.values import (
    Lists,
    Values,
    between,
    data_of,
    distinct,
    joined,
    laid,
    matches,
    offsets_of,
    spread_mended,
    stacked,
)
from mailframe.headers.columns.words import find_words, texts
from mailframe.headers.memory import remembering

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE, _QUOTE, _OPEN, _CLOSE, _COMMA, _LESS, _GREATER = b' "(),<>'
_AT, _BACKSLASH, _UPPER_A, _UPPER_Z = b"@\\AZ"
_BLANKS = b" \t"
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n")) + b"\x7f"
# Groups and routes, domain literals, and what no list should hold.
_IRREGULAR = is_one_of(b":;[" + _CONTROLS)
_IN_LISTS = table(b'"(),<>\\:;[' + _CONTROLS)
# What may not stand in a plain name, but for its quotes.
_IN_NAMES = table(b'"(),<>\\:;[]@\t' + _CONTROLS)
_IS_CONTROL = is_one_of(_CONTROLS + b"\t")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_SPEC = rf"^{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$"
_NO_SPEC = r"(?i)=\?|xn--"
_IN_QUOTES = '^"([^"]+)"$'
_HANDLE = re.compile(rb"[ \t)]@|@[ \t(]")


class Mailboxes(NamedTuple):
    """Mailboxes in three columns of large_string, and whether each was malformed."""

    name: pa.Array
    addr: pa.Array
    domain: pa.Array
    mended: Mask


class AddressLists(NamedTuple):
    """Address lists of one field.

    Attributes
    ----------
    raw : pyarrow.LargeBinaryArray
        The values.
    regular : bool array
        Which of them are the sum of their mailboxes.
    owner : int64 array
        The list that each mailbox is in, rising.
    box : int64 array
        Its place in `boxes`.
    boxes : Mailboxes
        The distinct ones, of this and other fields.
    """

    raw: pa.LargeBinaryArray
    regular: Mask
    owner: Positions
    box: Positions
    boxes: Mailboxes


def read_lists(fields: Sequence[Values]) -> list[AddressLists]:
    """Read the address lists of several fields together."""
    together = stacked(fields)
    regular, owner, start, end = _cut(together)
    encoded = together.between(start, end).dictionary_encode()
    boxes, single, sure = _mailboxes(laid(encoded.dictionary))
    box = encoded.indices.to_numpy().astype(np.int64)
    alone = np.bincount(owner, minlength=len(regular))[owner] == 1
    regular[owner[~np.where(alone, single[box], sure[box])]] = False
    fine = regular[owner]
    owner, box = owner[fine], box[fine]
    found = []
    first = 0
    for values in fields:
        behind = first + len(values.start)
        mine = slice(*np.searchsorted(owner, (first, behind)))
        lists = AddressLists(
            values.raw, regular[first:behind], owner[mine] - first, box[mine], boxes
        )
        found.append(lists)
        first = behind
    return found


def addr_specs(lists: AddressLists) -> Lists:
    """Return the addr-specs of address lists."""
    count = len(lists.regular)
    lengths = np.bincount(lists.owner, minlength=count)
    mended = np.zeros(count, np.bool_)
    mended[lists.owner[lists.boxes.mended[lists.box]]] = True
    rest = np.flatnonzero(~lists.regular)
    if not len(rest):
        return Lists(lists.boxes.addr.take(pa.array(lists.box)), lengths, mended)
    found, which = distinct(lists.raw.take(pa.array(rest)), _specs)
    each = [found[number] for number in which.to_pylist()]
    lengths[rest] = [len(specs) for specs, _ in each]
    mended[rest] = [odd for _, odd in each]
    more = pa.array(chain.from_iterable(specs for specs, _ in each), pa.large_string())
    # Where the items of each list lie: in `boxes`, or else behind them.
    index = np.append(lists.box, len(lists.boxes.addr) + np.arange(len(more)))
    order = np.argsort(np.append(lists.owner, np.repeat(rest, lengths[rest])), kind="stable")
    addr = joined([lists.boxes.addr, more])
    return Lists(addr.take(pa.array(index[order])), lengths, mended)


def senders(lists: AddressLists) -> Mailboxes:
    """Return the first mailbox of each address list, as `addresses.sender` has it."""
    count = len(lists.regular)
    index = np.full(count, -1)
    index[lists.owner[::-1]] = lists.box[::-1]
    mended = np.zeros(count, np.bool_)
    mended[lists.owner[lists.boxes.mended[lists.box]]] = True
    rest = np.flatnonzero(index < 0)
    boxes: Sequence[pa.Array] = lists.boxes[:3]
    if len(rest):
        found, which = distinct(lists.raw.take(pa.array(rest)), _sender)
        index[rest] = len(lists.boxes.addr) + which.to_numpy()
        mended[rest] = spread_mended(found, which)
        boxes = _with_more(boxes, [box for box, _ in found])
    name, addr, domain = (part.take(pa.array(index)) for part in boxes)
    return Mailboxes(name, addr, domain, mended)


def _with_more(boxes: Sequence[pa.Array], more: Sequence[Mailbox]) -> list[pa.Array]:
    """Put more mailboxes behind some, in three columns."""
    return [
        joined([part, pa.array([box[number] for box in more], pa.large_string())])
        for number, part in enumerate(boxes)
    ]


def _cut(values: Values) -> tuple[Mask, Positions, Positions, Positions]:
    """Cut the lists that may be regular into their mailboxes.

    Returns
    -------
    bool array, int64 array, int64 array, int64 array
        Which lists may be regular, and of each mailbox in these its list, its start and its end.
    """
    count = len(values.start)
    if values.are_few():
        nothing = np.zeros(0, np.int64)
        return np.zeros(count, np.bool_), nothing, nothing, nothing
    octets = values.octets
    bad = _not_in_utf8(values)
    at = positions(octets, _IN_LISTS)
    marks = _outside_words(values, Marks(at, octets[at], owners(at, values.start)), bad)
    marks = _outside_quotes(values, marks, bad)
    marks = _outside_comments(marks, bad)
    bad[marks.owner[_IRREGULAR[marks.kind]]] = True

    # From a list's start or behind a comma, to the next comma or the list's end.
    comma = marks.only(marks.kind == _COMMA)
    start, end = merged(values.start, comma.at + 1), merged(values.end, comma.at)
    owner = np.repeat(np.arange(count), 1 + np.bincount(comma.owner, minlength=count))
    bad |= _have_odd_brackets(marks, start, owner, count)
    strip(octets, start, end, _BLANKS)
    some = (start < end) & ~bad[owner]
    return ~bad, owner[some], start[some], end[some]


def _not_in_utf8(values: Values) -> Mask:
    """Tell which lists hold octets of another charset: it is guessed from the whole list."""
    wrong = np.zeros(len(values.start), np.bool_)
    try:
        values.octets.tobytes().decode()
    except UnicodeDecodeError:
        rows = np.flatnonzero(holding(high(values.octets), values.start, values.end))
        for row in rows.tolist():
            try:
                values.octets[values.start[row] : values.end[row]].tobytes().decode()
            except UnicodeDecodeError:
                wrong[row] = True
    return wrong


def _outside_words(values: Values, marks: Marks, bad: Mask) -> Marks:
    """Leave out the marks that encoded-words hold: they separate nothing."""
    words = find_words(values)
    bad |= words.broken
    inside = within(marks.at, words.start, words.end)
    if not inside.any():
        return marks
    kind = marks.kind[inside]
    # These may end the quotes or the comment that the word stands in, if it is one.
    ends = (kind == _QUOTE) | (kind == _OPEN) | (kind == _CLOSE) | (kind == _BACKSLASH)
    bad[marks.owner[inside][ends]] = True
    return marks.only(~inside)


def _outside_quotes(values: Values, marks: Marks, bad: Mask) -> Marks:
    """Leave out the marks that quotes hold."""
    slash = marks.only(marks.kind == _BACKSLASH)
    behind = values.octets[slash.at + 1]
    bad[slash.owner[(behind == _QUOTE) | (behind == _BACKSLASH)]] = True
    is_quote = marks.kind == _QUOTE
    bad |= np.bincount(marks.owner[is_quote], minlength=len(bad)) % 2 == 1
    marks = marks.only(~bad[marks.owner])
    is_quote = marks.kind == _QUOTE
    inside = (np.cumsum(is_quote) % 2 == 1) & ~is_quote
    bad[marks.owner[inside & (marks.kind == _GREATER)]] = True  # the quotes may be of two names
    marks = marks.only(~inside)
    bad[marks.owner[marks.kind == _BACKSLASH]] = True
    return marks


def _outside_comments(marks: Marks, bad: Mask) -> Marks:
    """Leave out the marks that comments hold."""
    step = (marks.kind == _OPEN).astype(np.int64) - (marks.kind == _CLOSE)
    if not step.any():
        return marks
    bad |= np.bincount(marks.owner, step, len(bad)) != 0
    fine = ~bad[marks.owner]
    marks, step = marks.only(fine), step[fine]
    depth = np.cumsum(step)
    deep = depth > 0
    # Quotes in a comment quote nothing, yet they were taken for some.
    bad[marks.owner[(depth < 0) | (deep & (marks.kind == _QUOTE))]] = True
    return marks.only(~deep)


def _have_odd_brackets(marks: Marks, start: Positions, owner: Positions, count: int) -> Mask:
    """Tell which lists have a mailbox with anything but one pair of brackets, or none."""
    bad = np.zeros(count, np.bool_)
    brackets = marks.only((marks.kind == _LESS) | (marks.kind == _GREATER))
    item = owners(brackets.at, start)
    opens = brackets.kind == _LESS
    # In turn one opens and one closes, both of one mailbox, which has no other.
    number = np.bincount(item, minlength=len(start))
    bad[owner[(number != 0) & (number != 2)]] = True  # noqa: PLR2004 -- a pair
    two = number[item] == 2  # noqa: PLR2004
    item, opens = item[two], opens[two]
    wrong = ~opens[0::2] | opens[1::2]
    bad[owner[item[0::2][wrong]]] = True
    return bad


def _mailboxes(items: Values) -> tuple[Mailboxes, Mask, Mask]:
    """Read distinct mailboxes.

    Returns
    -------
    Mailboxes, bool array, bool array
        What they are, which of them are one mailbox with an address and nothing else, and which of
        these are so in any list: beside others, what had to be mended may mean something else.
    """
    octets, start, end = items.octets, items.start, items.end
    if not len(start):  # all lists are read as a whole
        empty, none = pa.array([], pa.large_string()), np.zeros(0, np.bool_)
        return Mailboxes(empty, empty, empty, none), none, none
    less = np.append(-1, np.flatnonzero(octets == _LESS))
    last = less[np.searchsorted(less, end) - 1]
    in_brackets = (octets[end - 1] == _GREATER) & (last >= start)
    spec_start = np.where(in_brackets, last + 1, start)
    spec_end = end - in_brackets
    plain, name, mended = _names(items, np.where(in_brackets, last, start))
    spec = items.between(spec_start, spec_end)
    plain &= matches(spec, _SPEC) & ~matches(spec, _NO_SPEC)
    names = texts(name.only(plain))
    addr, domain = _addresses(spec.filter(pa.array(plain)))
    # Only encoded-words leave quotation marks around a name.
    shown = pc.utf8_trim(pc.replace_substring_regex(names.array, _IN_QUOTES, r"\1"), " ")
    parts = [pc.if_else(pc.equal(shown, ""), None, shown), addr, domain]
    single = np.ones(len(start), np.bool_)
    sure = np.ones(len(start), np.bool_)
    malformed = np.empty(len(start), np.bool_)
    malformed[plain] = names.mended | mended[plain]
    if not plain.all():
        odd = items.raw.filter(pa.array(~plain)).to_pylist()
        found = [_whole(raw) for raw in odd]
        single[~plain] = [len(boxes) == 1 and None not in boxes[0][1:] for boxes, _ in found]
        malformed[~plain] = [wrong for _, wrong in found]
        # An item such as "Team @Acme" may be the first part of a name that has a comma.
        apart = [_HANDLE.search(raw) is None for raw in odd]
        sure[~plain] = single[~plain] & ~malformed[~plain] & np.array(apart, np.bool_)
        nobody = Mailbox(None, None, None)
        parts = _with_more(parts, [boxes[0] if boxes else nobody for boxes, _ in found])
        place = pa.array(np.argsort(np.argsort(~plain, kind="stable"), kind="stable"))
        parts = [part.take(place) for part in parts]
    return Mailboxes(parts[0], parts[1], parts[2], malformed), single, sure


def _names(items: Values, behind: Positions) -> tuple[Mask, Values, Mask]:
    """Find the display names of mailboxes, which end before positions.

    Returns
    -------
    bool array, Values, bool array
        Which are plain: one quoted string, or atoms and encoded-words with single blanks; the
        names without their quotes; and which of them break a rule all the same.
    """
    octets = items.octets
    start, end = items.start.copy(), behind.copy()
    strip(octets, start, end, b" ")
    quoted = (end - start > 1) & (octets[start] == _QUOTE) & (octets[end - 1] == _QUOTE)
    start += quoted
    end -= quoted
    words = find_words(items)
    at = positions(octets, _IN_NAMES)
    marks = Marks(at, octets[at], owners(at, items.start))
    marks = marks.only((marks.at >= start[marks.owner]) & (marks.at < end[marks.owner]))
    ends = _IS_CONTROL[marks.kind] | (marks.kind == _QUOTE) | (marks.kind == _BACKSLASH)
    wrong = np.where(quoted[marks.owner], ends, ~within(marks.at, words.start, words.end))
    plain = np.ones(len(start), np.bool_)
    plain[marks.owner[wrong]] = False
    blank = octets == _SPACE
    twice = np.flatnonzero(blank[:-1] & blank[1:])
    plain &= quoted | ~holding(twice, start, end)
    strip(octets, start, end, b" ")
    encoded = words.broken.copy()
    encoded[words.owner] = True
    odd = encoded | holding(high(octets), items.start, items.end)
    return plain, Values(octets, start, end, odd), quoted & encoded


def _addresses(specs: pa.LargeBinaryArray) -> tuple[pa.Array, pa.Array]:
    """Return plain addr-specs with their domains in lower case, and the domains."""
    offsets = offsets_of(specs)
    octets = np.array(np.frombuffer(data_of(specs), np.uint8)[: offsets[-1]])
    at_sign = np.flatnonzero(octets == _AT)
    upper = np.flatnonzero((octets >= _UPPER_A) & (octets <= _UPPER_Z))
    if len(upper):
        upper = upper[upper > at_sign[np.searchsorted(offsets, upper, "right") - 1]]
        octets[upper] |= 0x20
    data = pa.py_buffer(octets)
    addr = pa.LargeStringArray.from_buffers(len(specs), specs.buffers()[1], data)
    return addr, between(data, at_sign + 1, offsets[1:]).view(pa.large_string())


def _specs(raw: bytes) -> tuple[list[str], bool]:
    found, mended = _whole(raw)
    return [mailbox.addr for mailbox in found if mailbox.addr], mended


_whole = remembering(addresses.mailboxes)
_sender = remembering(addresses.sender)
