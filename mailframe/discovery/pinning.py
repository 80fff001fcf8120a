"""A certificate that signs itself, on this machine: that of the first time, and no other.

Proton's Bridge makes its own, which no authority vouches for. What goes to it does not leave this
machine, but whoever else can listen here while the Bridge does not run would be sent its password.
So the first certificate is noted, and another one is refused before anything is sent.
"""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

from mailframe.discovery.notes import read_notes, write_notes

if TYPE_CHECKING:
    from pathlib import Path


class _Checked(ssl.SSLObject):
    def do_handshake(self) -> None:
        super().do_handshake()
        context = self.context
        assert isinstance(context, Pinned)
        context.check(self.getpeercert(binary_form=True) or b"")


class Pinned(ssl.SSLContext):
    """A context that trusts the certificate of the first time.

    Use `pinned`.
    """

    sslobject_class = _Checked
    where: str
    notes: Path

    def check(self, certificate: bytes) -> None:
        """Compare a certificate with that of the first time, or note it.

        Raises
        ------
        ssl.SSLCertVerificationError
            It is another one.
        """
        seen = hashlib.sha256(certificate).hexdigest()
        known = read_notes(self.notes)
        before = known.get(self.where)
        if before is None:
            write_notes(self.notes, {**known, self.where: seen})
        elif before != seen:
            error = ssl.SSLCertVerificationError(1, "another certificate than before")
            error.verify_message = (
                f"it is another one than before; if the program there was set up anew, remove "
                f"{self.notes}, or export its certificate"
            )
            raise error


def pinned(where: str, notes: Path) -> ssl.SSLContext:
    """Give a context for a server on this machine that signs its own certificate.

    Parameters
    ----------
    where : str
        Host and port.
    notes : Path
        The file where certificates are noted.
    """
    context = Pinned(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.where, context.notes = where, notes
    return context
