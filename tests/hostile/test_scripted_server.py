"""The stage itself: in its normal mode the scripted server is an ordinary IMAP server."""

import imaplib
import re
import ssl

import pytest

from tests.servers.certificates import Authority
from tests.servers.mailbox import small_mailbox
from tests.servers.scripted import PASSWORD, USER, Scripted
from tests.servers.transcript import scripted


@pytest.fixture
def server():
    with Scripted() as server:
        yield server


@pytest.fixture
def client(server):
    with imaplib.IMAP4("127.0.0.1", server.port) as client:
        client.login(USER, PASSWORD)
        yield client


def test_it_lists_its_folders_with_their_status(client):
    client._simple_command("LIST", '""', "*", "RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT))")
    listed = client._untagged_response("OK", [None], "LIST")[1]
    assert rb'(\Noselect \HasChildren) "/" "Lists"' in listed
    assert len(listed) == len(small_mailbox())
    assert b'"INBOX" (MESSAGES 120 UIDNEXT 141)' in client.untagged_responses["STATUS"]


def test_it_opens_a_folder_read_only_and_serves_ranges(client):
    assert client.select("INBOX", readonly=True) == ("OK", [b"120"])
    _, rows = client.uid("FETCH", "79:102,140:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    uids = [int(re.search(rb"UID (\d+)", row[0])[1]) for row in rows if isinstance(row, tuple)]
    assert uids == [79, 80, 101, 102, 140]
    assert rows[0][1] == b"Subject: INBOX 79\r\n\r\n"


def test_it_searches_by_day_and_by_uid(client):
    client.select("Archive", readonly=True)
    assert client.uid("SEARCH", "SINCE", "03-Jan-2024", "UID", "1:60")[1] == [
        b" ".join(b"%d" % uid for uid in range(39, 61))
    ]


def test_it_refuses_what_it_does_not_know_and_who_it_does_not_know(server):
    with imaplib.IMAP4("127.0.0.1", server.port) as client:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(USER, "wrong")
        with pytest.raises(imaplib.IMAP4.error, match="unknown command"):
            client.xatom("XYZZY")
    assert server.seen["LOGIN"] == 1
    assert server.logins == 0


def test_it_takes_authenticate_plain(server):
    with imaplib.IMAP4("127.0.0.1", server.port) as client:
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
    assert server.logins == 1


def test_it_speaks_tls_from_the_start_or_after_starttls(tmp_path):
    authority = Authority.in_folder(tmp_path)
    trust = ssl.create_default_context(cafile=authority.ca_file)
    with (
        Scripted(tls=authority.server()) as server,
        imaplib.IMAP4_SSL("localhost", server.port, ssl_context=trust) as client,
    ):
        client.login(USER, PASSWORD)
    with (
        Scripted(starttls=authority.server()) as server,
        imaplib.IMAP4("localhost", server.port) as client,
    ):
        assert "STARTTLS" in client.capabilities
        client.starttls(trust)
        assert "STARTTLS" not in client.capabilities
        client.login(USER, PASSWORD)


def test_a_transcript_answers_what_it_names_and_the_server_the_rest():
    told = scripted(
        r"""
        S: * OK only a transcript

        C: CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: $tag OK done

        C: NOOP
        ! only 1
        S: * 1 FETCH (BODY[] {=}
        | Subject: caf\xE9
        |
        S:  UID 1)
        ! honest
        """.replace("\n        ", "\n")
    )
    with Scripted(told) as server, imaplib.IMAP4("127.0.0.1", server.port) as client:
        assert client.welcome == b"* OK only a transcript"
        client.noop()
        assert client.untagged_responses["FETCH"][0] == (
            b"1 (BODY[] {17}",
            b"Subject: caf\xe9\r\n\r\n",
        )
        client.untagged_responses.clear()
        client.noop()
        assert "FETCH" not in client.untagged_responses
