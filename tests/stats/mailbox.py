"""Sixteen messages that a person can check, and the frame they make.

Ann (``ann@example.org``, once ``Ann@Example.ORG``) works from Monday to Friday, 9 to 17 h UTC.
3 June 2024 was a Monday.
"""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa

from mailframe.frame.adapter import to_frame
from mailframe.frame.schema import SCHEMA

# no  folder   uid date (UTC)       from             to        cc   size flags id  parent  subject
TABLE = """
 0  Archive    1  2024-06-03 08:00  bob@example.net  ann       -     100 SA   b1  -      Plan
 1  Archive    2  2024-06-04 10:00  bob@example.net  ann       cara  200 S    b2  a1     Re: Plan
 2  INBOX      1  2024-06-07 16:00  cara@example.com ann       -     300 SA   c1  -      Invoice
 3  INBOX      2  2024-06-10 09:30  cara@example.com ann       -     400 -    c2  -      Lunch?
 4  INBOX      3  2024-06-11 12:00  Cara@Example.com ann,bob   -     500 -    c3  a3     Re: Trip
 5  INBOX      4  -                 dan@example.net  ann       -      50 S    d1  -      Undated
 6  INBOX      5  2024-06-12 23:30  bot@ci.example   dev       -    1000 -    n1  -      [dev] Build
 7  INBOX      6  2024-06-13 00:30  bot@ci.example   dev       -    2000 S    n2  n1     Re: Build
 8  INBOX      7  2024-07-01 09:00  eve@example.net  ann       -     600 S    e1  gone   Re: Old
 9  INBOX      8  2024-07-02 09:00  eve@example.net  ann       -     700 S    e2  gone   Re: Old
10  Lists/dev  1  2024-06-12 23:30  bot@ci.example   dev       -    1000 -    n1  -      [dev] Build
11  Sent       1  2024-06-03 09:00  ann@example.org  bob       -     150 S    a1  b1     Re: Plan
12  Sent       2  2024-06-05 11:00  Ann@Example.ORG  bob       cara  150 S    a2  b2     Re: Plan
13  Sent       3  2024-06-10 10:00  ann@example.org  cara      -     250 S    a3  -      Trip
14  Sent       4  2024-06-10 11:00  ann@example.org  cara      -     350 S    a4  c1     Re: Invoice
15  Sent       5  2024-06-14 12:00  ann@example.org  dan,bob   -     450 S    a5  -      Question
"""
ADDRESSES = {
    "ann": "ann@example.org",
    "bob": "bob@example.net",
    "cara": "cara@example.com",
    "dan": "dan@example.net",
    "dev": "dev@lists.example",
    "-": None,
}
NAMES = {"bob": "Bob", "cara": "Cara", "ann": "Ann", "dan": "Dan", "bot": "CI", "eve": "Eve"}
ANN = "ann@example.org"
# 8 and 9 both answer a message that is not here; 10 is a copy of 6 in the folder of its list.


def hand_mailbox():
    """Make the frame of the table, as a reader would."""
    rows = [_row(line) for line in TABLE.strip().splitlines()]
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    return to_frame([batch], SCHEMA, report={"folders": 4})


def _row(line):
    _, folder, uid, rest = re.split(r"\s+", line.strip(), maxsplit=3)
    date, rest = (None, rest[1:]) if rest[0] == "-" else (rest[:16], rest[16:])
    sender, to, cc, size, flags, name, parent, subject = rest.split(maxsplit=7)
    moment = None if date is None else pd.Timestamp(date, tz="UTC")
    is_list = to == "dev"
    return {
        "account": ANN,
        "folder": folder,
        "uid": int(uid),
        "date": moment,
        "date_offset": 120,
        "internaldate": moment,
        "from_name": NAMES[sender.split("@")[0].lower()],
        "from_addr": sender,
        "from_domain": sender.split("@")[1].lower(),
        "to": _addresses(to),
        "cc": _addresses(cc),
        "subject": subject,
        "message_id": f"{name}@id",
        "in_reply_to": None if parent == "-" else f"{parent}@id",
        "references": [] if parent == "-" else [f"{parent}@id"],
        "list_id": "dev.lists.example" if is_list else None,
        "bulk": is_list,
        "auto": False,
        "size": int(size),
        "seen": "S" in flags,
        "answered": "A" in flags,
        "flagged": False,
        "draft": False,
        "deleted": False,
        "keywords": [],
        "defects": 0,
    }


def _addresses(names):
    return [ADDRESSES[name] for name in names.split(",") if ADDRESSES[name]]
