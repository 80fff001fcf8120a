"""What a server does oddly costs a store nothing but a question more."""

from __future__ import annotations

import dataclasses
import imaplib

import pandas as pd
import pytest

import mailframe as mf
from mailframe.fetcher.pool import Pool
from tests.servers.dovecot import Message
from tests.servers.mailbox import Folder, folder, letter
from tests.servers.scripted import CAPABILITIES, PASSWORD, Cut, Scripted


def read(server, **options):
    return mf.read_imap(server.url, password=PASSWORD, progress=False, **options)


def assert_whole(df, server, **options):
    pd.testing.assert_frame_equal(df, read(server, **options))


def deaf_to(*uids, times):
    """Messages of which a FETCH of few fields brings nothing, without a word."""
    left = [times]

    async def behaviour(session, command):
        few = "RFC822.SIZE BODY" in command.text and "INTERNALDATE" not in command.text
        if command.name != "UID FETCH" or not few or not left[0]:
            return False
        left[0] -= 1
        answer = session.honest(command)
        await session.send(*(part for part in answer if getattr(part, "uid", 0) not in uids))
        return True

    return behaviour


def test_a_message_that_does_not_tell_a_further_header_is_asked_for_whole(tmp_path):
    with Scripted(deaf_to(3, 70, times=9), folders=[folder("INBOX", range(1, 81))]) as server:
        read(server, store=tmp_path)
        asked = {"store": tmp_path, "headers": ["From"]}
        df = read(server, **asked)
        assert df["from"].notna().all()
        assert_whole(df, server, headers=["From"])
        before = server.seen["UID FETCH"]
        assert_whole(read(server, **asked), server, headers=["From"])
        flags_and_full = 2
        assert server.seen["UID FETCH"] == before + flags_and_full
    assert mf.open_store(tmp_path).folders()["complete"].all()


def test_uids_that_lie_far_apart_cost_few_commands(tmp_path):
    inbox = folder("INBOX", range(4_000_000, 4_030_000, 1000))
    with Scripted(folders=[inbox]) as server:
        read(server, store=tmp_path)
        inbox.messages += [letter("INBOX", 5_000_000 + number) for number in range(5)]
        inbox.messages[4].flags = r"\Flagged"
        before = len(server.commands)
        df = read(server, store=tmp_path)
        assert len(server.commands) - before < 15
        assert_whole(df, server)


def test_a_server_that_lists_no_folder_does_not_empty_the_store(tmp_path):
    async def lists_nothing(session, command):
        if command.name != "LIST" or not server.mute:
            return False
        await session.send(command.done())
        return True

    with Scripted(lists_nothing) as server:
        server.mute = False
        whole = read(server, store=tmp_path)
        server.mute = True
        df = read(server, store=tmp_path)
        inbox = whole[whole["folder"] == "INBOX"]
        assert df["uid"].tolist() == inbox["uid"].tolist()  # it is there, listed or not
        server.mute = False
        assert len(mf.open_store(tmp_path).frame()) == len(whole)


@pytest.mark.parametrize("kept", [True, False])
def test_folders_shown_alike_are_told_apart_as_those_of_a_maildir_are(tmp_path, kept):
    # "&AGE-" is an encoded "a", which nobody may write so.
    folders = [folder("INBOX", [1]), folder("a", [1, 2]), folder("&AGE-", [7])]
    store = {"store": tmp_path} if kept else {}
    with Scripted(folders=folders) as server:
        for _ in range(2):
            df = read(server, connections=1, **store)
            shown = df.groupby("folder", observed=True)["uid"].agg(list).to_dict()
            assert shown == {"INBOX": [1], "a": [1, 2], "&AGE-": [7]}
        assert read(server, folders="&AGE-", **store)["uid"].tolist() == [7]
        listed = mf.list_folders(server.url, password=PASSWORD)
    assert listed["folder"].tolist() == ["INBOX", "a", "&AGE-"]
    assert listed["messages"].tolist() == [1, 2, 1]


