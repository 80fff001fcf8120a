"""The stage itself: what the other tests take for granted about their servers."""

import imaplib
import socket
import ssl
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.dovecot import HOST, PASSWORD, Dovecot, Message
from tests.servers.relay import Relay


def test_dovecot_gives_back_what_was_delivered(dovecot, user):
    raw = b"Subject: \xfe\xff\nX-Odd\n\nbody with bare LF\n"
    sent = Message(raw, ["\\Seen", "\\Flagged", "$Junk"], datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC))
    assert dovecot.deliver(user, "Lists/Grüße.v2", [sent, b"Subject: second\r\n\r\n"]) == 2
    with imaplib.IMAP4(HOST, dovecot.port) as client:
        client.login(user, PASSWORD)
        assert client.select('"Lists/Gr&APwA3w-e.v2"', readonly=True) == ("OK", [b"2"])
        answer = client.uid("FETCH", "1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1][0]
    assert answer[1] == raw.replace(b"\n", b"\r\n")
    assert b"RFC822.SIZE %d " % sent.size in answer[0]
    assert b'INTERNALDATE "06-May-2021 07:08:09 +0000"' in answer[0]
    assert {b"\\Seen", b"\\Flagged", b"$Junk"} <= set(imaplib.ParseFlags(answer[0]))


def test_dovecot_takes_more_mail_while_it_runs(dovecot, user):
    for expected in (b"1", b"2"):
        dovecot.deliver(user, "INBOX", [Message(b"Subject: one\r\n\r\n", ["Later"])])
        with imaplib.IMAP4(HOST, dovecot.port) as client:
            client.login(user, PASSWORD)
            assert client.select("INBOX", readonly=True)[1] == [expected]
            assert client.uid("SEARCH", "KEYWORD Later")[1][0].split()[-1] == expected


def test_mail_is_found_again_by_a_later_server(user, dovecot):
    del dovecot  # asked for its skip where there is no Dovecot
    with tempfile.TemporaryDirectory() as scratch:  # root's tmp_path is closed to the mail user
        home = Path(scratch) / "kept"
        Path(scratch).chmod(0o711)
        keep_and_find(home, user)


def keep_and_find(home, user):
    with Dovecot(home) as first:
        first.deliver(user, "INBOX", [b"Subject: kept\r\n\r\n"])
        first.warm(user)
    with Dovecot(home) as second, imaplib.IMAP4(HOST, second.port) as client:
        client.login(user, PASSWORD)
        assert client.select("INBOX", readonly=True)[1] == [b"1"]


def test_tls_is_verified_against_the_servers_own_authority(dovecot_tls, user):
    trusting = ssl.create_default_context(cafile=str(dovecot_tls.ca_file))
    with imaplib.IMAP4_SSL(HOST, dovecot_tls.tls_port, ssl_context=trusting) as client:
        assert client.login(user, PASSWORD)[0] == "OK"
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(HOST, dovecot_tls.tls_port, ssl_context=ssl.create_default_context())


@contextmanager
def speaker(text):
    """Listen, and say `text` to whoever connects, after one octet of theirs."""

    def serve():
        while True:
            try:
                link = listener.accept()[0]
            except OSError:
                return
            with link:
                link.recv(1)
                with suppress(ConnectionError):  # a relay may cut us off
                    link.sendall(text)

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def hear(port):
    with socket.create_connection((HOST, port), 10) as link:
        link.sendall(b"?")
        return b"".join(iter(lambda: link.recv(65536), b""))


def test_a_relay_delays_each_direction_and_loses_nothing():
    text = bytes(range(256)) * 40_000
    with speaker(text) as port, Relay(port, delay=0.05) as relay:
        began = time.monotonic()
        assert hear(relay.port) == text
        assert time.monotonic() - began >= 0.1


def test_a_relay_can_be_led_to_another_server():
    with speaker(b"one") as one, speaker(b"other") as other, Relay(one) as relay:
        assert hear(relay.port) == b"one"
        relay.aim(other)
        assert hear(relay.port) == b"other"


def test_a_relays_faults_repeat_with_their_seed():
    text = bytes(100_000)
    ends = []
    for _ in range(2):
        with speaker(text) as port, Relay(port, seed=7, cut_after=9_000, jitter=True) as relay:
            ends.append([len(hear(relay.port)) for _ in range(3)])
    assert ends[0] == ends[1]
    assert len(set(ends[0])) == 3
    assert all(9_000 <= length <= 18_000 for length in ends[0])


def test_a_relay_says_how_many_connections_are_open():
    with speaker(b"hello") as port, Relay(port, refuse_after=1) as relay:
        with socket.create_connection((HOST, relay.port), 10) as first:
            with suppress(ConnectionError):
                assert hear(relay.port) == b""
            first.sendall(b"?")
            assert first.recv(5) == b"hello"
        deadline = time.monotonic() + 10
        while (relay.opened, relay.open) != (2, 0) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (relay.opened, relay.open) == (2, 0)
