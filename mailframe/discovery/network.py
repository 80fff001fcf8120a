"""The asking: DNS by dnspython, small documents by the standard library, five seconds in all.

Each question has a thread of its own that nobody waits for longer than it may take, so neither a
silent name server nor a dead web server holds up the answer, or Ctrl-C. When the time is up the
sockets are closed under those who still read.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from mailframe.accounts import providers
from mailframe.discovery import autoconfig, cache, srv, steps
from mailframe.discovery.consent import ask_person
from mailframe.discovery.steps import Address, Found, Question, Server
from mailframe.errors import ConfigurationError, ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

# Documents redirect from the bare domain to www and the like; a longer chain is a loop.
_REDIRECTS = 3
_MOVED = {301, 302, 303, 307, 308}
_OK = 200


@dataclass(frozen=True)
class Network:
    """How the world is reached; by default as everybody does.

    Attributes
    ----------
    nameserver : tuple of str and int, optional
        The address and port of the one to ask, also for the hosts of documents and servers.
    https_port, imaps_port : int
        Where documents and servers are.
    ca_file : str, optional
        Certificates to trust instead of the system's.
    first, seconds : float
        How long the domain and its records may take to answer, and everything.
    """

    nameserver: tuple[str, int] | None = None
    https_port: int = 443
    imaps_port: int = 993
    ca_file: str | None = None
    first: float = 3.0
    seconds: float = 5.0


WORLD = Network()


class _Unanswered(Exception):  # noqa: N818 -- no error: the next question may be answered
    """Nothing that serves came; says what did."""


class _NoDomain(_Unanswered):
    """DNS knows no such domain."""


def find(
    address: str,
    *,
    ispdb: bool = True,
    agree: Callable[[Found], bool] = ask_person,
    network: Network | None = None,
) -> Found:
    """Find the IMAP server of an address.

    Parameters
    ----------
    address : str
        Such as ``ann@example.org``. A domain of the table costs no packet.
    ispdb : bool
        Whether Mozilla's database may be asked, which then sees the domain.
    agree : callable
        Asked about a host that only DNS names, and that is not of the address's own domain.
    network : Network, optional
        How the world is reached.

    Raises
    ------
    ConfigurationError
        It is no address, there is no such domain, or the domain says that it has no IMAP.
    ConnectError
        Nobody knew; the message says who was asked.
    """
    parsed = Address.parse(address)
    known = steps.of_table(parsed) or cache.recall(parsed)
    if known is not None:
        return known
    asking = _Asking(parsed, ispdb=ispdb, network=network or WORLD)
    try:
        return asking.run(agree)
    finally:
        asking.hang_up()


async def afind(address: str, *, ispdb: bool = True) -> Found:
    """Find the IMAP server of an address, for ``await``; nobody is asked."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Found] = loop.create_future()

    def settle(found: Future[Found]) -> None:
        if not answer.done():
            error = found.exception()
            answer.set_exception(error) if error else answer.set_result(found.result())

    def done(found: Future[Found]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found)

    def ask() -> Found:
        return find(address, ispdb=ispdb, agree=lambda _: False)

    _in_thread(ask).add_done_callback(done)
    return await answer


def _in_thread(function: Callable[..., T], *arguments: object) -> Future[T]:
    future: Future[T] = Future()

    def work() -> None:
        try:
            result = function(*arguments)
        except BaseException as error:  # noqa: BLE001 -- it is told to whoever waits
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=work, name="mailframe-discovery", daemon=True).start()
    return future