def test_a_folder_whose_numbers_are_refused_is_kept_all_the_same(tmp_path):
    async def refuses_status(session, command):
        if command.name != "STATUS":
            return False
        await session.send(command.done("NO", "not now"))
        return True

    inbox = folder("INBOX", [1, 2])
    plain = CAPABILITIES.replace(" LIST-STATUS", "")
    with Scripted(refuses_status, folders=[inbox], capabilities=plain) as server:
        for _ in range(2):
            assert read(server, store=tmp_path)["uid"].tolist() == [1, 2]
        inbox.messages[:1] = []
        inbox.messages.append(letter("INBOX", 3))
        assert read(server, store=tmp_path)["uid"].tolist() == [2, 3]


def test_uidvalidity_zero_is_fetched_anew_each_time(tmp_path):
    inbox = Folder("INBOX", folder("INBOX", range(1, 9)).messages, uidvalidity=0)
    with Scripted(folders=[inbox]) as server:
        read(server, store=tmp_path)
        inbox.messages = [letter("Other", uid) for uid in range(1, 9)]
        assert_whole(read(server, store=tmp_path), server)


def test_a_folder_replaced_under_way_has_the_modseqs_of_the_new_one(
    dovecot, user, tmp_path, monkeypatch
):
    """Its predecessor's would hide the changes up to there."""
    url = dovecot.url(user)
    mail = [Message(f"Subject: {n}\r\nMessage-ID: <{n}@x.org>\r\n\r\n".encode()) for n in range(3)]
    dovecot.deliver(user, "Work", mail)

    def act(*commands):
        with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
            client.login(user, "secret")
            for name, *arguments in commands:
                getattr(client, name)(*arguments)

    def flag(uid, times):
        flags = [("uid", "STORE", uid, f"{sign}FLAGS", r"(\Flagged)") for sign in "+-"]
        act(("select", "Work"), *(flags * times)[:times])

    flag("1", 8)
    folders = Pool.folders

    async def listed(pool, *how):
        found = await folders(pool, *how)
        act(("delete", "Work"), ("create", "Work"))
        dovecot.deliver(user, "Work", mail)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Pool, "folders", listed)
        mf.read_imap(url, store=tmp_path, progress=False, errors="ignore")
    flag("1", 1)
    flag("2", 12)
    kept = mf.read_imap(url, store=tmp_path, progress=False)
    pd.testing.assert_frame_equal(kept, mf.read_imap(url, progress=False))


def test_flags_left_out_once_are_not_taken_for_read_by_their_counts(tmp_path):
    inbox = folder("INBOX", range(1, 9))
    with Scripted(folders=[inbox]) as server:
        read(server, store=tmp_path)
        inbox.messages.append(letter("INBOX", 9))
        inbox.messages[0] = dataclasses.replace(inbox.messages[0], flags=r"\Seen \Flagged")
        inbox.messages[1] = dataclasses.replace(inbox.messages[1], flags="")
        read(server, store=tmp_path, flags="skip")
        assert_whole(read(server, store=tmp_path, flags="counts"), server)


def test_extensions_are_enabled_before_the_first_examine_of_each_connection(tmp_path):
    async def enables_and_cuts_once(session, command):
        if command.name == "ENABLE":
            await session.send(b"* ENABLED CONDSTORE QRESYNC\r\n", command.done())
        elif command.name == "UID FETCH" and session.server.connections == 1:
            raise Cut
        return command.name == "ENABLE"

    able = f"{CAPABILITIES} ENABLE CONDSTORE QRESYNC"
    with Scripted(enables_and_cuts_once, capabilities=able) as server:
        df = read(server, store=tmp_path, connections=1, errors="ignore")
        assert df.attrs["mailframe"]["reconnects"] == 1
        sent = {1: [], 2: []}
        for connection, command in server.commands:
            sent[connection].append(command.name)
        assert_whole(df, server)
    for names in sent.values():
        assert names.index("ENABLE") < names.index("EXAMINE")
