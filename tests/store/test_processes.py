"""A real refresh in a process of its own: killed, starved of disk, kept out, read beside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest

import mailframe as mf
from tests.servers.dovecot import Message

pytestmark = pytest.mark.skipif(os.name == "nt", reason="forks, kills and limits")

_REFRESH = """
    import sys
    import mailframe as mf
    from tests.store.scenario import SMALL
    for name, size in SMALL.items():
        module, _, constant = name.rpartition(".")
        setattr(__import__(module, fromlist=[constant]), constant, size)
    {before}
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        df = mf.read_imap(sys.argv[1], store=sys.argv[2], progress=False, errors="ignore")
    except mf.StoreError as error:
        print(error)
    else:
        print(sorted(set(df["folder"])), df.attrs["mailframe"]["problems"])
"""


def mail(number):
    head = f"From: p{number}@example.org\r\nSubject: {number}\r\n"
    return Message(f"{head}Message-ID: <{number}@example.org>\r\n\r\nbody\r\n".encode())


@pytest.fixture
def url(dovecot, user):
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(400)])
    dovecot.deliver(user, "Work", [mail(number) for number in range(5)])
    return dovecot.url(user)


def refreshing(url, store, *, before="", **options):
    """Start a process that refreshes, in small pieces, once it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_REFRESH).format(before=before), url, str(store)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **options,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def said(process):
    with process:
        return process.communicate("go\n", 60)[0]


def assert_whole(df, url):
    pd.testing.assert_frame_equal(df, mf.read_imap(url, progress=False))


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.4])
def test_killed_anywhere_a_refresh_goes_on_the_next_time(url, tmp_path, seconds):
    with refreshing(url, tmp_path) as process:
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    assert set(mf.open_store(tmp_path).frame()["folder"].value_counts()) <= {5, 400}
    df = mf.read_imap(url, store=tmp_path, progress=False)
    assert_whole(df, url)
    assert not list(tmp_path.rglob(".new-*"))
    assert not list(tmp_path.rglob("*.part"))


def test_a_disk_that_fills_up_costs_the_folder_that_it_was_too_small_for(url, tmp_path):
    before = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"
    )
    told = said(refreshing(url, tmp_path, before=before))
    assert told.startswith("['Work'] [{'folder': 'INBOX'")
    assert "Cannot write" in told
    assert set(mf.open_store(tmp_path).frame()["folder"]) == {"Work"}
    assert_whole(mf.read_imap(url, store=tmp_path, progress=False), url)


def test_a_reader_beside_a_refresh_sees_each_folder_as_before_or_as_after(
    dovecot, user, url, tmp_path
):
    mf.read_imap(url, store=tmp_path, progress=False)
    store = mf.open_store(tmp_path)
    seen = []
    dovecot.deliver(user, "INBOX", [mail(400 + number) for number in range(300)])
    with refreshing(url, tmp_path) as process:
        process.stdin.write("go\n")
        process.stdin.flush()
        while process.poll() is None:
            sizes = store.frame(columns=["folder"])["folder"].value_counts()
            seen.append((int(sizes["INBOX"]), int(sizes["Work"])))
    assert set(seen) == {(400, 5), (700, 5)}
    assert seen == sorted(seen)
