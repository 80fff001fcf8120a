"""A store serves by itself: as DataFrames here, as plain Parquet to everybody else."""

from __future__ import annotations

import operator
import os
import warnings
from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pyarrow as pa
import pytest

from mailframe.errors import ConfigurationError, MailframeWarning, StoreError
from mailframe.frame.adapter import to_frame
from mailframe.frame.batch import MENDED
from mailframe.frame.schema import SCHEMA, TEXT, TEXTS
from mailframe.ground.uidset import UidSet
from mailframe.readers.server import read_imap
from mailframe.store.filecolumns import FLAG_COLUMNS
from mailframe.store.merge import Answers
from mailframe.store.reader import open_store
from mailframe.store.writer import writing
from tests.store.batches import batch, message
from tests.store.stage import ACCOUNT, DAY, fill, refresh, rows

FOLDERS = {"INBOX": range(1, 40), "Lists/dev": range(5, 25), "Sent": []}
HERE = timezone(timedelta(hours=9))


@pytest.fixture
def path(tmp_path):
    return fill(tmp_path / "store", FOLDERS)


def frame_of(*batches):
    return to_frame(batches, SCHEMA, report={})


def test_the_frame_is_the_one_that_was_fetched(path):
    expected = frame_of(
        *(batch([message(u) for u in uids], folder=f) for f, uids in FOLDERS.items())
    )
    got = open_store(path).frame()
    pd.testing.assert_frame_equal(got, expected)
    assert got.attrs["mailframe"] == {"messages": 59, "problems": []}


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ("inbox", {"INBOX"}),
        ("Lists/*", {"Lists/dev"}),
        (["INBOX", "Lists/dev"], {"INBOX", "Lists/dev"}),
    ],
)
def test_folders_are_chosen_by_name_or_glob(path, folders, expected):
    assert set(open_store(path).frame(folders)["folder"]) == expected


def test_a_name_that_holds_the_signs_of_a_glob_is_found_by_its_name(tmp_path):
    store = open_store(fill(tmp_path, {"[Gmail]/Sent": [1], "x/Sent": [2], "what?": [3]}))
    assert store.frame("[Gmail]/Sent")["uid"].tolist() == [1]
    assert store.frame("what?")["uid"].tolist() == [3]
    assert store.frame("[x]/Sent")["uid"].tolist() == [2]
    assert set(store.frame("???t*", accounts="ann@*")["folder"]) == {"what?"}


def test_a_name_means_in_a_store_what_it_means_to_a_server(tmp_path):
    store = open_store(fill(tmp_path, {"what?": [1], "whats": [2], "INBOX": [3], "Inlay": [4]}))
    assert store.frame("what?")["folder"].tolist() == ["what?"]
    assert store.frame("inbox")["folder"].tolist() == ["INBOX"]
    assert store.frame("In*")["folder"].tolist() == ["Inlay"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"folders": "List/dev"}, "There is no folder called List/dev; did you mean Lists/dev"),
        ({"folders": ["INBOX", "x*"]}, r"No folder matches x\*; store.folders\(\) shows them all"),
        (
            {"accounts": "ann@example"},
            "no account called ann@example; did you mean ann@example.org",
        ),
    ],
)
def test_what_nothing_is_called_is_told(path, asked, said):
    with pytest.raises(StoreError, match=said):
        open_store(path).frame(**asked)
    with pytest.warns(MailframeWarning, match=said):
        df = open_store(path).frame(**asked, columns=["subject", "stored_at"], errors="warn")
    assert set(df["subject"].notna()) == ({True} if "INBOX" in asked.get("folders", "") else set())


@pytest.mark.parametrize("folders", [[], "", 5, ["INBOX", None]])
def test_what_names_no_folder_is_refused(path, folders):
    with pytest.raises(ConfigurationError, match="folders= takes a name"):
        open_store(path).frame(folders)


def test_columns_come_as_asked_for_and_in_that_order(path):
    df = open_store(path).frame(columns=["subject", "uid", "stored_at"])
    assert list(df.columns) == ["subject", "uid", "stored_at"]
    assert set(df["stored_at"]) == {pd.Timestamp(DAY)}
    assert list(open_store(path).frame(columns="subject").columns) == ["subject"]
    with pytest.raises(ConfigurationError, match=r"no_such.* in these folders.*stored_at"):
        open_store(path).frame(columns=["no_such"])


