"""Which folders and which messages are meant."""

import datetime as dt

import pytest

from mailframe.errors import ConfigurationError
from mailframe.fetcher.schedule import Folder
from mailframe.ground.names import patterns_of
from mailframe.readers.selection import choose, search_keys


def folders(*names, **attributes):
    return [
        Folder(
            name=name,
            wire=name.encode(),
            messages=5,
            attributes=frozenset(attributes.get(name.replace("/", "_"), ())),
        )
        for name in names
    ]


GMAIL = folders(
    "INBOX", "[Gmail]", "[Gmail]/All Mail", "Work",
    **{"[Gmail]": ["\\noselect"], "[Gmail]_All Mail": ["\\all", "\\hasnochildren"]},
)  # fmt: skip


def names(choice):
    return [folder.name for folder in choice.folders]


def test_every_folder_is_read_and_of_a_view_what_stands_nowhere_else():
    choice = choose(GMAIL, None)
    assert names(choice) == ["INBOX", "[Gmail]/All Mail", "Work"]
    assert choice.views == ["[Gmail]/All Mail"]
    assert choose(GMAIL, ["*"]).views == ["[Gmail]/All Mail"]


def test_a_view_that_is_named_is_a_folder_like_others():
    choice = choose(GMAIL, ["[Gmail]/All Mail", "*"])
    assert names(choice) == ["INBOX", "[Gmail]/All Mail", "Work"]
    assert choice.views == []


def test_names_and_globs_in_the_server_s_order_each_folder_once():
    known = folders("b", "Lists/x", "Lists/y/z", "INBOX", "Listsx", "a[1]")
    assert names(choose(known, ["Lists/*", "b", "Lists/x"])) == ["b", "Lists/x", "Lists/y/z"]
    assert names(choose(known, ["inbox"])) == ["INBOX"]
    assert names(choose(known, ["a[1]"])) == ["a[1]"]
    assert names(choose(known, ["lists/*"])) == []


def test_a_folder_that_is_not_there_is_told_with_what_is_like_it():
    choice = choose(folders("Archive", "INBOX"), ["Archiv", "INBOX", "x*"])
    assert names(choice) == ["INBOX"]
    assert [str(error) for error in choice.missing] == [
        "There is no folder called Archiv; did you mean Archive?",
        "No folder matches x*; list_folders() shows them all",
    ]


@pytest.mark.parametrize("wrong", ["", [], [""], [7]])
def test_what_names_no_folder_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="folders="):
        patterns_of("folder", wrong)


@pytest.mark.parametrize(
    "day",
    [
        "2024-02-29",
        "2024-02-29T10:00",
        dt.date(2024, 2, 29),
        dt.datetime(2024, 2, 29, 9, tzinfo=dt.UTC),
    ],
)
def test_days_in_every_usual_form(day):
    assert search_keys(None, day, None).segments == (b"SINCE 29-Feb-2024",)


def test_dates_and_keys_are_asked_together():
    keys = search_keys("UNSEEN", "2024-01-01", "2024-02-01")
    assert b"".join(keys.segments) == b"SINCE 1-Jan-2024 BEFORE 1-Feb-2024 UNSEEN"
    assert not search_keys(None, None, None)


@pytest.mark.parametrize("day", ["yesterday", "2024-02-30", "", 2024])
def test_a_bad_date_is_told_by_its_keyword(day):
    with pytest.raises(ConfigurationError, match="since="):
        search_keys(None, day, None)
