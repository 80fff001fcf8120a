"""Where a header block ends: at the first blank line, whatever ends the lines (RFC 5322 2.1)."""

from __future__ import annotations

import codecs
import re
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, cast

from mailframe.headers.mime import Walker
from mailframe.sources.files import DAMAGE
from mailframe.sources.fromline import line_end, separates
from mailframe.sources.unwrap import decoder_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.headers.attachments import MimePart

LF, CR = b"\n\r"

# No header block is longer; a message without any blank line is cut here.
LONGEST_HEADER = 1 << 20
# What one read of a message's file takes: nearly always the whole header block.
_CHUNK = 1 << 14
# What is read at once only to know how much there is.
_COUNTED = 1 << 20

_NAME = rb"[A-Za-z][A-Za-z0-9_.-]*[ \t]*:"
_FIELD = re.compile(rb"(?:^|[\r\n])" + _NAME)
_FIRST_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
# Blank lines that stand before a header block, as programs of Windows leave them: below a From
# line, or first in a file.
_BLANK_FIRST = re.compile(rb"[\r\n]+(?=" + _NAME + rb")")
# One pattern is faster than a search for each kind of line end, as they bound each other.
_BLANK, _BLANK_OF_CR = re.compile(rb"\n\r{0,2}\n"), re.compile(rb"\r\r")
# Text mode on Windows turns CR LF into CR CR LF.
_LINE_END = re.compile(rb"\r*\n|\r")


class Readable(Protocol):
    """As much of a file as is needed here."""

    def read(self, size: int, /) -> bytes:
        """Give up to so many octets, none at the end."""

    def seek(self, offset: int, /) -> object:
        """Go to an offset from the beginning."""


class Block(NamedTuple):
    """What a file that holds one message begins with.

    Attributes
    ----------
    internaldate : bytes
        The date of a From line that stands before the header block, as in IMAP; else empty.
    header : bytes
        The header block with its blank line.
    size : int or None
        Octets of the message where they are not those of the file: it is encoded as a whole.
    damage : Exception or None
        What ended the reading early.
    parts : list of Part or None
        What may be attached, where that was asked for.
    """

    internaldate: bytes
    header: bytes
    size: int | None = None
    damage: Exception | None = None
    parts: list[MimePart] | None = None


def newline_of(text: bytes) -> int:
    """Give the octet that every line ends with: CR alone was the old Macintosh's way."""
    first = _LINE_END.search(text)
    return CR if first and first[0] == b"\r" else LF


def after_blank_line(data: bytes | bytearray, start: int, end: int, newline: int) -> int:
    """Give the index after the first blank line, or -1 if there is none.

    Parameters
    ----------
    data : bytes or bytearray
        Text.
    start, end : int
        Where to look: from the beginning of a line, with a line end before it.
    newline : int
        What ends lines in `data`: LF, with or without CRs before it, or CR.
    """
    blank = (_BLANK_OF_CR if newline == CR else _BLANK).search(data, start - 1, end)
    return blank.end() if blank else -1


def after_blank_first(data: bytes | bytearray, start: int, end: int) -> int:
    """Give the index after blank lines that stand before a header field, else `start`."""
    blank = _BLANK_FIRST.match(data, start, end)
    return blank.end() if blank else start


def has_field(header: bytes) -> bool:
    """Tell whether a header block has a field at all."""
    return _FIELD.search(header) is not None


def begins_with_field(header: bytes) -> bool:
    """Tell whether a header block begins with a field, as text behind a From line might not."""
    return _FIRST_FIELD.match(header) is not None


def read_block(stream: Readable, *, parts: bool = False) -> Block:
    """Read the header block of a file that holds one message, however that is encoded.

    With ``parts`` the rest is looked through for what is attached, and none of it kept. Raises
    nothing that the file's content is to blame for.
    """
    damage: Exception | None = None
    counted = 0

    def read(size: int) -> bytes:
        nonlocal counted, damage
        try:
            octets: bytes = plain.read(size)
        except DAMAGE as error:
            damage, octets = error, b""
        counted += len(octets)
        return octets

    plain: Readable = stream
    head = read(_CHUNK)
    decoder = decoder_of(head)
    if decoder is None:
        block, rest = _block(head, read)
        found = _parts(block.header, rest, read) if parts else None
        return block._replace(damage=damage, parts=found)
    stream.seek(0)
    plain = decoder(cast("IO[bytes]", stream))
    counted = 0
    block, rest = _block(read(_CHUNK), read)
    found = _parts(block.header, rest, read) if parts else None
    while read(_COUNTED):
        pass
    return block._replace(size=counted, damage=damage, parts=found)


def _parts(header: bytes, rest: bytes, read: Callable[[int], bytes]) -> list[MimePart]:
    walker = Walker(header)
    if walker.needs_body:
        walker.feed(rest)
        while octets := read(_COUNTED):
            walker.feed(octets)
    return [*walker.close()]


def _block(head: bytes, read: Callable[[int], bytes]) -> tuple[Block, bytes]:
    # The first line follows a blank line, so to speak.
    data = b"\n\n" + head.removeprefix(codecs.BOM_UTF8)
    date = separates(data, 2) if data.startswith(b"From ", 2) else None
    start = 2 if date is None else line_end(data, 2)
    start = after_blank_first(data, start, len(data))
    newline = newline_of(data[start:])
    while (end := after_blank_line(data, start, len(data), newline)) < 0:
        # As much as there is already: so nothing is looked through more often than twice.
        more = read(len(data)) if len(data) < LONGEST_HEADER else b""
        if not more:
            end = len(data)
            break
        data += more
    return Block(date or b"", data[start:end]), data[end:]
