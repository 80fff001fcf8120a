"""How fast mail is answered, and what waits for an answer.

A reply is a message whose nearest ancestor, by References or In-Reply-To, is in the frame: the
same links that make threads. My reply answers somebody else's message, a reply to me answers mine;
what others answer one another is not counted. Unanswered mail is counted, never averaged in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import clock, columns, me, threads, volume

if TYPE_CHECKING:
    from datetime import datetime, tzinfo
    from typing import Any

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from mailframe.stats.columns import Bools, Ints
    from mailframe.stats.office import Office

    Floats = NDArray[np.float64]

DIRECTIONS = ["mine", "theirs"]
WAITING = ["owe", "owed"]
BULK = {"list_id", "list_unsubscribe"}


class Replies(NamedTuple):
    """Replies and what they answer, as rows of the frame; in order of the reply's row."""

    reply: Ints
    original: Ints
    mine: Bools
    first: Bools

    def only(self, keep: Bools) -> Replies:
        """Give those marked."""
        return Replies(self.reply[keep], self.original[keep], self.mine[keep], self.first[keep])

    def span(self, when: Ints) -> tuple[Ints, Ints, Bools]:
        """Give begin and end, and where both are known and in order: clocks may be wrong."""
        start, end = when[self.original], when[self.reply]
        return start, end, (start != columns.NEVER) & (end >= start)


def pairs(trees: threads.Forest, sent: Bools, when: Ints) -> Replies:
    """Find my replies to others and theirs to me."""
    above = trees.parent[trees.node]
    answers = trees.single & (above >= 0)
    answers[answers] = trees.present[above[answers]]
    reply = np.flatnonzero(answers)
    original = trees.first[above[reply]]
    keep = sent[reply] != sent[original]
    reply, original = reply[keep], original[keep]
    order = np.lexsort((reply, when[reply], original))
    first = np.zeros(len(reply), dtype=bool)
    first[order[np.flatnonzero(columns.starts_of(original[order]))]] = True
    return Replies(reply, original, sent[reply], first)


def response_times(df: pd.DataFrame, *, me_: me.Given, office: Office) -> pd.DataFrame:
    """Time each reply; see ``df.mail.response_times``."""
    columns.require(df, "date", "from_addr")
    own, trees, when = me.own(df, me_), threads.forest(df), columns.micros(df)
    found = pairs(trees, own.sent, when)
    start, end, sane = found.span(when)
    open_for = office.between(start[sane], end[sane])
    other = np.where(found.mine, found.original, found.reply)
    table = pd.DataFrame(
        {
            "direction": columns.kinds((~found.mine).astype(np.int8), DIRECTIONS),
            "person": _people(df, other),
            "received": columns.stamps(start),
            "replied": columns.stamps(end),
            "hours": _spread((end[sane] - start[sane]) / clock.HOUR, sane),
            "business_hours": _spread(open_for / clock.HOUR, sane),
            "first": found.first,
        },
        index=columns.labelled(df, found.reply),
    )
    return own.tell(table)


def _people(df: pd.DataFrame, rows: Ints) -> ExtensionArray:
    """Give the senders of rows, in lower case."""
    who = columns.coded(df, "from_addr", fold=True)
    return columns.text(who.labels).take(who.dense(len(df))[rows], allow_fill=True)


def _spread(values: Floats, where: Bools) -> Floats:
    out = np.full(len(where), np.nan)
    out[where] = values
    return out


