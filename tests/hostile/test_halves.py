"""Half an answer: without some item, to no range, with phantoms, in silence."""

import asyncio

import pytest

import mailframe as mf
from mailframe.imap.limits import Limits
from tests.hostile.behaviours import (
    dribbling,
    headers_are,
    leaving_out_of_sets,
    listing_phantoms,
    not_connected,
    one_at_a_time,
    refusing_ranges,
    silent,
    without,
)
from tests.hostile.fetching import QUICK, assert_complete, expected_rows, fetch, problems, rows
from tests.servers.mailbox import folder, one_folder, small_mailbox
from tests.servers.scripted import CAPABILITIES, PASSWORD, Scripted

SERVED = pytest.mark.parametrize("stored", [False, True], ids=["no store", "store"])
LONELY = pytest.mark.parametrize("connections", [1, 4])


@pytest.fixture
def keep(stored, tmp_path):
    return {"store": tmp_path} if stored else {}


@SERVED
def test_flags_that_come_only_when_asked_for_alone_are_the_flags(keep):
    with Scripted(without("FLAGS", "RFC822.SIZE", wherever=False)) as server:
        assert_complete(fetch(server, **keep), server)


@SERVED
def test_flags_that_never_come_are_told_each_time(keep):
    with Scripted(without("FLAGS"), folders=one_folder(5)) as server:
        for _ in range(2):
            frame = fetch(server, **keep)
            assert frame["subject"].notna().all()
            assert problems(frame) == [("INBOX", uid) for uid in range(1, 6)]


@SERVED
def test_sizes_and_dates_that_never_come_are_missing_values(keep):
    with Scripted(without("RFC822.SIZE", "INTERNALDATE"), folders=one_folder(5)) as server:
        frame = fetch(server, **keep)
    assert frame["size"].isna().all()
    assert frame["internaldate"].isna().all()
    assert frame["seen"].tolist() == [True, True, False, True, True]
    assert problems(frame) == []


@SERVED
@pytest.mark.parametrize("block", [b"NIL", b"{2}\r\n\r\n", b"{0}\r\n", b'""'])
def test_a_header_that_is_empty_by_fields_is_asked_for_whole(keep, block):
    with Scripted(headers_are(block, whole=False)) as server:
        assert_complete(fetch(server, **keep), server)


@SERVED
@LONELY
@pytest.mark.parametrize("block", [b"NIL", b"{2}\r\n\r\n"])
def test_a_header_that_is_empty_in_every_way_is_told_each_time(keep, connections, block):
    with Scripted(headers_are(block, whole=True), folders=one_folder(3)) as server:
        for _ in range(3):
            frame = fetch(server, connections=connections, **keep)
            assert frame["uid"].tolist() == [1, 2, 3]
            assert problems(frame) == [("INBOX", 1), ("INBOX", 2), ("INBOX", 3)]


def test_a_header_that_was_empty_is_read_once_it_is_there(tmp_path):
    with Scripted(headers_are(b"NIL", whole=True), folders=one_folder(3)) as server:
        fetch(server, store=tmp_path)
        server.behaviours = ()
        for _ in range(2):
            assert_complete(fetch(server, store=tmp_path), server)


@SERVED
def test_a_header_that_never_comes_costs_its_message(keep):
    with Scripted(without("BODY"), folders=one_folder(3)) as server:
        frame = fetch(server, **keep)
    assert problems(frame) == [("INBOX", 1), ("INBOX", 2), ("INBOX", 3)]


@SERVED
@LONELY
@pytest.mark.parametrize("capabilities", ["IMAP4rev1 ID", CAPABILITIES])
def test_every_command_that_was_refused_in_company_is_asked_again(keep, connections, capabilities):
    with Scripted(one_at_a_time(), capabilities=capabilities) as server:
        for _ in range(2):
            assert_complete(fetch(server, connections=connections, **keep), server)


@SERVED
def test_a_server_that_takes_no_ranges_is_asked_by_name(keep):
    with Scripted(refusing_ranges, folders=one_folder(900)) as server:
        for _ in range(2):
            assert_complete(fetch(server, connections=1, **keep), server)
            assert server.seen["UID FETCH"] < 60


