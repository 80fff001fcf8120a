"""COMPRESS=DEFLATE (RFC 4978), sans I/O: one raw deflate stream in each direction.

A deflate stream may grow a thousandfold, so what arrives is not inflated as a whole: it waits here
as it came, and is given out in pieces that the limits of framing are applied to, one by one. A
stream that ends, or is none, cannot be taken up again: the connection is lost with it.
"""

from __future__ import annotations

import zlib

from mailframe.errors import ConnectionLost

# RFC 4978 wants the raw format, without zlib's header, and the largest window.
_RAW = -zlib.MAX_WBITS
# Large enough that a chunk of ordinary mail (five times smaller than its headers) is one piece or
# two, small enough that a piece of a bomb is nothing.
PIECE = 1 << 20


class Deflated:
    """Both directions of a compressed connection."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(_RAW)
        self._deflater = zlib.compressobj(wbits=_RAW)
        self._waiting: list[bytes] = []
        self.more = False  # whether `inflate` may have something to give

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        if data:
            self._waiting.append(data)
            self.more = True

    def inflate(self) -> bytes:
        """Give the next piece, of at most `PIECE` octets.

        Raises
        ------
        ConnectionLost
            What came is no deflate stream, or its stream has ended.
        """
        inflater = self._inflater
        data = b"".join([inflater.unconsumed_tail, *self._waiting])
        self._waiting.clear()
        try:
            piece = inflater.decompress(data, PIECE)
        except zlib.error as error:
            raise ConnectionLost("what the server sent compressed cannot be inflated") from error
        if inflater.eof and not piece:
            raise ConnectionLost("the server ended its compressed stream")
        # A full piece may leave output behind that no input stands for any more.
        self.more = bool(inflater.unconsumed_tail) or len(piece) == PIECE or inflater.eof
        return piece

    def deflate(self, data: bytes) -> bytes:
        """Compress what is to be sent, whole: the server can read all of it at once."""
        return self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
