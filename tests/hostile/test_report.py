"""The report in ``df.attrs["mailframe"]``: what it cost, what went wrong, as plain JSON."""

import json

import pytest

from mailframe.errors import MailframeWarning
from tests.hostile.behaviours import Throttle, cut_in_literal, full_for_a_while
from tests.hostile.fetching import assert_complete, fetch, report
from tests.servers.mailbox import one_folder
from tests.servers.scripted import Scripted
from tests.servers.transcript import transcript


def test_the_report_counts_what_the_server_counted():
    with Scripted() as server:
        told = report(fetch(server, connections=2))
    assert told["messages"] == 203
    assert told["connections"] == server.connections <= 2
    assert told["commands"] == len(server.commands) - server.seen["LOGOUT"]
    assert told["reconnects"] == 0
    assert told["throttled_seconds"] == 0
    assert told["problems"] == []
    assert told["bytes"] > 203 * 100
    assert 0 < told["seconds"] < 60


def test_what_was_mended_is_told_in_one_warning():
    asks = "NO Request is throttled. Suggested Backoff Time: 10 milliseconds"
    faults = [cut_in_literal(times=2), Throttle(asks, times=1), transcript("junk-lines")]
    with Scripted(*faults) as server:
        with pytest.warns(MailframeWarning) as warned:
            frame = fetch(server, errors="warn")
        assert_complete(frame, server)
    assert len(warned) == 1
    told = str(warned[0].message)
    assert "2 lost connections" in told
    assert "pauses" in told
    assert "lines that made no sense" in told


def test_who_is_not_let_in_at_once_has_lost_no_connection():
    full = full_for_a_while(after=1, times=3, answer="[UNAVAILABLE] Too many connections")
    with (
        Scripted(cut_in_literal(times=1), full, folders=one_folder()) as server,
        pytest.warns(MailframeWarning, match="made up for a lost connection;"),
    ):
        told = report(fetch(server, connections=1, errors="warn"))
    assert (told["reconnects"], told["connections"]) == (1, 1)


def test_a_connection_that_was_lost_for_good_was_one_all_the_same():
    full = full_for_a_while(after=1, times=1_000, answer="[UNAVAILABLE] Too many connections")
    with Scripted(cut_in_literal(times=1), full, folders=one_folder()) as server:
        told = report(fetch(server, connections=1))
    assert (told["reconnects"], told["connections"]) == (1, 1)


def test_an_honest_server_gives_no_reason_to_warn():
    with Scripted() as server:
        fetch(server, errors="warn")  # a warning would be an error here


def test_the_report_counts_reconnects_and_is_plain_json():
    with Scripted(cut_in_literal(times=1), folders=one_folder()) as server:
        told = report(fetch(server, connections=1))
    assert told["reconnects"] == server.connections - 1 == 1
    assert json.loads(json.dumps(told)) == told
