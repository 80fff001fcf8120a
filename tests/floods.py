"""Floods: a piece of text again and again, to find what costs more than its octets.

Which floods are the worst is found by trying a little of each. What is linear then costs eight
times as much for eight times as many octets, what is quadratic sixty-four times; and a megabyte
takes it a second or two, not minutes or hours. Time is processor time everywhere.
"""

import gc
import signal
from contextlib import contextmanager
from time import process_time

import pytest

MEGABYTE = 1 << 20
SAMPLE = 1 << 14
ALARM = 60  # seconds of processor time
SUSPECTS = 5
GROWTH = 8
LEAST = 0.001  # seconds: below it a cost is noise


@contextmanager
def alarm(seconds=ALARM):
    """Fail a test that works on and on."""

    def ring(*_):
        pytest.fail(f"no end within {seconds} seconds of processor time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def flood(opening, seed, ending, octets):
    """Write ``seed`` again and again, between an opening and an ending."""
    return opening + seed * (octets // len(seed)) + ending


def worst(work, floods):
    """Find the floods that cost most at 16 KB; let them grow, and feed the worst one at 1 MB.

    ``floods`` are triples of an opening, what is repeated, and an ending.
    """
    costs = {each: cost(work, flood(*each, SAMPLE)) for each in floods}
    suspects = sorted(costs, key=costs.__getitem__)[-SUSPECTS:]
    for each in suspects:
        growth = min(_growth(work, each) for _ in range(2))  # one may be disturbed
        assert growth < GROWTH**1.7, f"{each!r} costs {growth:.0f} times as much"
    work(flood(*suspects[-1], MEGABYTE))


def _growth(work, each):
    before = cost(work, flood(*each, SAMPLE))
    return cost(work, flood(*each, GROWTH * SAMPLE)) / max(before, LEAST)


def cost(work, argument):
    """Give the seconds of processor time that work on something takes.

    Without the garbage collector, which looks through what other tests have left behind as well.
    """
    collecting = gc.isenabled()
    gc.disable()
    started = process_time()
    try:
        work(argument)
        return process_time() - started
    finally:
        if collecting:
            gc.enable()
