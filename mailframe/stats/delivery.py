"""How mail was delivered: what the receiving server verified, and the way each message took.

Both come from trace fields that a frame has only when asked for: ``headers=mf.DELIVERY``.
Authentication-Results follow RFC 8601, Received RFC 5321 section 4.4 with the protocol names of
RFC 3848. Anyone can write such fields: only those of a server that the reader trusts count, and
a comment or a quoted string never passes for a result.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import clock, columns, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from mailframe.stats.columns import Bools, Ints

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.float64] | Ints

HINT = "read the mail with headers=mf.DELIVERY"
METHODS = ("spf", "dkim", "dmarc")
COMMENT = r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"  # two deep; deeper ones stay
QUOTED = r"\"(?:[^\"\\]|\\.)*\""
PROPERTY = r"\s[A-Za-z]+\.[A-Za-z0-9_-]+\s*=\s*[^\s;(\"]+"  # such as header.i=@example.org
BESIDES = rf"(?s){COMMENT}|{QUOTED}|{PROPERTY}"
SERVER = r"^\s*(?P<found>[^\s;=(\"]+)(?:[\s;(]|$)"
# Never beyond a bracket or quote that was left open: what follows might be inside.
RESULT = r"(?i)^[^(\"]*?(?:^|;)\s*{method}\s*(?:/\s*\d+\s*)?=\s*(?P<found>{value})\b"
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


SHARE = 50_000  # values that are worth a thread


def _found(values: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(values, pattern), "found")


def _spread(work: Callable[[pa.Array], pa.Array], values: pa.Array) -> pa.Array:
    """Do the same to slices of a column at once: Arrow lets go of the interpreter's lock."""
    slices = [values.slice(at, SHARE) for at in range(0, len(values), SHARE)] or [values]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return pa.concat_arrays(list(pool.map(work, slices)))


def _bare(values: pa.Array, besides: str) -> pa.Array:
    return _spread(lambda part: pc.replace_substring_regex(part, besides, ""), values)


def trusted(
    df: pd.DataFrame, authserv: str | Iterable[str] | None
) -> tuple[Ints, pa.Array, list[str]]:
    """Give the results of servers the reader trusts, stripped bare, and those servers' names.

    Without comments, quoted strings and properties few distinct values are left.

    RFC 8601 section 5: the receiving server removes fields that bear its own name before it adds
    its own, on top. So by default the name that stands on top of most messages is trusted.
    """
    columns.require(df, "authentication_results", hint=HINT)
    rows, values = columns.flat(df, "authentication_results")
    encoded = _bare(values, BESIDES).dictionary_encode()
    server = pc.utf8_lower(_found(encoded.dictionary, SERVER)).take(encoded.indices)
    if authserv is None:
        on_top = server.filter(pa.array(columns.starts_of(rows)))
        counted = pc.value_counts(on_top.drop_null())
        names = [max(counted.to_pylist(), key=lambda c: c["counts"])["values"]] if counted else []
    else:
        names = [authserv] if isinstance(authserv, str) else list(authserv)
        names = [name.lower() for name in names]
    known = pc.is_in(server, pa.array(names, pa.large_string()))
    return rows[columns.numpy(known)], encoded.filter(known), names


def authentication(df: pd.DataFrame, authserv: str | Iterable[str] | None) -> pd.DataFrame:
    """Give each message's results; see ``df.mail.authentication``."""
    rows, values, names = trusted(df, authserv)
    table = pd.DataFrame(index=columns.labelled(df, np.arange(len(df))))
    table["checked"] = np.bincount(rows, minlength=len(df)) > 0
    for method in METHODS:
        result = _results(rows, values, method, len(df))
        table[method] = columns.text(result)
    table.attrs["authserv"] = names
    return table


def _results(rows: Ints, results: pa.DictionaryArray, method: str, total: int) -> pa.Array:
    """Give one result a row: the first, but of several DKIM signatures one that passed."""
    out = np.full(total, -1, dtype=np.int64)
    wanted = [r"[a-z]+"] if method != "dkim" else [r"[a-z]+", "pass"]
    labels = pa.array([], pa.large_string())
    for value in wanted:
        pattern = RESULT.format(method=method, value=value)
        found = pc.utf8_lower(_found(results.dictionary, pattern)).dictionary_encode()
        codes = columns.numpy(found.indices.fill_null(-1).take(results.indices))
        hits = np.flatnonzero(codes >= 0)[::-1]  # backwards, so that the first is written last
        out[rows[hits]] = codes[hits] + len(labels)
        labels = pa.concat_arrays([labels, found.dictionary])
    return labels.take(pa.array(np.maximum(out, 0), mask=out < 0))


def hops(df: pd.DataFrame) -> pd.DataFrame:
    """List the relays of each message; see ``df.mail.hops``."""
    columns.require(df, "received", hint=HINT)
    rows, values = columns.flat(df, "received")
    number = _hop_numbers(rows)
    order = np.lexsort((number, rows))
    rows, number, values = rows[order], number[order], values.take(order)
    at = _times(values)
    bare = _bare(values, COMMENT)
    protocol, tls, mail = _protocols(values, bare)
    index = columns.labelled(df, rows)
    table = pd.DataFrame(
        {
            "hop": number,
            "from_host": columns.text(_clause(bare, FROM)),
            "by_host": columns.text(_clause(bare, BY)),
            "protocol": columns.text(protocol),
            "tls": pd.arrays.BooleanArray(tls, ~mail),
            "time": columns.stamps(at),
            "seconds": _latency(rows, at),
        },
        index=index,
    )
    return table.set_index("hop", append=True)


