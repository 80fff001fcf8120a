"""Copies and namesakes, dates and periods, names and shares: each claim on a few mails."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError
from mailframe.frame.schema import TEXT, TEXTS
from mailframe.stats.office import Office
from tests.stats.letters import ME, MONDAY, at, frame, mail

QUESTION = mail("q", "bob", "me", 0)
HOUR = 3_600_000_000


# One mail, several rows ------------------------------------------------------------------------


def test_unique_has_a_row_for_each_mail_with_what_any_copy_tells():
    df = frame(
        QUESTION | {"seen": True, "keywords": ["a"], "deleted": True},
        mail("m", "me", "bob", 5),
        QUESTION | {"folder": "Archive", "answered": True, "keywords": ["b", "a"]},
        QUESTION | {"folder": "Work", "from_addr": "BOB@example.net", "flagged": True},
    )
    one = df.mail.unique()
    assert one.index.tolist() == [0, 1]
    flags = one.loc[0, ["seen", "answered", "flagged", "draft", "deleted"]]
    assert flags.tolist() == [True, True, True, False, False]
    assert list(one.loc[0, "keywords"]) == ["a", "b"]
    assert one["folders"].map(list).tolist() == [["INBOX", "Archive", "Work"], ["Sent"]]
    assert one.dtypes.drop("folders").equals(df.dtypes)
    pd.testing.assert_frame_equal(one.mail.unique(), one)


def test_only_what_every_copy_is_the_mail_is():
    deleted = QUESTION | {"deleted": True}
    df = frame(deleted, deleted | {"folder": "Trash"}, mail("d", "me", "bob", 1, draft=True))
    assert df.mail.unique()[["deleted", "draft"]].to_numpy().tolist() == [
        [True, False],
        [False, True],
    ]


def test_mails_of_one_message_id_are_told_apart_by_date_and_sender():
    df = frame(
        mail("x", "bob", "me", 0),
        mail("x", "bob", "me", 1),
        mail("x", "cara", "me", 0),
        mail("x", "bob", "me", 0, folder="Archive"),
        mail(None, "bob", "me", 0),
        mail(None, "bob", "me", 0),
    )
    assert df.mail.unique().index.tolist() == [0, 1, 2, 4, 5]
    copies = df.mail.duplicates()
    assert copies[["copies", "wasted"]].to_numpy().tolist() == [[2, 1000]]
    assert df.mail.threads()["messages"].tolist() == [1, 1, 1, 1, 1]


def test_a_reply_hangs_under_the_first_mail_of_an_id():
    df = frame(
        mail("x", "bob", "me", 0),
        mail("x", "cara", "me", 1),
        mail("r", "me", "bob", 2, under="x"),
    )
    assert df.mail.thread_ids().tolist() == [0, 1, 0]


def test_the_servers_own_id_decides_where_there_is_one():
    rows = [
        mail("a", "bob", "me", 0) | {"x_gm_msgid": "7"},
        mail("b", "bob", "me", 0) | {"x_gm_msgid": "7"},
        mail("a", "bob", "me", 0) | {"x_gm_msgid": "8"},
        mail("a", "bob", "me", 0) | {"account": "ann@example.com", "x_gm_msgid": "7"},
        mail("c", "bob", "me", 0),
        mail("c", "bob", "me", 0, folder="Archive"),
    ]
    df = frame(*rows, extra=[pa.field("x_gm_msgid", TEXT)])
    assert df.mail.unique()["uid"].tolist() == [1, 3, 4, 5]


def test_copies_are_told_beside_the_messages():
    df = frame(QUESTION, QUESTION | {"folder": "Archive"}, mail("m", "me", "bob", 5))
    assert str(df.mail.describe(me=ME)).startswith("messages     2 (3 with copies) in 3 folders")
    single = df.mail.unique().mail.describe(me=ME)
    assert str(single).startswith("messages     2 in 2 folders")


# When ------------------------------------------------------------------------------------------


def test_the_best_date_is_the_senders_where_it_is_possible():
    def dated(name, date, arrival, received=()):
        row = mail(name, "bob", "me", 0) | {"date": date, "internaldate": arrival}
        return row | {"received": list(received)}

    early = pd.Timestamp("1970-01-01", tz="UTC")
    late = pd.Timestamp("9999-01-01", tz="UTC")
    hop = "from a by b; Tue, 4 Jun 2024 08:00:00 +0000"
    older = "from c by a; Mon, 3 Jun 2024 07:00:00 +0000"
    df = frame(
        dated("fine", at(0), at(5)),
        dated("zones", at(47 * 60), at(0)),
        dated("ahead", at(49 * 60), at(0)),
        dated("epoch", early, at(3)),
        dated("absent", None, at(4)),
        dated("traced", late, None, [hop, older]),
        dated("lost", late, None),
        dated("alone", at(6), None),
        extra=[pa.field("received", TEXTS)],
    )
    when = df.mail.when()
    assert when.drop(6).tolist() == [
        *(at(0), at(47 * 60), at(0), at(3), at(4)),
        *(pd.Timestamp("2024-06-03 07:00", tz="UTC"), at(6)),
    ]
    assert pd.isna(when[6])
    odd = df.mail.dates()
    assert odd.index.tolist() == [2, 3, 5, 6]
    assert odd["witness"].fillna("-").tolist() == ["arrival", "arrival", "received", "-"]
    assert odd["date"].tolist() == [at(49 * 60), early, late, late]
    assert "4 messages with impossible dates, by arrival or by Received or left out" in str(
        df.mail.describe(me=ME)
    )
    as_it_is = df.mail.when("date")
    assert as_it_is.dropna().tolist() == df["date"].dropna().tolist()
    assert pd.isna(as_it_is[4])
    assert df.mail.when("internaldate")[1] == at(0)


def test_the_newest_received_counts_before_the_time_of_a_file():
    hops = [f"from a by b; Mon, 3 Jun 2024 1{hour}:00:00 +0000" for hour in (2, 1)]
    copied = mail("a", "bob", "me", None) | {"internaldate": at(9999), "received": hops}
    df = frame(copied, extra=[pa.field("received", TEXTS)])
    assert df.mail.when()[0] == at(9999)
    df.attrs["mailframe"] = {"arrival": "file"}  # as of a Maildir
    assert df.mail.when()[0] == at(120)


def test_one_impossible_date_stretches_no_axis():
    far = mail("far", "bob", "me", 0) | {"date": pd.Timestamp("9999-01-01", tz="UTC")}
    df = frame(mail("a", "bob", "me", 0), mail("b", "bob", "me", 7 * 24 * 60), far)
    assert df.mail.volume("W", tz="UTC").tolist() == [2, 1]
    assert len(df.mail.volume("W", tz="UTC", date="date")) > 400_000
    assert df.mail.calendar(tz="UTC").sum() == 3
    assert df.mail.senders()["last"].tolist() == [at(7 * 24 * 60)]


def test_a_date_without_a_zone_is_told():
    df = frame(mail("a", "bob", "me", 0, date_offset=120), mail("b", "bob", "me", 0))
    grid = df.mail.matrix(tz="sender")
    assert grid.loc["Mon", [10, 12]].tolist() == [1, 1]
    assert grid.attrs["zoneless"] == 1


# Periods ---------------------------------------------------------------------------------------


def on(*days):
    """Make a frame of a mail at noon UTC of each day."""
    noons = [(pd.Timestamp(f"{day} 12:00", tz="UTC") - MONDAY).total_seconds() / 60 for day in days]
    return frame(*(mail(f"n{n}", "bob", "me", minutes) for n, minutes in enumerate(noons)))


@pytest.mark.parametrize(
    ("freq", "days", "starts", "counts"),
    [
        ("1D", ["2024-03-30", "2024-04-01"], ["03-30", "03-31", "04-01"], [1, 0, 1]),
        ("d", ["2024-10-26", "2024-10-28"], ["10-26", "10-27", "10-28"], [1, 0, 1]),
        ("2D", ["2024-03-30", "2024-03-31", "2024-04-01"], ["03-30", "04-01"], [2, 1]),
        ("7D", ["2024-03-28", "2024-04-03", "2024-04-04"], ["03-28", "04-04"], [2, 1]),
        ("W-SUN", ["2024-06-02", "2024-06-03"], ["05-27", "06-03"], [1, 1]),
        ("W-SAT", ["2024-06-01", "2024-06-02"], ["05-26", "06-02"], [1, 1]),
        ("2W", ["2024-06-03", "2024-06-16", "2024-06-17"], ["06-03", "06-17"], [2, 1]),
        ("QS-FEB", ["2024-04-30", "2024-05-01"], ["02-01", "05-01"], [1, 1]),
        ("Q-NOV", ["2024-05-31", "2024-06-01"], ["03-01", "06-01"], [1, 1]),
        ("2M", ["2024-01-31", "2024-02-01", "2024-03-01"], ["01-01", "03-01"], [2, 1]),
        ("YS-JUL", ["2024-06-30", "2024-07-01"], ["07-01", "07-01"], [1, 1]),
    ],
)
def test_periods_are_those_of_the_calendar(freq, days, starts, counts):
    found = on(*days).mail.volume(freq, tz="Europe/Berlin")
    assert [f"{start:%m-%d %H:%M}" for start in found.index] == [f"{day} 00:00" for day in starts]
    assert found.tolist() == counts


def test_the_first_and_the_last_period_are_marked_as_partial():
    df = on("2024-05-15", "2024-06-15", "2024-07-15")
    marked = ["2024-05-01 00:00:00+00:00", "2024-07-01 00:00:00+00:00"]
    assert df.mail.volume("M", tz="UTC").attrs["partial"] == marked
    assert df.mail.flow("M", tz="UTC", me="bob@example.net").attrs["partial"] == marked
    assert df.iloc[:1].mail.volume("M", tz="UTC").attrs["partial"] == marked[:1]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2024-10-27 00:00", "2024-10-27 04:00", 4),  # 2 h to 5 h of the wall: 3 h, but 4 in truth
        ("2024-10-27 00:30", "2024-10-27 01:30", 1),  # from 2:30 to 2:30
        ("2024-03-31 00:00", "2024-03-31 02:00", 2),  # 1 h to 4 h
        ("2024-10-26 22:00", "2024-10-27 23:00", 25),
        ("2024-01-01 00:00", "2025-01-01 00:00", 366 * 24),
    ],
)
def test_the_business_clock_is_exact_over_a_change_of_clocks(start, end, hours):
    always = Office(range(7), (0, 24), (), "Europe/Berlin")
    ends = pd.DatetimeIndex([start, end]).to_numpy("datetime64[us]").view(np.int64)
    assert always.between(ends[:1], ends[1:])[0] == hours * HOUR


# Names and shares ------------------------------------------------------------------------------


def test_what_differs_only_in_case_is_one():
    lists = [mail(f"l{n}", "bob", "me", n) for n in range(3)]
    names = ("Dev.example", "dev.example", "dev.EXAMPLE")
    for row, name, sender in zip(
        lists, names, ("bob@x.org", "BOB@x.org", "Bob@X.org"), strict=True
    ):
        row |= {"list_id": name, "bulk": True, "from_addr": sender, "from_domain": "x.org"}
    df = frame(*lists)
    for table in (df.mail.top("list_id"), df.mail.sizes("list_id")["messages"]):
        assert table.to_dict() == {"dev.example": 3}
    assert df.mail.read_share("list_id")["messages"].to_dict() == {"dev.example": 3}
    assert df.mail.lists()["messages"].to_dict() == {"dev.example": 3}
    assert df.mail.volume("Y", by="list_id").columns.tolist() == ["dev.example"]
    assert df.mail.volume("Y", by="from_addr").columns.tolist() == ["bob@x.org"]


def test_folders_are_told_apart_by_case_and_an_unknown_one_is_told():
    df = frame(*(mail(f"f{n}", "bob", "me", 0, folder=f) for n, f in enumerate(("Work", "work"))))
    assert df.mail.inbox_age("Work").sum() == 1
    with pytest.raises(ConfigurationError, match=r"no folder .WORK.* there are: Work, work"):
        df.mail.inbox_age("WORK")
    assert frame(QUESTION).mail.inbox_age("inbox").sum() == 1


def test_results_of_a_server_without_a_name_count_as_its_own():
    nameless = "spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=x.org; dkim=pass; dmarc=fail"
    named = "mx.example.org; spf=pass"
    rows = [
        mail(f"n{n}", "bob", "me", n) | {"authentication_results": [text]}
        for n, text in enumerate([nameless, nameless, named])
    ]
    df = frame(*rows, extra=[pa.field("authentication_results", TEXTS)])
    table = df.mail.authentication()
    assert table.attrs["authserv"] == ["(unnamed)"]
    assert table["checked"].tolist() == [True, True, False]
    assert table["dmarc"].tolist()[:2] == ["fail", "fail"]
    shares = df.mail.delivery().loc["example.net"]
    assert shares[["messages", "checked", "spf", "dkim", "dmarc"]].tolist() == [3, 2, 1, 1, 0]
    assert df.mail.authentication(authserv="mx.example.org")["checked"].sum() == 1
    assert df.mail.authentication(authserv="(unnamed)")["checked"].sum() == 2


def test_the_share_of_tls_is_of_hops_by_smtp():
    hops = [
        "from store by store with LMTP id 1; Mon, 3 Jun 2024 10:00:09 +0000",
        "from a by store with ESMTPS id 2; Mon, 3 Jun 2024 10:00:05 +0000",
        "from b by a with ESMTP id 3; Mon, 3 Jun 2024 10:00:00 +0000",
    ]
    df = frame(
        mail("a", "bob", "me", 0) | {"received": hops, "authentication_results": []},
        mail("b", "bob", "me", 0) | {"received": [], "authentication_results": []},
        extra=[pa.field("received", TEXTS), pa.field("authentication_results", TEXTS)],
    )
    row = df.mail.delivery().loc["example.net"]
    told = row[["messages", "traced", "hops", "handovers", "tls", "seconds"]]
    assert told.tolist() == [2, 1, 3, 2, 0.5, 9]


@pytest.mark.parametrize("comment", ["x" * 120, "for <me@x.org>; " * 20, "a (b " * 9 + ")" * 9])
def test_a_long_comment_behind_its_date_costs_a_hop_no_time(comment):
    hop = f"from a by b; Mon, 3 Jun 2024 10:00:00 +0000 ({comment})"
    row = mail("a", "bob", "me", 0) | {"received": [hop]}
    times = frame(row, extra=[pa.field("received", TEXTS)]).mail.hops()["time"]
    assert times.tolist() == [at(0)]


def test_no_degree_exceeds_one():
    pytest.importorskip("networkx")
    df = frame(mail("a", "bob", "cara", 0), mail("b", "cara", "bob", 1), mail("c", "bob", "dan", 2))
    degree = df.mail.contact_ranks()["degree"].to_dict()
    assert degree == {"bob@example.net": 1.0, "cara@example.net": 0.5, "dan@example.net": 0.5}
