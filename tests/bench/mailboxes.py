"""The mailboxes of the benchmarks, written once and found again by later runs.

- `ordinary`: headers of ordinary size and variety: a sender writes some twenty messages, one
  subject in six is encoded, half of the messages answer another one, one in four came through a
  list.
- `encoded`: the same, but half of the people have a name that is encoded, and one subject in five
  is, none like another.
- `attached`: the same as `ordinary`, but half of them in two forms of text, and one in four with
  one to three files.
- `worldwide`: see `tests.bench.international`.
- `real`: the archives of `tests.corpora`, each message once.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests import corpora
from tests.bench import international
from tests.servers.dovecot import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.dovecot import Dovecot

BEGINS = datetime(2023, 1, 1, tzinfo=UTC)
_TEXT = """
report meeting harbour budget ticket release build notes summer plan photo draft review lens
tide garden order invoice question answer change fix crash parser list update reminder
"""
WORDS = tuple(_TEXT.split())
FOREIGN = ("Prüfung der Pläne", "Réunion déplacée", "Чертежи маяка", "会議の日程について")


class Mailbox(NamedTuple):
    """An account: as many folders, each with as many messages; `real` has what there is."""

    user: str
    folders: int
    messages: int
    kind: str = "ordinary"

    @property
    def total(self) -> int:
        if self.kind == "real":
            return sum(len(corpora.headers(name)) for name in corpora.NAMES)
        return self.folders * self.messages

    def write(self, server: Dovecot) -> None:
        """Write it unless an earlier run did, and let Dovecot cache its headers."""
        done = server.mail / f"{self.user}.done"
        if not done.exists():
            for number in range(self.folders):
                name = "INBOX" if number == 0 else f"Folder {number:03}"
                mail = KINDS[self.kind](self.messages, number)
                if self.kind == "real":
                    mail = islice(mail, number, None, self.folders)
                server.deliver(self.user, name, mail)
            done.touch()
        server.warm(self.user)


def real(_number: int, _seed: int) -> Iterator[Message]:
    """Give the messages of the archives, without their bodies."""
    for name in corpora.NAMES:
        for block in corpora.headers(name):
            yield Message(block.rstrip(b"\r\n") + b"\r\n\r\n", (), BEGINS)


def worldwide(number: int, seed: int) -> Iterator[Message]:
    """Make up messages of one folder in many languages."""
    random = Random(seed)
    people = international.people(random, number // 20 + 30)
    earlier = [f"{seed:x}.0@first.example"]
    for n in range(number):
        date = BEGINS + timedelta(minutes=7 * n, seconds=seed)
        identifier = f"{seed:x}.{n:x}.{random.getrandbits(48):x}@mail.example"
        chain = random.sample(earlier, min(len(earlier), random.randint(0, 5)))
        lines = international.lines(random, people, chain, date, identifier)
        yield Message(b"".join(lines) + b"\r\nHello.\r\n", (), date)
        earlier = [*earlier[-50:], identifier]


def attached(number: int, seed: int) -> Iterator[Message]:
    """Make up messages of one folder, some with files attached."""
    random = Random(seed)
    for message in messages(number, seed):
        kind = random.random()
        if kind < 1 / 4:
            yield message
            continue
        head, _, text = message.raw.partition(b"Content-Type: ")
        mark = f"=_{random.getrandbits(64):x}"
        parts = [f"Content-Type: {text.decode()}"]
        parts.append(parts[0].replace("text/plain", "text/html"))
        if kind < 1 / 2:
            sub = "mixed"
            parts[1:] = (_file(random) for _ in range(random.randint(1, 3)))
        else:
            sub = "alternative"
        body = "".join(f"--{mark}\r\n{part}\r\n" for part in parts) + f"--{mark}--\r\n"
        kind_of = f'Content-Type: multipart/{sub}; boundary="{mark}"\r\n\r\n'
        yield replace(message, raw=head + (kind_of + body).encode())


def _file(random: Random) -> str:
    name = f"{random.choice(WORDS)} {random.randint(1, 999)}.pdf"
    return (
        f'Content-Type: application/pdf; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
        + "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n"
        * 8
    )


def encoded(number: int, seed: int) -> Iterator[Message]:
    """Make up messages of one folder with many encoded names and subjects."""
    return messages(number, seed, encodes=True)


def messages(number: int, seed: int, *, encodes: bool = False) -> Iterator[Message]:
    """Make up messages of one folder."""
    random = Random(seed)
    people = [
        f"{_name(random, a, b, encodes)} <{a}.{b}@{random.choice(WORDS)}.example>"
        for a, b in (random.sample(WORDS, 2) for _ in range(number // 20 + 5))
    ]
    earlier = [f"{seed:x}.0@first.example"]
    for n in range(number):
        date = BEGINS + timedelta(minutes=10 * n, seconds=seed)
        identifier = f"{seed:x}.{n:x}.{random.getrandbits(48):x}@mail.example"
        subject = _new_subject(random, n) if encodes else _subject(random)
        raw = "".join(_lines(random, people, earlier, date, identifier, subject)).encode()
        yield Message(raw, random.choice([(), ("\\Seen",), ("\\Seen", "\\Answered")]), date)
        earlier = [*earlier[-50:], identifier]


def _lines(
    random: Random,
    people: list[str],
    earlier: list[str],
    date: datetime,
    identifier: str,
    subject: str,
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
    yield f"Subject: {subject}\r\nMessage-ID: <{identifier}>\r\n"
    if random.random() < 0.5:
        chain = random.sample(earlier, min(len(earlier), random.randint(1, 5)))
        yield f"In-Reply-To: <{chain[-1]}>\r\nReferences: {' '.join(f'<{c}>' for c in chain)}\r\n"
    if random.random() < 0.25:
        yield "List-Id: Discussion of everything <talk.lists.example>\r\n"
    yield "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\nHello.\r\n"


def _subject(random: Random) -> str:
    if random.random() < 1 / 6:
        return _word(random.choice(FOREIGN))
    return " ".join(random.choices(WORDS, k=random.randint(2, 7)))


def _new_subject(random: Random, number: int) -> str:
    """Give a subject like no other in its folder, one in five encoded."""
    if random.random() < 1 / 5:
        return _word(f"{random.choice(FOREIGN)} {number}")
    return f"{' '.join(random.choices(WORDS, k=random.randint(2, 7)))} {number}"


def _name(random: Random, given: str, family: str, encodes: bool) -> str:
    name = f"{given.title()} {family.title()}"
    return _word(f"{name}{random.choice('éßøł')}") if encodes and random.random() < 1 / 2 else name


def _word(text: str) -> str:
    return f"=?utf-8?B?{b64encode(text.encode()).decode()}?="


def _token(random: Random) -> str:
    """Give a token as hosts put into trace fields."""
    return f"{random.getrandbits(64):016x}"


KINDS: dict[str, Callable[[int, int], Iterator[Message]]] = {
    "attached": attached,
    "ordinary": messages,
    "encoded": encoded,
    "worldwide": worldwide,
    "real": real,
}
