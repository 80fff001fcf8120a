"""The tour does the main job and says what it did, and what comes next."""

import csv
import re

import pandas as pd
import pytest

from mailframe.demo.tour import tour
from tests.kernel import ROOT


@pytest.fixture(scope="module")
def toured(tmp_path_factory):
    pytest.importorskip("pymap", reason="pymap is not installed: the extra `demo`")
    output = tmp_path_factory.mktemp("demo") / "new" / "folder"
    said = []
    tour(output, said.append)
    return output, "\n".join(said)


def test_it_writes_every_message_to_both_files(toured):
    output, _ = toured
    frame = pd.read_parquet(output / "headers.parquet")
    with (output / "headers.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(frame) == len(rows) == 2000
    assert frame["folder"].nunique() == 12
    assert frame["subject"].tolist() == [row["subject"] or None for row in rows]


def test_it_says_what_was_fetched_shown_written_and_what_to_type_next(toured):
    output, said = toured
    assert re.search(r"Fetched 2,000 messages of 12 folders in [\d.]+ s over 4 connections", said)
    assert "Who writes most" in said
    assert str(output / "headers.csv") in said
    assert "mailframe demo --serve" in said


def test_what_it_tells_to_type_is_found_where_the_environment_is_not_activated(
    tmp_path, monkeypatch
):
    pytest.importorskip("pymap", reason="pymap is not installed: the extra `demo`")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", [".venv/bin/mailframe", "demo"])
    monkeypatch.setenv("PATH", "/nowhere")
    said = []
    tour(tmp_path, said.append)
    assert "    .venv/bin/mailframe demo --serve" in said[-1]
    assert "    .venv/bin/python -c" in said[-1]
