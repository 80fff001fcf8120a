"""What is attached to mail: one row for each file, and sums by type, size and sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import people, vectors

if TYPE_CHECKING:
    from mailframe.stats.vectors import Ints

NAMES, TYPES, SIZES = "attachment_names", "attachment_types", "attachment_sizes"
HINT = "read the mail with attachments=True"
# Where a file begins to be hard to send, at powers of ten; of those below, all are small.
CLASSES = {"below 100 kB": 100_000, "below 1 MB": 1_000_000, "below 10 MB": 10_000_000}
LARGER, UNKNOWN = "10 MB or more", "unknown"


def attachments(df: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """List attachments, or add them up; see ``df.mail.attachments``."""
    vectors.require(df, NAMES, TYPES, SIZES, hint=HINT)
    rows, names = _items(df, NAMES)
    _, types = _items(df, TYPES)
    _, sizes = _items(df, SIZES)
    octets = sizes.cast(pa.int64())
    if by is None:
        index = vectors.labelled(df, rows)
        table = pd.DataFrame(
            {
                "name": vectors.text(pc.if_else(pc.equal(names, ""), None, names)),
                "type": vectors.text(types),
                "bytes": pd.array(octets.to_pylist(), dtype="Int64"),
            },
            index=index,
        )
        return table.sort_values("bytes", ascending=False, kind="stable", na_position="last")
    known = vectors.numpy(pc.fill_null(octets, 0)).astype(np.int64)
    group, labels = _groups(df, by, rows, types, octets)
    inside = group >= 0
    table = _sums(group[inside], rows[inside], known[inside], labels)
    if by == "size":
        order = [name for name in [*CLASSES, LARGER, UNKNOWN] if name in table.index]
        return table.loc[order]
    return vectors.ranked(table, "bytes")


def _items(df: pd.DataFrame, name: str) -> tuple[Ints, pa.Array]:
    """Give the items of a column of lists, with the row of each; nulls stay."""
    array = vectors.arrow(df, name)
    if not vectors.is_list(array.type):  # nothing but nulls
        array = pa.nulls(len(array), pa.list_(pa.large_string()))
    kind = pa.int64() if name == SIZES else pa.large_string()
    rows = vectors.numpy(pc.list_parent_indices(array)).astype(np.int64)
    return rows, pc.list_flatten(array).cast(kind)


def _groups(
    df: pd.DataFrame, by: str, rows: Ints, types: pa.Array, octets: pa.Array
) -> tuple[Ints, pd.Index[str]]:
    """Give the group of each attachment, -1 for none, and what the groups are called."""
    if by == "type":
        encoded = types.dictionary_encode()
        labels = pd.Index(encoded.dictionary.to_pylist(), dtype="str", name=by)
        return vectors.numpy(encoded.indices).astype(np.int64), labels
    if by == "size":
        names = [*CLASSES, LARGER, UNKNOWN]
        known = vectors.numpy(pc.fill_null(octets, -1)).astype(np.int64)
        group = np.searchsorted([*CLASSES.values()], known, side="right")
        return np.where(known < 0, len(names) - 1, group), pd.Index(names, dtype="str", name=by)
    keyed = people.key(df, by)
    return keyed.dense(len(df))[rows], keyed.index(by)


def _sums(group: Ints, rows: Ints, octets: Ints, labels: pd.Index[str]) -> pd.DataFrame:
    total = len(labels)
    counts = np.bincount(group, minlength=total)
    mass = np.bincount(group, octets.astype(np.float64), total)
    largest = np.zeros(total, dtype=np.int64)
    np.maximum.at(largest, group, octets)
    pairs = np.unique(np.stack([group, rows]), axis=1)
    table = pd.DataFrame(
        {
            "attachments": counts,
            "messages": np.bincount(pairs[0], minlength=total),
            "bytes": mass.astype(np.int64),
            "share": mass / max(float(octets.sum()), 1.0),
            "largest": largest,
        },
        index=labels,
    )
    return table[counts > 0]
