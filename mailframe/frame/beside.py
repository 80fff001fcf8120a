"""Columns of what is known of a message beside its header: its attachments.

Whoever reads mail, from a server or from a file, finds the parts of each message; what of them is
an attachment is for `mailframe.headers.attachments` to say, and here the columns are made of it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from mailframe.frame.schema import ATTACHMENTS, TEXTS
from mailframe.headers.attachments import attachments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mailframe.headers.attachments import Attachment, MimePart


class Beside(Protocol):
    """Columns that are made of something beside the header."""

    @property
    def name(self) -> str:
        """Under which the rows hold it."""

    @property
    def fields(self) -> Sequence[pa.Field]:
        """The columns."""

    def arrays(self, told: Sequence[Any]) -> list[pa.Array]:
        """Make the columns of what each row holds; empty where nothing was told."""


class Attachments:
    """The columns of attachments.

    Parameters
    ----------
    parts : callable
        Gives the parts of a message, given what its row holds; None where that makes no sense.
    """

    name = "attachments"
    fields = tuple(ATTACHMENTS)

    def __init__(self, parts: Callable[[Any], Iterable[MimePart] | None]) -> None:
        self._parts = parts

    def arrays(self, told: Sequence[Any]) -> list[pa.Array]:
        """Make the columns; null where it is not known whether there are attachments."""
        each = map(self._parts, told)
        return attachment_arrays([None if one is None else attachments(one) for one in each])


def attachment_arrays(found: Sequence[list[Attachment] | None]) -> list[pa.Array]:
    """Give the columns of `mailframe.frame.schema.ATTACHMENTS`.

    The total is null where the size of one is not known; a name is empty where there is none.
    """
    unknown = np.fromiter((one is None for one in found), np.bool_, len(found))
    counts = np.fromiter((len(one or ()) for one in found), np.int64, len(found))
    each = list(chain.from_iterable(one or () for one in found))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    mask = pa.array(unknown)

    def lists(items: pa.Array, kind: pa.ListType) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, items, type=kind, mask=mask)

    totals = [None if one is None else _total(one) for one in found]
    return [
        pa.array(counts, mask=unknown),
        pa.array(totals, pa.int64()),
        lists(pa.array([one.name or "" for one in each], pa.string()), TEXTS),
        lists(pa.array([one.type for one in each], pa.string()), TEXTS),
        lists(pa.array([one.bytes for one in each], pa.int64()), pa.list_(pa.int64())),
    ]


def _total(found: list[Attachment]) -> int | None:
    sizes = [one.bytes for one in found if one.bytes is not None]
    # A server may tell numbers that no mailbox holds.
    total = sum(sizes)
    return total if len(sizes) == len(found) and total < 1 << 63 else None
