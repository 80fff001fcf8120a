"""What a reader of the store asks for: which folders, since when, and how strictly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

from mailframe.errors import ConfigurationError, StoreError, first_of, warn
from mailframe.ground.names import answering, is_glob, patterns_of, unanswered
from mailframe.store import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mailframe.store.state import FolderState

T = TypeVar("T")

Moment: TypeAlias = str | date | datetime | timedelta
Names: TypeAlias = str | Sequence[str] | None
Errors = Literal["raise", "warn", "ignore"]


class Selection:
    """Which folders are wanted, and what becomes of those that cannot be read.

    Attributes
    ----------
    problems : list of dict
        What was left out, as in a frame's report.
    folders : tuple of str, optional
        Names and globs of folders, as they were given; None: all.

    Raises
    ------
    ConfigurationError
        An option is not one.
    """

    def __init__(
        self, accounts: Names = None, folders: Names = None, errors: Errors = "raise"
    ) -> None:
        if errors not in get_args(Errors):
            raise ConfigurationError(f"errors={errors!r}: write one of {get_args(Errors)}.")
        self.problems: list[dict[str, str | None]] = []
        self.folders = patterns_of("folder", folders)
        self._errors = errors
        self._accounts = _Wanted("account", accounts)
        self._folders = _Wanted("folder", folders)

    def takes(self, state: FolderState) -> bool:
        """Return whether a folder may be wanted; which it is, `settle` knows."""
        return self._accounts.takes(state.account) and self._folders.takes(state.folder)

    def may_mean(self, path: Path) -> bool:
        """Return whether a file that cannot be read may be that of a folder that is wanted."""
        folder = layout.is_pack(path) or self._folders.may_mean(path.stem)
        return folder and self._accounts.may_mean(path.parent.name)

    def settle(self, found: Iterable[tuple[FolderState, T]]) -> list[T]:
        """Return what is of folders that are wanted, now that the names of all are known.

        A name or glob that nothing answers to is a problem as well.
        """
        accounts, folders = self._accounts.meant(), self._folders.meant()
        if not self.problems:  # else it may be that which could not be read
            for wanted in (self._accounts, self._folders):
                for text in wanted.missing():
                    self.note(StoreError(text))
        if self.problems and self._errors == "warn":
            warn(first_of([problem["text"] for problem in self.problems]))
        return [
            each for state, each in found if state.account in accounts and state.folder in folders
        ]

    def note(self, error: StoreError) -> None:
        """Keep an error for the report, or raise it."""
        if self._errors == "raise":
            raise error
        text = str(error)
        self.problems.append({"folder": None, "uids": "", "error": "StoreError", "text": text})


class _Wanted:
    """What a caller named of one kind, and all names of that kind that were met."""

    def __init__(self, kind: str, given: Names) -> None:
        self._kind = kind
        self._patterns = patterns_of(kind, given)
        self._met: set[str] = set()

    def takes(self, name: str) -> bool:
        self._met.add(name)
        return self._patterns is None or any(answering(each, [name]) for each in self._patterns)

    def may_mean(self, component: str) -> bool:
        return self._patterns is None or any(
            is_glob(each) or layout.alike(each, component) for each in self._patterns
        )

    def meant(self) -> set[str]:
        if self._patterns is None:
            return self._met
        return {name for each in self._patterns for name in answering(each, self._met)}

    def missing(self) -> Iterator[str]:
        for each in self._patterns or ():
            if not answering(each, self._met):
                hint = f"store.{self._kind}s() shows them all"
                yield unanswered(self._kind, each, self._met, hint)


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
