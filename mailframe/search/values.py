"""What stands behind a key of the search line: sizes, periods, ranges and patterns.

Whatever does not fit is told with what would.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.stats import clock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

THOUSAND = 1_000
UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WORD = re.compile(r'"([^"]*)"?|([^\s"]+)')
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)i?b?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")
_COMPARED = re.compile(r"([<>]=?|)\s*(.+)")
_AGE = re.compile(r"(\d{1,5})\s*([hdwmy])(?:ours?|ays?|eeks?|onths?|ears?)?", re.IGNORECASE)
_UNITS_OF_TIME = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_STARTS: dict[str, Callable[[pd.Timestamp], pd.Timestamp]] = {
    "day": lambda today: today,
    "week": lambda today: today - pd.DateOffset(days=today.day_of_week),
    "month": lambda today: today.replace(day=1),
    "year": lambda today: today.replace(month=1, day=1),
}
# What a pattern is made of that must not be taken apart: escapes and classes; and bare groups.
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)")
# Every letter beyond ASCII counts as one of a word.
_RANGES = {"d": "0-9", "s": " \t-\r", "w": "0-9A-Za-z_\x80-\U0010ffff"}


def words(text: str) -> list[str]:
    """Split ``text`` at spaces, but for what stands in double quotes."""
    found = (match[1] if match[1] is not None else match[2] for match in _WORD.finditer(text))
    return [word for word in found if word]


def short_size(octets: int) -> str:
    """Write a size as the search line would take it: ``1500``, ``200k``, ``1.5M``.

    Only a size that is a whole number of hundreds of the unit is shortened: nothing is rounded.
    """
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if octets >= unit and octets % (unit // 10) == 0:
            return f"{octets / unit:g}{letter}"
    return str(octets)


def human_size(octets: int) -> str:
    """Write a size for reading, in two or three digits: ``840 B``, ``1.2 kB``, ``35 MB``."""
    size, units = float(octets), ["B", "kB", "MB", "GB"]
    while round(size) >= THOUSAND and len(units) > 1:
        size /= THOUSAND
        units.pop(0)
    # One decimal, but for what has two digits before it anyway.
    number = f"{size:.1f}".removesuffix(".0")
    return f"{number if len(number) == len('9.9') else f'{size:,.0f}'} {units[0]}"


def parse_size(text: str) -> int:
    """Octets of ``1M``, ``200k`` or ``1500``; a kilobyte is 1,000 octets, as in the SI.

    Raises
    ------
    ConfigurationError
        If it is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is no size: write 1500, 200k or 1.5M")
    return int(float(match[1]) * UNITS[match[2].lower()])


def parse_sizes(text: str) -> tuple[int | None, int | None]:
    """Least size and the one that is too much of ``>1M``, ``<=20k``, ``1M..5M``; ``1M`` is a least.

    Raises
    ------
    ConfigurationError
        If there is no size in it.
    """
    first, dots, last = text.partition("..")
    if dots:
        return parse_size(first), parse_size(last) + 1
    match = _COMPARED.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is no size: write >1M, <20k or 1M..5M")
    sign, size = match[1], parse_size(match[2])
    if sign.startswith("<"):
        return None, size + (sign == "<=")
    return size + (sign == ">"), None


def parse_age(text: str, zone: dt.tzinfo, now: pd.Timestamp | None = None) -> pd.Timestamp:
    """Give the instant ``7d`` ago; a month and a year are those of the calendar.

    Raises
    ------
    ConfigurationError
        If it is no span of time.
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is no span of time: write 12h, 7d, 2w, 3m or 1y")
    present = _now(zone, now).floor("min")  # a minute long the same answer, which can be kept
    unit = _UNITS_OF_TIME[match[2].lower()]
    try:
        if unit == "hours":
            return present - pd.Timedelta(hours=int(match[1]))
        wall = present.tz_localize(None) - _span(unit, int(match[1]))
        return clock.starts(pd.DatetimeIndex([wall]), zone)[0]
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{text!r} is longer than time is told") from error


def parse_period(
    text: str, zone: dt.tzinfo, now: pd.Timestamp | None = None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First instant and end of a year, month or day in a zone.

    Written ``2024``, ``2024-05``, ``2024-05-31``, or as people say it: ``today``, ``yesterday``,
    ``monday`` and ``march`` (the latest there was), ``this week``, ``last month``, ``last year``.

    Raises
    ------
    ConfigurationError
        If it is no date.
    """
    said = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    try:
        start, length = _said(said, _now(zone, now).tz_localize(None).normalize()) or _dated(text)
        first, end = clock.starts(pd.DatetimeIndex([start, start + length]), zone)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{text!r} is no date: write 2024, 2024-05 or 2024-05-31, yesterday, march, "
            '"last month"'
        ) from error
    return first, end


