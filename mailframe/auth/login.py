"""Logging in, once: by a browser here, by another device, or by pasting an address.

The way that fits is chosen: with a browser at hand the loopback redirect, and the prompt beside it,
for those whose browser runs on another machine; without one a device code, where the provider has
that, or else the prompt. A browser is never opened from a notebook's kernel.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import webbrowser
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.accounts import providers
from mailframe.accounts.secret import Secret
from mailframe.auth import client as oauth
from mailframe.auth import grants, loopback, tokens
from mailframe.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mailframe.auth.grants import Flow, Issuer

_ID, _SECRET = "MAILFRAME_CLIENT_ID", "MAILFRAME_CLIENT_SECRET"


@dataclass(frozen=True)
class Person:
    """Who logs in: what tells them something, asks them for a line, and opens a page.

    Attributes
    ----------
    say, ask, browse : callable
        ``ask`` is None where nobody is there, ``browse`` where no browser is given.
    ended : threading.Event
        Once it is set nobody waits any longer, and nothing is kept.
    """

    say: Callable[[str], object]
    ask: Callable[[str], str] | None
    browse: Callable[[str], object] | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for something, and tell whether it came.

        Raises
        ------
        AuthenticationError
            Nobody waits any longer.
        """
        until = time.monotonic() + seconds
        while not event.wait(max(0.0, min(_LOOK, until - time.monotonic()))):
            self.stop_if_ended()
            if time.monotonic() >= until:
                return False
        return True

    def stop_if_ended(self) -> None:
        """Raise if nobody waits any longer."""
        if self.ended.is_set():
            raise AuthenticationError("No log-in: it was broken off")


_LOOK = 0.2  # seconds between two looks whether somebody still waits


def log_in(
    address: str,
    flow: Flow,
    client: object,
    find: Callable[[str], str],
    person: Person,
) -> None:
    """Log a mailbox in, once, and keep the log-in; see `mailframe.login`.

    Parameters
    ----------
    find : callable
        Gives the name of an address's provider, or an empty one.
    """
    issuer = issuer_of(address, client, find)
    if person.browse is None and _has_browser():
        person = replace(person, browse=webbrowser.open)
    chosen = grants.choose_flow(issuer, flow, browser=person.browse is not None)
    if chosen == "device":
        got = _by_device(issuer, person)
    else:
        person = person if chosen == "browser" else replace(person, browse=None)
        got = _by_redirect(issuer, address, person)
    person.stop_if_ended()
    if got.refresh is None:
        person.say("The provider gave no lasting log-in: it ends with this token.")
    with tokens.alone(address):
        life = got.until - time.time()
        tokens.write(tokens.Kept(address, issuer, got.access, got.refresh, got.until, life))
    person.say(f"{address} is logged in.")


def logout(address: str) -> bool:
    """Forget the log-in of a mailbox.

    Parameters
    ----------
    address : str
        As it was given to `login`.

    Returns
    -------
    bool
        Whether there was one.
    """
    with tokens.alone(address):
        return tokens.forget(address)


def issuer_of(
    address: str, given: object = None, find: Callable[[str], str] = lambda _: ""
) -> Issuer:
    """Give who gives out the tokens of an address, with the client to ask as.

    Raises
    ------
    ConfigurationError
        It is no address, nobody gives out tokens for it, or a client is missing.
    """
    if "@" not in address.strip("@"):
        raise ConfigurationError("A log-in is for an address such as ann@outlook.com")
    known = providers.of_domain(address.rpartition("@")[2].lower())
    provider = known.name if known else ""
    told = _client(given, grants.OF_PROVIDER.get(provider, ""))
    if not told.get("issuer") and not provider:
        provider = find(address)
        told = told or _client(given, grants.OF_PROVIDER.get(provider, ""))
    name = grants.OF_PROVIDER.get(provider, "")
    if told.get("issuer"):
        issuer = oauth.metadata(str(told["issuer"]), str(told.get("ca_file", "")))
    elif name:
        issuer = grants.ISSUERS[name]
    elif known is not None:
        raise ConfigurationError(f"{known.way_in(address)}; no log-in serves there")
    else:
        raise ConfigurationError(
            f"Who logs {address} in is not known: give a client with its issuer's URL, "
            '{"issuer": "https://login.example.org", "client_id": "..."} as a mapping or a JSON'
            " file, or the provider's name"
        )
    issuer = grants.with_client(issuer, told)
    if not issuer.client_id:
        how = f" To make one: {issuer.register}" if issuer.register else ""
        raise ConfigurationError(
            f"{provider or issuer.name} wants a client of yours: an application that asks.{how}"
        )
    return issuer


