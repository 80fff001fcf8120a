"""Named views: filters under a name, kept from one day to the next.

One file of the user's own (0600), plain JSON, below ``XDG_CONFIG_HOME`` or ``~/.config`` (XDG Base
Directory Specification): a view is what somebody made, so a file that cannot be read is told and
never written over. It is replaced whole, under a lock, for two notebooks may save at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from mailframe.errors import ConfigurationError, MailframeError
from mailframe.ground import xdg
from mailframe.ground.whole import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Views = dict[str, dict[str, Any]]


def path() -> Path:
    """Name the file that views are kept in."""
    place = xdg.config()
    if place is None:
        raise ConfigurationError("there is no home directory to keep views in: set HOME")
    return place / "views.json"


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
    try:
        with replacing(place) as file:
            file.write(json.dumps(views, indent=1, ensure_ascii=False).encode())
    except MailframeError as error:
        raise ConfigurationError(f"the views cannot be kept: {error}") from error
