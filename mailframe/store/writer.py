"""The writing side: one account's part of a store, held under its lock.

A folder is read with `held` and made anew with `save`. While a long fetch runs, each batch is put
beside the folder with `stage` (the same file format, a directory of its own), so that whoever is
interrupted goes on from there: `held` then tells all rows as those of an incomplete folder, and the
next `save` clears the staged ones away.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import operator
import shutil
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from mailframe.errors import StoreError
from mailframe.store import atomic, layout
from mailframe.store.ahead import ahead
from mailframe.store.columns import stored_schema
from mailframe.store.folder import FolderFile, is_parquet, write
from mailframe.store.merge import Answers, Merge, latest
from mailframe.store.uids import Ranges, ranges_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from mailframe.store.state import FolderState


# Long enough for the refresh of a day's mail by somebody else, short enough to tell a person why.
WAIT = 10.0

_NO_UIDS = np.array([], np.uint32)


@dataclasses.dataclass(frozen=True)
class _Source:
    """A file with rows of one folder."""

    path: Path
    state: FolderState
    rows: int
    groups: int

    @cached_property
    def uids(self) -> npt.NDArray[np.uint32]:
        """Which rows there are, ascending."""
        with FolderFile(self.path) as file:
            parts = [batch["uid"].to_numpy() for batch in file.batches(["uid"])]
        return np.concatenate([_NO_UIDS, *parts])

    def batch(self, number: int, columns: Sequence[str] | None) -> pa.RecordBatch:
        with FolderFile(self.path) as file:
            return file.batch(number, columns)

    def reads(self, columns: Sequence[str] | None) -> list[Callable[[], pa.RecordBatch]]:
        return [partial(self.batch, number, columns) for number in range(self.groups)]

    def agrees(self, other: _Source) -> bool:
        mine, others = self.state, other.state
        return (mine.uidvalidity, mine.headers) == (others.uidvalidity, others.headers)


@dataclasses.dataclass(frozen=True)
class Held:
    """What the store holds of one folder.

    Parameters
    ----------
    state : FolderState
        Incomplete where staged rows are among what is held.
    rows : int
        How many rows there are.
    """

    state: FolderState
    rows: int
    _sources: tuple[_Source, ...]

    @cached_property
    def uids(self) -> Ranges:
        """Which rows there are."""
        return ranges_of(_united(self._sources))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of their UIDs; of a row held twice, the later."""
        reads = [*self.reads()]
        # One is not worth a thread.
        pieces = ahead(reads) if len(reads) > 1 else (read() for read in reads)
        return itertools.chain.from_iterable(pieces)

    def reads(
        self, columns: Sequence[str] | None = None
    ) -> Iterator[Callable[[], list[pa.RecordBatch]]]:
        """Yield calls that read the rows piece by piece, in any thread.

        Parameters
        ----------
        columns : sequence of str, optional
            ``uid`` and what else is wanted; by default all.
        """
        one = len(self._sources) == 1
        for group in [[*self._sources]] if one else _interleaved(self._sources):
            reads = [read for source in group for read in source.reads(columns)]
            if len(group) == 1:
                yield from (partial(_called, [read]) for read in reads)
            else:
                yield partial(_merged, reads)


def _called(reads: Iterable[Callable[[], pa.RecordBatch]]) -> list[pa.RecordBatch]:
    return [read() for read in reads]


def _merged(reads: Iterable[Callable[[], pa.RecordBatch]]) -> list[pa.RecordBatch]:
    batches: list[pa.RecordBatch] = latest(_called(reads)).to_batches()
    return batches


def _united(sources: Sequence[_Source]) -> npt.NDArray[np.uint32]:
    return np.unique(np.concatenate([_NO_UIDS, *(source.uids for source in sources)]))


def _interleaved(sources: Sequence[_Source]) -> Iterator[list[_Source]]:
    """Yield sources in the order of their UIDs, in one group where their UIDs interleave."""
    group: list[tuple[int, _Source]] = []
    last = 0
    for number, source in sorted(enumerate(sources), key=lambda item: int(item[1].uids[0])):
        if group and source.uids[0] > last:
            yield [one for _, one in sorted(group, key=operator.itemgetter(0))]
            group = []
        group.append((number, source))
        last = max(last, int(source.uids[-1]))
    if group:
        yield [one for _, one in sorted(group, key=operator.itemgetter(0))]


