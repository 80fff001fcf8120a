"""DMARC alignment: whether what passed SPF or DKIM is the domain that the reader sees (RFC 7489).

A pass alone says that some domain vouches for a mail; it counts for the author only where the
domain of From (header.from) and the domain that passed (header.d or header.i of DKIM,
smtp.mailfrom of SPF) are one organisation: relaxed alignment, RFC 7489 section 3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import delivery, people, pieces, vectors, verified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailframe.stats.vectors import Bools, Ints

PASSED = r"(?i)^\s*{method}\s*(?:/\s*\d+\s*)?=\s*pass\b"
DOMAIN = r"(?i)\s{name}\s*=\s*(?:[^\s;@]*@)?(?P<found>[^\s;@]+)"
# What each method passes for; of DKIM the first of two names that say the same.
VOUCHERS = {"spf": ("smtp.mailfrom",), "dkim": ("header.d", "header.i")}


def alignment(df: pd.DataFrame, authserv: str | Iterable[str] | None) -> pd.DataFrame:
    """Tell what is aligned; see ``df.mail.alignment``."""
    believed = delivery.believed(df, authserv)
    texts = pc.replace_substring_regex(
        believed.values, f"(?s){pieces.COMMENT}|{verified.QUOTED}", ""
    )
    results = pc.split_pattern(texts, ";")
    row = believed.rows[vectors.numpy(pc.list_parent_indices(results))]
    each = pc.list_flatten(results)
    total = len(df)
    author, names = _authors(df, row, each)
    table = pd.DataFrame(index=vectors.labelled(df, np.arange(total)))
    table["domain"] = vectors.text(names.take(pa.array(np.maximum(author, 0), mask=author < 0)))
    own = _organisations(table["domain"].array)
    aligned = np.zeros(total, dtype=bool)
    for method, properties in VOUCHERS.items():
        passed = pieces.matches(each, PASSED.format(method=method))
        at, domains = row[passed], _first(each.filter(pa.array(passed)), properties)
        same = vectors.numpy(
            pc.equal(_organisations(domains), own.take(pa.array(at))).fill_null(False)  # noqa: FBT003 -- Arrow's signature
        )
        table[method] = _any(at[same], total)
        aligned |= table[method].to_numpy()
    table["aligned"] = aligned
    table.insert(0, "checked", _any(believed.rows, total))
    table.attrs["authserv"] = believed.names
    return table


def _authors(df: pd.DataFrame, row: Ints, each: pa.Array) -> tuple[Ints, pa.Array]:
    """Give the domain of each row's author: header.from, else the column ``from_domain``."""
    said = pc.utf8_lower(pieces.found(each, DOMAIN.format(name=r"header\.from")))
    author = np.full(len(df), -1, dtype=np.int64)
    labels = pa.array([], pa.large_string())
    if "from_domain" in df.columns:
        domain = vectors.coded(df, "from_domain", fold=True)
        author[domain.rows], labels = domain.codes, domain.labels
    told = np.flatnonzero(vectors.numpy(said.is_valid()))[::-1]
    encoded = said.take(pa.array(told)).dictionary_encode()
    author[row[told]] = len(labels) + vectors.numpy(encoded.indices)  # the first is written last
    return author, pa.concat_arrays([labels, encoded.dictionary.cast(pa.large_string())])


def _first(texts: pa.Array, properties: Iterable[str]) -> pa.Array:
    patterns = (DOMAIN.format(name=name.replace(".", r"\.")) for name in properties)
    return pc.coalesce(*[pieces.found(texts, pattern) for pattern in patterns])


def _organisations(domains: pa.Array) -> pa.Array:
    encoded = pc.utf8_lower(pa.array(domains, pa.large_string())).dictionary_encode()
    return people.organisations(encoded.dictionary).take(encoded.indices)


def _any(rows: Ints, total: int) -> Bools:
    marked = np.zeros(total, dtype=bool)
    marked[rows] = True
    return marked
