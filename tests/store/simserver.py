"""One folder of an IMAP server, in memory: enough of RFC 9051 and RFC 7162 to judge a plan by."""

from __future__ import annotations

import dataclasses

import pyarrow as pa

from mailframe.frame.extras import parse_extras
from mailframe.frame.schema import SCHEMA
from mailframe.ground.uidset import UidSet
from mailframe.store.merge import Answers
from mailframe.store.plan import Fetch, Flags, Headers, ServerState, Uids
from tests.store.batches import batch, flags, message


@dataclasses.dataclass
class SimServer:
    """The folder; `condstore`, `qresync` and `tells_uidnext` say what the server can."""

    condstore: bool = True
    qresync: bool = True
    tells_uidnext: bool = True
    name: str = "imap.example.org"
    uidvalidity: int = 1
    uidnext: int = 1
    modseq: int = 1
    mail: dict = dataclasses.field(default_factory=dict)  # uid -> (seed, flags, modseq)
    expunged: list = dataclasses.field(default_factory=list)  # (modseq, uid)
    rows_sent: int = 0  # whole rows sent, to see what a refresh costs

    def deliver(self, count, draw):
        for _ in range(count):
            self.modseq += 1
            self.mail[self.uidnext] = [draw.randrange(10**6), flags(draw), self.modseq]
            self.uidnext += 1

    def flag(self, share, draw):
        for uid in self.mail:
            if draw.random() < share:
                self.modseq += 1
                self.mail[uid][1:] = [flags(draw), self.modseq]

    def expunge(self, share, draw):
        for uid in [uid for uid in self.mail if draw.random() < share]:
            del self.mail[uid]
            if self.qresync:  # CONDSTORE alone does not count an expunge
                self.modseq += 1
            self.expunged.append((self.modseq, uid))

    def reset(self, draw):
        """Give every message a new UID, as after a restored backup."""
        mail, self.mail, self.uidnext = list(self.mail.values()), {}, 1
        self.uidvalidity += 1
        self.modseq = 1
        self.expunged = []
        self.deliver(len(mail), draw)

    def forget_modseqs(self):
        """Lose the index, so that mod-sequences begin again."""
        self.modseq = 1
        for entry in self.mail.values():
            entry[2] = 1
        self.expunged = []

    def status(self):
        return ServerState(
            name=self.name,
            uidvalidity=self.uidvalidity,
            uidnext=self.uidnext if self.tells_uidnext else None,
            messages=len(self.mail),
            unseen=sum(not kept["seen"] for _, kept, _ in self.mail.values()),
            modseq=self.modseq if self.condstore else None,
            qresync=self.qresync and self.condstore,
        )

    def rows(self, uids, headers=()):
        """Return whole rows; a further header's value says whose it is."""
        self.rows_sent += len(uids)
        extras = parse_extras(headers)
        schema = pa.schema([*SCHEMA, *(pa.field(extra.column, extra.type) for extra in extras)])
        found = [
            message(uid, seed=self.mail[uid][0])
            | self.mail[uid][1]
            | {extra.column: _value(extra, uid) for extra in extras}
            for uid in uids
        ]
        return batch(found, schema=schema)

    def everything(self, headers=()):
        return pa.Table.from_batches([self.rows(sorted(self.mail), headers)])

    def answer(self, plan, between=lambda: None):
        """Carry out the plan's steps one by one; `between` runs before each."""
        found = {"rows": [], "flags": [], "headers": []}
        for step in plan.steps:
            between()
            match step:
                case Fetch(first):
                    # n:* names the last message even when it lies below n; a client drops it.
                    uids = [uid for uid in self.mail if uid >= first]
                    found["rows"].append(self.rows(uids, plan.headers))
                case Flags(below, since, vanished):
                    uids = [u for u, m in self.mail.items() if u < below and m[2] > since]
                    found["flags"].append(self.rows(uids))
                    self.rows_sent -= len(uids)
                    if vanished:
                        lost = [(u, u) for m, u in self.expunged if m > since and u < below]
                        # A server may name more than it must.
                        found["vanished"] = UidSet.of(*lost, (below + 5, below + 90))
                case Headers(names):
                    columns = [extra.column for extra in parse_extras(names)]
                    extra = self.rows(list(self.mail), names).select(["uid", *columns])
                    self.rows_sent -= len(self.mail)
                    found["headers"].append(extra)
                case Uids():
                    found["there"] = UidSet.from_uids(self.mail)
        return Answers(**found)


def _value(extra, uid):
    text = f"{extra.field} of {uid}"
    return [text, text] if extra.every else text


def disturb(server, draw):
    """Let one thing happen to the folder."""
    what = draw.randrange(10)
    if what < 3:
        server.deliver(draw.randrange(1, 6), draw)
    elif what < 5:
        server.flag(0.3, draw)
    elif what < 7:
        server.expunge(0.2, draw)
    elif what == 7 and draw.random() < 0.3:
        server.reset(draw)
