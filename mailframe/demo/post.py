"""One message of the demo mailbox: what it says, and the bytes that it would arrive as.

The bytes are those of a real delivery: a chain of `Received` fields with growing times, the
`Authentication-Results` of the receiving host, folded and encoded fields (RFC 2047), or raw UTF-8
(RFC 6532), and here and there the faults that real mail has.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from random import Random
from string import ascii_letters, digits
from typing import TYPE_CHECKING

from mailframe.demo.cast import LANGUAGES, OWNER, MailingList, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Fields = list[tuple[str, bytes]]

LINE = 76  # of base64 (RFC 2045 section 6.8)
WORD = 14  # characters of an encoded-word: at most 75 octets, whatever the charset
_Q_SAFE = frozenset(ascii_letters + digits)
_SPECIALS = frozenset('()<>[]:;@\\,."')


@dataclass(eq=False)
class Post:
    """A message before it becomes bytes; flags change until the story is told."""

    author: Person
    to: Sequence[Person]
    date: datetime
    subject: str
    identifier: str
    folder: str
    cc: Sequence[Person] = ()
    parent: Post | None = None
    mailing_list: MailingList | None = None
    bulk: bool = False  # a newsletter, with List-Unsubscribe
    automatic: bool = False  # what a shop's program writes
    junk: bool = False
    fault: str | None = None  # a key of FAULTS
    delay: float = 5.0  # seconds between Date and delivery
    filed: timedelta = timedelta()  # between delivery and the move to this folder
    octets: int = 0  # of an attachment
    flags: set[str] = field(default_factory=set)

    @property
    def arrived(self) -> datetime:
        """When the server stored it; own mail is stored as it is sent."""
        late = 1.0 if self.author is OWNER and self.mailing_list is None else self.delay
        return self.date + timedelta(seconds=int(late)) + self.filed

    def thread(self) -> list[str]:
        """Give the ids of the messages that led to this one, oldest first."""
        chain, post = [], self.parent
        while post is not None:
            chain.append(post.identifier)
            post = post.parent
        return chain[::-1]


def render(post: Post) -> bytes:
    """Write a post as the bytes of a message, with CRLF line ends; a copy has the same bytes."""
    random = Random(post.identifier)  # noqa: S311 -- nothing here is secret
    fields = _trace(post, random) if post.author is not OWNER or post.mailing_list else []
    fields += _content(post)
    body = _body(post)
    charset = _charset(post.author)
    fields.append(("MIME-Version", b"1.0"))
    if post.octets:
        fields.append(("Content-Type", b'multipart/mixed; boundary="=-part"'))
        body = _with_attachment(body, charset, post.octets)
    else:
        fields.append(("Content-Type", f"text/plain; charset={charset}".encode()))
        fields.append(("Content-Transfer-Encoding", b"8bit"))
    if post.fault:
        fields = FAULTS[post.fault](fields)
    head = b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in fields)
    return head + b"\r\n" + body


def _content(post: Post) -> Fields:
    charset = LANGUAGES[post.author.language].charset
    local = post.date.astimezone(timezone(timedelta(minutes=post.author.offset)))
    fields: Fields = [
        ("Date", format_datetime(local).encode()),
        ("From", _addresses([post.author])),
        ("To", _addresses(post.to)),
    ]
    if post.cc:
        fields.append(("Cc", _addresses(post.cc)))
    fields += [
        ("Subject", _text(post.subject, charset)),
        ("Message-ID", f"<{post.identifier}>".encode()),
    ]
    if chain := post.thread():
        fields.append(("In-Reply-To", f"<{chain[-1]}>".encode()))
        fields.append(("References", b"\r\n ".join(f"<{one}>".encode() for one in chain)))
    if post.mailing_list:
        fields += _list_fields(post.mailing_list)
    if post.bulk:
        domain = _domain(post.author)
        link = f"<https://{domain}/leave?u=robin>, <mailto:leave@{domain}>"
        fields.append(("List-Unsubscribe", link.encode()))
        fields.append(("List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"))
        fields.append(("Precedence", b"bulk"))
    if post.automatic:
        fields.append(("Auto-Submitted", b"auto-generated"))
    return fields


def _list_fields(group: MailingList) -> Fields:
    host = group.address.partition("@")[2]
    return [
        ("List-Id", f"{group.name} <{group.identifier}>".encode()),
        ("List-Post", f"<mailto:{group.address}>".encode()),
        ("List-Unsubscribe", f"<mailto:leave-{group.address}>".encode()),
        ("List-Archive", f"<https://{host}/archive>".encode()),
    ]


def _trace(post: Post, random: Random) -> Fields:
    """Give the fields that hosts on the way put on top, the last host first."""
    domain = _domain(post.author)
    hops = [f"from [198.51.100.{random.randint(1, 254)}] by out.{domain} with ESMTPSA"]
    if post.mailing_list:
        host = post.mailing_list.address.partition("@")[2]
        hops.append(f"from out.{domain} by {host} with ESMTPS")
        domain = host
    hops.append(
        f"from out.{domain} (192.0.2.{random.randint(1, 254)}) by mx.example.org with ESMTPS"
    )
    hops.append("from mx.example.org by store.example.org with LMTP")
    # The way takes what is left of the delay; the first hop is at once, most is spent before the
    # last two: queues and greylisting.
    shares = sorted(random.random() for _ in hops[1:-1])
    times = [0.0, *(share * post.delay for share in shares), post.delay]
    fields: Fields = []
    for hop, late in zip(hops, times, strict=True):
        stamp = format_datetime(post.date + timedelta(seconds=int(late)))
        token = f"{random.getrandbits(40):010x}"
        text = f"{hop} id {token}\r\n\tfor <{OWNER.address}>; {stamp}"
        fields.insert(0, ("Received", text.encode()))
    fields.insert(0, ("Authentication-Results", _authentication(post, random)))
    fields.insert(0, ("Return-Path", f"<{_wire(post.author.address)}>".encode()))
    return fields


def _authentication(post: Post, random: Random) -> bytes:
    domain = _domain(post.author)
    honest = 0.15 if post.junk else 0.97
    spf = "pass" if random.random() < honest else random.choice(["fail", "softfail", "none"])
    # Lists that add a footer break signatures.
    signed = 0.6 if post.mailing_list else honest
    dkim = "pass" if random.random() < signed else random.choice(["fail", "none"])
    dmarc = "pass" if "pass" in {spf, dkim} and not post.junk else "fail"
    return (
        f"mx.example.org;\r\n\tspf={spf} smtp.mailfrom={domain};\r\n"
        f"\tdkim={dkim} header.d={domain};\r\n\tdmarc={dmarc} header.from={domain}"
    ).encode()


def _text(text: str, charset: str) -> bytes:
    if text.isascii() or charset == "raw":
        return text.encode()
    try:
        text.encode(charset)
    except UnicodeEncodeError:  # a reply that quotes the subject of another language
        charset = "utf-8"
    pieces = (text[n : n + WORD] for n in range(0, len(text), WORD))
    return b"\r\n ".join(_encoded_word(piece, charset) for piece in pieces)


def _encoded_word(text: str, charset: str) -> bytes:
    """Write one encoded-word: Q where most letters are ASCII's, else B (RFC 2047 section 4)."""
    octets = text.encode(charset)
    if not charset.startswith(("iso-8859-1", "windows")):
        return b"=?%s?B?%s?=" % (charset.encode(), b64encode(octets))
    quoted = "".join(
        chr(o) if chr(o) in _Q_SAFE else "_" if chr(o) == " " else f"={o:02X}" for o in octets
    )
    return f"=?{charset}?Q?{quoted}?=".encode()


