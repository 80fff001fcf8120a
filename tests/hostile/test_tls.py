"""TLS: certificates are verified, and nothing that came before the handshake is believed."""

import pytest

import mailframe as mf
from mailframe.errors import MailframeError, TransportError
from tests.hostile.behaviours import injecting_after_starttls
from tests.hostile.fetching import assert_complete, fetch
from tests.servers.certificates import Authority
from tests.servers.mailbox import one_folder
from tests.servers.scripted import USER, Scripted
from tests.servers.transcript import transcript


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority.in_folder(tmp_path_factory.mktemp("ca"))


def account(server: Scripted, authority: Authority, host: str = "localhost", security="tls"):
    return mf.Account(
        host=host,
        port=server.port,
        user=USER,
        security=security,
        ca_file=authority.ca_file,
    )


def no_secret_was_sent(server: Scripted) -> bool:
    return not server.seen["LOGIN"] and not server.seen["AUTHENTICATE"]


def test_a_verified_certificate_of_a_private_authority_is_good(authority):
    with Scripted(tls=authority.server(), folders=one_folder()) as server:
        assert_complete(fetch(server, account=account(server, authority)), server)


@pytest.mark.parametrize("kind", ["expired", "wrong_name", "nameless"])
def test_a_certificate_that_does_not_hold_is_refused_before_anything_is_sent(authority, kind):
    with Scripted(tls=getattr(authority, kind)()) as server:
        with pytest.raises(TransportError, match="certificate"):
            fetch(server, account=account(server, authority))
        assert server.commands == []


def test_an_authority_that_nobody_trusts_is_refused(authority):
    with Scripted(tls=authority.server()) as server:
        with pytest.raises(TransportError, match="certificate"):
            fetch(server)
        assert server.commands == []


def test_tls_to_a_server_that_speaks_none_is_a_clear_error(authority):
    with Scripted() as server, pytest.raises(TransportError):
        fetch(server, account=account(server, authority))


def test_starttls_encrypts_before_the_login(authority):
    with Scripted(starttls=authority.server(), folders=one_folder()) as server:
        frame = fetch(server, account=account(server, authority, security="starttls"))
        assert_complete(frame, server)
    names = [command.name for _, command in server.commands]
    assert names.index("STARTTLS") < min(
        names.index(name) for name in ("LOGIN", "AUTHENTICATE") if name in names
    )


@pytest.mark.parametrize(
    "injected",
    [
        b"* PREAUTH welcome",
        b"* OK [ALERT] send money",
        b"* CAPABILITY IMAP4rev1 LOGINDISABLED",
        b"a1 OK logged in",
        b"x",
    ],
)
def test_what_is_injected_behind_the_ok_of_starttls_ends_the_connection(authority, injected):
    with Scripted(injecting_after_starttls(injected), starttls=authority.server()) as server:
        with pytest.raises(MailframeError):
            fetch(server, account=account(server, authority, security="starttls"))
        assert no_secret_was_sent(server)


@pytest.mark.parametrize("name", ["preauth-plain", "starttls-refused", "starttls-stripped"])
def test_a_server_that_avoids_starttls_gets_no_password(authority, name):
    with Scripted(transcript(name), starttls=authority.server()) as server:
        with pytest.raises(MailframeError, match=r"STARTTLS|PREAUTH"):
            fetch(server, account=account(server, authority, security="starttls"))
        assert no_secret_was_sent(server)


def test_capabilities_told_before_the_handshake_are_forgotten(authority):
    with Scripted(transcript("poisoned-capabilities"), starttls=authority.server()) as server:
        frame = fetch(server, account=account(server, authority, security="starttls"))
        assert_complete(frame, server)


def test_no_password_in_plain_text_leaves_this_machine_by_accident():
    assert mf.Account.parse("imap://ann@mail.example.org").security == "starttls"
