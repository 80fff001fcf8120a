"""Small files of notes, their owner's alone (0600), replaced as a whole.

One that cannot be read or written is like an empty one: nothing depends on it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mailframe.errors import MailframeError
from mailframe.ground.whole import replacing

if TYPE_CHECKING:
    from pathlib import Path


def read_notes(path: Path) -> dict[str, Any]:
    """Give what is noted."""
    with suppress(OSError, ValueError, RecursionError):
        known = json.loads(path.read_text("utf-8"))
        if isinstance(known, dict):
            return known
    return {}


def write_notes(path: Path, known: dict[str, Any]) -> None:
    """Note it, as far as the disk takes it."""
    with suppress(OSError, MailframeError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(path) as file:
            file.write(json.dumps(known).encode())
