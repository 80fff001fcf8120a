"""Many small folders: their files are few, and everything else is as if each had its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime

import duckdb
import pandas as pd
import polars as pl
import pytest

import mailframe as mf
from mailframe.errors import StoreError
from mailframe.ground.uidset import UidSet
from mailframe.store.layout import account_dir, folder_path, pack_path
from mailframe.store.merge import Answers
from mailframe.store.writer import FEW, writing
from tests.hostile.fetching import memory_growth_below
from tests.servers.dovecot import Message
from tests.store.stage import ACCOUNT, refresh, rotten, rows

NAMES = [f"List {number:02}" for number in range(FEW + 9)]


def files(store):
    return sorted(path.name for path in store.rglob("*.parquet"))


def put(root, uids, *, many=True, day=0, account=ACCOUNT):
    """Refresh folders, given the UIDs that are in each now."""
    with writing(root, account) as writer:
        writer.many = many
        for name, each in uids.items():
            answers = rows([*each], folder=name, account=account)
            there = UidSet.of(*((uid, uid) for uid in each))
            refresh(writer, name, Answers(rows=answers.rows, there=there), day=day)
    return root


@pytest.fixture
def both(tmp_path):
    """Give one store with a file each and one with a pack, of the same messages."""
    uids = {name: range(1, 4 + number) for number, name in enumerate(NAMES)}
    return put(tmp_path / "each", uids, many=False), put(tmp_path / "packed", uids)


def test_many_small_folders_are_one_file_and_the_same_to_every_reader(both):
    each, packed = (mf.open_store(path) for path in both)
    assert len(files(each.path)) == len(NAMES)
    assert files(packed.path) == ["together+00000001.parquet"]
    expected = each.frame()
    pd.testing.assert_frame_equal(packed.frame(), expected)
    pd.testing.assert_frame_equal(
        packed.folders().drop(columns="octets"), each.folders().drop(columns="octets")
    )
    pd.testing.assert_frame_equal(
        packed.frame("List 1*", "subject"), each.frame("List 1*", "subject")
    )
    pd.testing.assert_frame_equal(packed.changes("2020-01-01"), each.changes("2020-01-01"))
    pattern = f"{packed.path}/**/*.parquet"
    assert duckdb.sql(f"select count(*) from '{pattern}'").fetchall() == [(len(expected),)]
    assert set(pl.scan_parquet(pattern).select("folder").collect()["folder"]) == set(NAMES)
    assert len(pd.read_parquet(packed.path / account_dir(packed.path, ACCOUNT).name)) == len(
        expected
    )


def test_refreshes_of_packed_folders_are_those_of_any(both):
    later = {name: range(2, 9 + number) for number, name in enumerate(NAMES[::2])}
    each, packed = (
        mf.open_store(put(path, later, many=many, day=1)).frame
        for path, many in zip(both, (False, True), strict=True)
    )
    pd.testing.assert_frame_equal(
        packed(columns=["uid", "stored_at"]), each(columns=["uid", "stored_at"])
    )
    pd.testing.assert_frame_equal(packed(), each())
    each, packed = (mf.open_store(path).changes("2026-01-01T12:00") for path in both)
    assert set(each["change"]) == {"new", "gone"}
    pd.testing.assert_frame_equal(packed, each)


def test_a_folder_that_grows_gets_a_file_of_its_own_and_loses_it_when_it_shrinks(both, monkeypatch):
    _, store = both
    monkeypatch.setattr("mailframe.store.writer.SMALL_ROWS", 100)
    put(store, {NAMES[0]: range(1, 300)}, day=1)
    assert len(files(store)) == 2
    grown = mf.open_store(store).frame(NAMES[0])
    assert grown["uid"].tolist() == [*range(1, 300)]
    put(store, {NAMES[0]: range(200, 204)}, day=2)
    assert files(store) == ["together+00000001.parquet"]
    assert mf.open_store(store).frame(NAMES[0])["uid"].tolist() == [200, 201, 202, 203]


def test_folders_of_different_headers_lie_in_different_packs(tmp_path):
    with writing(tmp_path, ACCOUNT) as writer:
        writer.many = True
        for name in NAMES:
            headers = ("X-Mailer",) if name > "List 1" else ()
            refresh(writer, name, rows([1, 2], folder=name), headers=headers)
    assert len(files(tmp_path)) == 2
    df = mf.open_store(tmp_path).frame()
    assert len(df) == 2 * len(NAMES)
    assert "x_mailer" in df


@pytest.mark.parametrize("first", ["pack", "file"])
def test_who_is_killed_between_two_files_has_lost_and_doubled_nothing(both, first):
    each, packed = both
    expected = mf.open_store(each).frame()
    source, place = (folder_path(account_dir(root, ACCOUNT), NAMES[3]) for root in both)
    if first == "pack":  # the older is in the pack
        put(each, {NAMES[3]: range(1, 40)}, many=False, day=1)
        expected = mf.open_store(each).frame()
        shutil.copy(source, place)
    else:
        shutil.copy(source, place)
        put(each, {NAMES[3]: range(1, 40)}, many=False, day=1)
        kept = place.read_bytes()
        put(packed, {NAMES[3]: range(1, 40)}, day=1)
        place.write_bytes(kept)
        expected = mf.open_store(each).frame()
    pd.testing.assert_frame_equal(mf.open_store(packed).frame(), expected)
    with writing(packed, ACCOUNT) as writer:
        writer.many = True
        held = writer.held(NAMES[3])
        writer.tidy()
    assert held.rows == 39
    assert duckdb.sql(f"select count(*) from '{packed}/**/*.parquet'").fetchall() == [
        (len(expected),)
    ]
    pd.testing.assert_frame_equal(mf.open_store(packed).frame(), expected)


KILLED = """
import os, sys
from pathlib import Path
from tests.store.test_together import NAMES, put
from mailframe.store import atomic

