"""Which account of a fleet is visited when: pure, the clock is the caller's.

Largest first, as the last one to end is what all wait for; never more at one host than it may
have; who was throttled or lost comes back later, who was refused does not.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OK = "ok"
# Some folders or messages were left out; the connection or the server failed; it asked for a pause.
AGAIN = {"partial": 5.0, "failed": 5.0, "throttled": 30.0}  # seconds until it is worth a visit
_LONGEST = 600.0
# What a column of accounts may be called, and what a server's URL looks like.
_COLUMNS = ("account", "url", "address", "source", "path", "email", "user")
_URL = re.compile(r"imaps?://", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Member:
    """One account of a fleet, without anything secret.

    Parameters
    ----------
    source : str
        An address, a URL without a password, or the path of local mail.
    credentials : str, optional
        The name of the source of its password; see `mailframe.fleets.credentials`.
    login : str, optional
        Who logs in on its behalf: a master user.
    messages : int
        How many it had the last time.
    """

    source: str
    credentials: str | None = None
    login: str | None = None
    messages: int = 0

    @property
    def host(self) -> str:
        """Where it is, as far as can be told without asking; empty for local mail."""
        if _URL.match(self.source):
            return (urlsplit(self.source).hostname or "").lower()
        return self.source.rpartition("@")[2].lower() if self.is_remote else ""

    @property
    def is_remote(self) -> bool:
        """Whether it is on a server: a path has a separator, or no ``@``."""
        looks = "@" in self.source and not re.search(r"[/\\]", self.source)
        return bool(_URL.match(self.source)) or looks


def read_rows(text: str) -> Iterator[dict[str, str]]:
    """Read accounts from CSV: with a header that names a column of accounts, or one a line."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    rows = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if rows and any(cell.lower() in _COLUMNS for cell in rows[0]):
        names = [cell.lower() for cell in rows[0]]
        yield from (dict(zip(names, row, strict=False)) for row in rows[1:])
    else:
        yield from ({"account": row[0]} for row in rows)


def members(
    rows: Iterable[Mapping[str, object]],
    *,
    where: str | None = None,
    credentials: str | None = None,
    login: str | None = None,
) -> list[Member]:
    """Make members of rows; what a row says goes before what all have in common.

    Raises
    ------
    ConfigurationError
        A row names no account, or one with its password; an account is there twice.
    """
    found: dict[str, Member] = {}
    for number, row in enumerate(rows, 1):
        named = (row.get(name) for name in _COLUMNS)
        source = next((each.strip() for each in named if isinstance(each, str) and each), "")
        if not source:
            raise ConfigurationError(
                f"Account {number} of the fleet has no name; write an address, a URL or a path"
                f" into a column {_COLUMNS[0]!r}"
            )
        member = Member(
            _at(source, where),
            _said(row, "credentials") or credentials,
            _said(row, "login") or login,
        )
        if _URL.match(member.source) and _has_password(member.source):
            raise ConfigurationError(
                f"Account {number} of the fleet has its password in its URL, and passwords do not"
                " travel: leave it out, and say by credentials= where the workers find it"
            )
        if found.setdefault(member.source, member) is not member:
            raise ConfigurationError(f"The fleet has {member.source} twice")
    return list(found.values())


def _said(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None  # in a frame, NaN is nothing said


def _has_password(url: str) -> bool:
    login = urlsplit(url).netloc.rpartition("@")[0]
    return ":" in login


def _at(source: str, where: str | None) -> str:
    """Put a user's name into the URL of the server where all are."""
    if where is None or _URL.match(source):
        return source
    parts = urlsplit(where)
    if not (_URL.match(where) and parts.netloc and "@" not in parts.netloc):
        raise ConfigurationError(
            f"where={where!r}: write the URL of a server, such as 'imaps://imap.example.org'"
        )
    return f"{parts.scheme}://{quote(unquote(source), safe='')}@{parts.netloc}"


@dataclasses.dataclass(slots=True)
class Visit:
    """A member's turn."""

    member: Member
    attempt: int = 1
    not_before: float = 0.0


class Schedule:
    """Who is visited next.

    Parameters
    ----------
    at_host : int
        Visits at one host at a time.
    at_once : int
        Visits in all at a time.
    retries : int
        How often one comes back.
    """

    def __init__(
        self, fleet: Sequence[Member], *, at_host: int, at_once: int, retries: int
    ) -> None:
        self._waiting = [Visit(member) for member in sorted(fleet, key=_largest_first)]
        self._running: dict[str, int] = {}
        self._at_host = at_host
        self._at_once = at_once
        self._retries = retries

    def start(self, now: float) -> list[Visit]:
        """Take those whose turn it is."""
        started = []
        for visit in [*self._waiting]:
            if self.running >= self._at_once:
                break
            host = visit.member.host
            free = not host or self._running.get(host, 0) < self._at_host
            if free and visit.not_before <= now:
                self._waiting.remove(visit)
                self._running[host] = self._running.get(host, 0) + 1
                started.append(visit)
        return started

    def ended(self, visit: Visit, status: str, now: float) -> bool:
        """Be told how a visit ended; return whether that was the last of this member."""
        self._running[visit.member.host] -= 1
        if status not in AGAIN or visit.attempt > self._retries:
            return True
        pause = min(AGAIN[status] * 2 ** (visit.attempt - 1), _LONGEST)
        self._waiting.append(Visit(visit.member, visit.attempt + 1, now + pause))
        return False

    @property
    def running(self) -> int:
        """How many visits are under way."""
        return sum(self._running.values())

    @property
    def done(self) -> bool:
        """Whether nobody waits and nobody is visited."""
        return not self._waiting and not self.running

    def pause(self, now: float) -> float | None:
        """Seconds until one that waits may come back; None where nobody waits for the clock."""
        later = [visit.not_before - now for visit in self._waiting if visit.not_before > now]
        return max(0.0, min(later)) if later else None


def _largest_first(member: Member) -> tuple[bool, int]:
    # One never seen may be the largest of all.
    return bool(member.messages), -member.messages


def left(fleet: Iterable[Member], manifest: Mapping[str, Mapping[str, object]]) -> list[Member]:
    """Return the members that the last run has not ended well with."""
    return [m for m in fleet if manifest.get(m.source, {}).get("status") != OK]


def with_sizes(
    fleet: Iterable[Member], manifest: Mapping[str, Mapping[str, object]]
) -> list[Member]:
    """Return the members with the number of messages that they had the last time."""
    sized = []
    for member in fleet:
        messages = manifest.get(member.source, {}).get("messages")
        known = messages if isinstance(messages, int) else 0
        sized.append(dataclasses.replace(member, messages=known))
    return sized
