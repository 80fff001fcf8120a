r"""BODYSTRUCTURE (RFC 9051 section 7.5.2): a message's parts as the server understood them.

What servers break most. The values of the line are read by the grammar of every other response,
with an explicit stack for parentheses; then the tree is walked with a second one, so neither depth
nor length can hurt: all is linear, nothing recurses. Fields that follow the octets are told by
their shapes and not by their places, as servers leave some out. Every other liberty is a
``quirk_…``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mailframe.ground.patterns import compile_pattern
from mailframe.imap.grammar import String, Value, as_text, is_nil, quirk_exponent

if TYPE_CHECKING:
    from collections.abc import Iterator

Parameters: TypeAlias = tuple[tuple[bytes, bytes], ...]

_BASIC = 7  # type, subtype, parameters, id, description, encoding, octets
_TYPE, _SUBTYPE, _PARAMETERS, _ID, _DESCRIPTION, _ENCODING, _OCTETS = range(_BASIC)
_EXTENSIONS = 4  # MD5, disposition, language, location
_LOCATION = 3
_DISPOSITIONS = (b"attachment", b"inline")
_MESSAGES = (b"message/rfc822", b"message/global")


class Part(NamedTuple):
    """One part that is no multipart.

    Attributes
    ----------
    type : bytes
        Type and subtype, lower case.
    parameters : tuple of (bytes, bytes)
        Of the type; names in lower case.
    encoding : bytes
        The transfer encoding, lower case; empty where it is not told.
    octets : int or None
        As they travel; None where that is not told.
    disposition : bytes or None
        Lower case; None where there is none.
    disposition_parameters : tuple of (bytes, bytes)
        Of the disposition; names in lower case.
    related : bool
        Whether it stands in a multipart/related and has an id or a location: a text can show it.
    depth : int
        In how many enclosed messages it stands.
    """

    type: bytes
    parameters: Parameters = ()
    encoding: bytes = b""
    octets: int | None = None
    disposition: bytes | None = None
    disposition_parameters: Parameters = ()
    related: bool = False
    depth: int = 0


# One text, or several of which a reader sees one, without a name or a disposition: most mail.
_PAIRS = rb'(?:NIL|\((?:"(?!name|\*)[a-z*-]++" "[^"\\]*+"(?: (?=")|(?=\))))++\))'
_ONE = (
    rb'\("text" "[a-z]++" '
    + _PAIRS
    + rb' (?:NIL|"[^"\\]*+") (?:NIL|"[^"\\]*+") (?:NIL|"[a-z0-9-]++")'
    rb" \d++ \d++(?: NIL){0,4}+\)"
)
_TEXTS = compile_pattern(
    rb"\(UID \d{1,10} BODYSTRUCTURE (?:"
    + _ONE
    + rb"|\((?:"
    + _ONE
    + rb')++ "(?:alternative|mixed)"(?: '
    + _PAIRS
    + rb"(?: NIL){0,3}+)?+\))\)",
    re.IGNORECASE,
)


def is_text_alone(items: bytes) -> bool:
    """Tell of the usual FETCH response whether nothing can be attached: the shortest way to that.

    It holds only of what `read_structure` would find to be texts without names.
    """
    return _TEXTS.fullmatch(items) is not None


def read_structure(value: Value) -> list[Part] | None:
    """Read the value of a BODYSTRUCTURE.

    Returns
    -------
    list of Part or None
        The parts that are no multiparts, in their order; None where it makes no sense.
    """
    if not isinstance(value, list) or not value:
        return None
    return list(_parts(quirk_doubled_parentheses(value)))


class _Left(NamedTuple):
    """A body that is still to be walked."""

    fields: list[Value]
    related: bool = False
    depth: int = 0


def _parts(body: list[Value]) -> Iterator[Part]:
    """Walk a tree with a stack of what is left."""
    left = [_Left(body)]
    while left:
        fields, related, depth = left.pop()
        children = _children(fields)
        if children is None:
            part, enclosed = _part(fields, related=related, depth=depth)
            yield part
            if enclosed:
                left.append(_Left(quirk_doubled_parentheses(enclosed), depth=depth + 1))
            continue
        subtype = fields[len(children)] if len(children) < len(fields) else b""
        related = related or _word(subtype) == b"related"
        left += [
            _Left(child, related, depth)
            for child in reversed(children)
            if isinstance(child, list) and child  # quirk: an empty multipart as ``(() "mixed")``
        ]


def _children(fields: list[Value]) -> list[Value] | None:
    """Give the parts of a multipart, None for what is none."""
    place = 0
    while place < len(fields) and isinstance(fields[place], list):
        place += 1
    if place:
        return fields[:place]
    return fields[:0] if quirk_empty_multipart(fields) else None


def quirk_doubled_parentheses(body: list[Value]) -> list[Value]:
    """Take off parentheses around a body where nothing else stands in them.

    Source: Domino, which puts items into extra parentheses; a multipart has its subtype there.
    """
    while len(body) == 1 and isinstance(body[0], list):
        body = body[0]
    return body


def quirk_empty_multipart(fields: list[Value]) -> bool:
    """Recognise a multipart without parts, which the grammar does not have.

    Source: ``(NIL "mixed" …)`` and ``("mixed" ("boundary" "x") NIL NIL)``, see MailKit's tracker;
    ``("multipart" "mixed" …)``, a part of that type, of servers that found no boundary.
    """
    first, *rest = fields
    if _word(first) == b"multipart":
        return True
    if not rest:
        return True
    if is_nil(first):  # a part of no type has parameters next but one
        return len(rest) < _BASIC - 1 and not is_nil(rest[0]) and not isinstance(rest[0], list)
    second = rest[0]
    return isinstance(second, list) or (is_nil(second) and len(fields) <= 1 + _EXTENSIONS)


def _part(fields: list[Value], *, related: bool, depth: int) -> tuple[Part, list[Value]]:
    """Read a part that is no multipart, and find the body of the message that it encloses."""
    fields = fields + [b"NIL"] * (_BASIC - len(fields))
    kind = quirk_no_type(fields[_TYPE], fields[_SUBTYPE])
    enclosed, extensions = _extensions(kind, fields[_BASIC:])
    disposition, parameters = _disposition(extensions)
    location = extensions[_LOCATION] if len(extensions) > _LOCATION else b"NIL"
    part = Part(
        kind,
        _pairs(fields[_PARAMETERS]),
        _word(fields[_ENCODING]),
        quirk_exponent(fields[_OCTETS]),
        disposition,
        parameters,
        related and bool(_word(fields[_ID]) or _word(location)),
        depth,
    )
    return part, enclosed


def quirk_no_type(kind: Value, subtype: Value) -> bytes:
    """Give a type where NIL stands for one or both of its halves.

    RFC 2045 section 5.2 says what a part without a type is; of one that cannot be read, no more is
    known than that it is there. Source: Exchange and Domino, for types that they cannot parse.
    """
    first, second = _word(kind), _word(subtype)
    if first and second:
        return first + b"/" + second
    if first == b"text" or not (first or second):
        return b"text/plain"
    return first + b"/octet-stream" if first == b"application" else b"application/octet-stream"


def _extensions(kind: bytes, rest: list[Value]) -> tuple[list[Value], list[Value]]:
    """Give the body of an enclosed message, and what follows the fields of a type.

    Of a message these are envelope, body and lines, of text its lines; any may be missing.
    """
    place, enclosed = 0, []
    if kind in _MESSAGES:
        for value in rest[:2]:
            if isinstance(value, list) and not _is_disposition(value):
                enclosed = value if place else []
            elif not is_nil(value) or len(rest) <= _EXTENSIONS:
                break
            place += 1
    if place < len(rest) and _is_number(rest[place]):
        place += 1
    return enclosed, rest[place:]


def _is_number(value: Value) -> bool:
    return not isinstance(value, (list, String)) and quirk_exponent(value) is not None


def _disposition(extensions: list[Value]) -> tuple[bytes | None, Parameters]:
    """Find the disposition, wherever missing fields have moved it (MD5, or a language too many)."""
    for value in extensions:
        if isinstance(value, list) and _is_disposition(value):
            return _word(value[0]), _pairs(value[1]) if len(value) > 1 else ()
    return quirk_bare_disposition(extensions), ()


def _is_disposition(value: Value) -> bool:
    """Tell ``("attachment" ("filename" "a"))`` from a language, an envelope and a body."""
    match value:
        case [bytes(word), list() | b"NIL" | b"nil"]:
            return not is_nil(word)
        case [bytes(word)]:
            return word.lower() in _DISPOSITIONS
        case _:
            return False


def quirk_bare_disposition(extensions: list[Value]) -> bytes | None:
    """Take ``"attachment"`` for a disposition though it stands without parentheses.

    Source: servers that wrote body-fld-dsp as a string, see MailKit's tracker.
    """
    words = (_word(value) for value in extensions[:_EXTENSIONS])
    return next((word for word in words if word in _DISPOSITIONS), None)


def _pairs(value: Value) -> Parameters:
    """Read parameters; NIL and whatever is no list has none."""
    if not isinstance(value, list):
        return ()
    words = quirk_nested_parameters(value)
    names, values = words[::2], words[1::2]
    return tuple(
        (_word(name), text)
        # quirk: an odd number of them; the last has no value.
        for name, one in zip(names, values, strict=False)
        if (text := as_text(one)) is not None and _word(name)
    )


def quirk_nested_parameters(values: list[Value]) -> list[Value]:
    """Read ``(("name" "a") ("size" "1"))`` as if the pairs stood in one list.

    Source: servers that write each parameter in its own parentheses, see MailKit's tracker.
    """
    if not any(isinstance(value, list) for value in values):
        return values
    flat: list[Value] = []
    for value in values:
        # A list in a pair's place is no string: it has no value that could be read.
        flat += value if isinstance(value, list) else [value]
    return [b"NIL" if isinstance(value, list) else value for value in flat]


_MARKS = re.compile(rb'[\s"]+')


def _word(value: Value) -> bytes:
    """Give a word in lower case, empty for NIL; four quotation marks are an empty one as well."""
    if isinstance(value, list) or not value or is_nil(value):
        return b""
    word = bytes(value).lower()
    return word if word.isalnum() else _MARKS.sub(b"", word)
