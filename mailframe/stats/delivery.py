"""How mail was delivered: what the receiving server verified, and the way each message took.

Both come from trace fields that a frame has only when asked for: ``headers=mf.DELIVERY``.
Authentication-Results (``verified``) follow RFC 8601, Received (``received``) RFC 5321. Anyone can
write such fields: only results of a server that the reader trusts count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import clock, people, pieces, received, vectors, verified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mailframe.stats.vectors import Bools, Ints

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.float64] | Ints

HINT = "read the mail with headers=mf.DELIVERY"
METHODS = ("spf", "dkim", "dmarc")
CHAINED = "arc"  # RFC 8617 section 10.1: what the receiver makes of the seals of forwarders
TEXTS = ("from_host", "by_host", "protocol")


class Believed(NamedTuple):
    """Authentication-Results of servers the reader trusts, whole, with the row of each."""

    rows: Ints
    values: pa.Array
    names: list[str]


def trusted(
    df: pd.DataFrame, authserv: str | Iterable[str] | None
) -> tuple[Ints, pa.Array, list[str]]:
    """Give the results of servers the reader trusts, in pieces, and those servers' names."""
    rows, _, fields, accepted, names = _fields(df, authserv)
    known = accepted[fields.which]
    return rows[fields.which[known]], fields.texts.filter(pa.array(known)), names


def believed(df: pd.DataFrame, authserv: str | Iterable[str] | None) -> Believed:
    """Give the fields of servers the reader trusts."""
    rows, values, _, accepted, names = _fields(df, authserv)
    return Believed(rows[accepted], values.filter(pa.array(accepted)), names)


def _fields(
    df: pd.DataFrame, authserv: str | Iterable[str] | None
) -> tuple[Ints, pa.Array, verified.Fields, Bools, list[str]]:
    """Take all fields apart, and tell which are of servers that the reader trusts.

    RFC 8601 section 5: the receiving server removes fields that bear its own name before it adds
    its own, on top. So by default the name that stands on top of most messages is trusted.
    """
    vectors.require(df, "authentication_results", hint=HINT)
    rows, values = vectors.flat(df, "authentication_results")
    fields = verified.read(values)
    if authserv is None:
        on_top = fields.server.indices.filter(pa.array(vectors.starts_of(rows)))
        counted = pc.value_counts(on_top.drop_null()).to_pylist()
        commonest = [max(counted, key=lambda c: c["counts"])["values"]] if counted else []
        names = fields.server.dictionary.take(pa.array(commonest, pa.int32())).to_pylist()
    else:
        names = [authserv] if isinstance(authserv, str) else list(authserv)
        names = [name.lower() for name in names]
    accepted = vectors.numpy(pc.is_in(fields.server.dictionary, pa.array(names, pa.large_string())))
    return rows, values, fields, np.append(accepted, False)[pieces.codes(fields.server)], names


def authentication(df: pd.DataFrame, authserv: str | Iterable[str] | None) -> pd.DataFrame:
    """Give each message's results; see ``df.mail.authentication``."""
    rows, values, names = trusted(df, authserv)
    table = pd.DataFrame(index=vectors.labelled(df, np.arange(len(df))))
    table["checked"] = np.bincount(rows, minlength=len(df)) > 0
    for method in (*METHODS, CHAINED):
        result = _results(rows, values, method, len(df))
        table[method] = vectors.text(result)
    table.attrs["authserv"] = names
    return table


def _results(rows: Ints, results: pa.DictionaryArray, method: str, total: int) -> pa.Array:
    """Give one result a row: the first, but of several DKIM signatures one that passed."""
    out = np.full(total, -1, dtype=np.int64)
    wanted = [r"[a-z]+"] if method != "dkim" else [r"[a-z]+", "pass"]
    labels = pa.array([], pa.large_string())
    for value in wanted:
        found = verified.results(results, method, value)
        codes = pieces.codes(found)
        hits = np.flatnonzero(codes >= 0)[::-1]  # backwards, so that the first is written last
        out[rows[hits]] = codes[hits] + len(labels)
        labels = pa.concat_arrays([labels, found.dictionary])
    return labels.take(pa.array(np.maximum(out, 0), mask=out < 0))


def hops(df: pd.DataFrame) -> pd.DataFrame:
    """List the relays of each message; see ``df.mail.hops``."""
    vectors.require(df, "received", hint=HINT)
    rows, values = vectors.wide(df, "received")
    read = received.read(*values)
    number, order = way(rows)
    at = read.instant[order]
    tls = pd.arrays.BooleanArray(read.tls[order], ~read.mail[order])
    table = {
        **{name: _category(getattr(read, name), order) for name in TEXTS},
        "tls": tls,
        "time": vectors.stamps(at),
        "seconds": latency(rows, at),
    }
    return pd.DataFrame(table, index=_numbered(df, rows, number))


