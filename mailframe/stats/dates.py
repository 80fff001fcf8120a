"""When a message was written, by the best witness there is.

The Date field is the sender's word, and some senders say 1970 or 9999: one such message would
stretch every axis. So by default (``date="best"``) Date counts where it lies between 1990, before
which there was next to no internet mail, and two days after the message arrived (zones and clocks
are wrong by no more); else the arrival (INTERNALDATE), else the oldest Received that was read. In a
Maildir the newest Received, where it was read, counts before the arrival: the time of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.stats import clock, received, vectors
from mailframe.stats.vectors import NEVER

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import tzinfo

    from mailframe.stats.vectors import Bools, Ints

BEST = "best"
DATE, ARRIVAL, RECEIVED, NONE = range(4)
WITNESSES = ("date", "arrival", "received")
EARLIEST = pd.Timestamp("1990-01-01", tz="UTC").value // 1000
LATEST = 2 * clock.DAY  # after the arrival


@dataclass(frozen=True)
class Moments:
    """The instant of each message, ``NEVER`` where there is none, and who tells it."""

    when: Ints
    witness: Ints
    impossible: Bools  # there is a Date, and it cannot be right


def micros(df: pd.DataFrame, date: str = BEST) -> Ints:
    """Give the instant of each message in microseconds of UTC, ``NEVER`` where it is unknown.

    Parameters
    ----------
    date : str
        "best", or a column of instants that is taken as it is.
    """
    if date == BEST:
        return best(df).when
    vectors.require(df, date)
    return vectors.instants(df[date])


def wall(
    df: pd.DataFrame, tz: str | tzinfo | None, date: str = BEST, utc: Ints | None = None
) -> Ints:
    """Give what the clock on the wall showed for each message, in microseconds since 1970 there.

    ``NEVER`` where the instant is unknown. With ``tz="sender"`` a message counts as UTC where its
    Date names no zone ("-0000" says that there is none to tell), or is not what the instant is by.
    """
    if not isinstance(tz, str) or tz != clock.SENDER:
        return clock.shown(micros(df, date) if utc is None else utc, tz)
    vectors.require(df, "date_offset")
    minutes = df["date_offset"].fillna(0).to_numpy(dtype=np.int64)
    if date == BEST:
        found = best(df)
        utc, minutes = found.when, np.where(found.witness == DATE, minutes, 0)
    else:
        utc = micros(df, date)
    return np.where(utc == NEVER, utc, utc + minutes * 60 * clock.SECOND)


def zoneless(df: pd.DataFrame) -> int:
    """Count the messages that ``tz="sender"`` takes for UTC, for want of a zone."""
    vectors.require(df, "date_offset")
    found = best(df)
    known = df["date_offset"].notna().to_numpy(dtype=bool) & (found.witness == DATE)
    return int(((found.when != NEVER) & ~known).sum())


def stamps(df: pd.DataFrame, date: str = BEST) -> pd.DatetimeIndex:
    """Give the instant of each message as pandas has it."""
    return vectors.stamps(micros(df, date))


def has(df: pd.DataFrame) -> bool:
    """Tell whether a frame has anything to tell instants by."""
    return bool({"date", "internaldate"} & set(df.columns))


def best(df: pd.DataFrame) -> Moments:
    """Give the instant of each message by its best witness."""
    if not has(df):
        vectors.require(df, "date")
    now = clock.now()
    unknown = np.full(len(df), NEVER)
    sent = vectors.instants(df["date"]) if "date" in df.columns else unknown
    arrival = vectors.instants(df["internaldate"]) if "internaldate" in df.columns else unknown
    arrival = np.where(_possible(arrival, now), arrival, NEVER)
    good = _possible(sent, np.where(arrival == NEVER, now, arrival))
    at = np.where(good, sent, arrival)
    witness = np.where(good, DATE, np.where(arrival == NEVER, NONE, ARRIVAL))
    # A file's time is that of its last copy, perhaps: Received knows better.
    doubtful = ~good if _of_files(df) else witness == NONE
    rows = np.flatnonzero(doubtful)
    if len(rows) and "received" in df.columns:
        oldest, newest = (
            np.where(_possible(each, now), each, NEVER) for each in _received(df, rows)
        )
        traced = np.where(witness[rows] == NONE, oldest, newest)
        known = traced != NEVER
        at[rows[known]], witness[rows[known]] = traced[known], RECEIVED
    return Moments(at, witness, (sent != NEVER) & ~good)


def _possible(moments: Ints, arrival: Ints | int) -> Bools:
    return (moments >= EARLIEST) & (moments <= arrival + LATEST)


def _of_files(df: pd.DataFrame) -> bool:
    """Tell whether arrivals are times of files, as far as the frame still knows (``attrs``)."""
    report = df.attrs.get("mailframe")
    return isinstance(report, dict) and report.get("arrival") == "file"


def _received(df: pd.DataFrame, rows: Ints) -> tuple[Ints, Ints]:
    """Give the oldest and the newest instant that the Received fields of some rows tell."""
    owner, values = vectors.flat(df.iloc[rows], "received")
    instants = received.read(values, hosts=False).instant
    known = instants != NEVER
    newest = vectors.latest(owner[known], instants[known], len(rows))
    oldest = vectors.earliest(owner[known], instants[known], len(rows))
    return np.where(newest == NEVER, NEVER, oldest), newest


def impossible(df: pd.DataFrame) -> pd.DataFrame:
    """List the messages whose Date cannot be right; see ``df.mail.dates``."""
    vectors.require(df, "date")
    found = best(df)
    rows = np.flatnonzero(found.impossible)
    table = pd.DataFrame(
        {
            "date": vectors.stamps(vectors.instants(df["date"])[rows]),
            "best": vectors.stamps(found.when[rows]),
            "witness": vectors.text(vectors.labels(found.witness[rows], WITNESSES)),
        },
        index=vectors.labelled(df, rows),
    )
    for name in ("from_addr", "subject"):
        if name in df.columns:
            table[name] = df[name].array.take(rows)
    return table


def told(df: pd.DataFrame) -> str:
    """Say how many dates are impossible, and what counts instead; nothing where none is."""
    found = best(df)
    return counted(int(found.impossible.sum()), found.witness[found.impossible].tolist())


def counted(count: int, witnesses: Collection[int]) -> str:
    """Say the same of so many messages whose instants these tell."""
    if not count:
        return ""
    ways = {ARRIVAL: "by arrival", RECEIVED: "by Received", NONE: "left out"}
    used = [way for kind, way in ways.items() if kind in witnesses]
    noun = "message with an impossible date" if count == 1 else "messages with impossible dates"
    return f"{count:,} {noun}, {' or '.join(used)}"


def name(date: str) -> str:
    """Give the name that an index of instants bears."""
    return "date" if date == BEST else date
