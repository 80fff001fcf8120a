"""One folder's file: Parquet, written so that it is small, read so that damage is noticed.

The encodings were chosen by measuring: texts that repeat (names, addresses, lists of them) go
through Parquet's dictionaries; texts that do not (message IDs, subjects) lie plain, where zstd
finds what they share, better than behind a dictionary of their own; UIDs, always rising, are
delta-packed to nothing. Only encodings that every Parquet reader knows.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mailframe.errors import StoreError
from mailframe.store import atomic
from mailframe.store.filecolumns import stored_schema
from mailframe.store.state import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from mailframe.store.state import FolderState

# Rows: large enough to compress well, small enough to patch a folder of millions piecewise.
ROW_GROUP = 65_536
# Level 6 would be 3 % smaller and take two thirds longer to write; reading is the same.
_ZSTD_LEVEL = 3
DELETE = "Delete it and refresh: that folder is then fetched anew."
_PLAIN = {"date", "internaldate", "size", "subject", "message_id", "in_reply_to"}


def write(path: Path, state: FolderState, batches: Iterable[pa.RecordBatch]) -> None:
    """Replace a folder's file, all or nothing.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Rows in the order of their UIDs, with the columns that belong to ``state.headers``.

    Raises
    ------
    StoreError
        It could not be written; the old file is unharmed.
    """
    write_rows(path, stored_schema(state.headers).with_metadata(encode(state)), batches)


def write_rows(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Replace a file of the store, all or nothing; its schema says in metadata what it is."""
    with (
        atomic.replacing(path) as file,
        pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=_ZSTD_LEVEL,
            use_dictionary=list(_dictionary_leaves(schema)),
            column_encoding={"uid": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
        ) as writer,
    ):
        for table in _row_groups(batches, schema):
            writer.write_table(table, row_group_size=ROW_GROUP)


def _dictionary_leaves(schema: pa.Schema) -> Iterator[str]:
    for field in schema:
        if pa.types.is_list(field.type):
            yield f"{field.name}.list.element"
        elif (
            field.name not in _PLAIN and field.name != "uid" and not pa.types.is_boolean(field.type)
        ):
            yield field.name


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Gather small batches, so that every row group but the last is full."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= ROW_GROUP:
            table = pa.Table.from_batches(waiting).cast(schema)
            full = rows - rows % ROW_GROUP
            yield table.slice(0, full).unify_dictionaries()
            waiting = table.slice(full).to_batches()
            rows -= full
    if rows:
        yield pa.Table.from_batches(waiting).cast(schema).unify_dictionaries()


def opened(path: Path) -> pa.OSFile:
    """Open a file, for several threads to read at once.

    Raises
    ------
    FileNotFoundError
        There is none.
    StoreError
        It cannot be opened.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would wait for ever
            raise StoreError(f"Cannot open {str(path)!r}: it is no file.")
        return pa.OSFile(os.fspath(path))
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"Cannot open {str(path)!r}: {reason}.") from error


class FolderFile:
    """An open file of the store: state and rows of one instant, whatever becomes of the path.

    Parameters
    ----------
    file : pyarrow.OSFile, optional
        What was `opened` at that path, and is not closed here.

    Attributes
    ----------
    sizes : tuple of int
        In what pieces the rows are read, and how many are in each.

    Raises
    ------
    FileNotFoundError
        There is none.
    StoreError
        It is truncated, foreign, or of a newer version.
    """

    def __init__(self, path: Path, file: pa.OSFile | None = None) -> None:
        self.path = path
        with contextlib.ExitStack() as stack:
            if file is None:
                file = stack.enter_context(opened(path))
            with damage_explained(path):
                self._parquet = pq.ParquetFile(file, page_checksum_verification=True)
                schema = self._parquet.schema_arrow
            self.state = decode(schema.metadata, str(path))
            self.schema = schema.remove_metadata()
            if not self.schema.equals(stored_schema(self.state.headers)):
                raise StoreError(f"{str(path)!r} has other columns than it should. {DELETE}")
            self.octets = file.size()
            metadata = self._parquet.metadata
            self.rows = metadata.num_rows
            self.sizes = tuple(
                metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)
            )
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of their UIDs, at most `ROW_GROUP` at a time.

        Parameters
        ----------
        columns : sequence of str, optional
            Their names; by default all. Names that the file lacks are left out.
        """
        for number in range(len(self.sizes)):
            yield self.batch(number, columns)

    def batch(self, number: int, columns: Sequence[str] | None = None) -> pa.RecordBatch:
        """Return the rows of one piece."""
        names = (
            self.schema.names if columns is None else [n for n in columns if n in self.schema.names]
        )
        stored = [name for name in names if name not in {"account", "folder"}]
        schema = pa.schema([self.schema.field(name) for name in names])
        with damage_explained(self.path):
            table = self._parquet.read_row_group(number, columns=stored, use_threads=False)
        return self._with_names(table.combine_chunks(), schema, self.sizes[number])

    def _with_names(self, table: pa.Table, schema: pa.Schema, rows: int) -> pa.RecordBatch:
        """Add the two columns that are the same in every row: cheaper made than read."""
        columns = []
        for field in schema:
            if field.name in {"account", "folder"}:
                columns.append(constant(getattr(self.state, field.name), rows))
            else:
                chunks = table[field.name].chunks
                columns.append(chunks[0] if chunks else pa.array([], field.type))
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def is_parquet(path: Path) -> bool:
    """Return whether a file is whole as far as its beginning and end can tell.

    Raises
    ------
    StoreError
        It cannot be opened.
    """
    with atomic.explained("open", path), opened(path) as file:
        try:
            pq.read_metadata(file)
        except (pa.ArrowException, OSError):
            return False
    return True


def constant(name: str, rows: int) -> pa.DictionaryArray:
    """Return a column that says the same name in every row."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows, np.int32)), pa.array([name], pa.string())
    )


@contextlib.contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a file that rots into a `StoreError`."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{str(path)!r} is damaged ({reason}). {DELETE}") from error
