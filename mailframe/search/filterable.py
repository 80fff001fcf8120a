"""A frame laid out for filtering: every column once in the form that makes a test on it cheap.

Mail columns repeat themselves: a million messages come from some thousand senders. So a text
column is kept as distinct values and codes; a test runs over the distinct values and is spread
over the rows by one ``take``. Instants become integers (microseconds since 1970), weekdays and
hours small codes that ``bincount`` can add up. Everything is made at its first use and then kept,
for a filter asks again.
"""

from __future__ import annotations

import datetime as dt
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.stats import clock, dates, replies, threads
from mailframe.stats.vectors import arrow, flags, require_lists

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Codes = NDArray[np.int32]

# What explorer, dashboard and report look at; other columns come along untouched.
NEEDED = (
    *("folder", "uid", "date", "from_name", "from_addr", "from_domain", "to", "cc", "subject"),
    *("message_id", "in_reply_to", "references", "list_id", "size", "seen", "answered", "flagged"),
    *("draft", "deleted", "keywords"),
)
CASELESS = {"from_addr", "from_domain", "list_id"}
NO_INSTANT = np.iinfo(np.int64).min  # how NumPy stores NaT
MICROSECONDS_A_DAY = 86_400_000_000
MICROSECONDS_AN_HOUR = 3_600_000_000


Form = TypeVar("Form")


class Coded(NamedTuple):
    """A text column: ``words[codes]``, with -1 for a missing value."""

    codes: Codes
    words: pd.Series

    def spread(self, chosen: Bools) -> Bools:
        """One verdict a distinct value → one a row; missing values are never chosen."""
        return np.append(chosen, False)[self.codes]


class Listed(NamedTuple):
    """A column of lists: its items coded, and the row that each item stands in."""

    rows: NDArray[np.int64]
    items: Coded

    def spread(self, chosen: Bools, count: int) -> Bools:
        """One verdict a distinct item → one for each of ``count`` rows."""
        verdicts = np.zeros(count, dtype=bool)
        verdicts[self.rows[self.items.spread(chosen)]] = True
        return verdicts


def readable(labels: pd.Series) -> pd.Series:
    """Take out what would turn the writing of a whole chart round: embeddings and overrides."""
    return labels.str.replace("[\u202a-\u202e\u2066-\u2069]", "", regex=True)


def require_columns(df: pd.DataFrame) -> None:
    """Tell a frame that is not made of mail before anything is drawn.

    Raises
    ------
    ConfigurationError
        If columns are missing, the sentence names them; lists are text; or it is no frame at all.
    """
    if not isinstance(df, pd.DataFrame):
        raise ConfigurationError(
            f"this takes a DataFrame of mail, as from read_imap, not a {type(df).__name__}"
        )
    missing = [name for name in NEEDED if name not in df.columns]
    if missing:
        raise ConfigurationError(
            f"this frame lacks the columns {', '.join(missing)}: "
            "pass one from read_imap, read_mbox, read_maildir or read_eml"
        )
    require_lists(df)


