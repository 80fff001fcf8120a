"""Batches to files: CSV, Parquet, JSON Lines, one batch at a time.

A file appears under its name only when it is whole. What is held until then is one batch, or one
row group of Parquet, however large the mailbox.
"""

from __future__ import annotations

import base64
import codecs
import gzip
import json
import os
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, cast, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from mailframe.errors import ConfigurationError
from mailframe.frame.adapter import pandas_metadata
from mailframe.frame.cells import csv_cells, json_values, neutralised
from mailframe.frame.outgoing import frame_schema, to_batches
from mailframe.frame.schema import TEXT
from mailframe.ground.whole import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

Format = Literal["csv", "parquet", "jsonl"]
Formulas = Literal["escape", "keep"]
Separator = Literal[",", ";", "\t"]
Target = str | os.PathLike[str] | IO[bytes]

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

# Small row groups make Parquet slow and large; this many rows are about 30 MB of headers.
_GROUP_ROWS = 1 << 16
_GROUP_BYTES = 64 << 20


class Writer(Protocol):
    """What `open_writer` gives: it takes batches, and what the file shall say about itself."""

    attrs: Mapping[str, object]
    """Plain JSON types, such as ``{"mailframe": report}``; Parquet files keep them, and
    ``pandas.read_parquet`` gives them back in ``df.attrs``. May be set until the end."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch."""

    def finish(self) -> None:
        """Write what was held back; `open_writer` calls it, when all went well."""

    def close(self) -> None:
        """Let go of the file, whatever happened."""


@contextmanager
def open_writer(
    path: Target,
    schema: pa.Schema,
    *,
    format: Format | None = None,  # noqa: A002 -- the word that users of pandas look for
    formulas: Formulas = "escape",
    separator: Separator = ",",
    bom: bool | None = None,
) -> Iterator[Writer]:
    r"""Open a file to stream record batches into.

    Parameters
    ----------
    path : path or binary file
        A regular file is replaced when the ``with`` block ends well, readable by its owner only;
        if the block raises, what was there stays. Anything else is written to directly.
    schema : pyarrow.Schema
        Of the batches to come.
    format : {"csv", "parquet", "jsonl"}, optional
        By default from the name's ending: ``.csv``, ``.parquet``, ``.jsonl``; text may be
        compressed (``.csv.gz``).
    formulas : {"escape", "keep"}
        In CSV, whether what a spreadsheet would run (``= + - @``, TAB or CR first, or behind
        another separator than the file's own) gets an apostrophe in front.
    separator : {",", ";", "\t"}
        In CSV, what stands between cells. Excel expects ``";"`` wherever a comma is the decimal
        mark.
    bom : bool, optional
        Whether CSV begins with a byte order mark, without which Excel does not take it for UTF-8.
        By default a file has one, and a stream (a file object, a pipe) has none.

    Raises
    ------
    ConfigurationError
        The format is not known, or the place cannot be written to.
    """
    kind, compressed = recognise(path, format)
    if formulas not in get_args(Formulas):
        raise ConfigurationError(f'formulas={formulas!r} is neither "escape" nor "keep"')
    if separator not in get_args(Separator):
        raise ConfigurationError(f'separator={separator!r} is none of ",", ";" and "\\t"')
    if isinstance(path, str | os.PathLike):
        whole: AbstractContextManager[IO[bytes]] = replacing(path)
        marked = Path(path).is_file() or not Path(path).exists()
    else:
        whole, marked = nullcontext(path), False
    with (
        whole as raw,
        _gzip(raw) if compressed else nullcontext(raw) as sink,
    ):
        if kind == "csv":
            if marked if bom is None else bom:
                sink.write(codecs.BOM_UTF8)
            escape = formulas == "escape"
            writer: Writer = _CsvWriter(sink, schema, escape=escape, separator=separator)
        else:
            writer = _WRITERS[kind](sink, schema)
        try:
            yield writer
            writer.finish()
        finally:
            writer.close()


def to_csv(
    df: pd.DataFrame,
    path: Target,
    *,
    formulas: Formulas = "escape",
    separator: Separator = ",",
    bom: bool | None = None,
) -> None:
    """Write a DataFrame as CSV: UTF-8, lists joined with ``"; "``, instants in RFC 3339.

    Parameters
    ----------
    df : pandas.DataFrame
        With any columns. An index that has a name comes along as a column.
    path : path or binary file
        As for `open_writer`.
    formulas, separator, bom
        As for `open_writer`.
    """
    _export(df, path, "csv", formulas=formulas, separator=separator, bom=bom)


def to_parquet(df: pd.DataFrame, path: Target) -> None:
    """Write a DataFrame as Parquet (zstd), with dtypes and ``attrs`` for `pandas.read_parquet`.

    There lists come back as NumPy arrays: pandas has no name for their dtype that a file can keep.

    Parameters
    ----------
    df : pandas.DataFrame
        With any columns. An index that has a name comes along as a column.
    path : path or binary file
        As for `open_writer`.
    """
    _export(df, path, "parquet")


def to_jsonl(df: pd.DataFrame, path: Target) -> None:
    """Write a DataFrame as JSON Lines: an object a row, every column named, null where missing.

    Parameters
    ----------
    df : pandas.DataFrame
        With any columns. An index that has a name comes along as a column.
    path : path or binary file
        As for `open_writer`.
    """
    _export(df, path, "jsonl")


