"""What mail is about, and what it was written with: base subjects, and programs.

A base subject is that of RFC 5256 section 2.1, without "Re:", "Fwd:" and "[tags]"; programs name
themselves in User-Agent, or in X-Mailer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.stats import subjects, vectors
from mailframe.stats.profiles import profile

if TYPE_CHECKING:
    from typing import Any

    from mailframe.stats.vectors import Coded

CLIENTS = ("user_agent", "x_mailer")
TAG = re.compile(r"\[([^\[\]]*)\]")
# What a browser calls itself says nothing; the last product that it names does.
COMPATIBLE = r"^Mozilla/.*[\s)](?P<found>[A-Za-z][\w.-]*)/[\w.]+[^/]*$"
# A name ends where a version begins: "Mutt/1.5", "Outlook 16.0", "Mail (2.34)", "Gnus v5".
PRODUCT = r"^\s*(?P<found>[^\s/(,].*?)(?:/|\s*[(,\[]|\s+[vV]?\d|\s*$)"


def by_subject(df: pd.DataFrame, *, local: bool) -> pd.DataFrame:
    """Tell of each base subject; see ``df.mail.subjects``."""
    vectors.require(df, "subject")
    subject = vectors.coded(df, "subject")
    labels = subjects.translated(subject.labels) if local else subject.labels
    bases, _ = subjects.base(labels, local=local)
    merged = subject.merged(bases)
    table = profile(df, merged, "subject")
    table.insert(1, "people", _senders(df, merged, table.index))
    table.insert(2, "tags", _tags(subject, labels, merged, table.index))
    return table


def _senders(df: pd.DataFrame, of: Coded, index: pd.Index[Any]) -> pd.Series[Any]:
    """Count the distinct senders of each value."""
    if "from_addr" not in df.columns:
        return pd.Series(0, index)
    who = vectors.coded(df, "from_addr", fold=True)
    width = max(len(who.labels), 1)
    person = who.dense(len(df))[of.rows]
    pairs = vectors.unique((of.codes * width + person)[person >= 0])
    counts = np.bincount(pairs // width, minlength=len(of.labels))
    return pd.Series(counts, of.index(str(index.name))).reindex(index)


def _tags(subject: Coded, labels: pa.Array, merged: Coded, index: pd.Index[Any]) -> pd.Series[Any]:
    """Collect the [tags] in front of each base subject, in the order of the messages."""
    base = np.full(len(subject.labels), -1, dtype=np.int64)
    base[subject.codes] = merged.codes
    first = np.full(len(subject.labels), len(subject.rows))
    first[subject.codes[::-1]] = np.arange(len(subject.codes))[::-1]
    found: dict[int, dict[str, None]] = {}
    tagged = np.flatnonzero(vectors.numpy(pc.match_substring(labels, "[")) & (base >= 0))
    tagged = tagged[np.argsort(first[tagged], kind="stable")]
    leading = _in_front(labels.take(pa.array(tagged)))
    for place, text in zip(base[tagged].tolist(), leading.to_pylist(), strict=True):
        found.setdefault(place, {}).update(dict.fromkeys(TAG.findall(text)))
    places = sorted(found)
    counts = np.zeros(len(merged.labels), dtype=np.int64)
    counts[places] = [len(found[place]) for place in places]
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    items = pa.array([tag for place in places for tag in found[place]], pa.string())
    array = pd.arrays.ArrowExtensionArray(pa.ListArray.from_arrays(offsets, items))
    return pd.Series(array, merged.index(str(index.name))).reindex(index)


def _in_front(labels: pa.Array) -> pa.Array:
    """Give what stands before the words of a subject: marks of replies and tags."""
    text = pc.replace_substring_regex(labels, r"\s+", " ")
    return pc.fill_null(pc.struct_field(pc.extract_regex(text, subjects.FRONT), "found"), "")


def clients(df: pd.DataFrame) -> pd.DataFrame:
    """Tell of each program that mail was written with; see ``df.mail.clients``."""
    held = [name for name in CLIENTS if name in df.columns]
    if not held:
        raise ConfigurationError(
            "this needs a column 'user_agent' or 'x_mailer': read the mail with "
            'headers=["User-Agent", "X-Mailer"]'
        )
    texts = pc.coalesce(*[_said(df, name) for name in held])
    rows = np.flatnonzero(vectors.numpy(texts.is_valid()))
    encoded = texts.drop_null().dictionary_encode()
    said = vectors.Coded("client", rows, vectors.numpy(encoded.indices), encoded.dictionary)
    named = pc.coalesce(
        pc.struct_field(pc.extract_regex(said.labels, COMPATIBLE), "found"),
        pc.struct_field(pc.extract_regex(said.labels, PRODUCT), "found"),
        said.labels,
    )
    merged = said.merged(named)
    table = profile(df, merged, "client")
    table.insert(1, "people", _senders(df, merged, table.index))
    width = max(len(said.labels), 1)
    pairs = vectors.unique(merged.codes * width + said.codes)
    versions = np.bincount(pairs // width, minlength=len(merged.labels))
    table.insert(2, "versions", pd.Series(versions, merged.index("client")).reindex(table.index))
    return table


def _said(df: pd.DataFrame, name: str) -> pa.Array:
    """Give a field of each row, the first where there are several; null where it says nothing."""
    rows, values = vectors.flat(df, name)
    starts = vectors.starts_of(rows)
    where = np.full(len(df), -1, dtype=np.int64)
    where[rows[starts]] = np.flatnonzero(starts)
    texts = values.take(pa.array(np.maximum(where, 0), mask=where < 0))
    texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"\s+", " "))
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
