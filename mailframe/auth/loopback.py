"""The end of a log-in in a browser: one request to this machine, on a port of the moment.

Whoever asks for anything else, or with another state, gets a 404 and changes nothing (RFC 8252).
"""

from __future__ import annotations

import html
import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailframe.auth import grants
from mailframe.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE = "<!doctype html><meta charset=utf-8><title>mailframe</title><p>{}</p>"


class Redirect:
    """Waits for the answer; `code` once it is there, or `refused`."""

    def __init__(self, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}/"
        self.attempt: grants.Attempt | None = None
        self.code: str | None = None
        self.refused: AuthenticationError | None = None
        self.arrived = threading.Event()
        self._lock = threading.Lock()

    def take(self, path: str) -> tuple[int, str]:
        """Judge a request; give the status and what the person reads."""
        parts = urlsplit(path)
        with self._lock:
            if parts.path != "/" or self.attempt is None or self.arrived.is_set():
                return 404, "There is nothing here."
            try:
                self.code = grants.code_of(parts.query, self.attempt)
                said = 200, "You are logged in. This page can be closed."
            except grants.NotOursError:
                return 404, "This answer belongs to another log-in."
            except AuthenticationError as error:
                self.refused = error
                said = 200, str(error)
            self.arrived.set()
            return said


@contextmanager
def listening(host: str) -> Iterator[Redirect]:
    """Listen on loopback, under the name that the issuer knows, while the block runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    redirect = Redirect(host, server.server_port)
    server.redirect = redirect  # type: ignore[attr-defined]  # for the handler
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield redirect
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 10  # seconds for one request: a connection that says nothing holds up nobody

    def do_GET(self) -> None:
        """Answer a browser."""
        status, said = self.server.redirect.take(self.path)  # type: ignore[attr-defined]
        page = _PAGE.format(html.escape(said)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing: the path holds the code."""
