"""A store as tables of DuckDB: what is larger than memory is counted where it lies.

DuckDB reads the Parquet files side by side and keeps only what it counts. The views know what a
mail frame's statistics know: addresses, domains and list ids are one whatever their case, and an
instant is the best that there is (see ``mailframe.stats.dates``).

Which further headers a file holds, and whether its folder shows others' messages, stands in its
state, which DuckDB fetches from thousands of files in a second. Files with the same headers are one
table, whose columns are those of its first file; to let DuckDB unite them by looking into all takes
longer than most questions, and fails where two hold one header in two forms.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailframe.errors import ConfigurationError, StoreError
from mailframe.frame.batch import MENDED
from mailframe.frame.schema import SCHEMA
from mailframe.frame.views import SERVER_IDS
from mailframe.ground.names import views_among
from mailframe.store import layout
from mailframe.store.filecolumns import BOOKKEEPING
from mailframe.store.state import decode, decode_pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class _Table(NamedTuple):
    """Files with the same columns, those of a store's latest refreshes first."""

    files: list[str]
    kinds: dict[str, str]


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
    try:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            states = _states(connection, [str(path) for path in paths])
            tables = _tables(connection, states)
            # To make a view looks at its files, so these are made of one file of each kind.
            firsts = [table._replace(files=table.files[:1]) for table in tables]
            connection.execute(f"create view held as {_rows(firsts)}")
            _tell_once(connection, states)
            connection.execute(_VIEWS)
            connection.execute(f"create or replace view held as {_rows(tables)}")
            yield connection
    except duckdb.Error as error:
        raise StoreError(f"DuckDB: {error}") from error


def _states(
    connection: duckdb.DuckDBPyConnection, files: list[str]
) -> dict[str, list[FolderState]]:
    """Return what each file says of its folders."""
    said: dict[str, dict[bytes, bytes]] = {name: {} for name in files}
    for name, key, value in connection.execute(
        "select file_name, key, value from parquet_kv_metadata(?)", [files]
    ).fetchall():
        said[name][key] = value
    return {
        name: [state for state, _ in decode_pack(metadata, name).folders]
        if layout.is_pack(Path(name))
        else [decode(metadata, name)]
        for name, metadata in said.items()
    }


def _tables(
    connection: duckdb.DuckDBPyConnection, states: dict[str, list[FolderState]]
) -> list[_Table]:
    """Sort files by the further headers that they hold, that of the latest refresh first."""
    files: dict[tuple[str, ...], list[str]] = {}
    latest = {name: max((s.refreshed for s in each), default="") for name, each in states.items()}
    for name in sorted(states, key=latest.__getitem__, reverse=True):
        headers = next((state.headers for state in states[name]), ())
        files.setdefault(headers, []).append(name)
    tables = []
    for names in files.values():
        columns = connection.read_parquet(names[0])
        kinds = zip(columns.columns, map(str, columns.types), strict=True)
        tables.append(_Table(names, dict(kinds)))
    return tables


def _rows(tables: list[_Table]) -> str:
    """Write the question for all rows: of two forms of a header that of the latest refresh."""
    own = [*SCHEMA.names, *(field.name for field in BOOKKEEPING)]
    kinds: dict[str, str] = {}
    for table in tables:
        for name, kind in table.kinds.items():
            kinds.setdefault(name, kind)
    more = [name for name in kinds if name not in own and not name.endswith(MENDED)]
    return " union all ".join(
        _part(table, own, {name: kinds[name] for name in more}) for table in tables
    )


def _part(table: _Table, own: Sequence[str], more: dict[str, str]) -> str:
    """Write the question for the rows of some files."""
    held = [name for name, kind in more.items() if table.kinds.get(name) == kind]
    flags = [name + MENDED for name in held if name + MENDED in table.kinds]
    counts = "".join(f" + coalesce({_quoted(flag)}, false)::int" for flag in flags)
    columns = [
        f"least(defects::int{counts}, 255)::utinyint as defects"
        if name == "defects"
        else _quoted(name)
        for name in own
    ]
    for name, kind in more.items():
        value = _quoted(name) if name in held else f"null::{kind}"
        columns.append(f"{value} as {_quoted(name)}")
    files = ", ".join("'" + name.replace("'", "''") + "'" for name in table.files)
    return f"select {', '.join(columns)} from read_parquet([{files}])"  # noqa: S608 -- quoted


def _tell_once(connection: duckdb.DuckDBPyConnection, states: dict[str, list[FolderState]]) -> None:
    """Make the view ``files`` of what is held: each message once."""
    uses: dict[str, dict[str, str | None]] = {}
    for each in states.values():
        for state in each:
            uses.setdefault(state.account, {})[state.folder] = state.special_use
    showing = [
        (account, folder, place)
        for account, folders in uses.items()
        for place, folder in enumerate(views_among(folders, None))
    ]
    if not showing:
        connection.execute("create view files as select * from held")
        return
    connection.execute("create table showing (account text, folder text, place int)")
    connection.executemany("insert into showing values (?, ?, ?)", showing)
    columns = connection.table("held").columns
    ids = "".join(f"{name}::text, " for name in SERVER_IDS if name in columns)
    connection.execute(_TOLD_ONCE.format(one=_ONE_MESSAGE.format(ids=ids)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
