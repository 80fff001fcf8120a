"""Charts say what they count: copies, partial periods, and what is too far away to be drawn."""

from __future__ import annotations

import pandas as pd
import pytest

import mailframe as mf
from mailframe.widgets.dashboard import contents
from tests.stats.letters import frame, mail

DAY = 24 * 60
MAIL = frame(*(mail(f"m{n}", "bob", "me", n * DAY) for n in range(300)))


def bars(found):
    return {row["label"]: row["n"] for row in found if row["n"]}


@pytest.mark.parametrize("where", ["explorer", "dashboard"])
def test_the_first_and_the_last_period_are_marked(where):
    if where == "explorer":
        rows = mf.explore(MAIL, tz="UTC")._charts.rows["volume"]
    else:
        rows = contents(MAIL, tz="UTC").cube["rows"]["volume"]
    marked = [row["label"] for row in rows if row["whole"] != "yes"]
    assert marked == ["week of 03 Jun 2024", "week of 24 Mar 2025"]
    assert sum(bars(rows).values()) == 300
    assert [str(week)[:10] for week in MAIL.mail.volume("W", tz="UTC").attrs["partial"]] == [
        "2024-06-03",
        "2025-03-24",
    ]


def test_what_is_too_far_away_to_be_drawn_is_counted():
    many = pd.concat([MAIL] * 4 + [frame(mail("old", "bob", "me", -20 * 365 * DAY))])
    figure = contents(many, tz="UTC").figures[0]
    assert figure.title == "Messages a week, 1 far earlier or later left out"
    assert contents(MAIL, tz="UTC").figures[0].title == "Messages a week"


def test_an_impossible_date_stretches_no_chart():
    date = pd.Timestamp("9999-01-01", tz="UTC")
    odd = pd.concat([MAIL, frame(mail("odd", "bob", "me") | {"date": date})])
    shown = contents(odd, tz="UTC")
    assert shown.figures[0].title == "Messages a week"
    assert ("1", "message with an impossible date, by arrival") in shown.numbers
    assert sum(bars(shown.cube["rows"]["volume"]).values()) == 301


def test_a_dashboard_says_that_its_charts_count_copies():
    assert "every folder" not in contents(MAIL, tz="UTC").period
    copies = pd.concat([MAIL, MAIL.head(5).assign(folder="Archive")], ignore_index=True)
    shown = contents(copies, tz="UTC")
    assert shown.period.endswith("the charts count a mail in every folder that it lies in")
    assert shown.numbers[0] == ("300", "messages (305 with copies)")
