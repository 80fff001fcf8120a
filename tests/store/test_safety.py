"""Whatever happens to a refresh, the store is as before or as after it, and says what is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import warnings
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mailframe.errors import MailframeWarning, StoreError
from mailframe.store import atomic
from mailframe.store.layout import UNFINISHED, account_dir, component, folder_path
from mailframe.store.reader import open_store
from mailframe.store.state import CHECKSUM, KEY, VERSION, FolderState
from mailframe.store.writer import writing
from tests.children import let_everybody_in
from tests.store.batches import batch, message
from tests.store.killer import AFTER, BEFORE
from tests.store.stage import ACCOUNT, DAY, fill, refresh, rotten, rows

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="forks and kills")


def python(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        **options,
    )


class Victim:
    """A store, and the process that refreshes it and is killed over it."""

    def __init__(self, path):
        self.path = path
        self.sound = fill(path.with_name("sound"), BEFORE)
        self.process = python("-m", "tests.store.killer", str(path))
        assert self.process.stdout.readline() == "ready\n"

    def killed(self, how, number):
        """Refresh a sound store, to be killed as told; return whether it was."""
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(self.sound, self.path)
        self.process.stdin.write(f"{how} {number}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "killed\n"

    def holds(self):
        df = open_store(self.path).frame()
        return {name: list(uids) for name, uids in df.groupby("folder", observed=True)["uid"]}

    def is_before_or_after(self):
        holds = self.holds()
        folders = open_store(self.path).folders().set_index("folder")
        # Rows and state are those of one refresh.
        after = folders.loc["INBOX", "refreshed"].day == 3
        assert holds.pop("INBOX") == (AFTER if after else BEFORE)["INBOX"]
        assert folders["complete"].all()
        assert holds.pop("New", AFTER["New"]) == AFTER["New"]
        assert holds.pop("Old", BEFORE["Old"]) == BEFORE["Old"]
        assert holds == {}

    def mends(self):
        """Refresh once more, unharmed: nothing of the killed process is left."""
        assert self.again() == AFTER
        left = {path.name for path in account_dir(self.path, ACCOUNT).iterdir()}
        assert {name for name in left if name.startswith(".")} <= {".lock", UNFINISHED}
        assert not list(self.path.rglob("*.part"))

    def again(self):
        self.process.stdin.write("step 1000000\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        return self.holds()


@pytest.fixture
def victim(tmp_path):
    found = Victim(tmp_path / "store")
    with contextlib.closing(found.process.stdin), found.process:
        yield found
        found.process.stdin.close()


@posix
def test_killed_between_any_two_writes_the_store_is_as_before_or_after(victim):
    steps = 0
    while victim.killed("step", steps + 1):
        steps += 1
        victim.is_before_or_after()
        if steps % 5 == 0:
            victim.mends()
    assert steps > 20
    assert victim.holds() == AFTER


@posix
def test_killed_at_random_200_times_the_store_is_as_before_or_after(victim):
    draw = random.Random(7)
    killed = 0
    for _ in range(200):
        killed += victim.killed("after", draw.uniform(0, 0.06))
        victim.is_before_or_after()
    assert killed > 100
    victim.mends()


@posix
def test_what_is_renamed_was_flushed_and_the_directory_is_flushed_after(tmp_path, monkeypatch):
    seen = []
    sync, replace = os.fsync, os.replace

    def fsync(descriptor):
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append(f"fsync {kind}")
        sync(descriptor)

    def rename(*paths, **options):
        seen.append("rename")
        replace(*paths, **options)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    with atomic.replacing(tmp_path / "x") as file:
        file.write(b"x")
    assert seen == ["fsync file", "rename", "fsync directory"]


@posix
def test_a_directory_is_flushed_into_the_one_above(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(atomic, "sync_dir", seen.append)
    atomic.make_dir(tmp_path / "store" / "account")
    assert seen == [tmp_path, tmp_path / "store"]
    atomic.make_dir(tmp_path / "store" / "account")
    assert len(seen) == 2


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch):
    def acquire(lock, timeout):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    with pytest.raises(StoreError, match="has no locks"), writing(tmp_path, ACCOUNT):
        pass


@posix
def test_files_and_folders_are_for_their_owner_alone(tmp_path):
    fill(tmp_path / "deep" / "store", {"INBOX": [1]})
    for path in (tmp_path / "deep").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_two_processes_on_one_store_take_turns(tmp_path):
    root = fill(tmp_path, {"INBOX": [1]})
    hold = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from mailframe.store.writer import writing
        with writing(Path(sys.argv[1]), sys.argv[2]):
            print("held", flush=True)
            sys.stdin.readline()
        """
    )
    with python("-c", hold, str(root), ACCOUNT) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreError, match="Another process is refreshing"),
            writing(root, ACCOUNT, wait=0.1),
        ):
            pass
        assert len(open_store(root).frame()) == 1
        with writing(root, "bob@example.org", wait=0.1):
            pass  # the lock is the account's
        other.stdin.write("go on\n")
        other.stdin.flush()
        with writing(root, ACCOUNT, wait=10) as writer:
            assert writer.held("INBOX").rows == 1


