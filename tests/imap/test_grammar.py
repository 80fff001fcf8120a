"""The pieces of responses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.imap import grammar
from mailframe.imap.grammar import (
    String,
    as_number,
    as_text,
    astring,
    is_nil,
    parse_values,
    quote,
)
from tests.floods import MEGABYTE, alarm


@given(st.binary(max_size=80))
def test_a_quoted_string_reads_back(text):
    written = quote(text)
    if written is not None:
        assert parse_values([written]) == [String(text)]


@given(st.binary(max_size=40))
def test_an_astring_reads_back_and_is_never_taken_for_nil(text):
    written = astring(text)
    if written is not None:
        (value,) = parse_values([written])
        assert as_text(value) == text
        assert b"\r" not in written
        assert b"\n" not in written


TOKENS = [b'"', b'"a"', b'"b c"', b'""', b"(", b")", b" ", b"NIL", b"x", b"[", b"\\", b"\r\n"]


@given(st.lists(st.sampled_from(TOKENS), max_size=60))
def test_strings_that_are_cut_out_at_once_are_those_that_are_read_one_by_one(tokens):
    text = b"".join(tokens)
    try:
        expected = [[]]
        grammar._read_tokens(text, expected, 50)
    except ValueError:
        expected = None
    try:
        values = [[]]
        grammar._read_text(text, values, 50)
    except ValueError:
        values = None
    assert values == expected
    assert _kinds(values) == _kinds(expected)


def _kinds(values):
    return [_kinds(v) if isinstance(v, list) else type(v) for v in values or []]


def test_values_nest_and_literals_stand_where_strings_may():
    values = parse_values([b'(\\Seen $Junk) "a \\"b\\"" NIL ', b" (1 (2))"], [b"lit)"])
    assert values == [[b"\\Seen", b"$Junk"], b'a "b"', b"NIL", b"lit)", [b"1", [b"2"]]]
    assert is_nil(values[2])
    assert not is_nil(values[3])
    assert not is_nil(parse_values([b'"NIL"'])[0])


def test_a_section_is_one_atom_whatever_it_holds():
    section = b'BODY[HEADER.FIELDS ("REFERENCES" "LIST-ID")]'
    assert parse_values([section + b"<0> NIL"]) == [section + b"<0>", b"NIL"]
    assert parse_values([b"body[header.fields (DATE)] x"])[0] == b"body[header.fields (DATE)]"


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b'"a"b"c" x', [b'a"b"c', b"x"]),
        (b'"tab\there\xff" x', [b"tab\there\xff", b"x"]),
        (b'"back\\n" x', [b"backn", b"x"]),
        (b"$a[b] \xe4\xf6", [b"$a[b]", b"\xe4\xf6"]),
        (b"  1   2 ", [b"1", b"2"]),
    ],
)
def test_sloppy_strings_and_spaces_are_read(line, values):
    assert parse_values([line]) == values


@pytest.mark.parametrize("line", [b"(a", b"a)", b'"open', b"(" * 1000 + b")" * 1000])
def test_what_makes_no_sense_is_a_value_error(line):
    with pytest.raises(ValueError, match=r"."):
        parse_values([line])


def test_numbers_of_careless_servers():
    assert as_number(b"12") == 12
    assert as_number(b"12.0") == 12
    assert as_number(b"-1") is None
    assert as_number(b"9" * 40) is None
    assert as_number([b"1"]) is None


def test_sections_without_an_end_are_read_once():
    count = 2 * MEGABYTE // len(b"BODY[ ")
    with alarm():
        assert parse_values([b"BODY[ " * count]) == [b"BODY["] * count
