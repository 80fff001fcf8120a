"""A server that gives out tokens, by authlib's server side: code with PKCE, device code, refresh
with rotation, introspection for Dovecot. HTTPS on loopback; a person's part is played by `approve`.
"""

from __future__ import annotations

import http.server
import json
import secrets
import ssl
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import trustme
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
CLIENT = "a-client"


class _Client:
    client_id = CLIENT

    def get_client_id(self) -> str:
        return self.client_id

    def check_client_secret(self, secret: str) -> bool:
        return secret == "its-secret"

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method in {"none", "client_secret_post"}

    def check_redirect_uri(self, uri: str) -> bool:
        return urlsplit(uri).hostname in {"127.0.0.1", "localhost"}

    def get_default_redirect_uri(self) -> str:
        return ""

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind in {"authorization_code", "refresh_token", DeviceCodeGrant.GRANT_TYPE}

    def get_allowed_scope(self, scope: str) -> str:
        return scope


class _Token(SimpleNamespace):
    def get_client(self) -> _Client:
        return _Client()

    def get_user(self) -> str:
        return self.user

    def get_scope(self) -> str:
        return self.scope

    def check_client(self, client: _Client) -> bool:
        return client.client_id == CLIENT

    def is_expired(self) -> bool:
        return time.time() > self.until

    def is_revoked(self) -> bool:
        return False

    def get_redirect_uri(self) -> str:
        return self.redirect_uri


