"""`read_maildir`: folders, flags and files as servers and the standard library keep them."""

from __future__ import annotations

import mailbox
import os
import subprocess
import sys
from itertools import groupby
from operator import attrgetter

import pandas as pd
import pytest

import mailframe as mf
from mailframe.demo.mailbox import generate
from mailframe.frame.schema import SCHEMA
from mailframe.sources.maildir import iter_maildir
from tests.children import let_everybody_in
from tests.servers.dovecot import Message

FOLDER = attrgetter("folder")
MESSAGE = b"From: Ann <ann@example.org>\nSubject: %s\n\ntext\n"


def put(root, folder, name, subject=b"x", *, place="cur"):
    for each in ("cur", "new", "tmp"):
        (root / folder / each).mkdir(parents=True, exist_ok=True)
    path = root / folder / place / name
    path.write_bytes(MESSAGE % subject)
    return path


def test_flags_are_in_the_names(tmp_path):
    put(tmp_path, "", "1000000001.a.host", place="new")
    put(tmp_path, "", "1000000002.a.host,S=9:2,")
    put(tmp_path, "", "1000000003.a.host:2,DFRST")
    put(tmp_path, "", "1000000004.a.host;2,PS")
    df = mf.read_maildir(tmp_path)
    assert df["seen"].tolist() == [False, False, True, True]
    for name in ("draft", "flagged", "answered", "deleted"):
        assert df[name].tolist() == [False, False, True, False]
    assert [list(keywords) for keywords in df["keywords"]] == [[], [], [], ["$Forwarded"]]
    assert df["folder"].unique().tolist() == ["INBOX"]
    assert df["uid"].tolist() == [1, 2, 3, 4]


def test_what_the_standard_library_writes_is_read(tmp_path):
    box = mailbox.Maildir(tmp_path / "Mail", create=True)
    archive = box.add_folder("Archive.2001")
    for flags in ("", "S", "FRS"):
        message = mailbox.MaildirMessage(MESSAGE % b"x")
        message.set_flags(flags)
        archive.add(message)
    df = mf.read_maildir(tmp_path / "Mail")
    assert df["account"].unique().tolist() == ["Mail"]
    assert df["folder"].unique().tolist() == ["Archive.2001"]
    assert sorted(df["seen"]) == [False, True, True]
    assert df["answered"].sum() == df["flagged"].sum() == 1


def test_folders_of_both_layouts_have_their_names(tmp_path):
    for folder in ("", ".Sent", ".Lists.python", ".Entw&APw-rfe", "Work/2024", "R&D"):
        put(tmp_path, folder, "1000000001.a.host:2,")
    names = mf.read_maildir(tmp_path)["folder"].tolist()
    assert names == sorted(["INBOX", "Sent", "Lists.python", "Entwürfe", "Work/2024", "R&D"])


def test_dovecots_letters_mean_keywords(tmp_path):
    put(tmp_path, ".Work", "1000000001.a.host:2,Sabz")
    (tmp_path / ".Work" / "dovecot-keywords").write_bytes(b"0 $Junk\n1 todo\n30 never\nx\n")
    [row] = mf.read_maildir(tmp_path).to_dict("records")
    assert list(row["keywords"]) == ["$Junk", "todo"]


def test_size_and_internal_date_are_the_files(tmp_path):
    path = put(tmp_path, "", "1000000001.a.host:2,")
    os.utime(path, (0, 1_000_000_000))
    [row] = mf.read_maildir(tmp_path).to_dict("records")
    assert row["size"] == path.stat().st_size
    assert row["internaldate"] == pd.Timestamp("2001-09-09 01:46:40", tz="UTC")


def test_order_is_that_of_file_names_over_cur_and_new(tmp_path):
    for number, place in [(3, "cur"), (1, "new"), (2, "cur")]:
        put(tmp_path, "", f"100000000{number}.a.host", b"%d" % number, place=place)
    put(tmp_path, "", ".hidden", place="cur")
    put(tmp_path, "", "1000000004.a.host", place="tmp")
    assert mf.read_maildir(tmp_path)["subject"].tolist() == ["1", "2", "3"]


