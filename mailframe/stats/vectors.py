"""Columns as arrays: every statistic starts here.

A text, category or list column becomes a ``Coded``: which rows have a value, and that value as a
small integer. From then on a question is arithmetic on integers (bincount, lexsort), never a loop
over rows. Arrow does the encoding; nulls and unused categories are gone once it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.frame.cells import plain_texts
from mailframe.frame.schema import SCHEMA
from mailframe.stats.kept import kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_TEXTS = {field.name for field in SCHEMA if pa.types.is_large_string(field.type)}
LISTS = tuple(field.name for field in SCHEMA if pa.types.is_list(field.type))
OFTEN = frozenset({"from_addr", "to"})  # what every question about people asks for
FEW = 1_000  # values that tell what a column of objects holds
NEVER = np.iinfo(np.int64).min  # numpy's NaT, seen as an integer


@dataclass(frozen=True)
class Coded:
    """A column as integers: row ``rows[i]`` of the frame has the value ``labels[codes[i]]``.

    A row of a list column stands once for each of its items; a row without a value not at all.
    Labels are distinct, but not each need be used.
    """

    name: str
    rows: Ints
    codes: Ints
    labels: pa.Array

    @property
    def count(self) -> Ints:
        """How often each label is used."""
        return np.bincount(self.codes, minlength=len(self.labels))

    def where(self, keep: Bools) -> Coded:
        """Only the entries marked, over the same labels."""
        return Coded(self.name, self.rows[keep], self.codes[keep], self.labels)

    def used(self) -> Coded:
        """Give the same entries over the labels that are used."""
        codes, place = np.unique(self.codes, return_inverse=True)
        return Coded(self.name, self.rows, place, self.labels.take(pa.array(codes)))

    def once(self) -> Coded:
        """Each label at most once a row: a message that names an address twice is one message."""
        if bool((self.rows[1:] > self.rows[:-1]).all()):
            return self
        width = max(len(self.labels), 1)
        rows, codes = np.divmod(unique(self.rows * width + self.codes), width)
        return Coded(self.name, rows, codes, self.labels)

    def merged(self, labels: pa.Array) -> Coded:
        """Entries under new labels, one for each old; equal new labels become one."""
        encoded = pc.dictionary_encode(labels)
        return Coded(
            self.name, self.rows, _integers(encoded.indices)[self.codes], encoded.dictionary
        )

    def index(self, name: str | None = None) -> pd.Index[Any]:
        """Give the labels as a pandas index."""
        labels: pd.Index[Any] = pd.Index(self.labels.to_pandas(), name=name or self.name)
        return labels

    def dense(self, total: int) -> Ints:
        """Give the code of each of ``total`` rows, -1 where there is none (scalar columns)."""
        out = np.full(total, -1, dtype=np.int64)
        out[self.rows] = self.codes
        return out


def require(df: pd.DataFrame, *names: str, hint: str = "") -> None:
    """Refuse a frame that lacks a column, with a sentence that helps."""
    missing = [name for name in names if name not in df.columns]
    if missing:
        lost = ", ".join(repr(name) for name in missing)
        noun = "column" if len(missing) == 1 else "columns"
        hint = hint or "keep the columns of read_imap() when you select some"
        raise ConfigurationError(f"this needs the {noun} {lost}, which the frame lacks: {hint}")


def arrow(df: pd.DataFrame, name: str) -> pa.Array:
    """Give a column as one Arrow array; text as large_string, whatever pandas keeps it in."""
    require(df, name)
    array = _converted(df[name])
    if isinstance(array, pa.ChunkedArray):
        # Joining copies, a single chunk too.
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    if name in _TEXTS and not (pa.types.is_dictionary(array.type) or is_list(array.type)):
        array = array.cast(pa.large_string())  # somebody's numbers
    elif pa.types.is_null(array.type) or pa.types.is_string(array.type):
        array = array.cast(pa.large_string())
    if array.null_count == len(array) and pa.types.is_floating(array.type):  # empty, in a CSV file
        array = pa.nulls(len(array), pa.large_string())
    if pa.types.is_large_string(array.type) and _is_joined(df, name, array):
        raise _no_lists(name)
    if pa.types.is_large_string(array.type) and _is_csv(df):
        array = plain_texts(array)
    return array


def require_lists(df: pd.DataFrame) -> None:
    """Refuse a frame whose lists have become text, with a sentence that helps."""
    for name in LISTS:
        if name in df.columns and _holds_text(df[name]):
            raise _no_lists(name)


def _no_lists(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"the column {name!r} should hold lists and holds text, as of a CSV file or after "
        "explode(): read the file with mf.read_csv(path), keep the frame as Parquet, or take the "
        "frame as it was before it was exploded"
    )


def _converted(column: pd.Series[Any]) -> pa.Array:
    """Give a column to Arrow; values that no type fits together are the text of them."""
    try:
        return pa.array(column.array, from_pandas=True)
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        values = zip(column.astype(object), column.isna(), strict=True)
        return pa.array([None if missing else str(value) for value, missing in values])


def _is_csv(df: pd.DataFrame) -> bool:
    """Tell whether a frame is one of our CSV files as pandas reads it: with apostrophes."""
    moments = [df[name].dtype for name in ("date", "internaldate") if name in df.columns]
    text = any(pd.api.types.is_string_dtype(dtype) for dtype in moments)
    text |= "uid" in df.columns and pd.api.types.is_signed_integer_dtype(df["uid"].dtype)
    return text and any(_holds_text(df[own]) for own in LISTS if own in df.columns)


def _is_joined(df: pd.DataFrame, name: str, array: pa.Array) -> bool:
    """Tell whether text stands where lists should: each would count as a list of one.

    A further header may be text by right; but not where the frame's own lists have become it.
    """
    if name in LISTS:
        return bool(array.null_count < len(array))
    if name in SCHEMA.names:
        return False
    return any(_holds_text(df[own]) for own in LISTS if own in df.columns)


def _holds_text(column: pd.Series[Any]) -> bool:
    kind = column.dtype.pyarrow_dtype if isinstance(column.dtype, pd.ArrowDtype) else pa.null()
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if is_text or isinstance(column.dtype, pd.StringDtype):
        return bool(column.notna().any())
    return column.dtype == object and any(isinstance(each, str) for each in column.head(FEW))


def is_list(kind: pa.DataType) -> bool:
    """Tell whether a column holds lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def numpy(array: pa.Array) -> NDArray[Any]:
    """Give an Arrow array as NumPy has it."""
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values


