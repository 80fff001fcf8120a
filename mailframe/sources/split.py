"""mbox files, taken apart at file speed: where each message begins, its header block, its size.

The file passes through a window of memory. A vector comparison finds what may be a From line
(faster by far than a search for its letters), ``fromline`` judges those that are left, and the
header block ends at the first blank line; nothing looks at a body twice. A Content-Length
field is believed where a message, or nothing, follows right after as many octets (mboxcl): then
what looks like a From line before that is text. How the file was read never shows in the result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mailframe.headers.mime import Walker
from mailframe.sources.fromline import (
    REACH,
    blank_before,
    is_patch,
    line_end,
    opens_twice,
    resembles,
    separates,
)
from mailframe.sources.headerblock import (
    CR,
    LF,
    LONGEST_HEADER,
    after_blank_first,
    after_blank_line,
    newline_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.headers.attachments import MimePart

# A window and its masks stay in a second-level cache.
WINDOW = 1 << 18
# How far ahead a Content-Length is checked; beyond, the From line's own signs decide.
LONGEST_CLAIM = 1 << 23

# By what ends lines: a pattern that begins with one octet is found fast.
_LENGTH = {
    newline: re.compile(bytes([newline]) + rb"Content-[Ll]ength:[ \t]*(\d{1,12})[ \t]*[\r\n]")
    for newline in (LF, CR)
}
# A body's last octet, the end of its last line and a blank line; either may count as body.
_AFTER_BODY = re.compile(rb"(?s:.)(?:\r\r?\n|[\r\n]){0,2}(?<=[\r\n])(?=From |\Z)")
# What the line below a From line begins with where it is none of a header block.
_NO_FIELD = (b"\r", b"\n", b"From ")
_NOT_YET_TEXT = b"\xef\xbb\xbf \t\r\n"


class Piece(NamedTuple):
    """One message of an mbox file.

    Attributes
    ----------
    internaldate : bytes
        The From line's date as IMAP writes it, or empty.
    header : bytes
        The header block with its blank line, without the From line.
    size : int
        Octets of the message, without the From line and the blank line that separates it.
    parts : list of Part or None
        What may be attached, where that was asked for.
    """

    internaldate: bytes
    header: bytes
    size: int
    parts: list[MimePart] | None = None


class _Message(NamedTuple):
    """A message whose end is not known yet; offsets count from the beginning of the file."""

    internaldate: bytes
    header: bytes
    start: int
    begin: int  # of the header block
    claim: int  # where its Content-Length says that it ends, or 0

    def until(self, end: int) -> Piece:
        header = self.header[: max(end - self.begin, 0)]
        return Piece(self.internaldate, header, max(end - self.start, 0))


def split(
    readinto: Callable[[memoryview], int],
    on_text: Callable[[int], object] = lambda _: None,
    on_doubt: Callable[[int], object] = lambda _: None,
    *,
    parts: bool = False,
) -> Iterator[Piece]:
    """Take an mbox file apart.

    Parameters
    ----------
    readinto : callable
        Fills the beginning of a buffer with the next octets of the file and gives their number,
        0 at its end.
    on_text : callable, optional
        Called with the number of octets that stand before the first message, if any do.
    on_doubt : callable, optional
        Called in the end with the number of lines that were taken for text and look like From
        lines, if they are more than the messages.
    parts : bool
        Whether bodies are looked through for what is attached.

    Yields
    ------
    Piece
        A message, in the order of the file. Memory is bounded by `LONGEST_CLAIM` and a window.
    """
    window = _Window(readinto, parts=parts)
    message: _Message | None = None
    offset = window.start
    count = doubts = 0
    while (offset := window.next_from(offset)) >= 0:
        date = window.separates(offset)
        claim = message.claim if message else 0
        if date is None and claim != offset and claim != window.before_blank(offset):
            doubts += window.resembles(offset)
            offset += 1
            continue
        if claim > offset and window.claim_holds(claim, offset):
            offset = claim
            continue
        if message:
            yield window.close(message, window.before_blank(offset))
        elif offset > window.start:
            on_text(offset - window.start)
        message = window.open(offset, date or b"")
        count += 1
        offset = message.start
    if message:
        yield window.close(message, window.before_blank(window.end))
    elif window.end > window.start:
        on_text(window.end - window.start)
    if doubts > count > 0:
        on_doubt(doubts)


class _Window:
    """The part of a stream that is in memory, addressed by offsets in the file.

    Whatever is asked about an offset, the four octets before it are still there.
    """

    def __init__(self, readinto: Callable[[memoryview], int], *, parts: bool) -> None:
        self._readinto = readinto
        self._parts = parts
        self._walker: Walker | None = None  # of the open message
        self._walked = 0
        self._ended = False
        # The first line follows a blank line, so to speak.
        self._base = -2
        self._size = 2  # octets of the buffer that are in use
        self._take_buffers(WINDOW)
        self._read(WINDOW)
        text = bytes(self._view[2 : self._size])
        self.start = len(text) - len(text.lstrip(_NOT_YET_TEXT))
        self._newline = newline_of(text[self.start :])
        self._view[self.start : self.start + 2] = bytes([self._newline] * 2)
        self._length = _LENGTH[self._newline]
        self._from = bytes([self._newline]) + b"From "
        # In a mailbox of other mail, a patch is what a body holds.
        self._patches = is_patch(text, self.start)
        self._advance(self.start, REACH)

    @property
    def end(self) -> int:
        """The offset after the last octet in memory: in the end, the size of the file."""
        return self._base + self._size

    def _take_buffers(self, room: int) -> None:
        self._data: bytes | bytearray = bytearray(room)
        self._view = memoryview(self._data)
        self._octets = np.frombuffer(self._data, np.uint8)
        self._found = bytearray(room)
        self._mask = np.frombuffer(self._found, np.bool_)
        self._spare = np.empty(room, np.bool_)

    def _read(self, size: int) -> None:
        """Read until `size` octets are in use, or the file ends."""
        while self._size < size and not self._ended:
            count = self._readinto(self._view[self._size :])
            self._size += count
            self._ended = not count

    def _advance(self, offset: int, need: int) -> None:
        """Forget what is long before `offset`; have `need` octets from there, or all there are."""
        keep = max(offset - 4, self._base)
        self._walk(keep)
        kept = bytes(self._view[keep - self._base : self._size])
        need += offset - keep
        # To read no less than what is copied keeps the whole linear, in however small pieces a
        # stream gives it.
        room = max(WINDOW, 2 * need, 2 * len(kept))
        if room != len(self._view):
            self._take_buffers(room)
        self._view[: len(kept)] = kept
        self._base, self._size = keep, len(kept)
        self._read(room)
        self._mark()
        # A From line can be judged by what is in memory where it begins before this.
        self._judgeable = max(self._size - (4 if self._ended else REACH), 0)
        if self._ended:  # nothing may be seen that is left from before
            self._data = bytes(self._view[: self._size])

    def _mark(self) -> None:
        """Mark every F with a space behind it where "From " has one: few, and none in base64."""
        count = max(self._size - 4, 0)
        octets, mask, spare = self._octets, self._mask[:count], self._spare[:count]
        np.equal(octets[:count], ord("F"), out=mask)
        np.equal(octets[4 : count + 4], ord(" "), out=spare)
        np.logical_and(mask, spare, out=mask)

    def _next_in_memory(self, offset: int) -> int:
        """Give the offset of the next line that begins with ``From`` and can be judged, or -1."""
        at = offset - self._base
        while (at := self._found.find(1, at, self._judgeable)) >= 0:
            if self._data.startswith(self._from, at - 1):
                return self._base + at
            at += 1
        return -1

    def next_from(self, offset: int) -> int:
        """Give the offset of the next line that begins with ``From``, or -1."""
        while (following := self._next_in_memory(offset)) < 0 and not self._ended:
            offset = max(offset, self._base + self._judgeable)
            self._advance(offset, REACH + 1)
        return following

    def separates(self, offset: int) -> bytes | None:
        """Judge a From line: its date, or None if it is text."""
        return separates(self._data, offset - self._base, patches=self._patches)

    def resembles(self, offset: int) -> bool:
        """Tell whether what is no From line looks like one."""
        return resembles(self._data, offset - self._base)

    def before_blank(self, offset: int) -> int:
        """Give the offset before the blank line that ends at `offset`, if one does."""
        return offset - blank_before(self._data, offset - self._base)

    def claim_holds(self, claim: int, offset: int) -> bool:
        """Tell whether a message, or nothing, follows what Content-Length says is a body."""
        if claim - offset > LONGEST_CLAIM:
            return False
        if not self._ended and self.end < claim + REACH:
            self._advance(offset, claim - offset + REACH)
        if claim > self.end:
            return False
        following = _AFTER_BODY.match(self._data, claim - self._base - 1)
        return following is not None and (
            following.end() == len(self._data)
            or separates(self._data, following.end(), patches=self._patches) is not None
        )

    def open(self, offset: int, internaldate: bytes) -> _Message:
        """Begin the message whose From line is at `offset`: read its header block."""
        first = offset - self._base
        start = begin = self._base + line_end(self._data, first)
        if self._data.startswith(_NO_FIELD, start - self._base):
            lines = bytes(self._data[first : first + REACH])
            at = start - offset
            while opens_twice(lines, at):
                at = line_end(lines, at)
            start = offset + at
            begin = offset + after_blank_first(lines, at, len(lines))
        end = self._header_end(begin)
        header = bytes(self._view[begin - self._base : end - self._base])
        length = self._length.search(self._data, begin - self._base - 1, end - self._base)
        claim = end + int(length[1]) if length else 0
        if self._parts:
            self._walker, self._walked = Walker(header), end
        return _Message(internaldate, header, start, begin, claim)

    def _walk(self, end: int) -> None:
        """Show the open message's octets up to an offset to who looks for its parts."""
        if self._walker is not None and self._walker.needs_body and end > self._walked:
            self._walker.feed(bytes(self._view[self._walked - self._base : end - self._base]))
            self._walked = end

    def close(self, message: _Message, end: int) -> Piece:
        """End the open message at an offset."""
        piece = message.until(end)
        if self._walker is None:
            return piece
        self._walk(end)
        walker, self._walker = self._walker, None
        return piece._replace(parts=[*walker.close()])

    def _header_end(self, start: int) -> int:
        """Give the offset where a header block ends; reading on leaves `start` in memory."""
        seen = start
        while True:
            following = self._next_in_memory(seen + 1)
            limit = following if following >= 0 else self.end
            end = after_blank_line(self._data, seen - self._base, limit - self._base, self._newline)
            if end >= 0:
                return min(self._base + end, start + LONGEST_HEADER)
            if following >= 0:
                # Without a blank line before it. The search goes on where it is text.
                if self.separates(following) is not None:
                    return min(following, start + LONGEST_HEADER)
                seen = following
            elif self._ended or self.end - start >= LONGEST_HEADER:
                return min(self.end, start + LONGEST_HEADER)
            else:
                self._advance(start, self.end - start + 1)
