"""Names of mailboxes and files."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.ground.names import decode_mailbox, decode_name

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def encoded(name):
    """Write a name in modified UTF-7 (RFC 3501 section 5.1.3)."""

    def shift(match):
        utf16 = match[0].encode("utf-16-be")
        return "&" + base64.b64encode(utf16, b"+,").decode().rstrip("=") + "-"

    return re.sub(r"[^\x20-\x7e]+", shift, name.replace("&", "&-")).encode("ascii")


@given(names)
def test_a_mailbox_name_survives_the_wire(name):
    wire = encoded(name)
    assert wire.isascii()
    assert decode_mailbox(wire) == name


@given(st.binary(max_size=60))
@pytest.mark.parametrize("decode", [decode_mailbox, decode_name])
def test_any_octets_make_a_name_that_can_be_shown(decode, wire):
    shown = decode(wire)
    shown.encode("utf-8")
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        (b"Entw&APw-rfe", "Entwürfe"),
        (b"R&-D", "R&D"),
        (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
        (b"&2D3eAA-", "😀"),
        (b"broken &AB-", "broken &AB-"),
        (b"&", "&"),
        ("Größe".encode(), "Größe"),
        (b"Gr\xf6\xdfe", "Größe"),
        (b"tab\there", "tab\ufffdhere"),
    ],
)
def test_names_are_shown_as_people_wrote_them(wire, shown):
    assert decode_mailbox(wire) == shown


def test_other_names_are_shown_as_they_stand():
    assert decode_name("Größe & Gewicht".encode()) == "Größe & Gewicht"
    assert decode_name(b"Gr\xf6\xdfe") == "Größe"
    assert decode_name(b"R&-D\x1b[2J") == "R&-D\ufffd[2J"
