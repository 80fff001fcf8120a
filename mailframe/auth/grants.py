"""Which provider takes which grant, and what to send and to understand; pure.

RFC 6749 with PKCE (RFC 7636), RFC 8628 for devices, RFC 9207 for the issuer of an answer. What a
provider wants is one entry of `ISSUERS`: if it changes there, one line changes here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from mailframe.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

Flow = Literal["auto", "browser", "device", "paste"]

#: The client of this project at Microsoft: a public one, without a secret. Until it is registered
#: everybody brings one.
MICROSOFT_CLIENT: str | None = None

LONGEST_WAIT = 300  # seconds for a person to log in, as most providers' codes live

_MICROSOFT = "https://login.microsoftonline.com/common/oauth2/v2.0"


@dataclass(frozen=True)
class Issuer:
    """Who gives out tokens, and how to ask.

    Attributes
    ----------
    name : str
        As in ``clients.json``; the URL for one that is not of the table.
    authorize, token, device : str
        The endpoints; empty where there is none.
    scope, mechanism : str
        What to ask for, and how the token is shown to the IMAP server.
    extra : tuple of pairs
        More parameters of the first request.
    client_id, client_secret : str
        The client; empty until one is given.
    issuer : str
        What ``iss`` must be in an answer, where the server says that it sends it.
    redirect : str
        The loopback host of redirects.
    ca_file : str
        Certificates to trust instead of the system's.
    register : str
        How people make a client of their own.
    """

    name: str
    authorize: str
    token: str
    device: str = ""
    scope: str = ""
    mechanism: Literal["xoauth2", "oauthbearer"] = "xoauth2"
    extra: tuple[tuple[str, str], ...] = ()
    client_id: str = ""
    client_secret: str = ""
    issuer: str = ""
    redirect: str = "127.0.0.1"
    ca_file: str = ""
    register: str = ""


ISSUERS = {
    "google": Issuer(
        "google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        scope="https://mail.google.com/",
        extra=(("access_type", "offline"), ("prompt", "consent")),
        register="at https://console.cloud.google.com make a project, switch on the Gmail API, "
        'make an OAuth client of the kind "Desktop app", publish it (a client in testing loses '
        "its log-in after 7 days), and download its JSON: mailframe login ADDRESS --client FILE",
    ),
    "microsoft": Issuer(
        "microsoft",
        f"{_MICROSOFT}/authorize",
        f"{_MICROSOFT}/token",
        f"{_MICROSOFT}/devicecode",
        "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        client_id=MICROSOFT_CLIENT or "",
        redirect="localhost",
        register="(1) at https://entra.microsoft.com open App registrations, New registration; "
        '(2) take "any organizational directory and personal accounts"; (3) under Authentication '
        'add "Mobile and desktop applications" with http://localhost and allow public client '
        "flows; (4) under API permissions add IMAP.AccessAsUser.All; (5) copy the application ID: "
        "mailframe login ADDRESS --client ID",
    ),
    "fastmail": Issuer(
        "fastmail",
        "https://api.fastmail.com/oauth/authorize",
        "https://api.fastmail.com/oauth/refresh",
        scope="https://www.fastmail.com/dev/protocol-imap offline_access",
        mechanism="oauthbearer",
        register="ask Fastmail for a client as https://www.fastmail.com/dev/ tells",
    ),
}
OF_PROVIDER = {
    "Gmail": "google",
    "Outlook.com": "microsoft",
    "Microsoft 365": "microsoft",
    "Fastmail": "fastmail",
}


def of_metadata(url: str, told: Mapping[str, Any]) -> Issuer:
    """Read what an authorization server tells of itself (RFC 8414, OIDC Discovery).

    Raises
    ------
    ConfigurationError
        It is another's, or names no endpoint by HTTPS.
    """
    if str(told.get("issuer", "")).rstrip("/") != url.rstrip("/"):
        raise ConfigurationError(f"{url} describes another issuer than itself")
    names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")
    authorize, token, device = (_secured(told.get(name)) for name in names)
    if not token:
        raise ConfigurationError(f"{url} names no token endpoint")
    known = told.get("scopes_supported")
    scope = "offline_access" if isinstance(known, list) and "offline_access" in known else ""
    promised = told.get("authorization_response_iss_parameter_supported") is True
    issuer = str(told["issuer"]) if promised else ""
    return Issuer(url, authorize, token, device, scope, "oauthbearer", issuer=issuer)


def _secured(url: object) -> str:
    if not url:
        return ""
    if not isinstance(url, str) or urlsplit(url).scheme != "https":
        raise ConfigurationError("An issuer of tokens must be reached by https://")
    return url


def with_client(issuer: Issuer, given: Mapping[str, Any]) -> Issuer:
    """Put a client in: our own form, or the one in which Google's console gives it."""
    for kind in ("installed", "web"):
        if isinstance(given.get(kind), dict):
            given = given[kind]
    names = {"client_id", "client_secret", "scope", "mechanism", "ca_file"}
    told = {name: str(given[name]) for name in names if given.get(name)}
    if told.get("mechanism", "xoauth2") not in {"xoauth2", "oauthbearer"}:
        raise ConfigurationError('A client\'s "mechanism" is "xoauth2" or "oauthbearer"')
    return replace(issuer, **told)  # type: ignore[arg-type]  # of its own fields


