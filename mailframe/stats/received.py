"""Received fields: which hosts, by which protocol, when (RFC 5321 section 4.4, RFC 3848).

The patterns below read any field. To run them on each would be slow, and most fields are alike: a
head with the clauses, an identifier and perhaps for whom, and a date in one exact shape. Few of
millions of heads are distinct, few of the days and zones. A field is read by these parts where
what they and the middle do not contain leaves no doubt; any other is read whole, by the same
patterns.
"""

from __future__ import annotations

import string
from datetime import date
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
DAY = r"(?P<day>\d+)\s+(?P<month>[A-Za-z]{3})[a-z]*\s+(?P<year>\d+)"
ZONE = r"(?P<sign>[+-])(?P<hour>\d{2})(?P<minute>\d{2})"
EPOCH = date(1970, 1, 1).toordinal()

# What most fields end in: "03 Jun 2024 ", "10:00:05 ", "+0200" or "+0200 (CEST)".
USUAL_DAY, DAY_OCTETS = rf"(?i)^[ \d]\d (?:{'|'.join(dates.MONTHS)}) (?:19|[2-9]\d)\d\d $", 12
TIME_OCTETS, DIGITS, COLONS, BLANK = 9, [0, 1, 3, 4, 6, 7], [2, 5], 8
WEIGHTS = np.array([36_000, 3_600, 600, 60, 10, 1])
USUAL_ZONE = r"^[+-]\d\d[0-5]\d(?: \([A-Za-z]{3,4}\))?$"
ZONE_OCTETS, THREE, FOUR = 5, len(" (EDT)"), len(" (CEST)")
LEAST = DAY_OCTETS + TIME_OCTETS + ZONE_OCTETS + FOUR
IDENTIFIER = " id "
CLOCK = r"\s\d{1,2}:"  # no date is without one
# Without these, nothing of interest stands between an identifier and the date.
SUSPECT = rf"{TLS}|{CLOCK}"


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


def read(values: pa.LargeStringArray) -> Hops:
    """Read fields: the usual ones by their parts, each distinct one once, the others whole."""
    masks, clocks, batches = zip(*pieces.spread(_cut, values), strict=True)
    usual, parts = np.concatenate(masks), pieces.unified(batches)
    heads = _clauses(parts["head"].dictionary)
    decided = _decided(parts, heads)
    usual[usual] = decided
    rest = values.filter(pa.array(~usual))
    texts = pa.concat_tables([heads, _clauses(rest)])

    codes = np.empty(len(values), np.int32)
    codes[usual] = pieces.codes(parts["head"])[decided]
    codes[~usual] = len(heads) + np.arange(len(rest))
    found, told = texts.column_names[:3], texts.column_names[3:5]
    clauses = {name: pieces.labelled(codes, texts[name].combine_chunks()) for name in found}
    facts = {name: columns.numpy(texts[name])[codes] for name in told}

    instant = np.empty(len(values), np.int64)
    days, zones = _each(parts["day"], DAY, _days), _each(parts["zone"], ZONE, _seconds)
    instant[usual] = _instants(days, np.concatenate(clocks), zones)[decided]
    instant[~usual] = _dates(rest)
    return Hops(**clauses, **facts, instant=instant)


def _cut(values: pa.LargeStringArray) -> tuple[Bools, Ints, pa.RecordBatch]:
    """Cut the fields that seem to be usual: which they are, their clock times, their parts.

    A head ends behind the mark of an identifier or else the first semicolon, so no clause that is
    found in it can be longer than it seems there. The middle is looked at up to the first octet of
    the date, lest something begins in the one and ends in the other.
    """
    octets, start, end = pieces.spans(values)
    rows = np.flatnonzero(end - start >= LEAST)
    start, end = start[rows], end[rows]
    head = start + _behind_clauses(values)[rows]
    zone = end - ZONE_OCTETS
    named = np.flatnonzero(octets[end - 1] == ord(")"))
    short = octets[end[named] - THREE] == ord(" ")
    zone[named] -= np.where(short, THREE, FOUR)
    time = zone - TIME_OCTETS
    day = time - DAY_OCTETS

    seconds, keep = _clock(octets, time)
    keep &= head <= day
    rows, seconds = rows[keep], seconds[keep]
    start, head, day, time, zone, end = (at[keep] for at in (start, head, day, time, zone, end))
    keep = ~pieces.matches(pieces.between(values, head, day + 1), SUSPECT)[::2]
    usual = np.zeros(len(values), dtype=bool)
    usual[rows[keep]] = True
    parts = {"head": (start, head), "day": (day, time), "zone": (zone, end)}
    batch = {
        name: pieces.encoded(values, first[keep], last[keep])
        for name, (first, last) in parts.items()
    }
    return usual, seconds[keep], pa.record_batch(batch)


