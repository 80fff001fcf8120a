"""Bytes into frames: a response line and the literals it holds.

Framing knows only two things, lines and announced lengths. It never counts parentheses, so a
malformed response costs itself and nothing behind it. Chunks are joined only when they complete
something, which keeps the work linear however finely the bytes are cut, and every length is
checked against the limits when it is announced.

A frame in progress is the state ``(texts, literals, missing)``; the bytes behind it wait in
``buffer`` from ``position`` on. The one reader allowed to look there is the scanner of fetched
rows, which takes whole responses off the buffer while no frame is in progress.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailframe.errors import ProtocolError
from mailframe.imap.limits import DEFAULT_LIMITS, Limits

# ``{12}``, ``~{12}`` (literal8), and ``{12+}``, which only clients may send.
_LITERAL = re.compile(rb"~?\{(\d{1,20})\+?\}\Z")
# Free text may end in braces without announcing anything.
_FREE_TEXT = re.compile(rb"(?:\+|[^\s*+]\S*+ |\* (?:OK|NO|BAD|BYE|PREAUTH)\b)", re.IGNORECASE)
# quirk: a blank line behind a literal inside FETCH, whose parenthesis is still open. Source:
# servers that write the end of the header once more than they count it. The response goes on behind
# it, unless the next line begins another.
_STAYS_OPEN = re.compile(rb"\* *\d+ +FETCH\b", re.IGNORECASE)
_BEGINS = re.compile(rb"[*+]|[A-Za-z0-9.]{1,32} (?:OK|NO|BAD)\b", re.IGNORECASE)
_MOST_BLANKS = 4  # in one response: what goes on for ever would never be told
# Octets of a response in progress that are looked at to see whose it is.
_START = 1_000


class Frame(NamedTuple):
    """One response: ``texts[0] literals[0] texts[1] …``; always one text more than literals."""

    texts: tuple[bytes, ...]
    literals: tuple[bytes, ...] = ()


class Framer:
    """Cut a stream of octets into frames.

    Parameters
    ----------
    limits : Limits
        What one line, literal and response may hold.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.buffer = b""
        self.position = 0
        self.limits = limits
        self._chunks: list[bytes] = []
        self._held = 0  # octets in _chunks
        self._line_may_end = False
        self._searched = 0  # no line ends in the buffer before here
        self._texts: list[bytes] = []
        self._literals: list[bytes] = []
        self._size = 0
        self._missing: int | None = None  # octets of the literal being awaited
        self._blanks = 0  # blank lines behind literals of the response in progress
        self._open = False  # the last of them has come, and not the line behind it

    @property
    def between_frames(self) -> bool:
        """Whether the buffer stands at the start of a response."""
        return not self._texts

    @property
    def at_line(self) -> bool:
        """Whether a response starts here, and its line may be whole in the buffer."""
        return self.between_frames and self._searched < len(self.buffer)

    @property
    def pending(self) -> int:
        """Octets received and not yet given out."""
        return len(self.buffer) - self.position + self._held

    @property
    def started(self) -> bytes:
        """The start of a frame in progress: it tells whose a literal or a line too large is."""
        if self._texts:
            return self._texts[0]
        start = self.buffer[self.position : self.position + _START]
        for chunk in self._chunks:
            if len(start) >= _START:
                break
            start += chunk[:_START]
        return start

    @property
    def within(self) -> bool:
        """Whether a part of a response has come, and not the whole."""
        return bool(self._texts) or self.pending > 0

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._chunks.append(data)
        self._held += len(data)
        self._line_may_end = self._line_may_end or b"\n" in data
        ready = self._line_may_end if self._missing is None else self.pending >= self._missing
        if ready:
            self._gather()

    def take_rest(self) -> bytes:
        """Hand over what has arrived behind the last frame: it is not lines but something else."""
        self._gather()
        rest, self.buffer, self._searched = self.buffer, b"", 0
        return rest

    def _gather(self) -> None:
        self.buffer = b"".join([self.buffer[self.position :], *self._chunks])
        self._searched = max(0, self._searched - self.position)
        self.position = 0
        self._chunks.clear()
        self._held = 0
        self._line_may_end = False

    def next_frame(self) -> Frame | None:
        """Give the next complete frame, or None until more has arrived.

        Raises
        ------
        ProtocolError
            A line, a literal or a response is larger than the limits allow.
        """
        while True:
            if self._missing is not None and not self._take_literal():
                return None
            line = self._take_line()
            if line is None:
                return None
            if self._open:
                self._open = False
                if _BEGINS.match(line):  # the next response: this one ended in its literal
                    self._give_back_line()
                    return self._end(b"")
            if self._stays_open(line):
                self._blanks += 1
                self._open = True
                continue
            announced = _LITERAL.search(line) if line.endswith(b"}") else None
            if announced is None or (not self._texts and _FREE_TEXT.match(line)):
                return self._end(line)
            self._announce(line[: announced.start()], int(announced[1]))

    def _end(self, line: bytes) -> Frame:
        frame = Frame((*self._texts, line), tuple(self._literals))
        self._texts.clear()
        self._literals.clear()
        self._size = self._blanks = 0
        return frame

    def _stays_open(self, line: bytes) -> bool:
        """Tell whether a line behind a literal is blank, and its response cannot end there."""
        blank = bool(self._texts) and not line.strip()
        return blank and self._blanks < _MOST_BLANKS and bool(_STAYS_OPEN.match(self._texts[0]))

    def _announce(self, text: bytes, length: int) -> None:
        limits = self.limits
        self._texts.append(text)
        self._size += len(text) + length
        if length > limits.literal:
            raise ProtocolError(
                f"the server announced a literal of {length:,} octets; "
                f"{limits.literal:,} are allowed"
            )
        if self._size > limits.response or len(self._texts) > limits.literals:
            raise ProtocolError(
                f"one response grew beyond {limits.response:,} octets or "
                f"{limits.literals:,} literals"
            )
        self._missing = length

    def _take_literal(self) -> bool:
        length = self._missing or 0
        if self.pending < length:
            return False
        if len(self.buffer) - self.position < length:
            self._gather()
        end = self.position + length
        self._literals.append(self.buffer[self.position : end])
        self.position = end
        self._missing = None
        return True

    def _take_line(self) -> bytes | None:
        end = self._find_line_end()
        if end < 0 and self._line_may_end:
            self._gather()
            end = self._find_line_end()
        length = self.pending if end < 0 else end - self.position
        if length > self.limits.line:
            raise ProtocolError(f"the server sent a line of more than {self.limits.line:,} octets")
        if end < 0:
            return None
        stop = end - 1 if end > self.position and self.buffer[end - 1] == 0x0D else end  # noqa: PLR2004 -- CR
        line = self.buffer[self.position : stop]
        self.position = end + 1
        return line

    def _give_back_line(self) -> None:
        """Let the line that was just taken stand in the buffer again."""
        end = self.position - 1
        self.position = self.buffer.rfind(b"\n", 0, end) + 1
        self._searched = end

    def _find_line_end(self) -> int:
        end = self.buffer.find(b"\n", max(self.position, self._searched))
        self._searched = end if end >= 0 else len(self.buffer)
        return end
