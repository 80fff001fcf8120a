"""The base subject of RFC 5256 section 2.1: a subject without its "Re:", "[list]" and "(fwd)".

The RFC knows the English marks alone; those that programs write in other languages go as well.
Worked out once for each distinct subject, by regular expressions that run in linear time (RE2).
Most subjects are plain: no brackets, single blanks. What such a one begins with, up to a colon, is
all that can mark it, and of those beginnings few are distinct: they are read once each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import pieces, vectors

if TYPE_CHECKING:
    from mailframe.stats.vectors import Bools, Ints

BLOB = r"\[[^\[\]]*\]\s*"  # subj-blob
# Marks in front as programs write them in the languages that they speak most: of a forward …
FORWARDS = "fwd?|wg|tr|rv|enc|i|vb|vl|pd|doorst|ilt|trs|továbbítás|пересл|転送|转发|轉寄|전달"
# … and of a reply.
REPLIES = (
    "re|aw|antw|sv|vs|ad|odp|ynt|cevap|res|r|rif|bls|atb|hv|ref|rép|réf|vá|vast|απ|σχετ|на|отв|ответ"
    "|השב|رد|回复|回覆|答复|答覆|返信|회신|답장|trả lời"
)
COLON = r"[:\x{FF1A}]"  # or a full-width one
REFWD = rf"(?:{REPLIES}|{FORWARDS})\s*(?:{BLOB})?{COLON}"  # subj-refwd
LEADER = rf"(?is)^(?:\s|(?:{BLOB})*{REFWD})+"  # subj-leader, as often as it stands there
ENGLISH_LEADER = rf"(?is)^(?:\s|(?:{BLOB})*(?:re|fwd?)\s*(?:{BLOB})?:)+"
TRAILER = r"(?i)(?:\s|\(fwd\))+$"  # subj-trailer, the same
LABELS = rf"(?s)^(?:{BLOB})+(.+)$"  # leading subj-blobs that leave something over
FORWARDED = r"(?is)^\[fwd:(.*)\]$"  # subj-fwd-hdr … subj-fwd-trl
FORWARD = rf"(?i)^\s*(?:{BLOB})*(?:{FORWARDS})\s*(?:{BLOB})?{COLON}"
FORWARD_AROUND = r"(?is)\(fwd\)\s*$|^\s*\[fwd:.*\]\s*$"
REPLY = rf"(?i)^\s*(?:{BLOB})*[^\s:\[\]]{{1,4}}\s*(?:{BLOB})?{COLON}"
FRONT = rf"(?is)^(?P<found>(?:\s|{BLOB}|{REFWD})+)"
# Replies and forwards as programs mark them in other languages, and what stands for them.
LOCAL = "aw|antw|sv|vs|res|回复|答复|wg|rv|tr"
TRANSLATED = rf"(?i)^((?:\s|{BLOB}|{REFWD})*)(?:{LOCAL}|re|fwd?)\s*((?:{BLOB})?)[:\x{{FF1A}}]"
ROUNDS = 20  # wrappers in wrappers; no honest subject comes near


WHOLE = b"[(\xef\t\n\v\f\r"  # brackets, other blanks, and what a full-width colon begins with


def forwarded(subjects: pa.Array) -> Bools:
    """Tell which subjects are those of a forward: "Re: Fwd: Plan" answers one, and is none."""
    spans = pieces.spans(subjects)
    whole, colon = _whole(spans), _colon(spans, spans.start)
    marked = np.zeros(len(subjects), dtype=bool)
    rows = np.flatnonzero(~whole & (colon >= 0))
    head = pieces.encoded(subjects, spans.start[rows], colon[rows] + 1)
    marked[rows] = pieces.matches(head.dictionary, FORWARD)[pieces.codes(head)]
    rest = np.flatnonzero(whole)
    few = subjects.take(pa.array(rest))
    around = pc.and_not(
        pc.match_substring_regex(few, FORWARD_AROUND), pc.match_substring_regex(few, REPLY)
    )
    marked[rest] = vectors.numpy(pc.or_(around, pc.match_substring_regex(few, FORWARD)))
    return marked


def _whole(spans: pieces.Spans) -> Bools:
    """Mark the subjects that more than their first words can tell of."""
    whole = np.zeros(len(spans.start), dtype=bool)
    at = pieces.marks(spans, WHOLE)
    blank = pieces.marks(spans, b" ")
    twice = blank[:-1][np.diff(blank) == 1]
    for found in (at, twice):  # a pair may be of two subjects: one too many costs nothing
        whole[np.searchsorted(spans.end, found, side="right")] = True
    filled = np.flatnonzero(spans.end > spans.start)
    first, last = spans.start[filled], spans.end[filled] - 1
    whole[filled] |= (spans.octets[first] == ord(" ")) | (spans.octets[last] == ord(" "))
    return whole


def _colon(spans: pieces.Spans, since: Ints) -> Ints:
    """Find the first colon of each subject from a place on; -1 where there is none."""
    at = np.append(pieces.marks(spans, b":"), np.iinfo(np.int64).max)
    colon = at[np.searchsorted(at, since)]
    return np.where(colon < spans.end, colon, -1)


def translated(subjects: pa.Array) -> pa.Array:
    """Write "Re:" for what marks a reply or a forward in other languages, as "AW: "."""
    text = pc.replace_substring_regex(subjects, pattern=r"\s+", replacement=" ")
    for _ in range(ROUNDS):
        before = text
        text = pc.replace_substring_regex(text, pattern=TRANSLATED, replacement=r"\1Re\2:")
        if text.equals(before):
            break
    return text


def base(subjects: pa.Array, *, local: bool = True) -> tuple[pa.Array, Bools]:
    """Find the base subjects.

    Parameters
    ----------
    subjects : pyarrow.LargeStringArray
        Decoded subjects, no nulls.
    local : bool
        Whether the marks of other languages go as well as those that the RFC knows.

    Returns
    -------
    tuple of (pyarrow.LargeStringArray, numpy.ndarray of bool)
        The base subjects, lower case, and whether the subject was marked as a reply or forward.
    """
    spans = pieces.spans(subjects)
    whole = _whole(spans)
    start, marked = _led(subjects, spans, np.flatnonzero(~whole), local=local)
    rest = np.flatnonzero(whole)
    plain = pieces.between(subjects, start, spans.end).take(pa.array(np.arange(len(start)) * 2))
    if not len(rest):
        return pc.utf8_lower(plain), marked
    texts, marked[rest] = _base(subjects.take(pa.array(rest)), local=local)
    place = np.arange(len(subjects))
    place[rest] = len(subjects) + np.arange(len(rest))
    return pc.utf8_lower(pa.concat_arrays([plain, texts]).take(pa.array(place))), marked


def _led(subjects: pa.Array, spans: pieces.Spans, rows: Ints, *, local: bool) -> tuple[Ints, Bools]:
    """Tell where plain subjects begin behind what marks them, and which are marked."""
    start, marked = spans.start.copy(), np.zeros(len(spans.start), dtype=bool)
    leader = LEADER if local else ENGLISH_LEADER
    first = True
    while len(rows):
        colon = _colon(spans, start)[rows]
        rows, colon = rows[colon >= 0], colon[colon >= 0]
        head = pieces.encoded(subjects, start[rows], colon + 1)
        codes = pieces.codes(head)
        if first:
            marked[rows] = pieces.matches(head.dictionary, LEADER)[codes]
        led = pieces.matches(head.dictionary, leader)[codes]
        rows, behind = rows[led], colon[led] + 1
        blank = behind < spans.end[rows]
        blank[blank] = spans.octets[behind[blank]] == ord(" ")
        start[rows] = behind + blank
        first = False
    return start, marked


def _base(subjects: pa.Array, *, local: bool) -> tuple[pa.Array, Bools]:
    """Find the base subjects of any subjects, in their case, and which are marked."""
    text = pc.replace_substring_regex(subjects, pattern=r"\s+", replacement=" ")
    leading = pc.match_substring_regex(text, rf"(?i)^\s*(?:{BLOB})*{REFWD}")
    leader = LEADER if local else ENGLISH_LEADER
    trailing = pc.match_substring_regex(text, r"(?i)\(fwd\)\s*$|^\s*\[fwd:.*\]\s*$")
    marked = pc.or_(leading, trailing)
    for _ in range(ROUNDS):
        before = text
        text = pc.replace_substring_regex(text, pattern=TRAILER, replacement="")
        text = pc.replace_substring_regex(text, pattern=leader, replacement="")
        text = pc.replace_substring_regex(text, pattern=LABELS, replacement=r"\1")
        text = pc.replace_substring_regex(text, pattern=FORWARDED, replacement=r"\1")
        if text.equals(before):
            break
    return text, vectors.numpy(marked)
