"""The one-screen summary: what it says, and that strangers' text does nothing in it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import MailframeWarning
from mailframe.stats.describe import bar, fit, hours, octets, spark
from tests.stats.frames import make_frame
from tests.stats.mailbox import hand_mailbox

DF = hand_mailbox()


def test_the_summary_of_the_hand_mailbox():
    text = str(DF.mail.describe(tz="UTC"))
    assert text.splitlines()[:6] == [
        "messages     15 (16 with copies) in 4 folders, 4 unread, 5 sent by you",
        "dates        2024-06-03 to 2024-07-02",
        "size         8.2 kB",
        "you          ann@example.org (guessed from Sent)",
        "threads      8, the longest of 4 messages",
        "you answer   half within 25.0 h, nine of ten within 2.4 days (3 replies)",
    ]
    assert "\n  INBOX                          5.5 kB ████████████████████████\n" in text
    assert "\n  Sent                           1.4 kB █████▉\n" in text


@pytest.mark.parametrize(
    ("tz", "days", "whose"),
    [
        ("Asia/Tokyo", "2024-05-02 to 2024-05-02", "Asia/Tokyo"),
        (dt.timezone(dt.timedelta(hours=-3)), "2024-05-01 to 2024-05-01", "UTC-03:00"),
        ("sender", "2024-04-30 to 2024-05-02", "each sender's own"),
        (None, "2024-05-01 to 2024-05-01", "UTC"),
    ],
)
def test_it_says_whose_days_and_hours_these_are(monkeypatch, tz, days, whose):
    monkeypatch.setenv("TZ", "UTC")
    at = pd.DatetimeIndex(["2024-05-01 16:00", "2024-05-01 20:00"], tz="UTC").as_unit("us")
    df = make_frame(2).assign(
        date=at, internaldate=at, date_offset=pd.array([-17 * 60, 9 * 60], dtype="Int16")
    )
    text = str(df.mail.describe(tz=tz))
    assert f"\ndates        {days}\n" in text
    assert re.search(rf"^by hour .*  0 to 23 h, {re.escape(whose)}$", text, re.MULTILINE)


def test_one_message_is_not_told_as_several():
    assert "\nthreads      1, the longest of 1 message\n" in str(DF.head(1).mail.describe())


def test_it_fits_on_one_screen():
    lines = str(make_frame(5000).mail.describe()).splitlines()
    assert len(lines) <= 48
    assert max(map(len, lines)) <= 80


def test_absurd_dates_do_not_push_the_busy_years_out():
    df = pd.concat([make_frame(500)] + [make_frame(1) for _ in range(20)], ignore_index=True)
    far = [pd.Timestamp(f"{year}-06-01", tz="UTC") for year in range(3000, 3020)]
    df.loc[500:, "date"] = pd.DatetimeIndex(far).as_unit("us")
    text = str(df.mail.describe(tz="UTC"))
    assert all(f"\n  {year}  " in text for year in range(2019, 2024))


def test_who_you_are_may_be_unknown_and_is_then_said():
    lists = DF[DF["folder"] == "Lists/dev"].drop(columns="account")
    with pytest.warns(MailframeWarning, match="pass me="):
        assert "you          unknown\n" in str(lists.mail.describe())


def test_an_empty_mailbox_has_no_messages():
    assert str(DF.iloc[:0].mail.describe()) == "messages     none"


HOSTILE = "\x1b[2J\x07<script>alert(1)</script>\u202eevil\r\n@example.org"


@pytest.fixture
def hostile():
    df = DF.copy()
    df["from_addr"] = pd.array([HOSTILE] * len(df), dtype="str")
    df["list_id"] = df["from_addr"]
    df["folder"] = pd.Categorical([HOSTILE] * len(df))
    return df


def test_no_control_character_reaches_the_terminal(hostile):
    text = str(hostile.mail.describe(me=HOSTILE))
    assert "alert" in text
    assert {unicodedata.category(c) for c in text.replace("\n", "")} & {"Cc", "Cf", "Cs"} == set()


def test_no_tag_of_a_stranger_reaches_the_notebook(hostile):
    page = hostile.mail.describe(me=HOSTILE)._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_html_has_every_ranking_with_bars():
    page = DF.mail.describe()._repr_html_()
    assert page.count("<h4>") == 4
    assert "value='1.000'" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ab", "ab    "),
        ("abcdef", "abcdef"),
        ("abcdefg", "abcde…"),
        ("日本語", "日本語"),
        ("日本語日本語", "日本… "),
        ("e\u0301e\u0301", "e\u0301e\u0301    "),
        ("", "      "),
    ],
)
def test_names_take_six_columns_of_the_terminal(text, shown):
    assert fit(text, 6) == shown


def test_bars_are_exact_to_an_eighth():
    assert bar(1, 1, 2) == "██"
    assert bar(1, 2, 2) == "█"
    assert bar(1, 16, 2) == "▏"
    assert bar(0, 0) == ""


def test_small_columns_show_the_largest_full_and_nothing_as_blank():
    assert spark([0, 1, 4, 8]) == " ▁▄█"
    assert spark([]) == ""


def test_amounts_and_spans_read_well():
    assert [octets(n) for n in (0, 999, 1000, 5 * 10**9, 3 * 10**12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "5.0 GB",
        "3.0 TB",
    ]
    assert [hours(n) for n in (0.5, 1.5, 47, 72)] == ["30 min", "1.5 h", "47.0 h", "3.0 days"]
