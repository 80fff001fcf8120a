"""The mail that lies on desks: Apple Mail, Thunderbird, Outlook, and a folder of anything."""

from __future__ import annotations

import plistlib
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from msgforge import Message as OutlookMessage

import mailframe as mf
from mailframe.sources import mapi
from mailframe.sources.local import open_local
from tests.sources.test_local import EML, MBOX, zipped

MESSAGE = b"From: Ann <ann@example.org>\nSubject: %s\n\ntext\n"
FROM = b"From - Sat Apr 12 15:59:28 2025\n"
OUTLOOK = Path(__file__).parents[2] / ".venv/node_modules/pst-extractor/example/testdata"


def put(path, octets):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return path


def emlx(subject, end=b"", **told):
    message = MESSAGE % subject
    return b"%-10d\n" % len(message) + message + (end or plistlib.dumps(told))


# ---- Apple Mail


@pytest.fixture
def library(tmp_path):
    root = tmp_path / "Mail"
    received = {"date-received": 1_000_000_000}
    put(
        root / "V10/AAA/INBOX.mbox/F/Data/1/Messages/12.emlx",
        emlx(b"12", flags=0b1_0001, **received),
    )
    put(root / "V10/AAA/INBOX.mbox/F/Data/Messages/3.partial.emlx", emlx(b"3", flags=0b101))
    put(root / "V10/AAA/Work.mbox/Clients.mbox/F/Data/Messages/4.emlx", emlx(b"4", flags=1 << 6))
    put(root / "V10/BBB/[Gmail].mbox/All Mail.mbox/F/Data/Messages/5.emlx", emlx(b"5", flags=0))
    put(root / "V10/AAA/INBOX.mbox/F/Data/Attachments/3/2/a.pdf", b"%PDF")
    put(root / "V10/MailData/Envelope Index", b"SQLite format 3\0")
    return root


def test_apple_mail_has_the_names_of_its_mailboxes_and_the_flags_of_its_lists(library):
    df = mf.read_apple_mail(library)
    assert df[["folder", "uid", "subject"]].to_numpy().tolist() == [
        ["AAA/INBOX", 1, "3"],
        ["AAA/INBOX", 2, "12"],
        ["AAA/Work/Clients", 1, "4"],
        ["BBB/[Gmail]/All Mail", 1, "5"],
    ]
    assert df["seen"].tolist() == [True, True, False, False]
    assert df["answered"].tolist() == [True, False, False, False]
    assert df["flagged"].tolist() == [False, True, False, False]
    assert df["draft"].tolist() == [False, False, True, False]
    assert df["internaldate"][1] == pd.Timestamp("2001-09-09 01:46:40", tz="UTC")
    assert df["size"].tolist() == [len(MESSAGE % s) for s in (b"3", b"12", b"4", b"5")]


@pytest.mark.parametrize("part", ["V10", "V10/AAA", "V10/AAA/INBOX.mbox", "V10/AAA/INBOX.mbox/F"])
def test_a_part_of_apple_mail_will_do(library, part):
    df = mf.read_apple_mail(library / part)
    assert "INBOX" in {folder.rpartition("/")[2] for folder in df["folder"]}
    assert open_local(library / part).kind == "apple"


@pytest.mark.parametrize("end", [b"<?xml?><plist/>", b"bplist00\xff", b"\0" * 9, b"x"])
def test_a_damaged_property_list_costs_the_flags_alone(tmp_path, end):
    put(tmp_path / "1.emlx", emlx(b"1", end))
    put(tmp_path / "2.emlx", emlx(b"2", flags=1))
    with pytest.warns(mf.MailframeWarning, match=r"the flags of .*1\.emlx cannot be read"):
        df = mf.read_eml(tmp_path)
    assert df["subject"].tolist() == ["1", "2"]
    assert df["seen"].tolist() == [False, True]


def test_what_is_no_apple_mail_says_what_was_looked_for(tmp_path):
    with pytest.raises(mf.ConfigurationError, match=r"no Messages/\*\.emlx below a \.mbox"):
        mf.read_apple_mail(tmp_path)
    with pytest.raises(mf.ConfigurationError, match="no such folder"):
        mf.read_apple_mail(tmp_path / "absent")


# ---- Thunderbird


def stored(subject, status="0001", status2="00000000", keys=""):
    fields = f"X-Mozilla-Status: {status}\nX-Mozilla-Status2: {status2}\nX-Mozilla-Keys: {keys}\n"
    return FROM + fields.encode() + MESSAGE % subject.encode() + b"\n"


