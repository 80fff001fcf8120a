"""Secrets and injection: no password where it does not belong, no command that nobody gave."""

import asyncio
import base64
import logging
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from IPython.core.ultratb import VerboseTB

import mailframe as mf
from mailframe.errors import AuthenticationError, ConfigurationError, MailframeError
from tests.hostile.fetching import (
    assert_complete,
    assert_hung_up,
    expected_rows,
    fetch,
    problems,
    rows,
)
from tests.servers.mailbox import Folder, letter, one_folder
from tests.servers.scripted import CAPABILITIES, USER, Scripted
from tests.servers.transcript import transcript

PACKAGE = f"{Path(mf.__file__).parent}{os.sep}"
SECRET = "s3cr3t-Kennwort"
KNOWN = {"ID", "CAPABILITY", "LOGIN", "AUTHENTICATE", "LIST", "STATUS", "EXAMINE", "UID FETCH"}
KNOWN |= {"UID SEARCH", "LOGOUT", "NOOP", "UNSELECT", "CLOSE", "ENABLE", "NAMESPACE"}


def spellings(secret: str) -> set[str]:
    """The secret, as it stands in a command, in base64, in a repr."""
    plain = base64.b64encode(f"\0{USER}\0{secret}".encode()).decode()
    return {secret, plain, plain.rstrip("="), base64.b64encode(secret.encode()).decode()}


def only_known_commands(server: Scripted) -> bool:
    return set(server.seen) <= KNOWN


@pytest.mark.parametrize("hostile", ["INBOX\r\na9 DELETE INBOX", "INBOX\0", "IN\nBOX", 'x" "y'])
def test_a_folder_name_cannot_carry_a_command(hostile):
    with Scripted(folders=one_folder(2)) as server:
        try:
            frame = fetch(server, folders=[hostile])
        except MailframeError:
            pass
        else:
            assert len(frame) == 0
        assert only_known_commands(server)


@pytest.mark.parametrize("capabilities", [CAPABILITIES, CAPABILITIES.replace("LITERAL+ ", "")])
def test_a_folder_name_told_by_the_server_cannot_carry_one_either(capabilities):
    evil = Folder("evil\r\na9 DELETE INBOX", [letter("evil", 1)])
    evil.listed = lambda: b'* LIST () "/" {%d}\r\n%s\r\n' % (len(evil.name), evil.name.encode())
    evil.status = lambda _: b""
    with Scripted(folders=[*one_folder(2), evil], capabilities=capabilities) as server:
        frame = fetch(server)
        assert only_known_commands(server)
        assert [row for row in rows(frame) if row[0] == "INBOX"] == expected_rows(server)[:2]
        assert len(frame) == 3 or [name for name, _ in problems(frame)] == [evil.name]


@pytest.mark.parametrize("keys", ["ALL\r\na9 DELETE INBOX", "SUBJECT \0", "ALL\n", "SUBJECT {3}"])
def test_search_keys_cannot_carry_a_command(keys):
    with Scripted(folders=one_folder(2)) as server:
        try:
            fetch(server, search=keys)
        except ConfigurationError:
            assert server.connections == 0, "told before a socket is opened"
        assert only_known_commands(server)


@pytest.mark.parametrize(
    "secret", ["a\r\na9 DELETE INBOX", "a\nb", "a\0b", 'a"b\\c', "pässwört", " "]
)
@pytest.mark.parametrize("disabled", [False, True])
def test_a_password_cannot_carry_a_command(secret, disabled):
    capabilities = CAPABILITIES.replace(" AUTH=PLAIN", "") if not disabled else CAPABILITIES
    with Scripted(folders=one_folder(2), password=secret, capabilities=capabilities) as server:
        try:
            fetch(server, password=secret)
        except MailframeError as error:
            assert secret == " " or secret not in str(error)  # noqa: PT017 -- either end is right
        assert only_known_commands(server)


def test_a_header_name_cannot_carry_a_command():
    with Scripted(folders=one_folder(2)) as server:
        with pytest.raises(ConfigurationError):
            fetch(server, headers=["X-Foo)]\r\na9 DELETE INBOX"])
        assert server.connections == 0


def test_the_log_at_debug_tells_the_commands_and_no_secret(caplog):
    with caplog.at_level(logging.DEBUG), Scripted(password=SECRET) as server:
        fetch(server, password=SECRET)
    told = "\n".join(record.getMessage() for record in caplog.records if "mailframe" in record.name)
    assert "EXAMINE" in told
    assert not [spelling for spelling in spellings(SECRET) if spelling in caplog.text]
    assert all(record.name.split(".")[0] != "root" for record in caplog.records)


def test_logging_is_silent_unless_asked_for(capsys):
    with Scripted(folders=one_folder(2)) as server:
        fetch(server)
    assert capsys.readouterr() == ("", "")


def test_an_error_holds_no_secret_not_even_in_its_chain_or_its_frames():
    """The server repeats the password in its answer; the variables of our frames are searched."""
    with Scripted(transcript("wrong-password")) as server:
        with pytest.raises(AuthenticationError) as failed:
            fetch(server)
        assert_hung_up(server)
    told = "".join(traceback.format_exception(failed.value))
    assert "ann" in told
    assert not [
        spelling for spelling in spellings("secret") if repr(spelling)[1:-1] in quotes(told)
    ]
    assert not list(variables_with("secret", failed.value))


