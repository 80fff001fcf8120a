"""Fuzzing by hypothesis: grammar-shaped servers, torn apart; header blocks of any octets.

``tests/fuzz/atheris_target.py`` does the same guided by coverage, for as long as wanted.
"""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.frame.batch import BatchBuilder
from tests.fuzz.conversation import check
from tests.fuzz.corpus import FRAGMENTS, HEADERS

fragments = st.sampled_from(FRAGMENTS)
octets = st.binary(max_size=30)
servers = st.lists(st.one_of(fragments, fragments, fragments, octets), max_size=40).map(b"".join)


@given(servers, st.lists(st.integers(1, 2000), max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_connection_tells_the_same_however_its_octets_are_cut(data, cuts):
    check(b"* OK ready\r\n" + data, cuts)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_each_fragment_is_read_the_same_however_it_is_cut(fragment):
    opened = b"* OK ready\r\nM1 OK\r\nM2 OK\r\n* 9 EXISTS\r\nM3 OK\r\n"
    check(opened + fragment, [len(opened), len(opened + fragment) - 3])


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_a_connection_survives_any_octets_from_the_first_on(data):
    check(data)


def batch(blocks: list[bytes], headers=()):
    count = len(blocks)
    return BatchBuilder("ann@example.org", headers=headers).build(
        SimpleNamespace(
            folders=[("INBOX", count)],
            uid=range(1, count + 1),
            flags=[b"\\Seen"] * count,
            internaldate=[b"17-Jul-1996 02:44:25 -0700"] * count,
            size=[b"1"] * count,
            header=blocks,
        )
    )


header_blocks = st.lists(st.one_of(st.sampled_from(HEADERS), octets), max_size=12).map(b"".join)


@given(st.lists(header_blocks, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_header_blocks_become_a_batch_of_as_many_rows(blocks):
    made = batch(blocks, headers=["Received:all", "Reply-To", "List-Unsubscribe", "X-Any"])
    made.validate(full=True)
    assert made.num_rows == len(blocks)


@given(st.lists(header_blocks, min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_a_row_is_the_same_alone_and_in_company(blocks):
    together = batch(blocks).slice(1, 1).to_pylist()[0]
    alone = batch(blocks[1:]).to_pylist()[0]
    assert {k: v for k, v in together.items() if k != "uid"} == {
        k: v for k, v in alone.items() if k != "uid"
    }
