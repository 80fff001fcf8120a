"""The words of Received fields' clauses, found by arithmetic on octets, many fields at once.

Most fields are one sentence: from a host, by a host, with a protocol, comments in between. It is
read with a cursor in each field, that moves by eight octets at a time: what is in eight octets,
and where the first of a kind is, are a few operations on one integer. What is not that sentence is
left to the patterns of ``received``, whose findings these must be: escapes, comments deeper than
two or without an end, words that grow together where a comment is taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mailframe.stats import pieces
    from mailframe.stats.vectors import Bools, Ints

    Words = NDArray[np.uint64]

SLICE = 1 << 14  # fields at once, so that their cursors stay in a processor's cache
REACH = 16  # octets before and behind a field that a load may touch
DEEPEST = 2  # comments within comments, as `pieces.COMMENT` knows them
COMMENTS = 4  # in front of a clause
CLAUSES = ("from_host", "by_host", "protocol")
MAKER = b"microsoft"  # who made the server, and no protocol


def _table(*octets: bytes) -> Bools:
    """Mark some octets among all."""
    found = np.zeros(256, dtype=bool)
    found[list(b"".join(octets))] = True
    return found


BLANK = _table(b"\t\n\f\r ")
LETTERS = bytes(range(ord("a"), ord("z") + 1))
WORD = _table(LETTERS, LETTERS.upper(), b"0123456789_")
STOP = _table(b"();")


def number(text: bytes) -> np.uint64:
    """Give the integer that some octets are when they are loaded."""
    return np.uint64(int.from_bytes(text, "little"))


def _all(octet: int) -> np.uint64:
    return number(bytes([octet]) * 8)


ONES, HIGH, LOW, FOLD = _all(1), _all(0x80), _all(0x7F), _all(0x20)
PRINTED, UP_TO_BLANK, EVEN = _all(0x5F), _all(0x21), _all(0xFE)
OPEN, ESCAPE, TAB = _all(ord("(")), _all(ord("\\")), _all(ord("\t") ^ ord(" "))
LINE = number(b"\r\n")
TWO, SEVEN = np.uint64(0xFFFF), np.uint64(7)


class Found(NamedTuple):
    """What was found in fields: where each word starts and ends, -1 where there is none."""

    sure: Bools
    start: dict[str, Ints]
    end: dict[str, Ints]


def find(spans: pieces.Spans) -> Found:
    """Find the words of the clauses in fields."""
    total = len(spans.start)
    found = Found(
        np.zeros(total, dtype=bool),
        {name: np.full(total, -1) for name in CLAUSES},
        {name: np.full(total, -1) for name in CLAUSES},
    )
    inside = (spans.start >= REACH) & (spans.end + REACH <= len(spans.octets))
    rows = np.flatnonzero(inside & (spans.end > spans.start))
    for at in range(0, len(rows), SLICE):
        _Sentences(spans, rows[at : at + SLICE]).read(found)
    return found


class _Sentences:
    """Cursors in some fields; ``good`` tells which of them stand in a plain sentence."""

    def __init__(self, spans: pieces.Spans, rows: Ints) -> None:
        self.octets = spans.octets
        count = max(len(spans.octets) - 7, 0)
        self.loads: Words = np.ndarray(count, "<u8", spans.octets, strides=1)
        self.rows, self.at, self.end = rows, spans.start[rows], spans.end[rows]
        self.good = np.ones(len(rows), dtype=bool)

    def read(self, found: Found) -> None:
        """Read the sentences, and put in what is sure."""
        words = {}
        for name, lead in zip(CLAUSES, (b"from", b"by", b"with"), strict=True):
            said = self._says(lead)
            if name == "from_host":
                here = np.flatnonzero(said)  # a server of one's own may begin with "by"
            else:
                self.good &= said
                here = np.flatnonzero(self.good)
            self.at[here] += len(lead)
            self._skip_blanks(here)
            words[name] = here, *self._word(here, last=name == "protocol")
        sure = self.good
        found.sure[self.rows[sure]] = True
        for name, (here, begin, end) in words.items():
            kept = sure[here]
            found.start[name][self.rows[here[kept]]] = begin[kept]
            found.end[name][self.rows[here[kept]]] = end[kept]

    def _says(self, word: bytes) -> Bools:
        """Tell where a word stands at the cursor, and a blank behind it."""
        size = len(word)
        fold = number(b" " * size)
        said = (self.loads[self.at] & number(b"\xff" * size)) | fold
        here: Bools = (said == number(word)) & BLANK[self.octets[self.at + size]]
        return here

    def _word(self, here: Ints, *, last: bool) -> tuple[Ints, Ints]:
        """Read a word and what stands between it and the next clause."""
        begin = self.at[here]
        self.good[here] &= ~STOP[self.octets[begin]]
        self._move(here, _word_ends)
        if last:
            self._step_over_maker(here, begin)
        end = self.at[here].copy()
        behind = self.octets[end]
        self.good[here] &= BLANK[behind] | (behind == ord("("))
        if last:
            self._close(here[behind == ord("(")])
            return begin, end
        # Such a host would be taken for the next clause.
        tail = self.loads[end - 8]
        self.good[here] &= ~_ends_in(tail, b"by") & ~_ends_in(tail, b"with")
        self._skip_blanks(here)
        for _ in range(COMMENTS):
            here = here[(self.octets[self.at[here]] == ord("(")) & self.good[here]]
            if not len(here):
                break
            self._skip_comment(here)
            self._skip_blanks(here, least=1)
        return begin, end

    def _step_over_maker(self, here: Ints, begin: Ints) -> None:
        """Step over "Microsoft"; the word then begins behind it."""
        few = np.flatnonzero(self.at[here] - begin == len(MAKER))
        few = few[(self.loads[begin[few]] | FOLD) == number(MAKER[:8])]
        few = few[(self.octets[begin[few] + 8] | 0x20) == MAKER[8]]
        self.good[here[few]] &= BLANK[self.octets[self.at[here[few]]]]
        self._skip_blanks(here[few])
        begin[few] = self.at[here[few]]
        self.good[here[few]] &= ~STOP[self.octets[begin[few]]]
        self._move(here[few], _word_ends)

    def _close(self, here: Ints) -> None:
        """Make sure that a word in front of a comment ends there."""
        where = self.at[here].copy()
        self._skip_comment(here)
        self.good[here] &= BLANK[self.octets[self.at[here]]]
        self.at[here] = where

    def _skip_comment(self, here: Ints) -> None:
        """Move behind the comment at the cursor."""
        depth = np.zeros(len(here), dtype=np.int8)
        left = np.arange(len(here))
        while len(left):
            place = here[left]
            octet = self.octets[self.at[place]]
            depth[left] += (octet == ord("(")).view(np.int8) - (octet == ord(")")).view(np.int8)
            self.good[place] &= (depth[left] <= DEEPEST) & (octet != ord("\\"))
            self.at[place] += 1
            left = left[(depth[left] > 0) & self.good[place]]
            self._move(here[left], _comment_ends)
            left = left[self.good[here[left]]]

    def _skip_blanks(self, here: Ints, least: int = 0) -> None:
        """Move over blanks; those of a fold are a line's end, then spaces and tabs."""
        if least:
            self.good[here] &= BLANK[self.octets[self.at[here]]]
        left = here
        while len(left):
            text = self.loads[self.at[left]]
            stop = (((text & LOW) + PRINTED) | text) & HIGH
            count = _first(stop)
            self.at[left] += count
            many = np.flatnonzero(count > 1)
            self.good[left[many]] &= _folds(text[many], stop[many])
            left = left[(stop == 0) & self.good[left]]
            left = left[self.at[left] < self.end[left]]
        self.good[here] &= self.at[here] < self.end[here]

    def _move(self, here: Ints, ends: Callable[[Words], Words]) -> None:
        """Move to the first octet of a kind."""
        left = here
        while len(left):
            stop = ends(self.loads[self.at[left]])
            self.at[left] += _first(stop)
            left = left[stop == 0]
            left = left[self.at[left] < self.end[left]]
        self.good[here] &= self.at[here] < self.end[here]


