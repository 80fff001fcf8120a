"""Tables as a workbook of Excel (ECMA-376): a sheet of rows, or several sheets.

Text is stored as text, and what would be a formula if somebody typed it again gets an apostrophe
in front, as in CSV. Excel knows no zones: instants are given in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError, MailframeError, because
from mailframe.frame.cells import csv_cells
from mailframe.frame.export import Formulas
from mailframe.frame.outgoing import frame_schema, to_batches
from mailframe.ground.whole import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pandas as pd

ROWS, COLUMNS, LETTERS = 1_048_576, 16_384, 32_767  # what a sheet and a cell hold
UNWRITABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"  # characters that XML 1.0 has none of
NAME = 31  # letters of a sheet's name
FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))


def to_excel(
    df: pd.DataFrame | Mapping[str, pd.DataFrame],
    path: str | os.PathLike[str],
    *,
    formulas: Formulas = "escape",
) -> None:
    """Write a table, or several, as an Excel workbook; needs ``pip install mailframe[excel]``.

    Parameters
    ----------
    df : pandas.DataFrame or mapping of str to DataFrame
        One sheet "mail", or a sheet for each name: ``df.mail.describe().tables()`` is such a
        mapping. An index that has a name comes along as a column.
    path : path
        Ends in .xlsx; an existing file is replaced, at once and only when the new one is whole.
    formulas : {"escape", "keep"}
        Whether text that would be a formula, were it typed, gets an apostrophe in front. Stored
        it is as text in any case, and nothing runs when the file is opened.

    Raises
    ------
    ConfigurationError
        The name has another ending, a table is larger than a sheet (1,048,576 rows, 16,384
        columns), a text is longer than a cell (32,767 letters), or openpyxl is not installed.

    Notes
    -----
    Lists join with ``"; "``; instants are in UTC, without a zone, since Excel has none; control
    characters become U+FFFD.
    """
    try:
        from openpyxl import Workbook  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise ConfigurationError(
            'to_excel() needs openpyxl: pip install "mailframe[excel]"; to_csv() does without'
        ) from error
    if not str(path).lower().endswith(".xlsx"):
        raise ConfigurationError(f"to_excel() writes a workbook: let {str(path)!r} end in .xlsx")
    if formulas not in get_args(Formulas):
        raise ConfigurationError(f'formulas={formulas!r} is neither "escape" nor "keep"')
    sheets = dict(df) if isinstance(df, Mapping) else {"mail": df}
    book = Workbook(write_only=True)
    for name, table in sheets.items():
        sheet = book.create_sheet(_sheet_name(name, book.sheetnames))
        for row in _rows(table, escape=formulas == "escape"):
            cells = [_cell(sheet, value) for value in row]
            try:
                sheet.append(cells)  # to a temporary file of openpyxl's
            except OSError as error:
                raise MailframeError(f"{path} cannot be written: {because(error)}") from error
    if not sheets:
        book.create_sheet("mail")
    with replacing(path) as file:
        book.save(file)


def _sheet_name(name: str, taken: list[str]) -> str:
    plain = name.translate(FORBIDDEN).strip("'")[:NAME] or "mail"
    lower = {one.lower() for one in taken}
    number = 1
    unique = plain
    while unique.lower() in lower:
        number += 1
        unique = f"{plain[: NAME - len(str(number)) - 1]} {number}"
    return unique


def _cell(sheet: Any, value: object) -> object:  # noqa: ANN401 -- openpyxl has no types
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 -- as above

    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"  # never "f", whatever it begins with
    return cell


def _rows(df: pd.DataFrame, *, escape: bool) -> Iterator[tuple[object, ...]]:
    schema = frame_schema(df)
    if len(df) >= ROWS or len(schema) > COLUMNS:
        raise ConfigurationError(
            f"a sheet holds {ROWS - 1:,} rows below its heading and {COLUMNS:,} columns, and this "
            f"table has {len(df):,} and {len(schema):,}: write a part of it, or CSV or Parquet"
        )
    yield tuple(_texts(csv_cells(pa.array(schema.names), escape=escape)))
    for batch in to_batches(df):
        cells = [_values(column, escape=escape) for column in batch.columns]
        yield from zip(*cells, strict=True)


def _values(column: pa.Array, *, escape: bool) -> list[object]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        # Microseconds in UTC, and then no zone.
        plain = column.cast(pa.timestamp("us", kind.tz)).cast(pa.timestamp("us"))
        return _dated(plain)
    if pa.types.is_floating(kind):
        return [
            value if value is None or abs(value) < float("inf") else str(value)
            for value in pc.if_else(pc.is_nan(column), None, column).to_pylist()
        ]
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        values: list[object] = column.to_pylist()
        return values
    if pa.types.is_duration(kind):  # in days, as Excel counts
        return [
            None if value is None else value.total_seconds() / 86_400
            for value in column.to_pylist()
        ]
    return list(_texts(csv_cells(column, escape=escape)))


def _dated(moments: pa.Array) -> list[object]:
    """Give instants as Excel has them: from 1900 on; others as text."""
    late = pc.greater_equal(pc.year(moments), 1900)
    texts = pc.strftime(moments, "%Y-%m-%d %H:%M:%S").to_pylist()
    return [
        value if fits else text
        for value, fits, text in zip(moments.to_pylist(), late.to_pylist(), texts, strict=True)
    ]


def _texts(cells: pa.Array) -> list[str | None]:
    text = cells.cast(pa.large_string())
    longest = pc.max(pc.utf8_length(text)).as_py() or 0
    if longest > LETTERS:
        raise ConfigurationError(
            f"a cell of Excel holds {LETTERS:,} letters, and a text here has {longest:,}: leave "
            "its column out, or write CSV or Parquet"
        )
    words: list[str | None] = pc.replace_substring_regex(
        text, UNWRITABLE, "\N{REPLACEMENT CHARACTER}"
    ).to_pylist()
    return words