def test_bodies_of_any_size_are_not_read(tmp_path):
    path = put(tmp_path, "", "1000000001.a.host")
    with path.open("ab") as stream:
        stream.truncate(1 << 40)  # a hole: reading it would take hours
    [row] = mf.read_maildir(tmp_path, raw_headers=True).to_dict("records")
    assert row["size"] == 1 << 40
    assert row["raw_headers"] == b"From: Ann <ann@example.org>\nSubject: x\n\n"


def test_a_message_that_cannot_be_read_is_a_problem_of_its_own(tmp_path):
    put(tmp_path, "", "1000000001.a.host")
    (tmp_path / "cur" / "1000000002.a.host:2,S").symlink_to("nowhere")
    put(tmp_path, "", "1000000003.a.host")
    with pytest.warns(mf.MailframeWarning, match=r"1000000002\.a\.host:2,S cannot be read"):
        df = mf.read_maildir(tmp_path)
    assert df["uid"].tolist() == [1, 3]
    [problem] = df.attrs["mailframe"]["problems"]
    assert problem["error"] == "FileNotFoundError"
    with pytest.raises(mf.MailframeError, match="cannot be read"):
        mf.read_maildir(tmp_path, errors="raise")


def test_nothing_waits_for_a_pipe(tmp_path):
    put(tmp_path, "", "1000000001.a.host")
    os.mkfifo(tmp_path / "cur" / "1000000002.a.host:2,S")
    os.mkfifo(tmp_path / "dovecot-keywords")
    with pytest.warns(mf.MailframeWarning, match="pipe or a device"):
        assert mf.read_maildir(tmp_path)["uid"].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("1653988152.M1P2.mail-2,S=1234,W=1250:2,", ""),
        ("1653988152.M1P2.mail-2,S=1234", ""),
        ("1653988152_2.4.host,U=1,FMD5=7e33:2,:2,S", "S"),
        ("1686325684.2_1.host,U=103:2:2,RS", "SR"),
        ("1682459883.M3P3.host,S=4500,W=4592 2,RS", "SR"),
        ("1653988152.1.host\uf03a2,FS", "SF"),
        ("1653988152.1.host!2,T", "T"),
        ("1653988152.1.host:1,S", ""),
    ],
)
def test_flags_stand_at_the_end_of_the_name(tmp_path, name, flags):
    put(tmp_path, "", name)
    [row] = mf.read_maildir(tmp_path).to_dict("records")
    columns = {"seen": "S", "answered": "R", "flagged": "F", "draft": "D", "deleted": "T"}
    assert "".join(letter for column, letter in columns.items() if row[column]) == flags


def test_a_message_that_gets_a_flag_while_it_is_read_is_found_again(tmp_path):
    for number in range(10):
        put(tmp_path, "", f"100000000{number}.a.host:2,", b"%d" % number)
    (tmp_path / "new" / "1000000010.a.host").write_bytes(MESSAGE % b"10")
    reading = iter_maildir(tmp_path)
    found = reading.found()
    assert not next(found).flags
    for path in (tmp_path / "cur").iterdir():
        path.rename(path.with_name(path.name + "S"))
    (tmp_path / "new" / "1000000010.a.host").rename(tmp_path / "cur" / "1000000010.a.host:2,F")
    assert [message.flags for message in found] == [rb"\Seen"] * 9 + [rb"\Flagged"]
    assert reading.problems == []


