"""Where mail came in from outside, and where it lost time: worked by hand, and by a loop."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from publicsuffixlist import PublicSuffixList

import mailframe as mf
from tests.bench.varied import make_varied
from tests.corpora import messages
from tests.stats.frames import make_frame

SUFFIXES = PublicSuffixList()
WAY = """
from mx.example.org (mx.example.org [192.0.2.9]) by store.example.org with LMTP id 1; 10:00:09
from localhost (localhost [127.0.0.1]) by mx.example.org with ESMTP id 2; 10:00:08
from out.mail.example.co.uk (x [192.0.2.1]) (using TLSv1.3 with cipher A (256/256 bits)) \
by mx.example.org with ESMTPS id 3; 10:00:07
from pc.example.net (y [192.0.2.2]) by out.mail.example.co.uk \
with ESMTPSA (version=TLS1_2 cipher=B) id 4; 09:59:00
from [10.0.0.7] by pc.example.net with HTTP id 5; 09:58:59
"""
WAY = [line.replace("; ", "; Mon, 3 Jun 2024 ") + " +0000" for line in WAY.strip().splitlines()]


def routed(*ways):
    df = make_frame(len(ways))
    return df.assign(
        received=pd.Series([list(way) for way in ways], index=df.index, dtype=df["to"].dtype)
    ).mail.route()


def test_the_border_is_the_newest_handover_between_two_organisations():
    row = routed(WAY).iloc[0]
    assert row["hops"] == 5
    assert row["seconds"] == 70
    assert row["border_from"] == "out.mail.example.co.uk"
    assert row["border_by"] == "mx.example.org"
    assert row["border_tls"]
    assert row["border_version"] == "TLS 1.3"
    assert (row["slowest"], row["slowest_by"], row["slowest_seconds"]) == (3, "mx.example.org", 67)


@pytest.mark.parametrize(
    ("note", "version"),
    [
        ("with ESMTPS (version=TLS1_2 cipher=X bits=256/256)", "TLS 1.2"),
        ("with ESMTPS (TLS1.3)", "TLS 1.3"),
        ("(using TLSv1 with cipher RC4-SHA)", "TLS 1"),
        ("with SMTP (SSLv3)", "SSL 3"),
        ("with ESMTPS (cipher TLS_AES_256_GCM_SHA384)", None),
        ("with ESMTP", None),
    ],
)
def test_the_version_is_the_one_that_the_border_notes(note, version):
    with_ = "" if "with" in note.split("(")[0] else " with SMTP"
    row = routed(
        [f"from a.example by b.example.org {note}{with_}; 3 Jun 2024 10:00:00 +0000"]
    ).iloc[0]
    assert row["border_from"] == "a.example"
    assert (None if pd.isna(row["border_version"]) else row["border_version"]) == version
    assert row["border_tls"] == ("ESMTPS" in note or version is not None)


def test_a_way_without_a_border_or_without_times_has_none():
    inside = "from a.example.org by b.example.org with SMTP"
    table = routed([inside, inside], [], ["by b.example.org; yesterday"])
    assert table["border_from"].isna().all()
    assert table["border_tls"].isna().all()
    assert table["slowest"].isna().all()
    assert table["seconds"].isna().tolist() == [True, True, True]
    assert table["hops"].tolist() == [2, 0, 1]


def organisation(host):
    if not isinstance(host, str) or not re.fullmatch(r"[^\s@]+\.[A-Za-z][A-Za-z0-9-]*\.?", host):
        return None
    return SUFFIXES.privatesuffix(host.lower().rstrip("."))


def by_a_loop(df):
    """Walk each message's hops from the last one down."""
    for label, some in df.mail.hops().groupby(level=0, sort=False):
        hops = some.droplevel(0)
        border = None
        for _, hop in hops.iloc[::-1].iterrows():
            ends = organisation(hop["from_host"]), organisation(hop["by_host"])
            mail = not pd.isna(hop["tls"]) and "LMTP" not in str(hop["protocol"])
            if mail and None not in ends and ends[0] != ends[1]:
                border = hop["from_host"], hop["by_host"], bool(hop["tls"])
                break
        waited = hops["seconds"][hops["seconds"] >= 0]
        slowest = (waited.idxmax(), waited.max()) if len(waited) else None
        yield label, len(hops), border, slowest


def agrees(df):
    table = df.mail.route()
    for label, count, border, slowest in by_a_loop(df):
        row = table.loc[label]
        assert row["hops"] == count
        found = None
        if not pd.isna(row["border_from"]):
            found = row["border_from"], row["border_by"], bool(row["border_tls"])
        assert found == border
        told = None if pd.isna(row["slowest"]) else (row["slowest"], row["slowest_seconds"])
        assert told == slowest


def test_a_loop_over_the_hops_says_the_same():
    agrees(make_varied(150, seed=3))


def test_a_loop_over_the_hops_of_real_mail_says_the_same(tmp_path):
    for number, raw in enumerate(messages("spamassassin-ham")[:300]):
        (tmp_path / f"{number:03}.eml").write_bytes(raw)
    agrees(mf.read_eml(str(tmp_path / "*.eml"), headers=mf.DELIVERY))
