"""A mailbox that lives: deliveries, flags, expunges, folders that come, go, move and start anew.

`python -m tests.store.scenario --steps 300 --seed 1 --server plain` plays one by hand.
"""

from __future__ import annotations

import argparse
import contextlib
import imaplib
import random
import shutil
import tempfile

import pandas as pd

import mailframe as mf
from tests.servers.dovecot import Dovecot, Message

USER = "ann"
_REST = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ NAMESPACE UIDPLUS UNSELECT"
# What the server says it can; Dovecot can do more than the last two admit.
SERVERS = {
    "qresync": "",
    "condstore": f"imap_capability = {_REST} LIST-EXTENDED LIST-STATUS ESEARCH CONDSTORE",
    "plain": f"imap_capability = {_REST}",
}
_KEYWORDS = ["$Junk", "$Forwarded", "later", "Urgent"]
_SUBJECTS = ["hello", "=?utf-8?q?caf=C3=A9?=", "caf\xe9"]
_SYSTEM = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft"]
_HEADERS = [(), (), (), ("X-Mailer",), ("Received:all", "X-Mailer")]


def mail(number, draw):
    """Return a small message, now and then a malformed one."""
    lines = [
        f"From: Person {number % 9} <p{number % 9}@example.org>",
        "To: ann@example.org",
        f"Subject: {draw.choice(_SUBJECTS)} {number}",
        f"Message-ID: <{number}@example.org>",
        draw.choice(["Date: Mon, 1 Jan 2024 10:00:00 +0100", "Date: yesterday"]),
        draw.choice(["X-Mailer: Pine", "X-Mailer: =?broken?q?x", "X-Other: y"]),
        "Received: from a.example.org by b.example.org; Mon, 1 Jan 2024 10:00:01 +0100",
    ]
    return ("\r\n".join(lines) + "\r\n\r\nbody\r\n").encode("latin-1")


class Mailbox:
    """A user's folders on a Dovecot, changed by another client than ours."""

    def __init__(self, dovecot, draw):
        self.dovecot = dovecot
        self.draw = draw
        self.numbers = iter(range(1, 10**6))
        self.names = iter(f"Folder {number}" for number in range(10**6))
        self.folders = {"INBOX"}
        for _ in range(3):
            self.create()
        for folder in sorted(self.folders):
            self.deliver(folder, self.draw.randrange(20))

    @contextlib.contextmanager
    def client(self, folder=None):
        with imaplib.IMAP4("127.0.0.1", self.dovecot.port) as client:
            client.login(USER, "secret")
            if folder:
                client.select(f'"{folder}"')
            yield client

    def any(self, *, inbox=True):
        return self.draw.choice(sorted(self.folders - (set() if inbox else {"INBOX"})) or ["INBOX"])

    def uids(self, client, share):
        _, (found,) = client.uid("SEARCH", "ALL")
        return [uid.decode() for uid in found.split() if self.draw.random() < share]

    def deliver(self, folder=None, count=None):
        raws = [mail(next(self.numbers), self.draw) for _ in range(count or 2)]
        flags = [self.draw.sample(_SYSTEM + _KEYWORDS, self.draw.randrange(3)) for _ in raws]
        messages = [Message(raw, tuple(given)) for raw, given in zip(raws, flags, strict=True)]
        self.dovecot.deliver(USER, folder or self.any(), messages)

    def append(self):
        with self.client() as client:
            client.append(f'"{self.any()}"', None, None, mail(next(self.numbers), self.draw))

    def flag(self):
        with self.client(self.any()) as client:
            for uid in self.uids(client, 0.2):
                flag = self.draw.choice(_SYSTEM + _KEYWORDS)
                client.uid("STORE", uid, self.draw.choice(["+FLAGS", "-FLAGS"]), f"({flag})")

    def expunge(self):
        with self.client(self.any()) as client:
            if uids := self.uids(client, 0.15):
                client.uid("STORE", ",".join(uids), "+FLAGS", r"(\Deleted)")
                client.expunge()

    def create(self):
        folder = next(self.names)
        with self.client() as client:
            client.create(f'"{folder}"')
        self.folders.add(folder)

    def rename(self):
        folder = self.any(inbox=False)
        if folder != "INBOX":
            name = next(self.names)
            with self.client() as client:
                client.rename(f'"{folder}"', f'"{name}"')
            self.folders = self.folders - {folder} | {name}

    def delete(self):
        folder = self.any(inbox=False)
        if folder != "INBOX" and len(self.folders) > 2:
            with self.client() as client:
                client.delete(f'"{folder}"')
            self.folders.discard(folder)

    def recreate(self):
        """Delete a folder and make another of its name: a new UIDVALIDITY."""
        folder = self.any(inbox=False)
        if folder != "INBOX":
            with self.client() as client:
                client.delete(f'"{folder}"')
                client.create(f'"{folder}"')
            self.deliver(folder)

    def reset(self):
        """Lose the index of a folder: its messages get new UIDs and a new UIDVALIDITY."""
        path = self.dovecot.mail / USER / "mail" / self.any()
        for file in [*path.glob("dovecot.index*"), *path.glob("dovecot-uidlist*")]:
            file.unlink()

    def step(self):
        weights = {
            self.deliver: 5,
            self.append: 2,
            self.flag: 6,
            self.expunge: 4,
            self.create: 1,
            self.rename: 1,
            self.delete: 1,
            self.recreate: 1,
            self.reset: 1,
        }
        act = self.draw.choices(list(weights), weights.values())[0]
        act()
        return act.__name__


def play(dovecot, store, *, seed, steps, tell=lambda _: None):
    """Let things happen; after each refresh the store is what a full fetch says."""
    draw = random.Random(seed)
    mailbox = Mailbox(dovecot, draw)
    url = dovecot.url(USER)
    happened, refreshes = [], 0
    for number in range(steps):
        happened.append(mailbox.step())
        if draw.random() < 0.4 or number == steps - 1:
            headers = draw.choice(_HEADERS)
            kept = mf.read_imap(url, store=store, headers=headers, progress=False)
            full = mf.read_imap(url, headers=headers, progress=False)
            tell(f"{number}: {happened} {kept.attrs['mailframe']['store']}")
            assert kept.attrs["mailframe"]["problems"] == [], happened
            pd.testing.assert_frame_equal(kept, full, obj=f"after {happened}")
            stored = mf.open_store(store).frame(columns=list(full.columns))
            pd.testing.assert_frame_equal(stored, full)
            happened = []
            refreshes += 1
    return refreshes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=SERVERS, default="qresync")
    chosen = parser.parse_args()
    store = tempfile.mkdtemp()
    with Dovecot(config=SERVERS[chosen.server]) as dovecot:
        count = play(dovecot, store, seed=chosen.seed, steps=chosen.steps, tell=print)
    shutil.rmtree(store)
    print(f"{count} refreshes, each equal to a full fetch")


if __name__ == "__main__":
    main()
