"""Shares of all that asked, medians with open questions, open questions by day: worked by hand."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError
from mailframe.stats.answers import kaplan_meier, wilson
from mailframe.stats.office import Office

ME = "me@example.org"
NOW = dt.datetime(2024, 1, 11, tzinfo=dt.UTC)
UNIT = pd.date_range("2024", periods=1, freq="min", tz="UTC").asi8[0] // 1_704_067_200_000_000


def frame(*mails):
    """Give a frame of mails: id, sender, recipient, hours after 2024-01-01, what it answers."""
    rows = [
        {
            "message_id": name,
            "from_addr": sender,
            "from_name": None,
            "from_domain": sender.partition("@")[2],
            "to": [to],
            "cc": [],
            "date": pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(hours=hours),
            "in_reply_to": above,
            "references": [above] if above else [],
            "subject": "Plan",
            "folder": "INBOX",
            "answered": False,
        }
        for name, sender, to, hours, above in mails
    ]
    return pd.DataFrame(rows).assign(date=lambda df: df["date"].astype("datetime64[us, UTC]"))


# Five questions: answered after 1 h, 3 h and 30 h; two open, one of them for 2 h only.
FIVE = frame(
    ("q1", "ann@example.net", ME, 0, None),
    ("a1", ME, "ann@example.net", 1, "q1"),
    ("q2", "ann@example.net", ME, 24, None),
    ("a2", ME, "ann@example.net", 27, "q2"),
    ("q3", "bob@example.com", ME, 48, None),
    ("a3", ME, "bob@example.com", 78, "q3"),
    ("q4", "bob@example.com", ME, 72, None),
    ("q5", "bob@example.com", ME, 238, None),
)


def test_shares_are_of_all_that_asked_long_enough_ago():
    row = FIVE.mail.answered(me=ME, now=NOW).loc["all"]
    assert row[["asked", "answered", "untimed"]].tolist() == [5, 3, 0]
    assert row["share"] == pytest.approx(3 / 5)
    # What came two hours ago says nothing of four hours, but was not answered within one.
    assert row[["n_1h", "n_4h", "n_1D", "n_7D"]].tolist() == [5, 4, 4, 4]
    shares = row[["within_1h", "within_4h", "within_1D", "within_7D"]].tolist()
    assert shares == pytest.approx([1 / 5, 2 / 4, 2 / 4, 3 / 4])
    # Left after 1 h: 4/5; 2 h: one open question less to come; after 3 h: 4/5 * 2/3 = 8/15; after
    # 30 h: 8/15 * 1/2 = 4/15, the first below a half.
    assert row["median_hours"] == 30


def test_by_person_hour_weekday_and_conversation():
    people = FIVE.mail.answered("person", me=ME, now=NOW)
    assert people["answered"].to_dict() == {"bob@example.com": 1, "ann@example.net": 2}
    hours = FIVE.mail.answered("hour", me=ME, now=NOW, tz="Asia/Tokyo")["asked"]
    assert hours[hours > 0].to_dict() == {7: 1, 9: 4}
    days = FIVE.mail.answered("weekday", me=ME, now=NOW, tz="UTC")["asked"]
    assert days.tolist() == [1, 1, 2, 1, 0, 0, 0]
    again = pd.concat(
        [FIVE, frame(("q6", "ann@example.net", ME, 30, "a2"), ("q7", "x@example.net", ME, 1, None))]
    )
    mails, talks = (
        again.mail.answered(me=ME, now=NOW, per=per) for per in ("mail", "conversation")
    )
    assert mails.loc["all", ["asked", "answered"]].tolist() == [7, 3]
    assert talks.loc["all", ["asked", "answered"]].tolist() == [6, 3]
    with pytest.raises(ConfigurationError, match="'conversation'"):
        FIVE.mail.answered(me=ME, per="thread")
    with pytest.raises(ConfigurationError, match="4h"):
        FIVE.mail.answered(me=ME, within=["soon"])


def test_the_backlog_is_what_came_less_what_was_answered():
    table = FIVE.mail.backlog(me=ME, now=NOW, tz="UTC")
    assert table["open"].tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2]
    assert table["asked"].sum() - table["answered"].sum() == table["open"].iloc[-1]
    assert str(table.index[0].date()) == "2024-01-01"


def test_kaplan_meier_agrees_with_the_definition_and_wilson_with_tables():
    rng = np.random.default_rng(2)
    hours, done = rng.integers(1, 30, 200).astype(float), rng.random(200) < 0.6
    left, median = 1.0, math.nan
    for time in sorted(set(hours[done])):
        left *= 1 - ((hours == time) & done).sum() / (hours >= time).sum()
        if left <= 0.5:
            median = time
            break
    assert kaplan_meier(hours, done) == median
    assert math.isnan(kaplan_meier(hours, np.zeros(200, bool)))
    low, high = wilson(np.array([8]), np.array([10]))
    assert (low[0], high[0]) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_work_outside_of_hours_is_told_from_days_off():
    table = FIVE.mail.after_hours(me=ME, tz="UTC", hours=(1, 17))
    # Mine: Monday 01:00, Tuesday 03:00, Thursday 06:00; theirs at midnight, and one at 22:00.
    assert table.loc["mine", ["messages", "after_hours", "days_off"]].tolist() == [3, 0, 0]
    assert table.loc["theirs", ["messages", "after_hours", "days_off"]].tolist() == [5, 1, 0]
    off = FIVE.mail.after_hours(me=ME, tz="UTC", holidays=["2024-01-01"])
    assert off.loc["mine", "days_off"] == pytest.approx(1 / 3)


def test_a_trend_compares_with_the_period_before_and_marks_what_is_not_whole():
    table = FIVE.mail.trend("D", tz="UTC")
    assert table["messages"].tolist() == [2, 2, 1, 2, 0, 0, 0, 0, 0, 1]
    assert table["change"].tolist()[1:5] == [0, -0.5, 1, -1]
    assert table["partial"].tolist() == [True, *[False] * 8, True]


def test_a_country_has_its_holidays():
    pytest.importorskip("holidays")
    table = FIVE.mail.after_hours(me=ME, tz="UTC", holidays="CH")
    assert table.loc["mine", "days_off"] == pytest.approx(1 / 3)  # New Year's Day
    with pytest.raises(ConfigurationError, match="no holidays are known"):
        FIVE.mail.after_hours(me=ME, tz="UTC", holidays="XX")


def test_a_weekday_has_its_own_hours_and_leave_has_none():
    # Mine: Monday 01:00, Tuesday 03:00, Thursday 06:00 of the first week of 2024.
    hours = {0: (1, 2), 1: (3.5, 4), 3: (0, 7)}
    table = FIVE.mail.after_hours(me=ME, tz="UTC", hours=hours)
    assert table.loc["mine", ["after_hours", "days_off"]].tolist() == pytest.approx([1 / 3, 0])
    off = FIVE.mail.after_hours(me=ME, tz="UTC", holidays=["2024-01-02/2024-01-04"], hours=hours)
    assert off.loc["mine", ["after_hours", "days_off"]].tolist() == pytest.approx([0, 2 / 3])
    with pytest.raises(ConfigurationError, match="0 is Monday"):
        FIVE.mail.after_hours(me=ME, hours={7: (1, 2)})


def test_business_hours_are_those_of_a_loop_over_minutes():
    rng = np.random.default_rng(4)
    hours = {0: (9, 17), 1: (8, 12.5), 4: (13, 24), 6: (0, 1)}
    office = Office(hours=hours, holidays=["2024-01-08", "2024-01-19/2024-01-23"], tz="UTC")
    first = pd.Timestamp("2024-01-01", tz="UTC")
    off = {dt.date(2024, 1, 8), *(dt.date(2024, 1, day) for day in range(19, 24))}
    minutes = pd.date_range(first, periods=30 * 1440, freq="min")
    open_ = np.array(
        [
            moment.date() not in off
            and moment.weekday() in hours
            and hours[moment.weekday()][0]
            <= moment.hour + moment.minute / 60
            < hours[moment.weekday()][1]
            for moment in minutes
        ]
    )
    start, end = np.sort(rng.integers(0, len(minutes), (2, 200)), axis=0)
    told = office.between(*(minutes.asi8[at] // UNIT for at in (start, end))) / 60_000_000
    assert told.tolist() == [open_[a:b].sum() for a, b in zip(start, end, strict=True)]
    assert office.is_open(minutes.asi8 // UNIT).tolist() == open_.tolist()


def test_an_unusual_month_is_a_burst_or_a_lull_and_an_unfinished_one_is_neither():
    counts = [1, 10, 11, 9, 10, 60, 12, 8, 0, 10, 1]
    rows = [
        (f"{month}-{number}", "a@example.net", ME, 744 * month + 24, None)
        for month, count in enumerate(counts)
        for number in range(count)
    ]
    table = frame(*rows).mail.trend("M", tz="UTC")
    assert table["messages"].tolist() == counts
    # Median of the whole months 10, median deviation 1: z of 60 is 33.7, of 0 is -6.7.
    said = table["unusual"].astype(object).where(table["unusual"].notna(), None).tolist()
    assert said == [None] * 5 + ["burst", None, None, "lull", None, None]
    assert table["z"].iloc[5] == pytest.approx(50 / 1.4826)


def test_mail_is_personal_of_a_list_or_of_a_machine():
    df = frame(
        ("p", "ann@example.net", ME, 0, None),
        ("p", "ann@example.net", ME, 0, None),
        ("l", "ann@example.net", "l@example.net", 800, None),
        ("m", "no-reply@example.net", ME, 800, None),
        ("b", "ci@example.net", "l@example.net", 1600, None),
        ("s", ME, "ann@example.net", 5, None),
    ).assign(
        list_id=[None, None, "l.example", None, "l.example", None],
        auto=[False, False, False, False, True, False],
        seen=[False, True, False, True, False, True],
    )
    table = df.mail.kinds(me=ME)
    assert table["messages"].to_dict() == {"personal": 1, "list": 1, "machine": 2}
    assert table["share"].tolist() == [0.25, 0.25, 0.5]
    assert table["read"].tolist() == [1, 0, 0.5]
    months = df.mail.kinds("M", me=ME, tz="UTC")
    assert months.to_numpy().tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
