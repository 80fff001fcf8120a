"""What the scripted server serves: folders and messages, and how an honest server words them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

START = datetime(2024, 1, 1, 9, 0, tzinfo=timezone.utc)  # noqa: UP017 -- reads as what it is


@dataclass
class Row:
    """One FETCH response: its sequence number and its items, in the order they are sent."""

    number: int
    items: dict[str, bytes]

    def __bytes__(self) -> bytes:
        inside = b" ".join(name.encode() + b" " + value for name, value in self.items.items())
        return b"* %d FETCH (%s)\r\n" % (self.number, inside)

    @property
    def uid(self) -> int:
        return int(self.items["UID"])

    @property
    def section(self) -> str:
        """The name of the header item, as the client spelled it."""
        return next(name for name in self.items if name.startswith("BODY["))


@dataclass
class Message:
    uid: int
    header: bytes
    flags: str = r"\Seen"
    internaldate: str = "01-Jan-2024 09:00:00 +0000"
    size: int = 1234
    more: dict[str, bytes] = field(default_factory=dict)  # the values of further FETCH items

    def row(self, number: int, items: list[str]) -> Row:
        return Row(number, {name: self.item(name) for name in dict.fromkeys(["UID", *items])})

    def item(self, name: str) -> bytes:
        """The value of one FETCH item; ``name`` as it stands in the response."""
        fixed = {
            "UID": str(self.uid).encode(),
            "FLAGS": f"({self.flags})".encode("latin-1"),
            "INTERNALDATE": f'"{self.internaldate}"'.encode(),
            "RFC822.SIZE": str(self.size).encode(),
            **self.more,
        }
        return fixed[name] if name in fixed else literal(self.section(name))

    def section(self, name: str) -> bytes:
        """The fields that ``BODY[HEADER.FIELDS (...)]`` names, or the whole header block."""
        wanted = re.search(r"HEADER\.FIELDS \((.*)\)", name, re.IGNORECASE)
        if wanted is None:
            return self.header
        names = [word.strip('"').lower() for word in wanted[1].split()]
        fields = re.findall(rb"[^\r\n:]+:.*?\r\n(?![ \t])", self.header, re.DOTALL)
        kept = [f for f in fields if f.partition(b":")[0].decode("latin-1").lower() in names]
        return b"".join(kept) + b"\r\n"


@dataclass
class Folder:
    """One folder; ``name`` is its name on the wire (modified UTF-7)."""

    name: str
    messages: list[Message] = field(default_factory=list)
    attributes: str = r"\HasNoChildren"
    uidvalidity: int = 1700000000

    @property
    def selectable(self) -> bool:
        return "\\Noselect" not in self.attributes

    @property
    def uidnext(self) -> int:
        return max((m.uid for m in self.messages), default=0) + 1

    @property
    def uids(self) -> list[int]:
        return [m.uid for m in self.messages]

    def listed(self) -> bytes:
        return f'* LIST ({self.attributes}) "/" "{self.name}"\r\n'.encode()

    def status(self, wanted: list[str]) -> bytes:
        values = {
            "MESSAGES": len(self.messages),
            "UIDNEXT": self.uidnext,
            "UIDVALIDITY": self.uidvalidity,
            "UNSEEN": sum("\\Seen" not in m.flags for m in self.messages),
            "SIZE": sum(m.size for m in self.messages),
            "RECENT": 0,
        }
        told = " ".join(f"{w} {values[w]}" for w in map(str.upper, wanted) if w in values)
        return f'* STATUS "{self.name}" ({told})\r\n'.encode()

    def examined(self) -> list[bytes]:
        return [
            b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n",
            b"* OK [PERMANENTFLAGS ()] read only\r\n",
            b"* %d EXISTS\r\n" % len(self.messages),
            b"* 0 RECENT\r\n",
            b"* OK [UIDVALIDITY %d] valid\r\n" % self.uidvalidity,
            b"* OK [UIDNEXT %d] next\r\n" % self.uidnext,
        ]


def literal(value: bytes) -> bytes:
    return b"{%d}\r\n%s" % (len(value), value)


def fetch_items(wanted: str) -> list[str]:
    """The names of the response's items for a FETCH of ``(UID FLAGS BODY.PEEK[...])``."""
    names = re.findall(r"BODY(?:\.PEEK)?\[[^\]]*\]|[A-Z0-9.-]+", wanted, re.IGNORECASE)
    return [re.sub(r"(?i)^BODY\.PEEK", "BODY", name) for name in names]


def in_set(uid: int, uids: str, last: int) -> bool:
    """Whether a sequence set such as ``1:3,7,9:*`` names ``uid``."""
    for part in uids.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        if min(ends) <= uid <= max(ends):
            return True
    return False


def matches(message: Message, keys: str, folder: Folder) -> bool:
    """A small SEARCH: ALL, UID, SINCE, BEFORE, SEEN, UNSEEN; every key must hold."""
    when = datetime.strptime(message.internaldate, "%d-%b-%Y %H:%M:%S %z").date()
    for key, value in re.findall(r"\b(SINCE|BEFORE|UID) (\S+)", keys.upper()):
        if key == "UID":
            held = in_set(message.uid, value, folder.uidnext - 1)
        else:
            day = datetime.strptime(value.title().strip('"'), "%d-%b-%Y").date()  # noqa: DTZ007 -- a day has no zone here
            held = when >= day if key == "SINCE" else when < day
        if not held:
            return False
    seen = "\\Seen" in message.flags
    found = keys.upper().split()
    return not ("UNSEEN" in found and seen) and not ("SEEN" in found and not seen)


def letter(folder: str, uid: int) -> Message:
    """One plain message, its values told by its folder and UID."""
    when = START + timedelta(hours=uid)
    header = (
        f"Date: {when:%a, %d %b %Y %H:%M:%S +0000}\r\n"
        f"From: Ann Example <ann{uid % 7}@example.org>\r\n"
        f"To: Bob <bob@example.org>\r\n"
        f"Subject: {folder} {uid}\r\n"
        f"Message-ID: <{folder}.{uid}@example.org>\r\n\r\n"
    )
    flags = r"\Seen" if uid % 3 else ""
    return Message(uid, header.encode(), flags, f"{when:%d-%b-%Y %H:%M:%S +0000}", 1000 + uid)


def folder(name: str, uids: range | list[int], attributes: str = r"\HasNoChildren") -> Folder:
    return Folder(name, [letter(name, uid) for uid in uids], attributes)


def small_mailbox() -> list[Folder]:
    """Six folders, 203 messages, with gaps in the UIDs, an empty and a closed folder."""
    return [
        folder("INBOX", [*range(1, 81), *range(101, 141)]),
        folder("Archive", range(5, 65)),
        folder("Lists/pandas", range(1, 21)),
        Folder("Lists", attributes=r"\Noselect \HasChildren"),
        folder("Entw&APw-rfe", [2, 3, 5], r"\HasNoChildren \Drafts"),
        Folder("Empty"),
    ]


def one_folder(count: int = 12, name: str = "INBOX") -> list[Folder]:
    return [folder(name, range(1, count + 1))]
