"""Files that appear whole or not at all, for their owner only.

Where the system has files without a name (Linux, O_TMPFILE) mail is written into one: whatever ends
the process, nothing of it is left. Elsewhere it is a hidden temporary file, which the next one
written to the same place removes if its process was killed.
"""

from __future__ import annotations

import io
import os
import secrets
import signal
import stat
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mailframe.errors import ConfigurationError, MailframeError, because

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from _typeshed import ReadableBuffer


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when the block ends well.

    Until then it has no name, or is a hidden temporary beside it; only its owner may read it (mode
    0600). If the block raises, what was there stays. What is not a regular file is written to
    directly.

    Raises
    ------
    ConfigurationError
        The place cannot be written to.
    MailframeError
        It could be, and no longer can: the disk is full, or the like.
    """
    target = Path(os.path.realpath(path))  # through a link, not in its place
    part = None
    with _told(path, ConfigurationError):
        if target.is_dir():
            raise ConfigurationError(f"{path} is a folder; name a file in it")
        if target.exists() and not target.is_file():  # a pipe or a device cannot be replaced
            raw = _Output(target, "wb")
        else:
            part = _Nameless.beside(target) or _Hidden(target)
            raw = _Output(part.descriptor, "wb")
            _sweep(target, now=os.fstat(part.descriptor).st_mtime)
    raw.called = path
    try:
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            with _told(path):
                if part:
                    os.fsync(file.fileno())
                    part.take_place()
    finally:
        if part:
            part.forget()


# A name may have 255 octets, a temporary one no fewer characters more than the file's own.
_PREFIX = 50
_ENDING = 8  # characters, as `tempfile` has them
# Seconds in which whoever makes a temporary file has locked it.
_YOUNG = 2.0


def _prefix(target: Path) -> str:
    return f".{target.name[:_PREFIX]}."


class _Nameless:
    """A file that has no name until it is whole; it is gone with its process."""

    def __init__(self, target: Path, descriptor: int, directory: int) -> None:
        self.descriptor = descriptor
        self._target = target
        self._directory = directory

    @classmethod
    def beside(cls, target: Path) -> _Nameless | None:
        """Open one in the directory of a file; None where that is not to be had."""
        flag = getattr(os, "O_TMPFILE", None)
        if flag is None or not Path("/proc/self/fd").is_dir():
            return None
        with suppress(OSError):  # no such file system; or what `_Hidden` will say as well
            descriptor = os.open(target.parent, flag | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                return cls(target, descriptor, os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                os.close(descriptor)
        return None

    def take_place(self) -> None:
        """Give the file a name of its own, and at once the target's: no link replaces a file."""
        name = _prefix(self._target) + secrets.token_hex(_ENDING // 2)
        # Given a directory, Python follows the link in /proc to the file.
        own = f"/proc/self/fd/{self.descriptor}"
        os.link(own, name, dst_dir_fd=self._directory, follow_symlinks=True)
        try:
            os.replace(
                name,
                self._target.name,
                src_dir_fd=self._directory,
                dst_dir_fd=self._directory,
            )
        except BaseException:
            os.unlink(name, dir_fd=self._directory)
            raise

    def forget(self) -> None:
        """Let go of the directory."""
        os.close(self._directory)


class _Hidden:
    """A temporary file with a name, locked as long as somebody writes it."""

    def __init__(self, target: Path) -> None:
        # mkstemp creates with 0600 and O_EXCL.
        self.descriptor, name = tempfile.mkstemp(prefix=_prefix(target), dir=target.parent)
        self._target = target
        self._path = Path(name)
        _lock(self.descriptor)
        self._restore = _before_signals(self._remove)

    def take_place(self) -> None:
        """Give the file the target's name."""
        self._path.replace(self._target)

    def forget(self) -> None:
        """Remove the file, unless it took its place."""
        self._remove()
        self._restore()

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _sweep(target: Path, *, now: float) -> None:
    """Remove temporary files of a target that were left by processes that were killed."""
    if fcntl is None:
        return
    prefix = _prefix(target)
    with suppress(OSError):
        for left in target.parent.iterdir():
            name = left.name
            if name.startswith(prefix) and len(name) == len(prefix) + _ENDING:
                _remove_stale(left, now)


def _remove_stale(path: Path, now: float) -> None:
    """Remove a temporary file of ours that nobody writes any more."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            state = os.fstat(descriptor)
            private = stat.S_ISREG(state.st_mode) and stat.S_IMODE(state.st_mode) == 0o600  # noqa: PLR2004 -- as we make them
            old = now - state.st_mtime > _YOUNG
            if private and old and state.st_uid == os.geteuid() and _lock(descriptor):
                path.unlink()
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file until it is closed; tell whether nobody else had."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _before_signals(remove: Callable[[], None]) -> Callable[[], None]:
    """Have something removed before a signal ends the process as it would; undo that by a call."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None  # others may set no handlers

    def ended(number: int, _: FrameType | None) -> None:
        remove()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    known = [getattr(signal, name) for name in names]
    ours = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, ended)

    def restore() -> None:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)

    return restore


class _Output(io.FileIO):
    """A file whose errors tell themselves from those of whatever else is done meanwhile."""

    called: str | os.PathLike[str] = ""

    def write(self, octets: ReadableBuffer, /) -> int:
        with _told(self.called):
            return super().write(octets)


@contextmanager
def _told(
    path: str | os.PathLike[str], kind: type[MailframeError] = MailframeError
) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # a reader that has enough is no failure
    except (OSError, ValueError) as error:  # the latter: a NUL in the name
        why = because(error) if isinstance(error, OSError) else error
        raise kind(f"{path} cannot be written: {why}") from error