def test_an_empty_folder_has_the_columns_that_it_holds(path):
    with writing(path, ACCOUNT) as writer:
        refresh(writer, "Sent", Answers(), headers=["Received:all"])
    store = open_store(path)
    assert store.frame("Sent").columns[-1] == "received"
    assert store.frame(columns=["uid", "received"])["received"].isna().all()
    df = store.frame("Sent", columns=["received", "stored_at"])
    assert (list(df.columns), len(df)) == (["received", "stored_at"], 0)
    with pytest.raises(ConfigurationError, match="no column 'received' in these folders"):
        store.frame("INBOX", columns=["received"])


def test_defects_are_those_of_what_is_shown(tmp_path):
    names = ["x_old", "x_new"]
    flags = [pa.field(name + MENDED, pa.bool_()) for name in names]
    schema = pa.schema([*SCHEMA, *(pa.field(name, TEXT) for name in names), *flags])
    row = message(1) | dict.fromkeys(names, "text") | {flag.name: True for flag in flags}
    with writing(tmp_path, ACCOUNT) as writer:
        answers = Answers(rows=[batch([row], schema=schema)])
        refresh(writer, "INBOX", answers, headers=["X-Old", "X-New"])
        refresh(writer, "Plain", rows([1], folder="Plain"))
    store = open_store(tmp_path)
    assert store.frame()["defects"].tolist() == [2, 0]
    assert store.frame(columns=["x_old", "defects"])["defects"].tolist() == [1, 0]
    assert store.frame(columns=["subject", "defects"])["defects"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "since",
    [
        "2024-01-01T05:00:00Z",
        "2024-01-01 05:00",
        datetime(2024, 1, 1, 5, tzinfo=UTC),
    ],
)
def test_since_counts_from_the_internal_date(path, since):
    store = open_store(path)
    whole = store.frame()
    start = pd.Timestamp("2024-01-01T05:00:00Z")
    expected = whole[whole["internaldate"] >= start]["uid"].tolist()
    assert 0 < len(expected) < len(whole)
    assert store.frame(since=since)["uid"].tolist() == expected
    assert store.frame(columns=["uid"], since=since)["uid"].tolist() == expected


def test_since_takes_a_day_or_a_span_too_and_refuses_what_is_neither(path):
    store = open_store(path)
    assert len(store.frame(since=date(2024, 1, 1))) == 59
    assert len(store.frame(since=timedelta(days=1))) == 0
    for nonsense in ("yesterday", "", 5, 1.5, pd.NaT, timedelta.max):
        with pytest.raises(ConfigurationError, match="2026-01-31"):
            store.frame(since=nonsense)
        with pytest.raises(ConfigurationError, match="2026-01-31"):
            store.changes(since=nonsense)


@pytest.mark.parametrize(
    "moment",
    [
        DAY,
        DAY.replace(tzinfo=None),
        DAY.astimezone(HERE),
        DAY.astimezone(HERE).isoformat(),
        pd.Timestamp(DAY),
        pd.Timestamp(DAY).tz_convert("America/New_York"),
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        date(2026, 1, 1),
    ],
)
def test_changes_are_those_after_the_very_instant_in_any_time_zone(path, moment):
    store = open_store(path)
    assert store.changes(since=moment).empty
    if not isinstance(moment, str) and isinstance(moment, datetime):
        assert len(store.changes(since=moment - timedelta(microseconds=1))) == 59


def test_folders_tell_their_state(path):
    folders = open_store(path).folders().set_index("folder")
    assert folders.loc["INBOX", "messages"] == 39
    assert folders.loc["Sent", "messages"] == 0
    assert folders["complete"].all()
    assert (folders["refreshed"] == pd.Timestamp(DAY)).all()
    inbox = open_store(path).frame("INBOX")
    assert folders.loc["INBOX", "unseen"] == (~inbox["seen"]).sum()


def test_changes_tell_what_is_new_flagged_and_gone(path):
    flagged = batch([message(3) | {"flagged": True, "keywords": ["new"]}, message(4)])
    flags = flagged.select(["uid", *FLAG_COLUMNS])
    with writing(path, ACCOUNT) as writer:
        answers = Answers(rows=rows([50]).rows, flags=[flags], vanished=UidSet.of((7, 8), (90, 99)))
        refresh(writer, "INBOX", answers, day=5)
    changes = open_store(path).changes(since=DAY + timedelta(days=1))
    told = list(zip(changes["change"], changes["uid"], strict=True))
    assert told == [("flags", 3), ("gone", 7), ("gone", 8), ("new", 50)]
    assert (changes["at"] == pd.Timestamp(DAY + timedelta(days=5))).all()
    assert changes["subject"].notna().tolist() == [True, False, False, True]
    assert open_store(path).changes(since=DAY + timedelta(days=6)).empty
    assert len(open_store(path).changes(since=DAY - timedelta(days=1))) == 60


