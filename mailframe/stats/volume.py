"""How much mail, and when: counts by period, weekday, hour, day and direction.

Days are counted first and then added up to longer periods, so a million messages cost one pass
whatever the period is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.errors import ConfigurationError
from mailframe.stats import asks, clock, dates, me, people, periods, vectors

if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import Any

    from mailframe.stats.vectors import Coded, Ints

Counts = TypeVar("Counts", "pd.Series[int]", pd.DataFrame)

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MOST_BINS = 5_000_000  # an hour of each year from 1 to 9999 would be 87 million


def binned(
    df: pd.DataFrame, freq: str, tz: str | tzinfo | None, date: str
) -> tuple[Ints, Ints, pd.DatetimeIndex]:
    """Sort messages into periods.

    Returns
    -------
    tuple
        The rows that have a date, the period of each, and the start of every period from the
        first used to the last.
    """
    utc = dates.micros(df, date)
    rows = np.flatnonzero(utc != vectors.NEVER)
    local = dates.wall(df, tz, date, utc)[rows]
    period = periods.calendar(freq)
    if period is not None:
        bins, days = period.bins(local // clock.DAY)
        return rows, bins, clock.starts(days, tz).rename(dates.name(date))
    step = _tick(freq)
    if tz == clock.SENDER:
        bins, first = _tick_bins(local, step)
        begins = pd.DatetimeIndex(first.view("datetime64[us]"))
    else:  # count on the steady clock, so that the hour that comes twice in autumn stays two
        shift = (local[:1] - utc[rows][:1]) % step if len(rows) else local
        bins, first = _tick_bins(utc[rows] + (shift[0] if len(rows) else 0), step)
        begins = vectors.stamps(first - (shift[0] if len(rows) else 0)).tz_convert(clock.zone(tz))
    return rows, bins, begins.rename(dates.name(date))


def partial(table: Counts, periods: pd.Index[Any] | None = None) -> Counts:
    """Mark the first and the last period: mail begins and ends somewhere within them.

    The periods are those of the table's index, unless it has not all.
    """
    index = table.index if periods is None else periods
    ends = index[[0, -1]].unique() if len(index) else index
    table.attrs["partial"] = [str(start) for start in ends]
    return table


def _zoneless(table: Counts, df: pd.DataFrame, tz: str | tzinfo | None) -> Counts:
    """Say how many messages name no zone of their own, where that is asked for."""
    if isinstance(tz, str) and tz == clock.SENDER:
        table.attrs["zoneless"] = dates.zoneless(df)
    return table


def is_period(freq: str) -> bool:
    """Tell whether a word is a period of the calendar."""
    return periods.calendar(freq) is not None


def step_of(freq: str) -> int:
    """Give the length of a fixed step of time in microseconds; 0 for a period of the calendar."""
    return 0 if periods.calendar(freq) is not None else _tick(freq)


def _tick(freq: str) -> int:
    try:
        step = pd.Timedelta(pd.tseries.frequencies.to_offset(freq))  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"no period {freq!r}: use 'h', 'D', 'W', 'M', 'Q', 'Y', some of them as '2W', another "
            "week or quarter as 'W-SAT' or 'QS-FEB', or a fixed step as '15min'"
        ) from error
    return max(int(step / pd.Timedelta(microseconds=1)), 1)


def _tick_bins(moments: Ints, step: int) -> tuple[Ints, Ints]:
    number = moments // step
    if not len(number):
        return number, number
    first, last = int(number.min()), int(number.max())
    if last - first >= MOST_BINS:
        years = [str(pd.Timestamp(int(m), unit="us").year) for m in (moments.min(), moments.max())]
        raise ConfigurationError(
            f"the dates run from {' to '.join(years)}, too far for so short a period: "
            "take a longer one, or filter the frame by date first"
        )
    return number - first, np.arange(first, last + 1) * step


def _crossed(
    bins: Ints, index: pd.DatetimeIndex, groups: Ints, names: pd.Index[Any]
) -> pd.DataFrame:
    cells = np.bincount(bins * len(names) + groups, minlength=len(index) * len(names))
    return pd.DataFrame(cells.reshape(len(index), len(names)), index=index, columns=names)


def volume(
    df: pd.DataFrame,
    freq: str,
    *,
    by: str | None,
    top: int,
    cumulative: bool,
    tz: str | tzinfo | None,
    date: str,
) -> pd.Series[Any] | pd.DataFrame:
    """Count messages by period; see ``df.mail.volume``."""
    rows, bins, index = binned(df, freq, tz, date)
    if by is None:
        series = counts(bins, index)
        return partial(series.cumsum() if cumulative else series)
    period = np.full(len(df), -1, dtype=np.int64)
    period[rows] = bins
    groups, names = _grouped(people.key(df, by).once(), len(df), top)
    dated = period[groups.rows] >= 0
    groups = groups.where(dated)
    table = _crossed(period[groups.rows], index, groups.codes, names)
    return partial(table.cumsum() if cumulative else table)


def counts(bins: Ints, starts: pd.DatetimeIndex, messages: Ints | None = None) -> pd.Series[Any]:
    """Count by period, each row one message or so many."""
    return pd.Series(summed(bins, len(starts), messages), index=starts, name="messages")


def _grouped(column: Coded, total: int, top: int) -> tuple[Coded, pd.Index[Any]]:
    """Sort messages under the ``top`` labels and what takes in the rest."""
    without = np.ones(total, dtype=bool)
    without[column.rows] = False
    lacking = np.flatnonzero(without)
    place, names = slots(column.count, column.labels, top, lacking=len(lacking) > 0)
    codes = np.concatenate([place[column.codes], np.full(len(lacking), len(names) - 1)])
    rows = np.concatenate([column.rows, lacking])
    # Slots, not labels: the names of the two that take in the rest need not be of the same type.
    groups = vectors.Coded(column.name, rows, codes, pa.array(range(len(names))))
    return groups.once(), pd.Index(names, name=column.name)


def slots(used: Ints, labels: pa.Array, top: int, *, lacking: bool) -> tuple[Ints, list[Any]]:
    """Keep the ``top`` labels; "(other)" and "(none)" take in the rest, so that totals add up.

    Returns
    -------
    tuple of (numpy.ndarray, list)
        The place of each label, and the name of each place; the last is of the messages that lack
        a label, if there are any.
    """
    order = np.lexsort((vectors.alphabetic(labels), -used))
    order = order[used[order] > 0]
    place = np.full(len(used), min(top, len(order)), dtype=np.int64)
    place[order[:top]] = np.arange(len(order[:top]))
    names = [*labels.take(order[:top]).to_pylist()]
    if len(order) > top:
        names.append("(other)")
    return place, names + ["(none)"] * lacking


def matrix(df: pd.DataFrame, *, tz: str | tzinfo | None, date: str) -> pd.DataFrame:
    """Count messages by weekday and hour; see ``df.mail.matrix``."""
    local = dates.wall(df, tz, date)
    return _zoneless(week(local[local != vectors.NEVER]), df, tz)


def week(local: Ints, messages: Ints | None = None) -> pd.DataFrame:
    """Count by weekday and hour what clocks on the wall showed, each for so many messages."""
    weekday = (local // clock.DAY + 3) % 7  # 1970-01-01 was a Thursday
    cells = summed(weekday * 24 + local % clock.DAY // clock.HOUR, 7 * 24, messages)
    days = pd.CategoricalIndex(WEEKDAYS, WEEKDAYS, ordered=True, name="weekday")
    hours = pd.RangeIndex(24, name="hour")
    return pd.DataFrame(cells.reshape(7, 24), index=days, columns=hours)


def calendar(df: pd.DataFrame, *, tz: str | tzinfo | None, date: str) -> pd.Series[Any]:
    """Count messages by day; see ``df.mail.calendar``."""
    local = dates.wall(df, tz, date)
    return _zoneless(daily(local[local != vectors.NEVER]), df, tz)


def daily(local: Ints, messages: Ints | None = None) -> pd.Series[Any]:
    """Count by day what clocks on the wall showed, each for so many messages."""
    day, index = periods.DAILY.bins(local // clock.DAY)
    return counts(day, index.rename("day"), messages)


def summed(places: Ints, total: int, messages: Ints | None = None) -> Ints:
    """Add up messages by place, each row one or so many."""
    return np.bincount(places, messages, total).astype(np.int64)


def flow(
    df: pd.DataFrame, freq: str, *, me_: me.Given, tz: str | tzinfo | None, date: str
) -> pd.DataFrame:
    """Count sent and received messages by period; see ``df.mail.flow``."""
    own = me.own(df, me_)
    rows, bins, index = binned(df, freq, tz, date)
    names = pd.Index(["sent", "received"], name="direction")
    received = ~own.mine & ~asks.kind(df, "draft")
    either = own.sent[rows] | received[rows]
    table = _crossed(bins[either], index, received[rows][either].astype(np.int64), names)
    return own.tell(partial(table))
