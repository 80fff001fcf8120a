"""Whatever people say an account by — a URL, an address, an `Account` — made an `Account`.

An address needs a server first: the table of providers knows it without a packet, or else
``mailframe.discovery`` finds it. What asks the network, and what logs in and keeps tokens, is
loaded when it is needed: a URL needs neither.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mailframe.accounts import providers
from mailframe.accounts.account import Account, Security, is_loopback
from mailframe.accounts.secret import Secret, sealing
from mailframe.discovery import cache, steps
from mailframe.discovery.steps import Address, Found, is_address
from mailframe.errors import ConfigurationError, ConnectError, MailframeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mailframe.auth.grants import Flow
    from mailframe.auth.login import Person

_SWITCH = "MAILFRAME_ISPDB"


@dataclass(frozen=True)
class Entry:
    """An account, and how its server was found where an address was given."""

    account: Account
    found: Found | None = None

    def with_password(self) -> Entry:
        """Give the same with its password, looked up where it is missing; see `Account`.

        Raises
        ------
        ConfigurationError
            There is none, or none would serve.
        """
        if self.found is not None and self.account.password is None:
            _check_takes_passwords(self.found)
        return replace(self, account=self.account.with_password())

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Remember what lets somebody in; a server that is not there is looked for anew."""
        found = self.found
        try:
            yield
        except ConnectError:
            if found is not None:
                cache.forget(found.address)
            raise
        if found is not None and steps.of_table(Address.parse(found.address)) is None:
            cache.remember(found)


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


def login(
    address: str,
    flow: Flow = "auto",
    client: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    provider: str = "",
    say: Callable[[str], object] = print,
    ask: Callable[[str], str] | None = input,
    browse: Callable[[str], object] | None = None,
) -> None:
    """Log in to a mailbox by OAuth 2.0, once; later reads renew the token themselves.

    What is kept is the log-in, in a file that only its owner can read (and the keyring, where
    there is one); `logout` removes it.

    Parameters
    ----------
    address : str
        Such as ``ann@outlook.com``.
    flow : {"auto", "browser", "device", "paste"}
        A browser on this machine, a code to type on any other, or an address to paste.
    client : str, path or mapping, optional
        The application that you registered: its ID, Google's ``client_secret_*.json``, or a mapping
        with ``client_id`` and, as far as needed, ``client_secret``, ``issuer`` (a URL), ``scope``,
        ``mechanism`` and ``ca_file``. Otherwise from ``MAILFRAME_CLIENT_ID`` and
        ``MAILFRAME_CLIENT_SECRET``, or ``~/.config/mailframe/clients.json``, by the issuer's name.
    provider : str
        The provider's name, such as ``"Microsoft 365"``; by default found as `discover` does.
    say, ask, browse : callable
        What tells a person something, asks for a line (None: nobody is there), and opens a page.

    Raises
    ------
    ConfigurationError
        There is no client, or no such way to log in; the message says how to get one.
    AuthenticationError
        The log-in was declined, or nobody logged in in time.
    TransportError
        The provider could not be reached.
    """
    from mailframe.auth.login import Person  # noqa: PLC0415 -- see above

    log_in(address, flow, client, provider, Person(say, ask, browse))


def log_in(address: str, flow: Flow, client: object, provider: str, person: Person) -> None:
    """Log in; `login` for who has a `Person` already."""
    from mailframe.auth import login as oauth  # noqa: PLC0415 -- see above

    oauth.log_in(address, flow, client, lambda one: provider or _provider_of(one), person)


def _provider_of(address: str) -> str:
    """Find whose customer a domain is; nobody is asked whether to trust a host."""
    from mailframe.discovery import network  # noqa: PLC0415 -- see above

    try:
        return network.find(address, ispdb=_ispdb(None), agree=lambda _: False).provider
    except MailframeError:
        return ""


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


def _check_takes_passwords(found: Found) -> None:
    """Refuse before a password is asked for that would not serve."""
    provider = providers.of_host(found.host, found.port)
    if provider is not None and provider.ways == ("oauth",):
        raise ConfigurationError(f"{provider.way_in(found.address)}")


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
    from mailframe.auth.tokensource import Source  # noqa: PLC0415 -- see above
    from mailframe.discovery.pinning import pinned  # noqa: PLC0415 -- see above

    account = Account(found.host, found.user, found.port, found.security)
    # Whoever logs in on behalf of another does so with what is their own.
    kept = tokens.read(login or found.address) if password is None else None
    if kept is not None:
        source = Source(kept.address)
        account = replace(account, user=found.address, auth=kept.issuer.mechanism, password=source)
    account = Account.parse(account, password, security=security, ca_file=ca_file, login=login)
    if account.ca_file is None and is_loopback(account.host):
        # Proton's Bridge signs its own certificate.
        notes = tokens.directory() / "certificates.json"
        context = pinned(f"{account.host}:{account.port}", notes)
        account = replace(account, ssl_context=context)
    return Entry(account, found)
