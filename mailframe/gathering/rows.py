"""Rows of several folders on their way into one record batch, joined with what is told beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mailframe.fetcher.schedule import Ask, Folder, Part
    from mailframe.imap.responses import Columns

# A batch is closed at so many rows, or so many octets of headers: enough for whole-column work to
# pay, little enough that the last batch does not keep a reader waiting.
BATCH_ROWS = 8_192
BATCH_OCTETS = 16 << 20
# What an idle builder starts with, so that little is left to do after the last octet arrives.
IDLE_ROWS = 2_048


@dataclass(slots=True)
class Gathered:
    """Column lists, as `mailframe.frame.batch.BatchBuilder` takes them.

    Parameters
    ----------
    beside : dict
        Lists of what is told beside each row, by what it is; one that is not told is empty.
    """

    folders: list[tuple[str, int]] = field(default_factory=list)
    uid: list[int] = field(default_factory=list)
    flags: list[bytes] = field(default_factory=list)
    internaldate: list[bytes] = field(default_factory=list)
    size: list[bytes] = field(default_factory=list)
    header: list[bytes] = field(default_factory=list)
    octets: int = 0
    beside: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, folder: str, rows: Columns) -> None:
        """Append the rows of a folder."""
        if not rows.uid:
            return
        self.folders.append((folder, len(rows)))
        self.uid += rows.uid
        self.flags += rows.flags
        self.internaldate += rows.internaldate
        self.size += rows.size
        self.header += rows.header
        self.octets += rows.octets

    def add_beside(self, name: str, told: Sequence[bytes]) -> None:
        """Append what is told beside the rows that were added last."""
        self.beside.setdefault(name, []).extend(told)
        self.octets += sum(map(len, told))

    @property
    def worthwhile(self) -> bool:
        """Whether it pays to build these rows rather than to wait for more."""
        return len(self.uid) >= IDLE_ROWS

    @property
    def full(self) -> bool:
        """Whether a batch should be made of it now."""
        return len(self.uid) >= BATCH_ROWS or self.octets >= BATCH_OCTETS


@dataclass(slots=True, eq=False)
class _Waiting:
    """Rows, and how many things are still to be told beside them."""

    rows: Columns
    due: int


class Joiner:
    """Rows of one folder that wait for what is told beside them in responses of their own.

    Each comes in any order and in parts of any size. What never comes is not waited for longer
    than until the folder is closed, or the server is known not to tell it.

    Parameters
    ----------
    names : sequence of str
        What is told beside each row.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._told: dict[str, dict[int, bytes]] = {name: {} for name in names}
        self._due: dict[str, dict[int, _Waiting]] = {name: {} for name in names}
        self._waiting: dict[int, _Waiting] = {}  # by their identity, oldest first
        self._mute: set[str] = set()

    def rows(self, rows: Columns) -> Iterator[Columns]:
        """Take rows; give those that lack nothing any more."""
        waiting = _Waiting(rows, 0)
        for name, told in self._told.items():
            if name in self._mute:
                continue
            missing = [uid for uid in rows.uid if uid not in told]
            self._due[name].update(dict.fromkeys(missing, waiting))
            waiting.due += len(missing)
        if waiting.due:
            self._waiting[id(waiting)] = waiting
        else:
            yield rows

    def beside(self, name: str, rows: Columns) -> Iterator[Columns]:
        """Take what is told beside rows; give those that lack nothing any more."""
        due = self._due[name]
        self._told[name].update(zip(rows.uid, rows.beside, strict=True))
        for uid in rows.uid:
            waiting = due.pop(uid, None)
            if waiting is None:
                continue
            waiting.due -= 1
            if not waiting.due:
                del self._waiting[id(waiting)]
                yield waiting.rows

    def mute(self, name: str) -> Iterator[Columns]:
        """Wait for something no more; give the rows that waited for nothing else."""
        self._mute.add(name)
        due, self._due[name] = self._due[name], {}
        for waiting in due.values():
            waiting.due -= 1
            if not waiting.due:
                del self._waiting[id(waiting)]
                yield waiting.rows

    def close(self) -> Iterator[Columns]:
        """Give all rows that are left."""
        waiting, self._waiting = self._waiting, {}
        for due in self._due.values():
            due.clear()
        for one in waiting.values():
            yield one.rows

    def told(self, name: str, rows: Columns) -> list[bytes]:
        """Hand over what was told beside rows that were given."""
        told = self._told[name]
        return [told.pop(uid, b"") for uid in rows.uid]


class Gathering:
    """What a pool hands on, gathered for batches: rows wait for what is told beside them.

    Parameters
    ----------
    asks : mapping
        From what is asked beside rows to what its answers are called.
    names : sequence of str
        All that is told beside rows; of what is not asked, nothing is.
    """

    def __init__(self, asks: Mapping[Ask, str], names: Sequence[str]) -> None:
        self.rows = Gathered()
        self._asks = asks
        self._names = names
        self._joiners: dict[bytes, Joiner] = {}

    def take(self) -> Gathered:
        """Hand over what is ready, and begin anew."""
        rows, self.rows = self.rows, Gathered()
        return rows

    def forget(self, folder: Folder) -> None:
        """Drop what waits of a folder that was replaced."""
        self._joiners.pop(folder.wire, None)

    def add(self, part: Part) -> None:
        """Take what a pool hands on."""
        if not self._asks:
            self._add(part.folder, part.rows, None)
            return
        joiner = self._joiners.setdefault(part.folder.wire, Joiner([*self._asks.values()]))
        for rows in self._ready(part, joiner):
            self._add(part.folder, rows, joiner)
        if part.closed and part.ask is None:
            self.forget(part.folder)

    def _ready(self, part: Part, joiner: Joiner) -> Iterator[Columns]:
        if part.ask is None:
            return joiner.close() if part.closed else joiner.rows(part.rows)
        name = self._asks[part.ask]
        return joiner.mute(name) if part.closed else joiner.beside(name, part.rows)

    def _add(self, folder: Folder, rows: Columns, joiner: Joiner | None) -> None:
        if not rows.uid:
            return
        self.rows.add(folder.name, rows)
        for name in self._names:
            asked = name in self._asks.values()
            told = joiner.told(name, rows) if joiner and asked else [b""] * len(rows)
            self.rows.add_beside(name, told)
