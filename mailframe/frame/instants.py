"""Dates as arithmetic: a whole column of Date or INTERNALDATE values at once.

The fast path knows one shape, ``Wed, 21 Aug 2002 16:12:38`` and a zone, and reads it by its
digits; years of two digits, hours of one and missing seconds are written out to that first. The
zone and what follows it are one of few distinct strings, so each is parsed once. All other values
go one by one to the general path, `mailframe.headers.dates`.
"""

from __future__ import annotations

import re
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from mailframe.frame.blocks import Blocks
from mailframe.frame.schema import INSTANT
from mailframe.headers import calendars, dates
from mailframe.headers.columns.values import distinct
from mailframe.headers.memory import remembering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mailframe.frame.blocks import Spans
    from mailframe.headers.columns.marks import Mask, Positions

_LOWER = 0x20202020
_SPACE, _ZERO, _FIVE, _COLON, _DASH, _PLUS = b" 05:-+"
_NINETEEN, _TWENTY = (np.frombuffer(century, np.uint8) for century in (b"19", b"20"))
# "Aug 2002 16:12:38 " : positions of its digits, and of what stands between them.
_CLOCK = 18
_MARKS = {3: _SPACE, 8: _SPACE, 11: _COLON, 14: _COLON, 17: _SPACE}
_DIGITS = [4, 5, 6, 7, 9, 10, 12, 13, 15, 16]
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAY = 86_400
# A zone that shifts the clock and does nothing else, and perhaps a comment.
_ZONE = re.compile(rb"(?:[+-]\d{4}|[A-Za-z]{3,5})(?: \([^()\\]*\))?")
_INTERNALDATE = re.compile(rb"[ \d]?\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_FIXED = len("17-Jul-1996 02:44:25 -0700")
_CLOCK_ROOM = bytes(_CLOCK)


class Instants(NamedTuple):
    """Decoded dates.

    Attributes
    ----------
    seconds : int64 array
        Since 1970-01-01 00:00 UTC.
    known : bool array
        Where `seconds` means anything.
    offset : int64 array
        Minutes east of UTC.
    has_offset : bool array
        Where `offset` means anything.
    mended : bool array
        Which values were malformed.
    """

    seconds: Positions
    known: Mask
    offset: Positions
    has_offset: Mask
    mended: Mask

    def instants(self) -> pa.Array:
        """Return the column of instants."""
        return pa.array(self.seconds * 1_000_000, pa.int64(), mask=~self.known).view(INSTANT)

    def put(self, rows: Mask, found: Sequence[dates.Instant]) -> None:
        """Put what the general path read into some rows."""
        self.seconds[rows] = [when.seconds or 0 for when in found]
        self.known[rows] = [when.seconds is not None for when in found]
        self.offset[rows] = [when.offset or 0 for when in found]
        self.has_offset[rows] = [when.offset is not None for when in found]
        self.mended[rows] = [when.mended for when in found]

    def offsets(self) -> pa.Array:
        """Return the column of offsets."""
        return pa.array(self.offset, pa.int16(), mask=~self.has_offset)


def _table(names: Sequence[str], ending: str) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    keys = np.array(
        [int.from_bytes((name + ending).encode(), "little") for name in names], np.uint32
    ) | np.uint32(_LOWER)
    order = np.argsort(keys)
    return keys[order], order


_MONTHS = _table(dates.MONTHS, " ")
_WEEKDAYS = _table(dates.WEEKDAYS, ",")


def _look_up(
    table: tuple[NDArray[np.uint32], NDArray[np.int64]], key: NDArray[np.uint32]
) -> tuple[Positions, Mask]:
    """Return the place of each name in its table, and whether it is there."""
    keys, order = table
    folded = key | np.uint32(_LOWER)
    at = np.minimum(np.searchsorted(keys, folded), len(keys) - 1)
    return order[at], keys[at] == folded


def header_dates(blocks: Blocks, spans: Spans) -> Instants:
    """Decode the values of a Date field."""
    octets = blocks.octets
    weekday, has_weekday = _look_up(_WEEKDAYS, _fours(octets, spans.start))
    has_weekday &= octets[spans.start + 4] == _SPACE
    at = spans.start + 5 * has_weekday  # behind "Wed, "
    at += octets[at] == _SPACE
    day, width = _day(octets, at)
    at += width + 1
    good = ~spans.odd & (octets[at - 1] == _SPACE)
    days, clock, right = _clock(octets, at, day)
    zone, early = at + _CLOCK, np.zeros(len(at), np.bool_)
    others = np.flatnonzero(good & ~right)
    if len(others):
        text, zone[others], early[others] = _written_out(octets, at[others])
        days[others], clock[others], right[others] = _clock(
            text, np.arange(0, _CLOCK * len(others), _CLOCK), day[others]
        )
    good &= right & (zone < spans.end)

    zones = np.zeros((len(spans.rows), 4), np.int64)
    for which, parse in ((good & ~early, _zone), (good & early, _zone_of_early)):
        rows = np.flatnonzero(which)
        rest = spans.only(rows)._replace(start=zone[rows])
        found, index = distinct(blocks.values(rest).raw, parse)
        if found:
            zones[rows] = np.array(found, np.int64)[index.to_numpy()]
    offset, has_offset, mended = zones[:, 1].copy(), zones[:, 2] != 0, zones[:, 3] != 0
    good &= zones[:, 0] != 0
    mended |= has_weekday & (weekday != (days + 3) % 7)
    seconds = days * _DAY + clock - 60 * offset

    result = Instants(seconds, good.copy(), offset, has_offset & good, mended & good)
    values = blocks.values(spans.only(~good))
    result.put(~good, [_parse(raw) for raw in values.raw.to_pylist()])
    return result


def _written_out(
    octets: NDArray[np.uint8], at: Positions
) -> tuple[NDArray[np.uint8], Positions, Mask]:
    """Write ``Aug 02 6:12 `` at each position as ``Aug 2002 06:12:00 ``.

    Returns
    -------
    uint8 array, int64 array, bool array
        The clocks one behind the other; the position behind each; and which had an hour of one
        digit, which RFC 5322 does not know. Beside that a year of two digits could be the day.
    """
    text = np.full((len(at), _CLOCK), _ZERO, np.uint8)
    year = at + 4
    short = octets[year + 2] == _SPACE
    hour = year + np.where(short, 3, 5)
    early = (octets[hour + 1] == _COLON) & ~short
    minute = hour + np.where(early, 2, 3)
    bare = octets[minute + 2] == _SPACE
    behind = minute + np.where(bare, 3, 6)
    text[:, :4] = octets[at[:, None] + np.arange(4)]
    text[:, 4:8] = octets[year[:, None] + np.arange(4)]
    text[short, 6:8] = text[short, 4:6]
    text[short, 4:6] = np.where((text[short, 6] < _FIVE)[:, None], _TWENTY, _NINETEEN)
    text[:, 9] = np.where(early, _ZERO, octets[hour])
    text[:, 10] = octets[minute - 2]
    text[:, 12:14] = octets[minute[:, None] + np.arange(2)]
    text[:, 15:17] = np.where(bare[:, None], _ZERO, octets[minute[:, None] + np.arange(3, 5)])
    text[:, 8], text[:, 11], text[:, 17] = (octets[x - 1] for x in (hour, minute, behind))
    text[:, 14] = np.where(bare, _COLON, octets[minute + 2])
    return np.append(text, np.zeros(_CLOCK, np.uint8)), behind, early


def dates_in(values: Sequence[str]) -> Instants:
    """Decode dates that stand in texts of one line each, as in a Date field."""
    blocks = Blocks([b"Date: " + value.encode() for value in values], ["DATE"])
    return header_dates(blocks, blocks.spans("DATE"))


def internal_dates(raw: Sequence[bytes]) -> Instants:
    """Decode INTERNALDATE values (RFC 9051 section 9, date-time); ``b""`` is an absent one.

    Another form is malformed, and read as in a Date field.
    """
    lengths = np.fromiter(map(len, raw), np.int64, len(raw))
    good = lengths == _FIXED
    joined = b"".join(raw if good.all() else compress(raw, good.tolist()))
    seconds = np.zeros(len(raw), np.int64)
    seconds[good], right = _fixed_clock(joined)
    good[good] = right
    nothing = np.zeros(len(raw), np.bool_)
    result = Instants(seconds, good.copy(), np.zeros_like(seconds), nothing, nothing.copy())
    others = ~good & (lengths > 0)
    found = [_parse_internal(each) for each in compress(raw, others.tolist())]
    result.put(others, found)
    return result


def _fixed_clock(joined: bytes) -> tuple[Positions, Mask]:
    """Read ``17-Jul-1996 02:44:25 -0700`` again and again: seconds, and whether they are right."""
    octets = np.frombuffer(joined + _CLOCK_ROOM, np.uint8).copy()
    at = np.arange(0, len(joined), _FIXED)
    good = (octets[at + 2] == _DASH) & (octets[at + 6] == _DASH)
    octets[at + 2] = octets[at + 6] = _SPACE  # as in a Date field
    padding = octets[at] == _SPACE
    day, width = _day(octets, at + padding)
    days, clock, right = _clock(octets, at + 3, day)
    sign = octets[at + 21]
    digit = octets[at[:, None] + np.arange(22, 26)].T - np.uint8(_ZERO)
    hours, minutes = (10 * digit[i].astype(np.int64) + digit[i + 1] for i in (0, 2))
    offset = np.where(sign == _DASH, -1, 1) * (60 * hours + minutes)
    good &= right & (padding + width == 2) & ((sign == _DASH) | (sign == _PLUS))
    good &= (digit <= 9).all(0) & (minutes < 60)
    return days * _DAY + clock - 60 * offset, good


def _fours(octets: NDArray[np.uint8], at: Positions) -> NDArray[np.uint32]:
    view: NDArray[np.uint32] = np.ndarray(len(octets) - 3, "<u4", octets, strides=1)
    return view[at]


def _day(octets: NDArray[np.uint8], at: Positions) -> tuple[Positions, Positions]:
    """Read a day of one or two digits; return it, 0 for none, and its width."""
    first = (octets[at] - np.uint8(_ZERO)).astype(np.int64)
    second = (octets[at + 1] - np.uint8(_ZERO)).astype(np.int64)
    two = second <= 9
    day = np.where(two, 10 * first + second, first)
    return np.where(first <= 9, day, 0), 1 + two


def _clock(
    octets: NDArray[np.uint8], at: Positions, day: Positions
) -> tuple[Positions, Positions, Mask]:
    """Read ``Aug 2002 16:12:38 `` at each position.

    Returns
    -------
    int64 array, int64 array, bool array
        Days since 1970-01-01, seconds of that day, and whether they are right.
    """
    window = np.ndarray(len(octets) - _CLOCK + 1, f"V{_CLOCK}", octets, strides=1)
    text = window[at].view(np.uint8).reshape(-1, _CLOCK).T
    month, good = _look_up(_MONTHS, _fours(octets, at))
    for place, mark in _MARKS.items():
        good &= text[place] == mark
    digit = text[_DIGITS] - np.uint8(_ZERO)
    good &= (digit <= 9).all(0)
    year = digit[:4].astype(np.int64).T @ np.array([1000, 100, 10, 1])
    hour, minute, second = (digit[i].astype(np.int64) * 10 + digit[i + 1] for i in (4, 6, 8))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = _MONTH_DAYS[month] + (leap & (month == 1))
    good &= (day >= 1) & (day <= length) & (year >= 1900)
    # A leap second is the first one of the next minute (RFC 5322 allows 60).
    good &= (hour <= 23) & (minute <= 59) & (second <= 60)
    months = 12 * (year - 1970) + month
    days = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + day - 1
    return days, hour * 3600 + minute * 60 + second, good


def _parse_zone(raw: bytes, clock: bytes = b"00:00:00") -> tuple[bool, int, bool, bool]:
    """Parse what follows the seconds: whether it is plain, offset, has one, was malformed."""
    name = raw.partition(b" ")[0].decode("ascii", "replace").lower()
    # A name of a month or a weekday may say more of the whole date than of this one.
    if not _ZONE.fullmatch(raw) or calendars.months(name) or calendars.weekdays(name):
        return False, 0, False, False
    when = dates.parse(b"01 Jan 1970 " + clock + b" " + raw)
    return when.seconds is not None, when.offset or 0, when.offset is not None, when.mended


def _parse_zone_of_early(raw: bytes) -> tuple[bool, int, bool, bool]:
    """Parse what follows an hour of one digit: such a date is malformed, and read as others are."""
    return _parse_zone(raw, b"0:00:00")


def _parse_internaldate(raw: bytes) -> dates.Instant:
    if _INTERNALDATE.fullmatch(raw):
        return dates.parse(raw.replace(b"-", b" ", 2))
    when = dates.counted(raw)
    return dates.parse(raw)._replace(mended=True) if when.seconds is None else when


_zone = remembering(_parse_zone)
_zone_of_early = remembering(_parse_zone_of_early)
_parse = remembering(dates.parse)
_parse_internal = remembering(_parse_internaldate)
