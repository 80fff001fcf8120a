"""Which folders and which messages a caller means: names, globs and dates, decided without I/O."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mailframe.errors import ConfigurationError, FolderError
from mailframe.ground.names import answering, unanswered, views_among
from mailframe.imap.search import Keys, parse_keys, write_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailframe.fetcher.schedule import Folder

Day: TypeAlias = str | dt.date


@dataclass(frozen=True, slots=True)
class Choice:
    """The folders to read.

    Parameters
    ----------
    folders : list of Folder
        In the server's order.
    views : list of str
        Those of them whose messages other folders hold, but for what stands there alone; not what
        was named outright.
    missing : list of FolderError
        Names and globs that no folder answers to.
    """

    folders: list[Folder]
    views: list[str]
    missing: list[FolderError]


def choose(known: Sequence[Folder], patterns: Sequence[str] | None) -> Choice:
    r"""Choose among the folders of an account.

    A pattern is a folder's name, or else a role as ``\All`` (RFC 6154), or a glob over whole names
    (``*`` also matches the separator). INBOX counts in any case. Without patterns every folder is
    chosen that can hold messages.
    """
    selectable = [folder for folder in known if folder.selectable]
    if patterns is None:
        return Choice(selectable, _views(selectable, None), [])
    names = list(dict.fromkeys(folder.name for folder in selectable))
    chosen: set[str] = set()
    missing = []
    said: list[str] = []
    for pattern in patterns:
        roles = [folder.name for folder in selectable if pattern.lower() in folder.attributes]
        meant = answering(pattern, names) or set(roles)
        said += roles or [pattern]
        if not meant:
            text = unanswered("folder", pattern, names, "list_folders() shows them all")
            missing.append(FolderError(text, folder=pattern))
        chosen |= meant
    folders = [folder for folder in selectable if folder.name in chosen]
    return Choice(folders, _views(folders, said), missing)


def _views(folders: Sequence[Folder], patterns: Sequence[str] | None) -> list[str]:
    return views_among({folder.name: folder.special_use for folder in folders}, patterns)


def search_keys(search: str | None, since: Day | None, before: Day | None) -> Keys:
    """Bring ``search=``, ``since=`` and ``before=`` into one set of SEARCH keys.

    Raises
    ------
    ConfigurationError
        Something is not a date, or not a search key.
    """
    keys = Keys()
    if since is not None:
        keys += Keys((b"SINCE " + write_date(_day("since", since)),))
    if before is not None:
        keys += Keys((b"BEFORE " + write_date(_day("before", before)),))
    if search is not None:
        keys += parse_keys(search)
    return keys


def _day(name: str, day: Day) -> dt.date:
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    try:
        return dt.datetime.fromisoformat(day).date()
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f'{name}={day!r} is not a date; write "2024-02-29" or pass a datetime.date'
        ) from error
