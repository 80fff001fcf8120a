"""The small folders of an account: which pack each is in, what is to be written, and reading them.

What is saved waits in memory until `commit` writes all of it, pack by pack. A folder that goes from
one file to another is written there before it is taken away here; whoever is killed in between
leaves it twice, the later (or the same) counts, and the next to hold the lock takes the other away.
Reading needs no lock: a pack is read whole, and one written anew meanwhile is looked at again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
from collections import OrderedDict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mailframe.errors import StoreError
from mailframe.store import atomic, layout
from mailframe.store.filecolumns import stored_schema
from mailframe.store.held import Source
from mailframe.store.pack import PACK_ROWS, PackFile, named, write_pack
from mailframe.store.parquet import is_parquet
from mailframe.store.state import OutdatedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from mailframe.store.state import FolderState

# Packs whose rows are kept decoded: neighbours in a listing lie in the same few.
_DECODED = 4
# How often a pack may be written by somebody else between two looks, before it is an error.
_LOOKS = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Pack:
    """What is known of a pack without its rows."""

    number: int
    path: Path
    writing: str
    headers: tuple[str, ...]
    folders: dict[str, FolderState]
    places: dict[str, tuple[int, int]]
    rows: int


class Together:
    """The packs of one account's directory."""

    def __init__(self, directory: Path, account: str) -> None:
        self._directory = directory
        self._account = account
        self._packs: dict[int, Pack] = {}
        self._place: dict[str, Pack] = {}
        self._twice: set[str] = set()
        self._broken: list[Path] = []
        self._refused: StoreError | None = None
        self._waiting: dict[str, tuple[FolderState, pa.Table] | None] = {}
        self._leaving: set[int] = set()  # packs whose folders are to go into others
        self._decoded: OrderedDict[tuple[object, ...], pa.Table] = OrderedDict()
        self._lock = threading.RLock()
        self.look()

    def look(self) -> None:
        """See which packs there are, and what is in them."""
        with self._lock:
            self._packs, self._place, self._twice = {}, {}, set()
            self._broken, self._refused = [], None
            for number, path in layout.pack_paths(self._directory).items():
                self._look_at(number, path)

    def _look_at(self, number: int, path: Path) -> None:
        try:
            with PackFile(path) as file:
                file.check_account(self._account)
                known = (file.writing, file.headers, file.folders, file.places, file.rows)
        except FileNotFoundError:
            return
        except OutdatedError:
            self._broken.append(path)
            return
        except StoreError as error:
            # What is no whole Parquet file holds nothing; anything else is not ours to replace.
            if is_parquet(path):
                self._refused = error
            else:
                self._broken.append(path)
            return
        pack = self._packs[number] = Pack(number, path, *known)
        for name, state in pack.folders.items():
            other = self._place.get(name)
            if other is not None:
                self._twice.add(name)
                if other.folders[name].refreshed >= state.refreshed:
                    continue
            self._place[name] = pack

    # Reading -----------------------------------------------------------------------------------

    def __contains__(self, folder: str) -> bool:
        return folder in self._place

    @property
    def folders(self) -> dict[str, FolderState]:
        """Every folder in a pack, and its state."""
        return {name: pack.folders[name] for name, pack in self._place.items()}

    @property
    def files(self) -> int:
        """How many packs there are."""
        return len(self._packs)

    def source(self, folder: str) -> Source | None:
        """Return a folder's rows, or None.

        Raises
        ------
        StoreError
            It is in no pack that can be read, and may be in one that cannot.
        """
        pack = self._place.get(folder)
        if pack is not None:
            return PackedSource(
                pack.path,
                pack.folders[folder],
                (rows,) if (rows := pack.places[folder][1]) else (),
                together=self,
            )
        if self._refused is not None:
            raise self._refused
        return None

    def runs(self, folders: Sequence[str]) -> Iterator[list[str]]:
        """Cut folders where the next is in another pack."""
        for _, run in itertools.groupby(folders, key=self._place.get):
            yield [*run]

    def rows(
        self, folders: Sequence[str], columns: Sequence[str] | None = None
    ) -> list[pa.RecordBatch]:
        """Return the rows of some folders in their order, as of now.

        Raises
        ------
        FileNotFoundError
            One of them is in no pack any more.
        StoreError
            A pack is damaged.
        """
        for _ in range(_LOOKS):
            packs = {name: self._place.get(name) for name in folders}
            try:
                return [
                    self._rows(pack, [*run], columns)
                    for pack, run in itertools.groupby(folders, key=packs.__getitem__)
                ]
            except _OvertakenError:
                self.look()
        raise StoreError(f"{str(self._directory)!r} changes faster than it can be read.")

    def _rows(
        self, pack: Pack | None, folders: Sequence[str], columns: Sequence[str] | None
    ) -> pa.RecordBatch:
        if pack is None:
            raise FileNotFoundError(folders[0])
        table = self._table(pack, columns)
        counts = {name: pack.places[name][1] for name in folders}
        spans = [pack.places[name] for name in folders]
        follow = all(a[0] + a[1] == b[0] for a, b in itertools.pairwise(spans))
        if follow:
            table = table.slice(spans[0][0], sum(counts.values()))
        else:
            table = table.take(np.concatenate([np.arange(a, a + n) for a, n in spans]))
        schema = stored_schema(pack.headers)
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns if name in schema.names])
        return named(table.combine_chunks(), schema, counts, self._account)

    def _table(self, pack: Pack, columns: Sequence[str] | None) -> pa.Table:
        key = (pack.number, pack.writing, None if columns is None else tuple(columns))
        with self._lock:
            if key not in self._decoded:
                try:
                    with PackFile(pack.path) as file:
                        if file.writing != pack.writing:
                            raise _OvertakenError
                        self._decoded[key] = file.table(columns)
                except FileNotFoundError as error:
                    raise _OvertakenError from error
                while len(self._decoded) > _DECODED:
                    self._decoded.popitem(last=False)
            self._decoded.move_to_end(key)
            return self._decoded[key]

    # Writing -----------------------------------------------------------------------------------

    def put(self, state: FolderState, rows: pa.Table) -> None:
        """Let a folder's rows and state take the place of those held, at the next commit."""
        self._waiting[state.folder] = state, rows if rows.num_rows else _nothing(state.headers)

    def drop(self, folder: str) -> None:
        """Take a folder out of the packs at the next commit."""
        self._waiting.pop(folder, None)
        if folder in self._place:
            self._waiting[folder] = None

    @property
    def waiting(self) -> int:
        """How many rows wait for the next commit."""
        return sum(each[1].num_rows for each in self._waiting.values() if each is not None)

    def commit(self) -> dict[str, StoreError | None]:
        """Write what waits; return each folder of it, and why that could not be done.

        A pack that cannot be read or written costs the folders that wait for it.
        """
        waiting, self._waiting = self._waiting, {}
        if not waiting and not self._leaving:
            return {}
        put = {name: each for name, each in waiting.items() if each is not None}
        outcome: dict[str, StoreError | None] = {}
        for number, names in self._shared_out(put).items():
            try:
                self._write(number, {name: put[name] for name in names})
            except StoreError as error:
                outcome |= dict.fromkeys(names, error)
            else:
                outcome |= dict.fromkeys(names)
        self.look()
        return outcome | self._take_away({name for name, each in waiting.items() if each is None})

    def clear_broken(self) -> None:
        """Remove packs that hold nothing that can be read; their folders were written anew."""
        for path in self._broken:
            atomic.remove(path)
        self._broken = []

    def _shared_out(self, put: dict[str, tuple[FolderState, pa.Table]]) -> dict[int, list[str]]:
        """Find each folder its pack: where it is if there is room, else in the first with room."""
        filled = {number: pack.rows for number, pack in self._packs.items()}
        headers = {number: pack.headers for number, pack in self._packs.items()}
        leaving, self._leaving = self._leaving, set()
        last = max(layout.pack_paths(self._directory), default=0)
        shares: dict[int, list[str]] = {}
        for name, (state, table) in put.items():
            before = self._place.get(name)
            # The rows that a folder has where it is make room for it there.
            here = {before.number: before.places[name][1]} if before else {}
            number = next(
                (
                    number
                    for number in [*here, *filled]
                    if headers[number] == state.headers
                    and filled[number] - here.get(number, 0) + table.num_rows <= PACK_ROWS
                    and number not in leaving
                ),
                None,
            )
            if number is None:
                last = number = last + 1
                filled[number], headers[number] = 0, state.headers
            filled[number] += table.num_rows - here.get(number, 0)
            shares.setdefault(number, []).append(name)
        return shares

    def _write(
        self,
        number: int,
        put: dict[str, tuple[FolderState, pa.Table]],
        without: Iterable[str] = (),
    ) -> None:
        """Write a pack anew: what it held, but for those folders, and those put in."""
        folders = dict(put)
        pack = self._packs.get(number)
        if pack is not None:
            gone = {*put, *without}
            for name, state in pack.folders.items():
                if name not in gone and not pack.places[name][1]:
                    folders[name] = state, _nothing(state.headers)
                elif name not in gone:
                    rows = self._rows(pack, [name], None)
                    folders[name] = state, pa.Table.from_batches([rows])
        if not folders:
            if pack is not None:
                atomic.remove(pack.path)
            return
        write_pack(self._directory, number, [folders[name] for name in sorted(folders)])

    def _take_away(self, dropped: set[str]) -> dict[str, StoreError | None]:
        """Write the packs without what was dropped, and without what another holds better."""
        outcome: dict[str, StoreError | None] = dict.fromkeys(dropped)
        for number, pack in [*self._packs.items()]:
            better = {name for name in pack.folders if self._place[name] is not pack}
            if leave := (pack.folders.keys() & dropped) | better:
                try:
                    self._write(number, {}, leave)
                except StoreError as error:
                    outcome |= dict.fromkeys(leave & dropped, error)
        if dropped or self._twice:
            self.look()
        return outcome

    def settle(self) -> None:
        """Take away what a killed writer left in two packs; damage is told where it is read."""
        if self._twice:
            self._take_away(set())

    def fill_up(self, fewest: int = 2) -> None:
        """Put the folders of half-empty packs together, at the next commit, if there are so many.

        Rows of packs that cannot be read stay where they are.
        """
        loose: dict[tuple[str, ...], list[Pack]] = {}
        for pack in self._packs.values():
            if pack.rows <= PACK_ROWS // 2:
                loose.setdefault(pack.headers, []).append(pack)
        for packs in loose.values():
            if len(packs) < fewest:
                continue
            for pack in packs[1:]:
                names = [name for name in pack.folders if self._place[name] is pack]
                with contextlib.suppress(StoreError):
                    for name in names:
                        if name not in self._waiting:
                            rows = self._rows(pack, [name], None)
                            self.put(pack.folders[name], pa.Table.from_batches([rows]))
                    self._leaving.add(pack.number)


