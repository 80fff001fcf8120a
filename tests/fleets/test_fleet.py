"""A dozen accounts behind a master user, here and on two workers: one store, whoever fetched it."""

from __future__ import annotations

import os
import pickle
import re
import signal
import threading
import time
import urllib.request

import pandas as pd
import pytest
from click.testing import CliRunner

import mailframe as mf
from mailframe.cli.main import cli
from mailframe.errors import ConfigurationError
from mailframe.fleets.credentials import let_in
from mailframe.fleets.order import Member
from mailframe.fleets.visits import Task
from tests.servers.dovecot import Dovecot, Message

MASTER = "master-geheim-7316"
COUNT = 12
NAMES = [f"user{number:02}@example.org" for number in range(COUNT)]


def mail(number, who):
    head = f"From: p{number % 7}@example.org\r\nTo: {who}\r\nSubject: {number}\r\n"
    return Message(f"{head}Message-ID: <{number}.{who}>\r\n\r\nbody\r\n".encode())


@pytest.fixture(scope="module")
def server():
    """Give a Dovecot with accounts of different sizes, where "admin" may act for everybody."""
    with Dovecot(masters={"admin": MASTER}) as dovecot:
        for number, name in enumerate(NAMES):
            for folder in ("INBOX", "Lists/one", "Sent")[: 1 + number % 3]:
                dovecot.deliver(name, folder, [mail(n, name) for n in range(3 + 2 * number)])
        yield dovecot


@pytest.fixture(scope="module")
def where(server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLEET_PASSWORD", MASTER)
        patch.setenv("FLEET_WRONG", "nonsense")
        yield {
            "where": f"imap://127.0.0.1:{server.port}",
            "login": "admin",
            "credentials": "env:FLEET_PASSWORD",
            "progress": False,
        }


@pytest.fixture(scope="module")
def serial(server):
    """Give what each account has, read one after the other without a store."""
    frames = []
    for name in NAMES:
        account = mf.Account("127.0.0.1", name, server.port, "none", MASTER, login="admin")
        frames.append(mf.read_imap(account, progress=False))
    return pd.concat(
        [df.astype({"account": "str", "folder": "str"}) for df in frames], ignore_index=True
    )


def stored(root):
    return mf.open_store(root).frame().astype({"account": "str", "folder": "str"})


def most_at_once(log):
    """Count the most sessions at a time that a server's log tells of."""
    now = most = 0
    for line in log.splitlines():
        if "imap-login: " in line and " Login: " in line:
            now += 1
            most = max(most, now)
        elif re.search(r" imap\(.*(Logged out|Disconnected)", line):
            now -= 1
    return most


def appended(server):
    """Give what the log of a server has had since now."""
    start = server.log.stat().st_size

    def read():
        time.sleep(0.2)  # sessions say goodbye before the server has written so
        with server.log.open(encoding="utf-8", errors="replace") as file:
            file.seek(start)
            return file.read()

    return read


def test_a_fleet_in_this_process_is_what_a_serial_read_gives(server, where, serial, tmp_path):
    log = appended(server)
    df = mf.fleet(NAMES, tmp_path, per_host=4, **where)
    assert df["status"].tolist() == ["ok"] * COUNT
    assert df["account"].tolist() == NAMES
    assert df["messages"].sum() == df["new"].sum() == len(serial)
    pd.testing.assert_frame_equal(stored(tmp_path), serial)
    assert 2 <= most_at_once(log()) <= 4
    again = mf.fleet(None, tmp_path, progress=False)
    assert again["new"].sum() == 0
    assert again["messages"].sum() == len(serial)
    pd.testing.assert_frame_equal(mf.fleet_status(tmp_path), again)


def test_a_wrong_password_is_tried_once_and_stops_nobody(server, where, tmp_path):
    frame = pd.DataFrame({"account": NAMES})
    frame["credentials"] = None
    frame.loc[4, "credentials"] = "env:FLEET_WRONG"
    frame.loc[7, "credentials"] = "env:NOT_SET_ANYWHERE"
    log = appended(server)
    df = mf.fleet(frame, tmp_path, retries=3, **where)
    assert df["status"].value_counts().to_dict() == {"ok": COUNT - 2, "refused": 2}
    assert df.loc[4, "error"] == "AuthenticationError"
    assert "NOT_SET_ANYWHERE" in df.loc[7, "text"]
    assert len(re.findall(r"auth failed, 1 attempts", log())) == 1
    visited = appended(server)
    df = mf.fleet(NAMES, tmp_path, rerun=True, **where)
    assert df["status"].tolist() == ["ok"] * COUNT
    assert set(re.findall(r" Login: user=<([^>]*)>", visited())) == {NAMES[4], NAMES[7]}


def test_archives_are_accounts_of_a_fleet_and_read_again_only_when_they_changed(tmp_path):
    box = tmp_path / "old.mbox"
    letter = (
        "From a@example.org Mon Jan  1 10:00:00 2024\nFrom: a@example.org\nSubject: {}\n\nx\n\n"
    )
    box.write_text(letter.format(1) + letter.format(2))
    root = tmp_path / "store"
    df = mf.fleet([box, tmp_path / "nothing.mbox"], root, retries=0, progress=False)
    assert df["status"].tolist() == ["ok", "refused"]
    assert mf.open_store(root).frame()["subject"].tolist() == ["1", "2"]
    assert mf.open_store(root).accounts() == [str(box)]
    with box.open("a") as file:
        file.write(letter.format(3))
    assert mf.fleet(box, root, progress=False)["new"].tolist() == [1]
    again = mf.fleet(box, root, progress=False)
    assert (again.loc[0, "new"], again.loc[0, "messages"]) == (0, 3)


def test_the_command_line_tells_who_was_left_out(server, where, tmp_path):
    table = tmp_path / "accounts.csv"
    lines = [f"{NAMES[0]},", f"{NAMES[1]},env:FLEET_WRONG"]
    table.write_text("account,credentials\n" + "\n".join(lines))
    options = [f"--{name}={where[name]}" for name in ("where", "login", "credentials")]
    done = CliRunner().invoke(
        cli, ["fleet", str(table), f"--store={tmp_path / 'store'}", *options], standalone_mode=False
    )
    assert done.return_value == 1
    assert "1 of 2 accounts well, 3 messages, 3 new" in done.output
    assert f"{NAMES[1]}: refused" in done.output


@pytest.fixture(scope="module")
def cluster(where):
    distributed = pytest.importorskip("distributed")
    # The workers find the password in an environment of their own.
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0", protocol="tcp"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_two_workers_give_the_same_and_no_secret_travels(
    server, where, serial, cluster, tmp_path, caplog
):
    log = appended(server)
    df = mf.fleet(NAMES, tmp_path, client=cluster, per_host=4, **where)
    assert df["status"].tolist() == ["ok"] * COUNT
    assert df["worker"].nunique() == 2
    pd.testing.assert_frame_equal(stored(tmp_path), serial)
    assert most_at_once(log()) <= 4
    state = cluster.run_on_scheduler(
        lambda dask_scheduler: repr(
            [[*dask_scheduler.transition_log], [*map(repr, dask_scheduler.tasks.values())]]
        )
    )
    pages = [
        urllib.request.urlopen(cluster.dashboard_link.replace("status", page)).read().decode()
        for page in ("status", "info/main/workers.html", "json/counts.json")
    ]
    logs = repr([cluster.get_worker_logs(), cluster.get_scheduler_logs(), caplog.text])
    manifest = (tmp_path / ".fleet.jsonl").read_text()
    assert NAMES[0] in manifest
    for told in (state, logs, manifest, *pages):
        assert MASTER not in told
    task = Task(Member(NAMES[0], where["credentials"], "admin"), str(tmp_path), 2, 2, 1)
    assert MASTER.encode() not in pickle.dumps(task)