@SERVED
def test_rows_that_are_left_out_of_sets_come_one_by_one(keep):
    with Scripted(leaving_out_of_sets, folders=one_folder(400)) as server:
        assert_complete(fetch(server, **keep), server)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", CAPABILITIES])
def test_numbers_that_are_no_uids_are_no_problem(capabilities):
    with Scripted(listing_phantoms, capabilities=capabilities) as server:
        frame = fetch(server, search="UNSEEN", connections=1)
        unseen = [row for row in expected_rows(server) if not row[-1]]
    assert (rows(frame), problems(frame)) == (unseen, [])


@pytest.mark.parametrize("name", ["LIST", "EXAMINE", "UID FETCH"])
def test_a_server_that_has_lost_its_own_connection_is_connected_to_again(name):
    with Scripted(not_connected(name, times=2)) as server:
        assert_complete(fetch(server, connections=1), server)


def test_names_with_blanks_that_nobody_quoted_are_folders():
    async def unquoted(session, command):
        if command.name not in {"LIST", "STATUS"}:
            return False
        answer = session.honest(command)
        bare = b"Deleted  Items (old)"
        await session.send(*(bytes(part).replace(b'"%b"' % bare, bare) for part in answer))
        return True

    folders = [folder("INBOX", [1, 2]), folder("Deleted  Items (old)", [5])]
    for capabilities in ("IMAP4rev1", CAPABILITIES):
        with Scripted(unquoted, folders=folders, capabilities=capabilities) as server:
            assert_complete(fetch(server), server)


def test_a_folder_whose_line_makes_no_sense_is_told_and_stays_in_the_store(tmp_path):
    broken = [False]

    async def garbled(session, command):
        if command.name != "LIST" or not broken[0]:
            return False
        answer = session.honest(command)
        line = b'* LIST (\\HasNoChildren "/" "Archive"\r\n'
        kept = (part for part in answer if b"Archive" not in bytes(part))
        await session.send(line, *kept)
        return True

    with Scripted(garbled, folders=small_mailbox()) as server:
        whole = fetch(server, store=tmp_path)
        broken[0] = True
        frame = fetch(server, store=tmp_path)
        assert problems(frame) == [(None, None)]
        assert "Archive" in frame.attrs["mailframe"]["problems"][0]["text"]
        with pytest.warns(mf.MailframeWarning, match="Archive"):
            mf.list_folders(server.url, password=PASSWORD)
    assert len(mf.open_store(tmp_path).frame()) == len(whole)


SLOW = Limits(first_wait=0.02, longest_wait=0.1, silence=1.0, connect=2.0, tries=2, barren=6)


@pytest.mark.parametrize("name", ["", "LOGIN", "LIST", "EXAMINE", "UID FETCH"])
def test_a_few_octets_now_and_then_are_no_progress(name):
    slow = dribbling(1, 0.2, name=name)
    if name == "":

        async def slow(session, command):
            if command.name:
                return False
            for octet in b"* OK ready\r\n" * 9:
                await session.send(bytes([octet]))
                await asyncio.sleep(0.2)
            return True

    with Scripted(slow, folders=one_folder(3), capabilities="IMAP4rev1") as server:
        try:
            assert problems(fetch(server, connections=1, limits=SLOW, within=60)) != []
        except mf.MailframeError as error:
            assert "octets a second" in str(error) or "no greeting" in str(error)  # noqa: PT017


def test_an_answer_that_is_put_off_for_ever_is_not_waited_for():
    async def still_here(session, command):
        if command.name != "UID FETCH":
            return False
        while True:
            await session.send(b"* OK\r\n")
            await asyncio.sleep(0.5)

    limits = Limits(**QUICK_ITEMS, patience=1.5, tries=2, barren=6)
    with Scripted(still_here, folders=one_folder(3)) as server:
        frame = fetch(server, connections=1, limits=limits, within=40)
    assert "next to nothing" in frame.attrs["mailframe"]["problems"][0]["text"]


QUICK_ITEMS = {
    name: getattr(QUICK, name) for name in ("first_wait", "longest_wait", "silence", "connect")
}


def test_a_silence_behind_id_is_told_as_that():
    with (
        Scripted(silent("ID")) as server,
        pytest.raises(mf.MailframeError, match=r"silent .* an answer to ID"),
    ):
        fetch(server, connections=1)
