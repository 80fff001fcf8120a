"""OAuth 2.0: an access token in place of a password, against a Dovecot that checks it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mailframe as mf
from mailframe.errors import AuthenticationError
from tests.hostile.fetching import fetch
from tests.servers import dovecot as servers
from tests.servers.mailbox import one_folder
from tests.servers.scripted import Scripted
from tests.servers.tokens import access_token, oauth_config
from tests.servers.transcript import transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

MECHANISMS = ["XOAUTH2", "OAUTHBEARER"]
USER = "ann@example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Dovecot]:
    if servers.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    directory = Path(tempfile.mkdtemp(prefix="mf-tokens-"))  # where Dovecot's own user may read
    try:
        with servers.Dovecot(config=oauth_config(directory)) as running:
            running.deliver(USER, "INBOX", [b"Subject: hello\r\n\r\n"])
            yield running
    finally:
        shutil.rmtree(directory)


def read(server, mechanism, token):
    url = f"imap://ann%40example.org;AUTH={mechanism}@127.0.0.1:{server.port}"
    return mf.read_imap(url, password=token, progress=False)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_opens_the_mailbox(server, mechanism):
    assert read(server, mechanism, access_token(USER))["subject"].tolist() == ["hello"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_that_is_refused_is_a_clear_error_without_it(server, mechanism):
    token = access_token(USER, key=b"somebody else's")
    with pytest.raises(AuthenticationError, match="access token is fresh") as refused:
        read(server, mechanism, token)
    assert token not in str(refused.value)


def test_where_no_token_is_taken_the_error_says_so(dovecot):
    with pytest.raises(AuthenticationError, match="takes no access token"):
        read(dovecot, "XOAUTH2", access_token(USER))


def test_a_refused_password_is_told_that_a_token_may_serve():
    refusing = transcript("password-refused-token-offered")
    with (
        Scripted(refusing, folders=one_folder()) as server,
        pytest.raises(AuthenticationError, match="imaps://USER;AUTH=XOAUTH2@"),
    ):
        fetch(server)
