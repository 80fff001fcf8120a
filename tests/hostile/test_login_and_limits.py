"""Login, connection caps, throttling, servers that cannot take long or pipelined commands."""

import pytest

from mailframe.errors import AuthenticationError, CommandError, MailframeError, TransportError
from tests.hostile.behaviours import (
    Throttle,
    at_most,
    confused_by_pipelines,
    cut_in_literal,
    full_for_a_while,
    id_before_examine,
    short_commands_only,
)
from tests.hostile.fetching import assert_complete, fetch, report
from tests.servers.mailbox import folder, one_folder
from tests.servers.scripted import Scripted
from tests.servers.transcript import transcript

GMAIL = "[ALERT] Too many simultaneous connections. (Failure)"
DOVECOT = "[UNAVAILABLE] Maximum number of connections from user+IP exceeded"


@pytest.mark.parametrize("name", ["capabilities-late", "capabilities-untagged"])
def test_capabilities_are_found_wherever_they_are_told(name):
    with Scripted(transcript(name)) as server:
        assert_complete(fetch(server), server)
    assert "RETURN" in server.lines("LIST")[0].upper(), "LIST-STATUS was told after the login"


def test_where_login_is_disabled_authenticate_plain_serves():
    with Scripted(transcript("logindisabled")) as server:
        assert_complete(fetch(server), server)
    assert server.seen["LOGIN"] == 0


def test_preauth_needs_no_login():
    with Scripted(transcript("preauth"), folders=one_folder()) as server:
        assert_complete(fetch(server), server)
    assert server.seen["LOGIN"] == server.seen["AUTHENTICATE"] == 0


def test_a_wrong_password_is_told_once_and_not_tried_again():
    with Scripted() as server, pytest.raises(AuthenticationError, match="password"):
        fetch(server, password="wrong")
    assert server.seen["LOGIN"] + server.seen["AUTHENTICATE"] == 1, "tries can lock an account"


@pytest.mark.parametrize("answer", ["Login failed.", "[AUTHENTICATIONFAILED] no"])
@pytest.mark.parametrize("connections", [1, 4])
def test_a_password_that_serves_no_more_is_tried_once_more_at_most(answer, connections):
    refused = full_for_a_while(after=1, times=99, answer=answer)
    with Scripted(refused, cut_in_literal(times=1), folders=one_folder(40)) as server:
        frame = fetch(server, connections=connections)
    tries = server.seen["LOGIN"] + server.seen["AUTHENTICATE"]
    assert 2 <= tries <= (2 if connections == 1 or "[" in answer else 3)
    (problem,) = report(frame)["problems"]
    assert problem["error"] == "AuthenticationError"


def test_a_failure_told_as_a_challenge_is_answered_and_reported():
    refused = transcript("failure-as-challenge")
    with Scripted(refused) as server, pytest.raises(AuthenticationError, match="Invalid"):
        fetch(server, within=5)


@pytest.mark.parametrize("name", ["greeting-bye", "greeting-http"])
def test_a_server_that_lets_nobody_in_is_a_clear_error(name):
    with Scripted(transcript(name)) as server, pytest.raises(MailframeError) as failed:
        fetch(server)
    told = {"greeting-bye": "down for the night", "greeting-http": "HTTP/1.1 400"}
    assert told[name] in str(failed.value)


def test_id_is_sent_after_the_login_and_before_the_first_examine():
    with Scripted(id_before_examine) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize(
    ("where", "answer"), [("greeting", DOVECOT), ("login", DOVECOT), ("login", GMAIL)]
)
def test_at_a_connection_cap_the_pool_shrinks_to_what_is_open(where, answer):
    with Scripted(at_most(2, where=where, answer=answer)) as server:
        assert_complete(fetch(server, connections=4), server)


@pytest.mark.parametrize("where", ["greeting", "login"])
def test_where_not_one_connection_may_live_the_error_says_so(where):
    refused = at_most(0, where=where, answer=GMAIL)
    with (
        Scripted(refused) as server,
        pytest.raises((CommandError, TransportError), match="Too many"),
    ):
        fetch(server)


@pytest.mark.parametrize("status", ["NO", "BAD"])
@pytest.mark.parametrize("bye", [False, True])
def test_a_throttled_account_waits_as_told_as_a_whole(status, bye):
    asks = f"{status} Request is throttled. Suggested Backoff Time: 300 milliseconds"
    throttle = Throttle(asks, times=3, bye=bye)
    with Scripted(throttle) as server:
        frame = fetch(server)
        assert_complete(frame, server)
    assert throttle.refused >= 1
    assert report(frame)["events"]["throttled"] >= 1
    assert report(frame)["throttled_seconds"] >= 0.3


def test_while_one_session_is_throttled_the_others_keep_still():
    asks = "NO Request is throttled. Suggested Backoff Time: 300 milliseconds"
    throttle = Throttle(asks, times=1)
    with Scripted(throttle) as server:
        fetch(server)
    in_flight_by_then = 8
    assert throttle.impatient <= in_flight_by_then


def test_an_ok_that_speaks_of_throttling_is_an_ok():
    throttle = Throttle("OK Success [THROTTLED]", times=2, wait=0)
    with Scripted(throttle, folders=one_folder()) as server:
        assert_complete(fetch(server), server)


def test_a_server_that_breaks_when_pipelined_is_asked_one_command_at_a_time():
    with Scripted(confused_by_pipelines) as server:
        assert_complete(fetch(server), server)


@pytest.mark.parametrize("bye", [False, True])
def test_no_command_is_longer_than_a_thousand_octets(bye):
    scattered = folder("INBOX", list(range(1, 4000, 7)))
    with Scripted(short_commands_only(1000, bye=bye), folders=[scattered]) as server:
        frame = fetch(server, search="UNSEEN")
        unseen = [m.uid for m in scattered.messages if "\\Seen" not in m.flags]
        assert frame["uid"].tolist() == unseen
    assert max(len(command.line) for _, command in server.commands) < 1000
