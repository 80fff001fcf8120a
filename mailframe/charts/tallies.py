"""From messages to the few numbers that a chart draws.

Everything is counted over codes (``bincount``), never over text, so a table for a chart costs
some milliseconds for a million messages. The rows of each table are what ``charts.py`` says its
form wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.charts.forms import WEEKDAY_NAMES
from mailframe.search.filterable import MICROSECONDS_A_DAY, NO_INSTANT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.search.filterable import Bools, Codes, Columns

# The coarsest unit that leaves a chart some forty bars: days up to, frequency, name, how written.
UNITS = (
    (92, "D", "day", "%a %d %b %Y"),
    (1_000, "W-MON", "week", "week of %d %b %Y"),
    (6_000, "MS", "month", "%b %Y"),
    (np.inf, "YS", "year", "%Y"),
)
# Sizes at which bars begin, and at which a filter may, in octets.
SIZES = (0, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
LEAST_DAYS = 13
MILLISECONDS_A_DAY = 86_400_000


@dataclass(frozen=True)
class Periods:
    """Time cut into equal stretches, and which stretch each message falls into.

    Parameters
    ----------
    edges : array of int64
        Days since 1970 at which stretches begin, and the day at which the last one ends.
    labels : list of str
        One a stretch.
    codes : array of int32
        One a message; -1 for a message without a date or outside of ``edges``.
    unit : str
        What a stretch is: ``"day"``, ``"week"``, ``"month"`` or ``"year"``.
    partial : array of bool
        Those in which mail begins or ends: nobody knows of how much of them it tells.
    left_out : int
        How many messages with a date lie outside of ``edges``.
    """

    edges: NDArray[np.int64]
    labels: list[str]
    codes: Codes
    unit: str
    partial: Bools
    left_out: int


def periods(columns: Columns, counts: NDArray[np.int64] | None = None) -> Periods:
    """Cut the time that ``columns`` covers; a row is one message, or so many as `counts` has.

    A handful of forged dates (1970, 2107) would squeeze everything else into one bar: what lies far
    outside of where 99.8 % of the messages are is left out, and counted.
    """
    dated = columns.instants() != NO_INSTANT
    days = columns.days()[dated]
    if not len(days):
        nowhere = np.full(len(columns), -1, np.int32)
        return Periods(np.zeros(1, np.int64), [], nowhere, "day", np.zeros(0, bool), 0)
    first, last = _span(days, None if counts is None else counts[dated])
    if last - first < LEAST_DAYS:  # a single bar would tell nothing
        first = last - LEAST_DAYS
    unit, name, pattern = next(rest for most, *rest in UNITS if last - first < most)
    start = pd.Timestamp(first * MICROSECONDS_A_DAY, unit="us")
    end = pd.Timestamp((last + 1) * MICROSECONDS_A_DAY, unit="us")
    step = pd.tseries.frequencies.to_offset(unit)
    edges = pd.date_range(_floor(start, unit), end + step, freq=step)
    edges = edges[: edges.searchsorted(end) + 1]
    cuts = edges.to_numpy().astype("datetime64[D]").astype(np.int64)
    lookup = np.searchsorted(cuts, np.arange(cuts[0], cuts[-1]), side="right") - 1
    position = columns.days().astype(np.int64) - cuts[0]
    inside = (position >= 0) & (position < len(lookup)) & (columns.instants() != NO_INSTANT)
    codes = np.where(inside, lookup[np.where(inside, position, 0)], -1).astype(np.int32)
    labels = [edge.strftime(pattern) for edge in edges[:-1]]
    used = codes[codes >= 0]
    partial = np.isin(np.arange(len(labels)), [used.min(), used.max()])
    outside = dated & (codes < 0)
    left_out = int(outside.sum() if counts is None else counts[outside].sum())
    return Periods(cuts, labels, codes, name, partial, left_out)


def _span(days: Codes, counts: NDArray[np.int64] | None) -> tuple[int, int]:
    first, last = int(days.min()), int(days.max())
    low, high = (int(day) for day in _quantiles(days, counts, (0.001, 0.999)))
    slack = max(high - low, 30) // 4
    return (first if first >= low - slack else low), (last if last <= high + slack else high)


def _quantiles(
    days: Codes, counts: NDArray[np.int64] | None, shares: tuple[float, ...]
) -> NDArray[np.float64]:
    """Give quantiles as NumPy does, of days that count once or as often as is told."""
    if counts is None:
        return np.quantile(days, shares)
    order = np.argsort(days)
    ends = np.cumsum(counts[order])
    at = np.array(shares) * (ends[-1] - 1)
    low, high = (
        days[order][np.searchsorted(ends, rank.astype(np.int64), side="right")]
        for rank in (np.floor(at), np.ceil(at))
    )
    found: NDArray[np.float64] = low + (high - low) * (at - np.floor(at))
    return found


def _floor(start: pd.Timestamp, unit: str) -> pd.Timestamp:
    if unit == "W-MON":
        return start - pd.Timedelta(days=start.day_of_week)
    if unit == "D":
        return start
    return start.replace(day=1, month=start.month if unit == "MS" else 1)


def count(codes: Codes, size: int, mask: Bools | None = None) -> NDArray[np.int64]:
    """How many messages have each code from 0 to ``size - 1``; -1 is not counted."""
    chosen = codes if mask is None else codes[mask]
    # One bin more, for -1: cheaper than sorting it out first.
    return np.bincount(chosen + 1, minlength=size + 1)[1 : size + 1]


def over_time(cut: Periods, counts: NDArray[np.int64], on: Bools) -> pd.DataFrame:
    """Rows of the volume chart."""
    edges = cut.edges * MILLISECONDS_A_DAY
    return pd.DataFrame(
        {
            "start": edges[:-1],
            "end": edges[1:],
            "label": cut.labels,
            "whole": np.where(cut.partial, "no, mail begins or ends in it", "yes"),
            "n": counts,
            "on": on,
        }
    )


def by_clock(counts: NDArray[np.int64], on: Bools) -> pd.DataFrame:
    """Rows of the weekday-by-hour chart, from 168 counts, hour by hour from Monday."""
    return pd.DataFrame(
        {
            "weekday": np.repeat(WEEKDAY_NAMES, 24),
            "hour": np.tile(np.arange(24), 7),
            "n": counts,
            "on": on,
        }
    )


def hours_of_week(columns: Columns) -> Codes:
    """0 (Monday, 0 h) to 167 for each message, in its zone; -1 without a date."""
    return np.where(columns.hours() < 0, -1, columns.weekdays() * 24 + columns.hours())


# What is attached, as the search line asks for it → how a chart calls it, and where it ends.
ATTACHED = {
    "has:nothing": ("nothing", 0),
    "attached:<100k": ("under 100 kB", 100_000),
    "attached:100k..1M": ("100 kB to 1 MB", 1_000_000),
    "attached:1M..10M": ("1 to 10 MB", 10_000_000),
    "attached:>=10M": ("10 MB and more", np.inf),
}


def tells_attached(columns: Columns) -> bool:
    """Tell whether a frame says what is attached."""
    return {"attachments", "attachment_bytes"} <= set(columns.df.columns)


def attached(columns: Columns) -> Codes:
    """Place of each message in ``ATTACHED``, by all that is attached; -1 where nobody told."""
    octets, files = columns.numbers("attachment_bytes"), columns.numbers("attachments")
    edges = [edge for _, edge in ATTACHED.values()]
    codes = np.searchsorted(edges[1:], octets, side="right") + 1
    codes[files == 0] = 0
    codes[(files < 0) | ((files > 0) & (octets < 0))] = -1
    return codes.astype(np.int32)


def top(counts: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Codes of the ``most`` largest counts, largest first; codes that do not occur are left out."""
    most = min(most, len(counts))
    if not most:
        return np.zeros(0, np.int64)
    largest = np.argpartition(counts, len(counts) - most)[len(counts) - most :]
    largest = largest[np.lexsort((largest, -counts[largest]))]
    return largest[counts[largest] > 0]
