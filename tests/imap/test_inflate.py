"""COMPRESS=DEFLATE: the same events as in plain text, however it is cut, and bounded."""

import zlib

import pytest

from mailframe.errors import ConnectionLost, ProtocolError
from mailframe.ground.uidset import UidSet
from mailframe.imap import commands
from mailframe.imap.inflate import PIECE
from tests.imap.test_connection import ITEMS, greeted, row, talk

OFFERED = b"IMAP4rev1 COMPRESS=DEFLATE"


class Server:
    """The other side: deflates what it says, inflates what it hears."""

    def __init__(self):
        self.deflater = zlib.compressobj(wbits=-15)
        self.inflater = zlib.decompressobj(-15)

    def says(self, data):
        return self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH)


def compressing(answer=b"M1 OK begin"):
    connection = greeted(OFFERED)
    asked = connection.send(commands.compress())
    assert connection.data_to_send() == b"M1 COMPRESS DEFLATE\r\n"
    talk(connection, answer)
    assert asked.result is not None
    return connection


def read_all(connection, data):
    finished = connection.receive_data(data)
    while connection.more:
        finished += connection.receive_data(b"")
    return finished


def fetching(connection):
    connection.send(commands.examine(b"INBOX"))
    return connection.send(commands.uid_fetch(UidSet.of((1, 3)), ITEMS))


TALK = b"* 3 EXISTS\r\nM2 OK\r\n" + b"".join(row(n, n) + b"\r\n" for n in (1, 2, 3)) + b"M3 OK\r\n"


@pytest.mark.parametrize("chunk", [1, 2, 7, 10_000])
def test_however_it_is_cut_what_comes_compressed_gives_the_same_rows(chunk):
    server, connection = Server(), compressing()
    pending = fetching(connection)
    heard = server.inflater.decompress(connection.data_to_send())
    assert heard.startswith(b"M2 EXAMINE INBOX\r\nM3 UID FETCH 1:3")
    data = server.says(TALK)
    for start in range(0, len(data), chunk):
        read_all(connection, data[start : start + chunk])
    assert pending.ok
    assert pending.rows.uid == [1, 2, 3]
    plain = greeted()
    other = fetching(plain)
    read_all(plain, TALK.replace(b"M3", b"M2").replace(b"\r\nM2 OK\r\n*", b"\r\nM1 OK\r\n*", 1))
    assert pending.rows == other.rows


def test_octets_behind_the_ok_in_the_same_chunk_are_compressed_already():
    server, connection = Server(), greeted(OFFERED)
    connection.send(commands.compress())
    pending = connection.send(commands.noop())
    assert connection.data_to_send() == b"M1 COMPRESS DEFLATE\r\n"
    read_all(connection, b"M1 OK\r\n" + server.says(b"* 3 EXISTS\r\n"))
    assert server.inflater.decompress(connection.data_to_send()) == b"M2 NOOP\r\n"
    read_all(connection, server.says(b"M2 OK done\r\n"))
    assert pending.ok


def test_it_may_follow_other_commands_and_nothing_follows_it_before_its_answer():
    connection = greeted(OFFERED)
    connection.send(commands.list_mailboxes())
    connection.send(commands.compress())
    connection.send(commands.examine(b"INBOX"))
    assert connection.data_to_send() == b'M1 LIST "" *\r\nM2 COMPRESS DEFLATE\r\n'


@pytest.mark.parametrize("answer", [b"M1 NO [COMPRESSIONACTIVE] by TLS", b"M1 NO", b"M1 BAD what?"])
def test_where_it_is_refused_all_goes_on_in_plain_text(answer):
    connection = compressing(answer)
    pending = fetching(connection)
    assert connection.data_to_send().startswith(b"M2 EXAMINE INBOX\r\n")
    read_all(connection, TALK)
    assert pending.rows.uid == [1, 2, 3]


@pytest.mark.parametrize(
    "said",
    [
        b"* 3 EXISTS\r\n",
        b"\xff" * 10,
        zlib.compress(TALK),  # with the header of zlib
        zlib.compressobj(wbits=-15).flush(),  # a stream that ends at once
        Server().says(b"* 3 EXISTS\r\n")[:-4] + b"\xff" * 40,
    ],
)
def test_a_stream_that_is_none_or_ends_costs_the_connection(said):
    connection = compressing()
    with pytest.raises(ConnectionLost, match="compressed"):
        read_all(connection, said)
    assert connection.garbled


def test_a_bomb_is_given_out_in_pieces_and_meets_the_limits():
    connection = compressing()
    before = connection.octets
    bomb = Server().says(b"x" * (200 * PIECE))
    with pytest.raises(ProtocolError, match="a line of more than"):
        read_all(connection, bomb)
    assert connection.octets - before <= 11 * PIECE
