"""Names of mailboxes and files as people read them: whatever their octets, text that can be shown.

Modified UTF-7 (RFC 3501 section 5.1.3) is how mailboxes are called on the wire and in a Maildir.
"""

from __future__ import annotations

import base64
import re

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
# What must not stand in a cell or on a screen: control characters and halves of pairs.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def decode_name(octets: bytes) -> str:
    """Make a name readable: UTF-8, else windows-1252; never fails."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    return showable(text)


def decode_mailbox(octets: bytes) -> str:
    """Make a mailbox name readable; never fails.

    What is not modified UTF-7 is a name like others, and a shift sequence that makes no sense
    stays as it stands.
    """
    return showable(_SHIFTED.sub(_unshift, decode_name(octets)))


def showable(text: str) -> str:
    """Replace what must not stand in a cell, in a message or on a screen."""
    return _UNSHOWABLE.sub("\ufffd", text)


def _unshift(match: re.Match[str]) -> str:
    inside = match[1]
    if not inside:
        return "&"
    padded = inside.replace(",", "/") + "=" * (-len(inside) % 4)
    try:
        return base64.b64decode(padded, validate=True).decode("utf-16-be")
    except ValueError:
        return match[0]
