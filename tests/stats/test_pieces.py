"""Trace fields read by their parts say what they say when each is read whole."""

from __future__ import annotations

from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailframe.headers import fields
from mailframe.stats import pieces, received, tracedates, tracewords, vectors, verified
from tests import corpora

USUAL = (
    "from a.example (a.example [192.0.2.1])\r\n\tby mx.example (Postfix) with ESMTPS id 4Rz7\r\n"
    "\tfor <ann@example.org>; Mon, 03 Jun 2024 10:00:05 +0200 (CEST)"
)
ENDS = [
    "03 Jun 2024 10:00:05 +0200",
    " 3 Jun 2024 23:59:60 -0000 (PDT)",
    "31 Feb 2024 99:00:00 +0000",
]
ROUTE = """
from|by|with|id|for|Microsoft|cipher|TLS|TLSv|=|SSL3|tls1_2|ESMTPS|smtp|HTTP|Mon,|Jun|2024|3|03|10:
10:00|;|(|)|\\|"|a.example|<ann@example.org>|(Postfix)|(a (b) c)|(version=TLS1_3 cipher=X)|+0200|é
; Mon,|; 3 Jun 2024 10:00:05 +0000|(EDT)|(TLS1)|(=TLS)|by b.example with ESMTP id|3 Jun 2024 10:
""".strip().replace("\n", "|")
VERDICTS = """
mx.example|MX.example 1|none|;|; |;\r\n\t|(|)|"|\\|=|/1|a|spf=pass|SPF = Fail|dkim=fail|dkim=pass
dmarc=none|dkim=pass_|x-spf=pass|spf=pass(note)|(spf=pass; dkim=pass)|"; spf=pass"|reason="x"
 smtp.mailfrom=a@b.example| header.d=spf=pass| a.b=c(d)|(e)f|spf|dkim/1=none|.example|é|; dkim=fail
""".strip("\n").replace("\n", "|")


def mixed(words, blanks):
    """Texts of words that mean something, with and without blanks between them."""
    words = st.sampled_from([*words.split("|"), "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"])
    return st.lists(st.tuples(words, st.sampled_from(blanks)), max_size=14).map(
        lambda parts: "".join(word + blank for word, blank in parts)
    )


routes = st.one_of(
    mixed(ROUTE, [" ", " ", "", "\t"]),
    st.builds(
        "{}{}{}{}".format,
        mixed(ROUTE, [" ", " ", ""]),
        st.sampled_from(
            ["from a by b with SMTP id 1", "by b with X;", "from a by b with Y id ", ""]
        ),
        mixed(ROUTE, [" ", " ", ""]),
        st.sampled_from(ENDS),
    ),
)
verdicts = st.builds(
    "{}{}".format,
    st.sampled_from(["mx.example; ", "mx;spf=pass", ""]),
    mixed(VERDICTS, ["", "", " "]),
)


def column(values):
    """Make a column, cut out of a longer one."""
    return pa.array(["spf=", *values, "x"], pa.large_string())[1:-1]


def told_by_parts_and_whole(read, whole, values):
    """Give what is read twice: by parts, a share of some values at a time, and without."""
    with patch.object(pieces, "SHARE", max(len(values) // 3, 1)):
        parts = read(column(values))
        with whole:
            return parts, read(column(values))


def hops(values):
    read = received.read(values)
    texts = [each.dictionary.take(each.indices).to_pylist() for each in read[:3]]
    return [*texts, *(each.tolist() for each in read[3:])]


def results(values):
    """Give server, and per method the first result and the first that passed."""
    read = verified.read(values)
    server = read.server.dictionary.take(read.server.indices).to_pylist()
    told = []
    for method in ("spf", "dkim", "dmarc"):
        for value in ("[a-z]+", "pass"):
            found = verified.results(read.texts, method, value)
            words = found.dictionary.take(found.indices).to_pylist()
            first = {}
            for field, word in zip(read.which.tolist(), words, strict=True):
                if word is not None:
                    first.setdefault(field, word)
            told.append(first)
    return server, told


@contextmanager
def patterns_alone():
    """Let arithmetic on octets be sure of nothing."""
    find = tracewords.find

    def unsure(spans):
        found = find(spans)
        found.sure[:] = False
        return found

    def undated(spans):
        return np.full(len(spans.end), vectors.NEVER)

    with patch.object(tracewords, "find", unsure), patch.object(tracedates, "read", undated):
        yield


def hops_both_ways(values):
    return told_by_parts_and_whole(hops, patterns_alone(), values)


def results_both_ways(values):
    def none_is_plain(spans, *_):
        return np.zeros(len(spans.end), dtype=bool)

    return told_by_parts_and_whole(results, patch.object(verified, "_plain", none_is_plain), values)


@settings(deadline=None, max_examples=150)
@given(st.lists(routes, max_size=8))
@example([USUAL])
@example(["from a by b with X id TLS03 Jun 2024 10:00:05 +0000"])
@example(["from a by b with X id 1 cipher 3 Jun 2024 10:00:05 +0000"])
@example(["from a by b with X id 1 3 Jun 2024 10:03 Jun 2024 10:00:05 +0000"])
@example(["from a by b (x with C id 1) with D; 03 Jun 2024 10:00:05 +0000"])
def test_a_route_is_read_by_parts_as_it_is_whole(values):
    parts, whole = hops_both_ways(values)
    assert parts == whole


@settings(deadline=None, max_examples=150)
@given(st.lists(verdicts, max_size=8))
@example(["mx; spf=pass(a note of so many words)ed"])
@example(["mx; a.b=c spf=pass"])
@example(["mx; (", ") ; spf=pass"])
def test_results_are_read_by_pieces_as_they_are_whole(values):
    parts, whole = results_both_ways(values)
    assert parts == whole


@pytest.mark.parametrize("name", corpora.NAMES)
@pytest.mark.parametrize(
    ("field", "both_ways"),
    [(b"received", hops_both_ways), (b"authentication-results", results_both_ways)],
)
def test_real_fields_too(name, field, both_ways):
    values = [
        value.decode("latin-1")
        for block in corpora.headers(name)
        for key, value in fields.split(block)
        if key.lower() == field
    ]
    parts, whole = both_ways(values)
    assert parts == whole


def test_fields_of_the_usual_shape_are_not_read_whole():
    # Of the first and the last in memory nobody is sure: a load would reach beyond them.
    spans = pieces.spans(column([USUAL, USUAL, USUAL.replace("4Rz7", "5Sa8"), "odd", USUAL]))
    assert tracewords.find(spans).sure.tolist() == [False, True, True, False, False]
    assert (tracedates.read(spans) != vectors.NEVER).tolist() == [True, True, True, False, True]


def test_results_of_many_fields_are_few_distinct_pieces():
    field = "mx; dkim=pass header.i=@example.net header.b={}; spf=pass smtp.mailfrom=b-{}@b.example"
    read = verified.read(column([field.format(n, n) for n in range(50)]))
    assert len(read.texts.dictionary) == 3