@posix
def test_a_disk_that_fills_up_costs_the_refresh_and_not_the_store(tmp_path):
    root = fill(tmp_path, {"INBOX": [1, 2], "Sent": [1]})
    overfill = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from mailframe.errors import StoreError
        from tests.store.stage import fill
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            fill(Path(sys.argv[1]), {"INBOX": range(1, 3000)})
        except StoreError as error:
            print(error)
        """
    )
    with python("-c", overfill, str(root)) as process:
        said = process.stdout.read()
    assert said.startswith("Cannot write ")
    assert "File too large" in said
    assert open_store(root).frame()["uid"].tolist() == [1, 2, 1]
    assert not list(account_dir(root, ACCOUNT).glob(".new-*"))


def as_nobody(root, script):
    """Give the lines that a script prints which somebody else runs, with the store's path."""
    become = """
        import os, sys
        from pathlib import Path
        from mailframe.errors import StoreError
        from mailframe.store.reader import open_store
        from mailframe.store.writer import writing
        open_store(sys.argv[1]).frame()  # everything is imported, as nobody may not
        os.setuid(65534)
    """
    with python("-c", textwrap.dedent(become) + textwrap.dedent(script), str(root)) as process:
        return process.stdout.read().splitlines()


ONLY_ROOT = pytest.mark.skipif(
    getattr(os, "geteuid", int)() != 0, reason="only root can become somebody else"
)


@ONLY_ROOT
def test_a_store_that_may_not_be_written_is_said_and_can_be_read(tmp_path):
    root = fill(tmp_path / "store", {"INBOX": [1, 2]})
    let_everybody_in(tmp_path)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    script = """
        print(len(open_store(sys.argv[1]).frame()))
        for account in ("ann@example.org", "bob@example.org"):
            try:
                with writing(Path(sys.argv[1]), account):
                    pass
            except StoreError as error:
                print(error)
    """
    rows, lock, create = as_nobody(root, script)
    assert rows == "2"
    assert lock.startswith("Cannot lock ")
    assert create.startswith("Cannot create ")
    assert "belongs to another user" in lock
    assert "belongs to another user" in create


@ONLY_ROOT
@pytest.mark.parametrize("closed", ["store", "account"])
def test_a_store_that_may_not_be_read_is_not_an_empty_one(tmp_path, closed):
    root = fill(tmp_path / "store", {"INBOX": [1, 2]})
    let_everybody_in(tmp_path)
    root.chmod(0o755)
    (root if closed == "store" else account_dir(root, ACCOUNT)).chmod(0o700)
    script = """
        for read in ("frame", "accounts", "folders"):
            for errors in ({}, {"errors": "warn"})[: 1 + (read == "frame")]:
                try:
                    print(len(getattr(open_store(sys.argv[1]), read)(**errors)))
                except StoreError as error:
                    print(error)
    """
    said, *rest = as_nobody(root, script)
    assert said.startswith("Cannot read ")
    assert "Permission denied; the store belongs to another user" in said
    assert rest == ["0", "0", "0"]  # with a warning each