left = int(sys.argv[2])
replace = Path.replace
def replacing(path, target):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
    return replace(path, target)
Path.replace = replacing
unlink = Path.unlink
def unlinking(path, *args, **options):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
    return unlink(path, *args, **options)
Path.unlink = unlinking
import mailframe.store.writer as writer, mailframe.store.together as together
writer.SMALL_ROWS = 30
together.PACK_ROWS = 60
uids = {name: range(5, 20 + 3 * number) for number, name in enumerate(NAMES[:9])}
put(Path(sys.argv[1]), uids, day=1)
"""


def test_a_kill_at_any_rename_or_removal_leaves_each_folder_as_it_was_or_as_it_is_to_be(both):
    each, packed = both
    before = mf.open_store(each).frame()
    uids = {name: range(5, 20 + 3 * number) for number, name in enumerate(NAMES[:9])}
    after = mf.open_store(put(each, uids, many=False, day=1)).frame()
    states = [
        {name: [*part["uid"]] for name, part in df.groupby("folder", observed=True)}
        for df in (before, after)
    ]
    for left in range(0, 60, 6):
        store = packed.with_name(f"killed after {left}")
        shutil.copytree(packed, store)
        command = [sys.executable, "-c", KILLED, str(store), str(left)]
        done = subprocess.run(command, check=False, timeout=60)
        found = mf.open_store(store).frame()
        for name, part in found.groupby("folder", observed=True):
            assert [*part["uid"]] in [state[name] for state in states], (left, name)
        assert set(found["folder"]) == set(NAMES)
        put(store, uids, day=1)
        pd.testing.assert_frame_equal(mf.open_store(store).frame(), after)
        if not done.returncode:
            break
    assert done.returncode == 0, "the writing never came to its end"


def test_damage_costs_the_small_folders_of_one_account_until_they_are_fetched_anew(both):
    _, store = both
    put(store, {name: [1] for name in NAMES}, account="bob@example.org")
    path = pack_path(account_dir(store, ACCOUNT), 1)
    rotten(path)
    with pytest.raises(StoreError, match="damaged"):
        mf.open_store(store).frame()
    assert set(mf.open_store(store).frame(errors="ignore")["account"]) == {"bob@example.org"}
    path.write_bytes(path.read_bytes()[:-30])  # no whole file any more: nothing is held
    with writing(store, ACCOUNT) as writer:
        assert writer.held(NAMES[0]) is None
    put(store, {name: [1, 2] for name in NAMES})
    with writing(store, ACCOUNT) as writer:
        writer.tidy()
    assert len(mf.open_store(store).frame(accounts=ACCOUNT)) == 2 * len(NAMES)


def test_a_copy_of_a_pack_and_one_of_another_account_are_told(both):
    _, store = both
    directory = account_dir(store, ACCOUNT)
    for name in ("together+00000002.parquet", "together+00000001 (copy).parquet"):
        copy = directory / name
        shutil.copy(pack_path(directory, 1), copy)
        with pytest.raises(StoreError, match="copy"):
            mf.open_store(store).frame()
        copy.unlink()
    put(store, {name: [1] for name in NAMES}, account="bob@example.org")
    shutil.copy(pack_path(account_dir(store, "bob@example.org"), 1), pack_path(directory, 1))
    with pytest.raises(StoreError, match="of the account"):
        mf.open_store(store).frame()
    with writing(store, ACCOUNT) as writer, pytest.raises(StoreError, match="another account"):
        writer.held(NAMES[0])


def test_compact_puts_small_folders_of_any_store_together(both):
    each, packed = both
    expected = mf.open_store(packed).frame()
    store = mf.open_store(each)
    told = store.compact()
    assert told.to_dict("records") == [{"account": ACCOUNT, "files": 1, "files_before": len(NAMES)}]
    pd.testing.assert_frame_equal(store.frame(), expected)
    assert len(files(each)) == 1
    assert store.compact()["files"].tolist() == [1]


def test_compact_fills_half_empty_packs(both, monkeypatch):
    _, store = both
    monkeypatch.setattr("mailframe.store.together.PACK_ROWS", 60)
    put(store, {name: range(1, 30) for name in NAMES}, day=1)
    put(store, {name: [1] for name in NAMES}, day=2)
    expected = mf.open_store(store).frame()
    assert len(files(store)) > 4
    mf.open_store(store).compact()
    assert len(files(store)) == 1
    pd.testing.assert_frame_equal(mf.open_store(store).frame(), expected)


def mail(number):
    head = f"From: p{number}@example.org\r\nSubject: {number}\r\n"
    return Message(f"{head}Message-ID: <{number}@example.org>\r\n\r\nbody\r\n".encode())


def test_an_account_of_many_folders_is_kept_in_one_file_and_an_old_store_is_moved_over(
    dovecot, user, tmp_path, monkeypatch
):
    url = dovecot.url(user)
    for number in range(FEW + 4):
        dovecot.deliver(user, f"Box {number}", [mail(number), mail(number + 100)])
    with monkeypatch.context() as patch:
        patch.setattr("mailframe.store.writer.FEW", 1000)
        mf.read_imap(url, store=tmp_path, progress=False)
    assert len(files(tmp_path)) == FEW + 5
    full = mf.read_imap(url, progress=False)
    kept = mf.read_imap(url, store=tmp_path, progress=False)
    pd.testing.assert_frame_equal(kept, full)
    assert kept.attrs["mailframe"]["store"]["folders"] == 0
    assert files(tmp_path) == ["together+00000001.parquet"]
    dovecot.deliver(user, "Box 3", [mail(999)])
    shutil.rmtree(dovecot.mail / user / "mail" / "Box 5")
    started = datetime.now(UTC)
    kept = mf.read_imap(url, store=tmp_path, progress=False)
    pd.testing.assert_frame_equal(kept, mf.read_imap(url, progress=False))
    told = kept.attrs["mailframe"]["store"]
    assert (told["new"], told["removed"]) == (1, ["Box 5"])
    assert mf.open_store(tmp_path).changes(started)["folder"].tolist() == ["Box 3"]
    assert files(tmp_path) == ["together+00000001.parquet"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by /proc")
def test_thousands_of_empty_folders_take_little_memory_and_one_file(tmp_path):
    names = [f"f{number:04}" for number in range(2_000)]
    put(tmp_path / "warm", dict.fromkeys(names[:50], ()))
    with memory_growth_below(48 << 20):
        put(tmp_path / "store", dict.fromkeys(names, ()))
    store = mf.open_store(tmp_path / "store")
    assert files(store.path) == ["together+00000001.parquet"]
    assert store.folders()["folder"].tolist() == names
