"""Columns of raw values as Arrow columns: each distinct value is decoded once.

What is plain goes through without being looked at; what is not is handed, value by value, to the
parsers of this package, and what they make of the values seen of late is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mailframe.headers import addresses, ids, text, urls
from mailframe.headers.memory import remembering

_T = TypeVar("_T")
_Parser = Callable[[bytes], tuple[_T, bool]]
Mask = NDArray[np.bool_]

# At most so many stand behind a comma of what `_MAILBOXES` takes: a line end, and blanks.
_BLANKS = 5

_ONE_ID = "^<[!-;=?-~]+>$"
_IDS = "^(?:<[!-;=?-~]+>[ \t\r\n]*)+$"
# Address lists without quoted commas, capitals in domains, punycode or encoded-words.
_WORDS = '(?:"[ !#-+\\--;=@-\\[\\]-~]*" ?|(?:[A-Za-z0-9!#$%&\'*+/=^_`{|}~.-]+ ?)*)'
_ATOM = "[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+"
_SPEC = f"(?:{_ATOM}\\.)*{_ATOM}@(?:[a-z0-9-]+\\.)*[a-z0-9-]+"
_MAILBOX = f"(?:{_WORDS}<{_SPEC}>|{_SPEC})"
_MAILBOXES = f"^{_MAILBOX}(?:,(?:\r?\n)?[ \t]{{0,{_BLANKS - 2}}}{_MAILBOX})*$"
_PUNYCODE = "xn--"
_LESS, _GREATER, _COMMA, _SPACE = b"<>, "


class Values(NamedTuple):
    """The values of one field in the messages that have it.

    Attributes
    ----------
    raw : pyarrow.LargeBinaryArray
        The octets, folds included.
    odd : bool array
        Whether a value may be more than printable ASCII on one line without an encoded-word.
    """

    raw: pa.LargeBinaryArray
    odd: Mask


class Column(NamedTuple):
    """Decoded values.

    Attributes
    ----------
    array : pyarrow.Array
    mended : bool array
        Which values were malformed.
    """

    array: pa.Array
    mended: Mask


class Lists(NamedTuple):
    """Decoded values that are lists.

    Attributes
    ----------
    items : pyarrow.Array
        What all lists hold, one after the other.
    lengths : int64 array
        The number of items of each.
    mended : bool array
        Which values were malformed.
    """

    items: pa.Array
    lengths: NDArray[np.int64]
    mended: Mask


class Mailboxes(NamedTuple):
    """The first mailbox of each value, in three columns of large_string."""

    name: pa.Array
    addr: pa.Array
    domain: pa.Array
    mended: Mask


def between(
    data: pa.Buffer, start: NDArray[np.int64], end: NDArray[np.int64]
) -> pa.LargeBinaryArray:
    """Copy the octets between positions, which rise, into a column.

    Arrow does it in one go: the positions are the offsets of an array whose every other item is
    a value, and the rest is what lies between them.
    """
    count = len(start)
    if not count:
        return pa.array([], pa.large_binary())
    offsets = np.empty(2 * count, np.int64)
    offsets[0::2] = start
    offsets[1::2] = end
    both = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2 * count - 1, [None, pa.py_buffer(offsets), data]
    )
    return both.take(pa.array(np.arange(0, 2 * count, 2)))


def texts(values: Values) -> Column:
    """Decode unstructured values into large_string."""
    return _mend(values.raw, values.odd, _text)


def message_ids(values: Values) -> Column:
    """Decode Message-ID values into large_string; null where there is no id."""
    return _single_ids(values, _message_id)


def parent_ids(values: Values) -> Column:
    """Decode In-Reply-To values into large_string; null where there is no id."""
    return _single_ids(values, _parent_id)


def id_lists(values: Values) -> Lists:
    """Decode References values."""
    plain = _matches(values.raw, _IDS)
    raw = values.raw
    mended = np.zeros(len(plain), np.bool_)
    rest = np.flatnonzero(~plain)
    if len(rest):
        found = [_message_ids(each) for each in raw.take(pa.array(rest)).to_pylist()]
        mended[rest] = [odd for _, odd in found]
        # Written anew they are plain: an id holds no bracket.
        anew = ["".join(f"<{each}>" for each in row).encode() for row, _ in found]
        raw = pc.replace_with_mask(raw, pa.array(~plain), pa.array(anew, pa.large_binary()))
    octets = np.frombuffer(_data(raw), np.uint8)
    opening = np.flatnonzero(octets == _LESS)
    closing = np.flatnonzero(octets == _GREATER)
    items = between(_data(raw), opening + 1, closing).view(pa.large_string())
    return Lists(items, np.diff(np.searchsorted(opening, _offsets(raw))), mended)


def mailboxes(values: Values) -> Mailboxes:
    """Decode From values into their first mailboxes."""
    found, index = distinct(values.raw, _mailbox)
    name, addr, domain = (
        pa.array([box[part] for box, _ in found], pa.large_string()).take(index)
        for part in range(3)
    )
    return Mailboxes(name, addr, domain, _mended(found, index))


def addr_specs(values: Values) -> Lists:
    """Decode address lists into the addr-specs in them."""
    raw = values.raw
    plain = _matches(raw, _MAILBOXES) & ~_matches(raw, _PUNYCODE)
    if plain.all():
        return _plain_addr_specs(raw)
    found, index = distinct(raw.filter(pa.array(~plain)), _addr_specs)
    others = pa.array([specs for specs, _ in found], pa.list_(pa.large_string())).take(index)
    items, lengths = _interleaved(plain, _plain_addr_specs(raw.filter(pa.array(plain))), others)
    mended = np.zeros(len(plain), np.bool_)
    mended[~plain] = _mended(found, index)
    return Lists(items, lengths, mended)


def _interleaved(
    first: Mask, ours: Lists, others: pa.ListArray
) -> tuple[pa.Array, NDArray[np.int64]]:
    """Put lists of two kinds into one row of items; `first` tells where the first kind goes."""
    lengths = np.empty(len(first), np.int64)
    lengths[first] = ours.lengths
    lengths[~first] = pc.list_value_length(others).to_numpy()
    items = pa.concat_arrays([ours.items, others.flatten()])
    # Both kinds lie one behind the other; each list takes its items from where they are there.
    start = np.empty_like(lengths)
    for kind, base in ((first, 0), (~first, len(ours.items))):
        start[kind] = base + np.cumsum(lengths[kind]) - lengths[kind]
    shift = start - (np.cumsum(lengths) - lengths)
    order = np.arange(len(items)) + np.repeat(shift, lengths)
    return items.take(pa.array(order)), lengths


def _plain_addr_specs(raw: pa.LargeBinaryArray) -> Lists:
    """Cut lists that match `_MAILBOXES` at their commas, and mailboxes at their brackets."""
    offsets = _offsets(raw)
    octets = np.frombuffer(_data(raw), np.uint8)
    comma = np.flatnonzero(octets == _COMMA)
    end = np.sort(np.concatenate([comma, offsets[1:]]))
    start = np.zeros_like(end)
    start[1:] = end[:-1] + (octets[end[:-1]] == _COMMA)
    in_brackets = octets[end - 1] == _GREATER
    for _ in range(_BLANKS):
        start += octets[start] <= _SPACE
    start[in_brackets] = np.flatnonzero(octets == _LESS) + 1
    specs = between(_data(raw), start, end - in_brackets).view(pa.large_string())
    lengths = np.diff(np.searchsorted(comma, offsets)) + 1
    return Lists(specs, lengths, np.zeros(len(lengths), np.bool_))


def url_lists(values: Values) -> Lists:
    """Decode the values of List-Unsubscribe and its kin."""
    return _distinct_lists(values.raw, _urls)


def list_ids(values: Values) -> Column:
    """Decode List-Id values into large_string; null where there is no identifier."""
    found, index = distinct(values.raw, _list_id)
    array = pa.array([each for each, _ in found], pa.large_string())
    return Column(array.take(index), _mended(found, index))


def _single_ids(values: Values, parse: _Parser[str | None]) -> Column:
    plain = _matches(values.raw, _ONE_ID)
    offsets = _offsets(values.raw)
    # The brackets are the first and the last octet.
    inner = between(_data(values.raw), offsets[:-1] + plain, offsets[1:] - plain)
    return _mend(inner, ~plain, parse, values.raw)


def _mend(
    raw: pa.LargeBinaryArray,
    odd: Mask,
    parse: _Parser[str | None],
    source: pa.LargeBinaryArray | None = None,
) -> Column:
    """Take octets for text where they are not odd, and what a parser makes of the others."""
    array = raw.view(pa.large_string())
    mended = np.zeros(len(odd), np.bool_)
    if odd.any():
        mask = pa.array(odd)
        found, index = distinct((raw if source is None else source).filter(mask), parse)
        anew = pa.array([value for value, _ in found], pa.large_string()).take(index)
        array = pc.replace_with_mask(array, mask, anew)
        mended[odd] = _mended(found, index)
    return Column(array, mended)


def distinct(
    raw: pa.LargeBinaryArray, parse: Callable[[bytes], _T]
) -> tuple[list[_T], pa.Int32Array]:
    """Parse each distinct value; return the results, and which of them each value got."""
    encoded = raw.dictionary_encode()
    return [parse(each) for each in encoded.dictionary.to_pylist()], encoded.indices


def matching(texts: pa.Array, pattern: str) -> Mask:
    """Tell which texts match a pattern; each distinct one is looked at once."""
    encoded = texts.dictionary_encode()
    matched = pc.match_substring_regex(encoded.dictionary, pattern).take(encoded.indices)
    found: Mask = pc.fill_null(matched, fill_value=False).to_numpy(zero_copy_only=False)
    return found


def _distinct_lists(raw: pa.LargeBinaryArray, parse: _Parser[list[str]]) -> Lists:
    found, index = distinct(raw, parse)
    lists = pa.array([items for items, _ in found], pa.list_(pa.string())).take(index)
    lengths = np.diff(np.frombuffer(lists.buffers()[1], np.int32)[: len(lists) + 1])
    return Lists(lists.flatten(), lengths.astype(np.int64), _mended(found, index))


def _mended(found: Sequence[tuple[Any, bool]], index: pa.Int32Array) -> Mask:
    wrong = np.fromiter((wrong for _, wrong in found), np.bool_, len(found))
    spread: Mask = wrong[index.to_numpy()]
    return spread


def _matches(raw: pa.LargeBinaryArray, pattern: str) -> Mask:
    matched: Mask = pc.match_substring_regex(raw, pattern).to_numpy(zero_copy_only=False)
    return matched


def _offsets(raw: pa.LargeBinaryArray) -> NDArray[np.int64]:
    return np.frombuffer(raw.buffers()[1], np.int64)[: len(raw) + 1]


def _data(raw: pa.LargeBinaryArray) -> pa.Buffer:
    return raw.buffers()[2] or pa.py_buffer(b"")


def _all_addr_specs(raw: bytes) -> tuple[list[str], bool]:
    found, mended = addresses.mailboxes(raw)
    return [mailbox.addr for mailbox in found if mailbox.addr], mended


_text = remembering(text.decode)
_mailbox = remembering(addresses.sender)
_addr_specs = remembering(_all_addr_specs)
_message_id = remembering(ids.message_id)
_parent_id = remembering(ids.parent_id)
_message_ids = remembering(ids.message_ids)
_list_id = remembering(ids.list_id)
_urls = remembering(urls.urls)
