"""The explorer without a browser: traits in, data and a line of pandas out."""

import datetime as dt
import io
import itertools
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

import mailframe as mf
from mailframe.charts import tallies
from mailframe.errors import ConfigurationError
from mailframe.widgets import message, parts, table
from tests.search.test_language import ASKED
from tests.widgets.browser import ROOT
from tests.widgets.frames import FOLDERS, HOSTILE, make

MAIL = make(1200)


@pytest.fixture
def explorer():
    return mf.explore(MAIL, tz="UTC")


def again(explorer):
    return eval(explorer.query, {"df": MAIL, "pd": pd})


SERIALS = itertools.count()


def gesture(explorer, chart, **value):
    explorer._charts.gesture = {"chart": chart, "value": value, "serial": next(SERIALS)}


def test_an_explorer_needs_no_altair_and_bundles_vega_once_for_all_processes(tmp_path):
    """What took nine tenths of the time to the first screen."""
    code = """if True:
        import sys
        from tests.widgets.frames import make
        import mailframe as mf
        explorer = mf.explore(make(20))
        assert "vegaEmbed" in explorer._charts.vega.text
        print(sorted({"altair", "vl_convert"} & set(sys.modules)))
    """

    def run(cache):
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-W", "error", "-c", code]
        return subprocess.check_output(command, text=True, env=environment).strip()

    assert run(tmp_path) == "['vl_convert']"
    assert run(tmp_path) == "[]"
    (kept,) = (tmp_path / "mailframe").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert run("/dev/null") == "['vl_convert']"  # no place to keep it is no failure


def test_without_a_filter_data_is_the_frame_itself(explorer):
    assert explorer.data is MAIL
    assert explorer.query == "df"


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({"search": "is:flagged"}, lambda df: df["flagged"]),
        ({"folders": ["INBOX", "Sent"]}, lambda df: df["folder"].isin(["INBOX", "Sent"])),
        ({"since": "2023-01-01"}, lambda df: df["date"] >= pd.Timestamp("2023", tz="UTC")),
        ({"before": dt.date(2023, 1, 1)}, lambda df: df["date"] < pd.Timestamp("2023", tz="UTC")),
        ({"sender": "person1@"}, lambda df: df["from_addr"].str.startswith("person1@")),
        (
            {"recipient": "person2@"},
            lambda df: (
                df["to"].map("".join).str.contains("person2@")
                | df["cc"].map("".join).str.contains("person2@")
            ),
        ),
        ({"domain": "example.com"}, lambda df: df["from_domain"] == "example.com"),
        ({"subject": "plan"}, lambda df: df["subject"].str.contains("plan", case=False)),
        (
            {"subject": '"plan budget"'},
            lambda df: df["subject"].str.contains("plan budget", case=False),
        ),
        ({"subject": "/^re: p/"}, lambda df: df["subject"].str.match("re: p", case=False)),
        ({"mailing_list": "dev"}, lambda df: df["list_id"].str.contains("dev")),
        ({"unread": True}, lambda df: ~df["seen"]),
        ({"unread": False}, lambda df: df["seen"]),
        ({"flagged": True}, lambda df: df["flagged"]),
        ({"answered": False}, lambda df: ~df["answered"]),
        ({"larger": 50_000}, lambda df: df["size"] >= 50_000),
        ({"smaller": 50_000}, lambda df: df["size"] < 50_000),
        ({"weekdays": [5, 6]}, lambda df: df["date"].dt.day_of_week >= 5),
        ({"hours": [9]}, lambda df: df["date"].dt.hour == 9),
    ],
)
def test_each_filter_leaves_exactly_what_it_says(explorer, asked, holds):
    for name, value in asked.items():
        setattr(explorer, name, value)
    expected = MAIL[holds(MAIL).fillna(value=False).astype(bool)]
    assert 0 < len(expected) < len(MAIL)
    pd.testing.assert_frame_equal(explorer.data, expected)
    pd.testing.assert_frame_equal(again(explorer), expected)
    assert explorer.count == len(expected)


def test_a_thread_filter_leaves_a_message_and_its_replies(explorer):
    parent = MAIL["in_reply_to"].value_counts().index[0]
    explorer.thread = parent
    assert set(explorer.data["in_reply_to"].dropna()) == {parent}
    pd.testing.assert_frame_equal(again(explorer), explorer.data)