@pytest.fixture
def store(tmp_path):
    return fill(tmp_path / "store", {"INBOX": range(1, 20), "Sent": [1, 2], "Work": [4]})


def sent(store):
    return folder_path(account_dir(store, ACCOUNT), "Sent")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path):
    path.write_bytes(b"")


def foreign(path):
    pq.write_table(pa.table({"a": [1]}), path)


def newer(path, *, version=VERSION + 1, lacking=()):
    table = pq.read_table(path).drop_columns(list(lacking))
    state = json.loads(table.schema.metadata[KEY])
    state["version"] = version
    raw = json.dumps(state).encode()
    metadata = {KEY: raw, CHECKSUM: b"%08x" % zlib.crc32(raw)}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def older(path):
    newer(path, version=VERSION - 1, lacking=["bulk", "auto"])


def saying(**values):
    """A state with a right checksum and other content."""

    def spoil(path):
        table = pq.read_table(path)
        raw = json.dumps(json.loads(table.schema.metadata[KEY]) | values).encode()
        metadata = {KEY: raw, CHECKSUM: b"%08x" % zlib.crc32(raw)}
        pq.write_table(table.replace_schema_metadata(metadata), path)

    return spoil


def no_object(path):
    table = pq.read_table(path)
    metadata = {KEY: b"[]", CHECKSUM: b"%08x" % zlib.crc32(b"[]")}
    pq.write_table(table.replace_schema_metadata(metadata), path)


SENSELESS = {
    "version": "2",
    "uidvalidity": "7",
    "uidnext": None,
    "modseq": -(1 << 63),
    "messages": 1.5,
    "unseen": 1 << 70,
    "headers": "Received",
    "complete": 1,
    "server": None,
    "refreshed": "2024-01-01T00:00:00",
    "gone": [{"at": "2024-01-01T00:00:00+00:00", "uids": [[3, 1]]}],
    "account": ["a"],
    "folder": "\ud800",
}


def a_directory(path):
    path.unlink()
    path.mkdir()


def another_folder(path):
    shutil.copy(folder_path(path.parent, "INBOX"), path)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncated, "is damaged .* Delete it and refresh"),
        (emptied, "is damaged .* Delete it and refresh"),
        (rotten, "is damaged .* Delete it and refresh"),
        (foreign, "was not written by mailframe"),
        (newer, "newer mailframe .* upgrade"),
        (older, "older mailframe .* refresh the store"),
        (a_directory, "Cannot open .*irectory"),
        (another_folder, "is a copy of the folder 'INBOX'"),
        (no_object, "is damaged .*'version'"),
        (saying(colour="red"), "'colour', which this mailframe does not know"),
        *((saying(**{name: value}), f"is damaged .*{name!r}") for name, value in SENSELESS.items()),
    ],
)
def test_a_spoilt_file_is_told_and_the_other_folders_stay_readable(store, spoil, said):
    spoil(sent(store))
    with pytest.raises(StoreError, match=said):
        open_store(store).frame()
    with pytest.warns(MailframeWarning, match=said):
        df = open_store(store).frame(errors="warn")
    assert set(df["folder"]) == {"INBOX", "Work"}
    assert len(df.attrs["mailframe"]["problems"]) == 1
    assert len(open_store(store).frame(errors="ignore")) == 20
    assert len(open_store(store).frame("INBOX")) + len(open_store(store).frame("Work")) == 20
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks at no pages
        assert open_store(store).accounts() == [ACCOUNT]


def test_any_bit_that_flips_is_noticed_or_harmless(store):
    path, draw = sent(store), random.Random(3)
    sound, good = path.read_bytes(), open_store(store).frame("Sent")
    noticed = 0
    for _ in range(150):
        content = bytearray(sound)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        try:
            assert open_store(store).frame("Sent").equals(good)
        except StoreError:
            noticed += 1
    assert noticed > 50


