"""How soon the explorer answers: `python -m tests.bench.bench_widgets [COUNT …]`.

For each size of mailbox and each kind of filter, the kernel's time from the change of a filter to
the new count, and to the new table page and charts; medians of several changes that no mask is kept
for. Beside them the time of the same question as the line of pandas that the explorer writes:
seconds depend on the machine, their ratio much less.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import pandas as pd

import mailframe as mf
from tests.widgets.frames import make

SIZES = (10_000, 100_000, 1_000_000)
PROMISES = {"count": 100, "screen": 300}  # milliseconds at a million
CHANGES: dict[str, list[dict[str, Any]]] = {
    "a word, typed on": [{"search": "bud"}, {"search": "budg"}, {"search": "budget plan"}],
    "a regular expression": [
        {"search": f"/(plan|{word}) #?\\d/"} for word in ("not", "rev", "inv")
    ],
    "a sender": [{"sender": name} for name in ("ann", "bob", "person12@")],
    "a recipient": [{"recipient": name} for name in ("person1@", "person2@", "person3@")],
    "folders": [{"folders": [name]} for name in ("INBOX", "Sent", "Lists/dev")],
    "a period": [{"since": f"202{n}-03-01", "before": f"202{n}-09-01"} for n in (1, 2, 3)],
    "hours": [{"hours": [n, n + 1]} for n in (8, 12, 16)],
    "sizes": [{"larger": 1000 * n, "smaller": 9000 * n} for n in (1, 2, 3)],
    "six terms at once": [
        {"search": f'from:{name} subject:"plan" before:2024-05 larger:1k is:unread -list:dev'}
        for name in ("chloe", "farid", "grace")
    ],
}


def main(sizes: list[int]) -> None:
    """Measure, and print a table for each size."""
    for size in sizes:
        df = make(size)
        started = time.perf_counter()
        explorer = mf.explore(df)
        print(f"\n{size:,} messages; explorer made in {time.perf_counter() - started:.2f} s")
        print(f"{'':24}{'count':>8}{'screen':>8}{'pandas':>8}   milliseconds")
        _ask(explorer, {"recipient": "nobody", "search": "nothing"})  # columns laid out, once
        for name, changes in CHANGES.items():
            told = [_ask(explorer, change) for change in changes]
            count, screen, pandas = (
                statistics.median(column) for column in zip(*told, strict=True)
            )
            kept = " " if size < SIZES[-1] or _kept(count, screen) else "  over what is promised"
            print(f"{name:24}{count:8.0f}{screen:8.0f}{pandas:8.0f}{kept}")


def _ask(explorer: mf.Explorer, change: dict[str, Any]) -> tuple[float, float, float]:
    """Milliseconds to the count, to the screen, and of the same in pandas, from no filter on."""
    explorer.reset()
    stamps: list[float] = []

    def note(_change: object) -> None:
        stamps.append(time.perf_counter())

    explorer.observe(note, "query")
    started = time.perf_counter()
    explorer.set(**change)
    # What a browser would ask for next.
    explorer._table.request = {"draw": started, "length": 12, "column": "date"}
    ended = time.perf_counter()
    explorer.unobserve(note, "query")
    line = compile(explorer.query, "query", "eval")
    before = time.perf_counter()
    found = eval(line, {"df": explorer._columns.df, "pd": pd})
    after = time.perf_counter()
    assert len(found) == explorer.count
    return 1000 * (stamps[0] - started), 1000 * (ended - started), 1000 * (after - before)


def _kept(count: float, screen: float) -> bool:
    return count <= PROMISES["count"] and screen <= PROMISES["screen"]


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