def _span(unit: str, number: int) -> pd.DateOffset:
    return pd.DateOffset(**{unit: number})  # type: ignore[arg-type]  # the stubs see one keyword


def _dated(text: str) -> tuple[pd.Timestamp, pd.DateOffset]:
    match = _DATE.fullmatch(text.strip())
    year, month, day = match.groups() if match else ("", None, None)
    start = pd.Timestamp(int(year), int(month or 1), int(day or 1))
    return start, pd.DateOffset(years=not month, months=bool(month and not day), days=bool(day))


def _said(text: str, today: pd.Timestamp) -> tuple[pd.Timestamp, pd.DateOffset] | None:
    """Find the first day of a period that is named from today, and how long it is."""
    if text in ("today", "yesterday"):
        return today - pd.DateOffset(days=int(text == "yesterday")), pd.DateOffset(days=1)
    which, _, unit = text.rpartition(" ")
    if which in ("this", "last") and unit in _STARTS:
        start, length = _STARTS[unit](today), _span(f"{unit}s", 1)
        return start - length if which == "last" else start, length
    if which not in ("", "last") or len(unit) < len("mon"):
        return None
    for number, name in enumerate(_DAYS):
        if name.startswith(unit):
            back = (today.day_of_week - number) % 7
            return today - pd.DateOffset(days=back or 7 * (which == "last")), pd.DateOffset(days=1)
    for number, name in enumerate(_MONTHS, 1):
        if name.startswith(unit):
            earlier = number > today.month or (number == today.month and which == "last")
            start = pd.Timestamp(today.year - earlier, number, 1)
            return start, pd.DateOffset(months=1)
    return None


def _now(zone: dt.tzinfo, now: pd.Timestamp | None) -> pd.Timestamp:
    return pd.Timestamp.now(zone) if now is None else now.tz_convert(zone)


def parse_ranges(
    values: Sequence[str], number: Callable[[str], int], count: int
) -> tuple[int, ...]:
    """Numbers of ``8-17`` or ``sat,sun``, both ends included; ``22-5`` goes round midnight."""
    found: set[int] = set()
    places = range(count)
    try:
        for value in values:
            first, _, last = value.partition("-")
            start, end = (places.index(number(edge)) for edge in (first, last or first))
            found.update((start + step) % count for step in range((end - start) % count + 1))
    except ValueError as error:
        example = "mon or sat-sun" if count == len(WEEKDAYS) else "0 to 23, or 8-17"
        raise ConfigurationError(f"{','.join(values)!r} does not fit: write {example}") from error
    return tuple(sorted(found))


def check_pattern(pattern: str) -> str:
    r"""Make a typed regular expression fit for RE2 and for ``Series.str.contains``.

    Groups are made non-capturing, for pandas warns of others; ``\d``, ``\s`` and ``\w`` are spelt
    out, for pandas would leave RE2 for Python's ``re`` because of them, ten times as slow.

    Raises
    ------
    ConfigurationError
        If RE2 cannot read the pattern: it knows no back-references and no look-around.
    """
    plain = _PIECE.sub(_plain_piece, pattern)
    try:
        pc.match_substring_regex(pa.array([""]), plain, ignore_case=True)
        groups = re.compile(plain).groups
    except (pa.ArrowInvalid, re.error) as error:
        reason = str(error).partition("regular expression: ")[2] or str(error)
        reason = reason.replace("(?:", "(")  # as typed
        raise ConfigurationError(f"/{pattern}/ is no regular expression: {reason}") from error
    if groups:
        raise ConfigurationError(f"/{pattern}/ names a group: leave the name out")
    return plain


def _plain_piece(piece: re.Match[str]) -> str:
    text = piece[0]
    if text == "(":
        return "(?:"
    if text[0] == "[":
        return re.sub(r"\\(.)", lambda escape: _RANGES.get(escape[1], escape[0]), text)
    if text[0] == "\\" and text[1:].lower() in _RANGES:
        return f"[{'^' if text[1].isupper() else ''}{_RANGES[text[1].lower()]}]"
    return text
