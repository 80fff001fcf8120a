"""A JSON Lines file of ours as the frame it was made of.

JSON knows text, numbers, lists and truth; instants come as text and are cast. The types of the
frame's own columns and of well-known header fields are known; of any other Arrow tells.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.json

from mailframe.errors import ConfigurationError
from mailframe.frame.adapter import unsorted_frame
from mailframe.frame.extras import known_fields
from mailframe.frame.schema import KNOWN, SCHEMA, TEXT

if TYPE_CHECKING:
    import os

    import pandas as pd


def read_jsonl(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a JSON Lines file that `to_jsonl`, `open_writer` or ``mailframe fetch`` wrote.

    Parameters
    ----------
    path : path
        Compressed where its name ends in ``.gz``.

    Returns
    -------
    pandas.DataFrame
        The columns of the file with the dtypes of a mail frame, rows in the order of the file.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or is not JSON Lines.
    """
    octets = Path(path).read_bytes()
    if str(path).lower().endswith(".gz"):
        octets = gzip.decompress(octets)
    if not octets.strip():
        return unsorted_frame(SCHEMA.empty_table())
    known = dict(known_fields()) | {field.name: field.type for field in KNOWN}
    first = pa.schema([(name, _read_as(kind)) for name, kind in known.items()])
    how = pyarrow.json.ParseOptions(explicit_schema=first, unexpected_field_behavior="infer")
    try:
        table = pyarrow.json.read_json(pa.BufferReader(octets), parse_options=how)
    except pa.ArrowInvalid as error:
        raise ConfigurationError(
            f"{path} is not JSON Lines as mailframe writes them: {str(error).splitlines()[0]}"
        ) from error
    written = json.loads(octets.partition(b"\n")[0])  # every line has every column
    columns = {name: _cast(table[name].combine_chunks(), known.get(name)) for name in written}
    return unsorted_frame(pa.table(columns))


def _read_as(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) or pa.types.is_dictionary(kind):
        return TEXT
    return kind


def _cast(array: pa.Array, kind: pa.DataType | None) -> pa.Array:
    if kind is None or array.type == kind:
        return array
    if pa.types.is_dictionary(kind):
        return array.dictionary_encode().cast(kind)
    return array.cast(kind)