class Columns:
    """The columns of one frame, each turned into its filtering form when first asked for.

    Parameters
    ----------
    df : DataFrame
        Mail, with at least the columns in ``NEEDED``; it is neither copied nor changed.
    tz : str or tzinfo, optional
        The zone of days, weekdays and hours; None for the reader's own.

    Raises
    ------
    ConfigurationError
        If columns are missing, or there is no such zone.
    """

    def __init__(self, df: pd.DataFrame, tz: str | dt.tzinfo | None = "UTC") -> None:
        require_columns(df)
        self.df = df
        zone = clock.zone(tz)
        self.zone = dt.UTC if str(zone) in clock.UTC else zone
        self._made: dict[tuple[str, str], object] = {}
        self._making: dict[tuple[str, str], RLock] = {}

    def __len__(self) -> int:
        return len(self.df)

    @property
    def place(self) -> str:
        """The zone as a heading names it: by its city, ``Zurich`` for ``Europe/Zurich``."""
        return clock.name(self.zone).rpartition("/")[2].replace("_", " ")

    def _once(self, form: str, name: str, make: Callable[[], Form]) -> Form:
        key = (form, name)
        if key not in self._made:
            # An explorer makes some ready in another thread; who wants others does not wait for it.
            with self._making.setdefault(key, RLock()):
                if key not in self._made:
                    self._made[key] = make()
        return self._made[key]  # type: ignore[return-value]

    def coded(self, name: str) -> Coded:
        """Text or category column ``name`` as distinct values and codes.

        ``"sender"`` is the sender as a reader knows it: the name, or else the address. Addresses,
        domains and list ids are in lower case, as ``df.mail`` counts them.
        """
        if name in CASELESS:
            return self._once("coded", name, lambda: _folded(_code(self.df[name])))
        if name == "sender":
            return self._once("coded", name, lambda: _code(_senders(self.df)))
        return self._once("coded", name, lambda: _code(self.df[name]))

    def folded(self, name: str) -> pd.Series:
        """Distinct values of ``name`` without case, for searches that ignore it."""
        return self._once("folded", name, lambda: _fold(self.coded(name).words))

    def listed(self, name: str) -> Listed:
        """Column of lists ``name``, flattened."""
        return self._once("listed", name, lambda: _flatten(arrow(self.df, name)))

    def folded_items(self, name: str) -> list[str]:
        """Distinct items of the lists in ``name``, without case."""
        return self._once(
            "folded items",
            name,
            lambda: [item.casefold() for item in self.listed(name).items.words],
        )

    def flag(self, name: str) -> Bools:
        """Column of booleans ``name``."""
        return self._once("flag", name, lambda: flags(self.df, name))

    def instants(self) -> NDArray[np.int64]:
        """``df.mail.when()`` in microseconds since 1970; ``NO_INSTANT`` where nothing tells."""
        return self._once("instants", "date", lambda: dates.micros(self.df))

    def wall(self) -> NDArray[np.int64]:
        """``date`` as a clock in ``zone`` shows it, counted like ``instants``."""
        return self._once("wall", "date", lambda: clock.shown(self.instants(), self.zone))

    def days(self) -> Codes:
        """Days since 1970 of ``wall``; meaningless where the date is missing."""
        return self._once(
            "days", "date", lambda: (self.wall() // MICROSECONDS_A_DAY).astype(np.int32)
        )

    def weekdays(self) -> Codes:
        """0 (Monday) to 6 of ``wall``; -1 where the date is missing."""

        def make() -> Codes:
            # 1 January 1970 was a Thursday.
            weekday = (self.days() + 3) % 7
            weekday[self.instants() == NO_INSTANT] = -1
            return weekday

        return self._once("weekdays", "date", make)

    def hours(self) -> Codes:
        """0 to 23 of ``wall``; -1 where the date is missing."""

        def make() -> Codes:
            hour = (self.wall() // MICROSECONDS_AN_HOUR % 24).astype(np.int32)
            hour[self.instants() == NO_INSTANT] = -1
            return hour

        return self._once("hours", "date", make)

    def numbers(self, name: str) -> NDArray[np.int64]:
        """Column of numbers ``name``, such as ``size`` in octets; -1 where it is missing."""
        return self._once(
            "numbers", name, lambda: self.df[name].to_numpy(dtype=np.int64, na_value=-1)
        )

    def people(self) -> pd.Series:
        """Name people as a chart does: address → name, or the address where names would clash.

        In the order of the codes of ``from_addr``.
        """

        def make() -> pd.Series:
            codes, addresses = self.coded("from_addr")
            names = pd.Series(pd.NA, index=addresses.to_numpy(), dtype="str")
            rows = np.flatnonzero((codes >= 0) & (self.coded("from_name").codes >= 0))
            # Assigned backwards, so that the first row that has a name decides.
            first = np.full(len(addresses), -1, dtype=np.int64)
            first[codes[rows[::-1]]] = rows[::-1]
            known = first >= 0
            names[known] = self.df["from_name"].take(first[known]).to_numpy()
            names[names.duplicated(keep=False)] = pd.NA
            return readable(names.fillna(names.index.to_series()))

        return self._once("people", "from_addr", make)

    def delays(self) -> NDArray[np.int64]:
        """Seconds from the mail answered to each reply; -1 where there is no such pair here."""
        return self._once("delays", "", lambda: replies.delays(self.df, self.trees()))

    def trees(self) -> threads.Forest:
        """Build the reply trees."""
        return self._once("trees", "", lambda: threads.forest(self.df))

    def ranks(self, name: str) -> NDArray[np.int64]:
        """Place of each row's text in the alphabet (case ignored); -1 where it is missing."""

        def make() -> NDArray[np.int64]:
            order = pc.sort_indices(pa.array(self.folded(name))).to_numpy()
            places = np.empty(len(order) + 1, dtype=np.int64)
            places[order] = np.arange(len(order))
            places[-1] = -1
            return places[self.coded(name).codes]

        return self._once("ranks", name, make)


def _code(column: pd.Series) -> Coded:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()  # of a part of a frame
        codes = np.asarray(column.cat.codes, dtype=np.int32)
        return Coded(codes, pd.Series(column.cat.categories, dtype="str"))
    found, values = pd.factorize(column)
    return Coded(found.astype(np.int32), pd.Series(values, dtype="str"))


def _folded(coded: Coded) -> Coded:
    """Join values that differ only in case, as `mailframe.stats` does."""
    codes, words = pd.factorize(coded.words.str.lower())
    return Coded(np.append(codes, -1).astype(np.int32)[coded.codes], pd.Series(words, dtype="str"))


def _fold(words: pd.Series) -> pd.Series:
    """Leave case out, as ``str.casefold`` does; Arrow's lower case is the same in ASCII."""
    array = pa.array(words.to_numpy(dtype=object), pa.large_string())
    plain = pc.string_is_ascii(array)
    lower = pc.ascii_lower(array)
    if not pc.all(plain).as_py():
        other = pc.invert(plain)
        folded = [word.casefold() for word in array.filter(other).to_pylist()]
        lower = pc.replace_with_mask(lower, other, pa.array(folded, pa.large_string()))
    return pd.Series(lower.to_pandas(), dtype="str")


def _senders(df: pd.DataFrame) -> pd.Series:
    return df["from_name"].fillna(df["from_addr"])


def _flatten(lists: pa.Array) -> Listed:
    if not pa.types.is_nested(lists.type):  # a column of nothing but nulls
        lists = pa.nulls(len(lists), pa.list_(pa.string()))
    rows = pc.list_parent_indices(lists).to_numpy()
    items = pc.list_flatten(lists).dictionary_encode()
    values = pd.Series(items.dictionary.to_pylist(), dtype="str")
    codes = pc.fill_null(items.indices, -1).to_numpy().astype(np.int32)
    return Listed(rows, Coded(codes, values))
