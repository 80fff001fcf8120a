"""The embedded demo: a real IMAP server on loopback with an invented mailbox.

`serve` starts pymap (the extra `demo`) as a process of its own, so that a notebook whose kernel is
busy does not keep its own server from answering. The process ends with the `with` block, with
`DemoServer.close`, or with the program that started it, whichever comes first.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from mailframe.errors import ConfigurationError, ConnectError

__all__ = ["DemoServer", "serve"]

USER = "robin"
PASSWORD = "demo"  # noqa: S105 -- of a mailbox that anybody may read
HOST = "127.0.0.1"
_ROOT = Path(__file__).parents[2]


def serve(messages: int = 2000, *, seed: int = 20) -> DemoServer:
    """Start an IMAP server with an invented mailbox.

    Parameters
    ----------
    messages
        How many, over two years and twelve folders.
    seed
        The same seed gives the same mailbox.

    Returns
    -------
    DemoServer
        Ready to be read: `mf.read_imap(server.url)`. Close it, or use it in a `with` statement.

    Raises
    ------
    ConfigurationError
        Where pymap is not installed.
    """
    if importlib.util.find_spec("pymap") is None:
        raise ConfigurationError(
            "The demo's IMAP server, pymap, is not installed: pip install 'mailframe[demo]'"
        )
    return DemoServer(messages, seed)


class DemoServer:
    """A running demo server; made by `serve`.

    Attributes
    ----------
    url : str
        Of the account, with user and password.
    port : int
        On 127.0.0.1.
    """

    def __init__(self, messages: int, seed: int) -> None:
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(  # noqa: S603 -- our own module, no shell
                [sys.executable, "-m", "mailframe.demo.server", str(messages), str(seed)],
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.PIPE,  # its end tells the server that we are gone
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # a notebook's interrupt is not meant for the server
            )
            ready = self._process.stdout.readline() if self._process.stdout else b""
            if not ready:
                self.close()
                errors.seek(0)
                said = errors.read().decode("utf-8", "replace").splitlines() or ["no reason"]
                raise ConnectError(f"The demo server did not start: {said[-1]}")
        self.port: int = json.loads(ready)["port"]
        self.url = f"imap://{USER}:{PASSWORD}@{HOST}:{self.port}"

    def wait(self) -> None:
        """Block until the server ends, which by itself it does not."""
        self._process.wait()

    def close(self) -> None:
        """Stop the server; its mailbox is forgotten."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.close()

    def __repr__(self) -> str:
        """Say where it listens."""
        return f"<DemoServer {self.url}>"