SHARED = mf.explore(MAIL, tz="UTC")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ASKED)
def test_any_filters_give_the_data_that_the_query_gives(asked):
    SHARED.reset()
    SHARED.set(**asked)
    pd.testing.assert_frame_equal(again(SHARED), SHARED.data)
    SHARED.reset()
    assert SHARED.data is MAIL


def test_observers_are_told_once_a_change_with_the_new_data(explorer):
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), "data")
    explorer.set(since="2023-01-01", before="2023-07-01")
    assert len(seen) == 1
    assert seen[0] is explorer.data
    explorer.since = "2023-01-01"
    assert len(seen) == 1
    queries = []
    explorer.observe(lambda change: queries.append(change["new"]), "query")
    explorer.unread = True
    assert queries == [explorer.query]


def test_a_mistake_raises_where_it_is_made_and_changes_nothing(explorer):
    explorer.search = "is:flagged"
    with pytest.raises(ConfigurationError, match="2024-05"):
        explorer.search = "before:soon"
    with pytest.raises(ConfigurationError, match="2024-05"):
        explorer.since = "soon"
    with pytest.raises(ConfigurationError, match="regular expression"):
        explorer.set(subject="/(/", unread=True)
    assert explorer.search == "is:flagged"
    assert explorer.unread is None
    assert explorer.data["flagged"].all()


def test_where_no_notebook_shows_it_a_line_tells_what_it_is():
    explorer = mf.explore(MAIL, folders=["INBOX"])
    left = (MAIL["folder"] == "INBOX").sum()
    assert repr(explorer) == f"<Explorer: {left} of 1,200 messages; shown by a notebook>"
    told = "<Dashboard: Mail of ann@example.org, 1,200 messages; shown by a notebook>"
    assert repr(mf.dashboard(MAIL)) == told
    assert repr(mf.connect()) == "<Connect: idle; shown by a notebook>"
    assert explorer._repr_mimebundle_()["text/plain"] == repr(explorer)


def test_a_filter_that_there_is_not_is_told_with_those_there_are():
    with pytest.raises(ConfigurationError, match="no filter called from_; there are search, "):
        mf.explore(MAIL, from_="ann")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"since": "soon"}, "'soon' is no date: write 2024-05-31"),
        ({"larger": [1]}, r"larger=\[1\] does not fit: it takes octets, or text such as '1.5M'"),
        ({"larger": "much"}, "'much' is no size: write 1500, 200k or 1.5M"),
        ({"folders": ["nowhere"]}, "no folder 'nowhere' here; there are 'Archive/2023'"),
        ({"weekdays": [7]}, r"weekdays=\[7\] .* a list of numbers from 0 \(Monday\) to 6"),
        ({"search": "is:new"}, "is:new means nothing"),
    ],
)
def test_of_several_filters_none_is_set_where_one_cannot_be_read(asked, hint):
    explorer = mf.explore(MAIL, flagged=True)
    with pytest.raises(ConfigurationError, match=hint):
        explorer.set(unread=True, flagged=False, **asked)
    assert (explorer.unread, explorer.flagged) == (None, True)
    assert explorer.data["flagged"].all()
    assert explorer.folders == []


def test_folders_and_sizes_are_taken_as_the_search_line_takes_them(explorer):
    explorer.set(folders=["inbox", "SENT"], larger="1k", smaller="1.5M")
    assert explorer.folders == ["INBOX", "Sent"]
    assert (explorer.larger, explorer.smaller) == (1_000, 1_500_000)


def test_a_part_of_a_sender_shows_all_whom_it_fits_and_a_whole_one_stays_in_sight(explorer):
    explorer.sender = "brown"
    rows = explorer._charts.rows["senders"]
    assert rows
    assert all("brown" in row["label"].lower() for row in rows)
    assert all(row["on"] for row in rows)
    rare = MAIL["from_addr"].value_counts().index[-1]
    explorer.sender = rare
    assert [row["key"] for row in explorer._charts.rows["senders"] if row["on"]] == [rare]
    assert len(explorer._charts.rows["senders"]) == 8


def test_what_is_no_frame_is_told():
    with pytest.raises(ConfigurationError, match=r"takes a DataFrame of mail.*, not a Series"):
        mf.explore(MAIL["subject"])


