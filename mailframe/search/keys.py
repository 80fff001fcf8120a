"""What stands before the colon: each key of the search line, and what it asks of a message.

A key is one entry of ``KEYS``: how its values are read, in what the help and the completion say
of it. Values come as they were typed; what they mean by a folder, a day or *me* is the ``Scope``'s
to say. A value that does not fit is told with what would.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from mailframe.errors import ConfigurationError
from mailframe.headers.addresses import domain_text
from mailframe.search.predicates import (
    AllOf,
    AnyOf,
    AtLeast,
    Before,
    Below,
    Contains,
    Filled,
    Flag,
    HasItem,
    InHours,
    ItemContains,
    Not,
    OneOf,
    OnWeekdays,
    Predicate,
    Present,
    Since,
    Undated,
)
from mailframe.search.values import (
    WEEKDAYS,
    parse_age,
    parse_period,
    parse_ranges,
    parse_size,
    parse_sizes,
)

if TYPE_CHECKING:
    import pandas as pd

_PUNYCODE = re.compile(r"xn--[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.IGNORECASE)


class Scope(NamedTuple):
    """What a term means by a name, a day or *me*.

    Parameters
    ----------
    folders : sequence of str
        The folders there are, for ``in:``.
    zone : tzinfo
        Where days, weekdays and hours are told.
    me : callable, optional
        Gives the reader's own addresses, for ``from:me``; that none is known is told. Without it
        nobody has looked yet, which is no error.
    columns : set of str, optional
        The columns of the frame; None where there is no frame yet.
    now : Timestamp, optional
        When "yesterday" is asked; the present instant by default.
    """

    folders: Sequence[str] = ()
    zone: dt.tzinfo = dt.UTC
    me: Callable[[], Sequence[str]] | None = None
    columns: frozenset[str] | None = None
    now: pd.Timestamp | None = None

    def require(self, column: str, what: str) -> None:
        """Tell that the frame lacks what a term asks for.

        Raises
        ------
        ConfigurationError
            If there is a frame, and it has no such column.
        """
        if self.columns is not None and column not in self.columns:
            raise ConfigurationError(f"{what}: this frame has no column {column}")


ANY = Scope()

# The values of a term → what the term asks, of which mail.
Reader = Callable[[Sequence[str], Scope], Predicate]


class Key(NamedTuple):
    """One key of the language."""

    read: Reader
    means: str  # in a few words, for people
    example: str


def folded(text: str) -> str:
    """Write a value as the columns have it: composed, without case, its domains in Unicode."""
    text = _PUNYCODE.sub(lambda found: domain_text(found[0])[0], text)
    return unicodedata.normalize("NFC", text).casefold()


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """Hold where one of several holds."""
    return predicates[0] if len(predicates) == 1 else AnyOf(tuple(predicates))


def _contains(*columns: str) -> Reader:
    def read(values: Sequence[str], _scope: Scope) -> Predicate:
        return any_of([Contains(name, folded(value)) for value in values for name in columns])

    return read


def _item(*columns: str) -> Reader:
    def read(values: Sequence[str], _scope: Scope) -> Predicate:
        return any_of([ItemContains(name, folded(value)) for value in values for name in columns])

    return read


def _mine(scope: Scope) -> tuple[str, ...]:
    if scope.me is None:
        return ()
    addresses = tuple(folded(address) for address in scope.me())
    if not addresses:
        raise ConfigurationError(
            "nothing tells which addresses are yours: pass me=, such as me='ann@example.org'"
        )
    return addresses


def _from(values: Sequence[str], scope: Scope) -> Predicate:
    return any_of(
        [
            OneOf("from_addr", _mine(scope), folds=True)
            if value.lower() == "me"
            else _contains("from_name", "from_addr")([value], scope)
            for value in values
        ]
    )


def _to(*columns: str) -> Reader:
    def read(values: Sequence[str], scope: Scope) -> Predicate:
        found: list[Predicate] = []
        for value in values:
            if value.lower() == "me":
                found += [HasItem(name, _mine(scope), folds=True) for name in columns]
            else:
                found.append(_item(*columns)([value], scope))
        return any_of(found)

    return read


def _anyone(values: Sequence[str], scope: Scope) -> Predicate:
    return any_of([_from(values, scope), _to("to", "cc")(values, scope)])


def _domain(values: Sequence[str], _scope: Scope) -> Predicate:
    # In both spellings: a domain that is none by the rules stays in the frame as it came.
    asked = [value.casefold().removeprefix("@") for value in values]
    return OneOf("from_domain", tuple(dict.fromkeys([*map(folded, asked), *asked])))


def _folder(values: Sequence[str], scope: Scope) -> Predicate:
    """Resolve each value: the folder of that name, else those it matches as a glob or a part."""
    names: list[str] = []
    for value in (folded(value) for value in values):
        same = [name for name in scope.folders if name.casefold() == value]
        glob = value if any(letter in value for letter in "*?[") else f"*{value}*"
        names += same or [name for name in scope.folders if fnmatchcase(name.casefold(), glob)]
    return OneOf("folder", tuple(dict.fromkeys(names)))


STATES: dict[str, tuple[Predicate, str]] = {
    "unread": (Not(Flag("seen")), "not read yet"),
    "read": (Flag("seen"), "read"),
    "flagged": (Flag("flagged"), "with a flag or star"),
    "unflagged": (Not(Flag("flagged")), "without a flag"),
    "answered": (Flag("answered"), "marked as answered"),
    "unanswered": (Not(Flag("answered")), "not marked as answered"),
    "reply": (AnyOf((Present("in_reply_to"), Filled("references"))), "a reply to another"),
    "list": (Present("list_id"), "from a mailing list"),
    "bulk": (Flag("bulk"), "sent to many"),
    "auto": (Flag("auto"), "sent by a program"),
    "draft": (Flag("draft"), "a draft"),
    "deleted": (Flag("deleted"), "marked for deletion"),
    "undated": (Undated(), "without a date that can be read"),
}
_SAME_STATE = {
    "unseen": "unread",
    "seen": "read",
    "starred": "flagged",
    "replied": "answered",
    "automatic": "auto",
    "newsletter": "bulk",
}
HAS: dict[str, tuple[Predicate, str]] = {
    "attachment": (AtLeast(1, "attachments"), "with a file attached"),
    "nothing": (Below(1, "attachments"), "with nothing attached"),
}
# Which column a state needs that not every frame has.
OPTIONAL = {"bulk": "bulk", "auto": "auto"} | dict.fromkeys(HAS, "attachments")


def _state(values: Sequence[str], scope: Scope) -> Predicate:
    found = []
    for value in values:
        name = _SAME_STATE.get(value.lower(), value.lower()).removesuffix("s")
        known = STATES.get(name) or HAS.get(name)
        if known is None:
            known_names = ", ".join([*STATES, *HAS])
            raise ConfigurationError(f"is:{value} means nothing: write one of {known_names}")
        if name in OPTIONAL:
            scope.require(OPTIONAL[name], f"is:{name} cannot be told")
        found.append(known[0])
    return any_of(found)


def _before(values: Sequence[str], scope: Scope) -> Predicate:
    return any_of([Before(parse_period(value, scope.zone, scope.now)[0]) for value in values])


def _since(values: Sequence[str], scope: Scope) -> Predicate:
    return any_of([Since(parse_period(value, scope.zone, scope.now)[0]) for value in values])


def _on(values: Sequence[str], scope: Scope) -> Predicate:
    periods = [parse_period(value, scope.zone, scope.now) for value in values]
    return any_of([AllOf((Since(start), Before(end))) for start, end in periods])


def _newer(values: Sequence[str], scope: Scope) -> Predicate:
    return any_of([Since(parse_age(value, scope.zone, scope.now)) for value in values])


def _older(values: Sequence[str], scope: Scope) -> Predicate:
    return any_of([Before(parse_age(value, scope.zone, scope.now)) for value in values])


def _larger(values: Sequence[str], _scope: Scope) -> Predicate:
    return any_of([AtLeast(parse_size(value)) for value in values])


def _smaller(values: Sequence[str], _scope: Scope) -> Predicate:
    return any_of([Below(parse_size(value)) for value in values])


def _size(values: Sequence[str], _scope: Scope) -> Predicate:
    return _sizes(values, "size")


def _sizes(values: Sequence[str], column: str) -> Predicate:
    found: list[Predicate] = []
    for least, limit in map(parse_sizes, values):
        bounds: list[Predicate] = [] if least is None else [AtLeast(least, column)]
        bounds += [] if limit is None else [Below(limit, column)]
        found.append(bounds[0] if len(bounds) == 1 else AllOf(tuple(bounds)))
    return any_of(found)


def _attached(values: Sequence[str], scope: Scope) -> Predicate:
    """Compare what is attached: mail with nothing attached is never small in that."""
    scope.require("attachment_bytes", "attached: cannot be told")
    return AllOf((AtLeast(1, "attachments"), _sizes(values, "attachment_bytes")))


def _weekday(values: Sequence[str], scope: Scope) -> Predicate:
    numbers = parse_ranges(values, lambda text: WEEKDAYS.index(text[:3].lower()), 7)
    return OnWeekdays(numbers, str(scope.zone))


def _hour(values: Sequence[str], scope: Scope) -> Predicate:
    return InHours(parse_ranges(values, int, 24), str(scope.zone))


def in_thread(message_id: str) -> Predicate:
    """Hold for the message ``message_id`` and whatever refers to it."""
    return AnyOf(
        (
            OneOf("message_id", (message_id,)),
            OneOf("in_reply_to", (message_id,)),
            HasItem("references", (message_id,)),
        )
    )


def _thread(values: Sequence[str], _scope: Scope) -> Predicate:
    return any_of([in_thread(value.strip("<>")) for value in values])


def _filename(values: Sequence[str], scope: Scope) -> Predicate:
    scope.require("attachment_names", "filename: cannot be told")
    return _item("attachment_names")(values, scope)


def _label(values: Sequence[str], scope: Scope) -> Predicate:
    """Look at keywords, and at Gmail's labels where the frame has them."""
    has_labels = scope.columns is not None and "x_gm_labels" in scope.columns
    return _item("keywords", *["x_gm_labels"] * has_labels)(values, scope)


