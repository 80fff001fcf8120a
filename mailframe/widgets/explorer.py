"""The explorer: every way to look at a mailbox on one screen, all of it bound to the same filters.

The state is the filter traits (``filters.py``) and nothing else. A change goes one way: traits →
clauses → mask → count, table, charts. Controls, chips and brushed charts only ever set traits.
"""

from __future__ import annotations

import html
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw
import numpy as np
import pandas as pd
import traitlets

from mailframe.charts import tallies
from mailframe.errors import ConfigurationError
from mailframe.frame.export import to_csv
from mailframe.search import completion
from mailframe.search.filterable import Columns
from mailframe.search.language import parse
from mailframe.search.matching import Selection, scope_of
from mailframe.store.reader import Store
from mailframe.widgets import cells, controls, filters, gallery, message, parts, report, views
from mailframe.widgets.memory import frame_of
from mailframe.widgets.searchline import SearchLine
from mailframe.widgets.stage import Application
from mailframe.widgets.table import MailTable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from mailframe.charts.forms import Figure
    from mailframe.search.filterable import Bools
    from mailframe.search.language import Clause

MOST_SAVED = 100_000  # messages a browser is sent as one file
MOST_KEPT = 200  # states that undo goes back to
MANY = 50_000  # messages from which the first search of words would keep people waiting
LOOKS = {"charts", "columns", "rows"}  # what the screen shows of the messages that are left
# What completion offers of an explorer, besides its filters.
OURS = (
    *(
        "charts",
        "columns",
        "count",
        "data",
        "drop_view",
        "observe",
        "problem",
        "query",
        "redo",
        "reset",
        "rows",
    ),
    *("save_view", "selected", "set", "show_view", "state", "undo", "unobserve", "views", "zone"),
)


