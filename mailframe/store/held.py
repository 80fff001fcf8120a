"""What is held of a folder: the rows of its file, and of the parts that a broken-off fetch staged.

Each file is a source of rows in the order of their UIDs. Parts that sessions fetched side by side
interleave; they are laid into each other piece by piece, so that no more is in memory than where
they overlap.
"""

from __future__ import annotations

import dataclasses
import itertools
import operator
import threading
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.store.ahead import ahead
from mailframe.store.filecolumns import conformed, stored_schema
from mailframe.store.layout import PART_SUFFIX
from mailframe.store.merge import latest
from mailframe.store.parquet import FolderFile, opened
from mailframe.store.uids import set_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    import numpy.typing as npt

    from mailframe.ground.uidset import UidSet
    from mailframe.store.state import FolderState

    Read: TypeAlias = Callable[[], list[pa.RecordBatch]]

_NO_UIDS = np.array([], np.uint32)


class _Piece(NamedTuple):
    """Rows that are read at once, and the first of their UIDs; a later source counts more."""

    first: int
    source: int
    read: Callable[[], pa.RecordBatch]


@dataclasses.dataclass(frozen=True)
class Source:
    """A file with rows of one folder.

    Parameters
    ----------
    sizes : tuple of int
        How many rows it has, piece by piece.
    file : pyarrow.OSFile, optional
        What is read, whatever becomes of the path; without it, what is there then.
    """

    packed: ClassVar[bool] = False  # whether other folders lie in the same file
    path: Path
    state: FolderState
    sizes: tuple[int, ...]
    file: pa.OSFile | None = None

    @classmethod
    def at(cls, path: Path, file: pa.OSFile | None = None) -> Source:
        """Take a look at a file; raises what `FolderFile` raises."""
        with FolderFile(path, file) as looked_at:
            return cls(path, looked_at.state, looked_at.sizes, file)

    def opened(self) -> Source:
        """Return the same, or what has taken its place, held open as long as this is."""
        return Source.at(self.path, opened(self.path))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.sizes)

    @cached_property
    def uids(self) -> npt.NDArray[np.uint32]:
        """Which rows there are, ascending."""
        with FolderFile(self.path, self.file) as file:
            parts = [batch["uid"].to_numpy() for batch in file.batches(["uid"])]
        return np.concatenate([_NO_UIDS, *parts])

    def batch(self, number: int, columns: Sequence[str] | None) -> pa.RecordBatch:
        """Read one piece."""
        with FolderFile(self.path, self.file) as file:
            return file.batch(number, columns)

    def whole(self, columns: Sequence[str] | None) -> list[pa.RecordBatch]:
        """Read all pieces."""
        with FolderFile(self.path, self.file) as file:
            return list(file.batches(columns))

    def reads(self, columns: Sequence[str] | None) -> list[Read]:
        """Give calls, for any thread, that read the rows of one instant."""
        if len(self.sizes) <= 1:
            return [partial(self.whole, columns)]
        now = self.opened()
        return [partial(_listed, now, number, columns) for number in range(len(now.sizes))]

    def pieces(self, place: int, columns: Sequence[str] | None) -> Iterator[_Piece]:
        """Give each piece with its place among others."""
        starts = itertools.accumulate(self.sizes, initial=0)
        for number, start in zip(range(len(self.sizes)), starts, strict=False):
            yield _Piece(int(self.uids[start]), place, partial(self.batch, number, columns))

    def agrees(self, other: Source) -> bool:
        """Whether its rows can stand beside the other's."""
        mine, others = self.state, other.state
        return (mine.epoch, mine.headers) == (others.epoch, others.headers)


