"""DataFrames back to record batches, whatever was done to them: joined, filtered, indexed anew.

Columns are converted one by one, because what pandas holds in one column may be several Arrow
arrays (`pandas.concat` leaves them so), and because a column that Arrow has no type for costs
itself alone: it goes out as the text of its values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from mailframe.errors import ConfigurationError
from mailframe.frame.adapter import extension_dtype
from mailframe.frame.schema import KNOWN, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Rows of a batch made from a frame: large enough for vectors, small enough to stream.
_BATCH_ROWS = 1 << 16
# What pyarrow raises where it cannot convert: its own errors are of the first two classes.
_UNCONVERTIBLE = (ValueError, TypeError, NotImplementedError, OverflowError)


def to_batches(df: pd.DataFrame, *, rows: int = _BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Give a DataFrame back as record batches, whatever its columns.

    Columns that still have a mail frame's name and dtype take their type from ``KNOWN``; the
    type of the others is pandas' and Arrow's own choice, or text where they have none. Index
    levels with a name become columns: ``index_uid`` where there is another column ``uid``.

    Parameters
    ----------
    df : pandas.DataFrame
        Any that has columns.
    rows : int
        At most so many rows a batch.

    Yields
    ------
    pyarrow.RecordBatch
        All of `frame_schema`; none for an empty frame.

    Raises
    ------
    ConfigurationError
        There are no columns, or two of one name.
    """
    df = _flat(df)
    schema = frame_schema(df)
    for start in range(0, len(df), rows):
        part = df.iloc[start : start + rows]
        columns = [_array(part.iloc[:, place], field.type) for place, field in enumerate(schema)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def frame_schema(df: pd.DataFrame) -> pa.Schema:
    """Give the Arrow schema that `to_batches` uses for a DataFrame, and raises what it raises."""
    df = _flat(df)
    names = [str(name) for name in df.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        which = f"two columns of the name {twice[0]!r}; rename one" if twice else "no columns"
        raise ConfigurationError(f"This frame has {which}: no file could tell its values")
    return pa.schema([_field(name, df.iloc[:, place]) for place, name in enumerate(names)])


def _flat(df: pd.DataFrame) -> pd.DataFrame:
    """Make columns of the index levels that have a name, but for copies of a column."""
    if df.index.nlevels == 1 and df.index.name is None:
        return df
    levels = {}
    for number, name in enumerate(df.index.names):
        values = df.index.get_level_values(number)
        if name in df.columns:
            if values.equals(pd.Index(df[name])):
                continue
            name = f"index_{name}"  # noqa: PLW2901 -- pandas would refuse the frame
        elif name is None:  # a level without a name beside one that has one
            name = f"level_{number}"  # noqa: PLW2901 -- as pandas calls it
        levels[name] = values.array
    return pd.concat([pd.DataFrame(levels), df.reset_index(drop=True)], axis=1)


def _field(name: str, column: pd.Series) -> pa.Field:
    known = KNOWN.field(name) if name in KNOWN.names else None
    if known is not None and _same_dtype(column.dtype, known):
        return known.with_nullable(known.nullable or bool(column.hasnans))
    return pa.field(name, _type(column))


def _type(column: pd.Series) -> pa.DataType:
    """Give the type that all values of a column fit."""
    # Only Python objects must be looked at to know what they are.
    looked_at = column if column.dtype == object else column.iloc[:0]
    try:
        kind = pa.array(looked_at.array, from_pandas=True).type
    except _UNCONVERTIBLE:
        return TEXT
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return TEXT if isinstance(inner, pa.BaseExtensionType) else kind


def _array(column: pd.Series, kind: pa.DataType) -> pa.Array:
    try:
        array = pa.array(column.array, kind, from_pandas=True)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        return array if array.type == kind else array.cast(kind)
    except _UNCONVERTIBLE:
        values = zip(column.astype(object), column.isna(), strict=True)
        return pa.array([None if missing else _words(value) for value, missing in values], kind)


def _words(value: object) -> str:
    # Halves of surrogate pairs are text to Python and to nobody else.
    return str(value).encode("utf-8", "replace").decode()


def _same_dtype(dtype: object, field: pa.Field) -> bool:
    if pa.types.is_dictionary(field.type):
        return isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype == "str"
    expected = extension_dtype(field.type) or pa.array([], field.type).to_pandas().dtype
    return bool(dtype == expected)
