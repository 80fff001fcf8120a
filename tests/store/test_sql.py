"""What SQL counts in a store is what the statistics of its frame count, cell by cell."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import StoreError
from mailframe.store.merge import Answers
from mailframe.store.writer import FEW, writing
from tests.store.batches import batch, message
from tests.store.stage import fill, refresh, rotten

TIMES = ["first", "last", "last_read"]


def odd(uid, draw):
    """Give a message as no test of the ordinary has it: other cases, and dates that cannot be."""
    row = message(uid, seed=draw.randrange(9))
    choice = {
        "from_addr": [row["from_addr"], row["from_addr"].upper(), "Ä@Ö.example", None],
        "list_id": [row["list_id"], "DEV.lists.example.org"],
        "date": [
            row["date"],
            None,
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(9000, 1, 1, tzinfo=UTC),
        ],
        "internaldate": [row["internaldate"], datetime(1980, 1, 1, tzinfo=UTC), None],
        "to": [row["to"], [], ["Bob@Example.NET", "nobody", "x@"]],
        "cc": [[], ["cy@example.org", "cy@example.org"]],
        "size": [row["size"], None],
    }
    return row | {name: draw.choice(values) for name, values in choice.items()}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Give a store of two accounts, with files of one folder, a pack, and a further header."""
    path, draw = tmp_path_factory.mktemp("sql") / "store", random.Random(7)
    for account, folders in (("ann@example.org", FEW + 3), ("bob@example.org", 2)):
        with writing(path, account) as writer:
            writer.expect(folders)
            for number in range(folders):
                name = f"Folder {number}"
                rows = [odd(uid, draw) for uid in range(1, 30)]
                answers = Answers(rows=[batch(rows, folder=name, account=account)])
                refresh(writer, name, answers, headers=("X-Mailer",) if number % 2 else ())
    return mf.open_store(path)


def same(found, expected):
    found = found.astype({name: "datetime64[us, UTC]" for name in TIMES if name in found})
    found = found.sort_index()
    expected = expected[[*found.columns]].sort_index()
    pd.testing.assert_frame_equal(found, expected, check_index_type=False, check_exact=True)


def test_messages_are_the_rows_of_the_frame(store):
    df = store.frame()
    assert store.sql("select count(*) as n, count(x_mailer) as m from messages")["n"].tolist() == [
        len(df)
    ]
    names = "account, folder, uid, from_addr, subject, seen"
    found = store.sql(f"select {names} from messages order by account, folder, uid")
    for name in names.split(", "):
        assert found[name].astype(object).where(found[name].notna(), None).tolist() == (
            df[name].astype(object).where(df[name].notna(), None).tolist()
        )


def test_senders_and_lists_are_those_of_the_frame(store):
    df = store.frame()
    same(store.sql("select * from senders").set_index("address"), df.mail.senders())
    same(store.sql("select * from lists").set_index("list_id"), df.mail.lists())


def test_recipients_are_those_of_the_frame(store):
    expected = store.frame().mail.recipients()[["kind", "address", "domain"]]
    found = store.sql("select kind, address, domain from recipients")
    tell = [
        frame.astype(object).fillna("(none)").value_counts().to_dict()
        for frame in (found, expected)
    ]
    assert tell[0] == tell[1]


def test_the_best_date_is_that_of_the_statistics(store):
    weekly = store.frame().mail.volume("W", tz="UTC")
    found = store.sql(
        "select date_trunc('week', best) as week, count(*) as messages from messages"
        " where best is not null group by 1 order by 1"
    )
    expected = weekly[weekly > 0]
    assert found["messages"].tolist() == expected.tolist()
    assert [str(week)[:10] for week in found["week"]] == [str(week)[:10] for week in expected.index]


def test_values_are_handed_over_and_mistakes_told(store, tmp_path):
    found = store.sql("select count(*) as n from messages where account = ?", ["bob@example.org"])
    assert found["n"].tolist() == [58]
    with pytest.raises(StoreError, match="nosuch"):
        store.sql("select nosuch from messages")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="no messages yet"):
        mf.open_store(tmp_path / "empty").sql("select 1")
    damaged = fill(tmp_path / "damaged", {"INBOX": range(1, 50)})
    (path,) = damaged.rglob("*.parquet")
    rotten(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="DuckDB"):
        mf.open_store(damaged).sql("select count(*) from messages")


@pytest.mark.parametrize("tz", ["UTC", "America/Sao_Paulo"])
@pytest.mark.parametrize("freq", ["D", "W", "M", "Q", "Y"])
def test_volume_is_that_of_the_frame(store, freq, tz):
    found, expected = store.mail.volume(freq, tz=tz), store.frame().mail.volume(freq, tz=tz)
    pd.testing.assert_series_equal(found, expected, check_freq=False)
    assert found.attrs == expected.attrs


@pytest.mark.parametrize("tz", ["UTC", "Europe/Berlin"])
def test_calendar_and_matrix_are_those_of_the_frame(store, tz):
    mail = store.frame().mail
    expected = mail.calendar(tz=tz)
    pd.testing.assert_series_equal(store.mail.calendar(tz=tz), expected, check_freq=False)
    pd.testing.assert_frame_equal(store.mail.matrix(tz=tz), mail.matrix(tz=tz))


@pytest.mark.parametrize(
    "column", ["from_addr", "from_domain", "to", "list_id", "subject", "keywords"]
)
@pytest.mark.parametrize("n", [3, 500])
def test_top_is_that_of_the_frame(store, column, n):
    found, expected = store.mail.top(column, n), store.frame().mail.top(column, n)
    pd.testing.assert_series_equal(found, expected, check_index_type=False)


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
        lambda: store.mail.volume("7D"),
        lambda: store.mail.volume(tz="Nowhere"),
        lambda: store.mail.per_account("nosuch"),
        lambda: store.mail.per_account("describe"),
    ):
        with pytest.raises(mf.ConfigurationError):
            act()
