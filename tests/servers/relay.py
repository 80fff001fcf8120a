"""A TCP relay on loopback: a distant or a faulty network between a client and a real server.

It runs as a process of its own (`python -m tests.servers.relay`), so that it shares neither the
client's interpreter lock nor its event loop. Each direction delays what it carries without limiting
how much: bytes are stamped when they arrive and sent on when their time has come, however many are
under way (up to a bound far above any bandwidth-delay product of loopback).

Faults are decided from a seed and the connection's number alone, hence a failing run can be
repeated. They concern what the server sends: that is where a client can lose something.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HOST = "127.0.0.1"
CHUNK = 256 * 1024
#: What a narrow link passes on at once: a hundredth of a second of 10 Mbit/s.
PIECE = 12_500
#: Bytes under way in one direction before the relay stops reading; 25 ms at 100 MB/s are 2.5 MB.
MAX_UNDER_WAY = 64 * 1024 * 1024
MOST_TURNS = 100  # whose verbs are noted
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Link:
    """What the relay does to a connection. Zero: not at all.

    Parameters
    ----------
    delay
        Seconds that each direction adds; a round trip takes twice as long.
    rate
        Octets a second that servers can send, all connections together.
    seed
        Of every random choice below.
    split
        The server's bytes are passed on in pieces of 1 … `split` octets, each written alone.
    cut_after
        The connection ends once the server sent so many octets.
    stall_after, stall
        After so many octets the server falls silent for `stall` seconds, once a connection.
    jitter
        Draw `cut_after` and `stall_after` for each connection, between 1 and 2 times the value.
    faulty
        Only the first so many connections suffer cuts and stalls; 0: all of them.
    refuse_after
        Connections beyond this many open ones are closed at once, as by a server's limit.
    """

    delay: float = 0.0
    rate: float = 0.0
    seed: int = 0
    split: int = 0
    cut_after: int = 0
    stall_after: int = 0
    stall: float = 0.0
    jitter: bool = False
    faulty: int = 0
    refuse_after: int = 0


class Relay:
    """The relay as a context manager: `with Relay(server.port, delay=0.025) as relay: relay.port`.

    `aim` lets it lead to another server from then on, as when an address moves.

    Keywords are those of `Link`. `opened` counts the connections accepted so far, `open` those that
    have not ended; `octets` counts what servers sent over connections that have ended. `turns` has
    of each of those, where nothing was encrypted, what the client said before it waited, by the
    verbs of its commands: each turn is a round trip. It ends with the first row of a FETCH.
    """

    def __init__(self, target_port: int, **link: float) -> None:
        self._arguments = [str(target_port), json.dumps(asdict(Link(**link)))]  # type: ignore[arg-type]
        self.port = 0
        self.opened = 0
        self.open = 0
        self.octets = 0
        self.turns: list[list[str]] = []
        self._aimed = threading.Event()

    def __enter__(self) -> Self:
        """Start the process and wait until it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.relay", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,  # its end tells the relay that we are gone, however we went
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the relay ended with status {self._process.wait()}")
        self.port = json.loads(line)["port"]
        self._reader = threading.Thread(target=self._read_events, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process; every connection through it ends."""
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()

    def settled(self, seconds: float = 5.0) -> bool:
        """Wait until every connection has ended; say whether that happened in time."""
        deadline = time.monotonic() + seconds
        while self.open and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self.open

    def aim(self, target_port: int) -> None:
        """Lead the connections to come to another port."""
        self._aimed.clear()
        self._process.stdin.write(f"{target_port}\n")
        self._process.stdin.flush()
        self._aimed.wait(10)

    def _read_events(self) -> None:
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "opened":
                self.opened += 1
                self.open += 1
            elif event["event"] == "aimed":
                self._aimed.set()
            else:
                self.open -= 1
                self.octets += event["octets"]
                self.turns.append(event["turns"])


class _Turns:
    """What a client says between two answers."""

    def __init__(self) -> None:
        self._said: list[bytes] = []
        self._listened = True
        self._over = False

    def client(self, data: bytes) -> None:
        if self._over:
            return
        if self._listened:
            self._said.append(b"")
        self._listened = False
        self._said[-1] += data

    def server(self, data: bytes) -> None:
        self._listened = True
        self._over = self._over or b" FETCH (" in data or len(self._said) > MOST_TURNS

    def verbs(self) -> list[str]:
        """The verbs of each turn; of what is no command, nothing."""
        lines = re.compile(rb"^M\d+ ((?:UID )?[A-Z]+)", re.MULTILINE)
        return [" ".join(verb.decode() for verb in lines.findall(said)) for said in self._said]


class _Pipe(asyncio.Protocol):
    """One end of a connection; what it receives goes to `other` after the delay."""

    def __init__(
        self,
        link: Link,
        fault: _Fault | None = None,
        queue: _Queue | None = None,
        *,
        arrived: Callable[[bytes], None] = bytes,
        passed: Callable[[bytes], None] = bytes,
    ) -> None:
        self.arrived, self.passed = arrived, passed
        self.loop = asyncio.get_running_loop()
        self.link = link
        self.narrow = queue
        self.fault = fault
        self.other: _Pipe | None = None
        self.transport: asyncio.Transport | None = None
        self.queue: deque[tuple[float, bytes]] = deque()  # b"" stands for the end
        self.under_way = 0
        self.octets = 0
        self.timer: asyncio.TimerHandle | None = None
        self.blocked = False  # the other end's socket takes no more for now
        self.finished = False  # the end of this direction was passed on
        self.made = asyncio.Event()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.made.set()
        transport.set_write_buffer_limits(high=4 * CHUNK)

    def data_received(self, data: bytes) -> None:
        self.octets += len(data)
        self.arrived(data)
        self._put(data)
        if self.under_way > MAX_UNDER_WAY:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._put(b"")
        return True  # the other direction may still carry something

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        self._put(b"")
        self.ended.set()

    def pause_writing(self) -> None:
        self.other.blocked = True

    def resume_writing(self) -> None:
        self.other.blocked = False
        self.other.send_due()

    def _put(self, data: bytes) -> None:
        now = self.loop.time()
        if self.narrow is None:
            self.queue.append((now + self.link.delay, data))
        else:
            pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)] or [data]
            for piece in pieces:
                through = self.narrow.through(len(piece), now)
                self.queue.append((through + self.link.delay, piece))
        self.under_way += len(data)
        if self.timer is None:
            self.send_due()

    def send_due(self) -> None:
        self.timer = None
        while self.queue and not self.blocked and self.other is not None:
            due, data = self.queue[0]
            wait = due - self.loop.time()
            if wait > 0:
                self.timer = self.loop.call_later(wait, self.send_due)
                return
            self.queue.popleft()
            self.under_way -= len(data)
            if not data:
                self._end_other()
            elif self.fault is None:
                self.passed(data)
                self.other.transport.write(data)
            else:
                self._send_with_faults(data)
        if self.under_way <= MAX_UNDER_WAY // 2 and not self.transport.is_closing():
            self.transport.resume_reading()

    def _send_with_faults(self, data: bytes) -> None:
        send, rest, wait = self.fault.take(data)
        self.passed(send)
        self.other.transport.write(send)
        if wait is None:
            self.transport.abort()
            self.other.transport.close()  # after what is still to be written
        elif rest:
            self.queue.appendleft((self.loop.time() + wait, rest))
            self.under_way += len(rest)

    def _end_other(self) -> None:
        self.finished = True
        if self.ended.is_set() or self.other.finished:
            self.transport.close()
            self.other.transport.close()  # after what is still to be written
        elif not self.other.transport.is_closing():
            with contextlib.suppress(OSError):  # it has gone already
                self.other.transport.write_eof()


@dataclass
class _Queue:
    """The narrow part of the way, where octets of all connections wait for one another."""

    rate: float
    free: float = 0.0

    def through(self, octets: int, now: float) -> float:
        self.free = max(self.free, now) + octets / self.rate
        return self.free


class _Fault:
    """Decides, octet by octet of the server's, where a connection splits, stalls and ends."""

    def __init__(self, link: Link, number: int) -> None:
        self.random = random.Random(f"{link.seed}/{number}")
        self.link = link
        exempt = link.faulty and number >= link.faulty
        self.until_cut = None if exempt else self._draw(link.cut_after)
        self.until_stall = None if exempt else self._draw(link.stall_after)

    def _draw(self, octets: int) -> int | None:
        if not octets:
            return None
        return int(octets * self.random.uniform(1, 2)) if self.link.jitter else octets

    def take(self, data: bytes) -> tuple[bytes, bytes, float | None]:
        """Say what to send now, what later, and after which wait (None: cut the connection)."""
        length = len(data)
        if self.link.split:
            length = min(length, self.random.randint(1, self.link.split))
        if self.until_stall is not None:
            length = min(length, self.until_stall)
        if self.until_cut is not None:
            length = min(length, self.until_cut)
            self.until_cut -= length
        wait: float | None = 0.0
        if self.until_stall is not None:
            self.until_stall -= length
            if not self.until_stall:
                self.until_stall, wait = None, self.link.stall
        if self.until_cut == 0:
            wait = None
        return data[:length], data[length:], wait


class _Listener:
    """Accepts connections and reports each on standard output."""

    def __init__(self, target_port: int, link: Link) -> None:
        self.target_port = target_port
        self.link = link
        self.number = 0
        self.open = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.narrow = _Queue(link.rate) if link.rate else None

    def accept(self) -> _Pipe:
        turns = _Turns()
        client = _Pipe(self.link, arrived=turns.client)
        refused = bool(self.link.refuse_after) and self.open >= self.link.refuse_after
        carry = self._carry(client, turns, self.number, refused=refused)
        task = asyncio.get_running_loop().create_task(carry)
        self.number += 1
        self.open += 1
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return client

    def aim(self, target_port: int) -> None:
        self.target_port = target_port
        _say(event="aimed")

    async def _carry(self, client: _Pipe, turns: _Turns, number: int, *, refused: bool) -> None:
        _say(event="opened")
        fault = _fault_of(self.link, number)
        server = _Pipe(self.link, fault, self.narrow, passed=turns.server)
        await client.made.wait()
        try:
            if refused:
                return
            with contextlib.suppress(OSError):
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: server, HOST, self.target_port)
                client.other, server.other = server, client
                client.send_due()
                server.send_due()
                await client.ended.wait()
                await server.ended.wait()
        finally:
            client.transport.abort()
            self.open -= 1
            _say(event="closed", octets=server.octets, turns=turns.verbs())


def _fault_of(link: Link, number: int) -> _Fault | None:
    return _Fault(link, number) if link.split or link.cut_after or link.stall_after else None


def _say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def _serve(target_port: int, link: Link) -> None:
    loop = asyncio.get_running_loop()
    listener = _Listener(target_port, link)
    server = await loop.create_server(listener.accept, HOST, 0)
    _say(port=server.sockets[0].getsockname()[1])
    ended = asyncio.Event()

    def obey() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(listener.aim, int(line))
        loop.call_soon_threadsafe(ended.set)  # the parent's end of this pipe closes with the parent

    threading.Thread(target=obey, daemon=True).start()
    await ended.wait()
    server.close()
    for task in list(listener.tasks):
        task.cancel()
    await asyncio.gather(*listener.tasks, return_exceptions=True)


def main() -> None:
    """Run the relay until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target_port", type=int)
    parser.add_argument("link", type=json.loads, help=", ".join(f.name for f in fields(Link)))
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.target_port, Link(**arguments.link)))


if __name__ == "__main__":
    main()