def _export(df: pd.DataFrame, path: Target, kind: Format, **how: Any) -> None:  # noqa: ANN401 -- as open_writer takes it
    _check_ending(path, kind)
    with open_writer(path, frame_schema(df), format=kind, **how) as writer:
        writer.attrs = {str(key): value for key, value in df.attrs.items()}
        for batch in to_batches(df):
            writer.write(batch)


def _check_ending(path: Target, kind: Format) -> None:
    """Refuse a name that says another format: what opens the file would go by it."""
    if not isinstance(path, str | os.PathLike):
        return
    ending = Path(Path(path).name.lower().removesuffix(".gz")).suffix
    said = _SUFFIXES.get(ending, kind)
    if ending in _WORKBOOKS:
        raise ConfigurationError(
            f"to_{kind}() does not write workbooks: take mf.to_excel(df, 'mail.xlsx'), or let "
            f"{str(path)!r} end otherwise"
        )
    if said != kind:
        raise ConfigurationError(
            f"to_{kind}() writes no {ending}: take mf.to_{said}(), or let {str(path)!r} end "
            "otherwise"
        )


class _CsvWriter:
    """RFC 4180 with LF, text always quoted, so that missing and empty differ."""

    def __init__(
        self, sink: IO[bytes], schema: pa.Schema, *, escape: bool, separator: Separator
    ) -> None:
        self.attrs: Mapping[str, object] = {}
        self._cell = partial(csv_cells, escape=escape, separator=separator)
        names = pa.array(schema.names, TEXT)
        self._names = (neutralised(names, separator) if escape else names).to_pylist()
        empty = self._cells(pa.RecordBatch.from_pylist([], schema))
        options = pyarrow.csv.WriteOptions(delimiter=separator)
        self._csv = pyarrow.csv.CSVWriter(sink, empty.schema, write_options=options)

    def _cells(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [self._cell(column) for column in batch.columns]
        return pa.RecordBatch.from_arrays(columns, self._names)

    def write(self, batch: pa.RecordBatch) -> None:
        self._csv.write_batch(self._cells(batch))

    def finish(self) -> None:
        pass

    def close(self) -> None:
        self._csv.close()


class _JsonWriter:
    """Lines are put together as one column, whose memory is the text of the file."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema) -> None:
        self.attrs: Mapping[str, object] = {}
        self._sink = sink
        names = [json.dumps(name, ensure_ascii=False) for name in schema.names]
        before = ["{", *[", "] * (len(names) - 1)]
        self._keys = [f"{mark}{name}: " for mark, name in zip(before, names, strict=True)]

    def write(self, batch: pa.RecordBatch) -> None:
        parts = []
        for key, column in zip(self._keys, batch.columns, strict=True):
            parts += [pa.scalar(key, TEXT), json_values(column)]
        lines = pc.binary_join_element_wise(*parts, pa.scalar("}\n", TEXT), pa.scalar("", TEXT))
        self._sink.write(pc.binary_join(_as_list(lines), pa.scalar("", TEXT))[0].as_buffer())

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


def _as_list(values: pa.Array) -> pa.Array:
    return pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)


class _ParquetWriter:
    """Row groups of a useful size, and metadata that is known only at the end.

    pandas reads its dtypes and ``attrs`` from the metadata of the Arrow schema, which Parquet
    keeps as one more value; so that value is written last, and by us.
    """

    def __init__(self, sink: IO[bytes], schema: pa.Schema) -> None:
        self.attrs: Mapping[str, object] = {}
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._parquet = pq.ParquetWriter(sink, schema, compression="zstd", store_schema=False)

    def write(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        rows = sum(map(len, self._held))
        if rows >= _GROUP_ROWS or sum(held.nbytes for held in self._held) >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._parquet.write_table(pa.Table.from_batches(self._held, self._schema))
            self._held.clear()

    def finish(self) -> None:
        self._flush()
        metadata = {"pandas": pandas_metadata(self._schema)}
        if self.attrs:
            metadata["PANDAS_ATTRS"] = json.dumps(self.attrs, default=str)
        schema = self._schema.with_metadata(metadata).serialize()
        encoded = base64.b64encode(memoryview(schema)).decode()
        self._parquet.add_key_value_metadata({**metadata, "ARROW:schema": encoded})

    def close(self) -> None:
        self._parquet.close()


_WRITERS: dict[Format, Callable[[IO[bytes], pa.Schema], Writer]] = {
    "jsonl": _JsonWriter,
    "parquet": _ParquetWriter,
}


def recognise(path: Target, kind: Format | None = None) -> tuple[Format, bool]:
    """Give the format that a name, or the caller, asks for, and whether to compress it.

    Raises
    ------
    ConfigurationError
        The format is not known.
    """
    name = Path(path).name.lower() if isinstance(path, str | os.PathLike) else ""
    compressed = name.endswith(".gz")
    suffixes = Path(name.removesuffix(".gz")).suffixes
    found = kind or (_SUFFIXES.get(suffixes[-1]) if suffixes else None)
    if found is None or found not in get_args(Format):
        raise ConfigurationError(
            f"Cannot tell the format of {path!r}: let its name end in .csv, .parquet or .jsonl, "
            'or pass format="csv"'
        )
    if found == "parquet" and compressed:
        raise ConfigurationError("Parquet is compressed inside; name the file .parquet")
    return found, compressed


def _gzip(raw: IO[bytes]) -> IO[bytes]:
    # No name and no time inside: the same rows give the same bytes.
    return cast("IO[bytes]", gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
