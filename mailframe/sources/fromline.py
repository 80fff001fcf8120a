"""The From line that opens each message of an mbox file: which lines are one, and its date.

RFC 4155 asks for a sender and a UTC date as ``asctime`` writes it. What stands in files also names
a zone anywhere behind the day (Gmail, BSD), glues it to the time, puts the year before the time or
writes it with two digits, has nothing at all after ``From`` (Thunderbird), a sender with blanks
(Mailman archives), months of another language, or ends in ``remote from`` (UUCP). Bodies hold lines
that begin with ``From`` too, not always quoted as ``>From``.

So which lines separate, and what is read from them, are two questions. One sign is not enough: a
line that ends in a date with its weekday must also stand after a blank line or before a header
field; one with less needs both. A date that cannot be read is empty, and no reason to lose a
message. The From line of a git patch opens a message only where it opens the file.
"""

from __future__ import annotations

import re

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_FULL = (
    b"january february march april may june july august september october november december".split()
)
_DAYS = b"monday tuesday wednesday thursday friday saturday sunday".split()
# As nearly all are written; what it finds, `_date` would find as well.
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
_OFFSET = re.compile(rb"\(?(?:GMT|UTC?|Z)?([+-])(\d\d):?(\d\d)\)?")
_TIME = re.compile(
    rb"(\d{1,2}):(\d{1,2})(?::(\d\d)(?:\.\d+)?)?(?i:([ap]m))?((?:GMT|UTC?)?[+-]\d\d:?\d\d|Z)?"
)
_CALENDAR = re.compile(rb"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:T(\S+))?")
_ZONE_NAME = re.compile(rb"\(?[A-Z]{1,5}\)?")
_NUMBER = re.compile(rb"\d{1,2}")
_YEAR = re.compile(rb"\d{4}")
_PIVOT = 70  # no mail of two-digit years is older

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
    after = line_end(data, start)
    line = bytes(data[start:after]).rstrip()
    date, has_weekday = _date(line)
    if has_weekday and (blank or _FIELD.match(data, after, start + REACH)):
        return date
    # A sender alone, or one with a date of a form that nobody has told us of.
    alone = b" " not in line[len("From ") :].strip()
    signs = (
        line in {b"From", b"From -"}
        or (blank and date)
        or (blank and _SENDER.match(line) and (alone or _CLOCK.search(line)))
        or (blank and _CLOCK_AND_YEAR.match(line))
        or (blank and alone and _KNOWN_FIELD.match(data, after, start + REACH))
    )
    return date if signs and _NAMED_FIELD.match(data, after, start + REACH) else None


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
    formal = _date(line)[1] or line == b"From -"
    return formal and _NAMED_FIELD.match(data, after, start + REACH) is not None


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


class _Words:
    """The parts of a date, as they are found from the end of a line."""

    def __init__(self) -> None:
        self.month = self.year = self.zone = b""
        self.clock: list[bytes] = []
        self.numbers: list[bytes] = []
        self.has_weekday = self.afternoon = self.has_half = False
        self.zones = 0

    def take(self, word: bytes) -> bool:
        """Take a word that belongs to the date; False where the date has begun behind it."""
        lower = word.lower()
        if not self.month and (number := _number_of_month(lower)):
            self.month = _MONTHS[number - 1]
        elif not self.has_weekday and len(lower) > 2 and any(d.startswith(lower) for d in _DAYS):  # noqa: PLR2004 -- Mon
            self.has_weekday = True
        elif not self.has_half and lower in {b"am", b"pm"}:
            self.has_half, self.afternoon = True, lower == b"pm"
        elif match := _OFFSET.fullmatch(word):
            return self.take_zone(b"".join(match.groups()))
        elif match := _TIME.fullmatch(word):
            return self.take_time(match)
        elif match := _CALENDAR.fullmatch(word):
            return self.take_calendar(match)
        elif not self.year and _YEAR.fullmatch(word):
            self.year = word
        elif len(self.numbers) < (1 if self.year else 2) and _NUMBER.fullmatch(word):
            self.numbers.insert(0, word)
        elif _ZONE_NAME.fullmatch(word) and not self.has_weekday:
            # A named zone counts as UTC: the names are ambiguous, and RFC 4155 asks for UTC.
            return self.take_zone(b"")
        else:
            return False
        return True

    def take_zone(self, offset: bytes) -> bool:
        self.zones += 1
        self.zone = self.zone or offset
        return self.zones <= 3  # noqa: PLR2004 -- PST, -0800 and (PST)

    def take_time(self, match: re.Match[bytes]) -> bool:
        if self.clock:
            return False
        hour, minute, second, half, zone = match.groups()
        self.clock = [hour, minute, second or b"00"]
        if half:
            self.has_half, self.afternoon = True, half.lower() == b"pm"
        if zone and (offset := _OFFSET.fullmatch(zone)):
            self.zone = self.zone or b"".join(offset.groups())
        return True

    def take_calendar(self, match: re.Match[bytes]) -> bool:
        year, month, day, time = match.groups()
        number = int(month)
        if self.year or self.month or not 1 <= number <= len(_MONTHS):
            return False
        self.year, self.month, self.numbers = year, _MONTHS[number - 1], [day]
        clock = _TIME.fullmatch(time) if time else None
        return self.take_time(clock) if clock else not time

    def date(self) -> bytes:
        """Write the date as IMAP does, or nothing where a part is missing."""
        if not self.year and len(self.numbers) > 1:
            short = int(self.numbers.pop())
            self.year = b"%d" % (short + (1900 if short >= _PIVOT else 2000))
        if not (self.year and self.month and self.numbers and self.clock):
            return b""
        hour, minute, second = self.clock
        if self.has_half:
            hour = b"%d" % (int(hour) % 12 + 12 * self.afternoon)
        clock = b":".join(part.rjust(2, b"0") for part in (hour, minute, second))
        day = self.numbers[0].rjust(2, b"0")
        return b"%s-%s-%s %s %s" % (day, self.month, self.year, clock, self.zone or b"+0000")


def _date(line: bytes) -> tuple[bytes, bool]:
    """Read the date that a line ends in; empty where it has none. Tell of a weekday in it, too."""
    line = _COMMENT.sub(b"", _REMOTE.sub(b"", line))
    words = _Words()
    for word in reversed(line[len("From ") :].replace(b",", b" ").split()):
        if not words.take(word):
            break
    date = words.date()
    return date, bool(date) and words.has_weekday


def _number_of_month(word: bytes) -> int:
    """Give the number of a month from its English name or the beginning of it, else 0."""
    if len(word) < 3:  # noqa: PLR2004 -- Jan
        return 0
    return next((n for n, name in enumerate(_FULL, 1) if name.startswith(word)), 0)
