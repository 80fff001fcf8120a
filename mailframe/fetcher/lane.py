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
from mailframe.fetcher.plan import Load, Lookup, Span, Work
from mailframe.imap import commands
from mailframe.imap.connection import Pending, found, vanished
from mailframe.imap.search import Keys
from mailframe.uidset import UidSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.fetcher.ledger import Ledger
    from mailframe.fetcher.plan import Folder, Schedule
    from mailframe.fetcher.session import Session
    from mailframe.imap.responses import Columns, Told

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
    """

    items: bytes
    keys: Keys = Keys()  # noqa: RUF009 -- immutable
    newest: int | None = None


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
        self._pipelined = True
        self._esearch = True
        session.on_rows = self._hand_on

    @property
    def idle(self) -> bool:
        """Whether nothing is on the wire."""
        return not self._jobs

    # Sending -----------------------------------------------------------------------------------

    def fill(self, *, at_most: int = MAX_JOBS) -> None:
        """Send what fits into the window."""
        while len(self._jobs) < at_most:
            work = self._schedule.take(self._load, pipelined=self._pipelined)
            if work is None:
                return
            if not self._ledger.wants(work):
                self._schedule.finish(work)
                continue
            examine = self._open_folder(work.folder)
            pending = self._session.submit(self._command(work))
            self._jobs.append(_Job(work, examine, pending))
            self._by_pending[pending] = work
            self._load.add(work)

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
        if isinstance(work, Span):
            if work.ask is not None:
                return commands.uid_fetch(work.uids, work.ask.items, modifier=work.ask.modifier)
            items = self._ledger.entry(work.folder).known.items
            return commands.uid_fetch(work.uids, items or query.items)
        # The last try is a plain one: some ESEARCH answers are lost where SEARCH is not.
        last = work.attempts + 1 >= LOOKUP_TRIES
        return commands.uid_search(
            query.keys.segments or (b"ALL",),
            esearch=self._searches_extended and not last,
            charset=query.keys.charset,
        )

    @property
    def _searches_extended(self) -> bool:
        return self._esearch and self._session.connection.has("ESEARCH")

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
            return []
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
        if (uids is None or job.pending.junk) and work.attempts + 1 < LOOKUP_TRIES:
            return [replace(work, attempts=work.attempts + 1)]
        if uids is None and self._query.keys and not self._searches_extended:
            uids = UidSet()  # quirk: plain SEARCH that finds nothing may say nothing
        if uids is None:
            text = f"{work.folder.name}: the server does not tell which messages there are"
            self._ledger.folder_failed(work, ProtocolError(text))
            return []
        return self._ledger.looked_up(work, uids)

    def _fetched(self, job: _Job, work: Span, gone: UidSet) -> list[Work]:
        ledger = self._ledger
        ledger.vanished(work, gone)
        broken: dict[int, MailframeError] = {
            uid: ProtocolError(f"the server's answer for message {uid} makes no sense")
            for uid in job.pending.malformed
        }
        return ledger.finished(work, job.examine.mailbox, broken, garbled=job.garbled)

    def _folder_refused(self, job: _Job) -> list[Work]:
        error = self._error(job.examine, job.work.folder)
        if self._blames_pipelining(job.examine):
            return self._ledger.returned(job.work)
        if error.code in TRANSIENT and job.work.attempts + 1 < EXAMINE_TRIES:
            return [replace(job.work, attempts=job.work.attempts + 1)]
        self._ledger.folder_failed(job.work, error)
        return []

    def _command_refused(self, job: _Job) -> list[Work]:
        error = self._error(job.pending, job.work.folder)
        if self._blames_pipelining(job.pending):
            return self._ledger.returned(job.work)
        if isinstance(job.work, Lookup) and error.status == "BAD":
            # quirk: RETURN refused with BAD although ESEARCH is advertised.
            self._esearch = False
        return self._ledger.refused(job.work, error)

    def _blames_pipelining(self, pending: Pending) -> bool:
        """Rule 6: after an unexplained BAD in company, go on with one command at a time."""
        result = pending.result
        if result is None or result.kind != "BAD" or not pending.crowded or not self._pipelined:
            return False
        self._pipelined = self._session.connection.pipelined = False
        self._ledger.events["unpipelined"] += 1
        return True

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
        guilty = True
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

    def _interrupted(self, job: _Job, error: MailframeError, *, guilty: bool) -> list[Work]:
        """Tell what becomes of work that a lost session did not answer.

        The oldest is the suspect: its messages, or the folder itself if it was never opened.
        """
        work, ledger = job.work, self._ledger
        if not ledger.wants(work):
            return []
        if job.examine.ok and not job.examine.opened:
            return ledger.replaced(work, job.examine.mailbox)
        if not guilty:
            return ledger.returned(work)
        if job.examine.result is not None:
            return ledger.refused(work, error)
        if work.attempts + 1 < EXAMINE_TRIES:
            return [replace(work, attempts=work.attempts + 1)]
        ledger.folder_failed(work, error)
        return []

    def _hand_on(self, pending: Pending) -> None:
        work = self._by_pending.get(pending)
        if work is None:
            return
        rows = pending.take_rows()
        if rows.uid and self._ledger.wants(work):
            self._ledger.deliver(work, rows.uid)
            self._deliver(work, rows)


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
