"""The reading side: a store as DataFrames, without a network, a password or a lock."""

from __future__ import annotations

import contextlib
import operator
import os
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError, StoreError
from mailframe.frame.batch import MENDED
from mailframe.frame.schema import INSTANT, SCHEMA
from mailframe.frame.views import JUDGED, Views
from mailframe.ground.names import views_among
from mailframe.store import layout
from mailframe.store.ahead import ahead
from mailframe.store.atomic import explained, refuse_link
from mailframe.store.changes import CHANGES, changes_in
from mailframe.store.filecolumns import BOOKKEEPING, shown
from mailframe.store.pack import PackedFolder, PackFile
from mailframe.store.parquet import FolderFile
from mailframe.store.request import Selection, moment
from mailframe.store.sql import connected
from mailframe.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    import duckdb
    import pandas as pd

    from mailframe.census.mail import StoreMail
    from mailframe.store.request import Errors, Moment, Names
    from mailframe.store.state import FolderState

    Folder: TypeAlias = FolderFile | PackedFolder

T = TypeVar("T")
# How often the files of an account may be written anew between two looks at them.
_LOOKS = 8
_COMPACTED = pa.schema(
    [("account", pa.large_string()), ("files", pa.int64()), ("files_before", pa.int64())]
)
_KEYS = ("account", "folder", "uid")
_FOLDERS = pa.schema(
    [
        pa.field("account", pa.large_string()),
        pa.field("folder", pa.large_string()),
        pa.field("messages", pa.int64()),
        pa.field("unseen", pa.int64()),
        pa.field("uidvalidity", pa.int64()),
        pa.field("uidnext", pa.int64()),
        pa.field("highestmodseq", pa.int64()),
        pa.field("headers", pa.list_(pa.string())),
        pa.field("special_use", pa.large_string()),
        pa.field("complete", pa.bool_()),
        pa.field("refreshed", INSTANT),
        pa.field("octets", pa.int64()),
    ]
)


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open a header store to read it.

    Parameters
    ----------
    path : str or path-like
        Its directory, as given to ``read_imap(..., store=path)``; ``~`` is your home.

    Returns
    -------
    Store

    Raises
    ------
    StoreError
        There is no such directory.
    """
    root = root_of(path)
    if not root.is_dir():
        raise StoreError(
            f"There is no store at {str(root)!r}; read_imap(account, store=...) makes one."
        )
    return Store(root)


def is_store(path: str | os.PathLike[str]) -> bool:
    """Tell whether a directory holds a store with anything in it."""
    root = root_of(path)
    try:
        return any(layout.folder_paths(account) for account in layout.account_dirs(root))
    except OSError:
        return False


def root_of(path: str | os.PathLike[str]) -> Path:
    """Return the directory that a caller's `store=` means.

    Raises
    ------
    ConfigurationError
        It names none.
    """
    try:
        if os.fspath(path) in {"", b""} or "\0" in str(path):
            raise ConfigurationError(f"store={path!r} names no directory; write '.' for this one.")
        return Path(path).expanduser().absolute()
    except (TypeError, RuntimeError) as error:  # the latter: a home of nobody
        raise ConfigurationError(f"store={path!r} names no directory: {error}") from error


class _Part(NamedTuple):
    """What was read of one folder."""

    state: FolderState
    schema: pa.Schema
    batches: list[pa.RecordBatch]


class Store:
    """A header store on disk; made by `open_store`.

    Every call reads what is there at that moment, so a refresh by another process shows at the
    next call. Each folder is read as of one refresh, whatever happens meanwhile.
    """

    def __init__(self, root: Path) -> None:
        self.path = root

    def __repr__(self) -> str:
        return f"open_store({str(self.path)!r})"

    def __len__(self) -> int:
        """Return how many rows are held; of views, as at Gmail, also what stands elsewhere."""
        return sum(self._read(Selection(errors="warn"), lambda file: file.rows))

    def __bool__(self) -> bool:
        """Return True: a store without messages is one."""
        return True

    @property
    def mail(self) -> StoreMail:
        """Statistics by the names of ``df.mail``, without loading the store; see `StoreMail`."""
        from mailframe.census.mail import StoreMail  # noqa: PLC0415 -- imports pandas

        return StoreMail(self)

    def accounts(self) -> list[str]:
        """Return the names of the accounts that have folders here, sorted."""
        return sorted(set(self._read(Selection(errors="warn"), lambda file: file.state.account)))

    def folders(self) -> pd.DataFrame:
        """Return what the store knows of each folder.

        Returns
        -------
        pandas.DataFrame
            One row a folder, by account and name: ``account``, ``folder``; ``messages`` held,
            ``unseen`` among them; ``uidvalidity``, ``uidnext``, ``highestmodseq`` as of the last
            refresh (0: the server keeps no mod-sequences); ``headers``, the further fields held;
            ``special_use``, what the server said that it is for (RFC 6154); ``complete``, False
            where the server did not give every message; ``refreshed``, when a refresh last found
            anything new (UTC); ``octets`` on disk.
        """
        rows = sorted(
            self._read(Selection(errors="warn"), _description),
            key=operator.itemgetter("account", "folder"),
        )
        df: pd.DataFrame = pa.Table.from_pylist(rows, _FOLDERS).to_pandas()
        return df

    def frame(
        self,
        folders: Names = None,
        columns: str | Sequence[str] | None = None,
        since: Moment | None = None,
        *,
        accounts: Names = None,
        errors: Errors = "raise",
    ) -> pd.DataFrame:
        """Return stored messages as a DataFrame, like that of ``read_imap``.

        Parameters
        ----------
        folders, accounts : str or sequence of str, optional
            Names, or globs such as ``"Lists/*"``; by default all.
        columns : str or sequence of str, optional
            Which columns; by default those of every frame and the further headers held. Where
            folders hold a header in several forms (``"Received"``, ``"Received:all"``) that of
            the latest refresh is shown, and is null in the others.
            ``"defects"`` counts for the frame's own fields and the further headers shown.
            ``"stored_at"`` (when a message came into the store) and ``"changed_at"`` (when its
            flags were last seen to change) are there for the asking.
        since : str, date, datetime or timedelta, optional
            Only messages with an INTERNALDATE from then on. Naive times are UTC; a timedelta
            counts back from now.
        errors : {"raise", "warn", "ignore"}
            What a file that cannot be read does: raise, or leave its folder out.

        Returns
        -------
        pandas.DataFrame
            Ordered by account, folder, UID; dtypes as in every mail frame. Of a folder that shows
            other folders' messages again (Gmail's "All Mail") there are rows of what stands
            nowhere else, as in ``read_imap``; name it outright for all of it.
            ``attrs["mailframe"]["special_use"]`` tells what the server said folders are for.

        Raises
        ------
        StoreError
            A file is damaged, foreign, or of a newer mailframe; nothing here is called so.
        ConfigurationError
            A column that none of these folders has, or a time that cannot be read.
        """
        selection = Selection(accounts, folders, errors)
        start = None if since is None else moment(since)
        wanted = [columns] if isinstance(columns, str) else columns and list(columns)
        found = self._rows(selection, wanted, start)
        views = _views((part.state for part in found), selection.folders)
        columns = wanted
        if wanted is not None and views:  # to be judged by more than is asked for
            selection = Selection(accounts, folders, errors)
            held = {name for part in found for name in part.schema.names}
            wanted = [*wanted, *(name for name in JUDGED if name in held)]
            found = self._rows(selection, wanted, start)
        schema = _shown_schema((part.schema for part in found), wanted)
        batches = list(_told_once(found, schema, views))
        uses: dict[str, dict[str, str]] = {}
        for part in found:
            if part.state.special_use is not None:
                of_account = uses.setdefault(part.state.account, {})
                of_account[part.state.folder] = part.state.special_use
        told = {"special_use": uses} if uses else {}
        df = _to_frame(batches, schema, selection.problems, **told)
        return df if columns is None else df[list(dict.fromkeys(columns))]

    def _rows(
        self, selection: Selection, columns: Sequence[str] | None, start: datetime | None
    ) -> list[_Part]:
        """Read rows folder by folder, that of the latest refresh first."""

        def rows(file: Folder) -> _Part:
            wanted = None if columns is None else _needed(file.schema, columns)
            batches = [_since(batch, start) for batch in file.batches(wanted)]
            return _Part(file.state, file.schema, batches)

        found = self._read(selection, rows)
        return sorted(found, key=lambda part: part.state.refreshed, reverse=True)

    def changes(
        self,
        since: Moment,
        folders: Names = None,
        *,
        accounts: Names = None,
        errors: Errors = "raise",
    ) -> pd.DataFrame:
        """Return what the refreshes after a moment found changed.

        Parameters
        ----------
        since : str, date, datetime or timedelta
            ``timedelta(days=1)``: in the last day.
        folders, accounts, errors
            As for `frame`.

        Returns
        -------
        pandas.DataFrame
            Like that of `frame`, behind two more columns: ``change`` is ``"new"`` (it came into
            the store), ``"flags"`` (flags or keywords changed) or ``"gone"`` (it was expunged:
            only folder and UID are left, and flags are False); ``at``, UTC, is when its folder
            was written, shortly before it could be seen: who asks again and again asks since a
            little before the last time. What came into a folder that shows others' messages again
            is told there as well. A folder that was renamed, or made anew, is new as a
            whole; one that the server no longer has leaves nothing behind.
        """
        selection = Selection(accounts, folders, errors)
        start = moment(since)
        batches = [
            batch
            for found in self._read(selection, lambda file: list(changes_in(file, start)))
            for batch in found
        ]
        df = _to_frame(batches, CHANGES, selection.problems)
        return df[["change", "at", *SCHEMA.names]]

    def _read(self, selection: Selection, read: Callable[[Folder], T]) -> list[T]:
        """Return what `read` makes of each folder selected, as far as the files can be read."""

        def attempt(path: Path) -> list[tuple[FolderState, T]] | StoreError:
            try:
                with _opened(path) as folders:
                    found = []
                    for file in folders:
                        self._check_place(path, file.state)
                        if selection.takes(file.state):
                            found.append((file.state, read(file)))
                    return found
            except FileNotFoundError:
                return []  # removed by a refresh since it was listed
            except StoreError as error:
                return error if selection.may_mean(path) else []

        found: dict[tuple[str, str], tuple[FolderState, T]] = {}
        for outcome in self._outcomes(selection, attempt):
            if isinstance(outcome, StoreError):
                selection.note(outcome)
                continue
            for state, each in outcome:
                key = (state.account, state.folder)
                # Whoever was killed while a folder went into another file left it twice.
                if key not in found or found[key][0].refreshed < state.refreshed:
                    found[key] = state, each
        return selection.settle(found.values())

    def _outcomes(self, selection: Selection, attempt: Callable[[Path], T]) -> Iterable[T]:
        """Attempt every file; those of an account again where folders went into others meanwhile.

        Else one of them may have been missed, or met twice.
        """
        listed: dict[Path, dict[Path, object]] = {}
        paths = self._paths(selection, listed)
        outcomes = dict(ahead(partial(_kept, path, attempt) for path in paths))
        for directory, before in listed.items():
            for _ in range(_LOOKS):
                now = _listing(directory)
                if now == before or not any(map(layout.is_pack, before.keys() | now.keys())):
                    break
                for path in before:
                    outcomes.pop(path, None)
                outcomes |= dict(ahead(partial(_kept, path, attempt) for path in now))
                before = now  # noqa: PLW2901 -- the next look is held against this one
        return outcomes.values()

    def _paths(
        self, selection: Selection, listed: dict[Path, dict[Path, object]]
    ) -> Iterator[Path]:
        """Yield the files of folders; a directory that may not be read is a problem."""
        try:
            with explained("read", self.path):
                directories = layout.account_dirs(self.path)
        except StoreError as error:
            selection.note(error)
            return
        for directory in directories:
            try:
                refuse_link(directory)
                with explained("read", directory):
                    listed[directory] = _listing(directory)
            except StoreError as error:
                selection.note(error)
            else:
                yield from listed[directory]

    def sql(self, query: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
        """Ask in SQL, by DuckDB, without loading the store: for what is larger than memory.

        Parameters
        ----------
        query : str
            DuckDB's SQL over four views. ``messages``: the rows and columns of a frame, every
            further header held, ``stored_at``, ``changed_at``, and ``best``, the instant that the
            statistics of ``df.mail`` go by (of arrivals by a server, without Received).
            ``recipients``: one row for each address in To and Cc, with ``kind``, ``address``,
            ``domain`` and the message's ``account``, ``folder``, ``uid``. ``senders`` and
            ``lists``: ``messages``, ``bytes``, ``read`` share, ``first`` and ``last`` of each
            ``address`` or ``list_id`` in lower case; of lists also ``last_read``.
        parameters : sequence, optional
            Values for each ``?`` in the query.

        Returns
        -------
        pandas.DataFrame
            What DuckDB answers. Days and weeks are those of UTC unless the query says another
            zone. While another process is moving a folder between two files, or if that was
            killed, until the next refresh, the folder may be counted twice.

        Raises
        ------
        ConfigurationError
            DuckDB is not installed (extra ``duckdb``).
        StoreError
            The query is not understood, the store is empty, or a file cannot be read.
        """
        paths = [*self._paths(Selection(), {})]
        with connected(paths) as connection:
            df: pd.DataFrame = connection.execute(query, parameters or []).df()
        return df

    def asking(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open a connection of DuckDB that has the views of `sql`, for more than one question.

        Raises
        ------
        ConfigurationError, StoreError
            As of `sql`.
        """
        return connected([*self._paths(Selection(), {})])

    def compact(self, accounts: Names = None) -> pd.DataFrame:
        """Put small folders together, and what lies in half-empty files, into as few as hold them.

        A refresh does so itself where an account has many folders; this does it now, for every
        account, also for those with few. Each is locked meanwhile; reading goes on.

        Parameters
        ----------
        accounts : str or sequence of str, optional
            Names, or globs; by default all.

        Returns
        -------
        pandas.DataFrame
            One row an account: ``account``, ``files`` now, ``files_before``.

        Raises
        ------
        StoreError
            A part of the store is being refreshed, or cannot be written; nothing is lost.
        """
        selection = Selection(accounts)
        names = sorted(set(self._read(selection, lambda file: file.state.account)))
        rows = []
        for name in names:
            directory = layout.account_dir(self.path, name)
            before = len(layout.folder_paths(directory))
            with writing(self.path, name) as writer:
                writer.compact()
            files = len(layout.folder_paths(directory))
            rows.append({"account": name, "files": files, "files_before": before})
        df: pd.DataFrame = pa.Table.from_pylist(rows, _COMPACTED).to_pandas()
        return df

    def _check_place(self, path: Path, state: FolderState) -> None:
        """Refuse a copy, as file synchronisers leave behind: its messages would count twice."""
        directory = layout.account_dir(self.path, state.account)
        if layout.is_pack(path):
            if path.parent != directory:
                raise StoreError(f"{str(path)!r} is of the account {state.account!r}; move it out.")
        elif path != layout.folder_path(directory, state.folder):
            raise StoreError(
                f"{str(path)!r} is a copy of the folder {state.folder!r}; move it out of the store."
            )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Iterable[Folder]]:
    """Open a file of the store as the folders that are in it."""
    if layout.is_pack(path):
        with PackFile(path) as pack:
            yield PackedFolder.all_of(pack)
    else:
        with FolderFile(path) as file:
            yield [file]


