"""A store as tables of DuckDB: what is larger than memory is counted where it lies.

DuckDB reads the Parquet files side by side and keeps only what it counts. The views know what a
mail frame's statistics know: addresses, domains and list ids are one whatever their case, and an
instant is the best that there is (see ``mailframe.stats.dates``).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError, StoreError
from mailframe.frame.views import SERVER_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
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


# As `mailframe.frame.views` has it: two rows are one message by the server's own id, else by
# Message-ID, Date and size. Only rows of views are looked for elsewhere.
_ONE_MESSAGE = """coalesce({ids} coalesce(message_id, concat_ws(chr(31), from_addr, subject))
    || chr(31) || coalesce(epoch_us(date)::text, '') || chr(31) || coalesce(size::text, ''))"""
_TOLD_ONCE = """
create view files as
with told as (
    select held.*, {one} as one, coalesce(showing.place, -1) as place
    from held left join showing using (account, folder)
)
select * exclude (one, place) from told where place < 0
union all by name
select * exclude (one, place) from told where place >= 0 and not exists (
    select 1 from told as other
    where other.account = told.account and other.one = told.one and other.place < told.place
);
"""


@contextlib.contextmanager
def connected(
    paths: Sequence[Path], views: Mapping[str, Sequence[str]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that has the files of a store as views.

    Parameters
    ----------
    views : mapping of str to sequence of str
        Of accounts, the folders that show messages of others again: what stands nowhere else
        counts, and of several of them in the first.

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
            connection.read_parquet(files, union_by_name=True).create_view("held")
            _tell_once(connection, views)
            connection.execute(_VIEWS)
            yield connection
        except duckdb.Error as error:
            raise StoreError(f"DuckDB: {error}") from error


def _tell_once(connection: duckdb.DuckDBPyConnection, views: Mapping[str, Sequence[str]]) -> None:
    """Make the view ``files`` of what is held: each message once."""
    if not views:
        connection.execute("create view files as select * from held")
        return
    connection.execute("create table showing (account text, folder text, place int)")
    rows = [
        (account, folder, place)
        for account, folders in views.items()
        for place, folder in enumerate(folders)
    ]
    connection.executemany("insert into showing values (?, ?, ?)", rows)
    held = connection.table("held").columns
    ids = "".join(f"{name}::text, " for name in SERVER_IDS if name in held)
    connection.execute(_TOLD_ONCE.format(one=_ONE_MESSAGE.format(ids=ids)))
