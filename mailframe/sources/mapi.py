"""What Outlook keeps of a message as MAPI properties (MS-OXPROPS), told as a header block.

A message that came over the internet has its header block as a property, and that is taken as it
is. One that was written here, or came over Exchange, has none, or not all: the fields that it lacks
are made of the properties, so that all columns come the one way. Addresses of Exchange (``/O=…``)
are none of the internet's and are left out; the names stay.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from mimetypes import guess_type
from typing import TYPE_CHECKING, NamedTuple

from mailframe.headers.mime import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUBJECT, SUBMITTED, DELIVERED, HEADERS = 0x0037, 0x0039, 0x0E06, 0x007D
MESSAGE_CLASS, MESSAGE_FLAGS, MESSAGE_SIZE = 0x001A, 0x0E07, 0x0E08
MESSAGE_ID, REFERENCES, IN_REPLY_TO = 0x1035, 0x1039, 0x1042
FLAG_STATUS, LAST_VERB = 0x1090, 0x1081
SENDER = (0x0C1A, 0x5D01, 0x0C1F)  # name, SMTP address, address of any kind
REPRESENTED = (0x0042, 0x5D02, 0x0065)
# Of what was written here, Exchange tells the author's SMTP address beside its own.
CREATOR, CREATOR_SMTP = 0x4023, 0x5D0A
RECIPIENT = (0x3001, 0x39FE, 0x3003)
RECIPIENT_TYPE = 0x0C15
DISPLAYED = {"To": 0x0E04, "Cc": 0x0E03}
_FIELDS = {1: "To", 2: "Cc"}  # blind copies are no column
# Of an attachment: its name, long or short or shown, its type, how it is kept, and whether the
# message's text shows it.
ATTACHED_NAME = (0x3707, 0x3704, 0x3001)
ATTACHED_TYPE, ATTACHED_METHOD, ATTACHED_SIZE = 0x370E, 0x3705, 0x0E20
ATTACHED_ID, ATTACHED_HIDDEN = 0x3712, 0x7FFE
_ENCLOSED = 5  # method: an item of Outlook's own
CODE_PAGES = (0x3FFD, 0x3FDE)  # of the message's own text

# Mail, also signed, encrypted or returned; the rest is appointments, contacts and tasks.
_MAIL = ("ipm.note", "report.ipm.note", "ipm.schedule.meeting", "ipm.post", "ipm.recall")
_UNSENT = 0x0008
_READ = 0x0001
_FLAGGED = 2
_VERBS = {102: rb"\Answered", 103: rb"\Answered", 104: b"$Forwarded"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_FIELD_NAME = re.compile(rb"^([!-9;-~]+)[ \t]*:", re.MULTILINE)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)

Value = str | int | datetime


def attached(properties: Mapping[int, Value], size: int | None) -> Part:
    """Make a part of what an attachment's properties tell; its size is the decoded one."""
    named = next((properties[tag] for tag in ATTACHED_NAME if properties.get(tag)), "")
    enclosed = properties.get(ATTACHED_METHOD) == _ENCLOSED
    kind = str(properties.get(ATTACHED_TYPE) or "").lower()
    if enclosed:
        kind = "message/rfc822"
    elif "/" not in kind:
        kind = guess_type(str(named), strict=False)[0] or "application/octet-stream"
    told = properties.get(ATTACHED_SIZE)
    shown = bool(properties.get(ATTACHED_HIDDEN)) and bool(properties.get(ATTACHED_ID))
    return Part(
        kind.encode("ascii", "replace"),
        octets=size if size is not None else told if isinstance(told, int) else None,
        disposition=b"inline" if shown else b"attachment",
        disposition_parameters=((b"filename", str(named).encode("utf-8", "replace")),),
        related=shown,
    )


class Told(NamedTuple):
    """What the properties of a message tell.

    Attributes
    ----------
    header : bytes
        Its header block.
    flags : bytes
        As in an IMAP flag list.
    received : float or None
        When, in seconds since 1970.
    size : int
        Octets, as Outlook counts them.
    """

    header: bytes
    flags: bytes
    received: float | None
    size: int


def is_mail(properties: Mapping[int, Value]) -> bool:
    """Tell whether an item is mail by its class; without one it is."""
    kind = properties.get(MESSAGE_CLASS)
    return not isinstance(kind, str) or kind.lower().startswith(_MAIL)


