"""What came for the folders of a refresh, made into batches and files; runs beside the fetch.

A `Saver` is used by one thread at a time. A folder's file is replaced when the pool has closed the
folder, from everything that came for it; what cannot be kept makes a problem of that folder alone.
"""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mailframe.errors import StoreError
from mailframe.fetcher.ledger import Problem
from mailframe.frame.batch import MENDED, BatchBuilder
from mailframe.frame.extras import parse_extras
from mailframe.gathering.details import named
from mailframe.gathering.rows import BATCH_ROWS, Gathered
from mailframe.ground.uidset import UidSet
from mailframe.refresh.task import server_state
from mailframe.store.ahead import ahead
from mailframe.store.filecolumns import FLAG_COLUMNS, headers_of, stored_schema
from mailframe.store.held import Held, held_in
from mailframe.store.merge import Answers, Merge, gone
from mailframe.store.pack import PACK_ROWS
from mailframe.store.plan import outcome
from mailframe.store.state import FolderState
from mailframe.store.uids import set_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mailframe.fetcher.ledger import Entry, Ledger
    from mailframe.refresh.task import Kind, Task
    from mailframe.store.writer import AccountWriter

# Rows of an open folder in memory that are worth a file of their own.
_STAGED_ROWS = BATCH_ROWS // 2
# Seconds that small folders may wait in memory for others, to be written together.
_COMMIT_AFTER = 5.0
_LOOKED_AT = ("uid", *FLAG_COLUMNS)  # to see whether a folder's file is to be written at all