@pytest.fixture
def profile(tmp_path):
    root = tmp_path / "abc.default"
    local, server = root / "Mail/Local Folders", root / "ImapMail/imap.example.org"
    put(
        root / "prefs.js",
        b'user_pref("mail.server.server1.directory", "%s");\n'
        % str(tmp_path / "elsewhere").encode(),
    )
    put(server / "INBOX", stored("a", "0003", "00200000", "todo $label1") + stored("b", "0009"))
    put(server / "INBOX.msf", b"// <!-- <mdb:mork")
    put(server / "INBOX.sbd/Work", stored("c", "0000", "06000000"))
    put(server / "INBOX.sbd/Work.sbd/Deep.msf", b"")
    put(server / "INBOX.sbd/Work.sbd/Deep", stored("d", "0005"))
    put(server / "Only kept on the server.msf", b"")
    put(local / "Empty", b"")
    put(local / "Empty.msf", b"")
    put(local / "Cards/cur/1.eml", b"X-Mozilla-Status: 0001\n" + MESSAGE % b"e")
    put(local / "Cards/cur/2.eml", b"X-Mozilla-Status: 0008\n" + MESSAGE % b"f")
    put(local / "msgFilterRules.dat", b'version="9"\n')
    put(local / "nstmp", stored("twice"))
    put(tmp_path / "elsewhere/Old", stored("g"))
    return root


def test_thunderbird_has_its_folders_flags_and_keywords(profile):
    df = mf.read_thunderbird(profile)
    assert dict(zip(df["subject"], df["folder"], strict=True)) == {
        "a": "imap.example.org/INBOX",
        "c": "imap.example.org/INBOX/Work",
        "d": "imap.example.org/INBOX/Work/Deep",
        "e": "Local Folders/Cards",
        "g": "elsewhere/Old",
    }
    rows = df.set_index("subject")
    assert rows["seen"].to_dict() == {"a": True, "c": False, "d": True, "e": True, "g": True}
    assert rows["answered"].sum() == rows["flagged"].sum() == rows["deleted"].sum() == 1
    assert list(rows["keywords"]["a"]) == ["todo", "$label1"]
    assert list(rows["keywords"]["c"]) == ["$Label3"]
    assert df.attrs["mailframe"]["expunged"] == 2
    assert df.attrs["mailframe"]["problems"] == []


@pytest.mark.parametrize(
    ("part", "folder"),
    [
        ("ImapMail", "imap.example.org/INBOX"),
        ("ImapMail/imap.example.org", "INBOX"),
        ("ImapMail/imap.example.org/INBOX.sbd/Work.sbd", "Deep"),
    ],
)
def test_a_part_of_a_profile_will_do(profile, part, folder):
    assert folder in set(mf.read_thunderbird(profile / part)["folder"])
    assert open_local(profile / part).kind == "thunderbird"


def test_profiles_are_found_by_themselves_and_by_name(profile, tmp_path, monkeypatch):
    monkeypatch.setattr("mailframe.sources.thunderbird._homes", lambda: [str(tmp_path)])
    with pytest.raises(mf.ConfigurationError, match="no profile of Thunderbird with mail"):
        mf.read_thunderbird()
    (tmp_path / "profiles.ini").write_text(
        "[Install1]\nDefault=abc.default\n[Profile0]\nName=me\nIsRelative=1\nPath=abc.default\n"
        "[Profile1]\nName=empty\nIsRelative=1\nPath=empty\n"
    )
    assert len(mf.read_thunderbird()) == len(mf.read_thunderbird("me")) == 5
    with pytest.raises(mf.ConfigurationError, match="known are me, empty"):
        mf.read_thunderbird("you")
    with pytest.raises(mf.ConfigurationError, match="no mail of Thunderbird"):
        mf.read_thunderbird(put(tmp_path / "bare/x.txt", b"").parent)


def test_a_folder_of_thunderbird_that_cannot_be_read_is_told_of(profile):
    put(profile / "Mail/Local Folders/Broken", b"no From line")
    put(profile / "Mail/Local Folders/Broken.msf", b"")
    with pytest.warns(mf.MailframeWarning, match="Broken cannot be read: it has an index"):
        assert len(mf.read_thunderbird(profile)) == 5


# ---- Outlook


def test_messages_of_outlook_are_read_beside_others(tmp_path):
    sent = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    OutlookMessage(
        subject="Grüße",
        text_body="x",
        to=[("bob@example.org", "Bob"), "cy@example.org"],
        cc=[("dee@example.org", 'D"e"e, Inc.')],
        bcc=["hidden@example.org"],
        sender=("ann@example.org", "Ann Lée"),
        sent=sent,
    ).save(tmp_path / "1.msg")
    OutlookMessage(subject="draft", text_body="x").save(tmp_path / "2.eml")
    put(tmp_path / "3.eml", MESSAGE % b"plain")
    zipped(tmp_path / "x.zip", [])
    df = mf.read_eml(tmp_path)
    assert df["subject"].tolist() == ["Grüße", "draft", "plain"]
    row = df.iloc[0]
    assert (row["from_name"], row["from_addr"]) == ("Ann Lée", "ann@example.org")
    assert list(row["to"]) == ["bob@example.org", "cy@example.org"]
    assert list(row["cc"]) == ["dee@example.org"]
    assert row["date"] == sent
    assert df["draft"].tolist() == [False, True, False]
    assert open_local(tmp_path / "1.msg").kind == "eml"


