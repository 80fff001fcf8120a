"""``store.mail``: statistics of a store of any size, by the names and definitions of ``df.mail``.

What counts messages is asked of DuckDB, which reads no more than the columns it counts and keeps
no more than the counts. What follows threads and replies looks at one account at a time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mailframe.census import clutter, describing, periods
from mailframe.census import people as _people
from mailframe.census.tables import opened
from mailframe.errors import ConfigurationError
from mailframe.frame.adapter import stacked
from mailframe.stats import dates
from mailframe.stats.accessor import MailAccessor

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import pandas as pd

    from mailframe.census.periods import Zone
    from mailframe.census.tables import Tables
    from mailframe.stats.describe import Description
    from mailframe.stats.me import Given
    from mailframe.store.reader import Store

    People = Mapping[str, str] | None

_ALONE = {"anonymise", "contact_graph", "describe", "recipients", "thread_ids", "unique", "when"}


class StoreMail:
    """Statistics of a store that need not fit into memory.

    Names, arguments and results are those of ``df.mail``, which has the definitions (``tz=``,
    ``date=``, ``people=``, ``me=``), cell by cell what ``store.frame().mail`` gives. Nothing is an
    approximation. Instants by Received fields, where neither Date nor arrival tells one, are those
    of frames only.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def _opened(self, people: People) -> AbstractContextManager[Tables]:
        return opened(self._store, people)

    def volume(
        self,
        freq: str = "W",
        *,
        by: str | None = None,
        top: int = 10,
        cumulative: bool = False,
        tz: Zone = None,
        date: str = dates.BEST,
        people: People = None,
    ) -> pd.Series[Any] | pd.DataFrame:
        """Count messages by period, as ``df.mail.volume`` does."""
        with self._opened(people) as tables:
            return periods.volume_of(tables, freq, by, top, tz, date, cumulative=cumulative)

    def calendar(
        self, *, tz: Zone = None, date: str = dates.BEST, people: People = None
    ) -> pd.Series[Any]:
        """Count messages by day, as ``df.mail.calendar`` does."""
        with self._opened(people) as tables:
            return periods.calendar(tables, tz, date)

    def matrix(
        self, *, tz: Zone = None, date: str = dates.BEST, people: People = None
    ) -> pd.DataFrame:
        """Count messages by weekday and hour, as ``df.mail.matrix`` does."""
        with self._opened(people) as tables:
            return periods.matrix(tables, tz, date)

    def top(
        self, column: str = "from_addr", n: int = 10, *, people: People = None
    ) -> pd.Series[Any]:
        """Count messages by the values of a column, as ``df.mail.top`` does."""
        with self._opened(people) as tables:
            return _people.top(tables, column, n)

    def senders(self, *, people: People = None) -> pd.DataFrame:
        """Tell of each sender's address, as ``df.mail.senders`` does."""
        with self._opened(people) as tables:
            return _people.senders(tables)

    def domains(self, level: str = "domain", *, people: People = None) -> pd.DataFrame:
        """Tell of each domain or organisation that mail is from, as ``df.mail.domains`` does."""
        with self._opened(people) as tables:
            return _people.domains(tables, level)

    def lists(self, *, people: People = None) -> pd.DataFrame:
        """Tell of each mailing list, as ``df.mail.lists`` does."""
        with self._opened(people) as tables:
            return _people.lists(tables)

    def newcomers(
        self,
        freq: str = "M",
        *,
        column: str = "from_addr",
        tz: Zone = None,
        date: str = dates.BEST,
        people: People = None,
    ) -> pd.DataFrame:
        """List who was seen for the first time, by period, as ``df.mail.newcomers`` does."""
        with self._opened(people) as tables:
            return periods.newcomers(tables, freq, column, tz, date)

    def sizes(self, by: str = "folder", *, tz: Zone = None, people: People = None) -> pd.DataFrame:
        """Add up octets by a column or by year, as ``df.mail.sizes`` does."""
        with self._opened(people) as tables:
            return clutter.sizes(tables, by, tz)

    def largest(self, n: int = 20, *, people: People = None) -> pd.DataFrame:
        """List the largest messages, as ``df.mail.largest`` does."""
        with self._opened(people) as tables:
            return clutter.largest(tables, n)

    def read_share(
        self, by: str = "from_addr", *, least: int = 1, people: People = None
    ) -> pd.DataFrame:
        """Tell what is read of each sender's mail, as ``df.mail.read_share`` does."""
        with self._opened(people) as tables:
            return clutter.read_share(tables, by, least)

    def inbox_age(
        self,
        folder: str = "INBOX",
        *,
        now: dt.datetime | None = None,
        people: People = None,
    ) -> pd.Series[Any]:
        """Count the mail in a folder by age, as ``df.mail.inbox_age`` does."""
        with self._opened(people) as tables:
            return clutter.inbox_age(tables, folder, now)

    def duplicates(self, *, people: People = None) -> pd.DataFrame:
        """List mails that are kept more than once, as ``df.mail.duplicates`` does."""
        with self._opened(people) as tables:
            return clutter.duplicates(tables)

    def describe(self, *, me: Given = None, tz: Zone = None, people: People = None) -> Description:
        """Sum up a store, as ``df.mail.describe`` does.

        Of more than 200,000 messages it tells neither what is yours nor what hangs together in
        threads, since both are of one account: ``per_account("response_summary")`` has it.
        """
        with self._opened(people) as tables:
            rows = tables.ask("select count(*) as n from {source}")["n"][0].as_py()
            if rows > describing.WHOLE:
                return describing.described(tables, tz)
        options: dict[str, Any] = {"me": me, "tz": tz, "people": people}
        return MailAccessor(self._store.frame()).describe(**options)

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
        names = self._store.accounts()
        one = partial(_of_account, self._store, method, arguments, options)
        found: Sequence[Any]
        if client is None:
            found = [one(name) for name in names]
        else:
            found = client.gather(client.map(one, names, pure=False))
        return stacked(dict(zip(names, found, strict=True)), "account")


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
