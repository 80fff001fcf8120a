"""What a reader of the store asks for: which folders, since when, and how strictly."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mailframe.errors import ConfigurationError, warn

if TYPE_CHECKING:
    from mailframe.errors import StoreError
    from mailframe.store.state import FolderState

Moment: TypeAlias = str | date | datetime | timedelta
Names: TypeAlias = str | Sequence[str] | None
Errors = Literal["raise", "warn", "ignore"]


@dataclasses.dataclass(slots=True)
class Selection:
    """Which folders are wanted, and what becomes of those that cannot be read."""

    accounts: Names = None
    folders: Names = None
    errors: Errors = "raise"
    problems: list[dict[str, str | None]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.errors not in get_args(Errors):
            raise ConfigurationError(f"errors={self.errors!r}: write one of {get_args(Errors)}.")

    def takes(self, state: FolderState) -> bool:
        """Return whether a folder is wanted."""
        return _matches(state.account, self.accounts) and _matches(state.folder, self.folders)

    def note(self, error: StoreError) -> None:
        """Keep an error for the report, or raise it."""
        if self.errors == "raise":
            raise error
        text = str(error)
        self.problems.append({"folder": None, "uids": "", "error": "StoreError", "text": text})

    def warn(self) -> None:
        """Warn of what was left out, once."""
        if self.problems and self.errors == "warn":
            count = len(self.problems)
            text = f"{count} file(s) of the store were left out: {self.problems[0]['text']}"
            warn(text)


def _matches(name: str, patterns: Names) -> bool:
    if patterns is None:
        return True
    if isinstance(patterns, str):
        patterns = [patterns]
    if name.upper() == "INBOX":  # RFC 9051: the one name that is not case-sensitive
        name, patterns = "INBOX", [pattern.upper() for pattern in patterns]
    # A name may hold what means something in a glob: [Gmail]/Sent.
    return name in patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def moment(when: Moment) -> datetime:
    """Return the instant that a caller means; naive times are UTC, a timedelta is ago.

    Raises
    ------
    ConfigurationError
        It is none, nor a text of ISO 8601.
    """
    try:
        if isinstance(when, timedelta):
            return datetime.now(UTC) - when
        if isinstance(when, str):
            when = datetime.fromisoformat(when)
        elif not isinstance(when, datetime):
            when = datetime.combine(when, time())
        instant = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        instant.timestamp()  # pandas.NaT is a datetime, and has none
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigurationError(f"since={when!r}: write a date such as '2026-01-31'.") from error
    return instant
