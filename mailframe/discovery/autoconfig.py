"""Thunderbird's description of a provider (draft-ietf-mailmaint-autoconfig), read with distrust.

Anybody's web server may send it. A document type is refused: entities are how few octets become
many. Unknown elements are ignored, as the draft says; servers without encryption are as well.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from mailframe.discovery.steps import Address, Security, Server, filled, host_of

#: What a description may be long: the longest of the ISPDB has 10 KB.
LONGEST = 64 << 10

_SECURITY: dict[str, Security] = {"SSL": "tls", "STARTTLS": "starttls"}
_PORT = re.compile(r"0*([0-9]{1,5})")
_PLACEHOLDER = re.compile(r"%[A-Z]{2,}%")
_SERVER = ["clientConfig", "emailProvider", "incomingServer"]


class UnusableError(Exception):
    """The description names no server that serves; says why."""


def read(document: bytes, address: Address) -> Server:
    """Give the IMAP server that a description prefers; TLS from the first byte wins (RFC 8314).

    Raises
    ------
    UnusableError
        There is none.
    """
    described = _servers(document)
    if not described:
        raise UnusableError("describes no mail server")
    imap = [server for server in described if server.get("type", "").lower() == "imap"]
    if not imap:
        raise UnusableError("offers no IMAP")
    usable = [server for each in imap if (server := _server(each, address)) is not None]
    if not usable:
        raise UnusableError("offers no encrypted IMAP")
    return min(usable, key=lambda server: server.security != "tls")


def _server(described: dict[str, str], address: Address) -> Server | None:
    host = host_of(filled(described.get("hostname", ""), address))
    security = _SECURITY.get(described.get("socketType", "").upper())
    port = _PORT.fullmatch(described.get("port", ""))
    if host is None or security is None or port is None:
        return None
    number = int(port[1])
    user = described.get("username", "")
    if not 0 < number < 1 << 16 or any(not each.isprintable() for each in user):
        return None
    # Placeholders for what nobody has told us: a name or a number of a customer.
    told = user and not _PLACEHOLDER.search(filled(user, address))
    return Server(host, number, security, user if told else "%EMAILADDRESS%")


def _servers(document: bytes) -> list[dict[str, str]]:
    """Take the incoming servers out of the document, each as its elements' first texts."""
    servers: list[dict[str, str]] = []
    path: list[str] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        text.clear()
        if path == _SERVER:
            servers.append({"type": attributes.get("type", "")})

    def end(name: str) -> None:
        if path[:-1] == _SERVER:
            servers[-1].setdefault(name, "".join(text).strip())
        path.pop()
        text.clear()

    def refuse(*_: object) -> None:
        raise UnusableError("sends a document type, which no description has")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)  # noqa: FBT003 -- the parser takes it by position
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnusableError("sends something that is no description") from error
    return servers
