"""What a dashboard and a report show of a store that no frame should hold.

Each message is sorted into the places of every chart by DuckDB, and comes here as a few small
numbers; these are counted, each side alone and every two crossed, some rows at a time.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.census import periods
from mailframe.census.describing import WHOLE
from mailframe.census.tables import opened
from mailframe.charts import cube
from mailframe.search.filterable import MICROSECONDS_A_DAY, NEEDED, Columns
from mailframe.search.values import human_size
from mailframe.stats import clock, dates, vectors
from mailframe.widgets.contents import COPIES, NOTHING, Contents, period

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from mailframe.census.tables import Tables
    from mailframe.charts.cube import Side
    from mailframe.store.reader import Store

__all__ = ["WHOLE", "of_store"]

PIECE = 1 << 19  # rows counted at a time: a few dozen megabytes
# Column, name of the chart, its title.
NAMED = (
    ("from_addr", "senders", "Senders"),
    ("from_domain", "domains", "Domains"),
    ("folder", "folders", "Folders"),
    ("list_id", "lists", "Mailing lists"),
)
STATE = "case when not seen then 0 when answered then 2 else 1 end"


def of_store(store: Store, title: str | None, tz: str | dt.tzinfo | None) -> Contents:
    """Count a store; see `mailframe.widgets.dashboard.contents`."""
    zone = clock.zone(tz)
    with opened(store) as tables:
        told = _told(tables)
        width, found = periods.evenly(tables, zone, dates.BEST)
        times = Columns(_moments(found.began), zone)
        sides = [cube.volume(times, found.messages), cube.clock(times)]
        last = cube.calendar(times, found.messages)
        tables.give(
            moments=pa.table(
                {
                    "began": found.began,
                    **{f"c{n}": side.codes for n, side in enumerate((*sides, last))},
                }
            )
        )
        codes = [_or_missing("c0", sides[0]), _or_missing("c1", sides[1])]
        joins = f"left join moments on epoch_us(best) - epoch_us(best) % {width} = moments.began"
        senders = 0
        for column, name, heading in NAMED:
            side, code, join, total = _named(tables, column, name, heading)
            if len(side.rows):
                sides.append(side)
                codes.append(code)
                joins += join
            senders = total if name == "senders" else senders
        sides += [cube.state(), cube.sizes(), last]
        marks = " + ".join(f"(size >= {mark})::int" for mark in cube.SIZES)
        codes += [STATE, f"coalesce({marks}, {len(cube.SIZES) + 1})", _or_missing("c2", last)]
        shown = [(side, code) for side, code in zip(sides, codes, strict=True) if len(side.rows)]
        sides = [side for side, _ in shown]
        query = ", ".join(f"({code})::smallint as p{n}" for n, (_, code) in enumerate(shown))
        counts, crossed = _counted(tables, f"select {query} from {{source}} {joins}", sides)
    counted = cube.assembled(sides, counts, crossed)
    counted["total"] = told["rows"]
    figures = [side.figure.told(counted["rows"][side.figure.name]) for side in sides]
    heading = title or (f"Mail of {told['one']}" if told["accounts"] == 1 else "Mail")
    numbers = _numbers(told, found, senders)
    return Contents(heading, period(periods.wall(found, zone)) + COPIES, numbers, figures, counted)


def _told(tables: Tables) -> dict[str, Any]:
    table = tables.ask(
        "select count(*) as rows, count(distinct account) as accounts, any_value(account) as one,"
        " count(*) filter (not seen) as unread, sum(size)::bigint as octets,"
        " count(*) filter (date is not null and best is distinct from date) as odd,"
        " count(*) filter (date is not null and best is null) as lost from {source}"
    )
    told: dict[str, Any] = table.to_pylist()[0]
    return told


def _moments(began: NDArray[np.int64]) -> pd.DataFrame:
    """Lay instants out as mail that was sent and came then."""
    stamps = vectors.stamps(began)
    nothing = dict.fromkeys(NEEDED)
    return pd.DataFrame(nothing | {"date": stamps, "internaldate": stamps}, range(len(began)))


def _or_missing(code: str, side: Side) -> str:
    """Return an expression for a place; what has none comes after all of them."""
    return f"case when {code} >= 0 then {code} else {len(side.rows)} end"


def _named(tables: Tables, column: str, name: str, title: str) -> tuple[Side, str, str, int]:
    """Look at the commonest values of a column: the side, each message's place, and a join."""
    table = tables.ask(
        f"with rows as ({tables.key(column)}) select value, count(*) as messages from rows"
        " group by 1 order by messages desc, value"
    )
    best = table["value"].slice(0, cube.KEPT)
    keys = best.to_pylist()
    labels = pd.Series(keys, dtype="str")
    if column == "from_addr":
        labels = _names(tables, best, labels)
    more = len(table) > len(best)
    side = cube.named(name, title, keys, labels, more=more)
    places = pa.array(np.arange(len(best)), pa.int16())
    tables.give(**{name: pa.table({"value": best, "place": places})})
    value = f"lower({column})" if column != "folder" else column
    others = f"coalesce({name}.place, {len(best)})"
    code = f"case when {column} is null then {len(side.rows)} else {others} end"
    return side, code, f" left join {name} on {value} = {name}.value", len(table)


