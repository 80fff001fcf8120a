"""The client: authlib speaks OAuth 2.0, requests carries it.

Certificates are checked with each request (`requests` lets an environment variable overrule what a
session was told). Errors say what is wrong and never what was sent.
"""

from __future__ import annotations

import importlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mailframe.accounts.secret import Secret
from mailframe.auth import grants
from mailframe.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    MailframeError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.auth.grants import Attempt, Issuer

_SECONDS = 30  # for one request: an endpoint that takes longer is not there
_OK = 200
_SERVER_ERRORS = 500
_LIFE = 3600  # seconds that a token is taken to live where nobody says
_SHOWN_URL, _SHOWN_CODE = re.compile(r"https://[!-~]{1,2000}"), re.compile(r"[ -~]{1,100}")
_EVER = 1e10  # more seconds than anybody means: three centuries
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True)
class Tokens:
    """What a token endpoint gave: tokens, and the time at which the access token ends."""

    access: Secret
    refresh: Secret | None
    until: float


@dataclass(frozen=True)
class Device:
    """What a person needs to log in on another device."""

    url: str
    user_code: str
    code: Secret
    interval: float
    until: float


def _libraries() -> tuple[Any, Any]:
    try:
        client = importlib.import_module("authlib.integrations.requests_client")
        return client, importlib.import_module("requests")
    except ImportError:
        raise ConfigurationError(
            "A log-in needs two more packages: pip install 'mailframe[auth]'"
        ) from None


