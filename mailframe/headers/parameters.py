"""Parameters of Content-Type and Content-Disposition (RFC 2045, RFC 2183), sans I/O.

Values that run on in several parameters, and those that name their charset, follow RFC 2231.
Encoded-words have no place in a parameter (RFC 2047 section 5); most mail has them there all the
same, and means them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.ground.patterns import compile_pattern
from mailframe.headers import text
from mailframe.headers.charsets import codec_of, decode_as, decode_unlabelled

if TYPE_CHECKING:
    from collections.abc import Iterable

# A name, an equals sign and a value: quoted, or up to what ends it. A quotation mark that is never
# closed ends with the field, and blanks stand in many a value that nobody quoted.
_PARAMETER = compile_pattern(
    rb";[ \t\r\n]*+([^\s=;\"]++)[ \t\r\n]*+=[ \t\r\n]*+"
    rb'(?:"((?:[^"\\]|\\.)*+)(?:"|\Z)|([^;]*+))',
    re.DOTALL,
)
_FIRST_WORD = compile_pattern(rb"[^;\s(]*+")
_COMMENT = compile_pattern(rb"\([^()\"]*+\)[ \t\r\n]*+\Z")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_SEGMENT = re.compile(rb"\*(\d{1,4})(\*?)|\*")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def read_parameters(value: bytes) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    """Take a field value apart: its first word in lower case, and its parameters.

    Parameters
    ----------
    value : bytes
        Of a Content-Type, Content-Disposition or Content-Transfer-Encoding, with its folds.
    """
    value = text.unfold(value)
    first = _FIRST_WORD.match(value)
    word = first[0].lower() if first else b""
    return word, tuple(
        (name.lower(), _plain(quoted, loose)) for name, quoted, loose in _PARAMETER.findall(value)
    )


def _plain(quoted: bytes, loose: bytes) -> bytes:
    if quoted:
        # A backslash before a letter is one of a Windows path, and no escape.
        return _ESCAPED.sub(_unescaped, quoted) if b"\\" in quoted else quoted
    return _COMMENT.sub(b"", loose).strip(b" \t\r\n")


def _unescaped(match: re.Match[bytes]) -> bytes:
    return match[1] if match[1] in b'"\\' else match[0]


def parameter(pairs: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """Give one parameter as text.

    Parameters
    ----------
    pairs : iterable of (bytes, bytes)
        All parameters of a field, names in lower case.
    name : bytes
        Without the asterisks of RFC 2231; what these mark counts before a plain value.

    Returns
    -------
    str or None
        None where there is none, or nothing in it.
    """
    plain: bytes | None = None
    segments: dict[int, tuple[bytes, bool]] = {}
    whole: bytes | None = None
    for key, value in pairs:
        if key == name:
            plain = value if plain is None else plain
        elif key.startswith(name + b"*"):
            mark = _SEGMENT.fullmatch(key, len(name))
            if mark is not None and mark[1]:
                segments.setdefault(int(mark[1]), (value, bool(mark[2])))
            elif mark is not None and whole is None:
                whole = value
    if whole is not None and (found := _extended([(whole, True)])):
        return found
    if segments and (found := _extended([segments[number] for number in sorted(segments)])):
        return found
    return (text.decode(plain)[0] if plain else None) or None


def _extended(segments: list[tuple[bytes, bool]]) -> str:
    """Join segments; charset and language stand before the first, where any names its octets."""
    first, marked = segments[0]
    charset = b""
    if marked and first.count(b"'") >= 2:  # noqa: PLR2004 -- as RFC 2231 section 4 has it
        charset, _, first = first.split(b"'", 2)
        segments = [(first, True), *segments[1:]]
    octets = b"".join(
        _PERCENT.sub(lambda digits: bytes([int(digits[1], 16)]), value) if encoded else value
        for value, encoded in segments
    )
    if not any(encoded for _, encoded in segments):
        return text.decode(octets)[0]  # segments of RFC 2231 with words of RFC 2047 in them
    label = charset.decode("latin-1").strip()
    if label:
        return text.clean(decode_as(octets, codec_of(label))[0])[0]
    if b"=?" in octets:
        return text.decode(octets)[0]
    return text.clean(decode_unlabelled(octets)[0])[0]
