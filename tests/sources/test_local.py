"""`open_local` tells what a path holds."""

from __future__ import annotations

import gzip
import io
import os
import zipfile

import pytest

import mailframe as mf
from mailframe.sources.local import open_local

EML = b"From: ann@example.org\nSubject: x\n\ntext\n"
MBOX = b"From ann@example.org Thu Nov 29 22:33:52 2001\n" + EML + b"\n"


def zipped(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, MBOX if name.endswith(".mbox") else EML)


def make_folder(path, places):
    for place in places:
        (path / place).mkdir(parents=True)
    (path / places[-1] / "1.eml").write_bytes(EML)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.write_bytes(MBOX), "mbox"),
        (lambda path: path.write_bytes(gzip.compress(MBOX)), "mbox"),
        (lambda path: path.write_bytes(EML), "eml"),
        (lambda path: zipped(path, ["Takeout/Mail/All.mbox", "Takeout/x.html"]), "mbox"),
        (lambda path: zipped(path, ["a.eml", "b/c.eml"]), "eml"),
        (lambda path: make_folder(path, ["new", "cur"]), "maildir"),
        (lambda path: make_folder(path, [".Sent/new", ".Sent/cur"]), "maildir"),
        (lambda path: make_folder(path, ["a", "b"]), "eml"),
        (lambda path: path.mkdir() or (path / "mbox").write_bytes(MBOX), "mbox"),
    ],
    ids=[
        "mbox",
        "gz",
        "message",
        "zip of mbox",
        "zip of eml",
        "maildir",
        "folders",
        "eml folder",
        "Apple",
    ],
)
def test_the_kind_is_found_by_content(tmp_path, make, kind):
    path = tmp_path / "mail"
    make(path)
    reading = open_local(path)
    assert reading.kind == kind
    assert sum(len(batch) for batch in reading) >= 1
    assert reading.report["messages"] >= 1


def test_an_empty_file_is_an_empty_mbox(tmp_path):
    (tmp_path / "mail").write_bytes(b"")
    assert list(open_local(tmp_path / "mail")) == []


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\x89PNG\r\n\x1a\n", b"PAR1" * 99])
def test_what_is_no_mail_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(mf.ConfigurationError, match="neither an mbox file nor a message"):
        open_local(tmp_path / "file")


def test_a_path_that_names_nothing_is_refused(tmp_path):
    with pytest.raises(mf.ConfigurationError, match="no such file"):
        open_local(tmp_path / "absent")


def test_a_damaged_archive_is_refused_with_the_reason(tmp_path):
    (tmp_path / "mail.gz").write_bytes(gzip.compress(MBOX)[:5])
    with pytest.raises(mf.ConfigurationError, match=r"mail\.gz cannot be read: .* ended"):
        open_local(tmp_path / "mail.gz")


def test_options_reach_the_reading(tmp_path):
    (tmp_path / "mail").write_bytes(MBOX)
    reading = open_local(tmp_path / "mail", headers=["X-Spam"], raw_headers=True)
    assert reading.schema.names[-2:] == ["x_spam", "raw_headers"]