def test_a_damaged_message_of_outlook_is_told_of(tmp_path):
    OutlookMessage(subject="x", text_body="x").save(tmp_path / "1.msg")
    put(tmp_path / "1.msg", (tmp_path / "1.msg").read_bytes()[:700])
    put(tmp_path / "2.eml", MESSAGE % b"plain")
    with pytest.warns(mf.MailframeWarning, match=r"1\.msg cannot be read"):
        assert len(mf.read_eml(tmp_path)) == 1


@pytest.mark.parametrize(
    ("properties", "header"),
    [
        ({mapi.HEADERS: "Subject: x\r\nX: y\r\n\r\n\0"}, b"Subject: x\r\nX: y\r\n\r\n"),
        ({mapi.HEADERS: "X: y\r\n", mapi.SUBJECT: "\1\4AW: x"}, b"X: y\r\nSubject: AW: x\r\n\r\n"),
        ({0x0042: "Ann", 0x0065: "ann@example.org"}, b'From: "Ann" <ann@example.org>\r\n\r\n'),
        ({0x0042: "Ann", 0x0065: "/O=X/CN=ANN"}, b'From: "Ann" <>\r\n\r\n'),
        (
            {0x0042: "Ann", 0x0C1F: "/O=X", mapi.CREATOR: "/O=X", mapi.CREATOR_SMTP: "a@x.org"},
            b'From: "Ann" <a@x.org>\r\n\r\n',
        ),
        ({0x0E04: "b@example.org; Bob"}, b"To: <b@example.org>\r\n\r\n"),
        ({mapi.SUBJECT: "a\r\nBcc: b"}, b"Subject: a Bcc: b\r\n\r\n"),
    ],
)
def test_properties_of_outlook_make_a_header_block(properties, header):
    assert mapi.told(properties, []).header == header


@pytest.mark.skipif(not OUTLOOK.is_dir(), reason="the npm package pst-extractor is not installed")
def test_stores_of_outlook_are_read():
    df = mf.read_pst(OUTLOOK / "enron.pst")
    assert len(df) == 71
    assert sorted(df["folder"].str.rpartition("/")[2].unique())[1:3] == ["Personal", "Sent Items"]
    assert df["seen"].all()
    assert df["internaldate"].notna().all()
    assert open_local(OUTLOOK / "enron.pst").kind == "pst"
    files = mf.read_pst(OUTLOOK / "enron.pst", attachments=True)
    assert files["attachments"].notna().all()
    words = files.mail.attachments().query("type == 'application/msword'")
    assert set(words["name"].str[-4:]) == {".doc"}
    assert words["bytes"].gt(10_000).all()
    with pytest.warns(mf.MailframeWarning, match="left out other items"):
        df = mf.read_pst(str(OUTLOOK / "pstextractortest@*.ost"))
    sent = df[df["folder"] == "Sent Items"]
    assert len(sent) == 2
    assert sent["from_addr"].notna().all()  # from properties: nobody wrote a header block
    assert [len(to) for to in sent["to"]] == [1, 1]
    assert sent["date"].notna().all()


def test_a_file_that_is_none_of_outlooks_is_refused(tmp_path):
    with pytest.raises(mf.ConfigurationError, match=r"no \.pst or \.ost file"):
        mf.read_pst(put(tmp_path / "x.pst", b"x"))
    with pytest.raises(mf.ConfigurationError, match="cannot be read"):
        mf.read_pst(put(tmp_path / "y.pst", b"!BDN" + b"\0" * 600))


# ---- a folder of anything


@pytest.mark.parametrize(
    ("files", "kind", "rows"),
    [
        ({"Takeout/Mail/a.mbox": MBOX, "Takeout/Mail/b.mbox": MBOX, "x.html": b"x"}, "mbox", 2),
        ({"a.eml": EML, "b/2": EML, "c.mbox": MBOX}, "eml", 2),
        ({"a.emlx": emlx(b"x", flags=1), "b.eml": EML}, "eml", 2),
    ],
)
def test_a_folder_is_recognised_for_what_most_of_it_is(tmp_path, files, kind, rows):
    for name, octets in files.items():
        put(tmp_path / name, octets)
    reading = open_local(tmp_path, errors="ignore")
    assert reading.kind == kind
    assert sum(len(batch) for batch in reading) == rows
    left_out = sum("mbox" in name for name in files) if kind == "eml" else 0
    assert list(reading.report["skipped"]) == [f"{n} .mbox" for n in [left_out] if n]


def test_a_folder_without_mail_says_what_was_looked_for(tmp_path):
    for path in (tmp_path, put(tmp_path / "x/notes.txt", b"x").parent):
        with pytest.raises(mf.ConfigurationError, match=r"Maildir.*mbox.*eml.*pst.*Thunderbird"):
            open_local(path)
