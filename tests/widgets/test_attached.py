"""The chart of what is attached: offered where the frame tells it, and a click is a search."""

import pandas as pd
import pytest

import mailframe as mf
from mailframe.charts import tallies
from mailframe.errors import ConfigurationError
from mailframe.widgets.dashboard import contents
from tests.widgets.frames import make

PLAIN = make(60)
SIZES = [None, 0, 50_000, 100_000, 1_000_001, 20_000_000]


def attached():
    sizes = pd.array([SIZES[row % 6] for row in range(len(PLAIN))], dtype="Int64")
    return PLAIN.assign(attachment_bytes=sizes, attachments=(sizes > 0).astype("Int64"))


def test_the_explorer_offers_it_and_a_click_searches():
    explorer = mf.explore(attached(), tz="UTC")
    explorer.charts = ["attached"]
    rows = explorer._charts.rows["attached"]
    assert [row["n"] for row in rows] == [10, 10, 10, 10, 10]
    for row in rows:
        explorer._charts.gesture = {"chart": "attached", "value": row, "serial": row["key"]}
        assert explorer.search == row["key"]
        assert explorer.count == row["n"]
        assert explorer.problem == ""
        shown = explorer._charts.rows["attached"]
        assert [one["key"] for one in shown if one["on"]] == [row["key"]]
        assert [one["n"] for one in shown] == [10, 10, 10, 10, 10]
        explorer.search = ""


def test_a_frame_that_does_not_tell_is_offered_none():
    explorer = mf.explore(PLAIN, tz="UTC")
    with pytest.raises(ConfigurationError, match="no chart called 'attached'"):
        explorer.charts = ["attached"]


def test_dashboard_and_report_have_it_where_the_frame_tells():
    assert "attached" in contents(attached()).cube["names"]
    assert "attached" not in contents(PLAIN).cube["names"]
    counted = contents(attached()).cube["rows"]["attached"]
    assert [row["label"] for row in counted] == [label for label, _ in tallies.ATTACHED.values()]
    assert sum(row["n"] for row in counted) == 50
