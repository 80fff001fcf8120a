"""What servers say of a token that they refuse, and what is believed of it."""

import base64
import json

import pytest

from mailframe.imap.commands import authenticate
from mailframe.imap.connection import Connection
from mailframe.imap.refusal import LONGEST, Refusal, read_refusal

TOKEN = "ya29.a-token-of-somebody"


def challenge(**told):
    told = {name.replace("_", "-"): value for name, value in told.items()}
    return base64.b64encode(json.dumps(told).encode())


ISSUER = "https://login.example.org/tenant"


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        # Gmail
        (
            challenge(status="400", schemes="Bearer", scope="https://mail.google.com/"),
            Refusal("400", "https://mail.google.com/"),
        ),
        # Dovecot, with where to ask for tokens
        (
            challenge(
                status="invalid_token",
                openid_configuration=f"{ISSUER}/.well-known/openid-configuration",
            ),
            Refusal("invalid_token", "", ISSUER),
        ),
        (challenge(status=401), Refusal("401")),
        (
            challenge(status="insufficient_scope", scope="mail"),
            Refusal("insufficient_scope", "mail"),
        ),
        # What is not of the form is not taken over.
        (challenge(status="401", scope='say "hello"\r\n'), Refusal("401")),
        (challenge(status="401", scope="x" * 300), Refusal("401")),
        (challenge(status="401", openid_configuration="http://login.example.org/"), Refusal("401")),
        (challenge(status="401\r\n* OK"), None),
        (challenge(scope="mail"), None),
        (base64.b64encode(b"[" * 3000), None),
        (base64.b64encode(b'"401"'), None),
        (b"Ready for more", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_a_challenge_tells_why_or_nothing(said, understood):
    assert read_refusal(said) == understood


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_connection_keeps_what_was_said_and_answers_it(mechanism, initial):
    connection = Connection()
    connection.hide(TOKEN)
    connection.receive_data(b"* OK hello\r\n")
    pending = connection.send(authenticate(mechanism, "ann", TOKEN, initial=initial))
    connection.data_to_send()
    if not initial:
        connection.receive_data(b"+ \r\n")
        assert connection.data_to_send()
    said = challenge(status="insufficient_scope", scope=f"mail-{TOKEN}")
    connection.receive_data(b"+ " + said + b"\r\n")
    assert connection.data_to_send() == (b"AQ==\r\n" if mechanism == "OAUTHBEARER" else b"\r\n")
    connection.receive_data(pending.tag.encode() + b" NO no\r\n")
    assert connection.refusal_of(pending) == Refusal("insufficient_scope", "mail-***")


def test_no_more_is_kept_than_a_refusal_needs():
    connection = Connection()
    connection.receive_data(b"* OK hello\r\n")
    pending = connection.send(authenticate("XOAUTH2", "ann", TOKEN, initial=True))
    connection.receive_data(b"+ " + b"A" * 50_000 + b"\r\n")
    assert len(pending.challenge) == LONGEST
