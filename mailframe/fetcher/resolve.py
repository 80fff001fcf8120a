"""From a host's name to its addresses, in a thread that nobody waits for.

asyncio asks the system's resolver in its own pool of threads, and a loop that ends waits for all of
them: while a name server is silent, so would Ctrl-C be.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


async def resolve(host: str, port: int) -> list[str]:
    """Give a host's addresses, the best first, each as a numeric host.

    Raises
    ------
    OSError, UnicodeError
        As the resolver does: there is no such host, or there cannot be one.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def ask() -> None:
        found, failure = None, None
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            # With the zone of a link-local address, which the bare tuple would lose.
            found = [socket.getnameinfo(address, _NUMERIC)[0] for *_, address in known]
        except (OSError, UnicodeError) as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found, failure)

    threading.Thread(target=ask, name="mailframe-resolve", daemon=True).start()
    return await answer
