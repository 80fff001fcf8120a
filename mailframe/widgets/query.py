r"""The search line: the language that people know from mail, read into predicates.

::

    from:ann subject:"plan b" before:2024-05 larger:1M is:unread -list:dev
    in:Archive/* OR in:INBOX   /invoice \d+/   to:bob,carol   weekday:sat,sun   hour:8-18

Terms stand side by side and must all hold; ``OR`` between two terms joins them first; ``-`` turns
one round. A word without a key is sought in the subject and the sender. ``key:a,b`` is ``a`` or
``b``, except in text, where a comma is a comma. Reading is forgiving where a line is still being
typed (an open quote ends with the line) and exact elsewhere: a date that is none is an error,
told with what would be right.

Regular expressions are those that RE2 knows: it takes linear time whatever the pattern. (With
``\b``, and text beyond ASCII, pandas asks Python's ``re`` instead.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.widgets.predicates import (
    AllOf,
    AnyOf,
    AtLeast,
    Before,
    Below,
    Contains,
    Flag,
    HasItem,
    InHours,
    ItemContains,
    Matches,
    Not,
    OneOf,
    OnWeekdays,
    Present,
    Since,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailframe.widgets.predicates import Predicate

    # The values of a term and the folder names there are → what the term asks.
    Reader = Callable[[Sequence[str], Sequence[str]], Predicate]

THOUSAND = 1_000
UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TOKEN = re.compile(
    r"""
    (?P<minus>-?)
    (?:(?P<key>[A-Za-z]+):)?
    (?:"(?P<phrase>[^"]*)(?:"|$)
      |/(?P<pattern>(?:[^/\\]|\\.)+)/(?=\s|$)
      |(?P<bare>(?:[^\s",]+|,|"[^"]*(?:"|$))+))?
    """,
    re.VERBOSE,
)
# What a pattern is made of that must not be taken apart: escapes and classes; and bare groups.
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)")
# Every letter beyond ASCII counts as one of a word.
_RANGES = {"d": "0-9", "s": " \t-\r", "w": "0-9A-Za-z_\x80-\U0010ffff"}
_ITEM = re.compile(r'"(?P<quoted>[^"]*)"?|(?P<plain>[^",]+)')
_WORD = re.compile(r'"([^"]*)"?|([^\s"]+)')
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)i?b?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")


@dataclass(frozen=True)
class Clause:
    """What one chip shows: alternatives as typed, and the predicate they come to."""

    text: str
    predicate: Predicate


def parse(line: str, folders: Sequence[str] = ()) -> list[Clause]:
    """Read a search line.

    Parameters
    ----------
    line : str
        Terms in the language above.
    folders : sequence of str
        The folder names there are: ``in:`` is resolved against them.

    Returns
    -------
    list of Clause
        All of which must hold; empty for an empty line.

    Raises
    ------
    ConfigurationError
        If a value does not fit its key; the sentence says what would.
    """
    groups: list[list[tuple[str, Predicate]]] = []
    joined = False
    for match in _terms(line):
        text = match[0].strip()
        if text == "OR" and groups:
            joined = True
            continue
        term = (text, _predicate(match, folders))
        if joined:
            groups[-1].append(term)
        else:
            groups.append([term])
        joined = False
    return [
        Clause(" OR ".join(text for text, _ in group), _any([predicate for _, predicate in group]))
        for group in groups
    ]


def quote(value: str) -> str:
    """Write ``value`` so that the search line reads it back as one value."""
    return f'"{value.replace(chr(34), "")}"' if re.search(r'[\s,"/-]|^$|:', value) else value


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


def parse_period(text: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First instant and end of the year, month or day ``text`` (``2024``, ``2024-05``), UTC.

    Raises
    ------
    ConfigurationError
        If it is no date.
    """
    match = _DATE.fullmatch(text.strip())
    year, month, day = match.groups() if match else ("", None, None)
    try:
        start = pd.Timestamp(int(year), int(month or 1), int(day or 1), tz="UTC")
        if day:
            return start, start + pd.DateOffset(days=1)
        return start, start + (pd.DateOffset(months=1) if month else pd.DateOffset(years=1))
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no date: write 2024, 2024-05 or 2024-05-31"
        ) from error


