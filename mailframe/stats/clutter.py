"""What fills a mailbox: bytes, lists, unread mail, copies, and an inbox that is never emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.stats import clock, dates, people, vectors, volume
from mailframe.stats.mails import mails
from mailframe.stats.profiles import profile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo
    from typing import Any

    from pandas.api.extensions import ExtensionArray

    from mailframe.stats.vectors import Ints

INBOX = "INBOX"
FEW = 10  # names in a message
SHOWN = ["folder", "uid", "date", "from_addr", "subject", "size"]
AGES = {
    "today": 1,
    "this week": 7,
    "this month": 30,
    "this quarter": 90,
    "this year": 365,
}  # days, "older" follows


def sizes(df: pd.DataFrame, by: str, tz: str | tzinfo | None) -> pd.DataFrame:
    """Add up octets; see ``df.mail.sizes``."""
    octets = vectors.sizes(df)
    groups = _years(df, tz) if by == "year" else people.key(df, by).once()
    total = len(groups.labels)
    mass = np.bincount(groups.codes, octets[groups.rows].astype(np.float64), total)
    biggest = np.zeros(total, dtype=np.int64)
    np.maximum.at(biggest, groups.codes, octets[groups.rows])
    counts = groups.count
    table = pd.DataFrame(
        {
            "messages": counts,
            "bytes": mass.astype(np.int64),
            "share": mass / max(int(octets.sum()), 1),
            "mean": mass / np.maximum(counts, 1),
            "largest": biggest,
        },
        index=groups.index(by),
    )[counts > 0]
    return volume.partial(table.sort_index()) if by == "year" else vectors.ranked(table, "bytes")


def _years(df: pd.DataFrame, tz: str | tzinfo | None) -> vectors.Coded:
    local = dates.wall(df, tz)
    rows = np.flatnonzero(local != vectors.NEVER)
    year = local[rows].view("M8[us]").astype("M8[Y]").view(np.int64) + 1970
    labels, codes = np.unique(year, return_inverse=True)
    return vectors.Coded("year", rows, codes, pa.array(labels))


def largest(df: pd.DataFrame, n: int) -> pd.DataFrame:
    """List the largest messages; see ``df.mail.largest``."""
    octets = vectors.sizes(df)
    order = np.argsort(-octets, kind="stable")[:n]
    table = df[[name for name in SHOWN if name in df.columns]].iloc[order]
    table.index = vectors.labelled(df, order)
    table.attrs = {}
    return table


def read_share(df: pd.DataFrame, by: str, least: int) -> pd.DataFrame:
    """Tell what is read; see ``df.mail.read_share``."""
    seen = vectors.flags(df, "seen")
    groups = people.key(df, by).once()
    counts = groups.count
    read = groups.where(seen[groups.rows]).count
    table = pd.DataFrame(
        {"messages": counts, "read": read, "share": read / np.maximum(counts, 1)},
        index=groups.index(),
    )
    return vectors.ranked(table[counts >= max(least, 1)])


def lists(df: pd.DataFrame) -> pd.DataFrame:
    """Tell of each mailing list; see ``df.mail.lists``."""
    names = vectors.coded(df, "list_id", fold=True)
    table = profile(df, names, "list_id")
    index = names.index("list_id")
    when = dates.micros(df)
    if "seen" in df.columns:
        read = names.where(vectors.flags(df, "seen")[names.rows])
        at = vectors.latest(read.codes, when[read.rows], len(names.labels))
        table["last_read"] = pd.Series(vectors.stamps(at), index).reindex(table.index)
    if "list_unsubscribe" in df.columns:
        table["unsubscribe"] = pd.Series(_links(df, names, when), index).reindex(table.index)
    return table


def _links(df: pd.DataFrame, names: vectors.Coded, when: Ints) -> ExtensionArray:
    """Give the way out that the newest message of each list names; the web before mail.

    List-Unsubscribe (RFC 2369) may name several; RFC 8058 asks for https where one click shall
    do. Other schemes are nothing to click on.
    """
    rows, urls = vectors.flat(df, "list_unsubscribe")
    web = vectors.numpy(pc.match_substring_regex(urls, r"(?i)^https?:"))
    mail = vectors.numpy(pc.match_substring_regex(urls, r"(?i)^mailto:"))
    number = names.dense(len(df))[rows]
    usable = (number >= 0) & (web | mail)
    entries = np.flatnonzero(usable)
    order = np.lexsort((-entries, web[entries], when[rows[entries]], number[entries]))
    entries = entries[order]
    last = entries[np.flatnonzero(np.diff(number[entries], append=-1))]
    picks = np.full(len(names.labels), -1, dtype=np.int64)
    picks[number[last]] = last
    return vectors.text(urls.take(pa.array(np.maximum(picks, 0), mask=picks < 0)))


def inbox_age(df: pd.DataFrame, folder: str, now: datetime | None) -> pd.Series[Any]:
    """Tell how old the mail in a folder is; see ``df.mail.inbox_age``."""
    vectors.require(df, "folder")
    places = vectors.coded(df, "folder")
    here = np.zeros(len(df), dtype=bool)
    if len(df):
        named = called(places.labels.to_pylist(), folder)
        is_here = vectors.numpy(pc.is_in(places.labels, pa.array(named, pa.large_string())))
        here[places.where(is_here[places.codes]).rows] = True
    when = dates.micros(df)[here]
    age = clock.now(now) - when[when != vectors.NEVER]
    edges = np.array(list(AGES.values())) * clock.DAY
    return by_age(np.bincount(np.searchsorted(edges, age, side="left"), minlength=len(edges) + 1))


def called(folders: Sequence[str], name: str) -> list[str]:
    """Find the folders of a name. Names differ by case, but for INBOX (RFC 9051 section 5.1).

    Raises
    ------
    ConfigurationError
        There is none.
    """
    inbox = INBOX.lower()
    is_inbox = name.lower() == inbox
    here = [each for each in folders if each == name or (is_inbox and each.lower() == inbox)]
    if not here:
        there = ", ".join(sorted(folders)[:FEW])
        raise ConfigurationError(f"there is no folder {name!r} in this frame; there are: {there}")
    return here


def by_age(counts: Ints) -> pd.Series[Any]:
    """Give counts by age their names."""
    names = [*AGES, "older"]
    index = pd.CategoricalIndex(names, names, ordered=True, name="age")
    return pd.Series(counts, index=index, name="messages")


def duplicates(df: pd.DataFrame) -> pd.DataFrame:
    """List mails kept more than once; see ``df.mail.duplicates``."""
    vectors.require(df, "folder", "message_id")
    octets = vectors.sizes(df)
    found = mails(df)
    rows = np.flatnonzero(found.copies[found.of] > 1)
    used, group = np.unique(found.of[rows], return_inverse=True)
    mass = np.bincount(group, octets[rows].astype(np.float64), len(used)).astype(np.int64)
    biggest = np.zeros(len(used), dtype=np.int64)
    np.maximum.at(biggest, group, octets[rows])
    table = pd.DataFrame(
        {
            "copies": np.bincount(group, minlength=len(used)),
            "folders": _folders(df, rows, group, len(used)),
            "bytes": mass,
            "wasted": mass - biggest,
        },
        index=pd.Index(df["message_id"].array.take(found.first[used]), name="message_id"),
    )
    return vectors.ranked(table, "wasted")


def _folders(df: pd.DataFrame, rows: Ints, group: Ints, total: int) -> ExtensionArray:
    """Collect the distinct folders of each group into a list column."""
    folder = vectors.coded(df, "folder")
    number = folder.dense(len(df))[rows]
    width = max(len(folder.labels), 1)
    pairs = vectors.unique(group * width + number)
    owner, name = np.divmod(pairs, width)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=total))])
    items = folder.labels.cast(pa.string()).take(name)
    texts = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)
    return pd.arrays.ArrowExtensionArray(texts)
