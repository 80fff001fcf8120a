"""Rows on their way into a batch."""

import pytest

from mailframe.gathering.rows import BATCH_OCTETS, Gathered
from mailframe.imap.responses import Columns


@pytest.mark.parametrize("item", ["flags", "internaldate", "size", "header"])
def test_whatever_a_server_makes_large_a_batch_is_closed_in_time(item):
    gathered = Gathered()
    rows = Columns([7], [b""], [b""], [b""], [b""])
    setattr(rows, item, [b"x" * BATCH_OCTETS])
    gathered.add("INBOX", rows)
    assert gathered.full
