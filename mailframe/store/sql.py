"""A store as tables of DuckDB: what is larger than memory is counted where it lies.

DuckDB reads the Parquet files side by side and keeps only what it counts. The views know what a
mail frame's statistics know: addresses, domains and list ids are one whatever their case, and an
instant is the best that there is (see ``mailframe.stats.dates``).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb

# Before 1990 there was next to no internet mail, and no clock is wrong by more than two days.
_VIEWS = """
create view messages as
select * exclude (arrived), case
    when date between timestamptz '1990-01-01 00:00:00+00' and
        coalesce(arrived, now()) + interval 2 day then date
    else arrived end as best
from (
    select *, case when internaldate between timestamptz '1990-01-01 00:00:00+00' and
        now() + interval 2 day then internaldate end as arrived
    from files
);
create view recipients as
select account, folder, uid, kind, address, case
    when contains(address, '@') then lower(regexp_extract(address, '@([^@]*)$', 1)) end as domain
from (
    select account, folder, uid, 'to' as kind, unnest("to") as address from messages
    union all
    select account, folder, uid, 'cc' as kind, unnest(cc) as address from messages
);
create view senders as
select lower(from_addr) as address, count(*) as messages, sum(size)::bigint as bytes,
    avg(seen::int) as read, min(best) as first, max(best) as last
from messages where from_addr is not null group by 1;
create view lists as
select lower(list_id) as list_id, count(*) as messages, sum(size)::bigint as bytes,
    avg(seen::int) as read, min(best) as first, max(best) as last,
    max(best) filter (seen) as last_read
from messages where list_id is not null group by 1;
"""


@contextlib.contextmanager
def connected(paths: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that has the files of a store as views.

    Raises
    ------
    ConfigurationError
        DuckDB is not installed.
    StoreError
        There are no files, one cannot be read, or what is asked is not understood.
    """
    try:
        import duckdb  # noqa: PLC0415 -- 20 MB, for those who ask in SQL
    except ImportError as error:
        raise ConfigurationError(
            "store.sql wants DuckDB: pip install 'mailframe[duckdb]'"
        ) from error
    if not paths:
        raise StoreError("The store holds no messages yet: there is nothing to ask.")
    with duckdb.connect() as connection:
        try:
            connection.execute("set timezone = 'UTC'")
            files = [str(path) for path in paths]
            connection.read_parquet(files, union_by_name=True).create_view("files")
            connection.execute(_VIEWS)
            yield connection
        except duckdb.Error as error:
            raise StoreError(f"DuckDB: {error}") from error
