"""What is kept of a server's words, weighed where it is kept and let go where it is let go.

The commands of a connection share one ``Kept``: however many are on the wire, and in whatever order
they are answered, what they hold together is bounded. Rows are not weighed: they are handed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mailframe.errors import ProtocolError
from mailframe.imap.responses import Fetched, Listed, MailboxStatus, Told

if TYPE_CHECKING:
    from collections.abc import Iterable

Piece: TypeAlias = Told | Fetched

# Octets of memory, as measured: a piece beside what it holds, one word, one range of UIDs.
A_PIECE = 500
A_WORD = 60
A_RANGE = 130


class Kept:
    """The weight of all that is kept.

    Parameters
    ----------
    limit : int
        Octets of memory, roughly.
    """

    def __init__(self, limit: int) -> None:
        self.octets = 0
        self._limit = limit

    def keep(self, piece: Piece) -> None:
        """Add the weight of a piece.

        Raises
        ------
        ProtocolError
            Together with what is kept already, it is too much.
        """
        self.octets += weight(piece)
        if self.octets > self._limit:
            raise ProtocolError(
                f"what the server told beside messages takes more than {self._limit:,} octets"
            )

    def let_go(self, pieces: Iterable[Piece]) -> None:
        """Take the weight of pieces away."""
        self.octets -= sum(map(weight, pieces))


def weight(piece: Piece) -> int:
    """Tell roughly how much memory a piece takes."""
    match piece:
        case Listed(name, _, attributes):
            return A_PIECE + len(name) + sum(A_WORD + len(word) for word in attributes)
        case MailboxStatus(name):
            return A_PIECE + len(name)
        case Fetched():
            items = (piece.flags, piece.internaldate, piece.size, piece.header, piece.beside)
            return A_PIECE + sum(len(item) for item in items if item)
        case _:
            return A_PIECE + A_RANGE * len(piece.uids.ranges)
