"""A loopback IMAP server that is honest unless told otherwise.

It serves a small mailbox, read only and by the book (RFC 3501 and 9051, LIST-STATUS of RFC 5819,
ESEARCH of RFC 4731), in a thread of its own. A *behaviour* breaks the protocol: a coroutine that
is shown each command (and each new connection) before the honest answer, and returns True where it
has answered instead. Faults that are a fixed answer are written down as transcripts
(``transcript.py``); faults with a state are behaviours in code (``tests/hostile/behaviours.py``).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import re
import threading
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.servers.mailbox import Folder, Row, fetch_items, in_set, matches, small_mailbox

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

USER, PASSWORD = "ann", "secret"

CAPABILITIES = (
    "IMAP4rev1 LITERAL+ SASL-IR ID UNSELECT LIST-EXTENDED LIST-STATUS SPECIAL-USE ESEARCH "
    "AUTH=PLAIN"
)


class Cut(Exception):  # noqa: N818 -- an event, not an error
    """Raised by a behaviour: the connection ends here, without a word."""


@dataclass
class Command:
    """One command: its tag, its name in upper case, and everything behind it."""

    tag: str
    name: str
    text: str

    @property
    def line(self) -> str:
        return f"{self.name} {self.text}".rstrip()

    def done(self, status: str = "OK", text: str = "done") -> bytes:
        return f"{self.tag} {status} {text}\r\n".encode("latin-1")


CONNECT = Command("*", "", "")

Behaviour = Callable[["Session", Command], Awaitable[bool]]


@dataclass
class Session:
    """One connection: what the server knows of it, and the honest answers."""

    server: Scripted
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: str | None = None
    selected: Folder | None = None
    secure: bool = False
    continuation: bytes = b"+ go on\r\n"
    notes: dict[str, object] = field(default_factory=dict)
    deflater: zlib._Compress | None = None
    inflating: asyncio.Task[None] | None = None

    async def send(self, *answer: bytes | Row) -> None:
        for part in answer:
            data = bytes(part)
            if self.deflater is not None:
                data = self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
            self.writer.write(data)
            await self.writer.drain()

    async def line(self) -> bytes:
        """The client's next line, without its end."""
        data = await self.reader.readline()
        if not data.endswith(b"\n"):
            raise Cut
        return data.rstrip(b"\r\n")

    async def command(self) -> Command:
        """The client's next command; its literals are put in place as they are."""
        data = await self.line()
        while found := re.search(rb"\{(\d+)(\+?)\}$", data):
            if not found[2]:
                await self.send(self.continuation)
            literal = await self.reader.readexactly(int(found[1]))
            data = data[: found.start()] + quoted(literal) + await self.line()
        tag, _, rest = data.decode("latin-1").partition(" ")
        name, _, text = rest.partition(" ")
        if name.upper() == "UID":
            second, _, text = text.partition(" ")
            name = f"UID {second}"
        return Command(tag, name.upper(), text)

    async def perform(self, command: Command) -> None:
        """Do what an honest server does."""
        if command is CONNECT:
            await self.send(f"* OK [CAPABILITY {self.capabilities}] ready\r\n".encode())
        elif command.name == "STARTTLS":
            await self.send(command.done())
            await self.start_tls()
        elif command.name == "AUTHENTICATE":
            await self.authenticate(command)
        elif command.name == "COMPRESS" and "COMPRESS=DEFLATE" in self.capabilities:
            await self.send(command.done())
            self.start_compression()
        else:
            await self.send(*self.honest(command))
            if command.name == "LOGOUT":
                raise Cut

    async def start_tls(self) -> None:
        await self.writer.start_tls(self.server.starttls)
        self.secure = True

    def start_compression(self) -> None:
        """Deflate what is sent from here on, and inflate what comes."""
        self.deflater = zlib.compressobj(wbits=-15)
        compressed, self.reader = self.reader, asyncio.StreamReader(limit=1 << 22)
        self.inflating = asyncio.create_task(_inflate(compressed, self.reader))

    async def authenticate(self, command: Command) -> None:
        words = command.text.split()
        if len(words) == 1:
            await self.send(b"+ \r\n")
            words.append((await self.line()).decode())
        _, user, password = base64.b64decode(words[1]).decode().split("\0")
        await self.send(*self.login(command, user, password))

    @property
    def capabilities(self) -> str:
        offered = self.server.capabilities
        return f"{offered} STARTTLS" if self.server.starttls and not self.secure else offered

    def login(self, command: Command, user: str, password: str) -> list[bytes | Row]:
        if (user, password) != (USER, self.server.password):
            return [command.done("NO", "[AUTHENTICATIONFAILED] no such user or password")]
        self.user = user
        self.server.logins += 1
        return [command.done("OK", f"[CAPABILITY {self.capabilities}] welcome")]

    def honest(self, command: Command) -> list[bytes | Row]:
        """The honest answer, as the responses it is made of, the tagged one last."""
        answer = getattr(self, "on_" + command.name.lower().replace(" ", "_"), None)
        if answer is None:
            return [command.done("BAD", "unknown command")]
        if self.user is None and command.name not in {
            "CAPABILITY",
            "LOGIN",
            "LOGOUT",
            "NOOP",
            "ID",
        }:
            return [command.done("BAD", "log in first")]
        return answer(command)

    def on_capability(self, command: Command) -> list[bytes | Row]:
        return [f"* CAPABILITY {self.capabilities}\r\n".encode(), command.done()]

    def on_noop(self, command: Command) -> list[bytes | Row]:
        return [command.done()]

    def on_id(self, command: Command) -> list[bytes | Row]:
        return [b'* ID ("name" "scripted")\r\n', command.done()]

    def on_logout(self, command: Command) -> list[bytes | Row]:
        return [b"* BYE see you\r\n", command.done()]

    def on_login(self, command: Command) -> list[bytes | Row]:
        user, password = words(command.text)
        return self.login(command, user, password)

    def on_list(self, command: Command) -> list[bytes | Row]:
        wanted = re.search(r"STATUS \(([^)]*)\)", command.text, re.IGNORECASE)
        answer: list[bytes | Row] = []
        for folder in self.server.folders.values():
            answer.append(folder.listed())
            if wanted and folder.selectable:
                answer.append(folder.status(wanted[1].split()))
        return [*answer, command.done()]

    def on_status(self, command: Command) -> list[bytes | Row]:
        name, *wanted = words(command.text)
        folder = self.server.folders.get(name)
        if folder is None or not folder.selectable:
            return [command.done("NO", "[NONEXISTENT] no such mailbox")]
        return [folder.status(wanted), command.done()]

    def on_examine(self, command: Command) -> list[bytes | Row]:
        self.selected = self.server.folders.get(words(command.text)[0])
        if self.selected is None or not self.selected.selectable:
            self.selected = None
            return [command.done("NO", "[NONEXISTENT] no such mailbox")]
        return [*self.selected.examined(), command.done("OK", "[READ-ONLY] examined")]

    def on_unselect(self, command: Command) -> list[bytes | Row]:
        self.selected = None
        return [command.done()]

    on_close = on_unselect

    def on_uid_fetch(self, command: Command) -> list[bytes | Row]:
        if self.selected is None:
            return [command.done("BAD", "no mailbox is open")]
        uids, _, wanted = command.text.partition(" ")
        items = fetch_items(wanted)
        last = self.selected.messages[-1].uid if self.selected.messages else 0
        rows = [
            message.row(number, items)
            for number, message in enumerate(self.selected.messages, 1)
            if in_set(message.uid, uids, last)
        ]
        return [*rows, command.done()]

    def on_uid_search(self, command: Command) -> list[bytes | Row]:
        if self.selected is None:
            return [command.done("BAD", "no mailbox is open")]
        found = [
            str(m.uid) for m in self.selected.messages if matches(m, command.text, self.selected)
        ]
        if command.text.upper().startswith("RETURN"):
            all_found = f" ALL {','.join(found)}" if found else ""
            return [f'* ESEARCH (TAG "{command.tag}") UID{all_found}\r\n'.encode(), command.done()]
        return [f"* SEARCH {' '.join(found)}".rstrip().encode() + b"\r\n", command.done()]

    async def run(self) -> None:
        """Serve this connection until it ends."""
        command = CONNECT
        while True:
            for behaviour in self.server.behaviours:
                if await behaviour(self, command):
                    break
            else:
                await self.perform(command)
            command = await self.command()
            self.server.commands.append((self.number, command))


