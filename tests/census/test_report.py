"""A report on a store that no frame should hold shows what one on its frame shows."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import mailframe as mf
from mailframe.widgets import dashboard, large, memory
from tests.store.varied import varied_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return varied_store(tmp_path_factory.mktemp("report") / "store")


def keys(cube, name):
    rows = cube["rows"][name]
    return [
        (str(row.get("key", row.get("label"))), row.get("weekday"), row.get("hour")) for row in rows
    ]


def cells(cube, one, other):
    """Give the counts of two sides crossed, by what they are of: equal counts have no order."""
    flat = []
    for number in cube["pairs"][f"{one} {other}"]:
        flat += [0] * -number if number < 0 else [number]
    counts = np.array(flat).reshape(len(keys(cube, one)), len(keys(cube, other)))
    return {
        (keys(cube, one)[a], keys(cube, other)[b]): int(counts[a, b])
        for a, b in np.argwhere(counts).tolist()
    }


@pytest.mark.parametrize("tz", ["UTC", "Asia/Kathmandu"])
def test_a_store_counted_where_it_lies_shows_what_its_frame_does(store, tz):
    found, expected = large.of_store(store, None, tz), dashboard.contents(store.frame(), None, tz)
    assert (found.title, found.period) == (expected.title, expected.period)
    names = found.cube["names"]
    assert [
        n for n in expected.cube["names"] if n not in {"delays", "threads", "attached"}
    ] == names
    for name in names:
        rows = [
            dict(zip(keys(cube, name), (row["n"] for row in cube["rows"][name]), strict=True))
            for cube in (found.cube, expected.cube)
        ]
        assert rows[0] == rows[1]
    for one, other in combinations(names, 2):
        assert cells(found.cube, one, other) == cells(expected.cube, one, other)
    known = {name: number for number, name in expected.numbers}
    shared = {name: number for number, name in found.numbers if name in known}
    assert shared.items() <= known.items()
    assert {"unread", "senders", "in all", "a day on average"} <= shared.keys()


def test_a_report_is_written_of_a_store_as_of_its_frame_until_it_is_too_large(
    store, tmp_path, monkeypatch
):
    whole = mf.report(store, tmp_path / "whole.html", tz="UTC").read_text("utf-8")
    assert whole == mf.report(store.frame(), tmp_path / "frame.html", tz="UTC").read_text("utf-8")
    monkeypatch.setattr(dashboard, "WHOLE", 100)
    page = mf.report(store, tmp_path / "large.html", tz="UTC").read_text("utf-8")
    assert "667</b> <span>messages, each copy counted" in page
    assert "667 messages" in repr(mf.dashboard(store, tz="UTC"))


def test_a_store_is_explored_until_memory_does_not_hold_it(store, monkeypatch):
    assert len(mf.explore(store, tz="UTC").data) == len(store) == 667
    monkeypatch.setattr(memory, "available", lambda: 667 * memory.OF_A_MESSAGE - 1)
    with pytest.raises(mf.ConfigurationError, match=r"667 messages.*1 MB are free.*mf\.report"):
        mf.explore(store)
