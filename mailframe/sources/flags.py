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

_FIELD = re.compile(
    rb"\n(Status|X-Status|X-Mozilla-Status2?|X-Mozilla-Keys|X-Keywords|X-Gmail-Labels):[ \t]*"
    rb"([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)"
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
_GROUP = re.compile(rb"^X-Google-Groups:", re.MULTILINE)
_LABELS = re.compile(rb"^X-Gmail-Labels:[ \t]*([^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*)", re.MULTILINE)
_GMAIL_FLAGS = {STARRED: rb"\Flagged", DRAFT: rb"\Draft", SENT: b"$Sent"}


def header_flags(header: bytes) -> bytes:
    """Give the flags that a header block tells, as between the parentheses of an IMAP list."""
    if b"\n" not in header:
        header = header.replace(b"\r", b"\n")
    flags: dict[bytes, None] = {}
    for name, value in _FIELD.findall(b"\n" + header):
        if name == b"X-Gmail-Labels" and _GROUP.search(header):
            continue  # whether the topic is pinned, or locked
        flags.update(dict.fromkeys(_READERS[name](value)))
    return b" ".join(flags)


def is_chat(header: bytes) -> bool:
    """Tell whether Takeout gives a line of Hangouts or Google Chat as a message."""
    labels = _LABELS.search(header) if b"X-Gmail-Labels" in header else None
    return labels is not None and CHAT in _roles(labels[1])


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
    b"X-Gmail-Labels": _gmail,
}
