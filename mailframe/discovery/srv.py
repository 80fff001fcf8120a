"""SRV records (RFC 2782) of mail (RFC 6186): which host to take."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailframe.discovery.steps import Security, Server, host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Record:
    """One SRV record."""

    priority: int
    weight: int
    port: int
    target: str


def declined(records: Sequence[Record]) -> bool:
    """Tell whether the domain says that it does not offer this: a sole target of ``.``."""
    return len(records) == 1 and records[0].target.strip(".") == ""


def choose(
    records: Sequence[Record],
    security: Security,
    draw: Callable[[int, int], int] = random.randint,
) -> Server | None:
    """Take one of the records of the best priority, as often as its weight says.

    ``draw`` gives a number from the first to the second, both included.
    """
    usable = [(record, host) for record in records if (host := host_of(record.target))]
    usable = [(record, host) for record, host in usable if record.port]
    if not usable:
        return None
    best = min(record.priority for record, _ in usable)
    # Those without weight come first: they are taken when zero is drawn.
    equals = sorted((one for one in usable if one[0].priority == best), key=lambda o: o[0].weight)
    drawn = draw(0, sum(record.weight for record, _ in equals))
    for record, host in equals:
        drawn -= record.weight
        if drawn <= 0:
            return Server(host, record.port, security)
    raise AssertionError("a number was drawn beyond the sum")
