"""Files encoded as a whole, told by their first octets, and what they hold.

Dovecot compresses Maildir messages one by one, archives are kept as ``.mbox.gz``, and shells of
Windows write UTF-16. A decoder is a buffered reader over the file; what is damaged raises one of
`mailframe.sources.files.DAMAGE` behind the octets that could still be had.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

    Decoder = Callable[[IO[bytes]], Any]

# No sign that tells an encoding is longer.
SIGN = 12
# What is asked of a decoder at once: all that it loses where a file breaks off.
_CHUNK = 1 << 14


class _Zstandard(io.RawIOBase):
    """Decompress by Arrow, which every installation has, in pieces."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:  # noqa: ANN401 -- a writable buffer
        octets = self._stream.read(min(len(view), _CHUNK))
        view[: len(octets)] = octets
        return len(octets)


class _DovecotLz4(io.RawIOBase):
    """Decompress what Dovecot's ``zlib_save = lz4`` writes: LZ4 blocks, each behind its length."""

    _MARK = b"Dovecot-LZ4\r\x2a\x9b\xc5"
    _LONGEST_BLOCK = 1 << 22  # Dovecot's hold 64 KiB

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._held = b""
        head = _exactly(raw, len(self._MARK) + 4)
        self._most = min(int.from_bytes(head[-4:]), self._LONGEST_BLOCK)
        if not head.startswith(self._MARK):
            raise ValueError("not an LZ4 file of Dovecot")

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:  # noqa: ANN401 -- a writable buffer
        while not self._held:
            length = self._raw.read(4)
            if not length:
                return 0
            size = int.from_bytes(length + _exactly(self._raw, 4 - len(length)))
            if size > self._LONGEST_BLOCK:
                raise ValueError("an LZ4 block is longer than Dovecot writes them")
            self._held = _lz4_block(_exactly(self._raw, size), self._most)
        given, self._held = self._held[: len(view)], self._held[len(view) :]
        view[: len(given)] = given
        return len(given)


def _exactly(raw: IO[bytes], size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = raw.read(size - len(octets))
        if not more:
            raise EOFError("the file ends within an LZ4 block")
        octets += more
    return octets


def _lz4_block(data: bytes, most: int) -> bytes:
    """Decompress one block (LZ4 Block Format); Arrow's codec must know the size beforehand."""
    out = bytearray()
    at = 0
    try:
        while at < len(data):
            token = data[at]
            literals, at = _lz4_length(data, at + 1, token >> 4)
            out += data[at : at + literals]
            at += literals
            if at >= len(data):
                break
            offset = int.from_bytes(data[at : at + 2], "little")
            matched, at = _lz4_length(data, at + 2, token & 15)
            matched += 4  # the shortest match
            if not 0 < offset <= len(out) or len(out) + matched > most:
                raise ValueError("an LZ4 block is damaged")
            piece = out[len(out) - offset : len(out) - offset + matched]
            out += (piece * (matched // offset + 1))[:matched]
    except IndexError:
        raise ValueError("an LZ4 block is damaged") from None
    return bytes(out)


def _lz4_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """Read a length that may run on, an octet of 255 at a time; return it, and where it ends."""
    if length == 15:  # noqa: PLR2004 -- four bits
        while True:
            more = data[at]
            at += 1
            length += more
            if more != 255:  # noqa: PLR2004 -- eight bits
                break
    return length, at


class _Unicode(io.RawIOBase):
    """Give text that is stored in UTF-16 as UTF-8, as RFC 6532 has it in mail."""

    def __init__(self, codec: str, raw: IO[bytes]) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(codec)("replace")
        self._held = b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:  # noqa: ANN401 -- a writable buffer
        while not self._held:
            octets = self._raw.read(_CHUNK)
            text = self._decoder.decode(octets, final=not octets)
            if not self._begun:
                self._begun, text = True, text.removeprefix("\ufeff")
            self._held = text.encode("utf-8", "replace")
            if not octets:
                break
        given, self._held = self._held[: len(view)], self._held[len(view) :]
        view[: len(given)] = given
        return len(given)


def _buffered(raw: Callable[[IO[bytes]], io.RawIOBase]) -> Decoder:
    return lambda stream: io.BufferedReader(raw(stream))


_DECODERS: tuple[tuple[re.Pattern[bytes], Decoder], ...] = (
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh[1-9]"), bz2.open),
    (re.compile(rb"\xfd7zXZ\0"), lzma.open),
    (re.compile(rb"\(\xb5/\xfd"), _buffered(_Zstandard)),
    (re.compile(rb"Dovecot-LZ4\r"), _buffered(_DovecotLz4)),
    # Byte order marks, or two letters without one.
    (re.compile(rb"\xff\xfe|[!-~]\0[!-~]\0"), _buffered(partial(_Unicode, "utf-16-le"))),
    (re.compile(rb"\xfe\xff|\0[!-~]\0[!-~]"), _buffered(partial(_Unicode, "utf-16-be"))),
)
# Nearly every file begins with a letter of a field's name and a second one.
_PLAIN = re.compile(rb"(?!Dovecot-LZ4\r)[A-Za-z][A-Za-z -][^\0h]")


def decoder_of(head: bytes) -> Decoder | None:
    """Give what decodes a file that begins with `head`, or None where it is plain."""
    if _PLAIN.match(head):
        return None
    return next((decoder for sign, decoder in _DECODERS if sign.match(head)), None)
