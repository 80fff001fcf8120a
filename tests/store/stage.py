"""Stores made by hand, for tests of what lies on the disk."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq

from mailframe.ground.uidset import UidSet
from mailframe.store.filecolumns import canonical, stored_schema
from mailframe.store.merge import Answers, Merge, gone
from mailframe.store.state import FolderState
from mailframe.store.writer import writing
from tests.store.batches import batch, message

ACCOUNT = "ann@example.org"
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def refresh(writer, folder, answers, *, day=0, headers=(), complete=True, uidvalidity=1):
    """Merge answers into a folder and save it, as a refresh on a given day does."""
    at = DAY + timedelta(days=day)
    held = writer.held(folder)
    before = held.state if held else FolderState(writer.account, folder)
    uids = held.uids if held else UidSet()
    lost = gone(uids, answers)
    schema = stored_schema(canonical(headers))
    merge = Merge(schema, answers, lost=lost, at=at)
    state = dataclasses.replace(
        before,
        uidvalidity=uidvalidity,
        headers=canonical(headers),
        complete=complete,
        refreshed=at.isoformat(),
    ).with_gone(lost)
    writer.save(state, merge.batches(held.batches() if held else ()))


def rotten(path):
    """Flip bits in the middle of a page, as a bad disk does."""
    with pq.ParquetFile(path) as file:
        pages = file.metadata.row_group(0).column(3)
    content = bytearray(path.read_bytes())
    content[pages.data_page_offset + pages.total_compressed_size - 2] ^= 0xFF
    path.write_bytes(content)


def rows(uids, *, folder="INBOX", account=ACCOUNT):
    return Answers(rows=[batch([message(uid) for uid in uids], folder=folder, account=account)])


def fill(root, folders, *, account=ACCOUNT, day=0):
    """Make a store that holds, per folder name, the messages with the given UIDs."""
    with writing(root, account) as writer:
        for folder, uids in folders.items():
            refresh(writer, folder, rows(uids, folder=folder, account=account), day=day)
    return root
