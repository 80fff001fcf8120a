"""Record batches of the mail schema, for tests: only what a test names is worth naming."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from mailframe.frame.schema import SCHEMA, TEXTS

_BLANK = {
    "account": "ann@example.org",
    "folder": "INBOX",
    "defects": 0,
    **dict.fromkeys(("bulk", "auto", "seen", "answered", "flagged", "draft", "deleted"), False),
    **{field.name: [] for field in SCHEMA if field.type == TEXTS},
}

# One row that has everything, as a mail program would send it.
FULL = {
    "account": "ann@example.org",
    "folder": "Lists/Größe",
    "uid": 4_294_967_295,
    "date": datetime(2024, 2, 29, 12, 0, 1, tzinfo=UTC),
    "date_offset": -210,
    "internaldate": datetime(2024, 2, 29, 12, 0, 5, tzinfo=UTC),
    "from_name": 'Zoë "Z" O\'Hara, PhD',
    "from_addr": "zoe@example.com",
    "from_domain": "example.com",
    "to": ["ann@example.org", "bob@example.org"],
    "cc": [],
    "subject": 'Re: a "quoted" \\ subject; with, separators\tand 💌',
    "message_id": "1@example.com",
    "in_reply_to": "0@example.com",
    "references": ["a@example.com", "0@example.com"],
    "list_id": "list.example.com",
    "bulk": True,
    "auto": False,
    "size": 5_000_000_000,
    "seen": True,
    "answered": False,
    "flagged": True,
    "draft": False,
    "deleted": False,
    "keywords": ["$Junk"],
    "defects": 2,
}


def batch(*rows, schema=SCHEMA):
    """One batch of rows; what a row does not name is missing, empty or false."""
    filled = [{"uid": number, **_BLANK, **row} for number, row in enumerate(rows, 1)]
    columns = [pa.array([row.get(field.name) for row in filled], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def run(folder, uids, **values):
    """A batch of one folder's messages."""
    return batch(*({"folder": folder, "uid": uid, **values} for uid in uids))
