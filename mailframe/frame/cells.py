r"""Arrow columns as text: cells of a CSV file, values of JSON Lines (RFC 8259).

Whole columns at a time, by Arrow's kernels; Python looks at single values only where a type has
no kernel. Instants are RFC 3339 in UTC. In CSV, lists join with ``"; "``, and what a
spreadsheet would run as a formula gets an apostrophe in front: mail is written by strangers, and
``=HYPERLINK(...)`` is a valid subject (OWASP, CSV injection).

Both can be taken back: a cell that looks as if it had such an apostrophe already gets one more, and
where an item holds ``"; "`` itself (a Received field does) a backslash stands in front of it, with
backslashes before it, or at the item's end, doubled.
"""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import TEXT

SEPARATOR = "; "

# What starts a formula; full-width and small forms included, as programs for East Asian text take
# them for the plain ones. Before it may stand what some programs skip: blanks, controls, formats
# (U+FEFF), marks on nothing, and the letters that are none (Unicode, Default_Ignorable).
_STARTER = "[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
_SKIPPED = r"\s\pZ\pC\pM\x{115f}\x{1160}\x{3164}\x{ffa0}"
_STARTS = rf"'*(?:[{_SKIPPED}]*{_STARTER}|[\t\r\n])"
_FORMULA = f"^{_STARTS}"
_NEUTRALISED = f"(?s)^'({_STARTS}.*)$"
# What separates cells, somewhere. A spreadsheet set to another separator than the file's own takes
# no notice of most quotation marks, and cuts a cell where its separator stands.
_SEPARATORS = ",;\t|\r\n"
# Backslashes before a separator inside an item, and those at its end.
_INSIDE = r"(\\*); "
_ENDING = r"(\\+)$"
_EITHER = re.compile(r"(\\*); ")
_DAY_AND_CLOCK = (pa.date32(), pa.time32("s"))
_CONTROL = "[\x00-\x1f]"


def csv_cells(column: pa.Array, *, escape: bool = True, separator: str = ",") -> pa.Array:
    """Give a column as the CSV writer takes it: numbers and booleans as they are, else text.

    Parameters
    ----------
    column : pyarrow.Array
        Of any type.
    escape : bool
        Put an apostrophe before text that a spreadsheet would run.
    separator : str
        The file's own.
    """
    column = _decoded(column)
    kind = column.type
    if _is_plain(kind):
        return column
    if pa.types.is_timestamp(kind):
        return _instants(column)
    text = _joined(column) if _is_list(kind) else _text(column)
    return neutralised(text, separator) if escape else text


def neutralised(text: pa.Array, separator: str = ",") -> pa.Array:
    """Put an apostrophe before what a spreadsheet would run as a formula.

    That is, at the start of a cell, and behind anything in it that another separator than the
    file's own could be.
    """
    inside = _behind(separator, f"('*{_STARTER})")
    if pc.any(pc.match_substring_regex(text, inside)).as_py():
        text = pc.replace_substring_regex(text, inside, r"\1'\2")
    dangerous = pc.match_substring_regex(text, _FORMULA)
    if not pc.any(dangerous).as_py():
        return text
    quoted = pc.binary_join_element_wise(pa.scalar("'", TEXT), text, pa.scalar("", TEXT))
    return pc.if_else(dangerous, quoted, text)


def plain_texts(text: pa.Array, separator: str = ",") -> pa.Array:
    """Take back what `neutralised` put in."""
    text = pc.replace_substring_regex(text, _NEUTRALISED, r"\1")
    inside = _behind(separator, f"'('*{_STARTER})")
    return pc.replace_substring_regex(text, inside, r"\1\2")


def _behind(separator: str, what: str) -> str:
    """Give the pattern of something behind a separator that is not the file's own."""
    return rf'([{_SEPARATORS.replace(separator, "")}][{_SKIPPED}"]*){what}'


def split_lists(text: pa.Array) -> pa.Array:
    """Take apart what was joined to cells; an empty cell is an empty list.

    Parameters
    ----------
    text : pyarrow.LargeStringArray
        Cells of a column of lists.

    Returns
    -------
    pyarrow.ListArray of string
        Null where the cell is.
    """
    if pc.any(pc.match_substring(text, "\\")).as_py():
        cells = [None if cell is None else _items(cell) for cell in text.to_pylist()]
        return pa.array(cells, pa.list_(pa.string()))
    lists = pc.split_pattern(text, SEPARATOR)
    empty = pa.scalar([], lists.type)
    return pc.if_else(pc.equal(text, ""), empty, lists).cast(pa.list_(pa.string()))


