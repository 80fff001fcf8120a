"""Authentication-Results fields: who says to have verified what (RFC 8601).

A comment or a quoted string never passes for a result: both are removed before one is looked for.
Where a field has no quotes and its brackets are plain, every semicolon ends a result, and a result
stands at the beginning of its piece. As much of each piece is kept as a result may be long; of
those beginnings few are distinct. Any other field is one piece, read whole by the same patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import pieces

if TYPE_CHECKING:
    from mailframe.stats.vectors import Bools, Ints

QUOTED = r"\"(?:[^\"\\]|\\.)*\""
PROPERTY = r"\s[A-Za-z]+\.[A-Za-z0-9_-]+\s*=\s*[^\s;(\"]+"  # such as header.i=@example.org
BESIDES = rf"(?s){pieces.COMMENT}|{QUOTED}|{PROPERTY}"
SERVER = r"^\s*(?P<found>[^\s;=(\"]+)(?:[\s;(]|$)"
QUOTED_SERVER = r"^\s*\"(?P<found>[^\"\\;]+)\"\s*(?:\d+\s*)?(?:;|$)"
# Microsoft 365 begins with a result: the server that gives no name is one of its own.
NAMELESS = r"^\s*(?P<found>)[A-Za-z-]+\s*(?:/\s*\d+\s*)?=\s*[A-Za-z]+"
UNNAMED = "(unnamed)"  # which no name can be: a bracket begins a comment
# Never beyond a bracket or quote that was left open: what follows might be inside.
RESULT = r"(?i)^[^(\"]*?(?:^|;)\s*{method}\s*(?:/\s*\d+\s*)?=\s*(?P<found>{value})\b"

SPECIAL = b';()"\\'
ENOUGH = 24  # octets: a semicolon, a fold of some blanks, the longest method and result, a blank
# A beginning like this is what it seems, whatever follows.
DECIDED = r"^;\s*[A-Za-z-]+\s*=\s*[A-Za-z]+[\s(]"


class Fields(NamedTuple):
    """Fields in pieces, comments and properties removed.

    Attributes
    ----------
    which : int64 array
        The field that each piece is of, in rising order.
    texts : pyarrow.DictionaryArray of text
        The pieces.
    server : pyarrow.DictionaryArray of text
        Who added each field, in lower case; `UNNAMED` where it begins with a result, null where
        it holds nothing of the kind.
    """

    which: Ints
    texts: pa.DictionaryArray
    server: pa.DictionaryArray


def read(values: pa.LargeStringArray) -> Fields:
    """Take fields apart."""
    counts, batches = zip(*pieces.spread(_cut, values), strict=True)
    lengths = np.concatenate(counts)
    texts = pieces.unified(batches)["piece"]
    bare = pieces.spread(
        lambda part: pc.replace_substring_regex(part, BESIDES, ""), texts.dictionary
    )
    labels, codes = pa.concat_arrays(bare), pieces.codes(texts)
    named = pc.coalesce(
        pieces.found(labels, SERVER),
        pieces.found(texts.dictionary, QUOTED_SERVER),
        pc.if_else(pc.is_valid(pieces.found(labels, NAMELESS)), UNNAMED, None),
    )
    server = pc.utf8_lower(named).dictionary_encode()
    first = np.cumsum(lengths) - lengths
    return Fields(
        np.repeat(np.arange(len(values)), lengths),
        pieces.labelled(codes, labels),
        pieces.labelled(server.indices.take(pa.array(codes[first])), server.dictionary),
    )


def results(texts: pa.DictionaryArray, method: str, value: str) -> pa.DictionaryArray:
    """Give the result of a method that each piece tells first, in lower case; null for none."""
    pattern = RESULT.format(method=method, value=value)
    found = pc.utf8_lower(pieces.found(texts.dictionary, pattern)).dictionary_encode()
    return pieces.labelled(found.indices.take(texts.indices), found.dictionary)


def _cut(values: pa.LargeStringArray) -> tuple[Ints, pa.RecordBatch]:
    """Cut fields: how many pieces each has, and those pieces, encoded."""
    spans = pieces.spans(values)
    marks = pieces.marks(spans, SPECIAL)
    kind = spans.octets[marks]
    rows = np.searchsorted(spans.end, marks, "right")
    plain = _plain(spans, marks, kind, rows)
    while True:
        inner = (kind == ord(";")) & plain[rows]
        lengths = 1 + np.bincount(rows[inner], minlength=len(values))
        start, stop, end = _bounds(spans, marks[inner], lengths)
        piece = pieces.encoded(values, start, stop)
        decided = pieces.matches(piece.dictionary, DECIDED)[pieces.codes(piece)] | (stop == end)
        if decided.all():
            return lengths, pa.record_batch({"piece": piece})
        plain[np.repeat(np.arange(len(values)), lengths)[~decided]] = False  # once more, whole


def _bounds(spans: pieces.Spans, semicolons: Ints, lengths: Ints) -> tuple[Ints, Ints, Ints]:
    """Tell where pieces start, where enough of each was seen, and where they end.

    The first piece of a field is kept as a whole, for the name of the server.
    """
    first = np.cumsum(lengths) - lengths
    later = np.ones(lengths.sum(), dtype=bool)
    later[first] = False
    start = np.empty(len(later), np.int64)
    start[first], start[later] = spans.start, semicolons
    end = np.append(start[1:], 0)
    end[first + lengths - 1] = spans.end
    return start, np.where(later, np.minimum(end, start + ENOUGH), end), end


def _plain(spans: pieces.Spans, marks: Ints, kind: pieces.Octets, rows: Ints) -> Bools:
    """Tell which fields hide nothing: no quotes, brackets in pairs, one deep, around no semicolon.

    Behind a bracket is a blank, a semicolon or the end; so nothing grows together without it.
    """
    opens, closes = kind == ord("("), kind == ord(")")
    pair = opens[:-1] & closes[1:] & (rows[:-1] == rows[1:])
    behind = spans.octets[np.minimum(marks + 1, len(spans.octets) - 1)]
    apart = (marks + 1 == spans.end[rows]) | np.isin(behind, np.frombuffer(b"\t\n\f\r ;", np.uint8))
    good = kind == ord(";")
    good[:-1] |= pair
    good[1:] |= pair & apart[1:]
    plain = np.ones(len(spans.end), dtype=bool)
    plain[rows[~good]] = False
    return plain
