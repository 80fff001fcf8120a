"""Files as streams of octets: plain, compressed, or members of a zip, told apart by their content.

What is damaged ends early: ``DAMAGE`` names the errors that a stream may raise while it is read.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, TypeAlias, cast

from mailframe.errors import ConfigurationError
from mailframe.names import decode_name, showable

PathOption: TypeAlias = str | os.PathLike[str]
PathsOption: TypeAlias = PathOption | Iterable[PathOption]

# RuntimeError is what zipfile says of encrypted members and of methods it does not know.
DAMAGE = (OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)

_ZIP = b"PK\x03\x04"
_OPENERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_UNDECODED = re.compile("[\udc80-\udcff]")
_COMPRESSED = {".gz", ".bz2", ".xz", ".zip"}


class Stream(NamedTuple):
    """An open stream.

    Attributes
    ----------
    readinto : callable
        Fills the beginning of a buffer with the next octets, decompressed, and gives their number:
        0 at the end.
    tell : callable
        Gives how many octets of `Part.size` are consumed.
    """

    readinto: Callable[[memoryview], int]
    tell: Callable[[], int]


@dataclass(frozen=True)
class Part:
    """One stream of mail: a file, or a member of a zip.

    Attributes
    ----------
    path : Path
        The file.
    member : str or None
        The name inside of the zip.
    size : int
        Octets that reading it consumes, as progress counts them.
    """

    path: Path
    member: str | None
    size: int

    @property
    def stem(self) -> str:
        """The name without the suffixes that say how it is stored."""
        name = PurePosixPath(self.member or self.path.name)
        if name.name == "mbox" and self.path.parent.suffix == ".mbox":  # as Apple Mail exports
            name = PurePosixPath(self.path.parent.name)
        if name.suffix.lower() in _COMPRESSED:
            name = name.with_suffix("")
        return name.stem if name.suffix.lower() == ".mbox" else name.name

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the stream."""
        if self.member is not None:
            with open_zip(self.path) as archive, archive.open(self.member) as member:
                yield Stream(cast("zipfile.ZipExtFile", member).readinto1, member.tell)
            return
        magic = _magic(self.path)
        opener = next((o for m, o in _OPENERS.items() if magic.startswith(m)), None)
        with self.path.open("rb", buffering=0) as raw:
            # readinto1 gives what there is before the error that a truncated file ends in.
            readinto = opener(raw).readinto1 if opener else raw.readinto
            yield Stream(readinto, raw.tell)

    def head(self, n: int) -> bytes:
        """Read the first octets, fewer where the stream ends or is damaged before.

        Raises
        ------
        ConfigurationError
            Not even the first can be read.
        """
        data = bytearray(n)
        size = 0
        try:
            with self.open() as stream, memoryview(data) as view:
                while size < n and (count := stream.readinto(view[size:])):
                    size += count
        except DAMAGE as error:
            if not size:
                raise ConfigurationError(f"{self} cannot be read: {error}") from error
        return bytes(data[:size])

    def __str__(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)


def parts(path: Path, suffix: str) -> list[Part]:
    """Give the streams that a file holds: itself, or the members of a zip with this suffix."""
    if not is_zip(path):
        return [Part(path, None, path.stat().st_size)]
    with open_zip(path) as archive:
        return [
            Part(path, info.filename, info.file_size)
            for info in archive.infolist()
            if info.filename.lower().endswith(suffix)
        ]


def is_zip(path: Path) -> bool:
    """Tell whether a file is a zip archive.

    Raises
    ------
    ConfigurationError
        It cannot be read.
    """
    try:
        return _magic(path).startswith(_ZIP)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive.

    Raises
    ------
    ConfigurationError
        It is damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ConfigurationError(f"{path} is not a whole zip archive: {error}") from error


def _magic(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(8)


def label(paths: Sequence[Path]) -> str:
    """Name an account after its path, or after the folder that holds all of its paths."""
    return shown(Path(os.path.commonpath([path.resolve() for path in paths])).name) or "/"


def shown(name: str) -> str:
    """Make a name on the disk or in a zip fit for a cell.

    Where octets could not be decoded as the locale has it, all of them are decoded anew.
    """
    return decode_name(os.fsencode(name)) if _UNDECODED.search(name) else showable(name)


def expand(paths: PathsOption) -> list[Path]:
    """Give the files and folders that paths and globs name, all of which exist.

    Raises
    ------
    ConfigurationError
        A path or glob names nothing.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: list[Path] = []
    for one in given:
        path = Path(one).expanduser()
        if path.exists():
            found.append(path)
        elif has_magic(str(path)):
            # Path.glob would refuse an absolute pattern.
            matches = sorted(glob(str(path), recursive=True))  # noqa: PTH207 -- see above
            if not matches:
                raise ConfigurationError(f"{one}: no file matches this pattern")
            found.extend(map(Path, matches))
        else:
            raise ConfigurationError(f"{one}: there is no such file or folder")
    if not found:
        raise ConfigurationError("no path was given")
    return found
