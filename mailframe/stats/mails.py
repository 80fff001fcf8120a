"""Which rows are one mail: a frame has a row for each copy, in each folder that keeps one.

Copies share the server's own id (X-GM-MSGID; EMAILID, RFC 8474) where the frame has it, else
Message-ID, Date and sender: an id alone will not do, for programs give one to many mails. A mail
without an id is alone. A server's ids are those of one account.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.views import SERVER_IDS
from mailframe.stats import vectors
from mailframe.stats.kept import kept

if TYPE_CHECKING:
    from mailframe.stats.vectors import Bools, Ints

# Set on one copy they are true of the mail; the others only where every copy has them: what was
# moved away leaves a deleted copy behind, and a draft that was sent stays a draft in its folder.
ANY_COPY = ("seen", "answered", "flagged", "bulk", "auto")
EVERY_COPY = ("draft", "deleted")


@dataclass(frozen=True)
class Mails:
    """Rows sorted into mails, these numbered in the order of their first rows."""

    of: Ints  # the mail of each row

    @cached_property
    def first(self) -> Ints:
        """The first row of each mail."""
        first = np.zeros(int(self.of.max(initial=-1)) + 1, dtype=np.int64)
        first[self.of[::-1]] = np.arange(len(self.of))[::-1]
        return first

    @cached_property
    def copies(self) -> Ints:
        """How many rows each mail has."""
        return np.bincount(self.of)

    def any(self, rows: Bools) -> Bools:
        """Tell of each mail whether any of its rows is marked."""
        out = np.zeros(len(self.first), dtype=bool)
        out[self.of[rows]] = True
        return out

    def every(self, rows: Bools) -> Bools:
        """Tell of each mail whether all of its rows are marked."""
        return ~self.any(~rows)


def mails(df: pd.DataFrame, ids: Ints | None = None) -> Mails:
    """Find the mails of a frame.

    Parameters
    ----------
    ids : int64 array, optional
        A number for the Message-ID of each row, -1 without one, where somebody has them.
    """
    vectors.require(df, "message_id")
    told_by = ("message_id", "date", "from_addr", "account", *SERVER_IDS)
    return kept(df, told_by, partial(_mails, ids=ids), "mails")


def _mails(df: pd.DataFrame, ids: Ints | None) -> Mails:
    if ids is None:
        ids = vectors.coded(df, "message_id").dense(len(df))
    key = np.where(ids >= 0, ids, int(ids.max(initial=-1)) + 1 + np.arange(len(df)))
    if len(vectors.unique(key)) < len(df):
        for part in _told_apart(df):
            key = paired(key, part)
    for name in SERVER_IDS:
        if name in df.columns:
            given = vectors.coded(df, name)
            own = paired(given.codes, accounts(df)[given.rows])
            key[given.rows] = int(key.max(initial=0)) + 1 + own
    return Mails(pd.factorize(key)[0].astype(np.int64))


def _told_apart(df: pd.DataFrame) -> list[Ints]:
    """Give what two mails of one id differ in."""
    parts = []
    if "date" in df.columns:
        parts.append(vectors.instants(df["date"]))
    if "from_addr" in df.columns:
        parts.append(vectors.coded(df, "from_addr", fold=True).dense(len(df)))
    return parts


def accounts(df: pd.DataFrame) -> Ints:
    """Give the account of each row as a number."""
    if "account" not in df.columns:
        return np.zeros(len(df), dtype=np.int64)
    return vectors.coded(df, "account").dense(len(df))


def paired(key: Ints, part: Ints) -> Ints:
    """Give equal numbers to what is equal in both."""
    left, right = pd.factorize(key)[0], pd.factorize(part)[0]
    return left.astype(np.int64) * (int(right.max(initial=0)) + 1) + right


def unique(df: pd.DataFrame) -> pd.DataFrame:
    """Give one row a mail; see ``df.mail.unique``."""
    found = mails(df)
    single = df.iloc[found.first].copy()
    for names, combine in ((ANY_COPY, found.any), (EVERY_COPY, found.every)):
        for name in set(names) & set(df.columns):
            single[name] = combine(vectors.flags(df, name))
    if "keywords" in df.columns:
        single["keywords"] = _collected(df, "keywords", found)
    if "folder" in df.columns:
        single["folders"] = _collected(
            df, "folders" if "folders" in df.columns else "folder", found
        )
    return single


def _collected(df: pd.DataFrame, name: str, found: Mails) -> pd.arrays.ArrowExtensionArray:
    """Collect the distinct values of a mail's rows into a list, in the order of the rows."""
    values = vectors.coded(df, name)
    mail = found.of[values.rows]
    order = np.argsort(mail, kind="stable")
    pairs = mail[order] * max(len(values.labels), 1) + values.codes[order]
    kept = ~pd.Series(pairs).duplicated().to_numpy()
    counts = np.bincount(mail[order][kept], minlength=len(found.first))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    items = values.labels.cast(pa.string()).take(values.codes[order][kept])
    return pd.arrays.ArrowExtensionArray(pa.ListArray.from_arrays(offsets, items))


def told(found: Mails) -> str:
    """Say how many messages there are, and how many rows where these are more."""
    return counted(len(found.first), len(found.of))


def counted(count: int, rows: int) -> str:
    """Say the same of so many mails in so many rows."""
    return f"{count:,}" if count == rows else f"{count:,} ({rows:,} with copies)"


def flat(df: pd.DataFrame) -> pd.DataFrame:
    """Join the items of lists by "; "; see `MailAccessor.flat`."""
    joined = {}
    for name in df.columns:
        kind = getattr(df[name].dtype, "pyarrow_dtype", None)
        # Of a file that pandas read, lists are arrays in a column of objects.
        arrays = df[name].dtype == object and df[name].map(_is_array).all()
        if arrays or (kind is not None and pa.types.is_list(kind)):
            text = pc.binary_join(vectors.arrow(df, name).cast(pa.list_(pa.string())), "; ")
            joined[name] = pd.array(text.to_pylist(), dtype="str")
    return df.assign(**joined)


def _is_array(value: object) -> bool:
    return value is None or isinstance(value, np.ndarray)
