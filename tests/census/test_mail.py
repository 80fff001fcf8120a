"""What SQL counts in a store is what the statistics of its frame count, cell by cell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import mailframe as mf
from mailframe.census import clutter, describing
from tests.store.varied import varied_store

PEOPLE = {"PERSON1@example1.org": "person2@example2.org", "x@": "it's@else.example"}
NOW = datetime(2024, 6, 1, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "sender", None]
ODD_ZONE = __import__("datetime").timezone(timedelta(minutes=7))
FREQS = ["D", "W", "M", "Q", "Y", "2W", "W-SAT", "QS-FEB", "5D"]
CASES = [
    *(("volume", (freq,), {"tz": tz}) for freq in FREQS for tz in ("UTC", "America/Sao_Paulo")),
    *(("volume", ("W",), {"tz": tz}) for tz in [*ZONES, ODD_ZONE]),
    *(("volume", ("36h",), {"tz": tz}) for tz in ("UTC", "Asia/Kathmandu", "sender")),
    ("volume", ("M",), {"date": "internaldate", "tz": "Europe/Berlin"}),
    ("volume", ("Y",), {"date": "date", "tz": "Europe/Berlin", "cumulative": True}),
    *(
        ("volume", ("Q",), {"by": by, "top": top, "tz": "UTC"})
        for by in ("folder", "from_addr", "to", "seen", "list_id", "x_mailer", "size", "keywords")
        for top in (2, 900)
    ),
    ("volume", ("Q",), {"by": "from_addr", "people": PEOPLE}),
    *((name, (), {"tz": tz}) for name in ("calendar", "matrix") for tz in [*ZONES, ODD_ZONE]),
    *((name, (), {"date": "internaldate"}) for name in ("calendar", "matrix")),
    *(
        ("top", (column, n), {})
        for column in ("from_addr", "from_domain", "from_name", "to", "list_id", "subject", "uid")
        for n in (3, 5_000)
    ),
    *(("top", (name,), {}) for name in ("keywords", "seen", "defects", "x_mailer", "account")),
    ("top", ("to",), {"people": PEOPLE}),
    ("senders", (), {}),
    ("senders", (), {"people": PEOPLE}),
    *(("domains", (level,), {}) for level in ("domain", "organisation")),
    ("domains", (), {"people": PEOPLE}),
    ("lists", (), {}),
    *(("newcomers", (freq,), {"tz": "Europe/Berlin"}) for freq in ("M", "W", "2W", "12h")),
    ("newcomers", ("D",), {"tz": "sender"}),
    ("newcomers", ("M",), {"column": "to", "date": "internaldate"}),
    ("newcomers", ("M",), {"column": "list_id"}),
    *(("sizes", (by,), {}) for by in ("folder", "from_addr", "list_id", "to", "seen")),
    *(("sizes", ("year",), {"tz": tz}) for tz in ZONES),
    *(("largest", (n,), {}) for n in (1, 20, 5_000)),
    *(("read_share", (by,), {}) for by in ("from_addr", "folder", "list_id", "to")),
    ("read_share", (), {"least": 5}),
    *(("inbox_age", (folder,), {"now": NOW}) for folder in ("INBOX", "inbox", "F7", "Drafts")),
    ("duplicates", (), {}),
    ("duplicates", (), {"people": PEOPLE}),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return varied_store(tmp_path_factory.mktemp("census") / "store")


@pytest.fixture(scope="module")
def frame(store):
    return store.frame()


def same(found, expected):
    """Hold two results against each other: cells, types, labels, and what is said of them."""
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected, check_freq=False)
    else:
        pd.testing.assert_frame_equal(found, expected, check_freq=False)
    assert found.attrs == expected.attrs


def ordered(df):
    """Give a table of copies in the order of all that it tells."""
    assert df["wasted"].is_monotonic_decreasing
    order = df.reset_index().assign(folders=df["folders"].map(str).to_numpy())
    return df.iloc[order.sort_values([*order.columns]).index]


@pytest.mark.parametrize(("method", "arguments", "options"), CASES, ids=str)
def test_every_statistic_of_a_store_is_that_of_its_frame(
    store, frame, method, arguments, options, monkeypatch
):
    monkeypatch.setattr(clutter, "PART", 20)  # copies are looked at in more than one part
    found = getattr(store.mail, method)(*arguments, **options)
    expected = getattr(frame.mail, method)(*arguments, **options)
    if method == "duplicates":  # different mails of one id that waste as much have no order
        found, expected = ordered(found), ordered(expected)
    same(found, expected)


def test_a_description_is_that_of_the_frame_and_of_a_large_store_leaves_out_what_is_one_s_own(
    store, frame, monkeypatch
):
    options = {"me": "ann@example.org", "tz": "Europe/Berlin"}
    whole = store.mail.describe(**options)
    assert str(whole) == str(frame.mail.describe(**options))
    monkeypatch.setattr(describing, "WHOLE", 10)
    large = store.mail.describe(tz="Europe/Berlin")
    assert large.sections == whole.sections
    facts, known = dict(large.facts), dict(whole.facts)
    assert known["messages"].startswith(facts["messages"])
    for name in ("dates", "size", "odd dates", "by hour", "by weekday"):
        assert facts[name] == known[name]
    assert "per_account" in facts["threads"]
    assert facts["accounts"] == "2"


@pytest.mark.parametrize("method", ["senders", "threads", "top"])
def test_a_method_of_each_account_is_that_of_its_frame(store, method):
    found = store.mail.per_account(method)
    assert found.index.names[0] == "account"
    for account in store.accounts():
        expected = getattr(store.frame(accounts=account).mail, method)()
        assert_equal = (
            pd.testing.assert_series_equal if method == "top" else pd.testing.assert_frame_equal
        )
        assert_equal(found.loc[account], expected, check_index_type=False, check_like=False)


def test_what_has_no_such_statistic_is_told(store):
    for act in (
        lambda: store.mail.top("nosuch"),
        lambda: store.mail.volume("fortnight"),
        lambda: store.mail.volume(tz="Nowhere"),
        lambda: store.mail.per_account("nosuch"),
        lambda: store.mail.per_account("describe"),
    ):
        with pytest.raises(mf.ConfigurationError):
            act()
