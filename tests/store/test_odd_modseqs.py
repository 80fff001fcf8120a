"""Servers whose mod-sequences, or whose words about them, are not what RFC 7162 says."""

from __future__ import annotations

import re

import pytest

import mailframe as mf
from tests.servers.mailbox import fetch_items, folder, in_set, letter
from tests.servers.scripted import PASSWORD, Command, Scripted, Session

CAPABILITIES = "IMAP4rev1 ENABLE CONDSTORE QRESYNC"


class Changing:
    """An INBOX that changes, and says so in one odd way; without any, as RFC 7162 has it."""

    def __init__(self, oddity: str) -> None:
        self.oddity = oddity
        self.modseq = 10
        self.changed: dict[int, int] = {}
        self.gone: dict[int, int] = {}
        self.inbox = folder("INBOX", range(1, 7))
        self.leaves: int | None = None  # who is expunged between EXAMINE and FETCH

    async def __call__(self, session: Session, command: Command) -> bool:
        answer = getattr(self, command.name.lower().replace(" ", "_"), None)
        if answer is None:
            return False
        await session.send(*answer(session, command))
        return True

    @property
    def told(self) -> int:
        return {"modseq 0": 0, "stands still": 10}.get(self.oddity, self.modseq)

    def change(self, *, flag: int, expunge: int | None = None, deliver: int | None = None) -> None:
        self.modseq += 1
        if deliver:
            self.inbox.messages.append(letter("INBOX", deliver))
            self.changed[deliver] = self.modseq
        for message in self.inbox.messages:
            if message.uid == flag:
                message.flags = r"\Seen \Flagged"
                self.changed[flag] = self.modseq
        if expunge and self.oddity == "leaves behind EXAMINE":
            self.leaves = expunge
        elif expunge:
            self.expunge(expunge)

    def expunge(self, uid: int) -> None:
        self.inbox.messages[:] = [m for m in self.inbox.messages if m.uid != uid]
        self.modseq += 1
        self.gone[uid] = self.modseq

    def status(self, _, command):
        text = self.inbox.status(["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"])
        return [text.replace(b")", b" HIGHESTMODSEQ %d)" % self.told), command.done()]

    def enable(self, _, command):
        names = b"" if self.oddity == "ENABLED says nothing" else b" QRESYNC CONDSTORE"
        return [b"* ENABLED%b\r\n" % names, command.done()]

    def examine(self, session, command):
        answer = session.on_examine(command)
        if self.leaves:
            self.expunge(self.leaves)
            answer.append(b"* VANISHED %d\r\n" % self.leaves)
            self.leaves = None
        return answer

    def uid_fetch(self, _, command):
        refused = {"VANISHED refused": "VANISHED", "changes refused": "CHANGEDSINCE"}
        if refused.get(self.oddity, "?") in command.text:
            return [command.done("BAD", "Invalid FETCH modifier")]
        since = re.search(r"CHANGEDSINCE (\d+)", command.text)
        after = int(since[1]) if since else -1
        uids, _, wanted = command.text.partition(" ")
        items = fetch_items(wanted.partition(" (CHANGEDSINCE")[0])
        rows = [
            message.row(number, items)
            for number, message in enumerate(self.inbox.messages, 1)
            if in_set(message.uid, uids, self.inbox.messages[-1].uid)
            and (after < 0 or self.changed.get(message.uid, 1) > after)
        ]
        lost = ",".join(str(uid) for uid, at in self.gone.items() if at > after)
        vanished = [f"* VANISHED (EARLIER) {lost}\r\n".encode()] if lost else []
        if self.oddity == "VANISHED is malformed":
            vanished = [b"* VANISHED (EARLIER) \r\n", b"* VANISHED (EARLIER) :,\r\n"]
        return [*(vanished if "VANISHED" in wanted else ()), *rows, command.done()]


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize(
    "oddity",
    [
        "none",
        "VANISHED refused",  # Cyrus Murder: by its proxies, although QRESYNC was enabled
        "changes refused",
        "ENABLED says nothing",  # iCloud
        "VANISHED is malformed",  # iCloud
        "leaves behind EXAMINE",
        "modseq 0",  # purelymail
        "stands still",  # WorkMail: while messages come and flags change
    ],
)
def test_a_refresh_ends_with_what_is_there(tmp_path, oddity, connections):
    server = Changing(oddity)
    changes = [
        {"flag": 2, "expunge": 5, "deliver": 7},
        {"flag": 3},
        {"flag": 4, "expunge": 1},
        {"flag": 6},
    ]
    with Scripted(server, folders=[server.inbox], capabilities=CAPABILITIES) as scripted:

        def read():
            options = {"store": tmp_path, "connections": connections, "progress": False}
            return mf.read_imap(scripted.url, password=PASSWORD, errors="ignore", **options)

        for change in [None, *changes]:
            if change:
                server.change(**change)
            df = read()
            there = [(m.uid, r"\Flagged" in m.flags) for m in server.inbox.messages]
            assert list(zip(df["uid"], df["flagged"], strict=True)) == there
            assert df.attrs["mailframe"]["problems"] == []
