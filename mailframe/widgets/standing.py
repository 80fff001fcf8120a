"""Charts that stand still: what habits the whole mailbox tells of, whatever is chosen elsewhere.

Their numbers are the statistics' own (``df.mail.answered``, ``trend``, ``after_hours``, ``backlog``
and ``lists``): no choice in another chart changes what somebody was asked and has answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.charts import forms
from mailframe.stats import answers, asks, clock, clutter, habits, me, replies
from mailframe.stats.office import Office

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from mailframe.charts.forms import Figure
    from mailframe.search.filterable import Columns

    Rows = list[dict[str, Any]]

HEIGHT = 120  # pixels
MONTHS = 24  # that a trend shows
POINTS = 400  # of a line, more than which no screen shows
LISTS = 10
FEW = 3  # messages of a list that nobody read, before it is worth a line
SPANS = {"within 1 hour": "1h", "within 4 hours": "4h", "within a day": "1D", "within a week": "7D"}
PARTS = ("in hours", "after hours", "days off")
SIDES = {"mine": "You", "theirs": "Others"}


class Standing(NamedTuple):
    """A chart and all that it ever shows."""

    figure: Figure
    rows: Rows


def standing(
    columns: Columns, mail: replies.Correspondence, tz: str | dt.tzinfo | None
) -> list[Standing]:
    """Draw the habits of a mailbox, those of which it tells something."""
    if not len(columns):
        return []
    zone = None if tz == clock.SENDER else tz  # an office has one clock
    ways: list[Callable[[], Standing | None]] = [lambda: _trend(columns.df, tz)]
    if {"to", "from_addr"} <= set(columns.df.columns):
        found, _ = answers.questions(mail, asks.EXCLUDED, "mail", clock.now())
        ways += [
            lambda: _answered(found),
            lambda: _backlog(found, zone, min(clock.now(), int(mail.when.max()))),
            lambda: _after_hours(columns.df, mail.own, zone),
        ]
    if {"list_id", "seen"} <= set(columns.df.columns):
        ways.append(lambda: _never_read(columns.df))
    drawn = [way() for way in ways]
    return [one for one in drawn if one is not None and any(row["n"] for row in one.rows)]


def _trend(df: pd.DataFrame, tz: str | dt.tzinfo | None) -> Standing | None:
    table = habits.trend(df, "M", tz=tz, date="best").tail(MONTHS)
    if len(table) <= 1:
        return None
    index = pd.DatetimeIndex(table.index).tz_localize(None)
    ends = index + pd.offsets.MonthBegin()
    rows = [
        {
            "start": _milliseconds(start),
            "end": _milliseconds(end),
            "label": f"{start:%b %Y}" + (", not whole" if partial else ""),
            "n": int(count),
            "partial": bool(partial),
            "change": "" if partial or np.isnan(change) else f"{change:+.0%}",
        }
        for start, end, count, partial, change in zip(
            index, ends, table["messages"], table["partial"], table["change"], strict=True
        )
    ]
    return Standing(forms.trend(HEIGHT), rows)


def _answered(found: answers.Questions) -> Standing | None:
    if not len(found.row):
        return None
    spans = {
        name: answers.within_span(found, pd.Timedelta(span).value // 1_000)
        for name, span in SPANS.items()
    }
    counted = [(name, int(soon.sum()), int(old.sum())) for name, (soon, old) in spans.items()]
    counted.append(("by now", int(found.answered.sum()), len(found.row)))
    rows = [
        {
            "label": name,
            "n": hits,
            "share": hits / total if total else 0.0,
            "told": f"{hits / total:.0%} ({hits:,} of {total:,})" if total else "none so old",
            "rank": rank,
        }
        for rank, (name, hits, total) in enumerate(counted)
    ]
    text = f"share of the {len(found.row):,} messages that asked you which you answered, by time"
    return Standing(forms.shares("answered", "Answered by you", text, len(rows)), rows)


def _backlog(found: answers.Questions, tz: str | dt.tzinfo | None, until: int) -> Standing | None:
    days = answers.open_by_day(found, tz, until)
    if not len(days):
        return None
    step = -(-len(days) // POINTS)
    kept = days.iloc[::-step][::-1]
    rows = [
        {"day": _milliseconds(day), "label": f"{day:%a %d %b %Y}", "n": int(count)}
        for day, count in zip(pd.DatetimeIndex(kept.index), kept["open"], strict=True)
    ]
    return Standing(forms.line("backlog", "Waiting for your answer", HEIGHT), rows)


def _after_hours(df: pd.DataFrame, own: me.Own, tz: str | dt.tzinfo | None) -> Standing | None:
    office = Office(tz=tz)
    table = habits.outside(df, "side", own=own, office=office)
    rows = []
    for side, row in table.iterrows():
        total = int(row["messages"])
        if not total:
            continue
        after, off = row["after_hours"], row["days_off"]
        for rank, (part, share) in enumerate(
            zip(PARTS, (1 - after - off, after, off), strict=True)
        ):
            rows.append(
                {
                    "side": f"{SIDES[str(side)]}, {total:,}",
                    "part": part,
                    "label": f"{SIDES[str(side)]}, {part}",
                    "n": round(share * total),
                    "share": share,
                    "told": f"{share:.0%}" if share >= forms.READABLE else "",
                    "rank": rank,
                }
            )
    opens, closes = office.hours
    text = f"mail written Mon to Fri {opens:g} to {closes:g} h, {clock.name(tz)}; outside; days off"
    return Standing(forms.parts("after_hours", "When mail is written", text, PARTS), rows)


def _never_read(df: pd.DataFrame) -> Standing | None:
    table = clutter.lists(df)
    table = table[(table["read"] == 0) & (table["messages"] >= FEW)].head(LISTS)
    rows: Rows = [
        {"key": name, "label": str(name), "n": int(count), "on": True, "rank": rank}
        for rank, (name, count) in enumerate(table["messages"].items())
    ]
    text = "mailing lists of which no message was read"
    figure = forms.bars("never_read", "Lists never read", text, rows=max(len(rows), 1), span=6)
    return Standing(figure, rows)


def _milliseconds(moment: pd.Timestamp) -> int:
    return int(moment.value // 1_000_000)