def _client(given: object, name: str) -> Mapping[str, Any]:
    """Find the client's description: what was given, the environment, or the user's file."""
    if isinstance(given, dict):
        return given
    if given is not None:
        text = os.fspath(given)  # type: ignore[call-overload]  # str or path
        is_file = text.endswith(".json") or Path(text).is_file()
        return _described(Path(text)) if is_file else {"client_id": text}
    if os.environ.get(_ID):
        return {"client_id": os.environ[_ID], "client_secret": os.environ.get(_SECRET, "")}
    path = tokens.directory() / "clients.json"
    told = _described(path).get(name) if path.exists() else None
    return told if isinstance(told, dict) else {}


def _described(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ConfigurationError(f"{path} describes no client: it is missing, or no JSON")
    return told


def _by_device(issuer: Issuer, person: Person) -> oauth.Tokens:
    device = oauth.begin_device(issuer)
    person.say(f"On any device open {device.url} and type the code {device.user_code}")
    interval: float | None = device.interval
    while interval is not None and time.time() < device.until:
        person.ended.wait(min(interval, max(0.0, device.until - time.time())))
        person.stop_if_ended()
        answer = oauth.poll_device(issuer, device)
        if isinstance(answer, oauth.Tokens):
            return answer
        interval = grants.next_interval(answer, interval)
    raise grants.declined("expired_token")


def _by_redirect(issuer: Issuer, address: str, person: Person) -> oauth.Tokens:
    ask, browse = person.ask, person.browse
    with loopback.listening(issuer.redirect) as redirect:
        attempt = grants.begin(issuer, address, redirect.url)
        redirect.attempt = attempt
        person.say(f"Open this page and log in:\n{attempt.url}")
        if browse is not None:
            browse(attempt.url)
        elif ask is None:
            raise ConfigurationError("Nobody is there to paste an address; use a terminal")
        # A notebook can be asked by its main thread alone. Elsewhere whoever is first: the browser
        # here, or a person who had to use another one.
        aside = browse is not None or threading.current_thread() is not threading.main_thread()
        if ask is not None and not aside:
            code = _pasted(redirect, attempt, ask, person.say)
        else:
            if ask is not None:
                threading.Thread(
                    target=_paste_into, args=(redirect, attempt, ask, person.say), daemon=True
                ).start()
            if not person.wait(redirect.arrived, grants.LONGEST_WAIT):
                raise grants.declined("expired_token")
            code = _came(redirect)
        person.stop_if_ended()
        return oauth.exchange(issuer, attempt, code)


def _came(redirect: loopback.Redirect) -> Secret:
    if redirect.refused is not None:
        raise AuthenticationError(str(redirect.refused), code=redirect.refused.code)
    assert redirect.code is not None
    return Secret(redirect.code)


_PROMPT = (
    "Then paste here the address that the browser ends at, or its code "
    "(where its page says that you are logged in, press Enter): "
)


def _pasted(
    redirect: loopback.Redirect,
    attempt: grants.Attempt,
    ask: Callable[[str], str],
    say: Callable[[str], object],
) -> Secret:
    for _ in range(3):
        try:
            given = ask(_PROMPT)
            # The browser may have been on this machine after all.
            return _came(redirect) if redirect.arrived.is_set() else _code(given, attempt)
        except grants.NotOursError as error:
            say(f"That does not belong to this log-in: {error}.")
        except EOFError:
            break
    raise AuthenticationError("No log-in: nothing that fits was pasted")


def _code(given: str, attempt: grants.Attempt) -> Secret:
    return Secret(grants.pasted(given, attempt))


def _paste_into(
    redirect: loopback.Redirect,
    attempt: grants.Attempt,
    ask: Callable[[str], str],
    say: Callable[[str], object],
) -> None:
    try:
        code = _pasted(redirect, attempt, ask, say)
    except AuthenticationError:
        return  # the browser may still come
    if not redirect.arrived.is_set():
        redirect.code = code.reveal()
        redirect.arrived.set()


def _has_browser() -> bool:
    """Tell whether a browser can be opened where the person sits."""
    remote = any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))
    shown = sys.platform in {"darwin", "win32"}
    shown = shown or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shown and not remote and "ipykernel" not in sys.modules
