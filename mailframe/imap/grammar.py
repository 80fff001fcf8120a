"""The pieces that IMAP responses are made of: atoms, strings, lists (RFC 9051 §9).

One regular expression finds the tokens of a line, and an explicit stack turns parentheses into
lists, so neither a long line nor a deep one can hurt. What is a NIL, a number or a name is for the
reader of the value to say: a mailbox may be called NIL.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

from mailframe.ground.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence


class String(bytes):
    """A quoted string or a literal, as against an atom; an atom is plain bytes."""

    __slots__ = ()


class Escaped(String):
    """A quoted string that held backslashes, whether they were meant as such or not."""

    inside: bytes
    """What stood between its quotation marks."""


Value: TypeAlias = "bytes | list[Value]"

_TOKEN = compile_pattern(
    rb"""
      \x20++                                            # one space or several
    | (?P<open>\()
    | (?P<close>\))
    | "(?P<quoted>(?:[^"\\]++|\\.)*+)"(?=[ )\r\n]|\Z)     # the usual quoted string
    | "(?P<loose>.*?)"(?=[ )]|\Z)                        # quirk: a bare quote inside
    # A section may hold spaces. It holds no bracket: what is read in vain, is read once.
    | (?P<atom>(?:BINARY|BODY)(?:\.PEEK)?\[[^\[\]]*+\](?:<\d++>)?
      | [^\x20()"]++(?:"[^\x20()"]*+)*+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)

# Deeper nesting than any response we ask for; a bound for the readers of the lists.
MAX_DEPTH = 50


def parse_values(
    texts: Sequence[bytes], literals: Sequence[bytes] = (), *, max_depth: int = MAX_DEPTH
) -> list[Value]:
    """Read the values of a response line whose literals stand between its texts.

    Raises
    ------
    ValueError
        Unbalanced parentheses, an open quote, or nesting beyond reason.
    """
    top: list[Value] = []
    stack = [top]
    for text, literal in zip_longest(texts, literals):
        _read_text(text, stack, max_depth)
        if literal is not None:
            stack[-1].append(String(literal))
    if len(stack) != 1:
        raise ValueError("parenthesis not closed")
    return top


def _read_text(text: bytes, stack: list[list[Value]], max_depth: int) -> None:
    pieces = _plainly_quoted(text)
    if pieces is None:
        _read_tokens(text, stack, max_depth)
        return
    top = stack[-1]
    for number, piece in enumerate(pieces):
        if number & 1:
            top.append(String(piece))
            continue
        for token in _BETWEEN.findall(piece):
            if token == b"(":
                top = _opened(stack, max_depth)
            elif token == b")":
                top = _closed(stack)
            else:
                top.append(token)


# Fewer strings than this are found as fast one by one.
_MANY_STRINGS = 8
_BETWEEN = re.compile(rb"[()]|[^ ()]+")


def _plainly_quoted(text: bytes) -> list[bytes] | None:
    """Cut a text at its quotation marks where each is one of a regular string: every second piece.

    None where that is not plain to see, or not worth it.
    """
    if b"\\" in text or b"[" in text:
        return None
    pieces = text.split(b'"')
    if len(pieces) < _MANY_STRINGS or not len(pieces) & 1:
        return None
    between = pieces[::2]
    begin = all(piece[:1] in _BEHIND for piece in between[1:-1]) and between[-1][:1] in _AT_END
    return (
        pieces
        if begin
        and all(piece[-1:] in _BEFORE for piece in between[1:-1])
        and (between[0][-1:] in _AT_START)
        else None
    )


_BEHIND, _BEFORE = frozenset({b" ", b")"}), frozenset({b" ", b"(", b")"})
_AT_END, _AT_START = _BEHIND | {b""}, _BEFORE | {b""}


def _opened(stack: list[list[Value]], max_depth: int) -> list[Value]:
    if len(stack) > max_depth:
        raise ValueError("nested too deeply")
    inner: list[Value] = []
    stack[-1].append(inner)
    stack.append(inner)
    return inner


def _closed(stack: list[list[Value]]) -> list[Value]:
    if len(stack) == 1:
        raise ValueError("parenthesis not opened")
    stack.pop()
    return stack[-1]


def _read_tokens(text: bytes, stack: list[list[Value]], max_depth: int) -> None:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError("not a value")
        position = match.end()
        kind = match.lastgroup
        if kind == "atom":
            stack[-1].append(match["atom"])
        elif kind == "quoted":
            stack[-1].append(_string(match["quoted"]))
        elif kind == "loose":
            stack[-1].append(String(match["loose"]))
        elif kind == "open":
            _opened(stack, max_depth)
        elif kind == "close":
            _closed(stack)


def _string(inside: bytes) -> String:
    r"""Undo the backslashes of a quoted string; before a letter (``\n``) they are kept out too."""
    if b"\\" not in inside:
        return String(inside)
    string = Escaped(_ESCAPED.sub(rb"\1", inside))
    string.inside = inside
    return string


def is_nil(value: Value) -> bool:
    """Tell the atom NIL from a string of these letters."""
    return isinstance(value, bytes) and type(value) is bytes and value.upper() == b"NIL"


def as_text(value: Value) -> bytes | None:
    """Give an nstring's octets: None for NIL or a list."""
    if isinstance(value, list) or is_nil(value):
        return None
    return bytes(value)


def as_number(value: Value) -> int | None:
    """Give a number; None for anything else, a negative number among them."""
    if isinstance(value, list):
        return None
    digits = quirk_fraction(value)
    return int(digits) if digits.isdigit() and len(digits) <= 20 else None  # noqa: PLR2004 -- 2**64


def quirk_fraction(number: bytes) -> bytes:
    """Let a fraction count by its whole part.

    Source: ``HIGHESTMODSEQ 1700000000.0``, from servers that keep it as a floating point number.
    With an exponent the last digits are not told: that is no number.
    """
    whole, _, fraction = number.partition(b".")
    return whole if not fraction or fraction.isdigit() else number


def quirk_exponent(value: Value) -> int | None:
    """Read a size written with an exponent, which is right to some digits.

    Source: ``SIZE 9.3736e+06``, from servers that add sizes up as floating point numbers.
    """
    if isinstance(value, list) or value.isdigit() or not _EXPONENT.fullmatch(value):
        return as_number(value)
    return int(Decimal(value.decode("ascii")))


_EXPONENT = re.compile(rb"\d{1,20}(?:\.\d{1,20})?[eE]\+?\d{1,2}")  # far beyond any mailbox


def quote(text: bytes) -> bytes | None:
    """Write a quoted string, or give None where only a literal can carry the text."""
    if len(text) > MAX_QUOTED or not _QUOTABLE.fullmatch(text):
        return None
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


# Some servers cut quoted strings near their line limit; a literal has none.
MAX_QUOTED = 512
_QUOTABLE = re.compile(rb"[\x20-\x7e]*+")
_ATOM = re.compile(rb"[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~\[]++")


def astring(text: bytes) -> bytes | None:
    """Write a mailbox name or another astring the shortest way; None where it needs a literal."""
    if _ATOM.fullmatch(text) and text.upper() != b"NIL":
        return text
    return quote(text)
