"""Dates: RFC 5322 section 3.3 with its obsolete forms, and what else can mean only one instant.

Comments go first. Then one pattern for the order day month year, one for asctime and its kin, one
for ISO 8601. Numeric dates such as 03/04/2002 stay unread: nobody can tell the month.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from mailframe.headers.text import unfold

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Minutes east of UTC. Military letters other than Z were defined wrongly once and say nothing
# (RFC 5322 section 4.3), as does any name that is not here.
_ZONES = {"ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300}
_ZONES |= {"mst": -420, "mdt": -360, "pst": -480, "pdt": -420}

_MONTH = r"(?P<month>" + "|".join(MONTHS) + r")[a-z]{0,6}+\.?"
_WEEKDAY = r"(?:(?P<weekday>" + "|".join(WEEKDAYS) + r")[a-z]{0,6}+\.?[ ,]*+)?"
# In another language, and perhaps without a label: it says nothing that the date does not.
_STRANGE_WEEKDAY = r"[^\s\d,]{1,40}+, ?"
_TIME = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})(?:[.,]\d{1,9})?)?)"
_NOON = r"(?: ?(?P<noon>[ap])\.?m\.?)?"
_ZONE = (
    r"(?: *+(?P<zone>(?:(?:gmt|utc|ut) ?)?[+-] ?\d{1,2}:?\d{2}(?!\d)|(?:gmt|utc)?[+-]\d{1,2}(?!\d)"
    r'|"?[a-z]{1,5}+"?(?!\d)))?'
)
_DAY = r"(?P<day>0?\d{1,2})(?:st|nd|rd|th|\.)?"
_CLOCK = rf"{_TIME}{_NOON}{_ZONE}"
_FORMS = (
    # Wed, 21 Aug 2002 16:12:38 +0700
    re.compile(
        rf"(?:{_WEEKDAY}|{_STRANGE_WEEKDAY}){_DAY}[ -]*+{_MONTH}[ ,-]*+(?P<year>\d{{2,6}}),? *+"
        rf"{_CLOCK}",
        re.ASCII,
    ),
    # Wed Aug 21 16:12:38 PDT 2002, or the zone behind the year
    re.compile(
        rf"{_WEEKDAY}{_MONTH} *+{_DAY},? {_TIME}{_NOON},? (?P<year>\d{{4}}){_ZONE}", re.ASCII
    ),
    re.compile(rf"{_WEEKDAY}{_MONTH} *+{_DAY},? {_CLOCK},? *+(?P<year>\d{{4}})", re.ASCII),
    # Aug 21, 2002 4:12 PM
    re.compile(rf"{_WEEKDAY}{_MONTH} *+{_DAY},? (?P<year>\d{{4}}),? *+{_CLOCK}", re.ASCII),
    # 2002-08-21T16:12:38Z
    re.compile(
        rf"{_WEEKDAY}(?P<year>\d{{4}})-(?P<digits>\d\d)-(?P<day>\d\d)[ t]{_CLOCK}", re.ASCII
    ),
)
# The first form as RFC 5322 spells it, obsolete years and zones included: nothing to mend.
_LAWFUL = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun) ?, ?)?\d{1,2} ?[a-z]{3} ?\d{2,4}"
    r" \d\d ?: ?\d\d(?: ?: ?\d\d)? (?:[+-]\d{4}|ut|gmt|[ecmp][sd]t|[a-ik-z])",
    re.ASCII,
)
_BLANKS = re.compile(r"\s++")
_COLON = re.compile(r" ?([:.]) ?(?=\d)")
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
    if len(value) > 1000:
        return UNREADABLE
    text = _BLANKS.sub(" ", without_comments(value).decode("latin-1").lower()).strip(" ")
    text = _COLON.sub(r"\1", text)
    bare = text.strip(' ,;"<>')
    for form in _FORMS:
        match = form.match(bare)
        if match:
            return _instant(match, text)
    return UNREADABLE


def _instant(match: re.Match[str], text: str) -> Instant:
    got = match.groupdict()
    lawful = _LAWFUL.fullmatch(text) is not None
    month = int(got["digits"]) if "digits" in got else MONTHS.index(got["month"]) + 1
    hour = int(got["hour"])
    if got["noon"] and hour <= 12:
        hour = hour % 12 + 12 * (got["noon"] == "p")
    second = int(got["second"] or 0)
    year = _year(got["year"])
    try:
        # A leap second is the first one of the next minute.
        when = datetime(
            year, month, int(got["day"]), hour, int(got["minute"]), min(second, 59), tzinfo=UTC
        )
    except ValueError:
        return UNREADABLE
    if second > 60 or not 1900 <= year <= 9999:
        return UNREADABLE
    offset, known = _offset(got["zone"])
    seconds = int(when.timestamp()) + (second == 60) - 60 * (offset or 0)
    weekday = got["weekday"]
    right_day = weekday is None or WEEKDAYS[when.weekday()] == weekday
    return Instant(seconds, offset, not (lawful and known and right_day))


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _offset(zone: str | None) -> tuple[int | None, bool]:
    """Return minutes east of UTC and whether the zone is a lawful one."""
    if zone is None:
        return None, False
    name = zone.strip('"')
    if name[-1].isalpha():
        known = name in _ZONES
        return _ZONES.get(name), known or len(name) == 1
    digits = re.sub(r"[^0-9]", "", name)
    if len(digits) <= 2:
        digits = digits + "00"
    hours, minutes = int(digits[:-2]), int(digits[-2:])
    if minutes > 59:
        return None, False
    if "-" in name:
        # -0000 is a time in UTC from a place that does not say where it is.
        return (-(60 * hours + minutes) or None), True
    return 60 * hours + minutes, True


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
