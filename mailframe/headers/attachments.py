r"""What of a message's parts is an attachment, what it is called and how large it is.

The rule, on parts that are no multiparts (RFC 2046):

- a part is an attachment if its Content-Disposition is there and not ``inline`` (RFC 2183; section
  2.8 has words that nobody knows mean ``attachment``);
- else it is one if it has a file name (``filename`` of the disposition, or ``name`` of the type),
  unless it is an inline image of the text: an image in a multipart/related (RFC 2387) with a
  Content-ID or Content-Location for the text to show it by, as [MS-OXCMAIL] 2.2.3.4.1.4.1 has it.
- An enclosed message that is an attachment is one, with all that is in it. Of one that is none (the
  returned message of a report, a message forwarded as text) the parts are looked at.

Others draw the line elsewhere. ImapFlow gives the tree and leaves it to its callers; its kin
Mailparser counts every part but text, inline images among them (it marks those ``related``). JMAP
(RFC 8621 section 4.1.4) counts what a client would not show as text, parts without a name as well.
Gmail's help gives no rule for its ``has:attachment``: only with the text at hand can one tell which
images it shows. Thunderbird counts enclosed messages without a name too, and no signatures (S/MIME,
OpenPGP): by the rule here those count where they have a name or say that they are attachments.

The size is an estimate from the octets on the wire: of base64 57 octets a line of 76 characters and
CRLF (RFC 2045 section 6.8), right to a few octets where lines have that length; of uuencode 45 a
line of 63; of any other encoding, quoted-printable among them, what travels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from mailframe.headers.parameters import parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Octets decoded, of octets on the wire.
_RATES = {
    b"base64": (57, 78),
    **dict.fromkeys((b"uuencode", b"x-uuencode", b"x-uue", b"uue"), (45, 63)),
}
_MESSAGES = frozenset({b"message/rfc822", b"message/global"})


class MimePart(Protocol):
    """A part of a message that is no multipart; ``mailframe.imap.structure.Part`` is one."""

    @property
    def type(self) -> bytes:
        """Type and subtype, lower case."""

    @property
    def parameters(self) -> Sequence[tuple[bytes, bytes]]:
        """Of the type; names in lower case."""

    @property
    def encoding(self) -> bytes:
        """The transfer encoding, lower case."""

    @property
    def octets(self) -> int | None:
        """As they travel, with CRLF; None where that is not known."""

    @property
    def disposition(self) -> bytes | None:
        """Lower case; None where there is none."""

    @property
    def disposition_parameters(self) -> Sequence[tuple[bytes, bytes]]:
        """Of the disposition; names in lower case."""

    @property
    def related(self) -> bool:
        """Whether a text could show it: in a multipart/related, with an id or a location."""

    @property
    def depth(self) -> int:
        """In how many enclosed messages it stands."""


class Attachment(NamedTuple):
    """One attachment.

    Attributes
    ----------
    name : str or None
        The file name.
    type : str
        Type and subtype, lower case.
    bytes : int or None
        Decoded size, estimated; None where the server does not tell.
    """

    name: str | None
    type: str
    bytes: int | None


def attachments(parts: Iterable[MimePart]) -> list[Attachment]:
    """Give the attachments among the parts of a message, in their order."""
    found = []
    within: int | None = None  # the depth of an enclosed message that is an attachment
    for part in parts:
        if within is not None and part.depth > within:
            continue
        within = None
        if part.disposition is None and not part.parameters:
            continue  # nearly all there are
        name = parameter(part.disposition_parameters, b"filename")
        name = name or parameter(part.parameters, b"name")
        if _is_attachment(part, name):
            kind = part.type.decode("ascii", "replace")
            found.append(Attachment(name, kind, decoded_size(part)))
            if part.type in _MESSAGES:
                within = part.depth
    return found


def _is_attachment(part: MimePart, name: str | None) -> bool:
    if part.disposition and part.disposition != b"inline":
        return True
    return name is not None and not (part.related and part.type.startswith(b"image/"))


def decoded_size(part: MimePart) -> int | None:
    """Estimate the decoded size of a part, in octets."""
    if part.octets is None:
        return None
    decoded, travelling = _RATES.get(part.encoding, (1, 1))
    return part.octets * decoded // travelling
