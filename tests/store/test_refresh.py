"""A refresh over IMAP returns what a full fetch would, and moves only what changed."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import shutil

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError, MailframeWarning, StoreError
from mailframe.fetcher.pool import Pool
from mailframe.store.layout import account_dir, folder_path
from mailframe.store.writer import writing
from tests.servers.dovecot import Dovecot, Message
from tests.servers.relay import Relay
from tests.store.scenario import SERVERS, play, servers


def mail(number):
    head = f"From: p{number}@example.org\r\nSubject: {number}\r\nX-Tag: t{number}\r\n"
    return Message(f"{head}Message-ID: <{number}@example.org>\r\n\r\nbody\r\n".encode())


@pytest.fixture
def inbox(dovecot, user):
    """Give an account with 60 messages in INBOX and 5 in Work."""
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(60)])
    dovecot.deliver(user, "Work", [mail(number) for number in range(5)])
    return dovecot.url(user)


@contextlib.contextmanager
def another_client(dovecot, user, folder="INBOX"):
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
        client.login(user, "secret")
        client.select(folder)
        yield client


def full(url, **options):
    return mf.read_imap(url, progress=False, **options)


def kept(url, store, **options):
    df = mf.read_imap(url, store=store, progress=False, **options)
    return df, df.attrs["mailframe"]


UNCHANGED = {"folders": 0, "new": 0, "changed": 0, "expunged": 0, "removed": []}


@pytest.mark.parametrize(("kind", "steps"), [*((kind, 25) for kind in SERVERS), ("mixed", 120)])
def test_a_living_mailbox_is_mirrored_cell_by_cell(kind, steps, tmp_path):
    with servers(kind) as dovecots:
        assert play(dovecots, tmp_path / "store", seed=4, steps=steps) > steps // 3


def numbered(dovecot, user, folder):
    """Give a folder the UIDVALIDITY that many servers give, 1; its first UID is 1 in any case."""
    path = dovecot.folder(user, folder) / "dovecot-uidlist"
    path.write_text("3 V1 N1 G0123456789abcdef0123456789abcdef\n")
    shutil.chown(path, path.parent.stat().st_uid, path.parent.stat().st_gid)


def test_an_account_that_moved_to_another_server_is_fetched_anew(dovecot, user, tmp_path):
    user += "@example.org"  # the account's name: no host in it
    with Dovecot() as other:
        for server, first in (dovecot, 0), (other, 100):
            numbered(server, user, "INBOX")
            server.deliver(user, "INBOX", [mail(first + number) for number in range(4)])
        dovecot.deliver(user, "Old", [mail(7)])
        old, new = dovecot.url(user), other.url(user)
        for url in old, new:
            listed = mf.list_folders(url).set_index("folder")
            assert listed.loc["INBOX", ["uidvalidity", "uidnext"]].tolist() == [1, 5]
        kept(old, tmp_path)
        df, report = kept(new, tmp_path)
        pd.testing.assert_frame_equal(df, full(new))
        assert (report["store"]["new"], report["store"]["removed"]) == (4, ["Old"])
        assert mf.open_store(tmp_path).frame()["subject"].tolist() == ["100", "101", "102", "103"]
        df, report = kept(new.replace("127.0.0.1", "LOCALHOST"), tmp_path)
        assert report["store"]["new"] == 4
        df, report = kept(new.replace("127.0.0.1", "localhost"), tmp_path)
        assert report["store"] == UNCHANGED


def test_what_has_not_changed_is_not_fetched_again(inbox, tmp_path):
    expected = full(inbox)
    first, report = kept(inbox, tmp_path)
    pd.testing.assert_frame_equal(first, expected)
    assert report["store"] == UNCHANGED | {"folders": 2, "new": 65}
    again, report = kept(inbox, tmp_path)
    pd.testing.assert_frame_equal(again, expected)
    assert report["store"] == UNCHANGED
    # LOGIN, ID, ENABLE, LIST; and what the INBOX may bring, which is nothing.
    assert (report["commands"], report["connections"]) == (7, 1)
    assert report["bytes"] < 2000
    _, report = kept(inbox, tmp_path, folders="Work")
    assert report["commands"] == 4  # no folder was opened


def test_changes_alone_are_moved(dovecot, user, inbox, tmp_path):
    kept(inbox, tmp_path)
    with another_client(dovecot, user) as client:
        client.uid("STORE", "3:5", "+FLAGS", r"(\Flagged later)")
        client.uid("STORE", "10:11", "+FLAGS", r"(\Deleted)")
        client.expunge()
    dovecot.deliver(user, "INBOX", [mail(99)])
    df, report = kept(inbox, tmp_path)
    pd.testing.assert_frame_equal(df, full(inbox))
    expected = {"folders": 1, "new": 1, "changed": 3, "expunged": 2, "removed": []}
    assert report["store"] == expected
    assert report["bytes"] < 3000
    changes = mf.open_store(tmp_path).changes(since="2000-01-01")
    assert changes["change"].value_counts()["gone"] == 2


def test_without_modseqs_a_folder_whose_flags_are_as_they_were_is_not_written(tmp_path):
    with Dovecot(config=SERVERS["plain"]) as dovecot:
        for name in ("INBOX", "Work"):
            dovecot.deliver("ann", name, [mail(number) for number in range(10)])
        url = dovecot.url("ann")
        kept(url, tmp_path)

        def written():
            _, report = kept(url, tmp_path)
            now = {path: path.stat().st_ino for path in tmp_path.rglob("*.parquet")}
            names = {path.name.split("-")[0] for path in now if now[path] != files[path]}
            files.update(now)
            return names, report["store"]

        files = {path: path.stat().st_ino for path in tmp_path.rglob("*.parquet")}
        assert written() == (set(), UNCHANGED)
        with another_client(dovecot, "ann", "Work") as client:
            client.uid("STORE", "10", "+FLAGS", r"(\Flagged)")
        assert written() == ({"Work"}, UNCHANGED | {"folders": 1, "changed": 1})
        with another_client(dovecot, "ann") as client:  # only UIDNEXT has changed
            client.append("INBOX", r"(\Deleted)", None, mail(99).raw)
            client.expunge()
        assert written() == ({"INBOX"}, UNCHANGED)
        dovecot.deliver("ann", "INBOX", [mail(99)])
        assert written() == ({"INBOX"}, UNCHANGED | {"folders": 1, "new": 1})
        assert written() == (set(), UNCHANGED)


def test_progress_counts_what_is_held_as_done_from_the_start(dovecot, user, inbox, tmp_path):
    def seen(**options):
        calls = []
        df = mf.read_imap(
            inbox, store=tmp_path, progress=lambda *state: calls.append(state), **options
        )
        assert calls[-1] == (len(df), len(df))
        assert [done for done, _ in calls] == sorted(done for done, _ in calls)
        return calls

    assert seen()[0] == (0, 65)
    assert seen() == [(0, 65), (65, 65)]
    with another_client(dovecot, user) as client:
        client.uid("STORE", "10:11", "+FLAGS", r"(\Deleted)")
        client.expunge()
    dovecot.deliver(user, "Work", [mail(99)])
    assert seen()[0] == (0, 64)
    assert seen(headers=["X-Nothing"])[0] == (0, 64)


def test_headers_may_be_of_any_iterable(inbox, tmp_path):
    df, _ = kept(inbox, tmp_path, headers=(name for name in ["X-Tag"]))
    pd.testing.assert_frame_equal(df, full(inbox, headers=(name for name in ["X-Tag"])))
    assert df["x_tag"].notna().all()


def test_a_header_asked_for_later_is_fetched_alone(inbox, tmp_path):
    kept(inbox, tmp_path)
    _, without = kept(inbox, tmp_path)
    df, report = kept(inbox, tmp_path, headers=["X-Tag"])
    pd.testing.assert_frame_equal(df, full(inbox, headers=["X-Tag"]))
    assert report["bytes"] - without["bytes"] < 65 * 110
    df, report = kept(inbox, tmp_path, headers=["x-tag"])
    assert report["store"] == UNCHANGED
    df, report = kept(inbox, tmp_path)
    pd.testing.assert_frame_equal(df, full(inbox))


def test_a_header_asked_for_later_has_its_column_in_empty_folders_too(
    dovecot, user, inbox, tmp_path
):
    with another_client(dovecot, user) as client:
        client.create("Empty")
    kept(inbox, tmp_path)
    _, report = kept(inbox, tmp_path, headers=["X-Tag"])
    assert report["store"] == UNCHANGED
    held = mf.open_store(tmp_path).folders().set_index("folder")["headers"]
    assert held["Empty"].tolist() == held["INBOX"].tolist() == ["X-TAG:asText"]
    _, report = kept(inbox, tmp_path, headers=["X-Tag"])
    assert report["store"] == UNCHANGED


def test_folders_that_are_gone_leave_the_store_and_others_wait(dovecot, user, inbox, tmp_path):
    kept(inbox, tmp_path)
    with another_client(dovecot, user) as client:
        client.create("More")
        client.close()
        client.delete("Work")
    dovecot.deliver(user, "INBOX", [mail(99)])
    df, report = kept(inbox, tmp_path, folders="More")
    assert df.empty
    assert report["store"]["removed"] == ["Work"]
    stored = mf.open_store(tmp_path).folders()
    assert stored.set_index("folder")["messages"].to_dict() == {"INBOX": 60, "More": 0}


def test_a_folder_that_came_after_the_list_was_asked_for_is_left_to_who_stored_it(
    dovecot, user, inbox, tmp_path, monkeypatch
):
    kept(inbox, tmp_path)
    ask = Pool.folders

    async def overtaken(pool, *how):
        listed = await ask(pool, *how)
        monkeypatch.setattr(Pool, "folders", ask)
        dovecot.deliver(user, "New", [mail(99)])
        await mf.aread_imap(inbox, store=tmp_path, progress=False)
        return listed

    monkeypatch.setattr(Pool, "folders", overtaken)
    _, report = kept(inbox, tmp_path)
    assert report["store"] == UNCHANGED
    assert set(mf.open_store(tmp_path).folders()["folder"]) == {"INBOX", "Work", "New"}
    with another_client(dovecot, user) as client:
        client.delete("New")
    assert kept(inbox, tmp_path)[1]["store"]["removed"] == ["New"]


def test_several_accounts_live_in_one_store(dovecot, user, inbox, tmp_path):
    other = dovecot.url(f"{user}-2")
    dovecot.deliver(f"{user}-2", "INBOX", [mail(1)])
    kept(inbox, tmp_path)
    kept(other, tmp_path)
    store = mf.open_store(tmp_path)
    assert len(store.accounts()) == 2
    pd.testing.assert_frame_equal(
        store.frame(accounts=f"{user}@*"), full(inbox), check_categorical=False
    )


def test_an_interrupted_first_fetch_goes_on_where_it_stopped(dovecot, user, tmp_path):
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(20_000)])
    dovecot.warm(user)
    url = dovecot.url(user)
    with Relay(dovecot.port, stall_after=3_000_000, stall=60, faulty=1) as relay:
        url = url.replace(f":{dovecot.port}", f":{relay.port}")
        with pytest.warns(MailframeWarning, match="took longer"):
            kept(url, tmp_path, connections=1, timeout=6)
        with writing(tmp_path, mf.Account.parse(url).name) as writer:
            already = writer.held("INBOX")
        assert 8_000 < already.rows < 20_000
        assert not already.state.complete
        df, report = kept(url, tmp_path)
        expected = full(url)
    assert report["store"]["new"] == 20_000 - already.rows
    assert report["bytes"] < 0.8 * expected.attrs["mailframe"]["bytes"]
    pd.testing.assert_frame_equal(df, expected)


def test_a_spoilt_file_is_fetched_anew_and_a_foreign_one_is_a_problem(inbox, tmp_path):
    kept(inbox, tmp_path)
    directory = account_dir(tmp_path, mf.Account.parse(inbox).name)
    folder_path(directory, "Work").write_bytes(b"PAR1")
    df, report = kept(inbox, tmp_path)
    pd.testing.assert_frame_equal(df, full(inbox))
    assert report["store"]["new"] == 5
    pd.DataFrame({"a": [1]}).to_parquet(folder_path(directory, "Work"))
    with pytest.warns(MailframeWarning, match="not written by mailframe"):
        df, report = kept(inbox, tmp_path)
    assert set(df["folder"]) == {"INBOX"}
    assert report["problems"][0]["folder"] == "Work"
    with pytest.raises(StoreError, match="not written by mailframe"):
        kept(inbox, tmp_path, errors="raise")


def test_two_refreshes_at_once_take_turns_and_agree(inbox, tmp_path):
    async def both():
        one = mf.aread_imap(inbox, store=tmp_path, progress=False)
        other = mf.aread_imap(inbox, store=tmp_path, progress=False)
        return await asyncio.gather(one, other)

    one, other = asyncio.run(both())
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"since": "2024-01-01"}, "whole folders"),
        ({"newest": 5}, "whole folders"),
        ({"raw_headers": True}, "raw headers"),
        ({"flags": "maybe"}, "exact"),
    ],
)
def test_what_a_store_cannot_do_is_said_before_connecting(tmp_path, options, hint):
    with pytest.raises(ConfigurationError, match=hint):
        mf.read_imap("imap://ann:x@127.0.0.1:1", store=tmp_path, **options)
