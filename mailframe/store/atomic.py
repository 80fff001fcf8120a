"""Files replaced whole or not at all, by one process at a time.

New content goes to a temporary file in the same directory, is flushed to the disk, and takes the
old file's name in one rename; then the directory is flushed too, or a power cut could forget the
rename. Whoever is killed in between leaves a temporary file that the next holder of the lock
removes. Readers need no lock: the file that they opened stays theirs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filelock import FileLock, Timeout

from mailframe.errors import StoreError, because
from mailframe.store.layout import LOCK, TEMPORARY, leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTORY_MODE = 0o700  # mail is nobody else's business


@contextlib.contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` into a `StoreError` that says what could not be done, where and why."""
    try:
        yield
    except OSError as error:
        unharmed = "; what is stored is unharmed"
        hint = {
            errno.ENOSPC: unharmed,
            errno.EDQUOT: unharmed,
            errno.EACCES: "; the store belongs to another user, or is open in another program",
            errno.EROFS: "; the store can be read there with open_store, but not refreshed",
        }.get(error.errno or 0, "")
        raise StoreError(f"Cannot {action} {str(path)!r}: {because(error)}{hint}.") from error


def refuse_link(path: Path) -> None:
    """Refuse what leads out of the store.

    Raises
    ------
    StoreError
        It is a symbolic link.
    """
    if path.is_symlink():
        raise StoreError(
            f"{str(path)!r} is a link, and a store follows none: put what it leads to in its place,"
            " or remove it."
        )


def make_dir(path: Path) -> None:
    """Create a directory (mode 0700) and the missing ones above it, if need be."""
    with explained("create", path):
        for each in (*reversed(path.parents), path):
            if not each.is_dir():
                each.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
                with contextlib.suppress(PermissionError):  # to write there is not to read there
                    sync_dir(each.parent)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file (mode 0600) that takes the place of `path` when the block ends well.

    Raises
    ------
    StoreError
        The disk is full, or the like; `path` is then as it was.
    """
    with explained("write", path):
        # mkstemp creates with 0600 and O_EXCL.
        descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_dir(path.parent)


def remove(*paths: Path) -> None:
    """Remove files of one directory for good; one that is not there is fine."""
    for path in paths:
        with explained("remove", path):
            path.unlink(missing_ok=True)
    if paths:
        with explained("remove", paths[0]):
            sync_dir(paths[0].parent)


def sync_dir(path: Path) -> None:
    """Flush a directory's entries to the disk, where the system knows such a thing."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class LockHeldError(StoreError):
    """Somebody else holds the lock."""


# The directories whose locks this process holds.
_held: set[Path] = set()


def is_held_here(directory: Path) -> bool:
    """Tell whether it is this process that holds a directory's lock."""
    return directory.resolve() in _held


@contextlib.contextmanager
def locked(directory: Path, *, wait: float) -> Iterator[None]:
    """Be the only process that writes below `directory`; clear away what a killed one left.

    Parameters
    ----------
    wait : float
        Seconds to wait for another process to finish.

    Raises
    ------
    LockHeldError
        Another holds the lock still.
    StoreError
        There are no locks there.
    """
    for path in (directory, directory / LOCK):
        refuse_link(path)
    lock = FileLock(directory / LOCK, mode=0o600, thread_local=False)
    with explained("lock", directory):
        try:
            lock.acquire(timeout=wait)
        except Timeout as error:
            raise LockHeldError(
                f"Another process is refreshing {str(directory)!r} (waited {wait:g} s)."
                " Try again when it has finished; reading with open_store works meanwhile."
            ) from error
        except NotImplementedError as error:  # so says filelock of a file system without flock
            raise StoreError(
                f"Cannot lock {str(directory)!r}: its file system has no locks; keep the store on"
                " another."
            ) from error
    here = directory.resolve()
    _held.add(here)
    try:
        with explained("clear", directory):
            left = leftovers(directory)
        for leftover in left:
            remove(leftover)
        yield
    finally:
        _held.discard(here)
        lock.release()
