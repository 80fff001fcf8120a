"""A store in which hardly a message is as most are: two accounts, a pack, further headers."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import mailframe as mf
from mailframe.frame.schema import SCHEMA
from mailframe.store.filecolumns import canonical, stored_schema
from mailframe.store.merge import Answers
from mailframe.store.writer import FEW, writing
from tests.store.batches import batch, message
from tests.store.stage import refresh

HEADERS = ("List-Unsubscribe", "X-Mailer")
LINKS = [
    [],
    ["mailto:leave@example.org", "https://example.org/leave"],
    ["HTTP://a.example/1", "https://b.example/2"],
    ["tel:1"],
    ["mailto:off@example.org"],
]


def odd(uid, draw):
    """Give a message as no test of the ordinary has it: other cases, and dates that cannot be."""
    row = message(uid, seed=draw.randrange(9))
    arrived = row["internaldate"] - timedelta(minutes=draw.randrange(400_000))
    choice = {
        "from_addr": [row["from_addr"], row["from_addr"].upper(), "\u00c4@\u00d6.example", None],
        "from_name": [row["from_name"], "Somebody", "Else", None],
        "from_domain": [row["from_domain"], "Mail.Example0.co.uk", "example0.co.uk", None],
        "list_id": [row["list_id"], "DEV.lists.example.org", None],
        "date": [
            arrived - timedelta(seconds=draw.randrange(9_000)),
            datetime(2024, 3, 31, 0, 59, 59, 999_999, UTC),  # Berlin's clocks go on a moment later
            datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
            None,
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(9000, 1, 1, tzinfo=UTC),
        ],
        "date_offset": [None, -300, 7, 345],
        "internaldate": [arrived, arrived, datetime(1980, 1, 1, tzinfo=UTC), None],
        "message_id": [row["message_id"], "one@example.org", "two@example.org", None],
        "to": [row["to"], [], ["Bob@Example.NET", "nobody", "x@", "bob@example.net"]],
        "cc": [[], ["cy@example.org", "cy@example.org"]],
        "size": [row["size"], row["size"], 5_000, None],
        "defects": [0, 0, 255],
    }
    row |= {name: draw.choice(values) for name, values in choice.items()}
    extra = {"list_unsubscribe": LINKS, "x_mailer": ["Mutt", "mutt", "Pine", None]}
    mended = {name + "_mended": [True, False, None] for name in extra}
    return row | {name: draw.choice(values) for name, values in (extra | mended).items()}


def varied_store(path):
    """Write it; a third of the messages are copies of others, in other folders and accounts."""
    draw = random.Random(7)
    known = []
    for account, folders in (("ann@example.org", FEW + 3), ("bob@example.org", 4)):
        with writing(path, account) as writer:
            writer.expect(folders)
            for number in range(folders):
                name = ("INBOX", "Sent", "Inbox", "Drafts")[number] if number < 4 else f"F{number}"
                rows = [odd(uid, draw) for uid in range(1, 30)]
                for row in rows[::3]:
                    if known:
                        copy = draw.choice(known)
                        same = ("message_id", "date", "subject", "from_name", "from_domain")
                        row |= {key: copy[key] for key in same}
                        row["from_addr"] = copy["from_addr"] and copy["from_addr"].swapcase()
                known += rows
                headers = HEADERS if number % 2 else ()
                schema = SCHEMA
                for field in stored_schema(canonical(headers)):
                    if field.name not in schema.names and field.name[-3:] != "_at":
                        schema = schema.append(field)
                made = batch(rows, folder=name, account=account, schema=schema)
                refresh(writer, name, Answers(rows=[made]), headers=headers)
    return mf.open_store(path)
