"""The invariant of the protocol machine, written once, for hypothesis and for atheris.

However a server's octets are cut into chunks, the connection ends in the same state, having told
the same results and the same rows; only the two errors that blame the server may escape; and what
is held never exceeds the limits.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING

from mailframe.errors import ConnectionLost, ProtocolError
from mailframe.ground.uidset import UidSet
from mailframe.imap import commands
from mailframe.imap.connection import Connection
from mailframe.imap.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailframe.imap.connection import Pending

TIGHT = Limits(
    line=4_000,
    literal=3_000,
    response=6_000,
    literals=20,
    kept=9_000,
    unsolicited=40,
    junk=30,
    folders=20,
)
FIELDS = ("DATE", "FROM", "SUBJECT")


@dataclass
class Outcome:
    """Everything that a user of the connection could see."""

    results: list[object] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    told: list[object] = field(default_factory=list)
    error: str = ""


def opened() -> tuple[Connection, list[Pending]]:
    """A connection that waits for its greeting, with a typical burst of commands behind it."""
    connection = Connection(TIGHT)
    sent = [
        connection.send(command)
        for command in (
            commands.capability(),
            commands.list_mailboxes(status=("MESSAGES", "UIDNEXT")),
            commands.examine(b"INBOX"),
            commands.uid_fetch(UidSet.of((1, 40)), commands.header_items(FIELDS)),
            commands.uid_search([b"ALL"], esearch=True),
            commands.uid_fetch(UidSet.of((3, 5), (9, 9)), commands.header_items(FIELDS)),
        )
    ]
    return connection, sent


def converse(chunks: Iterable[bytes]) -> Outcome:
    """Let a server say ``chunks``, one after the other."""
    connection, sent = opened()
    outcome = Outcome()
    try:
        for chunk in chunks:
            connection.receive_data(chunk)
            connection.data_to_send()
    except (ProtocolError, ConnectionLost) as blame:
        outcome.error = f"{type(blame).__name__}: {blame}"
        assert len(outcome.error) < 500
    held = connection._framer.pending
    assert outcome.error or held <= TIGHT.response + TIGHT.line, f"{held} octets held"
    for pending in sent:
        outcome.results.append(pending.result)
        outcome.told += [pending.responses, pending.mailbox, pending.malformed, pending.void]
        *told, beside = astuple(pending.rows)
        assert not beside  # nobody asked for it
        outcome.rows += zip(*told, strict=True)
        for uid in pending.rows.uid:
            assert uid in pending.command.uids, "a row that nobody asked for"
        assert len(set(pending.rows.uid)) == len(pending.rows), "a row told twice"
    outcome.told += [connection.capabilities, connection.bye, connection.junk]
    return outcome


def check(data: bytes, cuts: Iterable[int] = ()) -> Outcome:
    """Whole, octet by octet, and cut at ``cuts``: the outcome is one and the same."""
    whole = converse([data])
    assert converse(bytes([octet]) for octet in data) == whole
    ends = sorted({cut for cut in cuts if 0 < cut < len(data)})
    pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    assert converse(pieces) == whole
    return whole
