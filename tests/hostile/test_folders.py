"""EXAMINE, STATUS, LIST, SEARCH: odd answers cost nothing, a bad folder costs only itself."""

import asyncio

import pyarrow as pa
import pytest

import mailframe as mf
from mailframe.errors import FolderError
from tests.hostile.behaviours import emptied, ever_new_uidvalidity, silent_about_nothing
from tests.hostile.fetching import (
    assert_complete,
    assert_hung_up,
    expected_rows,
    fetch,
    problems,
    report,
    rows,
)
from tests.servers.mailbox import Folder, Message, folder, one_folder
from tests.servers.scripted import CAPABILITIES, PASSWORD, Scripted
from tests.servers.transcript import transcript


def list_folders(server: Scripted):
    try:
        return asyncio.run(mf.alist_folders(server.url, password=PASSWORD)).set_index("folder")
    finally:
        assert_hung_up(server)


@pytest.mark.parametrize(
    "name", ["examine-courier", "examine-odd-codes", "no-uidvalidity", "no-uidnext", "no-exists"]
)
def test_what_examine_does_not_tell_is_not_needed(name):
    with Scripted(transcript(name), folders=one_folder()) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize("name", ["status-of-zeros", "status-of-zeros-for-ever"])
def test_a_status_of_zeros_hides_no_message(name):
    with Scripted(transcript(name), folders=one_folder()) as server:
        assert_complete(fetch(server), server)


def test_a_status_of_zeros_is_asked_for_again():
    with Scripted(transcript("status-of-zeros"), folders=one_folder()) as server:
        assert list_folders(server).loc["INBOX", "messages"] == 12


def test_searches_survive_extra_spaces():
    with Scripted(transcript("extra-spaces"), folders=one_folder()) as server:
        assert fetch(server, since="2024-01-01")["uid"].tolist() == [1, 2]


def test_search_falls_back_to_its_plain_form():
    with Scripted(transcript("esearch-refused"), folders=one_folder()) as server:
        assert fetch(server, search="UNSEEN")["uid"].tolist() == [3, 6, 9, 12]


def test_every_oddity_of_list_is_a_folder_with_a_readable_name():
    with Scripted(transcript("list-oddities")) as server:
        listed = list_folders(server)
    assert {"flat", "atom.name", "NIL", "raw café", "back\\slash", "bad &AP name"} <= set(
        listed.index
    )
    assert not listed.loc["closed", "selectable"]
    assert not listed.loc["ghost", "selectable"]
    assert len(listed) == 10


def test_the_raw_name_goes_back_to_the_server_as_it_came():
    odd = 'Entw&APw-rfe &- \\o/ "x"'
    with Scripted(folders=[Folder(odd), folder("Entw&APw-rfe", [1])]) as server:
        server.folders[odd].listed = lambda: (
            b'* LIST () "/" {%d}\r\n%s\r\n'
            % (
                len(odd),
                odd.encode(),
            )
        )
        frame = fetch(server)
    assert [line for line in server.lines("EXAMINE") if "rfe" in line]
    assert frame["folder"].tolist() == ["Entwürfe"]
    assert problems(frame) == []


def test_list_falls_back_to_plain_list_and_status():
    with Scripted(transcript("list-status-refused")) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize(
    "name",
    ["list-line-lost", "list-lines-joined", "list-line-swallowed", "list-noselect-stale"],
)
def test_a_folder_whose_line_is_lost_from_the_list_is_found_all_the_same(name):
    folders = [*one_folder(), folder("Archive", range(5, 65))]
    with Scripted(transcript(name), folders=folders) as server:
        assert_complete(fetch(server), server)


def test_an_honest_list_is_asked_for_once_and_an_honest_count_is_believed():
    with Scripted() as server:
        assert_complete(fetch(server), server)
    assert server.seen["LIST"] == 1
    assert not server.seen["STATUS"]
    assert not server.seen["UID SEARCH"]


@pytest.mark.parametrize("answer", ["esearch-without-answer", "esearch-garbled"])
def test_where_no_extended_search_is_understood_its_plain_form_serves(answer):
    with Scripted(transcript(answer), folders=one_folder()) as server:
        assert fetch(server, search="UNSEEN")["uid"].tolist() == [3, 6, 9, 12]


def test_a_search_without_an_answer_is_asked_again():
    with Scripted(transcript("search-without-answer"), folders=one_folder()) as server:
        assert fetch(server, search="UNSEEN")["uid"].tolist() == [3, 6, 9, 12]


@pytest.mark.parametrize("capabilities", [CAPABILITIES, "IMAP4rev1"])
def test_a_search_that_is_never_answered_is_a_problem(capabilities):
    silence = transcript("search-without-answer-for-ever")
    with Scripted(silence, folders=one_folder(), capabilities=capabilities) as server:
        assert problems(fetch(server, search="UNSEEN")) == [("INBOX", None)]


