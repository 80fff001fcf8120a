"""The table of messages or threads: itables' widget, fed one page at a time.

itables sends the whole of a frame to the browser and sorts it there, which ends at some thousand
rows. Here the browser names the page and the order that it wants (trait ``request``) and gets
those rows only (trait ``page``), so a million messages cost the browser no more than fifteen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import itables.widget
import numpy as np
import pandas as pd
import traitlets

from mailframe.charts import tallies
from mailframe.widgets import assets, cells, conversations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.charts.tallies import Periods
    from mailframe.search.filterable import Bools, Columns
    from mailframe.widgets.conversations import Conversations

LEGEND = "• unread  ★ flagged  ↩ answered"
PAGE = 12
MOST_ROWS = 500  # what a browser may ask for at once
# Columns that no choice takes away: the marks, and of threads how many messages each has.
MARKS, MESSAGES = "marks", "messages"


class MailTable(itables.widget.ITable):
    """Messages, newest first, to be sorted and paged; or threads.

    Parameters
    ----------
    columns : Columns
        The mail.
    periods : Periods
        The stretches of time that the heading of the dates draws.

    Attributes
    ----------
    request : dict
        What the browser wants to see: ``draw``, ``start``, ``length``, ``column``, ``descending``.
    page : dict
        The rows it gets, as text, and how many there are.
    shown : list of str
        The columns that are seen.
    grouped : bool
        Whether a row is a thread.
    widths : dict
        Name of a column → its width in pixels, where somebody drew it wider or narrower.
    drawn : dict
        Name of a column → counts that its heading draws as small bars.
    opened : int
        Row number in the frame of the message that was clicked; -1 for none.
    checked : list of int
        Row numbers in the frame of the messages that are ticked, in the order of the ticks.
    """

    _esm = assets.table_module(  # type: ignore[assignment]  # a text, where itables has a file
        Path(itables.widget.__file__).parent / "static" / "widget.js"
    )

    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    headings = traitlets.Dict().tag(sync=True)
    shown = traitlets.List(traitlets.Unicode(), list(cells.FIRST)).tag(sync=True)
    grouped = traitlets.Bool().tag(sync=True)
    widths = traitlets.Dict().tag(sync=True)
    drawn = traitlets.Dict().tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    page = traitlets.Dict().tag(sync=True)
    revision = traitlets.Int().tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)
    checked = traitlets.List(traitlets.Int()).tag(sync=True)
    legend = traitlets.Unicode(LEGEND, read_only=True).tag(sync=True)

    def __init__(self, columns: Columns, periods: Periods) -> None:
        offered = cells.offered(columns)
        placed = [MARKS, *offered]
        placed.insert(placed.index("subject") + 1, MESSAGES)
        headings = {MARKS: "", **offered, "date": f"Date, {columns.place}", MESSAGES: "Messages"}
        super().__init__(
            pd.DataFrame(columns=[headings[name] for name in placed], dtype=str),
            classes="display compact mf-table",
            style="width:100%",
            showIndex=False,
            paging=True,
            autoWidth=False,
            text_in_header_can_be_selected=False,  # a click anywhere on a heading sorts
            pageLength=PAGE,
            lengthMenu=[PAGE, 25, 50, 100],
            order=[[placed.index("date"), "desc"]],
            columnDefs=[{"orderable": False, "targets": 0}],
            language={
                "info": "_START_ to _END_ of _TOTAL_",
                "infoEmpty": "",
                "infoFiltered": "",
                "emptyTable": "No messages",
                "zeroRecords": "No messages",
                "lengthMenu": "_MENU_ a page",
            },
            layout={
                "topStart": None,
                "topEnd": None,
                "bottomStart": {"info": {}, "pageLength": {}},
                "bottomEnd": "paging",
            },
        )
        self.columns, self.headings = placed, offered
        self._mail = columns
        self._periods = periods
        self._mask = np.ones(len(columns), dtype=bool)
        self._threads: Conversations | None = None
        self._orders: dict[str, NDArray[np.int64]] = {}
        self._bins: NDArray[np.int32] | None = None
        self._ticking = False
        self.observe(self._answer, "request")
        self.observe(self._tick, "checked")
        self.observe(self._renew, ["shown", "grouped"])

    def show(self, mask: Bools) -> None:
        """Show the rows of ``mask``, from the first page on."""
        self._mask = mask
        self._renew()

    def _renew(self, _change: object = None) -> None:
        self.drawn = self._draw()
        self.revision += 1  # the browser asks for its page again

    def _draw(self) -> dict[str, list[int]]:
        """Count what the headings of dates and sizes draw."""
        if self._bins is None:
            edges = np.asarray(tallies.SIZES[1:])
            sizes = self._mail.numbers("size")
            self._bins = np.where(sizes < 0, -1, np.searchsorted(edges, sizes, "right"))
            self._bins = self._bins.astype(np.int32)
        return {
            "date": tallies.count(
                self._periods.codes, len(self._periods.labels), self._mask
            ).tolist(),
            "size": tallies.count(self._bins, len(tallies.SIZES), self._mask).tolist(),
        }

    def _answer(self, _change: object = None) -> None:
        wish = self.request
        start = max(int(wish.get("start", 0)), 0)
        length = min(max(int(wish.get("length", PAGE)), 1), MOST_ROWS)
        rows = self._wished()
        self.page = {
            "draw": wish.get("draw", 0),
            "total": len(self._mail),
            "filtered": len(rows),
            "rows": self.lines(rows[start : start + length]),
        }

    def _wished(self) -> NDArray[np.int64]:
        wish = self.request
        return self.rows(str(wish.get("column") or "date"), descending=wish.get("descending", True))

    def beside(self, row: int, step: int) -> int:
        """Row number of the message ``step`` further down in what is shown; -1 past its ends."""
        rows = self._wished()
        same = rows == row
        if self.grouped:  # of a thread another message may be open
            same = self.threads.of[rows] == self.threads.of[row]
        at = np.flatnonzero(same)
        if not len(at) or not 0 <= at[0] + step < len(rows):
            return -1
        return int(rows[at[0] + step])

    @property
    def threads(self) -> Conversations:
        """The threads of the mail."""
        if self._threads is None:
            self._threads = conversations.Conversations(self._mail)
        return self._threads

    def rows(self, column: str, *, descending: bool) -> NDArray[np.int64]:
        """Row numbers of what is shown, all of it, ordered by ``column``."""
        mask = self._mask
        if self.grouped:
            mask = self.threads.newest(mask, self._order("date"))
        if self.grouped and column in (MESSAGES, "size", "from", "subject"):
            chosen = np.flatnonzero(mask)
            ascending = chosen[np.argsort(self._of_threads(column)[chosen], kind="stable")]
        else:
            ascending = self._order(column if column in self.headings else "date")
            ascending = ascending[mask[ascending]]
        return ascending[::-1] if descending else ascending

    def _of_threads(self, column: str) -> NDArray[Any]:
        """Give by what threads are sorted where their row says other than its newest message."""
        if column == MESSAGES:
            return self.threads.counts(self._mask)
        if column == "size":
            return self.threads.sizes(self._mask)
        first = self.threads.oldest(self._mask, self._order("date"))
        return cells.key(column, self._mail)[first]

    def _order(self, column: str) -> NDArray[np.int64]:
        if column not in self._orders:
            self._orders[column] = np.argsort(cells.key(column, self._mail), kind="stable")
        return self._orders[column]

    def lines(self, rows: NDArray[np.int64]) -> list[list[str | int]]:
        """Write the rows numbered ``rows`` as the browser shows them.

        Each line ends with the row's number in the frame and with 1 where something is unread.
        """
        written = {name: cells.written(name, self._mail, rows) for name in self.shown}
        parts = [rows[at : at + 1] for at in range(len(rows))]
        if self.grouped:
            told = [conversations.told(self._mail, self.threads, row, self._mask) for row in rows]
            parts = [each.rows for each in told]
            written |= {
                name: [each.cells[name] for each in told]
                for name in ("from", "subject", "folder", "size")
                if name in self.shown
            }
            counts = self.threads.counts(self._mask)[rows]
            written[MESSAGES] = [f"{count:,}" for count in counts.tolist()]
        flags = {
            name: [bool(self._mail.flag(name)[part].any()) for part in parts]
            for name in ("flagged", "answered")
        }
        unread = [not self._mail.flag("seen")[part].all() for part in parts]
        marks = zip(unread, flags["flagged"], flags["answered"], strict=True)
        written[MARKS] = [
            f"{'•' if new else ''}{'★' if flagged else ''}{'↩' if answered else ''}"
            for new, flagged, answered in marks
        ]
        blank = [""] * len(rows)
        shown: list[list[Any]] = [written.get(name, blank) for name in self.columns]
        lines = zip(*shown, rows.tolist(), map(int, unread), strict=True)
        return [list(line) for line in lines]

    def _tick(self, change: dict[str, Any]) -> None:
        """With the row of a thread, all its messages that are left are ticked, or none."""
        if not self.grouped or self._ticking:
            return
        before, after = set(change["old"]), set(change["new"])
        checked = dict.fromkeys(change["new"])
        for row in before ^ after:
            for member in self.threads.members(row, self._mask).tolist():
                if row in after:
                    checked[member] = None
                else:
                    checked.pop(member, None)
        self._ticking = True
        try:
            self.checked = list(checked)
        finally:
            self._ticking = False
