"""Message ids by the column.

Plain is what stands between brackets at both ends of a value with nothing odd between them, and a
list is plain where only blanks lie between such ids. All else is for `mailframe.headers.ids`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.headers import ids
from mailframe.headers.columns.marks import (
    Marks,
    Mask,
    Positions,
    holding,
    owners,
    positions,
    table,
)
from mailframe.headers.columns.values import (
    Column,
    Lists,
    Parser,
    Values,
    interleaved,
    lists_one_by_one,
    one_by_one,
)
from mailframe.headers.memory import remembering

_SPACE, _TAB, _LF, _LESS, _GREATER = b" \t\n<>"
# Whatever is not plainly a part of an id: it may be a comment, or an encoded-word.
_MARKS = table(bytes({*range(0x21), *b"<>(?", *range(0x7F, 0x100)} - {_LF}))

# Brackets that are laid out at once, some sixty octets each: an honest batch has a few hundred
# thousand, a hostile value ten million.
MOST_IDS = 1 << 20


def message_ids(values: Values) -> Column:
    """Decode Message-ID values into large_string; null where there is no id."""
    return _single(values, _message_id)


def parent_ids(values: Values) -> Column:
    """Decode In-Reply-To values into large_string; null where there is no id."""
    return _single(values, _parent_id)


def list_ids(values: Values) -> Column:
    """Decode List-Id values into large_string; null where there is no identifier."""
    return one_by_one(values.raw, _list_id)


def _single(values: Values, parse: Parser[str | None]) -> Column:
    octets, start, end = values.octets, values.start, values.end
    plain = end - start > 2  # noqa: PLR2004 -- the brackets
    plain &= (octets[start] == _LESS) & (octets[end - 1] == _GREATER)
    plain &= ~holding(positions(octets, _MARKS), start + 1, end - 1)
    array = values.between(start + plain, end - plain).view(pa.large_string())
    mended = np.zeros(len(plain), np.bool_)
    if not plain.all():
        odd = pa.array(~plain)
        others = one_by_one(values.raw.filter(odd), parse)
        array = pc.replace_with_mask(array, odd, others.array)
        mended[~plain] = others.mended
    return Column(array, mended)


def id_lists(values: Values) -> Lists:
    """Decode References values."""
    if np.count_nonzero(values.octets == _LESS) > MOST_IDS:
        return lists_one_by_one(values.raw, _message_ids)
    plain, start, end = _cut(values)
    items = values.between(start, end).view(pa.large_string())
    lengths = np.searchsorted(start, values.end) - np.searchsorted(start, values.start)
    if plain.all():
        return Lists(items, lengths, np.zeros(len(plain), np.bool_))
    others = lists_one_by_one(values.raw.filter(pa.array(~plain)), _message_ids)
    return interleaved(plain, items, lengths[plain], others)


def _cut(values: Values) -> tuple[Mask, Positions, Positions]:
    """Return which values are ids and blanks between them, and where each id of those lies."""
    octets, count = values.octets, len(values.start)
    at = positions(octets, _MARKS)
    marks = Marks(at, octets[at], owners(at, values.start))
    is_blank = (marks.kind == _SPACE) | (marks.kind == _TAB)
    is_bracket = (marks.kind == _LESS) | (marks.kind == _GREATER)
    plain = (octets[values.start] == _LESS) & (octets[values.end - 1] == _GREATER)
    plain[marks.owner[~is_blank & ~is_bracket]] = False

    brackets = marks.only(is_bracket)
    # In each value they open and close in turn.
    number = (
        np.arange(len(brackets.at)) - np.searchsorted(brackets.at, values.start)[brackets.owner]
    )
    opens = number % 2 == 0
    plain[brackets.owner[opens != (brackets.kind == _LESS)]] = False
    plain &= np.bincount(brackets.owner, minlength=count) % 2 == 0
    brackets = brackets.only(plain[brackets.owner])
    start, end, owner = brackets.at[0::2] + 1, brackets.at[1::2], brackets.owner[0::2]
    # Nothing but blanks stands between two, and none within one.
    blanks = marks.only(is_blank)
    outside = values.end - values.start
    outside -= np.bincount(owner, end - start + 2, count).astype(np.int64)
    plain &= outside == np.bincount(blanks.owner, minlength=count)
    plain[owner[holding(blanks.at, start, end) | (start == end)]] = False
    fine = plain[owner]
    return plain, start[fine], end[fine]


_message_id = remembering(ids.message_id)
_parent_id = remembering(ids.parent_id)
_message_ids = remembering(ids.message_ids)
_list_id = remembering(ids.list_id)
