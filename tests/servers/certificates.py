"""Certificates made by the tests, for the tests: an authority, and what it signs.

Nothing is written into the project; each test session makes its own.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 -- reads as what it is


@dataclass
class Authority:
    """A private certificate authority; ``ca_file`` is what a client must be given to trust it."""

    ca: trustme.CA
    ca_file: Path

    @classmethod
    def in_folder(cls, home: Path) -> Authority:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(home / "ca.pem"))
        return cls(ca, home / "ca.pem")

    def server(self, *names: str, until: datetime | None = None) -> ssl.SSLContext:
        """A server's context with a certificate for ``names`` (default: this machine)."""
        made = self.ca.issue_cert(*(names or ("localhost", "127.0.0.1")), not_after=until)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(context)
        return context

    def nameless(self) -> ssl.SSLContext:
        """A certificate that names this machine in its subject alone, as was the custom."""
        made = self.ca.issue_cert(common_name="localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(context)
        return context

    def expired(self) -> ssl.SSLContext:
        return self.server(until=LONG_AGO)

    def wrong_name(self) -> ssl.SSLContext:
        return self.server("mail.example.org")
