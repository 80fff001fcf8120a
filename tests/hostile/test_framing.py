"""Framing: whatever a line or a literal looks like, what can be read is read, once."""

import pytest

from tests.hostile.behaviours import (
    SHAPES,
    announcing_four_gib,
    each_row,
    on_one_long_line,
    short_by,
)
from tests.hostile.fetching import assert_complete, assert_lost, fetch, rows
from tests.servers.mailbox import one_folder
from tests.servers.scripted import Scripted
from tests.servers.transcript import transcript


def test_an_honest_server_gives_every_row_once():
    with Scripted() as server:
        frame = fetch(server)
        assert len(frame) == 203
        assert_complete(frame, server)
    assert server.seen["SELECT"] == server.seen["STORE"] == 0


def test_literals_are_read_wherever_a_string_may_stand():
    with Scripted(transcript("literals-everywhere"), folders=one_folder(2)) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert frame["internaldate"].dt.hour.tolist() == [10, 11]


def test_quoted_strings_with_odd_octets_are_read_and_broken_ones_cost_only_their_message():
    with Scripted(transcript("quoted-strings"), folders=one_folder(5)) as server:
        frame = fetch(server)
    subjects = frame.set_index("uid")["subject"]
    assert subjects[1] == "café au lait"
    assert subjects[2] == 'C:new "x" y'
    assert subjects[5] == "INBOX 5"


def test_junk_between_responses_is_skipped():
    with Scripted(transcript("junk-lines")) as server:
        assert_complete(fetch(server), server)


def test_a_line_of_206740_octets_is_a_row():
    with Scripted(each_row(on_one_long_line, 7), folders=one_folder()) as server:
        frame = fetch(server)
    assert frame["uid"].tolist() == list(range(1, 13))
    assert frame["subject"].str.len()[6] == 206_740 - 11


@pytest.mark.parametrize("octets", [1, 2])
def test_a_literal_short_of_its_last_line_end_is_a_row(octets):
    with Scripted(each_row(short_by(octets), 7), folders=one_folder()) as server:
        assert_complete(fetch(server), server)


def test_a_literal_that_is_too_short_loses_that_message_only():
    with Scripted(each_row(short_by(9), 7), folders=one_folder()) as server:
        assert_lost(fetch(server), server, ("INBOX", 7))


def test_a_literal_that_is_too_short_is_asked_for_once_more():
    with Scripted(each_row(short_by(9), 7, times=1), folders=one_folder()) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize("row", SHAPES, ids=SHAPES)
def test_the_end_of_a_row_may_look_odd(row):
    with Scripted(each_row(SHAPES[row]), folders=one_folder()) as server:
        assert_complete(fetch(server, connections=1), server)


def test_a_message_of_four_gib_costs_one_connection_and_itself():
    with Scripted(each_row(announcing_four_gib, 7), folders=one_folder()) as server:
        assert_lost(fetch(server, connections=1), server, ("INBOX", 7))
    assert server.connections == 2


@pytest.mark.parametrize("octets", range(1, 320, 5))
def test_a_response_cut_short_mixes_no_two_messages_up(octets):
    cut = each_row(lambda row: bytes(row)[:-octets], 7, times=1)
    with Scripted(cut, folders=one_folder()) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize("name", ["unsent-tag", "second-answer"])
def test_an_answer_nobody_asked_for_costs_the_connection_and_no_row(name):
    with Scripted(transcript(name)) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert server.connections >= 2, "the connection that lied must not be used on"


def test_capabilities_dates_and_folders_survive_extra_spaces():
    with Scripted(transcript("extra-spaces"), folders=one_folder()) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert len(rows(frame)) == 12
