"""The charts, as Vega-Lite: four forms that serve explorer, dashboard and report alike.

A chart never holds mail, only a small table called ``rows`` whose count is ``n``; whoever shows
the chart fills it, from the kernel (explorer) or from a cube in the browser (dashboard, report).
Colour and type come from the page around it (``static/panel.js``), so that one specification does
for light, dark and print. ``on`` says whether a row belongs to what is chosen in this very chart;
the rest is drawn pale.

Specifications are written out (https://vega.github.io/vega-lite/docs/): Altair would write the
same, but its import alone takes longer than an explorer on a million messages.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailframe.charts.tallies import Periods
    from mailframe.search.filterable import Columns

    Spec = dict[str, Any]

OTHERS = "all others"
WEEKDAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ROW_HEIGHT = 18  # pixels a bar with its label needs
NUMBER_PIXELS = 50  # for "1,000,000" beside a bar
SHARE_PIXELS = 120  # for "38 % (161 of 425)" beside one
READABLE = 0.06  # the share of a bar that its number has room in
HATCHED = "url(#mf-hatched)"  # the page has it: see panel.js
LABEL_PIXELS = 128  # longer names are cut; the tooltip shows them whole

# A tick tells what sets it apart from its neighbours: the year, the month of it, the day.
SINCE_WHEN = (
    "utcdate(datum.value) > 1 ? utcFormat(datum.value, '%d %b') : "
    "utcFormat(datum.value, utcmonth(datum.value) ? '%b %Y' : '%Y')"
)
# As many dates as have room beside each other.
DATES = {"expr": "clamp(floor(width / 90), 2, 8)"}
MONTHS = "date(toDate(datum.value)) <= 7 ? utcFormat(datum.value, '%b') : ''"

# What belongs to what is chosen is drawn as it is, the rest pale.
OPACITY = {"condition": {"test": "datum.on", "value": 1}, "value": 0.28}
PARTIAL = {"condition": {"test": "datum.whole != 'yes'", "value": 0.6}, "value": 1}
# A square root, for a few heavy hours would leave all others blank.
DEPTH = {
    "field": "n",
    "type": "quantitative",
    "legend": None,
    "scale": {"type": "sqrt", "domainMin": 0, "range": [0.07, 1]},
}
BRUSH = {"fill": "var(--mf-ink)", "fillOpacity": 0.08, "stroke": "transparent"}


@dataclass(frozen=True)
class Figure:
    """A chart with what stands around it.

    Parameters
    ----------
    name : str
        By which data and gestures find it.
    title : str
        Its heading.
    text : str
        What it shows, for those who do not see it.
    spec : dict
        Its specification in Vega-Lite, on a data set called ``rows``.
    span : int
        Its width in twelfths of a wide page.
    height : int
        What its rows take at most, in pixels: kept free, so that a filter does not move the page.
    """

    name: str
    title: str
    text: str
    spec: Spec
    span: int
    height: int

    def told(self, rows: Sequence[Mapping[str, Any]]) -> Figure:
        """Give the figure with the most frequent of its ``rows`` named in its text."""
        rows = [row for row in rows if row.get("label") != OTHERS]
        if not any(row["n"] for row in rows):
            return replace(self, text=f"{self.text} No messages.")
        most = max(rows, key=lambda row: row["n"])
        name = most.get("label") or f"{most['weekday']} {most['hour']}:00"
        return replace(self, text=f"{self.text} Most: {name}, {most['n']:,} messages.")

    def to_dict(self) -> Mapping[str, Any]:
        """Give the figure as plain JSON, for the browser."""
        return asdict(self)


def volume(periods: Periods, span: int = 12, height: int = 110) -> Figure:
    """Show messages a day, week, month or year; those in which mail begins and ends are paler.

    ``rows``: ``start``, ``end`` (ms), ``label``, ``whole`` ("yes" or why not), ``n``, ``on``.
    """
    spec = _spec(
        height=height,
        mark={"type": "rect", "strokeWidth": 0.5},
        encoding={
            "x": _time("start"),
            "x2": {"field": "end"},
            "y": _counts(),
            "y2": {"datum": 0},
            "opacity": OPACITY,
            "fillOpacity": PARTIAL,
            "tooltip": _tooltip(label="Period", whole="Whole"),
        },
        params=[_brush("x")],
    )
    unit, out = periods.unit, periods.left_out
    title = f"Messages a {unit}" + (f", {out:,} far earlier or later left out" if out else "")
    text = f"Bar chart: messages a {unit}, copies counted; the first and the last are partial."
    return Figure("volume", title, text, spec, span, height)


def clock(columns: Columns, span: int = 4, height: int = 7 * ROW_HEIGHT) -> Figure:
    """Show weekday by hour; ``rows``: ``weekday`` (name), ``hour``, ``n`` and ``on``."""
    spec = _spec(
        height=height,
        mark={"type": "rect", "strokeWidth": 1},
        encoding={
            "x": {
                **_field("hour", "ordinal"),
                "axis": {"values": [0, 6, 12, 18], "labelAngle": 0},
            },
            "y": {**_field("weekday", "ordinal"), "sort": WEEKDAY_NAMES},
            "fillOpacity": DEPTH,
            "opacity": OPACITY,
            "tooltip": _tooltip(weekday="Day", hour=f"Hour, {columns.zone}"),
        },
        params=[_brush("x", "y")],
    )
    text = f"Heat map: number of messages by weekday and hour of the day, {columns.zone}."
    return Figure("clock", f"Weekday and hour, {columns.place}", text, spec, span, height)


def calendar(span: int = 12, height: int = 7 * 14) -> Figure:
    """Show a year by day; rows: ``week`` (Monday, ms), ``weekday``, ``label``, ``n``, ``on``."""
    spec = _spec(
        height=height,
        mark={"type": "rect", "strokeWidth": 1.5},
        encoding={
            "x": {
                **_field("week", "ordinal"),
                "axis": {"labelExpr": MONTHS, "labelAngle": 0, "labelOverlap": False},
            },
            "y": {
                **_field("weekday", "ordinal"),
                "sort": WEEKDAY_NAMES,
                "axis": {"values": ["Mon", "Thu", "Sun"]},
            },
            "fillOpacity": DEPTH,
            "opacity": OPACITY,
            "tooltip": _tooltip(label="Day"),
        },
    )
    text = "Calendar: number of messages on each day of the last year there is mail of."
    return Figure("calendar", "The last year, day by day", text, spec, span, height)


def bars(name: str, title: str, text: str, *, rows: int, span: int = 4) -> Figure:
    """Show counts of named things; ``rows``: ``label``, ``n``, ``on``, ``rank``."""
    shared = {"y": _ranked(), "tooltip": _tooltip(label=title)}
    # The whole row answers to a click, however short its bar.
    row = {"x": {"value": 0}, "x2": {"value": "width"}}
    # Numbers stand in a column of their own, to the right of the longest bar.
    length = {"zero": True, "nice": False, "range": [0, {"expr": f"width - {NUMBER_PIXELS}"}]}
    bar = {
        "x": {"field": "n", "type": "quantitative", "axis": None, "scale": length},
        "opacity": OPACITY,
    }
    number = {
        "x": {"value": "width"},
        "text": {"field": "n", "type": "quantitative", "format": ","},
    }
    layers: list[tuple[Spec, Spec]] = [
        ({"type": "bar", "opacity": 0}, row),
        ({"type": "bar"}, bar),
        ({"type": "text", "align": "right"}, number),
    ]
    spec = _spec(
        height={"step": ROW_HEIGHT},
        layer=[{"mark": mark, "encoding": shared | encoding} for mark, encoding in layers],
    )
    return Figure(name, title, f"Bar chart: {text}.", spec, span, rows * ROW_HEIGHT)


def trend(height: int, span: int = 6) -> Figure:
    """Show months side by side, hatched where one is not whole.

    ``rows``: ``start``, ``end`` (ms), ``label``, ``n``, ``partial``, ``change`` (text).
    """
    ends = {"x2": {"field": "end"}, "y2": {"datum": 0}}
    whole = {
        "x": _time("start"),
        "y": _counts(),
        **ends,
        "tooltip": [*_tooltip(label="Month"), _told("change", "Against the month before")],
    }
    hatched = {"fill": HATCHED, "stroke": "var(--mf-accent)", "strokeWidth": 1}
    spec = _spec(
        height=height,
        layer=[
            {
                "transform": [{"filter": "!datum.partial"}],
                "mark": {"type": "rect", "strokeWidth": 1},
                "encoding": whole,
            },
            {
                "transform": [{"filter": "datum.partial"}],
                "mark": {"type": "rect", **hatched},
                "encoding": whole,
            },
        ],
    )
    text = "Bar chart: messages a month; the first and the last, hatched, may not be whole."
    return Figure("trend", "Month by month (hatched: not whole)", text, spec, span, height)


def shares(name: str, title: str, text: str, rows: int, span: int = 6) -> Figure:
    """Show shares of a whole; ``rows``: ``label``, ``n``, ``share``, ``told``, ``rank``."""
    shared = {"y": _ranked(), "tooltip": [*_tooltip(label="Answered"), _told("told", "Share")]}
    most = {"domain": [0, 1], "range": [0, {"expr": f"width - {SHARE_PIXELS}"}]}
    length = {"field": "share", "type": "quantitative", "axis": None, "scale": most}
    whole = {"x": {"value": 0}, "x2": {"value": {"expr": f"width - {SHARE_PIXELS}"}}}
    layers: list[tuple[Spec, Spec]] = [
        ({"type": "bar", "opacity": 0.14}, whole),
        ({"type": "bar"}, {"x": length}),
        ({"type": "text", "align": "right"}, {"x": {"value": "width"}, "text": {"field": "told"}}),
    ]
    spec = _spec(
        height={"step": ROW_HEIGHT},
        layer=[{"mark": mark, "encoding": shared | encoding} for mark, encoding in layers],
    )
    return Figure(name, title, f"Bar chart: {text}.", spec, span, rows * ROW_HEIGHT)


def line(name: str, title: str, height: int, span: int = 6) -> Figure:
    """Show a number that rises and falls by day; ``rows``: ``day`` (ms), ``label``, ``n``."""
    mark = {"type": "area", "color": "var(--mf-accent)", "fillOpacity": 0.25, "interpolate": "step"}
    spec = _spec(
        height=height,
        mark={**mark, "line": {"color": "var(--mf-accent)", "strokeWidth": 1.5}},
        encoding={"x": _time("day"), "y": _counts(), "tooltip": _tooltip(label="End of")},
    )
    return Figure(name, title, f"Line: {title.lower()}, by day.", spec, span, height)


def parts(name: str, title: str, text: str, order: Sequence[str], span: int = 6) -> Figure:
    """Show what wholes are made of; ``rows``: ``side``, ``part``, ``share``, ``told``, ``rank``."""
    depth = {
        "field": "part",
        "type": "nominal",
        "sort": list(order),
        "scale": {"domain": list(order), "range": [0.25, 0.6, 1]},
        "legend": {
            "orient": "top",
            "title": None,
            "labelColor": "var(--mf-dim)",
            "symbolFillColor": "var(--mf-accent)",
            "symbolStrokeWidth": 0,
            "symbolType": "square",
        },
    }
    shared = {
        "y": {**_field("side", "nominal"), "sort": None, "axis": {"labelLimit": LABEL_PIXELS}},
        "tooltip": [*_tooltip(label="Written"), _told("told", "Share")],
        "order": {"field": "rank"},
    }
    length = {
        "field": "share",
        "type": "quantitative",
        "axis": None,
        "stack": "zero",
        "scale": {"domain": [0, 1]},
    }
    number = {**length, "bandPosition": 0.5}
    spec = _spec(
        height={"step": 2 * ROW_HEIGHT},
        layer=[
            {"mark": {"type": "bar"}, "encoding": {**shared, "x": length, "fillOpacity": depth}},
            {
                "mark": {"type": "text", "color": "var(--mf-ink)"},
                "encoding": {**shared, "x": number, "text": {"field": "told"}},
            },
        ],
    )
    return Figure(name, title, f"Stacked bars: {text}.", spec, span, 6 * ROW_HEIGHT)


def _told(name: str, title: str) -> Spec:
    return {"field": name, "type": "nominal", "title": title}


def _spec(**parts: Any) -> Spec:  # noqa: ANN401 -- plain JSON
    return {"data": {"name": "rows"}, "width": "container", **parts}


def _field(name: str, kind: str) -> Spec:
    """Encode a field by its position, on an axis without a title: the heading says what it is."""
    return {"field": name, "type": kind, "title": None}


def _time(name: str) -> Spec:
    """Lay milliseconds of UTC out from left to right."""
    axis = {"tickCount": DATES, "labelExpr": SINCE_WHEN, "labelOverlap": True}
    return {**_field(name, "temporal"), "scale": {"type": "utc"}, "axis": axis}


def _counts() -> Spec:
    """Let ``n`` rise, with a line at whole numbers only."""
    axis = {"tickCount": 3, "tickMinStep": 1, "format": "~s", "grid": True}
    return {**_field("n", "quantitative"), "axis": axis}


def _ranked() -> Spec:
    """Give each ``label`` a line, in the order of ``rank``."""
    axis = {"labelLimit": LABEL_PIXELS}
    return {**_field("label", "nominal"), "sort": {"field": "rank", "op": "min"}, "axis": axis}


def _tooltip(**titles: str) -> list[Spec]:
    named = [_told(name, title) for name, title in titles.items()]
    count = {"field": "n", "type": "quantitative", "title": "Messages", "format": ","}
    return [*named, count]


def _brush(*channels: Literal["x", "y"]) -> Spec:
    return {
        "name": "brush",
        "select": {"type": "interval", "encodings": list(channels), "mark": BRUSH},
    }
