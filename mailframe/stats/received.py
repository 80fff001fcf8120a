"""Received fields: which hosts, by which protocol, when (RFC 5321 section 4.4, RFC 3848).

The patterns below read any field, without its comments. To run them on each would be slow, and no
two fields are alike: each bears an identifier and the addresses of hosts. But most are in plain
order, which arithmetic on octets tells: comments in pairs, clauses, and a date of one shape behind
the last semicolon. Such a field is cut at its comments and behind its clauses, and its pieces, of
which few are distinct, are read by the same patterns, each once; the day and the zone likewise, by
the reader of Date fields. Where a cut could part or join a clause the field is read whole.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.instants import dates_in
from mailframe.headers import dates
from mailframe.stats import clock, columns, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.stats.columns import Bools, Ints

FROM = r"(?i)^\s*from\s+(?P<found>[^\s();]+)"
BY = r"(?i)\bby\s+(?P<found>[^\s();]+)"
WITH = r"(?i)\bwith\s+(?:Microsoft\s+)?(?P<found>[^\s();]+)"
TLS = r"(?i)\b(?:TLS|SSL)v?\d|=TLS|\bcipher[ =]"
MAIL_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)S?A?$|^SMTPSVC$"
SECURE_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)SA?$"

# What most fields end in: "; Mon, 03 Jun 2024 ", "10:00:05 ", "+0200", "+0200 (CEST)" or "GMT".
USUAL_DAY = re.compile(
    rf"\s*(?:[A-Za-z]{{3}},)? ?[ \d]?\d (?:{'|'.join(dates.MONTHS)}) (?:19|[2-9]\d)\d\d ",
    re.IGNORECASE,
)
USUAL_ZONE = re.compile(r"[+-]\d\d[0-5]\d(?: \([A-Za-z]{3,4}\))?|GMT|UTC")
TIME_OCTETS, DIGITS, COLONS, BLANK = 9, [0, 1, 3, 4, 6, 7], [2, 5], 8
WEIGHTS = np.array([36_000, 3_600, 600, 60, 10, 1])
ZONE_OCTETS, NAME_OCTETS, THREE, FOUR = 5, len("GMT"), len(" (EDT)"), len(" (CEST)")
LEAST = len("; 3 Jun 2024 ") + TIME_OCTETS + ZONE_OCTETS + FOUR
IDENTIFIERS = (" id ", "\tid ")
SPECIAL = b"();\\"
DEEPEST = 2  # comments within comments, as `pieces.COMMENT` knows them
BLANKS = np.frombuffer(b"\t\n\v\f\r ", np.uint8)
# In front of a comment these wait for a word that stands behind it.
HANGING = r"(?i)\b(?:from|by|with|Microsoft)\s*$"


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


class _Plain(NamedTuple):
    """Fields in plain order: which they are, and where what stands in them."""

    rows: Ints
    start: Ints
    behind: Ints  # the last semicolon
    open: Ints  # of each outer comment, of all fields in order
    close: Ints
    of: Ints  # the field of each comment, counted among the plain ones
    instant: Ints


class _Clauses(NamedTuple):
    """What was found in fields that were cut, and in which of them that is certain."""

    sure: Bools
    whole: Bools  # has all clauses that there can be: what follows was not looked at
    found: dict[str, pa.Array]


def read(values: pa.LargeStringArray, *, hosts: bool = True) -> Hops:
    """Read fields: the plain ones by their pieces, each distinct piece once, the others whole.

    Without ``hosts`` these are null, and cost no memory.
    """
    batches = pieces.spread(partial(_read, hosts=hosts), values)
    texts = pieces.unified(
        [batch.select(["from_host", "by_host", "protocol"]) for batch in batches]
    )
    table = pa.Table.from_batches([batch.select(["tls", "mail", "instant"]) for batch in batches])
    return Hops(**texts, **{name: columns.numpy(table[name]) for name in table.column_names})


def _read(values: pa.LargeStringArray, *, hosts: bool = True) -> pa.RecordBatch:
    """Read a slice of fields."""
    plain = _plain(values)
    rows, parts = [], []
    near = _clauses(values, plain, _near(values, plain))
    decided = near.sure & near.whole
    far = np.flatnonzero(near.sure & ~near.whole)
    rows.append(plain.rows[decided])
    parts.append({name: found.filter(pa.array(decided)) for name, found in near.found.items()})
    if len(far):
        rest = _only(plain, far)
        further = _clauses(values, rest, rest.behind)
        rows.append(rest.rows[further.sure])
        sure = pa.array(further.sure)
        parts.append({name: found.filter(sure) for name, found in further.found.items()})
    instant = np.full(len(values), columns.NEVER)
    instant[plain.rows] = plain.instant
    left = np.ones(len(values), dtype=bool)
    left[np.concatenate(rows)] = False
    others = np.flatnonzero(left)
    if len(others):
        texts = values.take(pa.array(others))
        rows.append(others)
        parts.append(_whole(texts))
        instant[others] = _dates(texts)
    back = np.empty(len(values), np.int64)
    back[np.concatenate(rows)] = np.arange(len(values))
    clauses = {
        name: pa.concat_arrays([part[name] for part in parts]).take(pa.array(back))
        for name in parts[0]
    }
    if not hosts:
        nothing = pa.nulls(len(values), pa.large_string())
        clauses["from_host"] = clauses["by_host"] = nothing
    protocol = clauses["protocol"] = pc.utf8_upper(clauses["protocol"]).dictionary_encode()
    known = pieces.codes(protocol)
    mail, tls = (
        np.append(pieces.matches(protocol.dictionary, pattern), False)[known]
        for pattern in (MAIL_PROTOCOL, SECURE_PROTOCOL)
    )
    unsure = np.flatnonzero(~tls)
    tls[unsure] = pieces.matches(values.take(pa.array(unsure)), TLS)
    return pa.record_batch(
        {
            "from_host": clauses["from_host"].dictionary_encode(),
            "by_host": clauses["by_host"].dictionary_encode(),
            "protocol": protocol,
            "tls": tls,
            "mail": mail | tls,
            "instant": instant,
        }
    )


def _whole(texts: pa.Array) -> dict[str, pa.Array]:
    """Read the clauses of any fields."""
    bare = pc.replace_substring_regex(texts, pieces.COMMENT, "")
    found = {"from_host": FROM, "by_host": BY, "protocol": WITH}
    return {name: pieces.found(bare, pattern) for name, pattern in found.items()}


def _plain(values: pa.LargeStringArray) -> _Plain:
    """Find the fields in plain order: a date of the usual shape, comments in pairs before it."""
    spans = pieces.spans(values)
    octets = spans.octets
    rows = np.flatnonzero(spans.end - spans.start >= LEAST)
    start, end = spans.start[rows], spans.end[rows]
    last = octets[end - 1]
    zone = end - ZONE_OCTETS
    zone[last > ord("9")] = end[last > ord("9")] - NAME_OCTETS
    named = np.flatnonzero(last == ord(")"))
    short = octets[end[named] - THREE] == ord(" ")
    zone[named] -= np.where(short, THREE, FOUR)
    time = zone - TIME_OCTETS
    seconds, good = _clock(octets, time)

    at = pieces.marks(spans, SPECIAL)
    bounds = np.searchsorted(at, spans.start), np.searchsorted(at, spans.end)
    until = np.searchsorted(at, time)  # nothing behind the clock counts
    firsts, counts = bounds[0][rows], until - bounds[0][rows]
    of = np.repeat(np.arange(len(rows)), counts)
    which = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + firsts[of]
    at = at[which]
    kind = octets[at]
    semicolons = kind == ord(";")
    behind = np.full(len(rows), -1)
    behind[of[semicolons]] = at[semicolons]  # the last is written last
    opens, closes = kind == ord("("), kind == ord(")")
    depth = np.cumsum(opens.astype(np.int64) - closes)
    before = np.concatenate([[0], depth])
    ends = np.cumsum(counts)
    depth -= before[ends - counts][of]
    wrong = (depth < 0) | (depth > DEEPEST) | (kind == ord("\\"))
    good &= (before[ends] == before[ends - counts]) & (behind >= 0)
    good[of[wrong]] = False

    keep = np.flatnonzero(good)
    instant = _instants(values, keep, behind, time, zone, end, seconds)
    good[keep[instant == columns.NEVER]] = False
    instant = instant[instant != columns.NEVER]
    number = np.cumsum(good) - 1
    inside = good[of]
    opened, closed = opens & (depth == 1) & inside, closes & (depth == 0) & inside
    return _Plain(
        rows[good],
        start[good],
        behind[good] + 1,
        at[opened],
        at[closed],
        number[of[opened]],
        instant,
    )


def _only(plain: _Plain, which: Ints) -> _Plain:
    """Give some of the plain fields."""
    number = np.full(len(plain.rows), -1)
    number[which] = np.arange(len(which))
    keep = number[plain.of] >= 0
    return _Plain(
        plain.rows[which],
        plain.start[which],
        plain.behind[which],
        plain.open[keep],
        plain.close[keep],
        number[plain.of[keep]],
        plain.instant[which],
    )


def _near(values: pa.LargeStringArray, plain: _Plain) -> Ints:
    """Tell where the identifier stands, behind the clauses; else the last semicolon."""
    behind = plain.behind.copy()
    open_ = np.ones(len(behind), dtype=bool)
    for mark in IDENTIFIERS:
        left = np.flatnonzero(open_)
        found = columns.numpy(pc.find_substring(values.take(pa.array(plain.rows[left])), mark))
        here = (found >= 0) & (plain.start[left] + found + len(mark) <= behind[left])
        behind[left[here]] = plain.start[left][here] + found[here] + len(mark)
        open_[left[here]] = False
    return behind


def _clauses(values: pa.LargeStringArray, plain: _Plain, until: Ints) -> _Clauses:
    """Read the clauses of plain fields up to a place, piece by piece between the comments."""
    octets = pieces.spans(values).octets
    fields = len(plain.rows)
    within = plain.open < until[plain.of]
    opened, closed, of = plain.open[within], plain.close[within], plain.of[within]
    sure = np.ones(fields, dtype=bool)
    sure[of[closed >= until[of]]] = False  # the place is in a comment
    # Nothing grows together where a comment is taken out.
    joined = (opened > plain.start[of]) & ~np.isin(octets[opened - 1], BLANKS)
    joined &= ~np.isin(octets[np.minimum(closed + 1, len(octets) - 1)], BLANKS)
    joined &= closed + 1 < until[of]
    sure[of[joined]] = False

    comments = np.bincount(of[sure[of]], minlength=fields)
    kept = np.flatnonzero(sure)
    counts = comments[kept] + 1
    first = np.cumsum(counts) - counts
    total = int(counts.sum())
    follows = np.ones(total, dtype=bool)
    follows[first] = False
    start, end = np.empty(total, np.int64), np.empty(total, np.int64)
    start[first], start[follows] = plain.start[kept], closed[sure[of]] + 1
    leads = np.ones(total, dtype=bool)
    leads[first + counts - 1] = False
    end[first + counts - 1], end[leads] = until[kept], opened[sure[of]]
    piece = pieces.encoded(values, start, end)
    codes, labels = pieces.codes(piece), piece.dictionary
    field = np.repeat(kept, counts)

    sure[field[leads & pieces.matches(labels, HANGING)[codes]]] = False
    blank = pieces.matches(labels, r"^\s*$")[codes]
    lead = first + (blank[first] & (counts > 1))
    sure[kept[blank[lead] & (counts > 2)]] = False
    chosen = {"from_host": np.full(fields, -1)}
    chosen["from_host"][kept] = codes[lead]
    found = {"from_host": pieces.found(labels, FROM)}
    for name, pattern in (("by_host", BY), ("protocol", WITH)):
        found[name] = pieces.found(labels, pattern)
        hits = np.flatnonzero(columns.numpy(found[name].is_valid())[codes])[::-1]
        chosen[name] = np.full(fields, -1)
        chosen[name][field[hits]] = codes[hits]  # backwards: the first is written last
    whole = (chosen["by_host"] >= 0) & (chosen["protocol"] >= 0)
    taken = {
        name: texts.take(pa.array(np.maximum(chosen[name], 0), mask=chosen[name] < 0))
        for name, texts in found.items()
    }
    return _Clauses(sure, whole, taken)


def _clock(octets: pieces.Octets, at: Ints) -> tuple[Ints, Bools]:
    """Read "10:00:05 " at each position: the second of the day, and whether it is one."""
    text = pieces.window(octets, at, TIME_OCTETS).T
    digits = text[DIGITS] - np.uint8(ord("0"))
    good = (digits < len(string.digits)).all(0) & (text[BLANK] == ord(" "))
    hour, minute, second = 10 * digits[::2].astype(np.int64) + digits[1::2]
    good &= (hour <= 23) & (minute <= 59) & (second <= 60)
    return WEIGHTS @ digits, good & (text[COLONS] == ord(":")).all(0)


def _instants(
    values: pa.LargeStringArray,
    rows: Ints,
    behind: Ints,
    time: Ints,
    zone: Ints,
    end: Ints,
    seconds: Ints,
) -> Ints:
    """Put dates together; ``NEVER`` where the day or the zone is not of the usual shape."""
    day = _each(pieces.encoded(values, behind[rows] + 1, time[rows]), _midnight)
    east = _each(pieces.encoded(values, zone[rows], end[rows]), _shift)
    known = (day != columns.NEVER) & (east != columns.NEVER)
    instant = np.full(len(rows), columns.NEVER)
    instant[known] = (day + seconds[rows] - east)[known] * clock.SECOND
    return instant


def _each(texts: pa.DictionaryArray, read: Callable[[str], int | None]) -> Ints:
    """Read each distinct text; ``NEVER`` where it is none of the kind."""
    found = [read(text) for text in texts.dictionary.to_pylist()]
    numbers = [columns.NEVER if number is None else number for number in found]
    return np.array(numbers, dtype=np.int64)[pieces.codes(texts)]


@lru_cache(1 << 16)  # days, in the ways that they are written: those of a century
def _midnight(text: str) -> int | None:
    if not USUAL_DAY.fullmatch(text):
        return None
    return dates.parse(f"{text.strip()} 00:00:00 +0000".encode()).seconds


@lru_cache(1 << 10)
def _shift(text: str) -> int | None:
    if not USUAL_ZONE.fullmatch(text):
        return None
    offset = dates.parse(f"01 Jan 1970 00:00:00 {text}".encode()).offset
    return None if offset is None else 60 * offset


def _dates(values: pa.LargeStringArray) -> Ints:
    """Read the dates at the end of any fields, as Date fields are read."""
    texts = values.to_pylist()
    when = dates_in([text.rpartition(";")[2] for text in texts])
    instant = np.where(when.known, when.seconds * clock.SECOND, columns.NEVER)
    for row in np.flatnonzero(~when.known):
        # No semicolon stands before it, or one in a comment behind it.
        found = dates.trailing(dates.without_comments(texts[row].encode()).decode())
        if found.seconds is not None:
            instant[row] = found.seconds * clock.SECOND
    return instant
