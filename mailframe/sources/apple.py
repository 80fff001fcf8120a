"""Apple Mail as it lies on a Mac: ``~/Library/Mail/V10/ACCOUNT/INBOX.mbox/…/Messages/1.emlx``.

Between a mailbox and its messages lie folders that only spread them; a mailbox inside another one
lies in its folder.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources import emlx
from mailframe.sources.eml import EmlReading, Found
from mailframe.sources.files import as_path, exists, shown, walk
from mailframe.sources.reading import Options, Reading, to_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from mailframe.ground.progress import ProgressOption
    from mailframe.sources.files import PathOption
    from mailframe.sources.reading import ErrorsOption, Keywords

HOME = "~/Library/Mail"
_MAILBOX = (".mbox", ".imapmbox", ".pop")
_MESSAGES = "Messages"
_NUMBER = re.compile(r"[0-9]{1,18}")


def read_apple_mail(
    path: PathOption | None = None,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of Apple Mail's own files into a DataFrame.

    Parameters
    ----------
    path : path, optional
        Apple Mail's folder, or a copy of it or of a part of it: an account, a mailbox;
        ``~/Library/Mail`` by default. What Apple Mail *exports* is for `mailframe.read_mbox`.
    headers, raw_headers, attachments, errors, progress
        As for `mailframe.read_mbox`; progress counts messages.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the path's name; ``folder`` the
        mailbox's name, behind that of its account where there are several; ``uid`` counts from 1
        in each folder, in the order of the files' numbers; ``internaldate`` and the flags are what
        the property list of each message says; ``size`` is the message's without that list, and
        without the attachments that Apple Mail keeps apart (``.partial.emlx``).

    Raises
    ------
    ConfigurationError
        There is no mail of Apple Mail at the path, or macOS does not let it be read.
    MailframeError
        A message cannot be read, and ``errors="raise"``.
    """
    return to_frame(
        open_apple_mail(path, Options(headers, raw_headers, errors, progress, attachments))
    )


def iter_apple_mail(path: PathOption | None = None, **options: Unpack[Keywords]) -> Reading:
    """Stream Apple Mail as record batches; parameters and columns as of `read_apple_mail`."""
    return open_apple_mail(path, Options(**options))


def open_apple_mail(path: PathOption | None, options: Options) -> Reading:
    """Find the mail; what is asked is checked here."""
    root = as_path(HOME if path is None else path)
    if not exists(root):
        hint = "; name the folder of Apple Mail, or a copy of it" if path is None else ""
        raise ConfigurationError(f"{root}: there is no such folder{hint}")
    return AppleReading([root], options)


def is_apple_mail(path: Path) -> bool:
    """Tell whether a folder is Apple Mail's, or a part of it."""
    return path.is_dir() and bool(_mailboxes(path, lambda _: None))


class AppleReading(EmlReading):
    """The messages below a folder of Apple Mail, mailbox by mailbox."""

    kind = "apple"
    nothing = "no Messages/*.emlx below a .mbox in {}: it is no folder of Apple Mail"

    def find(self, path: Path, unread: Callable[[OSError], object]) -> Iterator[Found]:
        """Yield the messages of each mailbox."""

        def denied(error: OSError) -> None:
            if isinstance(error, PermissionError) and sys.platform == "darwin":
                error.strerror = (
                    f"{error.strerror}; allow it in System Settings, Privacy, Full Disk Access"
                )
            unread(error)

        found = _mailboxes(path, denied)
        several = len({account for account, _ in found}) > 1
        for (account, mailbox), files in sorted(found.items()):
            place = shown(f"{account}/{mailbox}" if several and account else mailbox)
            for file in sorted(files, key=_number):
                yield Found(place, file)


def _mailboxes(root: Path, unread: Callable[[OSError], object]) -> dict[tuple[str, str], list[str]]:
    """Give the files of each mailbox, by account and name."""
    above = os.path.realpath(root)
    found: dict[tuple[str, str], list[str]] = {}
    for folder, _, names in walk(above, unread):
        messages = [f"{folder}/{name}" for name in names if name.lower().endswith(emlx.SUFFIX)]
        if messages and os.path.basename(folder) == _MESSAGES:  # noqa: PTH119 -- a Path costs more
            # A part of Apple Mail's folder may be all there is: mailboxes above it count.
            parts = Path(folder).parts
            boxes = [n for n, part in enumerate(parts) if part.endswith(_MAILBOX)]
            if boxes:
                is_below = boxes[0] > len(Path(above).parts)
                account = parts[boxes[0] - 1] if is_below else ""
                mailbox = "/".join(Path(parts[n]).stem for n in boxes)
                found.setdefault((account, mailbox), []).extend(messages)
    return found


def _number(path: str) -> tuple[int, str]:
    name = path.rpartition("/")[2]
    digits = name.partition(".")[0]
    return (int(digits) if _NUMBER.fullmatch(digits) else 0), name
