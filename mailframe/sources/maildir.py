"""Maildir (D. J. Bernstein) with Courier's Maildir++ folders, or folders in folders.

A message is a file in ``cur`` or ``new``; its name ends in its flags. Nothing is moved or renamed,
and ``tmp`` is left alone. Dovecot's ``dovecot-keywords`` gives the keywords their names.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mailframe.errors import ConfigurationError
from mailframe.ground.names import decode_mailbox
from mailframe.sources.arrival import internaldate
from mailframe.sources.files import as_path, exists, label, open_file, reason, shown, walk
from mailframe.sources.onefile import FileReading
from mailframe.sources.reading import Message, Options, Reading, to_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from mailframe.ground.progress import ProgressOption
    from mailframe.sources.files import PathOption
    from mailframe.sources.reading import ErrorsOption, Keywords

# The colon is not allowed in file names everywhere, so other characters stand for it. What looks
# like it before the end is a part of a host's name, or a second program's.
_INFO = re.compile(r"[^0-9A-Za-z.,=]2,([A-Za-z]*)\Z")
# The size with CRLF line ends, which IMAP serves as RFC822.SIZE, where the writer noted it.
_SIZE = re.compile(r",W=(\d{1,18})(?!\d)")
_FLAGS = {
    "D": rb"\Draft",
    "F": rb"\Flagged",
    "P": b"$Forwarded",
    "R": rb"\Answered",
    "S": rb"\Seen",
    "T": rb"\Deleted",
}
_KEYWORD = re.compile(rb"([0-9]{1,2})[ \t]+(\S.*)")
_LONGEST_KEYWORDS = 1 << 16  # 26 names
_PLACES = ("cur", "new")


def read_maildir(
    path: PathOption,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of a Maildir and all its folders into a DataFrame.

    Parameters
    ----------
    path : path
        The folder that holds ``cur`` and ``new``, or folders that do.
    headers, raw_headers, attachments, errors, progress
        As for `mailframe.read_mbox`; progress counts messages.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the path's name; ``folder`` is INBOX,
        a Maildir++ name without its first dot, or a relative path; ``uid`` the place in the order
        of file names, from 1 in each folder; ``internaldate`` the file's modification time, as
        Dovecot and Courier keep it; ``size`` is what its name tells (``W=``, as Dovecot serves it),
        or the file's.

    Raises
    ------
    ConfigurationError
        The path is no folder, or there is no Maildir in it.
    MailframeError
        A message cannot be read, and ``errors="raise"``.
    """
    return to_frame(
        MaildirReading(as_path(path), Options(headers, raw_headers, errors, progress, attachments))
    )


def iter_maildir(path: PathOption, **options: Unpack[Keywords]) -> Reading:
    """Stream a Maildir as record batches; parameters and columns as of `read_maildir`."""
    return MaildirReading(as_path(path), Options(**options))


class MaildirReading(FileReading):
    """The messages of a Maildir, folder by folder."""

    kind = "maildir"

    def __init__(self, path: Path, options: Options) -> None:
        if not exists(path):
            raise ConfigurationError(f"{path} is not a Maildir: there is no such folder")
        if not path.is_dir():
            raise ConfigurationError(f"{path} is not a Maildir: read_mbox takes files")
        super().__init__(label([path]), options)
        self._root = path
        folders = list(maildir_folders(path, self.note_unread))
        if not folders:
            why = "no 'cur' and no 'new' in it"
            if self.unread:
                why = reason(self.unread[0])
            raise ConfigurationError(f"{path} is not a Maildir: {why}")
        self.report["arrival"] = "file"  # what INTERNALDATE was made of, for `df.mail`
        self._folders = sorted(_told_apart(path, folders))

    def total(self) -> int:
        """Give the number of messages."""
        return sum(1 for _, path in self._folders for _ in _names(path, lambda _: None))

    def found(self) -> Iterator[Message]:
        """Yield the messages of each folder, in the order of their files' names."""
        for folder, path in self._folders:
            keywords = _keywords(path)
            renamed = _Renamed(path)
            for uid, (name, place) in enumerate(sorted(_names(path, self.note_unread)), 1):
                message = self._message(folder, uid, f"{path}/{place}/{name}", keywords, renamed)
                if message:
                    yield message
                self.advance(1)

    def _message(
        self, folder: str, uid: int, path: str, keywords: dict[str, bytes], renamed: _Renamed
    ) -> Message | None:
        try:
            try:
                stream = open_file(path)
            except FileNotFoundError:
                path = renamed.now(path)
                stream = open_file(path)
        except OSError as error:
            self.unreadable(folder, path, error)
            return None
        with stream:
            status = os.fstat(stream.fileno())
            block = self.block(folder, path, stream)
        name = path[path.rfind("/") :]
        flags = _flags(name, keywords)
        sent = _SIZE.search(name)
        size = int(sent[1]) if sent else status.st_size if block.size is None else block.size
        arrived = internaldate(status.st_mtime)
        return Message(folder, uid, flags, arrived, size, block.header, block.parts)