def test_a_further_header_is_null_where_a_folder_lacks_it(path):
    schema = pa.schema([*SCHEMA, pa.field("received", TEXTS)])
    row = message(1) | {"received": ["by example.org"]}
    with writing(path, ACCOUNT) as writer:
        answers = Answers(rows=[batch([row], folder="More", schema=schema)])
        refresh(writer, "More", answers, headers=["Received:all"])
    df = open_store(path).frame()
    assert df.columns[-1] == "received"
    assert df["received"].notna().sum() == 1
    assert open_store(path).frame("More")["received"][0] == ["by example.org"]


def test_of_two_forms_of_one_header_the_one_asked_for_last_is_shown(path):
    asked = [
        ("B", "Received:all", ["by b"]),
        ("A", "Received", "by a"),
        ("C", "Received:all", ["by c"]),
    ]
    for day, (folder, form, value) in enumerate(asked):
        field = pa.field("received", TEXTS if form.endswith("all") else TEXT)
        row = message(1) | {"received": value}
        new = batch([row], folder=folder, schema=pa.schema([*SCHEMA, field]))
        with writing(path, ACCOUNT) as writer:
            refresh(writer, folder, Answers(rows=[new]), headers=[form], day=day)
    df = open_store(path).frame(["A", "B", "C"])
    assert df["received"].isna().tolist() == [True, False, False]
    assert df["received"][2] == ["by c"]
    assert open_store(path).frame("A")["received"].tolist() == ["by a"]
    assert open_store(path).frame(["A", "B"], ["received"])["received"][0] == "by a"


@pytest.mark.parametrize("place", ["", "~nobody-of-this-name/mail", "nul\0", 5])
def test_what_is_no_place_for_a_store_is_said(place):
    with pytest.raises(ConfigurationError, match="names no directory"):
        open_store(place)


@pytest.mark.parametrize("header", ["Stored-At", "Changed-At", "X-Mended"])
def test_a_header_whose_column_is_the_stores_own_is_refused(header, path):
    with pytest.raises(ConfigurationError, match="of its own"):
        read_imap("imap://ann:x@127.0.0.1:1", store=path, headers=[header])


def test_no_store_is_an_error_that_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreError, match=r"read_imap\(account, store="):
        open_store(tmp_path / "nowhere")


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among files")
def test_a_pipe_where_a_folder_should_be_is_told_and_not_waited_for(path):
    file = next(file for file in sorted(path.rglob("*.parquet")))
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(StoreError, match="it is no file"):
        open_store(path).frame()


def by_pandas(path):
    return pa.Table.from_pandas(pd.read_parquet(path))


def by_duckdb(path, options=""):
    duckdb = pytest.importorskip("duckdb")
    return duckdb.sql(
        f"select * from read_parquet('{path}/**/*.parquet'{options})"
    ).to_arrow_table()


def by_polars(path, **options):
    polars = pytest.importorskip("polars")
    return polars.scan_parquet(f"{path}/**/*.parquet", **options).collect().to_arrow()


def by_dask(path, **options):
    dataframe = pytest.importorskip("dask.dataframe")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Dask calls pandas the old way
        df = dataframe.read_parquet(f"{path}/*/*.parquet", **options).compute()
    return pa.Table.from_pandas(df)


@pytest.mark.parametrize("read", [by_pandas, by_duckdb, by_polars, by_dask])
def test_others_read_the_whole_store_whatever_its_folders_are_called(path, read):
    # Names that begin with "_" or "." are passed over by most readers of datasets.
    fill(path, {"[Gmail]/All Mail": range(1, 8), "_drafts": [1], "受信箱": [1, 2], ".x": [3]})
    fill(path, {"@": [9]}, account="+me@example.org")
    found = read(path).select(["account", "folder", "uid", "keywords"]).to_pylist()
    expected = open_store(path).frame(columns=["account", "folder", "uid", "keywords"])
    key = operator.itemgetter("account", "folder", "uid")
    assert sorted(found, key=key) == pa.Table.from_pandas(expected).to_pylist()


@pytest.mark.parametrize(
    ("read", "options"),
    [
        (by_pandas, {}),
        (by_duckdb, {"options": ", union_by_name=true"}),
        (by_polars, {"missing_columns": "insert", "extra_columns": "ignore"}),
        (by_dask, {"columns": ["folder", "uid"]}),
    ],
)
@pytest.mark.parametrize("folder", ["Archive", "Work"])
def test_others_read_folders_that_hold_different_headers(path, folder, read, options):
    with writing(path, ACCOUNT) as writer:  # their file is the first, or is not
        refresh(writer, folder, rows([1, 2], folder=folder), headers=("X-Mailer",))
    assert len(read(path, **options)) == 61
