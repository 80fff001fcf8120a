"""Stored rows and a server's answers → the rows of today: pure, and batch by batch.

Held rows pass through in the order of their UIDs; those expunged fall out, changed flags and
further header columns are laid over, new rows are let in at their place. Never more than a few
batches are in memory, however large the folder.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import INSTANT
from mailframe.ground.uidset import UidSet
from mailframe.store.filecolumns import CHANGED, FLAG_COLUMNS, STORED, conformed
from mailframe.store.uids import inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_IDENTITY = ("account", "folder", "uid")


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """What the steps of a plan brought, for one folder.

    Parameters
    ----------
    rows : sequence of pyarrow.RecordBatch
        Whole rows; a UID may come twice, and may be held already: the later counts.
    flags : sequence of pyarrow.RecordBatch
        ``uid`` and `FLAG_COLUMNS` at least.
    headers : sequence of pyarrow.RecordBatch
        ``uid`` and the further header columns.
    beside : sequence of pyarrow.RecordBatch
        ``uid`` and columns of what is told beside headers, of rows held and of new ones.
    vanished : UidSet
        UIDs said to be expunged; may name UIDs never held.
    there : UidSet, optional
        All UIDs that are in the folder, where that was asked.
    """

    rows: Sequence[pa.RecordBatch] = ()
    flags: Sequence[pa.RecordBatch] = ()
    headers: Sequence[pa.RecordBatch] = ()
    vanished: UidSet = UidSet()  # noqa: RUF009 -- immutable
    there: UidSet | None = None
    beside: Sequence[pa.RecordBatch] = ()


def gone(held: UidSet, answers: Answers) -> UidSet:
    """Return which of the held UIDs are no more."""
    left = held - answers.vanished
    if answers.there is not None:
        left &= answers.there
    return held - left


class Merge:
    """One folder's rows being brought up to date.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the result: every column of the frame, further headers, and the bookkeeping.
    lost : UidSet
        UIDs to leave out.
    at : datetime
        The time of this refresh, for the bookkeeping columns.
    aside : datetime, optional
        Rows held since then were put aside only, and come into the store now.

    Attributes
    ----------
    rows, added, changed : int
        How many rows came out, were not held before, and had other flags than before: right once
        `batches` has ended.
    """

    def __init__(
        self,
        schema: pa.Schema,
        answers: Answers,
        *,
        lost: UidSet = UidSet(),  # noqa: B008 -- immutable
        at: datetime,
        aside: datetime | None = None,
    ) -> None:
        self._schema = schema
        self._lost = lost
        self._at = pa.scalar(at, INSTANT)
        self._aside = None if aside is None else pa.scalar(aside, INSTANT)
        self._flags = _latest(answers.flags)
        self._headers = _latest(answers.headers)
        self._beside = _by_columns(answers.beside)
        self._rows = _latest(answers.rows)
        self.rows = self.added = self.changed = 0

    def batches(self, held: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of today, in the order of their UIDs, given those held."""
        waiting = self._as_new(self._rows) if self._rows is not None else None
        for batch in held:
            table = self._patched(pa.Table.from_batches([batch]))
            if waiting is not None and waiting.num_rows and batch.num_rows:
                until = pc.sum(pc.less_equal(waiting["uid"], batch["uid"][-1])).as_py()
                if until:
                    table = self._with_rows(table, waiting.slice(0, until))
                    waiting = waiting.slice(until)
            yield from self._counted(table)
        if waiting is not None:
            self.added += waiting.num_rows
            yield from self._counted(waiting)

    def alters(self, held: Iterable[pa.RecordBatch]) -> bool:
        """Whether any row comes out other than it is held; of those held, uid and flags suffice."""
        if self._lost or self._rows is not None or self._headers is not None or self._beside:
            return True
        if self._aside is not None:
            return True
        if self._flags is None:
            return False
        tables = (pa.Table.from_batches([batch]) for batch in held)
        return any(
            pc.any(_different(table, _overlaid(table, self._flags, FLAG_COLUMNS))).as_py()
            for table in tables
        )

    def _counted(self, table: pa.Table) -> Iterator[pa.RecordBatch]:
        self.rows += table.num_rows
        yield from table.to_batches()

    def _patched(self, table: pa.Table) -> pa.Table:
        if self._lost:
            mask = inside(table["uid"].to_numpy(), self._lost)
            if mask.any():
                table = table.filter(pa.array(~mask))
        table = conformed(table, self._schema)
        if self._aside is not None:
            now = pc.greater(table[STORED], self._aside)
            table = _with(table, STORED, pc.if_else(now, self._at, table[STORED]))
        if self._headers is not None:
            names = [name for name in self._headers.column_names if name not in _IDENTITY]
            table = _overlaid(table, self._headers, names)
        table = self._with_beside(table)
        if self._flags is not None:
            table = self._flagged(table, self._flags)
        return table

    def _flagged(self, table: pa.Table, flags: pa.Table) -> pa.Table:
        new = _overlaid(table, flags, FLAG_COLUMNS)
        differs = _different(table, new)
        times = pc.if_else(differs, self._at, table[CHANGED])
        self.changed += pc.sum(differs).as_py() or 0
        return _with(new, CHANGED, times)

    def _as_new(self, rows: pa.Table) -> pa.Table:
        stored = pa.repeat(self._at, rows.num_rows)
        return self._with_beside(conformed(rows.append_column(STORED, stored), self._schema))

    def _with_beside(self, table: pa.Table) -> pa.Table:
        for patch in self._beside:
            names = [name for name in patch.column_names if name not in _IDENTITY]
            table = _overlaid(table, patch, names)
        return table

    def _with_rows(self, table: pa.Table, rows: pa.Table) -> pa.Table:
        """Let rows in among those of one batch; one fetched again keeps its first time."""
        again = pc.index_in(rows["uid"], table["uid"].combine_chunks())
        self.added += again.null_count
        stored = pc.if_else(pc.is_valid(again), table[STORED].take(again), rows[STORED])
        rows = _with(rows, STORED, stored)
        kept = table.filter(pc.invert(pc.is_in(table["uid"], rows["uid"].combine_chunks())))
        merged = pa.concat_tables([kept, rows]).unify_dictionaries()
        return merged.take(pc.sort_indices(merged["uid"]))


