"""From an address to questions, and from answers to a server; pure.

All questions are asked at once, and their order decides, not who answers first: what the domain
says over HTTPS (draft-ietf-mailmaint-autoconfig), what the ISPDB knows, what the domain says in DNS
(RFC 6186), whose MX hosts they are, and last the customary names. Only HTTPS and the names of the
domain itself are trusted: DNS alone may be forged, so a host that is not the domain's own, and that
no table knows, is for a person to judge. The address itself is told to its own domain only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import idna

from mailframe.accounts import providers
from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from mailframe.accounts.providers import Provider

ISPDB = "https://v1.ispdb.net"
# What stands in the URL of any description, and may be a local part as well: mail@example.org.
WORDS = {"mail", "config", "autoconfig", "www", "https", "imap", "xml", "well-known"}

Security = Literal["tls", "starttls"]
Kind = Literal["https", "imaps", "imap", "mx", "tls"]

_ADDRESS = re.compile(r"[^\s@:/\\\"<>,;\x00-\x1f]{1,64}@[^\s@:/\\\"<>,;%?#\x00-\x1f]{1,255}")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})+")


@dataclass(frozen=True)
class Address:
    """A mail address; the domain in lower case and ASCII."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``ann@example.org``.

        Raises
        ------
        ConfigurationError
            It is none, or its domain cannot be one.
        """
        if not is_address(text):
            raise ConfigurationError("This is not a mail address such as ann@example.org")
        local, _, domain = text.strip().rpartition("@")
        name = host_of(domain)
        if name is None:
            raise ConfigurationError(
                f"There can be no domain {domain}; check the address, or write imaps://USER@HOST"
            )
        return cls(local, name)

    def owns(self, host: str) -> bool:
        """Whether a host is of the address's own domain."""
        return host == self.domain or host.endswith(f".{self.domain}")


def is_address(text: object) -> bool:
    """Tell an address from a URL, a path and what is no text at all."""
    return isinstance(text, str) and _ADDRESS.fullmatch(text.strip()) is not None


def host_of(name: str) -> str | None:
    """Give a host's name as DNS has it, lower case and ASCII; None for what is none."""
    name = name.strip().rstrip(".").lower()
    try:
        known = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
    return known if _HOST.fullmatch(known) and len(known) < 254 else None  # noqa: PLR2004 -- RFC 1035


@dataclass(frozen=True)
class Server:
    """An IMAP server as somebody names it; the user with Thunderbird's placeholders."""

    host: str
    port: int
    security: Security
    user: str = "%EMAILADDRESS%"

    def user_of(self, address: Address) -> str:
        """Put the address's parts in the place of their names."""
        return filled(self.user, address)


def filled(text: str, address: Address) -> str:
    """Put an address's parts in the place of their names."""
    parts = {
        "%EMAILADDRESS%": str(address),
        "%EMAILLOCALPART%": address.local,
        "%EMAILDOMAIN%": address.domain,
    }
    return re.sub("|".join(parts), lambda name: parts[name[0]], text)


@dataclass(frozen=True)
class Question:
    """What to ask.

    Attributes
    ----------
    kind : str
        "https" for a document, "imaps" and "imap" for SRV records, "mx", or "tls" for a host that
        may be a server.
    target : str
        The URL or name.
    sure : bool
        Whether an answer binds for hosts of other domains as well: it came by HTTPS from a place
        that DNS alone cannot choose.
    local : str
        What only hosts of the domain may be told.
    """

    kind: Kind
    target: str
    sure: bool = False
    local: str = ""

    @property
    def whom(self) -> str:
        """Whom it asks, without what it tells."""
        match self.kind:
            case "https":
                return self.target.removeprefix("https://").partition("/")[0]
            case "tls":
                return f"{self.target}:993"
            case "mx":
                return f"MX of {self.target}"
            case _:
                return f"_{self.kind}._tcp.{self.target}"


@dataclass(frozen=True)
class Found:
    """Where the mail of an address is.

    Attributes
    ----------
    address : str
        Whose.
    host, port, security, user : str, int, str, str
        What an `mailframe.Account` is made of.
    reason : str
        Who says so.
    provider : str
        The provider's name, where it is one of the table.
    """

    address: str
    host: str
    port: int
    security: Security
    user: str
    reason: str
    provider: str = ""

    @property
    def url(self) -> str:
        """The account as a URL."""
        scheme, usual = ("imaps", 993) if self.security == "tls" else ("imap", 143)
        port = "" if self.port == usual else f":{self.port}"
        return f"{scheme}://{quote(self.user, safe='')}@{self.host}{port}"


def of_provider(provider: Provider, address: Address, reason: str) -> Found:
    """Give what the table knows.

    Raises
    ------
    ConfigurationError
        The provider has no IMAP.
    """
    if not provider.host:
        raise ConfigurationError(f"{provider.name}: {provider.note}")
    user = address.local if provider.user == "local part" else str(address)
    known = provider.host, provider.port, provider.security
    return Found(str(address), *known, user, reason, provider.name)


def of_table(address: Address) -> Found | None:
    """Answer without a packet, for the domains of the table."""
    provider = providers.of_domain(address.domain)
    return of_provider(provider, address, "the table of providers") if provider else None


def of_server(server: Server, address: Address, reason: str) -> Found:
    """Give what somebody named."""
    provider = providers.of_host(server.host, server.port)
    named = server.host, server.port, server.security, server.user_of(address)
    return Found(str(address), *named, reason, provider.name if provider else "")


def is_trusted(server: Server, question: Question, address: Address) -> bool:
    """Tell whether a server may be sent a password without a person's word."""
    known = providers.of_host(server.host, server.port) is not None
    return question.sure or known or address.owns(server.host)


def opening(address: Address, *, ispdb: bool) -> list[Question]:
    """Give what is asked at once, the most binding first."""
    domain = address.domain
    path = f"mail/config-v1.1.xml?emailaddress={quote(str(address), safe='@')}"
    asked = [
        Question("https", f"https://autoconfig.{domain}/{path}", sure=True, local=address.local),
        Question(
            "https",
            f"https://{domain}/.well-known/autoconfig/{path}",
            sure=True,
            local=address.local,
        ),
    ]
    if ispdb:
        asked.append(Question("https", f"{ISPDB}/{domain}", sure=True))
    return [*asked, *(Question(kind, domain) for kind in _RECORDS)]


_RECORDS: tuple[Kind, ...] = ("imaps", "imap", "mx")


def of_hoster(address: Address, hosts: tuple[str, ...], *, ispdb: bool) -> list[Question]:
    """Give what is asked about the hoster that MX hosts belong to; it learns no address."""
    if not hosts:
        return []
    # Without a list of public suffixes: what is left when the machine's own name is taken away.
    hoster = hosts[0].partition(".")[2]
    if "." not in hoster or address.owns(hosts[0]):
        return []
    asked = [Question("https", f"https://autoconfig.{hoster}/mail/config-v1.1.xml")]
    if ispdb:
        asked.append(Question("https", f"{ISPDB}/{hoster}"))
    return asked


def customary(address: Address) -> list[Question]:
    """Give the names that servers usually have."""
    return [Question("tls", f"{name}.{address.domain}") for name in ("imap", "mail")]
