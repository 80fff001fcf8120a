"""One IMAP session: a TCP or TLS connection that drives ``imap.connection``.

No other module reads or writes a socket. Data are handed to the state machine as they arrive,
in asyncio's callback, so a fetch costs no task switch per chunk; what a caller waits for is the
answer to a command. Whatever ends the session, every waiting caller is woken, and the rows that
had come stay with the command that asked for them.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import TYPE_CHECKING, cast

from mailframe.accounts import providers
from mailframe.accounts.account import is_loopback
from mailframe.errors import (
    AuthenticationError,
    CommandError,
    ConnectError,
    ConnectionLost,
    FolderError,
    MailframeError,
    ProtocolError,
    ReadTimeout,
    ThrottledError,
)
from mailframe.fetcher.resolve import resolve
from mailframe.imap import commands
from mailframe.imap.commands import Command, Kind
from mailframe.imap.connection import Connection, Pending
from mailframe.imap.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailframe.accounts.account import Account, Auth
    from mailframe.accounts.secret import Secret
    from mailframe.fetcher.schedule import Folder
    from mailframe.imap.refusal import Refusal
    from mailframe.imap.responses import Status

log = logging.getLogger(__name__)


# Rows are handed on in parts of so many, and whenever so many octets have come, so that batches
# fill while a long FETCH goes on.
ROWS_A_PART = 1_000
OCTETS_A_PART = 4 << 20

# The SASL mechanism of each way to log in; a password travels by LOGIN where that serves.
_MECHANISMS: dict[Auth, commands.Mechanism] = {
    "password": "PLAIN",
    "xoauth2": "XOAUTH2",
    "oauthbearer": "OAUTHBEARER",
}


class Session(asyncio.Protocol):
    """One connection to an account; make it with `Session.connect`.

    Attributes
    ----------
    connection : Connection
        The protocol's state.
    failure : MailframeError or None
        Why the session ended; None while it lives.
    received, commands : int
        Octets that came over the wire and commands sent so far.
    on_rows : callable or None
        Called with a FETCH and told to take its rows, each time enough have come.
    on_end : callable or None
        Called when the session ends, for whatever reason.
    ahead : dict
        What was asked before it was planned: folder and FETCH → the EXAMINE and FETCH sent.
    """

    def __init__(
        self,
        account: Account,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.account = account
        self.connection = Connection(limits)
        self.failure: MailframeError | None = None
        self.received = 0
        self.commands = 0
        self.on_rows: Callable[[Pending], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self.ahead: dict[tuple[bytes, Command], tuple[Pending, Pending]] = {}
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[Pending, asyncio.Future[None]] = {}
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._heard = self._loop.time()
        self._behind = 0.0  # seconds by which responses in progress are too slow
        self._due = self._heard, 0  # since when an answer is due, and the octets received till then
        self._paused_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._paused = False
        self._handed_on = 0  # octets read when all rows were handed on
        self._compresses_next = False

    # Opening -----------------------------------------------------------------------------------

    @classmethod
    async def connect(
        cls,
        account: Account,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Session:
        """Open a connection, up to the greeting and TLS; `log_in` comes next.

        Raises
        ------
        ConnectError
            No connection, or no trust in it.
        ThrottledError
            The server refused one connection more.
        """
        session = cls(account, limits=limits)
        try:
            await session._connect()
        except BaseException:
            session.abort()
            raise
        return session

    async def _connect(self) -> None:
        account = self.account
        tls = account.tls_context() if account.security == "tls" else None
        await self._reach(self._dial(tls))
        self._start_watch()
        await self._be_greeted()
        greeting = self.connection.greeting
        if greeting is None or greeting.kind == "BYE":
            said = greeting.text if greeting else ""
            raise ThrottledError(
                f"{account.host} takes no connection now: {said or 'it said BYE'}",
                status="BYE",
                code=greeting.code if greeting else "",
                text=said,
                account=account.name,
            )
        if account.security == "starttls":
            await self._start_tls()

    async def _dial(self, tls: ssl.SSLContext | None) -> None:
        """Connect to the first of the host's addresses that answers."""
        host, port = self.account.host, self.account.port
        addresses = await resolve(host, port)
        while True:
            address = addresses.pop(0)
            try:
                await self._loop.create_connection(
                    lambda: self, address, port, ssl=tls, server_hostname=host if tls else None
                )
            except OSError as error:
                if not addresses or isinstance(error, ssl.SSLError):
                    raise
                log.debug("%s: no connection to %s: %s", self.account.name, address, error)
            else:
                return

    async def _be_greeted(self) -> None:
        try:
            async with asyncio.timeout(self._limits.connect):
                await self._greeted
        except TimeoutError as error:
            where = f"{self.account.host}:{self.account.port}"
            plain = self.account.security != "tls"
            raise ConnectError(
                f"{where} took the connection and sent no greeting within "
                f"{self._limits.connect:g} s; is this an IMAP port?"
                f"{' One for TLS wants imaps://' if plain else ''}",
                account=self.account.name,
            ) from error
        self.raise_if_failed()

    async def _reach(self, connecting: object) -> object:
        """Await a connection or a handshake; put what may go wrong into a person's words."""
        account = self.account
        where = f"{account.host}:{account.port}"
        try:
            async with asyncio.timeout(self._limits.connect):
                return await connecting  # type: ignore[misc]
        except TimeoutError as error:
            message = f"{where} did not answer within {self._limits.connect:g} s"
            raise ConnectError(message, account=account.name) from error
        except ssl.SSLCertVerificationError as error:
            message = (
                f"The certificate of {where} cannot be trusted: {error.verify_message}; "
                "for a private authority pass ca_file="
            )
            raise ConnectError(message, account=account.name) from error
        except ssl.SSLError as error:
            hint = "is this a TLS port? imap:// uses STARTTLS, imaps:// TLS from the first byte"
            message = f"No TLS with {where} ({error.reason or error}); {hint}"
            raise ConnectError(message, account=account.name) from error
        except (socket.gaierror, UnicodeError) as error:  # the latter: labels that no host has
            message = f"There is no host called {account.host}; check the name"
            raise ConnectError(message, account=account.name) from error
        except ConnectionRefusedError as error:
            message = f"{where} refused the connection; check host and port"
            raise ConnectError(message, account=account.name) from error
        except OSError as error:
            why = error.strerror or str(error) or "the server ended it"
            message = f"No connection to {where}: {why}"
            raise ConnectError(message, account=account.name) from error

    async def _start_tls(self) -> None:
        connection = self.connection
        if connection.authenticated:
            raise ProtocolError(
                f"{self.account.host} claims to be logged in before STARTTLS; "
                "somebody may be tampering with the connection",
                account=self.account.name,
            )
        pending = await self.answer(self.submit(commands.starttls()))
        if not pending.ok:
            said = pending.result.text if pending.result else ""
            raise ConnectError(
                f"{self.account.host} refused STARTTLS ({said}), and nothing is sent without it; "
                "imaps:// asks for TLS from the first byte",
                account=self.account.name,
            )
        connection.drop_plaintext_state()
        assert self._transport is not None
        upgrade = self._loop.start_tls(
            self._transport, self, self.account.tls_context(), server_hostname=self.account.host
        )
        # What kind of transport it is, is the loop's own business.
        self._transport = cast("asyncio.Transport | None", await self._reach(upgrade))
        self.raise_if_failed()

    async def log_in(self) -> None:
        """Log in, learn what the server can do, and tell it who we are.

        Raises
        ------
        AuthenticationError
            The server refused the user or the password.
        ThrottledError
            The server refused one session more.
        """
        connection, account = self.connection, self.account
        if connection.authenticated:
            return
        if not connection.capabilities:
            await self.ask(commands.capability())
        secret = await account.secret()
        pending = await self.answer(self.submit(self._login_command(secret)))
        refusal = connection.refusal_of(pending)
        hopeless = _is_cap(pending.result) or (refusal is not None and refusal.lacks_scope)
        if not pending.ok and account.is_asked and not hopeless:
            # What it gave may have ended meanwhile: once more, on this connection, with another.
            another = await account.secret(refused=secret)
            if another != secret:
                pending = await self.answer(self.submit(self._login_command(another)))
                refusal = connection.refusal_of(pending)
        result = pending.result
        assert result is not None
        if result.kind != "OK":
            refused = _is_connection_cap(result.code, result.text)
            kind = ThrottledError if refused else AuthenticationError
            hint = "" if refused else f"; {self._login_hint(refusal)}"
            said = result.text.rstrip(".") or result.kind
            said += f" ({refusal.why})" if refusal is not None else ""
            behalf = "" if account.login is None else f" on behalf of {account.user}"
            raise kind(
                f"{account.host} refused the login of {account.who}{behalf}: {said}{hint}",
                status=result.kind,
                code=result.code,
                text=result.text,
                account=account.name,
            )
        if not connection.capabilities:
            await self.ask(commands.capability())
        if connection.has("ID"):
            self.submit(commands.identify())

    def _login_command(self, given: Secret) -> Command:
        account, has = self.account, self.connection.has
        if account.security == "none" and not is_loopback(account.host):
            kind = account.secret_kind
            log.warning("sending the %s of %s in plain text, as asked", kind, account.name)
        user, secret = account.user, given.reveal()
        mechanism = _MECHANISMS[account.auth]
        if mechanism != "PLAIN" and not has(f"AUTH={mechanism}"):
            other: commands.Mechanism = "XOAUTH2" if mechanism == "OAUTHBEARER" else "OAUTHBEARER"
            switches = account.is_asked and account.login is None and has(f"AUTH={other}")
            mechanism = other if switches else mechanism
        # Kept out of our errors, whatever the server says.
        self.connection.hide(secret)
        self.connection.hide(commands.sasl_message(mechanism, user, secret, account.login).decode())
        # LOGIN knows no other than the one who logs in.
        login = mechanism == "PLAIN" and not has("LOGINDISABLED") and account.login is None
        if has(f"AUTH={mechanism}") and not (login and f"{user}{secret}".isascii()):
            return commands.authenticate(
                mechanism, user, secret, initial=has("SASL-IR"), login=account.login
            )
        if login:
            return commands.login(user, secret)
        plain = account.security == "none" and account.login is None
        raise AuthenticationError(
            f"{account.host} takes no {account.secret_kind} on this connection; "
            + ("use imaps:// or STARTTLS" if plain else self._other_ways()),
            account=account.name,
        )

    def _login_hint(self, refusal: Refusal | None = None) -> str:
        if refusal is not None and refusal.lacks_scope and refusal.scope:
            wanted = f"a token for {self.account.host} must cover {refusal.scope}"
            again = f", so log in again: mailframe login {self.account.who}"
            return wanted + again * self.account.is_asked
        if self.account.auth != "password" and self.account.is_asked:
            return f"log in again: mailframe login {self.account.who}"
        if self.account.login is not None:
            who, kind = self.account.who, self.account.secret_kind
            return f"check the {kind} of {who}, and that {who} may read the mail of others"
        provider = providers.of_host(self.account.host, self.account.port)
        if provider is not None:
            return provider.way_in(self.account.user)
        if self.account.auth != "password":
            fresh = "check the user name, and that the access token is fresh (most last an hour)"
            known = refusal is not None and refusal.issuer
            return f"{fresh}; its tokens come from {known}" if known else fresh
        app = "check user name and password (many need an app password)"
        return f"{app}; {self._other_ways()}" if self._offers_tokens() else app

    def _other_ways(self) -> str:
        """Say how else the server would let somebody in."""
        if self.account.login is not None:
            mechanism = _MECHANISMS[self.account.auth]
            return f"login= wants AUTH={mechanism}, which it does not offer"
        provider = providers.of_host(self.account.host, self.account.port)
        if provider is not None:
            return provider.way_in(self.account.user)
        if self.account.auth != "password":
            return "it may want a password, or another mechanism"
        if self._offers_tokens():
            return f"it takes access tokens: imaps://USER;AUTH=XOAUTH2@{self.account.host}"
        return "it may want another mechanism"

    def _offers_tokens(self) -> bool:
        return self.connection.has("AUTH=XOAUTH2")

    def compress(self, *, behind_next: bool) -> None:
        """Ask for compression (RFC 4978) where the server has it; nobody needs to wait for it.

        Nothing may travel behind the question before its answer, so a session that is about to ask
        something asks for it in the same write, behind that: no round trip is lost. If the answer
        is NO, or that another layer compresses already, all goes on as it is.
        """
        if not self.connection.has("COMPRESS=DEFLATE"):
            return
        self._compresses_next = behind_next
        if not behind_next:
            self.submit(commands.compress())

    # Commands ----------------------------------------------------------------------------------

    def submit(self, command: Command) -> Pending:
        """Send a command as soon as the pipeline allows; `wait` for it later."""
        if not self.connection.in_flight:
            self._heard = self._loop.time()
            self._due = self._heard, self.received
        pending = self.connection.send(command)
        self._waiting[pending] = self._loop.create_future()
        if self.failure is not None:
            self._wake(pending)
        self.commands += 1
        log.debug("%s %s %r", self.account.name, pending.tag, command)
        if self._compresses_next:
            # Behind whatever else is asked in this step: nothing may travel behind the question.
            self._compresses_next = False
            self._loop.call_soon(self._ask_to_compress)
        self._flush()
        return pending

    def _ask_to_compress(self) -> None:
        if self.failure is None:
            self.submit(commands.compress())

    def ask_ahead(self, folder: Folder, fetches: Iterable[Command]) -> None:
        """Open a folder that is likely to be wanted, and ask what is likely to be asked of it.

        What turns out not to be wanted is read and forgotten.
        """
        wanted = commands.examine(folder.wire, uidvalidity=folder.uidvalidity)
        examine = self.submit(wanted)
        for fetch in fetches:
            self.ahead[folder.wire, fetch] = examine, self.submit(fetch)

    async def wait(self, pending: Pending) -> None:
        """Wait until a command is answered or the session has failed."""
        waiting = self._waiting.get(pending)
        if waiting is not None:
            await waiting

    async def ask(self, command: Command, *, folder: str | None = None) -> Pending:
        """Send a command and wait for its OK.

        Raises
        ------
        CommandError
            The server answered NO or BAD.
        TransportError, ProtocolError
            The session ended first.
        """
        pending = await self.answer(self.submit(command))
        result = pending.result
        assert result is not None
        if result.kind != "OK":
            kind: type[CommandError] = FolderError if folder is not None else CommandError
            if "authenticated but not connected" in result.text:
                # Exchange lets a token in that is another user's, and refuses what comes next.
                kind = AuthenticationError
            raise kind(
                f"{self.account.host} refused {command.name}: {result.text or result.kind}",
                status=result.kind,
                code=result.code,
                text=result.text,
                account=self.account.name,
                folder=folder,
            )
        return pending

    async def answer(self, pending: Pending) -> Pending:
        """Wait until a command is answered; raise why the session ended if it never will be."""
        await self.wait(pending)
        if pending.result is None:
            self.raise_if_failed()
        return pending

    def raise_if_failed(self) -> None:
        """Raise why the session ended, if it has."""
        if self.failure is not None:
            raise self.failure

    # Flow --------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Read no more until `resume`: the rows are not being taken."""
        if not self._paused:
            self._paused_at = self._loop.time()
        self._paused = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            since, octets = self._due
            self._due = since + self._loop.time() - self._paused_at, octets
        self._paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._heard = self._loop.time()
            self._transport.resume_reading()
            if self.connection.more:
                self._loop.call_soon(self._read_on)

    # The transport's calls ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio calls it, also after STARTTLS."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass data to the state machine and wake whom they answer."""
        if self.failure is not None:
            return
        self._keep_pace(len(data))
        self.received += len(data)
        self._read(data)
        self._read_on()

    def _read_on(self) -> None:
        """Read what had come compressed, a piece at a time, as long as the rows are taken."""
        while self.connection.more and not self._paused and self.failure is None:
            self._read(b"")

    def _read(self, data: bytes) -> None:
        try:
            finished = self.connection.receive_data(data)
        except MailframeError as error:
            self._fail(error)
            return
        if finished:
            self._due = self._heard, self.received
        for pending in finished:
            if pending.command.kind is Kind.STARTTLS and self._transport is not None:
                # Not one byte more may be read in plain text; start_tls reads on.
                self._transport.pause_reading()
            self._hand_on(pending)
            self._wake(pending)
        much = self.connection.octets - self._handed_on > OCTETS_A_PART
        if much:
            self._handed_on = self.connection.octets
        for pending in self.connection.answering():
            if much or len(pending.rows) >= ROWS_A_PART:
                self._hand_on(pending)
        if not self._greeted.done() and self.connection.greeting is not None:
            self._greeted.set_result(None)
        self._flush()

    def _keep_pace(self, octets: int) -> None:
        """Note when octets came, and whether they were long in coming."""
        now = self._loop.time()
        if self.connection.within_response:
            self._behind += now - self._heard
        self._behind = max(0.0, self._behind - octets / self._limits.pace)
        self._heard = now

    def eof_received(self) -> None:
        """Take the end of the stream."""
        try:
            self.connection.receive_eof()
        except MailframeError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection, whoever ended it."""
        lost = ConnectionLost(f"the connection to {self.account.host} was lost")
        lost.__cause__ = exc
        self._fail(lost)
        if not self._closed.done():
            self._closed.set_result(None)

    def _hand_on(self, pending: Pending) -> None:
        if self.on_rows is not None and len(pending.rows):
            self.on_rows(pending)

    def _flush(self) -> None:
        data = self.connection.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _wake(self, pending: Pending) -> None:
        waiting = self._waiting.pop(pending, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _fail(self, error: MailframeError) -> None:
        """End the session for a reason, once."""
        if self.failure is not None:
            return
        error.account = error.account or self.account.name
        self.failure = error
        log.debug("%s ended: %s", self.account.name, error)
        if self._watch is not None:
            self._watch.cancel()
        self.connection.hang_up()
        if self._transport is not None:
            self._transport.abort()
        if not self._greeted.done():
            self._greeted.set_result(None)
        for pending in tuple(self._waiting):
            self._wake(pending)
        if self.on_end is not None:
            self.on_end()

    def _start_watch(self) -> None:
        """Look now and then whether the server has fallen silent."""
        if self.failure is not None:
            return
        fault = self._slowness() if self.connection.in_flight and not self._paused else ""
        if fault:
            head = self.connection.head
            owed = f" and owes an answer to {head.command.name}" if head else ""
            self._fail(ReadTimeout(f"{self.account.host} {fault}{owed}"))
            return
        self._watch = self._loop.call_later(self._limits.silence / 8, self._start_watch)

    def _slowness(self) -> str:
        """Say in what way the server takes too long, if it does."""
        limits, now = self._limits, self._loop.time()
        if now - self._heard > limits.silence:
            return f"was silent for {limits.silence:g} s"
        if self._behind > limits.silence / 2:
            return f"sends fewer than {limits.pace:g} octets a second"
        since, before = self._due
        allowed = limits.patience if self.connection.authenticated else 2 * limits.silence
        if now - since > allowed and self.received - before < (now - since) * limits.pace:
            return f"has said next to nothing for {now - since:.0f} s"
        return ""

    # Ending ------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Say goodbye and close the socket, without waiting for what the server says to it."""
        if self._transport is None:
            return
        if self.failure is None:
            self.connection.send(commands.logout())
            self._flush()
            self._transport.close()
            if not self._transport.get_write_buffer_size():
                # TLS has said its own goodbye by now, and would wait for the server's (RFC 8446
                # section 6.1 asks nobody to): a round trip for nothing.
                self._transport.abort()
        try:
            async with asyncio.timeout(self._limits.goodbye):
                await asyncio.shield(self._closed)
        except TimeoutError:
            log.debug("%s: the server does not hang up", self.account.name)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the socket now."""
        self._fail(ConnectionLost("the session was closed"))


# Response codes and words with which servers refuse one connection more.
_CAP_CODES = frozenset({"UNAVAILABLE", "LIMIT", "INUSE"})
_CAP_WORDS = ("too many", "maximum number", "connection limit", "try again later")


def _is_cap(result: Status | None) -> bool:
    return result is not None and _is_connection_cap(result.code, result.text)


def _is_connection_cap(code: str, text: str) -> bool:
    lowered = text.lower()
    return code in _CAP_CODES or any(words in lowered for words in _CAP_WORDS)
