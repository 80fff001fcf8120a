"""The table of the explorer without a browser: which columns, threads as rows, ticks."""

import sys

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError
from tests.stats import letters
from tests.widgets.frames import make

MAIL = make(1200).assign(
    x_mailer=[None, "Post", "ant", "bee"] * 300,
    spam=[1.5, None, -3.0, 0.0] * 300,
    received=pd.Series([["b", "a"], []] * 600, dtype=object),
)


@pytest.fixture
def explorer():
    return mf.explore(MAIL, tz="UTC")


def page(explorer, column="date", *, descending=True, length=500):
    """What the browser gets for a page, as one dict a row: name of each column → text."""
    table = explorer._table
    table.request = {
        "draw": 1,
        "start": 0,
        "length": length,
        "column": column,
        "descending": descending,
    }
    return [
        dict(zip([*table.columns, "row", "unread"], row, strict=True)) for row in table.page["rows"]
    ]


def test_any_column_of_the_frame_is_shown_and_sorts(explorer):
    explorer.columns = ["x_mailer", "date", "to", "keywords", "spam", "received"]
    assert explorer.columns == ["date", "to", "keywords", "x_mailer", "spam", "received"]
    for row in page(explorer, "x_mailer", length=3):
        message = MAIL.iloc[row["row"]]
        assert row["x_mailer"] == message["x_mailer"] == "Post"
        assert row["to"] == ", ".join(message["to"])
        assert row["keywords"] == ", ".join(message["keywords"])
        assert row["received"] == ", ".join(message["received"])
        assert row["subject"] == row["size"] == ""  # what is not shown is not sent
    rows = explorer._table.rows("spam", descending=False)
    assert MAIL["spam"].iloc[rows].tolist()[300:] == MAIL["spam"].dropna().sort_values().tolist()
    first = [MAIL["to"].iloc[row][0] for row in explorer._table.rows("to", descending=False)]
    assert first == sorted(first)


def test_columns_that_there_are_not_are_told_and_change_nothing(explorer):
    with pytest.raises(ConfigurationError, match="no column called 'sise'; there are date, from, "):
        explorer.columns = ["date", "sise"]
    with pytest.raises(ConfigurationError, match="needs a column"):
        explorer.columns = []
    with pytest.raises(ConfigurationError, match="'messages' or 'threads'"):
        mf.explore(MAIL, rows="senders")
    assert explorer.columns == ["date", "from", "subject", "folder", "size"]


@pytest.mark.parametrize("asked", [{}, {"unread": True}, {"search": "plan OR budget"}])
def test_a_row_a_thread_says_what_the_statistics_say_of_it(asked):
    explorer = mf.explore(MAIL, tz="UTC", rows="threads", **asked)
    left = explorer.data
    of = MAIL.mail.thread_ids()[left.index]
    rows = page(explorer, "messages")
    assert explorer._table.page["filtered"] == of.nunique()
    counts = of.value_counts()
    assert [int(row["messages"]) for row in rows] == counts.tolist()[: len(rows)]
    for row in rows[:40]:
        thread = left[of == MAIL.mail.thread_ids().iloc[row["row"]]]
        dated = thread.sort_values("date", kind="stable", na_position="first")
        assert row["date"] == (
            f"{dated['date'].iloc[-1]:%Y-%m-%d %H:%M}" if dated["date"].notna().any() else ""
        )
        assert row["subject"] == (
            dated["subject"].iloc[0] if pd.notna(dated["subject"].iloc[0]) else ""
        )
        assert ("•" in row["marks"]) == (not thread["seen"].all())
        assert ("★" in row["marks"]) == thread["flagged"].any()
        assert row["folder"] == ", ".join(dict.fromkeys(dated["folder"]))
    newest = [row["date"] for row in page(explorer)]
    assert newest == sorted(newest, reverse=True)


def test_a_thread_names_its_people_once_in_their_order_and_a_copy_is_no_message():
    asked = letters.mail("q", "bob", "me", 0)
    df = letters.frame(
        asked,
        asked | {"folder": "Archive"},
        letters.mail("a", "me", "bob", 60, under="q"),
        letters.mail("b", "bob", "me", 90, under="a"),
    )
    explorer = mf.explore(df, rows="threads")
    (row,) = page(explorer)
    assert row["messages"] == "3"
    names = [df["from_addr"].iloc[0], df["from_addr"].iloc[2]]
    assert row["from"] == ", ".join(explorer._columns.people()[names])
    explorer._table.opened = row["row"]
    assert "Thread of 4" in explorer._message.html


def test_ticking_a_thread_takes_all_its_messages_that_are_left():
    explorer = mf.explore(MAIL, tz="UTC", rows="threads", unread=True)
    row = page(explorer, "messages")[0]
    explorer._table.checked = [row["row"]]
    assert len(explorer.selected) == int(row["messages"]) > 1
    assert len(set(MAIL.mail.thread_ids()[explorer.selected.index])) == 1
    assert not explorer.selected["seen"].any()
    kept = [each for each in explorer._table.checked if each != row["row"]]
    explorer._table.checked = kept
    assert explorer.selected.empty


def test_a_line_of_the_thread_opens_its_message_and_the_next_thread_is_below(explorer):
    explorer.rows = "threads"
    rows = page(explorer, "messages")
    explorer._table.opened = rows[0]["row"]
    thread = MAIL.mail.thread_ids()
    other = next(
        n for n in range(len(MAIL)) if thread[n] == thread[rows[0]["row"]] and n != rows[0]["row"]
    )
    explorer._message.wanted = other
    assert explorer._table.opened == other
    assert MAIL["message_id"].iloc[other] in explorer._message.html
    explorer._beside(1)
    assert explorer._table.opened == rows[1]["row"]


def test_headings_draw_the_dates_and_sizes_that_the_filters_leave(explorer):
    explorer.larger = 100_000
    drawn = explorer._table.drawn
    assert sum(drawn["date"]) == explorer.data["date"].notna().sum()
    assert sum(drawn["size"]) == len(explorer.data)
    assert drawn["size"][:5] == [0, 0, 0, 0, 0]


def test_in_colab_the_cell_says_what_switches_widgets_on(explorer, capsys, monkeypatch):
    explorer._repr_mimebundle_()
    assert capsys.readouterr().out == ""
    monkeypatch.setitem(sys.modules, "google.colab", object())
    explorer._repr_mimebundle_()
    assert "output.enable_custom_widget_manager()" in capsys.readouterr().out
