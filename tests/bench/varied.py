"""A million rows in which hardly anything comes twice, as mailboxes of many years are.

Ids, subjects, hosts' names, addresses of the network and queue ids are distinct; 50,000 people of
5,000 domains write, some much and most of them little; a message has 5.6 Received on average, in
the words of eight kinds of servers. Drawn as whole columns, so that a million rows take a minute.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tests.stats.frames import ME, make_frame

PEOPLE, DOMAINS = 50_000, 5_000
ZONES = ("+0000", "+0200", "-0700 (PDT)", "+0530", "+0100 (CET)", "GMT")
ZONE_HOURS = (0, 2, -7, 5.5, 1, 0)
DAY = 86_400
# {f} a relay, {b} a server, {i} an IPv4 address, {q} a queue id, {w} whom for, {d} the date.
WORDS = (
    "from {f} ({f} [{i}])\r\n\tby {b} (Postfix) with ESMTPS id {q}\r\n\tfor <{w}>; {d}",
    (
        "from {f} ({f}. [{i}])\r\n        by {b} with ESMTPS id {q}\r\n        for <{w}>{t};"
        "\r\n        {d}"
    ),
    "by 2002:a05:6402:{q} with SMTP id {q};\r\n        {d}",
    (
        "from [{i}] (helo={f})\r\n\tby {b} with esmtpsa  (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n"
        "\t(Exim 4.97)\r\n\t(envelope-from <{w}>)\r\n\tid {q};\r\n\t{d}"
    ),
    "from {f} ({i}) by\r\n {b} ({i}) with Microsoft SMTP Server{m} id 15.20.{q}; {d}",
    (
        "from {b} ([127.0.0.1])\r\n\tby localhost ({b} [127.0.0.1]) (amavisd-new, port 10024)"
        "\r\n\twith ESMTP id {q}; {d}"
    ),
    (
        "from {b} ([{i}])\r\n\tby {b} with LMTP\r\n\tid {q}\r\n\t(envelope-from <{w}>)"
        "\r\n\tfor <{w}>; {d}"
    ),
    "from {f} (HELO {f}) ({i})\r\n  by {b} with SMTP; {d}",
)
FIXED = {
    "t": "\r\n        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256)",
    "m": " (version=TLS1_2,\r\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)",
}
SHARES = (0.3, 0.2, 0.1, 0.08, 0.12, 0.07, 0.08, 0.05)


def make_varied(rows, *, seed=1, delivery=True):
    """Make the frame; its columns are those of the schema, and with ``delivery`` the trace."""
    rng = np.random.default_rng(seed)
    df = make_frame(rows, seed=seed)
    address = _addresses(rng)
    sent = (df["from_addr"] == ME).to_numpy()
    who = np.minimum(rng.zipf(1.2, rows) - 1, PEOPLE - 1)
    new = rng.random(rows) < 0.4
    who[new] = rng.integers(0, PEOPLE, int(new.sum()))
    theirs = pc.if_else(sent, ME, address.take(pa.array(who)))
    df["from_addr"] = _text(theirs)
    df["from_name"] = _text(_fill("Person {q} of {i}", {"q": _n(who), "i": _n(who % 977)}))
    df["from_domain"] = _text(pc.struct_field(pc.extract_regex(theirs, "@(?P<d>.*)"), "d"))
    for name, least, most in (("to", 1, 4), ("cc", 0, 2)):
        counts = rng.integers(least, most + 1, rows)
        named = rng.integers(0, PEOPLE, int(counts.sum()))
        items = address.take(pa.array(named))
        if name == "to":
            first = np.cumsum(counts) - counts
            mask = np.zeros(len(named), bool)
            mask[first[~sent]] = True
            items = pc.if_else(mask, ME, items)
        df[name] = _lists(items, counts)
    topic = df["subject"].str.removeprefix("Re: ").str.removeprefix("Topic ")
    reply = df["subject"].str.startswith("Re: ").to_numpy()
    said = _fill(
        "{q}{w} about {i} of {d}",
        {
            "q": pc.if_else(reply, "Re: ", ""),
            "w": _hex(rng.integers(0, 1 << 40, rows)),
            "i": _text_of(topic),
            "d": _n(rng.integers(0, 400, rows)),
        },
    )
    df["subject"] = _text(said)
    if delivery:
        when = df["date"].to_numpy(dtype="datetime64[s]").astype(np.int64)
        df["authentication_results"] = _results(rng, df)
        df["received"] = _received(rng, when)
    return df


def _addresses(rng):
    n = np.arange(PEOPLE)
    domain = np.minimum(rng.zipf(1.3, PEOPLE) - 1, DOMAINS - 1)
    parts = {"q": _hex(n * 7919 + 4096), "i": _n(n % 613), "d": _n(domain)}
    return _fill("{q}.family{i}@company{d}.example", parts)


def _results(rng, df):
    rows = len(df)
    said = [
        pa.array(["pass", "fail", "none"]).take(pa.array(rng.choice(3, rows, p=[0.9, 0.04, 0.06])))
        for _ in range(3)
    ]
    parts = {
        "a": said[0],
        "s": said[1],
        "m": said[2],
        "h": _text_of(df["from_domain"]),
        "q": _hex(rng.integers(0, 1 << 48, rows)),
        "i": _ip(rng, rows),
    }
    line = (
        'mx.example.org;\r\n       dkim={a} header.i=@{h} header.s=s2024 header.b="{q}";\r\n'
        "       spf={s} (mx.example.org: domain of bounce-{q}@{h} designates {i} as permitted "
        "sender) smtp.mailfrom=bounce-{q}@{h};\r\n"
        "       dmarc={m} (p=REJECT sp=REJECT dis=NONE) header.from={h}"
    )
    return _lists(_fill(line, parts), np.ones(rows, int))


def _received(rng, when):
    rows = len(when)
    counts = np.clip(rng.poisson(4.6, rows) + 1, 1, 14)
    total = int(counts.sum())
    first = np.cumsum(counts) - counts
    row = np.repeat(np.arange(rows), counts)
    behind = counts[row] - 1 - (np.arange(total) - first[row])  # the last field is the first hop
    at = when[row] + behind * 2 + rng.integers(0, 2, total)
    kind = rng.choice(len(WORDS), total, p=SHARES)
    out, order = [], []
    for number, words in enumerate(WORDS):
        chosen = np.flatnonzero(kind == number)
        n = len(chosen)
        parts = FIXED | {
            "f": _fill(
                "mail{q}.company{d}.example",
                {"q": _n(rng.integers(0, 90, n)), "d": _n(rng.integers(0, DOMAINS, n))},
            ),
            "b": _fill("mx{q}.example.org", {"q": _n(rng.integers(0, 40, n))}),
            "i": _ip(rng, n),
            "q": _hex(rng.integers(1 << 44, 1 << 48, n)),
            "w": _fill("user{q}@example.org", {"q": _n(rng.integers(0, 3000, n))}),
            "d": _dates(rng, at[chosen]),
        }
        out.append(_fill(words, parts))
        order.append(chosen)
    back = np.argsort(np.concatenate(order))
    return _lists(pa.chunked_array(out).combine_chunks().take(pa.array(back)), counts)


def _dates(rng, at):
    zone = rng.choice(len(ZONES), len(at), p=[0.4, 0.15, 0.25, 0.05, 0.1, 0.05])
    local = at + (np.array(ZONE_HOURS)[zone] * 3600).astype(np.int64)
    stamp = pc.strftime(pa.array(local, pa.timestamp("s")), "%a, %d %b %Y %H:%M:%S")
    bare = pc.replace_substring_regex(stamp, ", 0", ", ")  # half of the servers write no zero
    stamp = pc.if_else(rng.random(len(at)) < 0.5, stamp, bare)
    return _join([stamp, pa.array(ZONES).take(pa.array(zone))], " ")


def _ip(rng, n):
    return _join([_n(rng.integers(1, 255, n)) for _ in range(4)], ".")


def _fill(words, parts):
    """Put columns into a text: "{a} of {b}"."""
    pieces = []
    for part in words.split("{"):
        name, brace, rest = part.partition("}")
        pieces += [parts[name], rest] if brace else [part]
    return _join([p for p in pieces if not isinstance(p, str) or p], "")


def _join(parts, gap):
    return pc.binary_join_element_wise(
        *[pa.scalar(p) if isinstance(p, str) else p.cast(pa.string()) for p in parts], gap
    )


def _hex(values):
    """Write numbers as twelve hexadecimal digits, or fewer."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    shift = np.arange(44, -4, -4)
    text = digits[(np.asarray(values)[:, None] >> shift) & 15]
    return pa.array(text.view("S12").ravel()).cast(pa.string())


def _n(values):
    return pa.array(np.asarray(values)).cast(pa.string())


def _text_of(series):
    return pa.array(series.array, from_pandas=True).cast(pa.string())


def _lists(items, counts):
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if isinstance(items, pa.ChunkedArray):
        items = items.combine_chunks()
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items.cast(pa.string()))
    return pd.arrays.ArrowExtensionArray(lists)


def _text(values):
    return pd.array(values.cast(pa.large_string()), dtype="str")
