"""A CSV file of ours as the frame it was made of.

CSV keeps text only; the types are known for the frame's own columns, and told by the names of
header fields for further ones. Of any other column the first cell decides: our writer quotes text
and nothing else. What the writer put in is taken out again (see `mailframe.frame.cells`).
"""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mailframe.errors import ConfigurationError
from mailframe.frame.adapter import unsorted_frame
from mailframe.frame.cells import plain_texts, split_lists
from mailframe.frame.extras import DELIVERY, known_fields, parse_extras
from mailframe.frame.schema import KNOWN, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from mailframe.frame.export import Formulas

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # spreadsheets put one in front
_CELL = rb'("(?:[^"]|"")*"|[^"%b\n\r]*)([%b]|\r?\n|\r|$)'  # the separator is to be put in
_LOOKED_AT = 1 << 20  # octets in which the first cell of a column is looked for


def read_csv(
    path: str | os.PathLike[str] | IO[bytes],
    *,
    headers: Iterable[str] = DELIVERY,
    formulas: Formulas = "escape",
) -> pd.DataFrame:
    """Read a CSV file that `to_csv`, `open_writer` or ``mailframe fetch`` wrote.

    Parameters
    ----------
    path : path or binary file
        Compressed where its name ends in ``.gz``. What separates its cells is told by its first
        line.
    headers : iterable of str
        What further header fields the frame was read with, in the words of `read_imap`: it tells
        columns of lists and instants. Fields that are not named have their own form; others stay
        text.
    formulas : {"escape", "keep"}
        As the file was written.

    Returns
    -------
    pandas.DataFrame
        The columns of the file with the dtypes of a mail frame, rows in the order of the file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, is no CSV, or a cell is not what its column says.
    """
    octets = _octets(path)
    separator = _separator(octets)
    names, quoted = _beginning(octets, separator)
    types = _types(names, headers, quoted)
    text = {name: kind for name, kind in types.items() if kind is None}
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(octets),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: _raw(kind) for name, kind in types.items() if name not in text},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true", "True", "TRUE", "1"],
                false_values=["false", "False", "FALSE", "0"],
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise ConfigurationError(
            f"{_name(path)} is not a CSV file as mailframe writes it: {str(error).splitlines()[0]}"
        ) from error
    columns = {
        _taken_back(pa.array([name]), separator, formulas)[0].as_py(): _column(
            _taken_back(table[name].combine_chunks(), separator, formulas), types[name]
        )
        for name in table.column_names
    }
    return unsorted_frame(pa.table(columns))


def _octets(path: str | os.PathLike[str] | IO[bytes]) -> bytes:
    try:
        if not isinstance(path, str | os.PathLike):
            octets = path.read()
        elif Path(path).name.lower().endswith(".gz"):
            octets = gzip.decompress(Path(path).expanduser().read_bytes())
        else:
            octets = Path(path).expanduser().read_bytes()
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{_name(path)} cannot be read: {reason}") from error
    return octets.removeprefix(_BYTE_ORDER_MARK)


def _name(path: object) -> str:
    return str(path) if isinstance(path, str | os.PathLike) else "This file"


def _separator(octets: bytes) -> str:
    """Tell what stands behind the first name."""
    found = re.match(_CELL % (b",;\t", b",;\t"), octets)
    return found[2].decode() if found and found[2] in {b",", b";", b"\t"} else ","


def _beginning(octets: bytes, separator: str) -> tuple[list[str], dict[str, bool]]:
    """Tell the columns, and which of them have a quoted cell where they first have any."""
    rows = _rows(octets, separator.encode())
    names = [_unquoted(cell) for cell in next(rows, [])]
    quoted: dict[str, bool] = {}
    for row in rows:
        for name, cell in zip(names, row, strict=False):
            if cell:
                quoted.setdefault(name, cell.startswith(b'"'))
        if len(quoted) == len(names):
            break
    return names, quoted


def _rows(octets: bytes, separator: bytes) -> Iterator[list[bytes]]:
    cell = re.compile(_CELL % (separator, separator))
    at, row = 0, []
    while at < min(len(octets), _LOOKED_AT):
        found = cell.match(octets, at)
        if found is None:
            return
        row.append(found[1])
        at = found.end()
        if found[2] != separator:
            yield row
            row = []


def _unquoted(cell: bytes) -> str:
    text = cell.decode("utf-8", "replace")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _types(
    names: list[str], headers: Iterable[str], quoted: dict[str, bool]
) -> dict[str, pa.DataType | None]:
    """Give the type of each column; None where numbers and flags are to be told apart by Arrow."""
    known = {field.name: field.type for field in KNOWN}
    known |= {extra.column: extra.type for extra in parse_extras(headers)}
    for name in names:
        if name not in known:
            known[name] = known_fields().get(name, TEXT if quoted.get(name, True) else None)
    return {name: known[name] for name in names}


def _raw(kind: pa.DataType) -> pa.DataType:
    """Give the type that Arrow reads; lists are text until they are taken apart."""
    if pa.types.is_list(kind) or pa.types.is_dictionary(kind):
        return TEXT
    return kind


def _taken_back(array: pa.Array, separator: str, formulas: Formulas) -> pa.Array:
    text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    return plain_texts(array, separator) if text and formulas == "escape" else array


def _column(array: pa.Array, kind: pa.DataType | None) -> pa.Array:
    if kind is None or not pa.types.is_large_string(array.type):
        return array
    if pa.types.is_list(kind):
        lists = split_lists(array)
        if not pa.types.is_string(kind.value_type):
            told = lists.values  # noqa: PD011 -- an Arrow array
            items = pc.if_else(pc.equal(told, ""), None, told).cast(kind.value_type)
            lists = pa.ListArray.from_arrays(lists.offsets, items, mask=lists.is_null())
        return lists.cast(kind)
    return array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array
