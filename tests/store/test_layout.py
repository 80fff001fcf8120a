"""Whatever a server calls its folders, each has a file of its own, inside the store."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.store.layout import component
from mailframe.store.reader import open_store
from tests.store.stage import fill

AWKWARD = [
    "INBOX",
    "Inbox",
    "inbox",
    "../../etc/passwd",
    "..",
    ".",
    "",
    "/absolute",
    "a/b",
    "a_b",
    "a\\b",
    "nul\0byte",
    "CON",
    "new\nline",
    ".hidden",
    "Entwürfe",
    "Entwu\u0308rfe",
    "收件箱",
    "x" * 500,
    "x" * 501,
    "100%",
    "-rf",
    "trailing.",
    "trailing ",
]


def test_awkward_names_come_back_as_they_were(tmp_path):
    store = open_store(fill(tmp_path / "store", {name: [1] for name in AWKWARD}))
    assert sorted(store.folders()["folder"]) == sorted(AWKWARD)
    assert sorted(store.frame()["folder"].astype(str)) == sorted(AWKWARD)
    everything = [path for path in tmp_path.rglob("*") if path.suffix == ".parquet"]
    assert len(everything) == len(AWKWARD)
    assert {path.parent.parent for path in everything} == {tmp_path / "store"}


@given(st.text(), st.text())
def test_file_names_are_safe_everywhere_and_differ_without_case(one, other):
    name = component(one)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9@._-]{1,56}", name)
    assert (name.lower() == component(other).lower()) == (one == other)


@pytest.mark.parametrize("name", ["\ud800", "a\udcffb"])
def test_lone_surrogates_have_file_names_too(name):
    assert component(name).isascii()


def test_one_store_holds_several_accounts(tmp_path):
    fill(tmp_path, {"INBOX": [1, 2]}, account="ann@example.org")
    fill(tmp_path, {"INBOX": [7]}, account="bob@example.org")
    store = open_store(tmp_path)
    assert store.accounts() == ["ann@example.org", "bob@example.org"]
    assert store.frame(accounts="bob@*")["uid"].tolist() == [7]
    assert store.frame()["account"].astype(str).tolist() == ["ann@example.org"] * 2 + [
        "bob@example.org"
    ]
