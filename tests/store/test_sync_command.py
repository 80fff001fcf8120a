"""`mailframe sync` for cron: one line of what changed, silence otherwise, and an exit code."""

from __future__ import annotations

import asyncio
import imaplib
import subprocess
import sys

import pytest

import mailframe as mf
from mailframe.cli.main import main
from mailframe.readers.server import open_stream
from mailframe.store.layout import account_dir
from mailframe.store.parquet import FolderFile
from tests.servers.dovecot import Message


def mail(number):
    return Message(f"Subject: {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n".encode())


@pytest.fixture
def account(dovecot, user):
    dovecot.deliver(user, "INBOX", [mail(number) for number in range(7)])
    dovecot.deliver(user, "Work", [mail(number) for number in range(3)])
    return dovecot.url(user)


@pytest.fixture
def command(capfd):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_sync_says_what_changed_in_one_line_and_else_nothing(
    command, dovecot, user, account, tmp_path
):
    name = mf.Account.parse(account).name
    said = command("sync", account, "--store", tmp_path)
    assert said == (0, f"{name}: 10 new in 2 folders\n", "")
    assert command("sync", account, "--store", tmp_path) == (0, "", "")
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
        client.login(user, "secret")
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
        client.uid("STORE", "2:3", "+FLAGS", r"(\Seen)")
        client.expunge()
        client.close()
        client.delete("Work")
    expected = f"{name}: 2 changed, 1 gone in 1 folder, removed Work\n"
    assert command("sync", account, "--store", tmp_path) == (0, expected, "")


def test_what_is_stored_is_not_read_back(command, dovecot, user, account, tmp_path, monkeypatch):
    read = FolderFile.batch
    columns = []

    def counted(file, number, names=None):
        columns.append(names)
        return read(file, number, names)

    monkeypatch.setattr(FolderFile, "batch", counted)
    assert command("sync", account, "--store", tmp_path)[0] == 0
    assert command("sync", account, "--store", tmp_path) == (0, "", "")
    assert columns == []
    dovecot.deliver(user, "Work", [mail(99)])
    assert command("sync", account, "--store", tmp_path)[0] == 0
    assert columns.count(None) == 1  # to be merged
    stream = open_stream(account, store=tmp_path, progress=False)
    asyncio.run(stream.refresh())
    assert (stream.report["messages"], stream.report["folders"]) == (11, 2)


def test_fetch_with_a_store_writes_what_a_fetch_without_one_does(command, account, tmp_path):
    command("fetch", account, "-o", tmp_path / "plain.csv", "-q")
    for name in ("first.csv", "second.csv"):
        store = tmp_path / "store"
        assert command("fetch", account, "--store", store, "-o", tmp_path / name, "-q")[0] == 0
        lines = sorted((tmp_path / name).read_text().splitlines())
        assert lines == sorted((tmp_path / "plain.csv").read_text().splitlines())


def test_without_a_way_in_one_line_says_so_and_no_store_is_made(command, account, tmp_path):
    store = tmp_path / "store"
    wrong = command("sync", account.replace("secret", "guess"), "--store", store)
    nobody = command("sync", "imap://ann:secret@127.0.0.1:1", "--store", store)
    for (code, out, err), said in (wrong, "password"), (nobody, "127.0.0.1"):
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert said in err
    assert not store.exists()


def test_a_store_in_use_is_told_and_fails(command, account, tmp_path, monkeypatch):
    monkeypatch.setattr("mailframe.refresh.keeping.WAIT", 0.1)
    hold = "import sys; from pathlib import Path; from mailframe.store.writer import writing\n"
    hold += "with writing(Path(sys.argv[1]), sys.argv[2]): print('held', flush=True); input()"
    # Of a lock that is this process's own, a refresh waits for its turn.
    other = [sys.executable, "-c", hold, str(tmp_path), mf.Account.parse(account).name]
    with subprocess.Popen(
        other, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        code, out, err = command("sync", account, "--store", tmp_path)
        holder.communicate("\n")
    assert (code, out) == (1, "")
    assert "Another process is refreshing" in err


def test_a_spoilt_folder_is_mended_without_a_word(command, account, tmp_path):
    command("sync", account, "--store", tmp_path)
    directory = account_dir(tmp_path, mf.Account.parse(account).name)
    next(directory.glob("Work*")).write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    assert command("sync", account, "--store", tmp_path)[0] == 0
    assert len(mf.open_store(tmp_path).frame()) == 10
