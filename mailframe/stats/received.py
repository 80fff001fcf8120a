"""Received fields: which hosts, by which protocol, when (RFC 5321 section 4.4, RFC 3848).

The patterns below read any field. To run them on each would be slow, and most fields end alike:
an identifier, for whom, and the date in one exact shape. Of such a field the part before the
identifier has all the clauses; few distinct ones are left of millions. Where this holds is decided
without doubt, by what those parts and the middle do not contain; all other fields are read whole,
by the same patterns.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import clock, columns, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.stats.columns import Bools, Ints

COMMENT = r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"  # two deep; deeper ones stay
FROM = r"(?i)^\s*from\s+(?P<found>[^\s();]+)"
BY = r"(?i)\bby\s+(?P<found>[^\s();]+)"
WITH = r"(?i)\bwith\s+(?:Microsoft\s+)?(?P<found>[^\s();]+)"
TLS = r"(?i)\b(?:TLS|SSL)v?\d|=TLS|\bcipher[ =]"
MAIL_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)S?A?$|^SMTPSVC$"
SECURE_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)SA?$"
# The date ends the field, perhaps with a zone's name in a comment after it.
TAIL = 80  # characters
DATE = (
    r"(?P<day>\d{1,2}\s+[A-Za-z]{3}[a-z]*\s+\d{4})\s+"
    r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)\S*(?:\s*(?P<zone>[+-]\d{4}))?"
)
DAY = r"(?P<day>\d+)\s+(?P<month>[A-Za-z]{3})[a-z]*\s+(?P<year>\d+)"
TIME = r"(?P<sign>)(?P<hour>\d+):(?P<minute>\d+)(?::(?P<second>\d+))?"
ZONE = r"(?P<sign>[+-])(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>)"
EPOCH = date(1970, 1, 1).toordinal()
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# What most fields end in: "03 Jun 2024 ", "10:00:05 ", "+0200" or "+0200 (CEST)".
USUAL = {
    "day": r"^[ \d]\d [A-Za-z]{3} \d{4} $",
    "zone": r"^[+-]\d{4}(?: \([A-Za-z]{3,4}\))?$",
}
DAY_LENGTH, TIME_LENGTH = 12, 9  # octets
ZONE_LENGTHS = (5, 11, 12)  # without a comment, with one of three letters, of four
LEAST = DAY_LENGTH + TIME_LENGTH + max(ZONE_LENGTHS)
IDENTIFIER = " id "
CLOCK = r"\s\d{1,2}:"  # no date is without one
# Nothing of interest stands between clauses and date unless this is found there.
SUSPECT = rf"{TLS}|{CLOCK}"


class Hops(NamedTuple):
    """What Received fields say, one entry a field.

    Attributes
    ----------
    from_host, by_host, protocol : pyarrow.DictionaryArray of text
    tls, mail : bool arrays
        Whether the hop was encrypted, and whether mail was handed over by a protocol for mail.
    at : int64 array
        Microseconds of UTC; ``NEVER`` where there is no date to be read.
    """

    from_host: pa.DictionaryArray
    by_host: pa.DictionaryArray
    protocol: pa.DictionaryArray
    tls: Bools
    mail: Bools
    at: Ints


def read(values: pa.LargeStringArray) -> Hops:
    """Read fields: the usual ones by their parts, each distinct one once, the others whole."""
    masks, clocks, batches = zip(*pieces.spread(_cut, values), strict=True)
    usual, parts = np.concatenate(masks), pieces.unified(batches)
    heads = _clauses(parts["head"].dictionary)
    good = _decided(parts, heads)
    usual[usual] = good
    rest = values.filter(pa.array(~usual))
    texts = pa.concat_tables([heads, _clauses(rest)]).combine_chunks()

    codes = np.empty(len(values), np.int32)
    codes[usual] = pieces.codes(parts["head"])[good]
    codes[~usual] = len(heads) + np.arange(len(rest))
    at = np.empty(len(values), np.int64)
    days, zones = _each(parts["day"], DAY, _days), _each(parts["zone"], ZONE, _seconds)
    at[usual] = _instants(days, np.concatenate(clocks), zones)[good]
    at[~usual] = _instants(*_dates(rest))
    text = {name: texts[name].chunk(0) for name in ("from_host", "by_host", "protocol")}
    told = {name: columns.numpy(texts[name])[codes] for name in ("tls", "mail")}
    return Hops(**{name: pieces.labelled(codes, labels) for name, labels in text.items()}, **told, at=at)


def _cut(values: pa.LargeStringArray) -> tuple[Bools, Ints, pa.RecordBatch]:
    """Cut the fields that seem to be usual ones: which they are, and their parts, encoded.

    A head ends behind the mark of an identifier or else the first semicolon. So no clause that is
    found in it can be longer than it seems there.
    """
    octets, start, end = pieces.spans(values)
    head = columns.numpy(pc.find_substring(values, IDENTIFIER)) + len(IDENTIFIER)
    without = np.flatnonzero(head < len(IDENTIFIER))
    head[without] = columns.numpy(pc.find_substring(values.take(pa.array(without)), ";")) + 1
    rows = np.flatnonzero(end - start >= LEAST)
    start, end, head = start[rows], end[rows], start[rows] + head[rows]

    plain, three, four = ZONE_LENGTHS
    comment = np.where(octets[end - three + plain + 1] == ord("("), three, four)
    zone = end - np.where(octets[end - 1] == ord(")"), comment, plain)
    time = zone - TIME_LENGTH
    day = time - DAY_LENGTH
    seconds, keep = _clock(octets, time)
    keep &= head <= day
    rows, seconds = rows[keep], seconds[keep]
    marks = np.stack([start, head, day, time, zone, end])[:, keep]
    middle = pieces.between(values, marks[1], marks[2] + 1)  # "TLS03" would be found across
    keep = ~pieces.matches(middle, SUSPECT)[::2]
    start, head, day, time, zone, end = marks[:, keep]
    usual = np.zeros(len(values), dtype=bool)
    usual[rows[keep]] = True
    parts = {"head": (start, head), "day": (day, time), "zone": (zone, end)}
    batch = {name: pieces.encoded(values, *bounds) for name, bounds in parts.items()}
    return usual, seconds[keep], pa.record_batch(batch)


def _clock(octets: pieces.Octets, at: Ints) -> tuple[Ints, Bools]:
    """Read "10:00:05 " at each position: the second of the day, and whether it is one."""
    text = pieces.window(octets, at, TIME_LENGTH).T
    digits = text[[0, 1, 3, 4, 6, 7]] - np.uint8(ord("0"))
    good = (digits <= 9).all(0) & (text[2] == ord(":")) & (text[5] == ord(":")) & (text[8]==ord(" "))
    return np.array([36_000, 3_600, 600, 60, 10, 1]) @ digits, good


def _decided(parts: dict[str, pa.DictionaryArray], heads: pa.Table) -> Bools:
    """Tell which fields their parts say everything of.

    A clause counts where it is found first, so one that the head has needs no look behind it. No
    comment reaches over the end of a head in which no bracket stays open, and no date begins in
    one without a clock.
    """
    good = columns.numpy(heads["closed"]) & ~pieces.matches(parts["head"].dictionary, CLOCK)
    good &= columns.numpy(pc.and_(heads["by_host"].is_valid(), heads["protocol"].is_valid()))
    good = good[pieces.codes(parts["head"])]
    for name, pattern in USUAL.items():
        good &= pieces.matches(parts[name].dictionary, pattern)[pieces.codes(parts[name])]
    return good


def _clauses(texts: pa.Array) -> pa.Table:
    """Read what stands in front of a date."""
    return pa.Table.from_batches(pieces.spread(_read_clauses, texts))


def _read_clauses(texts: pa.Array) -> pa.RecordBatch:
    bare = pc.replace_substring_regex(texts, COMMENT, "")
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


def _dates(values: pa.LargeStringArray) -> tuple[Ints, Ints, Ints]:
    """Find the day, the second of the day and the zone at the end of any field."""

    def search(part: pa.Array) -> pa.StructArray:
        return pc.extract_regex(pc.utf8_slice_codeunits(part, -TAIL), DATE)

    parts = pa.chunked_array(pieces.spread(search, values)).combine_chunks()
    day, time, zone = (part.dictionary_encode() for part in parts.flatten())
    return _each(day, DAY, _days), _each(time, TIME, _seconds), _each(zone, ZONE, _seconds)


def _instants(days: Ints, seconds: Ints, east: Ints) -> Ints:
    """Put instants in microseconds of UTC together; ``NEVER`` where there is no date."""
    east = np.where(east == columns.NEVER, 0, east)
    known = (days != columns.NEVER) & (seconds != columns.NEVER)
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
    month = parts["month"].lower()
    if month not in MONTHS:
        return None
    try:
        day = date(int(parts["year"]), MONTHS.index(month) + 1, int(parts["day"]))
    except ValueError:
        return None
    return day.toordinal() - EPOCH


def _seconds(parts: dict[str, str]) -> int:
    seconds = (int(parts["hour"]) * 60 + int(parts["minute"])) * 60 + int(parts["second"] or 0)
    return -seconds if parts["sign"] == "-" else seconds
