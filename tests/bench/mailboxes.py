"""The mailboxes of the benchmarks, written once and found again by later runs.

Headers are of ordinary size and variety: a sender writes some twenty messages, one subject in six
is encoded, half of the messages answer another one, one in four came through a list.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.servers.dovecot import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.dovecot import Dovecot

BEGINS = datetime(2023, 1, 1, tzinfo=UTC)
_TEXT = """
report meeting harbour budget ticket release build notes summer plan photo draft review lens
tide garden order invoice question answer change fix crash parser list update reminder
"""
WORDS = tuple(_TEXT.split())
FOREIGN = ("Prüfung der Pläne", "Réunion déplacée", "Чертежи маяка", "会議の日程について")


class Mailbox(NamedTuple):
    """An account: as many folders, each with as many messages."""

    user: str
    folders: int
    messages: int

    @property
    def total(self) -> int:
        return self.folders * self.messages

    def write(self, server: Dovecot) -> None:
        """Write it unless an earlier run did, and let Dovecot cache its headers."""
        done = server.mail / f"{self.user}.done"
        if not done.exists():
            for number in range(self.folders):
                name = "INBOX" if number == 0 else f"Folder {number:03}"
                server.deliver(self.user, name, messages(self.messages, seed=number))
            done.touch()
        server.warm(self.user)


def messages(number: int, seed: int) -> Iterator[Message]:
    """Make up messages of one folder."""
    random = Random(seed)
    people = [
        f"{a.title()} {b.title()} <{a}.{b}@{random.choice(WORDS)}.example>"
        for a, b in (random.sample(WORDS, 2) for _ in range(number // 20 + 5))
    ]
    earlier = [f"{seed:x}.0@first.example"]
    for n in range(number):
        date = BEGINS + timedelta(minutes=10 * n, seconds=seed)
        identifier = f"{seed:x}.{n:x}.{random.getrandbits(48):x}@mail.example"
        raw = "".join(_lines(random, people, earlier, date, identifier)).encode()
        yield Message(raw, random.choice([(), ("\\Seen",), ("\\Seen", "\\Answered")]), date)
        earlier = [*earlier[-50:], identifier]


def _lines(
    random: Random, people: list[str], earlier: list[str], date: datetime, identifier: str
) -> Iterator[str]:
    stamp = date.strftime("%a, %d %b %Y %H:%M:%S +0000")
    for hop in range(3):
        yield f"Received: from h{hop}.example by h{hop + 1}.example with ESMTPS id {_token(random)}"
        yield f"\r\n\tfor <ann@example.org>; {stamp}\r\n"
    yield f"DKIM-Signature: v=1; a=rsa-sha256; d=mail.example; b={_token(random) * 10}\r\n"
    yield f"Date: {stamp}\r\nFrom: {random.choice(people)}\r\n"
    yield f"To: {', '.join(random.sample(people, random.randint(1, 3)))}\r\n"
    if random.random() < 0.2:
        yield f"Cc: {random.choice(people)}\r\n"
    yield f"Subject: {_subject(random)}\r\nMessage-ID: <{identifier}>\r\n"
    if random.random() < 0.5:
        chain = random.sample(earlier, min(len(earlier), random.randint(1, 5)))
        yield f"In-Reply-To: <{chain[-1]}>\r\nReferences: {' '.join(f'<{c}>' for c in chain)}\r\n"
    if random.random() < 0.25:
        yield "List-Id: Discussion of everything <talk.lists.example>\r\n"
    yield "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\nHello.\r\n"


def _subject(random: Random) -> str:
    if random.random() < 1 / 6:
        return f"=?utf-8?B?{b64encode(random.choice(FOREIGN).encode()).decode()}?="
    return " ".join(random.choices(WORDS, k=random.randint(2, 7)))


def _token(random: Random) -> str:
    """Give a token as hosts put into trace fields."""
    return f"{random.getrandbits(64):016x}"
