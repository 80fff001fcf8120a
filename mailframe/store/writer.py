"""The writing side: one account's part of a store, held under its lock.

A folder is read with `held` and made anew with `save`. While a long fetch runs, each batch is put
beside the folder with `stage` (the same file format, a directory of its own), so that whoever is
interrupted goes on from there: `held` then tells all rows as those of an incomplete folder, and the
next `save` clears the staged ones away.
"""

from __future__ import annotations

import contextlib
import dataclasses
import operator
import shutil
from typing import TYPE_CHECKING

import numpy as np

from mailframe.errors import StoreError
from mailframe.store import atomic, layout
from mailframe.store.columns import stored_schema
from mailframe.store.folder import FolderFile, is_parquet, write
from mailframe.store.merge import Answers, Merge, latest
from mailframe.store.uids import Ranges, ranges_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from mailframe.store.state import FolderState


_NO_UIDS = np.array([], np.uint32)


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """A file with rows of one folder, and which they are."""

    path: Path
    state: FolderState
    uids: npt.NDArray[np.uint32]

    def batches(self) -> Iterator[pa.RecordBatch]:
        with FolderFile(self.path) as file:
            yield from file.batches()

    def agrees(self, other: _Source) -> bool:
        mine, others = self.state, other.state
        return (mine.uidvalidity, mine.headers) == (others.uidvalidity, others.headers)


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """What the store holds of one folder.

    Parameters
    ----------
    state : FolderState
        Incomplete where staged rows are among what is held.
    uids : ranges
        Which rows there are.
    rows : int
        How many.
    """

    state: FolderState
    uids: Ranges
    rows: int
    _sources: tuple[_Source, ...]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of their UIDs; of a row held twice, the later."""
        for group in _interleaved(self._sources):
            if len(group) == 1:
                yield from group[0].batches()
            else:
                yield from latest([batch for one in group for batch in one.batches()]).to_batches()


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

    def folders(self) -> list[str]:
        """Return the names of the folders held, as far as their files can be read."""
        names = []
        for path in layout.folder_paths(self._directory):
            with contextlib.suppress(StoreError), FolderFile(path) as file:
                names.append(file.state.folder)
        return names

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
            if not is_parquet(path):
                return None
            with FolderFile(path) as file:
                if (file.state.account, file.state.folder) != (self.account, folder):
                    raise StoreError(f"{str(path)!r} is the file of another folder; move it away.")
                uids = [batch["uid"].to_numpy() for batch in file.batches(["uid"])]
                return _Source(path, file.state, np.concatenate([_NO_UIDS, *uids]))
        except FileNotFoundError:
            return None

    def _parts(self, folder: str) -> Iterator[_Source]:
        directory = layout.parts_dir(self._directory, folder)
        for path in sorted(directory.glob("*" + layout.PART_SUFFIX)):
            source = self._source(path, folder)
            if source is not None and len(source.uids):
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

    def _clear_parts(self, folder: str) -> None:
        directory = layout.parts_dir(self._directory, folder)
        with atomic.explained("clear", directory), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(directory)


def _held(sources: Sequence[_Source]) -> Held:
    state = sources[0].state
    uids = np.unique(np.concatenate([source.uids for source in sources]))
    if len(sources) > 1:
        modseq = min(source.state.modseq for source in sources)
        state = dataclasses.replace(state, complete=False, modseq=modseq)
    if not state.complete and len(uids):
        state = dataclasses.replace(state, uidnext=int(uids[-1]) + 1)
    filled = tuple(source for source in sources if len(source.uids))
    return Held(state, ranges_of(uids), len(uids), filled)


@contextlib.contextmanager
def writing(root: Path, account: str, *, wait: float = 10.0) -> Iterator[AccountWriter]:
    """Be the one process that writes an account's part of the store at `root`.

    Parameters
    ----------
    wait : float
        Seconds to wait for another process to finish.

    Raises
    ------
    StoreError
        The directory cannot be made or written, or another process is at it.
    """
    directory = layout.account_dir(root, account)
    atomic.make_dir(directory)
    with atomic.locked(directory, wait=wait):
        yield AccountWriter(directory, account)