class Explorer(Application, filters.Filters):
    """Look at mail: filter it, sort it, page through it, see it drawn.

    Every filter is a trait (see ``mailframe.widgets.filters.Filters``): set it and the screen
    follows; use the screen and it is set. ``data`` and ``query`` can be observed like traits.

    Parameters
    ----------
    df : DataFrame
        Mail, from any of the readers. It is not copied and not changed.
    tz : str or tzinfo, optional
        The zone of days, weekdays and hours, in charts, filters and table; the reader's own by
        default.
    **asked
        Filters to begin with, such as ``unread=True``; and ``charts``, ``columns`` and ``rows``.

    Raises
    ------
    ConfigurationError
        If ``df`` lacks columns of mail, there is no such zone, or a filter cannot be read.
    """

    query = traitlets.Unicode("df", read_only=True, help="pandas line that gives data from df")
    count = traitlets.Int(read_only=True, help="how many messages the filters leave")

    charts = traitlets.List(
        traitlets.Unicode(), list(gallery.FIRST), help="up to four charts, of those offered"
    )
    columns = traitlets.List(
        traitlets.Unicode(), list(cells.FIRST), help="columns of the table, of those offered"
    )
    rows = traitlets.Enum(["messages", "threads"], "messages", help="'messages' or 'threads'")

    _watched = False  # whether anybody observes data, which is costly to make

    def __init__(
        self,
        df: pd.DataFrame,
        tz: str | dt.tzinfo | None = None,
        **asked: Any,  # noqa: ANN401 -- traits check them
    ) -> None:
        self._columns = Columns(df, tz)
        self._names = [str(name) for name in self._columns.coded("folder").words]
        self.scope = scope_of(self._columns)
        self._periods = tallies.periods(self._columns)
        self._data: pd.DataFrame | None = None
        self._past: list[dict[str, Any]] = []
        self._future: list[dict[str, Any]] = []
        self._selection = Selection(self._columns)
        super().__init__()
        for name in LOOKS & asked.keys():
            self._set_one(name, asked.pop(name))
        self._build()
        self.set(**asked)
        self._refresh()
        self._now = self.state()
        self.observe(self._filtered, filters.NAMES)
        if len(df) >= MANY:  # while somebody looks at the first screen
            Thread(target=self._make_ready, daemon=True).start()

    @property
    def data(self) -> pd.DataFrame:
        """The messages that the filters leave; made when first asked for after a change."""
        if self._data is None:
            everything = self._selection.count == len(self._columns)
            df = self._columns.df
            self._data = df if everything else df[self._selection.mask]
        return self._data

    @property
    def selected(self) -> pd.DataFrame:
        """The messages that are ticked in the table, in the order of the frame."""
        return self._columns.df.iloc[sorted(self._table.checked)]

    def state(self) -> dict[str, Any]:
        """Give the filters that say something as plain JSON: ``explore(df, state=…)`` takes it."""
        found = {name: getattr(self, name) for name in filters.NAMES}
        return {
            name: value.isoformat() if isinstance(value, pd.Timestamp) else value
            for name, value in found.items()
            if value != self.traits()[name].default()
        }

    @property
    def views(self) -> dict[str, dict[str, Any]]:
        """The views that were saved on this computer, of any mailbox: name → state."""
        return views.load()

    def save_view(self, name: str) -> None:
        """Keep the filters under ``name``, in place of what had that name."""
        views.change(name, self.state())

    def show_view(self, name: str) -> None:
        """Set the filters as they were saved under ``name``, and no others."""
        self._become(views.find(name, views.load()))

    def drop_view(self, name: str) -> None:
        """Forget the view called ``name``."""
        views.change(name, None)

    def undo(self) -> None:
        """Take the last change of filters back, whoever made it; there may be none."""
        self._travel(self._past, self._future)

    def redo(self) -> None:
        """Do again what `undo` took back; after another change there is nothing to do again."""
        self._travel(self._future, self._past)

    def __dir__(self) -> list[str]:
        """List what is meant to be used; what ipywidgets adds is there all the same."""
        return sorted({*filters.NAMES, *OURS})

    def observe(
        self,
        handler: Callable[..., Any],
        names: Any = traitlets.All,  # noqa: ANN401 -- as in traitlets
        type: Any = "change",  # noqa: A002, ANN401 -- as in traitlets
    ) -> None:
        """Call ``handler`` when a trait or ``data`` changes, as ``HasTraits.observe`` does."""
        self._watched = self._watched or "data" in traitlets.traitlets.parse_notifier_name(names)
        super().observe(handler, names, type)

    def __repr__(self) -> str:
        """Say in a line what a notebook would show."""
        return f"<Explorer: {self.count:,} of {len(self._columns):,} messages; shown by a notebook>"

    # -- what the filters say -------------------------------------------------------------------

    def _filtered(self, _change: object = None) -> None:
        if filters.clauses(self) != self._selection.clauses:
            self._past.append(self._now)
            del self._past[:-MOST_KEPT]
            self._future.clear()
            self._now = self.state()
            self._refresh()

    def _travel(self, back: list[dict[str, Any]], forth: list[dict[str, Any]]) -> None:
        """Go to the last of the states ``back``, and leave the present one in ``forth``."""
        if not back:
            return
        past, future = self._past[:], self._future[:]
        state, present = back.pop(), self._now
        forth.append(present)
        kept = (self._past[:], self._future[:])
        try:
            self._become(state)
        except ConfigurationError:
            kept = (past, future)
            raise
        finally:
            self._past[:], self._future[:] = kept
            self._step()

    def _become(self, state: Mapping[str, Any]) -> None:
        self.set(**{name: self.traits()[name].default() for name in filters.NAMES} | dict(state))

    def _step(self) -> None:
        self._actions.undoable, self._actions.redoable = bool(self._past), bool(self._future)

    def _refresh(self) -> None:
        clauses = filters.clauses(self)
        self._selection = Selection(self._columns, clauses, self._selection)
        old, self._data = self._data, None
        self.problem = ""
        self.set_trait("count", self._selection.count)
        self.set_trait("query", self._selection.query())
        self._show()
        if self._watched:
            change = traitlets.Bunch(name="data", old=old, new=self.data, owner=self, type="change")
            self.notify_change(change)

    def _make_ready(self) -> None:
        """Work out what the first search of words, and the first message opened, would wait for."""
        self._columns.folded("subject")
        _ = self._table.threads
        completion.prepare(self._columns)

    # -- the screen -----------------------------------------------------------------------------

    def _build(self) -> None:
        side, self._folders = controls.sidebar(self, self._columns, self._periods)
        self._said = ipw.HTML().add_class("mf-said")
        self._chips = ipw.HBox().add_class("mf-chips")
        self._chip_of: dict[tuple[str, Clause], ipw.Button] = {}
        self._clear_all = _button("Clear all", "Take all away", self.reset)
        self._actions = parts.Actions(self._save, self.undo, self.redo)
        self._line = ipw.HTML().add_class("mf-line")
        self._charts = parts.Charts(self._figures(), choices=gallery.offered(self._columns))
        self._table = MailTable(self._columns, self._periods)
        self._message = parts.Message()
        self._only_thread = _button("Only this thread", "Filter by it", self._keep_thread)
        bar = ipw.HBox(
            [
                _button("↑ Previous", "The message above", lambda: self._beside(-1)),
                _button("↓ Next", "The message below", lambda: self._beside(1)),
                self._only_thread,
                _button("✕", "Close the message", self._close).add_class("mf-close"),
            ]
        ).add_class("mf-bar")
        self._opened = ipw.VBox([bar, self._message]).add_class("mf-opened")
        self._mail = ipw.Box([self._table, self._opened]).add_class("mf-mail")
        main = ipw.VBox([self._charts, self._mail]).add_class("mf-main")
        line = SearchLine(self, self._columns, self._without)
        top = ipw.HBox([line, self._actions]).add_class("mf-top")
        state = ipw.HBox([self._said, self._chips]).add_class("mf-state")
        body = ipw.HBox([side, main]).add_class("mf-body")
        self.children = [parts.Page(), top, state, self._line, body]
        self.add_class("mailframe").add_class("mf-explorer")
        self._opened.layout.display = "none"
        self._table.observe(self._open, "opened")
        self._table.observe(self._say, "checked")
        self._charts.observe(self._gesture, "gesture")
        self.observe(self._redraw, "charts")
        self._message.observe(self._turn, "wanted")
        traitlets.link((self, "charts"), (self._charts, "chosen"))
        traitlets.link((self, "columns"), (self._table, "shown"))
        self._by_thread()
        self.observe(self._by_thread, "rows")
        self._table.observe(self._by_row, "grouped")
        self._table.observe(self._to_copy, "checked")
        self.observe(self._to_copy, "query")
        self.observe(self._say, ["problem"])

    def _show(self) -> None:
        self._say()
        line = html.escape(self._selection.query())
        self._line.value = f'<code title="{line}">{line}</code>'
        self._step()
        self._chips.children = self._make_chips()
        self._table.show(self._selection.mask)
        self._draw()

    def _figures(self) -> list[Figure]:
        return gallery.figures(self.charts, self._columns, self._periods)

    def _redraw(self, _change: object = None) -> None:
        with self._charts.hold_sync():
            self._charts.figures = [dict(figure.to_dict()) for figure in self._figures()]
            self._draw()

    def _draw(self) -> None:
        """Give each chart what the filters leave that are not its own."""
        columns, selection = self._columns, self._selection
        made = {
            name: gallery.rows(name, self, columns, self._periods, selection)
            for name in self.charts
        }
        self._charts.rows = {name: table.to_dict("records") for name, table in made.items()}
        folders = columns.coded("folder")
        counts = tallies.count(folders.codes, len(self._names), selection.without("folders"))
        self._folders.counts = dict(zip(self._names, counts.tolist(), strict=True))

    @traitlets.validate("charts")
    def _check_charts(self, proposal: dict[str, Any]) -> list[str]:
        return gallery.check(proposal["value"], self._columns)

    @traitlets.validate("columns")
    def _check_columns(self, proposal: dict[str, Any]) -> list[str]:
        return cells.check(proposal["value"], self._columns)

    def _by_thread(self, _change: object = None) -> None:
        self._table.grouped = self.rows == "threads"

    def _by_row(self, _change: object) -> None:
        self.rows = "threads" if self._table.grouped else "messages"

    def _without(self, rest: str) -> Bools:
        """Tell which messages the other filters leave, and the rest of a line being typed."""
        clauses = [(name, clause) for name, clause in self._selection.clauses if name != "search"]
        with suppress(ConfigurationError):
            clauses += [("search", clause) for clause in parse(rest, self.scope)]
        return Selection(self._columns, clauses, self._selection).mask

    def _say(self, _change: object = None) -> None:
        total, left = len(self._columns), self._selection.count
        share = f" · {left / total:.1%}" if 0 < left < total else ""
        ticked = len(self._table.checked)
        share += f" · {ticked:,} ticked" if ticked else ""
        problem = parts.problem(self.problem) if self.problem else ""
        self._said.value = (
            f'<span role="status"><b>{left:,}</b> of {total:,} messages{share}</span>{problem}'
        )

    def _make_chips(self) -> list[ipw.Button]:
        """Give a chip for each clause; those that were there already stay where they are."""
        before, self._chip_of = self._chip_of, {}
        for clause in self._selection.clauses:
            self._chip_of[clause] = before.pop(clause, None) or self._chip(*clause)
        for chip in before.values():
            chip.close()
        several = len(self._chip_of) > 1
        return [*self._chip_of.values(), *([self._clear_all] if several else [])]

    # -- what people do -------------------------------------------------------------------------

    def _chip(self, name: str, clause: Clause) -> ipw.Button:
        def drop() -> None:
            if name == "search":
                terms = [other for of, other in self._selection.clauses if of == "search"]
                self.search = " ".join(term.text for term in terms if term != clause)
            else:
                self.reset(name)

        return _button(f"{clause.text} ✕", "Take away", drop)

    def _gesture(self, change: dict[str, Any]) -> None:
        """Turn a click on a chart, or a finished brush, into filters."""
        new = change["new"]
        self._toggle(**gallery.asked(new["chart"], new["value"], self))

    def _toggle(self, **asked: object) -> None:
        """Set filters, or take them back where they are set just so."""
        if all(getattr(self, name) == value for name, value in asked.items()):
            self.reset(*asked)
        else:
            self.set(**asked)

    def _open(self, _change: object = None) -> None:
        row = self._table.opened
        shown = 0 <= row < len(self._columns)
        self._opened.layout.display = "" if shown else "none"
        (self._mail.add_class if shown else self._mail.remove_class)("mf-reading")
        if shown:
            tree = self._table.threads.members(row, np.ones(len(self._columns), dtype=bool))
            self._message.html = message.render(self._columns, row, tree)

    def _to_copy(self, _change: object = None) -> None:
        """Offer the line of pandas that gives what is ticked, or else what the filters leave."""
        ticked = sorted(self._table.checked)
        self._actions.query = f"df.iloc[{ticked}]" if ticked else self.query

    def _turn(self, change: dict[str, Any]) -> None:
        """Open another message of the thread that is read."""
        if change["new"] >= 0:
            self._table.opened = int(change["new"])
            self._message.wanted = -1  # the same line may be clicked again

    def _close(self) -> None:
        self._table.opened = -1

    def _beside(self, step: int) -> None:
        row = self._table.beside(self._table.opened, step)
        if row >= 0:
            self._table.opened = row

    def _keep_thread(self) -> None:
        self.thread = message.root(self._columns.df.iloc[self._table.opened]) or ""

    def _save(self, wish: str) -> tuple[str, str, bytes] | str:
        """Make the file that a button of ``parts.Actions`` asks for; on our own disk if large."""
        if wish == "report":
            return "mail.html", "text/html", report.page(self.data, tz=self.scope.zone)
        data = self.selected if self._table.checked else self.data
        if len(data) > MOST_SAVED:
            path = _unused(Path("mail.csv"))
            to_csv(data, path)
            return f"{len(data):,} messages: saved where the kernel runs, as {path.resolve()}"
        with TemporaryDirectory() as folder:
            path = Path(folder, "mail.csv")
            to_csv(data, path)
            return path.name, "text/csv", path.read_bytes()


