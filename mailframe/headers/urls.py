"""The URLs form of RFC 8621 section 4.1.2.7: what the List-* fields of RFC 2369 hold."""

from __future__ import annotations

import re

from mailframe.headers.dates import without_comments
from mailframe.headers.text import clean, decoded_words, unfold

_URL = re.compile(rb"<([^<>]*+)>")
_BLANK = re.compile(rb"[ \t]++")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:")


def urls(raw: bytes) -> tuple[list[str], bool]:
    """Read the URLs between angle brackets, in order of preference.

    Returns
    -------
    list of str, bool
        The URLs, and whether the value was malformed: no brackets around a URL, or no URL in them.
        The word ``NO`` (RFC 2369 section 3.4) stands for none.
    """
    value, mended = decoded_words(unfold(raw))
    found = _URL.findall(value)
    if not found:
        found = [word for word in value.replace(b",", b" ").split() if b":" in word]
        mended |= bool(found) or without_comments(value).strip(b" \t").upper() not in {b"", b"NO"}
    kept = []
    for each in found:
        url, odd = clean(_BLANK.sub(b"", each).decode("utf-8", "replace"))
        mended |= odd
        if _SCHEME.match(url):
            kept.append(url)
        else:
            mended = True
    return kept, mended