@pytest.mark.skipif(os.name == "nt", reason="names there are not octets")
@pytest.mark.parametrize(
    ("read", "path", "content", "folder"),
    [
        (mf.read_maildir, b"Mail/.Entw\xfcrfe/cur/1.a:2,", EML, "Entwürfe"),
        (mf.read_maildir, b"Mail/.Entw&APw-rfe\x1b[2J/cur/1.a:2,", EML, "Entwürfe\ufffd[2J"),
        (mf.read_mbox, b"Entw\xfcrfe.mbox", MBOX, "Entwürfe"),
        (mf.read_eml, b"Mail/Entw\xfcrfe/\xe9.eml", EML, "Mail/Entwürfe"),
    ],
)
def test_names_of_any_octets_are_shown(tmp_path, read, path, content, folder):
    file = tmp_path / os.fsdecode(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    df = read(file if read is mf.read_mbox else tmp_path / "Mail")
    assert df["folder"].tolist() == [folder]
    df.to_parquet(tmp_path / "whole.parquet")


def test_what_cannot_be_read_is_told_of_whatever_its_name_is(tmp_path):
    with zipfile.ZipFile(tmp_path / "mail.zip", "w") as archive:
        archive.writestr("\x1b.eml", EML)
    damaged = (tmp_path / "mail.zip").read_bytes().replace(EML, EML.swapcase())
    (tmp_path / "mail.zip").write_bytes(damaged)
    with pytest.warns(mf.MailframeWarning, match="cannot be read") as told:
        mf.read_eml(tmp_path / "mail.zip")
    assert "\x1b" not in str(told[0].message)


@pytest.mark.parametrize("read", [mf.read_mbox, mf.read_eml, mf.read_maildir, open_local])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("loop", "cannot be read: Too many levels"),
        ("pipe", "cannot be read: it is a pipe"),
        ("/dev/zero", "cannot be read: it is a pipe or a device"),
        ("a" * 5_000, "cannot be read: File name too long"),
        ("a\0b", "cannot be read: embedded null"),
        (None, "None is no path"),
        (3, "3 is no path"),
    ],
    ids=["loop of links", "pipe", "device", "long", "null", "None", "number"],
)
def test_paths_that_are_none_are_told_of(tmp_path, monkeypatch, read, path, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(mf.ConfigurationError, match=says) as told:
        read(path)
    assert len(str(told.value)) < 400


def damaged_zip(changes):
    """Give a zip of two mailboxes and two messages, the first mailbox damaged."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("a.mbox", "b.mbox", "c.eml", "d.eml"):
            archive.writestr(name, MBOX if name.endswith(".mbox") else EML)
    raw = bytearray(stream.getvalue())
    directory = raw.find(b"PK\x01\x02")
    for at, octets in changes:
        start = at if at >= 0 else directory - at
        raw[start : start + len(octets)] = octets
    return bytes(raw)


@pytest.mark.parametrize(
    "changes",
    [
        [(6, b"\1\0"), (-8, b"\1\0")],
        [(8, b"\x4d\0"), (-10, b"\x4d\0")],
        [(-42, b"\0\0\0\x40")],
        [(40, b"FROM")],
    ],
    ids=["encrypted", "unknown method", "elsewhere", "damaged"],
)
def test_one_member_of_a_zip_that_cannot_be_read_costs_no_other(tmp_path, changes):
    (tmp_path / "x.zip").write_bytes(damaged_zip(changes))
    for read in (mf.read_mbox, open_local):
        reading = read(tmp_path / "x.zip", errors="ignore")
        rows = reading if read is mf.read_mbox else [row for b in reading for row in b.to_pylist()]
        assert len(rows) == 1
    assert len(mf.read_eml(tmp_path / "x.zip")) == 2


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("b.mbox", lambda raw, entry: raw[:entry] + raw[entry:].replace(b"\x14", b"\xff", 2)),
        ("bü.mbox", lambda raw, _: raw.replace("ü".encode(), b"\xfc\xfc")),
    ],
    ids=["version 25.5", "a name that is not of UTF-8, as it says"],
)
def test_what_a_zip_says_of_one_member_costs_none(tmp_path, name, change):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in ("a.mbox", name, "c.mbox"):
            archive.writestr(member, f"From a@b Mon Jan  5 10:00:00 2015\nSubject: {member}\n\n")
    raw = packed.getvalue()
    second = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 4)
    changed = change(raw, second)
    assert changed != raw
    (tmp_path / "x.zip").write_bytes(changed)
    frame = mf.read_mbox(tmp_path / "x.zip")
    assert frame["subject"].tolist() == ["a.mbox", name, "c.mbox"]
    assert frame["folder"].tolist()[::2] == ["a", "c"]
