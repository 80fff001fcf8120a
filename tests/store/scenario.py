"""A mailbox that lives: deliveries, flags, expunges, messages copied and moved, folders that come,
go, move and start anew.

Its store is refreshed at random moments: all of it or some folders, with these headers or those,
undisturbed, or while things happen between the listing and the fetch, or broken off halfway. After
each refresh that ran undisturbed the store is what a full fetch gives, and what `changes` tells is
what makes the one full fetch of the other.

`python -m tests.store.scenario --steps 300 --seed 1 --server plain` plays one by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import imaplib
import random
import shutil
import tempfile
from datetime import UTC, datetime

import pandas as pd
import pytest

import mailframe as mf
from mailframe.fetcher.pool import Pool
from mailframe.store.filecolumns import FLAG_COLUMNS
from tests.servers.dovecot import Dovecot, Message
from tests.servers.relay import Relay

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
_CHANGES = ["new", "gone", "flags"]
_SYSTEM = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft"]
_HEADERS = [
    (),
    (),
    (),
    ("X-Mailer",),
    ("X-Mailer:all",),
    ("Received:all", "X-Mailer"),
    ("Received", "X-Other:asAddresses"),
]
# Names that are one where case or form does not count, or that hold what has a meaning elsewhere.
_NAMES = ["inbox 2", "INBOX 2", "[Gmail]/Sent", "a/b/c", "n" * 150, "Caf&AOk-", "Cafe&AwE-"]
_NAMES += ["a..b", ".x", " y ", "star*", "per%cent", 'quo"te', "back\\slash", "{5}", "NIL"]
# So small that a few messages are several commands, batches, parts and row groups.
SMALL = {
    "mailframe.gathering.rows.BATCH_ROWS": 9,
    "mailframe.refresh.saving._STAGED_ROWS": 4,
    "mailframe.refresh.task._FLAG_SPAN": 6,
    "mailframe.refresh.task.AHEAD": 5,
    "mailframe.refresh.task.SPAN": 5,
    "mailframe.fetcher.schedule.SPAN": 5,
    "mailframe.fetcher.schedule.WHOLE": 8,
    "mailframe.store.parquet.ROW_GROUP": 7,
    "mailframe.store.writer.FEW": 2,
    "mailframe.store.writer.SMALL_ROWS": 8,
    "mailframe.store.together.PACK_ROWS": 20,
    "mailframe.refresh.saving.PACK_ROWS": 12,
}


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


def quoted(name):
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Mailbox:
    """A user's folders on a Dovecot, changed by another client than ours."""

    def __init__(self, dovecot, draw):
        self.dovecot = dovecot
        self.draw = draw
        self.numbers = iter(range(1, 10**6))
        ordinary = (f"Folder {number}" for number in range(10**6))
        self.names = (name for pair in zip(ordinary, _NAMES * 10**4, strict=False) for name in pair)
        self.folders = {"INBOX"}
        for _ in range(3):
            self.create()
        for folder in sorted(self.folders):
            self.deliver(folder, self.draw.randrange(1, 20))

    @contextlib.contextmanager
    def client(self, folder=None):
        with imaplib.IMAP4("127.0.0.1", self.dovecot.port) as client:
            client.login(USER, "secret")
            if folder:
                client.select(quoted(folder))
            yield client

    def any(self, *, inbox=True):
        return self.draw.choice(sorted(self.folders - (set() if inbox else {"INBOX"})) or ["INBOX"])

    def uids(self, client, share):
        _, (found,) = client.uid("SEARCH", "ALL")
        return [uid.decode() for uid in found.split() if self.draw.random() < share]

    def deliver(self, folder=None, count=None):
        count = count or self.draw.choice([1, 2, 3, 40])
        raws = [mail(next(self.numbers), self.draw) for _ in range(count)]
        flags = [self.draw.sample(_SYSTEM + _KEYWORDS, self.draw.randrange(3)) for _ in raws]
        messages = [Message(raw, tuple(given)) for raw, given in zip(raws, flags, strict=True)]
        self.dovecot.deliver(USER, folder or self.any(), messages)

    def append(self):
        with self.client() as client:
            client.append(quoted(self.any()), None, None, mail(next(self.numbers), self.draw))

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

    def replace(self):
        """Expunge the newest messages and append as many: as many as before, in one instant."""
        folder = self.any()
        with self.client(folder) as client:
            uids = self.uids(client, 1)[-2:]
            client.uid("STORE", ",".join(uids) or "1", "+FLAGS", r"(\Deleted)")
            client.expunge()
            for _ in uids:
                client.append(quoted(folder), None, None, mail(next(self.numbers), self.draw))

    def pass_through(self):
        """Append a message and expunge it: nothing has changed but UIDNEXT."""
        folder = self.any()
        with self.client() as client:
            client.append(quoted(folder), r"(\Deleted)", None, mail(0, self.draw))
            client.select(quoted(folder))
            client.expunge()

    def file(self):
        """Copy or move messages into another folder, or the same."""
        with self.client(self.any()) as client:
            if uids := self.uids(client, 0.2):
                verb = self.draw.choice(["COPY", "MOVE"])
                client.uid(verb, ",".join(uids), quoted(self.any()))

    def create(self):
        folder = self.fresh()
        with self.client() as client:
            client.create(quoted(folder))
        self.folders.add(folder)

    def fresh(self):
        return next(name for name in self.names if name not in self.folders)

    def nest(self):
        """Give a folder a child and delete it: it stays as a name that cannot be opened."""
        folder = self.any(inbox=False)
        if folder != "INBOX":
            with self.client() as client:
                client.create(quoted(f"{folder}/child"))
            self.folders.add(f"{folder}/child")
            self.delete(folder)

    def rename(self):
        folder = self.any(inbox=False)
        if folder != "INBOX":
            name = self.fresh()
            with self.client() as client:
                if client.rename(quoted(folder), quoted(name))[0] != "OK":
                    return  # what is left of a folder with children is in the way
            moved = {known for known in self.folders if f"{known}/".startswith(f"{folder}/")}
            self.folders -= moved
            self.folders |= {name + known.removeprefix(folder) for known in moved}

    def delete(self, folder=None):
        folder = folder or self.any(inbox=False)
        if folder != "INBOX" and len(self.folders) > 2:
            with self.client() as client:
                client.delete(quoted(folder))
            self.folders.discard(folder)

    def recreate(self):
        """Delete a folder and make another of its name: a new UIDVALIDITY."""
        folder = self.any(inbox=False)
        if folder != "INBOX":
            with self.client() as client:
                client.delete(quoted(folder))
                client.create(quoted(folder))
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
            self.replace: 1,
            self.pass_through: 1,
            self.file: 2,
            self.create: 1,
            self.rename: 1,
            self.delete: 1,
            self.recreate: 1,
            self.reset: 1,
            self.nest: 0.5,
        }
        act = self.draw.choices(list(weights), weights.values())[0]
        act()
        return act.__name__


