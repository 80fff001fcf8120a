"""One session at work: its window of the schedule, from sending to settling.

A lane sends EXAMINE and UID FETCH of the next spans before the last have been answered, waits for
the answers in order, and passes each to the ledger. It ends when the schedule is done or with the
session's failure; either way everything that was on the wire has been settled or given back.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailframe.errors import (
    CommandError,
    ConnectionLost,
    FolderError,
    MailframeError,
    ProtocolError,
    ThrottledError,
)
from mailframe.fetcher.ledger import LOOKUP_TRIES
from mailframe.fetcher.schedule import Load, Lookup, Span, Work, halved
from mailframe.ground.uidset import UidSet
from mailframe.imap import commands
from mailframe.imap.connection import Pending, found, vanished
from mailframe.imap.responses import Columns
from mailframe.imap.search import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailframe.fetcher.ledger import Ledger
    from mailframe.fetcher.schedule import Ask, Folder, Schedule
    from mailframe.fetcher.session import Session
    from mailframe.imap.responses import Fetched, Told

# An EXAMINE refused with one of these may succeed a little later.
TRANSIENT = frozenset({"UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"})
EXAMINE_TRIES = 3

# More than any window holds.
MAX_JOBS = 1_000


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask of each message, and which messages are wanted.

    Parameters
    ----------
    items : bytes
        FETCH items, see `mailframe.imap.commands.header_items`.
    keys : Keys
        What to search for; empty for every message.
    newest : int, optional
        At most so many messages a folder.
    beside : tuple of Ask
        What is asked of each message in a FETCH of its own.
    """

    items: bytes
    keys: Keys = Keys()  # noqa: RUF009 -- immutable
    newest: int | None = None
    beside: tuple[Ask, ...] = ()


@dataclass(slots=True, eq=False)
class _Job:
    """Work on the wire: the EXAMINE that it stands on, and its own command."""

    work: Work
    examine: Pending
    pending: Pending

    @property
    def answered(self) -> bool:
        return self.examine.result is not None and self.pending.result is not None

    @property
    def garbled(self) -> bool:
        """Whether something made no sense, and may have been for this job."""
        return bool(self.examine.junk or self.pending.junk)


