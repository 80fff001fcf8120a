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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe import providers
from mailframe.auth import client as oauth
from mailframe.auth import grants, loopback, tokens
from mailframe.errors import AuthenticationError, ConfigurationError
from mailframe.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mailframe.auth.grants import Flow, Issuer

_ID, _SECRET = "MAILFRAME_CLIENT_ID", "MAILFRAME_CLIENT_SECRET"


def login(
    address: str,
    flow: Flow = "auto",
    client: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    provider: str = "",
    say: Callable[[str], object] = print,
    ask: Callable[[str], str] | None = input,
    browse: Callable[[str], object] | None = None,
    ended: threading.Event | None = None,
) -> None:
    """Log in to a mailbox by OAuth 2.0, once; later reads renew the token themselves.

    What is kept is the log-in, in a file that only its owner can read (and the keyring, where
    there is one); `logout` removes it.

    Parameters
    ----------
    address : str
        Such as ``ann@outlook.com``.
    flow : {"auto", "browser", "device", "paste"}
        A browser on this machine, a code to type on any other, or an address to paste.
    client : str, path or mapping, optional
        The application that you registered: its ID, Google's ``client_secret_*.json``, or a mapping
        with ``client_id`` and, as far as needed, ``client_secret``, ``issuer`` (a URL), ``scope``,
        ``mechanism`` and ``ca_file``. Otherwise from ``MAILFRAME_CLIENT_ID`` and
        ``MAILFRAME_CLIENT_SECRET``, or ``~/.config/mailframe/clients.json``, by the issuer's name.
    provider : str
        The provider's name, such as ``"Microsoft 365"``, where the address does not tell.
    say, ask, browse : callable
        What tells a person something, asks for a line (None: nobody is there), and opens a page.
    ended : threading.Event, optional
        Once it is set nobody waits any longer, and nothing is kept.

    Raises
    ------
    ConfigurationError
        There is no client, or no such way to log in; the message says how to get one.
    AuthenticationError
        The log-in was declined, or nobody logged in in time.
    TransportError
        The provider could not be reached.
    """
    issuer = issuer_of(address, client, provider)
    if browse is None and _has_browser():
        browse = webbrowser.open
    ended = ended or threading.Event()
    chosen = grants.choose_flow(issuer, flow, browser=browse is not None)
    if chosen == "device":
        got = _by_device(issuer, say, ended)
    else:
        browse = browse if chosen == "browser" else None
        got = _by_redirect(issuer, address, say, ask, browse, ended)
    _unless(ended)
    if got.refresh is None:
        say("The provider gave no lasting log-in: it ends with this token.")
    with tokens.alone(address):
        life = got.until - time.time()
        tokens.write(tokens.Kept(address, issuer, got.access, got.refresh, got.until, life))
    say(f"{address} is logged in.")


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


def issuer_of(address: str, given: object = None, provider: str = "") -> Issuer:
    """Give who gives out the tokens of an address, with the client to ask as."""
    known = providers.of_domain(address.rpartition("@")[2].lower())
    name = grants.OF_PROVIDER.get(provider or (known.name if known else ""), "")
    told = _client(given, name)
    if told.get("issuer"):
        issuer = oauth.metadata(str(told["issuer"]), str(told.get("ca_file", "")))
    elif name:
        issuer = grants.ISSUERS[name]
    else:
        raise ConfigurationError(
            f"Who logs {address} in is not known: give a client with its issuer's URL, "
            'client={"issuer": "https://login.example.org", "client_id": "..."}'
        )
    issuer = grants.with_client(issuer, told)
    if not issuer.client_id:
        how = f" To make one: {issuer.register}" if issuer.register else ""
        raise ConfigurationError(f"{issuer.name} wants a client of yours.{how}")
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


def _unless(ended: threading.Event) -> None:
    if ended.is_set():
        raise AuthenticationError("No log-in: it was broken off")


def _by_device(
    issuer: Issuer, say: Callable[[str], object], ended: threading.Event
) -> oauth.Tokens:
    device = oauth.begin_device(issuer)
    say(f"On any device open {device.url} and type the code {device.user_code}")
    interval: float | None = device.interval
    while interval is not None and time.time() < device.until:
        ended.wait(min(interval, max(0.0, device.until - time.time())))
        _unless(ended)
        answer = oauth.poll_device(issuer, device)
        if isinstance(answer, oauth.Tokens):
            return answer
        interval = grants.next_interval(answer, interval)
    raise grants.declined("expired_token")


def _by_redirect(
    issuer: Issuer,
    address: str,
    say: Callable[[str], object],
    ask: Callable[[str], str] | None,
    browse: Callable[[str], object] | None,
    ended: threading.Event,
) -> oauth.Tokens:
    with loopback.listening(issuer.redirect) as redirect:
        attempt = grants.begin(issuer, address, redirect.url)
        redirect.attempt = attempt
        say(f"Open this page and log in:\n{attempt.url}")
        if browse is not None:
            browse(attempt.url)
        elif ask is None:
            raise ConfigurationError("Nobody is there to paste an address; use a terminal")
        # A notebook can be asked by its main thread alone. Elsewhere whoever is first: the browser
        # here, or a person who had to use another one.
        aside = browse is not None or threading.current_thread() is not threading.main_thread()
        if ask is not None and not aside:
            code = _pasted(redirect, attempt, ask, say)
        else:
            if ask is not None:
                threading.Thread(
                    target=_paste_into, args=(redirect, attempt, ask, say), daemon=True
                ).start()
            code = _awaited(redirect, ended)
        _unless(ended)
        return oauth.exchange(issuer, attempt, code)


_LOOK = 0.2  # seconds between two looks whether it was broken off


def _awaited(redirect: loopback.Redirect, ended: threading.Event) -> Secret:
    until = time.monotonic() + grants.LONGEST_WAIT
    while not redirect.arrived.wait(max(0.0, min(_LOOK, until - time.monotonic()))):
        _unless(ended)
        if time.monotonic() >= until:
            raise grants.declined("expired_token")
    return _came(redirect)


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
