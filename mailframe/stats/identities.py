"""People with several addresses: which of them are proposed as one, and a frame where they are.

Proposed are addresses of one mailbox (a detail behind "+", dots at Gmail; case never counts), and
those of one domain under one name of a person. A name alone proves nothing: there are many of it.
What is proposed is a plain dict, to be read and mended before it is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.headers.automatic import UNREAD_SENDER
from mailframe.stats import people, replaced, vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}  # dots there mean nothing
MOST = 5  # addresses of one name at one domain; more are a program's, one for each case or order
WORDS = 2  # of a name of a person: "Ann Bell", not "Support"


def identities(df: pd.DataFrame) -> dict[str, str]:
    """Propose which addresses are one person's.

    Parameters
    ----------
    df : pandas.DataFrame
        Mail, from any of the readers; of its columns ``from_addr``, ``from_name``, ``to``, ``cc``
        count, as far as they are there.

    Returns
    -------
    dict of str to str
        An address (lower case) to the address that stands for its person: of several without a
        detail that which most messages name. Addresses that are alone are not in it. Read it, take
        out what is wrong, add what is missing, and hand it to any statistic:
        ``df.mail.senders(people=...)``.

    Notes
    -----
    One person's are ``ann+shop@example.org`` and ``ann@example.org``; ``a.nn@gmail.com`` and
    ``ann@googlemail.com``; and at one domain up to five addresses that write under one name of at
    least two words. The same name at two domains is two people until you say otherwise.
    """
    held = [name for name in ("from_addr", "to", "cc") if name in df.columns]
    vectors.require(df, "from_addr")
    parts = vectors.together(df, held, "address", fold=True)
    counts = sum(part.count for part in parts)
    number = dict(zip(parts[0].labels.to_pylist(), np.asarray(counts).tolist(), strict=True))
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for address in number:
        groups[mailbox(address)].add(address)
    leader = {address: key for key, group in groups.items() for address in group}
    for together in _same_name(df):
        keys = {leader[address] for address in together}
        first, *others = sorted(keys)
        for key in others:
            groups[first] |= groups.pop(key)
            leader.update(dict.fromkeys(groups[first], first))
    found = {}
    for group in groups.values():
        if len(group) > 1:
            person = min(group, key=lambda one: ("+" in one.partition("@")[0], -number[one], one))
            found.update({address: person for address in sorted(group) if address != person})
    return found


def mailbox(address: str) -> str:
    """Name the mailbox of an address in lower case: without a detail, at Gmail without dots."""
    local, at, domain = address.rpartition("@")
    if not at:
        return address
    bare = local.partition("+")[0] or local
    if domain in DOTLESS:
        return f"{bare.replace('.', '') or bare}@{DOTLESS[domain]}"
    return f"{bare}@{domain}"


def _same_name(df: pd.DataFrame) -> list[set[str]]:
    """Find addresses at one domain that write under one name of a person."""
    if "from_name" not in df.columns:
        return []
    written: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    counted = people.names(df)
    addresses, names = (counted.index.get_level_values(level).tolist() for level in (0, 1))
    for address, name, count in zip(addresses, names, counted.tolist(), strict=True):
        words = name.casefold().replace(",", " ").split()
        if len(words) >= WORDS and "@" in address and "@" not in name:
            written[" ".join(sorted(words)), address.rpartition("@")[2]][address] += count
    groups = [set(counts) for counts in written.values() if 1 < len(counts) <= MOST]
    every = pa.array(sorted(set().union(*groups)), pa.large_string())
    unread = set(every.filter(pc.match_substring_regex(every, UNREAD_SENDER)).to_pylist())
    return [group - unread for group in groups if len(group - unread) > 1]


def joined(df: pd.DataFrame, persons: Mapping[str, str]) -> pd.DataFrame:
    """Give a frame in which each person has one address; see ``df.mail.joined``."""
    mapping = {old.lower(): new for old, new in persons.items()}
    old, new = (pa.array(list(words), pa.large_string()) for words in (mapping, mapping.values()))

    def one(texts: pa.Array) -> pa.Array:
        place = pc.index_in(pc.utf8_lower(texts), old)
        return pc.coalesce(new.take(place), texts)

    held = [name for name in sorted(people.ADDRESSES) if name in df.columns]
    arrays = replaced.replaced([vectors.arrow(df, name) for name in held], one)
    out = {
        name: replaced.as_pandas(array, df[name].dtype)
        for name, array in zip(held, arrays, strict=True)
    }
    if "from_domain" in df.columns and "from_addr" in held:
        after = arrays[held.index("from_addr")]
        moved = pc.fill_null(pc.not_equal(after, vectors.arrow(df, "from_addr")), False)  # noqa: FBT003 -- Arrow's signature
        domain = vectors.arrow(df, "from_domain").cast(pa.large_string())
        domain = pc.if_else(moved, people.domain_of(after), domain)
        out["from_domain"] = replaced.as_pandas(domain, df["from_domain"].dtype)
    return df.assign(**out)


def persons(addresses: str | Iterable[str], mapping: Mapping[str, str]) -> list[str]:
    """Give the addresses that stand for the persons of some addresses."""
    given = [addresses] if isinstance(addresses, str) else list(addresses)
    known = {old.lower(): new for old, new in mapping.items()}
    return [known.get(address.lower(), address) for address in given]
