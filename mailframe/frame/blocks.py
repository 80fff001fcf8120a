"""Many header blocks at once: where each field of each message lies (RFC 5322 section 2.2).

The blocks are laid end to end in one buffer. One pass finds every octet that is not plain
printable text; from then on everything is arithmetic on the few octets found: line ends, folds,
and which values hold anything but ASCII. Field names are compared eight octets at a time. No
message is looked at by itself, but for those few whose framing is odd: they are rewritten first
by the general path, `mailframe.headers.fields`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from mailframe.headers import fields
from mailframe.headers.columns.marks import Mask, Positions, runs, strip
from mailframe.headers.columns.values import Values, lay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_TAB, _LF, _CR, _SPACE, _COLON, _EQUALS, _QUESTION = b"\t\n\r :=?"
_ENDS = b" \t\r\n"
_WORD = 8  # octets of a uint64

# Behind the last block, so that a window of some octets can be read from any position.
_MARGIN = bytes(128)


class Spans(NamedTuple):
    """Where values lie in the buffer, in rising order.

    Attributes
    ----------
    rows : int64 array
        The message of each value.
    start, end : int64 array
        The value's octets, without blanks and line ends at its ends.
    folded : bool array
        Whether it may have line ends within.
    odd : bool array
        Whether it may have anything but printable ASCII in it, or an encoded-word.
    """

    rows: Positions
    start: Positions
    end: Positions
    folded: Mask
    odd: Mask

    def firsts(self) -> tuple[Spans, Positions]:
        """Return the first value of each message, and the messages that have more."""
        again = self.rows[1:] == self.rows[:-1]
        if not again.any():
            return self, self.rows[:0]
        return self.only(np.append(True, ~again)), np.unique(self.rows[1:][again])

    def only(self, which: Mask | Positions) -> Spans:
        """Return some of the values."""
        rows, start, end = self.rows[which], self.start[which], self.end[which]
        return Spans(rows, start, end, self.folded[which], self.odd[which])


class Blocks:
    """Header blocks laid end to end.

    Parameters
    ----------
    header : sequence of bytes
        One block a message, with any line ends.
    names : iterable of str
        The fields that will be asked for.

    Attributes
    ----------
    octets : uint8 array
        All blocks, and a margin behind them.
    """

    def __init__(self, header: Sequence[bytes], names: Iterable[str]) -> None:
        wanted = [name.lower().encode("ascii") for name in names]
        strange = self._lay(header)
        self._found = {name: self._find(name, strange) for name in wanted}
        if strange:
            header = list(header)
            for row in strange:
                header[row] = fields.rewritten(header[row])
            self._lay(header)
            self._found = {name: self._find(name, strange) for name in wanted}

    def spans(self, name: str) -> Spans:
        """Return where every value of a field lies."""
        return self._found[name.lower().encode("ascii")]

    def values(self, spans: Spans) -> Values:
        """Return what stands in some spans, without folds."""
        data = pa.py_buffer(self._raw)
        rows = np.flatnonzero(spans.folded)
        if not len(rows):
            return lay(data, spans.start, spans.end, spans.odd)
        first = np.searchsorted(self._line_end, spans.start[rows])
        behind = np.searchsorted(self._line_end, spans.end[rows])
        fold = self._line_end[runs(first, behind - first)]
        gaps = fold - (self.octets[fold - 1] == _CR), fold + 1
        return lay(data, spans.start, spans.end, spans.odd, gaps)

    def _lay(self, header: Sequence[bytes]) -> set[int]:
        """Lay the blocks out, each closed by one more LF, and find their logical lines.

        Returns
        -------
        set of int
            The messages whose framing is not what `_find` expects.
        """
        self._raw = b"\n".join([*header, _MARGIN])
        self.octets = np.frombuffer(self._raw, np.uint8)
        self._words = np.ndarray(len(self._raw) - _WORD + 1, "<u8", self._raw, strides=1)
        lengths = np.fromiter(map(len, header), np.int64, len(header))
        closing = np.cumsum(lengths + 1) - 1

        octets = self.octets[: len(self._raw) - len(_MARGIN)]
        unusual = octets - np.uint8(_SPACE) > ord("~") - _SPACE
        unusual |= octets == _QUESTION
        found = np.flatnonzero(unusual)
        kind = octets[found]
        line_end = found[kind == _LF]
        line = np.zeros_like(line_end)
        line[1:] = line_end[:-1] + 1

        head = octets[line]
        own = ~_is_blank(head)
        own[1 + np.searchsorted(line_end, closing[:-1])] = True
        own[:1] = True
        logical = np.flatnonzero(own)
        last = np.append(logical, len(line))[1:] - 1
        self._line_end = line_end
        self._line = line[logical]
        self._end = line_end[last]
        self._end -= octets[self._end - 1] == _CR
        behind = np.searchsorted(self._line, closing, "right")
        self._row = np.repeat(np.arange(len(header)), np.diff(behind, prepend=0))
        self._head = self._words[self._line]

        bare = found[kind == _CR]
        bare = bare[octets[bare + 1] != _LF]
        question = found[kind == _QUESTION]
        other = found[(kind != _LF) & (kind != _CR) & (kind != _QUESTION)]
        self._folded = last != logical
        self._odd = np.zeros(len(logical), np.bool_)
        for positions in (other, bare, question[octets[question - 1] == _EQUALS]):
            self._odd[np.searchsorted(self._line, positions, "right") - 1] = True

        # Behind an empty line is a body, whatever it looks like.
        empty = (head[logical] == _LF) | (head[logical] == _CR)
        if (empty[:-1] & ~empty[1:] & (self._row[:-1] == self._row[1:])).any():
            ends = np.flatnonzero(empty)[::-1]
            end_of_header = np.full(len(header), len(logical))
            end_of_header[self._row[ends]] = ends  # of several the first, which is written last
            self._head[np.arange(len(logical)) > end_of_header[self._row]] = 0
        # What a CR alone means is for the general path to say.
        return set(np.searchsorted(closing, bare).tolist())

    def _find(self, name: bytes, strange: set[int]) -> Spans:
        """Find the fields of one name; add messages with blanks before its colon to `strange`."""
        lines: Positions | None = None
        for at, (want, letters, mask) in zip(range(0, len(name), _WORD), _words(name), strict=True):
            words = self._head if lines is None else self._words[self._line[lines] + at]
            hits = np.flatnonzero(((words | letters) & mask) == want)
            lines = hits if lines is None else lines[hits]
        assert lines is not None  # a name is not empty
        behind = self._line[lines] + len(name)
        colon = self.octets[behind] == _COLON
        if not colon.all():
            # Obsolete syntax has blanks before the colon; an mbox file has "From " lines.
            after = self.octets[behind + 1]
            loose = _is_blank(self.octets[behind]) & (_is_blank(after) | (after == _COLON))
            strange.update(self._row[lines[loose]].tolist())
            lines = lines[colon]
        start = self._line[lines] + len(name) + 1
        end = np.maximum(self._end[lines], start)
        strip(self.octets, start, end, _ENDS)
        return Spans(self._row[lines], start, end, self._folded[lines], self._odd[lines])


def _is_blank(octets: NDArray[np.uint8]) -> Mask:
    blank: Mask = (octets == _SPACE) | (octets == _TAB)
    return blank


@lru_cache(maxsize=256)
def _words(name: bytes) -> list[tuple[np.uint64, np.uint64, np.uint64]]:
    """Return a lower-case name as words, each with the bits that fold case and those that count."""
    words = []
    for at in range(0, len(name), _WORD):
        part = name[at : at + _WORD]
        letters = bytes(0x20 * (97 <= octet <= 122) for octet in part)  # noqa: PLR2004 -- a to z
        mask = b"\xff" * len(part)
        words.append(
            tuple(np.frombuffer(x.ljust(_WORD, b"\0"), "<u8")[0] for x in (part, letters, mask))
        )
    return words
