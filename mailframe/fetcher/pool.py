"""Several sessions of one account, fetching together.

N workers each open a session; the first to be logged in lists the folders while the others log in.
Then every worker drives a lane of the shared schedule. Rows are handed on as they arrive, and
reading pauses while nobody takes them.

A worker whose session dies gives its work back and connects again, with growing waits; one that
cannot connect retires as long as another lives. Leaving the pool's ``async with`` leaves no task
and no socket, however it is left.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from mailframe.accounts.account import is_loopback
from mailframe.errors import (
    AuthenticationError,
    CommandError,
    ConnectError,
    MailframeError,
    ProtocolError,
    ReadTimeout,
    ThrottledError,
    TransportError,
)
from mailframe.fetcher.folders import PLANNING, Listing, read_folders
from mailframe.fetcher.lane import TRANSIENT, Lane, Query, fetching, suggested_pause
from mailframe.fetcher.ledger import Ledger, cost
from mailframe.fetcher.schedule import Known, Part, Schedule, Span
from mailframe.fetcher.session import Session
from mailframe.imap import commands
from mailframe.imap.limits import DEFAULT_LIMITS, Limits
from mailframe.imap.responses import Columns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
    from types import TracebackType

    from mailframe.accounts.account import Account
    from mailframe.fetcher.schedule import Expected, Folder, Work

log = logging.getLogger(__name__)


class Pool:
    """Sessions of one account; use it as an asynchronous context manager.

    Parameters
    ----------
    account : Account
        With its password.
    connections : int
        How many sessions at most.
    timeout : float, optional
        Seconds for everything; what has not come by then is a problem.
    enable : sequence of str
        Extensions to switch on (RFC 5161), as far as the server has them.
    eager : bool
        Open all sessions at once; else one, and the others when there is work for them.
    compress : bool, optional
        Whether to ask for compression where the server has it. By default not on this machine:
        over loopback it takes longer to deflate than to send.

    Attributes
    ----------
    ledger : Ledger
        Problems and events of the fetch.
    capabilities : frozenset of str
        What the server can do, as far as `folders` has heard.
    enabled : frozenset of str
        Extensions that the server said it switched on, as far as `folders` has heard.
    opened, reconnects, commands, octets, wire_octets : int
        Sessions that were logged in, sessions lost that were to be opened again, commands sent,
        octets read, and octets that came over the wire for them.
    paused : float
        Seconds that the server's throttling cost.
    """

    def __init__(
        self,
        account: Account,
        *,
        connections: int = 4,
        timeout: float | None = None,
        enable: Sequence[str] = (),
        eager: bool = True,
        compress: bool | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.account = account
        self.ledger = Ledger()
        self.capabilities: frozenset[str] = frozenset()
        self.enabled: frozenset[str] = frozenset()
        self.opened = 0
        self.reconnects = 0
        self.commands = 0
        self.octets = 0
        self.wire_octets = 0
        self.paused = 0.0
        self._limits = limits
        self._connections = connections
        self._enable = enable
        self._eager = eager
        self._compress = not is_loopback(account.host) if compress is None else compress
        self._timeout = timeout
        self._expiry: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._workers: set[asyncio.Task[None]] = set()
        self._joined: set[asyncio.Task[None] | None] = set()  # workers that have had a session
        self._sessions: set[Session] = set()
        self._lanes: set[Lane] = set()
        self._door = asyncio.Lock()
        self._query: Query | None = None
        self._schedule = Schedule()
        self._parts: deque[Part] = deque()
        self._backlog = 0
        self._news = asyncio.Event()
        self._quiet_until = 0.0
        self._throttled = 0  # in a row, without a success in between
        self._probe = asyncio.Lock()
        self._losses = 0  # of sessions in a row, without a row in between
        self._locked_out: AuthenticationError | None = None  # after the first log-in
        self._not_let_in: AuthenticationError | None = None  # a second session, beside the first
        self._retired = False  # a worker found that it could not connect, or not for long
        self._fatal: BaseException | None = None

    async def __aenter__(self) -> Self:
        if self._timeout is not None:
            self._expiry = self._loop.call_later(self._timeout, self._expire)
        self._start_workers(self._connections if self._eager else 1)
        return self

    def _start_workers(self, count: int) -> None:
        for _ in range(count - len(self._workers)):
            worker = self._loop.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._worker_ended)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        if kind is not None:
            for session in self._sessions:
                session.abort()
        workers = tuple(self._workers)
        try:
            if kind is None and self._is_over and workers:
                # They say goodbye; who is still waiting to come back need not.
                await asyncio.wait(workers, timeout=self._limits.goodbye)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    # What callers do ---------------------------------------------------------------------------

    async def folders(
        self, items: Sequence[str] = PLANNING, expected: Expected | None = None
    ) -> Listing:
        """List every folder with its numbers, over the first session that is ready.

        What is ``expected`` to be asked next is asked in the same write; `fetch` takes it over as
        far as it is just what it wants.
        """
        for _ in range(self._limits.first_tries - 1):
            session = await self._any_session()
            behind = partial(_ask_ahead, session, expected) if expected is not None else None
            try:
                listing = await read_folders(session, items, behind)
            except (TransportError, CommandError):
                if session.failure is None:
                    raise
                log.info("%s: the listing session was lost", self.account.name)
            else:
                self._learn(session)
                return listing
        session = await self._any_session()
        listing = await read_folders(session, items)
        self._learn(session)
        return listing

    def _learn(self, session: Session) -> None:
        self.capabilities = session.connection.capabilities
        self.enabled = session.connection.enabled

    async def fetch(
        self,
        folders: Iterable[Folder],
        query: Query,
        known: Mapping[bytes, Known] = MappingProxyType({}),
    ) -> AsyncGenerator[Part]:
        """Fetch messages, in parts and in no particular order; once in a pool's life.

        Parameters
        ----------
        known : mapping
            What the caller holds already of a folder, by the folder's name on the wire.

        Yields
        ------
        Part
            Each message once; a folder's last part says so. Problems gather in ``ledger``.

        Raises
        ------
        MailframeError
            Nothing can be fetched at all.
        """
        self.ledger = Ledger(
            search=bool(query.keys),
            newest=query.newest,
            barren=self._limits.barren,
            beside=query.beside,
        )
        self._schedule.add_folders(
            [self.ledger.open_folder(one, known.get(one.wire, Known())) for one in folders]
        )
        self._query = query
        self._start_workers(min(self._connections, self._schedule.worth))
        self._tell()
        while True:
            self._close_folders()
            if self._parts:
                part = self._parts.popleft()
                self._shrink_backlog(part.octets)
                yield part
                continue
            self._raise_if_fatal()
            if self._is_over or not self._workers:
                return  # what is left is to say goodbye: nobody waits for that with rows in hand
            await self._change()

    @property
    def _is_over(self) -> bool:
        """Whether everything that was asked for has been answered, or given up."""
        return self._query is not None and self._schedule.done

    async def _any_session(self) -> Session:
        while True:
            self._raise_if_fatal()
            for session in self._sessions:
                if session.connection.authenticated and session.failure is None:
                    return session
            await self._change()

    def _raise_if_fatal(self) -> None:
        if self._fatal is not None:
            raise self._fatal

    # Telling each other ------------------------------------------------------------------------

    def _tell(self) -> None:
        """Wake everyone who waits for a change."""
        self._news.set()
        self._news = asyncio.Event()

    async def _change(self) -> None:
        await self._news.wait()

    def _close_folders(self) -> None:
        for folder, ask in self.ledger.take_muted():
            self._parts.append(Part(folder, Columns(), ask, closed=True))
        for folder in self.ledger.take_closed():
            self._parts.append(Part(folder, Columns(), closed=True))

    def _deliver(self, work: Work, rows: Columns) -> None:
        self._losses = 0
        ask = work.ask if isinstance(work, Span) else None
        part = Part(work.folder, rows, ask, octets=rows.octets)
        self._parts.append(part)
        self._backlog += part.octets
        if self._backlog > self._limits.backlog:
            # Each time: a session that opened since the last time does not know of it.
            for session in self._sessions:
                session.pause()
        self._tell()

    def _shrink_backlog(self, octets: int) -> None:
        before, self._backlog = self._backlog, self._backlog - octets
        if before > self._limits.backlog // 2 >= self._backlog:
            for session in self._sessions:
                session.resume()

    # Workers -----------------------------------------------------------------------------------

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        error = None if worker.cancelled() else worker.exception()
        if error is not None:
            self._fatal = self._fatal or error
            for other in self._workers:
                other.cancel()
        self._tell()

    def _expire(self) -> None:
        """End the fetch when its time is up, with what has come."""
        error = ReadTimeout(f"the fetch took longer than {self._timeout:g} s")
        if self._query is None:
            self._fatal = error
        else:
            for lane in self._lanes:
                lane.hand_on()
            self.ledger.expire(error)
        for worker in self._workers:
            worker.cancel()

    def figures(self) -> dict[str, object]:
        """Give the fetch's numbers, as plain JSON types."""
        return {
            "bytes": self.octets,
            "wire_bytes": self.wire_octets,
            "connections": len(self._joined),
            "commands": self.commands,
            "reconnects": self.reconnects,
            "throttled_seconds": round(self.paused, 3),
            "events": dict(self.ledger.events),
        }

    async def _work(self) -> None:
        """Open sessions, one after the other, until the work is done."""
        failures = 0
        while not (self._query and self._schedule.done):
            progress = self._schedule.ended
            opened = False
            try:
                async with self._session() as session:
                    opened = True
                    self._joined.add(asyncio.current_task())
                    await self._drive(session, await self._wait_for_query(session))
            except (TransportError, ProtocolError, CommandError) as error:
                failures = 1 if self._schedule.ended > progress else failures + 1
                if self._must_retire(error, failures):
                    return
                self.reconnects += opened  # who was not let in has lost nothing
                await self._wait_before_reconnect(error, failures)

    def _must_retire(self, error: MailframeError, failures: int) -> bool:
        """Decide whether a worker ends; the last one ends the fetch with what there is."""
        log.info("%s: %s", self.account.name, error)
        hopeless = not self.opened and isinstance(error, _HOPELESS)
        alone = len(self._workers) == 1
        if hopeless and (alone or isinstance(error, AuthenticationError)):
            raise error
        if self.opened and isinstance(error, AuthenticationError) and self._is_final(error):
            self._locked_out = error
        self._losses += cost(error)
        tries = self._limits.tries if self.opened else self._limits.first_tries
        refused = isinstance(error, (AuthenticationError, ThrottledError, ConnectError))
        if alone and self._locked_out is not None and self._query is not None:
            self._schedule.drain()
            self.ledger.locked_out(self._locked_out)
            return True
        if not alone and (refused or hopeless or self._locked_out or failures >= tries):
            self.ledger.events["connections_refused"] += refused
            # At once, and not when its task ends: several may fail in one instant, and one stays.
            self._workers -= {asyncio.current_task()}
            self._retired = True
            return True
        if failures < tries and self._losses < self._limits.barren:
            return False
        self._give_up(error)
        return True

    def _give_up(self, error: MailframeError) -> None:
        """Make problems of all that is left; without any folder to put them to, raise."""
        if not self.opened or self._query is None:
            raise error
        self.ledger.abandoned(self._schedule.drain(), error)

    async def _wait_before_reconnect(self, error: MailframeError, failures: int) -> None:
        limits = self._limits
        wait = min(limits.longest_wait, limits.first_wait * 2 ** (failures - 1))
        wait *= random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, not a secret
        if isinstance(error, ThrottledError) and _told_pause(error):
            wait = max(wait, min(limits.pause, suggested_pause(error.text)))
        await asyncio.sleep(wait)

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[Session]:
        """Open a session that is logged in; say goodbye, or hang up if anything failed."""
        session = await Session.connect(self.account, limits=self._limits)
        session.on_end = self._tell
        self._sessions.add(session)
        try:
            await self._log_in(session)
            self._tell()
            yield session
        except BaseException:
            session.abort()
            raise
        finally:
            self._sessions.discard(session)
            self.commands += session.commands
            self.octets += session.connection.octets
            self.wire_octets += session.received
            self._compress = self._compress and not session.connection.garbled
            self.ledger.events["junk_lines"] += session.connection.junk
        await session.close()

    async def _wait_for_query(self, session: Session) -> Query:
        while self._query is None:
            session.raise_if_failed()
            await self._change()
        return self._query

    async def _log_in(self, session: Session) -> None:
        """Log in; alone at first, so that a wrong password is tried once and not N times."""
        if not self.opened:
            async with self._door:
                self._raise_if_fatal()
                if not self.opened:
                    try:
                        await self._enter(session)
                    except AuthenticationError as error:
                        self._fatal = error
                        raise
                    return
        if self.opened > 1 and not self.reconnects:
            await self._enter(session)
            return
        # What let us in may do so no more: that is tried once, and not by each that comes (back).
        async with self._door:
            refused = self._locked_out or (None if self.reconnects else self._not_let_in)
            if refused is not None:
                raise refused
            try:
                await self._enter(session)
            except AuthenticationError as error:
                if self._is_final(error):
                    self._locked_out = error
                elif not self.reconnects:
                    self._not_let_in = error
                raise

    def _is_final(self, error: AuthenticationError) -> bool:
        """Tell a refusal of the password or token from one of a session too many.

        Without a code the former, but of a second session: there the password served just now.
        """
        if self.account.auth != "password" or error.code in _REFUSALS:
            return True
        return self.reconnects > 0 and error.code not in TRANSIENT

    async def _enter(self, session: Session) -> None:
        await session.log_in()
        self.opened += 1
        wanted = [name for name in self._enable if session.connection.has(name)]
        if wanted and session.connection.has("ENABLE"):
            session.submit(commands.enable(wanted))
        if self._compress:
            # The first session is about to list the folders; the others have nothing to do yet.
            session.compress(behind_next=self.opened == 1)

    async def _drive(self, session: Session, query: Query) -> None:
        lane = Lane(session, query, self._schedule, self.ledger, self._deliver)
        self._lanes.add(lane)
        try:
            while not self._schedule.done:
                self._schedule.sessions = max(1, len(self._workers))
                await self._keep_quiet()
                busy = await (self._go_gently(lane) if self._throttled else self._go_on(lane))
                if not busy and not self._schedule.done:
                    session.raise_if_failed()
                    await self._change()
        except (TransportError, ProtocolError, CommandError) as error:
            lane.give_back(error)
            self._tell()
            raise
        finally:
            self._lanes.discard(lane)

    async def _go_on(self, lane: Lane) -> bool:
        """Fill a lane's window and settle its oldest work; tell whether there was any."""
        lane.fill()
        return await self._settle(lane)

    async def _settle(self, lane: Lane) -> bool:
        if lane.idle:
            return False
        try:
            await lane.settle_next()
        except ThrottledError as error:
            self._be_quiet(error)
        if not self._retired and not self._throttled:  # a search may have found more work
            self._start_workers(min(self._connections, self._schedule.worth))
        self._tell()
        return True

    # Throttling --------------------------------------------------------------------------------

    def _be_quiet(self, error: ThrottledError) -> None:
        """Pause the whole account, once, for as long as the server asks; longer if it repeats it.

        Every session hears of it when it has asked too much; what was sent before the pause began
        does not lengthen it.
        """
        now = self._loop.time()
        if now < self._quiet_until:
            return
        self._throttled += 1
        if self._throttled > self._limits.throttled:
            self._give_up(error)
        limits = self._limits
        again = limits.first_wait * 2 ** (self._throttled - 2) if self._throttled > 1 else 0.0
        pause = min(limits.pause, max(suggested_pause(error.text), again))
        self._quiet_until = now + pause
        self.paused += pause
        self.ledger.events["throttled"] += 1

    async def _keep_quiet(self) -> None:
        wait = self._quiet_until - self._loop.time()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _go_gently(self, lane: Lane) -> bool:
        """After a pause: one command at a time for the whole account, until one succeeds."""
        if not lane.idle:
            return await self._settle(lane)
        async with self._probe:
            await self._keep_quiet()
            before = self._throttled
            lane.fill(at_most=1)
            busy = await self._settle(lane)
            if busy and self._throttled == before:
                self._throttled = 0
            return busy


def _ask_ahead(session: Session, expected: Expected) -> None:
    fetches = [fetching(work, expected.items) for work in expected.works]
    # What only QRESYNC understands is asked where that was switched on with the listing.
    if session.connection.has("QRESYNC"):
        session.ask_ahead(expected.folder, fetches)


# Before the first login these will not get better by trying again.
_HOPELESS = (AuthenticationError, ConnectError, ProtocolError)


# RFC 5530: what was shown does not let in, or does so no more.
_REFUSALS = {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"}


def _told_pause(error: ThrottledError) -> bool:
    return "throttl" in error.text.lower()