class Lane:
    """A session's share of a fetch.

    Parameters
    ----------
    session : Session
        Logged in.
    query : Query
        What is fetched.
    schedule, ledger : Schedule, Ledger
        Shared by all lanes of a fetch.
    deliver : callable
        Takes a piece of work and rows that answer it.
    """

    def __init__(
        self,
        session: Session,
        query: Query,
        schedule: Schedule,
        ledger: Ledger,
        deliver: Callable[[Work, Columns], None],
    ) -> None:
        self._session = session
        self._query = query
        self._schedule = schedule
        self._ledger = ledger
        self._deliver = deliver
        self._jobs: deque[_Job] = deque()
        self._by_pending: dict[Pending, Work] = {}
        self._load = Load()
        self._examine: Pending | None = None
        self._examined: Folder | None = None
        self._checks = 0
        self._esearch = True
        self._connection = session.connection
        self._connection.pipelined &= schedule.pipelined
        session.on_rows = self._hand_on

    @property
    def idle(self) -> bool:
        """Whether nothing is on the wire."""
        return not self._jobs

    # Sending -----------------------------------------------------------------------------------

    def fill(self, *, at_most: int = MAX_JOBS) -> None:
        """Send what fits into the window."""
        while len(self._jobs) < at_most:
            work = self._schedule.take(self._load, pipelined=self._connection.pipelined)
            if work is None:
                return
            if not self._ledger.wants(work):
                self._schedule.finish(work)
                self._schedule.add(self._ledger.dropped(work))
                continue
            job = self._asked_ahead(work) or self._ask(work)
            self._jobs.append(job)
            self._by_pending[job.pending] = work
            self._load.add(work)
            if job.examine.opened:
                self._hand_on(job.pending)  # what came before anybody knew whose it was

    def _ask(self, work: Work) -> _Job:
        examine = self._open_folder(work.folder)
        return _Job(work, examine, self._session.submit(self._command(work)))

    def _asked_ahead(self, work: Work) -> _Job | None:
        """Take over what was asked together with the listing, if this work is just that.

        A check of what came is asked anew: it wants to see what is there by then.
        """
        if not self._session.ahead or self._ledger.entry(work.folder).checks:
            return None
        asked = self._session.ahead.pop((work.folder.wire, self._command(work)), None)
        if asked is None:
            return None
        examine, pending = asked
        if self._examine is None:  # nothing else has been opened since
            self._examine, self._examined, self._checks = examine, work.folder, 0
        return _Job(work, examine, pending)

    def _open_folder(self, folder: Folder) -> Pending:
        """Send EXAMINE, unless the folder is the one that the last EXAMINE opens.

        A check of what came sees what is there now, on whichever session each part of it is done:
        what was opened before the check may lack the newest messages and show expunged ones.
        """
        examine, checks = self._examine, self._ledger.entry(folder).checks
        usable = examine is not None and (examine.result is None or examine.opened)
        same = self._examined is folder and self._checks == checks
        if examine is None or not usable or not same:
            examine = self._session.submit(
                commands.examine(folder.wire, uidvalidity=folder.uidvalidity)
            )
            self._examine, self._examined, self._checks = examine, folder, checks
        return examine

    def _command(self, work: Work) -> commands.Command:
        query = self._query
        if isinstance(work, Lookup):
            keys = Keys() if work.control else query.keys
            last = work.attempts + 1 >= LOOKUP_TRIES
            return commands.uid_search(
                keys.segments or (b"ALL",),
                esearch=self._searches_extended and not (last or work.plain),
                charset=keys.charset,
            )
        return fetching(work, self._ledger.entry(work.folder).known.items or query.items)

    @property
    def _searches_extended(self) -> bool:
        return self._esearch and self._connection.has("ESEARCH")

    # Settling ----------------------------------------------------------------------------------

    async def settle_next(self) -> None:
        """Wait for the oldest work's answer and draw the consequences.

        Raises
        ------
        TransportError, ProtocolError
            The session has failed; call `give_back`.
        ThrottledError
            The server wants a pause; the work is back in the schedule.
        """
        job = self._jobs[0]
        await self._session.wait(job.examine)
        await self._session.wait(job.pending)
        if not job.answered:
            raise self._session.failure or ConnectionLost("the session ended")
        self._jobs.popleft()
        self._settle(job)

    def _settle(self, job: _Job) -> None:
        told = job.pending.take_responses()
        try:
            following = self._following(job, told)
        except ThrottledError:
            self._end(job, self._ledger.returned(job.work))
            raise
        self._end(job, following)

    def _end(self, job: _Job, following: list[Work], *, suspect: bool = False) -> None:
        """Close a job; what follows comes next, or last of all where it may cost a session."""
        del self._by_pending[job.pending]
        self._load.remove(job.work)
        self._schedule.finish(job.work)
        if suspect:
            self._schedule.add(following)
        else:
            self._schedule.add(reversed(following), first=True)

    def _following(self, job: _Job, told: list[Told]) -> list[Work]:
        """Tell what must be done next, now that a job's command was answered."""
        work, ledger = job.work, self._ledger
        if not ledger.wants(work):
            return ledger.dropped(work)
        if not job.examine.ok:
            return self._folder_refused(job)
        if not job.examine.opened:
            return ledger.replaced(work, job.examine.mailbox)
        if not job.pending.ok:
            return self._command_refused(job)
        if isinstance(work, Lookup):
            return self._looked_up(job, work, found(told))
        return self._fetched(job, work, vanished(told))

    def _looked_up(self, job: _Job, work: Lookup, uids: UidSet | None) -> list[Work]:
        """Take what a search found; silence is told from breakage.

        iCloud answers a search without matches with its tagged OK alone. A plain search must be
        silent as well, and one for every message must not, unless there is none.
        """
        exists = job.examine.mailbox.exists
        if job.pending.junk and work.attempts + 1 < LOOKUP_TRIES:
            return [replace(work, attempts=work.attempts + 1)]
        if uids is None and exists == 0:
            uids = UidSet()
        if uids is None and not work.plain:
            return [replace(work, plain=True)]
        if uids is None and self._query.keys and not work.control:
            return [replace(work, control=True)]
        if uids is None:
            text = f"{work.folder.name}: the server does not tell which messages there are"
            return self._ledger.lookup_failed(work, ProtocolError(text))
        return self._ledger.looked_up(work, uids, exists)

    def _fetched(self, job: _Job, work: Span, gone: UidSet) -> list[Work]:
        ledger, pending = self._ledger, job.pending
        ledger.vanished(work, gone)
        if work.halves:
            broken = self._complete(work, pending.halves)
            return ledger.finished(work, job.examine.mailbox, broken, garbled=job.garbled)
        rest = list(halved(work.folder, pending.halves))
        mailbox, broken = job.examine.mailbox, sorted(pending.malformed)
        return ledger.finished(work, mailbox, broken, garbled=job.garbled, following=rest)

    def _complete(self, work: Span, answers: Iterable[Fetched]) -> list[int]:
        """Make rows of messages that came by half; return those that lack their header even now."""
        answered = {answer.uid: answer for answer in answers}
        rows = Columns()
        flagless, blank, broken = [], [], []
        for half in work.halves:
            row = replace(half)
            if half.uid in answered:
                row.update(answered[half.uid])
            assert row.uid is not None
            if row.header is None:
                broken.append(row.uid)
                continue
            rows.append(row)
            if row.flags is None:
                flagless.append(row.uid)
            if row.blank:
                blank.append(row.uid)
        if rows.uid:
            self._ledger.deliver(work, rows.uid)
            self._deliver(work, rows)
        self._ledger.untold(work, flagless, blank)
        return broken

    def _folder_refused(self, job: _Job) -> list[Work]:
        error = self._error(job.examine, job.work.folder)
        if self._blames_pipelining(job.examine):
            return self._ledger.returned(job.work)
        if error.code in TRANSIENT and job.work.attempts + 1 < EXAMINE_TRIES:
            return [replace(job.work, attempts=job.work.attempts + 1)]
        self._ledger.folder_failed(job.work, error)
        return []

    def _command_refused(self, job: _Job) -> list[Work]:
        work, ledger = job.work, self._ledger
        error = self._error(job.pending, work.folder)
        if self._blames_pipelining(job.pending):
            return ledger.returned(work)
        if isinstance(work, Lookup):
            if error.code == "BADCHARSET":
                ledger.folder_failed(work, _beyond_ascii(error))
                return []
            if error.status == "BAD":
                # quirk: RETURN refused with BAD although ESEARCH is advertised.
                self._esearch = False
        elif work.ask is not None and work.ask.modifier:
            return ledger.instead(work, *_without_modifier(work))
        return self._work_refused(job, error)

    def _work_refused(self, job: _Job, error: MailframeError) -> list[Work]:
        """Ask again for what was refused, or lost with its session.

        Messages that came by half are asked about once more; then they are rows as they are.
        """
        work, ledger = job.work, self._ledger
        if isinstance(work, Lookup) or not work.halves:
            return ledger.refused(work, error)
        if not work.attempts:
            return ledger.instead(work, replace(work, attempts=1))
        return ledger.finished(work, job.examine.mailbox, self._complete(work, ()))

    def _blames_pipelining(self, pending: Pending) -> bool:
        """Rule 6: after a BAD in company, go on with one command at a time, and ask again.

        Every command of the window may be refused so, and none of those that come after it: they
        travel alone.
        """
        result = pending.result
        if result is None or result.kind != "BAD" or not pending.crowded:
            return False
        self._go_alone()
        return True

    def _try_alone(self, pending: Pending) -> None:
        """Ask alone for what has cost a second session; if that costs a third, it was not that."""
        schedule = self._schedule
        if pending.crowded and not schedule.suspected:
            schedule.suspected = True
            self._go_alone()
        elif not pending.crowded and schedule.suspected:
            schedule.pipelined = True

    def _go_alone(self) -> None:
        self._connection.pipelined = False
        if self._schedule.pipelined:
            self._schedule.pipelined = False
            self._ledger.events["unpipelined"] += 1

    def _error(self, pending: Pending, folder: Folder) -> CommandError:
        """Put a refusal into words; raise it at once if it asks for a pause."""
        result = pending.result
        assert result is not None
        throttled = result.code == "THROTTLED" or "throttl" in result.text.lower()
        kind = ThrottledError if throttled else FolderError
        error = kind(
            f"{folder.name}: the server refused {pending.command.name}: {result.text}",
            status=result.kind,
            code=result.code,
            text=result.text,
            account=self._session.account.name,
            folder=folder.name,
        )
        if throttled:
            raise error
        return error

    def hand_on(self) -> None:
        """Hand on every row that has come, though its command be unanswered."""
        for job in self._jobs:
            if job.examine.opened:
                self._hand_on(job.pending)

    def give_back(self, error: MailframeError) -> None:
        """Return to the schedule what a failed session leaves undone; its rows stay."""
        guilty = not self._give_up_culprit(error)
        self.hand_on()
        while self._jobs:
            job = self._jobs.popleft()
            if job.answered:
                try:
                    self._settle(job)
                except ThrottledError:
                    continue
                continue
            self._end(job, self._interrupted(job, error, guilty=guilty), suspect=guilty)
            guilty = False

    def _give_up_culprit(self, error: MailframeError) -> bool:
        """Ask no more for the one message whose response was larger than may be, if it is known."""
        uid = self._connection.culprit
        if uid is None:
            return False
        for job in self._jobs:
            asks = isinstance(job.work, Span) and uid in job.pending.command.uids
            if asks and not job.answered and job.examine.opened and self._ledger.wants(job.work):
                self._ledger.lost(job.work, UidSet.from_uids([uid]), error)
                return True
        return False

    def _interrupted(self, job: _Job, error: MailframeError, *, guilty: bool) -> list[Work]:
        """Tell what becomes of work that a lost session did not answer.

        The oldest is the suspect: its messages, or the folder itself if it was never opened.
        """
        work, ledger = job.work, self._ledger
        if job.examine.ok and not job.examine.opened and ledger.wants(work):
            return ledger.replaced(work, job.examine.mailbox)
        if not guilty or not ledger.wants(work):
            return ledger.returned(work) if ledger.wants(work) else ledger.dropped(work)
        if work.attempts:
            self._try_alone(job.pending)
        beside = isinstance(work, Span) and work.ask is not None and bool(work.ask.beside)
        if job.examine.result is not None or beside:  # a folder is not given up for what is beside
            return self._work_refused(job, error)
        if work.attempts + 1 < EXAMINE_TRIES:
            return [replace(work, attempts=work.attempts + 1)]
        ledger.folder_failed(work, error)
        return []

    def _hand_on(self, pending: Pending) -> None:
        work = self._by_pending.get(pending)
        if work is None or not pending.rows.uid:
            return
        rows = pending.take_rows()
        if rows.uid and self._ledger.wants(work):
            self._ledger.deliver(work, rows.uid)
            self._deliver(work, rows)


