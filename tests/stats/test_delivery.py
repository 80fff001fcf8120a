"""Authentication-Results and Received: as servers write them, and as forgers would."""

from __future__ import annotations

import random

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError
from mailframe.stats import pieces, received, tracewords, vectors
from tests.bench.varied import make_varied
from tests.stats.frames import make_frame

GMAIL = (
    "mx.google.com;\r\n       dkim=pass header.i=@example.net header.s=s1 header.b=Pq/+=;\r\n"
    "       spf=pass (google.com: domain of a@example.net designates 192.0.2.1 as permitted"
    " sender) smtp.mailfrom=a@example.net;\r\n"
    "       dmarc=fail (p=REJECT sp=REJECT dis=NONE) header.from=example.net"
)


SPF_AND_DKIM = {"spf": "pass", "dkim": "pass"}


def authenticated(*headers, **options):
    """Give the results of one message with these fields, as a dict."""
    df = make_frame(1)
    column = pd.Series([list(headers)], index=df.index, dtype=df["to"].dtype)
    table = df.assign(authentication_results=column).mail.authentication(**options)
    row = table.iloc[0]
    return {name: row[name] for name in ("spf", "dkim", "dmarc") if not pd.isna(row[name])}


def relayed(*headers):
    df = make_frame(1)
    column = pd.Series([list(headers)], index=df.index, dtype=df["to"].dtype)
    return df.assign(received=column).mail.hops()


def test_results_as_a_large_provider_writes_them():
    assert authenticated(GMAIL) == {"spf": "pass", "dkim": "pass", "dmarc": "fail"}


@pytest.mark.parametrize(
    ("header", "results"),
    [
        ("mx.example; none", {}),
        ("mx.example 1; spf=SoftFail", {"spf": "softfail"}),
        ("mx.example;spf=pass;dkim=none", {"spf": "pass", "dkim": "none"}),
        ("mx.example; dkim = temperror ; dmarc/1 = none", {"dkim": "temperror", "dmarc": "none"}),
        ("mx.example (a (nested) note); spf=neutral", {"spf": "neutral"}),
        ("mx.example; dkim=fail (bad); dkim=pass (good)", {"dkim": "pass"}),
        ("mx.example; spf=fail smtp.helo=h; spf=pass smtp.mailfrom=m", {"spf": "fail"}),
        ('mx.example; dkim=fail reason="bad \\"sig\\"; dkim=pass"', {"dkim": "fail"}),
        ("mx.example; x-spf=pass", {}),
        ('"mx.example"; spf=pass', {"spf": "pass"}),
        ("spf=pass (x) smtp.mailfrom=a.example; dkim=pass\r\n\theader.d=a.example", SPF_AND_DKIM),
        ("", {}),
    ],
)
def test_the_grammar_of_rfc_8601(header, results):
    assert authenticated(header) == results


@pytest.mark.parametrize(
    "header",
    [
        "mx.example; spf=none (sender said; spf=pass)",
        "mx.example; spf=none (a (deep; spf=pass) comment)",
        'mx.example; spf=none smtp.mailfrom="x; spf=pass"@evil.example',
        "mx.example; spf=none (never closed; spf=pass",
        "mx.example; spf=none smtp.mailfrom=spf=pass",
    ],
)
def test_what_a_sender_smuggles_into_a_field_is_no_result(header):
    assert authenticated(header) == {"spf": "none"}


def test_what_the_server_made_of_the_seals_of_forwarders_is_told():
    df = make_frame(2)
    fields = [["mx; arc=pass (i=2 spf=pass dkim=pass); spf=softfail"], ["mx; spf=pass"]]
    df["authentication_results"] = pd.Series(fields, index=df.index, dtype=df["to"].dtype)
    table = df.mail.authentication()
    assert table["arc"].iloc[0] == "pass"
    assert table["spf"].tolist() == ["softfail", "pass"]
    assert pd.isna(table["arc"].iloc[1])


def test_fields_of_other_servers_are_ignored():
    forged = "mx.example.org; spf=pass; dkim=pass; dmarc=pass"
    assert authenticated("mx.google.com; spf=fail", forged) == {"spf": "fail"}
    assert authenticated(forged, "other; spf=fail", authserv="OTHER") == {"spf": "fail"}
    assert authenticated(forged, authserv=["nobody"]) == {}


def test_results_spread_over_several_fields_of_one_server_are_joined():
    fields = ("mx; dmarc=pass", "mx; spf=none", "mx; dkim=pass")
    assert authenticated(*fields) == {"spf": "none", "dkim": "pass", "dmarc": "pass"}


def test_the_server_on_top_of_most_messages_is_believed_and_named():
    df = make_frame(3)
    fields = [["mine; spf=pass"], ["evil; spf=pass", "mine; spf=fail"], ["MINE; spf=none"]]
    df["authentication_results"] = pd.Series(fields, dtype=df["to"].dtype)
    table = df.mail.authentication()
    assert table.attrs["authserv"] == ["mine"]
    assert table["spf"].tolist() == ["pass", "fail", "none"]
    assert df.mail.authentication(authserv="evil")["checked"].tolist() == [False, True, False]