def told(properties: Mapping[int, Value], recipients: Sequence[Mapping[int, Value]]) -> Told:
    """Read a message off its properties and those of its recipients."""
    flags = []
    bits = properties.get(MESSAGE_FLAGS)
    if isinstance(bits, int):
        flags += [rb"\Seen"] if bits & _READ else []
        flags += [rb"\Draft"] if bits & _UNSENT else []
    if properties.get(FLAG_STATUS) == _FLAGGED:
        flags.append(rb"\Flagged")
    verb = properties.get(LAST_VERB)
    if isinstance(verb, int) and verb in _VERBS:
        flags.append(_VERBS[verb])
    received = properties.get(DELIVERED, properties.get(SUBMITTED))
    size = properties.get(MESSAGE_SIZE)
    return Told(
        _header(properties, recipients),
        b" ".join(flags),
        received.timestamp() if isinstance(received, datetime) else None,
        size if isinstance(size, int) else 0,
    )


def when(ticks: int) -> datetime | None:
    """Read a FILETIME: tenths of a microsecond since 1601."""
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def code_page(properties: Mapping[int, Value]) -> str:
    """Give the codec of a message's 8-bit text."""
    known = {20127: "ascii", 28591: "latin-1", 65001: "utf-8", 20866: "koi8-r", 50220: "iso2022_jp"}
    pages = (properties.get(tag) for tag in CODE_PAGES)
    number = next((page for page in pages if isinstance(page, int) and page), 1252)
    name = known.get(number, f"cp{number}")
    try:
        b"".decode(name)
    except LookupError:
        return "cp1252"
    return name


def _header(properties: Mapping[int, Value], recipients: Sequence[Mapping[int, Value]]) -> bytes:
    headers = properties.get(HEADERS)
    block = headers.encode("utf-8", "replace").strip(b"\0\r\n") if isinstance(headers, str) else b""
    there = {name.lower() for name in _FIELD_NAME.findall(block)}
    lines = [
        ("Date", _date(properties.get(SUBMITTED, properties.get(DELIVERED)))),
        ("From", _author(properties)),
        *((field, _listed(field, properties, recipients)) for field in DISPLAYED),
        ("Subject", _subject(properties.get(SUBJECT))),
        ("Message-ID", _text(properties.get(MESSAGE_ID))),
        ("In-Reply-To", _text(properties.get(IN_REPLY_TO))),
        ("References", _text(properties.get(REFERENCES))),
    ]
    made = [
        f"{name}: {value}".encode("utf-8", "replace")
        for name, value in lines
        if value and name.lower().encode() not in there
    ]
    return b"\r\n".join([*([block] if there else []), *made, b"", b""])


def _author(properties: Mapping[int, Value]) -> str:
    author = _mailbox(properties, REPRESENTED)
    if "<>" in author:
        sent = _text(properties.get(SENDER[-1])).lower()
        is_creator = bool(sent) and sent == _text(properties.get(CREATOR)).lower()
        smtp = CREATOR_SMTP if is_creator else SENDER[1]
        author = _mailbox(properties, (REPRESENTED[0], SENDER[1], smtp))
    return author or _mailbox(properties, SENDER)


def _text(value: Value | None) -> str:
    return _CONTROL.sub(" ", value).strip() if isinstance(value, str) else ""


def _subject(value: Value | None) -> str:
    """Take off what tells how long the prefix is: U+0001 and a number as a character."""
    return _text(value[2:] if isinstance(value, str) and value.startswith("\1") else value)


def _date(value: Value | None) -> str:
    return format_datetime(value) if isinstance(value, datetime) else ""


def _mailbox(properties: Mapping[int, Value], tags: tuple[int, ...]) -> str:
    name, *addresses = (_text(properties.get(tag)) for tag in tags)
    address = next((one for one in addresses if "@" in one and not one.startswith("/")), "")
    if name in {address, f"'{address}'"}:
        name = ""
    if not name:
        return f"<{address}>" if address else ""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def _listed(
    field: str, properties: Mapping[int, Value], recipients: Sequence[Mapping[int, Value]]
) -> str:
    """Write a field of recipients; without their table, of what was displayed of them."""
    mailboxes = [
        _mailbox(one, RECIPIENT)
        for one in recipients
        if _FIELDS.get(_number(one.get(RECIPIENT_TYPE))) == field
    ]
    if not recipients:
        shown = _text(properties.get(DISPLAYED[field])).split(";")
        mailboxes = [f"<{name.strip()}>" for name in shown if "@" in name]
    return ", ".join(one for one in mailboxes if one and "<>" not in one)


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0
