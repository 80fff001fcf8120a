"""Which folders and which messages a caller means: names, globs and dates, decided without I/O."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from mailframe.errors import ConfigurationError, FolderError
from mailframe.imap.search import Keys, parse_keys, write_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.fetcher.plan import Folder

Day: TypeAlias = str | dt.date

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Choice:
    """The folders to read.

    Parameters
    ----------
    folders : list of Folder
        In the server's order.
    skipped : dict
        Why folders were left out that "every folder" could have meant, by name.
    missing : list of FolderError
        Names and globs that no folder answers to.
    """

    folders: list[Folder]
    skipped: dict[str, str]
    missing: list[FolderError]


def folder_patterns(folders: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Check what a caller gave as ``folders=``; None means every folder.

    Raises
    ------
    ConfigurationError
        Not text, or nothing at all.
    """
    if folders is None:
        return None
    patterns = (folders,) if isinstance(folders, str) else tuple(folders)
    if not patterns or not all(isinstance(p, str) and p for p in patterns):
        raise ConfigurationError(
            'folders= takes a name, a glob or a list of them, such as ["INBOX", "Lists/*"]; '
            "leave it out for every folder"
        )
    return patterns


def choose(known: Sequence[Folder], patterns: Sequence[str] | None) -> Choice:
    r"""Choose among the folders of an account.

    A pattern is a folder's name, or else a glob over whole names (``*`` also matches the
    separator). INBOX counts in any case. Without patterns every folder is chosen that can hold
    messages, but for ``\All``: a view of messages that the others hold (RFC 6154).
    """
    selectable = [folder for folder in known if folder.selectable]
    if patterns is None:
        return _every(selectable)
    chosen: set[bytes] = set()
    missing = []
    for pattern in patterns:
        matching = _matching(selectable, pattern)
        if not matching:
            missing.append(_no_folder(pattern, selectable))
        chosen.update(folder.wire for folder in matching)
    return Choice([folder for folder in selectable if folder.wire in chosen], {}, missing)


def _every(selectable: Sequence[Folder]) -> Choice:
    views = [f for f in selectable if f.special_use == "\\All" and f.messages != 0]
    others = [f for f in selectable if f not in views]
    if not views or not any(folder.messages for folder in others):
        return Choice(list(selectable), {}, [])
    why = "holds the other folders' messages again; name it in folders= to read it"
    return Choice(others, {folder.name: why for folder in views}, [])


def _matching(folders: Sequence[Folder], pattern: str) -> list[Folder]:
    exact = [folder for folder in folders if _fold(folder.name) == _fold(pattern)]
    if exact:
        return exact
    return [folder for folder in folders if fnmatchcase(folder.name, pattern)]


def _fold(name: str) -> str:
    """INBOX is the one name without case (RFC 9051 §5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name


def _no_folder(pattern: str, folders: Sequence[Folder]) -> FolderError:
    what = "No folder matches" if _GLOB.search(pattern) else "There is no folder called"
    near = difflib.get_close_matches(pattern, [folder.name for folder in folders], 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "list_folders() shows them all"
    return FolderError(f"{what} {pattern}; {hint}", folder=pattern)


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
