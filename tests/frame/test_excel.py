"""Workbooks, read back by openpyxl."""

from __future__ import annotations

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError
from tests.stats.frames import make_frame

openpyxl = pytest.importorskip("openpyxl")


def test_a_sheet_of_rows_holds_what_the_frame_does_and_nothing_that_runs(tmp_path):
    df = make_frame(30)
    df["subject"] = pd.array(["=1+1", "@SUM(A1)", "a\x01b", *df["subject"][3:]], dtype="str")
    mf.to_excel(df, tmp_path / "mail.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "mail.xlsx").active.iter_rows())
    names = [cell.value for cell in rows[0]]
    assert names == [*df.columns]
    assert len(rows) == 31
    subject, date, seen = (names.index(name) for name in ("subject", "date", "seen"))
    assert [row[subject].value for row in rows[1:4]] == [
        "'=1+1",
        "'@SUM(A1)",
        "a\N{REPLACEMENT CHARACTER}b",
    ]
    assert not [cell for row in rows for cell in row if cell.data_type == "f"]
    assert rows[1][date].value == df["date"].iloc[0].tz_localize(None).to_pydatetime()
    assert rows[1][seen].value is bool(df["seen"].iloc[0])
    mf.to_excel(df, tmp_path / "kept.xlsx", formulas="keep")
    cell = openpyxl.load_workbook(tmp_path / "kept.xlsx").active.cell(2, subject + 1)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_a_description_is_a_sheet_for_each_table(tmp_path):
    tables = make_frame(50).mail.describe().tables()
    mf.to_excel(tables, tmp_path / "summary.xlsx")
    book = openpyxl.load_workbook(tmp_path / "summary.xlsx")
    assert len(book.sheetnames) == len(tables)
    assert book.sheetnames[0] == "summary"
    assert book["summary"]["A2"].value == "messages"


@pytest.mark.parametrize(
    ("write", "name", "instead"),
    [
        (mf.to_csv, "x.xlsx", "to_excel"),
        (mf.to_csv, "x.XLS", "to_excel"),
        (mf.to_parquet, "x.csv", "to_csv"),
        (mf.to_jsonl, "x.parquet", "to_parquet"),
        (mf.to_excel, "x.csv", ".xlsx"),
    ],
)
def test_a_name_that_says_another_format_is_refused(write, name, instead, tmp_path):
    with pytest.raises(ConfigurationError, match=instead):
        write(make_frame(2), tmp_path / name)
    assert not list(tmp_path.iterdir())