def marks(df):
    """Return the flags of each message, by folder and UID."""
    columns = (df[name] for name in ("folder", "uid", *FLAG_COLUMNS[:-1]))
    rows = zip(*columns, map(tuple, df["keywords"]), strict=True)
    return {(folder, uid): told for folder, uid, *told in rows}


class Refreshes:
    """The ways in which a store is refreshed, each compared with a full fetch as far as may be."""

    def __init__(self, relay, ports, store, mailbox):
        self.relay = relay
        self.ports = ports
        self.url = mailbox.dovecot.url(USER).replace(f":{mailbox.dovecot.port}", f":{relay.port}")
        self.store = store
        self.mailbox = mailbox
        self.draw = mailbox.draw
        self.before = None

    def read(self, **options):
        self.relay.aim(self.draw.choice(self.ports))
        return mf.read_imap(self.url, progress=False, errors="ignore", **options)

    def refresh(self):
        weights = {
            self.everything: 10,
            self.some_folders: 2,
            self.without_flags: 1,
            self.disturbed: 3,
            self.broken_off: 3,
        }
        act = self.draw.choices(list(weights), weights.values())[0]
        sizes = SMALL if self.draw.random() < 0.5 else {}
        with pytest.MonkeyPatch.context() as patch:
            for name, size in sizes.items():
                patch.setattr(name, size)
            told = act(patch, self.draw.choice(_HEADERS))
        return f"{act.__name__}{' in small pieces' if sizes else ''}: {told}"

    def everything(self, _, headers):
        kept = self.read(store=self.store, headers=headers)
        full = self.read(headers=headers)
        assert kept.attrs["mailframe"]["problems"] == []
        pd.testing.assert_frame_equal(kept, full)
        stored = mf.open_store(self.store).frame(columns=list(full.columns))
        pd.testing.assert_frame_equal(stored, full)
        self.compare_with_changes(full)
        return kept.attrs["mailframe"]["store"]

    def compare_with_changes(self, full):
        """Make today's messages and flags of those before, by what `changes` tells since then."""
        store = mf.open_store(self.store)
        folders = store.folders()
        valid, now = dict(zip(folders["folder"], folders["uidvalidity"], strict=True)), marks(full)
        if self.before:
            moment, valid_then, then = self.before
            changes = store.changes(moment)
            new, gone, flagged = (
                marks(changes[changes["change"] == kind]).keys() for kind in _CHANGES
            )
            same = {name for name, _ in valid.items() & valid_then.items()}
            then = {key: told for key, told in then.items() if key[0] in same}
            assert (then.keys() - gone) | new == now.keys()
            assert {key for key in then.keys() - gone - new if then[key] != now[key]} <= flagged
        self.before = datetime.now(UTC), valid, now

    def some_folders(self, _, headers):
        known = mf.list_folders(self.url)
        names = sorted(known[known["selectable"]]["folder"])
        chosen = self.draw.sample(names, self.draw.randint(1, len(names)))
        kept = self.read(store=self.store, headers=headers, folders=chosen)
        pd.testing.assert_frame_equal(kept, self.read(headers=headers, folders=chosen))
        return kept.attrs["mailframe"]["store"]

    def without_flags(self, _, headers):
        kept = self.read(
            store=self.store, headers=headers, flags=self.draw.choice(["skip", "counts"])
        )
        full = self.read(headers=headers)
        rest = [name for name in full.columns if name not in FLAG_COLUMNS]
        pd.testing.assert_frame_equal(kept[rest], full[rest])
        return kept.attrs["mailframe"]["store"]

    def disturbed(self, patch, headers):
        """Let things happen between the listing and the fetch; the next refresh mends it."""
        folders, happened = Pool.folders, []

        async def listed(pool, *how):
            found = await folders(pool, *how)
            happened.extend(self.mailbox.step() for _ in range(self.draw.randint(1, 4)))
            return found

        patch.setattr(Pool, "folders", listed)
        self.read(store=self.store, headers=headers)
        return happened

    def broken_off(self, patch, headers):
        """Cancel the refresh after some parts of it; what it has saved is right."""
        fetch, parts = Pool.fetch, self.draw.randint(1, 12)

        async def fetched(pool, *arguments):
            async with contextlib.aclosing(fetch(pool, *arguments)) as found:
                left = parts
                async for part in found:
                    yield part
                    left -= 1
                    if not left:
                        asyncio.current_task().cancel()

        patch.setattr(Pool, "fetch", fetched)
        try:
            self.read(store=self.store, headers=headers, connections=self.draw.choice([1, 3]))
        except asyncio.CancelledError:
            mf.open_store(self.store).frame(columns=["uid", "seen"])
            return f"after {parts} parts"
        return "not, as it had ended"


