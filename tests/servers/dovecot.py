"""A private Dovecot on loopback, its mail written straight to disk.

Everything lives in scratch directories: no system configuration is read, nothing listens beyond
127.0.0.1, and the server is ended by its own process id. Dovecot runs without privileges in either
case: as the user who runs the tests, or as `nobody` when that user is root.

Mail is Maildir because a message there is a file: 100,000 of them take some three seconds to
write, flags stand in the file's name, the internal date is its mtime, and bytes come back exactly.
The names also carry the sizes (`S=`, `W=`), so that RFC822.SIZE costs no read. Files are numbered,
hence a new folder gets the UIDs 1, 2, 3 … in the order of delivery.

A first `FETCH` of header fields reads every file and fills Dovecot's cache; `Dovecot.warm` does it
beforehand where time matters.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

BINARY = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin")
PASSWORD = "secret"
HOST = "127.0.0.1"

#: Flags as Maildir letters, which must stand in alphabetical order.
LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}

#: A Maildir folder knows 26 keywords, "a" to "z", listed in its file `dovecot-keywords`.
MAX_KEYWORDS = 26

_START_SECONDS = 15
_START_TRIES = 3  # another process may take the free port before Dovecot binds it

_CONFIG = """
base_dir = {run}/base
state_dir = {run}/base
log_path = {log}
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
mail_location = maildir:~/mail:LAYOUT=fs:INBOX=~/mail/INBOX:UTF-8
mail_fsync = never
default_vsz_limit = 2G
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = {ssl}
{tls}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = {ssl}
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Archive {{
    special_use = \\Archive
  }}
  mailbox Drafts {{
    special_use = \\Drafts
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
  mailbox Sent {{
    special_use = \\Sent
  }}
  mailbox Trash {{
    special_use = \\Trash
  }}
}}
{more}
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the server is to hold it."""

    raw: bytes
    flags: Sequence[str] = ()
    internaldate: datetime | None = None

    @property
    def size(self) -> int:
        """RFC822.SIZE: every line end counts as CRLF, however the file has it."""
        return len(self.raw) + self.raw.count(b"\n") - self.raw.count(b"\r\n")


class Dovecot:
    """A running Dovecot 2.3, used as a context manager.

    Parameters
    ----------
    home
        Where mail (`home/mail/USER/mail/FOLDER`) and the log are kept, to be found again by a later
        server. Without it, or where the mail user may not pass through it (pytest's own scratch
        directories, when root runs the tests), a temporary directory is used and removed.
    tls
        Also listen on `tls_port`, and offer STARTTLS on `port`; `ca_file` is whom to trust.
    expired
        The certificate ended yesterday.
    host_names
        What the certificate is for.
    masters
        Passwords of master users, who may act for everybody.
    config
        More lines of dovecot.conf, e.g. `"mail_max_userip_connections = 2"`.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        tls: bool = False,
        expired: bool = False,
        host_names: Sequence[str] = (HOST, "localhost"),
        masters: Mapping[str, str] | None = None,
        config: str = "",
    ) -> None:
        if BINARY is None:
            raise FileNotFoundError("Dovecot is not installed: apt install dovecot-imapd")
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._uid, self._gid, self._user = account.pw_uid, account.pw_gid, account.pw_name
        # Short, because the path of a Unix socket ends at 107 bytes.
        self.run = Path(tempfile.mkdtemp(prefix="mf-dovecot-"))
        self.run.chmod(0o711)
        self.home = home if home is not None and self._may_pass(home) else self.run
        self.mail = self.home / "mail"
        self.log = self.home / "dovecot.log"
        self.tls = tls or expired
        self.ca_file = self.run / "ca.pem"
        self.port = 0
        self.tls_port = 0
        self._expired = expired
        self._host_names = host_names
        self._masters = masters or {}
        self._more = config
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(time.time_ns() // 1_000)

    def __enter__(self) -> Self:
        """Start the server and wait for its greeting."""
        self._make_directory(self.home)
        self._make_directory(self.run / "base")
        self._make_directory(self.mail)
        if self.tls:
            self._write_certificate()
        for attempt in range(1, _START_TRIES + 1):
            try:
                self._start()
            except RuntimeError:
                self.stop()
                if attempt == _START_TRIES:
                    raise
            else:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server; keep the log's end with a failure, remove what is temporary."""
        self.stop()
        if isinstance(error, Exception):
            error.add_note(f"Dovecot's log ends:\n{self.log_tail()}")
        shutil.rmtree(self.run, ignore_errors=True)

    # -- use

    def url(self, user: str = "ann", *, tls: bool = False) -> str:
        """Give the account's URL, password included."""
        scheme, port = ("imaps", self.tls_port) if tls else ("imap", self.port)
        return f"{scheme}://{quote(user, safe='')}:{PASSWORD}@{HOST}:{port}"

    def deliver(self, user: str, folder: str, messages: Iterable[bytes | Message]) -> int:
        """Write messages into a folder, which is made if it is new; return how many."""
        place = self.folder(user, folder)
        keywords = _Keywords(place / "dovecot-keywords")
        written = 0
        for message in messages:
            written += 1
            self._write(place, message, keywords)
        keywords.save((self._uid, self._gid))
        return written

    def folder(self, user: str, folder: str) -> Path:
        """Make a folder, empty when new, and give its directory."""
        place = self.mail / user / "mail" / folder
        for directory in [*reversed(place.relative_to(self.mail).parents), Path()]:
            self._make_directory(self.mail / directory)
        for part in ("", "tmp", "new", "cur"):
            self._make_directory(place / part)
        return place

    def warm(self, user: str) -> None:
        """Read every header once, as a client would, so that Dovecot's caches are filled."""
        fields = (
            "DATE FROM TO CC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID"
            " LIST-UNSUBSCRIBE PRECEDENCE AUTO-SUBMITTED X-AUTOREPLY X-AUTORESPOND"
        )
        with imaplib.IMAP4(HOST, self.port) as client:
            client.login(user, PASSWORD)
            for line in client.list()[1]:
                if b"\\Noselect" in line:
                    continue
                name = line.partition(b' "/" ')[2].decode()
                if client.select(name, readonly=True)[0] == "OK":
                    wanted = f"(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({fields})])"
                    client.uid("FETCH", "1:*", wanted)

    def log_tail(self, lines: int = 20) -> str:
        """Give the last lines of the server's log."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
        return "(no log was written)"

    def stop(self) -> None:
        """End the server, by its own process."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    # -- inside

    def _may_pass(self, home: Path) -> bool:
        """Say whether the mail user reaches `home`, which need not exist yet."""
        if os.geteuid() != 0:
            return True
        return all(p.stat().st_mode & 0o001 for p in home.absolute().parents if p.exists())

    def _make_directory(self, path: Path) -> None:
        if not path.is_dir():
            path.mkdir(parents=True)
        if os.geteuid() == 0 and path.stat().st_uid != self._uid and path != self.run:
            os.chown(path, self._uid, self._gid)

    def _write(self, place: Path, message: bytes | Message, keywords: _Keywords) -> None:
        if isinstance(message, bytes):
            message = Message(message)
        letters = "".join(sorted(LETTERS.get(f) or keywords.letter(f) for f in message.flags))
        sizes = f"S={len(message.raw)},W={message.size}"
        path = f"{place}/cur/{next(self._numbers)}.M0P1.loopback,{sizes}:2,{letters}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.write(file, message.raw)
            if message.internaldate is not None:
                stamp = int(message.internaldate.timestamp())
                os.utime(file, (stamp, stamp))
        finally:
            os.close(file)

    def _write_certificate(self) -> None:
        import datetime as dt  # noqa: PLC0415 -- only servers with TLS need these two

        import trustme  # noqa: PLC0415 -- the same

        now = dt.datetime.now(dt.UTC)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        ends = now - dt.timedelta(days=1) if self._expired else now + dt.timedelta(days=1)
        leaf = authority.issue_cert(*self._host_names, not_after=ends)
        leaf.private_key_and_cert_chain_pem.write_to_path(self.run / "server.pem")
        (self.run / "server.pem").chmod(0o600)
        self.ca_file.chmod(0o644)
        if os.geteuid() == 0:
            os.chown(self.run / "server.pem", self._uid, self._gid)

    def _write_masters(self) -> str:
        if not self._masters:
            return ""
        path = self.run / "masters"
        path.write_text(
            "".join(f"{name}:{{PLAIN}}{word}\n" for name, word in self._masters.items())
        )
        path.chmod(0o644)
        return f"passdb {{\n  driver = passwd-file\n  args = {path}\n  master = yes\n}}\n"

    def _configure(self) -> Path:
        certificate = f"<{self.run}/server.pem"
        path = self.run / "dovecot.conf"
        path.write_text(
            _CONFIG.format(
                run=self.run,
                log=self.log,
                mail=self.mail,
                user=self._user,
                uid=self._uid,
                gid=self._gid,
                group=_group_name(self._gid),
                port=self.port,
                tls_port=self.tls_port,
                ssl="yes" if self.tls else "no",
                tls=f"ssl_cert = {certificate}\nssl_key = {certificate}" if self.tls else "",
                password=PASSWORD,
                more=self._write_masters() + self._more,
            )
        )
        path.chmod(0o644)
        return path

    def _start(self) -> None:
        self.port, tls_port = free_ports(2)
        self.tls_port = tls_port if self.tls else 0  # Dovecot: port 0 is a listener not wanted
        self.log.touch()
        as_user = {}
        if os.geteuid() == 0:
            os.chown(self.log, self._uid, self._gid)
            as_user = {"user": self._uid, "group": self._gid, "extra_groups": []}
        with (self.run / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                [str(BINARY), "-F", "-c", str(self._configure())],
                cwd=self.run,
                start_new_session=True,  # so that `stop` can tell all of its processes at once
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                **as_user,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _greets(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self.run / "stderr").read_text("utf-8", "replace")
                raise RuntimeError(f"Dovecot did not start:\n{said}\n{self.log_tail()}")
            time.sleep(0.02)


class _Keywords:
    """The keywords of one Maildir folder, each a small letter in file names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.names = [line.partition(" ")[2] for line in lines]
        self.saved = len(self.names)

    def letter(self, name: str) -> str:
        if name not in self.names:
            if len(self.names) == MAX_KEYWORDS:
                raise ValueError(
                    f"a Maildir folder holds {MAX_KEYWORDS} keywords; no room for {name}"
                )
            self.names.append(name)
        return chr(ord("a") + self.names.index(name))

    def save(self, owner: tuple[int, int]) -> None:
        if len(self.names) == self.saved:
            return
        self.path.write_text("".join(f"{i} {name}\n" for i, name in enumerate(self.names)))
        if os.geteuid() == 0:
            os.chown(self.path, *owner)


def free_ports(number: int) -> list[int]:
    """Find ports of 127.0.0.1 that nothing listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def _greets(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 2) as link:
        link.settimeout(5)
        return link.recv(4) == b"* OK"
    return False


def _group_name(gid: int) -> str:
    import grp  # noqa: PLC0415 -- absent on some systems, where there is no Dovecot either

    return grp.getgrgid(gid).gr_name
