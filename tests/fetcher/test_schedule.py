"""Who asks for what: spans, windows and shares, without a network."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.fetcher.schedule import (
    GIVE_UP_AFTER,
    SPAN,
    UIDS_OCTETS,
    WINDOW_FOLDERS,
    WINDOW_MESSAGES,
    Folder,
    Load,
    Lookup,
    Schedule,
    Span,
    again,
    known_uids,
    whole_folder,
)
from mailframe.ground.uidset import MAX_UID, UidSet


def folder(name="f", messages=10, uidnext=11):
    return Folder(name=name, wire=name.encode(), messages=messages, uidnext=uidnext)


@given(st.integers(1, 200_000), st.integers(1, 3))
def test_a_folder_s_spans_cover_its_uids_once(messages, stretch):
    spans = list(whole_folder(folder(messages=messages, uidnext=messages * stretch + 1)))
    ranges = [pair for span in spans for pair in span.uids.ranges]
    assert ranges[0][0] == 1
    assert ranges[-1][1] == messages * stretch
    assert all(right[0] == left[1] + 1 for left, right in pairwise(ranges))
    assert sum(span.expected for span in spans) >= messages


def test_an_inbox_of_a_million_is_cut_and_a_small_folder_is_not():
    assert len(list(whole_folder(folder(messages=1_000_000, uidnext=1_000_001)))) == 500
    assert len(list(whole_folder(folder(messages=2_500, uidnext=2_501)))) == 1
    assert list(whole_folder(folder(messages=0))) == []


def test_a_folder_without_numbers_is_asked_for_in_one():
    (span,) = whole_folder(folder(messages=None, uidnext=None))
    assert span.uids == UidSet.of((1, MAX_UID))


@pytest.mark.parametrize("messages", [1, 10, 10_000])
def test_a_uidnext_that_is_too_small_for_the_messages_hides_none(messages):
    (span,) = whole_folder(folder(messages=messages, uidnext=1))
    assert span.uids == UidSet.of((1, MAX_UID))


def test_a_large_sparse_folder_is_looked_up_before_it_is_cut():
    (work,) = whole_folder(folder(messages=50_000, uidnext=900_000))
    assert isinstance(work, Lookup)


@given(st.sets(st.integers(1, 100_000), max_size=300))
def test_known_uids_fit_command_lines(uids):
    spans = list(known_uids(folder(), UidSet.from_uids(uids)))
    assert sorted(uid for span in spans for uid in span.uids) == sorted(uids)
    assert all(len(bytes(span.uids)) <= UIDS_OCTETS for span in spans)
    assert all(span.expected <= SPAN for span in spans)


@given(st.sets(st.integers(1, 64), min_size=1), st.integers(1, 64))
def test_bisection_finds_the_one_bad_message(uids, bad):
    """A server that refuses every command with one UID in it still gives up all the others."""
    left, delivered, asked = [Span(folder(), UidSet.from_uids(uids), len(uids))], set(), 0
    while left:
        span = left.pop()
        asked += 1
        if bad in span.uids:
            left += again(span, UidSet())
        else:
            delivered |= set(span.uids)
    assert delivered == uids - {bad}
    assert asked < 3 * GIVE_UP_AFTER * 8


@given(st.sets(st.integers(1, 40), min_size=1), st.sets(st.integers(1, 40)))
def test_what_was_delivered_is_not_asked_for_again(uids, delivered):
    spans = again(Span(folder(), UidSet.from_uids(uids), 9), UidSet.from_uids(delivered))
    assert {uid for span in spans for uid in span.uids} == uids - delivered


@given(st.lists(st.integers(1, 30_000), max_size=80), st.integers(1, 8))
def test_every_piece_of_work_is_done_once_and_windows_hold(sizes, sessions):
    plans = [list(whole_folder(folder(f"f{n}", size, size + 1))) for n, size in enumerate(sizes)]
    schedule = Schedule(sessions=sessions)
    schedule.add_folders(plans)
    loads = [(Load(), []) for _ in range(sessions)]
    done = Counter()
    while not schedule.done:
        for load, jobs in loads:
            while (work := schedule.take(load)) is not None:
                load.add(work)
                jobs.append(work)
                assert load.folders <= WINDOW_FOLDERS
                assert load.messages <= WINDOW_MESSAGES or load.folders == 1
            if jobs:
                work = jobs.pop(0)
                load.remove(work)
                schedule.finish(work)
                done[work] += 1
    assert done == Counter(work for plan in plans for work in plan)


def test_the_largest_folders_come_first_and_sessions_share_them():
    schedule = Schedule(sessions=4)
    plans = [list(whole_folder(folder(f"f{n}", 50, 51))) for n in range(200)]
    large = list(whole_folder(folder("large", 3_000, 3_001)))
    schedule.add_folders([*plans, large])
    taken = []
    for _ in range(4):
        load = Load()
        mine = []
        while (work := schedule.take(load)) is not None:
            load.add(work)
            mine.append(work)
        taken.append(mine)
    assert taken[0][0] is large[0]
    assert [len(mine) for mine in taken[1:]] == [64, 64, 64]


def test_a_session_that_cannot_pipeline_gets_one_piece_at_a_time():
    schedule = Schedule()
    schedule.add_folders([list(whole_folder(folder(f"f{n}"))) for n in range(3)])
    load = Load()
    load.add(schedule.take(load, pipelined=False))
    assert schedule.take(load, pipelined=False) is None


def test_little_work_is_left_to_one_session_and_much_is_worth_several():
    few, many = Schedule(), Schedule()
    few.add_folders([list(whole_folder(folder(f"f{n}", 20, 21))) for n in range(5)])
    many.add_folders([list(whole_folder(folder("large", 100_000, 100_001)))])
    assert few.worth == 1
    assert many.worth == 100
