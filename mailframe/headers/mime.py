"""The parts of a message, from its octets (RFC 2045, RFC 2046), sans I/O.

A walker is fed a message in pieces and keeps none of its bodies: it looks for lines that may be
boundaries, reads the headers of parts, and counts what lies between. So the cost is that of finding
line ends, whatever a message holds, and of most messages the header block says enough. What a
program takes for a boundary and what for a part without a type is as Dovecot has it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from mailframe.ground.patterns import compile_pattern
from mailframe.headers.parameters import read_parameters

# Parts that may be attachments, in one message; nobody sends so many.
MOST_PARTS = 10_000
# Octets of one part's header that are read, of a line that may be a boundary, and of a boundary.
_LONGEST_HEADER = 1 << 16
_LONGEST_LINE = 1 << 10
_LONGEST_BOUNDARY = 200

# A line end that begins it keeps the search fast.
_FIELD = compile_pattern(
    rb"\n(?i:content-(type|disposition|transfer-encoding|id|location))[ \t]*+:"
    rb"((?:[^\n]++|\n(?=[ \t]))*+)"
)
# What stands in for the octets of a part that Apple Mail keeps in another file.
_APART = re.compile(rb"\n(?i:x-apple-content-length):[ \t]*(\d{1,15})")
_BLANK = re.compile(rb"(?:^|(?<=\n))\r?\n")
_TEXT, _MESSAGE = b"text/plain", b"message/rfc822"
_MESSAGES = frozenset({_MESSAGE, b"message/global"})
_TYPE = re.compile(rb"[!-.0-~]+/[!-.0-~]+")


class Part(NamedTuple):
    """One part that is no multipart; see `mailframe.headers.attachments.MimePart`."""

    type: bytes = _TEXT
    parameters: tuple[tuple[bytes, bytes], ...] = ()
    encoding: bytes = b""
    octets: int | None = None
    disposition: bytes | None = None
    disposition_parameters: tuple[tuple[bytes, bytes], ...] = ()
    related: bool = False
    depth: int = 0


class _Multipart(NamedTuple):
    """One whose end has not come, and what holds for its parts."""

    boundary: bytes
    default: bytes
    related: bool
    depth: int


class _Open(NamedTuple):
    """A part of which the octets are being counted, and its place among those found."""

    level: int  # of multiparts, around it
    place: int
    start: int


class Walker:
    """Finds the parts of one message.

    Parameters
    ----------
    header : bytes
        The message's header block.

    Attributes
    ----------
    parts : list of Part
        Those that may be attachments, and enclosed messages, in their order; right after `close`.
    needs_body : bool
        Whether `feed` is worth calling.
    """

    def __init__(self, header: bytes) -> None:
        self.parts: list[Part] = []
        self._stack: list[_Multipart] = []
        self._levels: dict[bytes, list[int]] = {}
        self._lengths: Counter[int] = Counter()  # of boundaries
        self._inside = False  # of a very long line
        self._counting: list[_Open] = []
        self._header_end = 0  # or that of a boundary: none takes a line end from before that
        self._octets = 0  # so far, with CRLF for each line end
        self._rest = b""  # an unfinished line
        self._head: bytes | None = None  # of a part, as far as it has come
        self._depth = 0
        self._related = False
        self._default = _TEXT
        self._old = b"\n" not in header and b"\r" in header  # lines end in CR, the old Macintosh's
        self._begin(header.replace(b"\r", b"\n") if self._old else header)
        self.needs_body = bool(self._stack or self._counting) or self._head is not None

    def feed(self, data: bytes) -> None:
        """Take the next octets of the body."""
        if self._old:
            data = data.replace(b"\r", b"\n")
        data = self._rest + data if self._rest else data
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _LONGEST_LINE:
            end = len(data) - 1  # it may be a CR before its LF
            self._take(data[:end], whole=False)
        elif end:
            self._take(data[:end], whole=True)
        self._rest = data[end:]

    def close(self) -> list[Part]:
        """Take the end of the message; return the parts."""
        if self._rest:
            self._take(self._rest, whole=True)
        if self._head is not None:
            self._begin(self._head)
            self._head = None
        self._end(-1)
        return self.parts

    # -----------------------------------------------------------------------------------------

    def _take(self, data: bytes, *, whole: bool) -> None:
        """Take lines; ``whole`` unless this is the inside of a very long one."""
        at = data.find(b"\n") + 1 if self._inside else 0
        self._count(data, 0, at)
        self._inside = not whole
        while at < len(data):
            if self._head is not None:
                at = self._take_head(data, at)
                continue
            line = self._next_boundary(data, at) if whole and self._stack else None
            if line is None:
                self._count(data, at, len(data))
                return
            start, end, level, closes = line
            self._count(data, at, start)
            self._end(level, line_end=2 * (self._octets > self._header_end))
            self._count(data, start, end)
            self._header_end = self._octets
            self._pop(level + (not closes))
            self._head = None if closes else b""
            at = end

    def _next_boundary(self, data: bytes, at: int) -> tuple[int, int, int, bool] | None:
        """Find the next line that is a boundary: where it is, its level, whether it closes."""
        start = at if data.startswith(b"--", at) else data.find(b"\n--", at) + 1
        while start or (start == at and data.startswith(b"--", at)):
            end = data.find(b"\n", start) + 1 or len(data)
            found = self._level_of(data[start + 2 : min(end, start + _LONGEST_LINE)])
            if found is not None:
                return start, end, *found
            start = data.find(b"\n--", end - 1) + 1
            if not start:
                return None
        return None

    def _level_of(self, line: bytes) -> tuple[int, bool] | None:
        """Tell which multipart's boundary a line is, the innermost first, and whether it closes."""
        best = -1
        length = 0
        for size in self._lengths:
            levels = self._levels.get(line[:size])
            if levels and levels[-1] > best:
                best, length = levels[-1], size
        if best < 0:
            return None
        return best, line.startswith(b"--", length)

    def _take_head(self, data: bytes, at: int) -> int:
        """Collect the header of a part; return where it ends."""
        assert self._head is not None
        blank = _BLANK.search(data, at)
        end = blank.end() if blank else len(data)
        boundary = self._next_boundary(data, at)
        if boundary is not None and boundary[0] < end:
            end, blank = boundary[0], None
        if len(self._head) < _LONGEST_HEADER:
            self._head += data[at : min(end, at + _LONGEST_HEADER)]
        self._count(data, at, end)
        self._header_end = self._octets
        if blank or boundary is not None:
            head, self._head = self._head, None
            self._begin(head)
        return end

    def _begin(self, header: bytes) -> None:
        """Read the header of a part or of a message, and begin to count its octets."""
        fields: dict[bytes, bytes] = {}
        header = b"\n" + header
        for name, value in _FIELD.findall(header):
            fields.setdefault(name.lower(), value)
        kind, parameters = read_parameters(fields.get(b"type", b""))
        if b"type" not in fields:
            kind = self._default
        elif not _TYPE.fullmatch(kind):  # RFC 2045 section 5.2 leaves open what it is
            kind = _TEXT if kind == b"text" else b"application/octet-stream"
        if kind.startswith(b"multipart/"):
            self._open(kind, parameters)
            return
        word, told = read_parameters(fields.get(b"disposition", b""))
        is_named = any(name.startswith(b"name") for name, _ in parameters)
        if (word or is_named or kind in _MESSAGES) and len(self.parts) < MOST_PARTS:
            shown = self._related and (b"id" in fields or b"location" in fields)
            encoding, _ = read_parameters(fields.get(b"transfer-encoding", b""))
            apart = _APART.search(header)
            octets = int(apart[1]) if apart else None
            part = Part(kind, parameters, encoding, octets, word or None, told, shown, self._depth)
            self._counting.append(_Open(len(self._stack), len(self.parts), self._octets))
            self.parts.append(part)
        if kind in _MESSAGES:
            self._depth += 1
            self._related, self._default = False, _TEXT
            self._head = b""

    def _open(self, kind: bytes, parameters: tuple[tuple[bytes, bytes], ...]) -> None:
        boundary = next((value for name, value in parameters if name == b"boundary"), b"")
        boundary = boundary.rstrip(b" \t")[:_LONGEST_BOUNDARY]
        if not boundary:
            return
        related = self._related or kind == b"multipart/related"
        default = _MESSAGE if kind == b"multipart/digest" else _TEXT
        self._levels.setdefault(boundary, []).append(len(self._stack))
        self._stack.append(_Multipart(boundary, default, related, self._depth))
        self._lengths[len(boundary)] += 1

    def _pop(self, level: int) -> None:
        """Close the multiparts from a level on, and stand within what is left."""
        while len(self._stack) > level:
            boundary = self._stack.pop().boundary
            self._levels[boundary].pop()
            if not self._levels[boundary]:
                del self._levels[boundary]
            self._lengths[len(boundary)] -= 1
            if not self._lengths[len(boundary)]:
                del self._lengths[len(boundary)]
        if self._stack:
            inner = self._stack[-1]
            self._depth, self._related, self._default = inner.depth, inner.related, inner.default

    def _count(self, data: bytes, start: int, end: int) -> None:
        lone = data.count(b"\n", start, end) - data.count(b"\r\n", start, end)
        self._octets += end - start + lone

    def _end(self, level: int, *, line_end: int = 0) -> None:
        """End the parts within a level of multiparts; the last line end may be of the boundary."""
        while self._counting and self._counting[-1].level > level:
            _, place, start = self._counting.pop()
            octets = max(self._octets - line_end - start, 0)
            if octets or self.parts[place].octets is None:
                self.parts[place] = self.parts[place]._replace(octets=octets)
