import copy
import dataclasses
import io
import json
import logging
import os
import pickle
import pty
import re
import ssl
import subprocess
import sys
import traceback
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.accounts.account import Account, Secret, is_loopback
from mailframe.errors import ConfigurationError, MailframeWarning
from tests.kernel import PATIENCE, ROOT, started_kernel

SECRET = "correct-horse-7"


@pytest.mark.parametrize(
    ("url", "host", "user", "port", "security"),
    [
        ("imaps://ann@imap.example.org", "imap.example.org", "ann", 993, "tls"),
        ("IMAPS://ann@imap.example.org/", "imap.example.org", "ann", 993, "tls"),
        ("imap://ann@imap.example.org", "imap.example.org", "ann", 143, "starttls"),
        ("imap://ann@imap.example.org:1143", "imap.example.org", "ann", 1143, "starttls"),
        ("imap://ann@imap.example.org:993", "imap.example.org", "ann", 993, "tls"),
        ("imap://ann@localhost:1143", "localhost", "ann", 1143, "none"),
        ("imap://ann@127.0.0.2", "127.0.0.2", "ann", 143, "none"),
        ("imap://ann@[::1]:1143", "::1", "ann", 1143, "none"),
        ("imaps://ann@[2001:db8::1]", "2001:db8::1", "ann", 993, "tls"),
        ("imaps://ann%40example.org@h.example", "h.example", "ann@example.org", 993, "tls"),
        ("imaps://ann@example.org@h.example", "h.example", "ann@example.org", 993, "tls"),
        ("imaps://Jos%C3%A9%2F%3A@h.example", "h.example", "José/:", 993, "tls"),
        ("imaps://ann;AUTH=*@h.example", "h.example", "ann", 993, "tls"),
        ("imaps://ann;auth=plain@h.example", "h.example", "ann", 993, "tls"),
    ],
)  # fmt: skip
def test_a_url_names_server_user_port_and_security(url, host, user, port, security):
    account = Account.parse(url)
    assert (account.host, account.user, account.port) == (host, user, port)
    assert account.security == security
    assert account.password is None


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("imaps://ann@IMAP.Example.org", "imap.example.org"),
        ("imap://bob@imap.example.org", "imap.example.org"),
        ("imaps://ann@imap.example.org:1993", "imap.example.org:1993"),
        ("imap://ann@[::1]:1143", "[::1]:1143"),
        ("imap://ann@[::1]", "[::1]"),
    ],
)
def test_a_server_is_its_host_and_what_port_is_not_imaps_own(url, server):
    assert Account.parse(url).server == server


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_url_may_ask_for_an_access_token(mechanism):
    account = Account.parse(f"imaps://ann%40example.org;AUTH={mechanism}@h.example")
    assert (account.user, account.auth) == ("ann@example.org", mechanism.lower())
    assert account.url == f"imaps://ann%40example.org;AUTH={mechanism}@h.example"
    assert pickle.loads(pickle.dumps(account)) == account
    assert account.secret_kind == "access token"


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("ann@imap.example.org", "imaps://USER@HOST"),
        ("https://ann@imap.example.org", "imaps://USER@HOST"),
        ("imaps://imap.example.org", "No user name for imap.example.org"),
        ("imaps://@imap.example.org", "No user name"),
        ("imaps://ann@", "not an IMAP URL"),
        (None, "not an IMAP URL"),  # an environment variable that is not set
        ("imaps://ann@h.example:imap", "not an IMAP URL"),
        ("imaps://ann@h.example:0x10", "not an IMAP URL"),
        ("imaps://ann@h.example:70000", "70000 is not a port"),
        ("imaps://ann@h.example/INBOX", 'folders=["INBOX"'),
        ("imaps://ann@h.example/?SUBJECT", "folders="),
        ("imaps://ann;AUTH=GSSAPI@h.example", "GSSAPI"),
        ("imaps://ann%0D%0Ax@h.example", "line break"),
        ("imaps://ann@h exam.ple", "name of a server"),
    ],
)
def test_a_bad_url_is_one_sentence_with_a_hint(url, hint):
    with pytest.raises(ConfigurationError, match=re.escape(hint)) as caught:
        Account.parse(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"imaps://ann:{SECRET}#@h.example",
        f"imaps://ann:{SECRET}/x@h.example",
        f"imaps://ann:{SECRET}@h.example:port",
        f"imaps://ann:{SECRET}@h.example/INBOX",
        f"imaps://ann:{SECRET}@",
        f"imaps://ann:{SECRET}%00@h.example",
        f"imap:/ann:{SECRET}@h.example",
        f"imaps://ann:{SECRET}@h.example:99999",
        f"imaps://:{SECRET}@h.example",
    ],
)
def test_an_error_about_a_url_never_quotes_its_password(url):
    with pytest.raises(ConfigurationError) as caught:
        Account.parse(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(repr(url), "")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)


