"""Why a token was refused: what a server says in place of one more challenge.

JSON in base64, with ``status``, ``scope`` and ``openid-configuration`` (RFC 7628 section 3.2.2;
XOAUTH2 has the first two). A server may repeat there whatever it was sent, so nothing is taken over
that does not have the form of what it ought to be.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TypeGuard

# Octets of a challenge that are kept: Google's and Dovecot's have some 150.
LONGEST = 4096

_STATUS = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")  # RFC 6749 3.3
_ISSUER = re.compile(
    r"(https://[A-Za-z0-9.:-]{1,255}(?:/[A-Za-z0-9._~/-]*)?)"
    r"/\.well-known/(?:openid-configuration|oauth-authorization-server)"
)
_SHOWN = 200  # characters: a sentence has no room for more

_WHY = {
    "400": "the token is not valid there, or is another user's",
    "401": "the token has ended, or is not known there",
    "invalid_token": "the token has ended, or is not known there",
    "insufficient_scope": "the token does not cover mail",
}


@dataclass(frozen=True)
class Refusal:
    """What a server said of a token that it refused.

    Attributes
    ----------
    status : str
        ``"401"``, ``"invalid_token"``, ``"insufficient_scope"`` or whatever else it says.
    scope : str
        What a token must cover; empty where that is not told.
    issuer : str
        The URL of who gives out its tokens; empty where that is not told.
    """

    status: str
    scope: str = ""
    issuer: str = ""

    @property
    def lacks_scope(self) -> bool:
        """Whether a fresh token of the same log-in would be refused as well."""
        return self.status == "insufficient_scope"

    @property
    def why(self) -> str:
        """The same in a person's words."""
        return _WHY.get(self.status, f"status {self.status}")


def read_refusal(challenge: bytes) -> Refusal | None:
    """Read a challenge; None where it tells of no refusal."""
    try:
        told = json.loads(base64.b64decode(challenge, validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    status, scope, place = (told.get(n) for n in ("status", "scope", "openid-configuration"))
    status = str(status) if isinstance(status, int) else status
    if not isinstance(status, str) or not _STATUS.fullmatch(status):
        return None
    found = _ISSUER.fullmatch(place) if _short(place) else None
    known = scope if _short(scope) and _SCOPE.fullmatch(scope) else ""
    return Refusal(status, known, found[1] if found else "")


def _short(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and len(text) <= _SHOWN