def response_summary(
    df: pd.DataFrame,
    by: str,
    *,
    direction: str,
    quantiles: tuple[float, ...],
    me_: me.Given,
    office: Office,
) -> pd.DataFrame:
    """Sum up response times; see ``df.mail.response_summary``."""
    if direction not in DIRECTIONS:
        raise ConfigurationError(f"direction={direction!r}: 'mine' or 'theirs'")
    own, trees, when = me.own(df, me_), threads.forest(df), columns.micros(df)
    found = pairs(trees, own.sent, when)
    found = found.only(found.first & (found.mine == (direction == "mine")))
    start, end, sane = found.span(when)
    groups, index = _groups(df, by, office.tz)
    # Theirs are grouped by who answered, mine by whom I answered: the other side, both times.
    side = found.original if direction == "mine" or by in volume.PERIODS else found.reply
    cell = groups[side]
    sane &= cell >= 0
    start, end = start[sane], end[sane]
    taken = {"hours": end - start, "business_hours": office.between(start, end)}
    times = (pd.DataFrame(taken) / clock.HOUR).groupby(cell[sane])

    table = pd.DataFrame(
        {"replies": np.bincount(cell[cell >= 0], minlength=len(index))}, index=index
    )
    if direction == "mine":
        waiting = _addressed(df, own) & ~own.sent & trees.single & (groups >= 0)
        waiting[found.original] = False
        table["unanswered"] = np.bincount(groups[waiting], minlength=len(index))
    for name in ("hours", "business_hours"):
        for quantile in quantiles:
            found_at = times[name].quantile(quantile).reindex(range(len(index)))
            table[f"{name}_{quantile * 100:g}%"] = found_at.to_numpy()
    shown = table["replies"] + table.get("unanswered", 0) > 0
    if by in volume.PERIODS:
        return own.tell(table)
    return own.tell(columns.ranked(table[shown], "replies"))


def _groups(df: pd.DataFrame, by: str, tz: str | tzinfo | None) -> tuple[Ints, pd.Index[Any]]:
    """Give the number of each row's person, domain or period."""
    if by in volume.PERIODS:
        rows, bins, index = volume.binned(df, by, tz, "date")
        groups = np.full(len(df), -1, dtype=np.int64)
        groups[rows] = bins
        return groups, index
    names = {"person": "from_addr", "domain": "from_domain"}
    if by not in names:
        raise ConfigurationError(f"by={by!r}: 'person', 'domain', or a period such as 'M'")
    who = columns.coded(df, names[by], fold=True)
    return who.dense(len(df)), who.index(by)


def _addressed(df: pd.DataFrame, own: me.Own) -> Bools:
    """Mark mail that names me in To and is no bulk mail: what asks me for an answer.

    Bulk has a List-Id or a List-Unsubscribe, so far as the frame has these.
    """
    columns.require(df, "to")
    to = columns.coded(df, "to", fold=True)
    asked = np.zeros(len(df), dtype=bool)
    asked[to.rows[own.has(to.labels)[to.codes]]] = True
    for name in BULK & set(df.columns):
        asked[columns.flat(df, name)[0]] = False
    return asked


def awaiting_reply(df: pd.DataFrame, *, me_: me.Given, now: datetime | None) -> pd.DataFrame:
    """List the threads that wait for an answer; see ``df.mail.awaiting_reply``."""
    columns.require(df, "date", "from_addr", "subject", "to")
    own, found, when = me.own(df, me_), threads.threaded(df), columns.micros(df)
    rows = np.arange(len(df))
    order = np.lexsort((-rows, when, found.thread))
    last = order[np.flatnonzero(np.diff(found.thread[order], append=-1))]
    last = last[when[last] != columns.NEVER]

    owe = _addressed(df, own)[last] & ~own.sent[last]
    if "answered" in df.columns:
        owe &= ~columns.flags(df, "answered")[last]
    to = columns.coded(df, "to", fold=True)
    outward = np.zeros(len(df), dtype=bool)
    outward[to.rows[~own.has(to.labels)[to.codes]]] = True
    owed = own.sent[last] & outward[last]
    if "draft" in df.columns:
        owed &= ~columns.flags(df, "draft")[last]
    keep = owe | owed
    last, owed = last[keep], owed[keep]

    # Whom it is: the sender of what I owe, the first other recipient of what is owed to me.
    others = to.where(~own.has(to.labels)[to.codes])
    lead = np.flatnonzero(columns.starts_of(others.rows))
    recipient = np.full(len(df), -1, dtype=np.int64)
    recipient[others.rows[lead]] = others.codes[lead]
    names = columns.text(to.labels)
    person = pd.Series(_people(df, last))
    person[owed] = names.take(recipient[last[owed]])

    table = pd.DataFrame(
        {
            "waiting": columns.kinds(owed.astype(np.int8), WAITING),
            "person": person.to_numpy(),
            "subject": df["subject"].array.take(last),
            "date": columns.stamps(when[last]),
            "thread": found.thread[last],
        },
        index=columns.labelled(df, last),
    )
    table["age"] = pd.to_timedelta(clock.now(now) - when[last], unit="us")
    table["person"] = table["person"].astype("str")
    return own.tell(table.iloc[np.lexsort((last, when[last]))])
