"""Received fields: which hosts, by which protocol, when (RFC 5321 section 4.4, RFC 3848).

The patterns below say what a field means, its comments taken out; the reader of Date fields says
what its end means. To run them on each would be slow, and no two fields are alike: each bears an
identifier and the addresses of hosts. But most are in plain order, and there arithmetic on octets
finds the words that the patterns would (`tracewords`) and reads the date (`tracedates`); what it
is not sure of is read by the patterns.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.instants import dates_in
from mailframe.headers import dates
from mailframe.stats import clock, pieces, tracedates, tracewords, vectors

if TYPE_CHECKING:
    from mailframe.stats.vectors import Bools, Ints

FROM = r"(?i)^\s*from\s+(?P<found>[^\s();]+)"
BY = r"(?i)\bby\s+(?P<found>[^\s();]+)"
WITH = r"(?i)\bwith\s+(?:Microsoft\s+)?(?P<found>[^\s();]+)"
TLS = r"(?i)\b(?:TLS|SSL)v?\d|=TLS|\bcipher[ =]"
MAIL_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)S?A?$|^SMTPSVC$"
SECURE_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)SA?$"

# Every way of telling TLS has one of these in it, as small letters.
DIGRAPHS = (b"ls", b"sl", b"ph")
# Fields at once: their hosts are distinct a hundred thousand times, and to join them costs.
SHARE = 500_000
BLOCK = 1 << 16  # octets that stay in a processor's cache


class Hops(NamedTuple):
    """What Received fields say, one entry a field.

    Attributes
    ----------
    from_host, by_host, protocol : pyarrow.DictionaryArray of text
    tls, mail : bool arrays
        Whether the hop was encrypted, and whether mail was handed over by a protocol for mail.
    instant : int64 array
        Microseconds of UTC; ``NEVER`` where there is no date to be read.
    """

    from_host: pa.DictionaryArray
    by_host: pa.DictionaryArray
    protocol: pa.DictionaryArray
    tls: Bools
    mail: Bools
    instant: Ints


def read(*values: pa.LargeStringArray, hosts: bool = True) -> Hops:
    """Read fields: the plain ones by arithmetic, the others by patterns.

    Without ``hosts`` these are null, and cost no memory.
    """
    batches = pieces.spread(partial(_read, hosts=hosts), *values, share=SHARE)
    texts = pieces.unified(
        [batch.select(["from_host", "by_host", "protocol"]) for batch in batches]
    )
    table = pa.Table.from_batches([batch.select(["tls", "mail", "instant"]) for batch in batches])
    return Hops(**texts, **{name: vectors.numpy(table[name]) for name in table.column_names})


def _read(values: pa.LargeStringArray, *, hosts: bool = True) -> pa.RecordBatch:
    """Read a slice of fields."""
    spans = pieces.spans(values)
    words = tracewords.find(spans)
    texts = {
        name: _cut_out(values, words, name) for name in tracewords.CLAUSES[0 if hosts else 2 :]
    }
    others = np.flatnonzero(~words.sure)
    rest = _whole(values.take(pa.array(others)))
    clauses = {name: _with(text, others, rest[name]) for name, text in texts.items()}
    instant = tracedates.read(spans)
    undated = np.flatnonzero(instant == vectors.NEVER)
    instant[undated] = _dates(values.take(pa.array(undated)))
    codes, labels = clauses["protocol"]
    protocol = _encoded(codes, pc.utf8_upper(labels))
    known = pieces.codes(protocol)
    mail, tls = (
        np.append(pieces.matches(protocol.dictionary, pattern), False)[known]
        for pattern in (MAIL_PROTOCOL, SECURE_PROTOCOL)
    )
    unsure = np.flatnonzero(~tls)
    tls[unsure] = _noted(values.take(pa.array(unsure)))
    nothing = pa.nulls(len(values), pa.large_string()).dictionary_encode()
    return pa.record_batch(
        {
            "from_host": _encoded(*clauses["from_host"]) if hosts else nothing,
            "by_host": _encoded(*clauses["by_host"]) if hosts else nothing,
            "protocol": protocol,
            "tls": tls,
            "mail": mail | tls,
            "instant": instant,
        }
    )


def _cut_out(
    values: pa.LargeStringArray, words: tracewords.Found, name: str
) -> tuple[Ints, pa.Array]:
    """Give the words of a clause by their numbers, -1 for none; unsure is what has a semicolon."""
    rows = np.flatnonzero(words.start[name] >= 0)
    found = pieces.encoded(values, words.start[name][rows], words.end[name][rows])
    codes, labels = np.full(len(values), -1), found.dictionary
    codes[rows] = pieces.codes(found)
    cut = vectors.numpy(pc.match_substring(labels, ";"))
    if cut.any():
        words.sure[np.append(cut, False)[codes]] = False
    return codes, labels


def _with(text: tuple[Ints, pa.Array], rows: Ints, others: pa.Array) -> tuple[Ints, pa.Array]:
    """Put what others say into some rows."""
    codes, labels = text
    encoded = others.dictionary_encode()
    more = pieces.codes(encoded).astype(np.int64)
    codes[rows] = np.where(more < 0, -1, more + len(labels))
    return codes, pa.concat_arrays([labels, encoded.dictionary.cast(labels.type)])


def _encoded(codes: Ints, labels: pa.Array) -> pa.DictionaryArray:
    """Give texts by their numbers; each distinct text is once in the dictionary."""
    distinct = labels.dictionary_encode()
    numbers = np.append(pieces.codes(distinct), -1)[codes].astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=numbers < 0), distinct.dictionary)


def _noted(values: pa.LargeStringArray) -> Bools:
    """Tell which fields note that TLS was spoken; most have nothing in them that it could be."""
    spans = pieces.spans(values)
    perhaps = np.zeros(len(values), dtype=bool)
    first, last = (spans.start[0], spans.end[-1]) if len(values) else (0, 0)
    for at in range(first, last, BLOCK):
        octets = spans.octets[at : min(at + BLOCK + 1, last)] | 0x20
        hits = np.zeros(max(len(octets) - 1, 0), dtype=bool)
        for one, other in DIGRAPHS:
            hits |= (octets[:-1] == one) & (octets[1:] == other)
        perhaps[np.searchsorted(spans.end, np.flatnonzero(hits) + at, side="right")] = True
    rows = np.flatnonzero(perhaps)
    perhaps[rows] = pieces.matches(values.take(pa.array(rows)), TLS)
    return perhaps


def _whole(texts: pa.Array) -> dict[str, pa.Array]:
    """Read the clauses of any fields."""
    bare = pc.replace_substring_regex(texts, pieces.COMMENT, "")
    found = {"from_host": FROM, "by_host": BY, "protocol": WITH}
    return {name: pieces.found(bare, pattern) for name, pattern in found.items()}


def _dates(values: pa.LargeStringArray) -> Ints:
    """Read the dates at the end of any fields, as Date fields are read."""
    texts = values.to_pylist()
    if not texts:
        return np.empty(0, np.int64)
    when = dates_in([text.rpartition(";")[2] for text in texts])
    instant = np.where(when.known, when.seconds * clock.SECOND, vectors.NEVER)
    for row in np.flatnonzero(~when.known):
        # No semicolon stands before it, or one in a comment behind it.
        found = dates.trailing(dates.without_comments(texts[row].encode()).decode())
        if found.seconds is not None:
            instant[row] = found.seconds * clock.SECOND
    return instant
