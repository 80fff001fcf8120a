"""Attachments of mail in files: what a server tells of the same messages, and no body in memory."""

import bz2
import gzip
import plistlib
import random

import pytest

import mailframe as mf
from mailframe.frame.schema import ATTACHMENTS
from tests.headers.test_mime import MIXED
from tests.servers.dovecot import Dovecot
from tests.sources.test_memory import FROM, MIB, told_by

QUIET = {"attachments": True, "progress": False}
PLAIN = b"Subject: plain\n\ntext\n"
EXPECTED = [4, 0]

READ = """
import resource, sys
import mailframe as mf
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
def read(path):
    return int(mf.read_mbox(path, attachments=True, progress=False)["attachment_bytes"].sum())
small, large = sys.argv[1:]
read(small)
before = peak()
print(read(large), peak() - before)
"""


def told(df):
    return [
        [list(cell) if hasattr(cell, "__len__") else cell for cell in row]
        for row in df[ATTACHMENTS.names].itertuples(index=False, name=None)
    ]


def mbox(tmp_path):
    (tmp_path / "a.mbox").write_bytes(b"".join(FROM + raw + b"\n" for raw in (MIXED, PLAIN)))
    return mf.read_mbox(tmp_path / "a.mbox", **QUIET)


def mbox_in_gzip(tmp_path):
    with gzip.open(tmp_path / "a.mbox.gz", "wb") as file:
        file.writelines(FROM + raw + b"\n" for raw in (MIXED, PLAIN))
    return mf.read_mbox(tmp_path / "a.mbox.gz", **QUIET)


def maildir(tmp_path):
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur" / "1.a:2,").write_bytes(bz2.compress(MIXED))
    (tmp_path / "cur" / "2.a:2,S").write_bytes(PLAIN)
    return mf.read_maildir(tmp_path, **QUIET)


def eml(tmp_path):
    (tmp_path / "1.eml").write_bytes(MIXED.replace(b"\n", b"\r\n"))
    (tmp_path / "2.eml").write_bytes(PLAIN)
    return mf.read_eml(tmp_path, **QUIET)


def emlx(tmp_path):
    for number, raw in enumerate((MIXED, PLAIN)):
        listed = plistlib.dumps({"flags": 1})
        (tmp_path / f"{number}.emlx").write_bytes(b"%d\n" % len(raw) + raw + listed)
    return mf.read_eml(tmp_path, **QUIET)


@pytest.mark.parametrize("read", [mbox, mbox_in_gzip, maildir, eml, emlx])
def test_every_reader_of_files_tells_them(tmp_path, read):
    df = read(tmp_path)
    assert df["attachments"].tolist() == EXPECTED
    assert list(df["attachment_names"][0]) == ["photo.png", "für.eml", "shown.pdf", "folded.zip"]
    assert df["attachment_bytes"][0] == 155
    assert df.dtypes["attachments"] == "Int64"


def test_what_apple_mail_keeps_elsewhere_has_its_size(tmp_path):
    raw = MIXED.replace(
        b"Content-Transfer-Encoding: base64 (yes)\n\nAAAA\nAAAA",
        b"Content-Transfer-Encoding: base64\nX-Apple-Content-Length: 7800\n",
    )
    (tmp_path / "1.partial.emlx").write_bytes(b"%d\n" % len(raw) + raw + plistlib.dumps({}))
    df = mf.read_eml(tmp_path, **QUIET)
    assert list(df["attachment_sizes"][0])[-1] == 5700


