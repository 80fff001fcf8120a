"""Arithmetic on the few octets of a buffer that mean something.

Whatever holds for a whole column is asked of positions, not of values: where certain octets stand,
which value each of them belongs to, how far a value's blank ends reach.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]
Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Blanks at an end, as a rule: one, or the eight of a fold.
_ROUNDS = 10
_HIGH = 0x80


class Marks(NamedTuple):
    """Octets that mean something, in rising order.

    Attributes
    ----------
    at : int64 array
        Where they stand.
    kind : uint8 array
        What each means.
    owner : int64 array
        The value that each belongs to.
    """

    at: Positions
    kind: Octets
    owner: Positions

    def only(self, which: Mask) -> Self:
        """Return some of them."""
        if which.all():
            return self
        return type(self)(self.at[which], self.kind[which], self.owner[which])


@cache
def is_one_of(octets: bytes) -> Mask:
    """Return a table that tells of every octet whether it is one of some."""
    found = np.zeros(0x100, np.bool_)
    found[list(octets)] = True
    return found


def table(octets: bytes) -> bytes:
    """Return a table for `positions`."""
    return is_one_of(octets).tobytes()


def positions(octets: Octets, wanted: bytes) -> Positions:
    """Return where octets stand that a `table` holds.

    No look-up of NumPy's is as fast as the one of `bytes.translate`.
    """
    return np.flatnonzero(np.frombuffer(octets.tobytes().translate(wanted), np.bool_))


def high(octets: Octets) -> Positions:
    """Return where octets with eight bits stand."""
    return np.flatnonzero(octets >= _HIGH)


def owners(at: Positions, start: Positions) -> Positions:
    """Return which span each position lies in or behind, -1 before the first; both rise."""
    first = np.searchsorted(at, start)
    counts = np.diff(first, prepend=0, append=len(at))
    owner: Positions = np.repeat(np.arange(-1, len(start)), counts)
    return owner


def holding(at: Positions, start: Positions, end: Positions) -> Mask:
    """Tell which spans hold a position; all rise."""
    if not len(at):
        return np.zeros(len(start), np.bool_)
    held: Mask = np.searchsorted(at, end) > np.searchsorted(at, start)
    return held


def within(at: Positions, start: Positions, end: Positions) -> Mask:
    """Tell which positions lie in a span; spans do not overlap."""
    if not len(start):
        return np.zeros(len(at), np.bool_)
    owner = owners(at, start)
    return (owner >= 0) & (at < end[owner])


def merged(one: Positions, other: Positions) -> Positions:
    """Return positions of two kinds, which rise, as one; a stable sort finds the two runs."""
    both: Positions = np.sort(np.concatenate([one, other]), kind="stable")
    return both


def runs(start: Positions, length: Positions) -> Positions:
    """Return every position of some spans, one after the other."""
    before: Positions = np.cumsum(length) - length
    every: Positions = np.arange(int(length.sum())) + np.repeat(start - before, length)
    return every


def strip(octets: Octets, start: Positions, end: Positions, blanks: bytes) -> None:
    """Move both ends of every span past blanks, in place.

    A round looks only at the spans that the last one moved; what few rounds do not reach is looked
    at span by span.
    """
    blank = is_one_of(blanks)
    for edge, step in ((start, 1), (end, -1)):
        rows = np.flatnonzero(start < end)
        for _ in range(_ROUNDS):
            rows = rows[blank[octets[edge[rows] - (step < 0)]]]
            edge[rows] += step
            rows = rows[start[rows] < end[rows]]
            if not len(rows):
                break
        for row in rows.tolist():
            left = octets[start[row] : end[row]].tobytes()
            if step > 0:
                start[row] = end[row] - len(left.lstrip(blanks))
            else:
                end[row] = start[row] + len(left.rstrip(blanks))
