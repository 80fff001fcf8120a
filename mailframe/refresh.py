"""A header store brought up to date: its refresh plans, carried out by the pool.

For each folder the store's plan becomes work for the pool; what comes back is gathered, built into
batches in a thread, and merged into the folder's file as soon as the folder is closed. Rows of
folders that are not closed yet are staged on the disk batch by batch, so an interrupted refresh
goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, get_args

from mailframe.errors import ConfigurationError, StoreError
from mailframe.fetcher.folders import PLANNING
from mailframe.fetcher.lane import Query
from mailframe.fetcher.ledger import Problem
from mailframe.fetcher.plan import SPAN, Ask, Folder, Known, Lookup, Span, Work, known_uids
from mailframe.frame.batch import MENDED, BatchBuilder
from mailframe.frame.extras import parse_extras
from mailframe.gather import BATCH_ROWS, Gathered
from mailframe.imap.commands import FLAG_ITEMS, changed_since, extra_items, header_items
from mailframe.imap.uidset import MAX_UID, UidSet
from mailframe.store.ahead import ahead
from mailframe.store.columns import FLAG_COLUMNS, canonical, needed, shown, stored_schema
from mailframe.store.folder import ROW_GROUP
from mailframe.store.merge import Answers, Merge, gone
from mailframe.store.plan import (
    Fetch,
    FlagPolicy,
    Flags,
    Headers,
    Plan,
    ServerState,
    Uids,
    outcome,
    plan,
)
from mailframe.store.reader import root_of
from mailframe.store.state import FolderState
from mailframe.store.writer import writing

if TYPE_CHECKING:
    import os
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from typing import TypeAlias

    import pyarrow as pa

    from mailframe.fetcher.ledger import Entry, Ledger
    from mailframe.fetcher.plan import Part
    from mailframe.fetcher.pool import Pool
    from mailframe.store.plan import Step
    from mailframe.store.writer import AccountWriter, Held

    # What rows are (whole ones, flags, further headers), and the further header fields in them.
    _Kind: TypeAlias = tuple[str, tuple[str, ...]]

# What LIST-STATUS must tell for a folder to be planned, and the extensions that help.
ITEMS = (*PLANNING, "UNSEEN", "HIGHESTMODSEQ")
EXTENSIONS = ("QRESYNC", "CONDSTORE")

# Messages of one command that asks only for flags: a row is some 40 octets.
_FLAG_SPAN = 20_000
# Rows of an open folder in memory that are worth a file of their own.
_STAGED_ROWS = BATCH_ROWS // 2


@dataclasses.dataclass(slots=True, eq=False)
class _Task:
    """One folder that is being brought up to date."""

    folder: Folder
    plan: Plan
    held: Held | None
    rows: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    flags: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    headers: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    staged: bool = False
    saved: bool = False
    new: int = 0
    changed: int = 0
    expunged: int = 0

    @property
    def waiting(self) -> int:
        """Rows in memory."""
        return sum(batch.num_rows for batch in self.rows)


class Keeping:
    """How a caller wants a store to be kept.

    Parameters
    ----------
    path : str or path-like
        The store's directory; ``~`` is the user's home.
    headers : sequence of str
        Further header fields asked for.
    flags : {"exact", "counts", "skip"}
        See `mailframe.store.plan.plan`.

    Raises
    ------
    ConfigurationError
        A header or a policy is not one.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, headers: Sequence[str], flags: FlagPolicy
    ) -> None:
        if flags not in get_args(FlagPolicy):
            raise ConfigurationError(f"flags={flags!r} is none of {get_args(FlagPolicy)}")
        self._root = root_of(path)
        self._headers = canonical(headers)
        self._flags = flags

    @asynccontextmanager
    async def refresh(
        self,
        pool: Pool,
        listed: Sequence[Folder],
        folders: Sequence[Folder],
        progress: Callable[[int], object],
    ) -> AsyncGenerator[Refresh]:
        """Bring folders up to date; the account's part of the store is ours until the end.

        Parameters
        ----------
        listed, folders : sequence of Folder
            Every folder of the account, and those to refresh.

        Raises
        ------
        StoreError
            The store cannot be written, or another process is at it.
        """
        lock = writing(self._root, pool.account.name)
        writer = await asyncio.to_thread(lock.__enter__)
        try:
            refresh = Refresh(writer, headers=self._headers, flags=self._flags)
            qresync = "QRESYNC" in pool.enabled
            await asyncio.to_thread(refresh.prepare, folders, qresync=qresync)
            await refresh.run(pool, progress)
            pool.ledger.problems += refresh.problems
            pool.ledger.errors += refresh.errors
            await asyncio.to_thread(refresh.remove_others, listed)
            yield refresh
        finally:
            lock.__exit__(None, None, None)


