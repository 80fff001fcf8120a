"""What a FETCH tells of a message beside its header: BODYSTRUCTURE, Gmail's items, OBJECTID.

Such items are asked for in a FETCH of their own, and are kept as one text: literals are written
into it as quoted strings, and nothing of it but the UID is read before a batch of rows is made. So
the worst of it costs the cells that it fills, and no row.

Sources: RFC 9051 section 7.5.2, RFC 8474 (OBJECTID), RFC 8514 (SAVEDATE), RFC 8970 (PREVIEW), and
Google's IMAP extensions (X-GM-EXT-1).
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from mailframe.ground.patterns import compile_pattern
from mailframe.imap.grammar import Value, as_number, parse_values

if TYPE_CHECKING:
    from collections.abc import Sequence

# Octets of one message's items that are read: values take thirty times their octets meanwhile.
LONGEST = 4 << 20
# No parenthesis in such a text is too deep.
_ANY_DEPTH = LONGEST

STRUCTURE = b"BODYSTRUCTURE"
_GMAIL = (b"X-GM-MSGID", b"X-GM-THRID", b"X-GM-LABELS")
NAMES = frozenset({STRUCTURE, *_GMAIL, b"EMAILID", b"THREADID", b"SAVEDATE", b"PREVIEW"})

# Where the first of them stands, and a UID before it or behind the last; Domino puts items into
# parentheses.
_FIRST = compile_pattern(
    rb"(?:[ ()]|UID (\d{1,10})(?=[ )])|FLAGS \([^()\"]*+\)|MODSEQ \(\d{1,20}\))*+"
    rb"(?:" + b"|".join(map(re.escape, sorted(NAMES))) + rb")(?=[ (])",
    re.IGNORECASE,
)
_LAST = re.compile(
    rb"[ (]UID (\d{1,10})(?: FLAGS \([^()\"]*\)| MODSEQ \(\d{1,20}\))*[ )]*\Z", re.IGNORECASE
)
_LONGEST_END = 1 << 10
_AFTER_LITERAL = {b" ", b")", b""}


def tells_beside(text: bytes) -> re.Match[bytes] | None:
    """Tell whether what follows FETCH begins with items that are asked for beside a header."""
    return _FIRST.match(text)


def beside(
    first: re.Match[bytes], texts: Sequence[bytes], literals: Sequence[bytes]
) -> tuple[int | None, bytes]:
    """Give the UID of such a response, and all of its items as one text."""
    text = _with_literals(texts, literals)
    if first[1]:
        return int(first[1]), text
    last = _LAST.search(text[-_LONGEST_END:])
    if last:
        return int(last[1]), text
    uid = read_items(text).get(b"UID")
    return (None if uid is None else as_number(uid)), text


def _with_literals(texts: Sequence[bytes], literals: Sequence[bytes]) -> bytes:
    """Write literals as quoted strings; nothing, where one of them was cut short or too long."""
    if not all(text[:1] in _AFTER_LITERAL for text in texts[1:]):
        return b""
    pieces = [texts[0]]
    for literal, text in zip(literals, texts[1:], strict=True):
        escaped = literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        pieces += [b'"', escaped, b'"', text]
    return b"".join(pieces)


def read_items(text: bytes) -> dict[bytes, Value]:
    """Read items: names in upper case, and values; empty where the text makes no sense."""
    if len(text) > LONGEST:
        return {}
    try:
        values = parse_values((text,), max_depth=_ANY_DEPTH)
    except ValueError:
        return {}
    items: dict[bytes, Value] = {}
    left = deque(values)
    while left:
        name = left.popleft()
        if isinstance(name, list):
            left.extendleft(reversed(name))
        elif left:
            items.setdefault(name.upper(), left.popleft())
    return items
