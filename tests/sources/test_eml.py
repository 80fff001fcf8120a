"""`read_eml`: single messages, wherever they lie."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pandas as pd
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
        (b"", b""),
        (b"\n\nbody", b"\n"),
        (b"Subject: x", b"Subject: x"),
        (b"Subject: x\r\rbody\r", b"Subject: x\r\r"),
        (b"Subject: x\r\n\nbody\r\n\r\n", b"Subject: x\r\n\n"),
        (
            b"To: " + b"a@example.org,\n " * 10_000 + b"\n\nx",
            b"To: " + b"a@example.org,\n " * 10_000 + b"\n\n",
        ),
    ],
    ids=["empty", "no header", "no body", "old Macintosh", "mixed", "long"],
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


def test_messages_are_in_the_order_of_their_numbers_however_long(tmp_path):
    numbers = ["0", "9", "010", "10", "20240101120000000000123", "9" * 5_000]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in (*reversed(numbers), "b.eml"):
            archive.writestr(f"inbox/{name}", f"Subject: {name[:30]}\n\n")
    subjects = mf.read_eml(tmp_path / "export.zip")["subject"].tolist()
    assert subjects == ["b.eml", *(name[:30] for name in numbers)]


def test_paths_without_messages_are_refused_at_once(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"x")
    with pytest.raises(mf.ConfigurationError, match=r"no \.eml file"):
        iter_eml(tmp_path)
    with pytest.raises(mf.ConfigurationError, match="no such file"):
        iter_eml(tmp_path / "absent")


@pytest.mark.parametrize("name", corpora.NAMES)
def test_real_mail_gives_a_row_for_every_file(name, tmp_path):
    messages = corpora.messages(name)
    for number, message in enumerate(messages):
        (tmp_path / f"{number:05}.eml").write_bytes(message)
    df = mf.read_eml(tmp_path, errors="raise")
    assert df["size"].tolist() == [len(message) for message in messages]


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
