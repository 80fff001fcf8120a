"""A header block as a list of fields (RFC 5322 section 2.2, with its obsolete syntax).

Lines are told apart leniently and nothing raises: a line that is no field and continues none is
passed over, an empty line ends the block, and a block that has no LF ends its lines with CR.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from mailframe.ground.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Container, Iterator


class Field(NamedTuple):
    """One field: its name as it stands there, and its value with all folds."""

    name: bytes
    value: bytes


# A name, blanks that obsolete syntax allows, a colon; then lines up to one that starts no fold.
_FIELD = compile_pattern(rb"([!-9;-~]++)[ \t]*+:((?:[^\n]*+\n(?=[ \t]))*+[^\n]*+)")
_OTHER = re.compile(rb"[^\n]*+\n?")
_END_OF_LINE = re.compile(rb"(?<!\r)\r++\n")


def unified(block: bytes) -> bytes:
    """Return the block with LF for every line end.

    A CR elsewhere is a control character of a value, unless no LF ends any line but the last.
    """
    if b"\r" not in block:
        return block
    lines = block.rstrip(b"\r\n")
    if b"\n" not in lines and (b"\r" in lines or b"\n" not in block):
        return lines.replace(b"\r", b"\n") + b"\n"
    return _END_OF_LINE.sub(b"\n", block)


def split(block: bytes) -> list[Field]:
    """Cut a header block into its fields.

    Parameters
    ----------
    block : bytes
        Everything up to the body, with any line ends.
    """
    return list(each(unified(block)))


def each(block: bytes) -> Iterator[Field]:
    """Give the fields of a block whose lines end in LF, one by one."""
    position = 0
    while position < len(block):
        match = _FIELD.match(block, position)
        if match:
            yield Field(match[1], match[2])
            position = match.end() + 1
            continue
        line = _OTHER.match(block, position)
        assert line is not None  # it matches anything
        if line.group() == b"\n":
            break
        position = line.end()


def reduced(block: bytes, names: Container[bytes], most: int) -> tuple[bytes, int]:
    """Return what a huge header block says in the fields that are read, and how many it has.

    The fields are put on one line each. Whatever else there is, millions of other fields or of
    folds, costs no memory from here on.

    Parameters
    ----------
    names : container of bytes
        The fields to keep, in upper case.
    most : int
        How many of each name.
    """
    counts: Counter[bytes] = Counter()
    kept = []
    total = 0
    # The common line end first: it is found without a list of all places.
    for name, value in each(unified(block.replace(b"\r\n", b"\n"))):
        total += 1
        upper = name.upper()
        if upper in names and counts[upper] < most:
            counts[upper] += 1
            kept.append(b"%b:%b\n" % (name, value.replace(b"\n", b"")))
    return b"".join(kept) + b"\n", total


def rewritten(block: bytes) -> bytes:
    """Return a header block that holds the same fields and nothing else."""
    return b"".join(b"%b:%b\n" % field for field in split(block))
