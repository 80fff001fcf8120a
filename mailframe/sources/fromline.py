"""The From line that opens each message of an mbox file: which lines are one, and its date.

RFC 4155 asks for a sender and a UTC date as ``asctime`` writes it. What stands in files also names
a zone anywhere behind the day (Gmail, BSD), glues it to the time, puts the year before the time or
writes it with two digits, has nothing at all after ``From`` (Thunderbird), a sender with blanks
(Mailman archives), a date of another language or form, seconds since 1970, or ends in ``remote
from`` (UUCP): it is read as any loose date is, and in UTC where it names no zone. Bodies hold lines
that begin with ``From`` too, not always quoted as ``>From``.

So which lines separate, and what is read from them, are two questions. One sign is not enough: a
line that ends in a date with its weekday must also stand after a blank line or before a header
field, and so must one whose date is all there is behind an address; one with less needs both. A
date that cannot be read is empty, and no reason to lose a
message. The From line of a git patch opens a message only where it opens the file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailframe.headers import calendars, dates, loosedates
from mailframe.headers.text import decode
from mailframe.sources.arrival import internaldate

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
# As nearly all are written; what it finds, `_told` would find as well.
_COMMON = re.compile(
    rb"From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ("
    + b"|".join(_MONTHS)
    + rb") +(\d\d?) (\d\d:\d\d:\d\d) (?:([+-]\d{4}) )?(\d{4})(?=[\r\n])"
)
# What git format-patch writes, always of this date, for SHA-1 and SHA-256.
_PATCH = re.compile(
    rb"From [0-9a-f]{40}(?:[0-9a-f]{24})? Mon Sep 17 00:00:00 2001[ \t]*(?:[\r\n]|\Z)"
)
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
# What a message may begin with where its From line alone does not tell; "http://" is not enough.
_NAMED_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9_-]*[ \t]*:(?!//)|>From ")
# What one may begin with even below "From" and a word; "Note:" is not enough there.
_KNOWN_FIELD = re.compile(
    rb"(?:Return-Path|Received|Delivered-To|From|Date|To|Subject|Message-ID|MIME-Version|"
    rb"Content-Type|(?:X-)?Status|X-Mozilla-Status|X-Account-Key|X-UIDL)[ \t]*:",
    re.IGNORECASE,
)
_REST = re.compile(rb"[^\r\n]*(?:\r\r?\n|[\r\n]|\Z)")
# A sender by its form: of RFC 5322, of UUCP, or none.
_SENDER = re.compile(rb"From (?:\S*[@!]\S*|-|)(?:\s|\Z)")
_CLOCK = re.compile(rb"\d:\d\d")
_CLOCK_AND_YEAR = re.compile(
    rb"(?=.*\d:\d\d:\d\d(?!\d))(?=.*(?<!\d)(?:19|20)\d\d(?!\d))", re.DOTALL
)

_REMOTE = re.compile(rb" remote from \S+\Z")
_COMMENT = re.compile(rb" \([^()]* [^()]*\)\Z")
_ZONE = re.compile(rb"\(([+-]\d\d:?\d\d)\)")
_DIGIT = re.compile(rb"\d")
_LONGEST_DATE = 12  # words
_ENGLISH = frozenset([b"to", b"we", b"so", b"me", b"do"])  # and weekdays elsewhere, in brief
_SMALL = re.compile(rb"[A-Za-z]?[a-z]++")

# A From line is judged by these octets alone, so that it never matters how the file was read.
REACH = 1024


def separates(data: bytes | bytearray, start: int, *, patches: bool = True) -> bytes | None:
    """Tell whether the line at `start`, which begins with ``From``, opens a message.

    Parameters
    ----------
    data : bytes or bytearray
        Text in which `REACH` octets follow `start`, unless it ends before.
    start : int
        Where the line begins; four octets before it are there.
    patches : bool
        Whether the From line of a git patch is one.

    Returns
    -------
    bytes or None
        The line's date as IMAP writes an INTERNALDATE, empty where it has none;
        None where the line is text.
    """
    blank = blank_before(data, start)
    match = _COMMON.match(data, start, start + REACH)
    if match and match[2] == b"17" and is_patch(data, start):
        return b"" if patches and blank else None  # that date is a mark, and no date
    if match and blank:
        month, day, time, zone, year = match.groups()
        return b"%s-%s-%s %s %s" % (day.rjust(2, b"0"), month, year, time, zone or b"+0000")
    return _judged(data, start, blank=bool(blank))


def _judged(data: bytes | bytearray, start: int, *, blank: bool) -> bytes | None:
    """Weigh the signs of a line that is not of the common form."""
    after, reach = line_end(data, start), start + REACH
    line = bytes(data[start:after]).rstrip()
    told = _told(line)
    if told and told.has_weekday and not (blank and told.is_all):
        if blank or _FIELD.match(data, after, reach):
            return told.date
    elif not _is_known(line, told, blank=blank) and not (
        _may_be(line, told, blank=blank) and _KNOWN_FIELD.match(data, after, reach)
    ):
        return None
    if not _NAMED_FIELD.match(data, after, reach):
        return None
    return told.date if told else b""


def _is_known(line: bytes, told: _Told | None, *, blank: bool) -> bool:
    """Tell whether a line is a From line, before a field of any name."""
    if line in {b"From", b"From -"} or (told and line.startswith(b"From - ")):
        return True
    is_sender = _SENDER.match(line) is not None
    if told and told.date and told.alone:
        return blank or is_sender or told.is_all
    # A sender alone, or one with a date of a form that nobody has told us of.
    bare = b" " not in line[len("From ") :].strip()
    form = is_sender and (bare or _CLOCK.search(line))
    return blank and bool(form or _CLOCK_AND_YEAR.match(line))


def _may_be(line: bytes, told: _Told | None, *, blank: bool) -> bool:
    """Tell whether a line may be a From line, which a field well known must confirm."""
    if told:
        return bool(blank and told.date) or (told.alone and _SENDER.match(line) is not None)
    return blank and b" " not in line[len("From ") :].strip()


def resembles(data: bytes | bytearray, start: int) -> bool:
    """Tell whether a line that does not separate looks as if one meant it to."""
    after = line_end(data, start)
    return bool(
        blank_before(data, start)
        and _KNOWN_FIELD.match(data, after, start + REACH)
        and not is_patch(data, start)
    )


def is_patch(data: bytes | bytearray, start: int) -> bool:
    """Tell whether a From line is that of a git patch, which lies in bodies as well."""
    return _PATCH.match(data, start) is not None


def opens_twice(data: bytes | bytearray, start: int) -> bool:
    """Tell whether the line right below a From line is another one, written by a second program."""
    if not data.startswith(b"From ", start):
        return False
    after = line_end(data, start)
    line = bytes(data[start:after]).rstrip()
    told = _told(line)
    formal = (told and (told.has_weekday or told.alone)) or line == b"From -"
    return bool(formal) and _NAMED_FIELD.match(data, after, start + REACH) is not None


def blank_before(data: bytes | bytearray, start: int) -> int:
    """Give the length of the blank line that ends at `start`, 0 where there is none."""
    if start > 1 and data.startswith((b"\n\n", b"\r\r"), start - 2):
        return 1
    if start > 2 and data.startswith(b"\n\r\n", start - 3):  # noqa: PLR2004 -- as long as that
        return 2
    return 3 if start > 3 and data.startswith(b"\n\r\r\n", start - 4) else 0  # noqa: PLR2004 -- as above


def line_end(data: bytes | bytearray, start: int) -> int:
    """Give the index after the line that begins at `start`, whatever ends it."""
    rest = _REST.match(data, start, start + REACH)
    return rest.end() if rest else start


class _Told(NamedTuple):
    """What the date in a From line says, and how much of a From line it makes the line."""

    date: bytes  # as IMAP writes an INTERNALDATE, empty where it is half a date
    has_weekday: bool
    alone: bool  # behind one word, with nothing between them
    is_all: bool  # that there is


def _told(line: bytes) -> _Told | None:
    """Read the date that a line ends in; None where it has none.

    The longest end of the line that is a date is it: so a sender may be of several words.
    """
    if not _DIGIT.search(line):
        return None
    line = _ZONE.sub(rb"\1", _COMMENT.sub(b"", _REMOTE.sub(b"", line)))
    words = line[len("From ") :].split()
    for start in range(max(0, len(words) - _LONGEST_DATE), len(words)):
        end = b" ".join(words[start:])
        if any(map(_is_prose, words[start:])):
            continue
        where = {"alone": start <= 1, "is_all": start == 0 and not line.startswith(b"From  ")}
        if (count := dates.counted(end).seconds) is not None:
            return _Told(internaldate(count), has_weekday=False, **where)
        text = decode(end)[0]
        parts = loosedates.read(text)
        if parts is not None:
            date = _as_imap(dates.instant(parts, lawful=False))
            return _Told(date, has_weekday=bool(parts.weekdays), **where)
        # A day without its hour: no moment, and a date all the same.
        if (day := loosedates.read(text + " 00:00")) and dates.instant(day, lawful=False).seconds:
            return _Told(b"", has_weekday=False, **where)
    return None


def _is_prose(word: bytes) -> bool:
    """Tell whether a word is no part of a date: a zone's name is in capitals."""
    if not _SMALL.fullmatch(word):
        return False
    if word in _ENGLISH:
        return True
    name = word.decode("ascii").lower()
    return not (calendars.months(name) or calendars.weekdays(name) or loosedates.is_between(name))


def _as_imap(when: dates.Instant) -> bytes:
    """Write an instant as an INTERNALDATE, in the zone that it names."""
    if when.seconds is None:
        return b""
    east = when.offset or 0
    local = internaldate(when.seconds + 60 * east)
    return local.removesuffix(b"+0000") + b"%b%02d%02d" % (
        b"-+"[east >= 0 :][:1],
        *divmod(abs(east), 60),
    )