class _Asking:
    """One search: who was asked, and what came."""

    def __init__(self, address: Address, *, ispdb: bool, network: Network) -> None:
        self._address = address
        self._ispdb = ispdb
        self._network = network
        self._start = time.monotonic()
        self._answers: dict[Question, Future[object]] = {}
        self._refused: dict[str, list[str]] = {}  # what was said → by whom
        self._sockets: set[socket.socket] = set()
        self._over = False
        self._tls = ssl.create_default_context(cafile=network.ca_file)
        self._tls.hostname_checks_common_name = False
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def run(self, agree: Callable[[Found], bool]) -> Found:
        """Ask, and take the first answer in the order of the questions."""
        network, address = self._network, self._address
        first = steps.opening(address, ispdb=self._ispdb)
        self._ask(first)
        documents = [question for question in first if question.kind == "https"]
        described = self._first(documents, network.first)
        if described is not None:
            return self._agreed(described, agree)
        declined, records = self._records(network.first)
        if records is not None:
            return self._agreed(records, agree)
        hosts = self._wait(Question("mx", address.domain), network.first) or ()
        assert isinstance(hosts, tuple)
        provider = providers.of_mx(hosts)
        if provider is not None:
            return steps.of_provider(provider, address, f"the MX host {hosts[0]}")
        if declined:
            raise ConfigurationError(f"{address.domain} says that it offers no IMAP")
        rest = [
            *steps.of_hoster(address, hosts, ispdb=self._ispdb),
            *steps.customary(address),
        ]
        self._ask(rest)
        guessed = self._first(rest, network.seconds)
        if guessed is not None:
            return self._agreed(guessed, agree)
        raise self._nobody_knew()

    def hang_up(self) -> None:
        """End what is still under way."""
        self._over = True
        for one in tuple(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    # What is made of answers -------------------------------------------------------------------

    def _first(self, questions: Iterable[Question], until: float) -> tuple[Server, Question] | None:
        for question in questions:
            server = self._wait(question, until)
            if isinstance(server, Server):
                return server, question
        return None

    def _records(self, until: float) -> tuple[bool, tuple[Server, Question] | None]:
        """Tell whether SRV records decline IMAP, and the server that they name; TLS first."""
        nothing = False
        for kind, security in (("imaps", "tls"), ("imap", "starttls")):
            question = Question(kind, self._address.domain)  # type: ignore[arg-type]  # two of its words
            records = self._wait(question, until) or ()
            assert isinstance(records, tuple)
            nothing = nothing or srv.declined(records)
            server = srv.choose(records, security)  # type: ignore[arg-type]  # the same
            if server is not None:
                return False, (server, question)
        return nothing, None

    def _agreed(self, named: tuple[Server, Question], agree: Callable[[Found], bool]) -> Found:
        server, question = named
        found = steps.of_server(server, self._address, question.whom)
        if steps.is_trusted(server, question, self._address) or agree(found):
            return found
        raise ConfigurationError(
            f"{found.reason} says that the mail of {found.address} is at {found.host}, and nothing "
            f"else vouches for that; if you know that it is, write {found.url}"
        )

    def _nobody_knew(self) -> ConnectError:
        said = "; ".join(f"{', '.join(whom)}: {what}" for what, whom in self._refused.items())
        return ConnectError(
            f"No IMAP server was found for {self._address} ({said}); "
            "if you know it, write imaps://USER@HOST"
        )

    # Asking ------------------------------------------------------------------------------------

    def _left(self) -> float:
        left = self._start + self._network.seconds - time.monotonic()
        if left <= 0 or self._over:
            raise _Unanswered("no answer")
        return left

    def _ask(self, questions: Sequence[Question]) -> None:
        for question in questions:
            self._answers[question] = _in_thread(self._answer, question)

    def _wait(self, question: Question, until: float) -> object:
        """Wait for an answer, and note it if it is none; None then."""
        left = self._start + until - time.monotonic()
        try:
            return self._answers[question].result(max(0.0, left))
        except _NoDomain:
            domain = self._address.domain
            raise ConfigurationError(f"There is no domain {domain}; check the address") from None
        except NotYet:
            why = "no answer"
        except _Unanswered as answer:
            why = str(answer)
        self._refused.setdefault(why, []).append(question.whom)
        return None

    def _answer(self, question: Question) -> object:
        match question.kind:
            case "https":
                return self._document(question)
            case "tls":
                return self._customary(question.target)
            case "mx":
                return self._mx(question.target)
            case kind:
                found = self._lookup(f"_{kind}._tcp.{question.target}", "SRV")
                if not found:
                    raise _Unanswered("no record")
                return tuple(
                    srv.Record(one.priority, one.weight, one.port, one.target.to_text())
                    for one in found
                )

    def _mx(self, domain: str) -> tuple[str, ...]:
        found = sorted(self._lookup(domain, "MX", exists=True), key=lambda one: one.preference)
        hosts = tuple(one.exchange.to_text(omit_final_dot=True).lower() for one in found)
        if not any(host.strip(".") for host in hosts):  # RFC 7505: "." takes no mail
            raise _Unanswered("no record")
        return hosts

    def _lookup(self, name: str, kind: str, *, exists: bool = False) -> list[Any]:
        """Ask DNS; an empty list is the answer that there is nothing."""
        import dns.exception  # noqa: PLC0415 -- a tenth of a second, for those who ask
        import dns.resolver  # noqa: PLC0415 -- the same

        resolver = dns.resolver.Resolver(configure=self._network.nameserver is None)
        if self._network.nameserver is not None:
            resolver.nameservers = [self._network.nameserver[0]]
            resolver.port = self._network.nameserver[1]
        try:
            return list(resolver.resolve(name, kind, lifetime=self._left(), search=False))
        except dns.resolver.NXDOMAIN:
            if exists:
                raise _NoDomain("no such domain") from None
            return []
        except dns.resolver.NoAnswer:
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            silent = isinstance(error, dns.exception.Timeout)
            raise _Unanswered("no answer" if silent else "no usable answer") from error

    def _dial(self, host: str, port: int) -> ssl.SSLSocket:
        """Open a connection whose certificate is valid for `host`."""
        address = host
        if self._network.nameserver is not None:
            found = self._lookup(host, "A")
            if not found:
                raise _Unanswered("no such host")
            address = found[0].to_text()
        plain = socket.create_connection((address, port), timeout=self._left())
        # Known before the handshake, which may be where a server falls silent.
        link = self._tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        self._sockets.add(link)
        try:
            self._left()
            link.do_handshake()
        except BaseException:
            self._close(link)
            raise
        return link

    def _close(self, link: socket.socket) -> None:
        self._sockets.discard(link)
        link.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise _Unanswered("its certificate is not valid") from error
        except socket.gaierror as error:
            raise _Unanswered("no such host") from error
        except TimeoutError as error:
            raise _Unanswered("no answer") from error
        except ConnectionRefusedError as error:
            raise _Unanswered("no connection") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _Unanswered("no usable answer") from error

    def _customary(self, host: str) -> Server:
        """Take a host that greets as IMAP servers do, with a certificate of that name."""
        port = self._network.imaps_port
        with self._explained():
            link = self._dial(host, port)
            try:
                greeting = link.recv(4)
            finally:
                self._close(link)
        if not greeting.startswith(b"* "):
            raise _Unanswered("not an IMAP server")
        return Server(host, port, "tls")

    def _document(self, question: Question) -> Server:
        url = question.target
        with self._explained():
            for _ in range(_REDIRECTS + 1):
                status, moved, body = self._get(url)
                if status not in _MOVED or not moved:
                    break
                url = self._followed(url, moved, question)
        if status != _OK:
            raise _Unanswered(f"status {status}")
        try:
            return autoconfig.read(body, self._address)
        except autoconfig.UnusableError as error:
            raise _Unanswered(str(error)) from error

    def _followed(self, url: str, moved: str, question: Question) -> str:
        """Give where a document has moved, if one may go there."""
        try:
            url = urljoin(url, moved)
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise _Unanswered("redirects to nowhere") from None
        if parts.scheme != "https" or (port or 443) != 443:  # noqa: PLR2004 -- HTTPS
            raise _Unanswered("redirects to where nothing is secured")
        if question.local and self._is_told(f"{url} {host}") and not self._address.owns(host):
            raise _Unanswered("redirects to a stranger, with the address")
        return url

    def _is_told(self, url: str) -> bool:
        """Tell whether a URL holds the local part; the words of such URLs are told by none."""
        local, text = self._address.local.lower(), unquote(url).lower()
        return f"{local}@" in text or (local in text and local not in steps.WORDS)

    def _get(self, url: str) -> tuple[int, str, bytes]:
        """Ask for a document: its status, where it has moved, and its first octets."""
        parts = urlsplit(url)
        link = self._dial(parts.hostname or "", self._network.https_port)
        connection = http.client.HTTPConnection(parts.hostname or "", timeout=self._left())
        connection.sock = link
        try:
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request("GET", path, headers={"Connection": "close"})
            body = b""
            with contextlib.closing(connection.getresponse()) as response:
                while len(body) <= autoconfig.LONGEST and (piece := response.read1(1 << 14)):
                    body += piece
                    self._left()
            if len(body) > autoconfig.LONGEST:
                raise _Unanswered("sends more than any description has")
            return response.status, response.getheader("Location") or "", body
        finally:
            self._close(link)
            connection.close()
