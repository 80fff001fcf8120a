"""Message ids by the column.

Plain is what stands between brackets with nothing odd between them, whatever stands around it: a
phrase, a comment, another id. All else is for `mailframe.headers.ids`.
"""

from __future__ import annotations

from typing import NamedTuple

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

_SPACE, _TAB, _LF, _OPEN, _LESS, _GREATER = b" \t\n(<>"
# Whatever is not plainly a part of an id: it may be a comment, or an encoded-word.
_MARKS = table(bytes({*range(0x21), *b"<>(?", *range(0x7F, 0x100)} - {_LF}))

# Brackets that are laid out at once, some sixty octets each: an honest batch has a few hundred
# thousand, a hostile value ten million.
MOST_IDS = 1 << 20


def message_ids(values: Values) -> Column:
    """Decode Message-ID values into large_string; null where there is no id."""
    return _single(values, _message_id, phrases=False)


def parent_ids(values: Values) -> Column:
    """Decode In-Reply-To values into large_string; null where there is no id."""
    return _single(values, _parent_id, phrases=True)


def list_ids(values: Values) -> Column:
    """Decode List-Id values into large_string; null where there is no identifier."""
    return one_by_one(values.raw, _list_id)


def id_lists(values: Values) -> Lists:
    """Decode References values."""
    if _has_too_many(values):
        return lists_one_by_one(values.raw, _message_ids)
    cut = _cut(values)
    items = values.between(cut.start, cut.end).view(pa.large_string())
    if cut.plain.all():
        return Lists(items, cut.lengths, np.zeros(len(cut.plain), np.bool_))
    others = lists_one_by_one(values.raw.filter(pa.array(~cut.plain)), _message_ids)
    return interleaved(cut.plain, items, cut.lengths[cut.plain], others)


def _single(values: Values, parse: Parser[str | None], *, phrases: bool) -> Column:
    octets, start, end = values.octets, values.start, values.end
    alone = end - start > 2  # noqa: PLR2004 -- the brackets
    alone &= (octets[start] == _LESS) & (octets[end - 1] == _GREATER)
    alone &= ~holding(positions(octets, _MARKS), start + 1, end - 1)
    array = values.between(start + alone, end - alone).view(pa.large_string())
    mended = np.zeros(len(alone), np.bool_)
    if not alone.all():
        others = _among_words(values.only(~alone), parse, phrases=phrases)
        array = pc.replace_with_mask(array, pa.array(~alone), others.array)
        mended[~alone] = others.mended
    return Column(array, mended)


def _among_words(values: Values, parse: Parser[str | None], *, phrases: bool) -> Column:
    """Decode values that are more than one id, or less.

    Where there may be `phrases`, the id is the last one behind one; elsewhere they are malformed.
    """
    if values.are_few() or _has_too_many(values):
        return one_by_one(values.raw, parse)
    cut = _cut(values)
    plain = cut.plain
    place = np.cumsum(cut.lengths) - cut.lengths
    if phrases:
        place += (cut.lengths - 1) * (values.octets[values.start] != _LESS)
    mended = np.full(len(plain), not phrases)
    start, end = values.start.copy(), values.end.copy()
    start[plain], end[plain] = cut.start[place[plain]], cut.end[place[plain]]
    array = values.between(start, end).view(pa.large_string())
    if not plain.all():
        others = one_by_one(values.raw.filter(pa.array(~plain)), parse)
        array = pc.replace_with_mask(array, pa.array(~plain), others.array)
        mended[~plain] = others.mended
    return Column(array, mended)


class _Cut(NamedTuple):
    """Which values are plain, how many ids each of those has, and where each id lies."""

    plain: Mask
    lengths: Positions
    start: Positions
    end: Positions


def _has_too_many(values: Values) -> bool:
    return bool(np.count_nonzero(values.octets == _LESS) > MOST_IDS)


def _cut(values: Values) -> _Cut:
    """Find the ids of values whose brackets open and close in turn, with nothing odd in any."""
    octets, count = values.octets, len(values.start)
    at = positions(octets, _MARKS)
    marks = Marks(at, octets[at], owners(at, values.start))
    is_bracket = (marks.kind == _LESS) | (marks.kind == _GREATER)
    is_word = (marks.kind == _SPACE) | (marks.kind == _TAB) | (marks.kind == _OPEN)
    plain = np.ones(count, np.bool_)
    plain[marks.owner[~is_word & ~is_bracket]] = False

    brackets = marks.only(is_bracket)
    number = (
        np.arange(len(brackets.at)) - np.searchsorted(brackets.at, values.start)[brackets.owner]
    )
    opens = number % 2 == 0
    plain[brackets.owner[opens != (brackets.kind == _LESS)]] = False
    held = np.bincount(brackets.owner, minlength=count)
    plain &= (held > 0) & (held % 2 == 0)
    brackets = brackets.only(plain[brackets.owner])
    start, end, owner = brackets.at[0::2] + 1, brackets.at[1::2], brackets.owner[0::2]
    plain[owner[holding(marks.at[is_word], start, end) | (start == end)]] = False
    fine = plain[owner]
    lengths = np.bincount(owner[fine], minlength=count)
    return _Cut(plain, lengths, start[fine], end[fine])


_message_id = remembering(ids.message_id)
_parent_id = remembering(ids.parent_id)
_message_ids = remembering(ids.message_ids)
_list_id = remembering(ids.list_id)
