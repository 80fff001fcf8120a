"""Threads as rows: each stands for those of its messages that the filters leave.

A thread is what ``df.mail.threads()`` calls one. Its row is that of the newest message left, so
whatever works on a row (open it, tick it, the one above it) works on a thread. Everything is
counted over the codes of ``stats/threads.py``: some passes over a million rows, no sort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mailframe.stats import threads
from mailframe.widgets import cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.search.filterable import Bools, Columns

    Ints = NDArray[np.int64]

MOST_PEOPLE = 4  # named in a row; the others are counted


class Conversations:
    """The threads of a frame.

    Parameters
    ----------
    columns : Columns
        The mail; its threads are worked out here, and once.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        found = threads.threaded(columns.df, columns.trees())
        self.of = found.thread
        self._total = int(self.of.max(initial=-1)) + 1
        self._node = found.trees.node
        self._nodes = len(found.trees.parent)
        self._thread_of_node = np.zeros(self._nodes, dtype=np.int64)
        self._thread_of_node[self._node] = self.of
        self._sorted = np.argsort(self.of, kind="stable")
        self._starts = np.searchsorted(self.of[self._sorted], np.arange(self._total + 1))

    def newest(self, mask: Bools, by_date: Ints) -> Bools:
        """Mark the row that stands for each thread, given all rows in order of their dates."""
        last = self._last(by_date[mask[by_date]])
        chosen = np.zeros(len(mask), dtype=bool)
        chosen[last[last >= 0]] = True
        return chosen

    def oldest(self, mask: Bools, by_date: Ints) -> Ints:
        """Give the first row of its thread that the filters leave, for each row; -1 for none."""
        return self._last(by_date[mask[by_date]][::-1])[self.of]

    def _last(self, rows: Ints) -> Ints:
        last = np.full(self._total, -1, dtype=np.int64)
        last[self.of[rows]] = rows  # a later row writes over an earlier one
        return last

    def counts(self, mask: Bools) -> Ints:
        """How many messages of its thread the filters leave, for each row; a copy counts once."""
        left = np.zeros(self._nodes, dtype=bool)
        left[self._node[mask]] = True
        return np.bincount(self._thread_of_node[left], minlength=self._total)[self.of]

    def sizes(self, mask: Bools) -> Ints:
        """Octets of all that the filters leave of its thread, for each row."""
        octets = np.maximum(self._columns.numbers("size"), 0)
        sums = np.bincount(self.of[mask], weights=octets[mask], minlength=self._total)
        return sums.astype(np.int64)[self.of]

    def members(self, row: int, mask: Bools) -> Ints:
        """Rows of the thread that ``row`` belongs to, of those in ``mask``, the oldest first."""
        thread = self.of[row]
        rows = self._sorted[self._starts[thread] : self._starts[thread + 1]]
        rows = rows[mask[rows]]
        return rows[np.argsort(self._columns.instants()[rows], kind="stable")]


class Row(NamedTuple):
    """What a thread's row says in the place of what a message's would say."""

    rows: Ints
    cells: dict[str, str]


def told(columns: Columns, conversations: Conversations, row: int, mask: Bools) -> Row:
    """Sum the thread of ``row`` up."""
    rows = conversations.members(row, mask)
    codes = columns.coded("from_addr").codes[rows]
    names = columns.people().iloc[list(dict.fromkeys(codes[codes >= 0].tolist()))].tolist()
    more = len(names) - MOST_PEOPLE
    folders = columns.coded("folder")
    kept = list(dict.fromkeys(folders.words.iloc[folders.codes[rows]].tolist()))
    octets = np.maximum(columns.numbers("size")[rows], 0).sum()
    return Row(
        rows,
        {
            "from": ", ".join(names[:MOST_PEOPLE]) + (f" and {more} more" if more > 0 else ""),
            "subject": cells.written("subject", columns, rows[:1])[0],
            "folder": ", ".join(kept),
            "size": cells.size_of(int(octets)),
        },
    )
