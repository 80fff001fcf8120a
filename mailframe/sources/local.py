"""Mail from whatever a path names: what a command line is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources.eml import EmlReading
from mailframe.sources.files import expand, is_zip, open_file
from mailframe.sources.headerblock import begins_with_field, read_block
from mailframe.sources.maildir import MaildirReading, maildir_folders
from mailframe.sources.mbox import MboxReading, holds_mbox
from mailframe.sources.reading import Options

if TYPE_CHECKING:
    from pathlib import Path

    from mailframe.sources.files import PathOption
    from mailframe.sources.reading import Keywords, Reading


def open_local(path: PathOption, **options: Unpack[Keywords]) -> Reading:
    """Open the mail at a path, whatever it is.

    A folder is a Maildir if there is a ``cur`` or ``new`` in it or below, otherwise one of single
    messages; a zip holds mbox files if any member is called so; any other file is an mbox where
    it has a From line, and a single message where not.

    Parameters
    ----------
    path : path or glob
        A file or folder; several that a glob names must be of one kind.
    **options
        ``headers``, ``raw_headers``, ``errors`` and ``progress`` of `mailframe.read_mbox`.

    Returns
    -------
    Reading
        An iterator of pyarrow.RecordBatch; ``kind`` says what was found, ``schema`` what comes,
        and ``report`` what came.

    Raises
    ------
    ConfigurationError
        The path names nothing, or no mail.
    """
    paths = expand(path)
    chosen = Options(**options)
    if len(paths) == 1 and paths[0].is_dir() and any(maildir_folders(paths[0])):
        return MaildirReading(paths[0], chosen)
    if all(found.suffix.lower() != ".eml" and holds_mbox(found) for found in paths):
        return MboxReading(paths, chosen)
    for found in paths:
        if found.is_file() and not is_zip(found) and not _is_message(found):
            raise ConfigurationError(f"{found} is neither an mbox file nor a message")
    return EmlReading(paths, chosen)


def _is_message(path: Path) -> bool:
    with open_file(path) as stream:
        return begins_with_field(read_block(stream).header)