def _latest(batches: Sequence[pa.RecordBatch]) -> pa.Table | None:
    return latest(batches) if any(batch.num_rows for batch in batches) else None


def _by_columns(batches: Sequence[pa.RecordBatch]) -> list[pa.Table]:
    """Bring together what has the same columns."""
    groups: dict[tuple[str, ...], list[pa.RecordBatch]] = {}
    for batch in batches:
        if batch.num_rows:
            groups.setdefault(tuple(batch.schema.names), []).append(batch)
    return [latest(group) for group in groups.values()]


def latest(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """Return the rows in the order of their UIDs; of rows with one UID that which came last."""
    table = pa.Table.from_batches(batches).unify_dictionaries()
    uids = table["uid"]
    if pc.all(pc.less(uids[:-1], uids[1:])).as_py() is not False:
        return table
    arrival = pa.array(range(table.num_rows))
    keyed = (
        pa.table({"uid": uids, "arrival": arrival}).group_by("uid").aggregate([("arrival", "max")])
    )
    return table.take(keyed.sort_by("uid")["arrival_max"])


def _overlaid(table: pa.Table, patch: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Return `table` with `columns` of `patch` in the rows whose UID it has."""
    place = pc.index_in(table["uid"], patch["uid"].combine_chunks())
    known = pc.is_valid(place)
    for name in columns:
        values = patch[name].combine_chunks().take(place.combine_chunks())
        table = _with(table, name, pc.if_else(known, values, table[name]))
    return table


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), table.schema.field(name), values)


def _different(old: pa.Table, new: pa.Table) -> pa.ChunkedArray:
    """Return for each row whether any of its flags differs."""
    differs = pc.not_equal(_joined(old["keywords"]), _joined(new["keywords"]))
    for name in FLAG_COLUMNS[:-1]:
        differs = pc.or_(differs, pc.not_equal(old[name], new[name]))
    return differs


def _joined(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join(lists, " ")  # a keyword is an atom: it holds no space
