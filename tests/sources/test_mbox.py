"""`read_mbox`: the columns, the flags, the kinds of files, and what goes wrong."""

from __future__ import annotations

import bz2
import gzip
import lzma
import mailbox
import os
import warnings
import zipfile

import pandas as pd
import pytest

import mailframe as mf
from mailframe.frame.schema import SCHEMA
from mailframe.sources.mbox import iter_mbox

TWO = b"""From ann@example.org Thu Nov 29 22:33:52 2001
From: Ann <ann@example.org>
To: bob@example.net, carol@example.net
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Date: Thu, 29 Nov 2001 23:33:50 +0100
Message-ID: <1@example.org>
Status: RO
X-Status: AF

Text of the first.

From bob@example.net Fri Nov 30 08:00:00 2001
From: bob@example.net
Subject: Re: Hello
In-Reply-To: <1@example.org>

From here on it is text.

"""

# As Google Takeout writes them; the second list is one encoded-word, its commas inside.
TAKEOUT = b"""From 1700000000000000001@xxx Thu Apr 16 09:53:04 +0000 2015
X-GM-THRID: 1700000000000000001
X-Gmail-Labels: Inbox,Important,"Lists, old",Unread
From: ann@example.org
Subject: one

text

From 1700000000000000002@xxx Thu Apr 16 09:55:04 +0000 2015
X-GM-THRID: 1700000000000000001
X-Gmail-Labels: =?UTF-8?Q?Gesendet,Sch=C3=B6nes,Starred?=
From: bob@example.org
Subject: Re: one

text

From 1700000000000000003@xxx Thu Apr 16 09:56:04 +0000 2015
X-GM-THRID: 1700000000000000003
Subject: without labels

"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "Archive.mbox"
    path.write_bytes(TWO)
    return path


def flags_of(tmp_path, fields):
    path = tmp_path / "flags"
    path.write_bytes(b"From - Thu Nov 29 22:33:52 2001\n" + fields + b"Subject: x\n\n")
    row = mf.read_mbox(path).iloc[0]
    names = ["seen", "answered", "flagged", "draft", "deleted"]
    return {name for name in names if row[name]} | set(row["keywords"])


def test_the_columns_are_those_of_a_fetch(path):
    df = mf.read_mbox(path)
    assert list(df.columns) == SCHEMA.names
    first, second = df.to_dict("records")
    assert first["account"] == "Archive.mbox"
    assert first["folder"] == "Archive"
    assert [first["uid"], second["uid"]] == [1, 2]
    assert first["subject"] == "Grüße"
    assert list(first["to"]) == ["bob@example.net", "carol@example.net"]
    assert first["date"] == pd.Timestamp("2001-11-29 22:33:50", tz="UTC")
    assert first["date_offset"] == 60
    assert first["internaldate"] == pd.Timestamp("2001-11-29 22:33:52", tz="UTC")
    assert second["in_reply_to"] == "1@example.org"
    assert first["size"] == TWO.index(b"\nFrom bob") - TWO.index(b"From: Ann")
    assert (first["seen"], first["answered"], first["flagged"]) == (True, True, True)
    assert (second["seen"], second["answered"], second["flagged"]) == (False, False, False)


def test_the_report_says_what_was_read(path):
    report = mf.read_mbox(path).attrs["mailframe"]
    assert report.pop("seconds") > 0
    assert report == {
        "account": "Archive.mbox",
        "folders": 1,
        "messages": 2,
        "bytes": sum(mf.read_mbox(path)["size"]),
        "connections": 0,
        "skipped": {},
        "problems": [],
    }


def test_more_headers_and_raw_headers_are_columns(path):
    df = mf.read_mbox(path, headers=["X-Status", "Received:all"], raw_headers=True)
    assert df["x_status"].tolist()[0] == "AF"
    assert [list(value) for value in df["received"]] == [[], []]
    assert df["raw_headers"].iloc[1].startswith(b"From: bob@example.net\n")
    assert df["raw_headers"].iloc[1].endswith(b"<1@example.org>\n\n")


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        (b"", set()),
        (b"Status: O\n", set()),
        (b"Status: RO\nX-Status: AFTD\n", {"seen", "answered", "flagged", "draft", "deleted"}),
        (b"X-Mozilla-Status: 0001\nX-Mozilla-Keys: $label1 todo  \n", {"seen", "$label1", "todo"}),
        (b"X-Mozilla-Status: 100f\n", {"seen", "answered", "flagged", "deleted", "$Forwarded"}),
        (b"X-Mozilla-Status: none\n", set()),
        (b"X-Keywords: $Junk\n work   \n", {"$Junk", "work"}),
        (b"X-Gmail-Labels: Inbox\n", {"seen"}),
        (b"X-Gmail-Labels: Inbox,Unread,Starred\n", {"flagged"}),
        (b"X-Gmail-Labels: =?UTF-8?Q?Sch=C3=B6n,Unread,Drafts?=\n", {"draft"}),
    ],
)
def test_header_fields_tell_the_flags(tmp_path, fields, flags):
    assert flags_of(tmp_path, fields) == flags
    assert flags_of(tmp_path, fields.replace(b"\n", b"\r\n")) == flags


def test_flags_set_by_the_standard_library_are_read(tmp_path):
    box = mailbox.mbox(tmp_path / "box")
    for flags in ("", "RO", "ROA", "F", "DT"):
        message = mailbox.mboxMessage("Subject: x\n\ntext")
        message.set_flags(flags)
        box.add(message)
    box.close()
    df = mf.read_mbox(tmp_path / "box")
    assert df["seen"].tolist() == [False, True, True, False, False]
    assert df["answered"].tolist() == [False, False, True, False, False]
    assert df["flagged"].tolist() == [False, False, False, True, False]
    assert df["deleted"].tolist() == df["draft"].tolist() == [False, False, False, False, True]


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_other_line_ends_make_the_same_frame(path, tmp_path, end):
    other = tmp_path / "other" / path.name
    other.parent.mkdir()
    other.write_bytes(TWO.replace(b"\n", end))
    columns = [name for name in SCHEMA.names if name != "size"]
    pd.testing.assert_frame_equal(mf.read_mbox(other)[columns], mf.read_mbox(path)[columns])


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_compressed_files_are_read_as_they_are(path, tmp_path, suffix, compress):
    packed = tmp_path / f"Archive.mbox{suffix}"
    packed.write_bytes(compress(TWO[:300]) + compress(TWO[300:]))
    df = mf.read_mbox(packed)
    assert df["folder"].unique().tolist() == ["Archive"]
    pd.testing.assert_frame_equal(df.drop(columns="account"), mf.read_mbox(path).iloc[:, 1:])


def test_google_takeout_in_its_zip(tmp_path):
    packed = tmp_path / "takeout.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Takeout/Mail/Inbox.mbox", TAKEOUT)
        archive.writestr("Takeout/archive_browser.html", "<html>")
        archive.writestr("Takeout/Mail/Lists.mbox", TWO)
    df = mf.read_mbox(packed)
    assert df["folder"].tolist() == ["Inbox"] * 3 + ["Lists"] * 2
    assert list(df.columns) == [*SCHEMA.names, "x_gm_thrid", "x_gmail_labels"]
    assert df["x_gm_thrid"].tolist()[:3] == [
        "1700000000000000001",
        "1700000000000000001",
        "1700000000000000003",
    ]
    assert [list(labels) for labels in df["x_gmail_labels"]] == [
        ["Inbox", "Important", "Lists, old", "Unread"],
        ["Gesendet", "Schönes", "Starred"],
        [],
        [],
        [],
    ]
    assert df["seen"].tolist()[:3] == [False, True, False]
    assert df["flagged"].tolist()[:3] == [False, True, False]
    assert df["internaldate"][0] == pd.Timestamp("2015-04-16 09:53:04", tz="UTC")


@pytest.mark.parametrize(
    ("labels", "flags"),
    [
        ("=?UTF-8?Q?Ungelesen,Posteingang?=", []),
        ("Ungelesen,Markiert", ["flagged"]),
        ("=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,Non_lus?=", []),
        ("=?UTF-8?Q?No_le=C3=ADdos,Borradores?=", ["draft"]),
        ("=?UTF-8?Q?Archiv=C3=A9s,Ouvert,Suivis?=", ["seen", "flagged"]),
        ("=?UTF-8?B?5pyq6Kqt?=", []),
        (
            "=?UTF-8?Q?=D0=9D=D0=B5=D0=BF=D1=80=D0=BE=D1=87=D0=B8=D1=82=D0=B0=D0=BD=D0=BD=D1=8B=D0=B5?=",
            [],
        ),
        ("=?UTF-8?Q?N=C3=A3o_lidas?=", []),
        ("=?UTF-8?Q?Non=C2=A0lus?=", []),
        ("Sent,Opened", ["seen", "$Sent"]),
        ("Gesendet", ["seen", "$Sent"]),
        ("unread mail", ["seen"]),
    ],
)
def test_gmails_labels_are_flags_in_the_users_language(tmp_path, labels, flags):
    path = tmp_path / "All.mbox"
    path.write_text(
        f"From 1@xxx Mon Jan 05 10:00:00 +0000 2015\nX-GM-THRID: 1\nX-Gmail-Labels: {labels}\n\n"
    )
    [row] = mf.read_mbox(path).to_dict("records")
    told = [name for name in ("seen", "answered", "flagged", "draft", "deleted") if row[name]]
    assert [*told, *row["keywords"]] == flags


def test_chats_of_takeout_are_left_out_with_a_word(tmp_path):
    path = tmp_path / "All.mbox"
    one = "From 1@xxx Mon Jan 05 10:00:00 +0000 2015\nX-Gmail-Labels: {}\nSubject: {}\n\n"
    path.write_text(
        one.format("Inbox", "a") + one.format("Chat", "b") * 3 + one.format("Inbox", "c")
    )
    with pytest.warns(mf.MailframeWarning, match="left out Chat: it holds 3 lines of chat"):
        df = mf.read_mbox(path)
    assert df["subject"].tolist() == ["a", "c"]
    assert df["uid"].tolist() == [1, 5]
    df = mf.read_mbox(path, chats=True)
    assert [list(labels) for labels in df["x_gmail_labels"]].count(["Chat"]) == 3


def test_groups_of_takeout_have_their_names_and_no_flags_of_topics(tmp_path):
    raw = (
        b"From 1@xxx Mon Jan 05 10:00:00 +0000 2015\nX-Google-Groups: hikers\n"
        b"X-Gmail-Labels: Unread\nStatus: RO\nSubject: x\n\n"
    )
    with zipfile.ZipFile(tmp_path / "takeout.zip", "w") as archive:
        for group in ("hikers@googlegroups.com", "cooks@googlegroups.com"):
            archive.writestr(f"Takeout/Groups/{group}/topics.mbox", raw)
    df = mf.read_mbox(tmp_path / "takeout.zip")
    assert set(df["folder"]) == {"hikers@googlegroups.com", "cooks@googlegroups.com"}
    assert df["seen"].all()
    assert [list(labels) for labels in df["x_gmail_labels"]] == [["Unread"]] * 2


def test_one_mailbox_that_cannot_be_read_costs_no_other(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.mbox", TWO)
        archive.writestr("b.mbox", TWO[:-1] + b"other")
        archive.writestr("c.mbox", b"no From line")
    raw = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(raw.replace(TWO[:-1] + b"other", TWO[:-1] + b"OTHER"))
    with pytest.warns(mf.MailframeWarning, match="1 more problems"):
        df = mf.read_mbox(tmp_path / "x.zip")
    assert df["folder"].unique().tolist() == ["a"]


def test_a_file_that_is_cut_while_it_is_read_is_told_of(tmp_path):
    path = tmp_path / "x.mbox"
    path.write_bytes(TWO * 20_000)
    reading = iter_mbox(path, errors="ignore")
    next(reading)
    os.truncate(path, path.stat().st_size // 2)
    list(reading)
    [problem] = reading.problems
    assert "was cut while it was read" in problem["text"]


def test_asking_for_takeout_fields_changes_nothing_but_their_place(tmp_path):
    path = tmp_path / "All mail.mbox"
    path.write_bytes(TAKEOUT)
    plain, asked = mf.read_mbox(path), mf.read_mbox(path, headers=["X-Gmail-Labels"])
    assert list(asked.columns) == [*SCHEMA.names, "x_gmail_labels", "x_gm_thrid"]
    pd.testing.assert_frame_equal(asked[plain.columns], plain)


def test_several_files_and_globs_make_one_frame(tmp_path):
    for name in ("b.mbox", "a.mbox", "c.txt"):
        (tmp_path / name).write_bytes(TWO)
    by_glob = mf.read_mbox(str(tmp_path / "*.mbox"))
    assert by_glob["folder"].tolist() == ["a", "a", "b", "b"]
    assert by_glob["account"].unique().tolist() == [tmp_path.name]
    by_list = mf.read_mbox([tmp_path / "b.mbox", tmp_path / "a.mbox"])
    pd.testing.assert_frame_equal(by_list, by_glob)


def test_files_of_one_name_stay_apart(tmp_path):
    paths = [tmp_path / "x" / "Inbox", tmp_path / "y" / "Inbox"]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(TWO)
    assert mf.read_mbox(paths)["folder"].unique().tolist() == [str(path) for path in paths]


def test_an_empty_file_is_an_empty_mailbox(tmp_path):
    path = tmp_path / "empty"
    for content in (b"", b"\n\n"):
        path.write_bytes(content)
        df = mf.read_mbox(path)
        assert len(df) == 0
        assert list(df.columns) == SCHEMA.names


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Subject: one message\n\ntext\n", "read_eml"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "not an mbox file"),
        (b"\x1f\x8b not gzip at all", "cannot be read"),
        (b"PK\x03\x04 not zip at all", "zip"),
    ],
)
def test_what_is_no_mbox_file_is_refused_at_once(tmp_path, content, says):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(mf.ConfigurationError, match=says):
        iter_mbox(path)


def test_paths_that_name_no_file_are_refused_at_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    for path, says in [
        (tmp_path / "absent", "no such file"),
        (tmp_path / "*.mbox", "no file matches"),
        (tmp_path, "read_maildir"),
        (tmp_path / "other.zip", "no .mbox file"),
        ([], "no path"),
    ]:
        with pytest.raises(mf.ConfigurationError, match=says):
            iter_mbox(path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"errors": "strict"}, "errors='strict'"),
        ({"headers": "X-Spam"}, r"list of names, such as \['X-Spam'\]"),
        ({"headers": ["not a name"]}, "no header field name"),
    ],
)
def test_options_that_make_no_sense_are_refused_at_once(path, options, says):
    with pytest.raises(mf.ConfigurationError, match=says):
        iter_mbox(path, **options)


def test_a_file_that_cannot_be_read_is_refused():
    with pytest.raises(mf.ConfigurationError, match="cannot be read"):
        iter_mbox("/proc/self/mem")  # opens, and fails at the first read


def test_a_mailbox_exported_by_apple_mail_is_a_folder(path, tmp_path):
    exported = tmp_path / "Work.mbox"
    exported.mkdir()
    path.rename(exported / "mbox")
    (exported / "table_of_contents").write_bytes(b"")
    assert mf.read_mbox(exported)["folder"].tolist() == ["Work", "Work"]


@pytest.fixture
def truncated(tmp_path):
    noise = os.urandom(300_000).hex().encode()  # so that compression leaves many blocks
    many = b"".join(TWO[:-1] + noise[n * 600 : n * 600 + 600] + b"\n\n" for n in range(1000))
    path = tmp_path / "cut.mbox.gz"
    path.write_bytes(gzip.compress(many)[:100_000])
    return path


def test_a_truncated_file_gives_what_it_holds_and_one_warning(truncated):
    with pytest.warns(mf.MailframeWarning, match=r"cut\.mbox\.gz is damaged") as caught:
        df = mf.read_mbox(truncated)
    assert len(caught) == 1
    assert len(df) > 100
    [problem] = df.attrs["mailframe"]["problems"]
    assert problem["folder"] == "cut"
    assert problem["error"] == "EOFError"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ignoring = mf.read_mbox(truncated, errors="ignore")
    pd.testing.assert_frame_equal(ignoring, df)
    assert ignoring.attrs["mailframe"]["problems"] == [problem]


def test_a_truncated_file_is_an_error_where_that_is_asked_for(truncated):
    with pytest.raises(mf.MailframeError, match="damaged") as caught:
        mf.read_mbox(truncated, errors="raise")
    assert isinstance(caught.value.__cause__, EOFError)
    assert caught.value.folder == "cut"


def test_text_before_the_first_message_is_a_problem(tmp_path):
    path = tmp_path / "box"
    path.write_bytes(b"What is this?\n\n" + TWO)
    with pytest.warns(mf.MailframeWarning, match="15 octets stand before the first message"):
        assert len(mf.read_mbox(path)) == 2


def test_progress_counts_the_octets_of_the_file(path, tmp_path):
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(TWO))
    for file in (path, packed):
        heard = []
        mf.read_mbox(file, progress=lambda *state, heard=heard: heard.append(state))
        size = file.stat().st_size
        assert heard[0] == (0, size)
        assert heard[-1] == (size, size)


def test_an_error_of_the_progress_function_ends_the_reading(path):
    def stop(done, total):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        mf.read_mbox(path, progress=stop)


def test_a_stream_may_be_left_early(path):
    reading = iter_mbox([path] * 2)
    assert reading.schema == SCHEMA
    next(reading)
    reading.close()
    with pytest.raises(StopIteration):
        next(reading)
