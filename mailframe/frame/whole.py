"""Files that appear whole or not at all, for their owner only."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when the block ends well.

    Until then it is a hidden temporary beside it, and only its owner may read it (mode 0600). If
    the block raises, what was there stays. What is not a regular file is written to directly.

    Raises
    ------
    ConfigurationError
        The place cannot be written to.
    """
    target = Path(os.path.realpath(path))  # through a link, not in its place
    with _told(path):
        if target.is_dir():
            raise ConfigurationError(f"{path} is a folder; name a file in it")
        if target.exists() and not target.is_file():  # a pipe or a device cannot be replaced
            file: IO[bytes] = target.open("wb")
            part = None
        else:
            file = tempfile.NamedTemporaryFile(  # noqa: SIM115 -- closed below; mode 0600
                prefix=f".{target.name}.", dir=target.parent, delete=False
            )
            part = Path(file.name)
    try:
        with file:
            yield file
            file.flush()
            if part:
                os.fsync(file.fileno())
        if part:
            part.replace(target)
    except BaseException:
        if part:
            part.unlink(missing_ok=True)
        raise


@contextmanager
def _told(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
