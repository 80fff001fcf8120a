"""IMAP servers by others, started as processes of their own: pymap (PyPI), hoodiecrow (npm).

Each is a context manager that gives the server's URL. Both keep their mail in memory.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Where tests/run puts the npm package; anywhere else is not looked at.
HOODIECROW = Path(sys.prefix) / "node_modules" / "hoodiecrow-imap" / "bin" / "hoodiecrow"


def have_hoodiecrow() -> bool:
    return shutil.which("node") is not None and HOODIECROW.exists()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def running(command: Sequence[str | Path], port: int) -> Iterator[None]:
    """A process that listens on ``port`` while the block runs."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_listens(process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, "the server ended at once"
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server does not listen")


@contextmanager
def pymap() -> Iterator[str]:
    """Pymap with its own demonstration mailbox."""
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "from pymap.main import main; main()",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with running([*command, "--no-tls", "dict", "--demo-data"], port):
        yield f"imap://demouser:demopass@127.0.0.1:{port}"


@contextmanager
def hoodiecrow(home: Path, folders: dict[str, Sequence[bytes]], *plugins: str) -> Iterator[str]:
    """Hoodiecrow with ``folders`` of messages; INBOX must be one of them."""

    def stored(messages: Sequence[bytes]) -> dict[str, object]:
        return {"messages": [{"raw": message.decode()} for message in messages]}

    others = {name: stored(messages) for name, messages in folders.items() if name != "INBOX"}
    storage = {"INBOX": stored(folders["INBOX"]), "": {"separator": "/", "folders": others}}
    (home / "storage.json").write_text(json.dumps(storage))
    port = free_port()
    command = ["node", HOODIECROW, f"--port={port}", f"--storage={home / 'storage.json'}"]
    with running([*command, *(f"--plugin={plugin}" for plugin in plugins)], port):
        yield f"imap://testuser:testpass@127.0.0.1:{port}"