def _listing(directory: Path) -> dict[Path, object]:
    """Return the files of an account's directory; of packs also what tells two writings apart."""
    found: dict[Path, object] = {}
    for path in layout.folder_paths(directory):
        found[path] = None
        if layout.is_pack(path):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                found[path] = stat.st_ino, stat.st_mtime_ns
    return found


def _kept(path: Path, attempt: Callable[[Path], T]) -> tuple[Path, T]:
    return path, attempt(path)


def _views(states: Iterable[FolderState], patterns: Sequence[str] | None) -> dict[str, list[str]]:
    """Tell of each account that has some which folders only show what others hold, in order."""
    uses: dict[str, dict[str, str | None]] = {}
    for state in states:
        uses.setdefault(state.account, {})[state.folder] = state.special_use
    found = {account: views_among(folders, patterns) for account, folders in uses.items()}
    return {account: names for account, names in found.items() if names}


def _told_once(
    found: Iterable[_Part], schema: pa.Schema, views: Mapping[str, Sequence[str]]
) -> Iterator[pa.RecordBatch]:
    """Give the rows of folders, of views what stands nowhere else."""
    judged: dict[str, list[pa.RecordBatch]] = {account: [] for account in views}
    for part in found:
        batches = [shown(batch, schema) for batch in part.batches]
        if part.state.account in judged:
            judged[part.state.account] += batches
        else:
            yield from batches
    for account, batches in judged.items():
        yield from Views(views[account]).all_of(batches)