def _asked(issuer: Issuer, ask: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Let a session of authlib's ask, and put what goes wrong into a person's words.

    Its errors hold requests, and those hold tokens: they end here, and nothing refers to them.
    """
    client, requests = _libraries()
    host = _host(issuer.token)
    failure: MailframeError
    try:
        with client.OAuth2Session(
            issuer.client_id,
            issuer.client_secret or None,
            token_endpoint_auth_method="client_secret_post" if issuer.client_secret else "none",
        ) as session:
            session.register_compliance_hook("access_token_response", _told)
            session.register_compliance_hook("refresh_token_response", _told)
            return ask(session)
    except client.OAuthError as error:
        failure = grants.declined(str(error.error or ""), str(error.description or ""))
    except requests.exceptions.SSLError:
        failure = ConnectError(f"The certificate of {host} cannot be trusted")
    except requests.exceptions.RequestException:
        failure = TransportError(f"No answer from {host}, where the tokens come from")
    except MailframeError as error:
        failure = type(error)(str(error))
    except (ValueError, TypeError, OverflowError):  # a number that is none, which authlib adds to
        failure = TransportError(f"{host} answers what is no token")
    raise failure


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _told(response: Any) -> Any:  # noqa: ANN401 -- of a library without types
    """Tell a server in trouble from a refusal; what is no JSON is no answer."""
    host = _host(response.url)
    if response.status_code >= _SERVER_ERRORS or response.status_code == 429:  # noqa: PLR2004 -- too many requests
        raise TransportError(f"{host} is in trouble (status {response.status_code}); try later")
    try:
        told = response.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise TransportError(f"{host} answers what is no token (status {response.status_code})")
    return response


def _how(issuer: Issuer) -> dict[str, Any]:
    # A server that has moved must be named anew: what is sent here is for no other, and by no
    # other way.
    return {"verify": issuer.ca_file or True, "timeout": _SECONDS, "allow_redirects": False}


def _tokens(told: dict[str, Any]) -> Tokens:
    access, refresh, life = (told.get(n) for n in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(access, str) or not access:
        raise AuthenticationError("No log-in: the server gave no access token")
    kept = Secret(refresh) if isinstance(refresh, str) and refresh else None
    return Tokens(Secret(access), kept, time.time() + _seconds(life, _LIFE))


def _seconds(told: object, usual: float) -> float:
    """Read a time; one that cannot be one is the usual."""
    try:
        seconds = float(told)  # type: ignore[arg-type]  # whatever the server says
    except (TypeError, ValueError, OverflowError):
        return usual
    return seconds if 0 < seconds < _EVER else usual


def metadata(url: str, ca_file: str = "") -> Issuer:
    """Ask an issuer what it offers."""
    _, requests = _libraries()
    if not url.startswith("https://"):
        raise ConfigurationError("An issuer of tokens must be reached by https://")
    places = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
    for place in places:
        try:
            answer = requests.get(
                url.rstrip("/") + place,
                verify=ca_file or True,
                timeout=_SECONDS,
                allow_redirects=False,
            )
            told = answer.json() if answer.status_code == _OK else None
        except requests.exceptions.SSLError:
            raise ConnectError(f"The certificate of {url} cannot be trusted") from None
        except requests.exceptions.RequestException:
            raise TransportError(f"No answer from {url}; the tokens come from there") from None
        except ValueError:
            told = None
        if isinstance(told, dict):
            return grants.of_metadata(url, told)
    raise ConfigurationError(f"{url} does not describe how it gives out tokens")


def exchange(issuer: Issuer, attempt: Attempt, code: Secret) -> Tokens:
    """Give a code for tokens."""

    def ask(session: Any) -> dict[str, Any]:  # noqa: ANN401 -- of a library without types
        told: dict[str, Any] = session.fetch_token(
            issuer.token,
            grant_type="authorization_code",
            code=code.reveal(),
            redirect_uri=attempt.redirect,
            code_verifier=attempt.verifier,
            **_how(issuer),
        )
        return told

    return _tokens(_asked(issuer, ask))


def refresh(issuer: Issuer, token: Secret) -> Tokens:
    """Get a new access token; the refresh token stays the same where no new one comes."""
    return _tokens(
        _asked(
            issuer, lambda s: dict(s.refresh_token(issuer.token, token.reveal(), **_how(issuer)))
        )
    )


def begin_device(issuer: Issuer) -> Device:
    """Ask for a code that a person types on another device (RFC 8628)."""

    def ask(session: Any) -> dict[str, Any]:  # noqa: ANN401 -- of a library without types
        asked = {"client_id": issuer.client_id, "scope": issuer.scope}
        answer = session.post(issuer.device, data=asked, withhold_token=True, **_how(issuer))
        told: dict[str, Any] = _told(answer).json()
        return told

    told = _asked(issuer, ask)
    if "error" in told:
        raise grants.declined(str(told["error"]), str(told.get("error_description", "")))
    url = told.get("verification_uri") or told.get("verification_url")
    code, typed = told.get("device_code"), told.get("user_code")
    # Both are shown in a terminal, which takes some characters for commands.
    if not (
        (isinstance(url, str) and _SHOWN_URL.fullmatch(url))
        and (isinstance(typed, str) and _SHOWN_CODE.fullmatch(typed))
        and (isinstance(code, str) and code)
    ):
        raise AuthenticationError("No log-in: the server gave no device code")
    life = min(_seconds(told.get("expires_in"), grants.LONGEST_WAIT), 3 * grants.LONGEST_WAIT)
    interval = _seconds(told.get("interval"), 5)
    return Device(url, typed, Secret(code), interval, time.time() + life)


def poll_device(
    issuer: Issuer, device: Device
) -> Tokens | Literal["authorization_pending", "slow_down"]:
    """Ask once whether the person has logged in."""

    def ask(session: Any) -> dict[str, Any]:  # noqa: ANN401 -- of a library without types
        told: dict[str, Any] = session.fetch_token(
            issuer.token,
            grant_type=_DEVICE,
            device_code=device.code.reveal(),
            client_id=issuer.client_id,
            **_how(issuer),
        )
        return told

    try:
        return _tokens(_asked(issuer, ask))
    except AuthenticationError as error:
        if error.code in {"authorization_pending", "slow_down"}:
            return error.code  # type: ignore[return-value]  # one of the two
        raise
