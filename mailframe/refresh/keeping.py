"""A refresh from its beginning to its end: the lock, the plans, the fetch, and reading back."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, get_args

from mailframe.errors import ConfigurationError, StoreError
from mailframe.fetcher.folders import PLANNING
from mailframe.fetcher.lane import Query
from mailframe.gathering.details import named
from mailframe.gathering.rows import Gathered
from mailframe.refresh.saving import Saver
from mailframe.refresh.task import Task, expected, server_state
from mailframe.store.ahead import ahead
from mailframe.store.atomic import LockHeldError
from mailframe.store.filecolumns import canonical, needed, shown
from mailframe.store.parquet import ROW_GROUP
from mailframe.store.plan import FlagPolicy, plan
from mailframe.store.reader import root_of
from mailframe.store.writer import WAIT, glimpse, is_ours, writing

if TYPE_CHECKING:
    import os
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Iterable,
        Iterator,
        Sequence,
    )
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from mailframe.fetcher.folders import Listing
    from mailframe.fetcher.pool import Pool
    from mailframe.fetcher.schedule import Expected, Folder, Part
    from mailframe.gathering.details import Detail
    from mailframe.refresh.task import Kind
    from mailframe.store.held import Held, Read
    from mailframe.store.writer import AccountWriter


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

    Attributes
    ----------
    items, extensions : tuple of str
        What LIST-STATUS must tell for a folder to be planned, and the extensions that help.

    Raises
    ------
    ConfigurationError
        A path, a header or a policy is not one.
    """

    items = (*PLANNING, "UNSEEN", "HIGHESTMODSEQ")
    extensions = ("QRESYNC", "CONDSTORE")

    def __init__(
        self, path: str | os.PathLike[str], *, headers: Sequence[str], flags: FlagPolicy
    ) -> None:
        if flags not in get_args(FlagPolicy):
            raise ConfigurationError(f"flags={flags!r} is none of {get_args(FlagPolicy)}")
        self._begun = datetime.now(UTC)
        self._root = root_of(path)
        self._headers = canonical(headers)
        self._flags = flags

    async def expected(self, account: str, server: str) -> Expected | None:
        """Tell what the INBOX will be asked for if mail has come; it reads the disk in a thread.

        Parameters
        ----------
        account, server : str
            Whose, and where it is now.
        """
        held = await asyncio.to_thread(glimpse, self._root, account, "INBOX")
        if held is None or held.state.server != server:
            return None
        return expected(held, self._headers)

    @asynccontextmanager
    async def refresh(
        self,
        pool: Pool,
        listing: Listing,
        folders: Sequence[Folder],
        progress: Callable[[int], object],
        details: Sequence[Detail] = (),
    ) -> AsyncGenerator[Refresh]:
        """Bring folders up to date; the account's part of the store is ours until that is done.

        Reading back needs no lock, and may take as long as the caller likes: each folder is read
        as of one refresh, this one or a later.

        Parameters
        ----------
        listing : Listing
            Every folder of the account.
        folders : sequence of Folder
            Those to refresh.
        progress : callable
            Told how many rows are there: those held at once, the others as they come.
        details : sequence of Detail
            What is asked for beside headers.

        Raises
        ------
        StoreError
            The store cannot be written, or another process is at it.
        """
        async with _writing(self._root, pool.account.name) as writer:
            names = (*self._headers, *(name for detail in details for name in detail.held))
            refresh = Refresh(
                writer,
                pool.account.server,
                headers=names,
                flags=self._flags,
                has=pool.capabilities.__contains__,
            )
            writer.expect(len(listing.folders))
            qresync = "QRESYNC" in pool.enabled
            await _to_its_end(refresh.prepare, folders, qresync=qresync)
            progress(refresh.ready())
            await refresh.run(pool, progress)
            await _to_its_end(refresh.remove_others, listing, self._begun)
        yield refresh
        pool.ledger.problems += refresh.saver.problems
        pool.ledger.errors += refresh.saver.errors


