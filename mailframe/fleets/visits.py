"""One account brought up to date: what a worker runs.

A task carries the address and the name of a source of passwords, which is asked here; nothing
secret travels. What goes wrong is told in the summary that comes back, and raises nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.errors import (
    AuthenticationError,
    ConfigurationError,
    MailframeError,
    ThrottledError,
)
from mailframe.fleets import credentials
from mailframe.fleets.order import OK, Member
from mailframe.ground.sync import run
from mailframe.readers.archive import keep_local
from mailframe.readers.entry import Entry, enter
from mailframe.readers.server import open_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds that a worker waits for its turn at a host before it does something else.
_TURN = 30.0


@dataclass(frozen=True)
class Task:
    """What a worker is told of one visit: nothing secret, and no mail.

    Parameters
    ----------
    connections : int
        Sessions of this account at most.
    at_host : int
        Visits at its host at a time.
    """

    member: Member
    root: str
    connections: int
    at_host: int
    attempt: int


def visit(task: Task) -> dict[str, Any]:
    """Bring one account up to date and tell how it went; what a worker runs. Raises nothing."""
    started = time.monotonic()
    told: dict[str, Any] = {"account": task.member.source, "status": OK}
    try:
        if task.member.is_remote:
            entry = _entered(task.member)
            told |= {"account": entry.account.name, "host": entry.account.host}
            with _turn(entry.account.host, task.at_host):
                told |= run(_refresh(task, entry))
        else:
            told |= keep_local(Path(task.root), task.member.source)
    except Exception as error:  # noqa: BLE001 -- one account's failure stops nothing
        told |= failure(error)
    return summary(task, told, started)


async def avisit(task: Task, hosts: dict[str, asyncio.Semaphore]) -> dict[str, Any]:
    """Do the same in this process's own loop."""
    started = time.monotonic()
    told: dict[str, Any] = {"account": task.member.source, "status": OK}
    try:
        if task.member.is_remote:
            entry = await asyncio.to_thread(_entered, task.member)
            told |= {"account": entry.account.name, "host": entry.account.host}
            turns = hosts.setdefault(entry.account.host, asyncio.Semaphore(task.at_host))
            async with turns:
                told |= await _refresh(task, entry)
        else:
            told |= await asyncio.to_thread(keep_local, Path(task.root), task.member.source)
    except Exception as error:  # noqa: BLE001 -- as above
        told |= failure(error)
    return summary(task, told, started)


def _entered(member: Member) -> Entry:
    """Find an account's server and its password."""
    entry = enter(member.source)
    account = replace(entry.account, login=member.login)
    return replace(entry, account=credentials.let_in(account, member.credentials))


async def _refresh(task: Task, entry: Entry) -> dict[str, Any]:
    stream = open_stream(
        entry, store=task.root, connections=task.connections, errors="ignore", progress=False
    )
    await stream.refresh()
    report = stream.report
    told = {name: report["store"][name] for name in ("new", "changed", "expunged")}
    told |= {
        "messages": report["messages"],
        "folders": report["folders"],
        "octets": report["bytes"],
    }
    if problems := report["problems"]:
        first = problems[0]
        told |= {"status": "partial", "problems": len(problems)}
        told |= {"error": first["error"], "text": first["text"]}
    return told


def failure(error: Exception) -> dict[str, Any]:
    """Tell an error in a word; of one that is not ours only its kind, as it may quote anything."""
    status = "failed"
    if isinstance(error, AuthenticationError | ConfigurationError):
        status = "refused"
    elif isinstance(error, ThrottledError):
        status = "throttled"
    known = isinstance(error, MailframeError)
    text = str(error) if known else "an error that is not mailframe's"
    return {"status": status, "error": type(error).__name__, "text": text, "problems": 1}


def summary(task: Task, told: dict[str, Any], started: float) -> dict[str, Any]:
    """Return what the manifest keeps of a visit, as plain JSON types."""
    member = task.member
    return told | {
        "source": member.source,
        "credentials": member.credentials,
        "login": member.login,
        "attempts": task.attempt,
        "seconds": round(time.monotonic() - started, 3),
        "worker": f"{platform.node()}:{os.getpid()}",
        "at": datetime.now(UTC).isoformat(),
    }


@contextlib.contextmanager
def _turn(host: str, visits: int) -> Iterator[None]:
    """Wait for a turn at a host, over the whole cluster."""
    from distributed import Semaphore  # noqa: PLC0415 -- only workers come here

    # Whoever dies gives its turn back after some time: distributed asks its holders to renew it.
    turns: Any = Semaphore(max_leases=visits, name=f"mailframe {host} {visits}")  # type: ignore[no-untyped-call]
    if not turns.acquire(timeout=_TURN):
        raise ThrottledError(f"{host} was busy with the other accounts of this fleet")
    try:
        yield
    finally:
        turns.release()
