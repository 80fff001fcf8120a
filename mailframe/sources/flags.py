"""Flags that programs keep in header fields of the mail itself, as IMAP names them.

``Status`` and ``X-Status`` are mutt's, Pine's and Dovecot's; ``X-Mozilla-Status``, ``-Status2`` and
``-Keys`` are Thunderbird's; ``X-Keywords`` is Dovecot's; ``X-Gmail-Labels`` comes from Google
Takeout, of mail; in that of a group it says something else. Without any of them a message counts as
unseen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.headers import text
from mailframe.headers.memory import remembering
from mailframe.sources.gmaillabels import CHAT, DRAFT, SENT, STARRED, UNREAD, roles

if TYPE_CHECKING:
    from collections.abc import Callable

# Line ends that begin it keep the search fast; a group of Google's gives its labels another sense.
_FIELD = re.compile(
    rb"\n(Status|X-Status|X-Mozilla-Status2?|X-Mozilla-Keys|X-Keywords|X-Gmail-Labels|"
    rb"X-Google-Groups):[ \t]*([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)"
)
_LETTERS = {
    ord("R"): rb"\Seen",
    ord("A"): rb"\Answered",
    ord("F"): rb"\Flagged",
    ord("T"): rb"\Draft",
    ord("D"): rb"\Deleted",
}
_MOZILLA_BITS = {
    0x0001: rb"\Seen",
    0x0002: rb"\Answered",
    0x0004: rb"\Flagged",
    0x0008: rb"\Deleted",
    0x1000: b"$Forwarded",
}
# What is above sixteen bits: deleted on the server, and the colour of old.
_MOZILLA_HIGH_BITS = {0x0020_0000: rb"\Deleted"}
_MOZILLA_LABEL = 25  # the lowest of three bits
EXPUNGED = 0x0008
_MOZILLA_STATUS = re.compile(rb"^X-Mozilla-Status:[ \t]*([0-9A-Fa-f]+)", re.MULTILINE)
_GROUP, _LABELS = b"X-Google-Groups", b"X-Gmail-Labels"
CHAT_FLAG = b"$Chat"
_GMAIL_FLAGS = {STARRED: rb"\Flagged", DRAFT: rb"\Draft", SENT: b"$Sent", CHAT: CHAT_FLAG}


def header_flags(header: bytes) -> bytes:
    """Give the flags that a header block tells, as between the parentheses of an IMAP list."""
    if b"\n" not in header:
        header = header.replace(b"\r", b"\n")
    fields = _FIELD.findall(b"\n" + header)
    if not fields:
        return b""
    if len(fields) == 1 and fields[0][0] == _LABELS:
        return _gmail_flags(fields[0][1])  # all that Takeout has, as a rule
    flags: dict[bytes, None] = {}
    is_group = _GROUP in dict(fields)
    for name, value in fields:
        if name != _GROUP and not (is_group and name == _LABELS):
            flags.update(dict.fromkeys(_READERS[name](value)))
    return b" ".join(flags)


def is_expunged(header: bytes) -> bool:
    """Tell whether Thunderbird has deleted a message, and not compacted the folder yet."""
    status = _MOZILLA_STATUS.search(header)
    return status is not None and bool(int(status[1], 16) & EXPUNGED)


def _letters(value: bytes) -> list[bytes]:
    return [_LETTERS[letter] for letter in value if letter in _LETTERS]


def _mozilla(value: bytes) -> list[bytes]:
    try:
        bits = int(value, 16)
    except ValueError:
        return []
    return [flag for bit, flag in _MOZILLA_BITS.items() if bits & bit]


def _mozilla2(value: bytes) -> list[bytes]:
    try:
        bits = int(value, 16)
    except ValueError:
        return []
    label = (bits >> _MOZILLA_LABEL) & 7
    flags = [flag for bit, flag in _MOZILLA_HIGH_BITS.items() if bits & bit]
    return [*flags, b"$Label%d" % label] if label else flags


@remembering  # a mailbox has few combinations of labels
def _roles(value: bytes) -> frozenset[int]:
    return roles(text.decode(value)[0])


@remembering
def _gmail_flags(value: bytes) -> bytes:
    return b" ".join(_gmail(value))


def _gmail(value: bytes) -> list[bytes]:
    found = _roles(value)
    flags = [flag for role, flag in _GMAIL_FLAGS.items() if role in found]
    return flags if UNREAD in found else [rb"\Seen", *flags]


_READERS: dict[bytes, Callable[[bytes], list[bytes]]] = {
    b"Status": _letters,
    b"X-Status": _letters,
    b"X-Mozilla-Status": _mozilla,
    b"X-Mozilla-Status2": _mozilla2,
    b"X-Mozilla-Keys": bytes.split,
    b"X-Keywords": bytes.split,
    _LABELS: _gmail,
}
