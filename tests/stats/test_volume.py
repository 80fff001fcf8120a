"""How much mail, and when, on the mailbox worked out by hand and around changes of the clock."""

from __future__ import annotations

import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError, MailframeWarning
from tests.stats.frames import make_frame
from tests.stats.mailbox import ANN, hand_mailbox

DF = hand_mailbox()


def at(*moments):
    """Make a frame of messages at these instants of UTC."""
    df = make_frame(len(moments))
    df["date"] = pd.DatetimeIndex([pd.Timestamp(m, tz="UTC").as_unit("us") for m in moments])
    df["internaldate"] = df["date"]
    return df


def told(series):
    return {str(label)[:10]: int(count) for label, count in series.items()}


def test_weeks_begin_on_monday_and_quiet_weeks_are_zero():
    assert told(DF.mail.volume("W", tz="UTC")) == {
        "2024-06-03": 5,
        "2024-06-10": 8,
        "2024-06-17": 0,
        "2024-06-24": 0,
        "2024-07-01": 2,
    }


@pytest.mark.parametrize("freq", ["M", "MS", "ME"])
def test_every_name_of_the_month_means_the_month(freq):
    assert told(DF.mail.volume(freq, tz="UTC")) == {"2024-06-01": 13, "2024-07-01": 2}


def test_quarters_and_years():
    assert told(DF.mail.volume("Q", tz="UTC")) == {"2024-04-01": 13, "2024-07-01": 2}
    assert told(DF.mail.volume("Y", tz="UTC")) == {"2024-01-01": 15}


def test_by_folder_each_period_adds_up():
    table = DF.mail.volume("M", by="folder", tz="UTC")
    assert table.loc["2024-06"].iloc[0].to_dict() == {
        "INBOX": 5,
        "Sent": 5,
        "Archive": 2,
        "Lists/dev": 1,
    }
    assert (table.sum(axis=1) == DF.mail.volume("M", tz="UTC")).all()


def test_by_a_column_the_rest_and_the_rows_without_a_value_are_named():
    table = DF.mail.volume("Y", by="list_id", tz="UTC")
    assert table.iloc[0].to_dict() == {"dev.lists.example": 3, "(none)": 12}
    table = DF.mail.volume("Y", by="from_domain", top=1, tz="UTC")
    assert table.iloc[0].to_dict() == {"example.net": 4, "(other)": 11}


def test_cumulative_counts_never_fall():
    assert told(DF.mail.volume("M", cumulative=True, tz="UTC")) == {
        "2024-06-01": 13,
        "2024-07-01": 15,
    }


def test_the_day_of_a_message_depends_on_the_zone_it_is_asked_in():
    # Message 6 was written on 12 June at 23:30 UTC: on the 13th in Berlin.
    assert DF.mail.calendar(tz="UTC")["2024-06-12"] == 2
    assert DF.mail.calendar(tz="Europe/Berlin")["2024-06-12"] == 0
    assert DF.mail.calendar(tz="Europe/Berlin")["2024-06-13"] == 3
    assert DF.mail.calendar(tz="sender")["2024-06-13"] == 3  # each Date says +0200
    assert len(DF.mail.calendar(tz="UTC")) == 30  # 3 June to 2 July


def test_the_matrix_shows_weekday_and_hour_in_the_zone():
    grid = DF.mail.matrix(tz="UTC")
    assert (grid.index.name, grid.columns.name) == ("weekday", "hour")
    assert grid.loc["Wed"].to_dict()[23] == 2  # both copies of the build report
    assert grid.loc["Thu", 0] == 1
    assert DF.mail.matrix(tz="Europe/Berlin").loc["Thu", 1] == 2
    assert grid.to_numpy().sum() == 15  # the undated message is on no day


def test_an_hour_that_comes_twice_is_two_hours():
    df = at("2024-10-27 00:30", "2024-10-27 01:30", "2024-10-27 02:30")
    counts = df.mail.volume("h", tz="Europe/Berlin")
    assert [str(label) for label in counts.index] == [
        "2024-10-27 02:00:00+02:00",
        "2024-10-27 02:00:00+01:00",
        "2024-10-27 03:00:00+01:00",
    ]
    assert counts.tolist() == [1, 1, 1]