def test_a_frame_whose_dates_lost_their_zone_is_shown_all_the_same():
    mail = MAIL.assign(date=MAIL["date"].dt.tz_localize(None))
    explorer = mf.explore(mail, tz="UTC")
    explorer._table.request = {"draw": 1, "start": 0, "length": 1, "column": "date"}
    newest = f"{MAIL['date'].max():%Y-%m-%d %H:%M}"
    assert explorer._table.page["rows"][0][1] == newest
    explorer._table.opened = explorer._table.page["rows"][0][-2]
    assert f"{newest} UTC" in explorer._message.html


def test_a_frame_that_is_no_mail_is_told():
    with pytest.raises(ConfigurationError, match="read_imap"):
        mf.explore(pd.DataFrame({"a": [1]}))


def test_the_controls_follow_the_traits(explorer):
    explorer.set(since="2023-02-01", before="2023-05-01", sender="ann", unread=True, larger=10_000)
    widgets = list(_all(explorer))
    values = [getattr(widget, "value", None) for widget in widgets]
    assert dt.date(2023, 2, 1) in values
    assert dt.date(2023, 4, 30) in values  # the last day that is in, not the first that is out
    assert "ann" in values
    assert "10 kB and more" in values
    explorer.reset()
    values = [getattr(widget, "value", None) for widget in widgets]
    assert "ann" not in values
    assert "any size" in values


