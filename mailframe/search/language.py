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

import datetime as dt
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from mailframe.errors import ConfigurationError
from mailframe.search.predicates import (
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
from mailframe.search.values import (
    WEEKDAYS,
    check_pattern,
    parse_period,
    parse_ranges,
    parse_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mailframe.search.predicates import Predicate

    # The values of a term → what the term asks, of which mail.
    Reader = Callable[[Sequence[str], "Scope"], Predicate]


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
_ITEM = re.compile(r'"(?P<quoted>[^"]*)"?|(?P<plain>[^",]+)')


class Scope(NamedTuple):
    """What a term means by a name or a day: the folders there are, and the zone of days."""

    folders: Sequence[str] = ()
    zone: dt.tzinfo = dt.UTC


ANY = Scope()


@dataclass(frozen=True)
class Clause:
    """What one chip shows: alternatives as typed, and the predicate they come to."""

    text: str
    predicate: Predicate


def parse(line: str, scope: Scope = ANY) -> list[Clause]:
    """Read a search line.

    Parameters
    ----------
    line : str
        Terms in the language above.
    scope : Scope
        What ``in:`` is resolved against, and where days, weekdays and hours are told.

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
        term = (text, _predicate(match, scope))
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


def _predicate(match: re.Match[str], scope: Scope) -> Predicate:
    key = (match["key"] or "").lower()
    if key and key not in KEYS:
        # Such as "re:" or "https:": not a key of ours, so words to look for.
        predicate = KEYS["text"]([match[0].strip().removeprefix("-")], scope)
    elif match["pattern"] is not None and (not key or key in _TEXT_KEYS):
        pattern = check_pattern(match["pattern"])
        predicate = _any([Matches(column, pattern) for column in _TEXT_KEYS[key or "text"]])
    elif match["phrase"] is not None and (not key or key in _TEXT_KEYS):
        predicate = KEYS[key or "text"]([match["phrase"]], scope)
    else:
        predicate = KEYS[key or "text"](_values(match, key), scope)
    return _opposite(predicate) if match["minus"] else predicate


def _opposite(predicate: Predicate) -> Predicate:
    """Take a "not" away where there is one: ``-is:unread`` is ``is:read``."""
    return predicate.predicate if isinstance(predicate, Not) else Not(predicate)


def _values(match: re.Match[str], key: str) -> list[str]:
    bare = match["bare"] or (match["phrase"] if match["phrase"] is not None else "")
    if match["pattern"] is not None:
        bare = f"/{match['pattern']}/"
    if match["phrase"] is not None or not key or key in ("subject", "text"):
        return [bare.replace('"', "")]
    values = [item["quoted"] or item["plain"] or "" for item in _ITEM.finditer(bare)]
    return [value for value in values if value] or [""]


def _any(predicates: Sequence[Predicate]) -> Predicate:
    return predicates[0] if len(predicates) == 1 else AnyOf(tuple(predicates))


def _contains(*columns: str) -> Reader:
    def read(values: Sequence[str], _scope: Scope) -> Predicate:
        return _any([Contains(column, value) for value in values for column in columns])

    return read


def _item(*columns: str) -> Reader:
    def read(values: Sequence[str], _scope: Scope) -> Predicate:
        return _any([ItemContains(column, value) for value in values for column in columns])

    return read


def _anyone(values: Sequence[str], scope: Scope) -> Predicate:
    return _any([_contains("from_name", "from_addr")(values, scope), KEYS["to"](values, scope)])


def _domain(values: Sequence[str], _scope: Scope) -> Predicate:
    return OneOf("from_domain", tuple(value.lower().removeprefix("@") for value in values))


def _folder(values: Sequence[str], scope: Scope) -> Predicate:
    """Resolve each value: the folder of that name, else those it matches as a glob or a part."""
    names: list[str] = []
    for value in (value.casefold() for value in values):
        same = [name for name in scope.folders if name.casefold() == value]
        glob = value if any(letter in value for letter in "*?[") else f"*{value}*"
        names += same or [name for name in scope.folders if fnmatchcase(name.casefold(), glob)]
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
    "bulk": Flag("bulk"),
    "auto": Flag("auto"),
}


def _state(values: Sequence[str], _scope: Scope) -> Predicate:
    unknown = [value for value in values if value.lower() not in STATES]
    if unknown:
        raise ConfigurationError(f"is:{unknown[0]} means nothing: write one of {', '.join(STATES)}")
    return _any([STATES[value.lower()] for value in values])


def _before(values: Sequence[str], scope: Scope) -> Predicate:
    return _any([Before(parse_period(value, scope.zone)[0]) for value in values])


def _since(values: Sequence[str], scope: Scope) -> Predicate:
    return _any([Since(parse_period(value, scope.zone)[0]) for value in values])


def _on(values: Sequence[str], scope: Scope) -> Predicate:
    periods = [parse_period(value, scope.zone) for value in values]
    return _any([AllOf((Since(start), Before(end))) for start, end in periods])


def _larger(values: Sequence[str], _scope: Scope) -> Predicate:
    return _any([AtLeast(parse_size(value)) for value in values])


def _smaller(values: Sequence[str], _scope: Scope) -> Predicate:
    return _any([Below(parse_size(value)) for value in values])


def _weekday(values: Sequence[str], scope: Scope) -> Predicate:
    numbers = parse_ranges(values, lambda text: WEEKDAYS.index(text[:3].lower()), 7)
    return OnWeekdays(numbers, str(scope.zone))


def _hour(values: Sequence[str], scope: Scope) -> Predicate:
    return InHours(parse_ranges(values, int, 24), str(scope.zone))


def in_thread(message_id: str) -> Predicate:
    """Hold for the message ``message_id`` and whatever refers to it."""
    return AnyOf(
        (
            OneOf("message_id", (message_id,)),
            OneOf("in_reply_to", (message_id,)),
            HasItem("references", message_id),
        )
    )


def _thread(values: Sequence[str], _scope: Scope) -> Predicate:
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
