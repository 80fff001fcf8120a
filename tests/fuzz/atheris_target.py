"""Fuzzing guided by coverage: framing, responses, the connection, and header blocks.

An hour of it, from the root of the project, with ``pip install atheris`` in the environment::

    python -m tests.fuzz.atheris_target -max_total_time=3600 -max_len=4096 /tmp/mailframe-corpus

The folder named last keeps what was found interesting. A crash is written to ``crash-*``; run the
target on that file to see it again, and add its essence to ``corpus.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mailframe"]):
    from tests.fuzz import conversation, corpus
    from tests.fuzz.test_fuzz import batch


def target(data: bytes) -> None:
    """One input: its first octet says whether it is a server or a message."""
    if len(data) < 2:
        return
    if data[0] & 1:
        conversation.check(b"* OK ready\r\n" + data[2:], [data[1], 2 * data[1]])
    else:
        assert batch([data[1:], b"Subject: next\r\n\r\n"]).column("subject")[1].as_py() == "next"


def main() -> None:
    """Seed the corpus and let atheris run."""
    folders = [Path(a) for a in sys.argv[1:] if not a.startswith("-")]
    if folders:
        folders[0].mkdir(parents=True, exist_ok=True)
        for number, piece in enumerate(corpus.FRAGMENTS):
            (folders[0] / f"server-{number}").write_bytes(b"\x01\x10" + piece)
        for number, piece in enumerate(corpus.HEADERS):
            (folders[0] / f"header-{number}").write_bytes(b"\x00" + piece)
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