@lru_cache(maxsize=8)
def _nothing(headers: tuple[str, ...]) -> pa.Table:
    """Give the rows of any empty folder: a table of its own would take as much as some messages."""
    return stored_schema(headers).empty_table()


class _OvertakenError(Exception):
    """A pack is no more what it was when it was looked at."""


@dataclasses.dataclass(frozen=True)
class PackedSource(Source):
    """The rows of one folder in a pack; `path` is that of the pack when it was looked at."""

    packed = True
    together: Together | None = None
    pinned: tuple[pa.RecordBatch, ...] | None = None

    def opened(self) -> Source:
        """Return the same with its rows in memory: they are few."""
        rows = tuple(self._together.rows([self.state.folder]))
        sizes = tuple(batch.num_rows for batch in rows if batch.num_rows)
        return dataclasses.replace(self, pinned=rows, sizes=sizes)

    @property
    def _together(self) -> Together:
        assert self.together is not None
        return self.together

    @cached_property
    def uids(self) -> npt.NDArray[np.uint32]:
        """Which rows there are, ascending."""
        uids = [batch["uid"].to_numpy() for batch in self.whole(("uid",))]
        return np.concatenate([np.array([], np.uint32), *uids])

    def batch(self, number: int, columns: Sequence[str] | None) -> pa.RecordBatch:
        """Read the one piece."""
        return self.whole(columns)[number]

    def whole(self, columns: Sequence[str] | None) -> list[pa.RecordBatch]:
        """Read all rows."""
        if self.pinned is None:
            return self._together.rows([self.state.folder], columns)
        if columns is None:
            return list(self.pinned)
        return [b.select([n for n in columns if n in b.schema.names]) for b in self.pinned]
