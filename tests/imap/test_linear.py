"""Cost grows with the octets of a response and not faster, whatever a server sends.

See ``tests/floods.py``.
"""

from contextlib import suppress

import pytest

from mailframe.errors import ProtocolError
from mailframe.ground.names import decode_mailbox
from mailframe.ground.uidset import UidSet
from mailframe.imap import commands
from mailframe.imap.connection import Connection
from mailframe.imap.framing import Frame, Framer
from mailframe.imap.grammar import parse_values
from mailframe.imap.limits import Limits
from mailframe.imap.responses import Columns, read_response, scan_flags, scan_rows
from tests.floods import alarm, cost, worst

# What makes a reader try again: openings without an end, above all.
SEEDS = [
    *(b"a", b" ", b"(", b")", b"()", b"( ", b'"', b'"\\', b'\\"', b'"a', b'"a" ', b'" ', b"\\"),
    *(b"[", b"]", b"[]", b"<", b">", b"{", b"}", b"{1", b"{1}", b"~{1}", b"*", b"+", b"\t", b"\0"),
    *(b"BODY[", b"BODY[ ", b"BODY[]", b"BODY[]<", b"BODY[]<1 ", b"BINARY.PEEK[ ", b"BODY.PEEK[("),
    *(b"BODY[HEADER.FIELDS (", b"UID ", b"UID 1 ", b"FLAGS (", b"FLAGS () ", b'INTERNALDATE "'),
    *(b"1", b"1 ", b"1,", b"1:", b"1:2,", b"9", b"* ", b"* 1 FETCH (", b" FETCH (", b"* LIST "),
    *(b"&", b"&-", b"&AA", b"&AAAA-", b"&2D3eAA-", b"\xe9", b"\xc3\xa9", b"\r", b"\n", b"\r\n"),
    *(b"* 1 FETCH (UID 1)\r\n", b"* OK\r\n", b"* LIST () NIL {1}\r\n", b"a\r\n", b'"\r\n'),
]
BEGINNINGS = [
    *(
        b"",
        b"(",
        b'"',
        b"&",
        b"* OK [",
        b"* LIST () ",
        b"* STATUS ",
        b"* SEARCH ",
        b"* ESEARCH ALL ",
    ),
    *(b"* 1 FETCH (", b"* 1 FETCH (FLAGS (", b"* VANISHED ", b"A1 OK ", b"* CAPABILITY "),
]
FLOODS = [
    (opening, seed, ending) for seed in SEEDS for opening in BEGINNINGS for ending in (b"", b"!")
]


def read_all(raw):
    framer = Framer()
    framer.feed(raw + b"\r\n")
    with suppress(ProtocolError):
        while frame := framer.next_frame():
            read_response(frame)


def parse_set(raw):
    with suppress(ValueError):
        UidSet.parse(raw)


def parse(raw):
    with suppress(ValueError):
        parse_values([raw])


READERS = {
    "values": parse,
    "stream": read_all,
    "response": lambda raw: read_response(Frame((raw,))),
    "rows": lambda raw: scan_rows(raw, 0, Columns(), 0, 1 << 32, Limits()),
    "flags": lambda raw: scan_flags(raw, 0, Columns(), 0, 1 << 32, Limits()),
    "mailbox": decode_mailbox,
    "set": parse_set,
}


@pytest.mark.parametrize("name", READERS)
def test_no_reader_blows_up(name):
    with alarm():
        worst(READERS[name], FLOODS)


@pytest.mark.parametrize("line", [b"* WHAT\r\n", b"* 1 EXPUNGE\r\n", b"* 1 FETCH (FLAGS ())\r\n"])
def test_what_nobody_waits_for_costs_the_same_however_many_commands_wait(line):
    def waiting(count):
        connection = Connection()
        connection.receive_data(b"* PREAUTH ready\r\n")
        for number in range(count):
            connection.send(commands.status(b"f%d" % number, ["MESSAGES"]))
        return connection.receive_data

    cost(waiting(1), line)  # what is done for the first time only
    few, many = (cost(waiting(count), 1_000 * line) for count in (64, 6_400))
    assert many < 20 * few
