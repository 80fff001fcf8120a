"""`read_eml`: single messages, wherever they lie."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import subprocess
import sys
import warnings
import zipfile

import pandas as pd
import pyarrow as pa
import pytest

import mailframe as mf
from mailframe.sources.eml import iter_eml
from mailframe.sources.files import shown
from tests import corpora

MESSAGE = b"From: ann@example.org\r\nSubject: %s\r\n\r\ntext\r\n"


@pytest.fixture
def export(tmp_path):
    root = tmp_path / "export"
    for name in ("b.eml", "a.EML", "Sent/c.eml", "Sent/old/10", "Sent/old/9", "notes.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MESSAGE % name.encode())
    return root


def test_a_folder_gives_its_messages_at_any_depth(export):
    df = mf.read_eml(export)
    assert df[["folder", "uid", "subject"]].to_numpy().tolist() == [
        ["export", 1, "a.EML"],
        ["export", 2, "b.eml"],
        ["export/Sent", 1, "Sent/c.eml"],
        ["export/Sent/old", 1, "Sent/old/9"],
        ["export/Sent/old", 2, "Sent/old/10"],
    ]
    assert df["account"].unique().tolist() == ["export"]
    assert df["internaldate"].isna().all()
    assert df["size"][0] == len(MESSAGE % b"a.EML")


def test_a_zip_gives_the_same_messages(export, tmp_path):
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in export.rglob("*"):
            archive.write(path, path.relative_to(export))
        archive.writestr("__MACOSX/._b.eml", b"not a message")
    df = mf.read_eml(packed)
    assert df["account"].unique().tolist() == ["export.zip"]
    pd.testing.assert_frame_equal(df.iloc[:, 1:], mf.read_eml(export).iloc[:, 1:])


def test_files_and_globs(export):
    assert mf.read_eml(export / "b.eml")["subject"].tolist() == ["b.eml"]
    assert mf.read_eml(str(export / "*.eml"))["subject"].tolist() == ["b.eml"]
    several = mf.read_eml([export / "b.eml", export / "Sent" / "c.eml"])
    assert several["folder"].tolist() == ["Sent", "export"]
    assert mf.read_eml(export / "notes.txt")["subject"].tolist() == ["notes.txt"]


def test_a_byte_order_mark_hides_no_field(tmp_path):
    path = tmp_path / "x.eml"
    path.write_bytes(b"\xef\xbb\xbfSubject: a\r\n\r\n")
    assert mf.read_eml(path)["subject"].tolist() == ["a"]


def test_a_from_line_before_the_header_gives_the_internal_date(tmp_path):
    path = tmp_path / "x.eml"
    path.write_bytes(b"From ann@example.org Thu Nov 29 22:33:52 2001\r\n" + MESSAGE % b"x")
    [row] = mf.read_eml(path, raw_headers=True).to_dict("records")
    assert row["internaldate"] == pd.Timestamp("2001-11-29 22:33:52", tz="UTC")
    assert row["raw_headers"] == b"From: ann@example.org\r\nSubject: x\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"Subject: x", b"Subject: x"),
        (b"\r\n\r\nSubject: x\r\n\r\n", b"Subject: x\r\n\r\n"),
        (b"Subject: x\r\r\n\r\r\nbody: y\r\r\n", b"Subject: x\r\r\n\r\r\n"),
        (b"Subject: x\r\rbody\r", b"Subject: x\r\r"),
        (b"Subject: x\r\n\nbody\r\n\r\n", b"Subject: x\r\n\n"),
        (
            b"To: " + b"a@example.org,\n " * 10_000 + b"\n\nx",
            b"To: " + b"a@example.org,\n " * 10_000 + b"\n\n",
        ),
    ],
    ids=["no body", "blank first", "text mode", "old Macintosh", "mixed", "long"],
)
def test_header_blocks_end_at_the_first_blank_line(tmp_path, content, header):
    path = tmp_path / "x.eml"
    path.write_bytes(content)
    [row] = mf.read_eml(path, raw_headers=True).to_dict("records")
    assert row["raw_headers"] == header
    assert row["size"] == len(content)


def test_a_damaged_member_is_a_problem_of_its_own(export, tmp_path):
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(export / "b.eml", "b.eml")
        archive.write(export / "Sent/c.eml", "c.eml")
    packed.write_bytes(packed.read_bytes().replace(b"Subject: b.eml", b"Subject: X.eml"))
    with pytest.warns(mf.MailframeWarning, match=r"b\.eml cannot be read: Bad CRC-32"):
        df = mf.read_eml(packed)
    assert df["subject"].tolist() == ["Sent/c.eml"]


@pytest.mark.parametrize("content", [b"", b"\n\nbody", b"%PDF-1.7\n%\xe2\xe3\n", b"\0" * 99])
def test_a_file_without_a_header_field_is_told_of(tmp_path, content):
    (tmp_path / "1.eml").write_bytes(content)
    (tmp_path / "2.eml").write_bytes(MESSAGE % b"x")
    with pytest.warns(mf.MailframeWarning, match=r"1\.eml is no message: no header field"):
        df = mf.read_eml(tmp_path)
    assert df["subject"].tolist() == ["x"]
    assert df["uid"].tolist() == [2]


def zstandard(octets):
    return pa.compress(octets, "zstd", asbytes=True)


def utf16(octets):
    return codecs.BOM_UTF16_LE + octets.decode().encode("utf-16-le")


ENCODINGS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard,
    "utf-16": utf16,
    "utf-16 without a mark": lambda octets: octets.decode().encode("utf-16-be"),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_files_encoded_as_a_whole_are_read(tmp_path, encode):
    message = (MESSAGE % "Grüße".encode()) + b"text\r\n" * 50_000
    mbox = b"From ann@example.org Thu Nov 29 22:33:52 2001\n" + message + b"\n"
    (tmp_path / "Mail" / "cur").mkdir(parents=True)
    (tmp_path / "Mail" / "cur" / "1.a:2,S").write_bytes(encode(message))
    (tmp_path / "x.eml").write_bytes(encode(message))
    (tmp_path / "x.mbox").write_bytes(encode(mbox * 2))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "x.eml", "x.eml.gz")
    for df in (
        mf.read_maildir(tmp_path / "Mail"),
        mf.read_eml(tmp_path / "x.eml"),
        mf.read_eml(tmp_path / "x.zip"),
        mf.read_mbox(tmp_path / "x.mbox"),
    ):
        assert set(df["subject"]) == {"Grüße"}
        assert set(df["size"]) == {len(message)}
    assert len(df) == 2


@pytest.mark.parametrize("encode", [gzip.compress, zstandard, bz2.compress])
def test_a_message_that_is_damaged_in_compression_is_told_of(tmp_path, encode):
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur" / "1.a,W=7:2,S").write_bytes(encode(MESSAGE % b"x")[:-9])
    with pytest.warns(mf.MailframeWarning, match="cannot be read"):
        df = mf.read_maildir(tmp_path)
    assert df[["size", "seen"]].to_numpy().tolist() == [[7, True]]


def test_members_of_one_name_in_a_zip_are_all_read(tmp_path):
    mbox = b"From ann@example.org Thu Nov 29 22:33:52 2001\nSubject: %s\n\n"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for subject in (b"a", b"b", b"c"):
            archive.writestr("x.eml", MESSAGE % subject)
            archive.writestr("x.mbox", mbox % subject)
    assert mf.read_eml(tmp_path / "x.zip")["subject"].tolist() == ["a", "b", "c"]
    df = mf.read_mbox(tmp_path / "x.zip")
    assert df["subject"].tolist() == ["a", "b", "c"]
    assert df["folder"].nunique() == 3


def test_a_zip_of_many_mailboxes_is_opened_once(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(100):
            archive.writestr(f"{number}.mbox", b"From a Thu Nov 29 22:33:52 2001\nSubject: x\n\n")
    listed = []
    monkeypatch.setattr(
        zipfile.ZipFile, "_RealGetContents", lambda self: listed.append(real(self)), raising=True
    )
    assert len(mf.read_mbox(tmp_path / "x.zip")) == 100
    assert len(listed) == 1


real = zipfile.ZipFile._RealGetContents  # what reads the list of members


def test_mh_sequences_are_flags(tmp_path):
    for number in (1, 2, 3, 30):
        (tmp_path / str(number)).write_bytes(MESSAGE % b"x")
    (tmp_path / ".mh_sequences").write_text(
        "cur: 3\nunseen: 2-3 3-5\nreplied: 1\nflagged: 1-99999999999999999 \nwork: 30\nx: 1-\nbig: "
        + "9" * 5_000
    )
    df = mf.read_eml(tmp_path)
    assert df["seen"].tolist() == [True, False, False, True]
    assert df["answered"].tolist() == [True, False, False, False]
    assert df["flagged"].all()
    assert [list(x) for x in df["keywords"]] == [[], [], [], ["work"]]


def test_messages_are_in_the_order_of_their_numbers_however_long(tmp_path):
    numbers = ["0", "9", "010", "10", "20240101120000000000123", "9" * 5_000]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in (*reversed(numbers), "b.eml"):
            archive.writestr(f"inbox/{name}", f"Subject: {name[:30]}\n\n")
    subjects = mf.read_eml(tmp_path / "export.zip")["subject"].tolist()
    assert subjects == ["b.eml", *(name[:30] for name in numbers)]


def test_paths_without_messages_are_refused_at_once(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"x")
    with pytest.raises(mf.ConfigurationError, match=r"no \.eml, \.emlx or \.msg file"):
        iter_eml(tmp_path)
    with pytest.raises(mf.ConfigurationError, match="no such file"):
        iter_eml(tmp_path / "absent")


@pytest.mark.parametrize("name", corpora.NAMES)
def test_real_mail_gives_a_row_for_every_file(name, tmp_path):
    messages = corpora.messages(name)
    for number, message in enumerate(messages):
        (tmp_path / f"{number:05}.eml").write_bytes(message)
    df = mf.read_eml(tmp_path, errors="ignore")
    sizes = dict(zip(df["uid"], df["size"], strict=True))
    told = df.attrs["mailframe"]["problems"]
    assert [problem["error"] for problem in told] == ["NoHeader"] * len(told)
    assert len(told) <= 1  # begins with a sentence
    assert len(sizes) == len(messages) - len(told)
    assert all(sizes[uid] == len(messages[uid - 1]) for uid in sizes)


def test_names_in_a_zip_are_read_whatever_the_locale(tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("Папка/1.eml", "Subject: x\n\n")
        archive.writestr("Папка.mbox", "From a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\n")
    (tmp_path / "Ящик").mkdir()
    (tmp_path / "Ящик" / "1.eml").write_text("Subject: x\n\n")
    script = """
import mailframe as mf
names = [mf.read_eml("export.zip"), mf.read_mbox("export.zip"), mf.read_eml(".")]
print(ascii([name for df in names for name in df["folder"]]))
"""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=os.environ | plain | {"PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == ascii(["export/Папка", "Папка", f"{tmp_path.name}/Ящик"])


def test_a_name_that_the_locale_can_read_is_shown_as_it_reads(monkeypatch):
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("koi8-r", "surrogateescape"))
    assert shown("Папка") == "Папка"
    assert shown("\udce9t\udce9") == "été"
