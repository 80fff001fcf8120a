"""Mail from whatever a path names: what a command line is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources.apple import AppleReading, is_apple_mail
from mailframe.sources.eml import EmlReading, is_message_name
from mailframe.sources.files import expand, is_zip, open_file, walk
from mailframe.sources.headerblock import begins_with_field, read_block
from mailframe.sources.maildir import MaildirReading, maildir_folders
from mailframe.sources.mbox import MboxReading, holds_mbox, is_mbox_name
from mailframe.sources.outlook import PST_SUFFIXES, PstReading, is_msg, is_pst
from mailframe.sources.reading import Options
from mailframe.sources.thunderbird import ThunderbirdReading, is_thunderbird

if TYPE_CHECKING:
    from mailframe.sources.files import PathOption
    from mailframe.sources.reading import Keywords, Reading


def open_local(path: PathOption, **options: Unpack[Keywords]) -> Reading:
    """Open the mail at a path, whatever it is.

    A folder is Apple Mail's if a ``.mbox`` with ``Messages`` is in it, Thunderbird's if there are
    its indexes, a Maildir if there is a ``cur`` or ``new`` in it or below, an exported mailbox if
    it holds ``mbox``, and otherwise one of what most of its files are: mbox, Outlook's, or single
    messages. A zip holds mbox files if any member is called so; any other file is Outlook's by its
    first octets, an mbox where it has a From line, and a single message where not.

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
    if len(paths) == 1 and paths[0].is_dir():
        return _open_folder(paths[0], chosen)
    if all(is_pst(found) for found in paths):
        return PstReading(paths, chosen)
    if all(found.suffix.lower() != ".eml" and holds_mbox(found) for found in paths):
        return MboxReading(paths, chosen)
    for found in paths:
        if found.is_file() and not is_zip(found) and not is_msg(found) and not _is_message(found):
            raise ConfigurationError(
                f"{found} is no mail: neither an mbox file nor a message, neither of Outlook nor a "
                "zip archive"
            )
    return EmlReading(paths, chosen)


def _open_folder(path: Path, options: Options) -> Reading:
    if is_apple_mail(path):
        return AppleReading([path], options)
    if is_thunderbird(path):
        return ThunderbirdReading([path], options)
    if any(maildir_folders(path)):
        return MaildirReading(path, options)
    if holds_mbox(path):
        return MboxReading([path], options)
    found = _files(path)
    if not found:
        raise ConfigurationError(
            f"no mail in {path}: no Maildir (cur, new), no mbox file, no .eml, .emlx, .msg or .pst "
            "file, none that has a number for its name, as in MH, and nothing of Apple Mail or "
            "Thunderbird"
        )
    kind = max(found, key=lambda kind: len(found[kind]))
    reading: Reading
    if kind == "mbox":
        reading = MboxReading(found[kind], options)
    elif kind == "pst":
        reading = PstReading(found[kind], options)
    else:
        reading = EmlReading([path], options)
    for other, files in found.items():
        if other != kind:
            reading.skipped[f"{len(files):,} .{other}"] = f"is not {kind}, as most is; name it"
    return reading


def _files(path: Path) -> dict[str, list[Path]]:
    """Give the files of mail below a folder, by kind."""
    found: dict[str, list[Path]] = {}
    for folder, _, names in walk(path, lambda _: None):
        for name in sorted(names):
            kind = _kind(name)
            if kind:
                found.setdefault(kind, []).append(Path(folder, name))
    return found


def _kind(name: str) -> str:
    if is_mbox_name(name):
        return "mbox"
    if name.lower().endswith(PST_SUFFIXES):
        return "pst"
    return "eml" if is_message_name(name) else ""


def _is_message(path: Path) -> bool:
    with open_file(path) as stream:
        return begins_with_field(read_block(stream).header)