def _addresses(people: Sequence[Person]) -> bytes:
    return b",\r\n ".join(_mailbox(person) for person in people)


def _mailbox(person: Person) -> bytes:
    shown = _text(person.name, LANGUAGES[person.language].charset)
    if person.name.isascii() and _SPECIALS & set(person.name):
        shown = b'"' + shown + b'"'
    return shown + f" <{_wire(person.address)}>".encode()


def _wire(address: str) -> str:
    """Write an internationalised domain in its ASCII form (RFC 5891)."""
    local, _, domain = address.partition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def _domain(person: Person) -> str:
    return _wire(person.address).partition("@")[2]


def _charset(person: Person) -> str:
    charset = LANGUAGES[person.language].charset
    return "utf-8" if charset == "raw" else charset


def _body(post: Post) -> bytes:
    lines = (
        f"{post.subject}\r\n",
        LANGUAGES[post.author.language].line,
        f"-- {post.author.name}\r\n",
    )
    text = "\r\n".join(lines * (1 + len(post.subject) % 4))
    return text.encode(_charset(post.author), "replace")


def _with_attachment(body: bytes, charset: str, octets: int) -> bytes:
    rows = octets // LINE + 1
    return b"".join(
        (
            b"--=-part\r\nContent-Type: text/plain; charset=%s\r\n" % charset.encode(),
            b"Content-Transfer-Encoding: 8bit\r\n\r\n",
            body,
            b"\r\n--=-part\r\nContent-Type: application/octet-stream\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\n",
            (b"A" * LINE + b"\r\n") * rows,
            b"--=-part--\r\n",
        )
    )


def _replaced(name: str, value: bytes) -> Callable[[Fields], Fields]:
    return lambda fields: [(n, value if n == name else v) for n, v in fields]


def _without(name: str) -> Callable[[Fields], Fields]:
    return lambda fields: [(n, v) for n, v in fields if n != name]


#: What real mail gets wrong, each by a function of its header fields.
FAULTS: dict[str, Callable[[Fields], Fields]] = {
    "no date": _without("Date"),
    "impossible date": _replaced("Date", b"Thu, 31 Feb 2026 25:61:00 +0000"),
    "no message id": _without("Message-ID"),
    "8-bit subject": _replaced("Subject", "Größe unbekannt".encode("latin-1")),
    "broken encoded-word": _replaced("Subject", b"=?utf-8?B?4oKs4oK=?= =?x-none?Q?what=?="),
    "no sender": _replaced("From", b"<>"),
    "stray address": _replaced("To", b"undisclosed recipients:;, robin@"),
}
