"""The charts that an explorer offers: what each draws, and which filters a click on it sets.

Each shows what all filters leave but its own, so that a choice can be changed where it was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.charts import forms, tallies
from mailframe.errors import ConfigurationError
from mailframe.search.filterable import CASELESS
from mailframe.stats import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mailframe.charts.forms import Figure
    from mailframe.charts.tallies import Periods
    from mailframe.search.filterable import Bools, Columns
    from mailframe.search.matching import Selection
    from mailframe.widgets.filters import Filters

BARS = 8  # named things a chart lists
MOST = 4  # charts at once: more leave no room for the table
TWELFTHS = 12  # of a wide page


class Ranked(NamedTuple):
    """A chart of named things: its words, the trait a click sets, and the column it counts."""

    title: str
    text: str
    trait: str
    column: str


RANKED = {
    "senders": Ranked("Senders", "top senders", "sender", "from_addr"),
    "folders": Ranked("Folders", "folders by number of messages", "folders", "folder"),
    "domains": Ranked("Domains", "top domains of senders", "domain", "from_domain"),
    "lists": Ranked("Mailing lists", "top mailing lists", "mailing_list", "list_id"),
}
# Name of each chart → how the chooser calls it.
OFFERED = {
    "volume": "Over time",
    "clock": "Weekday and hour",
    **{name: ranked.title for name, ranked in RANKED.items()},
    "read": "Read share",
    "attached": "Attached",
}
FIRST = ("volume", "clock", "senders", "folders")


def offered(columns: Columns) -> dict[str, str]:
    """Give the charts that a frame has something for."""
    none = set() if tallies.tells_attached(columns) else {"attached"}
    return {name: title for name, title in OFFERED.items() if name not in none}


def check(names: Sequence[str], columns: Columns) -> list[str]:
    """Give ``names``, each once.

    Raises
    ------
    ConfigurationError
        If there is no such chart, or there are more than fit.
    """
    asked = list(dict.fromkeys(names))
    there = offered(columns)
    unknown = [name for name in asked if name not in there]
    if unknown:
        raise ConfigurationError(
            f"there is no chart called {unknown[0]!r}; there are {', '.join(there)}"
        )
    if len(asked) > MOST:
        raise ConfigurationError(f"{len(asked)} charts are too many: choose {MOST} at most")
    return asked


def figures(names: Sequence[str], columns: Columns, periods: Periods) -> list[Figure]:
    """Lay the charts ``names`` out: time as wide as the page, the others beside each other."""
    span = TWELFTHS // max(len([name for name in names if name != "volume"]), 1)

    def make(name: str) -> Figure:
        if name == "volume":
            return forms.volume(periods, height=90)
        if name == "clock":
            return forms.clock(columns, span=span)
        if name == "read":
            text = "messages read and unread, with their share"
            return forms.bars(name, OFFERED[name], text, rows=2, span=span)
        if name == "attached":
            text = "messages by the size of what is attached"
            return forms.bars(name, OFFERED[name], text, rows=len(tallies.ATTACHED), span=span)
        ranked = RANKED[name]
        return forms.bars(name, ranked.title, ranked.text, rows=BARS, span=span)

    # Time stands first, or its width would tear the row of the others apart.
    return [make(name) for name in sorted(names, key=lambda name: name != "volume")]


def rows(
    name: str, filters: Filters, columns: Columns, periods: Periods, selection: Selection
) -> pd.DataFrame:
    """Count what chart ``name`` draws."""
    if name == "volume":
        left = selection.without("since", "before")
        counts = tallies.count(periods.codes, len(periods.labels), left)
        return tallies.over_time(periods, counts, _in_period(filters, periods))
    if name == "clock":
        week = tallies.hours_of_week(columns)
        counts = tallies.count(week, 168, selection.without("weekdays", "hours"))
        return tallies.by_clock(counts, _in_hours(filters))
    if name == "read":
        return _read_share(columns.flag("seen")[selection.without("unread")], filters.unread)
    if name == "attached":
        return _attached(filters.search, columns, selection)
    ranked = RANKED[name]
    coded = columns.coded(ranked.column)
    chosen = _chosen(filters, ranked, coded.words)
    # What is one of many stays among them; a part of names leaves whom it fits.
    left = selection.without(ranked.trait) if chosen else selection.mask
    counts = tallies.count(coded.codes, len(coded.words), left)
    labels = columns.people() if name == "senders" else coded.words
    return _ranking(counts, coded.words, labels, chosen)


def asked(chart: str, value: dict[str, Any], filters: Filters) -> dict[str, Any]:
    """Turn a click on ``chart``, or a finished brush, into filters."""
    if chart == "volume":
        first, last = (pd.Timestamp(int(value[end]), unit="ms") for end in ("start", "end"))
        # Whole days: nobody aims at an hour on a chart of years.
        whole = pd.DatetimeIndex([first.floor("D"), last.ceil("D")])
        since, before = clock.starts(whole, filters.scope.zone)
        return {"since": since, "before": before}
    if chart == "clock":
        days = sorted(forms.WEEKDAY_NAMES.index(day) for day in value["weekday"])
        return {"weekdays": days, "hours": sorted(map(int, value["hour"]))}
    if chart == "read":
        return {"unread": value["key"] == "unread"}
    if chart == "attached":
        return {"search": value["key"]}
    trait = RANKED[chart].trait
    return {trait: [value["key"]] if trait == "folders" else value["key"]}


def _chosen(filters: Filters, ranked: Ranked, words: pd.Series) -> set[str]:
    value = getattr(filters, ranked.trait)
    if not value or isinstance(value, list):
        return set(value)
    key = value.lower() if ranked.column in CASELESS else value
    return {key} & set(words)


def _in_period(filters: Filters, periods: Periods) -> Bools:
    edges = periods.edges * tallies.MILLISECONDS_A_DAY
    since = edges[0] if filters.since is None else _wall(filters.since)
    before = edges[-1] if filters.before is None else _wall(filters.before)
    return (edges[1:] > since) & (edges[:-1] < before)


def _in_hours(filters: Filters) -> Bools:
    days = np.isin(np.arange(7), filters.weekdays or np.arange(7))
    return np.outer(days, np.isin(np.arange(24), filters.hours or np.arange(24))).ravel()


def _wall(instant: pd.Timestamp) -> int:
    """Milliseconds since 1970 on the wall clock of its own zone, as the charts count."""
    return int(instant.tz_localize(None).value) // 1_000_000


def _read_share(seen: Bools, unread: bool | None) -> pd.DataFrame:
    read = int(seen.sum())
    counts = {"unread": len(seen) - read, "read": read}
    total = max(len(seen), 1)
    return pd.DataFrame(
        {
            "key": list(counts),
            "label": [f"{name.title()}, {n / total:.0%}" for name, n in counts.items()],
            "rank": range(len(counts)),
            "n": list(counts.values()),
            "on": [unread is None or unread == (name == "unread") for name in counts],
        }
    )


def _attached(search: str, columns: Columns, selection: Selection) -> pd.DataFrame:
    """Count messages by what is attached; what the search line asks of that is its own filter."""
    keys = list(tallies.ATTACHED)
    left = selection.without("search") if search in keys else selection.mask
    return pd.DataFrame(
        {
            "key": keys,
            "label": [label for label, _ in tallies.ATTACHED.values()],
            "rank": range(len(keys)),
            "n": tallies.count(tallies.attached(columns), len(keys), left),
            "on": [search not in keys or key == search for key in keys],
        }
    )


def _ranking(
    counts: NDArray[np.int64], keys: pd.Series, labels: pd.Series, chosen: set[str]
) -> pd.DataFrame:
    """Rows of a bar chart: the most frequent keys, those pale that are not chosen."""
    codes = tallies.top(counts, BARS)
    if chosen and not set(keys.iloc[codes]) & chosen:  # what was chosen is always to be seen
        first = keys.isin(list(chosen)).to_numpy().nonzero()[0][:1]
        codes = np.append(codes[: BARS - 1], first)
    best = keys.iloc[codes].tolist()
    return pd.DataFrame(
        {
            "key": best,
            "label": labels.iloc[codes].tolist(),
            "rank": range(len(codes)),
            "n": counts[codes],
            "on": [not chosen or key in chosen for key in best],
        }
    )