def test_a_worker_that_is_killed_costs_nothing(where, serial, cluster, tmp_path):
    pids = [*cluster.run(os.getpid).values()]
    killing = threading.Timer(0.3, os.kill, (pids[0], signal.SIGKILL))
    killing.start()
    df = mf.fleet(NAMES, tmp_path, client=cluster, **where)
    killing.join()
    assert df["status"].tolist() == ["ok"] * COUNT
    pd.testing.assert_frame_equal(stored(tmp_path), serial)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("env:FLEET_{user}", "of the environment"),
        ("file:{here}/{user}.txt", "of the file"),
        ("command:printf %s:%s {user} {login}", "ann:admin"),
        ("command:sh -c 'echo first; echo second'", "first"),
    ],
)
def test_a_password_is_found_by_the_name_of_its_source(name, found, tmp_path, monkeypatch):
    monkeypatch.setenv("FLEET_ann", "of the environment")
    (tmp_path / "ann.txt").write_text("of the file\nand more\n")
    account = mf.Account("example.org", "ann", login="admin")
    name = name.replace("{here}", str(tmp_path))
    assert let_in(account, name).password.reveal() == found


@pytest.mark.parametrize(
    ("name", "user", "said"),
    [
        ("hunter2", "ann", "is none itself"),
        ("env:", "ann", "is none itself"),
        ("env:NOT_SET_ANYWHERE", "ann", "NOT_SET_ANYWHERE"),
        ("file:/nowhere/{user}", "ann", "No such file"),
        ("file:/run/secrets/{user}", "../../etc/passwd", "part of a path"),
        ("command:false", "ann", "ended with 1"),
        ("command:no-such-program-at-all", "ann", "No such file"),
    ],
)
def test_a_password_that_is_not_there_is_told_without_any(name, user, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        let_in(mf.Account("example.org", user), name)
    assert "hunter2" not in str(caught.value)
