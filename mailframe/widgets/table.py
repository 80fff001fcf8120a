"""The table of messages: itables' widget, fed one page at a time.

itables sends the whole of a frame to the browser and sorts it there, which ends at some thousand
rows. Here the browser names the page and the order that it wants (trait ``request``) and gets
those rows only (trait ``page``), so a million messages cost the browser no more than fifteen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import itables.widget
import numpy as np
import pandas as pd
import traitlets

from mailframe.search.values import human_size
from mailframe.widgets import assets

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mailframe.search.filterable import Bools, Columns

HEADINGS = {
    "marks": "",
    "date": "Date",
    "from": "From",
    "subject": "Subject",
    "folder": "Folder",
    "size": "Size",
}
LEGEND = "• unread  ★ flagged  ↩ answered"
PAGE = 12
MOST_ROWS = 500  # what a browser may ask for at once


class MailTable(itables.widget.ITable):
    """Messages, newest first, to be sorted and paged.

    Parameters
    ----------
    columns : Columns
        The mail.

    Attributes
    ----------
    request : dict
        What the browser wants to see: ``draw``, ``start``, ``length``, ``column``, ``descending``.
    page : dict
        The rows it gets, as text, and how many there are.
    opened : int
        Row number in the frame of the message that was clicked; -1 for none.
    checked : list of int
        Row numbers in the frame of the messages that are ticked, in the order of the ticks.
    """

    _esm = assets.table_module(  # type: ignore[assignment]  # a text, where itables has a file
        Path(itables.widget.__file__).parent / "static" / "widget.js"
    )

    columns = traitlets.List(list(HEADINGS)).tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    page = traitlets.Dict().tag(sync=True)
    revision = traitlets.Int().tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)
    checked = traitlets.List(traitlets.Int()).tag(sync=True)
    legend = traitlets.Unicode(LEGEND, read_only=True).tag(sync=True)

    def __init__(self, columns: Columns) -> None:
        headings = HEADINGS | {"date": f"Date, {columns.place}"}
        super().__init__(
            pd.DataFrame(columns=list(headings.values()), dtype=str),
            classes="display compact mf-table",
            style="width:100%",
            showIndex=False,
            paging=True,
            autoWidth=False,
            text_in_header_can_be_selected=False,  # a click anywhere on a heading sorts
            pageLength=PAGE,
            lengthMenu=[PAGE, 25, 50, 100],
            order=[[1, "desc"]],
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
        self._mail = columns
        self._mask = np.ones(len(columns), dtype=bool)
        self._sorted: NDArray[np.int64] | None = None
        self._orders: dict[str, NDArray[np.int64]] = {}
        self.observe(self._answer, "request")

    def show(self, mask: Bools) -> None:
        """Show the rows of ``mask``, from the first page on."""
        self._mask = mask
        self._sorted = None
        self.revision += 1  # the browser asks for its page again

    def _answer(self, _change: object = None) -> None:
        wish = self.request
        start = max(int(wish.get("start", 0)), 0)
        length = min(max(int(wish.get("length", PAGE)), 1), MOST_ROWS)
        rows = self.rows(str(wish.get("column") or "date"), descending=wish.get("descending", True))
        shown = rows[start : start + length]
        self.page = {
            "draw": wish.get("draw", 0),
            "total": len(self._mail),
            "filtered": len(rows),
            "rows": cells(self._mail, shown),
        }

    def beside(self, row: int, step: int) -> int:
        """Row number of the message ``step`` further down in what is shown; -1 past its ends."""
        wish = self.request
        rows = self.rows(str(wish.get("column") or "date"), descending=wish.get("descending", True))
        at = np.flatnonzero(rows == row)
        if not len(at) or not 0 <= at[0] + step < len(rows):
            return -1
        return int(rows[at[0] + step])

    def rows(self, column: str, *, descending: bool) -> NDArray[np.int64]:
        """Row numbers of what is shown, all of it, ordered by ``column``."""
        ascending = self._order(column if column in _KEYS else "date")
        order = ascending[::-1] if descending else ascending
        return order[self._mask[order]]

    def _order(self, column: str) -> NDArray[np.int64]:
        if column not in self._orders:
            self._orders[column] = np.argsort(_KEYS[column](self._mail), kind="stable")
        return self._orders[column]


def cells(columns: Columns, rows: NDArray[np.int64]) -> list[list[str | int]]:
    """Write the rows numbered ``rows`` as the browser shows them.

    Each line ends with the row's number in the frame and with 1 where the message is unread.
    """
    page = columns.df.take(rows)
    unread = ~page["seen"].to_numpy(dtype=bool)
    marks = [
        f"{'•' if new else ''}{'★' if flagged else ''}{'↩' if answered else ''}"
        for new, flagged, answered in zip(unread, page["flagged"], page["answered"], strict=True)
    ]
    wall = pd.Series(columns.wall()[rows].view("datetime64[us]"))
    dates = wall.dt.strftime("%Y-%m-%d %H:%M").fillna("")
    senders = page["from_name"].fillna(page["from_addr"]).fillna("")
    sizes = ["" if size is pd.NA else human_size(int(size)) for size in page["size"]]
    lines = zip(
        *(marks, dates, senders, page["subject"].fillna(""), page["folder"].astype(str), sizes),
        *(rows.tolist(), unread.astype(int).tolist()),
        strict=True,
    )
    return [list(line) for line in lines]


def _alphabetical(name: str) -> Callable[[Columns], NDArray[np.int64]]:
    return lambda columns: columns.ranks(name)


# By what a click on a heading sorts; missing values are the smallest.
_KEYS: dict[str, Callable[[Columns], NDArray[np.int64]]] = {
    "date": lambda columns: columns.instants(),
    "from": _alphabetical("sender"),
    "subject": _alphabetical("subject"),
    "folder": _alphabetical("folder"),
    "size": lambda columns: columns.numbers("size"),
}
