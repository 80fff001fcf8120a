"""The controls beside the table, each bound both ways to a filter trait.

A control sets its trait and is set by it; neither knows of the other filters. Typing is given a
moment to come to rest before it counts (``Later``), for every letter would be a question to a
million messages.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw
import numpy as np
import pandas as pd

from mailframe.charts import tallies
from mailframe.errors import ConfigurationError
from mailframe.search.values import human_size
from mailframe.stats import clock
from mailframe.widgets.parts import Folders

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.charts.tallies import Periods
    from mailframe.search.filterable import Columns
    from mailframe.widgets.filters import Filters

REST = 0.15  # seconds without a keystroke after which a word counts as typed
SUGGESTIONS = 200  # names a type-ahead offers: the browser looks through all of them at each letter


class Later:
    """Call ``act`` once ``REST`` seconds after the last of a row of calls.

    Without a running event loop (a script, a test) there is nobody to type: it is called at once.
    """

    def __init__(self, act: Callable[[Any], None]) -> None:
        self._act = act
        self._timer: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Forget what was asked for and has not happened yet."""
        if self._timer is not None:
            self._timer.cancel()

    def __call__(self, value: object) -> None:
        """Ask for a call with ``value``."""
        self.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._act(value)
        else:
            self._timer = loop.call_later(REST, self._act, value)


def sidebar(filters: Filters, columns: Columns, periods: Periods) -> tuple[ipw.VBox, Folders]:
    """Build all controls but the search line.

    Parameters
    ----------
    filters : Filters
        Whose traits they set and follow.
    columns : Columns
        The mail, for what type-ahead suggests.
    periods : Periods
        The bars of the small histogram above the date slider.

    Returns
    -------
    VBox, Folders
        The column of controls, and the folder tree in it, whose counts the caller keeps up.
    """
    folders = Folders(columns.coded("folder").words)
    bind(folders, "chosen", filters, "folders")
    groups = [
        _group("Folders", folders),
        _group("Date", *_dates(filters, periods)),
        _group(
            "People",
            _suggesting("Sender", filters, "sender", _frequent(columns, "from_addr")),
            _suggesting("Recipient", filters, "recipient", _frequent_items(columns, "to")),
            _suggesting("Domain", filters, "domain", _frequent(columns, "from_domain")),
        ),
        _group("Subject", _subject(filters)),
        _group(
            "State",
            _choice("unread", filters, "Read or unread", "Unread", "Read"),
            _choice("flagged", filters, "Flagged or not", "Flagged", "Not flagged"),
            _choice("answered", filters, "Answered or not", "Answered", "Not answered"),
        ),
        _group("Size", *_size(filters)),
        _group(
            "Mailing list",
            _suggesting("List-Id", filters, "mailing_list", _frequent(columns, "list_id")),
        ),
    ]
    return ipw.VBox(groups).add_class("mf-side"), folders


def bind(
    widget: ipw.Widget,
    name: str,
    filters: Filters,
    trait: str,
    *,
    read: Callable[[Any], Any] = lambda value: value,
    write: Callable[[Any], Any] = lambda value: value,
) -> None:
    """Tie trait ``name`` of ``widget`` to ``trait`` of ``filters``, both ways.

    ``read`` makes a filter of what the control holds, ``write`` the reverse.
    """

    def to_widget(_change: object = None) -> None:
        value = write(getattr(filters, trait))
        if getattr(widget, name) != value:
            setattr(widget, name, value)

    def to_filter(value: object) -> None:
        try:
            setattr(filters, trait, read(value))
        except ConfigurationError as error:
            filters.problem = f"{error} (what is shown is as before)"
        else:
            filters.problem = ""

    typed = isinstance(widget, ipw.Text | ipw.Combobox)
    act = Later(to_filter) if typed else to_filter
    to_widget()
    widget.observe(lambda change: act(change["new"]), name)
    filters.observe(to_widget, trait)


def _group(title: str, *children: ipw.Widget) -> ipw.VBox:
    heading = ipw.HTML(f"<h4>{title}</h4>").add_class("mf-heading")
    return ipw.VBox([heading, *children]).add_class("mf-group")


def _suggesting(hint: str, filters: Filters, trait: str, options: list[str]) -> ipw.Combobox:
    # Descriptions are for those who do not see: what they say is in the field, or above it.
    box = ipw.Combobox(description=hint, placeholder=hint, options=options, continuous_update=True)
    bind(box, "value", filters, trait)
    return box


def _subject(filters: Filters) -> ipw.Text:
    box = ipw.Text(
        description="Subject", placeholder='words, "a phrase" or /regex/', continuous_update=True
    )
    bind(box, "value", filters, "subject")
    return box


def _choice(trait: str, filters: Filters, either: str, yes: str, no: str) -> ipw.Dropdown:
    # A dropdown takes None for "nothing chosen", so the three states go by number.
    states = {0: None, 1: True, 2: False}
    box = ipw.Dropdown(description=either, options=[(either, 0), (yes, 1), (no, 2)])
    numbers = {state: number for number, state in states.items()}
    bind(box, "value", filters, trait, read=states.__getitem__, write=numbers.__getitem__)
    return box