def _all(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all(child)


def test_chips_name_each_filter_and_take_it_back(explorer):
    explorer.set(search="plan -is:flagged", folders=["INBOX"])
    chips = explorer._chips.children
    assert [chip.description for chip in chips] == [
        "plan ✕",
        "-is:flagged ✕",
        "in:INBOX ✕",
        "Clear all",
    ]
    chips[0].click()
    assert explorer.search == "-is:flagged"
    explorer._chips.children[-1].click()
    assert explorer.data is MAIL


def test_a_brushed_chart_sets_the_filter_and_goes_on_showing_the_rest(explorer):
    before = explorer._charts.rows["folders"]
    gesture(explorer, "folders", key="INBOX")
    assert explorer.folders == ["INBOX"]
    rows = explorer._charts.rows["folders"]
    assert [row["n"] for row in rows] == [row["n"] for row in before]
    assert [row["label"] for row in rows if row["on"]] == ["INBOX"]
    shown = {row["label"]: row["n"] for row in explorer._charts.rows["senders"]}
    inbox = MAIL[MAIL["folder"] == "INBOX"]["from_name"].value_counts()
    assert all(inbox[name] >= count for name, count in shown.items() if name in inbox)


@pytest.mark.parametrize(
    ("chart", "trait", "column"),
    [("domains", "domain", "from_domain"), ("lists", "mailing_list", "list_id")],
)
def test_a_chart_that_was_chosen_counts_and_filters(explorer, chart, trait, column):
    explorer.charts = ["volume", chart]
    assert [figure["name"] for figure in explorer._charts.figures] == ["volume", chart]
    expected = MAIL[column].value_counts()
    rows = explorer._charts.rows[chart]
    assert all(row["n"] == expected[row["key"]] for row in rows)
    assert rows[0]["n"] == expected.max()
    gesture(explorer, chart, key=rows[0]["key"])
    assert getattr(explorer, trait) == rows[0]["key"]
    assert [row["n"] for row in explorer._charts.rows[chart]] == [row["n"] for row in rows]
    assert [row["key"] for row in explorer._charts.rows[chart] if row["on"]] == [rows[0]["key"]]
    gesture(explorer, chart, key=rows[0]["key"])
    assert explorer.data is MAIL


def test_the_read_share_follows_the_other_filters_and_a_click_filters(explorer):
    explorer.set(folders=["INBOX"])
    explorer.charts = ["read"]
    gesture(explorer, "read", key="unread")
    assert explorer.unread is True
    inbox = MAIL[MAIL["folder"] == "INBOX"]
    unread, read = explorer._charts.rows["read"]
    assert (unread["n"], read["n"]) == ((~inbox["seen"]).sum(), inbox["seen"].sum())
    assert read["label"] == f"Read, {inbox['seen'].mean():.0%}"
    assert (unread["on"], read["on"]) == (True, False)


def test_charts_that_there_are_not_or_too_many_are_refused_and_change_nothing(explorer):
    with pytest.raises(ConfigurationError, match="there are volume, clock"):
        explorer.charts = ["senders", "weather"]
    with pytest.raises(ConfigurationError, match="4 at most"):
        explorer.charts = ["volume", "clock", "senders", "folders", "read"]
    assert explorer.charts == ["volume", "clock", "senders", "folders"]


def test_a_view_is_found_again_by_another_explorer(explorer, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert explorer.views == {}
    explorer.set(search="is:flagged", since="2023-01-01")
    explorer.save_view("starred")
    kept = tmp_path / "mailframe" / "views.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    other = mf.explore(MAIL, tz="UTC", unread=True)
    other.show_view("starred")
    assert other.state() == explorer.state() == json.loads(kept.read_text())["starred"]
    other.undo()
    assert other.state() == {"unread": True}
    with pytest.raises(ConfigurationError, match="'starred'"):
        other.show_view("stared")
    with pytest.raises(ConfigurationError, match="needs a name"):
        other.save_view(" ")
    other.drop_view("starred")
    assert explorer.views == {}
    kept.write_text("[1")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        explorer.save_view("again")
    assert kept.read_text() == "[1"


def test_charts_count_what_the_filters_leave(explorer):
    explorer.set(search="is:unread", weekdays=[0, 1])
    left = MAIL[~MAIL["seen"]]
    hours = left["date"].dt.hour.value_counts()
    drawn = pd.DataFrame(explorer._charts.rows["clock"])
    pd.testing.assert_series_equal(
        drawn.groupby("hour")["n"].sum(),
        hours.reindex(range(24), fill_value=0).sort_index(),
        check_names=False,
        check_index_type=False,
        check_dtype=False,
    )
    assert set(drawn[drawn["on"]]["weekday"]) == {"Mon", "Tue"}
    volume = pd.DataFrame(explorer._charts.rows["volume"])
    assert volume["n"].sum() == explorer.data["date"].notna().sum()


def test_the_table_gives_the_page_asked_for_in_the_order_asked_for(explorer):
    explorer.search = "is:flagged"
    explorer._table.request = {
        "draw": 1,
        "start": 5,
        "length": 5,
        "column": "size",
        "descending": True,
    }
    page = explorer._table.page
    flagged = MAIL[MAIL["flagged"]]
    assert (page["total"], page["filtered"]) == (len(MAIL), len(flagged))
    largest = flagged["size"].sort_values(ascending=False).iloc[5:10]
    shown = [MAIL["size"].iloc[row[-2]] for row in page["rows"]]
    assert shown == largest.tolist()


def test_a_table_of_many_sends_few(explorer):
    explorer._table.request = {"draw": 1, "start": 0, "length": 10**9, "column": "date"}
    assert len(explorer._table.page["rows"]) == table.MOST_ROWS


def test_the_newest_comes_first_and_what_has_no_date_last(explorer):
    rows = explorer._table.rows("date", descending=True)
    dates = MAIL["date"].iloc[rows]
    assert dates.dropna().is_monotonic_decreasing
    assert dates.isna().sum() > 0
    assert dates.iloc[-dates.isna().sum() :].isna().all()


def test_an_opened_message_is_text_whatever_it_holds(explorer):
    explorer._table.opened = int(MAIL["subject"].eq(HOSTILE).to_numpy().nonzero()[0][0])
    shown = explorer._message.html
    assert "&lt;img src=x" in shown
    assert "<img" not in shown


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_mailboxes_are_explored_like_others(count):
    explorer = mf.explore(make(count))
    explorer.search = "plan OR from:a"
    explorer.set(since="2020", hours=[1])
    explorer._table.request = {"draw": 1, "start": 0, "length": 10, "column": "subject"}
    explorer.reset()
    assert explorer.count == count


def test_a_part_of_a_mailbox_shows_the_folders_of_that_part():
    explorer = mf.explore(MAIL[MAIL["folder"] == "Lists/dev"])
    assert [node["name"] for node in explorer._folders.nodes] == [None, "Lists/dev"]
    assert mf.explore(MAIL.head(0))._folders.nodes == []


def test_forged_dates_do_not_squeeze_the_volume():
    mail = make(2000)
    mail.loc[:1, "date"] = [
        pd.Timestamp("1970-01-01", tz="UTC"),
        pd.Timestamp("2107-01-01", tz="UTC"),
    ]
    volume = mf.explore(mail)._charts.rows["volume"]
    assert 40 < len(volume) < 60
    assert mail["date"].notna().sum() - sum(row["n"] for row in volume) <= 2


def test_a_folder_tree_puts_the_inbox_first_and_children_under_parents():
    lines = parts.tree(["Lists/dev", "Archive-old", "Archive/2023", "Archive", "INBOX"])
    assert [(line["label"], line["depth"], line["name"]) for line in lines] == [
        ("INBOX", 0, "INBOX"),
        ("Archive", 0, "Archive"),
        ("2023", 1, "Archive/2023"),
        ("Archive-old", 0, "Archive-old"),
        ("Lists", 0, None),
        ("dev", 1, "Lists/dev"),
    ]
    assert [line["label"] for line in parts.tree(["INBOX.Sent", "INBOX"])] == ["INBOX", "Sent"]


def test_the_largest_counts_come_first_and_empty_ones_not_at_all():
    counts = pd.Series([3, 0, 7, 7, 1]).to_numpy()
    assert tallies.top(counts, 3).tolist() == [2, 3, 0]
    assert tallies.top(counts, 9).tolist() == [2, 3, 0, 4]


def test_folder_names_are_those_of_the_frame(explorer):
    assert sorted(explorer._folders.counts) == sorted(FOLDERS)
    assert sum(explorer._folders.counts.values()) == len(MAIL)


def test_every_change_is_undone_and_done_again(explorer):
    explorer.set(search="is:flagged", unread=True)
    explorer.sender = "ann"
    explorer.undo()
    assert (explorer.search, explorer.unread, explorer.sender) == ("is:flagged", True, "")
    assert explorer._actions.redoable
    explorer.undo()
    assert explorer.data is MAIL
    explorer.undo()  # there is nothing more
    explorer.redo()
    explorer.redo()
    assert explorer.sender == "ann"
    explorer.undo()
    explorer.flagged = True
    explorer.redo()  # what was taken back is gone once something else was done
    assert explorer.sender == ""


def test_the_state_is_plain_json_and_opens_another_explorer_alike(explorer):
    explorer.set(since="2023-01-01", folders=["inbox"], larger="10k", hours=[8, 9])
    state = json.loads(json.dumps(explorer.state()))
    assert set(state) == {"since", "folders", "larger", "hours"}
    other = mf.explore(MAIL, tz="UTC", state=state, unread=True)
    assert other.data.equals(explorer.data[~explorer.data["seen"]])


def test_ticked_messages_are_selected_and_saved_alone(explorer):
    explorer._table.checked = [7, 3]
    pd.testing.assert_frame_equal(explorer.selected, MAIL.iloc[[3, 7]])
    assert "2 ticked" in explorer._said.value
    _, _, content = explorer._save("csv")
    assert len(pd.read_csv(io.BytesIO(content))) == 2
    copied = explorer._actions.query
    pd.testing.assert_frame_equal(eval(copied, {"df": MAIL}), explorer.selected)
    explorer._table.checked = []
    explorer.unread = True
    assert explorer._actions.query == explorer.query


def test_more_than_a_browser_takes_is_saved_where_the_kernel_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mailframe.widgets.explorer.MOST_SAVED", 100)
    (tmp_path / "mail.csv").write_text("another's")
    said = mf.explore(MAIL)._save("csv")
    assert said == f"1,200 messages: saved where the kernel runs, as {tmp_path / 'mail-2.csv'}"
    assert len(pd.read_csv(tmp_path / "mail-2.csv")) == 1200


def test_the_messages_above_and_below_are_opened_from_the_message(explorer):
    rows = explorer._table.rows("date", descending=True)
    explorer._table.opened = int(rows[0])
    explorer._beside(1)
    assert explorer._table.opened == rows[1]
    explorer._beside(-1)
    explorer._beside(-1)  # there is none above the first
    assert explorer._table.opened == rows[0]


def test_answers_stand_below_what_they_answer_even_in_a_circle():
    ids = ["a", "b", "c", "d", "e"]
    parents = [None, "a", "b", "e", "d"]
    thread = pd.DataFrame({"message_id": ids, "in_reply_to": parents})
    assert message._tree(thread) == [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1)]


def test_completion_offers_what_is_meant_to_be_used(explorer):
    assert {"search", "data", "undo"} <= set(dir(explorer))
    assert "annotations" not in dir(explorer)
    assert not {"annotations", "importlib"} & set(dir(mf))
