"""Periods of the calendar: days, weeks, months, quarters, years, and several of them at once.

Their names are pandas' own, but a day is a day of the calendar (of 23 hours in spring), and a
period is known by its first day. "W" ends on Sunday; "W-SAT" begins on Sunday. "Q-NOV" are the
quarters of a year that ends in November, "QS-FEB" those that begin in February.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from mailframe.stats.vectors import Ints

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WIDTHS = {"M": 1, "Q": 3, "Y": 12}  # months
NAME = re.compile(
    rf"(?P<times>[1-9]\d{{0,3}})?(?:(?P<day>[Dd])"
    rf"|(?P<week>W)(?:-(?P<weekday>{'|'.join(WEEKDAYS)}))?"
    rf"|(?P<months>[MQY])(?P<edge>[SE]?)(?:-(?P<month>{'|'.join(MONTHS)}))?)"
)
MONDAY = 4  # 1970-01-05, in days since 1970


@dataclass(frozen=True)
class Calendar:
    """A period.

    Parameters
    ----------
    unit : str
        "D" or "M": what `width` and `phase` count.
    width : int
        Its length.
    phase : int
        A day or month since 1970 at which one begins.
    times : int
        So many of them are one; the first begins with the first message.
    """

    unit: str
    width: int = 1
    phase: int = 0
    times: int = 1

    def bins(self, day: Ints) -> tuple[Ints, pd.DatetimeIndex]:
        """Sort days since 1970 into periods: the number of each, and when each period begins."""
        if not len(day):
            return day, pd.DatetimeIndex(np.empty(0, "datetime64[us]"))
        moment = day.astype("M8[D]").astype(f"M8[{self.unit}]").view(np.int64)
        number = (moment - self.phase) // self.width
        first = int(number.min())
        number = (number - first) // self.times
        every = first + np.arange(int(number.max()) + 1) * self.times
        starts = (every * self.width + self.phase).astype(f"M8[{self.unit}]").astype("M8[us]")
        return number, pd.DatetimeIndex(starts)


DAILY = Calendar("D")


def calendar(name: str) -> Calendar | None:
    """Read the name of a period; None where it is none of the calendar."""
    found = NAME.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        return None
    times = int(found["times"] or 1)
    if found["day"]:
        return Calendar("D", times=times)
    if found["week"]:
        last = WEEKDAYS.index(found["weekday"] or "SUN")
        return Calendar("D", 7, MONDAY + last + 1, times)
    width, month = WIDTHS[found["months"]], found["month"]
    if month is None:
        return Calendar("M", width, 0, times)
    begins = MONTHS.index(month) + (found["edge"] != "S")
    return Calendar("M", width, begins, times) if width > 1 else None
