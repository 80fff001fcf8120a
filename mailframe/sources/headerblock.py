"""Where a header block ends: at the first blank line, whatever ends the lines (RFC 5322 2.1)."""

from __future__ import annotations

import codecs
import os
import re
from typing import TYPE_CHECKING

from mailframe.sources.fromline import line_end, separates

if TYPE_CHECKING:
    from collections.abc import Callable

LF, CR = b"\n\r"

# No header block is longer; a message without any blank line is cut here.
LONGEST_HEADER = 1 << 20
# What one read of a message's file takes: nearly always the whole header block.
_CHUNK = 1 << 14

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_LINE_END = re.compile(rb"\r\n?|\n")


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
        What ends lines in `data`: LF, with or without a CR before it, or CR.
    """
    if newline == CR:
        blank = data.find(b"\r\r", start - 1, end)
        return blank + 2 if blank >= 0 else -1
    bare, crlf = b"\n\n", b"\n\r\n"
    # The search that will end soon comes first and bounds the other.
    common, rare = (crlf, bare) if data[start - 2 : start - 1] == b"\r" else (bare, crlf)
    blank = data.find(common, start - 1, end)
    limit = blank if blank >= 0 else end
    other = -1
    if rare is bare or data.find(b"\r", start, limit) >= 0:
        other = data.find(rare, start - 1, limit)
    if other >= 0:
        return other + len(rare)
    return blank + len(common) if blank >= 0 else -1


def read_header(read: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """Read the header block of a file that holds one message.

    Parameters
    ----------
    read : callable
        Gives up to so many octets of the file, none at its end.

    Returns
    -------
    internaldate : bytes
        The date of a From line that stands before the header block, as in IMAP; else empty.
    header : bytes
        The header block with its blank line.
    """
    # The first line follows a blank line, so to speak.
    data = b"\n\n" + read(_CHUNK).removeprefix(codecs.BOM_UTF8)
    date = separates(data, 2) if data.startswith(b"From ", 2) else None
    start = 2 if date is None else line_end(data, 2)
    newline = newline_of(data[start:])
    while (end := after_blank_line(data, start, len(data), newline)) < 0:
        # As much as there is already: so nothing is looked through more often than twice.
        more = read(len(data)) if len(data) < LONGEST_HEADER else b""
        if not more:
            end = len(data)
            break
        data += more
    return date or b"", data[start:end]


def read_message(path: str) -> tuple[os.stat_result, bytes, bytes]:
    """Read a file that holds one message: its status, and what `read_header` gives."""
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 -- a Path costs more
        return (os.fstat(stream.fileno()), *read_header(stream.read))


def begins_with_field(path: str) -> bool:
    """Tell whether a file begins with a header field, perhaps behind a From line."""
    return _FIELD.match(read_message(path)[2]) is not None
