"""Dates at the end of Received fields, read backwards by arithmetic, many fields at once.

What most fields end in is "; Mon, 3 Jun 2024 10:00:05 +0200", with the name of the zone in a
comment, or "GMT" instead of it. All of it has a fixed place before the end, but for the day of one
digit or two and the blanks behind the semicolon. Any other date is left to the reader of dates.
"""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING

import numpy as np

from mailframe.headers import dates
from mailframe.stats import clock, vectors
from mailframe.stats.tracewords import BLANK, LETTERS, SLICE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.stats import pieces
    from mailframe.stats.pieces import Octets
    from mailframe.stats.vectors import Bools, Ints

    Words = NDArray[np.uint64]

LEAST = 40  # octets that a field with such a date has, and the reach of all that is read below
FIRST, LAST = 1970, 2199  # years
# Days since 1970 before each month, and how many each has.
MONTHS = [(year, month) for year in range(FIRST, LAST + 1) for month in range(1, 13)]
LENGTH = np.array([calendar.monthrange(*month)[1] for month in MONTHS])
BEFORE = np.cumsum(LENGTH) - LENGTH
LETTER = np.zeros(256, dtype=bool)
LETTER[list(LETTERS + LETTERS.upper())] = True
FARTHEST = 14  # hours that a zone is from UTC
ZONES = (b"GMT", b"UTC")


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


def _names(names: tuple[str, ...], ending: str) -> tuple[Words, Ints]:
    keys = np.array([_word((name + ending).encode()) for name in names])
    order = np.argsort(keys)
    return keys[order], order


MONTH_NAMES = _names(dates.MONTHS, " ")
DAY_NAMES = _names(dates.WEEKDAYS, ",")
FOUR, FOLD = np.uint64(0xFFFFFFFF), np.uint64(0x20202020)
SIX, HIGH = _word(b"\x06" * 8), _word(b"\xf0" * 8)


def read(spans: pieces.Spans) -> Ints:
    """Give the instant of each field in microseconds of UTC; ``NEVER`` where the end is not so."""
    instant = np.full(len(spans.start), vectors.NEVER)
    long = np.flatnonzero((spans.end - spans.start >= LEAST) & (spans.end >= 2 * LEAST))
    loads = np.ndarray(max(len(spans.octets) - 7, 0), "<u8", spans.octets, strides=1)
    for at in range(0, len(long), SLICE):
        rows = long[at : at + SLICE]
        seconds, good = _read(spans.octets, loads, spans.start[rows], spans.end[rows])
        instant[rows[good]] = seconds[good] * clock.SECOND
    return instant


def _read(octets: Octets, loads: Words, start: Ints, end: Ints) -> tuple[Ints, Bools]:
    """Read the seconds since 1970, and tell where they are right."""
    end, good = _without_name(octets, end)
    east, begin, right = _zone(octets, loads, end)
    good &= right
    time = begin - 9
    of_day, right = _clock(loads[time])
    good &= right & (octets[time + 8] == ord(" ")) & (octets[time - 1] == ord(" "))

    text = loads[time - 9]  # "Jun 2024"
    month, right = _look_up(MONTH_NAMES, text)
    year, digits = _digits(text >> np.uint64(32))
    good &= right & digits & (octets[time - 10] == ord(" "))
    tens, ones = octets[time - 12] - np.uint8(ord("0")), octets[time - 11] - np.uint8(ord("0"))
    two = tens <= 9
    day = np.where(two, 10, 0) * tens + ones.astype(np.int64)
    number = 12 * (year - FIRST) + month
    good &= (ones <= 9) & (number >= 0) & (number < len(LENGTH))
    number[~good] = 0
    good &= (day >= 1) & (day <= LENGTH[number])
    seconds = (BEFORE[number] + day - 1) * 86_400 + of_day - east
    return seconds, good & _behind_semicolon(octets, loads, start, time - 12 + ~two)


