"""A server whose answers are wrong at random: no fetch hangs, crashes, or invents a message."""

import pytest

from mailframe.errors import MailframeError
from tests.hostile.behaviours import mutating
from tests.hostile.fetching import fetch, problems, report
from tests.servers.mailbox import folder
from tests.servers.scripted import Scripted


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_wrong_a_fetch_ends_in_a_frame_or_in_one_of_our_errors(seed):
    folders = [folder("INBOX", range(1, 41)), folder("Archive", range(3, 23)), folder("Empty", [])]
    rate = 0.002 * (1 + seed % 5)
    with Scripted(mutating(seed, rate=rate), folders=folders) as server:
        try:
            frame = fetch(server, within=20, connections=2)
        except MailframeError:
            return
    assert not frame.duplicated(["folder", "uid"]).any()
    assert report(frame)["messages"] == len(frame)
    delivered = set(zip(frame["folder"], frame["uid"], strict=True))
    lost = set(problems(frame))
    assert not delivered & lost
