r"""The search line: the language that people know from mail, read into predicates.

::

    from:ann subject:"plan b" before:2024-05 larger:1M is:unread -list:dev
    in:Archive/* OR in:INBOX   /invoice \d+/   to:bob,carol   weekday:sat,sun   hour:8-18
    (from:ann to:me) OR subject:(plan OR budget)   newer_than:7d   since:"last month"   size:>1M

Terms stand side by side and must all hold; ``OR`` between two joins them first; ``-`` turns one
round; parentheses hold together what belongs together, also behind a key. A word without a key is
sought in the subject and the sender. ``key:a,b`` is ``a`` or ``b``, except in text, where a comma
is a comma. What looks like a key and is none is an error, and so is a value that does not fit:
both are told with what would. An open quote or parenthesis ends with the line.

While a line is being typed its last term may be no more than begun; ``settled`` gives the line
without it. The keys are in ``keys.py``. Regular expressions are those that RE2 knows: it takes
linear time whatever the pattern. (With ``\b``, and text beyond ASCII, pandas asks Python's ``re``.)
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError
from mailframe.search.keys import ANY, KEYS, SAME_KEY, TEXT_KEYS, Scope, any_of, key_of
from mailframe.search.predicates import AllOf, Matches, Not
from mailframe.search.values import check_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.search.predicates import Predicate

# Parentheses within parentheses: more than anybody means, less than the interpreter's stack holds.
DEEPEST = 30

_KEY = r"(?:(?P<key>[A-Za-z][A-Za-z_]*):)?"
_TERM = re.compile(
    rf"""
    (?P<minus>-?)
    {_KEY}
    (?:"(?P<phrase>[^"]*)(?:"|$)
      |/(?P<pattern>(?:[^/\\]|\\.)+)/(?=[\s)]|$)
      |(?P<bare>(?:[^\s",]+|,|"[^"]*(?:"|$))+))?
    """,
    re.VERBOSE,
)
_OPENING = re.compile(rf"(?P<minus>-?){_KEY}\(")
_ITEM = re.compile(r'"(?P<quoted>[^"]*)"?|(?P<plain>[^",]+)')
# What a bare term is made of, as far as the parenthesis that closes around it matters.
_PIECE = re.compile(r'"[^"]*(?:"|$)|[()]')


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
        What ``in:`` is resolved against, who ``me`` is, and where days and hours are told.

    Returns
    -------
    list of Clause
        All of which must hold; empty for an empty line.

    Raises
    ------
    ConfigurationError
        If a key is none of ours, or a value does not fit its key; the sentence says what would.
    """
    return _Reading(line, scope).clauses()


def settled(line: str, scope: Scope = ANY) -> str:
    """Give the line without what is no more than begun at its end.

    A blank behind it finishes a term. Without one, a key without its value, a word that may become
    a key, and a value that cannot be read are still being typed, and nobody judges them yet.

    Parameters
    ----------
    line : str
        What stands in the field now, the caret at its end.
    scope : Scope
        As for `parse`.
    """
    start = last_term(line)
    last = line[start:]
    if not last or last[-1].isspace():
        return line
    word = last.lstrip("-(")
    name, colon, value = word.partition(":")
    known = [*KEYS, *SAME_KEY]
    begun = word in ("", "O", "OR") or (
        not value if colon else any(key.startswith(name.lower()) for key in known)
    )
    if not begun:
        try:
            parse(last, scope)
        except ConfigurationError:
            begun = True
    return line[:start] if begun else line


def quote(value: str) -> str:
    """Write ``value`` so that the search line reads it back as one value."""
    odd = re.search(r'[\s,"/()-]|^$|:', value) or value in ("OR", "AND", "NOT")
    return f'"{value.replace(chr(34), "")}"' if odd else value


def last_term(line: str) -> int:
    """Find where the term begins that the line ends in."""
    start = at = 0
    while at < len(line):
        match = None if line[at].isspace() else _TERM.match(line, at)
        if match is not None and match.end() > at:
            start, at = at, match.end()
        else:
            at += 1
            start = at
    return start


