"""Thunderbird as it lies on a disk: profiles, in them servers, in them folders.

A folder is an mbox file (or a Maildir) with an index ``.msf`` beside it, and ``NAME.sbd`` holds the
folders inside of it. The index is not read: flags are in header fields of the mail itself,
``X-Mozilla-Status`` and its kin. ``profiles.ini`` says where profiles are, and a profile's
``prefs.js`` which servers keep their mail elsewhere.
"""

from __future__ import annotations

import os
import re
import sys
from codecs import BOM_UTF8
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources.files import Part, as_path, exists, label, open_file, shown
from mailframe.sources.flags import header_flags, is_expunged
from mailframe.sources.mbox import MboxReading
from mailframe.sources.reading import Message, Options, Reading, to_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from mailframe.ground.progress import ProgressOption
    from mailframe.sources.files import PathOption
    from mailframe.sources.reading import ErrorsOption, Keywords
    from mailframe.sources.split import Piece

_STORES = ("Mail", "ImapMail")
_INDEX, _BELOW = ".msf", ".sbd"
_UNFINISHED = "nstmp"  # what a compaction was about to write
# Windows, macOS, and Linux as it is, as a snap and as a flatpak.
_HOMES = {
    "win32": ["~/AppData/Roaming/Thunderbird"],
    "darwin": ["~/Library/Thunderbird"],
}
_LINUX = [
    "~/.thunderbird",
    "~/snap/thunderbird/common/.thunderbird",
    "~/.var/app/org.mozilla.Thunderbird/.thunderbird",
]
_DIRECTORY = re.compile(rb'user_pref\("mail\.server\.server\d+\.directory", "((?:[^"\\]|\\.)*)"\);')
_HEAD = 64
_PREFERENCES = "prefs.js"
_LONGEST_PREFERENCES = 1 << 24


