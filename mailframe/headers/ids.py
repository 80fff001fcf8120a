"""Message ids: the MessageIds form of RFC 8621 section 4.1.2.5 on RFC 5322 section 3.6.4.

What stands between ``<`` and ``>`` is an id, whatever stands around it: obsolete syntax lets
phrases and comments in. Where no bracket is found, bare words are ids if each has an ``@``, and so
is a single word; otherwise it is a sentence, which may well name an address. Some programs encode
what is long or odd, ids included (RFC 2047 section 5 forbids it): that is undone first.
"""

from __future__ import annotations

import re

from mailframe.ground.patterns import compile_pattern
from mailframe.headers.text import clean, decoded_words, unfold

_ID = re.compile(rb"<([^<>]*+)>")
# A quoted string keeps its blanks; elsewhere they come from folding and belong to nothing.
_BLANK = compile_pattern(rb'("(?:[^"\\]++|\\.)*+"?)|[ \t]++')
# A comment in an id's domain, or beside blanks (RFC 5322 appendix A.6.3); elsewhere brackets are
# what the sender made the id of.
_COMMENT = compile_pattern(rb"(?<=[^ \t])\([^()\\@]*+\)(?=[ \t])|(?<=[ \t])\([^()\\@]*+\)(?=.)")
_COMMENT_IN_DOMAIN = compile_pattern(rb"\([^()\\@]*+\)")
_BARE = re.compile(rb"[^\s<>,;()\"]++")


def message_ids(raw: bytes) -> tuple[list[str], bool]:
    """Read every message id in a field value.

    Parameters
    ----------
    raw : bytes
        The value of Message-ID, In-Reply-To or References, folds included.

    Returns
    -------
    list of str, bool
        The ids without their brackets, in order, and whether the value was malformed: brackets
        missing, blanks or control characters inside an id, an id without content.
    """
    value, mended = decoded_words(unfold(raw))
    found = _ID.findall(value)
    if found:
        mended |= value.count(b"<") != len(found) or value.count(b">") != len(found)
    else:
        words = _BARE.findall(value)
        found = words if len(words) == 1 or all(b"@" in word for word in words) else []
        mended |= bool(found) or b"<" in value
    ids = []
    for each in found:
        text, odd = _id_text(each)
        mended |= odd
        if text:
            ids.append(text)
    return ids, mended


def message_id(raw: bytes) -> tuple[str | None, bool]:
    """Read the one id of a Message-ID field; None where there is none.

    A value without any bracket or ``@`` is still what the sender calls the message.
    """
    ids, mended = message_ids(raw)
    value, _ = decoded_words(unfold(raw))
    if ids:
        rest = _ID.sub(b"", value, count=1)
        return ids[0], mended or bool(rest.strip(b" \t"))
    text, _ = _id_text(value.strip(b"<> \t"))
    return text or None, True


def parent_id(raw: bytes) -> tuple[str | None, bool]:
    """Read the id that In-Reply-To answers; None where it holds only a sentence.

    After a phrase such as ``Message from A <a@example.org> of "Wed" <id@host>`` the last bracket is
    the id; in a plain list of ids the first one is.
    """
    ids, mended = message_ids(raw)
    if not ids:
        return None, mended
    has_phrase = not decoded_words(unfold(raw))[0].startswith(b"<")
    return ids[-1 if has_phrase else 0], mended


def list_id(raw: bytes) -> tuple[str | None, bool]:
    """Read the identifier of a List-Id field (RFC 2919): the last bracket, else a bare word."""
    value, encoded = decoded_words(unfold(raw))
    found = _ID.findall(value)
    if found:
        text, mended = _id_text(found[-1])
        # A description may be encoded, an identifier may not.
        return text or None, mended or not text or (encoded and not _ID.search(raw))
    word = value.strip(b"<> \t")
    if b" " in word or not word:
        return None, bool(word)
    text, _ = _id_text(word)
    return text or None, True


def _id_text(raw: bytes) -> tuple[str, bool]:
    """Decode one id, without the blanks and comments that folding put in."""
    joined = _without_comments(raw) if b"(" in raw else raw
    if b" " in joined or b"\t" in joined:
        quoted = b'"' in joined
        joined = _BLANK.sub(rb"\1", joined) if quoted else joined.translate(None, b" \t")
    text, mended = clean(joined.decode("utf-8", "replace"))
    return text, mended or joined != raw or not text or "\ufffd" in text


def _without_comments(raw: bytes) -> bytes:
    left, at, domain = raw.rpartition(b"@")
    if b"[" not in domain and b'"' not in domain:
        domain = _COMMENT_IN_DOMAIN.sub(b"", domain)
    if b'"' not in left:
        left = _COMMENT.sub(b"", left)
    return left + at + domain if at and domain else raw