def _needed(held: pa.Schema, columns: Sequence[str]) -> list[str]:
    """Return which columns of a file make those that are wanted."""
    wanted = {*_KEYS, "internaldate", *columns}
    return [name for name in held.names if name.removesuffix(MENDED) in wanted]


def _since(batch: pa.RecordBatch, start: datetime | None) -> pa.RecordBatch:
    if start is None:
        return batch
    return batch.filter(pc.greater_equal(batch["internaldate"], pa.scalar(start, INSTANT)))


def _shown_schema(held: Iterable[pa.Schema], columns: Sequence[str] | None) -> pa.Schema:
    """Return the columns to show: the frame's, and further ones as and when they are met first."""
    own = {field.name: field for field in BOOKKEEPING}
    fields = {field.name: field for field in SCHEMA}
    for schema in held:
        for field in schema:
            if field.name not in own and not field.name.endswith(MENDED):
                fields.setdefault(field.name, field)
    if columns is None:
        return pa.schema(fields.values())
    fields |= own
    unknown = [name for name in columns if name not in fields]
    if unknown:
        raise ConfigurationError(
            f"There is no column {unknown[0]!r} in these folders; there are: {', '.join(fields)}."
        )
    return pa.schema([fields[name] for name in dict.fromkeys((*_KEYS, *columns))])


def _description(file: Folder) -> dict[str, object]:
    state = file.state
    unseen = sum(pc.sum(pc.invert(part["seen"])).as_py() or 0 for part in file.batches(["seen"]))
    return {
        "account": state.account,
        "folder": state.folder,
        "messages": file.rows,
        "unseen": unseen,
        "uidvalidity": state.uidvalidity,
        "uidnext": state.uidnext,
        "highestmodseq": state.modseq,
        "headers": state.headers,
        "special_use": state.special_use,
        "complete": state.complete,
        "refreshed": datetime.fromisoformat(state.refreshed),
        "octets": file.octets,
    }


def _to_frame(
    batches: Sequence[pa.RecordBatch],
    schema: pa.Schema,
    problems: Sequence[dict[str, str | None]],
    **more: object,
) -> pd.DataFrame:
    from mailframe.frame.adapter import to_frame  # noqa: PLC0415 -- imports pandas

    report = {"messages": sum(batch.num_rows for batch in batches), "problems": list(problems)}
    report |= more
    return to_frame(batches, schema, report=report)