def play(dovecots, store, *, seed, steps, tell=lambda _: None):
    """Let things happen; after each refresh the store is what a full fetch says."""
    draw = random.Random(seed)
    mailbox = Mailbox(dovecots[0], draw)
    happened, count = [], 0
    with Relay(dovecots[0].port) as relay:
        ports = [dovecot.port for dovecot in dovecots]
        refreshes = Refreshes(relay, ports, store, mailbox)
        for number in range(steps):
            happened.append(mailbox.step())
            if draw.random() < 0.5:
                try:
                    happened.append(refreshes.refresh())
                except Exception as error:
                    error.add_note(f"seed {seed}, step {number}, after {happened[-12:]}")
                    raise
                tell(f"{number}: {happened[-1]}")
                count += 1
        refreshes.everything(None, ())
    return count + 1


@contextlib.contextmanager
def servers(kind):
    """Give a Dovecot of one kind; or, mixed, one of each over the same mail, for one address."""
    with contextlib.ExitStack() as stack:
        if kind != "mixed":
            yield [stack.enter_context(Dovecot(config=SERVERS[kind]))]
            return
        first = stack.enter_context(Dovecot())
        rest = [Dovecot(first.home, config=config) for config in SERVERS.values() if config]
        yield [first, *(stack.enter_context(dovecot) for dovecot in rest)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=[*SERVERS, "mixed"], default="qresync")
    chosen = parser.parse_args()
    store = tempfile.mkdtemp()
    with servers(chosen.server) as dovecots:
        count = play(dovecots, store, seed=chosen.seed, steps=chosen.steps, tell=print)
    shutil.rmtree(store)
    print(f"{count} refreshes, as far as they could each equal to a full fetch")


if __name__ == "__main__":
    main()