def _behind_clauses(values: pa.LargeStringArray) -> Ints:
    """Tell where a field's identifier stands, else what follows its first semicolon, else 0."""
    behind: Ints = columns.numpy(pc.find_substring(values, IDENTIFIER)) + len(IDENTIFIER)
    without = np.flatnonzero(behind < len(IDENTIFIER))
    semicolon = pc.find_substring(values.take(pa.array(without)), ";")
    behind[without] = columns.numpy(semicolon) + 1
    return behind


def _clock(octets: pieces.Octets, at: Ints) -> tuple[Ints, Bools]:
    """Read "10:00:05 " at each position: the second of the day, and whether it is one."""
    text = pieces.window(octets, at, TIME_OCTETS).T
    digits = text[DIGITS] - np.uint8(ord("0"))
    good = (digits < len(string.digits)).all(0) & (text[BLANK] == ord(" "))
    hour, minute, second = 10 * digits[::2].astype(np.int64) + digits[1::2]
    good &= (hour <= 23) & (minute <= 59) & (second <= 60)
    return WEIGHTS @ digits, good & (text[COLONS] == ord(":")).all(0)


def _decided(parts: dict[str, pa.DictionaryArray], heads: pa.Table) -> Bools:
    """Tell which fields their parts say everything of.

    A clause counts where it is found first, so one that the head has needs no look behind it. No
    comment reaches over the end of a head in which no bracket stays open, and no date begins in
    one without a clock.
    """
    good = columns.numpy(heads["closed"]) & ~pieces.matches(parts["head"].dictionary, CLOCK)
    good &= columns.numpy(pc.and_(heads["by_host"].is_valid(), heads["protocol"].is_valid()))
    good = good[pieces.codes(parts["head"])]
    for name, pattern in (("day", USUAL_DAY), ("zone", USUAL_ZONE)):
        good &= pieces.matches(parts[name].dictionary, pattern)[pieces.codes(parts[name])]
    return good


def _clauses(texts: pa.Array) -> pa.Table:
    """Read what stands in front of a date."""
    return pa.Table.from_batches(pieces.spread(_read_clauses, texts))


def _read_clauses(texts: pa.Array) -> pa.RecordBatch:
    bare = pc.replace_substring_regex(texts, pieces.COMMENT, "")
    protocol = pc.utf8_upper(pieces.found(bare, WITH))
    tls = pieces.matches(protocol, SECURE_PROTOCOL) | pieces.matches(texts, TLS)
    return pa.record_batch(
        {
            "from_host": pieces.found(bare, FROM),
            "by_host": pieces.found(bare, BY),
            "protocol": protocol,
            "tls": tls,
            "mail": pieces.matches(protocol, MAIL_PROTOCOL) | tls,
            "closed": pc.invert(pc.match_substring(bare, "(")),
        }
    )


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


def _instants(days: Ints, seconds: Ints, east: Ints) -> Ints:
    """Put instants in microseconds of UTC together; ``NEVER`` where there is no such day."""
    known = days != columns.NEVER
    return np.where(known, days * clock.DAY + (seconds - east) * clock.SECOND, columns.NEVER)


def _each(
    texts: pa.DictionaryArray, pattern: str, read: Callable[[dict[str, str]], int | None]
) -> Ints:
    """Read each distinct text by a pattern; ``NEVER`` where it does not fit or there is none."""
    found = pc.extract_regex(texts.dictionary, pattern).to_pylist()
    numbers = [read(parts) if parts else None for parts in found]
    lookup = [columns.NEVER if number is None else number for number in numbers]
    return np.array([*lookup, columns.NEVER], dtype=np.int64)[pieces.codes(texts)]


def _days(parts: dict[str, str]) -> int | None:
    try:
        month = dates.MONTHS.index(parts["month"].lower()) + 1
        day = date(int(parts["year"]), month, int(parts["day"]))
    except ValueError:
        return None
    return day.toordinal() - EPOCH


def _seconds(parts: dict[str, str]) -> int:
    seconds = (int(parts["hour"]) * 60 + int(parts["minute"])) * 60
    return -seconds if parts["sign"] == "-" else seconds