@given(NAMES, st.sampled_from(["tls", "starttls", "none"]), st.integers(1, 65535))
def test_the_url_of_an_account_reads_back(user, security, port):
    account = Account("imap.example.org", user, port, security)
    again = Account.parse(account.url)
    assert (again.user, again.host, again.port) == (user, account.host, port)
    assert (again.security == "tls") == (security == "tls" or port == 993)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")))
def test_a_percent_encoded_password_is_taken_from_the_url(password):
    encoded = "".join(f"%{byte:02x}" for byte in password.encode())
    account = Account.parse(f"imaps://ann:{encoded}@h.example")
    assert (account.password.reveal() if account.password else "") == password


def test_keywords_take_precedence_over_the_url(tmp_path):
    context = ssl.create_default_context()
    account = Account.parse(
        "imap://ann:old@h.example",
        SECRET,
        security="none",
        ca_file=tmp_path,
        ssl_context=context,
    )
    assert account.password.reveal() == SECRET
    assert account.security == "none"
    assert account.port == 143
    assert account.ca_file == str(tmp_path)
    assert account.tls_context() is context


def test_a_default_port_follows_the_security():
    assert Account.parse("imap://ann@h.example", security="tls").port == 993
    assert Account.parse("imap://ann@h.example:1143", security="tls").port == 1143


def test_plain_text_beyond_loopback_must_be_named():
    assert Account.parse("imap://ann@h.example").security == "starttls"
    assert Account.parse("imap://ann@h.example", security="none").security == "none"
    with pytest.raises(ConfigurationError, match='"tls", "starttls", "none"'):
        Account.parse("imap://ann@h.example", security="ssl")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *[("localhost", True), ("LOCALHOST.", True), ("127.9.9.9", True), ("::1", True)],
        *[("localhost.example", False), ("128.0.0.1", False), ("::2", False), ("", False)],
    ],
)
def test_loopback_is_an_address_not_a_prefix(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("user", "name"), [("ann", "ann@h.example"), ("ann@example.org", "ann@example.org")]
)
def test_the_name_is_what_people_call_the_account(user, name):
    assert Account("h.example", user).name == name


def test_a_host_has_no_case():
    assert Account.parse("imaps://ann@IMAP.Example.ORG").name == "ann@imap.example.org"
    assert Account("FE80::1%Eth0", "ann").host == "fe80::1%Eth0"


def test_tls_verifies_certificate_and_name():
    context = Account("h.example", "ann").tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        Account.parse("imaps://ann@h.example", ca_file=path).tls_context()


def test_a_port_is_a_number_that_there_is():
    for port in (10**5000, "993", 1.5, -1, 65536):
        with pytest.raises(ConfigurationError, match="not a port number"):
            Account("h.example", "ann", port)
    with pytest.raises(ConfigurationError, match="port"):
        Account.parse(f"imaps://ann@h.example:{'9' * 5000}")
    assert Account.parse("imaps://ann@h.example:000143").port == 143


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
def test_what_would_end_a_command_enters_no_account(character):
    with pytest.raises(ConfigurationError):
        Account("h.example", "ann", password="a" + character)
    with pytest.raises(ConfigurationError):
        Account("h.example", "ann" + character)


def test_a_secret_shows_itself_to_nobody_by_accident(caplog):
    account = Account.parse(f"imaps://ann:{SECRET}@h.example")
    out = io.StringIO()
    print(account, [account], account.password, [account.password], file=out)
    print(f"{account} {account!r} {account.password} {account.password:>30}", file=out)
    print("%s %r" % (account.password, account), file=out)  # noqa: UP031 -- one more way to format
    print(dataclasses.asdict(account), dataclasses.astuple(account), vars(account), file=out)
    print(json.dumps(dataclasses.asdict(account), default=str), account.url, account.name, file=out)
    print(copy.deepcopy(account), dataclasses.replace(account, port=1), file=out)
    logging.getLogger("mailframe").warning("%s %s", account, account.password)
    try:
        {}[account, account.password]
    except KeyError as error:
        captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    print(*captured.format(), caplog.text, pickle.dumps(account), file=out)
    assert SECRET not in out.getvalue()
    assert account.password.reveal() == SECRET


