"""When mail in files arrived, where nothing but the mail tells.

A From line and the time of a Maildir's file are what servers keep INTERNALDATE in. Where there is
neither, the newest Received field says when the last server took the message (RFC 5321 section
4.4), if that header is read.
"""

from __future__ import annotations

import time

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import INSTANT
from mailframe.headers import dates

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def by_received(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with the arrivals that Received tells, where they are not known otherwise."""
    at = batch.schema.get_field_index("internaldate")
    if "received" not in batch.schema.names or not batch.column(at).null_count:
        return batch
    newest = _newest(batch["received"])
    arrived = pc.coalesce(batch.column(at), newest)
    return batch.set_column(at, batch.schema.field(at), arrived)


def _newest(received: pa.Array) -> pa.Array:
    """Read the date of the topmost field of each message; null where there is none."""
    values = received.to_pylist()
    tops = [each[0] if isinstance(each, list) and each else each or None for each in values]
    seconds = [None if top is None else _seconds(top) for top in tops]
    return pa.array([None if s is None else s * 1_000_000 for s in seconds], pa.int64()).view(
        INSTANT
    )


def _seconds(field: str) -> int | None:
    _, semicolon, date = field.rpartition(";")
    when = dates.parse(date.strip().encode()) if semicolon else dates.UNREADABLE
    return when.seconds if when.seconds is not None else dates.trailing(field).seconds


def internaldate(seconds: float) -> bytes:
    """Write seconds since 1970 as IMAP writes an INTERNALDATE; empty where they are none."""
    try:
        when = time.gmtime(seconds)
    except (OverflowError, ValueError, OSError):
        return b""
    month = _MONTHS[when.tm_mon - 1]
    clock = (when.tm_hour, when.tm_min, when.tm_sec)
    return b"%02d-%s-%04d %02d:%02d:%02d +0000" % (when.tm_mday, month, when.tm_year, *clock)
