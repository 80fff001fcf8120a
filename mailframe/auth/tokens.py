"""Where a log-in is kept: a file a mailbox, its owner's alone (0600), replaced as a whole.

The refresh token goes to the system's keyring where there is one that works; else it stands in the
file, as on most servers and in most notebooks. The access token of the moment always does: of many
processes one refreshes, under a lock, and the others read what it got. The new refresh token is on
the disk before the access token that came with it is used.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from filelock import FileLock

from mailframe.accounts.secret import Secret
from mailframe.auth.grants import Issuer
from mailframe.errors import AuthenticationError, ConfigurationError, because
from mailframe.ground import xdg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.auth.client import Tokens

_SERVICE = "mailframe"
_ENDING = ".json"


def directory() -> Path:
    """Give the place of what the user keeps with us (XDG Base Directory Specification)."""
    place = xdg.config()
    if place is None:
        raise ConfigurationError("There is no home directory to keep a log-in in: set HOME")
    return place


@dataclass(frozen=True)
class Kept:
    """A log-in as it is kept.

    Attributes
    ----------
    address : str
        Of which mailbox.
    issuer : Issuer
        Who gives out its tokens, with the client.
    access, refresh : Secret or None
        The tokens.
    until : float
        When the access token ends, in seconds since 1970.
    life : float
        How many seconds it had, when it came.
    """

    address: str
    issuer: Issuer
    access: Secret | None
    refresh: Secret | None
    until: float
    life: float

    def renewed(self, tokens: Tokens) -> Kept:
        """Give the log-in after a refresh; the refresh token stays where no new one came."""
        refresh = tokens.refresh or self.refresh
        life = tokens.until - time.time()
        return replace(self, access=tokens.access, refresh=refresh, until=tokens.until, life=life)


def login_again(address: str, why: str = "") -> AuthenticationError:
    """Say that the log-in is no more."""
    return AuthenticationError(
        f"{why or f'{address} is not logged in'}; log in again: mailframe login {address}",
        account=address,
    )


def _path(address: str) -> Path:
    # Of any address a name that every file system takes, and that tells which one it is.
    return directory() / "accounts" / f"{quote(address.lower(), safe='@.+-_')}{_ENDING}"


@contextlib.contextmanager
def alone(address: str) -> Iterator[None]:
    """Keep other processes from this mailbox's tokens while the block runs."""
    path = _path(address)
    try:
        _make(path.parent)
        with FileLock(f"{path}.lock", mode=0o600):
            yield
    except OSError as error:
        raise ConfigurationError(f"Cannot keep a log-in in {path}: {because(error)}") from None


def read(address: str) -> Kept | None:
    """Give the log-in of a mailbox, if there is one.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or others may read it.
    """
    path = _path(address)
    try:
        text = path.read_text("utf-8")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise ConfigurationError(f"{path} cannot be read; log in again, or remove it") from None
    if os.name == "posix" and mode & 0o077:
        raise ConfigurationError(f"Others can read {path}: chmod 600 it, or log in again")
    kept = _parsed(text)
    if kept is None:
        raise ConfigurationError(f"{path} is damaged: mailframe login {address}")
    if kept.refresh is None:
        kept = replace(kept, refresh=_from_keyring(address))
    return kept


def _parsed(text: str) -> Kept | None:
    try:
        told = json.loads(text)
        names = {field.name for field in fields(Issuer)}
        issuer = {name: value for name, value in told["issuer"].items() if name in names}
        issuer["extra"] = tuple((name, value) for name, value in issuer.get("extra", ()))
        access, refresh = (Secret(told[n]) if told.get(n) else None for n in ("access", "refresh"))
        return Kept(
            told["address"],
            Issuer(**issuer),
            access,
            refresh,
            float(told["until"]),
            float(told["life"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write(kept: Kept) -> None:
    """Keep a log-in; it is on the disk when this returns.

    Raises
    ------
    ConfigurationError
        The disk did not take it.
    """
    told: dict[str, Any] = {
        "address": kept.address,
        "issuer": asdict(kept.issuer),
        "access": kept.access.reveal() if kept.access else None,
        "refresh": None,
        "until": kept.until,
        "life": kept.life,
    }
    if kept.refresh is not None and not _to_keyring(kept.address, kept.refresh):
        told["refresh"] = kept.refresh.reveal()
    path = _path(kept.address)
    failure: ConfigurationError
    try:
        _make(path.parent)
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(told, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        failure = ConfigurationError(f"Cannot keep a log-in in {path}: {because(error)}")
    else:
        return
    raise failure


def forget(address: str) -> bool:
    """Remove a log-in; tell whether there was one."""
    _from_keyring(address, remove=True)
    path = _path(address)
    for left in path.parent.glob(".new-*") if path.parent.is_dir() else ():
        # What a process that was killed left behind holds tokens as well.
        if time.time() - left.stat().st_mtime > 60:  # noqa: PLR2004 -- nobody writes for a minute
            left.unlink(missing_ok=True)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def addresses() -> list[str]:
    """Give the mailboxes that are logged in."""
    place = directory() / "accounts"
    if not place.is_dir():
        return []
    return sorted(
        unquote(path.name.removesuffix(_ENDING)) for path in place.glob(f"[!.]*{_ENDING}")
    )


def _make(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True, mode=0o700)


def _keyring() -> Any:  # noqa: ANN401 -- of a package that may be missing
    try:
        keyring = importlib.import_module("keyring")
        return keyring if keyring.get_keyring().priority > 0 else None
    except Exception:  # noqa: BLE001 -- a keyring without a working backend is as good as none
        return None


def _to_keyring(address: str, token: Secret) -> bool:
    keyring = _keyring()
    if keyring is None:
        return False
    try:
        keyring.set_password(_SERVICE, address.lower(), token.reveal())
    except Exception:  # noqa: BLE001 -- locked, or too long an entry: the file serves
        return False
    return True


def _from_keyring(address: str, *, remove: bool = False) -> Secret | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        if remove:
            keyring.delete_password(_SERVICE, address.lower())
            return None
        found = keyring.get_password(_SERVICE, address.lower())
    except Exception:  # noqa: BLE001 -- as above
        return None
    return Secret(found) if found else None
