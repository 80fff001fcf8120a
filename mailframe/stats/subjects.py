"""The base subject of RFC 5256 section 2.1: a subject without its "Re:", "[list]" and "(fwd)".

The RFC knows the English marks alone; those that programs write in other languages go as well.
Worked out once for each distinct subject, by regular expressions that run in linear time (RE2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from mailframe.stats.columns import Bools

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


def forwarded(subjects: pa.Array) -> Bools:
    """Tell which subjects are those of a forward: "Re: Fwd: Plan" answers one, and is none."""
    marked = np.array(pc.match_substring_regex(subjects, FORWARD))
    mention = np.flatnonzero(pc.match_substring(subjects, "fwd", ignore_case=True))
    few = subjects.take(pa.array(mention))
    around = pc.match_substring_regex(few, FORWARD_AROUND)
    marked[mention] |= np.asarray(pc.and_not(around, pc.match_substring_regex(few, REPLY)))
    return marked


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
    return pc.utf8_lower(text), np.asarray(marked)
