"""Columns of UIDs as sets, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mailframe.ground.uidset import UidSet

if TYPE_CHECKING:
    import numpy.typing as npt


def set_of(uids: npt.NDArray[np.uint32]) -> UidSet:
    """Return the set of UIDs that rise strictly."""
    if not len(uids):
        return UidSet()
    ends = np.flatnonzero(np.diff(uids) != 1)
    first = uids[np.concatenate(([0], ends + 1))].tolist()
    last = uids[np.concatenate((ends, [len(uids) - 1]))].tolist()
    return UidSet(tuple(zip(first, last, strict=True)))


def inside(uids: npt.NDArray[np.uint32], chosen: UidSet) -> npt.NDArray[np.bool_]:
    """Return for each UID whether it is in the set."""
    if not chosen:
        return np.zeros(len(uids), np.bool_)
    firsts, lasts = np.array(chosen.ranges, np.int64).T
    place = np.searchsorted(firsts, uids, side="right") - 1
    within: npt.NDArray[np.bool_] = (place >= 0) & (uids <= lasts[np.maximum(place, 0)])
    return within
