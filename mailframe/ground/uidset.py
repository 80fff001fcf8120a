"""Sets of UIDs as sorted ranges (``sequence-set`` and ``uid-set`` of RFC 9051).

A mailbox of a million messages is a handful of ranges, so every operation here works on ranges
and costs the number of ranges, not of messages; taking a small set and a large one apart costs
that of the small one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_UID = 2**32 - 1

_RANGE = re.compile(rb"(\d{1,10})(?::(\d{1,10}))?(?:,(?=\d)|\Z)")


@dataclass(frozen=True, slots=True)
class UidSet:
    """An immutable set of UIDs, kept as sorted ranges that neither touch nor overlap.

    Parameters
    ----------
    ranges : tuple of (int, int)
        First and last UID of each range, both included. Use the constructors below for ranges
        in any other shape.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, *ranges: tuple[int, int]) -> UidSet:
        """Normalise ranges: sorted, merged, empty ones dropped."""
        merged: list[tuple[int, int]] = []
        for item in sorted(r for r in ranges if r[0] <= r[1]):
            if merged and item[0] <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], item[1]))
            else:
                merged.append(item)
        return cls(tuple(merged))

    @classmethod
    def union(cls, sets: Iterable[UidSet]) -> UidSet:
        """Unite any number of sets at once: the cost of a sort, not of one union after another."""
        return cls.of(*(pair for each in sets for pair in each.ranges))

    @classmethod
    def from_uids(cls, uids: Iterable[int]) -> UidSet:
        """Pack single UIDs, in any order."""
        ordered = sorted(set(uids))
        if not ordered:
            return cls()
        breaks = [(left, right) for left, right in pairwise(ordered) if right != left + 1]
        firsts = [ordered[0], *(right for _, right in breaks)]
        lasts = [*(left for left, _ in breaks), ordered[-1]]
        return cls(tuple(zip(firsts, lasts, strict=True)))

    @classmethod
    def parse(cls, text: bytes) -> UidSet:
        """Read ``1:3,7``; ranges may stand backwards. Raises ValueError on anything else."""
        ranges: set[tuple[int, int]] = set()  # what is told again and again, is held once
        position = 0
        while not ranges or position < len(text):
            match = _RANGE.match(text, position)
            if match is None:
                raise ValueError("not a UID set")
            position = match.end()
            first = int(match[1])
            last = int(match[2]) if match[2] else first
            ranges.add((first, last) if first <= last else (last, first))
        return cls.of(*ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __contains__(self, uid: int) -> bool:
        return any(first <= uid <= last for first, last in self.ranges)

    def __or__(self, other: UidSet) -> UidSet:
        return UidSet.of(*self.ranges, *other.ranges)

    def __sub__(self, other: UidSet) -> UidSet:
        if not self:
            return self
        left: list[tuple[int, int]] = []
        holes = iter(other.within(self.first, self.last).ranges)
        hole = next(holes, None)
        for first, last in self.ranges:
            start = first
            while hole is not None and hole[1] < start:
                hole = next(holes, None)
            while hole is not None and hole[0] <= last:
                if hole[0] > start:
                    left.append((start, hole[0] - 1))
                start = hole[1] + 1
                if hole[1] > last:
                    break
                hole = next(holes, None)
            if start <= last:
                left.append((start, last))
        return UidSet(tuple(left))

    def __and__(self, other: UidSet) -> UidSet:
        return self - (self - other)

    @property
    def first(self) -> int:
        """The smallest UID."""
        return self.ranges[0][0]

    @property
    def last(self) -> int:
        """The largest UID."""
        return self.ranges[-1][1]

    def within(self, first: int, last: int) -> UidSet:
        """Return the ranges that reach into a span of UIDs, found without a look at the others."""
        start = bisect_left(self.ranges, first, key=_last)
        return UidSet(self.ranges[start : bisect_right(self.ranges, last, key=_first)])

    def newest(self, count: int) -> UidSet:
        """Return the ``count`` largest UIDs."""
        kept: list[tuple[int, int]] = []
        for first, last in reversed(self.ranges):
            if count <= 0:
                break
            kept.append((max(first, last - count + 1), last))
            count -= last - first + 1
        return UidSet(tuple(reversed(kept)))

    def split(self, size: int) -> Iterator[UidSet]:
        """Cut into sets of at most ``size`` UIDs, in order."""
        part: list[tuple[int, int]] = []
        room = size
        for first, last in self.ranges:
            start = first
            while start <= last:
                stop = min(last, start + room - 1)
                part.append((start, stop))
                room -= stop - start + 1
                start = stop + 1
                if not room:
                    yield UidSet(tuple(part))
                    part, room = [], size
        if part:
            yield UidSet(tuple(part))

    def lines(self, octets: int) -> Iterator[UidSet]:
        """Cut into sets whose written form has at most ``octets`` octets."""
        part: list[tuple[int, int]] = []
        used = 0
        for item in self.ranges:
            length = len(_write(item)) + 1
            if part and used + length > octets + 1:
                yield UidSet(tuple(part))
                part, used = [], 0
            part.append(item)
            used += length
        if part:
            yield UidSet(tuple(part))

    def __bytes__(self) -> bytes:
        return b",".join(_write(item) for item in self.ranges)

    def __str__(self) -> str:
        return bytes(self).decode("ascii")


_first, _last = itemgetter(0), itemgetter(1)


def _write(item: tuple[int, int]) -> bytes:
    first, last = item
    if last >= MAX_UID:
        return b"%d:*" % first
    return b"%d" % first if first == last else b"%d:%d" % item
