"""The From line that opens each message of an mbox file: which lines are one, and its date.

RFC 4155 asks for a sender and a UTC date as ``asctime`` writes it. What stands in files also names
a zone before or after the year (Gmail, BSD), puts the year before the time or nothing at all
after ``From`` (Thunderbird), has a sender with blanks (Mailman archives) or ends in ``remote from``
(UUCP). Bodies hold lines that begin with ``From`` too, not always quoted as ``>From``. So one sign
is not enough: a line with a date must also stand after a blank line or before a header field, and
one without a date must have all else that a From line has.
"""

from __future__ import annotations

import re

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_MONTH = b"|".join(_MONTHS)
_WEEKDAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_TIME = rb"\d{1,2}:\d{1,2}(?::\d\d)?"
_ZONE = rb"\(?(?:[A-Z]{1,5}|[+-]\d{4})\)?"
# As nearly all are written; what it finds, the next would find as well.
_COMMON = re.compile(
    rb"From \S+ +"
    + _WEEKDAY
    + rb" ("
    + _MONTH
    + rb") +(\d\d?) (\d\d:\d\d:\d\d) (?:([+-]\d{4}) )?(\d{4})(?=[\r\n])"
)
_DATED = re.compile(
    rb"From [^\r\n]*?" + _WEEKDAY + rb",? +"
    rb"(?:(?P<month>"
    + _MONTH
    + rb") +(?P<day>\d{1,2})|(?P<day2>\d{1,2}) +(?P<month2>"
    + _MONTH
    + rb")),? +"
    rb"(?:(?P<time>" + _TIME + rb") +(?P<zone>(?:" + _ZONE + rb" +)*)(?P<year>\d{4})"
    rb"|(?P<year2>\d{4}) +(?P<time2>" + _TIME + rb"))"
    rb"(?![^ \r\n])(?P<zone2>(?: +" + _ZONE + rb")?)"
)
# Nothing but a sender, or a sender and an ISO date, which text may well contain.
_BARE = re.compile(
    rb"From \S*(?: *(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>\d\d)[ T](?P<time>"
    + _TIME
    + rb") ?(?P<zone>[+-]\d{4})?)? *(?=[\r\n])"
)
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
# What a message may begin with where its From line has no date; "Note:" is not enough there.
_KNOWN_FIELD = re.compile(
    rb"(?:Return-Path|Received|Delivered-To|From|Date|To|Subject|Message-ID|MIME-Version|"
    rb"Content-Type|(?:X-)?Status|X-Mozilla-Status|X-Account-Key|X-UIDL)[ \t]*:",
    re.IGNORECASE,
)
_REST = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)")
_OFFSET = re.compile(rb"[+-]\d{4}")

# A From line is judged by these octets alone, so that it never matters how the file was read.
REACH = 1024


def separates(data: bytes | bytearray, start: int) -> bytes | None:
    """Tell whether the line at `start`, which begins with ``From``, opens a message.

    Parameters
    ----------
    data : bytes or bytearray
        Text in which `REACH` octets follow `start`, unless it ends before.
    start : int
        Where the line begins; four octets before it are there.

    Returns
    -------
    bytes or None
        The line's date as IMAP writes an INTERNALDATE, empty where it has none;
        None where the line is text.
    """
    match = _COMMON.match(data, start, start + REACH)
    if match and blank_before(data, start):
        month, day, time, zone, year = match.groups()
        return b"%s-%s-%s %s %s" % (day.rjust(2, b"0"), month, year, time, zone or b"+0000")
    match = _DATED.match(data, start, start + REACH)
    if match:
        apart = blank_before(data, start) or _FIELD.match(data, *_after(data, start))
        return _asctime(match) if apart else None
    match = _BARE.match(data, start, start + REACH)
    if match and blank_before(data, start) and _KNOWN_FIELD.match(data, *_after(data, start)):
        return _iso(match)
    return None


def blank_before(data: bytes | bytearray, start: int) -> int:
    """Give the length of the blank line that ends at `start`, 0 where there is none."""
    before = data[start - 4 : start] if start > 4 else data[:start]  # noqa: PLR2004 -- CRLF, CRLF
    if before.endswith((b"\n\n", b"\r\r")):
        return 1
    return 2 if before.endswith(b"\n\r\n") else 0


def line_end(data: bytes | bytearray, start: int) -> int:
    """Give the index after the line that begins at `start`, whatever ends it."""
    rest = _REST.match(data, start, start + REACH)
    return rest.end() if rest else start


def _after(data: bytes | bytearray, start: int) -> tuple[int, int]:
    return line_end(data, start), start + REACH


def _asctime(match: re.Match[bytes]) -> bytes:
    month, day, time, zone, year, month2, day2, year2, time2, zone2 = match.group(
        "month", "day", "time", "zone", "year", "month2", "day2", "year2", "time2", "zone2"
    )
    # A named zone counts as UTC: the names are ambiguous, and RFC 4155 asks for UTC.
    offset = _OFFSET.search(zone or zone2)
    return _internaldate(
        day or day2, month or month2, year or year2, time or time2, offset[0] if offset else None
    )


def _iso(match: re.Match[bytes]) -> bytes:
    day, month, year, time, zone = match.group("day", "month", "year", "time", "zone")
    return _internaldate(day, _MONTHS[int(month) - 1], year, time, zone) if year else b""


def _internaldate(day: bytes, month: bytes, year: bytes, time: bytes, zone: bytes | None) -> bytes:
    clock = [part.rjust(2, b"0") for part in (*time.split(b":"), b"00")[:3]]
    return b"%s-%s-%s %s %s" % (day.rjust(2, b"0"), month, year, b":".join(clock), zone or b"+0000")