def test_a_day_whose_midnight_does_not_exist_begins_an_hour_later():
    df = at("2018-11-04 12:00", "2018-11-05 12:00")
    days = df.mail.volume("D", tz="America/Sao_Paulo").index
    assert str(days[0]) == "2018-11-04 01:00:00-02:00"


def test_hours_in_a_zone_of_half_hours_begin_on_its_own_hours():
    counts = at("2024-01-01 00:10", "2024-01-01 00:40").mail.volume("h", tz="Asia/Kolkata")
    assert [f"{hour:%H:%M}" for hour in counts.index] == ["05:00", "06:00"]


def test_a_date_before_1970_and_one_far_ahead_are_counted_as_they_are_when_asked():
    df = at("1969-12-31 23:00", "2099-01-01 00:00")
    counts = df.mail.volume("Y", tz="UTC", date="date")
    assert (counts.index[0].year, counts.index[-1].year, counts.sum()) == (1969, 2099, 2)


def test_too_many_hours_are_refused_with_a_way_out():
    with pytest.raises(ConfigurationError, match="filter the frame by date"):
        at("0001-01-02 00:00", "9998-01-01 00:00").mail.volume("h", tz="UTC", date="date")


def test_a_missing_date_is_replaced_by_the_arrival():
    df = at("2024-01-01 00:00", "2024-01-03 00:00")
    df.loc[0, "date"] = pd.NaT
    assert df.mail.volume("D", tz="UTC").tolist() == [1, 0, 1]


def test_unknown_periods_and_zones_are_refused():
    with pytest.raises(ConfigurationError, match="no period 'fortnight'"):
        DF.mail.volume("fortnight")
    with pytest.raises(ConfigurationError, match="no time zone 'Mars/Olympus'"):
        DF.mail.volume("W", tz="Mars/Olympus")
    with pytest.raises(ConfigurationError, match="one zone for all messages"):
        DF.mail.response_times(tz="sender")


def test_the_readers_zone_is_the_default(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert str(DF.mail.volume("D").index.tz) == "Asia/Tokyo"


def test_sent_against_received_with_a_guess_that_is_told():
    table = DF.mail.flow("M", tz="UTC")
    assert table.to_numpy().tolist() == [[5, 8], [0, 2]]
    assert table.attrs["me"] == {"addresses": [ANN], "source": "guessed from Sent"}


def test_ones_own_addresses_can_be_given():
    table = DF.mail.flow("Y", me="EVE@example.net", tz="UTC")
    assert table.iloc[0].to_dict() == {"sent": 2, "received": 13}
    assert table.attrs["me"]["source"] == "given"
    with pytest.raises(ConfigurationError, match="takes addresses"):
        DF.mail.flow(me=["eve"])


def test_a_label_says_sent_where_all_mail_lies_in_one_file():
    labels = [["Gesendet", "Work"] if i == 13 else ["Inbox"] for i in DF.index]
    takeout = DF.assign(folder="All", account="x", x_gmail_labels=labels)
    assert takeout.mail.flow().attrs["me"] == {
        "addresses": [ANN],
        "source": "guessed from Gesendet",
    }


def test_without_a_sent_folder_the_login_or_the_commonest_recipient_is_taken():
    inbox = DF[DF["folder"].isin(["INBOX", "Sent"])].assign(folder="INBOX")
    assert inbox.mail.flow().attrs["me"]["source"] == "guessed from the login"
    unnamed = inbox.drop(columns="account")
    assert unnamed.mail.flow().attrs["me"] == {
        "addresses": [ANN],
        "source": "guessed: most personal mail is to it",
    }


def test_where_nothing_tells_who_is_asking_a_warning_says_what_to_do():
    lists = DF[DF["folder"] == "Lists/dev"].drop(columns="account")
    with pytest.warns(MailframeWarning, match="pass me="):
        assert lists.mail.flow()["sent"].sum() == 0


def test_whatever_is_told_by_period_names_the_first_and_the_last():
    months = ["2024-06-01 00:00:00+00:00", "2024-07-01 00:00:00+00:00"]
    for told in (
        DF.mail.response_summary("M", tz="UTC"),
        DF.mail.answered("M", tz="UTC"),
        DF.mail.newcomers("M", tz="UTC"),
    ):
        assert told.attrs["partial"] == months
    assert DF.mail.sizes("year", tz="UTC").attrs["partial"] == ["2024"]
