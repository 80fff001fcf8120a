"""Days, weekdays and hours belong to a zone: the one asked for, or the reader's own."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mailframe as mf
from mailframe.errors import ConfigurationError
from mailframe.widgets import dashboard
from tests.search.test_language import ASKED
from tests.widgets.frames import make

ZURICH = "Europe/Zurich"
MAIL = make(600)
# Thursday there for the first, still Wednesday for the second, and Wednesday in UTC for both.
TWO = make(2).assign(
    **dict.fromkeys(
        ("date", "internaldate"),
        pd.to_datetime(["2024-05-01T22:30:00Z", "2024-05-01T21:59:59Z"]).as_unit("us"),
    )
)


def explored(**asked):
    return mf.explore(TWO, tz=ZURICH, **asked)


def again(explorer, df):
    return eval(explorer.query, {"df": df, "pd": pd})


@pytest.mark.parametrize(
    "asked",
    [
        {"search": "on:2024-05-02"},
        {"search": "since:2024-05-02 before:2024-05-03"},
        {"search": "weekday:thu hour:0"},
        {"since": "2024-05-02"},
        {"weekdays": [3]},
        {"hours": [0]},
    ],
)
def test_every_filter_on_time_is_told_in_the_zone(asked):
    explorer = explored(**asked)
    assert list(explorer.data.index) == [0]
    assert again(explorer, TWO).equals(explorer.data)


def test_charts_and_table_name_the_zone_they_are_told_in():
    explorer = explored()
    names = [figure["title"] for figure in explorer._charts.figures]
    assert "Weekday and hour, Zurich" in names
    filled = [row for row in explorer._charts.rows["clock"] if row["n"]]
    assert [(row["weekday"], row["hour"]) for row in filled] == [("Wed", 23), ("Thu", 0)]
    explorer._table.request = {"draw": 1, "column": "date", "descending": True}
    assert [row[1] for row in explorer._table.page["rows"]] == [
        "2024-05-02 00:30",
        "2024-05-01 23:59",
    ]
    assert "Date, Zurich" in str(explorer._table.get_state())
    explorer._table.opened = 0
    assert "2024-05-02 00:30 CEST" in explorer._message.html


def test_a_brush_over_a_day_takes_the_day_of_the_zone():
    explorer = explored()
    day = next(
        row for row in explorer._charts.rows["volume"] if row["label"].startswith("Thu 02 May")
    )
    assert day["n"] == 1
    value = {end: day[end] for end in ("start", "end")}
    explorer._charts.gesture = {"chart": "volume", "value": value, "serial": 1}
    assert list(explorer.data.index) == [0]
    assert explorer.since == pd.Timestamp("2024-05-02", tz=ZURICH)
    assert [row["on"] for row in explorer._charts.rows["volume"] if row["n"]] == [False, True]


def test_dashboard_and_report_count_in_the_zone(tmp_path):
    shown = dashboard.contents(TWO, tz=ZURICH)
    assert shown.period == "01 May 2024 to 02 May 2024"
    filled = [row for row in shown.cube["rows"]["clock"] if row["n"]]
    assert [(row["weekday"], row["hour"]) for row in filled] == [("Wed", 23), ("Thu", 0)]
    page = mf.report(TWO, tmp_path / "mail.html", tz=ZURICH).read_text()
    assert '"Weekday and hour, Zurich"' in page
    assert f"weekday and hour of the day, {ZURICH}." in page


def test_utc_is_called_so_under_all_its_names():
    explorer = mf.explore(TWO, tz="Etc/UTC", hours=[22])
    assert explorer.query == "df[df.mail.when().dt.hour.isin([22])]"


def test_without_a_word_it_is_the_readers_own_zone(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    explorer = mf.explore(TWO)
    assert str(explorer.scope.zone) == "Asia/Tokyo"
    assert {row["hour"] for row in explorer._charts.rows["clock"] if row["n"]} == {6, 7}


@pytest.mark.parametrize("name", ["Mars/Phobos", "sender"])
def test_what_is_no_zone_for_all_messages_is_told(name):
    with pytest.raises(ConfigurationError, match="Europe/Berlin"):
        mf.explore(TWO, tz=name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ASKED, st.sampled_from([ZURICH, "America/St_Johns", "Pacific/Kiritimati", "UTC"]))
def test_any_filters_give_the_data_that_the_query_gives_in_any_zone(asked, zone):
    explorer = mf.explore(MAIL, tz=zone, **asked)
    assert again(explorer, MAIL).equals(explorer.data)
