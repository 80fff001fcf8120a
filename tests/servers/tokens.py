"""Access tokens for a Dovecot that takes them: signed by us, checked by Dovecot itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KEY = b"a key that only this test's server has"


def oauth_config(directory: Path) -> str:
    """Write what Dovecot needs to check tokens; return lines for its configuration."""
    key = directory / "keys" / "default" / "HS256" / "default"
    key.parent.mkdir(parents=True)
    key.write_bytes(base64.b64encode(_KEY))
    settings = directory / "oauth2.conf"
    settings.write_text(
        "introspection_mode = local\n"
        f"local_validation_key_dict = fs:posix:prefix={directory}/keys/\n"
        "username_attribute = sub\n"
    )
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755)
    return f"""
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {settings}
}}
"""


def access_token(user: str, *, key: bytes = _KEY) -> str:
    """Sign a token (RFC 7519) that lets `user` in for ten minutes."""
    now = int(time.time())
    claims = {"sub": user, "iat": now - 5, "exp": now + 600}
    signed = b".".join(
        _part(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "HS256"}, claims)
    )
    return (signed + b"." + _part(hmac.digest(key, signed, hashlib.sha256))).decode()


def _part(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")
