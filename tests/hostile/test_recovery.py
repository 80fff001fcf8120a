"""Cuts, stalls, refusals half-way: what was delivered is kept, only the rest is asked for again."""

import asyncio
from dataclasses import replace

import pytest

import mailframe as mf
from mailframe.errors import FolderError, MailframeError
from mailframe.imap.limits import DEFAULT_LIMITS
from tests.hostile.behaviours import (
    cut_in_literal,
    dribbling,
    no_after_rows,
    replaced,
    silent,
    silent_about,
    silent_after_rows,
    unavailable,
)
from tests.hostile.fetching import QUICK, assert_complete, assert_lost, fetch, problems, report
from tests.servers.mailbox import folder, in_set, one_folder
from tests.servers.scripted import PASSWORD, Scripted
from tests.servers.transcript import transcript


def asked_for(server: Scripted) -> list[int]:
    """Every UID of the folder, as often as a FETCH asked for it."""
    sets = [line.split()[0] for line in server.lines("UID FETCH")]
    return [uid for uids in sets for uid in server.folders["INBOX"].uids if in_set(uid, uids, 12)]


def test_a_bare_bye_is_followed_by_a_reconnect():
    with Scripted(transcript("bare-bye")) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert report(frame)["reconnects"] >= 1


def test_after_a_cut_in_a_literal_only_what_was_not_delivered_is_asked_for():
    with Scripted(cut_in_literal(times=1, after=5), folders=one_folder()) as server:
        assert_complete(fetch(server), server)
    assert sorted(asked_for(server)) == sorted([*range(1, 13), *range(6, 13)])


def test_many_cuts_are_survived_as_long_as_rows_come():
    with Scripted(cut_in_literal(times=6, after=10)) as server:
        assert_complete(fetch(server), server)


def test_a_server_that_always_cuts_before_the_first_row_is_given_up():
    with Scripted(cut_in_literal(times=None, after=0), folders=one_folder()) as server:
        try:
            frame = fetch(server, connections=1, within=30)
        except MailframeError:
            frame = None
    assert frame is None or [uid for _, uid in problems(frame)] != []
    assert server.connections < 30


def test_rows_before_a_tagged_no_are_kept_and_the_rest_is_asked_for():
    with Scripted(no_after_rows(times=2), folders=one_folder()) as server:
        assert_complete(fetch(server, connections=1), server)
    assert server.connections == 1
    assert asked_for(server).count(1) == 1, "what was delivered is not asked for again"


def test_a_range_that_fails_for_ever_is_halved_until_the_culprit_is_alone():
    with Scripted(unavailable(7), folders=one_folder()) as server:
        assert_lost(fetch(server), server, ("INBOX", 7))


def test_two_culprits_in_a_hundred_cost_two_rows():
    with Scripted(unavailable(17, 80), folders=one_folder(100)) as server:
        frame = fetch(server)
        assert_lost(frame, server, ("INBOX", 17), ("INBOX", 80))
    assert server.seen["UID FETCH"] < 60, "halving, not asking one by one"
    assert "Server error" in report(frame)["problems"][0]["text"]


def test_a_slow_answer_is_no_stall_as_long_as_octets_come():
    with Scripted(dribbling(200, 0.05), folders=one_folder()) as server:
        assert_complete(fetch(server, connections=1), server)
    assert server.connections == 1


def test_a_server_that_falls_silent_is_left_and_asked_again():
    with Scripted(silent("UID FETCH", times=1), folders=one_folder()) as server:
        assert_complete(fetch(server), server)


def test_a_message_that_silences_the_server_costs_its_own_row_only():
    silences = silent_about(7)
    with Scripted(silences, folders=one_folder(40)) as server:
        frame = fetch(server, connections=1, limits=replace(QUICK, silence=0.2))
        assert_lost(frame, server, ("INBOX", 7))


def test_a_server_that_never_answers_a_fetch_is_given_up():
    with Scripted(silent("UID FETCH"), folders=one_folder()) as server:
        frame = fetch(server, within=30)
    assert len(frame) == 0
    assert problems(frame) == [("INBOX", None)]
    assert server.connections < 15


def test_the_callers_timeout_bounds_everything():
    silence = silent("UID FETCH")
    with Scripted(silence) as server, pytest.raises(MailframeError, match=r"longer than 0\.5 s"):
        fetch(server, timeout=0.5, errors="raise", within=5, limits=DEFAULT_LIMITS, folders="INBOX")


def test_rows_that_had_come_when_time_was_up_are_delivered():
    with Scripted(silent_after_rows(7), folders=one_folder()) as server:
        frame = fetch(server, timeout=0.5, within=5, limits=DEFAULT_LIMITS)
    assert frame["uid"].tolist() == list(range(1, 8))
    assert problems(frame) == [("INBOX", None)]


def test_of_a_folder_replaced_under_way_a_frame_holds_the_new_messages_only():
    others = folder("Archive", range(1, 31))
    faults = [cut_in_literal(times=1, after=5), replaced("INBOX", by=folder("INBOX", [2, 3, 9]))]
    with Scripted(*faults, folders=[*one_folder(40), others]) as server:
        frame = fetch(server, connections=1)
        assert_complete(frame, server)
    assert report(frame)["messages"] == len(frame) == 33
    assert report(frame)["events"]["uidvalidity_changed"] == 1


def test_a_folder_that_was_replaced_is_planned_anew_though_the_connection_be_lost():
    anew = replaced("INBOX", by=folder("INBOX", [*range(2, 9)]), before=1)
    with Scripted(cut_in_literal(times=1, after=5), anew, folders=one_folder()) as server:
        assert_complete(fetch(server, connections=1), server)
    assert server.seen["EXAMINE"] == 2


def test_of_a_folder_emptied_and_replaced_under_way_a_frame_holds_nothing():
    faults = [cut_in_literal(times=1, after=5), replaced("INBOX", by=folder("INBOX", []))]
    with Scripted(*faults, folders=one_folder()) as server:
        frame = fetch(server, connections=1)
        assert_complete(frame, server)


def test_batches_of_a_folder_replaced_under_way_are_out_and_a_problem_says_so():
    uids = []

    async def take(server: Scripted) -> None:
        batches = mf.aiter_batches(
            server.url, password=PASSWORD, connections=1, errors="raise", progress=False
        )
        async for batch in batches:
            uids.extend(batch["uid"].to_pylist())

    faults = [cut_in_literal(times=1, after=5), replaced("INBOX", by=folder("INBOX", [2, 3, 9]))]
    with (
        Scripted(*faults, folders=one_folder()) as server,
        pytest.raises(FolderError, match="INBOX was replaced while it was read"),
    ):
        asyncio.run(take(server))
    assert sorted(uids) == [1, 2, 2, 3, 3, 4, 5, 9]
