"""Rows of several folders on their way into one record batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailframe.fetcher.plan import Part

# A batch is closed at so many rows, or so many octets of headers: enough for whole-column work to
# pay, little enough that the last batch does not keep a reader waiting.
BATCH_ROWS = 8_192
BATCH_OCTETS = 16 << 20
# What an idle builder starts with, so that little is left to do after the last octet arrives.
IDLE_ROWS = 2_048


@dataclass(slots=True)
class Gathered:
    """Column lists, as `mailframe.frame.batch.BatchBuilder` takes them."""

    folders: list[tuple[str, int]] = field(default_factory=list)
    uid: list[int] = field(default_factory=list)
    flags: list[bytes] = field(default_factory=list)
    internaldate: list[bytes] = field(default_factory=list)
    size: list[bytes] = field(default_factory=list)
    header: list[bytes] = field(default_factory=list)
    octets: int = 0

    def add(self, part: Part) -> None:
        """Append the rows of a folder."""
        rows = part.rows
        if not rows.uid:
            return
        self.folders.append((part.folder.name, len(rows)))
        self.uid += rows.uid
        self.flags += rows.flags
        self.internaldate += rows.internaldate
        self.size += rows.size
        self.header += rows.header
        self.octets += part.octets

    @property
    def worthwhile(self) -> bool:
        """Whether it pays to build these rows rather than to wait for more."""
        return len(self.uid) >= IDLE_ROWS

    @property
    def full(self) -> bool:
        """Whether a batch should be made of it now."""
        return len(self.uid) >= BATCH_ROWS or self.octets >= BATCH_OCTETS
