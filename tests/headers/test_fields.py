"""A header block is its fields, in order; nothing else in it matters."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailframe.headers.fields import rewritten, split


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"A: b\nC:d\n", [(b"A", b" b"), (b"C", b"d")]),
        (b"A: b\r\n c\r\nD: e\r\n\r\n", [(b"A", b" b\n c"), (b"D", b" e")]),
        (b"A : b\nC\t:d", [(b"A", b" b"), (b"C", b"d")]),
        (b"A: b\rC: d\r", [(b"A", b" b"), (b"C", b" d")]),
        (b"A: b\rC: d\r\n\r\n", [(b"A", b" b"), (b"C", b" d")]),
        (b"A: b\rc\nD: e\n", [(b"A", b" b\rc"), (b"D", b" e")]),
        (b"A: b\r\r\n c\r\r\n", [(b"A", b" b\n c")]),
        (b"From x\nA: b\n>From y\nC: d", [(b"A", b" b"), (b"C", b" d")]),
        (b"A: b\n\nC: d", [(b"A", b" b")]),
        (b"A:\n \n b\n", [(b"A", b"\n \n b")]),
        (b" a: b\nC: d", [(b"C", b" d")]),
        (b"\xe9: b\nC: d", [(b"C", b" d")]),
        (b"", []),
        (b":", []),
    ],
)
def test_blocks(block, expected):
    assert split(block) == expected


@example(b"A:\r")
@given(
    st.binary()
    | st.lists(st.sampled_from([b"A", b":", b" ", b"\t", b"\n", b"\r", b"\n ", b"b"])).map(b"".join)
)
def test_rewriting_changes_nothing(block):
    assert split(rewritten(block)) == split(block)
