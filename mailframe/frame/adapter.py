"""Record batches to DataFrames.

A fetch delivers runs: consecutive rows of one folder with rising UIDs. Sorting a mailbox is
therefore sorting its few runs and laying their slices end to end; only where runs of one folder
overlap are rows themselves compared. Columns are converted two at a time, and each lets go of its
batches before the next begins, so the peak is the mail itself and two columns more.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

KEYS = ("account", "folder", "uid")
ATTRS = "mailframe"  # the key of the report in DataFrame.attrs

# Above this many runs per row, slicing costs more than comparing rows.
_RUNS_PER_ROW = 1 / 16
# A column of more stays in chunks: lists have 32-bit offsets, and copying it would hold it twice.
_COMBINED_BYTES = 1 << 31
# Columns converted side by side. It is copying, mostly into memory that the system must first give,
# without the interpreter's lock; a third would be in memory for little gain.
_CONVERTERS = 2


class _Run(NamedTuple):
    """Rows ``start`` to ``stop`` of a batch: one account and folder, UIDs rising."""

    account: str
    folder: str
    first: int
    last: int
    batch: int
    start: int
    stop: int


def to_frame(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, report: Mapping[str, object]
) -> pd.DataFrame:
    """Make one sorted DataFrame of record batches.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        All of ``schema``, in any order. Taken one by one; none is kept by this function after
        its columns were converted.
    schema : pyarrow.Schema
        `mailframe.frame.schema.SCHEMA`, perhaps with more columns; needed where no batch comes.
    report : mapping
        Plain JSON types; becomes ``df.attrs["mailframe"]``.

    Returns
    -------
    pandas.DataFrame
        Ordered by account, folder (plain sort of names) and UID, with a range index. Categories
        are sorted, text is ``str``, lists are Arrow's, instants are UTC in microseconds.
    """
    columns: list[list[pa.Array]] = [[] for _ in schema]
    runs: list[_Run] = []
    rows = 0
    for number, batch in enumerate(batches):
        runs += _runs(batch, number)
        rows += len(batch)
        for chunks, column in zip(columns, batch.columns, strict=True):
            chunks.append(column)
    runs.sort()
    order = _row_order(runs, columns, rows) if _must_compare(runs, rows) else None

    def convert(field: pa.Field, chunks: list[pa.Array]) -> ExtensionArray | NDArray[np.generic]:
        return _convert(field.type, _arrange(field.type, chunks, runs, order))

    with ThreadPoolExecutor(_CONVERTERS, "mailframe-frame") as threads:
        converted = dict(zip(schema.names, threads.map(convert, schema, columns), strict=True))
    df = pd.DataFrame(converted, index=pd.RangeIndex(rows), copy=False)
    df.attrs[ATTRS] = dict(report)
    pa.default_memory_pool().release_unused()  # halves what a frame of a million rows leaves taken
    return df


def unsorted_frame(table: pa.Table) -> pd.DataFrame:
    """Make a DataFrame of a table, rows in their order, with the dtypes of a mail frame."""
    columns = {field.name: _convert(field.type, table[field.name]) for field in table.schema}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def stacked(
    parts: Mapping[str, pd.DataFrame | pd.Series[Any]], name: str
) -> pd.DataFrame | pd.Series[Any]:
    """Put tables one below the other, under a first level of the index that tells them apart."""
    held = {key: part for key, part in parts.items() if len(part)} or dict(parts)
    return pd.concat(held, names=[name])


def without_folder(batch: pa.RecordBatch, folder: str) -> pa.RecordBatch:
    """Drop the rows of one folder."""
    return batch.filter(pc.not_equal(batch["folder"].cast(pa.large_string()), folder))


def pandas_metadata(schema: pa.Schema) -> str:
    """Give what pandas wants to find in a file's metadata to bring the dtypes back.

    Only lists cannot come back as Arrow's: pandas has no name for that dtype that it understands
    itself when reading, so they are announced as objects.
    """
    empty = to_frame([], schema, report={})
    metadata = json.loads(pa.Schema.from_pandas(empty, preserve_index=False).metadata[b"pandas"])
    for column in metadata["columns"]:
        if column["numpy_type"].endswith("[pyarrow]"):
            column["numpy_type"] = "object"
    return json.dumps(metadata)


def _runs(batch: pa.RecordBatch, number: int) -> Iterator[_Run]:
    """Cut a batch where the account or folder changes, or the UID does not rise."""
    if not len(batch):
        return
    (accounts, account), (folders, folder) = (_codes(batch.column(key)) for key in KEYS[:2])
    uid = batch.column("uid").to_numpy()
    cut = uid[1:] <= uid[:-1]
    cut |= account[1:] != account[:-1]
    cut |= folder[1:] != folder[:-1]
    starts = [0, *(np.flatnonzero(cut) + 1).tolist()]
    for start, stop in zip(starts, [*starts[1:], len(batch)], strict=True):
        yield _Run(
            accounts[account[start]],
            folders[folder[start]],
            int(uid[start]),
            int(uid[stop - 1]),
            number,
            start,
            stop,
        )


def _codes(column: pa.DictionaryArray) -> tuple[list[str], NDArray[np.int32]]:
    return column.dictionary.to_pylist(), column.indices.to_numpy()


def _must_compare(runs: Sequence[_Run], rows: int) -> bool:
    """Tell whether sorted runs overlap, or are so short that slices would be slow."""
    if len(runs) > max(64, rows * _RUNS_PER_ROW):
        return True
    return any(run.first <= before.last and run[:2] == before[:2] for before, run in pairwise(runs))


def _row_order(
    runs: Sequence[_Run], columns: Sequence[Sequence[pa.Array]], rows: int
) -> NDArray[np.intp]:
    """Give the positions of all rows, in order, in the batches laid end to end."""
    uids = columns[SCHEMA.get_field_index("uid")]
    offsets = np.cumsum([0, *map(len, uids)])
    group = np.empty(rows, np.int64)  # the rank of (account, folder)
    rank, before = -1, None
    for run in runs:
        rank += before != run[:2]
        before = run[:2]
        group[offsets[run.batch] + run.start : offsets[run.batch] + run.stop] = rank
    return np.lexsort((np.concatenate([uid.to_numpy() for uid in uids]), group))


def _arrange(
    kind: pa.DataType,
    chunks: list[pa.Array],
    runs: Sequence[_Run],
    order: NDArray[np.intp] | None,
) -> pa.ChunkedArray:
    """Bring one column into row order, in one chunk if that is wise; empties ``chunks``."""
    if pa.types.is_dictionary(kind):
        chunks[:] = pa.chunked_array(chunks, kind).unify_dictionaries().chunks
    if order is None:
        chunks[:] = [chunks[run.batch].slice(run.start, run.stop - run.start) for run in runs]
    column = pa.chunked_array(chunks, kind)
    chunks.clear()
    if order is not None:
        column = column.take(pa.array(order))
    if column.num_chunks > 1 and column.nbytes < _COMBINED_BYTES:
        return pa.chunked_array([column.combine_chunks()], kind)
    return column


def _convert(kind: pa.DataType, column: pa.ChunkedArray) -> ExtensionArray | NDArray[np.generic]:
    """Give a column the dtype that DESIGN promises for its Arrow type."""
    if pa.types.is_dictionary(kind):
        return _categorical(column)
    dtype = extension_dtype(kind)
    if dtype is not None:
        return dtype.__from_arrow__(column)  # type: ignore[no-any-return,attr-defined]  # every Arrow-aware dtype has it
    return column.to_pandas().array  # type: ignore[no-any-return]


def _categorical(column: pa.ChunkedArray) -> pd.Categorical:
    if not column.num_chunks:
        return pd.Categorical([], categories=pd.Index([], dtype="str"))
    array = column.combine_chunks() if column.num_chunks > 1 else column.chunk(0)
    names, codes = _codes(array)
    used = sorted({names[code] for code in np.unique(codes)})
    place = {name: code for code, name in enumerate(used)}
    lookup = np.array([place.get(name, -1) for name in names], np.int32)
    return pd.Categorical.from_codes(
        lookup[codes], categories=pd.Index(used, dtype="str"), validate=False
    )


def extension_dtype(kind: pa.DataType) -> pd.api.extensions.ExtensionDtype | None:
    """Give the pandas dtype of an Arrow type; None where NumPy's own serves."""
    if pa.types.is_large_string(kind) or pa.types.is_string(kind):
        return pd.StringDtype(na_value=np.nan)
    if pa.types.is_int16(kind):
        return pd.Int16Dtype()
    if pa.types.is_int64(kind):
        return pd.Int64Dtype()
    if pa.types.is_list(kind) or pa.types.is_large_binary(kind):
        return pd.ArrowDtype(kind)
    return None