def text(array: pa.Array) -> ExtensionArray:
    """Give an Arrow array as pandas' own text."""
    words: ExtensionArray = pd.array(array, dtype="str")
    return words


def labels(codes: Ints, names: Sequence[str]) -> pa.Array:
    """Give names by their numbers as text; null for a number beyond them."""
    return pa.array(names, pa.large_string()).take(
        pa.array(np.minimum(codes, len(names) - 1), mask=codes >= len(names))
    )


def kinds(codes: NDArray[np.integer[Any]], names: Sequence[str]) -> pd.Categorical[str]:
    """Give names by their numbers, as a category that knows them all."""
    return pd.Categorical.from_codes(codes, pd.Index(names))


def flat(df: pd.DataFrame, name: str) -> tuple[Ints, pa.Array]:
    """Give the items of a list column and the row of each; a text column is a list of one or none.

    Returns
    -------
    tuple of (numpy.ndarray of int64, pyarrow.LargeStringArray)
        Both as long as there are items.
    """
    array = arrow(df, name)
    if is_list(array.type):
        rows = _integers(pc.list_parent_indices(array))
        values = pc.list_flatten(array).cast(pa.large_string())
    else:
        rows = np.arange(len(array), dtype=np.int64)
        values = array.cast(pa.large_string())
    if values.null_count:
        keep = pc.is_valid(values)
        return rows[numpy(keep)], values.filter(keep)
    return rows, values


def wide(df: pd.DataFrame, name: str) -> tuple[Ints, list[pa.LargeStringArray]]:
    """Give the items of a column of long texts as they lie, chunk by chunk, and the row of each.

    To join the chunks, as `flat` does, would copy a gigabyte.
    """
    require(df, name)
    array = pa.array(df[name].array, from_pandas=True)
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if not chunks or not all(is_list(chunk.type) for chunk in chunks):
        rows, values = flat(df, name)
        return rows, [values]
    parts, texts, begin = [np.empty(0, np.int64)], [], 0
    for chunk in chunks:
        rows = _integers(pc.list_parent_indices(chunk)) + begin
        values = pc.list_flatten(chunk).cast(pa.large_string())
        if values.null_count:
            keep = pc.is_valid(values)
            rows, values = rows[numpy(keep)], values.filter(keep)
        parts.append(rows)
        texts.append(values)
        begin += len(chunk)
    return np.concatenate(parts), texts


def coded(df: pd.DataFrame, name: str, *, fold: bool = False) -> Coded:
    """Encode a column of any kind.

    Parameters
    ----------
    df : pandas.DataFrame
        Any part of a mail frame.
    name : str
        A column: text, category, list of text, number or flag.
    fold : bool
        Whether values that differ only in case are one. Addresses are compared so: RFC 5321
        section 2.4 lets a host tell local parts apart by case, and advises against it.
    """
    if fold and name in OFTEN:
        return kept(df, (name,), partial(_coded, name=name, fold=True), f"folded {name}")
    return _coded(df, name, fold=fold)