@pytest.mark.parametrize("capabilities", [CAPABILITIES, "IMAP4rev1"])
def test_a_search_that_finds_nothing_may_say_nothing(capabilities):
    with Scripted(silent_about_nothing, capabilities=capabilities) as server:
        frame = fetch(server, since="2999-01-01", connections=1)
        assert (rows(frame), problems(frame)) == ([], [])
        assert_complete(fetch(server), server)


def test_a_folder_that_cannot_be_opened_is_a_problem_of_that_folder_alone():
    with Scripted(transcript("folder-gone")) as server:
        frame = fetch(server)
        kept = [row for row in expected_rows(server) if row[0] not in {"Archive", "Lists/pandas"}]
    assert rows(frame) == kept
    assert {name for name, _ in problems(frame)} == {"Archive", "Lists/pandas"}


def test_with_errors_raise_the_failing_folders_are_raised_together():
    with Scripted(transcript("folder-gone")) as server, pytest.raises(ExceptionGroup) as failed:
        fetch(server, errors="raise")
    assert {error.folder for error in failed.value.exceptions} == {"Archive", "Lists/pandas"}
    assert all(isinstance(error, FolderError) for error in failed.value.exceptions)


def test_with_errors_warn_there_is_one_warning_for_all_of_them():
    with Scripted(transcript("folder-gone")) as server, pytest.warns(mf.MailframeWarning) as warned:
        fetch(server, errors="warn")
    assert len(warned) == 1
    said = str(warned[0].message)
    assert "and 1 more problems" in said
    assert "Archive" in said or "Lists/pandas" in said, "whichever was refused first"


def test_a_uidvalidity_that_never_stays_the_same_neither_mixes_nor_loses_rows():
    with Scripted(ever_new_uidvalidity) as server:
        assert_complete(fetch(server), server)


def test_a_mailbox_emptied_under_us_is_an_empty_frame_and_no_error():
    with Scripted(emptied()) as server:
        frame = fetch(server)
    assert len(frame) == 0
    assert problems(frame) == []


MAILS = {
    subject: f"Message-ID: <{subject}@x>\r\nFrom: ann@example.org\r\nSubject: {subject}\r\n\r\n"
    for subject in ("received", "sent", "archived", "starred")
}


def holding(name, *subjects, attributes=r"\HasNoChildren"):
    mails = [Message(uid, MAILS[subject].encode()) for uid, subject in enumerate(subjects, 1)]
    return Folder(name, mails, attributes)


def test_of_a_folder_that_holds_everything_again_what_stands_nowhere_else_is_read(tmp_path):
    folders = [
        holding("All", *MAILS, attributes=r"\HasNoChildren \All"),
        holding("INBOX", "received"),
        holding("Sent", "sent", "received"),
        holding("Starred", "starred", attributes=r"\HasNoChildren \Flagged"),
    ]
    with Scripted(folders=folders) as server:
        for options in ({}, {"folders": ["*"]}, {"store": tmp_path / "store"}, {"connections": 1}):
            for _ in range(2):
                frame = fetch(server, **options)
                assert frame["subject"].value_counts().to_dict() == {
                    "received": 2,
                    "sent": 1,
                    "archived": 1,
                    "starred": 1,
                }
                assert set(frame.loc[frame["folder"] == "All", "subject"]) == {
                    "archived",
                    "starred",
                }
                assert report(frame)["views"] == {"All": 2, "Starred": 0}
                assert report(frame)["messages"] == len(frame) == 5
        assert len(fetch(server, folders="All")) == 4
        assert len(fetch(server, folders=["All", "INBOX"])) == 5


def test_batches_of_a_view_come_when_the_others_are_complete():
    others = [
        Folder(
            f"f{n}",
            [Message(u, b"Message-ID: <%d.%d@x>\r\n\r\n" % (n, u)) for u in range(1, 1_501)],
        )
        for n in range(6)
    ]
    everything = [
        Message(u, b"Message-ID: <%d.%d@x>\r\n\r\n" % (u % 7, u)) for u in range(1, 1_501)
    ]
    folders = [*others, Folder("All", everything, r"\All")]

    async def read(server):
        batches = mf.aiter_batches(server.url, password=PASSWORD, progress=False)
        return pa.Table.from_batches([batch async for batch in batches])

    with Scripted(folders=folders) as server:
        table = asyncio.run(read(server))
        assert_hung_up(server)
    ids = table["message_id"].to_pylist()
    assert len(ids) == len(set(ids)) == 9_000 + sum(u % 7 == 6 for u in range(1, 1_501))