class Issuer:
    """The server, used as a context manager.

    Attributes
    ----------
    life : float
        Seconds that an access token lives.
    refreshes : int
        Refresh requests that were answered with tokens.
    given : list of str
        Every token and code that was ever given out.
    trouble : int
        A status to answer at the token endpoint, if any.
    device : str
        What a device that asks is told: "", or an error of RFC 8628.
    devices : bool
        Whether codes for other devices are offered at all.
    odd : dict
        What stands in its answers besides, or in place of what ought to.
    """

    def __init__(self, home: Path, user: str, *, life: float = 3600) -> None:
        self.user, self.life = user, life
        self.refreshes = 0
        self.trouble = 0
        self.device: list[str] = []
        self.devices = True
        self.odd: dict[str, Any] = {}
        self.given: list[str] = []
        self.introspected = 0
        self.rotated = threading.Event()  # a refresh token was taken, and its successor made
        self.answers = threading.Event()  # cleared: the token endpoint holds its answers back
        self.answers.set()
        self._tokens: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self._codes: dict[str, _Token] = {}
        self._lock = threading.RLock()
        self._home = home

    def __enter__(self) -> Self:
        authority = trustme.CA()
        self.ca_file = str(self._home / "issuer.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        self._web = _Web((HOST, 0), self._handler())
        self._web.socket = context.wrap_socket(
            self._web.socket, server_side=True, do_handshake_on_connect=False
        )
        self._plain = _Web((HOST, 0), self._handler())  # for Dovecot's introspection
        for server in (self._web, self._plain):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"https://{HOST}:{self._web.server_port}"
        self.introspection = f"http://{HOST}:{self._plain.server_port}/introspect"
        self._server = self._make()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._web, self._plain):
            server.shutdown()
            server.server_close()

    @property
    def client(self) -> dict[str, str]:
        """What `mailframe.login` takes."""
        return {"issuer": self.url, "client_id": CLIENT, "ca_file": self.ca_file}

    def dovecot(self, directory: Path) -> str:
        """Write what Dovecot needs to ask here; return lines for its configuration."""
        settings = directory / "introspect.conf"
        settings.write_text(
            f"introspection_url = {self.introspection}\nintrospection_mode = post\n"
            "force_introspection = yes\nusername_attribute = username\n"
            f"active_attribute = active\nactive_value = true\n"
            f"openid_configuration_url = {self.url}/.well-known/openid-configuration\n"
        )
        directory.chmod(0o755)
        settings.chmod(0o644)
        return (
            "auth_mechanisms = plain login xoauth2 oauthbearer\nauth_cache_size = 0\n"
            "passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n"
            f"  args = {settings}\n}}\n"
        )

    def approve(self, url: str, **changed: str) -> str:
        """Log in as the person would; give the address that the browser is sent to."""
        query = dict(parse_qsl(urlsplit(url).query))
        request = self._request("GET", url, query)
        grant = self._server.get_consent_grant(request, end_user=self.user)
        with self._lock:
            _, _, headers = self._server.create_authorization_response(
                request, grant_user=self.user, grant=grant
            )
        target = dict(headers)["Location"]
        back = dict(parse_qsl(urlsplit(target).query)) | changed
        return f"{target.partition('?')[0]}?{urlencode(back)}"

    def grant(self, life: float | None = None) -> dict[str, Any]:
        """Give tokens without asking anybody."""
        return self._generate(user=self.user, scope="mail", life=life)

    def end(self) -> None:
        """Let every access token end now."""
        for token in self._tokens.values():
            token.until = 0

    def forget(self) -> None:
        """Let every log-in end."""
        self._refresh.clear()

    # -- inside

    def _generate(self, user: str, scope: str = "", life: float | None = None, **_: Any) -> dict:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        life = self.life if life is None else life
        until = time.time() + life
        self._tokens[access] = _Token(user=user, scope=scope, until=until)
        self._refresh[refresh] = _Token(user=user, scope=scope, until=1e12, value=refresh)
        self.given += [access, refresh]
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": life,
        }

    def _request(self, method: str, uri: str, data: dict, headers: Any = None) -> OAuth2Request:
        request = OAuth2Request(method, uri, headers=dict(headers or {}))
        request.payload = BasicOAuth2Payload(data)
        type(request).form = property(lambda self: self.payload.data)
        type(request).args = property(lambda self: self.payload.data)
        return request

    def _make(issuer) -> AuthorizationServer:  # noqa: C901, N805 -- the classes below have a self
        class Server(AuthorizationServer):
            def query_client(self, client_id: str) -> _Client | None:
                return _Client() if client_id == CLIENT else None

            def save_token(self, *_: Any) -> None:
                pass

            def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
                return request

            def handle_response(self, status: int, body: Any, headers: Any) -> tuple:
                return status, body, headers

            def send_signal(self, *_: Any, **__: Any) -> None:
                pass

        class Code(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_post")

            def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
                data = request.payload.data
                issuer.given.append(code)
                issuer._codes[code] = _Token(
                    user=issuer.user,
                    scope=data.get("scope", ""),
                    until=time.time() + 60,
                    redirect_uri=data["redirect_uri"],
                    code_challenge=data.get("code_challenge"),
                    code_challenge_method=data.get("code_challenge_method"),
                    value=code,
                )

            def query_authorization_code(self, code: str, _client: Any) -> _Token | None:
                return issuer._codes.get(code)

            def delete_authorization_code(self, code: _Token) -> None:
                issuer._codes.pop(code.value, None)

            def authenticate_user(self, code: _Token) -> str:
                return code.user

        class Refresh(grants.RefreshTokenGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_post")
            INCLUDE_NEW_REFRESH_TOKEN = True

            def authenticate_refresh_token(self, token: str) -> _Token | None:
                return issuer._refresh.get(token)

            def authenticate_user(self, token: _Token) -> str:
                return token.user

            def revoke_old_credential(self, token: _Token) -> None:
                issuer._refresh.pop(token.value, None)
                issuer.refreshes += 1

        class Device(DeviceCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_post")

            def query_device_credential(self, code: str) -> Any:
                expired = bool(issuer.device) and issuer.device[0] == "expired_token"
                return SimpleNamespace(
                    get_scope=lambda: "mail",
                    is_expired=lambda: expired,
                    get_user_code=lambda: code,
                    get_client_id=lambda: CLIENT,
                )

            def query_user_grant(self, _code: str) -> Any:
                told = issuer.device[0] if issuer.device else ""
                if told == "authorization_pending":
                    issuer.device.pop(0)
                    return None
                if told == "slow_down":
                    return None
                return issuer.user, told != "access_denied"

            def should_slow_down(self, _credential: Any) -> bool:
                if issuer.device and issuer.device[0] == "slow_down":
                    issuer.device.pop(0)
                    return True
                return False

        server = Server()
        server.register_token_generator("default", issuer._generate)
        server.register_grant(Code, [CodeChallenge(required=True)])
        server.register_grant(Refresh)
        server.register_grant(Device)
        return server

    def _answer(self, path: str, data: dict, headers: Any) -> tuple[int, Any]:
        if path.startswith("/.well-known/"):
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                **({"device_authorization_endpoint": f"{self.url}/device"} if self.devices else {}),
                "scopes_supported": ["mail", "offline_access"],
            }
        if path == "/introspect":
            self.introspected += 1
            token = self._tokens.get(data.get("token", ""))
            active = token is not None and not token.is_expired()
            return 200, {"active": active, "username": token.user if token else "nobody"}
        if path == "/device":
            code = secrets.token_urlsafe(16)
            self.given.append(code)
            return 200, {
                "device_code": code,
                "user_code": "ABCD-EFGH",
                "verification_uri": f"{self.url}/d",
                "expires_in": 60,
                "interval": 0.05,
                **self.odd,
            }
        if path == "/token":
            if self.trouble:
                return self.trouble, "<html>trouble"
            with self._lock:
                request = self._request("POST", f"{self.url}/token", data, headers)
                status, body, _ = self._server.create_token_response(request)
            body = {**body, **self.odd} if isinstance(body, dict) else body
            self.rotated.set()
            self.answers.wait(60)
            return status, body
        return 404, {}

    def _handler(issuer) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805 -- as above
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(*issuer._answer(urlsplit(self.path).path, {}, self.headers))

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                data = dict(parse_qsl(text))
                self._say(*issuer._answer(urlsplit(self.path).path, data, self.headers))

            def _say(self, status: int, body: Any) -> None:
                octets = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class _Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up: some tests want just that."""
