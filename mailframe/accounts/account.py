"""One mailbox account: where it is, how the way there is secured, and its password.

An account comes from an IMAP URL (RFC 5092) or from keywords. The password is looked up only when
a connection is about to be opened, and lives in a ``Secret``, a value that will not print, pickle
or format itself; nothing else here ever holds one. Where OAuth 2.0 is spoken, an access token takes
the password's place. The URL is taken apart by our own pattern, in one place that raises nothing:
the standard library's errors quote what they could not read, and that may be half a password.
"""

from __future__ import annotations

import getpass
import importlib
import inspect
import ipaddress
import netrc
import os
import re
import ssl
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args
from urllib.parse import quote, unquote

from mailframe.accounts.secret import Secret, sealing
from mailframe.errors import ConfigurationError, warn
from mailframe.ground.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Security = Literal["tls", "starttls", "none"]
Auth = Literal["password", "xoauth2", "oauthbearer"]

PASSWORD_VARIABLE = "MAILFRAME_PASSWORD"  # noqa: S105 -- a variable's name
TLS_PORT = 993  # RFC 8314: TLS from the first byte
PLAIN_PORT = 143

_URL = re.compile(
    r"""(?P<scheme>imaps?)://
        (?:(?P<user>[^/?\#]*)@)?               # up to the last "@": users write theirs unescaped
        (?P<host>\[[0-9A-Fa-f:.%a-z]+\]|[^:/?\#@\[\]]+)
        (?::(?P<port>[0-9]*))?
        (?P<rest>[/?\#].*)?""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_FORM = "write imaps://USER@HOST, with %40 for an @ inside USER, or use mailframe.Account"
# RFC 5092 lets a URL ask for a mechanism, or for any with "*".
_MECHANISMS: dict[str, Auth] = {
    "*": "password",
    "PLAIN": "password",
    "LOGIN": "password",
    "XOAUTH2": "xoauth2",
    "OAUTHBEARER": "oauthbearer",
}
# Mechanisms that may be named in an error: what else stands there may be half a password.
_OTHERS = {"ANONYMOUS", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "GSSAPI", "NTLM"}
_OTHERS |= {"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}
_CONTROLS = re.compile(r"[\r\n\0]")
_PORTS = range(1, 1 << 16)


class Source(Protocol):
    """What gives a token at each log-in, another one where one was refused."""

    travels: bool

    async def token(self, refused: Secret | None = None) -> Secret:
        """Give it."""


@dataclass(frozen=True)
class Account:
    """A mailbox account on an IMAP server.

    Parameters
    ----------
    host : str
        Name or address of the server.
    user : str
        Login name.
    port : int, optional
        By default 993 for ``security="tls"`` and 143 for the others.
    security : {"tls", "starttls", "none"}
        TLS from the first byte (RFC 8314), TLS after STARTTLS (never without), or plain text.
        Plain text is for loopback addresses, and for those who ask for it by this name.
    password : str, Secret or callable, optional
        Without it, `with_password` looks for one. A function, also one to await, is called at each
        log-in: what it gives may change.
    ca_file : str, optional
        PEM file of certificates to trust instead of the system's.
    ssl_context : ssl.SSLContext, optional
        Used as it is, in place of the verifying default.
    auth : {"password", "xoauth2", "oauthbearer"}
        How to log in. With the latter two, ``password`` is an access token of OAuth 2.0, sent by
        XOAUTH2 (Gmail, Outlook) or OAUTHBEARER (RFC 7628).
    token_command : sequence of str, optional
        A command, such as ``["pass", "show", "mail"]``, run at each log-in; the first line that it
        prints is the password or token.
    login : str, optional
        Who logs in, with a password or token of their own, to read the mail of ``user``: a master
        user or a service account. By default ``user``.

    Raises
    ------
    ConfigurationError
        A part is missing or cannot be sent.
    """

    host: str
    user: str
    port: int = 0
    security: Security = "tls"
    password: Secret | Source | Callable[[], Any] | None = field(default=None, repr=False)
    ca_file: str | None = field(default=None, repr=False)
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    auth: Auth = "password"
    token_command: Sequence[str] | None = None
    login: str | None = None

    def __post_init__(self) -> None:
        if not self.host or not _sendable(self.host) or re.search(r"[\s\0/@]", self.host):
            raise ConfigurationError(f"An account needs the name of a server; {_FORM}")
        host, mark, zone = self.host.partition("%")  # the zone of an IPv6 address has case
        object.__setattr__(self, "host", host.lower() + mark + zone)
        if not self.user:
            raise ConfigurationError(f"No user name for {self.host}; {_FORM}")
        if not _sendable(self.user):
            raise ConfigurationError("The user name is not text, or not UTF-8")
        if _CONTROLS.search(self.user):
            raise ConfigurationError("The user name holds a line break or a NUL")
        self._check_login()
        if self.security not in get_args(Security):
            raise ConfigurationError(
                f'security={self.security!r} is none of "tls", "starttls", "none"'
            )
        if self.auth not in get_args(Auth):
            raise ConfigurationError(
                f'auth={self.auth!r} is none of "password", "xoauth2", "oauthbearer"'
            )
        self._seal()
        if not self.port:
            object.__setattr__(self, "port", _default_port(self.security))
        if not isinstance(self.port, int) or self.port not in _PORTS:
            brief = isinstance(self.port, int) and abs(self.port) < 1 << 64
            given = self.port if brief else "What was given"
            raise ConfigurationError(f"{given} is not a port number (1 to 65535)")

    def _check_login(self) -> None:
        if self.login is None:
            return
        if not self.login or not _sendable(self.login) or _CONTROLS.search(self.login):
            raise ConfigurationError("login= is no name that can be sent")
        if self.auth == "xoauth2":
            raise ConfigurationError(
                "XOAUTH2 lets nobody in on behalf of another: login= wants a password or"
                " OAUTHBEARER"
            )

    def _seal(self) -> None:
        """Seal the password, or note how it is to be asked for."""
        if self.token_command is not None:
            if isinstance(self.token_command, str) or not self.token_command:
                raise ConfigurationError('token_command= takes a list: ["pass", "show", "mail"]')
            object.__setattr__(self, "token_command", tuple(self.token_command))
        if self.password is None and self.token_command is not None:
            object.__setattr__(self, "password", partial(_from_command, self.token_command))
        if self.password is not None and not self.is_asked:
            secret = self.password if isinstance(self.password, Secret) else Secret(self.password)  # type: ignore[arg-type]  # told by check
            object.__setattr__(self, "password", secret)
            secret.check(self.secret_kind)

    @classmethod
    @sealing
    def parse(
        cls,
        account: str | Account | Secret,
        password: str | bytes | Secret | None = None,
        *,
        security: Security | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        login: str | None = None,
    ) -> Account:
        """Read an ``imap://`` or ``imaps://`` URL, or amend an account.

        ``imaps://ann@imap.example.org`` speaks TLS from the first byte. ``imap://`` insists on
        STARTTLS, except to a loopback address, where plain text harms nobody. A password in the
        URL is taken, but a better place for it is one that `with_password` knows.
        ``imaps://ann;AUTH=XOAUTH2@imap.example.org`` logs in with an access token instead.

        Parameters
        ----------
        account : str, Account or Secret
            RFC 5092 URL of a server: no folder, no query. Reserved characters percent-encoded.
        password, security, ca_file, ssl_context, login
            Take precedence over what ``account`` says.

        Raises
        ------
        ConfigurationError
            The URL cannot be read. The message never quotes it: it may hold a password.
        """
        parsed = account if isinstance(account, Account) else _parse_url(account, cls)
        if security is not None and security != parsed.security:
            port = parsed.port
            kept = 0 if port == _default_port(parsed.security) else port
            parsed = replace(parsed, security=security, port=kept)
        return replace(
            parsed,
            password=parsed.password if password is None else password,  # type: ignore[arg-type]  # sealed
            ca_file=parsed.ca_file if ca_file is None else os.fspath(ca_file),
            ssl_context=parsed.ssl_context if ssl_context is None else ssl_context,
            login=parsed.login if login is None else login,
        )

    @property
    def name(self) -> str:
        """What people call the account: ``user@host``, or the user where it is an address."""
        return self.user if "@" in self.user else f"{self.user}@{self.host}"

    @property
    def server(self) -> str:
        """The host, with its port unless that is one of IMAP's own."""
        return self._address(PLAIN_PORT, TLS_PORT)

    @property
    def url(self) -> str:
        """The account as a URL, without its password."""
        scheme = "imaps" if self.security == "tls" else "imap"
        auth = "" if self.auth == "password" else f";AUTH={self.auth.upper()}"
        address = self._address(_default_port(self.security))
        return f"{scheme}://{quote(self.user, safe='')}{auth}@{address}"

    def _address(self, *implied: int) -> str:
        """Write host and port as a URL has them, without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in implied else f"{host}:{self.port}"

    @property
    def secret_kind(self) -> str:
        """What people call that which lets them in."""
        return "password" if self.auth == "password" else "access token"

    @property
    def is_asked(self) -> bool:
        """Whether the password or token is asked for at each log-in."""
        return callable(self.password) or hasattr(self.password, "token")

    async def secret(self, refused: Secret | None = None) -> Secret:
        """Give what lets in now; where it is asked for, not what was just refused.

        Raises
        ------
        ConfigurationError, AuthenticationError, TransportError
            There is none, or it cannot be had.
        """
        given: Any = self.password
        if given is None:
            raise ConfigurationError(f"No {self.secret_kind}", account=self.name)
        if isinstance(given, Secret):
            return given
        if hasattr(given, "token"):
            return await given.token(refused)  # type: ignore[no-any-return]  # a Source
        got: Any = given() if inspect.iscoroutinefunction(given) else in_thread(_called, given)
        got = await got
        if inspect.isawaitable(got):
            got = await got
        secret = got if isinstance(got, Secret) else Secret(got)
        secret.check(self.secret_kind)
        return secret

    def __str__(self) -> str:
        return self.url

    def __reduce__(self) -> tuple[object, ...]:
        # Neither secrets nor TLS contexts travel; where the account lands, with_password asks anew.
        kept = self.password if getattr(self.password, "travels", False) else None
        parts = (self.host, self.user, self.port, self.security, kept, self.ca_file, None)
        return (type(self), (*parts, self.auth, self.token_command, self.login))

    def with_password(self, *, ask: bool = True) -> Account:
        """Give the same account with its password or token, looked up where it is missing.

        The places, in order: the account itself, the variable ``MAILFRAME_PASSWORD``, the keyring
        (where the ``keyring`` package is installed; service: the host, user name: the user),
        ``~/.netrc``, and a prompt if a terminal or a notebook is there to answer it. A prompt
        blocks, so call this from the main thread and outside the event loop.

        Parameters
        ----------
        ask : bool
            Whether a person may be asked.

        Raises
        ------
        ConfigurationError
            No place has it and nobody can be asked.
        """
        if self.password is not None:
            return self
        for name, place in _PLACES.items():
            found = place(self) if ask or name != "prompt" else None
            if found is not None:
                return replace(self, password=found)
        raise ConfigurationError(
            f"No {self.secret_kind} for {self.name} and nobody to ask: pass password=, set "
            f"{PASSWORD_VARIABLE}, or add {self.host} to the keyring or to ~/.netrc",
            account=self.name,
        )

    def secret_in(self, place: str) -> Secret | None:
        """Return its password or token as one place has it: ``keyring`` or ``netrc``, or None."""
        return _PLACES[place](self)

    @property
    def who(self) -> str:
        """Who logs in."""
        return self.login or self.user

    def tls_context(self) -> ssl.SSLContext:
        """Give the context to wrap the connection with: verifying, unless one was given.

        Raises
        ------
        ConfigurationError
            ``ca_file`` cannot be read.
        """
        if self.ssl_context is not None:
            return self.ssl_context
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one: a file that holds no certificate
            why = error.strerror or error
            raise ConfigurationError(
                f"The certificates in ca_file={self.ca_file!r} cannot be read: {why}",
                account=self.name,
            ) from error
        # RFC 9525 section 6.3: a name is in the certificate as such, not as part of a subject.
        context.hostname_checks_common_name = False
        # RFC 8997; Python leaves it to how the system's OpenSSL is set up.
        context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
        return context


def _default_port(security: str) -> int:
    return TLS_PORT if security == "tls" else PLAIN_PORT


# What an account is made of holds its password from its first line on.
Account.__init__ = sealing(Account.__init__)  # type: ignore[method-assign]


def _sendable(text: object) -> bool:
    """Tell text that UTF-8 can carry from other things, and from other octets in disguise."""
    return isinstance(text, str) and text.encode("utf-8", "replace").decode() == text


class _Url(NamedTuple):
    """The parts of a URL, each as it stands."""

    scheme: str
    user: str
    mechanism: str | None  # one that may be named, or "" for another
    password: Secret | None
    host: str
    port: str
    beyond: bool  # whether something stands behind the server


def _taken_apart(url: Secret) -> _Url | None:
    """Take a URL apart; raises nothing, because its variables are what nobody shall see."""
    value = url.reveal() if url.is_text() else ""
    match = _URL.fullmatch(value.strip())
    if match is None:
        return None
    login, _, password = (match["user"] or "").partition(":")
    user, *mechanism = re.split(";AUTH=", login, maxsplit=1, flags=re.IGNORECASE)
    asked = mechanism[0].upper() if mechanism else None
    return _Url(
        match["scheme"].lower(),
        unquote(user),
        "" if asked not in {None, *_MECHANISMS, *_OTHERS} else asked,
        Secret(unquote(password, errors="surrogateescape")) if password else None,
        unquote(match["host"]).strip("[]"),
        (match["port"] or "").lstrip("0"),
        (match["rest"] or "/") != "/",
    )


def _parse_url(account: object, make: Callable[..., Account]) -> Account:
    # What is no text is most likely a variable that was never set.
    url = _taken_apart(account) if isinstance(account, Secret) else None
    if url is None:
        raise ConfigurationError(f"This is not an IMAP URL; {_FORM}")
    if url.beyond:
        raise ConfigurationError(
            'An account\'s URL ends with the server; name folders by folders=["INBOX", ...] '
            "(and write %2F, %3F, %23 for / ? # in a user name or password)"
        )
    auth = _MECHANISMS.get("*" if url.mechanism is None else url.mechanism)
    if auth is None:
        known = ", ".join(name for name in _MECHANISMS if name != "*")
        asked = f"AUTH={url.mechanism}" if url.mechanism else "a mechanism by ;AUTH= that is none"
        raise ConfigurationError(f"The URL asks for {asked}; supported are {known}")
    if len(url.port) > len(str(_PORTS[-1])):
        raise ConfigurationError("The URL's port is not a port number (1 to 65535)")
    port = int(url.port or 0)
    security: Security = "starttls"
    if url.scheme == "imaps" or port == TLS_PORT:
        security = "tls"
    elif is_loopback(url.host):
        security = "none"
    return make(url.host, url.user, port, security, url.password, auth=auth)


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to ``host`` stays on this machine (RFC 6761 for ``localhost``)."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _found(value: str | None) -> Secret | None:
    return Secret(value) if value else None


def _called(function: Callable[[], Any]) -> Any:  # noqa: ANN401 -- a password, as text or sealed
    value = function()
    return value if inspect.isawaitable(value) or isinstance(value, Secret) else Secret(value)


def _from_command(command: Sequence[str]) -> Secret:
    failure = ""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=False)  # noqa: S603 -- the user's own
    except (OSError, ValueError, subprocess.SubprocessError):
        failure = "cannot be run, or takes longer than a minute"
    else:
        line = Secret(done.stdout.split(b"\n")[0].strip(b"\r"))
        if not done.returncode and line.is_text() and line.reveal():
            return line
        failure = f"ended with status {done.returncode} and gave nothing that can be used"
    raise ConfigurationError(f"token_command {command[0]!r} {failure}")


def _from_environment(_: Account) -> Secret | None:
    return _found(os.environ.get(PASSWORD_VARIABLE))


def _from_keyring(account: Account) -> Secret | None:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    found: Secret | None = None
    # A keyring that is locked or has no backend is like one that is not there.
    with suppress(keyring.errors.KeyringError):
        found = _found(keyring.get_password(account.host, account.who))
    return found


def _from_netrc(account: Account) -> Secret | None:
    try:
        entry = netrc.netrc().authenticators(account.host)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as error:
        # Not the error's own words: they may quote a token, and tokens are passwords.
        line = getattr(error, "lineno", None)
        hint = f"line {line} cannot be read" if line else "is it yours, and chmod 600?"
        warn(f"~/.netrc was left out: {hint}")
        return None
    if entry is None or entry[0] not in {"", account.who}:
        return None
    return _found(entry[2])


def _from_prompt(account: Account) -> Secret | None:
    # A Jupyter kernel puts its own function in place of getpass's; else somebody must sit there.
    in_notebook = getattr(getpass.getpass, "__module__", None) != "getpass"
    if not in_notebook and not (sys.stdin and sys.stdin.isatty()):
        return None
    try:
        who = account.name if account.login is None else f"{account.login} at {account.host}"
        prompt = f"{account.secret_kind.capitalize()} for {who}: "
        return _found(getpass.getpass(prompt))
    except EOFError:
        return None
    except Exception as error:
        # A kernel whose front end cannot ask raises an error class of its own.
        if type(error).__name__ == "StdinNotImplementedError":
            return None
        raise


_PLACES: dict[str, Callable[[Account], Secret | None]] = {
    "environment": _from_environment,
    "keyring": _from_keyring,
    "netrc": _from_netrc,
    "prompt": _from_prompt,
}
