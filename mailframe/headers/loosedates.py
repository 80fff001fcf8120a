"""Dates as people and programs write them: their pieces in any order, in many languages.

One pattern cuts the text into pieces: a time, a zone, numbers, words. Each piece must be understood
and each part of the date be there once; what could mean two days means none, unless the weekday
decides. ``03/04/2002`` may be in March or in April; ``21/08/2002`` is in August.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailframe.ground.patterns import compile_pattern
from mailframe.headers import calendars

Day = tuple[int, int, int]

# Minutes east of UTC. Military letters other than Z were defined wrongly once and say nothing
# (RFC 5322 section 4.3), as does any name that is not here.
ZONES = {"ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300}
ZONES |= {"mst": -420, "mdt": -360, "pst": -480, "pdt": -420}

# Chinese and Japanese, and Korean as `calendars.folded` spells it.
_YEAR, _MONTH, _DAY = r"(?:年|년)", r"(?:月|월)", r"(?:[日号號]|일)"
_HOUR, _MINUTE, _SECOND = r"(?:[h時时點点]|시)", r"(?:[m分]|분)", r"(?:[s秒]|초)"
_SOURCE = (
    r"(?P<blank>[\s,;\"'<>)\]\[*|`]++)"
    r"|(?P<clock>m=[+-]\d+\.\d+)"  # the monotonic one of Go programs
    # 2002-08-21, 2002/08/21, 20020821T161238
    r"|(?P<y1>\d{4})(?P<sep>[-/.])(?P<m1>\d{1,2})(?P=sep)(?P<d1>\d{1,2})(?![\d:])(?:t(?=\d))?"
    r"|(?P<y2>\d{4})(?P<m2>\d\d)(?P<d2>\d\d)(?:(?:t|(?=\d{6}))(?P<h3>\d\d)(?P<n3>\d\d)(?P<s3>\d\d)?)?(?!\d)"
    # 21.08.2002, 21/08/2002, 08/21/2002
    r"|(?P<a>\d{1,2})(?P<between>[-/]|\. ?)(?P<b>\d{1,2})(?:[-/]|\. ?)(?P<y3>\d{4})(?!\d)"
    rf"|(?P<y4>\d{{4}}) ?{_YEAR}"
    rf"|(?P<m4>\d{{1,2}}) ?{_MONTH}|(?:thang|thg) ?(?P<m5>\d{{1,2}})(?!\d)"
    rf"|(?P<d4>\d{{1,2}}) ?{_DAY}"
    # 16:12:38.5, 4.12 p.m., 4 pm
    r"|(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})"
    r"(?:[.,]\d{1,9}|:\d{3})?)?(?!\d)|(?= ?[ap]\.? ?m\b))(?: ?(?P<noon>[ap])\.? ?m\b\.?)?"
    # 16h12, 16時12分38秒
    rf"|(?P<h2>\d{{1,2}}) ?{_HOUR} ?(?P<n2>\d{{1,2}})(?!\d)"
    rf"(?: ?{_MINUTE}(?: ?(?P<s2>\d{{1,2}}) ?{_SECOND})?)?"
    r"|(?P<early>上午|午前|오전)|(?P<late>下午|午後|오후)"
    r"|(?P<zone>(?P<sign>[+-])(?P=sign)?(?: ?\d{3,4}|\d{1,2}(?::\d\d)?))(?![\d:])"
    r"|(?P<number>\d{1,4})(?:(?:st|nd|rd|th|er)\b|º|ª|(?!\d))"
    r"|(?P<word>(?:[a-z]++|[^\x00-\x7f]++(?:\.(?=[^\x00-\x7f]))?+)++)"
    r"|(?P<mark>[-/.])(?![-+])"
)
_PIECE = compile_pattern(calendars.folded(_SOURCE, keep_case=True), re.ASCII)
# Between the parts of a date.
_BETWEEN = """
at on of the de del d da di la le las el a as alle ore um uhr den der am kl klo om o r h m
г года в р יום feira dydd dies e
"""
_FILLERS = frozenset(_BETWEEN.split())
# In a language or a charset that is not known here: it says nothing that the date does not.
_STRANGE_WEEKDAY = re.compile(r"([^\s\d,]{1,40}+), ?")
_AMERICAN_TIME = re.compile(
    r"\b([ecmp])(?:astern|entral|ountain|acific) ([sd])(?:tandard|aylight) time\b"
)
_NAMED_ZONE = re.compile(r"([+-]\d{4}) [^\W\d][^\d:+]{1,60}(?:time|zeit)$")
_COMMENT = re.compile(r"\([^()]*+\)")
_LOG = re.compile(r"(?<=\d{4}):(?=\d{1,2}:\d)")  # 21/Aug/2002:16:12:38
_COLON = re.compile(r" ?: ?(?=\d)")
_SIGNS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")
_LONGEST_ZONE = 5  # letters of a zone's name
_LATEST_ZONE = 1400  # on Kiribati


class Parts(NamedTuple):
    """What a date says.

    Attributes
    ----------
    days : list of (year, month, day)
        The days that may be meant.
    clock : (hour, minute, second)
    offset : int or None
        Minutes east of UTC, if told.
    weekdays : frozenset of int
        What the weekday may be, from Monday on; empty where none is named.
    """

    days: list[Day]
    clock: tuple[int, int, int]
    offset: int | None
    weekdays: frozenset[int]


class _Word(NamedTuple):
    text: str
    at: int
    behind_time: bool
    ends_in_comma: bool


def read(text: str) -> Parts | None:
    """Read a date, comments taken out; None where it is none or more than one."""
    folded = calendars.folded(calendars.without_counts(text.translate(_SIGNS)))
    folded = _COLON.sub(":", _COMMENT.sub(" ", folded)).strip()
    folded = _LOG.sub(" ", folded)
    folded = _NAMED_ZONE.sub(r"\1", _AMERICAN_TIME.sub(r"\1\2t", folded))
    return _Pieces().read(folded)


def is_between(word: str) -> bool:
    """Tell whether a word stands between the parts of a date, or names half of a day."""
    return word in _FILLERS or word in {"am", "pm", "noon", "midnight"}


def offset_of(digits: str) -> int | None:
    """Return minutes east of UTC for ``+0130``, ``-3`` or ``+1:30``; None where it is no zone."""
    figures = re.sub(r"[^0-9]", "", digits)
    if len(figures) <= len("12"):
        figures += "00"
    hours, minutes = int(figures[:-2]), int(figures[-2:])
    if minutes >= 60:
        return None
    return (-1 if digits.startswith("-") else 1) * (60 * hours + minutes)


def year_of(digits: str) -> int:
    """Return the year that digits mean (RFC 5322 section 4.3)."""
    year = int(digits)
    if len(digits) == len("02"):
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == len("102") else year


class _Pieces:
    """Gathers pieces and gives each its part."""

    def __init__(self) -> None:
        self._dates: list[list[Day]] = []
        self._clocks: list[tuple[int, int, int]] = []
        self._numbers: list[tuple[int, str]] = []
        self._words: list[_Word] = []
        self._told: dict[str, str] = {}
        self._zones: list[str] = []
        self._half = ""
        self._time_at: int | None = None

    def read(self, text: str) -> Parts | None:
        """Return what all pieces together say."""
        if not self._cut(text) or len(self._clocks) != 1:
            return None
        roles = self._roles()
        if roles is None:
            return None
        month, months, weekdays, names = roles
        unsigned = self._unsigned_zone()
        days = self._days(month, months)
        offset, known = self._offset(names, unsigned)
        if not days or not known:
            return None
        hour, minute, second = self._clocks[0]
        if self._half and hour <= 12:
            hour = hour % 12 + 12 * (self._half == "p")
        return Parts(days, (hour, minute, second), offset, weekdays)

    def _cut(self, text: str) -> bool:
        """Cut the text into pieces; False where one is no piece of a date."""
        strange = _STRANGE_WEEKDAY.match(text)
        position = strange.end() if strange and _is_strange(strange[1]) else 0
        while position < len(text):
            piece = _PIECE.match(text, position)
            if piece is None:
                return False
            if piece["zone"] and not self._is_zone(text, position):
                if piece["zone"][0] != "-":
                    return False
                position += 1  # a hyphen between the parts of a date
                continue
            self._take(piece, position)
            position = piece.end()
            if piece["word"] and text.startswith(",", position):
                self._words[-1] = self._words[-1]._replace(ends_in_comma=True)
            if (
                piece["word"]
                and self._time_at is not None
                and text[position : position + 1].isdigit()
            ):
                return False  # "H0500" is no zone
        return True

    def _is_zone(self, text: str, position: int) -> bool:
        """Tell ``12:00:00-0700`` from ``21-Aug-2002``."""
        glued = position > 0 and self._words and text[:position].endswith(self._words[-1].text)
        return self._time_at is not None and not (glued and calendars.months(self._words[-1].text))

    def _take(self, piece: re.Match[str], at: int) -> None:
        got = {name: value for name, value in piece.groupdict().items() if value is not None}
        if "word" in got:
            word = got["word"].replace(".", "")
            self._words.append(_Word(word, at, self._time_at is not None, ends_in_comma=False))
        elif "number" in got:
            self._numbers.append((at, got["number"]))
        elif "zone" in got:
            self._zones.append(got["zone"].replace(" ", ""))
        elif "y3" in got:
            self._dates.append(_either(got))
        elif "y1" in got or "y2" in got:
            year, month, day = (int(got.get(part + "1") or got[part + "2"]) for part in "ymd")
            self._dates.append([(year, month, day)])
        self._told |= {name[0]: got[name] for name in ("y4", "m4", "m5", "d4") if name in got}
        self._half = {"early": "a", "late": "p"}.get(piece.lastgroup or "", self._half)
        for hour, minute, second in _CLOCKS:
            if hour in got:
                clock = (int(got[hour]), int(got.get(minute, 0)), int(got.get(second, 0)))
                self._clocks.append(clock)
                self._half = got.get("noon", self._half)
                self._time_at = at

    def _roles(self) -> tuple[int | None, frozenset[int], frozenset[int], list[str]] | None:
        """Tell which word is the month, which the weekday, and which name a zone.

        Returns
        -------
        int or None, frozenset of int, frozenset of int, list of str
            Where the month stands, which it may be, the weekdays, and the names of zones.
        """
        words = [word for word in self._words if word.text not in _FILLERS]
        if self._dates or "m" in self._told:
            told = frozenset({int(self._told["m"])}) if "m" in self._told else frozenset()
            others = _other_roles(words)
            return (None, told, *others) if others else None
        found = []
        for month in words:
            months = calendars.months(month.text)
            others = _other_roles([word for word in words if word is not month])
            if months and others is not None:
                found.append((month.at, months, *others))
        if len(found) > 1 and words[0].ends_in_comma:
            found = [each for each in found if each[0] != words[0].at]  # that is the weekday
        if not found or any(each[1] != found[0][1] for each in found):
            return None
        return found[-1]  # a weekday goes before a month of the same name

    def _unsigned_zone(self) -> str | None:
        """Take a zone that lost its sign from the numbers behind the time."""
        places = [
            place
            for place, (at, digits) in enumerate(self._numbers)
            if at > (self._time_at or 0)
            and len(digits) == len("0100")
            and int(digits) <= _LATEST_ZONE
        ]
        return self._numbers.pop(places[0])[1] if len(places) == 1 else None

    def _days(self, month: int | None, months: frozenset[int]) -> list[Day]:
        """Put day, month and year together."""
        if self._dates:
            alone = len(self._dates) == 1 and not self._numbers and not self._told
            return self._dates[0] if alone else []
        year, day = self._told.get("y"), self._told.get("d")
        numbers = list(self._numbers)
        if not year and not day and len(numbers) == 2:
            (first, one), (second, other) = numbers
            years = [_is_year(one), _is_year(other)]
            if years == [True, False] and not (month is not None and first < second < month):
                year, day = one, other
            elif years == [False, True] or (
                month is not None and second > month and len(other) == 2
            ):
                day, year = one, other
            if years == [False, True] and month is not None and second < month:
                return []
        elif year and not day and len(numbers) == 1:
            day = numbers[0][1]
        elif day and not year and len(numbers) == 1:
            year = numbers[0][1]
        elif numbers:
            return []
        if not year or not day or len(year) < len("02"):
            return []
        return [(year_of(year), each, int(day)) for each in sorted(months)]

    def _offset(self, names: list[str], unsigned: str | None) -> tuple[int | None, bool]:
        """Return minutes east of UTC if told, and whether all that is told is understood."""
        strange = [name for name in names if name not in ZONES and name != "dst"]
        if len(strange) > 1:
            return None, False
        figures = [*self._zones, *(["+" + unsigned] if unsigned else [])]
        if figures:
            found = {offset_of(each) for each in figures}
            offset = found.pop()
            # -0000 is a time in UTC from a place that does not say where it is.
            unsaid = offset == 0 and figures[0].startswith("-")
            return None if unsaid else offset, offset is not None and not found
        known = {ZONES[name] for name in names if name in ZONES}
        if strange or "dst" in names:
            return None, not known  # "CET", "MET DST": no hour that is known here
        return next(iter(known), None), len(known) <= 1


_CLOCKS = (("hour", "minute", "second"), ("h2", "n2", "s2"), ("h3", "n3", "s3"))


def _is_strange(word: str) -> bool:
    bare = word.rstrip(".")
    return not calendars.months(bare) and not calendars.weekdays(bare)


def _is_year(digits: str) -> bool:
    """Tell a year from a day by its digits; ``021`` is a day."""
    return (
        len(digits) == len("2002")
        or (len(digits) == len("102") and digits[0] != "0")
        or (len(digits) == len("99") and int(digits) > 31)
    )


def _either(got: dict[str, str]) -> list[Day]:
    """Return the days that ``a/b/year`` may be; with dots it is the day that goes first."""
    a, b, year = int(got["a"]), int(got["b"]), int(got["y3"])
    orders = [(b, a)] if got["between"].startswith(".") else [(b, a), (a, b)]
    return list(dict.fromkeys((year, month, day) for month, day in orders if month <= 12))


def _other_roles(words: list[_Word]) -> tuple[frozenset[int], list[str]] | None:
    """Tell weekday and zones of the words beside the month; None where one is neither."""
    weekdays: frozenset[int] = frozenset()
    names = []
    for word in words:
        if word.behind_time and word.text in ZONES:
            names.append(word.text)
        elif not weekdays and (found := calendars.weekdays(word.text)):
            weekdays = found
        elif word.behind_time and word.text.isascii() and len(word.text) <= _LONGEST_ZONE:
            names.append(word.text)
        else:
            return None
    return weekdays, names
