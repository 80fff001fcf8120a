"""A store as tables of DuckDB: what is larger than memory is counted where it lies.

DuckDB reads the Parquet files side by side and keeps only what it counts. The views know what a
mail frame's statistics know: addresses, domains and list ids are one whatever their case, and an
instant is the best that there is (see ``mailframe.stats.dates``).

Which further headers a store holds stands in its files alone, and to look into each of thousands
takes longer than most questions. So that is done only for a question that would see them.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from mailframe.errors import ConfigurationError, StoreError
from mailframe.frame.batch import MENDED
from mailframe.frame.views import SERVER_IDS
from mailframe.names import VIEWS, views_among
from mailframe.store import layout
from mailframe.store.columns import stored_schema
from mailframe.store.folder import FolderFile
from mailframe.store.pack import PackFile
from mailframe.store.state import KEY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import duckdb

    from mailframe.store.state import FolderState

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
# What every file holds. How often a value was mended counts further headers too.
EVERYWHERE = tuple(name for name in stored_schema(()).names if name != "defects")
_ANOTHER = "mailframe another"  # the name of no header's column


# As `mailframe.frame.views` has it: two rows are one message by the server's own id, else by
# Message-ID, Date and size. Only rows of views are looked for elsewhere.
_ONE_MESSAGE = """coalesce({ids} coalesce(message_id, concat_ws(chr(31), from_addr, subject))
    || chr(31) || coalesce(epoch_us(date)::text, '') || chr(31) || coalesce(size::text, ''))"""
_TOLD_ONCE = """
create or replace view files as
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
    paths: Sequence[Path],
    query: str | None = None,
    parameters: Sequence[object] = (),
    *,
    columns: Collection[str] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that has the files of a store as views.

    Parameters
    ----------
    query, parameters
        What will be asked, if that is known.
    columns : collection of str, optional
        Or which columns will be; by default any.

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
    files = [str(path) for path in paths]
    with tempfile.TemporaryDirectory(prefix="mailframe-") as scratch:
        # The first file's columns count for all of them.
        pattern = str(Path(scratch) / "columns.parquet")
        pq.write_metadata(stored_schema(()), pattern)
        try:
            with duckdb.connect() as connection:
                connection.execute("set timezone = 'UTC'")
                if columns is None:
                    enough = query is not None and _is_enough(pattern, query, parameters)
                else:
                    enough = {*columns} <= {*EVERYWHERE, "best"}
                (_look_at_some if enough else _look_at_all)(connection, files, pattern)
                yield connection
        except duckdb.Error as error:
            raise StoreError(f"DuckDB: {error}") from error


def _is_enough(pattern: str, query: str, parameters: Sequence[object]) -> bool:
    """Tell whether a question sees the same where there are further columns."""
    import duckdb  # noqa: PLC0415 -- as above

    seen = []
    for more in ("", f', null as "{_ANOTHER}"'):
        with duckdb.connect() as connection:
            connection.execute(f"create view files as select {_every()}{more} from '{pattern}'")  # noqa: S608 -- a path of ours
            connection.execute(_VIEWS)
            try:
                said = connection.execute(f"describe ({query.rstrip().rstrip(';')}\n)", parameters)
                seen.append(said.fetchall())
            except duckdb.Error:
                return False
    return seen[0] == seen[1]


def _every() -> str:
    return ", ".join(f'"{name}"' for name in EVERYWHERE)


def _look_at_some(connection: duckdb.DuckDBPyConnection, files: list[str], pattern: str) -> None:
    """Make the views of the columns that every file has."""
    connection.read_parquet(pattern).select(_every()).create_view("files")
    connection.execute(_VIEWS)
    _show(connection, connection.read_parquet([pattern, *files]).select(_every()), files)


def _look_at_all(connection: duckdb.DuckDBPyConnection, files: list[str], pattern: str) -> None:
    """Make the views of the columns that any file has; to bind a view would look at all again."""
    found = connection.read_parquet([pattern, *files], union_by_name=True)
    shown, mended = [], [name for name in found.columns if name.endswith(MENDED)]
    for name in found.columns:
        if name == "defects" and mended:
            flags = " + ".join(f'coalesce("{each}", false)::int' for each in mended)
            shown.append(f"least(defects::int + {flags}, 255)::utinyint as defects")
        elif name not in mended:
            shown.append('"' + name.replace('"', '""') + '"')
    every = found.select(", ".join(shown))
    types = dict(zip(every.columns, map(str, every.types), strict=True))
    nothing = ", ".join(
        f'null::{kind} as "' + name.replace('"', '""') + '"' for name, kind in types.items()
    )
    connection.execute(f"create view files as select {nothing} where false")
    connection.execute(_VIEWS)
    _show(connection, every, files)


def _show(
    connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation, files: list[str]
) -> None:
    """Let the views be of these rows, each message once."""
    showing = _showing(connection, files)
    if not showing:
        rows.create_view("files", replace=True)
        return
    rows.create_view("held")
    connection.execute("create table showing (account text, folder text, place int)")
    connection.executemany("insert into showing values (?, ?, ?)", showing)
    ids = "".join(f"{name}::text, " for name in SERVER_IDS if name in rows.columns)
    connection.execute(_TOLD_ONCE.format(one=_ONE_MESSAGE.format(ids=ids)))


def _showing(connection: duckdb.DuckDBPyConnection, files: list[str]) -> list[tuple[str, str, int]]:
    """Find the folders that show messages of others again: account, name, and their order.

    What each file says of itself is looked at by DuckDB, some hundred at a time of each thread.
    """
    told = " or ".join(["contains(decode(value), ?)"] * len(VIEWS))
    words = [json.dumps(use) for use in VIEWS]
    said = connection.execute(
        "select distinct file_name from parquet_kv_metadata(?)"  # noqa: S608 -- question marks
        f" where key = ? and ({told})",
        [files, KEY.decode(), *words],
    ).fetchall()
    uses: dict[str, dict[str, str | None]] = {}
    for (name,) in said:
        for state in _states(Path(name)):
            uses.setdefault(state.account, {})[state.folder] = state.special_use
    return [
        (account, folder, place)
        for account, folders in uses.items()
        for place, folder in enumerate(views_among(folders, None))
    ]


def _states(path: Path) -> list[FolderState]:
    if layout.is_pack(path):
        with PackFile(path) as pack:
            return [*pack.folders.values()]
    with FolderFile(path) as file:
        return [file.state]
