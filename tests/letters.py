"""Messages with known facts: what a frame must say about them is told before they become bytes."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from random import Random

from tests.servers.dovecot import Message

PEOPLE = (
    ("Ann Lee", "ann@example.org", b"Ann Lee <ann@example.org>"),
    ("Lee, Bo", "bo@mail.example.com", b'"Lee, Bo" <bo@Mail.Example.COM>'),
    ("Jörg Weiß", "joerg@example.net", b"=?iso-8859-1?Q?J=F6rg_Wei=DF?= <joerg@example.net>"),
    ("Zoë", "zoe@example.org", "Zoë <zoe@example.org>".encode()),
    ("", "noreply@example.org", b"noreply@example.org"),
    ("Мира", "mira@example.com", b"=?koi8-r?B?" + b64encode("Мира".encode("koi8-r")) + b"?="),
)
SUBJECTS = (
    ("Plans for the harbour", b"Plans for the harbour"),
    ("Re: Grüße vom See", "Re: Grüße vom See".encode()),
    ("会議の日程", b"=?iso-2022-jp?B?" + b64encode("会議の日程".encode("iso-2022-jp")) + b"?="),
    ("one long line folded", b"one long\r\n line\r\n\tfolded"),
    ("=1+1", b"=1+1"),
)
FLAGS = ((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged", "$Later"), ("\\Draft", "\\Seen"))
BEGINS = datetime(2024, 1, 1, 12, tzinfo=UTC)


@dataclass
class Letter:
    """The facts of one message, and its bytes as a server stores them."""

    folder: str
    uid: int
    date: datetime
    internaldate: datetime
    sender: int
    to: tuple[int, ...]
    cc: tuple[int, ...]
    subject: str
    message_id: str
    references: tuple[str, ...]
    list_id: str | None
    flags: tuple[str, ...]
    stored: Message = field(repr=False)

    def row(self) -> dict[str, object]:
        """Tell what the frame must say, column by column."""
        name, address, _ = PEOPLE[self.sender]
        return {
            "folder": self.folder,
            "uid": self.uid,
            "date": self.date,
            "date_offset": int(self.date.utcoffset().total_seconds() // 60),
            "internaldate": self.internaldate,
            "from_name": name or None,
            "from_addr": address,
            "from_domain": address.partition("@")[2],
            "to": [PEOPLE[n][1] for n in self.to],
            "cc": [PEOPLE[n][1] for n in self.cc],
            "subject": self.subject,
            "message_id": self.message_id,
            "in_reply_to": self.references[-1] if self.references else None,
            "references": list(self.references),
            "list_id": self.list_id,
            "bulk": self.list_id is not None,
            "auto": address.startswith("noreply"),
            "size": self.stored.size,
            "seen": "\\Seen" in self.flags,
            "answered": "\\Answered" in self.flags,
            "flagged": "\\Flagged" in self.flags,
            "draft": "\\Draft" in self.flags,
            "deleted": "\\Deleted" in self.flags,
            "keywords": [flag for flag in self.flags if not flag.startswith("\\")],
        }


def write(folder: str, number: int) -> list[Letter]:
    """Write the letters of one folder, in the order of their UIDs."""
    random = Random(folder)
    return [_letter(folder, uid, random) for uid in range(1, number + 1)]


def _letter(folder: str, uid: int, random: Random) -> Letter:
    zone = timezone(timedelta(minutes=random.choice([0, 60, -300, 345])))
    date = (BEGINS + timedelta(hours=uid)).astimezone(zone)
    arrived = BEGINS + timedelta(hours=uid, seconds=30)
    sender, *others = random.sample(range(len(PEOPLE)), 4)
    to, cc = tuple(others[:2]), tuple(others[2:]) if random.random() < 0.3 else ()
    subject, subject_bytes = random.choice(SUBJECTS)
    identifier = f"{uid}.{random.getrandbits(32):x}@example.org"
    chain = tuple(
        f"{n}.{random.getrandbits(32):x}@example.net" for n in range(random.randint(0, 3))
    )
    list_id = "harbour.lists.example.org" if random.random() < 0.25 else None
    flags = random.choice(FLAGS)
    lines = [
        b"Received: from a.example by b.example; " + format_datetime(date).encode(),
        b"Date: " + format_datetime(date).encode(),
        b"From: " + _mailbox(sender),
        b"To: " + b",\r\n ".join(map(_mailbox, to)),
        *([b"Cc: " + _mailbox(cc[0])] if cc else []),
        b"Subject: " + subject_bytes,
        f"Message-ID: <{identifier}>".encode(),
        *([f"In-Reply-To: <{chain[-1]}>".encode()] if chain else []),
        *([("References: " + " ".join(f"<{one}>" for one in chain)).encode()] if chain else []),
        *([b"List-Id: The harbour <" + list_id.encode() + b">"] if list_id else []),
        b"",
        b"Hello.\r\n" * random.randint(0, 40),
    ]
    return Letter(
        folder,
        uid,
        date,
        arrived,
        sender,
        to,
        cc,
        subject,
        identifier,
        chain,
        list_id,
        flags,
        Message(b"\r\n".join(lines), flags, arrived),
    )


def _mailbox(person: int) -> bytes:
    _, address, written = PEOPLE[person]
    return written if b"@" in written else written + f" <{address}>".encode()