@dataclass(frozen=True)
class Attempt:
    """One authorization that was begun: what its answer must match."""

    url: str
    state: str
    verifier: str
    redirect: str
    issuer: str


def begin(issuer: Issuer, address: str, redirect: str) -> Attempt:
    """Begin an authorization with PKCE (S256) and an unguessable state."""
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    asked = {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": redirect,
        "scope": issuer.scope,
        "state": state,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
        "login_hint": address,
        **dict(issuer.extra),
    }
    mark = "&" if "?" in issuer.authorize else "?"
    query = urlencode({name: value for name, value in asked.items() if value})
    return Attempt(f"{issuer.authorize}{mark}{query}", state, verifier, redirect, issuer.issuer)


class NotOursError(Exception):
    """An answer that belongs to another question."""


def code_of(query: str, attempt: Attempt) -> str:
    """Take the code out of the query that a redirect carries.

    Raises
    ------
    NotOursError
        The state or the issuer is another one, or nothing of this is there.
    AuthenticationError
        The person or the server declined.
    """
    told = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
    if not hmac.compare_digest(told.get("state", "").encode(), attempt.state.encode()):
        raise NotOursError("the state is another one")
    if attempt.issuer and told.get("iss") != attempt.issuer:
        raise NotOursError("the issuer is another one")
    if "error" in told:
        raise declined(told["error"], told.get("error_description", ""))
    if "code" not in told:
        raise NotOursError("there is no code")
    return told["code"]


def pasted(text: str, attempt: Attempt) -> str:
    """Take the code out of what a person pasted: the whole address, its query, or the code alone.

    Raises
    ------
    NotOursError, AuthenticationError
        As `code_of`.
    """
    text = text.strip()
    query = urlsplit(text).query if "://" in text else text.lstrip("?")
    if "://" in text or re.search(r"(?:^|&)(?:state|error)=", query):
        return code_of(query, attempt)
    code = text.removeprefix("code=")
    if not code or re.search(r"[\s&?]", code):
        raise NotOursError("this is neither a code nor an address")
    return code


_SENTENCES = {
    "access_denied": "the log-in was declined",
    "authorization_declined": "the log-in was declined",
    "expired_token": "nobody logged in in time",
    "invalid_client": "the client is not known there; check its ID and secret",
    "unauthorized_client": "the client may not do this; is it a public (desktop) client?",
    "invalid_scope": "the client may not ask for mail",
    "insufficient_scope": "the token does not cover mail; log in anew",
    "invalid_grant": "the code or the log-in is no longer valid",
    "unsupported_grant_type": "the server does not offer this way to log in; try another --flow",
}
_ADMIN = "AADSTS65001"


def declined(error: str, description: str = "") -> AuthenticationError:
    """Put an error of RFC 6749 5.2 or RFC 8628 3.5 into a person's words."""
    said = _SENTENCES.get(error, "the server refused")
    if _ADMIN in description:
        said = "an administrator of this organisation has to allow the application first"
    code = error if re.fullmatch(r"[a-z_]{1,40}", error) else ""
    return AuthenticationError(f"No log-in: {said}{f' ({code})' if code else ''}", code=code)


def next_interval(error: str, interval: float) -> float | None:
    """Give how long to wait before a device asks again (RFC 8628 3.5); None: not again."""
    if error == "slow_down":
        return interval + 5
    return interval if error == "authorization_pending" else None


def choose_flow(issuer: Issuer, flow: Flow, *, browser: bool) -> Flow:
    """Choose how a person logs in: here, on another device, or by pasting an address.

    Raises
    ------
    ConfigurationError
        The issuer does not offer what was asked for.
    """
    if flow == "auto":
        flow = "browser" if browser and issuer.authorize else "paste"
        if flow == "paste" and issuer.device:
            flow = "device"
    if flow not in {"browser", "device", "paste"}:
        raise ConfigurationError(f'flow={flow!r} is none of "auto", "browser", "device", "paste"')
    if not (issuer.device if flow == "device" else issuer.authorize):
        raise ConfigurationError(f"{issuer.name} does not offer flow={flow!r}; try another")
    return flow
