"""Real mail for tests and benchmarks, where it is at hand.

The archives stand beside the project, in ``../shared/corpora``, or where ``MAILFRAME_CORPORA``
says. They hold real people's addresses, so nothing of them is kept here.
"""

import os
import re
import tarfile
from functools import cache
from pathlib import Path

import pytest

NAMES = ("spamassassin-ham", "nasty-permissive", "sisimai-bounces")

_FOLDER = Path(
    os.environ.get("MAILFRAME_CORPORA")
    or Path(__file__).resolve().parents[2] / "shared" / "corpora"
)
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n|\r\r(?!\n)")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(?:[^\n]*\n(?=[ \t]))*[^\n]*\n?")


def are_here():
    """Tell whether all archives are at hand."""
    return all((_FOLDER / f"{name}.headers.tar.xz").exists() for name in NAMES)


@cache
def messages(name):
    """Return the messages of an archive, in order of their names; skip the test if it is absent."""
    path = _FOLDER / f"{name}.headers.tar.xz"
    if not path.exists():
        pytest.skip(f"no corpus at {path}; MAILFRAME_CORPORA may name its folder")
    with tarfile.open(path) as archive:
        members = sorted((m for m in archive if m.isfile()), key=lambda member: member.name)
        return tuple(archive.extractfile(member).read() for member in members)


@cache
def headers(name):
    """Return the header block of each message of an archive."""
    return tuple(
        raw[: end.end()] if (end := _END_OF_HEADER.search(raw)) else raw for raw in messages(name)
    )


@cache
def fetched(name, fields):
    """Return the blocks of an archive as a server sends chosen fields."""
    return chosen(headers(name), fields)


def chosen(blocks, fields):
    """Return what a server sends for ``BODY[HEADER.FIELDS (...)]``, lines ending in CRLF."""
    wanted = {field.lower().encode() for field in fields}
    return tuple(
        b"".join(
            field[0].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            for field in _FIELD.finditer(block)
            if field[1].lower() in wanted
        )
        + b"\r\n"
        for block in blocks
    )
