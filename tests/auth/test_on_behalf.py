"""Who logs in to read another's mail: a master user of Dovecot, and what a token is sent with."""

from __future__ import annotations

import asyncio
import base64

import pytest
from click.testing import CliRunner

import mailframe as mf
from mailframe.accounts.account import Account
from mailframe.cli.main import cli
from tests.hostile.fetching import fetch
from tests.servers import dovecot as servers
from tests.servers.scripted import Scripted
from tests.servers.transcript import scripted

MASTER = "the-master's-own"


@pytest.fixture(scope="module")
def server():
    if servers.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    with servers.Dovecot(masters={"admin": MASTER}) as running:
        for name in ("ann", "bob"):
            running.deliver(name, "INBOX", [f"Subject: for {name}\r\n\r\n".encode()])
        yield running


def bob(server):
    return f"imap://bob@127.0.0.1:{server.port}"


def test_a_master_user_reads_the_mail_of_another_under_whose_name_it_is_kept(server, tmp_path):
    how = {"password": MASTER, "login": "admin", "progress": False}
    plain = mf.read_imap(bob(server), **how)
    kept = mf.read_imap(bob(server), store=tmp_path / "store", **how)
    account = Account("127.0.0.1", "bob", server.port, "none", MASTER, login="admin")
    awaited = asyncio.run(mf.aread_imap(account, progress=False))
    for df in (plain, kept, awaited, mf.open_store(tmp_path / "store").frame()):
        assert df["subject"].tolist() == ["for bob"]
        assert df["account"].astype("str").tolist() == ["bob@127.0.0.1"]
        assert "admin" not in str(df.attrs)
    listed = mf.list_folders(bob(server), password=MASTER, login="admin")
    assert "INBOX" in listed["folder"].tolist()


def test_so_does_the_command_line(server, monkeypatch, tmp_path):
    monkeypatch.setenv("MAILFRAME_PASSWORD", MASTER)
    target = tmp_path / "out.csv"
    for words in (["fetch", "-o", str(target)], ["folders"]):
        done = CliRunner().invoke(cli, [*words, bob(server), "--login", "admin"])
        assert done.exit_code == 0, done.output
    assert "for bob" in target.read_text()


@pytest.mark.parametrize("login", ["admin", "ann"])
def test_who_may_not_is_told_who_was_refused(server, login):
    password = "wrong" if login == "admin" else servers.PASSWORD
    with pytest.raises(mf.AuthenticationError, match=f"login of {login} on behalf of bob") as error:
        mf.read_imap(bob(server), password=password, login=login, progress=False)
    assert f"check the password of {login}" in str(error.value)
    assert "mailframe login" not in str(error.value)


GREETING = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR {}] ready\n"


@pytest.mark.parametrize(("auth", "word"), [("password", "PLAIN"), ("oauthbearer", "OAUTHBEARER")])
def test_where_the_mechanism_is_not_offered_nothing_is_sent_instead(auth, word):
    """LOGIN would read the mail of whoever logs in, and nobody would notice."""
    with Scripted(scripted(GREETING.format("AUTH=LOGIN AUTH=XOAUTH2"))) as server:
        account = Account("127.0.0.1", "bob", server.port, "none", auth=auth, login="admin")
        with pytest.raises(mf.AuthenticationError, match=f"login= wants AUTH={word}"):
            fetch(server, account=account)
    assert server.seen["LOGIN"] == server.seen["AUTHENTICATE"] == 0


def test_a_service_accounts_token_is_sent_for_whom_it_acts():
    rules = GREETING.format("AUTH=OAUTHBEARER") + "C: AUTHENTICATE *\nS: $tag NO no\n"
    with Scripted(scripted(rules)) as server:
        account = Account(
            "127.0.0.1", "b,b=c", server.port, "none", auth="oauthbearer", login="service"
        )
        with pytest.raises(mf.AuthenticationError, match="service on behalf of b,b=c"):
            fetch(server, account=account, password="a-token")
        (line,) = server.lines("AUTHENTICATE")
    sent = base64.b64decode(line.split()[-1]).decode()
    assert sent == "n,a=b=2Cb=3Dc,\1auth=Bearer a-token\1\1"
