"""How mail was delivered: what the receiving server verified, and the way each message took.

Both come from trace fields that a frame has only when asked for: ``headers=mf.DELIVERY``.
Authentication-Results follow RFC 8601, Received RFC 5321 section 4.4 with the protocol names of
RFC 3848. Anyone can write such fields: only those of a server that the reader trusts count, and
a comment or a quoted string never passes for a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import clock, columns, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailframe.stats.columns import Bools, Ints

HINT = "read the mail with headers=mf.DELIVERY"
METHODS = ("spf", "dkim", "dmarc")
# What a search may walk over: comments (two deep) and quoted strings as a whole.
COMMENT = r"\((?:[^()]|\([^()]*\))*\)"
OVER = rf"(?:[^(\"]|{COMMENT}|\"[^\"]*\")*?"
SERVER = rf"(?s)^(?:\s|{COMMENT})*(?P<found>[^\s;()=\"]+)(?:\s|;|\(|$)"
RESULT = r"(?:^|;)(?:\s|{comment})*{method}\s*(?:/\s*\d+\s*)?=\s*(?P<found>{value})\b"
TLS = r"(?i)\b(?:TLS|SSL)v?\d|=TLS|\bcipher[ =]"
MAIL_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)S?A?$"
SECURE_PROTOCOL = r"^(?:UTF8)?(?:E?SMTP|LMTP)SA?$"
# The date ends the field; zone names in comments and long host names stay outside.
DATE = (
    r"(?P<day>\d{1,2})\s+(?P<month>[A-Za-z]{3})[a-z]*\s+(?P<year>\d{4})\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s*(?P<sign>[+-])"
    r"(?P<east>\d{2})(?P<rest>\d{2}))?[^;]*$"
)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def _found(values: pa.Array, pattern: str, group: str = "found") -> pa.Array:
    return pc.struct_field(pc.extract_regex(values, pattern), group)


def trusted(
    df: pd.DataFrame, authserv: str | Iterable[str] | None
) -> tuple[Ints, pa.Array, list[str]]:
    """Give the Authentication-Results of servers the reader trusts, and those servers' names.

    RFC 8601 section 5: the receiving server removes fields that bear its own name before it adds
    its own, on top. So by default the name that stands on top of most messages is trusted.
    """
    columns.require(df, "authentication_results", hint=HINT)
    rows, values = columns.flat(df, "authentication_results")
    server = pc.utf8_lower(_found(values, SERVER))
    if authserv is None:
        on_top = server.filter(pa.array(np.diff(rows, prepend=-1) != 0))
        counted = pc.value_counts(on_top.drop_null())
        names = [max(counted.to_pylist(), key=lambda c: c["counts"])["values"]] if counted else []
    else:
        names = [authserv] if isinstance(authserv, str) else list(authserv)
        names = [name.lower() for name in names]
    known = pc.is_in(server, pa.array(names, pa.large_string()))
    return rows[known.to_numpy(zero_copy_only=False)], values.filter(known), names


def authentication(df: pd.DataFrame, authserv: str | Iterable[str] | None) -> pd.DataFrame:
    """Give each message's results; see ``df.mail.authentication``."""
    rows, values, names = trusted(df, authserv)
    table = pd.DataFrame(index=columns.labelled(df, np.arange(len(df))))
    table["checked"] = np.bincount(rows, minlength=len(df)) > 0
    for method in METHODS:
        result = _results(rows, values, method, len(df))
        table[method] = pd.array(result, dtype="str")
    table.attrs["authserv"] = names
    return table


def _results(rows: Ints, values: pa.Array, method: str, total: int) -> pa.Array:
    """Give one result a row: the first, but of several DKIM signatures one that passed."""
    out = np.full(total, -1, dtype=np.int64)
    wanted = [r"[a-z]+"] if method != "dkim" else [r"[a-z]+", "pass"]
    labels = pa.array([], pa.large_string())
    for value in wanted:
        pattern = RESULT.format(comment=COMMENT, method=method, value=value)
        encoded = pc.utf8_lower(_found(values, f"(?is)^{OVER}{pattern}")).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        hits = np.flatnonzero(codes >= 0)[::-1]  # backwards, so that the first is written last
        out[rows[hits]] = codes[hits] + len(labels)
        labels = pa.concat_arrays([labels, encoded.dictionary])
    return labels.take(pa.array(np.maximum(out, 0), mask=out < 0))


def hops(df: pd.DataFrame) -> pd.DataFrame:
    """List the relays of each message; see ``df.mail.hops``."""
    columns.require(df, "received", hint=HINT)
    rows, values = columns.flat(df, "received")
    number = _hop_numbers(rows)
    order = np.lexsort((number, rows))
    rows, number, values = rows[order], number[order], values.take(order)
    at = _times(values)
    protocol, tls, mail = _protocols(values)
    index = columns.labelled(df, rows)
    table = pd.DataFrame(
        {
            "hop": number,
            "from_host": pd.array(_found(values, r"(?is)^\s*from\s+(?P<found>[^\s();]+)"), "str"),
            "by_host": pd.array(_found(values, _clause("by")), "str"),
            "protocol": pd.array(protocol, dtype="str"),
            "tls": pd.arrays.BooleanArray(tls, ~mail),
            "time": columns.stamps(at),
            "seconds": _latency(rows, at),
        },
        index=index,
    )
    return table.set_index("hop", append=True)


