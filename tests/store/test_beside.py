"""What a refresh gives back may be read slowly: others refresh beside it, and nothing is mixed."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pandas as pd
import pytest

import mailframe as mf
from mailframe.store.layout import account_dir, folder_path
from mailframe.store.state import FolderState
from mailframe.store.writer import writing
from tests.servers.dovecot import Message
from tests.store.batches import batch, message
from tests.store.scenario import SMALL
from tests.store.stage import ACCOUNT, DAY, refresh, rows


def mail(number):
    head = f"From: p{number}@example.org\r\nSubject: {number}\r\n"
    return Message(f"{head}Message-ID: <{number}@example.org>\r\n\r\nbody\r\n".encode())


@pytest.fixture
def url(dovecot, user, monkeypatch):
    """Give an account with 60 messages in INBOX and 5 in Work, kept and read in small pieces."""
    for name, size in (SMALL | {"mailframe.refresh.keeping.ROW_GROUP": 1}).items():
        monkeypatch.setattr(name, size)
    monkeypatch.setattr("mailframe.store.writer.WAIT", 1.0)
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(60)])
    dovecot.deliver(user, "Work", [mail(number) for number in range(5)])
    return dovecot.url(user)


async def read_slowly(url, store, meanwhile):
    """Read batches, and let something happen after the first."""
    batches = []
    async with contextlib.aclosing(mf.aiter_batches(url, store=store, progress=False)) as stream:
        async for rows in stream:
            if not batches:
                await meanwhile()
            batches.append(rows)
    return pd.concat([rows.to_pandas() for rows in batches], ignore_index=True)


def another_client(url):
    account = mf.Account.parse(url)
    client = imaplib.IMAP4("127.0.0.1", account.port)
    client.login(account.user, "secret")
    return client


def test_within_its_own_batches_an_account_can_be_refreshed(url, tmp_path):
    async def meanwhile():
        assert len(await mf.aread_imap(url, store=tmp_path, progress=False)) == 65

    for _ in ("fetched", "unchanged"):
        assert len(asyncio.run(read_slowly(url, tmp_path, meanwhile))) == 65


def test_a_folder_is_read_as_of_one_refresh_whatever_another_makes_of_it(
    dovecot, user, url, tmp_path
):
    before = mf.read_imap(url, store=tmp_path, progress=False)

    async def meanwhile():
        with another_client(url) as client:
            client.select()
            client.uid("STORE", "1:30", "+FLAGS", r"(\Deleted)")
            client.expunge()
        dovecot.deliver(user, "INBOX", [mail(number) for number in range(100, 120)])
        await mf.aread_imap(url, store=tmp_path, progress=False)

    df = asyncio.run(read_slowly(url, tmp_path, meanwhile))
    inbox = df[df["folder"] == "INBOX"]
    assert inbox["subject"].tolist() == before[before["folder"] == "INBOX"]["subject"].tolist()
    assert len(mf.open_store(tmp_path).frame("INBOX")) == 50


def test_a_folder_that_another_refresh_has_removed_has_no_rows(
    dovecot, user, url, tmp_path, monkeypatch
):
    monkeypatch.setattr("mailframe.store.writer.FEW", 16)  # a file each, read in its turn
    for number in range(9):
        dovecot.deliver(user, f"Box {number}", [mail(number)])
    mf.read_imap(url, store=tmp_path, progress=False)

    async def meanwhile():
        with another_client(url) as client:
            for number in range(9):
                client.delete(f'"Box {number}"')
        await mf.aread_imap(url, store=tmp_path, progress=False)

    df = asyncio.run(read_slowly(url, tmp_path, meanwhile))
    assert {"INBOX", "Work"} <= set(df["folder"])
    assert len(df) < 65 + 9


@pytest.fixture
def held(tmp_path, monkeypatch):
    """Give an unfinished folder: a file with UIDs 1 to 30, and parts that interleave behind it."""
    monkeypatch.setattr("mailframe.store.parquet.ROW_GROUP", 5)
    with writing(tmp_path, ACCOUNT) as writer:
        refresh(writer, "INBOX", rows(range(1, 31)))
        state = FolderState(ACCOUNT, "INBOX", 1, 200, refreshed="2026-01-02T00:00:00+00:00")
        for odd in 0, 1:
            part = batch([message(uid) for uid in range(31 + odd, 151, 2)])
            writer.stage(state, [part], at=DAY)
        yield writer.held("INBOX")


def uids(batches):
    return [uid for batch in batches for uid in batch["uid"].to_pylist()]


def test_an_unfinished_folder_is_read_piece_by_piece_by_any_thread(held, tmp_path):
    reads = held.reads(["uid"])
    with ThreadPoolExecutor(4) as threads:
        pieces = [uids(batches) for batches in threads.map(lambda read: read(), reads)]
        assert [*chain(*pieces)] == list(range(1, 151))
        assert max(map(len, pieces)) <= 20
        backwards = [uids(read()) for read in reversed(held.reads(["uid"]))]
        assert [*chain(*reversed(backwards))] == list(range(1, 151))
    folder_path(account_dir(tmp_path, ACCOUNT), "INBOX").unlink()
    with pytest.raises(FileNotFoundError):
        held.reads(["uid"])


def test_what_was_opened_is_read_though_it_is_gone(held, tmp_path):
    reads = held.reads(["uid"])
    for path in (*tmp_path.rglob("*.part"), *tmp_path.rglob("*.parquet")):
        path.unlink()
    assert uids(batch for read in reads for batch in read()) == list(range(1, 151))


def test_a_single_part_that_is_gone_is_noticed_before_it_is_read(tmp_path):
    with writing(tmp_path, ACCOUNT) as writer:
        state = FolderState(ACCOUNT, "INBOX", 1, 9, refreshed="2026-01-02T00:00:00+00:00")
        writer.stage(state, [batch([message(uid) for uid in range(1, 9)])], at=DAY)
        held = writer.held("INBOX")
        reads = held.reads(["uid"])
        refresh(writer, "INBOX", rows(range(1, 12)))
    assert uids(batch for read in reads for batch in read()) == list(range(1, 9))
    with pytest.raises(FileNotFoundError):
        held.reads(["uid"])