def _numbered(df: pd.DataFrame, rows: Ints, number: Ints) -> pd.MultiIndex:
    """Give the frame's labels of ``rows``, each with the number of a hop."""
    index = df.index
    names = [*(index.names if index.nlevels > 1 or index.name else ["message"]), "hop"]
    if index.nlevels > 1 or not index.is_unique or index.hasnans:
        labels = index[rows]
        levels = [labels.get_level_values(level) for level in range(labels.nlevels)]
        return pd.MultiIndex.from_arrays([*levels, number], names=names)
    hops = pd.RangeIndex(1, int(number.max(initial=0)) + 1)
    # The labels are the level: to look each of millions up would take longer than to read them.
    levels, codes = [index, hops], [rows, number - 1]
    return pd.MultiIndex(levels, codes, names=names, verify_integrity=False)  # type: ignore[arg-type]  # the stubs know lists only


def way(rows: Ints) -> tuple[Ints, Ints]:
    """Give the place of each hop on its way, from 1, and its field; the last is the first hop."""
    starts = np.flatnonzero(vectors.starts_of(rows))
    lengths = np.diff(starts, append=len(rows))
    behind = np.arange(len(rows)) - np.repeat(starts, lengths)
    return behind + 1, np.repeat(starts + lengths - 1, lengths) - behind


def _category(texts: pa.DictionaryArray, order: Ints) -> pd.Categorical[str]:
    """Give texts as a category, in the order of the alphabet: few of millions are distinct."""
    labels = texts.dictionary
    alphabetic = vectors.numpy(pc.array_sort_indices(labels))
    rank = np.full(len(labels) + 1, -1, np.int32)
    rank[alphabetic] = np.arange(len(labels), dtype=np.int32)
    words = vectors.text(labels.take(pa.array(alphabetic)))
    return pd.Categorical.from_codes(rank[pieces.codes(texts)][order], pd.Index(words))


def latency(rows: Ints, at: Ints) -> Floats:
    """Give the seconds since the hop before; missing at the first and where a time is."""
    seconds = np.full(len(rows), np.nan)
    known = at != vectors.NEVER
    follows = (rows[1:] == rows[:-1]) & known[1:] & known[:-1]
    np.divide(np.diff(at), clock.SECOND, out=seconds[1:], where=follows)
    return seconds


def delivery(df: pd.DataFrame, by: str, authserv: str | Iterable[str] | None) -> pd.DataFrame:
    """Sum up delivery; see ``df.mail.delivery``."""
    groups = people.key(df, by).once()
    total = len(groups.labels)
    counts = groups.count
    table = pd.DataFrame({"messages": counts}, index=groups.index())
    rows, values, names = trusted(df, authserv)
    checked = np.bincount(rows, minlength=len(df)) > 0
    table["checked"] = groups.where(checked[groups.rows]).count
    for method in METHODS:
        result = _results(rows, values, method, len(df))
        passed = pc.equal(result, "pass").fill_null(False)  # noqa: FBT003 -- Arrow's signature
        hits = groups.where(vectors.numpy(passed)[groups.rows]).count
        table[method] = _ratio(hits, table["checked"].to_numpy())
    if "received" in df.columns:
        _add_route(df, table, groups, total)
    table = vectors.ranked(table[counts > 0])
    table.attrs["authserv"] = names
    return table


def _add_route(df: pd.DataFrame, table: pd.DataFrame, groups: vectors.Coded, total: int) -> None:
    """Add hop count, TLS share and the time on the way to a table by group."""
    rows, values = vectors.wide(df, "received")
    number = np.bincount(rows, minlength=len(df))
    read = received.read(*values, hosts=False)
    local = vectors.numpy(pc.match_substring(read.protocol.dictionary, "LMTP"))
    over = read.mail & ~np.append(local, False)[pieces.codes(read.protocol)]
    secure = np.bincount(rows[read.tls & over], minlength=len(df))
    handed = np.bincount(rows[over], minlength=len(df))

    def mass(per_row: Ints) -> Floats:
        weights = per_row[groups.rows].astype(np.float64)
        return np.bincount(groups.codes, weights, total).astype(np.float64)

    traced, handovers = mass((number > 0).astype(np.int64)), mass(handed)
    table["traced"] = traced.astype(np.int64)
    table["hops"] = _ratio(mass(number), traced)
    table["handovers"] = handovers.astype(np.int64)
    table["tls"] = _ratio(mass(secure), handovers)
    ends = np.flatnonzero(np.diff(rows, append=-1))  # the first relay's field is the last
    starts = np.flatnonzero(vectors.starts_of(rows))
    begun, done = read.instant[ends], read.instant[starts]
    seconds = np.full(len(df), np.nan)
    sane = (begun != vectors.NEVER) & (done != vectors.NEVER)
    seconds[rows[starts][sane]] = (done - begun)[sane] / clock.SECOND
    taken = pd.Series(seconds[groups.rows]).groupby(groups.codes).median()
    table["seconds"] = taken.reindex(range(total)).to_numpy()


def _ratio(part: Numbers, whole: Numbers) -> Floats:
    """Divide, with NaN where there is nothing to divide by."""
    shares: Floats = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
