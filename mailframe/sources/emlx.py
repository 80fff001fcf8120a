"""``.emlx`` files of Apple Mail.

A line with a number of octets, a message of that many, and a property list (plistlib) with what
Apple Mail knows of it. Of a ``.partial.emlx`` the attachments lie elsewhere.
"""

from __future__ import annotations

import plistlib
import re
from typing import IO, NamedTuple
from xml.parsers.expat import ExpatError

from mailframe.sources.arrival import internaldate
from mailframe.sources.headerblock import Block, read_block

SUFFIX = ".emlx"
_COUNT = re.compile(rb"\s*(\d{1,12})[ \t]*\r?\n")
_LONGEST_COUNT = 64
_LONGEST_LIST = 1 << 20
# Bits of "flags", lowest first; the others are colours, priorities and counts.
_FLAGS = {
    0: rb"\Seen",
    1: rb"\Deleted",
    2: rb"\Answered",
    4: rb"\Flagged",
    6: rb"\Draft",
    8: b"$Forwarded",
    24: b"$Junk",
}
# All that plistlib is seen to raise for what is none.
_NO_LIST = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    ExpatError,
)


class Emlx(NamedTuple):
    """What such a file tells.

    Attributes
    ----------
    block : Block
        The header block, and the date on which it was received.
    size : int
        Octets of the message.
    flags : bytes or None
        As in an IMAP flag list; None where the property list cannot be read.
    """

    block: Block
    size: int
    flags: bytes | None


class _Section:
    """A part of a file, as a file."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream, self._start, self._size = stream, start, size
        self.seek(0)

    def seek(self, offset: int) -> None:
        self._stream.seek(self._start + offset)
        self._left = self._size - offset

    def read(self, size: int) -> bytes:
        octets = self._stream.read(min(size, self._left))
        self._left -= len(octets)
        return octets


def read_emlx(stream: IO[bytes], size: int, *, parts: bool = False) -> Emlx | None:
    """Read such a file of `size` octets; None where it does not begin with a number."""
    count = _COUNT.match(stream.read(_LONGEST_COUNT))
    if not count:
        return None
    octets = min(int(count[1]), size - count.end())
    block = read_block(_Section(stream, count.end(), octets), parts=parts)
    stream.seek(count.end() + octets)
    told = _property_list(stream.read(_LONGEST_LIST))
    if told is None:
        return Emlx(block, octets, None)
    received = told.get("date-received")
    if isinstance(received, int | float):
        block = block._replace(internaldate=internaldate(received))
    bits = told.get("flags")
    bits = bits if isinstance(bits, int) else 0
    flags = [flag for bit, flag in _FLAGS.items() if bits >> bit & 1]
    return Emlx(block, octets, b" ".join(flags))


def _property_list(octets: bytes) -> dict[str, object] | None:
    try:
        told = plistlib.loads(octets.strip())
    except _NO_LIST:
        return None
    return told if isinstance(told, dict) else None