def test_hops_run_from_the_first_relay_to_the_last():
    table = relayed(
        "from mx.example.org (mx.example.org [192.0.2.9]) by store.example.org with LMTP id 1;\r\n"
        "\tMon, 03 Jun 2024 10:00:05 +0200 (CEST)",
        "from mail.example.net (unknown [192.0.2.1]) (using TLSv1.3 with cipher\r\n"
        "\tTLS_AES_256_GCM_SHA384) by mx.example.org (Postfix) with ESMTPS id 2\r\n"
        "\tfor <ann@example.org>; Mon, 3 Jun 2024 08:00:03 -0000",
        "by mail.example.net (qmail 123 invoked by uid 0); 3 Jun 2024 07:59 +0000",
    )
    rows = table.reset_index("hop").astype(object).where(lambda t: t.notna(), None)
    assert rows[["hop", "from_host", "by_host", "protocol", "tls"]].to_numpy().tolist() == [
        [1, None, "mail.example.net", None, None],
        [2, "mail.example.net", "mx.example.org", "ESMTPS", True],
        [3, "mx.example.org", "store.example.org", "LMTP", False],
    ]
    assert table["seconds"].tolist()[1:] == [63.0, 2.0]
    assert str(table["time"].iloc[0]) == "2024-06-03 07:59:00+00:00"


@pytest.mark.parametrize(
    ("end", "time"),
    [
        ("by b with ESMTP id 1; Thu, 14 Dec 2023 06:48:20 +0100", "2023-12-14 05:48:20"),
        ("by b with ESMTP id 1; Thu, 14 Dec 2023 06:48:20 EST", "2023-12-14 11:48:20"),
        ("by b with ESMTP id 1; Thu, 14 Dec 23 06:48:20 +0100", "2023-12-14 05:48:20"),
        ("by b with ESMTP id 1; Thu, 31 Dec 2023 23:59:60 +0000", "2024-01-01 00:00:00"),
        ("by b with ESMTP id 1; jue, 14 dic 2023 06:48:20 +0100", "2023-12-14 05:48:20"),
        (
            "by b with ESMTP id 1; Thu, 14 Dec 2023 06:48:20 -0800 (PST; a note)",
            "2023-12-14 14:48:20",
        ),
        ("by b (IBM OS/400 V5R4M0) Fri, 12 Mar 2010  16:57:18 +0530", "2010-03-12 11:27:18"),
        (
            "by b with SMTP id b-1-2\r\n 2020-06-17 16:39:24.757045452 +0000 UTC\r\n m=+349867.49",
            "2020-06-17 16:39:24",
        ),
        ("by b with ESMTP id 1; Thu, 14 Dec 2023 99:99:99 +0100", None),
        ("by b with ESMTP id 1; Thu, 14 Dec 2023 06:48:20 +0160", None),
        ("by b with ESMTP id 1; Thu, 31 Nov 2023 06:48:20 +0100", None),
        ("by b with ESMTP id 1; Thu, 14 Dec 2023 06:48:20 +0100 or later", None),
        ("by b with ESMTP id 400.2023.12.14.06.48.20", None),
    ],
)
def test_a_hop_is_dated_as_a_message_is(end, time):
    found = relayed("from a.example (a [192.0.2.1]) " + end)["time"].iloc[0]
    assert (None if pd.isna(found) else found.strftime("%Y-%m-%d %H:%M:%S")) == time


@pytest.mark.parametrize(
    ("field", "tls"),
    [
        ("from a by b with ESMTP; x", False),
        ("from a by b with esmtpsa; x", True),
        ("from a by b with UTF8SMTPS; x", True),
        ("from a by b with SMTP (version=TLS1_2 cipher=X bits=256); x", True),
        ("from a by b with Microsoft SMTP Server (TLS) id 15; x", False),
        ("from a by b with Microsoft SMTP Server (version=TLS1_2, cipher=X); x", True),
        ("from a (HELO with ESMTPS) by b with SMTP; x", False),
        ("from a by b with Microsoft SMTPSVC(5.0.2195.5329); x", False),
        ("from a by b with HTTP; x", None),
        ("from a by b with IMAP (fetchmail); x", None),
    ],
)
def test_encryption_by_the_names_of_rfc_3848_or_what_servers_note(field, tls):
    assert relayed(field)["tls"].astype(object).where(lambda t: t.notna(), None).tolist() == [tls]


@pytest.mark.parametrize(
    "date",
    ["", "; yesterday", "; 31 Feb 2024 10:00:00 +0000", "; 03 Foo 2024 10:00:00 +0000"],
)
def test_an_unreadable_time_is_missing(date):
    assert pd.isna(relayed(f"from a by b with SMTP{date}")["time"].iloc[0])


