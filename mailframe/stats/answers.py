"""How many questions are answered, and how soon: shares of all that asked, not of the answered.

Questions are the mails that ask me (see `asks`), an answer is my first reply to one. What is not
answered yet may be: so the share within a span is of the questions that are at least as old as
the span, or answered; and the median is that of Kaplan and Meier (1958), in which a question that
is open counts as open for as long as it is known to have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import clock, replies, threads, vectors, volume

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo
    from typing import Any

    from numpy.typing import NDArray

    from mailframe.stats import me
    from mailframe.stats.vectors import Bools, Ints

    Floats = NDArray[np.float64]

WITHIN = ("1h", "4h", "1D", "7D")
Z = 1.959964  # of the normal distribution: 95 % lie within
PER = ("mail", "conversation")
CLOCKS = {"hour": 24, "weekday": 7}


class Questions(NamedTuple):
    """Questions, one entry each, in order of their rows.

    ``open`` is how long each was open, in microseconds: until the answer, or until now.
    """

    row: Ints
    asked: Ints
    answered: Bools
    untimed: Bools  # answered, nobody knows when
    open: Ints

    def only(self, keep: Bools) -> Questions:
        """Give those marked."""
        return Questions(
            self.row[keep],
            self.asked[keep],
            self.answered[keep],
            self.untimed[keep],
            self.open[keep],
        )


def questions(
    mail: replies.Correspondence, exclude: Iterable[str], per: str, now: int
) -> tuple[Questions, dict[str, int]]:
    """Find what asked me, and whether and when I answered."""
    if per not in PER:
        raise ConfigurationError(f"per={per!r}: 'mail' or 'conversation'")
    asked = mail.asked(exclude)
    row = np.flatnonzero(asked.asks & mail.trees.single)
    first = mail.found.only(mail.found.mine)
    order = np.lexsort((first.end, ~first.timed, first.original))
    lead = order[np.flatnonzero(vectors.starts_of(first.original[order]))]
    end = np.full(len(mail.df), vectors.NEVER)
    done = np.zeros(len(mail.df), dtype=bool)
    done[first.original[lead]] = True
    timed = lead[first.timed[lead]]
    end[first.original[timed]] = first.end[timed]
    flagged = np.ones(len(mail.df), dtype=bool)
    flagged[replies.unanswered(mail, asked)] = False
    done |= flagged
    if per == "conversation":  # its first question, and the first answer to any of its mails
        thread = threads.threaded(mail.df, mail.trees).thread[row]
        begun = np.where(mail.when[row] == vectors.NEVER, np.iinfo(np.int64).max, mail.when[row])
        order = np.lexsort((row, begun, thread))
        starts = np.flatnonzero(vectors.starts_of(thread[order]))
        group = np.cumsum(vectors.starts_of(thread[order])) - 1
        ends = np.where(end[row] == vectors.NEVER, np.iinfo(np.int64).max, end[row])[order]
        soonest = vectors.earliest(group, ends, len(starts))
        answered = np.zeros(len(starts), dtype=bool)
        answered[group[done[row][order]]] = True
        row = row[order[starts]]
        end[row] = np.where(soonest == np.iinfo(np.int64).max, vectors.NEVER, soonest)
        done[row] = answered
    start = mail.when[row]
    known = (start != vectors.NEVER) & (start <= now)
    row, start = row[known], start[known]
    until = end[row]
    untimed = done[row] & (until == vectors.NEVER)
    answered = done[row] & (untimed | (until <= now))
    return Questions(
        row, start, answered, untimed, np.where(answered & ~untimed, until, now) - start
    ), asked.left_out


def answered(
    df: pd.DataFrame,
    by: str | None,
    *,
    within: Iterable[str],
    per: str,
    me_: me.Given,
    now: datetime | None,
    exclude: Iterable[str],
    tz: str | tzinfo | None,
) -> pd.DataFrame:
    """Tell how many questions were answered within spans; see ``df.mail.answered``."""
    spans = _spans(within)
    mail = replies.Correspondence(df, me_)
    found, left_out = questions(mail, exclude, per, clock.now(now))
    cell, index = _cells(df, by, found, tz)
    keep = cell >= 0
    cell = cell[keep]
    found = found.only(keep)
    total = len(index)

    def count(which: Bools) -> Ints:
        return np.bincount(cell[which], minlength=total)

    n, hits = count(np.ones(len(cell), dtype=bool)), count(found.answered)
    table = pd.DataFrame({"asked": n, "answered": hits, "untimed": count(found.untimed)}, index)
    table["share"] = _ratio(hits, n)
    table["low"], table["high"] = wilson(hits, n)
    timed = ~found.untimed
    for name, span in spans.items():
        soon, old = within_span(found, span)
        table[f"n_{name}"] = count(old)
        table[f"within_{name}"] = _ratio(count(soon), count(old))
    table["median_hours"] = [
        kaplan_meier(found.open[here] / clock.HOUR, found.answered[here])
        for here in _each(cell, timed, total)
    ]
    if by is not None and by not in CLOCKS and not volume.is_period(by):
        table = vectors.ranked(table[table["asked"] > 0], "asked")
    elif by is not None and by not in CLOCKS:
        volume.partial(table)
    return mail.tell(table, asking=left_out)


def within_span(found: Questions, span: int) -> tuple[Bools, Bools]:
    """Mark the questions answered within a span of microseconds, and those that can tell."""
    timed = ~found.untimed
    soon = timed & found.answered & (found.open <= span)
    return soon, timed & (soon | (found.open >= span))


def _each(cell: Ints, timed: Bools, total: int) -> list[Ints]:
    """Give the questions of each group that have a time."""
    rows = np.flatnonzero(timed)
    rows = rows[np.argsort(cell[rows], kind="stable")]
    return np.split(rows, np.searchsorted(cell[rows], np.arange(1, total)))[:total]


def kaplan_meier(hours: Floats, answered: Bools) -> float:
    """Give the time by which half of all questions are answered; NaN while fewer than half are.

    S(t) is the product over the times t_i of answers of 1 - d_i / n_i, with d_i answers then and
    n_i questions open until then; the median is the least t with S(t) <= 1/2.
    """
    order = np.argsort(hours, kind="stable")
    at, done = hours[order], answered[order]
    times, first = np.unique(at, return_index=True)
    open_ = len(at) - first
    answers = np.add.reduceat(done.astype(np.int64), first) if len(first) else first
    left = np.cumprod(1 - answers / np.maximum(open_, 1))
    # A product of fractions may miss the half that it is by a rounding.
    half = np.flatnonzero((left <= 0.5 + 1e-12) & (answers > 0))
    return float(times[half[0]]) if len(half) else float("nan")


def wilson(hits: Ints, n: Ints) -> tuple[Floats, Floats]:
    """Give the interval of Wilson (1927) for a share, at 95 %; NaN where n is 0."""
    n = np.where(n > 0, n, np.nan)
    share, extra = hits / n, Z * Z / n
    centre = (share + extra / 2) / (1 + extra)
    wide = Z / (1 + extra) * np.sqrt(share * (1 - share) / n + extra / (4 * n))
    return np.maximum(centre - wide, 0), np.minimum(centre + wide, 1)


def _spans(within: Iterable[str]) -> Mapping[str, int]:
    """Read spans of time as "4h", in microseconds."""
    spans = {}
    for name in [within] if isinstance(within, str) else within:
        try:
            spans[name] = int(pd.Timedelta(name) / pd.Timedelta(microseconds=1))
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"within={name!r}: a span as '4h', '1D' or '7D'") from error
        if spans[name] <= 0:
            raise ConfigurationError(f"within={name!r}: a span as '4h', '1D' or '7D'")
    return spans


def _cells(
    df: pd.DataFrame, by: str | None, found: Questions, tz: str | tzinfo | None
) -> tuple[Ints, pd.Index[Any]]:
    """Sort questions into groups."""
    if by is None:
        return np.zeros(len(found.row), dtype=np.int64), pd.Index(["all"], name="questions")
    if by in CLOCKS:
        wall = clock.shown(found.asked, tz)
        if by == "hour":
            return wall % clock.DAY // clock.HOUR, pd.RangeIndex(24, name="hour")
        days = pd.CategoricalIndex(volume.WEEKDAYS, volume.WEEKDAYS, ordered=True, name="weekday")
        return (wall // clock.DAY + 3) % 7, days  # 1970-01-01 was a Thursday
    groups, index = replies.grouped(df, by, tz)
    return groups[found.row], index


def backlog(
    df: pd.DataFrame,
    *,
    me_: me.Given,
    now: datetime | None,
    exclude: Iterable[str],
    tz: str | tzinfo | None,
) -> pd.DataFrame:
    """Count the open questions at the end of each day; see ``df.mail.backlog``."""
    mail = replies.Correspondence(df, me_)
    present = clock.now(now)
    found, left_out = questions(mail, exclude, "mail", present)
    return mail.tell(open_by_day(found, tz, present), asking=left_out)


def open_by_day(found: Questions, tz: str | tzinfo | None, present: int) -> pd.DataFrame:
    """Count what was asked, answered and open, day by day until the present."""
    found = found.only(~found.untimed)
    asked = clock.shown(found.asked, tz) // clock.DAY
    ended = clock.shown((found.asked + found.open)[found.answered], tz) // clock.DAY
    first = int(asked.min()) if len(asked) else 0
    last = int(clock.shown(np.array([present]), tz)[0] // clock.DAY) if len(asked) else -1
    days = np.arange(first, last + 1)
    new = np.bincount(asked - first, minlength=len(days))
    done = np.bincount(ended - first, minlength=len(days))
    index = pd.DatetimeIndex(days.astype("M8[D]").astype("M8[us]"), name="day")
    return pd.DataFrame({"asked": new, "answered": done, "open": np.cumsum(new - done)}, index)


def _ratio(part: Ints, whole: Ints) -> Floats:
    shares: Floats = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
