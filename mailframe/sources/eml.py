"""Single messages: ``.eml``, ``.emlx`` and ``.msg`` files, MH folders, and zip archives of them.

MH keeps flags beside the messages, in ``.mh_sequences``: lines such as ``unseen: 2 5-9``.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources import emlx, outlook
from mailframe.sources.files import (
    DAMAGE,
    Part,
    expand,
    is_zip,
    label,
    open_file,
    parts,
    reason,
    shown,
    stored_as,
    walk,
)
from mailframe.sources.flags import header_flags
from mailframe.sources.headerblock import has_field
from mailframe.sources.mhsequences import Sequences
from mailframe.sources.onefile import FileReading
from mailframe.sources.reading import Message, Options, Reading, to_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from mailframe.ground.progress import ProgressOption
    from mailframe.sources.files import PathsOption
    from mailframe.sources.reading import ErrorsOption, Keywords

_SUFFIXES = (".eml", emlx.SUFFIX, outlook.MSG_SUFFIX)
_NUMBER = re.compile(r"[0-9]+")


def read_eml(
    paths: PathsOption,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of single messages into a DataFrame.

    Parameters
    ----------
    paths : path, glob, or iterable of them
        Messages; folders, of which all ``.eml``, ``.emlx`` and ``.msg`` files and numbered files
        (MH) are taken, at any depth; or zip archives of them. Outlook's ``.msg`` needs
        ``pip install "mailframe[pst]"``.
    headers, raw_headers, attachments, errors, progress
        As for `mailframe.read_mbox`; progress counts messages.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the path's name; ``folder`` the path
        of the message's folder, from the name of the folder or zip that was given; ``uid`` counts
        from 1 in each folder, in the order of paths; ``internaldate`` is that of a From line, else
        the date of the newest Received, where that header was asked for, else empty; ``size`` is
        the file's. Flags come from header fields, from
        ``.mh_sequences`` and from what Apple Mail keeps in ``.emlx``.

    Raises
    ------
    ConfigurationError
        A path names nothing, or there is no message in it.
    MailframeError
        A message cannot be read, and ``errors="raise"``.
    """
    return to_frame(
        EmlReading(expand(paths), Options(headers, raw_headers, errors, progress, attachments))
    )


def iter_eml(paths: PathsOption, **options: Unpack[Keywords]) -> Reading:
    """Stream single messages as record batches; parameters and columns as of `read_eml`."""
    return EmlReading(expand(paths), Options(**options))


class EmlReading(FileReading):
    """The messages of files, folders and zip archives, in the order given."""

    kind = "eml"

    def __init__(self, paths: list[Path], options: Options) -> None:
        self._paths = paths
        unread: list[Exception] = []
        self._total = sum(1 for path in paths for _ in self.find(path, unread.append))
        if not self._total:
            names = ", ".join(map(str, paths))
            if unread:
                raise ConfigurationError(f"{names} cannot be read: {reason(unread[0])}")
            raise ConfigurationError(self.nothing.format(names))
        super().__init__(label(paths), options)

    nothing = "no .eml, .emlx or .msg file in {}, and none with a number for its name, as in MH"

    def total(self) -> int:
        """Give the number of messages."""
        return self._total

    def find(self, path: Path, unread: Callable[[OSError], object]) -> Iterator[Found]:
        """Yield the messages at or below a path; nothing is kept, whatever their number."""
        return find(path, unread)

    def found(self) -> Iterator[Message]:
        """Yield the messages."""
        uids: Counter[str] = Counter()
        self._sequences = Sequences()
        for found in (f for path in self._paths for f in self.find(path, self.note_unread)):
            uids[found.folder] += 1
            try:
                with found.open() as (stream, size):
                    message = self._message(found, uids[found.folder], stream, size)
            except DAMAGE as error:
                self.unreadable(found.folder, found.name, error)
            else:
                # A file in a folder may have a number for its name, and be no message.
                if found.named or has_field(message.header):
                    yield message
            self.advance(1)

    def _message(self, found: Found, uid: int, stream: IO[bytes], size: int) -> Message:
        folder = found.folder
        if stored_as(found.name).lower().endswith(emlx.SUFFIX):
            read = emlx.read_emlx(stream, size, parts=self._options.attachments)
            if read:
                self.judge(folder, found.name, read.block)
                if read.flags is None:
                    text = f"the flags of {found.name} cannot be read: no property list ends it"
                    self.problem(folder, "PropertyList", text)
                block = read.block
                told = (block.internaldate, read.size, block.header, block.parts)
                return Message(folder, uid, read.flags or b"", *told)
            stream.seek(0)
        elif outlook.begins_msg(stream):
            block, flags = outlook.read_msg(stream, parts=self._options.attachments)
            return Message(folder, uid, flags, block.internaldate, size, block.header, block.parts)
        block = self.block(folder, found.name, stream)
        flags = header_flags(block.header)
        if not found.named and found.part is None:
            flags = self._sequences.joined(found.name, flags)
        size = size if block.size is None else block.size
        return Message(folder, uid, flags, block.internaldate, size, block.header, block.parts)


class Found(NamedTuple):
    """A message that is there: a file, or a member of an open zip archive."""

    folder: str
    name: str
    part: Part | None = None
    named: bool = False  # by the caller, not found in a folder or archive

    @contextmanager
    def open(self) -> Iterator[tuple[IO[bytes], int]]:
        """Give it as a stream, and its size."""
        if self.part:
            with self.part.raw() as stream:
                yield stream, self.part.size
        else:
            with open_file(self.name) as stream:
                yield stream, os.fstat(stream.fileno()).st_size


def is_message_name(path: str) -> bool:
    """Tell whether a file is a message by its name: ``.eml``, or a number as in MH folders."""
    name = path.rpartition("/")[2]
    if name.startswith("._"):
        return False  # what macOS packs beside each file
    return _NUMBER.fullmatch(name) is not None or stored_as(name).lower().endswith(_SUFFIXES)


def _order(path: str) -> tuple[str, int, str, str]:
    """Order messages by folder, then by name, then by number: however long, it is never an int."""
    folder, _, name = path.rpartition("/")
    if not _NUMBER.fullmatch(name):
        return folder, -1, "", name
    digits = name.lstrip("0")
    return folder, len(digits), digits, name


def find(path: Path, unread: Callable[[OSError], object]) -> Iterator[Found]:
    """Yield the messages at or below a path; nothing is kept, whatever their number."""
    if path.is_dir():
        root = os.path.realpath(path)
        above = os.path.dirname(root)  # noqa: PTH120 -- a Path costs more
        for folder, _, names in walk(root, unread):
            place = shown(Path(folder).relative_to(above).as_posix())
            for name in sorted(filter(is_message_name, names), key=_order):
                yield Found(place, os.path.join(folder, name))  # noqa: PTH118 -- a Path costs more
    elif is_zip(path):
        for part in sorted(parts(path, is_message_name), key=lambda part: _order(part.name)):
            place = shown(PurePosixPath(path.stem, part.name).parent.as_posix())
            yield Found(place, part.name, part)
    else:
        yield Found(shown(Path(os.path.realpath(path)).parent.name), str(path), named=True)
