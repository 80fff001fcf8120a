"""The values of one field, one behind the other in one buffer, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.headers.columns.marks import Mask, Octets, Positions, merged, runs

_T = TypeVar("_T")
Parser = Callable[[bytes], tuple[_T, bool]]

_LF = ord("\n")
# LFs behind the last value, so that a few octets can be read from any position.
_MARGIN = 8
# To read a column as a whole costs some 0.3 to 0.5 ms however short it is, and to read one value
# 2 to 20 us, as long as it is short.
_FEW = 100
_SHORT = 100  # octets of each of those few, on the average


class Values(NamedTuple):
    """The values of one field in the messages that have it, without folds and blank ends.

    Attributes
    ----------
    octets : uint8 array
        All of them; behind each stands an LF, behind the last one several, and no value holds one.
    start, end : int64 array
        Where each lies.
    odd : bool array
        Whether a value may be more than printable ASCII without an encoded-word.
    """

    octets: Octets
    start: Positions
    end: Positions
    odd: Mask

    @property
    def raw(self) -> pa.LargeBinaryArray:
        """The values as a column."""
        return self.between(self.start, self.end)

    def between(self, start: Positions, end: Positions) -> pa.LargeBinaryArray:
        """Copy parts of the values into a column."""
        return between(pa.py_buffer(self.octets), start, end)

    def only(self, which: Mask | Positions) -> Values:
        """Return some of the values, laid anew."""
        start, end = self.start[which], self.end[which]
        return lay(pa.py_buffer(self.octets), start, end, self.odd[which])

    def are_few(self) -> bool:
        """Tell whether to read them one by one is the cheaper way."""
        return len(self.start) < _FEW and len(self.octets) < _FEW * _SHORT


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
    lengths: Positions
    mended: Mask


def between(
    data: pa.Buffer, start: Positions, end: Positions, which: Positions | None = None
) -> pa.LargeBinaryArray:
    """Copy the octets between positions, which rise, into a column; or only `which`, in that order.

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
    return both.take(pa.array(np.arange(0, 2 * count, 2) if which is None else 2 * which))


def lay(
    data: pa.Buffer,
    start: Positions,
    end: Positions,
    odd: Mask,
    gaps: tuple[Positions, Positions] | None = None,
) -> Values:
    """Copy spans of a buffer, which rise and do not touch, into values.

    Parameters
    ----------
    gaps : pair of int64 array, optional
        Where parts begin and end that are left out; each lies within a span.
    """
    if gaps is None:
        parts = between(data, start, end + 1)
        offsets = offsets_of(parts)
    else:
        cut = merged(start, gaps[1])
        parts = between(data, cut, merged(end + 1, gaps[0]))
        firsts = np.append(np.searchsorted(cut, start), len(cut))
        offsets = offsets_of(parts)[firsts]
    size = int(offsets[-1])
    octets = np.full(size + _MARGIN, _LF, np.uint8)
    octets[:size] = np.frombuffer(data_of(parts), np.uint8)[:size]
    octets[offsets[1:] - 1] = _LF
    return Values(octets, offsets[:-1], offsets[1:] - 1, odd)


def laid(raw: pa.LargeBinaryArray) -> Values:
    """Lay a column of octets without LF out as values, none of them odd."""
    nothing, line_end = (pa.scalar(each, pa.large_binary()) for each in (b"", b"\n"))
    ended = pc.binary_join_element_wise(raw, nothing, line_end)
    offsets = offsets_of(ended)
    size = int(offsets[-1])
    octets = np.full(size + _MARGIN, _LF, np.uint8)
    octets[:size] = np.frombuffer(data_of(ended), np.uint8)[:size]
    return Values(octets, offsets[:-1], offsets[1:] - 1, np.zeros(len(raw), np.bool_))


def stacked(fields: Sequence[Values]) -> Values:
    """Return the values of several fields as if they were of one."""
    if len(fields) == 1:
        return fields[0]
    sizes = np.array([len(values.octets) for values in fields], np.int64)
    bases = np.repeat(np.cumsum(sizes) - sizes, [len(values.start) for values in fields])
    octets, start, end, odd = (
        np.concatenate([values[part] for values in fields]) for part in range(4)
    )
    return Values(octets, start + bases, end + bases, odd)


def joined(arrays: Sequence[pa.Array]) -> pa.Array:
    """Return arrays one behind the other."""
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def distinct(
    raw: pa.LargeBinaryArray, parse: Callable[[bytes], _T]
) -> tuple[list[_T], pa.Int32Array]:
    """Parse each distinct value; return the results, and which of them each value got."""
    encoded = raw.dictionary_encode()
    return [parse(each) for each in encoded.dictionary.to_pylist()], encoded.indices


def one_by_one(raw: pa.LargeBinaryArray, parse: Parser[str | None]) -> Column:
    """Parse each distinct value into large_string."""
    found, index = distinct(raw, parse)
    array = pa.array([value for value, _ in found], pa.large_string())
    return Column(array.take(index), spread_mended(found, index))


def matches(raw: pa.LargeBinaryArray, pattern: str) -> Mask:
    """Tell which octets match a pattern."""
    matched: Mask = pc.match_substring_regex(raw, pattern).to_numpy(zero_copy_only=False)
    return matched


def matching(texts: pa.Array, pattern: str) -> Mask:
    """Tell which texts match a pattern; each distinct one is looked at once."""
    encoded = texts.dictionary_encode()
    matched = pc.match_substring_regex(encoded.dictionary, pattern).take(encoded.indices)
    found: Mask = pc.fill_null(matched, fill_value=False).to_numpy(zero_copy_only=False)
    return found


def interleaved(first: Mask, items: pa.Array, lengths: Positions, others: Lists) -> Lists:
    """Put lists of two kinds into one column.

    Parameters
    ----------
    first : bool array
        Which lists are of the first kind, those of `items` and `lengths`, which are not malformed.
    others : Lists
        The others.
    """
    length = np.empty(len(first), np.int64)
    length[first], length[~first] = lengths, others.lengths
    # Both kinds lie one behind the other; each list takes its items from where they are there.
    start = np.empty_like(length)
    for kind, base in ((first, 0), (~first, len(items))):
        start[kind] = base + np.cumsum(length[kind]) - length[kind]
    mended = np.zeros(len(first), np.bool_)
    mended[~first] = others.mended
    both = joined([items, others.items])
    return Lists(both.take(pa.array(runs(start, length))), length, mended)


def lists_one_by_one(raw: pa.LargeBinaryArray, parse: Parser[list[str]]) -> Lists:
    """Parse each distinct value into a list of texts."""
    found, index = distinct(raw, parse)
    lists = pa.array([items for items, _ in found], pa.list_(pa.large_string())).take(index)
    lengths = np.diff(np.frombuffer(lists.buffers()[1], np.int32)[: len(lists) + 1])
    return Lists(lists.flatten(), lengths.astype(np.int64), spread_mended(found, index))


def spread_mended(found: Sequence[tuple[Any, bool]], index: pa.Int32Array) -> Mask:
    """Return which values were malformed, from the results of `distinct`."""
    wrong = np.fromiter((wrong for _, wrong in found), np.bool_, len(found))
    spread: Mask = wrong[index.to_numpy()]
    return spread


def offsets_of(raw: pa.LargeBinaryArray) -> Positions:
    """Return where each value begins in `data_of`, and where the last one ends."""
    return np.frombuffer(raw.buffers()[1], np.int64)[: len(raw) + 1]


def data_of(raw: pa.LargeBinaryArray) -> pa.Buffer:
    """Return the octets of all values."""
    return raw.buffers()[2] or pa.py_buffer(b"")
