"""Flags of MH folders: ``.mh_sequences`` names sets of message numbers (nmh, mh-sequence(5)).

``unseen`` is what nmh, Mutt and the standard library call the unread; ``replied`` and ``flagged``
are the standard library's and Mutt's. Other names are keywords, but for ``cur``, which is where
somebody reads.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from typing import NamedTuple

from mailframe.sources.files import open_file

_LINE = re.compile(rb"([^\s:]+):((?:[ \t]*[0-9]+(?:-[0-9]+)?)*)[ \t]*")
_RANGE = re.compile(rb"([0-9]{1,18})(?:-([0-9]{1,18}))?(?![0-9])")
_NAMES = {b"replied": rb"\Answered", b"flagged": rb"\Flagged"}
_UNSEEN, _CURRENT = b"unseen", b"cur"
_LONGEST = 1 << 24  # octets: more than a folder of a million scattered messages needs


class Ranges(NamedTuple):
    """Sets of numbers, in ascending order and apart."""

    firsts: list[int]
    lasts: list[int]

    def hold(self, number: int) -> bool:
        """Tell whether a number is in one."""
        at = bisect_right(self.firsts, number) - 1
        return at >= 0 and number <= self.lasts[at]


class Sequences:
    """The sequences of the folder that is being read."""

    def __init__(self) -> None:
        self._folder = ""
        self._ranges: dict[bytes, Ranges] | None = None

    def joined(self, path: str, flags: bytes) -> bytes:
        """Add to a message's flags what its folder's sequences tell of it."""
        folder, name = os.path.split(path)
        if folder != self._folder:
            self._folder, self._ranges = folder, _read(folder)
        if self._ranges is None or not name.isascii() or not name.isdigit():
            return flags
        number = int(name[-18:])
        inside = [sequence for sequence, ranges in self._ranges.items() if ranges.hold(number)]
        told = [] if _UNSEEN in inside else [rb"\Seen"]
        told += [_NAMES.get(sequence, sequence) for sequence in inside if sequence != _UNSEEN]
        return b" ".join(dict.fromkeys([*flags.split(), *told]))


def _read(folder: str) -> dict[bytes, Ranges] | None:
    try:
        with open_file(os.path.join(folder, ".mh_sequences")) as stream:  # noqa: PTH118 -- a Path costs more
            lines = stream.read(_LONGEST).splitlines()
    except OSError:
        return None
    matches = (match for match in map(_LINE.fullmatch, lines) if match)
    return {match[1]: _ranges(match[2]) for match in matches if match[1] != _CURRENT}


def _ranges(value: bytes) -> Ranges:
    ranges = Ranges([], [])
    for first, last in sorted((int(a), int(b or a)) for a, b in _RANGE.findall(value)):
        if ranges.lasts and first <= ranges.lasts[-1]:
            ranges.lasts[-1] = max(last, ranges.lasts[-1])
        else:
            ranges.firsts.append(first)
            ranges.lasts.append(last)
    return ranges
