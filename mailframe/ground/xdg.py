"""Where programs keep what is the user's own (XDG Base Directory Specification)."""

from __future__ import annotations

import os
from pathlib import Path


def config() -> Path | None:
    """Give the place of what the user made; None where there is no home."""
    return _place("XDG_CONFIG_HOME", ".config")


def cache() -> Path | None:
    """Give the place of what can be made again; None where there is no home."""
    return _place("XDG_CACHE_HOME", ".cache")


def _place(variable: str, usual: str) -> Path | None:
    above = os.environ.get(variable)
    try:
        return (Path(above) if above else Path.home() / usual) / "mailframe"
    except RuntimeError:
        return None
