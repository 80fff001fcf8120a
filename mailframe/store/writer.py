"""The writing side: one account's part of a store, held under its lock.

A folder is read with `held` and made anew with `save`. While a long fetch runs, each batch is put
beside the folder with `stage` (the same file format, a directory of its own), so that whoever is
interrupted goes on from there: `held` then tells all rows as those of an incomplete folder, and the
next `save` clears the staged ones away.

Of an account with many folders the small ones lie together in packs: those wait for a `commit`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from mailframe.errors import StoreError
from mailframe.store import atomic, layout
from mailframe.store.filecolumns import stored_schema
from mailframe.store.held import Held, Source, held_in
from mailframe.store.merge import Answers, Merge
from mailframe.store.pack import PACK_ROWS, SMALL_ROWS
from mailframe.store.parquet import FolderFile, is_parquet, write
from mailframe.store.state import OutdatedError
from mailframe.store.together import Together

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from mailframe.store.state import FolderState


# Long enough for the refresh of a day's mail by somebody else, short enough to tell a person why.
WAIT = 10.0
# So many folders may have a file each, however small: what they cost is not noticed, and damage to
# one is damage to one folder.
FEW = 16
# A file with more has more than `SMALL_ROWS` messages, or long headers: not worth a look.
_SMALL_OCTETS = 1 << 20


class AccountWriter:
    """One account's part of a store, to be written; made by `writing`."""

    def __init__(self, directory: Path, account: str) -> None:
        self.account = account
        self.many = False
        self._directory = directory

    @cached_property
    def together(self) -> Together:
        """The account's packs of small folders."""
        return Together(self._directory, self.account)

    def expect(self, folders: int) -> None:
        """Be told how many folders the account has: of many, the small ones lie together."""
        self.many = folders > FEW

    def held(self, folder: str) -> Held | None:
        """Return what is held of a folder, or None.

        A file that is no whole Parquet file counts as nothing held, and so does one of an older
        mailframe: the folder's next `save` mends it.

        Raises
        ------
        StoreError
            The file in the folder's place is foreign, or of a newer version: not to be replaced.
        """
        file = self._whole(folder)
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

    def all_held(self) -> list[Held]:
        """Return what is held of every folder that can be read."""
        names = set(self.together.folders)
        for path in self._own_paths():
            with contextlib.suppress(StoreError, FileNotFoundError):
                names.add(Source.at(path).state.folder)
        return [held for name in sorted(names) if (held := self.held(name)) is not None]

    def _whole(self, folder: str) -> Source | None:
        """Return what is held of a folder but for parts; a killed writer may have left it twice."""
        path = layout.folder_path(self._directory, folder)
        own = self._source(path, folder) if os.path.lexists(path) else None
        if own is not None and folder not in self.together:
            return own
        packed = self.together.source(folder)
        if own is None or packed is None:
            return own or packed
        return max(own, packed, key=lambda source: source.state.refreshed)

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

    def save(self, state: FolderState, batches: Iterable[pa.RecordBatch]) -> bool:
        """Replace a folder's rows and state, all or nothing; return whether it is done.

        If not, it is small, and waits for the next `commit`.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            In the order of their UIDs, with the columns that belong to ``state.headers``.
        """
        if self.many or state.folder in self.together:
            first: list[pa.RecordBatch] = []
            rest = iter(batches)
            while sum(batch.num_rows for batch in first) <= SMALL_ROWS:
                batch = next(rest, None)
                if batch is None:
                    schema = stored_schema(state.headers)
                    table = pa.Table.from_batches(first) if first else schema.empty_table()
                    same = table.schema.equals(schema)
                    self.together.put(state, table if same else table.cast(schema))
                    return False
                first.append(batch)
            batches = chain(first, rest)
        write(layout.folder_path(self._directory, state.folder), state, batches)
        self._clear_parts(state.folder)
        self.together.drop(state.folder)
        return True

    def commit(self) -> dict[str, StoreError]:
        """Write what waits; return the folders that could not be kept, and why."""
        failed = {}
        for folder, error in self.together.commit().items():
            if error is None and folder in self.together:  # it was put there
                try:
                    path = layout.folder_path(self._directory, folder)
                    if os.path.lexists(path):
                        atomic.remove(path)
                    self._clear_parts(folder)
                except StoreError as unremoved:
                    error = unremoved  # noqa: PLW2901 -- of that folder
            if error is not None:
                failed[folder] = error
        return failed

    def finish(self) -> None:
        """Write what waits.

        Raises
        ------
        StoreError
            The first reason why a folder could not be kept.
        """
        for error in self.commit().values():
            raise error

    def forget(self, *folders: str) -> None:
        """Remove folders that the server no longer has."""
        for folder in folders:
            self._clear_parts(folder)
            self.together.drop(folder)
        atomic.remove(*(layout.folder_path(self._directory, folder) for folder in folders))
        self.finish()

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
        gone = set()

        def is_old(state: FolderState) -> bool:
            saved = datetime.fromisoformat(state.refreshed)
            # Nobody saved it in the future: the clock was ahead.
            return saved < asked or saved > datetime.now(UTC)

        for path in self._own_paths():
            if path in kept:
                continue
            with contextlib.suppress(StoreError):  # what we cannot read is not ours to remove
                with FolderFile(path) as file:
                    state = file.state
                ours = layout.folder_path(self._directory, state.folder) == path
                if ours and is_old(state):
                    gone.add(state.folder)
        named = set(folders)
        packed = self.together.folders
        gone |= {name for name, state in packed.items() if name not in named and is_old(state)}
        if gone:
            self.forget(*sorted(gone))
        staged = {layout.parts_dir(self._directory, folder) for folder in folders}
        for directory in layout.parts_dirs(self._directory):
            if directory not in staged:
                self._clear(directory)  # of a folder that went before its first fetch had ended
        return sorted(gone)

    def tidy(self) -> list[str]:
        """Take away what is there twice, and put small files together where there are many.

        A file that cannot be read stays where it is, for whoever reads it to tell; a pack of which
        nothing is held is removed.

        Returns
        -------
        list of str
            The folders that went into another file.
        """
        self.together.clear_broken()
        self.together.settle()
        for folder, state in self.together.folders.items():
            path = layout.folder_path(self._directory, folder)
            if os.path.lexists(path):
                with contextlib.suppress(StoreError, FileNotFoundError):
                    own = Source.at(path)
                    if own.state.refreshed >= state.refreshed:
                        self.together.drop(folder)
                    else:
                        atomic.remove(path)
        self.finish()
        if self.many:
            small = self._small_paths()
            if len(small) > FEW:
                return self._gather(small)
        return []

    def compact(self) -> None:
        """Put every small folder into as few packs as hold them.

        Raises
        ------
        StoreError
            Something could not be written; nothing is lost.
        """
        self.tidy()
        self._gather(self._small_paths())
        self.together.fill_up()
        for error in self.together.commit().values():
            if error is not None:
                raise error

    def _own_paths(self) -> list[Path]:
        with atomic.explained("read", self._directory):
            paths = layout.folder_paths(self._directory)
        return [path for path in paths if not layout.is_pack(path)]

    def _small_paths(self) -> list[Path]:
        return [
            path
            for path in self._own_paths()
            if not path.is_symlink() and path.stat().st_size <= _SMALL_OCTETS
        ]

    def _gather(self, paths: Iterable[Path]) -> list[str]:
        """Move folders with files of their own into packs, as they are; return which."""
        moved: list[str] = []
        moving: dict[str, Path] = {}
        for path in paths:
            with contextlib.suppress(StoreError, FileNotFoundError), FolderFile(path) as file:
                state = file.state
                ours = (state.account, path) == (
                    self.account,
                    layout.folder_path(self._directory, state.folder),
                )
                if ours and file.rows <= SMALL_ROWS:
                    rows = pa.Table.from_batches(file.batches(), file.schema)
                    self.together.put(state, rows)
                    moving[state.folder] = path
            if self.together.waiting >= PACK_ROWS:
                moved += self._moved(moving)
                moving = {}
        return moved + self._moved(moving)

    def _moved(self, moving: dict[str, Path]) -> list[str]:
        outcome = self.together.commit()
        moved = [name for name in moving if outcome.get(name) is None]
        # Parts stay: they may be younger than what was moved.
        atomic.remove(*(moving[name] for name in moved))
        return moved

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
        writer = AccountWriter(directory, account)
        yield writer
        writer.finish()


def glimpse(root: Path, account: str, folder: str) -> Held | None:
    """Give what is held of a folder now, without keeping anybody from writing it.

    Of what cannot be read nothing is held: whoever writes next will tell.
    """
    try:
        return AccountWriter(layout.account_dir(root, account), account).held(folder)
    except (StoreError, OSError):
        return None
