"""Whatever people say an account by — a URL, an address, an `Account` — made an `Account`.

An address needs a server first: the table of providers knows it without a packet, or else
``mailframe.discovery`` finds it. What asks the network, and what keeps tokens, is loaded when it is
needed: a URL needs neither.
"""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailframe.account import Account, Security, is_loopback
from mailframe.discovery import memory, plan
from mailframe.discovery.plan import Address, Found, is_address
from mailframe.errors import ConnectError
from mailframe.secret import Secret, sealing

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWITCH = "MAILFRAME_ISPDB"


@dataclass(frozen=True)
class Entry:
    """An account, and how its server was found where an address was given."""

    account: Account
    found: Found | None = None

    def with_password(self) -> Entry:
        """Give the same with its password, looked up where it is missing; see `Account`."""
        return replace(self, account=self.account.with_password())

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Remember what lets somebody in; a server that is not there is looked for anew."""
        found = self.found
        try:
            yield
        except ConnectError:
            if found is not None:
                memory.forget(found.address)
            raise
        if found is not None and plan.of_table(Address.parse(found.address)) is None:
            memory.remember(found)


def discover(address: str, *, ispdb: bool | None = None) -> Found:
    """Find the IMAP server of an address.

    The table of providers answers without a packet. Otherwise the domain is asked over HTTPS and
    DNS, and Mozilla's database of providers, all within five seconds. The address is told to its
    own domain only, and the domain to that database.

    Parameters
    ----------
    address : str
        Such as ``ann@example.org``.
    ispdb : bool, optional
        Whether Mozilla's database may be asked; by default unless ``MAILFRAME_ISPDB=off``.

    Returns
    -------
    Found
        With ``host``, ``port``, ``security``, ``user``, the ``reason`` to believe it, the
        ``provider`` where it is a known one, and the ``url`` of the account.

    Raises
    ------
    ConfigurationError
        It is no address, there is no such domain, it has no IMAP, or only DNS names a host that is
        not of this domain.
    ConnectError
        Nobody knew; the message says who was asked.
    """
    from mailframe.discovery import network  # noqa: PLC0415 -- see above

    return network.find(address, ispdb=_ispdb(ispdb))


def _ispdb(wanted: bool | None) -> bool:
    return os.environ.get(_SWITCH, "").lower() != "off" if wanted is None else wanted


def address_of(account: object) -> str | None:
    """Give the address where an account is said by one."""
    text = account.reveal() if isinstance(account, Secret) and account.is_text() else account
    return text.strip() if isinstance(text, str) and is_address(text) else None


@sealing
def enter(
    account: str | Account | Secret | Entry,
    password: str | bytes | Secret | None = None,
    *,
    security: Security | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    login: str | None = None,
) -> Entry:
    """Make an account of what was given; an address may take a few seconds.

    Raises
    ------
    ConfigurationError, ConnectError
        As `Account.parse` and `discover` raise them.
    """
    if isinstance(account, Entry):
        return replace(account, account=Account.parse(account.account, password, login=login))
    address = address_of(account)
    if address is None:
        how = Account.parse(account, password, security=security, ca_file=ca_file, login=login)
        return Entry(how)
    return _of_found(discover(address), password, security=security, ca_file=ca_file, login=login)


async def aenter(address: str, *, login: str | None = None) -> Entry:
    """Find the account of an address; `enter` for ``await``."""
    from mailframe.discovery import network  # noqa: PLC0415 -- see above

    return _of_found(await network.afind(address, ispdb=_ispdb(None)), login=login)


def _of_found(
    found: Found,
    password: str | bytes | Secret | None = None,
    *,
    security: Security | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    login: str | None = None,
) -> Entry:
    """Make an account of what discovery found."""
    from mailframe.auth import tokens  # noqa: PLC0415 -- see above
    from mailframe.auth.source import Source  # noqa: PLC0415 -- see above

    account = Account(found.host, found.user, found.port, found.security)
    # Whoever logs in on behalf of another does so with what is their own.
    kept = tokens.read(login or found.address) if password is None else None
    if kept is not None:
        source = Source(kept.address)
        account = replace(account, user=found.address, auth=kept.issuer.mechanism, password=source)
    account = Account.parse(account, password, security=security, ca_file=ca_file, login=login)
    if account.ca_file is None and is_loopback(account.host):
        # Proton's Bridge signs its own certificate. What goes to it does not leave this machine,
        # where plain text harms nobody either.
        account = replace(account, ssl_context=_unverified())
    return Entry(account, found)


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
