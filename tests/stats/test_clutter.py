"""What fills the mailbox worked out by hand."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from tests.stats.mailbox import hand_mailbox

DF = hand_mailbox()


def test_sizes_by_folder_add_up_to_the_mailbox():
    table = DF.mail.sizes()
    assert table["bytes"].to_dict() == {
        "INBOX": 5550,
        "Sent": 1350,
        "Lists/dev": 1000,
        "Archive": 300,
    }
    inbox = table.loc["INBOX"]
    assert (inbox["messages"], inbox["largest"], inbox["mean"]) == (8, 2000, 693.75)
    assert inbox["share"] == pytest.approx(5550 / 8200)


def test_sizes_by_sender_domain_and_year():
    assert DF.mail.sizes("from_addr")["bytes"].head(2).to_dict() == {
        "bot@ci.example": 4000,
        "ann@example.org": 1350,
    }
    assert DF.mail.sizes("from_domain").loc["example.net", "messages"] == 5
    assert DF.mail.sizes("year", tz="UTC")["bytes"].to_dict() == {2024: 8150}


def test_a_size_that_the_server_kept_to_itself_counts_nothing():
    df = DF.copy()
    df.loc[7, "size"] = pd.NA
    assert df.mail.sizes().loc["INBOX", ["messages", "bytes"]].tolist() == [8, 3550]
    assert df.mail.largest(1).index.tolist() == [6]


def test_the_largest_messages_lead_back_to_the_frame():
    table = DF.mail.largest(3)
    assert table.index.tolist() == [7, 6, 10]
    assert table["size"].tolist() == [2000, 1000, 1000]
    assert DF.loc[table.index, "uid"].tolist() == [6, 5, 1]


def test_read_share_by_sender_and_list():
    table = DF.mail.read_share()
    assert table.loc["cara@example.com", ["messages", "read"]].tolist() == [3, 1]
    assert DF.mail.read_share("list_id")["share"].to_dict() == {"dev.lists.example": 1 / 3}
    assert (DF.mail.read_share(least=3)["messages"] >= 3).all()


def test_lists_with_when_they_were_last_read():
    dev = DF.mail.lists().loc["dev.lists.example"]
    assert dev[["messages", "bytes"]].tolist() == [3, 4000]
    assert str(dev["last_read"])[:16] == "2024-06-13 00:30"
    unread = DF.assign(seen=False).mail.lists().loc["dev.lists.example"]
    assert pd.isna(unread["last_read"])


@pytest.mark.parametrize(
    ("urls", "link"),
    [
        (["mailto:u@l.example", "https://l.example/u?a=1,2"], "https://l.example/u?a=1,2"),
        (["mailto:u@l.example", "mailto:v@l.example"], "mailto:u@l.example"),
        (["javascript:alert(1)"], None),
        ([], None),
    ],
)
def test_the_way_out_of_a_list(urls, link):
    column = pd.Series([urls if i == 7 else [] for i in DF.index], dtype=DF["to"].dtype)
    found = DF.assign(list_unsubscribe=column).mail.lists()["unsubscribe"]
    assert [None if pd.isna(url) else url for url in found] == [link]


def test_the_newest_message_names_the_way_out():
    column = pd.Series([[f"https://l.example/{i}"] for i in DF.index], dtype=DF["to"].dtype)
    found = DF.assign(list_unsubscribe=column).mail.lists()["unsubscribe"]
    assert found.tolist() == ["https://l.example/7"]


def test_the_age_of_the_inbox():
    now = dt.datetime(2024, 7, 2, 12, tzinfo=dt.UTC)
    assert DF.mail.inbox_age(now=now).to_dict() == {
        "today": 1,
        "this week": 1,
        "this month": 5,
        "this quarter": 0,
        "this year": 0,
        "older": 0,
    }
    assert DF.mail.inbox_age("Archive", now=now)["this month"] == 2
    assert DF.mail.inbox_age(now=now.replace(year=2026))["older"] == 7


def test_duplicates_tell_where_and_what_they_cost():
    table = DF.mail.duplicates()
    assert table.index.tolist() == ["n1@id"]
    copies, folders, octets, wasted = table.iloc[0]
    assert (copies, sorted(folders), octets, wasted) == (2, ["INBOX", "Lists/dev"], 2000, 1000)
