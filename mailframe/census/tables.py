"""A store's messages to be counted: columns by name, values as the statistics know them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.stats import dates, people, vectors
from mailframe.stats.vectors import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from mailframe.stats.vectors import Ints
    from mailframe.store.reader import Store

# The order of the rows of a frame: where counts tie, and for the labels of rows.
ORDER = "account, folder, uid"
DOMAIN = r"case when contains({0}, '@') then lower(regexp_extract({0}, '@([^@]*)$', 1)) end"


class Tables:
    """An open store.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        As `Store.asking` gives it.
    persons : mapping of str to str, optional
        Addresses to the address that stands for their person.

    Attributes
    ----------
    source : str
        The view whose rows are counted.
    kinds : dict of str to str
        Each column's type, as DuckDB names it.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, persons: Mapping[str, str] | None = None
    ) -> None:
        self._connection = connection
        self.source = "messages"
        self.kinds = self._kinds()
        if persons:
            self._join(persons)

    def _kinds(self) -> dict[str, str]:
        relation = self._connection.table("messages")
        return dict(zip(relation.columns, map(str, relation.types), strict=True))

    def _join(self, persons: Mapping[str, str]) -> None:
        """Let one address stand for each person, as ``df.mail.joined`` does."""
        known = {old.lower(): new for old, new in persons.items()}
        keys, values = (", ".join(map(_literal, each)) for each in (known, known.values()))
        mapping = f"map([{keys}], [{values}])"
        new = []
        for name in sorted(people.ADDRESSES & self.kinds.keys()):
            one = f"coalesce({mapping}[lower({{0}})], {{0}})"
            value = quoted(name)
            is_list = self.is_list(name)
            new.append(
                f"[{one.format('each')} for each in {value}] as {value}"
                if is_list
                else f"{one.format(value)} as {value}"
            )
            if name == "from_addr":
                person = f"{mapping}[lower({value})]"
                domain = DOMAIN.format(person)
                new.append(
                    f"case when {person} <> {value} then {domain} else from_domain end"
                    " as from_domain"
                )
        self._connection.execute(
            f"create view persons as select * replace ({', '.join(new)}) from messages"
        )
        self.source = "persons"

    def ask(self, query: str, parameters: Sequence[object] = ()) -> pa.Table:
        """Ask in SQL; ``{source}`` is the view."""
        relation = self._connection.sql(
            query.replace("{source}", self.source), params=[*parameters] or None
        )
        found: pa.Table = relation.to_arrow_table()
        return found

    def ask_piecewise(self, query: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Ask in SQL for more rows than should be in memory at once."""
        relation = self._connection.sql(query.replace("{source}", self.source))
        yield from relation.to_arrow_reader(rows)

    def give(self, **tables: pa.Table) -> None:
        """Let queries see some tables by their names from now on."""
        for name, table in tables.items():
            self._connection.register(name, table)

    @contextlib.contextmanager
    def given(self, **tables: pa.Table) -> Iterator[None]:
        """Let queries see some tables by their names."""
        self.give(**tables)
        yield
        for name in tables:
            self._connection.unregister(name)

    def value(self, name: str) -> str:
        """Return an expression for a column, refusing one that is not there."""
        if name not in self.kinds:
            raise ConfigurationError(
                f"There is no column {name!r} in this store; there are: {', '.join(self.kinds)}."
            )
        return quoted(name)

    def is_list(self, name: str) -> bool:
        """Tell whether a column holds lists."""
        return self.kinds[name].endswith("[]")

    def values(self, name: str) -> str:
        """Return an expression for the list of what a message counts under by a column.

        Addresses, domains and list ids without regard to case, each value once.
        """
        value = self.value(name)
        each = "lower(each)" if name in people.CASELESS else "each"
        items = value if self.is_list(name) else f"[{value}]"
        return f"list_distinct([{each} for each in {items} if each is not null])"

    def key(self, name: str, *others: str) -> str:
        """Return a query for rows (`value`, and other expressions) to be grouped by a column."""
        value, more = self.value(name), "".join(f", {other}" for other in others)
        if self.is_list(name):
            return f"select unnest({self.values(name)}) as value{more} from {self.source}"
        folded = f"lower({value})" if name in people.CASELESS else value
        return f"select {folded} as value{more} from {self.source} where {value} is not null"

    def at(self, date: str) -> str:
        """Return an expression for the instants that ``date=`` means; see ``df.mail``."""
        return "best" if date == dates.BEST else self.value(date)


@contextlib.contextmanager
def opened(store: Store, persons: Mapping[str, str] | None = None) -> Iterator[Tables]:
    """Open a store to be counted."""
    with store.asking() as connection:
        yield Tables(connection, persons)


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def ints(column: pa.ChunkedArray, missing: int = 0) -> Ints:
    """Give a column of numbers."""
    numbers: Ints = vectors.numpy(pc.fill_null(column.cast(pa.int64()), missing))
    return numbers


def moments(column: pa.ChunkedArray) -> pd.DatetimeIndex:
    """Give a column of instants."""
    return vectors.stamps(ints(column, NEVER))


def labels(column: pa.ChunkedArray) -> pa.Array:
    """Give a column of values as the statistics have them: text is large."""
    array = column.combine_chunks()
    return array.cast(pa.large_string()) if pa.types.is_string(array.type) else array


def index(column: pa.ChunkedArray, name: str) -> pd.Index[Any]:
    """Give a column of values as an index."""
    found: pd.Index[Any] = pd.Index(labels(column).to_pandas(), name=name)
    return found
