"""Where things lie in a store: names from a server become file names, safely.

::

    STORE/
      ann@imap.example.org-3b6qk.../        one directory an account
        INBOX-x2vl5....parquet              one file a folder: rows and sync state together
        Lists_pandas-7ktqa....parquet
        together+00000001.parquet           a pack: small folders of an account that has many
        .unfinished/INBOX-x2vl5.../1.part  what an interrupted first fetch has brought so far
        .lock                              held by the one process that may write

A server chooses folder names, so nothing of them is trusted: a file name is a short readable slug
of plain ASCII and a digest of the exact name. That keeps ``../``, NUL, reserved device names and
500 characters out of paths, and keeps ``INBOX`` and ``Inbox`` apart where the file system does not.
The names themselves stand inside the files.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Kind = Callable[..., bool]

SUFFIX = ".parquet"
PART_SUFFIX = ".part"  # not .parquet: a glob over the store must not meet unfinished rows
UNFINISHED = ".unfinished"
LOCK = ".lock"
# No folder's file is called so: a component has no plus sign.
_PACK = "together+"

_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]+")
_SLUG_LENGTH = 40
# A temporary file, as tempfile calls it; a component; a part.
TEMPORARY = ".new-"
_TEMPORARY = re.compile(re.escape(TEMPORARY) + r"[a-z0-9_]{8}")
_COMPONENT = re.compile(r"[A-Za-z0-9@._-]{1,40}-[a-z2-7]{16}")
_PART = re.compile(r"[0-9]{8,18}" + re.escape(PART_SUFFIX))
_PACK_NAME = re.compile(re.escape(_PACK) + r"[0-9]{8,18}" + re.escape(SUFFIX))
# 80 bits in 16 characters: nobody finds two names with one digest by chance, and by intent hardly;
# the name inside the file is compared all the same.
_DIGEST_OCTETS = 10


def component(name: str) -> str:
    """Return the file name (without suffix) that stands for an account or a folder.

    Parameters
    ----------
    name : str
        Any text at all, also with ``/``, NUL or lone surrogates.

    Returns
    -------
    str
        At most 57 characters of ``[A-Za-z0-9@._-]``, beginning with a letter or digit: readers of
        datasets pass over names that begin with ``.`` or ``_``. Distinct for distinct names even
        where case does not count.
    """
    octets = name.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(octets, digest_size=_DIGEST_OCTETS).digest()
    return f"{_slug(name)}-{base64.b32encode(digest).decode().lower()}"


def alike(name: str, other: str) -> bool:
    """Whether a name may be the one behind what `component` gave, but for upper and lower case."""
    return _slug(name).lower() == other.rpartition("-")[0].lower()


def _slug(name: str) -> str:
    return _UNSAFE.sub("_", name).lstrip("._-@")[:_SLUG_LENGTH] or "x"


def account_dir(root: Path, account: str) -> Path:
    """Return the directory of an account."""
    return root / component(account)


def folder_path(directory: Path, folder: str) -> Path:
    """Return the file of a folder inside its account's directory."""
    return directory / (component(folder) + SUFFIX)


def pack_path(directory: Path, number: int) -> Path:
    """Return the file of a pack of small folders inside its account's directory."""
    return directory / f"{_PACK}{number:08d}{SUFFIX}"


def is_pack(path: Path) -> bool:
    """Whether a file is called as a pack of folders is, or a copy of one."""
    return path.name.startswith(_PACK)


def pack_paths(directory: Path) -> dict[int, Path]:
    """Return the packs of an account's directory by number, ascending."""
    paths = _ours(directory, _PACK_NAME, os.DirEntry.is_file)
    return {int(path.stem.removeprefix(_PACK)): path for path in paths}


def parts_dir(directory: Path, folder: str) -> Path:
    """Return the directory that holds the batches of a folder's unfinished first fetch."""
    return directory / UNFINISHED / component(folder)


def part_path(directory: Path, folder: str, number: int) -> Path:
    """Return the place of one batch of a folder's unfinished fetch."""
    return parts_dir(directory, folder) / f"{number:08d}{PART_SUFFIX}"


def part_paths(directory: Path, folder: str) -> dict[int, Path]:
    """Return the batches of a folder's unfinished fetch by number, ascending.

    A name that is no number is not ours: file synchronisers leave copies behind.
    """
    if (directory / UNFINISHED).is_symlink():
        return {}
    return {int(path.stem): path for path in parts_in(parts_dir(directory, folder))}


def parts_in(directory: Path) -> list[Path]:
    """Return the files in a directory that have the form of parts."""
    return _ours(directory, _PART, os.DirEntry.is_file)


def parts_dirs(directory: Path) -> list[Path]:
    """Return the directories that hold batches of unfinished fetches."""
    return _ours(directory / UNFINISHED, _COMPONENT, os.DirEntry.is_dir)


def leftovers(directory: Path) -> list[Path]:
    """Return the temporary files that a killed writer left in a directory."""
    return _ours(directory, _TEMPORARY, os.DirEntry.is_file)


def _ours(directory: Path, form: re.Pattern[str], kind: Kind) -> list[Path]:
    """Return what has a form of ours, sorted; links lead out of the store and are never followed.

    What a desktop or a synchroniser leaves there (``.DS_Store``, copies) is not ours to touch.
    """
    if directory.is_symlink() or not directory.is_dir():
        return []
    with os.scandir(directory) as entries:
        names = [each.name for each in entries if form.fullmatch(each.name) and _is(kind, each)]
    return [directory / name for name in sorted(names)]


def _is(kind: Kind, entry: os.DirEntry[str]) -> bool:
    return not entry.is_symlink() and kind(entry, follow_symlinks=False)


def folder_paths(directory: Path) -> list[Path]:
    """Return the folder files of one account's directory, sorted; raises OSError."""
    return _listed(directory, lambda entry: entry.name.endswith(SUFFIX))


def account_dirs(root: Path) -> list[Path]:
    """Return the directories of a store that may belong to accounts, sorted; raises OSError.

    Among them links with the name of one, for the reader to tell.
    """
    return _listed(
        root,
        lambda entry: (
            _COMPONENT.fullmatch(entry.name) is not None
            if entry.is_symlink()
            else entry.is_dir(follow_symlinks=False)
        ),
    )


def _listed(directory: Path, takes: Callable[[os.DirEntry[str]], bool]) -> list[Path]:
    # Not by Path.glob, to which what may not be read is empty.
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        names = [each.name for each in entries if takes(each) and not each.name.startswith(".")]
        return [directory / name for name in sorted(names)]
    return []
