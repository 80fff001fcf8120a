"""Response times on the mailbox worked out by hand, and the business clock."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError
from mailframe.stats.office import Office
from tests.stats.mailbox import hand_mailbox

DF = hand_mailbox()
HOUR = 3_600_000_000


def micros(*moments):
    return pd.DatetimeIndex(moments).to_numpy("datetime64[us]").view(np.int64)


def business(start, end, **options):
    office = Office(**{"tz": "UTC", **options})
    return (office.between(micros(start), micros(end)) / HOUR).tolist()[0]


def test_every_reply_is_timed_on_both_clocks():
    table = DF.mail.response_times(tz="UTC")
    seen = table[["direction", "person", "hours", "business_hours"]].astype(object)
    seen = seen.where(seen.notna(), None).to_numpy().tolist()
    assert dict(zip(table.index, seen, strict=True)) == {
        1: ["theirs", "bob@example.net", 25.0, 9.0],  # Mon 9 h to Tue 10 h: 8 + 1
        4: ["theirs", "cara@example.com", 26.0, 10.0],  # Mon 10 h to Tue 12 h: 7 + 3
        11: ["mine", "bob@example.net", 1.0, None],  # Mon 8 h to 9 h: before opening
        12: ["mine", "bob@example.net", 25.0, 9.0],  # Tue 10 h to Wed 11 h
        14: ["mine", "cara@example.com", 67.0, 3.0],  # Fri 16 h to Mon 11 h: 1 + 2
    }
    assert table["first"].all()
    assert table.index.name == "message"
    assert table.attrs["me"]["source"] == "guessed from Sent"


def test_what_others_answer_one_another_is_not_counted():
    assert 7 not in DF.mail.response_times().index


def test_only_the_first_answer_to_a_message_is_a_first():
    df = DF.copy()
    df.loc[15, "in_reply_to"] = "b1@id"
    df["references"] = df["references"].map(lambda _: [])
    table = df.mail.response_times()
    assert table.loc[[11, 15], "first"].tolist() == [True, False]
    assert df.mail.response_summary()["replies"].sum() == 3


def test_a_reply_dated_before_its_question_is_listed_and_not_timed():
    df = DF.copy()
    df.loc[11, "date"] -= pd.Timedelta("7D")
    reply = df.mail.response_times().loc[11]
    assert pd.isna(reply["hours"])
    assert pd.isna(reply["business_hours"])


def test_summary_by_person_counts_what_is_unanswered_apart():
    table = DF.mail.response_summary(quantiles=(0.5,), tz="UTC")
    assert list(table)[:4] == ["replies", "untimed", "unanswered", "outside"]
    assert table.loc["bob@example.net"].tolist() == [2, 0, 0, 1, 13.0, 9.0]
    assert table.loc["cara@example.com"].tolist() == [1, 0, 2, 0, 67.0, 3.0]
    assert table.loc["eve@example.net", ["replies", "unanswered"]].tolist() == [0, 2]
    assert pd.isna(table.loc["eve@example.net", "hours_50%"])
    assert "bot@ci.example" not in table.index  # a list asks nobody


def test_summary_by_domain_and_period_and_of_the_others():
    by_domain = DF.mail.response_summary("domain")
    assert by_domain.loc["example.net", ["replies", "unanswered"]].tolist() == [2, 3]
    by_month = DF.mail.response_summary("M", tz="UTC")
    assert by_month["replies"].tolist() == [3, 0]
    assert by_month["unanswered"].tolist() == [2, 2]  # Dan's undated mail is in no month
    theirs = DF.mail.response_summary(direction="theirs", quantiles=(0.5,))
    assert theirs["hours_50%"].to_dict() == {"bob@example.net": 25.0, "cara@example.com": 26.0}
    assert "unanswered" not in theirs


def test_summary_refuses_what_it_does_not_know():
    with pytest.raises(ConfigurationError, match="by='planet'"):
        DF.mail.response_summary("planet")
    with pytest.raises(ConfigurationError, match="'mine' or 'theirs'"):
        DF.mail.response_summary(direction="both")


def test_awaiting_reply_tells_what_i_owe_and_what_is_owed_to_me():
    table = DF.mail.awaiting_reply(now=dt.datetime(2024, 7, 10, 9, tzinfo=dt.UTC))
    seen = table[["waiting", "person", "age"]].to_numpy().tolist()
    assert dict(zip(table.index, map(tuple, seen), strict=True)) == {
        12: ("owed", "bob@example.net", pd.Timedelta("34D 22h")),
        14: ("owed", "cara@example.com", pd.Timedelta("29D 22h")),
        3: ("owe", "cara@example.com", pd.Timedelta("29D 23:30:00")),
        4: ("owe", "cara@example.com", pd.Timedelta("28D 21h")),
        15: ("owed", "dan@example.net", pd.Timedelta("25D 21h")),
        9: ("owe", "eve@example.net", pd.Timedelta("8D")),
    }
    assert table["age"].is_monotonic_decreasing


def test_mail_that_one_can_unsubscribe_from_asks_for_no_answer():
    column = pd.Series([["https://l.example/u"] if i == 9 else [] for i in DF.index])
    df = DF.assign(list_unsubscribe=column.astype(DF["to"].dtype))
    assert 9 not in df.mail.awaiting_reply().index
    assert df.mail.response_summary().loc["eve@example.net", "unanswered"] == 1


def test_a_flag_says_that_it_was_answered_elsewhere():
    df = DF.copy()
    df.loc[9, "answered"] = True
    assert 9 not in df.mail.awaiting_reply().index


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2024-06-03 09:00", "2024-06-03 17:00", 8),
        ("2024-06-03 07:00", "2024-06-03 08:59", 0),
        ("2024-06-03 16:30", "2024-06-04 09:30", 1),
        ("2024-06-07 17:00", "2024-06-10 09:00", 0),  # a weekend
        ("2024-06-08 12:00", "2024-06-09 12:00", 0),
        ("2024-06-03 00:00", "2024-07-01 00:00", 160),  # four weeks
        ("2023-12-29 16:00", "2024-01-02 10:00", 10),  # over New Year, which is a Monday
        ("1969-12-31 16:00", "1970-01-01 10:00", 2),
    ],
)
def test_the_business_clock_stops_at_the_edges(start, end, hours):
    assert business(start, end) == hours


def test_holidays_and_work_weeks_are_the_callers():
    assert business("2023-12-29 16:00", "2024-01-02 10:00", holidays=["2024-01-01"]) == 2
    sunday_to_thursday = {"days": (6, 0, 1, 2, 3), "hours": (8, 16.5)}
    assert business("2024-06-06 16:00", "2024-06-09 09:00", **sunday_to_thursday) == 1.5


def test_business_hours_are_those_of_the_zone():
    # 9 h in Berlin is 7 h UTC in summer.
    assert business("2024-06-03 06:30", "2024-06-03 08:00", tz="Europe/Berlin") == 1


def test_the_hour_that_clocks_skip_is_no_time():
    # On 31 March 2024, a Sunday, 2 h became 3 h in Berlin: 24 hours on the wall, 23 in truth.
    always = {"days": range(7), "hours": (0, 24), "tz": "Europe/Berlin"}
    assert business("2024-03-30 23:00", "2024-03-31 22:00", **always) == 23


def test_hours_and_days_that_make_no_sense_are_refused():
    with pytest.raises(ConfigurationError, match="no span of a day"):
        DF.mail.response_times(hours=(17, 9))
    with pytest.raises(ConfigurationError, match="no weekdays"):
        DF.mail.response_times(days=(1, 7))


moments = st.integers(-(10**9), 4 * 10**9).map(lambda s: s * 1_000_000)
offices = st.builds(
    Office,
    days=st.sets(st.integers(0, 6), min_size=1),
    hours=st.tuples(st.integers(0, 11), st.integers(12, 24)),
    holidays=st.lists(st.dates(dt.date(1970, 1, 1), dt.date(2030, 1, 1)), max_size=5),
    tz=st.sampled_from(["UTC", "Asia/Kolkata", "Pacific/Auckland"]),
)


@settings(deadline=None)
@given(office=offices, ends=st.tuples(moments, moments))
def test_business_time_is_never_negative_and_never_more_than_time(office, ends):
    start, end = sorted(ends)
    assert 0 <= office.between(np.array([start]), np.array([end]))[0] <= end - start


@settings(deadline=None)
@given(office=offices, ends=st.tuples(moments, moments, moments))
def test_business_time_adds_up(office, ends):
    start, middle, end = map(np.array, [[m] for m in sorted(ends)])
    parts = office.between(start, middle) + office.between(middle, end)
    assert abs(parts - office.between(start, end))[0] <= 2 * HOUR * (office.tz != "UTC")


@settings(deadline=None)
@given(ends=st.tuples(moments, moments))
def test_an_office_that_never_closes_counts_every_hour(ends):
    start, end = sorted(ends)
    always = Office(range(7), (0, 24), (), "UTC")
    assert always.between(np.array([start]), np.array([end]))[0] == end - start