def _terms(line: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(line, at)
        assert match is not None  # every part of the pattern is optional
        if match.end() == at:  # a character that begins no term
            at += 1
            continue
        at = match.end()
        yield match


def _predicate(match: re.Match[str], folders: Sequence[str]) -> Predicate:
    key = (match["key"] or "").lower()
    if key and key not in KEYS:
        # Such as "re:" or "https:": not a key of ours, so words to look for.
        predicate = KEYS["text"]([match[0].strip().removeprefix("-")], folders)
    elif match["pattern"] is not None and (not key or key in _TEXT_KEYS):
        pattern = check_pattern(match["pattern"])
        predicate = _any([Matches(column, pattern) for column in _TEXT_KEYS[key or "text"]])
    elif match["phrase"] is not None and (not key or key in _TEXT_KEYS):
        predicate = KEYS[key or "text"]([match["phrase"]], folders)
    else:
        predicate = KEYS[key or "text"](_values(match, key), folders)
    return Not(predicate) if match["minus"] else predicate


def _values(match: re.Match[str], key: str) -> list[str]:
    bare = match["bare"] or (match["phrase"] if match["phrase"] is not None else "")
    if match["pattern"] is not None:
        bare = f"/{match['pattern']}/"
    if match["phrase"] is not None or not key or key in ("subject", "text"):
        return [bare.replace('"', "")]
    values = [item["quoted"] or item["plain"] or "" for item in _ITEM.finditer(bare)]
    return [value for value in values if value] or [""]


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


def _any(predicates: Sequence[Predicate]) -> Predicate:
    return predicates[0] if len(predicates) == 1 else AnyOf(tuple(predicates))


def _contains(*columns: str) -> Reader:
    def read(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
        return _any([Contains(column, value) for value in values for column in columns])

    return read


def _item(*columns: str) -> Reader:
    def read(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
        return _any([ItemContains(column, value) for value in values for column in columns])

    return read


def _anyone(values: Sequence[str], folders: Sequence[str]) -> Predicate:
    return _any([_contains("from_name", "from_addr")(values, folders), KEYS["to"](values, folders)])


def _domain(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return OneOf("from_domain", tuple(value.lower().removeprefix("@") for value in values))


def _folder(values: Sequence[str], folders: Sequence[str]) -> Predicate:
    """Resolve each value: the folder of that name, else those it matches as a glob or a part."""
    names: list[str] = []
    for value in (value.casefold() for value in values):
        same = [name for name in folders if name.casefold() == value]
        glob = value if any(letter in value for letter in "*?[") else f"*{value}*"
        names += same or [name for name in folders if fnmatchcase(name.casefold(), glob)]
    return OneOf("folder", tuple(dict.fromkeys(names)))


STATES: dict[str, Predicate] = {
    "unread": Not(Flag("seen")),
    "unseen": Not(Flag("seen")),
    "read": Flag("seen"),
    "seen": Flag("seen"),
    "flagged": Flag("flagged"),
    "starred": Flag("flagged"),
    "unflagged": Not(Flag("flagged")),
    "answered": Flag("answered"),
    "unanswered": Not(Flag("answered")),
    "replied": Flag("answered"),
    "draft": Flag("draft"),
    "deleted": Flag("deleted"),
    "reply": Present("in_reply_to"),
    "list": Present("list_id"),
}


def _state(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    unknown = [value for value in values if value.lower() not in STATES]
    if unknown:
        raise ConfigurationError(f"is:{unknown[0]} means nothing: write one of {', '.join(STATES)}")
    return _any([STATES[value.lower()] for value in values])


def _before(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return _any([Before(parse_period(value)[0]) for value in values])


def _since(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return _any([Since(parse_period(value)[0]) for value in values])


def _on(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    periods = [parse_period(value) for value in values]
    return _any([AllOf((Since(start), Before(end))) for start, end in periods])


def _larger(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return _any([AtLeast(parse_size(value)) for value in values])


def _smaller(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return _any([Below(parse_size(value)) for value in values])


def _weekday(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    numbers = _ranges(values, lambda text: WEEKDAYS.index(text[:3].lower()), 7)
    return OnWeekdays(numbers)


def _hour(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return InHours(_ranges(values, int, 24))


def _ranges(values: Sequence[str], number: Callable[[str], int], count: int) -> tuple[int, ...]:
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


def in_thread(message_id: str) -> Predicate:
    """Hold for the message ``message_id`` and whatever refers to it."""
    return AnyOf(
        (
            OneOf("message_id", (message_id,)),
            OneOf("in_reply_to", (message_id,)),
            HasItem("references", message_id),
        )
    )


def _thread(values: Sequence[str], _folders: Sequence[str]) -> Predicate:
    return _any([in_thread(value.strip("<>")) for value in values])


# Where text is sought, by key; these take a /pattern/ too.
_TEXT_KEYS = {
    "text": ("subject", "from_name", "from_addr"),
    "subject": ("subject",),
    "from": ("from_name", "from_addr"),
    "list": ("list_id",),
}

KEYS: dict[str, Reader] = {
    **{key: _contains(*columns) for key, columns in _TEXT_KEYS.items()},
    "to": _item("to", "cc"),
    "cc": _item("cc"),
    "with": _anyone,
    "domain": _domain,
    "in": _folder,
    "folder": _folder,
    "is": _state,
    "has": _state,
    "label": _item("keywords"),
    "keyword": _item("keywords"),
    "before": _before,
    "after": _since,
    "since": _since,
    "on": _on,
    "larger": _larger,
    "smaller": _smaller,
    "weekday": _weekday,
    "hour": _hour,
    "thread": _thread,
}
