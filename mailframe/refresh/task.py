"""One folder that is being brought up to date: what is asked of the server for it, and what came.

No I/O but for the UIDs held, which are read off the disk when they are wanted.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mailframe.fetcher.schedule import (
    SPAN,
    SPARSE,
    Ask,
    Expected,
    Folder,
    Known,
    Lookup,
    Span,
    Work,
    known_uids,
)
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.extras import parse_extras
from mailframe.ground.uidset import MAX_UID, UidSet
from mailframe.imap.commands import FLAG_ITEMS, changed_since, extra_items, header_items
from mailframe.store.filecolumns import beside_fields, headers_of, united
from mailframe.store.plan import Again, Beside, Fetch, Flags, Headers, Plan, ServerState, Uids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    import pyarrow as pa

    from mailframe.gathering.details import Detail
    from mailframe.store.held import Held, Source
    from mailframe.store.plan import Step

    # What rows are (whole ones, flags, further headers), and the further header fields in them.
    Kind: TypeAlias = tuple[str, tuple[str, ...]]

# Messages of one command that asks only for flags: a row is some 40 octets.
_FLAG_SPAN = 20_000


@dataclasses.dataclass(slots=True, eq=False)
class Task:
    """One folder, its plan, and what has been done of it.

    Attributes
    ----------
    details : list of Detail
        What is asked for beside headers.
    rows, flags, headers, beside : list of pyarrow.RecordBatch
        What came and is neither staged nor saved.
    staged : list of Source
        What came and lies on the disk as parts.
    broken : bool
        Something that came could not be kept: the folder must not be saved without it.
    saved : bool
        The folder's file holds what came; ``new``, ``changed`` and ``expunged`` count its rows.
    """

    folder: Folder
    plan: Plan
    held: Held | None
    details: list[Detail] = dataclasses.field(default_factory=list)
    rows: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    flags: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    headers: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    beside: list[pa.RecordBatch] = dataclasses.field(default_factory=list)
    staged: list[Source] = dataclasses.field(default_factory=list)
    broken: bool = False
    saved: bool = False
    new: int = 0
    changed: int = 0
    expunged: int = 0

    @property
    def waiting(self) -> int:
        """Rows in memory."""
        return sum(batch.num_rows for batch in self.rows)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The further header fields that are asked of the rows held."""
        return next((step.names for step in self.plan.steps if isinstance(step, Headers)), ())

    @property
    def again(self) -> UidSet:
        """Messages held that are fetched again, whole."""
        return next((step.uids for step in self.plan.steps if isinstance(step, Again)), UidSet())

    def kind(self, ask: Ask | None) -> Kind:
        """Tell what the rows are that answer an ask, or none."""
        if ask is None:
            return "rows", self.plan.headers
        if ask.items == FLAG_ITEMS:
            return "flags", ()
        if ask.beside:
            return "beside", next(one.held for one in self.details if one.ask.items == ask.items)
        return "headers", self.lacking

    def known(self) -> Known:
        """Tell the pool what is held, and what to ask in place of the whole folder."""
        beside = tuple(one.ask for one in self.details if one.ask.items)
        if self.held is None:
            return Known(items=self.items, beside=beside)
        held = self.held.uids
        works = tuple(work for step in self.plan.steps for work in self.works(step, held))
        lacking = tuple(pair for step in self.plan.steps for pair in self._lacking(step, held))
        return Known(held - self.again, works, self.items, beside, lacking)

    def _lacking(self, step: Step, held: UidSet) -> Iterator[tuple[Ask, UidSet]]:
        """Tell what held rows lack that is told beside headers."""
        if not isinstance(step, Beside) or self.held is None:
            return
        for detail in self.details:
            names = set(step.names).intersection(detail.held)
            if not names or not detail.ask.items:
                continue
            key = beside_fields([min(names)])[0].name
            yield detail.ask, self.held.without(key) if step.missing else held

    @property
    def items(self) -> bytes:
        """FETCH items of its rows."""
        return header_items(BatchBuilder("", headers=headers_of(self.plan.headers)).fields)

    def works(self, step: Step, held: UidSet) -> Iterator[Work]:
        """Give what a step asks for, given the UIDs held."""
        folder = self.folder
        match step:
            case Fetch(first) if held:
                yield from _news(first, folder)
            case Fetch(first):
                yield from _from(first, folder)
            case Flags():
                yield from self._flag_works(step, held)
            case Headers(names):
                fields = [extra.field for extra in parse_extras(names)]
                ask = Ask(extra_items(fields), owed=True)
                # None but those held: nothing else may ask for the same message's header meanwhile.
                for span in known_uids(folder, held):
                    yield dataclasses.replace(span, ask=ask)
            case Beside():
                yield from self._beside_works(step, held)
            case Uids():
                yield Lookup(folder)
            case Again(uids):
                yield from known_uids(folder, uids)

    def _flag_works(self, step: Flags, held: UidSet) -> Iterator[Work]:
        """Ask for flags: those that changed, or all."""
        if step.since:
            ask = Ask(FLAG_ITEMS, changed_since(step.since, vanished=step.vanished))
            uids = UidSet.of((1, step.below - 1))
            for changed in (ask, *self._changing(step.since)):
                yield Span(self.folder, uids, 1, ask=changed)
            return
        for uids in held.split(_FLAG_SPAN):
            whole = UidSet.of((uids.first, uids.last))  # a short command; more may answer
            yield Span(self.folder, whole, len(uids) // 10 + 1, ask=Ask(FLAG_ITEMS))

    def _beside_works(self, step: Beside, held: UidSet) -> Iterator[Work]:
        """Ask for what held rows lack that is told beside headers."""
        for ask, lacking in self._lacking(step, held):
            for span in known_uids(self.folder, lacking):
                yield dataclasses.replace(span, ask=ask)

    def _changing(self, since: int) -> Iterator[Ask]:
        """Tell what else changes as flags do, and counts as such: labels."""
        modifier = changed_since(since, vanished=False)
        for detail in self.details:
            if detail.changes:
                yield dataclasses.replace(detail.ask, modifier=modifier)

    def start_again(self, folder: Folder) -> None:
        """Forget everything, as the UIDVALIDITY was not the planned one after all."""
        self.folder, self.held = folder, None
        self.plan = Plan((Fetch(1),), keep=False, headers=self.plan.headers)
        self.rows, self.flags, self.headers, self.beside, self.staged = [], [], [], [], []


# So many UIDs at the most are asked for before it is known whether they are there.
AHEAD = 500


def expected(held: Held, headers: Sequence[str]) -> Expected | None:
    """Tell what a refresh will ask of a folder if mail has come; None where that cannot be said."""
    state = held.state
    if not (held.rows and state.complete and state.modseq > 0 and state.uidvalidity):
        return None
    folder = Folder(
        name=state.folder,
        wire=b"INBOX",
        uidvalidity=state.uidvalidity,
        uidnext=state.uidnext,
    )
    kept = united(state.headers, headers)
    steps = (Flags(state.uidnext, state.modseq, vanished=True), Fetch(state.uidnext))
    task = Task(folder, Plan(steps, headers=kept), held)
    uids = UidSet.of((1, state.uidnext))  # more of them than are held, and none is read
    works = [work for step in steps for work in task.works(step, uids)]
    return Expected(folder, tuple(w for w in works if isinstance(w, Span)), task.items)


def _news(first: int, folder: Folder) -> Iterator[Work]:
    """Ask for the messages from a UID on, the first of them by themselves; see `expected`."""
    uids = UidSet.of((first, first + AHEAD - 1))
    yield Span(folder, uids, max(1, min(AHEAD, (folder.uidnext or first) - first)))
    if (folder.uidnext or MAX_UID) > first + AHEAD:
        yield from _from(first + AHEAD, folder)


def _from(first: int, folder: Folder) -> Iterator[Work]:
    """Ask for the messages from a UID on."""
    known = UidSet.of((first, (folder.uidnext or MAX_UID) - 1))
    if len(known) > SPAN + SPARSE * (folder.messages or 0):
        yield Lookup(folder)  # so many UIDs for so few messages: a search names them
        return
    *full, rest = known.split(SPAN) if known else (known,)
    yield from (Span(folder, uids, len(uids)) for uids in full)
    # What arrives meanwhile comes along.
    tail = UidSet(((rest.first if rest else first, MAX_UID),))
    yield Span(folder, tail, max(1, len(rest)))


def server_state(folder: Folder, server: str, *, qresync: bool) -> ServerState:
    """Put what LIST-STATUS told into the store's terms."""
    return ServerState(
        name=server,
        uidvalidity=folder.uidvalidity or 0,
        uidnext=folder.uidnext,
        messages=folder.messages,
        unseen=folder.unseen,
        modseq=folder.highestmodseq,
        qresync=qresync,
        special_use=folder.special_use,
    )