def _items(cell: str) -> list[str]:
    """Take one cell apart: before a separator, an odd number of backslashes keeps it inside."""
    if not cell:
        return []
    items, begun, start = [], "", 0
    for found in _EITHER.finditer(cell):
        half, kept = divmod(len(found[1]), 2)
        begun += cell[start : found.start()] + "\\" * half
        start = found.end()
        if kept:
            begun += SEPARATOR
        else:
            items.append(begun)
            begun = ""
    begun += cell[start:]
    bare = begun.rstrip("\\")
    return [*items, bare + "\\" * ((len(begun) - len(bare)) // 2)]


def json_values(column: pa.Array) -> pa.Array:
    """Give a column as JSON text, one value a row, never null (``"null"`` where it was)."""
    column = _decoded(column)
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        text = column.cast(TEXT)
    elif pa.types.is_floating(kind):  # JSON knows neither NaN nor infinity
        text = pc.if_else(pc.is_finite(column), column, None).cast(TEXT)
    elif pa.types.is_timestamp(kind):
        text = _quoted(_instants(column))
    elif _is_list(kind) and _is_text(kind.value_type):
        text = _json_lists(column)
    elif _is_list(kind) or pa.types.is_nested(kind):
        values = [None if v is None else _json(v) for v in column.to_pylist()]
        text = pa.array(values, TEXT)
    else:
        text = _quoted(_escaped(_text(column)))
    return pc.fill_null(text, pa.scalar("null", TEXT))


def _json(value: object) -> str:
    return json.dumps(_finite(value), default=str)


def _finite(value: object) -> object:
    """Take out the numbers that JSON does not know, however deep they stand."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text(column: pa.Array) -> pa.Array:
    """Cast to text; bytes that are not UTF-8 and types without a cast go value by value."""
    try:
        return column.cast(TEXT)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_as_text(value) for value in column.to_pylist()], TEXT)


def _as_text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)


def _instants(column: pa.Array) -> pa.Array:
    """Give timestamps as RFC 3339, whole seconds where nothing is lost by it."""
    zone = column.type.tz
    with suppress(pa.ArrowInvalid):
        column = column.cast(pa.timestamp("s", zone))
        if zone in {None, "UTC"}:
            # To write one costs 2 us; a mailbox has few days, and a day 86,400 seconds.
            plain = column.cast(pa.timestamp("s"))
            day, clock = (_distinct_texts(plain.cast(kind)) for kind in _DAY_AND_CLOCK)
            ending = pa.scalar("Z" if zone else "", TEXT)
            return pc.binary_join_element_wise(
                pc.binary_join_element_wise(day, clock, pa.scalar("T", TEXT)),
                ending,
                pa.scalar("", TEXT),
            )
    return pc.replace_substring(column.cast(TEXT), " ", "T", max_replacements=1)


def _distinct_texts(column: pa.Array) -> pa.Array:
    """Cast to text, each distinct value once."""
    encoded = column.dictionary_encode()
    return encoded.dictionary.cast(TEXT).take(encoded.indices)


def _joined(column: pa.Array) -> pa.Array:
    items = column.flatten()
    text = _instants(items) if pa.types.is_timestamp(items.type) else _text(items)
    values = pc.fill_null(text, pa.scalar("", TEXT))
    values = pc.replace_substring_regex(values, _INSIDE, r"\1\1\\; ")
    values = pc.replace_substring_regex(values, _ENDING, r"\1\1")
    joined = pc.binary_join(_relisted(column, values), pa.scalar(SEPARATOR, TEXT))
    # One item with nothing in it is no empty list; a lone backslash says that and nothing else.
    blank = pc.and_(pc.equal(joined, ""), pc.equal(pc.list_value_length(column), 1))
    return pc.if_else(blank, pa.scalar("\\", TEXT), joined)


def _json_lists(column: pa.Array) -> pa.Array:
    values = pc.fill_null(_quoted(_escaped(_text(column.flatten()))), pa.scalar("null", TEXT))
    inside = pc.binary_join(_relisted(column, values), pa.scalar(", ", TEXT))
    return _wrapped("[", inside, "]")


def _relisted(column: pa.Array, values: pa.Array) -> pa.Array:
    """Put other values into the lists of a column; its own may start anywhere (a slice)."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64())
    ends = pc.cumulative_sum(lengths)
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    return pa.LargeListArray.from_arrays(offsets, values, mask=pc.is_null(column))


def _escaped(text: pa.Array) -> pa.Array:
    text = pc.replace_substring(text, "\\", "\\\\")
    text = pc.replace_substring(text, '"', '\\"')
    if pc.any(pc.match_substring_regex(text, _CONTROL)).as_py():
        for code in range(32):
            text = pc.replace_substring(text, chr(code), f"\\u{code:04x}")
    return text


def _quoted(text: pa.Array) -> pa.Array:
    return _wrapped('"', text, '"')


def _wrapped(before: str, text: pa.Array, after: str) -> pa.Array:
    parts = pa.scalar(before, TEXT), text, pa.scalar(after, TEXT), pa.scalar("", TEXT)
    return pc.binary_join_element_wise(*parts)
