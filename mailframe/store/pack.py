"""A pack: one file with the rows of several small folders of an account, one after another.

A file costs milliseconds, whatever is in it; hundreds of folders with a few messages each would
cost nothing else. A pack is as large as one read is worth (`PACK_ROWS`) and is written anew as a
whole: one rename, as with the file of a folder. The states of its folders and their numbers of rows
stand in its metadata, in the order of the rows.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mailframe.errors import StoreError
from mailframe.store import layout
from mailframe.store.filecolumns import stored_schema
from mailframe.store.parquet import DELETE, constant, damage_explained, opened, write_rows
from mailframe.store.state import PackState, decode_pack, encode_pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mailframe.store.state import FolderState

# Rows of a pack. To write 16,384 takes some 60 ms and to read them 20 ms, so a day on which one
# small folder changed stays cheap, and ten thousand accounts have two files each.
PACK_ROWS = 16_384
# Rows of a folder that is small: a file of its own with more of them costs little beside its rows.
SMALL_ROWS = 1_024
_NAMES = ("account", "folder")


class PackFile:
    """An open pack: the states and rows of its folders, all of one instant.

    Raises
    ------
    FileNotFoundError
        There is none.
    StoreError
        It is truncated, foreign, of a newer version, or the copy of another pack.

    Attributes
    ----------
    folders : dict of str to FolderState
        In the order of their rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(opened(path))
            with damage_explained(path):
                self._parquet = pq.ParquetFile(file, page_checksum_verification=True)
                schema = self._parquet.schema_arrow
            said = decode_pack(schema.metadata, str(path))
            self.writing = said.writing
            self.folders = {state.folder: state for state, _ in said.folders}
            counts = [rows for _, rows in said.folders]
            self.rows = self._parquet.metadata.num_rows
            self.octets = file.size()
            states = self.folders.values()
            self.headers = next((state.headers for state in states), ())
            self.schema = schema.remove_metadata()
            if path != layout.pack_path(path.parent, said.number):
                raise StoreError(f"{str(path)!r} is a copy; move it out of the store.")
            sound = sum(counts) == self.rows and len(self.folders) == len(counts)
            alike = len({(state.account, state.headers) for state in states}) <= 1
            if not (sound and alike and self.schema.equals(stored_schema(self.headers))):
                raise StoreError(f"{str(path)!r} holds other rows than it should. {DELETE}")
            starts = itertools.accumulate(counts, initial=0)
            self.places = dict(zip(self.folders, zip(starts, counts, strict=False), strict=True))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def check_account(self, account: str) -> None:
        """Refuse a pack of another account."""
        if any(state.account != account for state in self.folders.values()):
            raise StoreError(f"{str(self.path)!r} is of another account; move it away.")

    def table(self, columns: Sequence[str] | None) -> pa.Table:
        """Read the rows of all folders, without the two columns that name them."""
        names = self.schema.names if columns is None else columns
        wanted = [name for name in self.schema.names if name in names and name not in _NAMES]
        with damage_explained(self.path):
            table = self._parquet.read(columns=wanted, use_threads=False)
        return table.combine_chunks()


class PackedFolder:
    """One folder of an open pack, with what a reader wants of a `FolderFile`."""

    def __init__(self, file: PackFile, state: FolderState) -> None:
        self.path = file.path
        self.state = state
        self.schema = file.schema
        self._file = file
        self._place = file.places[state.folder]
        self.rows = self._place[1]
        # Its share of what the file takes.
        self.octets = round(file.octets * self.rows / file.rows) if file.rows else 0
        self._tables: dict[tuple[str, ...] | None, pa.Table] = {}

    @classmethod
    def all_of(cls, file: PackFile) -> Iterator[PackedFolder]:
        """Give every folder of a pack; what one of them reads, the others need not read again."""
        tables: dict[tuple[str, ...] | None, pa.Table] = {}
        for state in file.folders.values():
            folder = cls(file, state)
            folder._tables = tables
            yield folder

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of their UIDs, with those of the columns that there are."""
        key = None if columns is None else tuple(columns)
        if key not in self._tables:
            self._tables[key] = self._file.table(columns)
        table = self._tables[key].slice(*self._place)
        if self.rows:
            names = self.schema.names if columns is None else columns
            schema = pa.schema([self.schema.field(n) for n in names if n in self.schema.names])
            yield named(table, schema, {self.state.folder: self.rows}, self.state.account)


def named(
    table: pa.Table, schema: pa.Schema, folders: Mapping[str, int], account: str
) -> pa.RecordBatch:
    """Add the columns that name account and folder: cheaper made than read.

    Parameters
    ----------
    folders : mapping of str to int
        Each folder's number of rows, in their order.
    """
    columns = []
    for field in schema:
        if field.name == "account":
            columns.append(constant(account, table.num_rows))
        elif field.name == "folder":
            codes = np.repeat(np.arange(len(folders), dtype=np.int32), [*folders.values()])
            names = pa.array([*folders], pa.string())
            columns.append(pa.DictionaryArray.from_arrays(pa.array(codes), names))
        else:
            chunks = table[field.name].chunks
            columns.append(chunks[0] if chunks else pa.array([], field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def write_pack(
    directory: Path, number: int, folders: Sequence[tuple[FolderState, pa.Table]]
) -> None:
    """Replace a pack, all or nothing.

    Parameters
    ----------
    folders : sequence of (FolderState, pyarrow.Table)
        At least one; of one account, with the same further headers; each with all its rows.

    Raises
    ------
    StoreError
        It could not be written; the old file is unharmed.
    """
    held = tuple((state, table.num_rows) for state, table in folders)
    schema = stored_schema(folders[0][0].headers)
    said = encode_pack(PackState(number, secrets.token_hex(8), held))
    tables = [table for _, table in folders if table.num_rows]
    rows = pa.concat_tables(tables or [folders[0][1]])
    path = layout.pack_path(directory, number)
    write_rows(path, schema.with_metadata(said), rows.unify_dictionaries().to_batches())