def _coded(df: pd.DataFrame, name: str, *, fold: bool) -> Coded:
    array = arrow(df, name)
    if is_list(array.type):
        rows, array = flat(df, name)
        encoded = pc.dictionary_encode(array)
        codes = _integers(encoded.indices)
    else:
        encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
        dense = _integers(encoded.indices)
        rows = np.flatnonzero(dense >= 0)
        codes = dense if len(rows) == len(dense) else dense[rows]
    column = Coded(name, rows, codes, encoded.dictionary)
    if pa.types.is_string(column.labels.type):
        column = Coded(name, rows, codes, column.labels.cast(pa.large_string()))
    return column.merged(pc.utf8_lower(column.labels)) if fold else column


def together(
    df: pd.DataFrame, names: Sequence[str], name: str, *, fold: bool = False
) -> list[Coded]:
    """Encode several text or list columns over one common set of labels, in one pass."""
    parts = [flat(df, column) for column in names]
    chunks = pa.chunked_array([values for _, values in parts], pa.large_string())
    encoded = pc.dictionary_encode(chunks.combine_chunks())
    codes, labels = _integers(encoded.indices), encoded.dictionary
    if fold:
        encoded = pc.dictionary_encode(pc.utf8_lower(labels))
        codes, labels = _integers(encoded.indices)[codes], encoded.dictionary
    ends = np.cumsum([len(values) for _, values in parts])
    pieces = np.split(codes, ends[:-1])
    return [Coded(name, part[0], piece, labels) for part, piece in zip(parts, pieces, strict=True)]


def instants(moments: pd.Series[Any]) -> Ints:
    """Give a column of instants in microseconds of UTC."""
    if not isinstance(moments.dtype, (pd.DatetimeTZDtype, np.dtypes.DateTime64DType)):
        moments = pd.to_datetime(moments, utc=True)
    return moments.to_numpy(dtype="datetime64[us]").view(np.int64)


def stamps(values: Ints) -> pd.DatetimeIndex:
    """Give microseconds of UTC as pandas instants."""
    return pd.DatetimeIndex(values.view("datetime64[us]"), tz="UTC")


def flags(df: pd.DataFrame, name: str) -> Bools:
    """Give a flag column as plain booleans; a missing value is False."""
    require(df, name)
    return df[name].fillna(value=False).to_numpy(dtype=bool)


def sizes(df: pd.DataFrame) -> Ints:
    """Give the size of each message in octets, 0 where the server did not say."""
    require(df, "size")
    return df["size"].fillna(0).to_numpy(dtype=np.int64)


def labelled(df: pd.DataFrame, rows: Ints) -> pd.Index[Any]:
    """Give the frame's own labels of ``rows``, under a name, so that results lead back to it."""
    index = df.index[rows]
    return index if index.name or index.nlevels > 1 else index.rename("message")


def unique(keys: Ints) -> Ints:
    """Give the distinct integers in order; by sorting, several times as fast as NumPy's hashing."""
    keys = np.sort(keys)
    return keys[np.flatnonzero(starts_of(keys))]


def starts_of(keys: Ints) -> Bools:
    """Mark where a run of equal integers begins."""
    begins = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    return begins


def earliest(groups: Ints, values: Ints, total: int) -> Ints:
    """Give the smallest value of each group, the largest integer where a group is empty."""
    out = np.full(total, np.iinfo(np.int64).max)
    np.minimum.at(out, groups, values)
    return out


def latest(groups: Ints, values: Ints, total: int) -> Ints:
    """Give the largest value of each group, ``NEVER`` where a group is empty."""
    out = np.full(total, NEVER)
    np.maximum.at(out, groups, values)
    return out


def alphabetic(labels: pa.Array) -> Ints:
    """Give the rank of each label in the order of the labels."""
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[numpy(pc.array_sort_indices(labels))] = np.arange(len(labels))
    return ranks


def ranked(table: pd.DataFrame, by: str = "messages") -> pd.DataFrame:
    """Order a table by a column, largest first; ties in the order of its index."""
    order = np.lexsort((_ranks(table.index), -table[by].to_numpy()))
    return table.iloc[order]


def _ranks(index: pd.Index[Any]) -> Ints:
    ranks = np.empty(len(index), dtype=np.int64)
    ranks[index.argsort()] = np.arange(len(index))
    return ranks


def _integers(array: pa.Array) -> Ints:
    if array.null_count:
        array = pc.fill_null(array.cast(pa.int64()), -1)
    return numpy(array).astype(np.int64)