class AccountWriter:
    """One account's part of a store, to be written; made by `writing`."""

    def __init__(self, directory: Path, account: str) -> None:
        self.account = account
        self._directory = directory

    def held(self, folder: str) -> Held | None:
        """Return what is held of a folder, or None.

        A file that is no whole Parquet file counts as nothing held: the folder's next `save` mends
        it.

        Raises
        ------
        StoreError
            The file in the folder's place is foreign, or of a newer version: not to be replaced.
        """
        file = self._source(layout.folder_path(self._directory, folder), folder)
        parts = [
            part
            for part in self._parts(folder)
            # Parts no younger than the file are what it was made of.
            if file is None or part.state.refreshed > file.state.refreshed
        ]
        parts = [part for part in parts if part.agrees(parts[-1])]
        if file is None or (parts and file.state.uidvalidity != parts[-1].state.uidvalidity):
            return _held(parts) if parts else None
        return _held([file, *(part for part in parts if part.agrees(file))])

    def _source(self, path: Path, folder: str) -> _Source | None:
        try:
            with FolderFile(path) as file:
                source = _Source(path, file.state, file.rows, file.groups)
        except FileNotFoundError:
            return None
        except StoreError:
            if is_parquet(path):
                raise
            return None
        if (source.state.account, source.state.folder) != (self.account, folder):
            raise StoreError(f"{str(path)!r} is the file of another folder; move it away.")
        return source

    def _parts(self, folder: str) -> Iterator[_Source]:
        directory = layout.parts_dir(self._directory, folder)
        for path in sorted(directory.glob("*" + layout.PART_SUFFIX)):
            source = self._source(path, folder)
            if source is not None and source.rows:
                yield source

    def stage(self, state: FolderState, rows: Sequence[pa.RecordBatch], *, at: datetime) -> None:
        """Keep rows of a fetch that is not finished.

        Parameters
        ----------
        state : FolderState
            As it will be when the fetch has finished.
        rows : sequence of pyarrow.RecordBatch
            As they were fetched, the UIDs in any order.
        at : datetime
            The time of this refresh.
        """
        directory = layout.parts_dir(self._directory, state.folder)
        atomic.make_dir(directory)
        parts = directory.glob("*" + layout.PART_SUFFIX)
        number = 1 + max((int(path.stem) for path in parts), default=0)
        merge = Merge(stored_schema(state.headers), Answers(rows=rows), at=at)
        state = dataclasses.replace(state, complete=False)
        write(directory / f"{number:08d}{layout.PART_SUFFIX}", state, merge.batches(()))

    def save(self, state: FolderState, batches: Iterable[pa.RecordBatch]) -> None:
        """Replace a folder's rows and state, all or nothing.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            In the order of their UIDs, with the columns that belong to ``state.headers``.
        """
        write(layout.folder_path(self._directory, state.folder), state, batches)
        self._clear_parts(state.folder)

    def forget(self, folder: str) -> None:
        """Remove a folder that the server no longer has."""
        self._clear_parts(folder)
        atomic.remove(layout.folder_path(self._directory, folder))

    def forget_others(self, folders: Iterable[str]) -> list[str]:
        """Remove the folders of this account that are not among those given; return their names."""
        kept = {layout.folder_path(self._directory, folder) for folder in folders}
        gone = []
        for path in layout.folder_paths(self._directory):
            if path in kept:
                continue
            with contextlib.suppress(StoreError):  # what we cannot read is not ours to remove
                with FolderFile(path) as file:
                    state = file.state
                if layout.folder_path(self._directory, state.folder) == path:
                    gone.append(state.folder)
        for folder in gone:
            self.forget(folder)
        return gone

    def _clear_parts(self, folder: str) -> None:
        directory = layout.parts_dir(self._directory, folder)
        with atomic.explained("clear", directory), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(directory)


def _held(sources: Sequence[_Source]) -> Held:
    state, rows = sources[0].state, sources[0].rows
    filled = tuple(source for source in sources if source.rows)
    if len(sources) > 1:
        rows = len(_united(sources))
        modseq = min(source.state.modseq for source in sources)
        state = dataclasses.replace(state, complete=False, modseq=modseq)
    if not state.complete and rows:
        last = max(int(source.uids[-1]) for source in filled)
        state = dataclasses.replace(state, uidnext=last + 1)
    return Held(state, rows, filled)


@contextlib.contextmanager
def writing(root: Path, account: str, *, wait: float | None = None) -> Iterator[AccountWriter]:
    """Be the one process that writes an account's part of the store at `root`.

    Parameters
    ----------
    wait : float, optional
        Seconds to wait for another process to finish; `WAIT` by default.

    Raises
    ------
    StoreError
        The directory cannot be made or written, or another process is at it.
    """
    directory = layout.account_dir(root, account)
    atomic.make_dir(directory)
    with atomic.locked(directory, wait=WAIT if wait is None else wait):
        yield AccountWriter(directory, account)
