"""Typed commands, written as byte segments.

A ``Command`` is what a caller wants said; the connection gives it a tag and decides when it may
travel. No argument can end a line early: text that is not plain travels as a literal, and NUL,
which IMAP cannot carry at all, is refused.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError
from mailframe.ground.uidset import UidSet
from mailframe.imap.grammar import astring
from mailframe.imap.items import NAMES, STRUCTURE

if TYPE_CHECKING:
    import typing
    from collections.abc import Iterable

    from mailframe.imap.responses import Fetched

    Mechanism: typing.TypeAlias = typing.Literal["PLAIN", "OAUTHBEARER", "XOAUTH2"]


class Kind(Enum):
    """What a command means to the connection's state."""

    PLAIN = "plain"
    STARTTLS = "starttls"
    COMPRESS = "compress"
    LOGIN = "login"
    LOGOUT = "logout"
    EXAMINE = "examine"
    FETCH = "fetch"  # reads from the mailbox that the last EXAMINE opened
    SEARCH = "search"  # the same


# Nothing travels behind these before they are answered (pipelining rule 2).
BARRIERS = frozenset({Kind.STARTTLS, Kind.COMPRESS, Kind.LOGIN, Kind.LOGOUT})


@dataclass(frozen=True, slots=True)
class Literal:
    """An argument that travels as ``{n}`` and its octets."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Command:
    """One command, without its tag.

    Parameters
    ----------
    name : str
        The verb, for reports.
    segments : tuple of bytes or Literal
        Everything between tag and CRLF.
    kind : Kind
        What it does to the connection's state.
    uids : UidSet
        Of a FETCH: which UIDs may count as rows.
    needs : tuple of str or None
        Of a FETCH: the items (as `mailframe.imap.responses.Fetched` calls them) without which a row
        is not whole. None: a message is told in any parts, and nothing is whole before the end.
    uidvalidity : int or None
        Of an EXAMINE: the one that the UIDs behind it were planned for.
    extensions : frozenset of str
        Of an ENABLE: what to switch on.
    replies : tuple of bytes
        Lines to send when the server asks for them with ``+`` (AUTHENTICATE).
    secret : bool
        Whether the arguments must never be shown.
    """

    name: str
    segments: tuple[bytes | Literal, ...]
    kind: Kind = Kind.PLAIN
    uids: UidSet = UidSet()  # noqa: RUF009 -- immutable
    needs: tuple[str, ...] | None = ()
    uidvalidity: int | None = None
    extensions: frozenset[str] = frozenset()
    replies: tuple[bytes, ...] = ()
    secret: bool = False

    @property
    def headers(self) -> bool:
        """Of a FETCH: whether rows have a header block."""
        return self.needs is not None and "header" in self.needs

    @property
    def beside(self) -> bool:
        """Of a FETCH: whether it asks for what is told beside a header."""
        return self.needs in {("structure",), ("extras",)}

    @property
    def whole(self) -> bool:
        """Of a FETCH: whether rows have everything that a message has."""
        return self.needs == ROW

    def __repr__(self) -> str:
        """Show the command as it travels, without secrets."""
        if self.secret:
            return f"<{self.name} (arguments withheld)>"
        line = b"".join(s.octets if isinstance(s, Literal) else s for s in self.segments)
        return f"<{line.decode('utf-8', 'replace')[:200]}>"


def _command(name: str, *arguments: bytes | Literal, kind: Kind = Kind.PLAIN) -> Command:
    return Command(name, _join(name.encode("ascii"), *arguments), kind)


def _join(*arguments: bytes | Literal) -> tuple[bytes | Literal, ...]:
    """Put spaces between arguments and run plain octets together."""
    segments: list[bytes | Literal] = []
    text = b""
    for index, argument in enumerate(arguments):
        text += b" " if index else b""
        if isinstance(argument, Literal):
            segments += [text, argument]
            text = b""
        else:
            text += argument
    return (*segments, text)


def string(octets: bytes, what: str) -> bytes | Literal:
    """Write text as an atom, a quoted string or a literal.

    Raises
    ------
    ConfigurationError
        The text holds NUL, which IMAP cannot carry; the message does not repeat it.
    """
    if b"\0" in octets:
        raise ConfigurationError(f"{what} must not hold a NUL character")
    written = astring(octets)
    return Literal(octets) if written is None else written


# Session ---------------------------------------------------------------------------------------


def capability() -> Command:
    """Ask what the server can do."""
    return _command("CAPABILITY")


def noop() -> Command:
    """Do nothing, but be heard."""
    return _command("NOOP")


def logout() -> Command:
    """Say goodbye."""
    return _command("LOGOUT", kind=Kind.LOGOUT)


def starttls() -> Command:
    """Ask for TLS on this connection."""
    return _command("STARTTLS", kind=Kind.STARTTLS)


def compress() -> Command:
    """Ask for DEFLATE in both directions, from the answer on (RFC 4978)."""
    return _command("COMPRESS", b"DEFLATE", kind=Kind.COMPRESS)


def identify() -> Command:
    """Tell who we are (RFC 2971); some servers open no mailbox before."""
    return _command("ID", b'("name" "mailframe")')


def enable(extensions: Iterable[str]) -> Command:
    """Switch extensions on (RFC 5161)."""
    wanted = tuple(extensions)
    line = f"ENABLE {' '.join(wanted)}".encode("ascii")
    return Command("ENABLE", (line,), extensions=frozenset(wanted))


def login(user: str, password: str) -> Command:
    """Log in with LOGIN; the password travels as it is, so only over TLS."""
    segments = _join(
        b"LOGIN",
        string(user.encode("utf-8"), "the user name"),
        string(password.encode("utf-8"), "the password"),
    )
    return Command("LOGIN", segments, Kind.LOGIN, secret=True)


def sasl_message(mechanism: Mechanism, user: str, secret: str, login: str | None = None) -> bytes:
    """Write what one SASL mechanism sends to log in, in base64.

    ``PLAIN`` (RFC 4616) carries a password; ``OAUTHBEARER`` (RFC 7628) and its forerunner
    ``XOAUTH2`` an access token of OAuth 2.0. With a ``login``, that is who is let in (the
    authentication identity), to act for ``user`` (the authorization identity).
    """
    if "\0" in user + secret + (login or ""):
        raise ConfigurationError("user name and password must not hold a NUL character")
    match mechanism:
        case "PLAIN":
            message = f"{user if login else ''}\0{login or user}\0{secret}"
        case "OAUTHBEARER":
            name = user.replace("=", "=3D").replace(",", "=2C")
            message = f"n,a={name},\1auth=Bearer {secret}\1\1"
        case "XOAUTH2":
            message = f"user={user}\1auth=Bearer {secret}\1\1"
    return base64.b64encode(message.encode())


def authenticate(
    mechanism: Mechanism, user: str, secret: str, *, initial: bool, login: str | None = None
) -> Command:
    """Log in with a SASL mechanism; ``initial`` where the server has SASL-IR (RFC 4959)."""
    message = sasl_message(mechanism, user, secret, login)
    line = b"AUTHENTICATE " + mechanism.encode("ascii")
    # Why a token was refused comes as one more challenge, and the NO only after this reply.
    replies = (base64.b64encode(b"\1"),) if mechanism == "OAUTHBEARER" else ()
    if initial:
        line += b" " + message
    else:
        replies = (message, *replies)
    return Command("AUTHENTICATE", (line,), Kind.LOGIN, replies=replies, secret=True)


# Mailboxes -------------------------------------------------------------------------------------


def list_mailboxes(*, special_use: bool = False, status: Iterable[str] = ()) -> Command:
    """List every mailbox, with its STATUS where the server has LIST-STATUS (RFC 5819)."""
    wanted = [b"SPECIAL-USE"] if special_use else []
    items = " ".join(status).encode("ascii")
    if items:
        wanted.append(b"STATUS (" + items + b")")
    if not wanted:
        return _command("LIST", b'""', b"*")
    return _command("LIST", b'""', b"*", b"RETURN", b"(" + b" ".join(wanted) + b")")


def status(mailbox: bytes, items: Iterable[str]) -> Command:
    """Ask for the numbers of one mailbox without opening it."""
    asked = b"(" + " ".join(items).encode("ascii") + b")"
    return _command("STATUS", string(mailbox, "a folder name"), asked)


def examine(mailbox: bytes, *, uidvalidity: int | None = None, condstore: bool = False) -> Command:
    """Open a mailbox for reading only; with another UIDVALIDITY, what is queued behind is void."""
    arguments = [string(mailbox, "a folder name")]
    if condstore:
        arguments.append(b"(CONDSTORE)")
    segments = _join(b"EXAMINE", *arguments)
    return Command("EXAMINE", segments, Kind.EXAMINE, uidvalidity=uidvalidity)


def uid_search(
    keys: tuple[bytes | Literal, ...], *, esearch: bool = False, charset: bool = False
) -> Command:
    """Search the open mailbox; with ESEARCH (RFC 4731) the answer is a compact set.

    ``keys`` come written and spaced, as `mailframe.imap.search.Keys` holds them.
    """
    head = b"UID SEARCH "
    head += b"RETURN (ALL) " if esearch else b""
    head += b"CHARSET UTF-8 " if charset else b""
    first, *rest = keys
    start = (head, first) if isinstance(first, Literal) else (head + first,)
    end = (b"",) if isinstance(keys[-1], Literal) else ()
    return Command("UID SEARCH", (*start, *rest, *end), Kind.SEARCH)


# What a row is made of.
ROW = ("flags", "internaldate", "size", "header")


def uid_fetch(
    uids: UidSet, items: bytes, *, modifier: bytes = b"", written: bytes = b""
) -> Command:
    """Fetch items of messages; only UIDs asked for will count as rows.

    ``written`` is how the UIDs travel, if not in ranges.
    """
    arguments = [b"FETCH", written or bytes(uids), b"(" + items + b")"]
    if modifier:
        arguments.append(b"(" + modifier + b")")
    segments = _join(b"UID", *arguments)
    return Command("UID FETCH", segments, Kind.FETCH, uids, needs=_needed(items))


def _needed(items: bytes) -> tuple[str, ...]:
    if not NAMES.isdisjoint(items.split()):
        return ("structure",) if STRUCTURE in items else ("extras",)
    if b"BODY" not in items:
        return ("flags",)
    return ROW if b"FLAGS" in items else ("header",)


def uid_fetch_parts(uids: UidSet, items: bytes) -> Command:
    """Fetch what messages still lack; each may tell as much of it as it likes."""
    return replace(uid_fetch(uids, items), needs=None)


def header_items(fields: Iterable[str]) -> bytes:
    """Write the FETCH items of a header row, for the given header fields."""
    names = " ".join(fields).encode("ascii")
    return b"UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (" + names + b")]"


FLAG_ITEMS = b"UID FLAGS"


def lacking_items(rows: Iterable[Fetched]) -> bytes:
    """Write the FETCH items that some of these messages lack; the header is asked for whole."""
    rows = tuple(rows)
    about = any(row.lacks(("flags", "internaldate", "size")) for row in rows)
    header = any(row.blank for row in rows)
    return b"UID" + b" FLAGS INTERNALDATE RFC822.SIZE" * about + b" BODY.PEEK[HEADER]" * header


def extra_items(fields: Iterable[str]) -> bytes:
    """Write the FETCH items of some header fields alone; the size tells who is there."""
    return b"UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (" + " ".join(fields).encode("ascii") + b")]"


def beside_items(names: Iterable[str]) -> bytes:
    """Write the FETCH items of what is told beside a header."""
    return " ".join(("UID", *names)).encode("ascii")


def changed_since(modseq: int, *, vanished: bool) -> bytes:
    """Write the FETCH modifier for changes since a mod-sequence (RFC 7162)."""
    return b"CHANGEDSINCE %d" % modseq + (b" VANISHED" if vanished else b"")
