"""Real mail for tests, where it is: beside the project, or where MAILFRAME_CORPORA says."""

from __future__ import annotations

import os
import tarfile
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("MAILFRAME_CORPORA") or Path(__file__).parents[2] / "shared" / "corpora"
)
NAMES = ("spamassassin-ham", "nasty-permissive", "sisimai-bounces")


@cache
def _read(name: str) -> tuple[bytes, ...]:
    with tarfile.open(FOLDER / f"{name}.headers.tar.xz") as archive:
        members = sorted((m for m in archive if m.isfile()), key=lambda m: m.name)
        return tuple(archive.extractfile(m).read() for m in members)


def messages(name: str) -> tuple[bytes, ...]:
    """Give the messages of a corpus; skip the test where the corpora are absent."""
    if not FOLDER.is_dir():
        pytest.skip(f"the mail corpora are not there: {FOLDER} (or set MAILFRAME_CORPORA)")
    return _read(name)
