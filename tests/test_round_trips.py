"""Round trips from the first packet to the last row: no more than the protocol needs.

A relay counts them: what a client says before it waits for an answer is one turn. Connecting takes
one before these, and TLS another.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

import mailframe as mf
from mailframe.imap.limits import DEFAULT_LIMITS
from tests.servers import dovecot as servers
from tests.servers.certificates import Authority
from tests.servers.relay import Relay
from tests.servers.scripted import PASSWORD, Scripted
from tests.servers.tokens import access_token, oauth_config

USER = "ann@example.org"
LISTED = "ID LIST"
KEPT = "ID ENABLE LIST EXAMINE UID FETCH UID FETCH"  # with what the store expects of the INBOX


@pytest.fixture(scope="module")
def stage():
    """A Dovecot that is 20 ms away, in each direction."""
    if servers.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    directory = Path(tempfile.mkdtemp(prefix="mf-trips-"))  # where Dovecot's own user may read
    try:
        with (
            servers.Dovecot(config=oauth_config(directory)) as server,
            Relay(server.port, delay=0.02) as relay,
        ):
            yield server, relay
    finally:
        shutil.rmtree(directory)


def read(relay, *, user=USER, auth="", password=servers.PASSWORD, **options):
    """The frame, and the turns of its only connection."""
    del relay.turns[:]
    url = f"imap://{user.replace('@', '%40')}{auth}@127.0.0.1:{relay.port}"
    df = mf.read_imap(url, password=password, connections=1, progress=False, **options)
    assert relay.settled()
    return df, relay.turns[-1]


@pytest.mark.parametrize("auth", ["", ";AUTH=XOAUTH2", ";AUTH=OAUTHBEARER"])
def test_the_first_row_takes_three_turns(stage, auth):
    server, relay = stage
    user = f"ann{auth[6:].lower()}@example.org"
    for folder in ("INBOX", "Sent"):
        server.deliver(user, folder, [b"Subject: hello\r\n\r\n"])
    password = access_token(user) if auth else servers.PASSWORD
    df, turns = read(relay, user=user, auth=auth, password=password)
    assert len(df) == 2
    verb = "AUTHENTICATE" if auth else "LOGIN"  # with the token in the same line
    assert turns == [verb, LISTED, "EXAMINE UID FETCH EXAMINE UID FETCH"]


def test_a_refresh_that_brings_new_mail_takes_two(stage, tmp_path):
    server, relay = stage
    for folder in ("INBOX", "Sent"):
        server.deliver(USER, folder, [b"Subject: old\r\n\r\n"] * 3)

    def refresh(**options):
        return read(relay, store=tmp_path / "store", **options)

    refresh()
    assert refresh()[1][:2] == ["LOGIN", KEPT], "nothing has come: no third turn but a goodbye"
    server.deliver(USER, "INBOX", [b"Subject: new\r\n\r\n"])
    df, turns = refresh()
    assert turns == ["LOGIN", KEPT]
    assert df["subject"].tolist().count("new") == 1
    server.deliver(USER, "INBOX", [b"Subject: many\r\n\r\n"] * 700)  # more than are asked ahead
    df, turns = refresh()
    assert turns[:2] == ["LOGIN", KEPT]
    assert df["subject"].tolist().count("many") == 700
    server.deliver(USER, "Sent", [b"Subject: sent\r\n\r\n"])
    df, turns = refresh(folders=["Sent"])
    assert turns == ["LOGIN", "ID ENABLE LIST", "EXAMINE UID FETCH UID FETCH"]
    assert refresh()[0]["subject"].tolist().count("sent") == 1


def test_what_was_expected_of_an_inbox_that_is_another_one_now_does_not_count(stage, tmp_path):
    server, relay = stage
    user = "moved@example.org"
    server.deliver(user, "INBOX", [b"Subject: old\r\n\r\n"] * 3)
    read(relay, user=user, store=tmp_path / "store")
    inbox = server.folder(user, "INBOX")
    for file in [*inbox.glob("dovecot*"), *inbox.glob("cur/*"), *inbox.glob("new/*")]:
        file.unlink()
    server.deliver(user, "INBOX", [b"Subject: another\r\n\r\n"] * 5)
    df, _ = read(relay, user=user, store=tmp_path / "store")
    assert df["subject"].tolist() == ["another"] * 5
    assert df.attrs["mailframe"]["problems"] == []


@pytest.mark.parametrize("secured", [False, True])
def test_nobody_waits_for_an_answer_to_a_goodbye(tmp_path, secured):
    heard = []

    async def silent(_session, command):
        if command.name != "LOGOUT":
            return False
        heard.append(command)
        await asyncio.sleep(600)
        return True

    authority = Authority.in_folder(tmp_path)
    patient = replace(DEFAULT_LIMITS, goodbye=300)
    with Scripted(silent, tls=authority.server() if secured else None) as server:
        account = mf.Account.parse(server.url, PASSWORD, ca_file=authority.ca_file)
        begun = time.monotonic()
        df = mf.read_imap(account, connections=1, progress=False, limits=patient)
        assert len(df) > 0
        assert time.monotonic() - begun < 150
        while not heard:
            time.sleep(0.01)