def _without_name(octets: Octets, end: Ints) -> tuple[Ints, Bools]:
    """Step back over " (CEST)"."""
    named = np.flatnonzero(octets[end - 1] == ord(")"))
    end, good = end.copy(), np.ones(len(end), dtype=bool)
    if not len(named):
        return end, good
    behind = end[named]
    four = octets[behind - 5] != ord("(")
    open_ = behind - 5 - four
    right = (octets[open_] == ord("(")) & (octets[open_ - 1] == ord(" "))
    for place in (2, 3, 4):
        right &= LETTER[octets[behind - place]]
    right &= ~four | LETTER[octets[behind - 5]]
    good[named] = right
    end[named] = open_ - 1
    return end, good


def _zone(octets: Octets, loads: Words, end: Ints) -> tuple[Ints, Ints, Bools]:
    """Read "+0200" or "GMT": the seconds east of UTC, where it begins, and whether it is one."""
    text = loads[end - 8]
    minutes, good = _digits(text >> np.uint64(32))
    hour, minute = np.divmod(minutes, 100)
    sign = octets[end - 5]
    east = 60 * (60 * hour + minute)
    good &= (hour <= FARTHEST) & (minute <= 59)
    good &= (sign == ord("+")) | (sign == ord("-"))
    east = np.where(sign == ord("-"), -east, east)
    name = text >> np.uint64(40)
    named = (name == _word(ZONES[0])) | (name == _word(ZONES[1]))
    return np.where(named, 0, east), end - np.where(named, 3, 5), good | named


def _digits(text: Words) -> tuple[Ints, Bools]:
    """Read the number of four digits that a load begins with, and tell whether they are digits."""
    value = (text & FOUR) ^ _word(b"0000")
    good = ((value + (SIX & FOUR)) | value) & (HIGH & FOUR) == 0
    number = np.zeros(len(text), dtype=np.int64)
    for place in range(4):
        number = 10 * number + ((value >> np.uint64(8 * place)) & np.uint64(0xFF)).astype(np.int64)
    return number, good


def _clock(text: Words) -> tuple[Ints, Bools]:
    """Read "10:00:05": the second of the day, and whether it is one."""
    value = text ^ _word(b"00:00:00")
    good = ((value + SIX) | value) & HIGH == 0
    good &= value & _word(b"\0\0\xff\0\0\xff\0\0") == 0
    hour, minute, second = (
        10 * ((value >> np.uint64(at)) & np.uint64(0xF)).astype(np.int64)
        + ((value >> np.uint64(at + 8)) & np.uint64(0xF)).astype(np.int64)
        for at in (0, 24, 48)
    )
    good &= (hour <= 23) & (minute <= 59) & (second <= 60)
    return 3_600 * hour + 60 * minute + second, good


def _look_up(table: tuple[Words, Ints], text: Words) -> tuple[Ints, Bools]:
    """Give the place of the name that a load begins with, and whether it is one."""
    keys, order = table
    folded = (text & FOUR) | FOLD
    at = np.minimum(np.searchsorted(keys, folded), len(keys) - 1)
    return order[at], keys[at] == folded


def _behind_semicolon(octets: Octets, loads: Words, start: Ints, day: Ints) -> Bools:
    """Tell whether all between the last semicolon and the day is a weekday and blanks."""
    at = day - 1
    for _ in range(2):  # "Mon,  3 Jun"
        at -= octets[at] == ord(" ")
    named = octets[at] == ord(",")
    known = _look_up(DAY_NAMES, loads[at - 3])[1]
    at -= np.where(named, 4, 0)
    left = np.flatnonzero(BLANK[octets[at]] & (at > start))
    while len(left):
        at[left] -= 1
        left = left[BLANK[octets[at[left]]] & (at[left] > start[left])]
    good: Bools = (known | ~named) & (octets[at] == ord(";")) & (at >= start)
    return good