def test_a_folder_that_cannot_be_read_costs_itself_alone_and_is_told_of(tmp_path):
    put(tmp_path, "", "1.a:2,S")
    put(tmp_path, ".Sent", "1.a:2,S")
    (tmp_path / ".Sent" / "x.eml").write_bytes(MESSAGE % b"x")
    (tmp_path / ".Old" / "cur").mkdir(parents=True)
    (tmp_path / "1.eml").write_bytes(MESSAGE % b"x")
    for closed in (".Sent", ".Old/cur"):
        (tmp_path / closed).chmod(0)
    script = """
import os, sys
import mailframe as mf
mf.read_eml(sys.argv[1], errors="ignore")  # loads everything, wherever it is installed
if os.getuid() == 0:
    os.setuid(65534)  # whom the mode of a folder concerns
for read in (mf.read_maildir, mf.read_eml):
    df = read(sys.argv[1], errors="ignore")
    print(len(df), sorted(p["text"].split("/")[-1] for p in df.attrs["mailframe"]["problems"]))
    try:
        read(sys.argv[1], errors="raise")
    except mf.MailframeError as error:
        print("raised")
"""
    let_everybody_in(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    for closed in (".Sent", ".Old/cur"):
        (tmp_path / closed).chmod(0o755)
    why = "cannot be read: Permission denied"
    assert (
        done.stdout.splitlines()
        == [
            f"1 ['.Sent {why}', 'cur {why}']",
            "raised",
        ]
        * 2
    ), done.stderr


def test_an_empty_maildir_is_an_empty_frame(tmp_path):
    for place in ("cur", "new"):
        (tmp_path / place).mkdir()
    df = mf.read_maildir(tmp_path)
    assert len(df) == 0
    assert list(df.columns) == SCHEMA.names


def test_what_is_no_maildir_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, says in [
        (tmp_path, "no 'cur' and no 'new'"),
        (tmp_path / "file", "read_mbox"),
        (tmp_path / "absent", "no such folder"),
    ]:
        with pytest.raises(mf.ConfigurationError, match=says):
            iter_maildir(path)


def test_progress_counts_messages(tmp_path):
    for number in range(3):
        put(tmp_path, ".a", f"100000000{number}.a.host")
    heard = []
    mf.read_maildir(tmp_path, progress=lambda *state: heard.append(state))
    assert heard[0] == (0, 3)
    assert heard[-1] == (3, 3)


def test_a_maildir_of_dovecot_reads_as_dovecot_serves_it(dovecot, user):
    for folder, mails in groupby(sorted(generate(150), key=FOLDER), key=FOLDER):
        dovecot.deliver(user, folder, [Message(m.raw, m.flags, m.internaldate) for m in mails])
    served = mf.read_imap(dovecot.url(user), headers=["Received:all"], progress=False)
    read = mf.read_maildir(dovecot.mail / user / "mail", headers=["Received:all"])
    assert len(read) == 150
    pd.testing.assert_frame_equal(read.iloc[:, 1:], served.iloc[:, 1:])


def test_folders_that_would_be_shown_alike_keep_their_own_names(tmp_path):
    put(tmp_path, ".Sent", "1.a:2,S", b"dotted")
    put(tmp_path, "Sent", "1.a:2,S", b"plain")
    df = mf.read_maildir(tmp_path)
    assert df[["folder", "subject"]].to_numpy().tolist() == [[".Sent", "dotted"], ["Sent", "plain"]]


def test_the_inbox_keeps_its_name_and_no_two_folders_share_one(tmp_path):
    for folder in ("", ".INBOX", ".a", "a", "..a", "...a", "b\x01", "b\x02"):
        put(tmp_path, folder, "1.x", subject=folder.encode() or b"root")
    df = mf.read_maildir(tmp_path)
    folders = dict(zip(df["subject"], df["folder"], strict=True))
    assert folders["root"] == "INBOX"
    assert folders[".INBOX"] == ".INBOX"
    assert (folders["a"], folders[".a"]) == ("a", ".a (2)")
    assert (folders["..a"], folders["...a"]) == (".a", "..a")
    assert sorted(df["folder"])[-2:] == ["b\ufffd", "b\ufffd (2)"]
    assert df["folder"].is_unique