def read_thunderbird(
    profile: PathOption | None = None,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of the mail that Thunderbird keeps into a DataFrame.

    Parameters
    ----------
    profile : path, optional
        A profile's folder or name, or a server's or other folder in it; by default every profile
        of this user that holds mail. IMAP folders are there as far as Thunderbird keeps their mail
        for use offline.
    headers, raw_headers, attachments, errors, progress
        As for `mailframe.read_mbox`; progress counts octets.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the profile's name, ``folder`` the
        server's and the folder's, such as ``"imap.example.org/INBOX/Work"``; ``uid`` the message's
        place in its folder from 1. Flags come from X-Mozilla-Status and X-Mozilla-Status2, keywords
        from X-Mozilla-Keys. Messages that are deleted and not compacted yet are left out;
        ``df.attrs["mailframe"]["expunged"]`` counts them.

    Raises
    ------
    ConfigurationError
        There is no profile, or no mail in it.
    MailframeError
        A folder cannot be read, and ``errors="raise"``.
    """
    return to_frame(
        open_thunderbird(profile, Options(headers, raw_headers, errors, progress, attachments))
    )


def iter_thunderbird(profile: PathOption | None = None, **options: Unpack[Keywords]) -> Reading:
    """Stream Thunderbird as record batches; parameters and columns as of `read_thunderbird`."""
    return open_thunderbird(profile, Options(**options))


def open_thunderbird(profile: PathOption | None, options: Options) -> Reading:
    """Find the mail; what is asked is checked here."""
    profiles = _profiles()
    if profile is None:
        roots = [path for path in profiles.values() if _stores(path)]
        if not roots:
            homes = ", ".join(_homes())
            raise ConfigurationError(
                f"no profile of Thunderbird with mail in {homes}; name one by its folder"
            )
        return ThunderbirdReading(roots, options)
    path = as_path(profile)
    if not exists(path):
        named = profiles.get(str(profile))
        if named is None:
            known = f"; known are {', '.join(profiles)}" if profiles else ""
            raise ConfigurationError(
                f"{profile} is neither a folder nor the name of a profile of Thunderbird{known}"
            )
        path = named
    return ThunderbirdReading([path], options)


def is_thunderbird(path: Path) -> bool:
    """Tell whether a folder is a profile of Thunderbird, or a part of one."""
    if not path.is_dir():
        return False
    servers = _stores(path)
    if servers and (path / _PREFERENCES).exists():
        return True
    return any(_has_index(folder) for folder in [path, *servers, *_servers(path)])


class _Folder(NamedTuple):
    """A folder of mail: an mbox file, or a Maildir."""

    name: str
    path: Path


class ThunderbirdReading(MboxReading):
    """The messages of profiles, folder by folder."""

    kind = "thunderbird"

    def __init__(self, roots: list[Path], options: Options) -> None:
        self._unreadable: list[tuple[str, Exception]] = []
        found = [
            _Folder(f"{root.name}/{name}" if len(roots) > 1 else name, path)
            for root in roots
            for name, path in _folders(root, self._unreadable)
        ]
        if not found and not self._unreadable:
            raise ConfigurationError(
                f"{', '.join(map(str, roots))} holds no mail of Thunderbird: neither Mail nor "
                f"ImapMail, no file with an index {_INDEX} beside it, and no mbox file"
            )
        files = [(name, Part(path, path.stat().st_size)) for name, path in found if path.is_file()]
        self._maildirs = [folder for folder in found if folder.path.is_dir()]
        self._take(label(roots), files, (), options)
        self._expunged = 0

    def messages(self) -> Iterator[Message]:
        """Yield the messages of mbox files, then those of Maildirs."""
        for name, error in self._unreadable:
            self.unreadable(name, name, error)
        yield from super().messages()
        for folder in self._maildirs:
            yield from self._maildir(folder)
        self.report["expunged"] = self._expunged

    def leaves_out(self, piece: Piece) -> bool:
        """Count and leave out what is deleted and not compacted."""
        expunged = is_expunged(piece.header)
        self._expunged += expunged
        return expunged

    def _maildir(self, folder: _Folder) -> Iterator[Message]:
        files: list[str] = []
        for place in ("cur", "new"):
            try:
                entries = os.listdir(folder.path / place)  # noqa: PTH208 -- names are wanted
            except FileNotFoundError:
                continue
            except OSError as error:
                self.unreadable(folder.name, str(folder.path / place), error)
                continue
            files += (f"{place}/{name}" for name in entries if not name.startswith("."))
        for uid, name in enumerate(sorted(files), 1):
            path = f"{folder.path}/{name}"
            try:
                with open_file(path) as stream:
                    size = os.fstat(stream.fileno()).st_size
                    block = self.block(folder.name, path, stream)
            except OSError as error:
                self.unreadable(folder.name, path, error)
                continue
            if is_expunged(block.header):
                self._expunged += 1
                continue
            size = size if block.size is None else block.size
            flags = header_flags(block.header)
            told = (block.internaldate, size, block.header, block.parts)
            yield Message(folder.name, uid, flags, *told)


def _homes() -> list[str]:
    return _HOMES.get(sys.platform, _LINUX)


def _profiles() -> dict[str, Path]:
    """Give the profiles of this user by name, as ``profiles.ini`` tells."""
    found: dict[str, Path] = {}
    for home in map(Path, map(os.path.expanduser, _homes())):
        ini = ConfigParser(interpolation=None, strict=False)
        try:
            with open_file(home / "profiles.ini") as stream:
                ini.read_string(stream.read(_LONGEST_PREFERENCES).decode("utf-8", "replace"))
        except (OSError, Error):
            continue
        for section in ini.sections():
            path = ini.get(section, "Path", fallback="")
            if path and section.startswith("Profile"):
                name = ini.get(section, "Name", fallback=path)
                found[name] = home / path  # an absolute path stays one
    return found


def _stores(profile: Path) -> list[Path]:
    """Give the folders of servers in a profile, and those that lie elsewhere."""
    servers: list[Path] = []
    for store in _STORES:
        try:
            servers += sorted(path for path in (profile / store).iterdir() if path.is_dir())
        except OSError:
            continue  # the other one will do
    try:
        with open_file(profile / _PREFERENCES) as stream:
            told = _DIRECTORY.findall(stream.read(_LONGEST_PREFERENCES))
    except OSError:
        told = []
    for value in told:
        path = Path(os.fsdecode(re.sub(rb"\\(.)", rb"\1", value)))
        if path not in servers and path.is_absolute() and path.is_dir():
            servers.append(path)
    return servers


def _servers(store: Path) -> list[Path]:
    """Give the folders of servers in a folder such as ``ImapMail``."""
    try:
        return sorted(path for path in store.iterdir() if path.is_dir() and _has_index(path))
    except OSError:
        return []


def _has_index(folder: Path) -> bool:
    return any(folder.glob(f"*{_INDEX}"))


def _folders(root: Path, unread: list[tuple[str, Exception]]) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each folder of a profile, or of a part of one."""
    servers = _stores(root) or ([] if _has_index(root) else _servers(root))
    if servers:
        for server in servers:
            for name, path in _below(server, unread):
                yield f"{shown(server.name)}/{name}", path
    else:
        yield from _below(root, unread)


def _below(folder: Path, unread: list[tuple[str, Exception]]) -> Iterator[tuple[str, Path]]:
    """Yield the folders in a folder, and those inside of them."""
    todo = [("", folder)]
    while todo:
        above, place = todo.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            unread.append((str(place), error))
            continue
        names = {entry.name for entry in entries}
        inside = []
        for entry in entries:
            name, path = entry.name, Path(entry.path)
            if entry.is_dir() and name.endswith(_BELOW):
                inside.append((f"{above}{shown(name.removesuffix(_BELOW))}/", path))
            elif entry.is_dir():
                if (path / "cur").is_dir() or (path / "new").is_dir():
                    yield above + shown(name), path
            elif _is_folder(path, names, unread):
                yield above + shown(name), path
        todo += reversed(inside)


def _is_folder(path: Path, names: Iterable[str], unread: list[tuple[str, Exception]]) -> bool:
    """Tell whether a file is a folder: it has an index, or is an mbox file by its content."""
    if path.suffix == _INDEX or path.name.startswith(_UNFINISHED):
        return False
    has_index = path.name + _INDEX in names
    try:
        with open_file(path) as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        if has_index:
            unread.append((str(path), error))
        return False
    is_mbox = head.removeprefix(BOM_UTF8).lstrip(b"\r\n").startswith(b"From ")
    if has_index and head.strip() and not is_mbox:
        unread.append((str(path), ValueError("it has an index, and no From line begins it")))
    return is_mbox or (has_index and not head.strip())
