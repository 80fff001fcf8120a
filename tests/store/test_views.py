r"""A store tells every message once, where a server has ``\All`` and the like, in frame and SQL."""

from __future__ import annotations

import pandas as pd
import pytest

import mailframe as mf
from tests.hostile.fetching import fetch
from tests.servers.mailbox import Folder, Message
from tests.servers.scripted import Scripted


def mail(name):
    return (
        f"From: {name}@example.org\r\nTo: ann@example.org\r\nSubject: {name}\r\n"
        f"Date: Mon, 05 Feb 2024 10:00:00 +0000\r\nMessage-ID: <{name}@x>\r\n\r\n"
    ).encode()


def holding(name, *mails, use=""):
    found = [Message(uid, mail(one)) for uid, one in enumerate(mails, 1)]
    return Folder(name, found, rf"\HasNoChildren {use}".strip())


MAILBOX = (
    ("INBOX", ["bob", "carol"], ""),
    ("Sent", ["ann", "bob"], r"\Sent"),
    ("Everything", ["bob", "carol", "ann", "dave", "erin"], r"\All"),
    ("Starred", ["dave", "fay", "bob"], r"\Flagged"),
    ("Unwanted things", ["spam"], r"\Junk"),
)
ROWS = {"INBOX": 2, "Sent": 2, "Everything": 2, "Starred": 1, "Unwanted things": 1}


def served(mailbox=MAILBOX):
    return Scripted(folders=[holding(name, *mails, use=use) for name, mails, use in mailbox])


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Give what is read of a server without a store, and a store of it."""
    path = tmp_path_factory.mktemp("views") / "store"
    with served() as server:
        return fetch(server), fetch(server, store=path), mf.open_store(path)


def test_a_store_shows_the_rows_that_reading_shows(both):
    read, kept, store = both
    for frame in (read, kept, store.frame(), store.frame("*")):
        assert frame["folder"].value_counts().to_dict() == ROWS
        assert frame["subject"].tolist() == read["subject"].tolist()
    assert len(store.frame("Everything")) == 5
    assert len(store.frame(["Everything", "INBOX"])) == 7
    assert store.frame(["Every*", "INBOX"])["folder"].value_counts().tolist() == [3, 2]


def test_few_columns_of_a_store_have_the_same_rows(both):
    _, _, store = both
    few = store.frame(columns=["subject", "seen"])
    assert [*few.columns] == ["subject", "seen"]
    assert few["subject"].tolist() == store.frame()["subject"].tolist()


def test_sql_counts_every_message_once(both):
    pytest.importorskip("duckdb")
    _, _, store = both
    counted = store.sql("select folder, count(*) as n from messages group by 1")
    assert counted.set_index("folder")["n"].to_dict() == ROWS
    assert store.mail.top().to_dict() == store.frame().mail.top().to_dict()
    assert store.sql("select sum(messages) as n from senders")["n"].tolist() == [8]
    pd.testing.assert_frame_equal(store.mail.senders(), store.frame().mail.senders())


def test_reading_and_store_tell_what_folders_are_for(both):
    read, kept, store = both
    uses = {name: use for name, _, use in MAILBOX if use}
    for frame in (read, kept, store.frame()):
        assert [*frame.attrs["mailframe"]["special_use"].values()] == [uses]
        told = frame.mail.awaiting_reply(me="ann@example.org").attrs["left_out"]["asking"]
        assert told["junk"] == 1
    assert store.folders().set_index("folder")["special_use"].dropna().to_dict() == uses


def test_a_folder_given_another_use_is_noticed_where_nothing_else_changed(tmp_path):
    plain = tuple((name, mails, "") for name, mails, _ in MAILBOX)
    for mailbox in (plain, MAILBOX, plain):
        with served(mailbox) as server:
            kept = fetch(server, store=tmp_path / "store")
        assert len(mf.open_store(tmp_path / "store").frame()) == len(kept)