async def _inflate(compressed: asyncio.StreamReader, plain: asyncio.StreamReader) -> None:
    inflater = zlib.decompressobj(-15)
    with contextlib.suppress(OSError):
        while data := await compressed.read(1 << 16):
            plain.feed_data(inflater.decompress(data))
    plain.feed_eof()


def quoted(value: bytes) -> bytes:
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def words(text: str) -> list[str]:
    """The atoms and strings of ``text``; parentheses only separate."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|([^\s()"]+)', text, re.DOTALL)
    return [atom or re.sub(r"\\(.)", r"\1", string) for string, atom in found]


class Scripted:
    """The server: ``with Scripted(...) as server: read_imap(server.url)``.

    Counters tell what the client did: ``commands`` (connection number and command, in order),
    ``connections`` ever accepted, ``open`` now, ``most_open`` at any time, ``logins``.
    """

    def __init__(
        self,
        *behaviours: Behaviour,
        folders: Iterable[Folder] | None = None,
        capabilities: str = CAPABILITIES,
        password: str = PASSWORD,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self.behaviours = behaviours
        self.folders = {f.name: f for f in (small_mailbox() if folders is None else folders)}
        self.capabilities = capabilities
        self.password = password
        self.tls, self.starttls, self.ca_file = tls, starttls, ca_file
        self.commands: list[tuple[int, Command]] = []
        self.connections = self.open = self.most_open = self.logins = 0
        self.faults: list[BaseException] = []
        self.numbers = itertools.count(1)
        self.port = 0

    @property
    def url(self) -> str:
        scheme = "imaps" if self.tls else "imap"
        return f"{scheme}://{USER}@127.0.0.1:{self.port}"

    @property
    def seen(self) -> Counter[str]:
        """How often each command came."""
        return Counter(command.name for _, command in list(self.commands))

    def lines(self, name: str) -> list[str]:
        """What stood behind each command called ``name``."""
        return [command.text for _, command in list(self.commands) if command.name == name]

    def __enter__(self) -> Self:
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, args=(ready,), name="scripted")
        self.thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)
        if self.faults:
            raise self.faults[0]  # a fault of the test's own stage must not pass unseen

    def _serve(self, ready: threading.Event) -> None:
        with contextlib.closing(self.loop):
            self.loop.run_until_complete(self._main(ready))

    async def _main(self, ready: threading.Event) -> None:
        self.stop = asyncio.Event()
        server = await asyncio.start_server(
            self._accept,
            "127.0.0.1",
            0,
            ssl=self.tls,
            limit=1 << 22,
            ssl_handshake_timeout=5 if self.tls else None,
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self.stop.wait()
        server.close()
        # Also whoever is only being accepted, and what becomes of them.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0.01)  # the aborted transports close their sockets

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        session = Session(self, next(self.numbers), reader, writer, secure=self.tls is not None)
        try:
            await session.run()
        except (Cut, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as fault:  # noqa: BLE001 -- handed to the test at the end
            self.faults.append(fault)
        finally:
            if session.inflating is not None:
                session.inflating.cancel()
            await self._hang_up(session)
            self.open -= 1

    async def _hang_up(self, session: Session) -> None:
        """Flush what was said, then close hard: no connection outlives its session."""
        with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
            session.writer.close()
            await asyncio.wait_for(session.writer.wait_closed(), 1)
        with contextlib.suppress(AttributeError):  # Python 3.11.2, where TLS was closed already
            session.writer.transport.abort()
