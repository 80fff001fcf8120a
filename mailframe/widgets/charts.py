"""The charts, as Altair: four forms that serve explorer, dashboard and report alike.

A chart never holds mail, only a small table called ``rows`` whose count is ``n``; whoever shows
the chart fills it, from the kernel (explorer) or from a cube in the browser (dashboard, report).
Colour and type come from the page around it (``static/panel.js``), so that one specification does
for light, dark and print. ``on`` says whether a row belongs to what is chosen in this very chart;
the rest is drawn pale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import altair as alt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WEEKDAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ROW_HEIGHT = 18  # pixels a bar with its label needs
NUMBER_PIXELS = 50  # for "1,000,000" beside a bar
LABEL_PIXELS = 128  # longer names are cut; the tooltip shows them whole


# There is no half a message, though an axis of few messages would tell of it.
WHOLE = "datum.value % 1 ? '' : format(datum.value, '~s')"


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
    chart : altair.TopLevelMixin
        Its specification, on a data set called ``rows``.
    span : int
        Its width in twelfths of a wide page.
    height : int
        What its rows take at most, in pixels: kept free, so that a filter does not move the page.
    """

    name: str
    title: str
    text: str
    chart: alt.TopLevelMixin
    span: int
    height: int

    def told(self, rows: Sequence[Mapping[str, Any]]) -> Figure:
        """Give the figure with the most frequent of its ``rows`` named in its text."""
        if not any(row["n"] for row in rows):
            return replace(self, text=f"{self.text} No messages.")
        most = max(rows, key=lambda row: row["n"])
        name = most.get("label") or f"{most['weekday']} {most['hour']}:00"
        return replace(self, text=f"{self.text} Most: {name}, {most['n']:,} messages.")

    def to_dict(self) -> Mapping[str, Any]:
        """Give the figure as plain JSON, for the browser."""
        return {
            "name": self.name,
            "title": self.title,
            "text": self.text,
            "span": self.span,
            "height": self.height,
            "spec": self.chart.to_dict(validate=False),
        }


def volume(span: int = 12, height: int = 110) -> Figure:
    """Show messages over time; ``rows``: ``start``, ``end`` (ms, UTC), ``label``, ``n``, ``on``."""
    chart = (
        _base(height)
        .mark_rect(strokeWidth=0.5)
        .encode(
            x=_time_axis(),
            x2="end:T",
            y=alt.Y("n:Q").axis(tickCount=3, labelExpr=WHOLE, grid=True).title(None),
            y2=alt.datum(0),
            opacity=_opacity(),
            tooltip=[
                alt.Tooltip("label:N").title("Period"),
                alt.Tooltip("n:Q").title("Messages").format(","),
            ],
        )
        .add_params(_brush("x"))
    )
    return Figure(
        "volume", "Volume", "Bar chart: number of messages over time.", chart, span, height
    )


def clock(span: int = 4, height: int = 7 * ROW_HEIGHT) -> Figure:
    """Show weekday by hour, UTC; ``rows``: ``weekday`` (name), ``hour``, ``n`` and ``on``."""
    chart = (
        _base(height)
        .mark_rect(strokeWidth=1)
        .encode(
            x=alt.X("hour:O").axis(values=[0, 6, 12, 18], labelAngle=0).title(None),
            y=alt.Y("weekday:O").sort(WEEKDAY_NAMES).title(None),
            fillOpacity=_depth(),
            opacity=_opacity(),
            tooltip=[
                alt.Tooltip("weekday:O").title("Day"),
                alt.Tooltip("hour:O").title("Hour (UTC)"),
                alt.Tooltip("n:Q").title("Messages").format(","),
            ],
        )
        .add_params(_brush("x", "y"))
    )
    text = "Heat map: number of messages by weekday and hour of the day, in UTC."
    return Figure("clock", "Weekday and hour, UTC", text, chart, span, height)


def calendar(span: int = 12, height: int = 7 * 14) -> Figure:
    """Show a year by day; rows: ``week`` (Monday, ms), ``weekday``, ``label``, ``n``, ``on``."""
    chart = (
        _base(height)
        .mark_rect(strokeWidth=1.5)
        .encode(
            x=alt.X("week:O")
            .axis(
                labelExpr="date(toDate(datum.value)) <= 7 ? utcFormat(datum.value, '%b') : ''",
                labelAngle=0,
                labelOverlap=False,
            )
            .title(None),
            y=alt.Y("weekday:O").sort(WEEKDAY_NAMES).axis(values=["Mon", "Thu", "Sun"]).title(None),
            fillOpacity=_depth(),
            opacity=_opacity(),
            tooltip=[
                alt.Tooltip("label:N").title("Day"),
                alt.Tooltip("n:Q").title("Messages").format(","),
            ],
        )
    )
    text = "Calendar: number of messages on each day of the last year there is mail of."
    return Figure("calendar", "The last year, day by day", text, chart, span, height)


def bars(name: str, title: str, text: str, *, rows: int, span: int = 4) -> Figure:
    """Show counts of named things; ``rows``: ``label``, ``n``, ``on``, ``rank``."""
    y = alt.Y("label:N").sort(field="rank", op="min").title(None).axis(labelLimit=LABEL_PIXELS)
    tooltip = [
        alt.Tooltip("label:N").title(title),
        alt.Tooltip("n:Q").title("Messages").format(","),
    ]
    # Numbers stand in a column of their own, to the right of the longest bar.
    length = alt.Scale(zero=True, nice=False, range=[0, {"expr": f"width - {NUMBER_PIXELS}"}])
    base = alt.Chart().encode(y=y, tooltip=tooltip)
    # The whole row answers to a click, however short its bar.
    row = base.mark_bar(opacity=0).encode(x=alt.value(0), x2=alt.value("width"))
    bar = base.mark_bar(cornerRadiusEnd=1).encode(
        x=alt.X("n:Q").axis(None).scale(length), opacity=_opacity()
    )
    number = base.mark_text(align="right").encode(
        x=alt.value("width"), text=alt.Text("n:Q").format(",")
    )
    chart = alt.layer(row, bar, number, data=alt.NamedData("rows")).properties(
        width="container", height=alt.Step(ROW_HEIGHT)
    )
    return Figure(name, title, f"Bar chart: {text}.", chart, span, rows * ROW_HEIGHT)


def _base(height: int) -> alt.Chart:
    return alt.Chart(alt.NamedData("rows")).properties(width="container", height=height)


def _time_axis() -> alt.X:
    return alt.X("start:T").scale(type="utc").axis(tickCount=8, labelOverlap=True).title(None)


def _brush(*channels: Literal["x", "y"]) -> alt.Parameter:
    look = alt.BrushConfig(fill="var(--mf-ink)", fillOpacity=0.08, stroke="transparent")
    return alt.selection_interval(name="brush", encodings=channels, mark=look)


def _depth() -> alt.FillOpacity:
    # A square root, for a few heavy hours would leave all others blank.
    return alt.FillOpacity("n:Q").legend(None).scale(type="sqrt", domainMin=0, range=[0.07, 1])


def _opacity() -> Any:  # noqa: ANN401 -- Altair has no public name for a condition
    return alt.when("datum.on").then(alt.value(1)).otherwise(alt.value(0.28))