class Saver:
    """Builds, stages and saves what came.

    Parameters
    ----------
    writer : AccountWriter
        Holds the lock.
    tasks : mapping
        By the folder's name; may grow until the first `flush`.
    server : str
        Where everything comes from.

    Attributes
    ----------
    problems : list of Problem
        Folders whose file cannot be read or written; ``errors`` are their exceptions.
    """

    def __init__(
        self,
        writer: AccountWriter,
        tasks: Mapping[str, Task],
        server: str,
        has: Callable[[str], bool],
    ) -> None:
        self.problems: list[Problem] = []
        self.errors: list[StoreError] = []
        self._writer = writer
        self._tasks = tasks
        self._server = server
        self._has = has
        self._sound = True
        self._uncommitted: list[Task] = []
        self._committed = time.monotonic()

    def note(self, folder: str, error: StoreError) -> None:
        """Keep an error as a problem of its folder."""
        error.account, error.folder = self._writer.account, folder
        self.errors.append(error)
        self.problems.append(Problem(folder, "", "StoreError", str(error)))

    def flush(
        self, gathered: Mapping[Kind, Gathered], closing: Iterable[Task], ledger: Ledger
    ) -> None:
        """Build what was gathered; save the folders that are closed, stage what is large.

        After a flush that did not end well there is no other: a folder would be saved without
        the rows that were lost with it.
        """
        if not self._sound:
            return
        self._sound = False
        for (kind, headers), rows in gathered.items():
            if kind == "beside":
                self._share_out(kind, rows, self._beside(headers, rows))
                continue
            builder = BatchBuilder(self._writer.account, headers=headers_of(headers), apart=True)
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
        if self._writer.together.waiting >= PACK_ROWS or (
            self._uncommitted and time.monotonic() - self._committed > _COMMIT_AFTER
        ):
            self.commit()
        self._sound = True

    def commit(self) -> None:
        """Write the small folders that wait for each other."""
        tasks, self._uncommitted = self._uncommitted, []
        failed = self._writer.commit()
        for task in tasks:
            error = failed.pop(task.folder.name, None)
            task.broken, task.saved = error is not None, error is None
            if error is not None:
                self.note(task.folder.name, error)
        for folder, error in failed.items():
            self.note(folder, error)
        self._committed = time.monotonic()

    def _beside(self, names: tuple[str, ...], rows: Gathered) -> pa.RecordBatch:
        """Make columns of what is told beside headers."""
        (detail,) = named(names, self._has)
        uid = pa.field("uid", pa.uint32())
        columns = detail.columns.arrays(rows.beside["beside"])
        schema = pa.schema([uid, *detail.columns.fields])
        return pa.RecordBatch.from_arrays([pa.array(rows.uid, uid.type), *columns], schema=schema)

    def _share_out(self, kind: str, rows: Gathered, batch: pa.RecordBatch) -> None:
        start = 0
        for name, count in rows.folders:
            task = self._tasks[name]
            piece = batch.slice(start, count)
            start += count
            if task.broken:
                continue
            if kind == "rows":
                task.rows.append(piece)
            elif kind == "beside":
                task.beside.append(piece)
            elif kind == "flags":
                task.flags.append(piece.select(["uid", *FLAG_COLUMNS]))
            else:
                columns = [extra.column for extra in parse_extras(task.lacking)]
                names = ["uid", *columns, *(column + MENDED for column in columns)]
                task.headers.append(piece.select(names))

    def _guarded(self, task: Task, act: Callable[..., None], *arguments: Entry) -> None:
        if task.broken:
            return
        try:
            act(task, *arguments)
        except StoreError as error:
            task.broken = True
            self.note(task.folder.name, error)
        if task.broken or task.saved:
            task.rows, task.flags, task.headers, task.beside = [], [], [], []

    def _stage(self, task: Task) -> None:
        if not task.folder.uidvalidity:
            return  # without one, nobody could tell later what the UIDs mean
        at = _now(task)
        state = self._state(task, at, last=0, complete=False)
        task.staged.append(self._writer.stage(state, task.rows, at=at))
        task.rows = []

    def _finish(self, task: Task, entry: Entry) -> None:
        """Merge what came into a folder's file; of one that failed, keep what came till then."""
        if entry.failed:
            if task.rows:
                self._stage(task)
            return
        task.plan = dataclasses.replace(task.plan, headers=_told_at_all(task, entry))
        held = _all_held(task)
        told = (task.rows, task.flags, task.headers)
        answers = Answers(*told, entry.vanished, entry.sought, task.beside)
        uids = held.uids if held else UidSet()
        lost = gone(uids, answers)
        schema = stored_schema(task.plan.headers)
        # As late as may be: whoever asks for changes asks since the last time, and must not have
        # looked between the time that a row is given and the moment when it can be seen.
        at = _now(task)
        aside = held.aside if held else None
        merge = Merge(schema, answers, lost=lost | _mute(task), at=at, aside=aside)
        came = [batch["uid"][-1].as_py() for batch in task.rows if batch.num_rows]
        last = max([*came, uids.last if uids else 0])
        state = self._state(task, at, last=last, complete=not (entry.lost or entry.short))
        if entry.doubtful:
            state = dataclasses.replace(state, modseq=0)
        blank = (state.blank - _uids(task.rows) - lost) | entry.blank
        state = dataclasses.replace(state, blank=blank)
        state = state.with_gone(lost)
        done = True
        if held is None or state.differs(held.state) or merge.alters(held.batches(_LOOKED_AT)):
            done = self._writer.save(state, merge.batches(held.batches() if held else ()))
        task.new, task.changed, task.expunged = merge.added, merge.changed, len(lost)
        if task.staged and held:
            task.new += held.rows - (task.held.rows if task.held else 0)
        task.saved = done
        if not done:
            self._uncommitted.append(task)
            task.rows, task.flags, task.headers, task.beside = [], [], [], []

    def _state(self, task: Task, at: datetime, *, last: int, complete: bool) -> FolderState:
        before = FolderState(self._writer.account, task.folder.name)
        return outcome(
            task.plan,
            server_state(task.folder, self._server, qresync=False),
            before=task.held.state if task.held else before,
            last=last,
            complete=complete,
            refreshed=at.isoformat(),
        )


def _told_at_all(task: Task, entry: Entry) -> tuple[str, ...]:
    """Leave out what no message has told beside its header: it is not held, and asked for anew."""
    before = task.held.state.headers if task.held else ()
    untold = {
        name
        for detail in task.details
        for name in detail.held
        if detail.ask in entry.told and not entry.told[detail.ask].uids and name not in before
    }
    return tuple(name for name in task.plan.headers if not (entry.rows and name in untold))


def _now(task: Task) -> datetime:
    """Give the time, or the next moment where a clock was ahead: of two states the later counts."""
    now = datetime.now(UTC)
    if task.held is None:
        return now
    return max(now, datetime.fromisoformat(task.held.state.refreshed) + timedelta(microseconds=1))


def _all_held(task: Task) -> Held | None:
    """Return what was held before, and the parts that this refresh has staged."""
    if task.held:
        return task.held.and_parts(task.staged)
    return held_in(task.staged) if task.staged else None


def _mute(task: Task) -> UidSet:
    """Return the held rows that were asked for a further header and did not answer.

    The ledger has asked for them again, whole; they are gone, or nobody gets them any more.
    """
    if not task.lacking or task.held is None:
        return UidSet()
    return task.held.uids - _uids([*task.headers, *task.rows])


def _uids(batches: Sequence[pa.RecordBatch]) -> UidSet:
    parts = [batch["uid"].to_numpy() for batch in batches]
    return set_of(np.unique(np.concatenate([np.array([], np.uint32), *parts])))
