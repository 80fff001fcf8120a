"""Zip archives whose table of contents says what Python's reader refuses of the whole archive.

A member that needs a later version than there is, or whose name is not of UTF-8 as it says, costs
the others with it. So such entries are mended in what the reader sees of the table (APPNOTE.TXT,
section 4.3.12): the version, and that the name is of UTF-8. Whether a member can be unpacked shows
when it is; its name is as readable as it can be.
"""

from __future__ import annotations

import io
import struct
import zipfile
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from _typeshed import WriteableBuffer

_ENTRY = struct.Struct("<4s2x2sH18xHHH8xI")
_SIGNATURE = b"PK\x01\x02"
_END = struct.Struct("<4s8xIIH")
_END_SIGNATURE = b"PK\x05\x06"
_END_64 = struct.Struct("<4s36xQQ")
_END_64_SIGNATURE = b"PK\x06\x06"
_LOCATOR = struct.Struct("<4s4xQ4x")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_LONGEST_COMMENT = 1 << 16
_LARGEST_TABLE = 1 << 28  # of a million members
_IN_UTF8 = 0x800
_READ = zipfile.MAX_EXTRACT_VERSION


def open_mended(path: Path) -> zipfile.ZipFile:
    """Open an archive that `zipfile.ZipFile` refuses for the entry of a member.

    Raises
    ------
    OSError, BadZipFile, and the like
        It is no archive.
    """
    with path.open("rb") as stream:
        start, size, told = _table(stream)
        stream.seek(start)
        table = bytearray(stream.read(size))
    mended: dict[int, bytes] = {}
    renamed = {}
    for at, version, flags, name, member in _entries(table):
        if version > _READ:
            mended[start + at + 6] = bytes([_READ])
        if flags & _IN_UTF8 and not _is_utf8(name):
            # In the table, and in front of the member itself.
            plain = (flags & ~_IN_UTF8).to_bytes(2, "little")
            member += start - told  # noqa: PLW2901 -- behind what stands before the archive
            mended[start + at + 8] = mended[member + 6] = plain
            renamed[member] = name.decode("utf-8", "replace")
    archive = _Archive(io.BufferedReader(_Overlaid(path, mended)))
    for entry in archive.infolist():
        entry.filename = renamed.get(entry.header_offset, entry.filename)
    return archive


class _Archive(zipfile.ZipFile):
    """An archive that closes its file, as one does that is opened by name."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        super().__init__(stream)

    def close(self) -> None:
        super().close()
        self._stream.close()


class _Overlaid(io.FileIO):
    """A file, some octets of which read otherwise."""

    def __init__(self, path: Path, mended: dict[int, bytes]) -> None:
        super().__init__(path, "rb")
        each = {place + n: octet for place, new in mended.items() for n, octet in enumerate(new)}
        self._octets = sorted(each.items())

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        at = self.tell()
        count = super().readinto(buffer)
        view = memoryview(buffer).cast("B")
        first, last = (
            bisect_left(self._octets, (at,)),
            bisect_left(self._octets, (at + (count or 0),)),
        )
        for place, octet in self._octets[first:last]:
            view[place - at] = octet
        return count


def _table(stream: IO[bytes]) -> tuple[int, int, int]:
    """Find the table of contents: where it starts, its size, and where it says that it starts."""
    end = stream.seek(0, io.SEEK_END)
    tail_at = max(0, end - _END.size - _LONGEST_COMMENT - _LOCATOR.size)
    stream.seek(tail_at)
    tail = stream.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0:
        raise zipfile.BadZipFile("it has no table of contents")
    _, size, start, _ = _END.unpack_from(tail.ljust(at + _END.size, b"\0"), at)
    before = tail_at + at
    locator = tail[at - _LOCATOR.size : at] if at >= _LOCATOR.size else b""
    if locator.startswith(_LOCATOR_SIGNATURE):
        (_, before) = _LOCATOR.unpack(locator)
        stream.seek(before)
        signature, size, start = _END_64.unpack(stream.read(_END_64.size))
        if signature != _END_64_SIGNATURE:
            raise zipfile.BadZipFile("it has no table of contents")
    if size > min(before, _LARGEST_TABLE):
        raise zipfile.BadZipFile("its table of contents is larger than it can be")
    # Something else may stand before an archive; the table stands right before its end.
    return before - size, size, start


def _entries(table: bytearray) -> Iterator[tuple[int, int, int, bytes, int]]:
    """Give of each entry its place in a table, version, flags, name, and its member's place."""
    at = 0
    while at + _ENTRY.size <= len(table):
        signature, version, flags, *lengths, member = _ENTRY.unpack_from(table, at)
        if signature != _SIGNATURE:
            return
        name = bytes(table[at + _ENTRY.size : at + _ENTRY.size + lengths[0]])
        yield at, version[0], flags, name, member
        at += _ENTRY.size + sum(lengths)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
