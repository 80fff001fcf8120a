"""FETCH: items in any order and spelling, rows in pieces, twice, foreign, malformed, gone."""

import pandas as pd
import pytest

from tests.hostile.behaviours import (
    each_row,
    in_two_halves,
    malformed,
    shuffled,
    twice,
    under_uid,
    with_a_stranger_before,
    with_flag_updates_around,
    with_many_flags,
)
from tests.hostile.fetching import assert_complete, assert_lost, fetch, problems, rows
from tests.servers.mailbox import one_folder
from tests.servers.scripted import Scripted
from tests.servers.transcript import transcript


def frame_of(name: str, count: int) -> pd.DataFrame:
    """The frame of a folder whose ``count`` messages the transcript ``name`` tells, by UID."""
    with Scripted(transcript(name), folders=one_folder(count)) as server:
        frame = fetch(server)
    return frame.set_index("uid", drop=False)


@pytest.mark.parametrize("name", ["cyrus-order", "section-spelling"])
def test_items_may_come_in_any_order_case_spacing_and_quoting(name):
    frame = frame_of(name, 3)
    assert rows(frame) == [
        ("INBOX", 1, "INBOX 1", 1001, True),
        ("INBOX", 2, "INBOX 2", 1002, True),
        ("INBOX", 3, "INBOX 3", 1003, False),
    ]
    assert frame["internaldate"].dt.hour.tolist() == [10, 11, 12]


def test_header_blocks_may_be_absent_empty_or_oddly_ended():
    frame = frame_of("header-blocks", 10)
    assert frame["uid"].tolist() == list(range(1, 11))
    assert frame.loc[[1, 2, 3], "subject"].isna().all()
    assert frame.loc[[4, 5, 6, 7, 9, 10], "subject"].tolist() == [
        f"INBOX {uid}" for uid in (4, 5, 6, 7, 9, 10)
    ]
    assert frame.loc[[5, 6, 7], "from_addr"].tolist() == ["ann@example.org"] * 3
    assert list(frame["to"][8]) == ["bob@example.org"]
    assert problems(frame) == [("INBOX", 1), ("INBOX", 2), ("INBOX", 3)]


def test_dates_and_sizes_that_make_no_sense_are_missing_values():
    frame = frame_of("dates-and-sizes", 5)
    assert frame["internaldate"].isna().tolist() == [True, True, True, False, True]
    assert frame["internaldate"][4] == pd.Timestamp("1996-07-17 09:44:25", tz="UTC")
    assert frame["size"].isna().tolist() == [True, False, True, True, False]
    assert frame["size"][2] == 2**32 + 1
    assert frame["subject"].tolist() == [f"INBOX {uid}" for uid in range(1, 6)]


def test_the_same_moment_is_read_whatever_form_it_has():
    forms = [
        b'"05-Jan-2015 10:00:00 +0000"',
        b'"2015-01-05T11:00:00+01:00"',
        b'"Mon, 05 Jan 2015 10:00:00 +0000"',
        b"{10}\r\n1420452000",
        b"05-Jan-2015 10:00:00 +0000",
        b'"yesterday"',
    ]

    def dated(row):
        row.items["INTERNALDATE"] = forms[row.uid - 1]
        return row

    with Scripted(each_row(dated, *range(1, 7)), folders=one_folder(6)) as server:
        frame = fetch(server)
    arrived = frame["internaldate"].tolist()
    assert arrived == [pd.Timestamp("2015-01-05 10:00", tz="UTC")] * 5 + [pd.NaT]
    assert frame["defects"].tolist() == [0, 1, 1, 1, 0, 1]


def test_odd_flags_are_keywords_and_known_ones_columns():
    frame = frame_of("odd-flags", 4)
    assert frame["seen"].tolist() == [True, False, False, False]
    assert frame["flagged"].tolist() == [False, True, False, False]
    assert list(frame["keywords"][1]) == ["$Junk"]
    assert frame["keywords"][2][0] == "[Gmail]/Starred"
    assert len(frame["keywords"][2]) == 2
    assert list(frame["keywords"][3]) == list(frame["keywords"][4]) == []


def test_five_hundred_flags_are_five_hundred_keywords():
    with Scripted(each_row(with_many_flags, 2), folders=one_folder(3)) as server:
        frame = fetch(server)
    assert frame["keywords"].map(len).tolist() == [0, 500, 0]


def test_a_message_may_come_in_two_responses():
    with Scripted(each_row(in_two_halves)) as server:
        assert_complete(fetch(server), server)


def test_a_message_that_comes_twice_is_one_row():
    with Scripted(each_row(twice)) as server:
        assert_complete(fetch(server), server)


def test_rows_may_come_in_any_order():
    with Scripted(shuffled) as server:
        assert_complete(fetch(server), server)


def test_rows_that_nobody_asked_for_do_not_count():
    with Scripted(each_row(with_a_stranger_before)) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize(("uid", "wrong"), [(3, 9), (9, 3), (3, 4), (4, 3)])
def test_of_two_messages_under_one_uid_both_are_asked_for_again(uid, wrong):
    with Scripted(each_row(under_uid(wrong), uid, times=1), folders=one_folder()) as server:
        assert_complete(fetch(server), server)


def test_flag_updates_of_other_messages_are_no_rows_and_change_none():
    with Scripted(each_row(with_flag_updates_around)) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert not frame["flagged"].any()
    assert not frame["deleted"].any()


def test_illegal_shapes_between_rows_are_ignored():
    with Scripted(transcript("illegal-rows")) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert not frame["flagged"].any()


@pytest.mark.parametrize("name", ["dovecot-ghost", "courier-ghost"])
def test_a_message_expunged_meanwhile_spoils_nothing(name):
    frame = frame_of(name, 3)
    assert frame.loc[[1, 3], "subject"].tolist() == ["INBOX 1", "INBOX 3"]
    assert problems(frame) == []


def test_the_ghost_that_dovecot_sends_for_an_expunged_message_is_no_row():
    assert frame_of("dovecot-ghost", 3)["uid"].tolist() == [1, 3]


def test_messages_expunged_before_their_fetch_are_plainly_absent():
    with Scripted(folders=one_folder()) as server:
        server.folders["INBOX"].messages[3:6] = []
        assert_complete(fetch(server), server)


def test_a_malformed_row_is_asked_for_once_more_alone():
    with Scripted(each_row(malformed, 7, times=1), folders=one_folder()) as server:
        assert_complete(fetch(server), server)
    assert [line.split()[0] for line in server.lines("UID FETCH")][-1] in {"7", "7:7"}


def test_a_row_that_is_malformed_for_ever_is_a_problem_and_nothing_else_is_lost():
    with Scripted(each_row(malformed, 7, 9), folders=one_folder()) as server:
        frame = fetch(server, connections=1)
        assert_lost(frame, server, ("INBOX", 7), ("INBOX", 9))
    assert server.connections == 1, "the line was well framed: no reason to reconnect"
