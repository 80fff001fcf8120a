"""SEARCH keys as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.errors import ConfigurationError
from mailframe.imap.commands import Literal
from mailframe.imap.search import parse_keys


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("unseen", b"UNSEEN"),
        ('FROM "ann lee" SEEN', b'FROM "ann lee" SEEN'),
        ("since 2024-02-29 before 1-mar-2024", b"SINCE 29-Feb-2024 BEFORE 1-Mar-2024"),
        ("OR (SEEN FLAGGED) NOT LARGER 1000", b"OR (SEEN FLAGGED) NOT LARGER 1000"),
        ("NOT NOT (ALL)", b"NOT NOT (ALL)"),
        ("OR OR SEEN DRAFT ANSWERED", b"OR OR SEEN DRAFT ANSWERED"),
        ('HEADER List-Id ""', b'HEADER List-Id ""'),
        ("UID 1:*,7", b"UID 1:*"),
        ("KEYWORD $Junk", b"KEYWORD $Junk"),
        (r'SUBJECT "a \"b\" \\c"', b'SUBJECT "a \\"b\\" \\\\c"'),
    ],
)
def test_keys_are_written(text, wire):
    keys = parse_keys(text)
    assert keys.segments == (wire,)
    assert not keys.charset


def test_text_beyond_ascii_travels_as_a_utf8_literal():
    keys = parse_keys("(SUBJECT größe) SEEN")
    assert keys.segments == (b"(SUBJECT ", Literal("größe".encode()), b") SEEN")
    assert keys.charset


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "ends too early"),
        ("FORM ann", "'FORM' is not an IMAP search key"),
        ("1:5", "use UID"),
        ("FROM", "needs a value"),
        ("FROM (ann)", "needs a value"),
        ("SINCE yesterday", "not a date"),
        ("SINCE 31-Feb-2024", "not a date"),
        ("LARGER 1M", "not a number"),
        ("UID x", "not a set of UIDs"),
        ("(SEEN", "too early"),
        ("SEEN)", "parenthesis"),
        ("()", "parenthesis"),
        ("(NOT)", "parenthesis"),
        ("OR SEEN", "too early"),
        ('"SEEN"', "should"),
        ('FROM "ann', "open quote"),
        ("KEYWORD (", "needs a value"),
        ("SEEN\r\nM9 LOGOUT", "not an IMAP search key"),
        ("KEYWORD \x00", "not a keyword"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(text, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        parse_keys(text)


@given(st.text(max_size=30) | st.text('()"\\ ORNTSEFM1-\r\n\0', max_size=40))
def test_no_text_can_break_out_of_its_line(text):
    try:
        keys = parse_keys(text)
    except ConfigurationError:
        return
    plain = b"".join(segment for segment in keys.segments if isinstance(segment, bytes))
    assert not {*b"\r\n\0"} & {*plain}
