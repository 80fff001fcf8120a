"""From an account to an explorer without code: the form of the widgets, given the readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.accounts import providers
from mailframe.auth import tokens
from mailframe.auth.login import Person
from mailframe.discovery.steps import host_of, is_address
from mailframe.errors import MailframeError
from mailframe.ground.threads import in_thread
from mailframe.readers.entry import log_in
from mailframe.readers.server import alist_folders, aread_imap
from mailframe.widgets.form import Connect
from mailframe.widgets.signin import WayIn

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


def connect(host: str = "", user: str = "", *, client: str = "") -> Connect:
    """Show a form that asks for an account, fetches its headers and ends in an explorer.

    Parameters
    ----------
    host : str
        Server to begin with: ``imap.example.org`` (TLS), or a URL such as
        ``imap://127.0.0.1:1143``. Without one, ``user`` is an address, and its server is found as
        `mailframe.discover` does.
    user : str
        User to begin with.
    client : str
        Where a log-in takes the place of a password: the application to begin with, as for
        `mailframe.login`.

    Returns
    -------
    Connect
        A widget; ``connect().explorer`` is the explorer once mail has been fetched.
    """
    return Connect(
        aread_imap, alist_folders, host, user, client=client, way_in=_way_in, log_in=_log_in
    )


def _way_in(address: str) -> WayIn:
    """Tell what lets an address in, by what is kept here and by the table of providers."""
    if not is_address(address):
        return WayIn()
    try:
        kept = tokens.read(address)
    except MailframeError as error:
        return WayIn(str(error))
    if kept is not None:
        return WayIn(f"{address} is logged in; it needs no password.", logged_in=True)
    provider = providers.of_domain(host_of(address.rpartition("@")[2]) or "")
    if provider is None:
        return WayIn()
    only = provider.ways == ("oauth",)
    return WayIn(f"{provider.way_in(address, login='a log-in, below')}.", only_login=only)


async def _log_in(
    address: str,
    client: str,
    say: Callable[[str], object],
    ask: Callable[[str], str],
    ended: threading.Event,
) -> None:
    known = client or None  # else of the environment, or of clients.json
    await in_thread(log_in, address, "auto", known, "", Person(say, ask, ended=ended))
