"""Business hours between two instants: the clock runs on work days, from opening to closing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import clock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

    from numpy.typing import NDArray

    from mailframe.stats.vectors import Bools, Ints

    Floats = NDArray[np.float64]

Hours = tuple[float, float] | Mapping[int, tuple[float, float]]

COUNTRY = re.compile(r"[A-Z]{2}(?:-\w{1,3})?")
FIRST_YEAR = 1990  # before, no Date is believed
MONDAY = 4  # 1970-01-05, the first Monday that day numbers count from


@dataclass(frozen=True)
class Office:
    """When work is done.

    Parameters
    ----------
    days : iterable of int
        Work days, Monday is 0.
    hours : tuple of (float, float), or mapping of int to such
        Opening and closing, hours after midnight; closing after opening, 24 at most. A mapping
        gives the work days, each with its own; ``days`` is not looked at then.
    holidays : iterable of date or str, or str
        Days without work, and leave as "2024-07-15/2024-07-26" (ISO 8601, both days included); or
        a country as "CH", or a part of one as "CH-ZH" (ISO 3166), whose public holidays the
        package ``holidays`` knows; or several of all these.
    tz : str or tzinfo, optional
        The zone of these days and hours; the reader's own by default.
    """

    days: Iterable[int] = (0, 1, 2, 3, 4)
    hours: Hours = (9, 17)
    holidays: Iterable[date | str] | str = ()
    tz: str | tzinfo | None = None
    _off: Ints = field(init=False, repr=False)
    _gone: Ints = field(init=False, repr=False)
    _opens: Ints = field(init=False, repr=False)
    _lasts: Ints = field(init=False, repr=False)
    _before: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        spans = self._spans()
        opens, lasts = np.zeros(7, dtype=np.int64), np.zeros(7, dtype=np.int64)
        for day, (start, end) in spans.items():
            opens[day] = round(start * clock.HOUR)
            lasts[day] = round(end * clock.HOUR) - opens[day]
        off = pd.DatetimeIndex(_dates(self.holidays)).tz_localize(None).to_numpy("datetime64[D]")
        off = np.unique(off.view(np.int64))
        off = off[lasts[(off - MONDAY) % 7] > 0]
        gone = np.concatenate([[0], np.cumsum(lasts[(off - MONDAY) % 7])])
        for name, value in (("_off", off), ("_gone", gone), ("_opens", opens), ("_lasts", lasts)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_before", np.concatenate([[0], np.cumsum(lasts)]))

    def _spans(self) -> dict[int, tuple[float, float]]:
        """Give the hours of each work day."""
        if isinstance(self.hours, Mapping):
            spans = dict(self.hours)
        else:
            spans = dict.fromkeys(sorted(set(self.days)), self.hours)
        if not spans or not set(spans) <= set(range(7)):
            raise ConfigurationError(
                f"days={list(spans)} are no weekdays: 0 is Monday, 6 is Sunday"
            )
        for opens, closes in spans.values():
            if not 0 <= opens < closes <= 24:  # noqa: PLR2004 -- hours of a day
                raise ConfigurationError(
                    f"hours={self.hours} is no span of a day: try hours=(9, 17)"
                )
        return spans

    def between(self, start: Ints, end: Ints) -> Ints:
        """Count the open microseconds from ``start`` to ``end``, both instants of UTC.

        Never negative, and exact where clocks change in opening hours: the hour that comes twice
        is two, the hour that is skipped none.
        """
        if not len(start):
            return end - start
        changes, jumps = self._jumps(int(min(start.min(), end.min())), int(end.max()))
        until = np.concatenate([[0], np.cumsum(jumps)])

        def open_until(moment: Ints) -> Ints:
            shown = self._open_until(clock.shown(moment, self.tz))
            passed: Ints = shown - until[np.searchsorted(changes, moment, "right")]
            return passed

        return np.maximum(np.subtract(open_until(end), open_until(start)), 0)

    def hours_between(self, start: Ints, end: Ints) -> Floats:
        """Count open hours; NaN where the whole time was outside of them, and none can be told."""
        hours = self.between(start, end) / clock.HOUR
        return np.where((hours == 0) & ~self.is_open(start), np.nan, hours)

    def is_open(self, moment: Ints) -> Bools:
        """Tell whether instants of UTC are in opening hours."""
        day, time = np.divmod(clock.shown(moment, self.tz), clock.DAY)
        since = time - self._opens[(day - MONDAY) % 7]
        return np.asarray(
            self._works(day) & (since >= 0) & (since < self._lasts[(day - MONDAY) % 7])
        )

    def works_on(self, moment: Ints) -> Bools:
        """Tell whether instants of UTC are on work days, at whatever hour."""
        return self._works(clock.shown(moment, self.tz) // clock.DAY)

    def _works(self, day: Ints) -> Bools:
        """Tell whether days are work days."""
        return np.asarray((self._lasts[(day - MONDAY) % 7] > 0) & ~np.isin(day, self._off))

    def _jumps(self, first: int, last: int) -> tuple[Ints, Ints]:
        """Find the instants at which clocks change, and what the open time on the wall jumps by."""
        grid = np.arange(first - clock.DAY, last + 2 * clock.DAY, clock.DAY)
        offset = clock.shown(grid, self.tz) - grid
        place = np.flatnonzero(np.diff(offset))
        before, after = grid[place], grid[place + 1]
        while len(before) and (after - before).max() > 1:  # the first microsecond of the new offset
            middle = (before + after) // 2
            changed = clock.shown(middle, self.tz) - middle != offset[place]
            before, after = np.where(changed, before, middle), np.where(changed, middle, after)
        old, new = after + offset[place], after + offset[place + 1]
        return after, self._open_until(new) - self._open_until(old)

    def _open_until(self, wall: Ints) -> Ints:
        """Count the open microseconds since 1970 until a time on the wall."""
        day, time = np.divmod(wall, clock.DAY)
        weeks, weekday = np.divmod(day - MONDAY, 7)
        here = self._works(day) * np.clip(time - self._opens[weekday], 0, self._lasts[weekday])
        whole = weeks * self._before[7] + self._before[weekday]
        passed: Ints = whole - self._gone[np.searchsorted(self._off, day)] + here
        return passed


def _dates(given: Iterable[date | str] | str) -> list[date | str]:
    """Give days without work, a country's by the years in which mail can be."""
    if not isinstance(given, str):
        return [
            day for each in given for day in ([each] if not isinstance(each, str) else _dates(each))
        ]
    if not COUNTRY.fullmatch(given):
        first, slash, last = given.partition("/")
        return list(pd.date_range(first, last)) if slash else [given]
    try:
        import holidays  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise ConfigurationError(
            f'holidays={given!r} needs the package holidays: pip install "mailframe[holidays]", or '
            "give the days"
        ) from error
    country, _, part = given.partition("-")
    years = range(FIRST_YEAR, pd.Timestamp.now().year + 2)
    try:
        return list(holidays.country_holidays(country, part or None, years=years))
    except NotImplementedError as error:
        raise ConfigurationError(f"holidays={given!r}: no holidays are known there") from error
