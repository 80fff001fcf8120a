"""Who is visited when: decided without a network, on a clock of the test's own."""

from __future__ import annotations

import itertools

import pytest

from mailframe.errors import ConfigurationError
from mailframe.fleets.order import Member, Schedule, left, members, read_rows, with_sizes


def named(*sources):
    return members({"account": source} for source in sources)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@example.org\nbob@example.org\n", ["ann@example.org", "bob@example.org"]),
        (
            "name,Account\nAnn, ann@example.org \n\n,bob@example.org",
            ["ann@example.org", "bob@example.org"],
        ),
        ("\ufeffemail\r\nann@example.org\r\n", ["ann@example.org"]),
        (
            'account,credentials\nimaps://ann@example.org,"command:pass show ""a b"""',
            ["imaps://ann@example.org"],
        ),
    ],
)
def test_accounts_are_read_from_csv_with_and_without_a_header(text, expected):
    assert [member.source for member in members(read_rows(text))] == expected


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"account": "imaps://ann:geheim@example.org"}], "password in its URL"),
        ([{"account": "ann@example.org"}, {"account": "ann@example.org"}], "twice"),
        ([{"account": ""}], "has no name"),
        ([{"name": "Ann"}], "has no name"),
        ([{"account": float("nan")}], "has no name"),
    ],
)
def test_what_is_no_fleet_is_said_and_no_password_quoted(rows, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        members(rows)
    assert "geheim" not in str(caught.value)


def test_with_where_the_names_are_users_of_one_server():
    rows = [{"account": "ann@example.org"}, {"account": "b/c"}, {"account": "imap://x@other.org"}]
    found = members(rows, where="imaps://imap.example.net:1993")
    assert [member.source for member in found] == [
        "imaps://ann%40example.org@imap.example.net:1993",
        "imaps://b%2Fc@imap.example.net:1993",
        "imap://x@other.org",
    ]
    assert [member.host for member in found] == [
        "imap.example.net",
        "imap.example.net",
        "other.org",
    ]
    with pytest.raises(ConfigurationError, match="URL of a server"):
        members(rows, where="imap.example.net")


def test_paths_are_local_and_addresses_are_not():
    kinds = {
        member.source: member.is_remote for member in named("a@b.org", "mail/x@y.mbox", "in.mbox")
    }
    assert kinds == {"a@b.org": True, "mail/x@y.mbox": False, "in.mbox": False}


def test_the_largest_goes_first_and_the_unknown_before_it():
    fleet = with_sizes(
        named("s@a.org", "l@b.org", "n@c.org"),
        {"s@a.org": {"messages": 5}, "l@b.org": {"messages": 9}},
    )
    schedule = Schedule(fleet, at_host=1, at_once=9, retries=0)
    assert [visit.member.source for visit in schedule.start(0)] == ["n@c.org", "l@b.org", "s@a.org"]


def test_a_host_has_no_more_visits_than_it_may_and_holds_up_no_other():
    fleet = named(*(f"u{n}@one.org" for n in range(5)), "x@two.org", "in.mbox", "out.mbox")
    schedule = Schedule(fleet, at_host=2, at_once=9, retries=0)
    first = schedule.start(0)
    assert [visit.member.host for visit in first] == ["one.org", "one.org", "two.org", "", ""]
    assert schedule.start(0) == []
    assert schedule.ended(first[0], "ok", 1)
    assert len(schedule.start(1)) == 1
    small = Schedule(fleet, at_host=2, at_once=3, retries=0)
    assert len(small.start(0)) == 3


@pytest.mark.parametrize(
    ("status", "visits"),
    [("ok", 1), ("refused", 1), ("throttled", 3), ("failed", 3), ("partial", 3)],
)
def test_who_is_throttled_or_lost_comes_back_later_and_who_is_refused_does_not(status, visits):
    schedule = Schedule(named("a@b.org"), at_host=1, at_once=1, retries=2)
    now, times = 0.0, []
    while not schedule.done:
        for visit in schedule.start(now):
            times.append(now)
            schedule.ended(visit, status, now)
        now += schedule.pause(now) or 0
    assert len(times) == visits
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert all(pauses)


def test_what_is_left_is_what_has_not_ended_well():
    fleet = [Member("a@b.org"), Member("c@d.org"), Member("e@f.org")]
    known = {"a@b.org": {"status": "ok"}, "c@d.org": {"status": "partial"}}
    assert left(fleet, known) == fleet[1:]
