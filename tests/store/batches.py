"""Seeded record batches in the form of the frame, without any mail behind them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from mailframe.frame.schema import SCHEMA

KEYWORDS = ["$Junk", "$Forwarded", "later", "urgent"]
_START = datetime(2024, 1, 1, tzinfo=UTC)


def message(uid, *, seed=0):
    """Return one row as a dictionary; the same UID and seed give the same row."""
    draw = random.Random(uid * 1_000_003 + seed)
    person = draw.randrange(40)
    date = _START + timedelta(seconds=uid * 977 + draw.randrange(600))
    odd = draw.random() < 0.05
    return {
        "uid": uid,
        "date": None if odd else date,
        "date_offset": None if odd else draw.choice([-300, 0, 60, 120]),
        "internaldate": date + timedelta(seconds=draw.randrange(90)),
        "from_name": f"Person {person}" if person % 3 else None,
        "from_addr": f"person{person}@example{person % 7}.org",
        "from_domain": f"example{person % 7}.org",
        "to": ["ann@example.org", *(["bob@example.net"] if odd else [])],
        "cc": [],
        "subject": f"Re: matter {draw.randrange(900)}",
        "message_id": f"{draw.getrandbits(96):024x}@example{person % 7}.org",
        "in_reply_to": None,
        "references": [f"{draw.getrandbits(64):x}@example.org" for _ in range(draw.randrange(3))],
        "list_id": "dev.lists.example.org" if person % 5 == 0 else None,
        "bulk": person % 5 == 0,
        "auto": person % 11 == 0,
        "size": draw.randrange(700, 90_000),
        "defects": int(odd),
    } | flags(draw)


def flags(draw):
    """Return a draw of the flag columns."""
    named = {
        name: draw.random() < 0.3 for name in ("seen", "answered", "flagged", "draft", "deleted")
    }
    return named | {"keywords": sorted(draw.sample(KEYWORDS, draw.randrange(3)))}


def batch(rows, *, account="ann@example.org", folder="INBOX", schema=SCHEMA):
    """Return dictionaries of column values as a record batch of the frame's schema."""
    rows = [{"account": account, "folder": folder} | row for row in rows]
    return pa.RecordBatch.from_arrays(
        [pa.array([row[field.name] for row in rows], field.type) for field in schema], schema=schema
    )
