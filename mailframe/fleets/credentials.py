"""Where the password of an account is found, said by a name that may travel; the password may not.

A name is one of::

    env:VARIABLE             an environment variable
    file:/run/secrets/{user} the first line of a file
    command:pass show {user} the first line that a command prints; it is run without a shell
    keyring                  the keyring of this machine
    netrc                    ~/.netrc

``{user}``, ``{host}`` and ``{login}`` stand for the account's own. Without a name:
``MAILFRAME_PASSWORD``, the keyring, ``~/.netrc``, and nobody is asked.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mailframe.accounts.account import Account
from mailframe.accounts.secret import Secret
from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that a password manager may take: it may ask a key on a card.
_PATIENCE = 60.0
_PLACE = re.compile(r"\{(user|host|login)\}")


def check(name: str | None) -> None:
    """Refuse what names no source, before anything begins.

    Raises
    ------
    ConfigurationError
        It is none; it is not quoted, as it may be a password.
    """
    kind, _, rest = (name or "keyring").partition(":")
    if kind not in _SOURCES or (kind in {"env", "file", "command"}) != bool(rest.strip()):
        raise ConfigurationError(
            "credentials= names where passwords are found, and is none itself: write"
            " 'env:VARIABLE', 'file:PATH', 'command:PROGRAM ...', 'keyring' or 'netrc'"
        )


def let_in(account: Account, name: str | None) -> Account:
    """Return the account with its password, found by the name of a source.

    Raises
    ------
    ConfigurationError
        It is not there. Nothing that was found is quoted.
    """
    check(name)
    if name is None:
        return account.with_password(ask=False)
    kind, _, rest = name.partition(":")
    found = _SOURCES[kind](account, rest)
    if not found:
        raise ConfigurationError(
            f"No {account.secret_kind} for {account.name} in {name}", account=account.name
        )
    return Account.parse(account, Secret(found))


def _filled(text: str, account: Account) -> str:
    own = {"user": account.user, "host": account.host, "login": account.login or account.user}
    return _PLACE.sub(lambda match: own[match[1]], text)


def _of_environment(account: Account, rest: str) -> str | None:
    return os.environ.get(_filled(rest, account))


def _of_file(account: Account, rest: str) -> str | None:
    for name in (account.user, account.host, account.login or ""):
        if "/" in name or os.sep in name or name in {".", ".."}:
            raise ConfigurationError(f"{name!r} cannot be part of a path", account=account.name)
    path = Path(_filled(rest, account)).expanduser()
    try:
        return _first_line(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigurationError(
            f"The password of {account.name} cannot be read from {str(path)!r}: {why}",
            account=account.name,
        ) from None


def _of_command(account: Account, rest: str) -> str | None:
    # Cut first, so that no name of a user becomes an argument of its own.
    command = [_filled(part, account) for part in shlex.split(rest)]
    try:
        done = subprocess.run(  # noqa: S603 -- the caller's own command, and no shell
            command, capture_output=True, check=False, timeout=_PATIENCE, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = getattr(error, "strerror", None) or "it took too long"
        raise ConfigurationError(
            f"{command[0]!r}, asked for the password of {account.name}: {why}", account=account.name
        ) from None
    if done.returncode:
        raise ConfigurationError(
            f"{command[0]!r}, asked for the password of {account.name}, ended with"
            f" {done.returncode}",
            account=account.name,
        )
    return _first_line(done.stdout.decode("utf-8", "surrogateescape"))


def _of_place(place: str) -> Callable[[Account, str], str | None]:
    def find(account: Account, _: str) -> str | None:
        found = account.secret_in(place)
        return found.reveal() if found else None

    return find


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0].rstrip("\r")


_SOURCES: dict[str, Callable[[Account, str], str | None]] = {
    "env": _of_environment,
    "file": _of_file,
    "command": _of_command,
    "keyring": _of_place("keyring"),
    "netrc": _of_place("netrc"),
}