def test_bodies_of_any_size_pass_through_little_memory(tmp_path):
    line = b"A" * 76 + b"\n"
    head = b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Transfer-Encoding: base64\n"
    head += b"Content-Disposition: attachment; filename=big\n\n"
    for name, size in (("small", 1 << 10), ("large", 100 * MIB)):
        with (tmp_path / name).open("wb") as file:
            file.write(FROM + head)
            for _ in range(size // len(line) // 256):
                file.write(line * 256)
            file.write(b"--x--\n\n")
    octets, mib = told_by(READ, tmp_path / "small", tmp_path / "large")
    assert 70 * MIB < octets < 80 * MIB
    assert mib < 60


# What a message may be put together of. Where Dovecot and these readers differ on purpose it is
# left out: a file name with blanks and no quotation marks (it keeps the first word), one with
# backslashes (it drops them), and an enclosed message without a Content-Type (it tells nothing else
# of such a one).
TYPES = (
    *("text/plain", "text/html; charset=utf-8", 'application/pdf; name="t.pdf"', "text", "garbage"),
    *("image/png; name=i.png", 'application/x;\n name="fold\n ed"', "TEXT/PLAIN", "image/gif"),
)
DISPOSITIONS = (
    *("attachment", "inline", "ATTACHMENT; filename=Z.PDF", "inline; filename=c.pdf", "x; size=3"),
    *("attachment; filename*0=lo;\n filename*1=ng", "attachment; filename*=utf-8''%C3%BC.pdf"),
    *('attachment; filename="=?utf-8?q?=C3=BC?="', 'attachment; filename="a\\"b; c"'),
)
ENCODINGS = ("7bit", "base64", "BASE64 ", "quoted-printable", "base64 (c)", "x-uuencode")


def entity(rng, depth, number):
    """One part: its header without a blank line, and its body."""
    kind = rng.random()
    if depth < 3 and kind < 0.4:
        mark = f"b{next(number)}"
        sub = rng.choice(["mixed", "related", "alternative", "digest"])
        parts = (entity(rng, depth + 1, number) for _ in range(rng.randint(1, 4)))
        body = "".join(f"--{mark}{rng.choice(['', ' '])}\n{h}\n{b}\n" for h, b in parts)
        head = f'Content-Type: multipart/{sub}; boundary="{mark}"\n'
        return head, f"pre\n{body}--{mark}--" + rng.choice(["", "\n", "\nepilogue"])
    if depth and kind < 0.5:
        head, body = entity(rng, depth + 1, number)
        head += "" if "Content-Type" in head else "Content-Type: text/plain\n"
        said = rng.choice(["", "Content-Disposition: attachment\n"])
        return f"Content-Type: message/rfc822\n{said}", f"Subject: inner\n{head}\n{body}"
    fields = [
        f"{name}: {rng.choice(values)}\n"
        for name, values, often in (
            ("Content-Type", TYPES, 0.9),
            ("Content-Disposition", DISPOSITIONS, 0.6),
            ("Content-Transfer-Encoding", ENCODINGS, 0.6),
            ("Content-ID", ("<x@y>",), 0.4),
        )
        if rng.random() < often
    ]
    rng.shuffle(fields)
    lines = ("x" * rng.choice([1, 30, 76]) for _ in range(rng.randint(1, 4)))
    return "".join(fields), "\n".join(lines) + rng.choice(["", "\n", "\n\n"])


def messages(count):
    rng, number = random.Random(8), iter(range(1 << 20))
    for place in range(count):
        head, body = entity(rng, 0, number)
        raw = f"From: a@b.example\nSubject: {place}\nMIME-Version: 1.0\n{head}\n{body}".encode()
        yield raw if place % 3 else raw.replace(b"\n", b"\r\n")


def test_dovecot_tells_the_same_message_by_message(tmp_path):
    with Dovecot() as server:
        server.deliver("ann", "INBOX", messages(400))
        here = mf.read_imap(server.url(), **QUIET)
        root = server.folder("ann", "INBOX").parent
        files = mf.read_maildir(root, **QUIET)
    assert here["subject"].tolist() == files["subject"].tolist()
    assert told(here) == told(files)
    assert here["attachments"].sum() > 300


def test_a_file_of_outlook_tells_them_by_its_properties(tmp_path):
    msgforge = pytest.importorskip("msgforge")
    message = msgforge.Message(subject="plan", html_body="x", to=[("b@example.org", "Bob")])
    (tmp_path / "Übersicht.pdf").write_bytes(b"%PDF" * 1000)
    message.attach(tmp_path / "Übersicht.pdf")
    message.save(tmp_path / "1.msg")
    df = mf.read_eml(tmp_path / "1.msg", **QUIET)
    assert told(df) == [[1, 4000, ["Übersicht.pdf"], ["application/pdf"], [4000]]]
