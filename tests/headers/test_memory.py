"""What is remembered of mail stays small, whatever the mail is."""

import tracemalloc

import pytest

from mailframe.frame.batch import BatchBuilder
from mailframe.sources.flags import header_flags
from tests.frame.rowwise import rows

LONG = 100_000


def sender(number):
    BatchBuilder("a").build(rows([b'From: "\xc3\xa9" <a@%d' % number + b"a" * LONG + b".org>"]))


def flags(number):
    keywords = b" ".join(b"%d-%d" % (number, place) for place in range(LONG // 8))
    BatchBuilder("a").build(rows([b""], flags=[keywords]))


def labels(number):
    header_flags(b"X-Gmail-Labels: %d" % number + b"a" * LONG + b"\n")


@pytest.mark.parametrize("read", [sender, flags, labels])
def test_long_values_are_not_remembered(read):
    read(0)
    tracemalloc.start()
    try:
        for number in range(1, 30):
            read(number)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10 * LONG
