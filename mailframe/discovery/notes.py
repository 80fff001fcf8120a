"""Small files of notes, their owner's alone (0600), replaced as a whole.

One that cannot be read or written is like an empty one: nothing depends on it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def read_notes(path: Path) -> dict[str, Any]:
    """Give what is noted."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        known = json.loads(path.read_text("utf-8"))
        if isinstance(known, dict):
            return known
    return {}


def write_notes(path: Path, known: dict[str, Any]) -> None:
    """Note it, as far as the disk takes it."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent)  # 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(known, file)
        Path(name).replace(path)