def _unused(path: Path) -> Path:
    """Give a name that no file has, with a number where it takes one: ``mail-2.csv``."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(name for name in chain([path], names) if not name.exists())


def _button(text: str, hint: str, act: Callable[[], None]) -> ipw.Button:
    button = ipw.Button(description=text, tooltip=hint).add_class("mf-chip")
    button.on_click(lambda _button: act())
    return button


def explore(
    df: pd.DataFrame | Store,
    *,
    tz: str | dt.tzinfo | None = None,
    state: Mapping[str, Any] | None = None,
    **asked: Any,  # noqa: ANN401 -- traits check them
) -> Explorer:
    """Open the explorer on a frame of mail.

    Parameters
    ----------
    df : DataFrame or Store
        Mail, from any of the readers; or what `open_store` gave, if memory holds it.
    tz : str or tzinfo, optional
        The zone of days, weekdays and hours, such as ``"Europe/Berlin"``; the reader's own by
        default. Charts, filters and table are told in it, and name it.
    state : mapping, optional
        What ``explorer.state()`` gave, of this mailbox or another one.
    **asked
        Filters to begin with, such as ``unread=True`` or ``search="from:ann"``; and what is shown:
        ``charts`` (up to four names), ``columns`` of the table, ``rows="threads"``.

    Returns
    -------
    Explorer
        A widget; show it by letting it be the last line of a cell. ``explorer.data`` is the frame
        that the filters leave, ``explorer.query`` the line of pandas that gives it.
    """
    held = frame_of(df) if isinstance(df, Store) else df
    return Explorer(held, tz, **{**(state or {}), **asked})
