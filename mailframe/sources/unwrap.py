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
SIGN = 8
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
    # Byte order marks, or two letters without one.
    (re.compile(rb"\xff\xfe|[!-~]\0[!-~]\0"), _buffered(partial(_Unicode, "utf-16-le"))),
    (re.compile(rb"\xfe\xff|\0[!-~]\0[!-~]"), _buffered(partial(_Unicode, "utf-16-be"))),
)
# Nearly every file begins with a letter of a field's name and a second one.
_PLAIN = re.compile(rb"[A-Za-z][A-Za-z -][^\0h]")


def decoder_of(head: bytes) -> Decoder | None:
    """Give what decodes a file that begins with `head`, or None where it is plain."""
    if _PLAIN.match(head):
        return None
    return next((decoder for sign, decoder in _DECODERS if sign.match(head)), None)
