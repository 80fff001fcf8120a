"""What SQL counts in a store is what the statistics of its frame count, cell by cell."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

import mailframe as mf
from mailframe.errors import StoreError
from mailframe.frame.schema import SCHEMA
from mailframe.store.filecolumns import canonical, stored_schema
from mailframe.store.merge import Answers
from mailframe.store.writer import writing
from tests.store.batches import batch, message
from tests.store.stage import ACCOUNT, fill, refresh, rotten
from tests.store.varied import varied_store

TIMES = ["first", "last", "last_read"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return varied_store(tmp_path_factory.mktemp("sql") / "store")


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
    assert found["n"].tolist() == [116]
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


def test_of_two_forms_of_a_header_that_of_the_latest_refresh_is_asked(tmp_path):
    forms = [("A", ("X-Foo",), "text"), ("B", ("X-Foo:all",), ["a", "b"]), ("C", (), None)]
    with writing(tmp_path / "store", ACCOUNT) as writer:
        for day, (folder, headers, value) in enumerate(forms):
            extra = [field for field in stored_schema(canonical(headers)) if "x_foo" in field.name]
            more = {"x_foo": value, "x_foo_mended": True}
            rows = [message(uid) | more | {"defects": 0} for uid in (1, 2)]
            made = batch(rows, folder=folder, schema=pa.schema([*SCHEMA, *extra]))
            refresh(writer, folder, Answers(rows=[made]), headers=headers, day=day)
    store = mf.open_store(tmp_path / "store")
    found = store.sql("select folder, x_foo, defects from messages order by folder, uid")
    expected = store.frame()
    assert found["x_foo"].notna().tolist() == expected["x_foo"].notna().tolist()
    assert list(found["x_foo"][2]) == ["a", "b"]
    assert found["defects"].tolist() == expected["defects"].tolist()
    assert "x_foo_mended" not in store.sql("describe messages")["column_name"].tolist()
