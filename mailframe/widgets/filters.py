"""The filters of an explorer: traits in, clauses out.

A filter is a trait and nothing else, so a program, a control and a brushed chart set it alike.
Each trait that says something becomes one clause (the search line: one a term), whose text is the
term that would say the same on the search line; that is what a chip shows.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import traitlets

from mailframe.errors import ConfigurationError
from mailframe.search import language, values
from mailframe.search.keys import ANY, KEYS, STATES, Scope
from mailframe.search.language import Clause
from mailframe.search.predicates import (
    AllOf,
    AtLeast,
    Before,
    Below,
    InHours,
    OneOf,
    OnWeekdays,
    Since,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[Any, Scope], Clause]  # of a trait's value


MOST_NAMED = 12  # folders that an error lists


class Instant(traitlets.TraitType[pd.Timestamp | None, Any]):
    """A moment, or None: takes whatever pandas reads as one; without a zone it is the filters'."""

    info_text = "a date, or None"

    def validate(self, obj: Filters, value: object) -> pd.Timestamp | None:
        """Turn ``value`` into a Timestamp in the zone of ``obj``."""
        if value is None or value == "":
            return None
        if not isinstance(value, str | dt.date):
            self.error(obj, value)
        try:
            moment = pd.Timestamp(value)
        except ValueError as error:
            raise ConfigurationError(f"{value!r} is no date: write 2024-05-31") from error
        if pd.isna(moment):
            return None
        if moment.tz is not None:
            return moment.tz_convert(obj.scope.zone)
        return moment.tz_localize(obj.scope.zone, ambiguous=True, nonexistent="shift_forward")


class Size(traitlets.Int):  # type: ignore[type-arg]
    """A size in octets, or None: takes what the search line takes, such as ``"1.5M"``."""

    def validate(self, obj: Filters, value: Any) -> int | None:  # noqa: ANN401 -- as in traitlets
        """Turn ``value`` into octets."""
        octets = values.parse_size(value) if isinstance(value, str) else value
        return cast("int | None", super().validate(obj, octets))


class Filters(traitlets.HasTraits):
    """What is asked of the messages; all of it must hold.

    Attributes
    ----------
    search : str
        A line in the search language of ``mailframe.search.language``.
    folders : list of str
        Any of these folders; empty for all.
    since, before : Timestamp or None
        ``since <= date < before``; strings and dates are taken too.
    sender, recipient, subject : str
        Part of the sender's name or address; of an address in To or Cc; words, a ``"phrase"`` or a
        ``/regular expression/`` in the subject.
    domain, mailing_list, thread : str
        Exactly this sender's domain; part of a List-Id; a Message-ID and what refers to it.
    unread, flagged, answered : bool or None
        None for either.
    larger, smaller : int or None
        ``larger <= size < smaller``, in octets; text such as ``"1.5M"`` is taken too.
    weekdays, hours : list of int
        Any of these weekdays (0 is Monday) and hours (0 to 23); empty for all.
    scope : Scope
        Where days begin, which folders there are, who "me" is; fixed from the beginning, so it is
        no trait.
    """

    scope: Scope = ANY

    search = traitlets.Unicode()
    folders = traitlets.List(traitlets.Unicode())
    since = Instant(None, allow_none=True)
    before = Instant(None, allow_none=True)
    sender = traitlets.Unicode()
    recipient = traitlets.Unicode()
    domain = traitlets.Unicode()
    subject = traitlets.Unicode()
    mailing_list = traitlets.Unicode()
    thread = traitlets.Unicode()
    unread = traitlets.Bool(None, allow_none=True)
    flagged = traitlets.Bool(None, allow_none=True)
    answered = traitlets.Bool(None, allow_none=True)
    larger = Size(None, allow_none=True, help="octets, or text such as '1.5M'")
    smaller = Size(None, allow_none=True, help="octets, or text such as '1.5M'")
    weekdays = traitlets.List(
        traitlets.Int(min=0, max=6), help="a list of numbers from 0 (Monday) to 6"
    )
    hours = traitlets.List(traitlets.Int(min=0, max=23), help="a list of numbers from 0 to 23")

    problem = traitlets.Unicode(help="what is wrong with what was typed last")

    def set(self, **values: object) -> None:
        """Set several filters at once, so that what they leave is worked out once.

        Raises
        ------
        ConfigurationError
            If one cannot be read, or there is none of that name; then none is set.
        """
        unknown = [name for name in values if name not in NAMES]
        if unknown:
            raise ConfigurationError(
                f"there is no filter called {unknown[0]}; there are {', '.join(NAMES)}"
            )
        # While notifications are held, traitlets would check these only at the end of it.
        language.parse(str(values.get("search", "")), self.scope)
        _subject(str(values.get("subject", "")))
        if isinstance(folders := values.get("folders"), list):
            self._find_folders(folders)
        before = {name: getattr(self, name) for name in values}
        with self.hold_trait_notifications():
            try:
                for name, value in values.items():
                    self._set_one(name, value)
            except ConfigurationError:
                for name, value in before.items():
                    setattr(self, name, value)
                raise

    def _set_one(self, name: str, value: object) -> None:
        try:
            setattr(self, name, value)
        except traitlets.TraitError as error:
            trait = self.traits()[name]
            raise ConfigurationError(
                f"{name}={value!r} does not fit: it takes {trait.help or trait.info()}"
            ) from error

    def reset(self, *names: str) -> None:
        """Take back the named filters, or all of them."""
        self.set(**{name: self.traits()[name].default() for name in names or NAMES})

    @traitlets.validate("search")
    def _check_search(self, proposal: dict[str, Any]) -> str:
        language.parse(proposal["value"], self.scope)
        return str(proposal["value"])

    @traitlets.validate("folders")
    def _check_folders(self, proposal: dict[str, Any]) -> list[str]:
        return self._find_folders(proposal["value"])

    def _find_folders(self, asked: list[str]) -> list[str]:
        """Find each folder, whatever its case; where none are known, any name is taken."""
        known = self.scope.folders
        if not known:
            return asked
        same = {name.casefold(): name for name in known} | {name: name for name in known}
        found = [same.get(name) or same.get(str(name).casefold()) for name in asked]
        if None in found:
            unknown = asked[found.index(None)]
            shown = ", ".join(map(repr, known[:MOST_NAMED]))
            more = len(known) - MOST_NAMED
            rest = f" and {more} more" if more > 0 else ""
            raise ConfigurationError(f"no folder {unknown!r} here; there are {shown}{rest}")
        return [name for name in found if name is not None]

    @traitlets.validate("subject")
    def _check_subject(self, proposal: dict[str, Any]) -> str:
        _subject(proposal["value"])
        return str(proposal["value"])


