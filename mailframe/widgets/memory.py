"""A store as a frame, where memory holds it; and a clear word where it does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError
from mailframe.search.values import human_size

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.store.reader import Store

# What a message takes as a row of a frame that an explorer looks at, in octets: 850 were measured
# with one or two addressees and references, and mail has more.
OF_A_MESSAGE = 1_500


def frame_of(store: Store) -> pd.DataFrame:
    """Read all of a store.

    Raises
    ------
    ConfigurationError
        Memory would not hold it, and an explorer beside it.
    """
    messages, free = len(store), available()
    if free is not None and messages * OF_A_MESSAGE > free:
        raise ConfigurationError(
            f"This store holds {messages:,} messages; to explore them wants some"
            f" {human_size(messages * OF_A_MESSAGE)} of memory, and {human_size(free)} are free."
            " Explore a part of it, such as mf.explore(store.frame(accounts=..., since=...)), or"
            " ask store.mail and mf.report(store, path), which count it where it lies."
        )
    return store.frame()


def available() -> int | None:
    """Return how much memory new work may take, in octets; None where nobody tells."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (OSError, ValueError, AttributeError):  # Windows has neither
        return None
