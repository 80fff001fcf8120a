"""Mail that nobody wrote to one: what a message says of itself (RFC 3834, RFC 2919, RFC 2369).

Two questions, for they part ways on a mailing list, where people write:

- *bulk*, sent to many: a List-Id, a List-Unsubscribe, or a Precedence of bulk, list or junk;
- *auto*, sent by a program: an Auto-Submitted other than ``no``, a Precedence of auto_reply, an
  X-Autoreply or X-Autorespond, or a sender who reads no answers (MAILER-DAEMON, no-reply). A
  Precedence of bulk or junk says so too, but behind a List-Id, where list servers put it on what
  people write.

A field that is there and empty says nothing.
"""

from __future__ import annotations

import re

from mailframe.headers.text import unfold

# What is read for this beside From, List-Id and the frame's own fields.
FIELDS = ("LIST-UNSUBSCRIBE", "PRECEDENCE", "AUTO-SUBMITTED", "X-AUTOREPLY", "X-AUTORESPOND")

_COMMENT = re.compile(rb"\([^()]*+\)")
_KEYWORD = re.compile(rb"[^\s;,]++")
_MANY = frozenset({b"bulk", b"list", b"junk"})
_MACHINE = frozenset({b"bulk", b"junk", b"auto_reply", b"auto-reply"})
_NO = frozenset({b"no", b"false", b"0"})

# An addr-spec whose mailbox nobody reads, in RE2's syntax: the words stand apart from other letters
# (``jobs-noreply@``, ``no.reply2@``; not ``casanoreply@``).
UNREAD_SENDER = (
    r"(?i)^(?:[^@]*[^a-z@])?(?:mailer-daemon|(?:no|do[-_.]?not|dont)[-_.]?repl(?:y|ies))"
    r"(?:[^a-z@][^@]*)?(?:@|$)"
)


def says_something(raw: bytes) -> bool:
    """Tell whether a field value is more than blanks."""
    return bool(raw.strip())


def to_many(precedence: bytes) -> bool:
    """Tell whether a Precedence value says that a message went to many."""
    return _keyword(precedence) in _MANY


def by_machine(precedence: bytes) -> bool:
    """Tell whether a Precedence value says that a program sent a message, but for lists."""
    return _keyword(precedence) in _MACHINE


def answers_itself(precedence: bytes) -> bool:
    """Tell whether a Precedence value is that of an automatic reply, on a list or not."""
    return _keyword(precedence) in _MACHINE - _MANY


def is_automatic(raw: bytes) -> bool:
    """Tell whether an Auto-Submitted (RFC 3834 section 5) or X-Autoreply value says so."""
    keyword = _keyword(raw)
    return bool(keyword) and keyword not in _NO


def _keyword(raw: bytes) -> bytes:
    """Return the first word in lower case, without the comments and parameters around it."""
    found = _KEYWORD.search(_COMMENT.sub(b" ", unfold(raw)))
    return found.group().lower() if found else b""
