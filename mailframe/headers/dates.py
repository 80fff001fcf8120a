"""Dates: RFC 5322 section 3.3 with its obsolete forms, and what else can mean only one instant.

Comments go first. One pattern reads what is lawful; any other value is taken to pieces
(`mailframe.headers.loosedates`), all of which must be understood: half a date is none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from mailframe.headers import loosedates
from mailframe.headers.loosedates import ZONES, Parts, offset_of, year_of
from mailframe.headers.text import decode, unfold

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# The order that RFC 5322 has, obsolete years and zones included: nothing to mend.
_LAWFUL = re.compile(
    r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun) ?, ?)?(?P<day>\d{1,2}) ?(?P<month>[a-z]{3})"
    r" ?(?P<year>\d{2,4}) (?P<hour>\d\d) ?: ?(?P<minute>\d\d)(?: ?: ?(?P<second>\d\d))?"
    r" (?P<zone>[+-]\d{4}|ut|gmt|[ecmp][sd]t|[a-ik-z])",
    re.ASCII,
)
# Seconds since 1970, or milliseconds, as programs count them: from 1973 on.
_COUNT = re.compile(rb"\s*+(\d{9,10})(?:\d{3}|\.\d{1,9})?\s*+", re.ASCII)
_LONGEST = 1000  # octets of a date; nobody's is as long
_BLANKS = re.compile(r"\s++")
# Where a date may begin.
_START = re.compile(r"(?<![^\s;])(?:[A-Za-z]{3}[a-z]{0,6},? +)?\d{1,4}(?:[ -][A-Za-z]|[-/.]\d)")
_COMMENT_PART = re.compile(rb"[^()\\]++|\\.?|[()]", re.DOTALL)


class Instant(NamedTuple):
    """A Date field's value.

    Attributes
    ----------
    seconds : int or None
        Since 1970-01-01 00:00 UTC; None where the value cannot be read.
    offset : int or None
        Minutes east of UTC that the value names; None where it names none, or ``-0000``.
    mended : bool
        Whether the value breaks RFC 5322.
    """

    seconds: int | None
    offset: int | None
    mended: bool


UNREADABLE = Instant(None, None, mended=True)


def parse(raw: bytes) -> Instant:
    """Read the value of a Date field, folds and comments included."""
    value = unfold(raw)
    if len(value) > _LONGEST:
        return UNREADABLE
    value = without_comments(value)
    lawful = _LAWFUL.fullmatch(_BLANKS.sub(" ", value.decode("latin-1").lower()).strip(" "))
    if lawful and lawful["month"] in MONTHS:
        return instant(_lawful_parts(lawful), lawful=True)
    # A comment that is never closed is one to the end.
    text, _ = decode(value.partition(b"(")[0], value)
    parts = loosedates.read(text)
    return UNREADABLE if parts is None else instant(parts, lawful=False)


def counted(raw: bytes) -> Instant:
    """Read seconds or milliseconds since 1970, which servers and From lines may write.

    In a Date field a bare number is no date.
    """
    count = _COUNT.fullmatch(raw)
    return Instant(int(count[1]), None, mended=True) if count else UNREADABLE


def trailing(text: str) -> Instant:
    """Read the date that ends a text, as in a Received field without a semicolon."""
    text = text[-_LONGEST:]
    for start in _START.finditer(text):
        when = parse(text[start.start() :].encode())
        if when.seconds is not None:
            return when
    return UNREADABLE


def _lawful_parts(match: re.Match[str]) -> Parts | None:
    zone, weekday = match["zone"], match["weekday"]
    offset = ZONES.get(zone)
    if zone[0] in "+-":
        offset = offset_of(zone)
        if offset is None:
            return None
        if zone == "-0000":
            offset = None  # a time in UTC from a place that does not say where it is
    day = (year_of(match["year"]), MONTHS.index(match["month"]) + 1, int(match["day"]))
    clock = (int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    return Parts([day], clock, offset, frozenset({WEEKDAYS.index(weekday)} if weekday else ()))


def instant(parts: Parts | None, *, lawful: bool) -> Instant:
    """Put an instant together; of several possible days it is the one that has the weekday."""
    if parts is None:
        return UNREADABLE
    hour, minute, second = parts.clock
    found = []
    for year, month, day in parts.days:
        try:
            # A leap second is the first one of the next minute.
            when = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            continue
        if second <= 60 and year >= 1900:
            found.append(when)
    right = [when for when in found if when.weekday() in parts.weekdays]
    found = right or found
    if len(found) != 1:
        return UNREADABLE
    seconds = int(found[0].timestamp()) + (second == 60) - 60 * (parts.offset or 0)
    return Instant(seconds, parts.offset, not lawful or (bool(parts.weekdays) and not right))


def without_comments(value: bytes) -> bytes:
    """Replace each comment by a blank; what is never closed is no comment."""
    if b"(" not in value:
        return value
    depth = opened = 0
    kept = []
    for part in _COMMENT_PART.finditer(value):
        octets = part.group()
        if octets == b"(":
            if not depth:
                opened = part.start()
            depth += 1
        elif octets == b")" and depth:
            depth -= 1
            if not depth:
                kept.append(b" ")
        elif not depth:
            kept.append(octets)
    if depth:
        kept.append(value[opened:])
    return b"".join(kept)
