"""Chaos: a real Dovecot behind a relay that cuts, stalls, splits and delays at random, seeded.

Every fetch must end in the very frame that an undisturbed one gives. ``python -m
tests.hostile.chaos 500`` runs that many, and the same number with another client at work, and names
the seed of whatever differs; ``tests/hostile/test_chaos.py`` runs fifty.
"""

from __future__ import annotations

import asyncio
import imaplib
import random
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

import mailframe as mf
from tests.servers.dovecot import Dovecot, Message
from tests.servers.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = {"INBOX": 600, "Archive": 250, "Lists/pandas": 100, "Sent": 50}
START = datetime(2024, 1, 1, tzinfo=UTC)
FETCHES_A_RELAY = 5


def messages(folder: str, count: int) -> Iterator[Message]:
    """Plain messages of 300 to 2,000 octets of header, told by the folder and a number."""
    for number in range(1, count + 1):
        long = ", ".join(f"reader{n}@example.org" for n in range(number % 60))
        raw = (
            f"From: Ann {number} <ann{number % 17}@example.org>\r\n"
            f"To: Bob <bob@example.org>\r\nCc: {long}\r\n"
            f"Subject: =?utf-8?q?{folder}_=C3=BC_{number}?=\r\n"
            f"Date: {START + timedelta(hours=number):%a, %d %b %Y %H:%M:%S +0000}\r\n"
            f"Message-ID: <{number}@{folder.replace('/', '.')}.example.org>\r\n\r\nhello\r\n"
        )
        flags = ("\\Seen",) if number % 3 else ()
        yield Message(raw.encode(), flags, START + timedelta(hours=number))


def deliver_mailbox(dovecot: Dovecot, user: str) -> None:
    for folder, count in FOLDERS.items():
        dovecot.deliver(user, folder, messages(folder, count))


def trouble(seed: int) -> dict[str, float]:
    """What the relay does for this seed."""
    dice = random.Random(seed)
    link: dict[str, float] = {"seed": seed, "jitter": True}
    if dice.random() < 0.7:
        link["cut_after"] = dice.choice([3_000, 20_000, 60_000, 150_000])
        link["faulty"] = dice.choice([3, 8, 20])
    if dice.random() < 0.4:
        link |= {"stall_after": dice.choice([500, 40_000]), "stall": dice.uniform(0.05, 0.4)}
    if dice.random() < 0.3:
        link["split"] = dice.choice([7, 300, 4_000])
    if dice.random() < 0.3:
        link["delay"] = dice.uniform(0.001, 0.01)
    return link


def fetch(port: int, user: str) -> pd.DataFrame:
    """One fetch, bounded in time; the account is named alike whatever the port."""
    url = f"imap://{user}:secret@127.0.0.1:{port}"

    async def bounded() -> pd.DataFrame:
        async with asyncio.timeout(60):
            frame = await mf.aread_imap(url, errors="raise", progress=False)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "tasks left behind"
        return frame

    return asyncio.run(bounded())


def fetches(dovecot: Dovecot, user: str, seeds: range) -> Iterator[tuple[int, pd.DataFrame]]:
    """A frame for each seed; a few fetches share a relay, their connections' faults differ."""
    for first in seeds[::FETCHES_A_RELAY]:
        with Relay(dovecot.port, **trouble(first)) as relay:
            for seed in range(first, min(first + FETCHES_A_RELAY, seeds.stop)):
                yield seed, fetch(relay.port, user)


def assert_same(frame: pd.DataFrame, undisturbed: pd.DataFrame, seed: int) -> None:
    try:
        pd.testing.assert_frame_equal(bare(frame), bare(undisturbed))
    except AssertionError as different:
        different.add_note(f"seed {seed}: {trouble(seed)}")
        raise


def bare(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without its report, which tells of troubles."""
    copy = frame.copy(deep=False)
    copy.attrs = {}
    return copy


class OtherClient(threading.Thread):
    """Delivers, flags and expunges in INBOX and Archive until it is told to stop.

    ``touched`` are the UIDs of INBOX that it may have changed: every tenth message, no other.
    """

    def __init__(self, dovecot: Dovecot, user: str) -> None:
        super().__init__(name="other client")
        self.dovecot, self.user = dovecot, user
        self.touched = set(range(10, FOLDERS["INBOX"] + 1, 10))
        self.done = threading.Event()

    def run(self) -> None:
        dice = random.Random(1)
        with imaplib.IMAP4("127.0.0.1", self.dovecot.port) as client:
            client.login(self.user, "secret")
            client.select("INBOX")
            for uid in sorted(self.touched, key=lambda _: dice.random()):
                if self.done.wait(0.02):
                    return
                client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Flagged)")
                if uid % 20:
                    client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)")
                    client.expunge()
                self.dovecot.deliver(self.user, "INBOX", messages("INBOX", 1))


@contextmanager
def another_client(dovecot: Dovecot, user: str) -> Iterator[OtherClient]:
    client = OtherClient(dovecot, user)
    client.start()
    try:
        yield client
    finally:
        client.done.set()
        client.join(10)


def untouched(frame: pd.DataFrame, touched: set[int]) -> pd.DataFrame:
    """The rows that the other client left alone."""
    inbox = frame["folder"] == "INBOX"
    foreign = inbox & (frame["uid"].isin(touched) | (frame["uid"] > FOLDERS["INBOX"]))
    return bare(frame[~foreign].reset_index(drop=True))


def main(count: int) -> None:
    with Dovecot(config="mail_max_userip_connections = 30") as dovecot:
        deliver_mailbox(dovecot, "calm")
        undisturbed = fetch(dovecot.port, "calm")
        started = time.monotonic()
        for seed, frame in fetches(dovecot, "calm", range(count)):
            assert_same(frame, undisturbed, seed)
            print(f"\r{seed + 1} fetches, {time.monotonic() - started:.0f} s", end="", flush=True)
        print()
        for block in range(0, count, FETCHES_A_RELAY):
            user = f"busy{block}"
            deliver_mailbox(dovecot, user)
            undisturbed = fetch(dovecot.port, user)
            with another_client(dovecot, user) as other:
                seeds = range(block, min(block + FETCHES_A_RELAY, count))
                for seed, frame in fetches(dovecot, user, seeds):
                    assert not frame.duplicated(["folder", "uid"]).any()
                    kept = untouched(undisturbed, other.touched)
                    assert_same(untouched(frame, other.touched), kept, seed)
            print(f"\r{seeds.stop} beside another client", end="", flush=True)
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
