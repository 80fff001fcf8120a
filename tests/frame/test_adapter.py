import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.frame.adapter import to_frame
from mailframe.frame.outgoing import frame_schema, to_batches
from mailframe.frame.schema import SCHEMA
from tests.frame.batches import FULL, batch, run

DTYPES = {
    "account": "category",
    "folder": "category",
    "uid": "uint32",
    "date": "datetime64[us, UTC]",
    "date_offset": "Int16",
    "internaldate": "datetime64[us, UTC]",
    "from_name": "str",
    "from_addr": "str",
    "from_domain": "str",
    "to": "list<item: string>[pyarrow]",
    "cc": "list<item: string>[pyarrow]",
    "subject": "str",
    "message_id": "str",
    "in_reply_to": "str",
    "references": "list<item: string>[pyarrow]",
    "list_id": "str",
    "bulk": "bool",
    "auto": "bool",
    "size": "Int64",
    "seen": "bool",
    "answered": "bool",
    "flagged": "bool",
    "draft": "bool",
    "deleted": "bool",
    "keywords": "list<item: string>[pyarrow]",
    "defects": "uint8",
}


def frame(*batches, schema=SCHEMA):
    return to_frame(iter(batches), schema, report={"messages": 1})


def rows(df):
    return list(zip(df["folder"], df["uid"].tolist(), strict=True))


@pytest.mark.parametrize("batches", [[], [batch()], [batch(FULL)], [batch({}), batch(FULL)]])
def test_every_frame_has_the_promised_dtypes(batches):
    df = frame(*batches)
    assert df.dtypes.astype(str).to_dict() == DTYPES
    assert df.index.equals(pd.RangeIndex(sum(map(len, batches))))


def test_the_report_travels_in_attrs():
    df = to_frame([], SCHEMA, report={"messages": 0, "problems": []})
    assert df.attrs == {"mailframe": {"messages": 0, "problems": []}}


def test_every_value_arrives():
    row = frame(batch(FULL)).iloc[0].to_dict()
    expected = FULL | {"date": pd.Timestamp(FULL["date"])}
    expected |= {"internaldate": pd.Timestamp(FULL["internaldate"])}
    assert {key: list(v) if isinstance(v, np.ndarray) else v for key, v in row.items()} == expected


def test_what_is_missing_is_missing_and_lists_are_empty():
    row = frame(batch({})).iloc[0]
    for column in ("date", "date_offset", "internaldate", "subject", "from_addr", "size"):
        assert pd.isna(row[column]), column
    for column in ("to", "cc", "references", "keywords"):
        assert list(row[column]) == [], column


def test_rows_are_ordered_by_folder_then_uid_however_the_batches_came():
    batches = [run("b", [3, 4]), run("a", [5]), run("b", [1, 2]), run("a", [2, 4]), run("B", [1])]
    assert rows(frame(*batches)) == [
        ("B", 1),
        *[("a", uid) for uid in (2, 4, 5)],
        *[("b", uid) for uid in (1, 2, 3, 4)],
    ]


def test_one_batch_may_hold_several_runs():
    mixed = batch({"folder": "z", "uid": 7}, {"folder": "z", "uid": 8}, {"folder": "a", "uid": 1})
    assert rows(frame(mixed, run("z", [2]))) == [("a", 1), ("z", 2), ("z", 7), ("z", 8)]


def test_overlapping_runs_are_merged_row_by_row():
    assert frame(run("a", [1, 4, 6]), run("a", [2, 5]))["uid"].tolist() == [1, 2, 4, 5, 6]


def test_the_rows_of_each_account_stay_together():
    batches = [run("INBOX", [1], account="b@x.org"), run("INBOX", [2], account="a@x.org")]
    df = frame(*batches)
    assert df["account"].tolist() == ["a@x.org", "b@x.org"]


def test_categories_are_sorted_and_only_those_in_use():
    values = pa.DictionaryArray.from_arrays(pa.array([2], pa.int32()), ["unused", "a", "ö"])
    one = batch({"uid": 1})
    one = one.set_column(1, SCHEMA.field("folder"), values)
    df = frame(one, run("z", [1]), run("B", [1]))
    assert df["folder"].cat.categories.tolist() == ["B", "z", "ö"]


def test_more_columns_come_along():
    schema = SCHEMA.append(pa.field("received", pa.list_(pa.string()))).append(
        pa.field("raw_headers", pa.large_binary())
    )
    df = frame(batch({"received": ["x"], "raw_headers": b"\xff"}, schema=schema), schema=schema)
    assert list(df.columns) == [*SCHEMA.names, "received", "raw_headers"]
    assert df["raw_headers"].tolist() == [b"\xff"]


RUNS = st.lists(
    st.tuples(st.sampled_from(["", "a", "B", "ä"]), st.sets(st.integers(1, 30), min_size=1)),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(RUNS)
def test_the_order_is_that_of_a_plain_sort(runs):
    df = frame(*(run(folder, sorted(uids)) for folder, uids in runs))
    assert rows(df) == sorted((folder, uid) for folder, uids in runs for uid in uids)


def test_many_short_runs_are_sorted_too():
    batches = [run(folder, [uid]) for uid in range(100) for folder in "cab"]
    assert rows(frame(*batches)) == [(folder, uid) for folder in "abc" for uid in range(100)]


def test_values_stay_in_their_rows_when_rows_move():
    batches = [run("a", [uid, uid + 50], subject=f"{uid}") for uid in range(50, 0, -1)]
    df = frame(*batches)
    assert (df["subject"].astype(int) == (df["uid"] - 1) % 50 + 1).all()


def test_a_frame_goes_back_into_batches_of_the_same_schema():
    df = frame(batch(FULL), run("INBOX", range(1, 6)))
    batches = list(to_batches(df, rows=4))
    assert [len(part) for part in batches] == [4, 2]
    assert all(part.schema.equals(SCHEMA) for part in batches)
    pd.testing.assert_frame_equal(to_frame(batches, SCHEMA, report={"messages": 1}), df)


def test_a_column_the_user_replaced_keeps_its_own_type():
    df = frame(batch(FULL)).assign(uid=["one"], subject=1.5, seen=pd.NaT)
    schema = frame_schema(df)
    assert pa.types.is_floating(schema.field("subject").type)
    assert pa.types.is_large_string(schema.field("uid").type)
    assert next(to_batches(df)).column("uid").to_pylist() == ["one"]


def test_any_frame_becomes_batches():
    df = pd.DataFrame({"n": [1, None], "o": ["x", None], "l": [["a"], []]}, index=[7, 8])
    (part,) = to_batches(df)
    assert part.to_pydict() == {"n": [1.0, None], "o": ["x", None], "l": [["a"], []]}