class Refresh:
    """One refresh of an account's part of a store.

    Parameters
    ----------
    writer : AccountWriter
        Holds the lock.
    headers : sequence of str
        Further header fields asked for, in the store's canonical form.
    flags : {"exact", "counts", "skip"}
        See `mailframe.store.plan.plan`.

    Attributes
    ----------
    removed : list of str
        Folders that the server no longer has.
    problems : list of Problem
        Folders whose file cannot be read or written; ``errors`` are their exceptions.
    """

    def __init__(self, writer: AccountWriter, *, headers: Sequence[str], flags: FlagPolicy) -> None:
        self.removed: list[str] = []
        self.problems: list[Problem] = []
        self.errors: list[StoreError] = []
        self._writer = writer
        self._headers = tuple(headers)
        self._flags = flags
        self._at = datetime.now(UTC)
        self._tasks: dict[bytes, _Task] = {}
        self._by_name: dict[str, _Task] = {}
        self._unchanged: dict[str, Held] = {}
        self._gathered: dict[_Kind, Gathered] = {}
        self._closing: list[_Task] = []

    def figures(self) -> dict[str, object]:
        """Tell what changed, as plain JSON types."""
        saved = [task for task in self._tasks.values() if task.saved]
        return {
            "folders": len(saved),
            "new": sum(task.new for task in saved),
            "changed": sum(task.changed for task in saved),
            "expunged": sum(task.expunged for task in saved),
            "removed": self.removed,
        }

    # Planning ----------------------------------------------------------------------------------

    def prepare(self, folders: Iterable[Folder], *, qresync: bool) -> None:
        """Plan each folder, given what the store holds; reads the disk."""
        seen: set[str] = set()
        for folder in folders:
            if folder.name in seen:
                text = f"Two folders are shown as {folder.name!r}; only one of them is stored."
                self._note(folder, StoreError(text))
                continue
            seen.add(folder.name)
            try:
                held = self._writer.held(folder.name)
            except StoreError as error:
                self._note(folder, error)
                continue
            planned = plan(
                held.state if held else None,
                _server_state(folder, qresync=qresync),
                held=held.rows if held else 0,
                headers=self._headers,
                flags=self._flags,
            )
            if planned.steps:
                self._add(_Task(folder, planned, held if planned.keep else None))
            elif held:
                self._unchanged[folder.name] = held

    def _add(self, task: _Task) -> None:
        self._tasks[task.folder.wire] = task
        self._by_name[task.folder.name] = task

    def _known(self, task: _Task) -> Known:
        items = header_items(BatchBuilder("", headers=task.plan.headers).fields)
        if not task.plan.keep or task.held is None:
            return Known(items=items)
        works = tuple(work for step in task.plan.steps for work in _works(step, task))
        return Known(UidSet(task.held.uids), works, items)

    # Fetching ----------------------------------------------------------------------------------

    async def run(self, pool: Pool, progress: Callable[[int], object]) -> None:
        """Carry the plans out; ``progress`` is told how many rows came."""
        if not self._tasks:
            async with aclosing(pool.fetch([], Query(b""))) as parts:
                async for _ in parts:
                    pass  # nothing comes; the session says goodbye
            return
        folders = [task.folder for task in self._tasks.values()]
        known = {wire: self._known(task) for wire, task in self._tasks.items()}
        try:
            # The thread has ended, whatever happens, before the last flush.
            with ThreadPoolExecutor(1, "mailframe-store") as thread:
                async with aclosing(pool.fetch(folders, Query(b""), known)) as parts:
                    await self._take_all(parts, pool, thread, progress)
        finally:
            self._flush(*self._taken(), pool.ledger)  # when cancelled: what has come is kept

    async def _take_all(
        self,
        parts: AsyncIterator[Part],
        pool: Pool,
        thread: ThreadPoolExecutor,
        progress: Callable[[int], object],
    ) -> None:
        """Take what the pool hands on; build and save beside it, one flush at a time."""

        def flush() -> asyncio.Future[None]:
            return loop.run_in_executor(thread, self._flush, *self._taken(), pool.ledger)

        loop = asyncio.get_running_loop()
        flushing: asyncio.Future[None] | None = None
        async for part in parts:
            task = self._tasks[part.folder.wire]
            if part.folder is not task.folder:
                await flush()
                self._start_again(task, part.folder)
            full = self._take(part, task)
            if flushing is not None and (full or flushing.done()):
                await flushing
                flushing = None
            if full or (self._closing and flushing is None):
                flushing = flush()
            progress(len(part.rows) if part.ask is None else 0)
        if flushing is not None:
            await flushing
        await flush()

    def _take(self, part: Part, task: _Task) -> bool:
        """Take what the pool hands on; return whether it is time to flush."""
        if part.closed:
            self._closing.append(task)
            return False
        gathered = self._gathered.setdefault(_kind(part.ask, task), Gathered())
        gathered.add(part.folder.name, part.rows)
        return gathered.full

    def _start_again(self, task: _Task, folder: Folder) -> None:
        """Drop everything of a folder whose UIDVALIDITY was not the planned one after all."""
        if task in self._closing:
            self._closing.remove(task)
        headers = task.plan.headers
        task.folder, task.held = folder, None
        task.plan = Plan((Fetch(1),), keep=False, headers=headers)
        task.rows, task.flags, task.headers, task.staged = [], [], [], False

    def _taken(self) -> tuple[dict[_Kind, Gathered], list[_Task]]:
        """Give what was taken since the last time: rows, and the folders that they complete."""
        taken = self._gathered, self._closing
        self._gathered, self._closing = {}, []
        return taken

    def _flush(
        self, gathered: Mapping[_Kind, Gathered], closing: Iterable[_Task], ledger: Ledger
    ) -> None:
        """Build what was gathered; save the folders that are closed, stage what is large."""
        for (kind, headers), rows in gathered.items():
            builder = BatchBuilder(self._writer.account, headers=headers, apart=True)
            self._share_out(kind, rows, builder.build(rows))
        # Side by side: compressing leaves the interpreter's lock, and so does waiting for a disk.
        for _ in ahead(
            partial(self._guarded, task, self._finish, ledger.entry(task.folder))
            for task in closing
        ):
            pass
        for task in self._tasks.values():
            if task.waiting >= _STAGED_ROWS:
                self._guarded(task, self._stage)

    def _share_out(self, kind: str, rows: Gathered, batch: pa.RecordBatch) -> None:
        start = 0
        for name, count in rows.folders:
            task = self._by_name[name]
            piece = batch.slice(start, count)
            start += count
            if kind == "rows":
                task.rows.append(piece)
            elif kind == "flags":
                task.flags.append(piece.select(["uid", *FLAG_COLUMNS]))
            else:
                columns = [extra.column for extra in parse_extras(_lacking(task))]
                names = ["uid", *columns, *(column + MENDED for column in columns)]
                task.headers.append(piece.select(names))

    def _guarded(self, task: _Task, act: Callable[..., None], *arguments: Entry) -> None:
        try:
            act(task, *arguments)
        except StoreError as error:
            task.rows = []
            self._note(task.folder, error)

    def _note(self, folder: Folder, error: StoreError) -> None:
        error.account, error.folder = self._writer.account, folder.name
        self.errors.append(error)
        self.problems.append(Problem(folder.name, "", "StoreError", str(error)))

    # Saving ------------------------------------------------------------------------------------

    def _state(self, task: _Task, *, last: int, complete: bool) -> FolderState:
        before = FolderState(self._writer.account, task.folder.name)
        return outcome(
            task.plan,
            _server_state(task.folder, qresync=False),
            before=task.held.state if task.held else before,
            last=last,
            complete=complete,
            refreshed=self._at.isoformat(),
        )

    def _stage(self, task: _Task) -> None:
        if not task.folder.uidvalidity:
            return  # without one, nobody could tell later what the UIDs mean
        self._writer.stage(self._state(task, last=0, complete=False), task.rows, at=self._at)
        task.rows, task.staged = [], True

    def _finish(self, task: _Task, entry: Entry) -> None:
        """Merge what came into a folder's file; of one that failed, keep what came till then."""
        if entry.failed:
            if task.rows:
                self._stage(task)
            return
        held = self._writer.held(task.folder.name) if task.staged else task.held
        there = entry.sought.ranges if entry.sought is not None else None
        answers = Answers(task.rows, task.flags, task.headers, entry.vanished.ranges, there)
        uids = held.uids if held else ()
        lost = gone(uids, answers)
        merge = Merge(stored_schema(task.plan.headers), answers, lost=lost, at=self._at)
        came = [batch["uid"][-1].as_py() for batch in task.rows if batch.num_rows]
        last = max([*came, uids[-1][1] if uids else 0])
        state = self._state(task, last=last, complete=not (entry.lost or entry.short))
        if entry.doubtful:
            state = dataclasses.replace(state, modseq=0)
        self._writer.save(state.with_gone(lost), merge.batches(held.batches() if held else ()))
        task.rows, task.flags, task.headers = [], [], []
        task.new, task.changed, task.expunged = merge.added, merge.changed, len(UidSet(lost))
        if task.staged and held:
            task.new += held.rows - (task.held.rows if task.held else 0)
        task.saved = True

    def remove_others(self, listed: Iterable[Folder]) -> None:
        """Remove the folders that the server no longer lists."""
        names = [folder.name for folder in listed if folder.selectable]
        self.removed = self._writer.forget_others(names)

    # Reading back ------------------------------------------------------------------------------

    async def batches(
        self, folders: Iterable[Folder], schema: pa.Schema
    ) -> AsyncGenerator[pa.RecordBatch]:
        """Yield the stored rows of the given folders, with the columns of `schema`."""
        refused = {problem.folder for problem in self.problems}
        names = [folder.name for folder in folders if folder.name not in refused]
        stored = self._stored(names, schema)
        while batches := await asyncio.to_thread(_some, stored):
            for batch in batches:
                yield batch

    def _stored(self, folders: Iterable[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        found = (self._unchanged.get(folder) or self._writer.held(folder) for folder in folders)
        columns = needed(schema)
        for batches in ahead(read for held in found if held for read in held.reads(columns)):
            yield from (shown(batch, schema) for batch in batches)


def _some(stored: Iterator[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Take batches worth a change of threads; none at the end."""
    taken: list[pa.RecordBatch] = []
    rows = 0
    for batch in stored:
        taken.append(batch)
        rows += batch.num_rows
        if rows >= ROW_GROUP:
            break
    return taken


def _server_state(folder: Folder, *, qresync: bool) -> ServerState:
    return ServerState(
        uidvalidity=folder.uidvalidity or 0,
        uidnext=folder.uidnext,
        messages=-1 if folder.messages is None else folder.messages,
        unseen=folder.unseen,
        modseq=folder.highestmodseq,
        qresync=qresync,
    )


def _works(step: Step, task: _Task) -> Iterator[Work]:
    """Turn a step of a plan into the pool's work."""
    folder = task.folder
    assert task.held is not None
    match step:
        case Fetch(first):
            known = UidSet.of((first, (folder.uidnext or MAX_UID) - 1))
            *full, rest = known.split(SPAN) if known else (known,)
            yield from (Span(folder, uids, len(uids)) for uids in full)
            # What arrives meanwhile comes along.
            tail = UidSet(((rest.first if rest else first, MAX_UID),))
            yield Span(folder, tail, max(1, len(rest)))
        case Flags(below, since, vanished) if since:
            ask = Ask(FLAG_ITEMS, changed_since(since, vanished=vanished))
            yield Span(folder, UidSet.of((1, below - 1)), 1, ask=ask)
        case Flags(below):
            for uids in UidSet.of((1, below - 1)).split(_FLAG_SPAN):
                yield Span(folder, uids, len(uids) // 10 + 1, ask=Ask(FLAG_ITEMS))
        case Headers(names):
            ask = Ask(extra_items([extra.field for extra in parse_extras(names)]))
            # None but those held: nothing else may ask for the same message's header meanwhile.
            for span in known_uids(folder, UidSet(task.held.uids)):
                yield dataclasses.replace(span, ask=ask)
        case Uids():
            yield Lookup(folder)


def _kind(ask: Ask | None, task: _Task) -> _Kind:
    """Tell what rows are, and which further header fields stand in them."""
    if ask is None:
        return "rows", task.plan.headers
    if ask.items == FLAG_ITEMS:
        return "flags", ()
    return "headers", _lacking(task)


def _lacking(task: _Task) -> tuple[str, ...]:
    return next((step.names for step in task.plan.steps if isinstance(step, Headers)), ())
