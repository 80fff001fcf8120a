"""Mailboxes told in a few words, for claims that a person can check."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from mailframe.frame.adapter import to_frame
from mailframe.frame.schema import SCHEMA
from tests.frame.batches import batch

ME = "me@example.org"
MONDAY = pd.Timestamp("2024-06-03 10:00", tz="UTC")


def at(minutes):
    """Give an instant so many minutes after Monday, 3 June 2024, 10 h UTC."""
    return MONDAY + pd.Timedelta(minutes=minutes)


def mail(name, sender, to, minutes=0, *, under=None, subject="Plan", folder=None, **more):
    """Make a row: its id, from whom (``me`` is I), to whom, when, and under which other."""
    when = None if minutes is None else at(minutes)
    address = person(sender)
    return {
        "folder": folder or ("Sent" if sender == "me" else "INBOX"),
        "account": ME,
        "date": when,
        "internaldate": when,
        "from_addr": address,
        "from_domain": address.rpartition("@")[2],
        "to": [person(each) for each in to.split()],
        "subject": subject,
        "message_id": f"{name}@id" if name else None,
        "in_reply_to": f"{under}@id" if under else None,
        "references": [f"{under}@id"] if under else [],
        "size": 1000,
        **more,
    }


def person(name):
    """Give an address: ``bob`` is bob@example.net."""
    return ME if name == "me" else name if "@" in name else f"{name}@example.net"


def frame(*rows, extra=()):
    """Make the frame of some rows, in this order; ``extra`` are further fields."""
    schema = pa.schema([*SCHEMA, *extra])
    numbered = [{"uid": number, **row} for number, row in enumerate(rows, 1)]
    df = to_frame([batch(*numbered, schema=schema)], schema, report={})
    order = {(row["folder"], row["uid"]): place for place, row in enumerate(numbered)}
    places = [order[key] for key in zip(df["folder"], df["uid"], strict=True)]
    return df.assign(place=places).sort_values("place", ignore_index=True).drop(columns="place")
