"""Sets of UIDs as ranges: a mailbox of a million messages without holes is two numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

Ranges = tuple[tuple[int, int], ...]  # ascending, apart, both ends included


def ranges_of(uids: npt.NDArray[np.uint32]) -> Ranges:
    """Return the ranges that hold the given UIDs, which rise strictly."""
    if not len(uids):
        return ()
    ends = np.flatnonzero(np.diff(uids) != 1)
    first = uids[np.concatenate(([0], ends + 1))].tolist()
    last = uids[np.concatenate((ends, [len(uids) - 1]))].tolist()
    return tuple(zip(first, last, strict=True))


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return ranges in any order, overlapping or reversed (as ``9:4`` may be), in normal form."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((min(pair), max(pair)) for pair in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def subtract(ranges: Ranges, others: Ranges) -> Ranges:
    """Return the UIDs of `ranges` that are in none of `others`."""
    left: list[tuple[int, int]] = []
    position = 0
    for first, last in ranges:
        start = first
        while position < len(others) and others[position][1] < start:
            position += 1
        at = position
        while at < len(others) and others[at][0] <= last:
            if others[at][0] > start:
                left.append((start, others[at][0] - 1))
            start = others[at][1] + 1
            at += 1
        if start <= last:
            left.append((start, last))
    return tuple(left)


def intersect(ranges: Ranges, others: Ranges) -> Ranges:
    """Return the UIDs that are in both."""
    return subtract(ranges, subtract(ranges, others))


def count(ranges: Ranges) -> int:
    """Return how many UIDs the ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def inside(uids: npt.NDArray[np.uint32], ranges: Ranges) -> npt.NDArray[np.bool_]:
    """Return for each UID whether it lies in one of the ranges."""
    if not ranges:
        return np.zeros(len(uids), np.bool_)
    firsts, lasts = np.array(ranges, np.int64).T
    place = np.searchsorted(firsts, uids, side="right") - 1
    within: npt.NDArray[np.bool_] = (place >= 0) & (uids <= lasts[np.maximum(place, 0)])
    return within