@dataclasses.dataclass(frozen=True)
class Held:
    """What the store holds of one folder; made by `held_in`.

    Parameters
    ----------
    state : FolderState
        Incomplete where staged rows are among what is held.
    rows : int
        How many rows there are.
    """

    state: FolderState
    rows: int
    _sources: tuple[Source, ...]

    @cached_property
    def uids(self) -> UidSet:
        """Which rows there are."""
        return set_of(_united(self._sources))

    def without(self, column: str) -> UidSet:
        """Which rows have nothing in a column, or no such column."""
        parts = [_NO_UIDS]
        for batch in self.batches(["uid", column]):
            empty = batch
            if column in batch.schema.names:
                empty = batch.filter(pc.is_null(batch[column]))
            parts.append(empty["uid"].to_numpy())
        return set_of(np.unique(np.concatenate(parts)))

    @property
    def _has_parts(self) -> bool:
        return any(source.path.suffix == PART_SUFFIX for source in self._sources)

    @property
    def is_packed(self) -> bool:
        """Whether all of it lies in a pack with other folders, to be read with them."""
        return bool(self._sources) and all(source.packed for source in self._sources)

    @property
    def aside(self) -> datetime | None:
        """After which moment rows were put aside, out of readers' sight; None where none were."""
        if not self._has_parts:
            return None
        first = self._sources[0]
        if first.path.suffix == PART_SUFFIX:
            return datetime.min.replace(tzinfo=UTC)
        return datetime.fromisoformat(first.state.refreshed)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of their UIDs; of a row held twice, the later."""
        if len(self._sources) > 1:
            yield from itertools.chain.from_iterable(self._interleaved(columns))
            return
        reads = self.reads(columns)
        # One is not worth a thread.
        pieces = ahead(reads) if len(reads) > 1 else (read() for read in reads)
        yield from itertools.chain.from_iterable(pieces)

    def reads(self, columns: Sequence[str] | None = None) -> list[Read]:
        """Give calls that read the rows of one instant piece by piece, in any thread.

        Parameters
        ----------
        columns : sequence of str, optional
            ``uid`` and what else is wanted; by default all.

        Raises
        ------
        FileNotFoundError
            What was held is there no more; so may the calls.
        """
        if self._has_parts:
            now = Held(self.state, self.rows, tuple(source.opened() for source in self._sources))
            return now._in_turn(columns)
        return [read for source in self._sources for read in source.reads(columns)]

    def and_parts(self, parts: Sequence[Source]) -> Held:
        """Return what is held with the parts that were staged since."""
        return held_in([*self._sources, *parts], headers=parts[-1].state.headers) if parts else self

    def _in_turn(self, columns: Sequence[str] | None) -> list[Read]:
        """Give calls that go on with the same reading, whoever makes which of them first."""
        pieces = sum(len(source.sizes) for source in self._sources)
        interleaved, turn = enumerate(self._interleaved(columns)), threading.Lock()
        early: dict[int, list[pa.RecordBatch]] = {}

        def read(number: int) -> list[pa.RecordBatch]:
            with turn:
                while number not in early:
                    place, batches = next(interleaved, (number, []))
                    early[place] = batches
                return early.pop(number)

        return [partial(read, number) for number in range(pieces + 1)]

    def _interleaved(self, columns: Sequence[str] | None) -> Iterator[list[pa.RecordBatch]]:
        """Yield the rows below each piece, and those that are left."""
        schema = stored_schema(self.state.headers)
        if columns is not None:
            schema = pa.schema([field for field in schema if field.name in columns])
        sources = enumerate(self._sources)
        pieces = sorted(
            (piece for place, source in sources for piece in source.pieces(place, columns)),
            key=operator.itemgetter(0, 1),
        )
        overlapping: list[tuple[int, pa.RecordBatch]] = []
        for piece, batch in zip(pieces, ahead(piece.read for piece in pieces), strict=True):
            yield list(_below(piece.first, overlapping))
            overlapping.append((piece.source, conformed(batch, schema)))
        yield list(_below(None, overlapping))


def _listed(source: Source, number: int, columns: Sequence[str] | None) -> list[pa.RecordBatch]:
    return [source.batch(number, columns)]


def _below(
    limit: int | None, overlapping: list[tuple[int, pa.RecordBatch]]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows below a UID in order, and leave those from there on."""
    ready, rest = [], []
    for source, batch in sorted(overlapping, key=operator.itemgetter(0)):
        uids = batch["uid"].to_numpy()
        count = len(uids) if limit is None else int(np.searchsorted(uids, limit))
        if count:
            ready.append(batch.slice(0, count))
        if count < len(uids):
            rest.append((source, batch.slice(count)))
    overlapping[:] = rest
    if len(ready) > 1:
        ready = latest(ready).to_batches()
    yield from ready


def _united(sources: Sequence[Source]) -> npt.NDArray[np.uint32]:
    return np.unique(np.concatenate([_NO_UIDS, *(source.uids for source in sources)]))


def held_in(sources: Sequence[Source], headers: tuple[str, ...] | None = None) -> Held:
    """Return what sources hold together, the folder's own file first.

    Parameters
    ----------
    headers : tuple of str, optional
        The further header fields to be read; by default those of the first source.
    """
    state, rows = sources[0].state, sources[0].rows
    if headers is not None:
        state = dataclasses.replace(state, headers=headers)
    filled = tuple(source for source in sources if source.rows)
    if len(sources) > 1:
        rows = len(_united(filled))
        modseqs = [source.state.modseq for source in sources]
        # They only grow; where they do not, they began anew, and the first says nothing any more.
        modseq = modseqs[0] if modseqs == sorted(modseqs) else 0
        state = dataclasses.replace(state, complete=False, modseq=modseq)
    if not state.complete and rows:
        last = max(int(source.uids[-1]) for source in filled)
        state = dataclasses.replace(state, uidnext=last + 1)
    return Held(state, rows, filled)
