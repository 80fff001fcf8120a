"""Refreshes a store and is killed over it: a helper process of test_safety.

It reads lines from standard input. For each it forks a child that carries out one refresh:
`step N` kills the child at the N-th thing it does to the disk, `after S` kills it S seconds in.
It answers `done` when the child got to its end, else `killed`. Forking happens here because this
process has no threads, and pyarrow is imported only once.
"""

from __future__ import annotations

import io
import itertools
import os
import signal
import sys
import time
from pathlib import Path

from mailframe.ground.uidset import UidSet
from mailframe.store import atomic
from mailframe.store.merge import Answers
from mailframe.store.state import FolderState
from mailframe.store.writer import writing
from tests.store.batches import batch, message
from tests.store.stage import ACCOUNT, DAY, refresh, rows

# Audit events of the calls that change what a directory shows.
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"}

BEFORE = {"INBOX": list(range(1, 31)), "Old": [1, 2, 3]}
AFTER = {"INBOX": [*range(1, 10), *range(20, 41)], "New": [5, 6]}


def change(root):
    """Do everything that a refresh does to a disk, from `BEFORE` to `AFTER`."""
    with writing(root, ACCOUNT) as writer:
        staged = batch([message(uid) for uid in range(31, 36)])
        state = FolderState(ACCOUNT, "INBOX", 1, 41, refreshed="2026-01-02T00:00:00+00:00")
        writer.stage(state, [staged], at=DAY)
        rest = Answers(rows=rows(range(31, 41)).rows, vanished=UidSet.of((10, 19)))
        refresh(writer, "INBOX", rest, day=2)
        refresh(writer, "New", rows([5, 6], folder="New"), day=2)
        writer.forget("Old")


class _Raw(io.FileIO):
    """What lies below Python's buffer: each write is one of the system's."""

    step = staticmethod(lambda: None)

    def write(self, data):
        self.step()
        return super().write(data)


def _changes_the_disk(event, about):
    if event == "open":
        return bool(about[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in _CHANGES


def die_at(last):
    """Have this process killed at its `last`-th step."""
    steps = itertools.count(1)

    def step():
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sync = os.fsync
    os.fsync = lambda descriptor: (step(), sync(descriptor))
    _Raw.step = staticmethod(step)
    atomic.os.fdopen = lambda number, _: io.BufferedWriter(_Raw(number, "wb"))
    sys.addaudithook(lambda event, about: step() if _changes_the_disk(event, about) else None)


def main(root):
    print("ready", flush=True)
    for line in sys.stdin:
        how, number = line.split()
        child = os.fork()
        if not child:
            if how == "step":
                die_at(int(number))
            change(root)
            os._exit(0)
        if how == "after":
            time.sleep(float(number))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