@pytest.mark.parametrize("spoil", [truncated, emptied, older])
def test_a_refresh_mends_a_file_that_is_not_whole_or_lacks_columns(store, spoil):
    spoil(sent(store))
    with writing(store, ACCOUNT) as writer:
        assert writer.held("Sent") is None
        refresh(writer, "Sent", rows([1, 2], folder="Sent"))
    assert len(open_store(store).frame()) == 22


def test_a_copy_beside_the_file_is_told_and_does_not_count(store):
    shutil.copy(sent(store), sent(store).with_name("Sent (conflict).parquet"))
    shutil.copytree(sent(store).parent, store / "backup")
    with pytest.warns(MailframeWarning, match=r" is a copy of .* \(and 4 more problems\)"):
        assert len(open_store(store).frame(errors="warn")) == 22


def test_what_cannot_be_opened_costs_a_refresh_its_own_folder(store):
    a_directory(sent(store))
    with writing(store, ACCOUNT) as writer:
        with pytest.raises(StoreError, match=r"Cannot open .*irectory"):
            writer.held("Sent")
        assert writer.held("Work").rows == 1


@pytest.mark.parametrize("spoil", [foreign, newer, saying(colour="red"), saying(modseq="7")])
def test_a_refresh_does_not_overwrite_what_it_does_not_understand(store, spoil):
    spoil(sent(store))
    content = sent(store).read_bytes()
    with writing(store, ACCOUNT) as writer, pytest.raises(StoreError):
        writer.held("Sent")
    assert sent(store).read_bytes() == content


def stage(writer, uids, *, folder="INBOX", day=1, uidvalidity=1):
    at = (DAY + timedelta(days=day - 1)).isoformat()
    state = FolderState(ACCOUNT, folder, uidvalidity, 1, 7, refreshed=at)
    writer.stage(state, [batch([message(uid) for uid in uids], folder=folder)], at=DAY)


def test_staged_batches_are_held_in_order_and_stay_out_of_sight(tmp_path):
    with writing(tmp_path, ACCOUNT) as writer:
        stage(writer, [30, 31, 32])
        stage(writer, [1, 2, 3])
        stage(writer, [3, 9, 10, 31])
    with writing(tmp_path, ACCOUNT) as writer:
        held = writer.held("INBOX")
        assert (held.rows, held.state.complete, held.state.modseq) == (8, False, 7)
        assert held.uids.ranges == ((1, 3), (9, 10), (30, 32))
        uids = [uid for part in held.batches() for uid in part["uid"].to_pylist()]
        assert uids == [1, 2, 3, 9, 10, 30, 31, 32]
    assert open_store(tmp_path).frame().empty
    assert not list(tmp_path.rglob("*.parquet"))


def test_staged_batches_join_the_folder_that_they_were_fetched_for(store):
    with writing(store, ACCOUNT) as writer:
        stage(writer, range(15, 30), day=20)
        held = writer.held("INBOX")
        assert (held.uids.ranges, held.state.complete) == (((1, 29),), False)
        stage(writer, [1, 2], day=21, uidvalidity=2)
        held = writer.held("INBOX")
        assert (held.uids.ranges, held.state.uidvalidity) == (((1, 2),), 2)


def test_a_part_that_was_cut_off_is_fetched_again(tmp_path):
    with writing(tmp_path, ACCOUNT) as writer:
        stage(writer, [1, 2])
        stage(writer, [3, 4])
        truncated(next(tmp_path.rglob("*2.part")))
        assert writer.held("INBOX").uids.ranges == ((1, 2),)


def test_a_copy_among_the_parts_does_not_count(tmp_path):
    with writing(tmp_path, ACCOUNT) as writer:
        stage(writer, [1, 2])
        part = next(tmp_path.rglob("*.part"))
        shutil.copy(part, part.with_name("00000001 (conflict).part"))
        stage(writer, [3, 4])
        assert writer.held("INBOX").uids.ranges == ((1, 4),)
        refresh(writer, "INBOX", rows(range(1, 6)))
    assert [path.name for path in tmp_path.rglob("*.part")] == ["00000001 (conflict).part"]


