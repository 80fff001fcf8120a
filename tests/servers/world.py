"""A small world on loopback: a name server (dnslib) and web servers (HTTPS, one port for all).

What they are to answer is said by dictionaries; what they were asked is recorded.
"""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import trustme
from dnslib import QTYPE, RCODE, RR
from dnslib.server import DNSServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST = "127.0.0.1"


@dataclass
class World:
    """Servers that answer as told, used as a context manager.

    Attributes
    ----------
    records
        Name → lines of a zone file without the name, such as ``"MX 10 mx.example.net."``; a name
        that is not there does not exist. None: the name server says nothing.
    pages
        Host and path, without the query → what answers: octets, a status, or a function of the
        request's handler. Hosts have addresses of their own accord.
    asked, queried
        URLs and names that were asked for.
    """

    home: Path
    records: dict[str, list[str]] | None = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)
    certified: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    queried: list[str] = field(default_factory=list)
    dead_web: bool = False

    def __enter__(self) -> Self:
        authority = trustme.CA()
        self.ca_file = str(self.home / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        hosts = {page.partition("/")[0] for page in self.pages}
        names = self.certified or sorted(hosts) or ["nobody.example"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        self.context = context
        self._hosts = hosts
        self._dns = DNSServer(self, address=HOST, port=0, logger=_Silent())
        self._deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # hears, and answers nobody
        self._deaf.bind((HOST, 0))
        heard = self._dns.server.socket if self.records is not None else self._deaf
        self.nameserver = heard.getsockname()
        threading.Thread(target=self._dns.server.serve_forever, args=(0.02,), daemon=True).start()
        self._silent = socket.create_server((HOST, 0))  # takes connections and says nothing
        self._web = _Web((HOST, 0), self._handler())
        listening = self._web.socket
        self._web.socket = context.wrap_socket(
            listening, server_side=True, do_handshake_on_connect=False
        )
        self.https_port = (self._silent if self.dead_web else self._web.socket).getsockname()[1]
        threading.Thread(target=self._web.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()
        self._web.server_close()
        self._silent.close()
        self._deaf.close()
        self._dns.server.shutdown()
        self._dns.server.server_close()

    def network(self, **more: Any) -> Any:
        from mailframe.discovery.network import Network  # noqa: PLC0415 -- tests alone need it

        given = {"nameserver": self.nameserver, "https_port": self.https_port}
        return Network(**{**given, "ca_file": self.ca_file, "imaps_port": 1, **more})

    def resolve(self, request: Any, _handler: Any) -> Any:
        """Answer a question of DNS; what dnslib's server calls."""
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        self.queried.append(f"{kind} {name}")
        reply = request.reply()
        told = (self.records or {}).get(name)
        if kind == "A" and name in self._hosts | set(self.certified):
            reply.add_answer(*RR.fromZone(f"{name}. 1 IN A {HOST}"))
        elif told is None:
            reply.header.rcode = RCODE.NXDOMAIN
        for line in told or []:
            if line.split()[0] == kind:
                reply.add_answer(*RR.fromZone(f"{name}. 1 IN {line}"))
        return reply

    def _handler(world) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805 -- the handler has a self
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = self.headers["Host"]
                world.asked.append(f"https://{host}{self.path}")
                answer = world.pages.get(host + self.path.partition("?")[0], 404)
                if callable(answer):
                    answer(self)
                    return
                status, body = (answer, b"") if isinstance(answer, int) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def moved(to: str) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


class _Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up: some tests want just that."""


class _Silent:
    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_: None
