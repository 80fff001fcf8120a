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

ME = "me@example.org"
NOW = dt.datetime(2024, 1, 11, tzinfo=dt.UTC)


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
