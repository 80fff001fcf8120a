"""The columns of a folder's file: those of the frame, further headers, and the store's own.

A full fetch counts the malformed values of the header fields asked for in ``defects``. Another day
other fields are asked for, so the store counts apart: ``defects`` for the frame's own fields, and
beside each further column ``X`` a flag ``X_mended``. What is shown adds up those that are shown.

What is told beside headers (attachments, labels, ids) is held like a further header field, under a
name that begins with a colon, which no header field has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.frame.batch import MENDED
from mailframe.frame.extras import parse_extras
from mailframe.frame.schema import ATTACHMENTS, EXTRAS, INSTANT, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.frame.extras import Extra

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)

# Kept for every row: when it came into the store, and when its flags last changed there.
STORED = "stored_at"
CHANGED = "changed_at"
BOOKKEEPING = (pa.field(STORED, INSTANT, nullable=False), pa.field(CHANGED, INSTANT))
_OWN = {field.name for field in BOOKKEEPING}
FLAG_COLUMNS = ("seen", "answered", "flagged", "draft", "deleted", "keywords")

_MOST_DEFECTS = 255  # the column is one octet wide


def canonical(headers: Iterable[str]) -> tuple[str, ...]:
    """Return names of header fields in the one form in which the store compares them.

    Raises
    ------
    ConfigurationError
        One is no name of a header field, or its column would be one of the store's own.
    """
    extras = parse_extras(headers)
    for extra in extras:
        if extra.column in _OWN or extra.column.endswith(MENDED):
            raise ConfigurationError(
                f"A store has a column {extra.column!r} of its own: read that header without store="
            )
    return tuple(_name(extra) for extra in extras)


ATTACHED = ":attachments"  # all columns of them


def is_beside(name: str) -> bool:
    """Tell what is told beside headers from a header field."""
    return name.startswith(":")


def headers_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return those names that are header fields'."""
    return tuple(name for name in names if not is_beside(name))


def beside_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return those names that are of what is told beside headers."""
    return tuple(name for name in names if is_beside(name))


def beside_fields(names: Iterable[str]) -> list[pa.Field]:
    """Return the columns of what is told beside headers."""
    fields: list[pa.Field] = []
    for name in beside_of(names):
        fields += ATTACHMENTS if name == ATTACHED else [EXTRAS.field(name.removeprefix(":"))]
    return fields


def _name(extra: Extra) -> str:
    return f"{extra.field}{':all' if extra.every else ''}:{extra.form}"


def united(held: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
    """Return the header fields to hold from now on; of two forms of one column, that asked for."""
    new = tuple(name for name in asked if name not in held)
    replaced = {extra.column for extra in parse_extras(headers_of(new))}
    fields = parse_extras(headers_of(held))
    kept = (_name(extra) for extra in fields if extra.column not in replaced)
    beside = dict.fromkeys(beside_of((*held, *new)))
    return (*kept, *headers_of(new), *beside)


def stored_schema(headers: Sequence[str]) -> pa.Schema:
    """Return the schema of a file that holds these further header fields."""
    extras = parse_extras(headers_of(headers))
    return pa.schema(
        [
            *SCHEMA,
            *(pa.field(extra.column, extra.type) for extra in extras),
            *(pa.field(extra.column + MENDED, pa.bool_()) for extra in extras),
            *beside_fields(headers),
            *BOOKKEEPING,
        ]
    )


def needed(schema: pa.Schema) -> list[str]:
    """Return the names of the columns, as far as there are such, that `shown` makes these of."""
    return [*schema.names, *(name + MENDED for name in schema.names)]


def conformed(rows: Rows, schema: pa.Schema) -> Rows:
    """Return rows with exactly the columns of a schema; null where they have no such one."""
    held = {field.name: (place, field.type) for place, field in enumerate(rows.schema)}
    columns = []
    for field in schema:
        place, kind = held.get(field.name, (-1, None))
        same = kind == field.type  # a header may be held in another form
        columns.append(rows.column(place) if same else pa.nulls(rows.num_rows, field.type))
    return type(rows).from_arrays(columns, schema=schema)


def has(schema: pa.Schema, field: pa.Field) -> bool:
    """Whether there is a column of that name and type: a header may be held in another form."""
    return field.name in schema.names and schema.field(field.name).type == field.type


def shown(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return stored rows as rows of a frame.

    Parameters
    ----------
    schema : pyarrow.Schema
        The columns wanted; a further header column that the rows lack is null.
    """
    rows = conformed(batch, schema)
    mended = [
        batch[field.name + MENDED]
        for field in schema
        if field.name + MENDED in batch.schema.names and has(batch.schema, field)
    ]
    if "defects" not in schema.names or not mended:
        return rows
    total = pc.cast(batch["defects"], pa.int32())
    for column in mended:
        total = pc.add(total, pc.cast(pc.fill_null(column, fill_value=False), pa.int32()))
    place = schema.get_field_index("defects")
    total = pc.cast(pc.min_element_wise(total, _MOST_DEFECTS), pa.uint8())
    return rows.set_column(place, schema.field(place), total)
