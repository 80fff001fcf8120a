"""How much mail, and when: counts by quarters of an hour, of which `mailframe.stats` makes periods.

A zone's clocks stand at whole quarters from each other since 1990. A quarter in which the clocks of
a zone change, and whatever is older, is counted more finely, so that zones need no second rules.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.census.tables import ORDER, Tables, ints, labels, moments
from mailframe.stats import clock, dates, people, periods, vectors, volume

if TYPE_CHECKING:
    from datetime import tzinfo

    from mailframe.stats.vectors import Bools, Ints

    Zone = str | tzinfo | None

# Each of them a part of the one before; the last is exact.
WIDTHS = (15 * 60 * clock.SECOND, 60 * clock.SECOND, clock.SECOND, 1)


class Counted(NamedTuple):
    """Messages by instant (of each sender's own clock, with that ``tz``), and by group."""

    began: Ints
    group: Ints
    messages: Ints

    def frame(self) -> pd.DataFrame:
        """Give the instants as a frame that the rules for periods take: a row for each."""
        offset = np.zeros(len(self.began), np.int16)
        return pd.DataFrame({"date": vectors.stamps(self.began), "date_offset": offset})


def is_sender(tz: Zone) -> bool:
    """Tell whether each message counts on its sender's clock."""
    return isinstance(tz, str) and tz == clock.SENDER


def counted(
    tables: Tables,
    tz: Zone,
    date: str,
    *,
    group: str = "0",
    extra: tuple[object, ...] = (),
    step: int = 0,
) -> Counted:
    """Count messages by instants as fine as a zone, and a fixed step of time, ask for.

    Parameters
    ----------
    group : str
        An expression that gives numbers.
    """
    at = microseconds(tables, tz, date)
    found: list[Counted] = []
    where, listed = "true", None
    for width in (math.gcd(width, step) for width in WIDTHS):
        began = f"instant - instant % {width}"
        query = (
            f"with moments as (select {at} as instant, {group} as place from {{source}}"
            f" where {tables.at(date)} is not null), counted as (select case when"
            f" instant >= {dates.EARLIEST} then {began} else instant end as began, place"
            f" from moments where {where})"
            " select began, place, count(*) as messages from counted group by 1, 2 order by 1, 2"
        )
        if listed is None:
            table = tables.ask(query, extra)
        else:
            with tables.given(uneven=pa.table({"instant": listed})):
                table = tables.ask(query, extra)
        part = Counted(*(ints(table[name]) for name in ("began", "place", "messages")))
        uneven = _uneven(part.began, tz, width) if width > 1 else np.zeros(len(part.began), bool)
        found.append(Counted(*(column[~uneven] for column in part)))
        if not uneven.any():
            break
        listed = vectors.unique(part.began[uneven])
        where = f"instant >= {dates.EARLIEST} and {began} in (select instant from uneven)"
    return Counted(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def evenly(tables: Tables, tz: Zone, date: str) -> tuple[int, Counted]:
    """Count messages by stretches of one width, the widest that a zone's clocks keep to."""
    width, found = 1, counted(tables, tz, date)
    for width in WIDTHS:
        began = vectors.unique(found.began - found.began % width)
        if not _uneven(began, tz, width).any():
            break
    place, at = np.unique(found.began - found.began % width, return_inverse=True)
    messages = volume.summed(at, len(place), found.messages)
    return width, Counted(place, np.zeros(len(place), np.int64), messages)


def microseconds(tables: Tables, tz: Zone, date: str) -> str:
    """Return an expression for the instant in microseconds; with "sender" that on their clocks."""
    at = tables.at(date)
    if not is_sender(tz):
        return f"epoch_us({at})"
    offset = tables.value("date_offset")
    # Where the Date is not what the instant is by, its zone tells nothing.
    known = f"case when date = best then {offset} end" if date == dates.BEST else offset
    return f"epoch_us({at}) + coalesce({known}, 0)::bigint * {60 * clock.SECOND}"


def _uneven(at: Ints, tz: Zone, width: int) -> Bools:
    """Mark the stretches in which a clock in the zone does not go on as it began."""
    if is_sender(tz):
        return np.zeros(len(at), bool)
    began, ends = clock.shown(at, tz), clock.shown(at + width - 1, tz)
    odd = (ends - began != width - 1) | ((began - at) % width != 0)
    uneven: Bools = odd & (at >= dates.EARLIEST)
    return uneven


def wall(found: Counted, tz: Zone) -> Ints:
    """Give what the clocks on the wall showed."""
    return found.began if is_sender(tz) else clock.shown(found.began, tz)


def first_of_all(tables: Tables, tz: Zone, date: str) -> Ints:
    """Give the instant of the first row of the frame that has one: fixed steps count from it."""
    table = tables.ask(
        f"select {microseconds(tables, tz, date)} as instant from {{source}}"
        f" where {tables.at(date)} is not null order by {ORDER} limit 1"
    )
    return ints(table["instant"])


def binned(
    tables: Tables, found: Counted, freq: str, tz: Zone, date: str
) -> tuple[Counted, Ints, pd.DatetimeIndex]:
    """Sort what was counted into periods, as `mailframe.stats.volume.binned` does."""
    if periods.calendar(freq) is None:
        first = first_of_all(tables, tz, date)
        nothing = np.zeros(len(first), np.int64)
        parts = zip(Counted(first, nothing, nothing), found, strict=True)
        found = Counted(*(np.concatenate(part) for part in parts))
    _, bins, starts = volume.binned(found.frame(), freq, tz, "date")
    return found, bins, starts.rename(dates.name(date))


def volume_of(
    tables: Tables, freq: str, by: str | None, top: int, tz: Zone, date: str, *, cumulative: bool
) -> pd.Series[Any] | pd.DataFrame:
    """Count messages by period; see ``df.mail.volume``."""
    group, extra, names = ("0", (), None) if by is None else _grouped(tables, by, top)
    found = counted(tables, tz, date, group=group, extra=extra, step=volume.step_of(freq))
    found, bins, starts = binned(tables, found, freq, tz, date)
    if names is None:
        series = volume.counts(bins, starts, found.messages)
        return volume.partial(series.cumsum() if cumulative else series)
    cells = volume.summed(bins * len(names) + found.group, len(starts) * len(names), found.messages)
    table = pd.DataFrame(cells.reshape(len(starts), len(names)), index=starts, columns=names)
    return volume.partial(table.cumsum() if cumulative else table)


def _grouped(tables: Tables, by: str, top: int) -> tuple[str, tuple[object, ...], pd.Index[Any]]:
    """Return an expression for the place of each message among the commonest values of a column."""
    values = tables.values(by)
    table = tables.ask(
        f"with counted as ({tables.key(by)}) select value, count(*) as messages from counted"
        " group by 1 order by messages desc, value"
    )
    lacking = tables.ask(
        f"select count(*) filter (len(coalesce({values}, [])) = 0) as n from {{source}}"
    )["n"][0].as_py()
    counts = ints(table["messages"])
    _, names = volume.slots(counts, labels(table["value"]), top, lacking=lacking > 0)
    kept = table["value"].slice(0, top).to_pylist()
    known = f"list_position(?::{_list_type(tables, by)}, each)"
    places = f"list_distinct([coalesce(nullif({known}, 0) - 1, {len(kept)}) for each in {values}])"
    some, none = f"len(coalesce({values}, [])) > 0", f"[{len(names) - 1}]"
    group = f"unnest(case when {some} then {places} else {none} end)"
    return group, (kept,), pd.Index(names, name=by)


def _list_type(tables: Tables, by: str) -> str:
    kind = tables.kinds[by]
    return kind if kind.endswith("[]") else f"{kind}[]"


def matrix(tables: Tables, tz: Zone, date: str) -> pd.DataFrame:
    """Count messages by weekday and hour; see ``df.mail.matrix``."""
    found = counted(tables, tz, date)
    table = volume.week(wall(found, tz), found.messages)
    table.attrs |= _zoneless(tables, tz)
    return table


def calendar(tables: Tables, tz: Zone, date: str) -> pd.Series[Any]:
    """Count messages by day; see ``df.mail.calendar``."""
    found = counted(tables, tz, date)
    counts = volume.daily(wall(found, tz), found.messages)
    counts.attrs |= _zoneless(tables, tz)
    return counts


def _zoneless(tables: Tables, tz: Zone) -> dict[str, int]:
    """Say how many messages name no zone of their own, where that is asked for."""
    if not is_sender(tz):
        return {}
    table = tables.ask(
        "select count(*) filter (best is not null and (date = best and date_offset is not null)"
        " is not true) as zoneless from {source}"
    )
    return {"zoneless": int(ints(table["zoneless"])[0])}


def newcomers(tables: Tables, freq: str, column: str, tz: Zone, date: str) -> pd.DataFrame:
    """List who was seen for the first time in each period; see ``df.mail.newcomers``."""
    at = tables.at(date)
    clocked = microseconds(tables, tz, date)
    key = tables.key(column, f"{at} as instant", f"{clocked} as clocked", ORDER)
    told = f"first(clocked order by instant, {ORDER})" if is_sender(tz) else "min(clocked)"
    table = tables.ask(
        f"with rows as ({key}) select value, min(instant) as first, {told} as clocked,"
        " count(*) as messages from rows where instant is not null group by 1 order by first, value"
    )
    ends = tables.ask(
        f"select unnest([min({clocked}), max({clocked})]) as instant from {{source}}"
        f" where {at} is not null"
    )
    firsts = ints(table["clocked"])
    began = ints(ends["instant"].drop_null())
    every = np.concatenate([began, firsts])
    nothing = np.zeros(len(every), np.int64)
    _, bins, starts = binned(tables, Counted(every, nothing, nothing), freq, tz, date)
    name = "address" if column in people.ADDRESSES else column
    found = pd.DataFrame(
        {
            name: vectors.text(labels(table["value"])),
            "first": moments(table["first"]),
            "messages": ints(table["messages"]),
        }
    )
    return volume.partial(found.set_index(starts[bins[len(bins) - len(firsts) :]]), starts)