def quotes(told: str) -> str:
    """The lines of a traceback that are values, not source."""
    return "\n".join(line for line in told.splitlines() if not line.startswith(" "))


def variables_with(secret: str, error: BaseException | None):
    """Variables of mailframe's frames whose repr tells the secret."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGE):
                for name, value in frame.f_locals.items():
                    if any(spelling in repr(value) for spelling in spellings(secret)):
                        yield f"{frame.f_code.co_qualname}: {name}"
        error = error.__cause__ or error.__context__


def test_neither_account_nor_report_show_the_password():
    with Scripted(folders=one_folder(2), password=SECRET) as server:
        frame = fetch(server, password=SECRET)
    account = mf.Account.parse(server.url, password=SECRET)
    shown = f"{account!r} {account} {frame.attrs}"
    assert not [spelling for spelling in spellings(SECRET) if spelling in shown]


def test_a_url_with_a_password_is_used_but_never_shown(caplog):
    with caplog.at_level(logging.DEBUG), Scripted(folders=one_folder(2)) as server:
        url = server.url.replace("ann@", "ann:secret@")
        frame = fetch(server, account=url, password=None)
        assert_complete(frame, server)
    assert "secret" not in str(frame.attrs) + caplog.text


def found():
    """A password that stands in no source line and no variable of the caller."""
    return f"hunter{2}"


def calls(url):
    """Calls that fail, as people write them; each has the password somewhere."""
    host = url.rpartition("@")[2]

    def spelt():
        return f"imap://ann:{found()}@{host}"

    return {
        "refused": lambda: mf.read_imap(url, password=found(), progress=False),
        "refused, in the URL": lambda: mf.read_imap(spelt(), progress=False),
        "folders refused": lambda: mf.list_folders(url, password=found()),
        "folders refused, in the URL": lambda: mf.list_folders(spelt()),
        "in a loop": lambda: asyncio.run(mf.aread_imap(url, password=found(), progress=False)),
        "folders in a loop": lambda: asyncio.run(mf.alist_folders(url, password=found())),
        "bad folders": lambda: mf.read_imap(spelt(), password=found(), folders=[]),
        "bad day": lambda: mf.read_imap(spelt(), since="yesterday-ish"),
        "a word too many": lambda: mf.read_imap(url, found()),
        "a keyword misspelt": lambda: mf.read_imap(url, pasword=found()),
        "batches, misspelt": lambda: mf.aiter_batches(spelt(), passwd=found()),
        "octets": lambda: mf.read_imap(url, password=found().encode() + b"\xff"),
        "a line break": lambda: mf.read_imap(url, password=found() + "\n"),
        "half a pair": lambda: mf.read_imap(url, password=found() + "\udcff"),
        "a list": lambda: mf.list_folders(url, password=[found()]),
        "a port of 5,000 digits": lambda: mf.read_imap(f"{spelt()}{'1' * 5000}"),
        "a mechanism": lambda: mf.read_imap(f"imaps://ann;AUTH={found()}@h.example"),
        "a mechanism behind": lambda: mf.read_imap(f"imaps://ann:{found()};AUTH=X/@h.example"),
        "a slash in it": lambda: mf.Account.parse(f"imaps://ann:{found()}/x@h.example"),
        "octets in the URL": lambda: mf.Account.parse(f"imaps://ann:{found()}%FF@h.example"),
        "an account": lambda: mf.Account(host, "", password=found()),
        "an account by place": lambda: mf.Account(host, "", 1, "tls", found()),
        "an account of a URL": lambda: mf.Account(spelt(), "ann"),
        "a port that is text": lambda: mf.Account("h", "u", "993", password=found()),
        "octets as a URL": lambda: mf.read_imap(spelt().encode()),
        "its own octets": lambda: mf.Account("h", "u\udcff", password=found()),
    }


@pytest.fixture(scope="module")
def server():
    with Scripted() as server:
        yield server


@pytest.mark.parametrize("call", calls(""))
def test_no_traceback_that_tells_variables_tells_the_password(server, call):
    with pytest.raises((MailframeError, TypeError)) as failed:
        calls(server.url)[call]()
    error = failed.value
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    verbose = VerboseTB("nocolor").text(type(error), error, error.__traceback__)
    told = "".join(captured.format()) + verbose
    while error is not None:
        told += repr(vars(error)) + repr(error.args)
        error = error.__cause__ or error.__context__
    assert not [spelling for spelling in spellings(found()) if spelling in told]


def test_a_password_that_is_not_utf_8_in_the_environment_is_one_sentence(server):
    code = f"import mailframe as mf; mf.read_imap({server.url!r})"
    environment = {**os.environb, b"MAILFRAME_PASSWORD": b"hunter2\xff"}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    )
    last = ended.stderr.decode().splitlines()[-1]
    assert "ConfigurationError: The password is not UTF-8" in last
    assert b"hunter2" not in ended.stderr


def test_octets_that_are_utf_8_are_a_password():
    with Scripted(folders=one_folder(2), password="pässwört") as server:
        assert_complete(fetch(server, password="pässwört".encode()), server)
