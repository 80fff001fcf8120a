"""The way of each message in a row: where it came in from outside, and where it lost time.

The border is the last handover between two organisations: what stands below it was written by
strangers, what stands above by servers of one's own. An organisation is what somebody registered
under a public suffix (publicsuffix.org); addresses of the network and "localhost" are none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import clock, delivery, people, pieces, received, vectors

if TYPE_CHECKING:
    from mailframe.stats.vectors import Bools, Ints

NAME = re.compile(r"[^\s@]+\.[a-z][a-z0-9-]*\.?", re.IGNORECASE)  # no address of the network
VERSION = r"(?i)(?P<kind>TLS|SSL)v?[ _]?(?P<number>[1-9](?:[._][0-9])?)(?:[^0-9]|$)"


def route(df: pd.DataFrame) -> pd.DataFrame:
    """Tell of each message's way; see ``df.mail.route``."""
    vectors.require(df, "received", hint=delivery.HINT)
    rows, values = vectors.wide(df, "received")
    read = received.read(*values)
    total = len(df)
    table = pd.DataFrame(index=vectors.labelled(df, np.arange(total)))
    table["hops"] = np.bincount(rows, minlength=total)
    starts = np.flatnonzero(vectors.starts_of(rows))
    ends = np.flatnonzero(np.diff(rows, append=-1))
    begun, done = read.instant[ends], read.instant[starts]
    known = (begun != vectors.NEVER) & (done != vectors.NEVER)
    seconds = np.full(total, np.nan)
    seconds[rows[starts][known]] = (done - begun)[known] / clock.SECOND
    table["seconds"] = seconds
    border = _border(rows, read, total)
    at = pa.array(np.maximum(border, 0), mask=border < 0)
    for name, texts in (("from", read.from_host), ("by", read.by_host)):
        table[f"border_{name}"] = vectors.text(texts.take(at).dictionary_decode())
    here = border >= 0
    tls = np.zeros(total, dtype=bool)
    tls[here] = read.tls[border[here]]
    table["border_tls"] = pd.arrays.BooleanArray(tls, ~here)
    table["border_version"] = vectors.text(_versions(values, border, tls))
    _add_slowest(table, rows, read)
    return table


def _border(rows: Ints, read: received.Hops, total: int) -> Ints:
    """Give the field of each message at which it came in from outside; -1 for none."""
    local = vectors.numpy(pc.match_substring(read.protocol.dictionary, "LMTP"))
    handed = read.mail & ~np.append(local, False)[pieces.codes(read.protocol)]
    source, target = pieces.codes(read.from_host), pieces.codes(read.by_host)
    fields = np.flatnonzero(handed & (source >= 0) & (target >= 0))
    names: dict[str, int] = {}
    by = _organisations(read.by_host.dictionary, target[fields], names)
    out = _organisations(read.from_host.dictionary, source[fields], names)
    crossing = fields[(by >= 0) & (out >= 0) & (by != out)]
    border = np.full(total, -1)
    border[rows[crossing[::-1]]] = crossing[::-1]  # the newest, which stands first, is last
    return border


def _organisations(hosts: pa.Array, used: Ints, names: dict[str, int]) -> Ints:
    """Give the number of each host's organisation; -1 for none."""
    found = np.full(len(hosts), -1)
    labels = vectors.unique(used)
    for place, host in zip(
        labels.tolist(), pc.utf8_lower(hosts.take(pa.array(labels))).to_pylist(), strict=True
    ):
        if NAME.fullmatch(host):
            organisation = people.registered(host.rstrip("."))
            if organisation:
                found[place] = names.setdefault(organisation, len(names))
    return found[used]


def _versions(values: list[pa.LargeStringArray], border: Ints, tls: Bools) -> pa.Array:
    """Give the version of TLS that the border notes, as "TLS 1.3"; null where it notes none."""
    texts = pa.chunked_array(values, pa.large_string())
    picked = texts.take(pa.array(np.maximum(border, 0), mask=~tls)).combine_chunks()
    found = pc.extract_regex(picked, VERSION)
    kind = pc.utf8_upper(pc.struct_field(found, "kind"))
    number = pc.replace_substring(pc.struct_field(found, "number"), "_", ".")
    return pc.binary_join_element_wise(kind, number, pa.scalar(" ", kind.type))


def _add_slowest(table: pd.DataFrame, rows: Ints, read: received.Hops) -> None:
    """Add the hop before which a message waited longest: its number, who took it, how long."""
    number, order = delivery.way(rows)
    waited = delivery.latency(rows, read.instant[order])
    total = len(table)
    most = np.full(total, np.nan)
    np.fmax.at(most, rows, waited)
    late = np.flatnonzero((waited == most[rows]) & (waited >= 0))
    late = late[vectors.starts_of(rows[late])]  # of several the first
    hop = np.zeros(total, dtype=np.int64)
    hop[rows[late]] = number[late]
    here = hop > 0
    field = np.zeros(total, dtype=np.int64)
    field[rows[late]] = order[late]
    table["slowest"] = pd.arrays.IntegerArray(hop, ~here)
    at = pa.array(field, mask=~here)
    table["slowest_by"] = vectors.text(read.by_host.take(at).dictionary_decode())
    table["slowest_seconds"] = np.where(here, most, np.nan)
