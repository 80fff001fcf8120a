"""The columns that the table offers: how each is headed, written and sorted.

Beside the usual ones that is every further column of the frame: fields asked for by ``headers=``,
and what people added themselves. A heading sorts by a number a row, made once: text by its place
in the alphabet, a list by its first item; missing values are the smallest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import SCHEMA
from mailframe.search.values import human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mailframe.search.filterable import Columns

HEADINGS = {
    "date": "Date",
    "from": "From",
    "to": "To",
    "cc": "Cc",
    "subject": "Subject",
    "folder": "Folder",
    "list_id": "List",
    "keywords": "Keywords",
    "size": "Size",
}
FIRST = ("date", "from", "subject", "folder", "size")


def offered(columns: Columns) -> dict[str, str]:
    """Name → heading of the columns that can be shown, in their order on the screen."""
    df = columns.df
    names = [name for name in df.columns if isinstance(name, str) and name not in SCHEMA.names]
    extra = dict.fromkeys(name for name in names if names.count(name) == 1)
    if len(columns.coded("account").words if "account" in df.columns else ()) > 1:
        extra["account"] = None
    taken = {*HEADINGS.values(), *HEADINGS}
    # No column of the frame hides one of ours behind the same heading.
    return HEADINGS | {name: name for name in extra if name not in taken}


def check(names: Sequence[str], columns: Columns) -> list[str]:
    """Give ``names`` in the order of the screen, each once.

    Raises
    ------
    ConfigurationError
        If there is no such column, or none is left.
    """
    known = offered(columns)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigurationError(
            f"there is no column called {unknown[0]!r}; there are {', '.join(known)}"
        )
    if not names:
        raise ConfigurationError(f"a table needs a column: choose of {', '.join(known)}")
    return [name for name in known if name in names]


def written(name: str, columns: Columns, rows: NDArray[np.int64]) -> list[str]:
    """Write the cells of one column, for the rows numbered ``rows``."""
    if name == "date":
        wall = pd.Series(columns.wall()[rows].view("datetime64[us]"))
        return wall.dt.strftime("%Y-%m-%d %H:%M").fillna("").tolist()
    if name == "from":
        names, addresses = (columns.df[each].iloc[rows] for each in ("from_name", "from_addr"))
        return names.fillna(addresses).fillna("").tolist()
    if name == "size":
        return [size_of(octets) for octets in columns.numbers("size")[rows].tolist()]
    return [_text(value, columns) for value in columns.df[name].iloc[rows]]


def size_of(octets: int) -> str:
    """Write a size; nothing where it is missing."""
    return human_size(octets) if octets >= 0 else ""


def _text(value: Any, columns: Columns) -> str:  # noqa: ANN401 -- whatever a frame holds
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(_text(item, columns) for item in value)
    if isinstance(value, dict):
        return str(value)
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        shown = value if value.tz is None else value.tz_convert(columns.zone)
        return f"{shown:%Y-%m-%d %H:%M}"
    return str(value)


def key(name: str, columns: Columns) -> NDArray[Any]:
    """Give one number a row, by whose order the column is sorted."""
    if name in _KEYS:
        return _KEYS[name](columns)
    column = columns.df[name]
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=-np.inf)
    if pd.api.types.is_datetime64_any_dtype(column):
        return np.asarray(column.to_numpy(dtype="datetime64[us]")).view(np.int64)
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(column.dtype):
        return columns.ranks(name)
    if name in ("to", "cc", "keywords"):
        return _by_first(name, columns)
    texts = [_text(value, columns).casefold() for value in column]
    return np.unique(texts, return_inverse=True)[1]


def _by_first(name: str, columns: Columns) -> NDArray[np.int64]:
    rows, items = columns.listed(name)
    places = np.empty(len(items.words) + 1, dtype=np.int64)
    places[np.argsort(columns.folded_items(name), kind="stable")] = np.arange(len(items.words))
    places[-1] = -1
    found = np.full(len(columns), -1, dtype=np.int64)
    found[rows[::-1]] = places[items.codes[::-1]]  # backwards, so that the first item stays
    return found


_KEYS: dict[str, Callable[[Columns], NDArray[np.int64]]] = {
    "date": lambda columns: columns.instants(),
    "from": lambda columns: columns.ranks("sender"),
    "size": lambda columns: columns.numbers("size"),
}
