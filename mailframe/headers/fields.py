"""A header block as a list of fields (RFC 5322 section 2.2, with its obsolete syntax).

Lines are told apart leniently and nothing raises: a line that is no field and continues none is
passed over, an empty line ends the block, and a block that has no LF ends its lines with CR.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Field(NamedTuple):
    """One field: its name as it stands there, and its value with all folds."""

    name: bytes
    value: bytes


# A name, blanks that obsolete syntax allows, a colon; then lines up to one that starts no fold.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:((?:[^\n]*+\n(?=[ \t]))*[^\n]*+)")
_OTHER = re.compile(rb"[^\n]*+\n?")
_END_OF_LINE = re.compile(rb"(?<!\r)\r++\n")


def unified(block: bytes) -> bytes:
    """Return the block with LF for every line end.

    A CR elsewhere is a control character of a value, unless no LF ends any line but the last.
    """
    if b"\r" not in block:
        return block
    lines = block.rstrip(b"\r\n")
    if b"\r" in lines and b"\n" not in lines:
        return lines.replace(b"\r", b"\n") + b"\n"
    return _END_OF_LINE.sub(b"\n", block)


def split(block: bytes) -> list[Field]:
    """Cut a header block into its fields.

    Parameters
    ----------
    block : bytes
        Everything up to the body, with any line ends.
    """
    block = unified(block)
    found = []
    position = 0
    while position < len(block):
        match = _FIELD.match(block, position)
        if match:
            found.append(Field(match[1], match[2]))
            position = match.end() + 1
            continue
        line = _OTHER.match(block, position)
        assert line is not None  # it matches anything
        if line.group() == b"\n":
            break
        position = line.end()
    return found


def rewritten(block: bytes) -> bytes:
    """Return a header block that holds the same fields and nothing else."""
    return b"".join(b"%b:%b\n" % field for field in split(block))
