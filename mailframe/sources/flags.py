"""Flags that programs keep in header fields of the mail itself, as IMAP names them.

``Status`` and ``X-Status`` are mutt's, Pine's and Dovecot's; ``X-Mozilla-Status`` and
``X-Mozilla-Keys`` are Thunderbird's; ``X-Keywords`` is Dovecot's; ``X-Gmail-Labels`` comes from
Google Takeout. Without any of them a message counts as unseen.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from mailframe.headers import text
from mailframe.headers.memory import remembering

if TYPE_CHECKING:
    from collections.abc import Callable

_FIELD = re.compile(
    rb"\n(Status|X-Status|X-Mozilla-Status|X-Mozilla-Keys|X-Keywords|X-Gmail-Labels):[ \t]*"
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
_GMAIL_LABELS = {"starred": rb"\Flagged", "draft": rb"\Draft", "drafts": rb"\Draft"}


def header_flags(header: bytes) -> bytes:
    """Give the flags that a header block tells, as between the parentheses of an IMAP list."""
    if b"\n" not in header:
        header = header.replace(b"\r", b"\n")
    flags: dict[bytes, None] = {}
    for name, value in _FIELD.findall(b"\n" + header):
        flags.update(dict.fromkeys(_READERS[name](value)))
    return b" ".join(flags)


def gmail_labels(value: str) -> list[str]:
    """Take a decoded X-Gmail-Labels value apart: commas divide, quotes protect them."""
    try:
        fields = next(csv.reader([value], skipinitialspace=True), [])
    except csv.Error:  # too long, or with line ends
        fields = value.split(",")
    return [label.strip() for label in fields if label.strip()]


def _letters(value: bytes) -> list[bytes]:
    return [_LETTERS[letter] for letter in value if letter in _LETTERS]


def _mozilla(value: bytes) -> list[bytes]:
    try:
        bits = int(value, 16)
    except ValueError:
        return []
    return [flag for bit, flag in _MOZILLA_BITS.items() if bits & bit]


@remembering  # a mailbox has few combinations of labels
def _gmail(value: bytes) -> list[bytes]:
    labels = {label.lower() for label in gmail_labels(text.decode(value)[0])}
    flags = [flag for label, flag in _GMAIL_LABELS.items() if label in labels]
    return flags if "unread" in labels else [rb"\Seen", *flags]


_READERS: dict[bytes, Callable[[bytes], list[bytes]]] = {
    b"Status": _letters,
    b"X-Status": _letters,
    b"X-Mozilla-Status": _mozilla,
    b"X-Mozilla-Keys": bytes.split,
    b"X-Keywords": bytes.split,
    b"X-Gmail-Labels": _gmail,
}