def _clause(bare: pa.Array, pattern: str) -> pa.Array:
    return _spread(lambda part: _found(part, pattern), bare)


def _hop_numbers(rows: Ints) -> Ints:
    """Count the fields of a message from the last, where its way began, up to the first."""
    starts = np.flatnonzero(columns.starts_of(rows))
    lengths = np.diff(np.append(starts, len(rows)))
    return np.repeat(starts + lengths, lengths) - np.arange(len(rows))


def _protocols(values: pa.Array, bare: pa.Array) -> tuple[pa.Array, Bools, Bools]:
    """Tell of each hop its protocol, whether it was encrypted, and whether mail was handed over."""
    encoded = _clause(bare, WITH).dictionary_encode()
    encoded = pa.DictionaryArray.from_arrays(encoded.indices, pc.utf8_upper(encoded.dictionary))
    codes = columns.numpy(encoded.indices.fill_null(-1))
    kinds = encoded.dictionary

    def matches(pattern: str) -> Bools:
        hit = columns.numpy(pc.match_substring_regex(kinds, pattern))
        found: Bools = np.append(hit, False)[codes]  # False is what code -1 looks up
        return found

    cipher = _spread(lambda part: pc.match_substring_regex(part, TLS), values)
    tls = matches(SECURE_PROTOCOL) | columns.numpy(cipher)
    protocol = encoded.dictionary.take(encoded.indices)
    return protocol, tls, matches(MAIL_PROTOCOL) | tls


def _times(values: pa.Array) -> Ints:
    """Read the instants in microseconds of UTC; ``NEVER`` where there is no date to be read."""
    tails = pc.utf8_slice_codeunits(values, -TAIL)
    parts = _spread(lambda part: pc.extract_regex(part, DATE), tails)
    day = _each(pc.struct_field(parts, "day"), DAY, _days)
    seconds = _each(pc.struct_field(parts, "time"), TIME, _seconds)
    east = _each(pc.struct_field(parts, "zone"), ZONE, _seconds)
    east = np.where(east == columns.NEVER, 0, east)
    known = (day != columns.NEVER) & (seconds != columns.NEVER)
    return np.where(known, day * clock.DAY + (seconds - east) * clock.SECOND, columns.NEVER)


def _each(texts: pa.Array, pattern: str, read: Callable[[dict[str, str]], int | None]) -> Ints:
    """Read each distinct text by a pattern; ``NEVER`` where it does not fit or there is none."""
    encoded = texts.dictionary_encode()
    found = pc.extract_regex(encoded.dictionary, pattern).to_pylist()
    numbers = [read(parts) if parts else None for parts in found]
    lookup = [columns.NEVER if number is None else number for number in numbers]
    codes = columns.numpy(encoded.indices.fill_null(len(lookup)))
    read_out: Ints = np.array([*lookup, columns.NEVER], dtype=np.int64)[codes]
    return read_out


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


def _latency(rows: Ints, at: Ints) -> Floats:
    """Give the seconds since the hop before; missing at the first and where a time is."""
    seconds = np.full(len(rows), np.nan)
    follows = np.flatnonzero((rows[1:] == rows[:-1]) & (at[1:] != columns.NEVER))
    follows = follows[at[follows] != columns.NEVER]
    seconds[follows + 1] = (at[follows + 1] - at[follows]) / clock.SECOND
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
        hits = groups.where(columns.numpy(passed)[groups.rows]).count
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
    _, tls, mail = _protocols(values, _bare(values, COMMENT))
    secure = np.bincount(rows[tls], minlength=len(df))
    handed = np.bincount(rows[mail], minlength=len(df))

    def mass(per_row: Ints) -> Floats:
        weights = per_row[groups.rows].astype(np.float64)
        return np.bincount(groups.codes, weights, total).astype(np.float64)

    table["hops"] = _ratio(mass(number), mass((number > 0).astype(np.int64)))
    table["tls"] = _ratio(mass(secure), mass(handed))
    ends = np.flatnonzero(np.diff(rows, append=-1))  # the first relay's field is the last
    starts = np.flatnonzero(columns.starts_of(rows))
    begun, done = _times(values.take(ends)), _times(values.take(starts))
    seconds = np.full(len(df), np.nan)
    sane = (begun != columns.NEVER) & (done != columns.NEVER)
    seconds[rows[starts][sane]] = (done - begun)[sane] / clock.SECOND
    taken = pd.Series(seconds[groups.rows]).groupby(groups.codes).median()
    table["seconds"] = taken.reindex(range(total)).to_numpy()


def _ratio(part: Numbers, whole: Numbers) -> Floats:
    """Divide, with NaN where there is nothing to divide by."""
    shares: Floats = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
