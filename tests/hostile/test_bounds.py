"""Bounds: what a server can cost is limited, in memory and in time; the rest is delivered."""

import sys

import pytest

from mailframe.errors import MailframeError
from tests.hostile.behaviours import (
    a_million_folders,
    announcing_four_gib,
    dribbling,
    each_row,
    endless,
    silent,
    with_a_hundred_thousand_flags,
    with_two_million_fields,
)
from tests.hostile.fetching import (
    MEBIBYTE,
    assert_lost,
    expected_rows,
    fetch,
    memory_growth_below,
    problems,
    rows,
)
from tests.servers.mailbox import one_folder
from tests.servers.scripted import Scripted
from tests.servers.transcript import transcript

ROOM = 200 * MEBIBYTE
# Before 3.11.5 Python needs memory for the ways back (see `mailframe.ground.patterns`).
ROOM_FOR_FIELDS = ROOM if sys.version_info >= (3, 11, 5) else 3 * ROOM
ENDLESS = {
    "still here": b"* OK Still here\r\n",
    "long codes": b"* OK [X " + b"x" * 65536 + b"] Still here\r\n",
    "exists": b"* 1 EXISTS\r\n",
    "continuations": b"+ and then\r\n",
    "junk": b"what?\r\n",
    "empty lines": b"\r\n",
    "flag updates": b"* 1 FETCH (FLAGS (\\Seen))\r\n",
    "one line": b"x" * 65536,
    "one quoted string": b'* LIST () "/" "' + b"x" * 65536,
    "capabilities": b"* CAPABILITY IMAP4rev1\r\n",
    "nested lists": b"* 1 FETCH (" + b"(" * 60000 + b"\r\n",
}


@pytest.fixture(scope="module", autouse=True)
def everything_is_imported():
    """What a fetch imports and builds once is no cost of the hostile server."""
    with Scripted(folders=one_folder()) as server:
        fetch(server)


def test_a_literal_of_four_gib_is_refused_when_it_is_announced():
    with (
        memory_growth_below(ROOM),
        Scripted(each_row(announcing_four_gib, 7), folders=one_folder()) as server,
    ):
        assert_lost(fetch(server), server, ("INBOX", 7))


@pytest.mark.parametrize("connections", [1, 4])
def test_with_a_store_it_is_one_problem_at_each_refresh(tmp_path, connections):
    with Scripted(each_row(announcing_four_gib, 7), folders=one_folder()) as server:
        for _ in range(3):
            frame = fetch(server, store=tmp_path, connections=connections)
            assert_lost(frame, server, ("INBOX", 7))


def test_a_header_of_two_million_fields_costs_its_row_at_most():
    with (
        memory_growth_below(ROOM),
        Scripted(each_row(with_two_million_fields, 7), folders=one_folder()) as server,
    ):
        frame = fetch(server)
    others = frame[frame["uid"] != 7]
    assert others["subject"].tolist() == [f"INBOX {uid}" for uid in range(1, 13) if uid != 7]
    assert problems(frame) == [("INBOX", 7)] or frame["defects"][6] > 0


def test_a_hundred_thousand_flags_cost_their_row_at_most():
    with (
        memory_growth_below(ROOM),
        Scripted(each_row(with_a_hundred_thousand_flags, 7), folders=one_folder()) as server,
    ):
        frame = fetch(server)
    assert len(frame) + len(problems(frame)) == 12
    assert len(frame) >= 11


@pytest.mark.parametrize("line", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("name", ["UID FETCH", "LIST"])
def test_an_endless_answer_ends_in_a_problem_or_a_clear_error(name, line):
    with (
        memory_growth_below(ROOM),
        Scripted(endless(line, name=name), folders=one_folder(3)) as server,
    ):
        try:
            frame = fetch(server, within=30)
        except MailframeError as error:
            assert len(str(error)) < 500  # noqa: PT017 -- an error or a problem: both are right
        else:
            assert problems(frame)


HEADERS = {
    "fields": b"X: y\r\n" * 2_000_000 + b"Subject: a\r\nSubject: b\r\n",
    "recipients": b"To: " + b"a@example.org, " * 300_000 + b"b\r\n",
    "folds": b"Subject: a\r\n" + b" b\r\n" * 2_500_000 + b"Subject: b\r\n",
    "encoded words": b"Subject: " + b"=?utf-8?q?=C3?= " * 500_000 + b"\r\n",
    "parentheses": b"From: " + b"(" * 2_000_000 + b"\r\n",
    "quotes": b"From: " + b'"\\' * 1_000_000 + b"\r\n",
    "brackets": b"References: " + b"<" * 10_000_000 + b"\r\n",
}


@pytest.mark.parametrize("block", HEADERS.values(), ids=HEADERS)
def test_ten_megabytes_of_header_are_a_row_with_a_defect(block):
    folders = one_folder(3)
    folders[0].messages[1].section = lambda _: block + b"\r\n"
    with memory_growth_below(ROOM_FOR_FIELDS), Scripted(folders=folders) as server:
        frame = fetch(server)
    assert frame["uid"].tolist() == [1, 2, 3]
    assert frame["defects"].gt(0).tolist() == [False, True, False]


def test_an_endless_answer_once_costs_nothing_but_time():
    with Scripted(endless(ENDLESS["still here"], times=1), folders=one_folder()) as server:
        assert fetch(server)["uid"].tolist() == list(range(1, 13))


def test_a_million_folders_are_too_many():
    with (
        memory_growth_below(ROOM),
        Scripted(a_million_folders) as server,
        pytest.raises(MailframeError, match="folders"),
    ):
        fetch(server)


def test_a_folder_that_claims_four_thousand_million_messages_is_a_problem_of_its_own():
    folders = [*one_folder(), *one_folder(5, "Huge")]
    with memory_growth_below(ROOM), Scripted(transcript("huge-numbers"), folders=folders) as server:
        frame = fetch(server)
        assert rows(frame) == expected_rows(server)
    assert problems(frame) == [("Huge", None)]


def test_a_greeting_that_never_comes_is_a_clear_error():
    asked = r"no greeting within .* is this an IMAP port\? One for TLS wants imaps://$"
    with Scripted(silent("")) as server, pytest.raises(MailframeError, match=asked):
        fetch(server)


def test_one_octet_a_second_is_bounded_by_the_callers_timeout():
    slow = dribbling(1, 1.0)
    with (
        Scripted(slow, folders=one_folder()) as server,
        pytest.raises(MailframeError, match="longer than"),
    ):
        fetch(server, timeout=1.5, within=6, errors="raise")
