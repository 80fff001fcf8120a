"""A mailbox of any size, made from a seed: people, folders, replies, lists, trace fields.

Everything is drawn as whole columns, so that a million messages take seconds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ME = "me@example.org"
FOLDERS = ["Archive", "INBOX", "Lists/dev", "Sent"]
START = np.datetime64("2019-01-01", "us").astype(np.int64)
DEEPEST = 8  # ancestors that References name


def make_frame(rows, *, seed=0, delivery=False):
    """Make a frame of ``rows`` messages over the columns of the schema."""
    rng = np.random.default_rng(seed)
    people = pa.array(
        [f"p{n}@d{n % max(rows // 500, 7)}.example.net" for n in range(rows // 40 + 9)]
    )
    sent = rng.random(rows) < 0.2
    who = rng.zipf(1.4, rows) % len(people)
    parent = np.where(rng.random(rows) < 0.5, np.arange(rows) - rng.geometric(0.02, rows), -1)
    parent = np.maximum(parent, -1)
    topic = _roots(parent)
    moment = START + np.sort(rng.integers(0, 5 * 365 * 86_400, rows)) * 1_000_000
    ids = _join([_numbers(np.arange(rows)), "id@example.net"], ".")
    addresses = pc.if_else(sent, ME, people.take(who))
    folder = np.where(sent, 3, np.where(who % 9 == 0, 2, rng.integers(0, 2, rows)))
    to = pc.if_else(sent, people.take(rng.permutation(who)), ME)
    cc, counts = people.take(rng.integers(0, len(people), rows)), rng.random(rows) < 0.3
    columns = {
        "account": _category(np.zeros(rows, int), ["me@example.org"]),
        "folder": _category(folder, FOLDERS),
        "uid": np.arange(1, rows + 1, dtype=np.uint32),
        "date": _instants(moment),
        "date_offset": pd.array(rng.choice([-480, 0, 60, 330], rows), dtype="Int16"),
        "internaldate": _instants(moment + rng.integers(0, 300, rows) * 1_000_000),
        "from_name": _text(pc.if_else(sent, "Me", _join(["Person", _numbers(who)], " "))),
        "from_addr": _text(addresses),
        "from_domain": _text(pc.struct_field(pc.extract_regex(addresses, "@(?P<d>.*)"), "d")),
        "to": _lists(to, np.ones(rows, int)),
        "cc": _lists(cc.filter(pa.array(counts)), counts),
        "subject": _text(
            _join([pc.if_else(parent < 0, "Topic", "Re: Topic"), _numbers(topic)], " ")
        ),
        "message_id": _text(ids),
        "in_reply_to": _text(ids.take(pa.array(parent, mask=parent < 0))),
        "references": _references(parent, ids),
        "list_id": _text(pc.if_else(folder == 2, _join(["list", _numbers(who % 50)], "-"), None)),
        "bulk": folder == 2,
        "auto": np.zeros(rows, bool),
        "size": pd.array(rng.lognormal(9, 1.5, rows).astype(np.int64), dtype="Int64"),
        "seen": rng.random(rows) < 0.7,
        "answered": rng.random(rows) < 0.2,
        "flagged": rng.random(rows) < 0.05,
        "draft": np.zeros(rows, bool),
        "deleted": np.zeros(rows, bool),
        "keywords": _lists(pa.array([], pa.string()), np.zeros(rows, int)),
        "defects": np.zeros(rows, np.uint8),
    }
    if delivery:
        columns |= _delivery(rng, moment, who)
    return pd.DataFrame(columns)


def _roots(parent):
    root = np.where(parent < 0, np.arange(len(parent)), parent)
    while not np.array_equal(root, root[root]):
        root = root[root]
    return root


def _references(parent, ids):
    """Name up to DEEPEST ancestors of each message, the oldest first."""
    chain, here = [], parent
    for _ in range(DEEPEST):
        chain.append(here)
        here = np.where(here >= 0, parent[here], -1)
    table = np.stack(chain[::-1], axis=1)
    return _lists(ids.take(table[table >= 0]), (table >= 0).sum(axis=1))


def _delivery(rng, moment, who):
    rows = len(moment)
    spf, dkim, dmarc = (
        pa.array(["pass", "fail", "none"]).take(rng.choice(3, rows, p=[0.9, 0.04, 0.06]))
        for _ in range(3)
    )
    host = _join(["mail", _numbers(who), "example.net"], ".")
    own = _numbers(rng.integers(10**9, 10**10, rows))  # what no two messages share
    results = _join(
        [
            "mx.example.org; dkim=",
            dkim,
            " header.i=@",
            host,
            " header.s=2024 header.b=Pq",
            own,
            ";\r\n spf=",
            spf,
            " (mx.example.org: domain of bounce@",
            host,
            " designates 192.0.2.7 as permitted sender) smtp.mailfrom=bounce@",
            host,
            ";\r\n dmarc=",
            dmarc,
            " (p=REJECT sp=REJECT dis=NONE) header.from=",
            host,
        ],
        "",
    )
    hops = []
    for hop in (2, 1, 0):
        at = pc.strftime(
            pa.array(moment // 1_000_000 + hop * 2, pa.timestamp("s", "UTC")),
            "%a, %d %b %Y %H:%M:%S +0000",
        )
        hops.append(
            _join(
                [
                    "from ",
                    host,
                    " (unknown [192.0.2.7])\r\n\tby mx",
                    str(hop),
                    ".example.org (Postfix) with ESMTPS id 4Rz",
                    own,
                    "\r\n\tfor <me@example.org>; ",
                    at,
                ],
                "",
            )
        )
    order = np.arange(3 * rows).reshape(3, rows).T.ravel()
    received = pa.chunked_array(hops).combine_chunks().take(order)
    return {
        "authentication_results": _lists(results, np.ones(rows, int)),
        "received": _lists(received, np.full(rows, 3)),
    }


def _numbers(values):
    return pa.array(values).cast(pa.string())


def _join(parts, gap):
    return pc.binary_join_element_wise(
        *[pa.scalar(p) if isinstance(p, str) else p.cast(pa.string()) for p in parts], gap
    )


def _lists(items, counts):
    offsets = np.concatenate([[0], np.cumsum(counts)])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items.cast(pa.string()))
    return pd.arrays.ArrowExtensionArray(lists)


def _text(values):
    return pd.array(values.cast(pa.large_string()), dtype="str")


def _category(codes, names):
    return pd.Categorical.from_codes(codes, names)


def _instants(values):
    return pd.DatetimeIndex(values.view("M8[us]"), tz="UTC")
