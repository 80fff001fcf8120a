"""Long values in pieces: what many values share is read once, what is each one's own is cut away.

A trace field is never the same twice, its identifier and its date see to that; but its hosts, its
protocol and its results come again and again. Where they stand is found by arithmetic, a column at
a time; a piece is cut by offsets into the octets of the column, which are not copied.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from mailframe.stats.vectors import Bools, Ints

    Octets = NDArray[np.uint8]

SHARE = 100_000  # values that are worth a thread
BLOCK = 1 << 18  # octets that stay in a processor's cache while they are compared

# RFC 5322 section 3.2.2, two deep; deeper ones stay.
COMMENT = r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"

_T = TypeVar("_T")


class Spans(NamedTuple):
    """Where the values of a column lie: ``octets[start[i]:end[i]]`` is the i-th."""

    octets: Octets
    start: Ints
    end: Ints


def spans(values: pa.LargeStringArray) -> Spans:
    """Tell where values lie; a column without nulls, but perhaps a slice."""
    if not len(values):
        return Spans(np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64))
    _, offsets, data = values.buffers()
    bounds = np.frombuffer(offsets, np.int64, len(values) + 1, 8 * values.offset)
    return Spans(np.frombuffer(data or b"", np.uint8), bounds[:-1], bounds[1:])


def marks(values: Spans, which: bytes) -> Ints:
    """Find where any of some octets stand in the values of a column."""
    found = [np.empty(0, np.int64)]
    first, last = (values.start[0], values.end[-1]) if len(values.start) else (0, 0)
    for at in range(first, last, BLOCK):
        octets = values.octets[at : min(at + BLOCK, last)]
        hits = octets == which[0]
        for octet in which[1:]:
            hits |= octets == octet
        found.append(np.flatnonzero(hits) + at)
    return np.concatenate(found)


def between(values: pa.LargeStringArray, start: Ints, end: Ints) -> pa.LargeStringArray:
    """Give the pieces of a column between positions that rise, with a null behind each.

    What lies between two pieces is that null, so nothing has to be copied.
    """
    count = len(start)
    offsets = np.empty(2 * count + 1, np.int64)
    offsets[0:-1:2] = start
    offsets[1:-1:2] = end
    offsets[-1] = end[-1] if count else 0
    every_other = np.full(count // 4 + 1, 0b01010101, np.uint8)
    return pa.LargeStringArray.from_buffers(
        2 * count, pa.py_buffer(offsets), values.buffers()[2], pa.py_buffer(every_other)
    )


def encoded(values: pa.LargeStringArray, start: Ints, end: Ints) -> pa.DictionaryArray:
    """Encode the pieces of a column between positions that rise."""
    coded = between(values, start, end).dictionary_encode()
    kept = pa.array(np.arange(0, len(coded), 2))
    return pa.DictionaryArray.from_arrays(coded.indices.take(kept), coded.dictionary)


def window(octets: Octets, at: Ints, width: int) -> Octets:
    """Give so many octets from each position on, a row for each."""
    count = max(len(octets) - width + 1, 0)
    windows: Octets = np.ndarray(count, f"V{width}", octets, strides=1)
    return windows[at].view(np.uint8).reshape(-1, width)


def unified(batches: Iterable[pa.RecordBatch]) -> dict[str, pa.DictionaryArray]:
    """Join encoded columns; each distinct text is once in the dictionary of the whole."""
    table = pa.Table.from_batches(batches).unify_dictionaries()
    return {name: table[name].combine_chunks() for name in table.column_names}


def labelled(numbers: NDArray[np.integer[Any]], labels: pa.Array) -> pa.DictionaryArray:
    """Give texts by their numbers."""
    return pa.DictionaryArray.from_arrays(pa.array(numbers), labels)


def codes(texts: pa.DictionaryArray) -> Ints:
    """Give the numbers of texts; -1 where there is none."""
    indices = texts.indices
    numbers: Ints = vectors.numpy(indices.fill_null(-1) if indices.null_count else indices)
    return numbers


def found(texts: pa.Array, pattern: str) -> pa.Array:
    """Give what a pattern finds under the name "found"; null where it does not match."""
    return pc.struct_field(pc.extract_regex(texts, pattern), "found")


def matches(texts: pa.Array, pattern: str) -> Bools:
    """Tell which texts a pattern is found in; a null holds nothing."""
    found: Bools = vectors.numpy(pc.match_substring_regex(texts, pattern).fill_null(False))  # noqa: FBT003 -- Arrow's signature
    return found


def spread(work: Callable[[pa.Array], _T], *values: pa.Array, share: int = SHARE) -> list[_T]:
    """Do the same to slices of arrays at once: Arrow lets go of the interpreter's lock."""
    slices = [part.slice(at, share) for part in values for at in range(0, len(part), share)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, slices or list(values[:1])))