def _names(tables: Tables, best: pa.ChunkedArray, addresses: pd.Series) -> pd.Series:
    """Name the people of a chart; by their addresses where two would be called alike."""
    with tables.given(best=pa.table({"value": best})):
        table = tables.ask(
            "with called as (select lower(from_addr) as value, from_name, count(*) as n"
            " from {source} where from_name is not null group by 1, 2)"
            " select value, first(from_name order by n desc, from_name) as name"
            " from called where value in (select value from best) group by 1"
        )
    known = dict(zip(table["value"].to_pylist(), table["name"].to_pylist(), strict=True))
    names = addresses.map(known)
    return names.mask(names.duplicated(keep=False)).fillna(addresses).astype("str")


def _counted(
    tables: Tables, query: str, sides: list[Side]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Count the places of every side, and of every two."""
    wide = [len(side.rows) + 1 for side in sides]
    pairs = [*combinations(range(len(sides)), 2)]
    alone = [np.zeros(each, np.int64) for each in wide]
    both = [np.zeros(wide[a] * wide[b], np.int64) for a, b in pairs]
    for piece in tables.ask_piecewise(query, PIECE):
        place = [vectors.numpy(column).astype(np.intp) for column in piece.columns]
        for n, each in enumerate(wide):
            alone[n] += np.bincount(place[n], minlength=each)
        for n, (a, b) in enumerate(pairs):
            both[n] += np.bincount(place[a] * wide[b] + place[b], minlength=len(both[n]))
    inner = [
        sums.reshape(wide[a], wide[b])[:-1, :-1].ravel()
        for sums, (a, b) in zip(both, pairs, strict=True)
    ]
    return [sums[:-1] for sums in alone], inner


def _numbers(told: dict[str, Any], found: periods.Counted, senders: int) -> list[tuple[str, str]]:
    dated = int(found.messages.sum())
    days = int(np.ptp(found.began)) // MICROSECONDS_A_DAY + 1 if dated else 1
    numbers = [
        (f"{told['rows']:,}", "messages, each copy counted"),
        (f"{dated / days:,.1f}" if dated else NOTHING, "a day on average"),
        (f"{told['unread']:,}", "unread"),
        (f"{senders:,}", "senders"),
        (human_size(told["octets"] or 0), "in all"),
        (f"{told['accounts']:,}", "accounts"),
    ]
    used = [dates.ARRIVAL] * (told["odd"] > told["lost"]) + [dates.NONE] * (told["lost"] > 0)
    odd, _, what = dates.counted(told["odd"], used).partition(" ")
    return [*numbers, (odd, what)] if odd else numbers