class _Renamed:
    """Where messages went while they were read: a flag that changes gives the file a new name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._paths: dict[str, str] = {}

    def now(self, path: str) -> str:
        """Give the present path of a message, or the path as it is, if it is gone."""
        unique = _unique(path.rpartition("/")[2])
        found = self._paths.get(unique)
        # Listed anew only where a message moved since: to mark all as read costs one listing.
        if found is None or not os.path.lexists(found):
            self._paths = {
                _unique(name): f"{self._path}/{place}/{name}"
                for name, place in _names(self._path, lambda _: None)
            }
        return self._paths.get(unique, path)


def _unique(name: str) -> str:
    """Give the part of a file's name that stays."""
    return _INFO.sub("", name)


def maildir_folders(
    root: Path, unread: Callable[[OSError], object] = lambda _: None
) -> Iterator[tuple[str, Path]]:
    """Yield the name as shown and the path of each folder at or below a path."""
    for path, below, _ in walk(root, unread):
        is_folder = any(place in below for place in _PLACES)
        if is_folder:
            below[:] = [name for name in below if name not in {*_PLACES, "tmp"}]
            relative = Path(path).relative_to(root).parts
            yield (
                "/".join(_shown(part.removeprefix(".")) for part in relative) or "INBOX",
                Path(path),
            )


def _told_apart(root: Path, folders: list[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    """Give each folder a name of its own: ".a" and "a" would be shown alike.

    They are named by their paths instead, but for the Maildir itself, and numbered where not even
    those can be told apart.
    """
    names = Counter(name for name, _ in folders)
    taken = {name for name, path in folders if names[name] == 1 or path == root}
    for name, path in sorted(folders):
        own = name
        if names[name] > 1 and path != root:
            place = shown(path.relative_to(root).as_posix())
            numbered = (f"{place} ({number})" for number in count(2))
            own = next(free for free in chain([place], numbered) if free not in taken)
            taken.add(own)
        yield own, path


def _shown(part: str) -> str:
    return decode_mailbox(shown(part).encode())


def _names(path: Path, unread: Callable[[OSError], object]) -> Iterator[tuple[str, str]]:
    """Yield each message's file name, and ``cur`` or ``new``."""
    for place in _PLACES:
        try:
            with os.scandir(path / place) as entries:
                yield from ((e.name, place) for e in entries if not e.name.startswith("."))
        except FileNotFoundError:
            pass  # one of the two is enough
        except OSError as error:
            unread(error)


def _keywords(path: Path) -> dict[str, bytes]:
    """Read which letter means which keyword; lines are ``number name``, 0 is the letter a."""
    try:
        with open_file(path / "dovecot-keywords") as stream:
            lines = stream.read(_LONGEST_KEYWORDS).splitlines()
    except OSError:
        return {}
    pairs = (match.groups() for match in map(_KEYWORD.fullmatch, lines) if match)
    return {
        chr(ord("a") + int(number)): name
        for number, name in pairs
        if int(number) < 26  # noqa: PLR2004 -- a to z
    }


def _flags(name: str, keywords: dict[str, bytes]) -> bytes:
    info = _INFO.search(name)
    letters = info[1] if info else ""
    named = ((_FLAGS.get(letter) or keywords.get(letter)) for letter in letters)
    return b" ".join(flag for flag in named if flag)
