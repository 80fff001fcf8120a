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

_TIME = rb"\d{1,2}:\d\d(?::\d\d)?"
_ZONE = rb"\(?(?:[A-Z]{1,5}|[+-]\d{4})\)?"
_FROM_DATE = re.compile(
    rb"From [^\r\n]*?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +"
    rb"(?:(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(?P<day>\d{1,2})"
    rb"|(?P<day2>\d{1,2}) +(?P<month2>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)),? +"
    rb"(?:(?P<time>" + _TIME + rb") +(?P<zone>(?:" + _ZONE + rb" +)*)(?P<year>\d{4})"
    rb"|(?P<year2>\d{4}) +(?P<time2>" + _TIME + rb"))"
    rb"(?![^ \r\n])(?P<zone2>(?: +" + _ZONE + rb")?)"
)
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
# Fields may come after a damaged line or two; a message may also have none at all.
_HEADER = re.compile(rb"[\r\n]|\Z|(?:[^\r\n]*(?:\r\n?|\n)){0,2}(?:[!-9;-~]+[ \t]*:|>From )")
# What a message may begin with where its From line has no date; "Note:" is not enough there.
_KNOWN_FIELD = re.compile(
    rb"(?:Return-Path|Received|Delivered-To|From|Date|To|Subject|Message-ID|MIME-Version|"
    rb"Content-Type|(?:X-)?Status|X-Mozilla-Status|X-Account-Key|X-UIDL)[ \t]*:",
    re.IGNORECASE,
)
_BARE = re.compile(rb"From \S* *(?=[\r\n])")
_REST = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)")
_OFFSET = re.compile(rb"[+-]\d{4}")

# A From line is judged by these octets alone, so that it never matters how the file was read.
REACH = 1024


def separates(data: bytes, start: int) -> bytes | None:
    """Tell whether the line at `start`, which begins with ``From``, opens a message.

    Parameters
    ----------
    data : bytes
        Text in which `REACH` octets follow `start`, unless the file ends before.
    start : int
        Where the line begins; four octets before it are there.

    Returns
    -------
    bytes or None
        The line's date as IMAP writes an INTERNALDATE, empty where it has none;
        None where the line is text.
    """
    match = _FROM_DATE.match(data, start, start + REACH)
    if match:
        header = _HEADER if blank_before(data, start) else _FIELD
        return _internaldate(match) if header.match(data, *_after(data, start)) else None
    if not _BARE.match(data, start, start + REACH) or not blank_before(data, start):
        return None
    return b"" if _KNOWN_FIELD.match(data, *_after(data, start)) else None


def blank_before(data: bytes, start: int) -> int:
    """Give the length of the blank line that ends at `start`, 0 where there is none."""
    before = data[start - 4 : start] if start > 4 else data[:start]  # noqa: PLR2004 -- CRLF, CRLF
    if before.endswith((b"\n\n", b"\r\r")):
        return 1
    return 2 if before.endswith(b"\n\r\n") else 0


def line_end(data: bytes, start: int) -> int:
    """Give the index after the line that begins at `start`, whatever ends it."""
    rest = _REST.match(data, start)
    return rest.end() if rest else start


def _after(data: bytes, start: int) -> tuple[int, int]:
    return line_end(data, start), start + REACH


def _internaldate(match: re.Match[bytes]) -> bytes:
    month, day, time, zone, year, month2, day2, year2, time2, zone2 = match.group(
        "month", "day", "time", "zone", "year", "month2", "day2", "year2", "time2", "zone2"
    )
    time = time or time2
    # A named zone counts as UTC: the names are ambiguous, and RFC 4155 asks for UTC.
    offset = _OFFSET.search(zone or zone2)
    return b"%s-%s-%s %s %s" % (
        (day or day2).rjust(2, b"0"),
        month or month2,
        year or year2,
        (time if time.count(b":") > 1 else time + b":00").rjust(8, b"0"),
        offset[0] if offset else b"+0000",
    )
