"""What could stand where the caret is: keys with a word on each, then values with their counts.

Values are counted under the filters that hold already, so that nothing is offered that would leave
no message. Everything comes from the coded columns: a few passes over codes, whatever the mailbox
holds.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mailframe.search.keys import HAS, KEYS, OPTIONAL, SAME_KEY, STATES, folded
from mailframe.search.language import last_term, quote
from mailframe.search.values import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from mailframe.search.filterable import Bools, Columns

MOST = 8  # what a person takes in at a glance
PEOPLE = 3  # senders offered for a word that has no key yet
LEAST_LETTERS = 2  # of that word

# Which column the values of a key come from.
_TEXTS = {"domain": "from_domain", "list": "list_id", "in": "folder"}
_LISTS = {"to": ("to", "cc"), "cc": ("cc",), "label": ("keywords",)}
_SAID = {
    **dict.fromkeys(
        ("before", "since", "on"),
        ("today", "yesterday", "this week", "last week", "this month", "last month", "this year"),
    ),
    **dict.fromkeys(("newer_than", "older_than"), ("1d", "7d", "1m", "3m", "1y")),
    "larger": ("100k", "1M", "10M"),
    "smaller": ("10k", "100k", "1M"),
    "size": (">100k", ">1M", ">10M", "<10k"),
    "weekday": (*WEEKDAYS, "sat,sun", "mon-fri"),
    "hour": ("8-17", "18-23", "0-6"),
}


class Completion(NamedTuple):
    """One line of the list below the field."""

    text: str  # what takes the place of the term
    label: str  # what is shown
    note: str  # a word of explanation
    messages: int | None = None  # that have it; None where none are counted


class Completions(NamedTuple):
    """What is offered, and which part of the line it would replace."""

    start: int
    end: int
    offers: list[Completion]


def prepare(columns: Columns) -> None:
    """Make ready what completions are counted from, so that the first is as quick as the next."""
    for key in ("is", "from", *_TEXTS, *_LISTS):
        with suppress(KeyError):  # a frame need not have every column
            list(_values(key, "", columns, None))


def complete(line: str, caret: int, columns: Columns, among: Bools | None = None) -> Completions:
    """Offer what could stand at the caret.

    Parameters
    ----------
    line : str
        The search line.
    caret : int
        How many characters stand before the caret.
    columns : Columns
        The mail, laid out for filtering.
    among : array of bool, optional
        One verdict a row: the messages that are counted; all by default.

    Returns
    -------
    Completions
        At most eight offers, those of most messages first.
    """
    start = last_term(line[:caret])
    typed = line[start:caret]
    bare = typed.lstrip("-(")
    start += len(typed) - len(bare)
    name, colon, value = bare.partition(":")
    if not colon:
        return Completions(start, caret, _keys(bare, columns, among))
    key = SAME_KEY.get(name.lower(), name.lower())
    if key not in KEYS:
        return Completions(start, caret, [])
    if not value.startswith('"'):
        first, comma, value = value.rpartition(",")
        start += len(name) + 1 + len(first) + len(comma)
    else:
        value = value.strip('"')
        start += len(name) + 1
    return Completions(start, caret, list(_values(key, folded(value), columns, among)))


def _keys(word: str, columns: Columns, among: Bools | None) -> list[Completion]:
    found = [
        Completion(f"{name}:", f"{name}:", key.means)
        for name, key in KEYS.items()
        if name.startswith(word.lower())
    ][:MOST]
    if len(word) >= LEAST_LETTERS:
        people = _people(folded(word), columns, among)
        found += [one._replace(text=f"from:{one.text}") for one in people[:PEOPLE]]
    return found[:MOST]


def _values(key: str, text: str, columns: Columns, among: Bools | None) -> Iterable[Completion]:
    if key in ("from", "with"):
        return _people(text, columns, among)
    if key in _TEXTS:
        column = _TEXTS[key]
        counts = _count(columns.coded(column).codes, len(columns.folded(column)), among)
        return _best(columns.coded(column).words, columns.folded(column), counts, text)
    if key in _LISTS:
        return _items(_LISTS[key], text, columns, among)
    if key in ("is", "has"):
        return _states(text, columns, among)
    said = _SAID.get(key, ())
    return [Completion(quote(one), one, "") for one in said if one.lower().startswith(text)]


def _states(text: str, columns: Columns, among: Bools | None) -> Iterator[Completion]:
    held = set(columns.df.columns)
    for name, (predicate, means) in (STATES | HAS).items():
        needed = OPTIONAL.get(name)
        if name.startswith(text) and (needed is None or needed in held):
            mask = predicate.mask(columns)
            count = np.count_nonzero(mask if among is None else mask & among)
            yield Completion(name, name, means, int(count))


def _people(text: str, columns: Columns, among: Bools | None) -> list[Completion]:
    coded = columns.coded("from_addr")
    counts = _count(coded.codes, len(coded.words), among)
    names = columns.people()
    seen = columns.folded("from_addr").str.contains(text, regex=False) | names.reset_index(
        drop=True
    ).str.casefold().str.contains(text, regex=False)
    found = []
    for code in _top(np.where(seen.to_numpy(dtype=bool, na_value=False), counts, 0)):
        address, name = coded.words.iloc[code], names.iloc[code]
        note = "" if name == address else address
        found.append(Completion(quote(address), name, note, int(counts[code])))
    return found


def _items(
    names: tuple[str, ...], text: str, columns: Columns, among: Bools | None
) -> list[Completion]:
    """Offer items of lists; who stands in To and in Cc of one message is counted once."""
    among = np.ones(len(columns), dtype=bool) if among is None else among
    offered: dict[str, int] = {}  # each with its place in `holds`
    for name in names:
        rows, items = columns.listed(name)
        counts = _count(items.codes[among[rows]], len(items.words), None)
        hits = np.fromiter((text in word for word in columns.folded_items(name)), dtype=bool)
        for code in _top(np.where(hits, counts, 0)):
            offered.setdefault(items.words.iloc[code], len(offered))
    holds = np.zeros((len(offered), len(columns)), dtype=bool)
    for name in names:
        rows, items = columns.listed(name)
        known = items.words[items.words.isin(list(offered))]
        place = np.full(len(items.words) + 1, -1, dtype=np.int8)
        place[known.index] = [offered[word] for word in known]
        found = place[items.codes]
        chosen = np.flatnonzero(found >= 0)
        holds[found[chosen], rows[chosen]] = True
    ranked = {word: np.count_nonzero(holds[at] & among) for word, at in offered.items()}
    best = sorted(ranked, key=lambda word: -ranked[word])[:MOST]
    return [Completion(quote(word), word, "", int(ranked[word])) for word in best]


def _best(
    words: pd.Series, folds: pd.Series, counts: NDArray[np.int64], text: str
) -> list[Completion]:
    hits = folds.str.contains(text, regex=False).to_numpy(dtype=bool)
    codes = _top(np.where(hits, counts, 0))
    return [
        Completion(quote(words.iloc[code]), words.iloc[code], "", int(counts[code]))
        for code in codes
    ]


def _count(codes: NDArray[np.int32], size: int, among: Bools | None) -> NDArray[np.int64]:
    kept = codes if among is None else codes[among]
    return np.bincount(kept + 1, minlength=size + 1)[1:]  # -1 stands for a missing value


def _top(counts: NDArray[np.int64]) -> list[int]:
    best = np.argsort(-counts, kind="stable")[:MOST] if len(counts) <= MOST else _partition(counts)
    return [int(code) for code in best if counts[code]]


def _partition(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    best = np.argpartition(-counts, MOST)[:MOST]
    return best[np.argsort(-counts[best], kind="stable")]
