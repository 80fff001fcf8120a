"""Where a session gets its token from, each time that it logs in.

A token that ends soon, or that was refused, is replaced: once, whoever asks. Sessions of a process
wait for one another, processes for the file's lock; who has waited looks again before asking.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailframe.auth import client, tokens
from mailframe.errors import AuthenticationError, TransportError
from mailframe.ground.threads import in_thread

if TYPE_CHECKING:
    from mailframe.accounts.secret import Secret

# Seconds before its end that a token is replaced: clocks differ, and log-ins take time. Of one that
# lives shortly, a tenth of its life.
EARLY = 60

_LOCKS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Source:
    """The tokens of a mailbox that is logged in; pickles as its address alone.

    Parameters
    ----------
    address : str
        Of the mailbox, as it was given to `mailframe.login`.
    """

    address: str

    travels = True  # in a pickle: it holds no secret

    async def token(self, refused: Secret | None = None) -> Secret:
        """Give an access token, another one than that which a server refused.

        Raises
        ------
        AuthenticationError
            The log-in has ended; the message says how to log in again.
        TransportError
            The tokens' server could not be reached.
        """
        return await in_thread(self._take, refused)

    def _take(self, refused: Secret | None) -> Secret:
        with _LOCKS[self.address]:
            kept = tokens.read(self.address)
            if kept is not None and kept.access and _serves(kept, refused):
                return kept.access
            with tokens.alone(self.address):
                return self._refresh(refused)

    def _refresh(self, refused: Secret | None) -> Secret:
        kept = tokens.read(self.address)
        if kept is None:
            raise tokens.login_again(self.address)
        if kept.access and _serves(kept, refused):
            return kept.access  # another process was faster
        if kept.refresh is None:
            raise tokens.login_again(self.address, "The log-in has ended")
        ended = ""
        try:
            renewed = kept.renewed(client.refresh(kept.issuer, kept.refresh))
        except TransportError as error:
            # It may live a little longer than it is worth asking for a new one.
            if kept.access and refused is None and kept.until > time.time():
                return kept.access
            raise type(error)(str(error), account=self.address) from None
        except AuthenticationError as error:
            if error.code not in {"invalid_grant", "insufficient_scope"}:
                raise
            ended = f"The log-in of {self.address} has ended ({error.code})"
        if ended:
            tokens.forget(self.address)
            raise tokens.login_again(self.address, ended)
        tokens.write(renewed)
        assert renewed.access is not None
        return renewed.access


def _serves(kept: tokens.Kept, refused: Secret | None) -> bool:
    """Tell whether a token lives long enough, and was not refused."""
    if kept.access == refused:
        return False
    return kept.until - time.time() > min(EARLY, kept.life / 10)
