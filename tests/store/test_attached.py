"""A store keeps what is told beside headers, and asks only for what it lacks of it."""

import re

import pandas as pd
import pytest

import mailframe as mf
from mailframe.frame.schema import ATTACHMENTS
from tests.hostile.fetching import fetch, problems, report
from tests.hostile.test_beside import PDF, asks, with_structures
from tests.servers.gmail import GMAIL, LABELS, gmail
from tests.servers.mailbox import letter, one_folder, small_mailbox
from tests.servers.scripted import Cut, Scripted


def structures(server, before=0):
    return [line for line in server.lines("UID FETCH")[before:] if "BODYSTRUCTURE" in line]


def test_attachments_asked_for_later_are_fetched_for_what_is_held(tmp_path):
    with Scripted(folders=with_structures(small_mailbox())) as server:
        plain = fetch(server, store=tmp_path)
        df = fetch(server, store=tmp_path, attachments=True)
        assert len(structures(server)) == 4
        headers = [line for line in server.lines("UID FETCH") if "BODY.PEEK" in line]
        assert len(headers) == 4  # of the first time
        full = fetch(server, attachments=True)
    pd.testing.assert_frame_equal(df, full)
    pd.testing.assert_frame_equal(df[plain.columns], plain)
    kept = mf.open_store(tmp_path).frame()
    assert kept["attachments"].tolist() == df["attachments"].tolist()
    assert kept.mail.attachments("type").loc["application/pdf", "attachments"] == 66


def test_what_is_held_is_not_asked_for_again_and_new_messages_are_told_too(tmp_path):
    with Scripted(folders=with_structures(one_folder())) as server:
        fetch(server, store=tmp_path, attachments=True)
        before = len(server.lines("UID FETCH"))
        fetch(server, store=tmp_path, attachments=True)
        assert structures(server, before) == []
        new = letter("INBOX", 30)
        new.more["BODYSTRUCTURE"] = PDF
        server.folders["INBOX"].messages.append(new)
        df = fetch(server, store=tmp_path)  # the column is there: it is kept up to date
        assert len(structures(server, before)) == 1
    assert "attachments" not in df
    assert mf.open_store(tmp_path).frame()["attachments"].tolist()[-1] == 1


def test_what_broke_off_is_asked_for_the_next_time(tmp_path):
    left = [True]

    async def cut(session, command):
        if asks(session, command) and left:
            raise Cut
        return False

    folders = with_structures(one_folder())
    with Scripted(cut, folders=folders) as server:
        first = fetch(server, store=tmp_path, attachments=True)
        assert len(first) == 12
        assert first["attachments"].isna().all()
        assert problems(first) == [("INBOX", uid) for uid in range(1, 13)]
        left.clear()
        assert "attachments" not in mf.open_store(tmp_path).frame()
        second = fetch(server, store=tmp_path, attachments=True)
    assert second["attachments"].sum() == 4
    assert problems(second) == []
    assert set(ATTACHMENTS.names) <= set(mf.open_store(tmp_path).frame().columns)


def test_a_folder_that_is_not_complete_is_asked_for_what_it_lacks(tmp_path):
    ill = [True]

    async def refuses(session, command):
        if not ill or command.name != "UID FETCH":
            return False
        if "BODY" in command.text and "7" in re.findall(r"\b(7|1:12|7:\S+|1:7)\b", command.text):
            await session.send(command.done("NO", "not now"))
            return True
        return False

    with Scripted(refuses, folders=with_structures(one_folder())) as server:
        fetch(server, store=tmp_path, attachments=True)
        ill.clear()
        again = fetch(server, store=tmp_path, attachments=True)
    assert again["uid"].tolist() == list(range(1, 13))
    assert again["attachments"].sum() == 4
    assert problems(again) == []


def test_labels_are_kept(tmp_path):
    with Scripted(folders=gmail(), capabilities=GMAIL) as server:
        fresh = fetch(server)
        fetch(server, store=tmp_path)
        again = fetch(server, store=tmp_path)
    assert report(again)["problems"] == []
    pd.testing.assert_frame_equal(again, fresh)
    kept = mf.open_store(tmp_path).frame(folders="[[]Gmail]/All Mail")
    assert [list(one) for one in kept["x_gm_labels"]] == LABELS


def test_a_label_that_changed_is_told_where_the_server_counts_changes(tmp_path, dovecot_like):
    server, change = dovecot_like
    fetch(server, store=tmp_path, folders=r"\All")
    change()
    again = fetch(server, store=tmp_path, folders=r"\All")
    expected = [*LABELS[:2], ["Work"], *LABELS[3:]]
    assert [list(one) for one in again["x_gm_labels"]] == expected


@pytest.fixture
def dovecot_like():
    """A server with mod-sequences: after the change, message 3 answers CHANGEDSINCE, alone."""
    folders = gmail()
    state = {"modseq": 10}

    async def condstore(session, command):
        if command.name == "LIST" and "HIGHESTMODSEQ" in command.text:
            for part in session.honest(command):
                told = bytes(part)
                if told.startswith(b"* STATUS"):
                    told = told.replace(b")\r\n", b" HIGHESTMODSEQ %d)\r\n" % state["modseq"])
                await session.send(told)
            return True
        if command.name == "UID FETCH" and "CHANGEDSINCE" in command.text:
            items = command.text.partition("(")[2].partition(")")[0]
            row = session.selected.messages[2].row(3, items.split())
            await session.send(row, command.done())
            return True
        return False

    with Scripted(condstore, folders=folders, capabilities=f"{GMAIL} CONDSTORE") as server:

        def change():
            state["modseq"] = 11
            folders[0].messages[2].more["X-GM-LABELS"] = b"(Work)"

        yield server, change
