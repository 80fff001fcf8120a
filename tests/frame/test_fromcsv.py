"""A CSV file of ours gives the frame back, whatever strangers wrote into it."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailframe as mf
from mailframe.errors import ConfigurationError
from mailframe.frame.adapter import to_frame
from mailframe.frame.cells import csv_cells, plain_texts, split_lists
from mailframe.frame.schema import ATTACHMENTS, EXTRAS, INSTANT, SCHEMA, TEXT, TEXTS
from tests.frame.batches import FULL, batch
from tests.stats.frames import make_frame
from tests.stats.mailbox import hand_mailbox

RECEIVED = ["from a by b; Mon, 3 Jun 2024 08:00:00 +0000", "from c by d \\; e\\"]


def there_and_back(df, **options):
    kept = {name: value for name, value in options.items() if name == "formulas"}
    file = io.BytesIO()
    mf.to_csv(df, file, **kept)
    file.seek(0)
    return mf.read_csv(file, **options)


def test_a_frame_comes_back_from_csv_with_its_dtypes():
    schema = SCHEMA.append(pa.field("received", TEXTS)).append(pa.field("x_loop", TEXT))
    full = batch(FULL | {"received": RECEIVED, "x_loop": "7"}, {"uid": 3}, schema=schema)
    df = to_frame([full], schema, report={})
    pd.testing.assert_frame_equal(there_and_back(df), df)
    pd.testing.assert_frame_equal(there_and_back(df, formulas="keep"), df)
    pd.testing.assert_frame_equal(there_and_back(df.iloc[:0]), to_frame([], schema, report={}))


def test_attachments_and_labels_come_back():
    """Names that are empty, sizes that nobody told, no list at all: each is another thing."""
    rows = [
        (2, 7, ["a; b.pdf", ""], ["application/pdf", "image/png"], [7, None]),
        (1, 9, [""], ["a/b"], [9]),
        (0, 0, [], [], []),
        (None, None, None, None, None),
    ]
    schema = pa.schema([*SCHEMA, *ATTACHMENTS, *EXTRAS])
    told = [
        dict(zip(ATTACHMENTS.names, row, strict=True)) | {"x_gm_labels": [r"\Important", ""]}
        for row in rows
    ]
    whole = batch(*(FULL | more | {"uid": n + 1} for n, more in enumerate(told)), schema=schema)
    df = to_frame([whole], schema, report={})
    pd.testing.assert_frame_equal(there_and_back(df), df)
    lines = io.BytesIO()
    mf.to_jsonl(df, lines)
    assert lines.getvalue().count(b"attachment_sizes") == 4


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_the_files_of_the_writer_are_read(tmp_path, name):
    df = hand_mailbox().sort_values("subject", ignore_index=True)
    mf.to_csv(df, tmp_path / name)
    pd.testing.assert_frame_equal(mf.read_csv(tmp_path / name), df, check_categorical=False)


def test_what_headers_were_asked_for_tells_their_columns():
    date = pa.field("x_date", pa.list_(INSTANT))
    schema = SCHEMA.append(date).append(pa.field("received", TEXT))
    when = pd.Timestamp("2024-06-03 08:00", tz="UTC")
    full = batch({"x_date": [when, when], "received": RECEIVED[0]}, schema=schema)
    df = to_frame([full], schema, report={})
    again = there_and_back(df, headers=["X-Date:asDate:all", "Received"])
    pd.testing.assert_frame_equal(again, df)


def test_a_file_for_a_spreadsheet_of_another_country_comes_back():
    file = io.BytesIO()
    mf.to_csv(hand_mailbox(), file, separator=";", bom=True)
    file.seek(0)
    again = mf.read_csv(file)
    pd.testing.assert_frame_equal(again, hand_mailbox(), check_categorical=False)


def test_columns_of_ones_own_come_along():
    df = hand_mailbox().assign(score=1.5, rank=3, good=True, note="0012")
    again = there_and_back(df)[["score", "rank", "good", "note"]]
    assert again.dtypes.astype(str).tolist() == ["float64", "Int64", "bool", "str"]
    assert again.iloc[0].tolist() == [1.5, 3, True, "0012"]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(st.text("a\\; '=", min_size=1)), min_size=1))
def test_no_item_is_joined_to_another_or_cut(lists):
    column = pa.array(lists, TEXTS)
    assert split_lists(plain_texts(csv_cells(column))).to_pylist() == lists


@settings(deadline=None, max_examples=300)
@given(st.lists(st.text("a'=+-\uff1d\t\n,\""), min_size=1))
def test_what_was_made_safe_for_a_spreadsheet_is_taken_back(texts):
    assert plain_texts(csv_cells(pa.array(texts, TEXT))).to_pylist() == texts


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"uid,seen\n1,maybe\n", "not a CSV file as mailframe writes it"),
        (b"uid,seen\n-1,true\n", "not a CSV file as mailframe writes it"),
        (b"", "not a CSV file as mailframe writes it"),
        (b"PAR1\0\0\0", "not a CSV file as mailframe writes it"),
    ],
)
def test_what_is_no_csv_of_ours_is_told(tmp_path, content, hint):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ConfigurationError, match=hint):
        mf.read_csv(tmp_path / "a.csv")
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        mf.read_csv(tmp_path / "b.csv")


LIST_CALLS = {
    "threads": {},
    "response_times": {},
    "people": {},
    "recipients": {},
    "contacts": {},
    "hops": {},
    "authentication": {},
    "delivery": {},
    "anonymise": {"key": "a key of enough octets"},
    "top": {"column": "to"},
}


@pytest.mark.parametrize("call", LIST_CALLS)
def test_lists_that_became_text_are_refused_and_never_counted(tmp_path, call):
    mf.to_csv(make_frame(50, delivery=True), tmp_path / "a.csv")
    df = pd.read_csv(tmp_path / "a.csv")
    with pytest.raises(ConfigurationError, match=r"mf\.read_csv"):
        getattr(df.mail, call)(**LIST_CALLS[call])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("x=+-@,;|\t\r\n '\"\uff1d\\", max_size=8), max_size=6))
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_was_neutralised_comes_back_whatever_the_separator(separator, texts):
    df = pd.DataFrame({"subject": pd.Series(["first", *texts], dtype="str"), "rank": 1})
    file = io.BytesIO()
    mf.to_csv(df, file, separator=separator, bom=True)
    file.seek(0)
    assert mf.read_csv(file)["subject"].tolist() == df["subject"].tolist()
