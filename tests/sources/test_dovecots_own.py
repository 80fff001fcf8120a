"""Maildir messages as Dovecot itself compresses them, read without Dovecot."""

import imaplib

import pytest

import mailframe as mf
from tests.headers.test_mime import MIXED
from tests.servers.dovecot import HOST, PASSWORD, Dovecot

CONFIG = """
mail_plugins = zlib
protocol imap {{
  mail_plugins = zlib
}}
plugin {{
  zlib_save = {kind}
}}
"""
LONG = MIXED + b"epilogue, " * 30_000
SHORT = b"Subject: short\n\nx\n"


@pytest.mark.parametrize("kind", ["gz", "bz2", "zstd", "lz4"])
def test_a_message_is_read_however_dovecot_wrote_it(kind):
    with Dovecot(config=CONFIG.format(kind=kind)) as server:
        place = server.folder("ann", "INBOX")
        with imaplib.IMAP4(HOST, server.port) as client:
            client.login("ann", PASSWORD)
            for raw in (MIXED, LONG, SHORT):
                client.append("INBOX", None, None, raw.replace(b"\n", b"\r\n"))
        stored = [file.read_bytes() for file in place.glob("[cn]*/*")]
        if any(raw.startswith((b"Subject", b"Return")) for raw in stored):
            pytest.skip(f"this Dovecot cannot write {kind}")
        there = mf.read_imap(server.url(), attachments=True, progress=False)
        files = mf.read_maildir(place, attachments=True, progress=False)
    assert sorted(files["subject"]) == ["all of it", "all of it", "short"]
    files, there = (df.sort_values("size") for df in (files, there))  # names may sort otherwise
    for name in ("subject", "size", "attachments", "attachment_bytes"):
        assert files[name].tolist() == there[name].tolist()


@pytest.mark.parametrize("cut", [10, 17, 25, 60, 300, 500])
def test_a_damaged_lz4_file_costs_itself_alone(tmp_path, cut):
    block = b"\xf0\x01Subject: cut off" + b"\x00" * 3
    whole = b"Dovecot-LZ4\r\x2a\x9b\xc5\x00\x01\x00\x00" + len(block).to_bytes(4) + block
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur" / "1.a:2,").write_bytes((whole * 9)[:cut] + b"\xff" * (cut % 7))
    (tmp_path / "cur" / "2.a:2,").write_bytes(b"Subject: whole\n\n")
    df = mf.read_maildir(tmp_path, errors="ignore", progress=False)
    assert df["subject"].tolist()[-1] == "whole"
    assert df.attrs["mailframe"]["problems"]
