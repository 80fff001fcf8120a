"""Files as streams of octets: plain, encoded as a whole, or members of a zip.

What is damaged ends early: ``DAMAGE`` names the errors that a stream may raise while it is read.
Nothing here waits: a pipe or a device among files is told of, as it never ends.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple, TypeAlias, cast

from mailframe.errors import ConfigurationError
from mailframe.ground.names import decode_name, showable
from mailframe.sources.unwrap import SIGN, decoder_of
from mailframe.sources.zips import open_mended

if TYPE_CHECKING:
    import io

PathOption: TypeAlias = str | os.PathLike[str]
PathsOption: TypeAlias = PathOption | Iterable[PathOption]

# RuntimeError is what zipfile says of encrypted members and of methods it does not know; the names
# and numbers in an archive are errors of value to it, or of struct.
DAMAGE = (
    *(OSError, EOFError, RuntimeError, ValueError, struct.error),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)

_ONE = (str, bytes, os.PathLike)
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_TOPICS = "topics.mbox"  # what Takeout calls every Google group; its folder has the name
_UNDECODED = re.compile("[\udc80-\udcff]")
_STORED = {".gz", ".bz2", ".xz", ".zst", ".zip"}
_NO_FILE = "it is a pipe or a device; save what it gives to a file"


class Stream(NamedTuple):
    """An open stream.

    Attributes
    ----------
    readinto : callable
        Fills the beginning of a buffer with the next octets, decoded, and gives their number: 0 at
        the end.
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
    size : int
        Octets that reading it consumes, as progress counts them.
    archive : ZipFile or None
        The open zip, shared by its members.
    entry : ZipInfo or None
        The member: an entry and not its name, which several may have.
    """

    path: Path
    size: int
    archive: zipfile.ZipFile | None = None
    entry: zipfile.ZipInfo | None = None

    @property
    def name(self) -> str:
        """The name in the zip, or the file's."""
        return self.entry.filename if self.entry else self.path.name

    @property
    def stem(self) -> str:
        """The name without the suffixes that say how it is stored."""
        name = PurePosixPath(self.name)
        if name.name == "mbox" and self.path.parent.suffix == ".mbox":  # as Apple Mail exports
            name = PurePosixPath(self.path.parent.name)
        elif name.name == _TOPICS:
            return name.parent.name if self.entry else self.path.parent.name
        name = PurePosixPath(stored_as(name.name))
        return name.stem if name.suffix.lower() == ".mbox" else name.name

    @contextmanager
    def raw(self) -> Iterator[IO[bytes]]:
        """Open the file or member as it is stored."""
        if self.archive and self.entry:
            with self.archive.open(self.entry) as member:
                yield member
        else:
            with open_file(self.path) as stream:
                yield stream

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the stream."""
        with self.raw() as raw:
            decoder = decoder_of(raw.read(SIGN))
            raw.seek(0)
            # readinto1 gives what there is before the error that a truncated file ends in.
            if decoder:
                readinto = decoder(raw).readinto1
            else:
                readinto = getattr(raw, "readinto1", None) or cast("io.FileIO", raw).readinto
            yield Stream(readinto, raw.tell)

    def missing(self) -> int:
        """Count the octets that somebody took from the file's end since it was found."""
        return 0 if self.entry else max(self.size - self.path.stat().st_size, 0)

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
                raise ConfigurationError(f"{self} cannot be read: {reason(error)}") from error
        return bytes(data[:size])

    def __str__(self) -> str:
        return f"{self.path}/{self.entry.filename}" if self.entry else str(self.path)


def open_file(path: PathOption) -> IO[bytes]:
    """Open a file, unbuffered.

    Raises
    ------
    OSError
        It cannot be opened, or is a pipe or a device, which might never end.
    """
    stream = open(path, "rb", buffering=0, opener=_without_waiting)  # noqa: SIM115 -- a Path costs more
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(0, _NO_FILE, os.fspath(path))
    return stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def reason(error: BaseException) -> str:
    """Say what an error says, without the path that an OSError repeats."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def stored_as(name: str) -> str:
    """Take off what a name ends in where it is compressed: ``x.eml.gz`` is ``x.eml``."""
    root, suffix = os.path.splitext(name)  # noqa: PTH122 -- a Path costs more
    return root if suffix.lower() in _STORED else name


def parts(path: Path, is_wanted: Callable[[str], bool]) -> list[Part]:
    """Give the streams that a file holds: itself, or the members of a zip with a wanted name.

    Raises
    ------
    ConfigurationError
        It cannot be read.
    """
    if not is_zip(path):
        return [Part(path, path.stat().st_size)]
    archive = _open_zip(path)
    return [
        Part(path, entry.file_size, archive, entry)
        for entry in archive.infolist()
        if is_wanted(entry.filename)
    ]


def is_zip(path: Path) -> bool:
    """Tell whether a file is a zip archive.

    Raises
    ------
    ConfigurationError
        It cannot be read.
    """
    try:
        with open_file(path) as stream:
            return stream.read(SIGN).startswith((_ZIP, _EMPTY_ZIP))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {reason(error)}") from error


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        try:
            return zipfile.ZipFile(path)
        except (UnicodeDecodeError, NotImplementedError):  # what it says of one of its members
            return open_mended(path)
    except DAMAGE as error:
        raise ConfigurationError(f"{path} is not a whole zip archive: {reason(error)}") from error


def walk(
    root: PathOption, unread: Callable[[OSError], object]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk a folder as `os.walk` does, in the order of names; what cannot be read is told of."""
    for folder, below, names in os.walk(root, onerror=unread):
        below.sort()
        yield folder, below, names


def label(paths: Sequence[Path]) -> str:
    """Name an account after its path, or after the folder that holds all of its paths."""
    common = os.path.commonpath([os.path.realpath(path) for path in paths])
    return shown(Path(common).name) or "/"


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
        A path or glob names nothing, or nothing that could be read.
    """
    given = [paths] if isinstance(paths, _ONE) or not isinstance(paths, Iterable) else list(paths)
    found: list[Path] = []
    for one in given:
        path = as_path(one)
        if exists(path):
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


def as_path(given: object) -> Path:
    """Take a path of any type; ``~`` is the home.

    Raises
    ------
    ConfigurationError
        It is no path.
    """
    try:
        return Path(os.fsdecode(cast("str", given))).expanduser()
    except TypeError:
        raise ConfigurationError(f"{given!r} is no path; pass a str or a Path") from None
    except RuntimeError as error:
        raise ConfigurationError(f"{given}: {error}") from error


def exists(path: Path) -> bool:
    """Tell whether a path names a file or a folder.

    Raises
    ------
    ConfigurationError
        It names what cannot be read: a loop of links, or a pipe.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        name = str(path)
        shown_name = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
        raise ConfigurationError(f"{shown_name} cannot be read: {reason(error)}") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ConfigurationError(f"{path} cannot be read: {_NO_FILE}")
    return True


_LONGEST_NAME = 200  # of a path, in an error
