"""The readers of IMAP accounts: what a notebook calls.

Everything goes one way: the pool yields rows, rows gather into batches, batches are built in a
worker thread while the next bytes arrive, and the DataFrame is made of the batches. There is one
implementation, asynchronous; the plain functions go over the bridge of
``mailframe.ground.sync``. What a
caller asks is checked in `open_stream`, before a socket is opened.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import re
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast, get_args

from mailframe.accounts.secret import sealer, sealing
from mailframe.errors import ConfigurationError, first_of, warn
from mailframe.fetcher.folders import INBOX, PLANNING
from mailframe.fetcher.lane import Query
from mailframe.fetcher.ledger import Problem
from mailframe.fetcher.pool import Pool
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.views import Views
from mailframe.gathering.details import Detail, Request, Unknown, wanted
from mailframe.gathering.rows import Gathering
from mailframe.ground.names import patterns_of
from mailframe.ground.progress import open_progress
from mailframe.ground.sync import heartbeat, run
from mailframe.imap.commands import header_items
from mailframe.imap.limits import DEFAULT_LIMITS, Limits
from mailframe.readers.entry import Entry, address_of, aenter, enter
from mailframe.readers.selection import Day, choose, search_keys

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

    import pandas as pd
    import pyarrow as pa

    from mailframe.accounts.account import Account
    from mailframe.accounts.secret import Secret
    from mailframe.errors import MailframeError
    from mailframe.fetcher.folders import Listing
    from mailframe.fetcher.schedule import Expected, Folder
    from mailframe.ground.progress import Progress, ProgressOption
    from mailframe.refresh import Keeping
    from mailframe.store.plan import FlagPolicy

Errors = Literal["warn", "raise", "ignore"]

MAX_CONNECTIONS = 32

# Batches built side by side for a frame. Most of the work leaves the interpreter's lock, and when
# the server has sent its last octet the processors that it used are free. A stream, whose promise
# is little memory, builds one at a time.
BUILDERS = 2


class BatchStream:
    """A fetch that has been checked and not yet begun; made by `open_stream`.

    Iterate over it once for record batches, or await `frame` for all of them as a DataFrame.

    Attributes
    ----------
    schema : pyarrow.Schema
        Of every batch. What a server tells of its own accord (Gmail's labels) adds columns when it
        has been asked what it can: from the first batch on, or the end, it stays.
    report : dict
        What `mailframe.read_imap` puts into ``df.attrs["mailframe"]``; complete at the end.
    """

    def __init__(  # noqa: PLR0913 -- what open_stream has checked
        self,
        entry: Entry,
        builder: Callable[..., BatchBuilder],
        query: Query,
        *,
        request: Request = Request(),  # noqa: B008 -- immutable
        patterns: Sequence[str] | None,
        connections: int,
        errors: Errors,
        progress: ProgressOption,
        timeout: float | None,
        keeping: Keeping | None = None,
        compress: bool | None = None,
        limits: Limits,
    ) -> None:
        self.schema: pa.Schema = builder().schema
        self.report: dict[str, Any] = {"account": entry.account.name, "problems": []}
        self._entry = entry
        self._account = entry.account
        self._make_builder = builder
        self._builder = builder()
        self._request = request
        self._details: list[Detail] = []
        self._query = query
        self._patterns = patterns
        self._connections = connections
        self._errors = errors
        self._progress = progress
        self._timeout = timeout
        self._keeping = keeping
        self._compress = compress
        self._limits = limits
        self._messages = 0
        self._builders = 1
        # Folders that were replaced under way: rows in batches before this one are of messages
        # that are no more. Only `frame` can still drop them.
        self._replaced: dict[str, int] = {}
        self._drops_replaced = keeping is not None
        self._reads_back = True
        self._views = Views([])
        self._complete: int | None = None  # batches after which only rows of views come
        self._judges = True

    async def __aiter__(self) -> AsyncGenerator[pa.RecordBatch]:
        started = time.monotonic()
        keeping = self._keeping
        pool = Pool(
            self._account,
            connections=self._connections,
            timeout=self._timeout,
            enable=keeping.extensions if keeping else (),
            eager=keeping is None,
            compress=self._compress,
            limits=self._limits,
        )
        missing: list[MailframeError] = []
        unknown = Unknown()
        async with heartbeat(), pool:
            with self._entry.watched():
                likely = await self._expected()
                listing = await pool.folders(keeping.items if keeping else PLANNING, likely)
            self._plan_details(pool)
            choice = choose(listing.folders, self._patterns)
            if choice.missing and not choice.folders:
                raise choice.missing[0]
            missing += [*choice.missing, *listing.lost]
            self._views = Views(choice.views)
            uses = {f.name: f.special_use for f in choice.folders if f.special_use}
            self.report |= {"special_use": {self._account.name: uses}} if uses else {}
            expected = _expected(choice.folders, self._query)
            with open_progress(
                self._progress, unit="messages", total=expected, desc=self._account.name
            ) as progress:
                if keeping is None:
                    batches = self._build(pool, choice.folders, progress)
                else:
                    batches = self._refresh(pool, keeping, listing, choice.folders, progress)
                async with aclosing(batches):
                    async for batch in self._told_once(batches) if self._judges else batches:
                        unknown.look_at(batch)
                        yield batch
                progress.total = self._messages
                progress.update(self._messages - progress.done)  # what a store no longer holds
        if not self._drops_replaced:
            pool.ledger.tell_replaced()
        problems = [Problem(e.folder, "", type(e).__name__, str(e)) for e in missing]
        problems += pool.ledger.problems
        problems += unknown.problems
        self.report |= {
            "folders": len(choice.folders),
            "messages": self._messages - sum(self._views.left_out.values()),
            "seconds": round(time.monotonic() - started, 3),
            "views": self._views.kept,
            "problems": [problem.as_dict() for problem in problems],
            **pool.figures(),
        }
        self._speak([*missing, *pool.ledger.errors, *unknown.errors])

    def _plan_details(self, pool: Pool) -> None:
        """Settle what is asked beside headers, now that the server has said what it can."""
        self._details = wanted(
            pool.capabilities.__contains__, self._request, self._builder.schema.names
        )
        self._builder = self._make_builder(beside=[one.columns for one in self._details])
        self.schema = self._builder.schema
        asks = tuple(one.ask for one in self._details if one.ask.items)
        self._query = replace(self._query, beside=asks)

    async def _expected(self) -> Expected | None:
        """Look into the store while the connection is made."""
        inbox = self._patterns is None or bool(choose([INBOX], self._patterns).folders)
        if self._keeping is None or not inbox:
            return None
        return await self._keeping.expected(self._account.name, self._account.server)

    async def _told_once(
        self, batches: AsyncGenerator[pa.RecordBatch]
    ) -> AsyncGenerator[pa.RecordBatch]:
        """Leave out of views what other folders hold."""
        number = 0
        async for batch in batches:
            for passed in self._views.take(batch):
                yield passed
            number += 1
            if number == self._complete:
                for passed in self._views.settle():
                    yield passed
        for passed in self._views.settle():
            yield passed

    async def _build(
        self, pool: Pool, folders: Sequence[Folder], progress: Progress
    ) -> AsyncGenerator[pa.RecordBatch]:
        """Build batches beside the fetch: some at work in threads while the next one gathers."""
        loop = asyncio.get_running_loop()
        gathering = Gathering(
            {one.ask: one.columns.name for one in self._details if one.ask.items},
            [one.columns.name for one in self._details],
        )
        building: deque[asyncio.Future[pa.RecordBatch]] = deque()
        begun = 0
        latest: dict[bytes, Folder] = {}
        others = {folder.wire for folder in folders if folder.name not in self._views.kept}
        with ThreadPoolExecutor(self._builders, "mailframe-batch") as threads:

            def build() -> None:
                nonlocal begun
                if not gathering.rows.uid:
                    return
                rows = gathering.take()
                building.append(loop.run_in_executor(threads, self._builder.build, rows))
                begun += 1

            async with aclosing(pool.fetch(folders, self._query)) as parts:
                async for part in parts:
                    folder = part.folder
                    if latest.setdefault(folder.wire, folder) is not folder:
                        latest[folder.wire] = folder
                        gathering.forget(folder)
                        build()
                        self._replaced[folder.name] = begun
                    gathering.add(part)
                    done = part.closed and part.ask is None
                    if done and others == {folder.wire}:
                        build()
                        self._complete = begun
                    others -= {folder.wire} if done else set()
                    came = 0 if part.ask else len(part.rows)
                    self._messages += came
                    progress.update(came)
                    crowded = gathering.rows.full and len(building) == self._builders
                    while building and (crowded or building[0].done()):
                        yield await building.popleft()
                        crowded = False
                    if gathering.rows.full or (not building and gathering.rows.worthwhile):
                        build()
            build()
            while building:
                yield await building.popleft()

    async def _refresh(
        self,
        pool: Pool,
        keeping: Keeping,
        listing: Listing,
        folders: Sequence[Folder],
        progress: Progress,
    ) -> AsyncGenerator[pa.RecordBatch]:
        """Bring the store up to date, and read the rows from there."""
        update, details = progress.update, self._details
        async with keeping.refresh(pool, listing, folders, update, details) as refresh:
            self.report["store"] = refresh.figures()
            if not self._reads_back:
                self._messages = await asyncio.to_thread(refresh.count, folders)
                return
            async with aclosing(refresh.batches(folders, self.schema)) as batches:
                async for batch in batches:
                    self._messages += batch.num_rows
                    yield batch

    async def refresh(self) -> None:
        """Bring the store up to date, for the report alone: nothing is read back."""
        self._reads_back = False
        async with aclosing(self.__aiter__()) as stream:
            async for _ in stream:
                pass

    async def frame(self) -> pd.DataFrame:
        """Fetch everything into one DataFrame."""
        self._builders = BUILDERS
        self._drops_replaced = True
        self._judges = False  # when rows of messages that are no more have been dropped
        # pandas is loaded while the server answers: in the first call of a process that is half a
        # second.
        loading = asyncio.ensure_future(
            asyncio.to_thread(importlib.import_module, "mailframe.frame.adapter")
        )
        try:
            async with aclosing(self.__aiter__()) as stream:
                batches = deque([batch async for batch in stream])
        finally:
            adapter = await loading
        for name, count in self._replaced.items():
            for number in range(count):
                batches[number] = adapter.without_folder(batches[number], name)
        batches = deque(self._views.all_of(batches))
        self.report["messages"] = sum(batch.num_rows for batch in batches)
        # Handed over one by one, so that to_frame can let go of what it has converted.
        handed = (batches.popleft() for _ in range(len(batches)))
        frame: pd.DataFrame = adapter.to_frame(handed, self.schema, report=self.report)
        return frame

    def _speak(self, errors: Sequence[MailframeError]) -> None:
        """Tell what went wrong, the way the caller chose."""
        if self._errors == "raise" and errors:
            if len(errors) == 1:
                raise errors[0]
            raise ExceptionGroup(f"{len(errors)} problems at {self._account.name}", list(errors))
        if self._errors != "warn":
            return
        lines = []
        if errors:
            lines.append(first_of(errors))
        mended = self._mended()
        if mended:
            lines.append(f"made up for {mended}")
        if lines:
            hint = '; see df.attrs["mailframe"]'
            warn("; ".join(lines) + hint)

    def _mended(self) -> str:
        """Say what went wrong and cost nothing but time."""
        counts = {"reconnects": self.report["reconnects"], **self.report["events"]}
        told = ((counts.get(name, 0), words) for name, words in _MENDED.items())
        return ", ".join(
            one if count == 1 else f"{count} {many}" for count, (one, many) in told if count
        )


_MENDED = {
    "reconnects": ("a lost connection", "lost connections"),
    "throttled": ("a pause that the server asked for", "pauses that the server asked for"),
    "uidvalidity_changed": ("a folder replaced under way", "folders replaced under way"),
    "junk_lines": ("a line that made no sense", "lines that made no sense"),
}


def _expected(folders: Iterable[Folder], query: Query) -> int | None:
    """Count the messages that will come, as far as one can tell before a search."""
    counts = [folder.messages for folder in folders]
    known = [count for count in counts if count is not None]
    if query.keys or len(known) < len(counts):
        return None
    if query.newest is not None:
        known = [min(count, query.newest) for count in known]
    return sum(known)


@sealing
def open_stream(  # noqa: PLR0913 -- the keywords of the public readers
    account: str | Account | Secret | Entry,
    *,
    folders: str | Iterable[str] | None = None,
    password: str | Secret | None = None,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    savedate: bool = False,
    preview: bool = False,
    since: Day | None = None,
    before: Day | None = None,
    search: str | None = None,
    newest: int | None = None,
    connections: int = 4,
    errors: Errors = "warn",
    progress: ProgressOption = None,
    timeout: float | None = None,
    store: str | os.PathLike[str] | None = None,
    flags: FlagPolicy = "exact",
    compress: bool | None = None,
    login: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> BatchStream:
    r"""Check what is to be fetched; nothing is sent yet.

    Parameters
    ----------
    account : str, Account or Entry
        An address such as ``ann@example.org``, whose server is found as `mailframe.discover` does;
        a URL such as ``imaps://ann@imap.example.org``; or an `Account`.
    folders : str or iterable of str, optional
        Names, globs (``"Lists/*"``) and roles (``"\All"``, RFC 6154); every folder by default. On
        Gmail ``"\All"`` is the fastest way to read it all: each message once, with its labels.
    password : str, optional
        Otherwise from ``MAILFRAME_PASSWORD``, the keyring, ``~/.netrc`` or a prompt.
    headers : sequence of str
        More header fields, each a column in snake case: ``"List-Unsubscribe"``,
        ``"Received:all"``, ``"X-Moved:asDate"``; for the forms see `mailframe.frame.extras`.
    raw_headers : bool
        Add a column ``raw_headers`` with the header octets as they came.
    attachments : bool
        Add what is attached, as the server's BODYSTRUCTURE tells: columns ``attachments`` (Int64,
        how many), ``attachment_bytes`` (Int64, their decoded size, estimated from the octets that
        travel), ``attachment_names``, ``attachment_types`` and ``attachment_sizes`` (lists, a name
        empty where there is none). NA where the server does not tell. What counts as one is the
        rule of `mailframe.headers.attachments`. It costs a server more than headers do.
    savedate, preview : bool
        Add when a message came into its folder (RFC 8514), and the beginning of its text (RFC
        8970); NA where the server has no such extension.
    since, before : str or datetime.date, optional
        Days of INTERNALDATE, the first included, the second not; applied by the server.
    search : str, optional
        IMAP SEARCH keys, such as ``'UNSEEN FROM "ann"'``; applied by the server.
    newest : int, optional
        At most so many messages a folder, the highest UIDs.
    connections : int
        Sessions at most, 1 to 32; servers often allow 10 to 15.
    errors : {"warn", "raise", "ignore"}
        Whether one warning or an exception tells of folders and messages that could not be read;
        all the others are read in any case.
    progress : callable, bool or None
        None shows a bar to a person, False none; a callable gets ``(done, total)``.
    timeout : float, optional
        Seconds for the whole fetch; what is missing then is a problem.
    store : str or path-like, optional
        Directory of a header store: what it holds is not fetched again, and it is brought up to
        date; `mailframe.open_store` reads it without a network. It holds whole folders: choose
        messages by ``since=`` and the like when reading it.
    flags : {"exact", "counts", "skip"}
        For a store on a server without mod-sequences (CONDSTORE): read all flags each time, only
        where the counts of a folder changed, or never again.
    compress : bool, optional
        Whether what travels is compressed (RFC 4978), where the server offers it; by default on
        any way but to this machine itself.
    login : str, optional
        Who logs in, with a password or token of their own, to read this account's mail: a master
        user or a service account.
    limits : Limits
        What a server may cost in memory, waiting and tries; see `mailframe.imap.limits`.

    Raises
    ------
    ConfigurationError
        Something of this makes no sense.
    """
    patterns = patterns_of("folder", folders)
    headers = headers if isinstance(headers, str) else tuple(headers)  # it is read twice
    keys = search_keys(search, since, before)
    if newest is not None and newest < 1:
        raise ConfigurationError(f"newest={newest} must be at least 1")
    if not 1 <= connections <= MAX_CONNECTIONS:
        raise ConfigurationError(f"connections={connections} must be 1 to {MAX_CONNECTIONS}")
    if timeout is not None and not timeout > 0:
        raise ConfigurationError(f"timeout={timeout:g} must be more than 0 seconds")
    if errors not in get_args(Errors):
        raise ConfigurationError(f'errors={errors!r} is none of "warn", "raise", "ignore"')
    keeping = None
    if store is not None:
        if keys or newest is not None or raw_headers:
            raise ConfigurationError(
                "store= holds whole folders and no raw headers: leave out since=, before=, search=,"
                " newest= and raw_headers=, and choose with open_store(path).frame(since=...)"
            )
        from mailframe.refresh import Keeping  # noqa: PLC0415 -- with all of the store's rooms

        keeping = Keeping(store, headers=headers, flags=flags)
    entry = enter(account, password, login=login)
    builder = functools.partial(
        BatchBuilder, entry.account.name, headers=headers, raw_headers=raw_headers
    )
    return BatchStream(
        entry.with_password(),
        builder,
        Query(header_items(builder().fields), keys, newest),
        request=Request(attachments=attachments, savedate=savedate, preview=preview),
        patterns=patterns,
        connections=connections,
        errors=errors,
        progress=progress,
        timeout=timeout,
        keeping=keeping,
        compress=compress,
        limits=limits,
    )


P = ParamSpec("P")
R = TypeVar("R")


def _reader(
    opened: Callable[P, BatchStream],
) -> Callable[[Callable[[BatchStream], R]], Callable[P, R]]:
    """Make a public reader: it takes what `open_stream` takes and reads the stream its own way."""

    def decorate(read: Callable[[BatchStream], R]) -> Callable[P, R]:
        result = inspect.signature(read).return_annotation
        signature = inspect.signature(opened).replace(return_annotation=result)
        seal = sealer(signature)

        later = _later(opened, read)

        @functools.wraps(read)
        def reader(*args: P.args, **options: P.kwargs) -> R:
            args, options = seal(args, options)
            try:
                bound = signature.bind(*args, **options)
            except TypeError as error:  # in the name that was called
                raise TypeError(f"{read.__name__}() {error}") from None
            address = address_of(bound.arguments["account"])
            if later is None or address is None:
                return read(opened(*args, **options))
            return cast("R", later(address, bound))

        reader.__signature__ = signature  # type: ignore[attr-defined]  # what help() shows
        reader.__doc__ = _with_parameters(read.__doc__, opened.__doc__)
        return reader

    return decorate


def _later(
    opened: Callable[..., BatchStream], read: Callable[[BatchStream], Any]
) -> Callable[[str, inspect.BoundArguments], Any] | None:
    """For those who await: read when the server of an address was found, with nobody held up."""

    async def find(address: str, bound: inspect.BoundArguments) -> BatchStream:
        login = bound.arguments.get("login")
        bound.arguments["account"] = await aenter(address, login=login)
        return opened(*bound.args, **bound.kwargs)

    async def result(address: str, bound: inspect.BoundArguments) -> object:
        return await read(await find(address, bound))

    async def batches(address: str, bound: inspect.BoundArguments) -> AsyncGenerator[object]:
        async with aclosing(read(await find(address, bound))) as found:
            async for batch in found:
                yield batch

    if inspect.isasyncgenfunction(read):
        return batches
    return result if inspect.iscoroutinefunction(read) else None


_SECTION = re.compile(r"^\w+\n-+\n", re.MULTILINE)


def _with_parameters(doc: str | None, other: str | None) -> str | None:
    """Put the parameters of another docstring before the first section of this one."""
    if doc is None or other is None:  # python -OO
        return doc
    doc, other = inspect.cleandoc(doc), inspect.cleandoc(other)
    first, *more = (section.start() for section in _SECTION.finditer(other))
    parameters = other[first : more[0]]
    place = next(section.start() for section in _SECTION.finditer(doc))
    return f"{doc[:place]}{parameters}{doc[place:]}"


@_reader(open_stream)
def read_imap(stream: BatchStream) -> pd.DataFrame:
    """Read message headers of an IMAP account into a DataFrame.

    The account is only read: folders are opened with EXAMINE, headers fetched with BODY.PEEK. It
    serves in a script as well as in a notebook cell; `aread_imap` is the same for ``await``.

    Returns
    -------
    pandas.DataFrame
        One row a message, ordered by folder and UID; the columns are those of `mailframe.SCHEMA`,
        one for each of ``headers``, and those of what was asked for beside them. From Gmail also
        ``x_gm_msgid``, ``x_gm_thrid`` (str) and ``x_gm_labels`` (list of str; Gmail's own begin
        with a backslash), from a server with OBJECTID (RFC 8474) ``email_id``
        and ``thread_id`` (str). ``df.attrs["mailframe"]`` is the report: ``account``,
        ``folders``, ``messages``, ``bytes``, ``wire_bytes`` (fewer where they came compressed),
        ``seconds`` and more; ``views``, the folders such as Gmail's "All Mail" that show other
        folders' messages again, with how many stand there alone and are rows; ``special_use``, by
        account what the server said that folders are for (RFC 6154); ``problems``, a list
        of ``folder``, ``uids``, ``error`` and ``text``; with a store also ``store``, what changed
        in it.

    Raises
    ------
    ConfigurationError
        What was asked for makes no sense; nothing was sent.
    ConnectError, AuthenticationError
        There is no way in.
    FolderError
        No folder answers to ``folders``.
    ConnectionLost, ReadTimeout, ProtocolError
        The server or the network failed before there was anything to keep.
    StoreError
        The store cannot be written, or another process is at it.
    MailframeError, ExceptionGroup
        A folder failed, or several, and ``errors="raise"``.

    Warns
    -----
    MailframeWarning
        Something was left out or made up for, and ``errors="warn"``.
    """
    return run(stream.frame())


@_reader(open_stream)
async def aread_imap(stream: BatchStream) -> pd.DataFrame:
    """Read message headers of an IMAP account into a DataFrame; `read_imap` for ``await``.

    Returns
    -------
    pandas.DataFrame
        As from `read_imap`, which also tells the errors.
    """
    return await stream.frame()


@_reader(open_stream)
async def aiter_batches(stream: BatchStream) -> AsyncGenerator[pa.RecordBatch]:
    """Read message headers in record batches, in no particular order.

    Memory stays bounded however large the mailbox is: reading from the server pauses while
    batches are not taken.

    Yields
    ------
    pyarrow.RecordBatch
        Of `mailframe.SCHEMA`, plus a column for each of ``headers``. `read_imap` tells the errors.
    """
    async with aclosing(aiter(stream)) as batches:
        async for batch in batches:
            yield batch


# Folders ----------------------------------------------------------------------------------------

_FOLDER_ITEMS = (*PLANNING, "UNSEEN", "SIZE")


@sealing
def list_folders(
    account: str | Account | Secret | Entry,
    *,
    password: str | Secret | None = None,
    login: str | None = None,
) -> pd.DataFrame:
    """List the folders of an account.

    Parameters
    ----------
    account, password, login
        As for `read_imap`.

    Returns
    -------
    pandas.DataFrame
        One row a folder in the server's order: ``folder`` (str), ``messages``, ``unseen``,
        ``size`` (Int64; size in octets, NA where the server does not tell), ``special_use``
        (str, RFC 6154), ``selectable`` (bool), ``uidvalidity``, ``uidnext`` (Int64).

    Raises
    ------
    ConfigurationError
        The account cannot be read, or there is no password.
    ConnectError, AuthenticationError
        There is no way in.

    Warns
    -----
    MailframeWarning
        Something that the server said may be a folder, and cannot be read.
    """
    return run(_list_folders(enter(account, password, login=login).with_password()))


@sealing
async def alist_folders(
    account: str | Account | Secret | Entry,
    *,
    password: str | Secret | None = None,
    login: str | None = None,
) -> pd.DataFrame:
    """List the folders of an account; `list_folders` for ``await``.

    Parameters
    ----------
    account, password, login
        As for `read_imap`.

    Returns
    -------
    pandas.DataFrame
        As from `list_folders`, which also tells the errors.
    """
    address = address_of(account)
    found = account if address is None else await aenter(address, login=login)
    entry = enter(found, password, login=login)
    return await _list_folders(entry.with_password())


async def _list_folders(entry: Entry) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 -- it takes half a second, and who streams needs none

    async with Pool(entry.account, connections=1) as pool:
        with entry.watched():
            listing = await pool.folders(_FOLDER_ITEMS)
    if listing.lost:
        warn(first_of(listing.lost))
    folders = listing.folders
    columns = {
        "folder": pd.array([f.name for f in folders], dtype="str"),
        "messages": pd.array([f.messages for f in folders], dtype="Int64"),
        "unseen": pd.array([f.unseen for f in folders], dtype="Int64"),
        "size": pd.array([f.size for f in folders], dtype="Int64"),
        "special_use": pd.array([f.special_use for f in folders], dtype="str"),
        "selectable": pd.array([f.selectable for f in folders], dtype="bool"),
        "uidvalidity": pd.array([f.uidvalidity for f in folders], dtype="Int64"),
        "uidnext": pd.array([f.uidnext for f in folders], dtype="Int64"),
    }
    return pd.DataFrame(columns)