# Where text is sought, by key; these take a /pattern/ too.
TEXT_KEYS = {
    "text": ("subject", "from_name", "from_addr"),
    "subject": ("subject",),
    "from": ("from_name", "from_addr"),
    "list": ("list_id",),
}

KEYS: dict[str, Key] = {
    "from": Key(_from, "sender's name or address; from:me", "from:ann"),
    "to": Key(_to("to", "cc"), "an address in To or Cc; to:me", "to:bob@example.org"),
    "cc": Key(_to("cc"), "an address in Cc", "cc:carol"),
    "with": Key(_anyone, "sender or recipient", "with:ann"),
    "subject": Key(_contains("subject"), "in the subject", 'subject:"plan b"'),
    "text": Key(_contains(*TEXT_KEYS["text"]), "in subject or sender, as a bare word", "text:plan"),
    "domain": Key(_domain, "the sender's domain, exactly", "domain:example.org"),
    "list": Key(_contains("list_id"), "the mailing list", "list:dev"),
    "in": Key(_folder, "the folder, by name, part or glob", "in:Archive/*"),
    "label": Key(_label, "a keyword or label", "label:work"),
    "is": Key(_state, "unread, flagged, answered, reply, list, bulk, auto …", "is:unread"),
    "has": Key(_state, "attachment, where the frame tells", "has:attachment"),
    "filename": Key(_filename, "name of an attached file, where the frame tells", "filename:pdf"),
    "attached": Key(_attached, "size of all that is attached, compared", "attached:>1M"),
    "before": Key(_before, "before a year, month or day", "before:2024-05"),
    "since": Key(_since, "from a year, month or day on", 'since:"last month"'),
    "on": Key(_on, "within a year, month or day", "on:yesterday"),
    "newer_than": Key(_newer, "in the last days, weeks, months, years", "newer_than:7d"),
    "older_than": Key(_older, "longer ago than that", "older_than:1y"),
    "larger": Key(_larger, "of this size or more", "larger:1M"),
    "smaller": Key(_smaller, "below this size", "smaller:20k"),
    "size": Key(_size, "compared with a size", "size:>1M"),
    "weekday": Key(_weekday, "on these days of the week", "weekday:sat,sun"),
    "hour": Key(_hour, "in these hours of the day", "hour:22-5"),
    "thread": Key(_thread, "a Message-ID and what refers to it", "thread:<id>"),
}
SAME_KEY = {"folder": "in", "keyword": "label", "after": "since"}


def key_of(name: str) -> Key | None:
    """Give the key of that name, whatever its case; None where there is none."""
    name = name.lower()
    return KEYS.get(SAME_KEY.get(name, name))
