"""Reading several pieces of a store at once, and no more of them than will soon be wanted.

Decoding Parquet leaves the interpreter's lock, so files are read side by side; within one small
file threads cost more than they gain.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
WORKERS = min(4, os.cpu_count() or 1)


def ahead(reads: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Yield what the calls return, in their order; a few are made before their turn.

    An error is raised in its turn.
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(WORKERS, "mailframe-read") as pool:
        try:
            for read in reads:
                waiting.append(pool.submit(read))
                if len(waiting) > WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