def _clause(word: str) -> str:
    return rf"(?is)^{OVER}\b{word}\s+(?:Microsoft\s+)?(?P<found>[^\s();]+)"


def _hop_numbers(rows: Ints) -> Ints:
    """Number the fields of a message from the last, where its way began, up to the first."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    lengths = np.diff(np.append(starts, len(rows)))
    return np.repeat(starts + lengths, lengths) - np.arange(len(rows))


def _protocols(values: pa.Array) -> tuple[pa.Array, Bools, Bools]:
    """Tell of each hop its protocol, whether it was encrypted, and whether mail was handed over."""
    encoded = pc.utf8_upper(_found(values, _clause("with"))).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    kinds = encoded.dictionary

    def matches(pattern: str) -> Bools:
        hit = pc.match_substring_regex(kinds, pattern).to_numpy(zero_copy_only=False)
        return np.append(hit, False)[codes]  # noqa: FBT003 -- what code -1 looks up

    cipher = pc.match_substring_regex(values, TLS).to_numpy(zero_copy_only=False)
    tls = matches(SECURE_PROTOCOL) | cipher
    return encoded.cast(pa.large_string()), tls, matches(MAIL_PROTOCOL) | tls


def _times(values: pa.Array) -> Ints:
    """Read the instants in microseconds of UTC; ``NEVER`` where there is no date to be read."""
    parts = pc.extract_regex(values, DATE)

    def number(name: str) -> Ints:
        text = pc.struct_field(parts, name)
        filled = pc.if_else(pc.equal(text, ""), "0", text).fill_null("0")
        return filled.cast(pa.int64()).to_numpy()  # type: ignore[no-any-return]

    month = pc.index_in(
        pc.utf8_lower(pc.struct_field(parts, "month")), pa.array(MONTHS, pa.large_string())
    )
    known = pc.is_valid(month).to_numpy(zero_copy_only=False)
    months = (number("year") - 1970) * 12 + month.fill_null(0).to_numpy(zero_copy_only=False)
    day = months.view("M8[M]").astype("M8[D]").view(np.int64) + number("day") - 1
    east = number("east") * 60 + number("rest")
    sign = pc.struct_field(parts, "sign")
    west = pc.equal(sign, "-").fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    minutes = (day * 24 + number("hour")) * 60 + number("minute") + np.where(west, east, -east)
    return np.where(known, (minutes * 60 + number("second")) * clock.SECOND, columns.NEVER)


def _latency(rows: Ints, at: Ints) -> np.ndarray:
    """Give the seconds since the hop before; missing at the first and where a time is."""
    seconds = np.full(len(rows), np.nan)
    follows = np.flatnonzero((rows[1:] == rows[:-1]) & (at[1:] != columns.NEVER))
    follows = follows[at[follows] != columns.NEVER]
    seconds[follows + 1] = (at[follows + 1] - at[follows]) / clock.SECOND
    return seconds


def delivery(
    df: pd.DataFrame, by: str, authserv: str | Iterable[str] | None
) -> pd.DataFrame:
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
        hits = groups.where(passed.to_numpy(zero_copy_only=False)[groups.rows]).count
        table[method] = _ratio(hits, table["checked"].to_numpy())
    if "received" in df.columns:
        _add_route(df, table, groups, total)
    table = columns.ranked(table[counts > 0])
    table.attrs["authserv"] = names
    return table


def _add_route(df: pd.DataFrame, table: pd.DataFrame, groups: columns.Coded, total: int) -> None:
    """Add hop count, TLS share and the time on the way to a table by group."""
    rows, values = columns.flat(df, "received")
    number = np.bincount(rows, minlength=len(df))
    _, tls, mail = _protocols(values)
    secure = np.bincount(rows[tls], minlength=len(df))
    handed = np.bincount(rows[mail], minlength=len(df))

    def mass(per_row: Ints) -> np.ndarray:
        return np.bincount(groups.codes, per_row[groups.rows].astype(np.float64), total)

    table["hops"] = _ratio(mass(number), mass((number > 0).astype(np.int64)))
    table["tls"] = _ratio(mass(secure), mass(handed))
    ends = np.flatnonzero(np.diff(rows, append=-1))  # the first relay's field is the last
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    begun, done = _times(values.take(ends)), _times(values.take(starts))
    seconds = np.full(len(df), np.nan)
    sane = (begun != columns.NEVER) & (done != columns.NEVER)
    seconds[rows[starts][sane]] = (done - begun)[sane] / clock.SECOND
    taken = pd.Series(seconds[groups.rows]).groupby(groups.codes).median()
    table["seconds"] = taken.reindex(range(total)).to_numpy()


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with NaN where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
