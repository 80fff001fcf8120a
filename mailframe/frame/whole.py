"""Files that appear whole or not at all, for their owner only."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mailframe.errors import ConfigurationError, MailframeError, because

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when the block ends well.

    Until then it is a hidden temporary beside it, and only its owner may read it (mode 0600). If
    the block raises, what was there stays. What is not a regular file is written to directly.

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
            # mkstemp creates with 0600 and O_EXCL.
            descriptor, name = tempfile.mkstemp(
                prefix=f".{target.name[:_PREFIX]}.", dir=target.parent
            )
            raw, part = _Output(descriptor, "wb"), Path(name)
    raw.called = path
    try:
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            with _told(path):
                if part:
                    os.fsync(file.fileno())
        if part:
            with _told(path):
                part.replace(target)
    except BaseException:
        if part:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise


# A name may have 255 octets, a temporary one no fewer characters more than the file's own.
_PREFIX = 50


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