def test_an_account_travels_without_its_password():
    account = Account.parse(f"imap://ann:{SECRET}@h.example", ca_file="ca.pem")
    again = pickle.loads(pickle.dumps(account))
    assert again == dataclasses.replace(account, password=None)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(account.password)


def test_equal_secrets_are_equal():
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a") != "a"


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A home without any password, and nobody at the terminal."""
    monkeypatch.delenv("MAILFRAME_PASSWORD", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path


def netrc(home, text, mode=0o600):
    path = home / ".netrc"
    path.write_text(text)
    path.chmod(mode)


ANN = "imaps://ann@h.example"


def test_without_any_password_the_error_names_the_places(nowhere):
    with pytest.raises(ConfigurationError, match="MAILFRAME_PASSWORD") as caught:
        Account.parse(ANN).with_password()
    assert caught.value.account == "ann@h.example"


def test_the_places_are_asked_in_order(nowhere, monkeypatch):
    keyring = pytest.importorskip("keyring", reason="keyring is not installed")

    class Box(keyring.backend.KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            return "from keyring" if (service, username) == ("h.example", "ann") else None

        def set_password(self, service, username, password):
            raise NotImplementedError

    def found(url=ANN, **options):
        return Account.parse(url, **options).with_password().password.reveal()

    before = keyring.get_keyring()
    netrc(nowhere, "machine h.example login ann password from-netrc")
    assert found() == "from-netrc"
    keyring.set_keyring(Box())
    try:
        assert found() == "from keyring"
    finally:
        keyring.set_keyring(before)
    monkeypatch.setenv("MAILFRAME_PASSWORD", "from variable")
    assert found() == "from variable"
    assert found("imaps://ann:from%20url@h.example") == "from url"
    assert found("imaps://ann:from%20url@h.example", password="from argument") == "from argument"


def test_a_netrc_entry_of_somebody_else_is_not_taken(nowhere):
    netrc(nowhere, "machine h.example login bob password x\ndefault login bob password y")
    with pytest.raises(ConfigurationError, match="No password for ann"):
        Account.parse(ANN).with_password()


@pytest.mark.parametrize(
    ("text", "mode", "hint"),
    [
        (f"machine h.example login ann {SECRET}", 0o600, "line 1"),
        (f"machine h.example login ann password {SECRET}", 0o644, "chmod 600"),
    ],
)
def test_a_netrc_that_cannot_be_used_is_told_without_its_words(nowhere, text, mode, hint):
    netrc(nowhere, text, mode)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ConfigurationError) as error:
            Account.parse(ANN).with_password()
    (warning,) = caught
    assert warning.category is MailframeWarning
    assert hint in str(warning.message)
    assert SECRET not in str(warning.message) + "".join(traceback.format_exception(error.value))


ASK = """
from mailframe.accounts.account import Account
password = Account.parse("imaps://ann@h.example").with_password().password
print(len(password.reveal()), password)
"""


def test_in_a_terminal_the_prompt_asks_and_shows_nothing(nowhere):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)  # who reads gets an error, and no silence, when the process has ended
        seen = b""
        while b"Password for ann@h.example: " not in seen:
            seen += os.read(ours, 1000)
        os.write(ours, SECRET.encode() + b"\n")
        while b"***" not in seen:
            seen += os.read(ours, 1000)
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert f"{len(SECRET)} ***".encode() in seen
    assert SECRET.encode() not in seen


def test_in_a_notebook_the_prompt_asks_and_shows_nothing(nowhere):
    with started_kernel() as kernel:
        request = kernel.start(ASK, allow_stdin=True)
        question = kernel.client.get_stdin_msg(timeout=PATIENCE)["content"]
        assert question == {"prompt": "Password for ann@h.example: ", "password": True}
        kernel.client.input(SECRET)
        assert kernel.finish(request)[1] == f"{len(SECRET)} ***\n"
        reply, _ = kernel.finish(kernel.start(ASK, allow_stdin=False))
        assert reply["ename"] == "ConfigurationError"
