"""What a filter asks of a message, twice told: as a mask and as pandas.

A predicate is a value (frozen, hashable: masks are cached by it). ``mask(columns)`` answers it
for every row of a frame in a few milliseconds; ``code()`` is the expression, over a frame called
``df``, that a reader could have typed. The two must agree on every frame; a property test holds
them to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mailframe.search.filterable import CASELESS, NO_INSTANT

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.search.filterable import Bools, Columns


class Predicate(Protocol):
    """A question to a message, answered yes or no."""

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""

    def code(self) -> str:
        """Give the pandas expression over ``df`` that comes to the same verdicts."""


@dataclass(frozen=True)
class Contains:
    """Text column ``column`` contains ``text`` (without case); null contains nothing."""

    column: str
    text: str

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        values = columns.folded(self.column)
        return columns.coded(self.column).spread(_hits(values, self.text, regex=False))

    def code(self) -> str:
        """Say it in pandas."""
        folded = f'df["{self.column}"].str.casefold()'
        return f"{folded}.str.contains({self.text!r}, regex=False, na=False)"


@dataclass(frozen=True)
class Matches:
    """Pattern ``pattern`` (RE2) is found in text column ``column``, whatever the case."""

    column: str
    pattern: str

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        coded = columns.coded(self.column)
        return coded.spread(_hits(coded.words, self.pattern, regex=True))

    def code(self) -> str:
        """Say it in pandas."""
        return f'df["{self.column}"].str.contains({self.pattern!r}, case=False, na=False)'


@dataclass(frozen=True)
class OneOf:
    """Text or category column ``column`` is one of ``values``; ``folds`` leaves case out.

    Addresses, domains and list ids have none.
    """

    column: str
    values: tuple[str, ...]
    folds: bool = False

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        coded = columns.coded(self.column)
        words = columns.folded(self.column) if self._folds else coded.words
        return coded.spread(words.isin(self._wanted).to_numpy(dtype=bool))

    def code(self) -> str:
        """Say it in pandas."""
        fold = ".str.casefold()" if self._folds else ""
        return f'df["{self.column}"]{fold}.isin({self._wanted!r})'

    @property
    def _folds(self) -> bool:
        return self.folds or self.column in CASELESS

    @property
    def _wanted(self) -> list[str]:
        return [value.casefold() if self._folds else value for value in self.values]


@dataclass(frozen=True)
class Present:
    """Column ``column`` has a value."""

    column: str

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return columns.coded(self.column).codes >= 0

    def code(self) -> str:
        """Say it in pandas."""
        return f'df["{self.column}"].notna()'


@dataclass(frozen=True)
class Filled:
    """List column ``column`` holds something."""

    column: str

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        listed = columns.listed(self.column)
        return listed.spread(np.ones(len(listed.items.words), dtype=bool), len(columns))

    def code(self) -> str:
        """Say it in pandas."""
        return _over_lists("len(v) > 0", self.column)


@dataclass(frozen=True)
class ItemContains:
    """Some item of list column ``column`` contains ``text`` (without case)."""

    column: str
    text: str

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        chosen = [self.text in item for item in columns.folded_items(self.column)]
        return columns.listed(self.column).spread(np.array(chosen, dtype=bool), len(columns))

    def code(self) -> str:
        """Say it in pandas."""
        return _over_lists(f"any({self.text!r} in x.casefold() for x in v)", self.column)


@dataclass(frozen=True)
class HasItem:
    """Some item of list column ``column`` is one of ``values``; ``folds`` leaves case out.

    Addresses, domains and list ids have none.
    """

    column: str
    values: tuple[str, ...]
    folds: bool = False

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        listed = columns.listed(self.column)
        items = columns.folded_items(self.column) if self.folds else listed.items.words
        chosen = [item in self.values for item in items]
        return listed.spread(np.array(chosen, dtype=bool), len(columns))

    def code(self) -> str:
        """Say it in pandas."""
        item = "x.casefold()" if self.folds else "x"
        return _over_lists(f"any({item} in {self.values!r} for x in v)", self.column)


@dataclass(frozen=True)
class Undated:
    """``date`` is missing."""

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        missing: Bools = columns.instants() == NO_INSTANT
        return missing

    def code(self) -> str:
        """Say it in pandas."""
        return "df.mail.when().isna()"


@dataclass(frozen=True)
class Since:
    """``date`` is ``instant`` or later."""

    instant: pd.Timestamp

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return columns.instants() >= _microsecond(self.instant)

    def code(self) -> str:
        """Say it in pandas."""
        return f"(df.mail.when() >= {_timestamp(self.instant)})"


@dataclass(frozen=True)
class Before:
    """``date`` is earlier than ``instant``."""

    instant: pd.Timestamp

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        # NaT is stored as the smallest integer: it must not count as early.
        instants = columns.instants()
        early: Bools = (instants < _microsecond(self.instant)) & (instants != NO_INSTANT)
        return early

    def code(self) -> str:
        """Say it in pandas."""
        return f"(df.mail.when() < {_timestamp(self.instant)})"


@dataclass(frozen=True)
class OnWeekdays:
    """``date`` falls on one of ``weekdays``, 0 for Monday, in the zone of the columns."""

    weekdays: tuple[int, ...]
    zone: str = "UTC"

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return np.isin(np.arange(-1, 7), self.weekdays)[columns.weekdays() + 1]

    def code(self) -> str:
        """Say it in pandas."""
        return f"{_wall(self.zone)}.day_of_week.isin({list(self.weekdays)!r})"


@dataclass(frozen=True)
class InHours:
    """``date`` falls into one of ``hours``, 0 to 23, in the zone of the columns."""

    hours: tuple[int, ...]
    zone: str = "UTC"

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return np.isin(np.arange(-1, 24), self.hours)[columns.hours() + 1]

    def code(self) -> str:
        """Say it in pandas."""
        return f"{_wall(self.zone)}.hour.isin({list(self.hours)!r})"


@dataclass(frozen=True)
class AtLeast:
    """Number column ``column`` is ``least`` or more; null is not."""

    least: int
    column: str = "size"

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return columns.numbers(self.column) >= max(self.least, 0)  # a missing one is kept as -1

    def code(self) -> str:
        """Say it in pandas."""
        return f'(df["{self.column}"] >= {max(self.least, 0)}).fillna(False)'


@dataclass(frozen=True)
class Below:
    """Number column ``column`` is less than ``octets``; null is not."""

    octets: int
    column: str = "size"

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        sizes = columns.numbers(self.column)
        return (sizes < self.octets) & (sizes >= 0)

    def code(self) -> str:
        """Say it in pandas."""
        return f'(df["{self.column}"] < {self.octets}).fillna(False)'


@dataclass(frozen=True)
class Flag:
    """Boolean column ``column`` is set."""

    column: str

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return columns.flag(self.column)

    def code(self) -> str:
        """Say it in pandas."""
        return f'df["{self.column}"]'


@dataclass(frozen=True)
class Not:
    """The opposite of ``predicate``."""

    predicate: Predicate

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return ~self.predicate.mask(columns)

    def code(self) -> str:
        """Say it in pandas."""
        return f"~{self.predicate.code()}"


@dataclass(frozen=True)
class AnyOf:
    """At least one of ``predicates``, of which there is at least one."""

    predicates: tuple[Predicate, ...]

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return reduce(np.logical_or, (each.mask(columns) for each in self.predicates))

    def code(self) -> str:
        """Say it in pandas."""
        if len(self.predicates) == 1:
            return self.predicates[0].code()
        return f"({' | '.join(each.code() for each in self.predicates)})"


@dataclass(frozen=True)
class AllOf:
    """Every one of ``predicates``, of which there is at least one."""

    predicates: tuple[Predicate, ...]

    def mask(self, columns: Columns) -> Bools:
        """One verdict a row."""
        return reduce(np.logical_and, (each.mask(columns) for each in self.predicates))

    def code(self) -> str:
        """Say it in pandas."""
        if len(self.predicates) == 1:
            return self.predicates[0].code()
        return f"({' & '.join(each.code() for each in self.predicates)})"


def _hits(values: pd.Series, text: str, *, regex: bool) -> Bools:
    found = values.str.contains(text, case=not regex, regex=regex, na=False)
    return found.to_numpy(dtype=bool)


def _over_lists(test: str, column: str) -> str:
    return f'pd.Series([{test} for v in df["{column}"]], df.index, dtype=bool)'


def _microsecond(instant: pd.Timestamp) -> int:
    return int(instant.value) // 1000


def _timestamp(instant: pd.Timestamp) -> str:
    if instant.utcoffset():  # an offset says which of two hours is meant where clocks go back
        return f'pd.Timestamp("{instant.isoformat()}")'
    text = instant.tz_convert("UTC").tz_localize(None).isoformat().removesuffix("T00:00:00")
    return f'pd.Timestamp("{text}", tz="UTC")'


def _wall(zone: str) -> str:
    return "df.mail.when().dt" if zone == "UTC" else f'df.mail.when().dt.tz_convert("{zone}").dt'
