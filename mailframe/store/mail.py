"""``store.mail``: statistics of a store of any size, by the names and definitions of ``df.mail``.

What counts messages is asked of DuckDB, which reads no more than the columns it counts and keeps
no more than the counts. What follows threads and replies looks at one account at a time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mailframe.store.reader import Store

# As in ``mailframe.stats.people``: compared without regard to case.
_CASELESS = {"from_addr", "from_domain", "to", "cc", "list_id"}
_PERIODS = {"D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year"}
_ALONE = {"anonymise", "contact_graph", "describe", "recipients", "thread_ids", "unique", "when"}


class StoreMail:
    """Statistics of a store that need not fit into memory.

    ``tz`` is the zone that days, weeks and hours are told in: a name, UTC by default (where
    ``df.mail`` takes the reader's own).
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def top(self, column: str = "from_addr", n: int = 10) -> pd.Series[Any]:
        """Count messages by the values of a column, as ``df.mail.top`` does.

        Returns
        -------
        pandas.Series of int64
            Named "messages", indexed by the value; the commonest first.
        """
        held = self._store.sql("describe messages").set_index("column_name")["column_type"]
        if column not in held.index:
            raise ConfigurationError(f"There is no column {column!r} in this store.")
        value = '"' + column.replace('"', '""') + '"'
        each = value
        if held[column].endswith("[]"):
            folded = f"[lower(each) for each in {value}]" if column in _CASELESS else value
            each = f"unnest(list_distinct({folded}))"
        elif column in _CASELESS:
            each = f"lower({value})"
        return self._counted(
            f"select {each} as value from messages where {value} is not null",  # noqa: S608 -- quoted
            "where value is not null group by 1 order by messages desc, value limit ?",
            column,
            [n],
        )

    def volume(self, freq: str = "W", *, tz: str = "UTC") -> pd.Series[Any]:
        """Count messages by period, as ``df.mail.volume`` does.

        Parameters
        ----------
        freq : {"D", "W", "M", "Q", "Y"}
            Days, weeks from Monday, months, quarters, years.

        Returns
        -------
        pandas.Series of int64
            Indexed by the start of each period, no period left out; ``attrs["partial"]`` as there.
        """
        if freq not in _PERIODS:
            raise ConfigurationError(f"freq={freq!r} is none of {', '.join(_PERIODS)}")
        counts = self._by_period(_PERIODS[freq], tz)
        starts = cast("pd.DatetimeIndex", counts.index)
        # A day that begins with an hour that is not there, or comes twice, begins when it begins.
        local = starts.tz_localize(tz, ambiguous=True, nonexistent="shift_forward")
        counts.index = local.rename("date")
        ends = counts.index[[0, -1]].unique() if len(counts) else counts.index
        counts.attrs["partial"] = [str(start) for start in ends]
        return counts

    def calendar(self, *, tz: str = "UTC") -> pd.Series[Any]:
        """Count messages by day, as ``df.mail.calendar`` does."""
        counts = self._by_period("day", tz)
        counts.index = counts.index.rename("day")
        return counts

    def matrix(self, *, tz: str = "UTC") -> pd.DataFrame:
        """Count messages by weekday and hour, as ``df.mail.matrix`` does.

        Returns
        -------
        pandas.DataFrame of int64, 7 by 24
        """
        df = self._store.sql(
            "with local as (select best at time zone ? as wall from messages"
            " where best is not null), counted as (select isodow(wall) - 1 as d,"
            " hour(wall) as h, count(*) as messages"
            " from local group by all)"
            " select d as weekday, h as hour, coalesce(messages, 0)::bigint as messages"
            " from range(7) as days(d) cross join range(24) as hours(h)"
            " left join counted using (d, h) order by all",
            [_zone(tz)],
        )
        counts: pd.Series[Any] = df["messages"]
        from mailframe.frame.adapter import of_week  # noqa: PLC0415 -- imports pandas

        return of_week(counts)

    def per_account(
        self,
        method: str,
        *arguments: object,
        client: Any = None,  # noqa: ANN401 -- distributed.Client
        **options: object,
    ) -> pd.DataFrame | pd.Series[Any]:
        """Apply a method of ``df.mail`` to each account by itself, and put the results together.

        Parameters
        ----------
        method : str
            Its name: ``"response_summary"``, ``"threads"``, ``"senders"``.
        *arguments, **options
            As the method takes them.
        client : distributed.Client, optional
            Whose workers do it, one account each at a time; they must see the store's directory by
            the same path. By default this process, one account after the other.

        Returns
        -------
        pandas.DataFrame or pandas.Series
            The results one below the other, under a first level of the index "account".

        Raises
        ------
        ConfigurationError
            There is no such method, or its result is not one to put below another.
        """
        if method.startswith("_") or method in _ALONE:
            raise ConfigurationError(
                f"{method!r} gives nothing that accounts could share a table of"
            )
        from mailframe.frame.adapter import stacked  # noqa: PLC0415 -- imports pandas

        names = self._store.accounts()
        one = partial(_of_account, self._store, method, arguments, options)
        found: Sequence[Any]
        if client is None:
            found = [one(name) for name in names]
        else:
            found = client.gather(client.map(one, names, pure=False))
        return stacked(dict(zip(names, found, strict=True)), "account")

    def _by_period(self, period: str, tz: str) -> pd.Series[Any]:
        step = "3 month" if period == "quarter" else f"1 {period}"
        df = self._store.sql(
            f"with counted as (select date_trunc('{period}', best at time zone ?)::timestamp"  # noqa: S608 -- a name of ours
            " as start, count(*) as messages from messages where best is not null group by 1),"
            f" starts as (select unnest(generate_series(min(start), max(start), interval {step}))"
            " as start from counted)"
            " select start, coalesce(messages, 0) as messages from starts left join counted"
            " using (start) order by 1",
            [_zone(tz)],
        )
        counts: pd.Series[Any] = df.set_index("start")["messages"].astype("int64")
        return counts

    def _counted(
        self, rows: str, rest: str, name: str, parameters: Sequence[object] = ()
    ) -> pd.Series[Any]:
        query = f"with counted as ({rows}) select value, count(*) as messages from counted {rest}"  # noqa: S608 -- names are quoted
        df = self._store.sql(query, parameters)
        counts: pd.Series[Any] = df.set_index("value")["messages"].rename_axis(name)
        return counts


def _zone(name: str) -> str:
    """Refuse what is no name of a zone."""
    try:
        return ZoneInfo(name).key
    except (ValueError, TypeError, OSError, ZoneInfoNotFoundError) as error:
        raise ConfigurationError(
            f"tz={name!r} is no zone: write a name as 'Europe/Berlin'"
        ) from error


def _of_account(
    store: Store,
    method: str,
    arguments: tuple[object, ...],
    options: dict[str, object],
    account: str,
) -> object:
    accessor = store.frame(accounts=account).mail
    apply = getattr(accessor, method, None)
    if apply is None:
        raise ConfigurationError(f"df.mail has no method {method!r}")
    return apply(*arguments, **options)