def test_delivery_sums_up_by_domain():
    df = make_frame(4)
    df["from_domain"] = pd.array(["a.example", "a.example", "a.example", "b.example"], dtype="str")
    results = [["mx; spf=pass; dmarc=pass"], ["mx; spf=fail; dmarc=pass"], [], ["mx; dkim=pass"]]
    way = [
        ["by x with ESMTPS; 3 Jun 2024 10:00:09 +0000", "by y with ESMTP; 3 Jun 2024 10:00:00 Z"],
        ["by x with ESMTPS; 3 Jun 2024 10:00:00 +0000"],
        [],
        [],
    ]
    df["authentication_results"] = pd.Series(results, dtype=df["to"].dtype)
    df["received"] = pd.Series(way, dtype=df["to"].dtype)
    table = df.mail.delivery()
    a = table.loc["a.example"]
    assert a[["messages", "checked", "spf", "dkim", "dmarc"]].tolist() == [3, 2, 0.5, 0.0, 1.0]
    assert a[["hops", "tls", "seconds"]].tolist() == [1.5, pytest.approx(2 / 3), 4.5]
    assert table.loc["b.example", "dkim"] == 1.0
    assert pd.isna(table.loc["b.example", "hops"])


def test_a_frame_without_the_headers_says_how_to_get_them():
    for method in ("authentication", "hops", "delivery"):
        with pytest.raises(ConfigurationError, match=r"headers=mf\.DELIVERY"):
            getattr(make_frame(2).mail, method)()


PIECES = ["(", ")", ";", "\\", '"', " ", " by ", " with ", " from ", "(by x)", " id ", "\r\n\t"]
PIECES += [
    "(a (b) c)",
    "(a (b (c)))",
    "TLSv1.2 ",
    "cipher=",
    "Microsoft ",
    "x",
    "by",
    "with",
    "BY ",
]
PIECES += [
    "With\t",
    " MICROSOFT ",
    " microsoft;",
    " Microsoft (x) ",
    "\x01",
    "\x0b",
    "\x00",
    "é",
    "60",
]
PIECES += [" by(x) ", " with (x) y", " by;", "(x", "x)", "; Mon, 3 Jun 2024 10:00:05 +0200", "\n"]
PIECES += ["-0000", " (CEST)", "+2500", " (CES)T)", "30 Feb", "y", "h", ",", "Mon, "]


def damaged(values, rng):
    for value in values:
        text = value
        for _ in range(rng.choice((1, 1, 2, 3))):
            at = rng.randrange(max(len(text) // rng.choice((1, 2)), 1))
            text = text[:at] + rng.choice(PIECES) + text[at + rng.choice((0, 0, 1, 7)) :]
        yield text


def test_a_field_says_the_same_read_by_arithmetic_and_by_the_patterns():
    rng = random.Random(5)
    values = vectors.flat(make_varied(300), "received")[1].to_pylist()
    values += [*damaged(values, rng), *damaged(values, rng)]
    rng.shuffle(values)
    fields = pa.array(values, pa.large_string())[5:]
    read, whole = received.read(fields[:999], fields[999:]), received._whole(fields)
    for name in ("from_host", "by_host"):
        found = getattr(read, name).dictionary_decode().to_pylist()
        assert found == whole[name].to_pylist()
    said = read.protocol.dictionary_decode().to_pylist()
    assert said == pc.utf8_upper(whole["protocol"]).to_pylist()
    assert (read.instant == received._dates(fields)).all()
    noted = pc.match_substring_regex(fields, received.TLS).to_pylist()
    named = pc.match_substring_regex(pa.array(said), received.SECURE_PROTOCOL).to_pylist()
    assert read.tls.tolist() == [
        bool(one or other) for one, other in zip(noted, named, strict=True)
    ]
    sure = tracewords.find(pieces.spans(fields)).sure
    assert sure.mean() > 0.5  # else the patterns were compared with themselves


@pytest.mark.parametrize(
    ("field", "spf", "dkim"),
    [
        ("mx; spf=pass smtp.mailfrom=b@mail.example.com; dmarc=pass header.from=example.com", 1, 0),
        ("mx; dkim=pass header.d=evil.example; dkim=pass header.d=Example.com", 0, 1),
        ("mx; dkim=pass header.i=@a.example.com header.s=s", 0, 1),
        ("mx; dkim=fail header.d=example.com; spf=softfail smtp.mailfrom=example.com", 0, 0),
        ("mx; spf=pass (x smtp.mailfrom=example.com) smtp.mailfrom=evil.example", 0, 0),
        ('mx; spf=pass reason="; dkim=pass header.d=example.com" smtp.mailfrom=evil.example', 0, 0),
        ("mx; dkim=pass header.d=example.com.evil.example", 0, 0),
    ],
)
def test_a_pass_counts_for_the_author_only_where_the_domains_are_one_organisation(field, spf, dkim):
    df = make_frame(1).assign(from_domain=pd.array(["example.com"], dtype="str"))
    df["authentication_results"] = pd.Series([[field]], index=df.index, dtype=df["to"].dtype)
    row = df.mail.alignment().iloc[0]
    assert (row["checked"], row["spf"], row["dkim"]) == (True, bool(spf), bool(dkim))
    assert row["aligned"] == bool(spf or dkim)
    assert row["domain"] == "example.com"
