"""Named views: filters under a name, kept from one day to the next.

One file of the user's own (0600), plain JSON, below ``XDG_CONFIG_HOME`` or ``~/.config`` (XDG Base
Directory Specification): a view is what somebody made, so a file that cannot be read is told and
never written over. It is replaced whole, under a lock, for two notebooks may save at once.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Views = dict[str, dict[str, Any]]


def path() -> Path:
    """Name the file that views are kept in."""
    above = os.environ.get("XDG_CONFIG_HOME")
    try:
        return (Path(above) if above else Path.home() / ".config") / "mailframe" / "views.json"
    except RuntimeError as error:
        raise ConfigurationError("there is no home directory to keep views in: set HOME") from error


def load() -> Views:
    """Give each view by its name; none where there is no file.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, or holds something else.
    """
    try:
        found = json.loads(path().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the views in {path()} cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise ConfigurationError(f"{path()} holds no views: mend it, or move it away")
    return found


def change(name: str, state: Mapping[str, Any] | None) -> None:
    """Keep ``state`` under ``name``; None takes that view away.

    Raises
    ------
    ConfigurationError
        If the name is empty, the file cannot be read or written, or there is no view to take away.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError("a view needs a name, such as 'unread of this year'")
    place = path()
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{place}.lock", mode=0o600):
            views = load()
            if state is None:
                find(name, views)
                del views[name]
            else:
                views[name] = dict(state)
            _write(place, views)
    except OSError as error:
        raise ConfigurationError(f"the views cannot be kept in {place}: {error}") from error


def find(name: str, views: Views) -> dict[str, Any]:
    """Give one of ``views``, or say which there are."""
    if name not in views:
        known = ", ".join(map(repr, views)) or "none so far"
        raise ConfigurationError(f"there is no view called {name!r}; there are: {known}")
    return views[name]


def _write(place: Path, views: Views) -> None:
    # A file of mkstemp is its owner's alone.
    handle, made = tempfile.mkstemp(dir=place.parent, prefix=place.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(views, file, indent=1, ensure_ascii=False)
        Path(made).replace(place)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