def _first(stop: Words) -> Ints:
    """Give the place of the first octet whose high bit is set, 8 where none is."""
    place: Ints = (np.bitwise_count((stop & -stop) - np.uint64(1)) >> 3).astype(np.int64)
    return place


def _word_ends(text: Words) -> Words:
    """Mark the first blank or bracket."""
    bracket = (text ^ OPEN) & EVEN  # they differ in the last bit
    return (((text - UP_TO_BLANK) & ~text) | ((bracket - ONES) & ~bracket)) & HIGH


def _comment_ends(text: Words) -> Words:
    """Mark the first bracket or escape."""
    bracket, escape = (text ^ OPEN) & EVEN, text ^ ESCAPE
    return (((bracket - ONES) & ~bracket) | ((escape - ONES) & ~escape)) & HIGH


def _folds(text: Words, stop: Words) -> Bools:
    """Tell whether the octets in front of a stop are a line's end, spaces and tabs."""
    line = (text & TWO) == LINE
    mask = (stop & -stop) - np.uint64(1)
    mask = np.where(stop == 0, ~np.uint64(0), mask >> SEVEN)
    other = (text ^ FOLD) & mask & ~np.where(line, TWO, np.uint64(0))
    # Nothing but the three bits by which a tab differs from a space, and all of them or none.
    good: Bools = other & ~TAB == 0
    for shift in (3, 5):
        good &= (other ^ (other >> np.uint64(shift))) & ONES == 0
    return good


def _ends_in(text: Words, word: bytes) -> Bools:
    """Tell where the eight octets before a place end in a word."""
    size = len(word)
    said = (text >> np.uint64(64 - 8 * size)) | number(b" " * size)
    before = (text >> np.uint64(56 - 8 * size)) & np.uint64(0xFF)
    ends: Bools = (said == number(word)) & ~WORD[before.astype(np.intp)]
    return ends
