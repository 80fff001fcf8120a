"""What was found and let somebody in, kept for thirty days: domains and hosts, no address.

A file of the user's own (0600), below ``XDG_CACHE_HOME`` or ``~/.cache``. A cache that cannot be
read or written is like an empty one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mailframe.discovery.notes import read_notes, write_notes
from mailframe.discovery.steps import Address, Found, Server, host_of, of_server
from mailframe.ground import xdg

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = 30
_DAY = 86_400  # seconds
_USERS = {"%EMAILADDRESS%", "%EMAILLOCALPART%"}


def _path() -> Path | None:
    place = xdg.cache()
    return place / "servers.json" if place is not None else None


def recall(address: Address) -> Found | None:
    """Give what let somebody of this domain in, and has not failed since."""
    match _read().get(address.domain):
        case {
            "host": str(host),
            "port": int(port),
            "security": "tls" | "starttls" as security,
            "user": str(user),
            "until": int(until),
        } if host_of(host) == host and user in _USERS and 0 < port < 1 << 16:
            known: tuple[Server, int] = Server(host, port, security, user), until
        case _:
            return None
    fresh = 0 < known[1] - time.time() <= _DAYS * _DAY
    return of_server(known[0], address, "an earlier log-in") if fresh else None


def remember(found: Found) -> None:
    """Keep what let somebody in."""
    address = Address.parse(found.address)
    users = {str(address): "%EMAILADDRESS%", address.local: "%EMAILLOCALPART%"}
    if found.user not in users:
        return
    entry = {
        "host": found.host,
        "port": found.port,
        "security": found.security,
        "user": users[found.user],
        "until": (until := int(time.time()) + _DAYS * _DAY),
    }
    known = _read()
    held = known.get(address.domain)
    # Renewed once a day at most: those who fetch every minute need not write each time.
    if isinstance(held, dict) and {**held, "until": 0} == {**entry, "until": 0}:
        before = held.get("until")
        if isinstance(before, int) and until - before < _DAY:
            return
    _write({**known, address.domain: entry})


def forget(address: str) -> None:
    """Drop what does not serve any more."""
    domain = Address.parse(address).domain
    known = _read()
    if known.pop(domain, None) is not None:
        _write(known)


def _read() -> dict[str, Any]:
    path = _path()
    return read_notes(path) if path is not None else {}


def _write(known: dict[str, Any]) -> None:
    path = _path()
    if path is not None:
        write_notes(path, known)