class Refresh:
    """One refresh of an account's part of a store.

    Parameters
    ----------
    writer : AccountWriter
        Holds the lock.
    server : str
        Where the account is now.
    headers : sequence of str
        Further header fields asked for, in the store's canonical form.
    flags : {"exact", "counts", "skip"}
        See `mailframe.store.plan.plan`.
    has : callable
        Tells whether the server advertises a capability.

    Attributes
    ----------
    saver : Saver
        Knows which folders could not be kept, and why.
    removed : list of str
        Folders that the server no longer has.
    """

    def __init__(
        self,
        writer: AccountWriter,
        server: str,
        *,
        headers: Sequence[str],
        flags: FlagPolicy,
        has: Callable[[str], bool],
    ) -> None:
        self.removed: list[str] = []
        self._writer = writer
        self._server = server
        self._headers = tuple(headers)
        self._flags = flags
        self._has = has
        self._tasks: dict[str, Task] = {}
        self._unchanged: dict[str, Held] = {}
        self._unreadable: set[str] = set()
        self._gathered: dict[Kind, Gathered] = {}
        self._closing: list[Task] = []
        self.saver = Saver(writer, self._tasks, server, has)

    def figures(self) -> dict[str, object]:
        """Tell what changed, as plain JSON types."""
        saved = [task for task in self._tasks.values() if task.saved]
        return {
            "folders": sum(bool(task.new or task.changed or task.expunged) for task in saved),
            "new": sum(task.new for task in saved),
            "changed": sum(task.changed for task in saved),
            "expunged": sum(task.expunged for task in saved),
            "removed": self.removed,
        }

    # Planning ----------------------------------------------------------------------------------

    def prepare(self, folders: Iterable[Folder], *, qresync: bool) -> None:
        """Plan each folder, given what the store holds; reads the disk."""
        for folder in folders:
            try:
                self._plan(folder, qresync=qresync)
            except StoreError as error:
                self._refuse(folder.name, error)

    def _plan(self, folder: Folder, *, qresync: bool) -> None:
        held = self._writer.held(folder.name)
        planned = plan(
            held.state if held else None,
            server_state(folder, self._server, qresync=qresync),
            held=held.rows if held else 0,
            headers=self._headers,
            flags=self._flags,
        )
        if planned.steps:
            details = named(planned.headers, self._has)
            kept = held if planned.keep else None
            self._tasks[folder.name] = Task(folder, planned, kept, details)
        elif held:
            self._unchanged[folder.name] = held

    def ready(self) -> int:
        """Count the rows held that are still there, as far as is known, and lack no header."""
        return sum(held.rows for held in self._unchanged.values()) + sum(
            max(0, min(task.held.rows, task.folder.messages or 0) - len(task.again))
            for task in self._tasks.values()
            if task.held and not task.lacking
        )

    # Fetching ----------------------------------------------------------------------------------

    async def run(self, pool: Pool, progress: Callable[[int], object]) -> None:
        """Carry the plans out; ``progress`` is told how many rows came."""
        folders = [task.folder for task in self._tasks.values()]
        known = {task.folder.wire: task.known() for task in self._tasks.values()}
        try:
            # The thread has ended, whatever happens, before the last flush.
            with ThreadPoolExecutor(1, "mailframe-store") as thread:
                # Also where there is nothing to do: the session says goodbye.
                async with aclosing(pool.fetch(folders, Query(b""), known)) as parts:
                    await self._take_all(parts, pool, thread, progress)
        finally:
            self.saver.flush(*self._taken(), pool.ledger)  # when cancelled: what has come is kept
            self.saver.commit()

    async def _take_all(
        self,
        parts: AsyncIterator[Part],
        pool: Pool,
        thread: ThreadPoolExecutor,
        progress: Callable[[int], object],
    ) -> None:
        """Take what the pool hands on; build and save beside it, one flush at a time."""
        loop = asyncio.get_running_loop()

        def flush() -> asyncio.Future[None]:
            # Shielded: a flush that was cancelled before it began would lose what it was given.
            return asyncio.shield(
                loop.run_in_executor(thread, self.saver.flush, *self._taken(), pool.ledger)
            )

        flushing: asyncio.Future[None] | None = None
        async for part in parts:
            task = self._tasks[part.folder.name]
            if part.folder is not task.folder:
                await flush()
                task.start_again(part.folder)
            full = self._take(part, task)
            if flushing is not None and (full or flushing.done()):
                await flushing
                flushing = None
            if full or (self._closing and flushing is None):
                flushing = flush()
            no_rows = task.kind(part.ask)[0] in {"flags", "beside"}
            progress(0 if no_rows else len(part.rows))
        if flushing is not None:
            await flushing
        await flush()
        await asyncio.shield(loop.run_in_executor(thread, self.saver.commit))

    def _take(self, part: Part, task: Task) -> bool:
        """Take what the pool hands on; return whether it is time to flush."""
        if part.closed:
            self._closing += [task] if part.ask is None else []
            return False
        kind = task.kind(part.ask)
        gathered = self._gathered.setdefault(kind, Gathered())
        gathered.add(part.folder.name, part.rows)
        if kind[0] == "beside":
            gathered.add_beside(kind[0], part.rows.beside)
        return gathered.full

    def _taken(self) -> tuple[dict[Kind, Gathered], list[Task]]:
        """Give what was taken since the last time: rows, and the folders that they complete."""
        taken = self._gathered, self._closing
        self._gathered, self._closing = {}, []
        return taken

    def remove_others(self, listing: Listing, asked: datetime) -> None:
        """Remove the folders that the server, asked at the earliest then, no longer lists.

        An answer that does not make sense from end to end is not believed.
        """
        names = [folder.name for folder in listing.folders if folder.selectable]
        self.removed = self._writer.forget_others(names, asked) if listing.sound else []
        for folder in self._writer.tidy():
            self._unchanged.pop(folder, None)  # it is in another file now

    # Reading back ------------------------------------------------------------------------------

    def count(self, folders: Iterable[Folder]) -> int:
        """Count the stored rows of the given folders, without reading them."""
        names = dict.fromkeys(folder.name for folder in folders)
        return sum(held.rows for held in map(self._held, names) if held)

    async def batches(
        self, folders: Iterable[Folder], schema: pa.Schema
    ) -> AsyncGenerator[pa.RecordBatch]:
        """Yield the stored rows of the given folders, with the columns of `schema`."""
        names = dict.fromkeys(folder.name for folder in folders)
        stored = self._stored(names, schema)
        while batches := await asyncio.to_thread(_some, stored):
            for batch in batches:
                yield batch

    def _stored(self, folders: Iterable[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for batches in ahead(self._reads(folders, needed(schema))):
            yield from (shown(batch, schema) for batch in batches)

    def _reads(
        self, folders: Iterable[str], columns: Sequence[str]
    ) -> Iterator[Callable[[], list[pa.RecordBatch]]]:
        together: list[str] = []
        for folder in folders:
            if (held := self._held(folder)) is not None and held.is_packed:
                together.append(folder)
                continue
            yield from self._packed_reads(together, columns)
            together = []
            for read in self._folder_reads(folder, columns):
                yield partial(self._attempt, folder, columns, read)
        yield from self._packed_reads(together, columns)

    def _packed_reads(
        self, folders: Sequence[str], columns: Sequence[str]
    ) -> Iterator[Callable[[], list[pa.RecordBatch]]]:
        """Give calls that read folders of one pack at once: each costs a decoding otherwise."""
        for run in self._writer.together.runs(folders):
            yield partial(self._attempt_run, run, columns)

    def _attempt_run(self, folders: Sequence[str], columns: Sequence[str]) -> list[pa.RecordBatch]:
        try:
            return self._writer.together.rows(folders, columns)
        except StoreError as error:
            for folder in folders:
                self._refuse(folder, error)
            return []
        except FileNotFoundError:  # another refresh has given one a file of its own, or removed it
            return [batch for folder in folders for batch in self._anew(folder, columns)]

    def _anew(self, folder: str, columns: Sequence[str]) -> list[pa.RecordBatch]:
        """Read a folder whose file is there no more: from where another refresh has put it."""
        self._unchanged.pop(folder, None)
        self._writer.together.look()
        batches: list[pa.RecordBatch] = []
        try:
            for read in self._folder_reads(folder, columns):
                batches += read()
        except StoreError as error:
            self._refuse(folder, error)
        except FileNotFoundError:  # removed
            return []
        return batches

    def _folder_reads(self, folder: str, columns: Sequence[str]) -> Sequence[Read]:
        while held := self._held(folder):
            try:
                return held.reads(columns)
            except FileNotFoundError:  # since it was looked at, another refresh was here
                self._unchanged.pop(folder, None)
            except StoreError as error:
                self._refuse(folder, error)
        return ()

    def _held(self, folder: str) -> Held | None:
        """Return what is held of a folder now: of one that failed, what was held before."""
        if folder in self._unreadable:
            return None
        if folder in self._unchanged:
            return self._unchanged[folder]
        try:
            held = self._writer.held(folder)
        except StoreError as error:
            self._refuse(folder, error)
            return None
        task = self._tasks.get(folder)
        if task is None or task.saved or held is None:
            return held
        now = server_state(task.folder, self._server, qresync=False)
        # Rows of another epoch are not those of the folder that failed.
        return held if held.state.epoch == now.epoch else None

    def _attempt(
        self, folder: str, columns: Sequence[str], read: Callable[[], list[pa.RecordBatch]]
    ) -> list[pa.RecordBatch]:
        """Read what can be read; damage costs its own folder only."""
        try:
            return [] if folder in self._unreadable else read()
        except StoreError as error:
            self._refuse(folder, error)
            return []
        except FileNotFoundError:
            return self._anew(folder, columns)

    def _refuse(self, folder: str, error: StoreError) -> None:
        self._unreadable.add(folder)
        self.saver.note(folder, error)


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


async def _to_its_end(act: Callable[..., None], *arguments: object, **options: object) -> None:
    """Run something in a thread to its end, also when cancelled: the lock must outlive it."""
    running = asyncio.ensure_future(asyncio.to_thread(act, *arguments, **options))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


# Seconds between two looks at a lock that is held: a person does not notice, and neither do a
# hundred waiters.
_LOOK_AGAIN = 0.05


@asynccontextmanager
async def _writing(root: Path, account: str) -> AsyncGenerator[AccountWriter]:
    """Be the one that writes.

    No thread waits for the lock, and no time counts while another refresh of this process has it:
    however many of an account are begun at once, each has its turn.
    """
    deadline = time.monotonic() + WAIT
    while True:
        lock = writing(root, account, wait=0)
        try:
            writer = await _entered(lock)
        except LockHeldError as error:
            if is_ours(root, account):
                deadline = time.monotonic() + WAIT
            elif time.monotonic() > deadline:
                raise StoreError(str(error)) from error
            await asyncio.sleep(_LOOK_AGAIN)
        else:
            break
    try:
        yield writer
    finally:
        lock.__exit__(None, None, None)


async def _entered(lock: AbstractContextManager[AccountWriter]) -> AccountWriter:
    """Take a lock in a thread; whoever is cancelled meanwhile gives a late one back."""
    entering = asyncio.ensure_future(asyncio.to_thread(lock.__enter__))

    def give_back(entered: asyncio.Future[AccountWriter]) -> None:
        if not entered.cancelled() and entered.exception() is None:
            lock.__exit__(None, None, None)

    try:
        return await asyncio.shield(entering)
    except asyncio.CancelledError:
        entering.add_done_callback(give_back)
        raise
