"""Who writes and who is written to. People are addresses, compared without regard to case."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import TEXT
from mailframe.stats import dates, me, vectors, volume
from mailframe.stats.profiles import profile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo
    from typing import Any

    from publicsuffixlist import PublicSuffixList

    from mailframe.stats.vectors import Coded

ADDRESSES = frozenset({"from_addr", "to", "cc", "bcc", "reply_to", "sender"})
CASELESS = ADDRESSES | {"from_domain", "list_id"}
LEVELS = ("domain", "organisation")
KINDS = ("to", "cc", "bcc")


def key(df: pd.DataFrame, name: str) -> Coded:
    """Encode a column; addresses, domains and list ids without regard to case."""
    return vectors.coded(df, name, fold=name in CASELESS)


def top(df: pd.DataFrame, column: str, n: int) -> pd.Series[Any]:
    """Count messages by a column's values; see ``df.mail.top``."""
    values = key(df, column).once()
    counts = values.count
    table = pd.DataFrame({"messages": counts}, index=values.index())[counts > 0]
    return vectors.ranked(table)["messages"].iloc[:n]


def names(df: pd.DataFrame) -> pd.Series[Any]:
    """Count the names each address writes under; see ``df.mail.names``."""
    vectors.require(df, "from_addr", "from_name")
    who = vectors.coded(df, "from_addr", fold=True)
    called = vectors.coded(df, "from_name").dense(len(df))[who.rows]
    labels = vectors.coded(df, "from_name").labels
    pairs = who.codes[called >= 0] * len(labels) + called[called >= 0]
    used, counts = np.unique(pairs, return_counts=True)
    address, name = np.divmod(used, max(len(labels), 1))
    names, addresses = vectors.alphabetic(labels), vectors.alphabetic(who.labels)
    order = np.lexsort((names[name], -counts, addresses[address]))
    index = pd.MultiIndex.from_arrays(
        [
            vectors.text(who.labels.take(address[order])),
            vectors.text(labels.take(name[order])),
        ],
        names=["address", "name"],
    )
    return pd.Series(counts[order], index=index, name="messages")


def best_names(df: pd.DataFrame) -> pd.DataFrame:
    """Give the commonest name of each address that has one, and how many it has."""
    counted = names(df)
    address = counted.index.get_level_values("address")
    first = ~address.duplicated()
    table = pd.DataFrame(
        {"name": counted.index.get_level_values("name")[first]}, index=address[first]
    )
    table["names"] = np.diff(np.append(np.flatnonzero(first), len(counted)))
    return table


def senders(df: pd.DataFrame) -> pd.DataFrame:
    """Tell of each sender; see ``df.mail.senders``."""
    table = profile(df, vectors.coded(df, "from_addr", fold=True), "address")
    known = best_names(df).reindex(table.index)
    table.insert(0, "name", known["name"])
    table.insert(1, "names", known["names"].fillna(0).astype("int64"))
    return table


