r"""Arrow columns as text: cells of a CSV file, values of JSON Lines (RFC 8259).

Whole columns at a time, by Arrow's kernels; Python looks at single values only where a type has
no kernel. Instants are RFC 3339 in UTC. In CSV, lists join with ``"; "``, and what a
spreadsheet would run as a formula gets an apostrophe in front: mail is written by strangers, and
``=HYPERLINK(...)`` is a valid subject (OWASP, CSV injection).
"""

from __future__ import annotations

import json
import math
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import TEXT

SEPARATOR = "; "

# What starts a formula; full-width forms included, as programs for East Asian text take them for
# the plain ones. Before it may stand what some programs skip.
_STARTER = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = rf"^(?:[\s\pZ]*{_STARTER}|[\t\r\n])"
# What separates cells, somewhere. A spreadsheet set to another separator than the file's own takes
# no notice of most quotation marks, and cuts a cell where its separator stands.
_SEPARATORS = ",;\t|\r\n"
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
    foreign = _SEPARATORS.replace(separator, "")
    inside = rf'([{foreign}][\s\pZ"]*)({_STARTER})'
    if pc.any(pc.match_substring_regex(text, inside)).as_py():
        text = pc.replace_substring_regex(text, inside, r"\1'\2")
    dangerous = pc.match_substring_regex(text, _FORMULA)
    if not pc.any(dangerous).as_py():
        return text
    quoted = pc.binary_join_element_wise(pa.scalar("'", TEXT), text, pa.scalar("", TEXT))
    return pc.if_else(dangerous, quoted, text)


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
    with suppress(pa.ArrowInvalid):
        column = column.cast(pa.timestamp("s", column.type.tz))
    return pc.replace_substring(column.cast(TEXT), " ", "T", max_replacements=1)


def _joined(column: pa.Array) -> pa.Array:
    values = pc.fill_null(_text(column.flatten()), pa.scalar("", TEXT))
    return pc.binary_join(_relisted(column, values), pa.scalar(SEPARATOR, TEXT))


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
