"""SEARCH keys written by a person (RFC 9051 §6.4.4): checked word by word, then made segments.

A table says what each key takes. Everything is checked before a socket is opened, so a typing
error costs nothing, and nothing unknown can reach the command line.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError
from mailframe.ground.uidset import UidSet
from mailframe.imap.commands import Literal, string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_WORD = re.compile(r'\s*(?:(?P<paren>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<atom>[^\s()"]+))')
_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_KEYWORD = re.compile(r"[A-Za-z0-9$_.!#&'+,/:;<=>?@^`|~-]+")


def write_date(day: dt.date) -> bytes:
    """Write a date as SEARCH wants it: ``1-Feb-2024``."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04d}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Keys:
    """Search keys, ready to travel.

    Parameters
    ----------
    segments : tuple of bytes or Literal
        With the spaces between the keys.
    charset : bool
        Whether they hold UTF-8.
    """

    segments: tuple[bytes | Literal, ...] = ()
    charset: bool = False

    def __bool__(self) -> bool:
        return bool(self.segments)

    def __add__(self, other: Keys) -> Keys:
        between = (b" ",) if self and other else ()
        return Keys((*self.segments, *between, *other.segments), self.charset or other.charset)


# What a key's argument may be -----------------------------------------------------------------


def _text(word: str) -> bytes | Literal:
    octets = word.encode("utf-8")
    return string(octets, "a search key") if word.isascii() else Literal(octets)


def _date(word: str) -> bytes:
    match = _DATE.fullmatch(word)
    try:
        if match is None:
            day = dt.date.fromisoformat(word)
        else:
            month = _MONTHS.index(match[2].capitalize()) + 1
            day = dt.date(int(match[3]), month, int(match[1]))
    except ValueError as error:
        raise ConfigurationError(
            f"{word!r} is not a date; write 2024-02-29 or 29-Feb-2024"
        ) from error
    return write_date(day)


def _number(word: str) -> bytes:
    if not (word.isascii() and word.isdigit()):
        raise ConfigurationError(f"{word!r} is not a number")
    return word.encode("ascii")


def _keyword(word: str) -> bytes:
    if not _KEYWORD.fullmatch(word):
        raise ConfigurationError(f"{word!r} is not a keyword")
    return word.encode("ascii")


def _uids(word: str) -> bytes:
    try:
        return bytes(UidSet.parse(word.replace("*", "4294967295").encode("ascii", "replace")))
    except ValueError as error:
        raise ConfigurationError(f"{word!r} is not a set of UIDs; write 1:99,120") from error


_ARGUMENTS: dict[str, tuple[Callable[[str], bytes | Literal], ...]] = {
    **dict.fromkeys(
        (
            *("ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "NEW", "OLD", "RECENT", "SEEN"),
            *("UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN"),
        ),
        (),
    ),
    **dict.fromkeys(
        ("BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO", "X-GM-RAW", "X-GM-LABELS"), (_text,)
    ),
    **dict.fromkeys(("BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"), (_date,)),
    **dict.fromkeys(
        ("LARGER", "SMALLER", "OLDER", "YOUNGER", "MODSEQ", "X-GM-MSGID", "X-GM-THRID"), (_number,)
    ),
    "KEYWORD": (_keyword,),
    "UNKEYWORD": (_keyword,),
    "HEADER": (_text, _text),
    "UID": (_uids,),
}
_OPERANDS = {"NOT": 1, "OR": 2}
_GROUP = -1


def parse_keys(text: str) -> Keys:
    """Check and write IMAP SEARCH keys, such as ``UNSEEN FROM ann OR SUBJECT "plan b" FLAGGED``.

    Parameters
    ----------
    text : str
        Keys as in RFC 9051 §6.4.4, except message sequence numbers. Dates also in ISO form. Text
        beyond ASCII travels as UTF-8.

    Raises
    ------
    ConfigurationError
        A key is unknown, lacks its argument, or a parenthesis is left open.
    """
    words = _words(text)
    out: list[bytes | Literal] = []
    due: list[int] = []  # operands that each open operator still wants; _GROUP for a parenthesis
    for word, quoted in words:
        if quoted:
            raise ConfigurationError(f'"{word}" stands where a search key should')
        if out and out[-1] != b"(" and word != ")":
            out.append(b" ")
        upper = word.upper()
        if word == "(":
            out.append(b"(")
            due.append(_GROUP)
        elif word == ")":
            if not due or due[-1] != _GROUP or out[-1] == b"(":
                raise ConfigurationError(f"search={text!r} closes a parenthesis that it should not")
            out.append(b")")
            due.pop()
            _operand_done(due)
        elif upper in _OPERANDS:
            out.append(upper.encode("ascii"))
            due.append(_OPERANDS[upper])
        else:
            out += _key(upper, word, words)
            _operand_done(due)
    if due or not out:
        raise ConfigurationError(f"search={text!r} ends too early")
    charset = any(isinstance(part, Literal) and not part.octets.isascii() for part in out)
    return Keys(_merge(out), charset)


def _words(text: str) -> Iterator[tuple[str, bool]]:
    position = 0
    text = text.strip()
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None:
            raise ConfigurationError(f"search={text!r} has an open quote")
        position = match.end()
        if match["quoted"] is not None:
            yield re.sub(r"\\(.)", r"\1", match["quoted"]), True
        else:
            yield match["paren"] or match["atom"], False


def _key(upper: str, word: str, words: Iterator[tuple[str, bool]]) -> Iterator[bytes | Literal]:
    """Write one key and its arguments."""
    arguments = _ARGUMENTS.get(upper)
    if arguments is None:
        hint = (
            "sequence numbers are not supported, use UID" if word[0].isdigit() else "see RFC 9051"
        )
        raise ConfigurationError(f"{word!r} is not an IMAP search key; {hint}")
    yield upper.encode("ascii")
    for write in arguments:
        argument = next(words, None)
        if argument is None or (argument[0] in "()" and not argument[1]):
            raise ConfigurationError(f"the search key {upper} needs a value")
        yield b" "
        yield write(argument[0])


def _operand_done(due: list[int]) -> None:
    """Count an operand off; an operator that has all of its own is an operand itself."""
    while due and due[-1] != _GROUP:
        due[-1] -= 1
        if due[-1]:
            return
        due.pop()


def _merge(parts: list[bytes | Literal]) -> tuple[bytes | Literal, ...]:
    """Run neighbouring octets together."""
    merged: list[bytes | Literal] = []
    for part in parts:
        if isinstance(part, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)
