"""A mailbox counted every way a dashboard asks, so small that a browser can hold it.

Each chart sorts every message into one of its few places (a week, an hour, a sender). Kept are
the counts for each chart, and for every two charts their places crossed: some hundred thousand
small numbers whatever the size of the mailbox, and no message among them. Choosing places in one
chart is then a sum in the browser for each of the others (``static/cube.js``), exact, without a
kernel.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.charts import forms, tallies
from mailframe.search.filterable import MICROSECONDS_A_DAY, NO_INSTANT, readable
from mailframe.search.values import human_size
from mailframe.stats.threads import threaded

if TYPE_CHECKING:
    from typing import TypeAlias

    from mailframe.charts.forms import Figure
    from mailframe.search.filterable import Codes, Columns

    Counts: TypeAlias = np.typing.NDArray[np.int64]

NONE = np.zeros(0, np.int32)  # codes that are not told
HEIGHT = 150  # of the first line of charts, in pixels
TOP = 10  # named things a chart lists
# Named things that are counted, so that a choice elsewhere ranks them anew; all that come after are
# one place, "all others", so that nothing is lost. More would be megabytes in every report.
KEPT = 200
WEEKS = 53  # of the calendar
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000, 10_000_000)
DELAYS = {
    "under 10 minutes": 600,
    "10 to 60 minutes": 3_600,
    "1 to 4 hours": 14_400,
    "4 to 24 hours": 86_400,
    "1 to 7 days": 604_800,
    "over 7 days": np.inf,
}
THREADS = {
    "alone": 1,
    "2 messages": 2,
    "3 to 5": 5,
    "6 to 10": 10,
    "11 to 30": 30,
    "over 30": np.inf,
}


class Side(NamedTuple):
    """One chart's view of the mailbox.

    Parameters
    ----------
    figure : Figure
        The chart.
    rows : DataFrame
        Its places, with everything a row needs but ``n`` and ``on``.
    codes : array of int32
        The place of each message; -1 for one that the chart does not show.
    ranked : bool
        Whether the chart lists the most frequent of its places only, and how many are others.
    """

    figure: Figure
    rows: pd.DataFrame
    codes: Codes
    ranked: bool = False


def sides(columns: Columns) -> list[Side]:
    """Look at a mailbox from every side that has something to show, the most telling first."""
    if not len(columns):
        return []
    found = [
        volume(columns),
        clock(columns),
        _named(columns, "from_addr", "senders", "Senders", columns.people()),
        _named(columns, "from_domain", "domains", "Domains"),
        _named(columns, "folder", "folders", "Folders"),
        _named(columns, "list_id", "lists", "Mailing lists"),
        _state(columns),
        _delays(columns),
        _threads(columns),
        _sizes(columns),
        *([_attached(columns)] if tallies.tells_attached(columns) else []),
        calendar(columns),
    ]
    return [side for side in found if len(side.rows)]


def build(found: list[Side]) -> dict[str, Any]:
    """Count ``found``, each side alone and every two crossed.

    Returns
    -------
    dict
        ``names``; ``rows`` (name → records, with ``n``); ``most`` (name → how many of its places a
        chart lists, for those that are ranked); ``pairs`` (``"a b"`` → counts, the places of ``a``
        by those of ``b``, row by row, each run of zeros as one negative number). Plain JSON.
    """
    counts = [tallies.count(side.codes, len(side.rows)) for side in found]
    return assembled(found, counts, [_cross(a, b) for a, b in combinations(found, 2)])


def assembled(found: list[Side], counts: list[Counts], crossed: list[Counts]) -> dict[str, Any]:
    """Put together what was counted of each side, and of every two in the order of combinations."""
    rows = {
        side.figure.name: side.rows.assign(n=each, on=True).to_dict("records")
        for side, each in zip(found, counts, strict=True)
    }
    pairs = {
        f"{a.figure.name} {b.figure.name}": _packed(both)
        for (a, b), both in zip(combinations(found, 2), crossed, strict=True)
    }
    most = {side.figure.name: TOP for side in found if side.ranked}
    names = [side.figure.name for side in found]
    return {"names": names, "rows": rows, "most": most, "pairs": pairs}


def _packed(counts: Counts) -> list[int]:
    """Write each run of zeros, which most of a cube is, as one negative number."""
    filled = np.flatnonzero(counts)
    gaps = np.diff(filled, prepend=-1, append=len(counts)) - 1
    both = np.column_stack([-gaps, np.append(counts[filled], 0)]).ravel()
    return both[both != 0].tolist()  # type: ignore[no-any-return]


def _cross(a: Side, b: Side) -> Counts:
    wide = len(b.rows)
    both = np.where((a.codes < 0) | (b.codes < 0), -1, a.codes * wide + b.codes)
    return tallies.count(both, len(a.rows) * wide)


def volume(columns: Columns, counts: Counts | None = None) -> Side:
    """Look at when mail came; a row is one message, or so many as `counts` has."""
    cut = tallies.periods(columns, counts)
    nothing = np.zeros(len(cut.labels), np.int64)
    return Side(
        forms.volume(cut, 8, HEIGHT), tallies.over_time(cut, nothing, nothing > 0), cut.codes
    )


def clock(columns: Columns) -> Side:
    """Look at the hours of the week."""
    nothing = np.zeros(168, np.int64)
    figure = forms.clock(columns, 4, HEIGHT)
    return Side(figure, tallies.by_clock(nothing, nothing > 0), tallies.hours_of_week(columns))


def calendar(columns: Columns, counts: Counts | None = None) -> Side:
    """Look at the last year that there is mail of, in weeks from Monday; as `volume`."""
    cut = tallies.periods(columns, counts)
    figure = forms.calendar()
    if not cut.labels:
        return Side(figure, pd.DataFrame(), cut.codes)
    dated = columns.days()[cut.codes >= 0]
    last = int(dated.max(initial=cut.edges[0]))
    monday = last - (last + 3) % 7 - 7 * (WEEKS - 1)
    days = np.arange(monday, monday + 7 * WEEKS)
    codes = columns.days() - monday
    outside = (codes < 0) | (codes >= len(days)) | (columns.instants() == NO_INSTANT)
    dates = pd.to_datetime(days * MICROSECONDS_A_DAY, unit="us")
    rows = pd.DataFrame(
        {
            "week": np.repeat(days[::7] * tallies.MILLISECONDS_A_DAY, 7),
            "weekday": np.tile(forms.WEEKDAY_NAMES, WEEKS),
            "label": dates.strftime("%a %d %b %Y"),
            "key": days,
        }
    )
    return Side(figure, rows, np.where(outside, -1, codes).astype(np.int32))


def _named(
    columns: Columns, column: str, name: str, title: str, labels: pd.Series | None = None
) -> Side:
    codes, values = columns.coded(column)
    best = tallies.top(tallies.count(codes, len(values)), KEPT)
    shown = values if labels is None else labels
    more = len(values) > len(best)
    side = named(name, title, values.iloc[best].tolist(), shown.iloc[best], more=more)
    places = np.full(len(values) + 1, len(best), np.int32)
    places[best] = np.arange(len(best))
    places[-1] = -1  # of a message that names none
    return side._replace(codes=places[codes])


def named(name: str, title: str, keys: list[str], labels: pd.Series, *, more: bool) -> Side:
    """Look at the most frequent of named things, largest first, without the codes.

    Parameters
    ----------
    more : bool
        Whether there are others.
    """
    listed = min(len(keys), TOP)
    text = f"the {listed} most frequent {title.lower()}, and all others"
    rows = _places(readable(labels).tolist(), keys)
    if more:
        rows.loc[len(keys)] = [None, forms.OTHERS, len(keys)]
    figure = _bars(name, title, text, listed + (more or len(keys) > listed))
    return Side(figure, rows, NONE, ranked=True)


def _state(columns: Columns) -> Side:
    codes = np.where(~columns.flag("seen"), 0, np.where(columns.flag("answered"), 2, 1))
    return state()._replace(codes=codes.astype(np.int32))


def state() -> Side:
    """Look at what is read and answered, without the codes."""
    figure = _bars("state", "State", "unread, read and answered messages", 3)
    places = _places(["unread", "read, not answered", "read and answered"])
    return Side(figure, places, NONE)


def _sizes(columns: Columns) -> Side:
    codes = np.searchsorted(SIZES, columns.numbers("size"), side="right")
    codes[columns.numbers("size") < 0] = -1
    return sizes()._replace(codes=codes.astype(np.int32))


def sizes() -> Side:
    """Look at sizes, without the codes."""
    marks = [human_size(size) for size in SIZES]
    between = [f"{low} to {high}" for low, high in pairwise(marks)]
    names = [f"under {marks[0]}", *between, f"{marks[-1]} and more"]
    figure = _bars("sizes", "Size", "messages by size", len(names))
    return Side(figure, _places(names), NONE)


def _attached(columns: Columns) -> Side:
    names = [label for label, _ in tallies.ATTACHED.values()]
    text = "messages by the size of what is attached"
    figure = _bars("attached", "Attached", text, len(names))
    return Side(figure, _places(names), tallies.attached(columns))


def _delays(columns: Columns) -> Side:
    seconds = columns.delays()
    codes = np.searchsorted(list(DELAYS.values()), seconds, side="left")
    codes[seconds < 0] = -1
    figure = _bars("delays", "Replies came", "replies by how soon they came", len(DELAYS))
    return Side(figure, _places(list(DELAYS)), codes.astype(np.int32))


def _threads(columns: Columns) -> Side:
    found = threaded(columns.df, columns.trees())
    codes = np.searchsorted(list(THREADS.values()), found.lengths[found.thread], side="left")
    figure = _bars("threads", "In threads of", "messages by length of thread", len(THREADS))
    return Side(figure, _places(list(THREADS)), codes.astype(np.int32))


def _bars(name: str, title: str, text: str, rows: int) -> Figure:
    return forms.bars(name, title, text, rows=rows, span=3)


def _places(labels: list[str], keys: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"key": keys or labels, "label": labels, "rank": range(len(labels))})
