"""Single messages: ``.eml`` files, MH folders, and zip archives of them."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources.files import DAMAGE, expand, is_zip, label, open_zip, shown
from mailframe.sources.flags import header_flags
from mailframe.sources.headerblock import read_header, read_message
from mailframe.sources.reading import Message, Options, Reading, to_frame

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from mailframe.progress import ProgressOption
    from mailframe.sources.files import PathsOption
    from mailframe.sources.reading import ErrorsOption, Keywords

_SUFFIX = ".eml"
_NUMBER = re.compile(r"[0-9]+")


def read_eml(
    paths: PathsOption,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of single messages into a DataFrame.

    Parameters
    ----------
    paths : path, glob, or iterable of them
        Messages; folders, of which all ``.eml`` files and numbered files (MH) are taken, at any
        depth; or zip archives of ``.eml`` files.
    headers, raw_headers, errors, progress
        As for `mailframe.read_mbox`; progress counts messages.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the path's name; ``folder`` the path
        of the message's folder, from the name of the folder or zip that was given; ``uid`` counts
        from 1 in each folder, in the order of paths; ``internaldate`` is empty unless the file
        begins with a From line; ``size`` is the file's.

    Raises
    ------
    ConfigurationError
        A path names nothing, or there is no message in it.
    MailframeError
        A message cannot be read, and ``errors="raise"``.
    """
    return to_frame(EmlReading(expand(paths), Options(headers, raw_headers, errors, progress)))


def iter_eml(paths: PathsOption, **options: Unpack[Keywords]) -> Reading:
    """Stream single messages as record batches; parameters and columns as of `read_eml`."""
    return EmlReading(expand(paths), Options(**options))


class EmlReading(Reading):
    """The messages of files, folders and zip archives, in the order given."""

    kind = "eml"
    unit = "messages"

    def __init__(self, paths: list[Path], options: Options) -> None:
        self._paths = paths
        self._total = sum(1 for path in paths for _ in _find(path))
        if not self._total:
            raise ConfigurationError(f"no .eml file in {', '.join(map(str, paths))}")
        super().__init__(label(paths), options)

    def total(self) -> int:
        """Give the number of messages."""
        return self._total

    def messages(self) -> Iterator[Message]:
        """Yield the messages."""
        uids: Counter[str] = Counter()
        for found in (found for path in self._paths for found in _find(path)):
            folder = found.folder
            uids[folder] += 1
            try:
                size, internaldate, header = found.read()
            except DAMAGE as error:
                self.problem(folder, error, f"{found.name} cannot be read: {error}")
            else:
                flags = header_flags(header)
                yield Message(folder, uids[folder], flags, internaldate, size, header)
            self.advance(1)


class _Found(NamedTuple):
    """A message that is there: a file, or a member of an open zip archive."""

    folder: str
    name: str
    archive: zipfile.ZipFile | None = None

    def read(self) -> tuple[int, bytes, bytes]:
        """Give size, internal date and header block."""
        if self.archive:
            with self.archive.open(self.name) as member:
                return (self.archive.getinfo(self.name).file_size, *read_header(member.read))
        status, internaldate, header = read_message(self.name)
        return status.st_size, internaldate, header


def _is_message(path: str) -> bool:
    """Tell whether a file is a message by its name: ``.eml``, or a number as in MH folders."""
    name = PurePosixPath(path).name
    if name.startswith("._"):
        return False  # what macOS packs beside each file
    return name.lower().endswith(_SUFFIX) or _NUMBER.fullmatch(name) is not None


def _order(path: str) -> tuple[str, int, str, str]:
    """Order messages by folder, then by name, then by number: however long, it is never an int."""
    folder, _, name = path.rpartition("/")
    if not _NUMBER.fullmatch(name):
        return folder, -1, "", name
    digits = name.lstrip("0")
    return folder, len(digits), digits, name


def _find(path: Path) -> Iterator[_Found]:
    """Yield the messages at or below a path; nothing is kept, whatever their number."""
    if path.is_dir():
        root = path.resolve()
        for folder, below, names in os.walk(root):
            below.sort()
            place = shown(Path(folder).relative_to(root.parent).as_posix())
            for name in sorted(filter(_is_message, names), key=_order):
                yield _Found(place, os.path.join(folder, name))  # noqa: PTH118 -- a Path costs more
    elif is_zip(path):
        with open_zip(path) as archive:
            for name in sorted(filter(_is_message, archive.namelist()), key=_order):
                place = shown(PurePosixPath(path.stem, name).parent.as_posix())
                yield _Found(place, name, archive)
    else:
        yield _Found(shown(path.resolve().parent.name), str(path))