def clauses(filters: Filters) -> list[tuple[str, Clause]]:
    """List what ``filters`` asks, each clause with the trait it comes from."""
    scope = filters.scope
    found = [("search", clause) for clause in language.parse(filters.search, scope)]
    for name, read in _CLAUSES.items():
        value = getattr(filters, name)
        if value is not None and value not in ("", []):
            found.append((name, read(value, scope)))
    return found


NAMES = (
    *("search", "folders", "since", "before", "sender", "recipient", "domain", "subject"),
    *("mailing_list", "thread", "unread", "flagged", "answered", "larger", "smaller"),
    *("weekdays", "hours"),
)


def _term(key: str) -> Reader:
    def read(value: str, scope: Scope) -> Clause:
        text = f"{key}:{language.quote(value)}"
        return Clause(text, KEYS[key].read([value], scope))

    return read


def _state(name: str) -> Clause:
    return Clause(f"is:{name}", STATES[name][0])


def _subject(text: str, scope: Scope = ANY) -> Clause:
    """Read words, phrases and a /pattern/, each sought in the subject."""
    text = text.strip()
    if re.fullmatch("/.+/", text):
        parts = [language.parse(f"subject:{text}")[0]]
    else:
        read = _term("subject")
        parts = [read(word, scope) for word in values.words(text) or [text]]
    predicate = AllOf(tuple(part.predicate for part in parts))
    return Clause(" ".join(part.text for part in parts), predicate)


def _folders(names: list[str], _scope: Scope) -> Clause:
    text = ",".join(language.quote(name) for name in names)
    return Clause(f"in:{text}", OneOf("folder", tuple(names)))


def _weekdays(numbers: list[int], scope: Scope) -> Clause:
    days = tuple(sorted(set(numbers)))
    names = ",".join(values.WEEKDAYS[day] for day in days)
    return Clause(f"weekday:{names}", OnWeekdays(days, str(scope.zone)))


def _hours(numbers: list[int], scope: Scope) -> Clause:
    hours = tuple(sorted(set(numbers)))
    unbroken = len(hours) > 1 and hours[-1] - hours[0] == len(hours) - 1
    text = f"{hours[0]}-{hours[-1]}" if unbroken else ",".join(map(str, hours))
    return Clause(f"hour:{text}", InHours(hours, str(scope.zone)))


def _moment(instant: pd.Timestamp) -> str:
    whole_day = instant == instant.normalize()
    return instant.strftime("%Y-%m-%d" if whole_day else "%Y-%m-%d %H:%M")


_CLAUSES: dict[str, Reader] = {
    "folders": _folders,
    "since": lambda value, _: Clause(f"since:{_moment(value)}", Since(value)),
    "before": lambda value, _: Clause(f"before:{_moment(value)}", Before(value)),
    "sender": _term("from"),
    "recipient": _term("to"),
    "domain": _term("domain"),
    "subject": _subject,
    "mailing_list": _term("list"),
    "thread": _term("thread"),
    "unread": lambda value, _: _state("unread" if value else "read"),
    "flagged": lambda value, _: _state("flagged" if value else "unflagged"),
    "answered": lambda value, _: _state("answered" if value else "unanswered"),
    "larger": lambda value, _: Clause(f"larger:{values.short_size(value)}", AtLeast(value)),
    "smaller": lambda value, _: Clause(f"smaller:{values.short_size(value)}", Below(value)),
    "weekdays": _weekdays,
    "hours": _hours,
}
