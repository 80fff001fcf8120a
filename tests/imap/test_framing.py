"""Framing: however the bytes are cut, the frames are the same; only ProtocolError gets out."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.errors import ProtocolError
from mailframe.imap.framing import Frame, Framer
from mailframe.imap.limits import Limits

SMALL = Limits(line=60, literal=30, response=60, literals=4)

lines = st.sampled_from(
    [
        b"* OK ready\r\n",
        b"* 1 FETCH (UID 1 BODY[HEADER] {5}\r\nA: b\n)\r\n",
        b"* 2 FETCH (BODY[] {0}\r\n FLAGS ())\r\n",
        b"* LIST () {1}\r\n/ {3}\r\nabc\r\n",
        b"M1 OK done {9}\r\n",
        b"* NO free text {4}\r\n",
        b"\r\n",
        b"\n",
        b"* 3 FETCH (X {29}\r\n",
        b"* 3 FETCH (X {31}\r\n",
        b"{3}",
        b"\x00\xff*",
    ]
)
streams = st.lists(lines | st.binary(max_size=12), max_size=12).map(b"".join)


def frames(chunks, limits=SMALL):
    """Give the frames of a stream, and the error that ended it."""
    framer, out = Framer(limits), []
    try:
        for chunk in chunks:
            framer.feed(chunk)
            while (frame := framer.next_frame()) is not None:
                out.append(frame)
    except ProtocolError as error:
        out.append(str(error))
    return out


@given(streams, st.lists(st.integers(0, 200)))
def test_any_split_gives_the_same_frames(stream, cuts):
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    octets = [stream[i : i + 1] for i in range(len(stream))]
    assert frames(pieces) == frames(octets)


@given(streams)
def test_a_stream_and_its_frames_hold_the_same_octets(stream):
    framer = Framer()
    framer.feed(stream)
    held = 0
    while (frame := framer.next_frame()) is not None:
        held += sum(map(len, frame.texts)) + sum(map(len, frame.literals))
    assert held + framer.pending <= len(stream)


def test_literals_may_stand_anywhere_and_in_number():
    stream = b"* LIST () {1}\r\n/ {5}\r\na\r\nbc\r\n* 1 FETCH (BODY[] ~{2}\r\n\0\0 UID 7)\r\n"
    assert frames([stream], Limits()) == [
        Frame((b"* LIST () ", b" ", b""), (b"/", b"a\r\nbc")),
        Frame((b"* 1 FETCH (BODY[] ", b" UID 7)"), (b"\0\0",)),
    ]


def test_free_text_that_ends_in_braces_announces_nothing():
    assert frames([b"* OK [ALERT] mind the {3}\r\nM1 NO {4}\r\n+ {5}\r\n"], Limits()) == [
        Frame((b"* OK [ALERT] mind the {3}",)),
        Frame((b"M1 NO {4}",)),
        Frame((b"+ {5}",)),
    ]


@pytest.mark.parametrize(
    ("stream", "complaint"),
    [
        (b"* 1 FETCH (BODY[] {4294967296}\r\n", "literal of 4,294,967,296 octets"),
        (b"* 1 FETCH (BODY[] {99999999999999999999}\r\n", "literal of"),
        (b"* OK " + b"x" * 70, "line of more than"),
        (b"* X {1}\r\na {1}\r\nb {1}\r\nc {1}\r\nd {1}\r\n", "literals"),
        (b"* X {30}\r\n" + b"a" * 30 + b" {30}\r\n", "one response grew"),
    ],
)
def test_what_is_too_large_is_refused_when_it_is_announced(stream, complaint):
    (*_, error) = frames([stream])
    assert complaint in error


@pytest.mark.parametrize(
    "stream",
    [
        b"* OK " + b"x" * 100_000 + b"\r\n",
        b"* 1 FETCH (BODY[] {100000}\r\n" + b"x\n" * 50_000 + b")\r\n",
        b"* LIST " + b"{1}\r\nx" * 900 + b"\r\n",
        b"\n" * 50_000,
    ],
    ids=["a long line", "a large literal", "many literals", "empty lines"],
)
def test_work_stays_linear_when_octets_come_one_by_one(stream, monkeypatch):
    copied = 0
    gather = Framer._gather

    def counted(self):
        nonlocal copied
        gather(self)
        copied += len(self.buffer)

    monkeypatch.setattr(Framer, "_gather", counted)
    frames([stream[i : i + 1] for i in range(len(stream))], Limits())
    assert copied < 8 * len(stream)