class _Reading:
    """One pass over a line."""

    def __init__(self, line: str, scope: Scope) -> None:
        self.line = line
        self.scope = scope
        self.at = 0
        self.depth = 0

    def clauses(self, key: str = "") -> list[Clause]:
        """Read up to the end, or to the parenthesis that closes; ``key`` is of words without."""
        groups: list[list[Clause]] = []
        joined = turned = False
        for term in self._terms(key):
            if isinstance(term, str):
                joined = joined or (term == "OR" and bool(groups))
                turned = turned or term == "NOT"
                continue
            found = Clause(f"NOT {term.text}", _opposite(term.predicate)) if turned else term
            if joined:
                groups[-1].append(found)
            else:
                groups.append([found])
            joined = turned = False
        return [
            Clause(
                " OR ".join(clause.text for clause in group),
                any_of([clause.predicate for clause in group]),
            )
            for group in groups
        ]

    def _terms(self, key: str) -> Iterator[Clause | str]:
        line = self.line
        while self.at < len(line):
            at = self.at
            if line[at].isspace():
                self.at += 1
            elif line[at] == ")" and self.depth:
                self.at += 1
                return
            elif (opening := self._opening()) is not None:
                inner = self._inside(opening, key)
                if inner is not None:
                    yield inner
            else:
                match = _TERM.match(line, at, self._end(at))
                assert match is not None  # every part of the pattern is optional
                self.at = max(match.end(), at + 1)  # past a character that begins no term
                if match.end() > at:
                    word = match[0] in ("OR", "AND", "NOT")
                    yield match[0] if word else Clause(match[0], self._predicate(match, key))

    def _opening(self) -> re.Match[str] | None:
        match = _OPENING.match(self.line, self.at)
        return match if match and (not match["key"] or key_of(match["key"])) else None

    def _inside(self, opening: re.Match[str], key: str) -> Clause | None:
        if self.depth == DEEPEST:
            raise ConfigurationError(f"more than {DEEPEST} parentheses within one another")
        start, self.at = self.at, opening.end()
        self.depth += 1
        inner = self.clauses(opening["key"] or key)
        self.depth -= 1
        if not inner:
            return None
        predicates = tuple(clause.predicate for clause in inner)
        predicate = predicates[0] if len(predicates) == 1 else AllOf(predicates)
        return Clause(
            self.line[start : self.at].strip(),
            _opposite(predicate) if opening["minus"] else predicate,
        )

    def _end(self, at: int) -> int:
        """Where a term that begins here must end: before the parenthesis around it."""
        if not self.depth:
            return len(self.line)
        stop = re.compile(r"(?:\"[^\"]*(?:\"|$)|\S)*").match(self.line, at)
        assert stop is not None
        open_ones = 0
        for piece in _PIECE.finditer(self.line, at, stop.end()):
            open_ones += {"(": 1, ")": -1}.get(piece[0], 0)
            if open_ones < 0:
                return piece.start()
        return len(self.line)

    def _predicate(self, match: re.Match[str], outer: str) -> Predicate:
        name = (match["key"] or "").lower()
        if name and key_of(name) is None:
            _check_unknown(match)
            text = match[0].removeprefix("-")
            predicate = KEYS["text"].read([text], self.scope)
        else:
            name = name or outer.lower() or "text"
            name = SAME_KEY.get(name, name)
            key = KEYS[name]
            if match["pattern"] is not None and name in TEXT_KEYS:
                pattern = check_pattern(match["pattern"])
                predicate = any_of([Matches(column, pattern) for column in TEXT_KEYS[name]])
            else:
                predicate = key.read(_values(match, name), self.scope)
        return _opposite(predicate) if match["minus"] else predicate


def _check_unknown(match: re.Match[str]) -> None:
    """Let ``Re:`` and ``https://…`` be words; tell what looks like a key and is none."""
    value = match[0].partition(":")[2]
    if not value or value.startswith("//"):
        return
    name = match["key"]
    like = difflib.get_close_matches(name.lower(), [*KEYS, *SAME_KEY], 1)
    meant = f"did you mean {like[0]}:?" if like else f"there are {', '.join(KEYS)}"
    text = match[0].removeprefix("-").replace('"', "")
    raise ConfigurationError(f'{name}: is no key; {meant} To look for the words, write "{text}"')


def _opposite(predicate: Predicate) -> Predicate:
    """Take a "not" away where there is one: ``-is:unread`` is ``is:read``."""
    return predicate.predicate if isinstance(predicate, Not) else Not(predicate)


def _values(match: re.Match[str], key: str) -> list[str]:
    if match["phrase"] is not None:
        return [match["phrase"]]
    bare = f"/{match['pattern']}/" if match["pattern"] is not None else match["bare"] or ""
    if key in ("subject", "text"):
        return [bare.replace('"', "")]
    values = [item["quoted"] or item["plain"] or "" for item in _ITEM.finditer(bare)]
    return [value for value in values if value] or [""]
