"""What a refresh puts aside before a folder is closed is neither lost nor taken for the whole."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import warnings
from datetime import UTC, datetime

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import MailframeWarning, StoreError
from mailframe.fetcher.pool import Pool
from mailframe.frame.batch import BatchBuilder
from mailframe.store.layout import account_dir, folder_path, parts_dir
from mailframe.store.state import FolderState
from mailframe.store.writer import AccountWriter, writing
from tests.servers.dovecot import Message
from tests.store.batches import batch, message
from tests.store.scenario import SMALL
from tests.store.stage import DAY, rotten


def mail(number):
    head = f"From: p{number}@example.org\r\nSubject: {number}\r\nX-Tag: t{number}\r\n"
    return Message(f"{head}Message-ID: <{number}@example.org>\r\n\r\nbody\r\n".encode())


def _folders_alone(folders):
    return lambda pool, items, _expected=None: folders(pool, items)


@pytest.fixture
def url(dovecot, user, monkeypatch):
    """Give an account with 60 messages in INBOX and 5 in Work, fetched in small pieces."""
    for name, size in SMALL.items():
        monkeypatch.setattr(name, size)
    # What is asked together with the list of folders comes at once; here it is to come in parts.
    monkeypatch.setattr(Pool, "folders", _folders_alone(Pool.folders))
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(60)])
    dovecot.deliver(user, "Work", [mail(number) for number in range(5)])
    return dovecot.url(user)


def another_client(url):
    account = mf.Account.parse(url)
    client = imaplib.IMAP4("127.0.0.1", account.port)
    client.login(account.user, "secret")
    return client


def kept(url, store, **options):
    return mf.read_imap(url, store=store, progress=False, **options)


def assert_whole(df, url, **options):
    pd.testing.assert_frame_equal(df, mf.read_imap(url, progress=False, **options))


def broken_off(url, store, monkeypatch, *, after, **options):
    """Refresh, and cancel it when so many parts have come."""
    fetch = Pool.fetch

    async def fetched(pool, *arguments):
        async with contextlib.aclosing(fetch(pool, *arguments)) as parts:
            left = after
            async for part in parts:
                yield part
                left -= 1
                if not left:
                    asyncio.current_task().cancel()

    with monkeypatch.context() as patch:
        patch.setattr(Pool, "fetch", fetched)
        with pytest.raises(asyncio.CancelledError):
            kept(url, store, **options)


def staged(url, store):
    """Tell how many rows of INBOX lie in parts."""
    with writing(store, mf.Account.parse(url).name) as writer:
        held = writer.held("INBOX")
    return held.rows if held and not held.state.complete else 0


def test_rows_staged_beside_a_file_that_lacks_a_header_are_kept(dovecot, user, url, tmp_path):
    kept(url, tmp_path)
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(100, 140)])
    assert_whole(kept(url, tmp_path, headers=["X-Tag"]), url, headers=["X-Tag"])


def test_rows_staged_while_the_clock_was_set_back_are_kept(
    dovecot, user, url, tmp_path, monkeypatch
):
    class Tomorrow(pd.Timestamp):
        @classmethod
        def now(cls, tz):
            return pd.Timestamp.now(tz) + pd.Timedelta(days=1)

    with monkeypatch.context() as patch:
        patch.setattr("mailframe.refresh.saving.datetime", Tomorrow)
        kept(url, tmp_path)
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(100, 140)])
    assert_whole(kept(url, tmp_path), url)


@pytest.mark.parametrize("after", [4, 9, 14])
def test_a_first_fetch_that_was_cancelled_goes_on_with_other_headers(
    url, tmp_path, monkeypatch, after
):
    broken_off(url, tmp_path, monkeypatch, after=after, connections=1)
    assert mf.open_store(tmp_path).folders()["complete"].all()
    assert_whole(kept(url, tmp_path, headers=["X-Tag:all"]), url, headers=["X-Tag:all"])


def test_a_fetch_that_was_cancelled_is_not_begun_anew(url, tmp_path, monkeypatch):
    broken_off(url, tmp_path, monkeypatch, after=9, connections=1)
    already = staged(url, tmp_path)
    assert already > 10
    df = kept(url, tmp_path)
    assert_whole(df, url)
    assert df.attrs["mailframe"]["store"]["new"] <= 65 - already
    assert staged(url, tmp_path) == 0


def test_what_was_put_aside_is_new_when_it_can_be_seen(dovecot, user, url, tmp_path, monkeypatch):
    broken_off(url, tmp_path, monkeypatch, after=9, connections=1)
    seen = len(mf.open_store(tmp_path).frame())
    moment = datetime.now(UTC)
    kept(url, tmp_path)
    assert len(mf.open_store(tmp_path).changes(since=moment)) == 65 - seen
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(100, 140)])
    broken_off(url, tmp_path, monkeypatch, after=4, connections=1)
    assert staged(url, tmp_path)
    moment = datetime.now(UTC)
    kept(url, tmp_path)
    assert len(mf.open_store(tmp_path).changes(since=moment)) == 40


def test_what_was_expunged_and_flagged_after_the_interruption_is_seen(url, tmp_path, monkeypatch):
    broken_off(url, tmp_path, monkeypatch, after=9, connections=1)
    with another_client(url) as client:
        client.select()
        client.uid("STORE", "2:9", "+FLAGS", r"(\Deleted)")
        client.uid("STORE", "11:20", "+FLAGS", r"(\Flagged later)")
        client.expunge()
    assert_whole(kept(url, tmp_path), url)


def test_what_a_refresh_brings_is_new_for_whoever_looked_while_it_ran(
    dovecot, user, url, tmp_path, monkeypatch
):
    kept(url, tmp_path)
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(100, 140)])
    with another_client(url) as client:
        client.select()
        client.uid("STORE", "1:3", "+FLAGS", r"(\Deleted)")
        client.uid("STORE", "4:9", "+FLAGS", r"(\Flagged)")
        client.expunge()
    fetch, looks = Pool.fetch, []

    async def looked_at(pool, *arguments):
        async with contextlib.aclosing(fetch(pool, *arguments)) as parts:
            async for part in parts:
                yield part
                if not part.closed:
                    looks.append(datetime.now(UTC))

    monkeypatch.setattr(Pool, "fetch", looked_at)
    kept(url, tmp_path)
    assert len(looks) > 4
    for moment in looks:
        changes = mf.open_store(tmp_path).changes(since=moment, folders="INBOX")
        assert changes["change"].value_counts().to_dict() == {"new": 40, "flags": 6, "gone": 3}


def test_parts_of_a_folder_that_has_gone_since_are_cleared_away(url, tmp_path, monkeypatch):
    name = mf.Account.parse(url).name
    with writing(tmp_path, name) as writer:
        rows = batch([message(uid) for uid in range(5)], account=name, folder="Gone")
        writer.stage(
            FolderState(name, "Gone", 1, 9, refreshed="2026-01-01T00:00:00+00:00"), [rows], at=DAY
        )
    assert parts_dir(account_dir(tmp_path, name), "Gone").exists()
    kept(url, tmp_path)
    assert not parts_dir(account_dir(tmp_path, name), "Gone").exists()


def test_a_folder_whose_parts_cannot_be_staged_is_not_saved_without_them(
    url, tmp_path, monkeypatch
):
    stage, calls = AccountWriter.stage, []

    def fails_once(writer, state, rows, *, at):
        calls.append(state.folder)
        if len(calls) == 2:
            raise StoreError("Cannot write: No space left on device")
        return stage(writer, state, rows, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(AccountWriter, "stage", fails_once)
        with pytest.warns(MailframeWarning, match="No space left"):
            df = kept(url, tmp_path)
    assert 0 < (df["folder"] == "INBOX").sum() < 60
    assert (df["folder"] == "Work").sum() == 5
    assert not folder_path(account_dir(tmp_path, mf.Account.parse(url).name), "INBOX").exists()
    assert_whole(kept(url, tmp_path), url)


def test_of_a_folder_that_cannot_be_saved_the_rows_held_are_there(
    dovecot, user, url, tmp_path, monkeypatch
):
    before = kept(url, tmp_path)

    def full(writer, state, batches):
        raise StoreError("Cannot write: No space left on device")

    monkeypatch.setattr(AccountWriter, "save", full)
    dovecot.deliver(user, "INBOX", [mail(99)])
    with pytest.warns(MailframeWarning, match="No space left"):
        df = kept(url, tmp_path)
    pd.testing.assert_frame_equal(df, before)
    assert [problem["folder"] for problem in df.attrs["mailframe"]["problems"]] == ["INBOX"]
    with another_client(url) as client:
        client.delete("Work")
        client.create("Work")
    df = kept(url, tmp_path, errors="ignore")
    assert set(df["folder"]) == {"INBOX"}  # what is held of Work is of the folder that is no more
    assert len(mf.open_store(tmp_path).frame()) == 65


def test_after_a_flush_that_failed_nothing_is_saved_that_lacks_its_rows(url, tmp_path, monkeypatch):
    build, calls = BatchBuilder.build, []

    def fails_once(builder, rows):
        calls.append(rows)
        if len(calls) == 3:
            raise MemoryError
        return build(builder, rows)

    with monkeypatch.context() as patch:
        patch.setattr(BatchBuilder, "build", fails_once)
        with pytest.raises(MemoryError):
            kept(url, tmp_path)
    name = mf.Account.parse(url).name
    for folder, rows in {"INBOX": 60, "Work": 5}.items():
        with writing(tmp_path, name) as writer:
            held = writer.held(folder)
        assert held is None or not held.state.complete or held.rows == rows
    assert_whole(kept(url, tmp_path), url)


def test_damage_that_shows_when_a_file_is_read_costs_its_own_folder(url, tmp_path):
    kept(url, tmp_path)
    path = folder_path(account_dir(tmp_path, mf.Account.parse(url).name), "Work")
    rotten(path)
    with pytest.warns(MailframeWarning, match="is damaged"):
        df = kept(url, tmp_path)
    assert set(df["folder"]) == {"INBOX"}
    assert df.attrs["mailframe"]["problems"][0]["folder"] == "Work"
    path.unlink()
    with warnings.catch_warnings(action="error"):
        assert_whole(kept(url, tmp_path), url)


def test_whoever_is_cancelled_while_waiting_for_the_lock_does_not_keep_it(url, tmp_path):
    name = mf.Account.parse(url).name

    async def cancelled_while_waiting():
        task = asyncio.ensure_future(mf.aread_imap(url, store=tmp_path, progress=False))
        with writing(tmp_path, name):
            await asyncio.sleep(0.7)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        # What it waited for it gets now, and gives back.
        await asyncio.sleep(0.3)

    asyncio.run(cancelled_while_waiting())
    with writing(tmp_path, name, wait=0.0):
        pass
