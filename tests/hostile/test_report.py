"""The report in ``df.attrs["mailframe"]``: what it cost, what went wrong, as plain JSON."""

import json

from tests.hostile.behaviours import cut_in_literal
from tests.hostile.fetching import fetch, report
from tests.servers.mailbox import one_folder
from tests.servers.scripted import Scripted


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


def test_the_report_counts_reconnects_and_is_plain_json():
    with Scripted(cut_in_literal(times=1), folders=one_folder()) as server:
        told = report(fetch(server, connections=1))
    assert told["reconnects"] == server.connections - 1 == 1
    assert json.loads(json.dumps(told)) == told