def domains(df: pd.DataFrame, level: str) -> pd.DataFrame:
    """Tell of each sender's domain; see ``df.mail.domains``."""
    if level not in LEVELS:
        raise ConfigurationError(f"level={level!r}: 'domain' or 'organisation'")
    domain = vectors.coded(df, "from_domain", fold=True)
    if level == "organisation":
        domain = domain.merged(organisations(domain.labels))
    table = profile(df, domain, level)
    sender = vectors.coded(df, "from_addr", fold=True)
    pair = np.full(len(df), -1, dtype=np.int64)
    pair[sender.rows] = sender.codes
    width = max(len(sender.labels), 1)
    both = pair[domain.rows] >= 0
    pairs = vectors.unique(domain.codes[both] * width + pair[domain.rows][both])
    people = np.bincount(pairs // width, minlength=len(domain.labels))
    table.insert(1, "senders", pd.Series(people, domain.index(level)).reindex(table.index))
    return table


def organisations(names: pa.Array) -> pa.Array:
    """Give what somebody registered of each domain; a domain that nobody could stays itself."""
    return pa.array([registered(name) or name for name in names.to_pylist()], TEXT)


def registered(name: str) -> str | None:
    """Give what somebody registered of a domain; None where nobody could."""
    found: str | None = _suffixes().privatesuffix(name)
    return found


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 -- reads a list of ten thousand

    return PublicSuffixList()


def recipients(df: pd.DataFrame) -> pd.DataFrame:
    """List every recipient of every message; see ``df.mail.recipients``."""
    vectors.require(df, "to", "cc")
    parts = [vectors.flat(df, kind) for kind in KINDS if kind in df.columns]
    kinds = [kind for kind in KINDS if kind in df.columns]
    rows = np.concatenate([part[0] for part in parts])
    which = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    order = np.lexsort((which, rows))
    address = pa.chunked_array([part[1] for part in parts]).combine_chunks().take(order)
    encoded = pc.dictionary_encode(address)
    codes = np.asarray(encoded.indices)
    labels = encoded.dictionary
    known = best_names(df)["name"] if "from_name" in df.columns else pd.Series(dtype="str")
    name = known.reindex(pc.utf8_lower(labels).to_pandas()).array
    return pd.DataFrame(
        {
            "kind": vectors.kinds(which[order], kinds),
            "name": name.take(codes),
            "address": vectors.text(address),
            "domain": vectors.text(domain_of(labels)).take(codes),
        },
        index=vectors.labelled(df, rows[order]),
    )


def domain_of(addresses: pa.Array) -> pa.Array:
    """Give what follows the last "@", lower case; null where there is none."""
    found = pc.extract_regex(addresses, r"@(?P<domain>[^@]*)$")
    return pc.utf8_lower(pc.struct_field(found, "domain"))


def people(df: pd.DataFrame) -> pd.DataFrame:
    """Tell of every address in From, To and Cc; see ``df.mail.people``."""
    vectors.require(df, "from_addr", "to", "cc")
    sent, *received = vectors.together(df, ("from_addr", "to", "cc"), "address", fold=True)
    anywhere = _joined([sent, *received])
    table = profile(df, anywhere, "address")
    table = table.drop(columns=[name for name in ("bytes", "read") if name in table])
    index = anywhere.index("address")
    written = pd.Series(sent.count, index)
    addressed = pd.Series(_joined(received).once().count, index)
    known = best_names(df)["name"] if "from_name" in df.columns else pd.Series(dtype="str")
    table.insert(0, "name", known.reindex(table.index))
    domain = vectors.text(domain_of(pa.array(table.index, pa.large_string())))
    table.insert(1, "domain", pd.Series(domain, table.index))
    table.insert(3, "wrote", written.reindex(table.index))
    table.insert(4, "addressed", addressed.reindex(table.index))
    return table


def newcomers(
    df: pd.DataFrame, freq: str, *, column: str, tz: str | tzinfo | None, date: str
) -> pd.DataFrame:
    """List who was seen for the first time in each period; see ``df.mail.newcomers``."""
    rows, bins, index = volume.binned(df, freq, tz, date)
    utc = dates.micros(df, date)
    period = np.zeros(len(df), dtype=np.int64)
    period[rows] = bins
    who = key(df, column).once()
    who = who.where(utc[who.rows] != vectors.NEVER)
    order = np.lexsort((who.rows, utc[who.rows], who.codes))
    codes = who.codes[order]
    first = order[np.flatnonzero(vectors.starts_of(codes))]
    rank = vectors.alphabetic(who.labels)
    first = first[np.lexsort((rank[who.codes[first]], utc[who.rows[first]]))]
    table = pd.DataFrame(
        {
            "address": vectors.text(who.labels.take(who.codes[first])),
            "first": vectors.stamps(utc[who.rows[first]]),
            "messages": who.count[who.codes[first]],
        }
    ).rename(columns={} if column in ADDRESSES else {"address": column})
    return volume.partial(table.set_index(index[period[who.rows[first]]]), index)


def internal(df: pd.DataFrame, *, own: str | Iterable[str] | None, me_: me.Given) -> pd.DataFrame:
    """Compare mail from inside and outside; see ``df.mail.internal``."""
    known = me.own(df, me_, must_send=False) if own is None else None
    told = [own] if isinstance(own, str) else own or ()
    inside = pa.array(list(told), pa.large_string())
    if known is not None:
        inside = pc.unique(domain_of(known.addresses))
    domain = vectors.coded(df, "from_domain", fold=True)
    is_inside = vectors.numpy(pc.is_in(domain.labels, pc.utf8_lower(inside)))
    side = domain.merged(
        pa.array(np.where(is_inside, "internal", "external").tolist(), pa.large_string())
    )
    table = profile(df, side, "side").reindex(pd.Index(["internal", "external"], name="side"))
    for name in ("messages", "bytes"):
        if name in table:
            table[name] = table[name].fillna(0).astype("int64")
    return known.tell(table) if known else table


def _joined(parts: list[Coded]) -> Coded:
    """Chain columns that share their labels."""
    rows = np.concatenate([part.rows for part in parts])
    codes = np.concatenate([part.codes for part in parts])
    return vectors.Coded(parts[0].name, rows, codes, parts[0].labels)
