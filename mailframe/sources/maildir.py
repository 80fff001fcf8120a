"""Maildir (D. J. Bernstein) with Courier's Maildir++ folders, or folders in folders.

A message is a file in ``cur`` or ``new``; its name ends in its flags. Nothing is moved or renamed,
and ``tmp`` is left alone. Dovecot's ``dovecot-keywords`` gives the keywords their names.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mailframe.errors import ConfigurationError
from mailframe.names import decode_mailbox
from mailframe.sources.files import label, shown
from mailframe.sources.headerblock import read_message
from mailframe.sources.reading import Message, Options, Reading, to_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from mailframe.progress import ProgressOption
    from mailframe.sources.files import PathOption
    from mailframe.sources.reading import ErrorsOption, Keywords

# The colon is not allowed in file names everywhere, so other characters stand for it.
_INFO = re.compile(r"[:;!-]2,([A-Za-z]*)")
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
_PLACES = ("cur", "new")
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def read_maildir(
    path: PathOption,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of a Maildir and all its folders into a DataFrame.

    Parameters
    ----------
    path : path
        The folder that holds ``cur`` and ``new``, or folders that do.
    headers, raw_headers, errors, progress
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
    return to_frame(MaildirReading(Path(path), Options(headers, raw_headers, errors, progress)))


def iter_maildir(path: PathOption, **options: Unpack[Keywords]) -> Reading:
    """Stream a Maildir as record batches; parameters and columns as of `read_maildir`."""
    return MaildirReading(Path(path), Options(**options))


class MaildirReading(Reading):
    """The messages of a Maildir, folder by folder."""

    kind = "maildir"
    unit = "messages"

    def __init__(self, path: Path, options: Options) -> None:
        root = path.expanduser()
        if not root.is_dir():
            hint = "read_mbox takes files" if root.exists() else "there is no such folder"
            raise ConfigurationError(f"{root} is not a Maildir: {hint}")
        folders = list(maildir_folders(root))
        if not folders:
            raise ConfigurationError(f"{root} is not a Maildir: no 'cur' and no 'new' in it")
        self._folders = list(_told_apart(root, folders))
        super().__init__(label([root]), options)

    def total(self) -> int:
        """Give the number of messages."""
        return sum(1 for _, path in self._folders for _ in _names(path))

    def messages(self) -> Iterator[Message]:
        """Yield the messages of each folder, in the order of their files' names."""
        for folder, path in sorted(self._folders):
            keywords = _keywords(path)
            for uid, (name, place) in enumerate(sorted(_names(path)), 1):
                message = self._message(folder, uid, f"{path}/{place}/{name}", keywords)
                if message:
                    yield message
                self.advance(1)

    def _message(
        self, folder: str, uid: int, path: str, keywords: dict[str, bytes]
    ) -> Message | None:
        try:
            status, _, header = read_message(path)
        except OSError as error:
            self.problem(folder, error, f"{path} cannot be read: {error.strerror}")
            return None
        name = path[path.rfind("/") :]
        flags = _flags(name, keywords)
        sent = _SIZE.search(name)
        size = int(sent[1]) if sent else status.st_size
        return Message(folder, uid, flags, _internaldate(status.st_mtime), size, header)


def maildir_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name as shown and the path of each folder at or below a path."""
    for path, below, _ in os.walk(root):
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


def _names(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each message's file name, and ``cur`` or ``new``."""
    for place in _PLACES:
        if (path / place).is_dir():
            with os.scandir(path / place) as entries:
                yield from (
                    (e.name, place)
                    for e in entries
                    # Opening a pipe would wait for somebody who writes to it.
                    if not e.name.startswith(".") and (e.is_file() or e.is_dir() or e.is_symlink())
                )


def _keywords(path: Path) -> dict[str, bytes]:
    """Read which letter means which keyword; lines are ``number name``, 0 is the letter a."""
    try:
        lines = (path / "dovecot-keywords").read_bytes().splitlines()
    except OSError:
        return {}
    pairs = (line.split(maxsplit=1) for line in lines)
    return {
        chr(ord("a") + int(pair[0])): pair[1]
        for pair in pairs
        if len(pair) == 2 and pair[0].isdigit() and int(pair[0]) < 26  # noqa: PLR2004 -- a to z
    }


def _flags(name: str, keywords: dict[str, bytes]) -> bytes:
    info = _INFO.search(name)
    letters = info[1] if info else ""
    named = ((_FLAGS.get(letter) or keywords.get(letter)) for letter in letters)
    return b" ".join(flag for flag in named if flag)


def _internaldate(seconds: float) -> bytes:
    try:
        when = time.gmtime(seconds)
    except (OverflowError, ValueError, OSError):
        return b""
    month = _MONTHS[when.tm_mon - 1]
    clock = (when.tm_hour, when.tm_min, when.tm_sec)
    return b"%02d-%s-%04d %02d:%02d:%02d +0000" % (when.tm_mday, month, when.tm_year, *clock)
