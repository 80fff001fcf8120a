"""The writing side: one account's part of a store, held under its lock.

A folder is read with `held` and made anew with `save`. While a long fetch runs, each batch is put
beside the folder with `stage` (the same file format, a directory of its own), so that whoever is
interrupted goes on from there: `held` then tells all rows as those of an incomplete folder, and the
next `save` clears the staged ones away.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailframe.errors import StoreError
from mailframe.store import atomic, layout
from mailframe.store.columns import stored_schema
from mailframe.store.folder import FolderFile, is_parquet, write
from mailframe.store.held import Held, Source, held_in
from mailframe.store.merge import Answers, Merge
from mailframe.store.state import OutdatedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from mailframe.store.state import FolderState


# Long enough for the refresh of a day's mail by somebody else, short enough to tell a person why.
WAIT = 10.0


class AccountWriter:
    """One account's part of a store, to be written; made by `writing`."""

    def __init__(self, directory: Path, account: str) -> None:
        self.account = account
        self._directory = directory

    def held(self, folder: str) -> Held | None:
        """Return what is held of a folder, or None.

        A file that is no whole Parquet file counts as nothing held, and so does one of an older
        mailframe: the folder's next `save` mends it.

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
        if file is None or (parts and file.state.epoch != parts[-1].state.epoch):
            return held_in(parts) if parts else None
        return held_in([file, *(part for part in parts if part.agrees(file))])

    def _source(self, path: Path, folder: str) -> Source | None:
        try:
            source = Source.at(path)
        except (FileNotFoundError, OutdatedError):
            return None
        except StoreError:
            if is_parquet(path):
                raise
            return None
        if (source.state.account, source.state.folder) != (self.account, folder):
            raise StoreError(f"{str(path)!r} is the file of another folder; move it away.")
        return source

    def _parts(self, folder: str) -> Iterator[Source]:
        for path in layout.part_paths(self._directory, folder).values():
            source = self._source(path, folder)
            if source is not None and source.rows:
                yield source

    def stage(self, state: FolderState, rows: Sequence[pa.RecordBatch], *, at: datetime) -> Source:
        """Keep rows of a fetch that is not finished, and tell where.

        Parameters
        ----------
        state : FolderState
            As it will be when the fetch has finished.
        rows : sequence of pyarrow.RecordBatch
            As they were fetched, the UIDs in any order.
        at : datetime
            The time of this refresh.
        """
        number = 1 + max(layout.part_paths(self._directory, state.folder), default=0)
        while os.path.lexists(path := layout.part_path(self._directory, state.folder, number)):
            number += 1  # something of another's stands there
        self._make_parts_dir(path.parent)
        merge = Merge(stored_schema(state.headers), Answers(rows=rows), at=at)
        state = dataclasses.replace(state, complete=False)
        write(path, state, merge.batches(()))
        return Source.at(path)

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

    def forget_others(self, folders: Collection[str], asked: datetime) -> list[str]:
        """Remove the folders of this account that are not among those given; return their names.

        Parameters
        ----------
        folders : collection of str
            Those that the server named.
        asked : datetime
            When: what was saved since then, while we waited for the lock, may be newer.
        """
        kept = {layout.folder_path(self._directory, folder) for folder in folders}
        gone = []
        with atomic.explained("read", self._directory):
            paths = layout.folder_paths(self._directory)
        for path in paths:
            if path in kept:
                continue
            with contextlib.suppress(StoreError):  # what we cannot read is not ours to remove
                with FolderFile(path) as file:
                    state = file.state
                ours = layout.folder_path(self._directory, state.folder) == path
                saved = datetime.fromisoformat(state.refreshed)
                # Nobody saved it in the future: the clock was ahead.
                if ours and (saved < asked or saved > datetime.now(UTC)):
                    gone.append(state.folder)
        for folder in gone:
            self.forget(folder)
        staged = {layout.parts_dir(self._directory, folder) for folder in folders}
        for directory in layout.parts_dirs(self._directory):
            if directory not in staged:
                self._clear(directory)  # of a folder that went before its first fetch had ended
        return gone

    def _clear_parts(self, folder: str) -> None:
        self._clear(layout.parts_dir(self._directory, folder))

    @staticmethod
    def _make_parts_dir(directory: Path) -> None:
        """Make a directory for parts; a link in its place is removed, not what it leads to."""
        for each in (directory.parent, directory):
            if each.is_symlink():
                atomic.remove(each)
        atomic.make_dir(directory)

    @staticmethod
    def _clear(directory: Path) -> None:
        """Remove the parts of a fetch; what is not ours stays, and so does the directory then."""
        if directory.is_symlink() or directory.parent.is_symlink():
            return
        with atomic.explained("clear", directory), contextlib.suppress(FileNotFoundError):
            for path in [*layout.parts_in(directory), *layout.leftovers(directory)]:
                path.unlink(missing_ok=True)
            try:
                directory.rmdir()
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
                    raise


def is_ours(root: Path, account: str) -> bool:
    """Tell whether a writer of this process holds an account's part of the store at `root`."""
    return atomic.is_held_here(layout.account_dir(root, account))


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
