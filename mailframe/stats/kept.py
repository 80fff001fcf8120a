"""What was worked out of a frame's columns, kept for as long as these columns live.

A person asks one frame many questions, and most of them follow copies and replies. What is kept is
found again by the columns it was made of, never by the frame: Arrow's are immutable, so one that is
the same object holds the same values, in whatever frame it stands; of NumPy's a digest of the
octets says so. They are referred to weakly. A frame with columns of other kinds keeps nothing.
"""

from __future__ import annotations

import hashlib
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")

MOST = 8  # results; a frame has four, and one is mostly looked at beside its unique()

_kept: list[tuple[Hashable, Sequence[weakref.ref[Any]], Any]] = []


def kept(df: pd.DataFrame, names: Sequence[str], make: Callable[[pd.DataFrame], T], what: str) -> T:
    """Give what ``make`` makes of some columns of a frame, as far as these are there.

    ``what`` is a name for it: another thing made of the same columns has another.
    """
    told = [_told(df[name].array) for name in names if name in df.columns]
    if None in told:
        return make(df)
    key = what, tuple(name for name in names if name in df.columns), tuple(told)
    for entry in _kept:
        if entry[0] == key:
            found: T = entry[2]
            return found
    made = make(df)
    arrays = [_arrow(df[name].array) for name in names if name in df.columns]
    refs = [weakref.ref(array, _forget) for array in arrays if array is not None]
    _kept.append((key, refs, made))
    del _kept[:-MOST]
    return made


def _forget(_gone: object) -> None:
    """Let go of what was made of a column that is no more."""
    _kept[:] = [entry for entry in _kept if all(ref() is not None for ref in entry[1])]


def _told(values: Any) -> Hashable | None:  # noqa: ANN401 -- any array of pandas'
    """Tell the values of a column: equal only where they are; None where that takes too long."""
    array = _arrow(values)
    if array is not None:
        return "arrow", id(array)
    if isinstance(values, pd.Categorical):
        return str(values.dtype), _digest(values.codes), tuple(values.categories)
    if isinstance(values, pd.arrays.DatetimeArray):
        return str(values.dtype), _digest(np.asarray(values.astype("int64")))
    return None


def _arrow(values: Any) -> pa.ChunkedArray | None:  # noqa: ANN401 -- the same
    """Give the Arrow array that a column of pandas is, not one that is made of it."""
    if not isinstance(values, (pd.arrays.ArrowExtensionArray, pd.arrays.ArrowStringArray)):
        return None
    array = values.__arrow_array__()
    return array if isinstance(array, pa.ChunkedArray) else None


def _digest(values: np.ndarray[Any, Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()
