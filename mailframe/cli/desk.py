"""The explorer in a browser, for who has no notebook open: Voilà on this machine alone.

The mail lies in a scratch directory of one's own as long as the page is served. The way in is a
token, which travels by the environment: whoever lists processes does not see it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError, MailframeError
from mailframe.frame.export import to_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

_HOST = "127.0.0.1"
_PATIENCE = 60.0  # seconds for a server to come up on a busy machine
_CELL = """\
import pandas as pd
import mailframe as mf

mf.explore(pd.read_parquet("mail.parquet"), {options})
"""


@contextlib.contextmanager
def served(df: pd.DataFrame, *, tz: str | None = None, search: str = "") -> Iterator[str]:
    """Serve the explorer of a frame as long as the block runs; gives the address of its page.

    Raises
    ------
    ConfigurationError
        Voilà is not installed.
    MailframeError
        It did not start.
    """
    if importlib.util.find_spec("voila") is None:
        raise ConfigurationError("The page needs Voilà: pip install 'mailframe[app]'")
    with TemporaryDirectory(prefix="mailframe-") as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        to_parquet(df, home / "mail.parquet")
        (home / "Mail.ipynb").write_text(_notebook(tz, search), "utf-8")
        token, port = secrets.token_urlsafe(24), _free_port()
        command = ["voila", "Mail.ipynb", "--no-browser", f"--port={port}"]
        command += [f"--Voila.ip={_HOST}", "--Voila.auto_token=True"]
        log = stack.enter_context((home / "log").open("wb"))
        server = subprocess.Popen(  # noqa: S603 -- our own words
            [sys.executable, "-m", *command],
            cwd=home,
            env=os.environ | {"JUPYTER_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        stack.callback(_end, server)
        address = f"http://{_HOST}:{port}/?token={token}"
        _wait_for(f"http://{_HOST}:{port}/static/", server)
        yield address


def show(address: str, say: Callable[[str], None]) -> None:
    """Open the page and stay until Ctrl-C."""
    opened = webbrowser.open(address)
    say(f"The explorer is at {address}{'' if opened else ' (open it in a browser)'}")
    say("Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _notebook(tz: str | None, search: str) -> str:
    options = f"tz={tz!r}, search={search!r}"
    source = _CELL.format(options=options)
    nothing: dict[str, object] = {"metadata": {}, "outputs": [], "execution_count": None}
    cell = nothing | {"cell_type": "code", "source": source}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(book)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        return int(free.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 -- our own address
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise MailframeError("Voilà did not start; `python -m voila --version` may tell why")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
