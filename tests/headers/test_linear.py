"""Cost grows with the octets and not faster: each expression on its worst input, at 1 MB.

See ``tests/floods.py``.
"""

import inspect
import re

import pytest

from mailframe.frame import blocks, extras, instants
from mailframe.frame.batch import BatchBuilder
from mailframe.headers import (
    addresses,
    charsets,
    dates,
    fields,
    ids,
    loosedates,
    text,
    urls,
)
from mailframe.headers.columns import words
from tests.floods import MEGABYTE, alarm, worst
from tests.frame.rowwise import rows

# What makes one expression or another try again: openings without an end, above all.
SEEDS = [
    *(b"a", b" ", b"\t", b"\n", b"\r", b"\n ", b"\r\n\t", b"\0", b"\xe9", b"0", b"-", b"."),
    *(b"=?", b"=?a?q?", b"=?a?q?x", b"=?a?b?=", b"=?a*b?q?", b"=?=", b"?=", b"=", b"==?", b"=?a"),
    *(b"=?utf-8?q?a?= ", b"=?utf-8?b?w6k?=", b"=?x", b"\x1b$B", b"\x1b", b"\x1b$B$3"),
    *(b"<", b">", b"<>", b"<a@b>", b"<a@b> ", b"@", b"a@", b"a@b,", b"a@b ", b"a.", b". ", b" ."),
    *(b'"', b'\\"', b'"a" ', b'"\\', b"\\", b"(", b")", b"()", b"(\\", b"(a) ", b"[", b"[]"),
    *(b",", b";", b":", b"a:", b"<@a,", b"<a:", b"g:a@b;", b"<,", b"a <b@c>, ", b"x <", b"<a> "),
    *(
        b"1 jan ",
        b"jan 1 2000 ",
        b"mon,",
        b"00:",
        b"1 Jan 2000 00:00:00 ",
        b"+0000",
        b"2000-01-01 ",
    ),
    *(b"A: b\n", b"Subject : a\n", b"Subject:a\n", b"From a\n", b"To", b"To \n", b"A:\n ", b":"),
    *(b"<mailto:a>,", b"a:b,", b"no ", b"utf", b"'", b"X-", b"\\ a"),
]
# An opening before, so that the flood is inside something, and a wrong end behind.
AROUND = [(b"", b""), (b"<", b"!"), (b'"', b""), (b"(", b"")]
FLOODS = [(opening, seed, ending) for seed in SEEDS for opening, ending in AROUND]

PARSERS = {
    "fields": fields.split,
    "text": text.decode,
    "addresses": addresses.mailboxes,
    "dates": dates.parse,
    "comments": dates.without_comments,
    "trailing date": lambda raw: dates.trailing(raw.decode("latin-1")),
    "message_ids": ids.message_ids,
    "message_id": ids.message_id,
    "parent_id": ids.parent_id,
    "list_id": ids.list_id,
    "urls": urls.urls,
    "charset": lambda raw: charsets.codec_of(raw.decode("latin-1")),
    "guess": lambda raw: charsets.decode_unlabelled(raw + b"\xe9"),
}


def expressions():
    """Return every compiled expression of the rooms that read headers."""
    modules = [
        addresses,
        blocks,
        charsets,
        dates,
        extras,
        fields,
        ids,
        instants,
        loosedates,
        text,
        urls,
        words,
    ]
    found = {}
    for module in modules:
        for name, value in inspect.getmembers(module):
            each = value if isinstance(value, tuple) else (value,)
            for at, pattern in enumerate(each):
                if isinstance(pattern, re.Pattern):
                    found[f"{module.__name__}.{name}.{at}"] = pattern
    return found


EXPRESSIONS = expressions()


# These are only ever asked at one position, the start of a value or of a line, and then behind
# what they matched: a failed search from every position is not what they do.
ANCHORED = (
    *("_PLAIN_ITEM", "_PLAIN_LIST", "_PIECE", "fields._FIELD", "urls._SCHEME"),
    *("addresses._SPEC", "charsets._CODE_PAGE", "dates._COUNT"),
)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_no_expression_blows_up(name):
    pattern = EXPRESSIONS[name]

    def work(raw):
        subject = raw if isinstance(pattern.pattern, bytes) else raw.decode("latin-1")
        pattern.match(subject)
        pattern.fullmatch(subject)
        if not name.removesuffix(".0").endswith(ANCHORED):
            # Whatever one attempt reads in vain, the next one may read again.
            for _ in pattern.finditer(subject):
                pass

    with alarm():
        worst(work, FLOODS)


@pytest.mark.parametrize("name", PARSERS)
def test_no_parser_blows_up(name):
    with alarm():
        worst(PARSERS[name], FLOODS)


def test_a_field_of_ten_megabytes_is_read():
    people = b"To: " + b",\n ".join([b'"Ann, Lee" <ann@example.org>'] * (10 * MEGABYTE // 32))
    with alarm():
        row = BatchBuilder("a").build(rows([people])).to_pylist()[0]
    assert len(row["to"]) == 10 * MEGABYTE // 32
    assert row["defects"] == 0


def test_a_base64_stream_that_every_word_goes_on_with_is_read():
    word = b"=?utf-8?b?YWJj?= "
    with alarm():
        found, mended = text.decode(b"=?utf-8?b?YWJjZx?= " + word * (10 * MEGABYTE // len(word)))
    assert found.startswith("abcg")
    assert mended


def test_marks_in_the_wrong_order_are_put_right():
    below, above = b"\xcc\x95", b"\xcc\x80"
    with alarm():
        found, mended = text.decode(b"a" + below * (MEGABYTE // 4) + above * (MEGABYTE // 4))
    assert found.startswith("a\u0315")
    assert not mended


def test_punycode_without_an_end_is_not_decoded():
    domain = b"xn--" + b"a9" * (MEGABYTE // 2) + b".example"
    with alarm():
        found, mended = addresses.mailboxes(b"<a@" + domain + b">")
    assert found[0].domain == domain.decode()
    assert mended


def test_nesting_is_no_recursion():
    depth = MEGABYTE // 2
    found, mended = addresses.mailboxes(b"a@b " + b"(" * depth + b")" * depth)
    assert found[0].addr == "a@b"
    assert not mended
