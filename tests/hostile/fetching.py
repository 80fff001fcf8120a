"""How the tests of this room fetch and what they expect: one call, one comparison.

Every fetch is bounded in time, and must leave neither a task nor a connection behind, whether it
ends in a frame or in an error.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mailframe as mf
from mailframe.ground.uidset import UidSet
from mailframe.imap.limits import Limits
from tests.servers.scripted import PASSWORD, Scripted

if TYPE_CHECKING:
    import pandas as pd

MEBIBYTE = 1 << 20

# The waits of the real ones would make these tests long.
QUICK = Limits(first_wait=0.02, longest_wait=0.2, silence=1.0, connect=2.0)


async def fetched(server: Scripted, *, within: float = 20.0, account=None, **options):
    """The frame, by an asyncio caller; no task of ours is left when it is there."""
    options = {
        "password": PASSWORD,
        "errors": "ignore",
        "progress": False,
        "limits": QUICK,
    } | options
    try:
        async with asyncio.timeout(within):
            return await mf.aread_imap(account or server.url, **options)
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left behind: {left}"


def fetch(server: Scripted, **options) -> pd.DataFrame:
    """``read_imap(server.url)``, checked for what it leaves behind."""
    try:
        return asyncio.run(fetched(server, **options))
    finally:
        assert_hung_up(server)


def assert_hung_up(server: Scripted) -> None:
    patience = time.monotonic() + 3
    while server.open and time.monotonic() < patience:
        time.sleep(0.01)
    assert server.open == 0, "connections left open"


def expected_rows(server: Scripted, *, but: set[tuple[str, int]] = frozenset()) -> list[tuple]:
    """(folder, UID, subject, size, seen) of every message, in the frame's order, ``but`` some."""
    return sorted(
        (readable(folder.name), m.uid, f"{folder.name} {m.uid}", m.size, "\\Seen" in m.flags)
        for folder in server.folders.values()
        for m in folder.messages
        if (readable(folder.name), m.uid) not in but
    )


def readable(name: str) -> str:
    return {"Entw&APw-rfe": "Entwürfe"}.get(name, name)


def rows(frame: pd.DataFrame) -> list[tuple]:
    columns = [frame[name].tolist() for name in ("folder", "uid", "subject", "size", "seen")]
    return list(zip(*columns, strict=True))


def assert_complete(frame: pd.DataFrame, server: Scripted) -> None:
    """Every message is there, once, with its values; nothing is reported as lost."""
    assert rows(frame) == expected_rows(server)
    assert problems(frame) == []


def assert_lost(frame: pd.DataFrame, server: Scripted, *lost: tuple[str, int]) -> None:
    """Exactly ``lost`` is missing, and the report says so."""
    assert rows(frame) == expected_rows(server, but=set(lost))
    assert sorted(problems(frame)) == sorted(lost)


def report(frame: pd.DataFrame) -> dict:
    return frame.attrs["mailframe"]


def problems(frame: pd.DataFrame) -> list[tuple[str, int | None]]:
    """(folder, UID) of everything reported as lost; UID None where the whole folder is."""
    return [
        (problem["folder"], uid)
        for problem in report(frame)["problems"]
        for uid in (UidSet.parse(problem["uids"].encode()) if problem["uids"] else [None])
    ]


@contextmanager
def memory_growth_below(limit: int):
    """The process may not grow by more than ``limit`` octets at its worst moment."""
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back
    before = resident("VmRSS")
    yield
    growth = resident("VmHWM") - before
    assert growth < limit, f"grew by {growth / MEBIBYTE:.0f} MiB"


def resident(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
