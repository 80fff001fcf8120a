"""The parts of a message, found without keeping a body: the form of lines, chunks and nonsense."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers.attachments import attachments
from mailframe.headers.mime import Walker
from mailframe.headers.parameters import parameter, read_parameters


def walked(raw, size=None):
    end = raw.index(b"\n\n") + 2 if b"\n\n" in raw else raw.index(b"\r\n\r\n") + 4
    walker = Walker(raw[:end])
    body = raw[end:]
    for start in range(0, len(body), size or max(len(body), 1)):
        walker.feed(body[start : start + (size or len(body))])
    return walker.close()


def found(raw):
    return [tuple(one) for one in attachments(walked(raw))]


MIXED = b"""\
Subject: all of it
Content-Type: multipart/mixed; boundary="a b"

A preamble.
--a b
Content-Type: multipart/related; boundary=related

--related
Content-Type: text/html

<img src="cid:logo">
--relate
--related
Content-Type: image/png; name=logo.png
Content-ID: <logo>

png
--related
Content-Type: image/png; name=photo.png

png
--related--
--a b
Content-Disposition: attachment; filename="=?utf-8?q?f=C3=BCr?=.eml"
Content-Type: message/rfc822

Subject: enclosed
Content-Type: multipart/mixed; boundary=inner

--inner
Content-Type: application/pdf; name=inner.pdf

pdf
--inner--
--a b
Content-Type: message/rfc822

Content-Type: multipart/mixed; boundary=shown

--shown
Content-Type: application/pdf; name=shown.pdf

pdf
--shown--

--a b
Content-Type: application/zip;
\tname="folded.zip"
Content-Transfer-Encoding: base64 (yes)

AAAA
AAAA
--a b--
--a b
Content-Type: a/b; name="behind the end"
"""


def test_a_message_is_walked_to_its_last_part():
    assert found(MIXED) == [
        ("photo.png", "image/png", 3),
        ("für.eml", "message/rfc822", 142),
        ("shown.pdf", "application/pdf", 3),
        ("folded.zip", "application/zip", 7),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_neither_chunks_nor_line_ends_show(size, newline):
    assert walked(MIXED.replace(b"\n", newline), size) == walked(MIXED)


def test_a_message_of_an_old_macintosh_is_read():
    walker = Walker(b"Content-Type: multipart/mixed; boundary=x\r\r")
    walker.feed(b"--x\rContent-Disposition: attachment; filename=a\r\rtext\r--x--\r")
    assert [tuple(one) for one in attachments(walker.close())] == [("a", "text/plain", 4)]


@given(st.lists(st.sampled_from(MIXED.splitlines(keepends=True)), max_size=60), st.integers(1, 40))
def test_no_order_of_lines_breaks_it(lines, size):
    raw = MIXED[: MIXED.index(b"\n\n") + 2] + b"".join(lines)
    assert walked(raw, size) == walked(raw)


def test_most_messages_need_no_look_at_their_body():
    assert not Walker(b"Subject: x\nContent-Type: text/plain; charset=utf-8\n\n").needs_body
    assert not Walker(b"Subject: x\n\n").needs_body
    assert Walker(b"content-type: application/pdf; name=x\n\n").needs_body


def test_depth_length_and_floods_cost_in_proportion():
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000)
    )
    assert found(deep + b"Content-Type: a/b; name=x\n\nx") == [("x", "a/b", 1)]
    began = time.process_time()
    walked(deep + b"--b\n" * 500_000, 1 << 16)
    walked(deep + b"--b" * 500_000, 1 << 16)
    walked(deep + b"Content-Type: a/b; name=x\n" * 100_000, 1 << 16)
    walked(b"Content-Type: multipart/mixed; boundary=q\n\n" + b"--q\n\n" * 300_000, 1 << 16)
    assert time.process_time() - began < 60  # quadratic, it would be hours


PARAMETERS = {
    b"attachment; filename=a.txt": "a.txt",
    b"attachment; filename = a b.txt ; size=3": "a b.txt",
    b'attachment;filename="a;b=\\"c\\".txt"': 'a;b="c".txt',
    b'attachment; filename="C:\\dir\\f.txt"': "C:\\dir\\f.txt",
    b'attachment; filename="never closed': "never closed",
    b"attachment; filename*=utf-8''%e2%82%ac%20rates; filename=rates": "€ rates",
    b"attachment; filename*=%e2%82%ac": "€",
    b"attachment; filename*0=lo; filename*1=ng": "long",
    b"attachment; filename*1=ng; filename*0=lo": "long",
    b"attachment; filename*0*=utf-8'en'%C3; filename*1*=%BC; filename*2=%41": "ü%41",
    b'attachment; filename*0="=?utf-8?q?f=C3"; filename*1="=BCr?="': "für",
    b"attachment; filename==?utf-8?B?w7w=?=": "ü",
    b"attachment; filename=f\xfcr": "für",
    b"attachment; filename*=x-nobody-knows''%fc": "ü",
    b"attachment; filename=a; filename=b": "a",
    b'attachment; filename=""': None,
    b"attachment": None,
    b"": None,
}


@pytest.mark.parametrize(("value", "name"), PARAMETERS.items())
def test_a_file_name_is_read_however_it_is_written(value, name):
    word, pairs = read_parameters(value)
    assert word == value[:10]
    assert parameter(pairs, b"filename") == name
