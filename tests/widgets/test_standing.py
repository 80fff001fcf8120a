"""Charts of habits: what they draw is what the statistics say."""

import json

import pandas as pd
import pytest
import vl_convert

from mailframe.widgets.dashboard import contents
from tests.stats.frames import ME, make_frame

ZONE = "Europe/Zurich"
MAIL = make_frame(3_000, seed=4).assign(
    seen=lambda df: df["seen"] & ~df["list_id"].isin(df["list_id"].dropna().unique()[:2])
)
SHOWN = contents(MAIL, tz=ZONE, me=ME)
ROWS = SHOWN.cube["standing"]


def test_each_habit_that_a_mailbox_has_is_a_chart():
    assert list(ROWS) == ["trend", "answered", "backlog", "after_hours", "never_read"]
    names = [figure.name for figure in SHOWN.figures]
    assert names[-len(ROWS) :] == list(ROWS)
    assert not set(ROWS) & set(SHOWN.cube["names"])
    assert contents(MAIL.head(0)).cube["standing"] == {}


def test_the_trend_hatches_what_is_not_whole():
    table = MAIL.mail.trend("M", tz=ZONE).tail(len(ROWS["trend"]))
    assert [row["n"] for row in ROWS["trend"]] == table["messages"].tolist()
    assert [row["partial"] for row in ROWS["trend"]] == table["partial"].tolist()
    layers = next(f for f in SHOWN.figures if f.name == "trend").spec["layer"]
    assert [layer["mark"].get("fill") for layer in layers] == [None, "url(#mf-hatched)"]


def test_shares_are_of_all_that_asked():
    row = MAIL.mail.answered(me=ME).loc["all"]
    drawn = {one["label"]: one["share"] for one in ROWS["answered"]}
    assert drawn["within a day"] == row["within_1D"]
    assert drawn["by now"] == row["share"]
    assert f"({row['answered']:,.0f} of {row['asked']:,.0f})" in ROWS["answered"][-1]["told"]


def test_the_backlog_ends_with_the_mail_and_written_hours_add_up():
    table = MAIL.mail.backlog(me=ME, tz=ZONE)["open"]
    for row in ROWS["backlog"]:
        assert table[pd.Timestamp(row["day"], unit="ms")] == row["n"]
    last = pd.Timestamp(ROWS["backlog"][-1]["day"], unit="ms")
    assert last == MAIL.mail.when().max().tz_convert(ZONE).tz_localize(None).normalize()
    office = MAIL.mail.after_hours(me=ME, tz=ZONE)
    shares = [row["share"] for row in ROWS["after_hours"]]
    assert shares[1:3] == office.loc["mine", ["after_hours", "days_off"]].tolist()
    assert sum(shares) == pytest.approx(2)


def test_lists_never_read_are_those_of_which_nothing_is_read():
    table = MAIL.mail.lists()
    unread = table[(table["read"] == 0) & (table["messages"] >= 3)]
    assert [row["label"] for row in ROWS["never_read"]] == unread.index[:10].tolist()


@pytest.mark.parametrize("name", list(ROWS))
def test_a_chart_can_be_drawn(name):
    figure = next(figure for figure in SHOWN.figures if figure.name == name)
    spec = {**figure.spec, "width": 500, "data": {"name": "rows", "values": ROWS[name]}}
    assert vl_convert.vegalite_to_svg(json.dumps(spec)).startswith("<svg")