def _frequent(columns: Columns, name: str) -> list[str]:
    coded = columns.coded(name)
    counts = tallies.count(coded.codes, len(coded.words))
    return [str(value) for value in coded.words.iloc[tallies.top(counts, SUGGESTIONS)]]


def _frequent_items(columns: Columns, name: str) -> list[str]:
    items = columns.listed(name).items
    counts = tallies.count(items.codes, len(items.words))
    return [str(value) for value in items.words.iloc[tallies.top(counts, SUGGESTIONS)]]


def _size(filters: Filters) -> list[ipw.Widget]:
    marks = [*tallies.SIZES, None]
    slider = ipw.IntRangeSlider(
        value=(0, len(tallies.SIZES)), min=0, max=len(tallies.SIZES), readout=False
    )
    told = ipw.HTML().add_class("mf-told")
    following = False

    def follow(_change: object = None) -> None:
        nonlocal following
        low = int(np.searchsorted(tallies.SIZES, filters.larger or 0))
        high = filters.smaller
        top = len(tallies.SIZES) if high is None else int(np.searchsorted(tallies.SIZES, high))
        # A size set elsewhere may lie between two marks: the slider must not round it.
        following = True
        slider.value = (min(low, top), top)
        following = False
        told.value = _told(filters.larger, high)

    act = Later(lambda asked: filters.set(**asked))

    def lead(change: dict[str, Any]) -> None:
        if not following:
            low, high = (marks[mark] for mark in change["new"])
            told.value = _told(low or None, high)  # while the handle moves
            act({"larger": low or None, "smaller": high})

    follow()
    slider.observe(lead, "value")
    filters.observe(follow, ["larger", "smaller"])
    return [slider, told]


def _told(larger: int | None, smaller: int | None) -> str:
    if larger is None:
        return "any size" if smaller is None else f"under {human_size(smaller)}"
    if smaller is None:
        return f"{human_size(larger)} and more"
    return f"{human_size(larger)} to {human_size(smaller)}"


def _dates(filters: Filters, periods: Periods) -> list[ipw.Widget]:
    bars = max(len(periods.labels), 1)
    edges = list(clock.starts(pd.to_datetime(periods.edges, unit="D"), filters.scope.zone))
    counts = tallies.count(periods.codes, bars)
    slider = ipw.IntRangeSlider(value=(0, bars), min=0, max=bars, readout=False).add_class(
        "mf-range"
    )
    first = ipw.DatePicker(description="From this day on").add_class("mf-day")
    last = ipw.DatePicker(description="Up to and with this day").add_class("mf-day")

    following = False

    def follow(_change: object = None) -> None:
        nonlocal following
        since, before = filters.since, filters.before
        low = _edge(edges, since, 0)
        high = min(_edge(edges, before, bars), bars)
        # A moment set elsewhere may lie between two marks: slider and days must not round it.
        following = True
        slider.value = (min(low, high), high)
        tell(since, before)
        following = False

    def tell(since: pd.Timestamp | None, before: pd.Timestamp | None) -> None:
        first.value = None if since is None else since.date()
        last.value = None if before is None else (before - pd.Timedelta(1, "us")).date()

    act = Later(lambda asked: filters.set(**asked))

    def lead(change: dict[str, Any]) -> None:
        nonlocal following
        if not following:
            low, high = change["new"]
            since = edges[low] if low > 0 else None
            before = edges[high] if high < bars else None
            following = True
            tell(since, before)  # while the handle moves
            following = False
            act({"since": since, "before": before})

    def pick_first(change: dict[str, Any]) -> None:
        if not following:
            filters.since = change["new"]

    def pick_last(change: dict[str, Any]) -> None:
        if not following:
            day = change["new"]
            filters.before = None if day is None else day + dt.timedelta(days=1)

    follow()
    slider.observe(lead, "value")
    first.observe(pick_first, "value")
    last.observe(pick_last, "value")
    filters.observe(follow, ["since", "before"])
    days = ipw.HBox([first, last]).add_class("mf-days")
    return [ipw.HTML(_sparkline(counts)).add_class("mf-spark"), slider, days]


def _edge(edges: list[pd.Timestamp], moment: pd.Timestamp | None, none: int) -> int:
    if moment is None:
        return none
    return int(np.searchsorted([edge.value for edge in edges], moment.value))


def _sparkline(counts: np.typing.NDArray[np.int64]) -> str:
    """Draw counts as a row of bars, as wide as whatever it stands in."""
    most = max(int(counts.max(initial=0)), 1)
    heights = (32 * counts / most).round(1).tolist()
    bars = "".join(
        f'<rect x="{at}" y="{32 - height}" width="0.85" height="{height}"/>'
        for at, height in enumerate(heights)
    )
    return (
        f'<svg viewBox="0 0 {len(counts)} 32" preserveAspectRatio="none" aria-hidden="true">'
        f"{bars}</svg>"
    )