def fetching(work: Span, items: bytes) -> commands.Command:
    """Write the FETCH that a span is asked for with; ``items`` are those of whole rows."""
    if work.halves:
        return commands.uid_fetch_parts(work.uids, commands.lacking_items(work.halves))
    if work.ask is not None:
        ask = work.ask
        return commands.uid_fetch(work.uids, ask.items, modifier=ask.modifier, written=work.written)
    return commands.uid_fetch(work.uids, items, written=work.written)


def _without_modifier(work: Span) -> tuple[Work, ...]:
    """Ask for changes in a simpler way: without VANISHED, which a search replaces; then for all.

    Source: Cyrus Murder, whose proxies enable QRESYNC and answer BAD to VANISHED.
    """
    assert work.ask is not None
    changes = work.ask.modifier.replace(b" VANISHED", b"")
    simpler = changes if changes != work.ask.modifier else b""
    span = replace(work, ask=replace(work.ask, modifier=simpler))
    return (span, Lookup(work.folder)) if simpler else (span,)


def _beyond_ascii(error: CommandError) -> FolderError:
    text = (
        f"{error}; it cannot search beyond ASCII: leave that out of search=, and filter the frame"
    )
    return FolderError(
        text,
        status=error.status,
        code=error.code,
        text=error.text,
        account=error.account,
        folder=error.folder,
    )


_BACKOFF = re.compile(r"backoff time: *(\d+) *(milliseconds|seconds)?", re.IGNORECASE)


def suggested_pause(text: str) -> float:
    """Read how long a throttling server wants us to wait, in seconds; 5 where it does not say.

    Source: Exchange Online, ``Request is throttled. Suggested Backoff Time: 300 milliseconds``.
    """
    match = _BACKOFF.search(text)
    if match is None:
        return 5.0
    seconds = float(match[1])
    return seconds if (match[2] or "").lower() == "seconds" else seconds / 1000
