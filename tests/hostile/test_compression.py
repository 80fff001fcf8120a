"""COMPRESS=DEFLATE with servers: the same frame, fewer octets, and no way to make us swell."""

import asyncio
import zlib

import pytest

import mailframe as mf
from tests.hostile.fetching import (
    MEBIBYTE,
    assert_complete,
    expected_rows,
    fetch,
    memory_growth_below,
    report,
    rows,
)
from tests.servers import dovecot as dovecot_server
from tests.servers.mailbox import one_folder
from tests.servers.scripted import CAPABILITIES, Scripted

OFFERED = f"{CAPABILITIES} COMPRESS=DEFLATE"
LETTERS = [
    f"From: Ann <ann@example.org>\r\nTo: bob{n % 7}@example.net\r\nSubject: letter {n}\r\n"
    f"Date: Mon, 05 Feb 2024 10:00:{n % 60:02} +0100\r\n"
    f"Message-ID: <{n}@example.org>\r\n\r\nhi\r\n".encode()
    for n in range(500)
]


def answering_compress(said):
    """Begin to compress, and then say something else."""

    async def behaviour(session, command):
        if command.name != "COMPRESS":
            return False
        await session.send(command.done() + said)
        return True

    return behaviour


def test_compressed_or_not_the_frame_is_the_same_and_fewer_octets_travel():
    with Scripted(capabilities=OFFERED) as server:
        plain = fetch(server, compress=False)
        assert server.seen["COMPRESS"] == 0
        frame = fetch(server, compress=True)
        assert server.seen["COMPRESS"] == report(frame)["connections"] > 0
    assert_complete(frame, server)
    assert rows(frame) == rows(plain)
    assert report(plain)["wire_bytes"] == report(plain)["bytes"]
    assert report(frame)["wire_bytes"] < report(frame)["bytes"] / 4


def test_on_this_machine_nothing_is_compressed_unless_asked_for():
    with Scripted(capabilities=OFFERED) as server:
        assert_complete(fetch(server), server)
    assert server.seen["COMPRESS"] == 0


def test_what_is_not_offered_is_not_asked_for():
    with Scripted() as server:
        assert_complete(fetch(server, compress=True), server)
    assert server.seen["COMPRESS"] == 0


@pytest.mark.parametrize("said", [b"* 3 EXISTS\r\n", zlib.compress(b"* OK\r\n")])
def test_a_server_that_cannot_compress_after_all_is_asked_again_in_plain_text(said):
    with Scripted(answering_compress(said), capabilities=OFFERED) as server:
        frame = fetch(server, compress=True)
    assert_complete(frame, server)


def bombing(piece):
    """Answer each FETCH with a compressed stream that never ends: a thousand times its octets."""

    async def behaviour(session, command):
        if command.name != "UID FETCH":
            return False
        deflater = zlib.compressobj(9, wbits=-15)
        block = piece * (1 + (1 << 20) // len(piece))
        data = b"".join(deflater.compress(block) for _ in range(16))
        data += deflater.flush(zlib.Z_FULL_FLUSH)
        while True:
            session.writer.write(data)
            await session.writer.drain()
            await asyncio.sleep(0.001)  # so little is sent that nothing else would have its turn

    return behaviour


HEADER = b"Subject: " + b" " * 4_000 + b"\r\n\r\n"
ROW = (
    b'* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 9 INTERNALDATE "17-Jul-1996 02:44:25 -0700" '
    b"BODY[HEADER.FIELDS (SUBJECT)] {%d}\r\n%s)\r\n" % (len(HEADER), HEADER)
)


@pytest.mark.parametrize(
    "piece", [b"x", b"* 1 FETCH (FLAGS ())\r\n", ROW], ids=["a line", "flags", "rows"]
)
def test_a_bomb_costs_less_than_64_mebibytes(piece):
    with Scripted(folders=one_folder(3), capabilities=OFFERED) as server:
        fetch(server, compress=True)  # what is imported and made once
    with (
        Scripted(bombing(piece), folders=one_folder(3), capabilities=OFFERED) as server,
        memory_growth_below(64 * MEBIBYTE),
    ):
        frame = fetch(server, compress=True, timeout=5, connections=1)
    assert rows(frame) != expected_rows(server)
    assert report(frame)["problems"]


@pytest.mark.skipif(
    dovecot_server.BINARY is None, reason="Dovecot is not installed: apt install dovecot-imapd"
)
def test_dovecot_compresses_to_a_quarter():
    config = "protocol imap {\n  mail_plugins = imap_zlib\n}"
    with dovecot_server.Dovecot(config=config) as server:
        for folder in ("INBOX", "Archive", "Sent"):
            server.deliver("ann", folder, LETTERS)
        plain = mf.read_imap(server.url("ann"), progress=False, errors="raise", compress=False)
        frame = mf.read_imap(server.url("ann"), progress=False, errors="raise", compress=True)
    assert frame.equals(plain)
    assert report(frame)["wire_bytes"] < report(plain)["wire_bytes"] / 4
    assert report(frame)["reconnects"] == 0
