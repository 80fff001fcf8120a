"""Logging in by OAuth 2.0 and staying in: a token server of authlib's, and Dovecot's oauth2."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import mailframe as mf
from mailframe.accounts.account import Account
from mailframe.accounts.secret import Secret
from mailframe.auth import grants, loopback, tokens
from mailframe.auth.login import issuer_of
from mailframe.auth.tokensource import Source
from mailframe.discovery import network
from mailframe.readers.entry import login
from tests.servers import dovecot as servers
from tests.servers.issuer import Issuer
from tests.servers.relay import Relay
from tests.servers.scripted import CAPABILITIES, Scripted
from tests.servers.world import World

USER = "ann@example.org"
ROOT = Path(mf.__file__).parents[1]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "MAILFRAME_CLIENT_ID", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def issuer(tmp_path):
    with Issuer(tmp_path, USER) as running:
        yield running


A_MOMENT = 0.1  # seconds


def logged_in(issuer, *, life=3600.0):
    """Put a log-in where `login` puts it."""
    told = issuer.grant(life)
    found = issuer_of(USER, issuer.client)
    access, refresh = Secret(told["access_token"]), Secret(told["refresh_token"])
    tokens.write(tokens.Kept(USER, found, access, refresh, time.time() + life, life))
    if life < A_MOMENT:
        time.sleep(2 * life)  # it is over when the test goes on
    return Source(USER)


def token(source, refused=None):
    return asyncio.run(source.token(refused))


@pytest.fixture
def stage(issuer):
    """A Dovecot that asks the issuer about each token."""
    if servers.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    directory = Path(tempfile.mkdtemp(prefix="mf-issuer-"))
    try:
        with servers.Dovecot(config=issuer.dovecot(directory)) as running:
            yield running
    finally:
        shutil.rmtree(directory)


def account(port, source, auth="xoauth2"):
    return Account("127.0.0.1", USER, port, "none", source, auth=auth)


# Logging in -------------------------------------------------------------------------------------


def visit(url):
    with suppress(urllib.error.HTTPError), urllib.request.urlopen(url, timeout=5) as page:
        return page.status
    return 404


def test_a_browser_here_logs_in_and_nothing_else_is_taken_for_it(issuer, home):
    seen = []

    def browse(url):
        back = urlsplit(issuer.approve(url))
        base = f"http://{back.netloc}/"
        query = parse_qs(back.query)
        seen.append(visit(f"{base}favicon.ico"))
        seen.append(visit(f"{base}?code={query['code'][0]}&state=another"))
        seen.append(visit(back.geturl()))
        with suppress(OSError):
            seen.append(visit(back.geturl()))

    said = []
    login(USER, client=issuer.client, say=said.append, ask=None, browse=browse)
    assert seen[:3] == [404, 404, 200]
    assert 200 not in seen[3:]
    assert said[-1] == f"{USER} is logged in."
    assert tokens.addresses() == [USER]
    assert mf.logout(USER)
    assert tokens.read(USER) is None


@pytest.mark.parametrize("form", ["whole", "query", "code", "wrong then right", "it was here"])
def test_what_a_person_pastes_logs_in(issuer, form):
    said = []

    def ask(_prompt):
        back = issuer.approve(said[0].split("\n")[1])
        query = urlsplit(back).query
        code = parse_qs(query)["code"][0]
        if form == "it was here":
            assert visit(back) == 200
            return ""
        if form == "wrong then right" and len(said) == 1:
            return f"http://127.0.0.1/?code={code}&state=another"
        return {"query": query, "code": code}.get(form, back)

    login(USER, "paste", issuer.client, say=said.append, ask=ask)
    assert said[-1].endswith("is logged in.")
    assert any("the state is another one" in line for line in said) == form.startswith("wrong")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (["authorization_pending", "authorization_pending"], ""),
        (["access_denied"], "declined"),
        (["expired_token"], "in time"),
    ],
)
def test_a_device_code_logs_in(issuer, told, words):
    issuer.device = told
    said = []
    if words:
        with pytest.raises(mf.AuthenticationError, match=words):
            login(USER, "device", issuer.client, say=said.append)
    else:
        login(USER, "device", issuer.client, say=said.append)
        assert tokens.addresses() == [USER]
    assert "ABCD-EFGH" in said[0]


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"expires_in": "soon", "interval": 0.01}, "answers what is no token"),
        ({"expires_in": -5, "interval": 0.01}, ""),
        ({"user_code": "\x1b]0;evil\x07"}, "no device code"),
        ({"user_code": None}, "no device code"),
        ({"verification_uri": "http://127.0.0.1/"}, "no device code"),
        ({"verification_uri": "https://127.0.0.1/\r\x1b[2J"}, "no device code"),
        ({"device_code": 5}, "no device code"),
    ],
)
def test_what_a_token_server_says_is_not_believed_blindly(issuer, odd, words):
    issuer.odd = odd
    said = []
    if words:
        with pytest.raises(mf.MailframeError, match=words):
            login(USER, "device", issuer.client, say=said.append)
        assert "evil" not in "".join(said)
        return
    login(USER, "device", issuer.client, say=said.append)
    assert 3000 < tokens.read(USER).life < 4000


def test_a_device_that_is_too_fast_waits_five_seconds_more():
    assert grants.next_interval("slow_down", 5) == 10
    assert grants.next_interval("authorization_pending", 5) == 5
    assert grants.next_interval("access_denied", 5) is None


def test_nobody_waits_longer_than_five_minutes(issuer, monkeypatch):
    assert grants.LONGEST_WAIT == 300
    monkeypatch.setattr(grants, "LONGEST_WAIT", 0.2)
    with pytest.raises(mf.AuthenticationError, match="nobody logged in in time"):
        login(USER, "browser", issuer.client, say=str, ask=None, browse=str)


def test_an_answer_of_another_issuer_is_not_ours():
    known = grants.Issuer(
        "x", "https://x.example/a", "https://x.example/t", issuer="https://x.example"
    )
    attempt = grants.begin(known, USER, "http://127.0.0.1:1/")
    with pytest.raises(grants.NotOursError, match="issuer"):
        grants.code_of(f"code=c&state={attempt.state}&iss=https://evil.example", attempt)
    assert grants.code_of(f"code=c&state={attempt.state}&iss=https://x.example", attempt) == "c"
    with loopback.listening("127.0.0.1") as redirect:
        redirect.attempt = attempt
        assert redirect.take(f"/?code=c&state={attempt.state}&state=b")[0] == 404


def test_without_a_client_the_error_tells_how_to_make_one():
    with pytest.raises(mf.ConfigurationError, match="App registrations"):
        mf.login("ann@outlook.com")
    with pytest.raises(mf.ConfigurationError, match="Desktop app"):
        mf.login("ann@gmail.com")


# Staying in -------------------------------------------------------------------------------------


def test_the_file_is_its_owners_alone_and_an_open_one_is_refused(issuer):
    logged_in(issuer)
    path = tokens._path(USER)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(mf.ConfigurationError, match="chmod 600"):
        token(Source(USER))


def test_a_token_that_ends_is_replaced_once_and_a_rotated_one_is_kept(issuer):
    source = logged_in(issuer, life=0.01)
    first = token(source)
    assert token(source) == first
    assert issuer.refreshes == 1
    assert token(source, first) != first
    assert issuer.refreshes == 2


def test_a_log_in_that_has_ended_says_how_to_log_in_again(issuer):
    source = logged_in(issuer, life=0.01)
    issuer.forget()
    for _ in range(2):
        with pytest.raises(mf.AuthenticationError, match=f"mailframe login {USER}"):
            token(source)
    assert tokens.addresses() == []


def test_a_server_in_trouble_ends_no_log_in(issuer):
    source = logged_in(issuer, life=0.01)
    issuer.trouble = 503
    time.sleep(0.02)
    with pytest.raises(mf.TransportError, match="status 503"):
        token(source)
    issuer.trouble = 0
    assert token(source)


ASK = "import asyncio, sys; from mailframe.auth.tokensource import Source; "
ASK += f"sys.stdin.read(1); print(hash(asyncio.run(Source({USER!r}).token()).reveal()) != 0)"


def test_of_eight_processes_one_refreshes(issuer):
    logged_in(issuer, life=0.01)
    command = [sys.executable, "-c", ASK]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(8)]
    for process in processes:
        process.stdin.write(b"g")
        process.stdin.close()
    for process in processes:
        assert process.stdout.read().strip() == b"True"
        process.stdout.close()
        assert process.wait(30) == 0
    assert issuer.refreshes == 1


@contextmanager
def a_process_that_refreshes(issuer):
    """Give it when the issuer has made new tokens of the old ones; it is killed in the end."""
    logged_in(issuer, life=0.01)
    issuer.rotated.clear()
    with subprocess.Popen(
        [sys.executable, "-c", ASK], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        process.stdin.write(b"g")
        process.stdin.close()
        assert issuer.rotated.wait(60)
        try:
            yield
        finally:
            process.kill()


def test_killed_before_the_answer_the_log_in_asks_for_another(issuer):
    issuer.answers.clear()
    with a_process_that_refreshes(issuer):
        pass
    issuer.answers.set()
    with pytest.raises(mf.AuthenticationError, match=f"mailframe login {USER}"):
        token(Source(USER))


def test_killed_after_the_write_the_log_in_serves(issuer):
    with a_process_that_refreshes(issuer):
        while tokens.read(USER).access.reveal() not in issuer.given[-2:]:
            time.sleep(0.005)
    assert token(Source(USER))
    assert issuer.refreshes == 1


def test_killed_at_any_moment_the_log_in_serves_or_asks_for_another(issuer):
    for wait in (0.0, 0.004, 0.016):
        with a_process_that_refreshes(issuer):
            time.sleep(wait)  # whichever comes first, either is right
        try:
            assert token(Source(USER))
        except mf.AuthenticationError as error:
            assert f"mailframe login {USER}" in str(error)  # noqa: PT017 -- either is right


# Fetching ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_a_token_refused_is_replaced_on_the_same_connection(issuer, stage, auth):
    stage.deliver(USER, "INBOX", [b"Subject: hello\r\n\r\n"])
    source = logged_in(issuer)
    issuer.end()  # the server knows better than the clock
    with Relay(stage.port) as relay:
        df = mf.read_imap(account(relay.port, source, auth), connections=1, progress=False)
        assert relay.opened == 1
    assert df["subject"].tolist() == ["hello"]
    assert (issuer.refreshes, df.attrs["mailframe"]["reconnects"]) == (1, 0)


def test_a_fetch_outlives_its_tokens(issuer, stage):
    for number in range(20):
        raw = (b"Subject: %d\r\nX-Pad: %s\r\n\r\n" % (n, b"x" * 400) for n in range(50))
        stage.deliver(USER, f"f{number:02}", raw)
    issuer.life = 1.0
    source = logged_in(issuer, life=1.0)
    with Relay(stage.port, cut_after=40_000, faulty=8, rate=200_000) as relay:
        df = mf.read_imap(
            account(relay.port, source), folders="f*", progress=False, errors="ignore"
        )
    assert len(df) == 1000
    assert df.attrs["mailframe"]["problems"] == []
    assert df.attrs["mailframe"]["reconnects"] > 0


def test_a_token_that_never_serves_is_tried_twice_on_one_connection(issuer, stage):
    source = logged_in(issuer)
    issuer.user = "bob@example.org"  # whose tokens these are
    for one in issuer._tokens.values():
        one.until = 0
    issuer._refresh = {key: _bob(one) for key, one in issuer._refresh.items()}
    with pytest.raises(mf.AuthenticationError, match=f"mailframe login {USER}"):
        mf.read_imap(account(stage.port, source), progress=False)
    assert issuer.introspected == 2


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_a_token_that_does_not_cover_mail_is_not_renewed_but_told(issuer, auth):
    """As RFC 7628 has it; Dovecot 2.3 tells it as of any other token that it refuses."""
    told = base64.b64encode(b'{"status":"insufficient_scope","scope":"https://mail.example/"}')

    async def refuse(session, command):
        if command.name != "AUTHENTICATE":
            return False
        await session.send(b"+ " + told + b"\r\n")
        await session.line()
        await session.send(command.done("NO", "[AUTHENTICATIONFAILED] no"))
        return True

    offered = f"{CAPABILITIES} AUTH=XOAUTH2 AUTH=OAUTHBEARER"
    source = logged_in(issuer)
    with Scripted(refuse, capabilities=offered) as server:
        with pytest.raises(mf.AuthenticationError) as refused:
            mf.read_imap(account(server.port, source, auth), progress=False)
        assert server.seen["AUTHENTICATE"] == 1
    assert "the token does not cover mail" in str(refused.value)
    assert "must cover https://mail.example/" in str(refused.value)
    assert f"mailframe login {USER}" in str(refused.value)
    assert issuer.refreshes == 0


def test_a_token_of_ones_own_is_refused_with_the_reason_and_the_place_of_others(issuer, stage):
    url = f"imap://ann%40example.org;AUTH=OAUTHBEARER@127.0.0.1:{stage.port}"
    with pytest.raises(mf.AuthenticationError) as refused:
        mf.read_imap(url, password="a-token-of-nobody", progress=False)
    assert "has ended, or is not known there" in str(refused.value)
    assert issuer.url in str(refused.value)
    assert "a-token-of-nobody" not in str(refused.value)


def _bob(one):
    one.user = "bob@example.org"
    return one


def test_what_no_longer_lets_in_is_one_problem_and_what_came_is_kept(issuer, stage):
    for number in range(20):
        raw = (b"Subject: %d\r\nX-Pad: %s\r\n\r\n" % (n, b"x" * 400) for n in range(50))
        stage.deliver(USER, f"f{number:02}", raw)
    source = logged_in(issuer)
    rows = []

    def progress(done, _total):
        rows.append(done)
        if done:
            issuer.end()
            issuer.forget()

    with Relay(stage.port, cut_after=40_000, rate=100_000) as relay:
        df = mf.read_imap(
            account(relay.port, source), folders="f*", progress=progress, errors="ignore"
        )
    problems = df.attrs["mailframe"]["problems"]
    assert 0 < len(df) < 1000
    assert len(problems) == 1
    assert f"mailframe login {USER}" in problems[0]["text"]


@pytest.mark.parametrize("kind", ["sync", "async", "command"])
def test_a_password_may_be_asked_for_at_each_log_in(dovecot, user, kind):
    asked = []

    def ask():
        asked.append(1)
        return servers.PASSWORD

    async def ask_later():
        return ask()

    command = [sys.executable, "-c", f"print({servers.PASSWORD!r})"] if kind == "command" else None
    password = {"sync": ask, "async": ask_later}.get(kind)
    where = ("127.0.0.1", user, dovecot.port, "none", password)
    dovecot.deliver(user, "asked", [b"Subject: hello\r\n\r\n"])
    known = Account(*where, token_command=command)
    assert len(mf.read_imap(known, folders="asked", connections=1, progress=False)) >= 1
    assert len(asked) == (kind != "command")


# Where tokens are, and are not ------------------------------------------------------------------


def test_tokens_are_in_their_file_and_nowhere_else(issuer, stage, home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    stage.deliver(USER, "INBOX", [b"Subject: hello\r\n\r\n"])
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.addFilter(lambda record: "rfc" not in record.name)  # what the token server itself says
    logging.getLogger().addHandler(handler)
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        source = logged_in(issuer, life=0.01)
        known = account(stage.port, source)
        df = mf.read_imap(known, progress=False, store=home / "store")
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(before)
    pickled = pickle.dumps(known)
    assert pickle.loads(pickled).password == source
    shown = [log.getvalue(), repr(known), repr(source), repr(df.attrs), repr(pickled)]
    assert issuer.refreshes == 1
    kept = tokens._path(USER)
    files = [path for path in home.rglob("*") if path.is_file() and path != kept]
    shown += [path.read_bytes().decode("latin-1") for path in files]
    for given in issuer.given:
        assert not [text[max(0, text.find(given) - 150) :][:200] for text in shown if given in text]
    assert issuer.given[-1] in kept.read_text()


def test_no_traceback_holds_a_token(issuer):
    for trouble in (503, 0):
        source = logged_in(issuer, life=0.01)
        time.sleep(0.02)
        issuer.trouble = trouble
        if not trouble:
            issuer.forget()
        with pytest.raises(mf.MailframeError) as caught:
            token(source)
        seen, error = [], caught.value
        while error is not None:
            trace = error.__traceback__
            while trace is not None:
                module = trace.tb_frame.f_globals.get("__name__", "")
                if module.startswith(("mailframe", "authlib", "requests", "urllib3")):
                    seen.append(repr(trace.tb_frame.f_locals))
                trace = trace.tb_next
            error = error.__cause__ or error.__context__
        assert seen
        for given in issuer.given:
            assert not any(given in text for text in seen)


def test_threads_end(issuer):
    token(logged_in(issuer))
    assert threading.active_count() < 40


# What a newcomer is told ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ann", "such as ann@outlook.com"),
        ("ann@yahoo.com", "app password.*no log-in serves there"),
        ("ann@fastmail.com", "Fastmail wants a client of yours"),
    ],
)
def test_who_cannot_log_in_is_told_what_lets_them_in(address, words):
    with pytest.raises(mf.ConfigurationError, match=words):
        mf.login(address)


def test_where_no_password_serves_none_is_asked_for(monkeypatch):
    monkeypatch.setenv("MAILFRAME_PASSWORD", "of no use")
    with pytest.raises(mf.ConfigurationError, match=r"mailframe login ann@outlook\.com"):
        mf.read_imap("ann@outlook.com", progress=False)


def test_a_domain_at_a_hoster_logs_in_where_the_hoster_does(home, monkeypatch):
    """What a refusal advises must lead somewhere: the table does not know such a domain."""
    records = {"firm.example": ["MX 0 firm.mail.protection.outlook.com."]}
    with World(home, records) as world:
        monkeypatch.setattr(network, "WORLD", world.network())
        with pytest.raises(mf.ConfigurationError, match=r"Microsoft 365 wants a client.*App reg"):
            mf.login("ann@firm.example")
        with pytest.raises(mf.ConfigurationError, match=r"mailframe login ann@firm\.example"):
            mf.read_imap("ann@firm.example", progress=False)