def test_a_killed_holder_of_the_lock_leaves_it_free(tmp_path):
    root = fill(tmp_path, {"INBOX": [1]})
    hold = "import sys; from pathlib import Path; from mailframe.store.writer import writing\n"
    hold += "with writing(Path(sys.argv[1]), sys.argv[2]): print('held', flush=True); input()"
    with python("-c", hold, str(root), ACCOUNT) as other:
        assert other.stdout.readline() == "held\n"
        other.send_signal(signal.SIGKILL)
        other.wait()
        with writing(root, ACCOUNT, wait=1) as writer:
            assert writer.held("INBOX").rows == 1


def fetched(store):
    """Stage rows of a folder and save them, and remove what the server no longer has."""
    with writing(store, ACCOUNT) as writer:
        stage(writer, [3], folder="Sent", day=20)
        assert writer.held("Sent").rows == 3
        refresh(writer, "Sent", rows([1, 2, 3], folder="Sent"), day=21)
        return writer.forget_others(["INBOX", "Sent", "Work"], datetime.now(UTC))


@pytest.mark.parametrize("place", [UNFINISHED, f"{UNFINISHED}/Sent", f"{UNFINISHED}/elsewhere"])
def test_what_a_link_leads_to_is_never_touched(store, tmp_path, place):
    precious = tmp_path / "precious"
    (precious / component("Sent")).mkdir(parents=True)
    inside = [precious / "thesis.txt", precious / component("Sent") / "00000001.part"]
    for file in inside:
        file.write_text("mine")
    link = account_dir(store, ACCOUNT) / place
    link = link.with_name(component(link.name)) if "/" in place else link
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(precious)
    fetched(store)
    assert [file.read_text() for file in inside] == ["mine", "mine"]
    assert len(list(precious.rglob("*"))) == 3
    assert len(open_store(store).frame()) == 23


def test_an_account_or_a_lock_that_is_a_link_is_told_and_not_followed(store, tmp_path):
    directory = account_dir(store, ACCOUNT)
    (directory / ".lock").unlink(missing_ok=True)
    (tmp_path / "precious").write_text("mine")
    (directory / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="is a link"), writing(store, ACCOUNT):
        pass
    (directory / ".lock").unlink()
    directory.rename(tmp_path / "moved")
    directory.symlink_to(tmp_path / "moved")
    with pytest.raises(StoreError, match="is a link"), writing(store, ACCOUNT):
        pass
    with pytest.raises(StoreError, match="is a link"):
        open_store(store).frame()
    assert (tmp_path / "precious").read_text() == "mine"


def test_what_others_leave_in_a_store_stays_and_stops_nothing(store):
    directory = account_dir(store, ACCOUNT)
    (store / "loop").symlink_to(store / "loop")
    (store / ".DS_Store").write_text("x")
    strays = [".DS_Store", ".new-x", UNFINISHED + "/.DS_Store", UNFINISHED + "/other/file"]
    strays += [f"{UNFINISHED}/{component('Sent')}/{name}" for name in (".DS_Store", "1.part.txt")]
    for stray in strays:
        (directory / stray).parent.mkdir(parents=True, exist_ok=True)
        (directory / stray).write_text("theirs")
    for stray in (".new-abcdefgh", f"{UNFINISHED}/{component('Sent')}/00000001.part"):
        (directory / stray).mkdir()
    ours = directory / ".new-0_bcdefg"
    ours.write_text("cut off")
    assert fetched(store) == []
    assert all((directory / stray).read_text() == "theirs" for stray in strays)
    assert not ours.exists()
    assert len(open_store(store).frame()) == 23


def test_a_folder_that_went_is_removed_although_a_clock_was_ahead(tmp_path):
    store = tmp_path / "store"
    with writing(store, ACCOUNT) as writer:
        ahead = (datetime.now(UTC) - DAY).days + 300
        refresh(writer, "Gone", rows([1], folder="Gone"), day=ahead)
        assert writer.forget_others(["INBOX"], datetime.now(UTC)) == ["Gone"]
