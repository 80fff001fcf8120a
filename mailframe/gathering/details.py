"""What is asked of a server beside headers, in FETCHes of its own, and the columns it makes.

Attachments (BODYSTRUCTURE) are asked for on request; Gmail's ids and labels and the ids of RFC 8474
wherever a server has them; SAVEDATE (RFC 8514) and PREVIEW (RFC 8970) on request, where it has
those. What of it cannot be read is null, and costs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ProtocolError
from mailframe.fetcher.ledger import Problem
from mailframe.fetcher.schedule import Ask
from mailframe.frame.beside import Attachments
from mailframe.frame.instants import internal_dates
from mailframe.frame.schema import EXTRAS
from mailframe.ground.names import decode_mailbox
from mailframe.ground.uidset import UidSet
from mailframe.headers import text
from mailframe.imap.commands import beside_items
from mailframe.imap.grammar import Value, as_text, is_nil
from mailframe.imap.items import STRUCTURE, read_items
from mailframe.imap.structure import Part, is_text_alone, read_structure
from mailframe.store.filecolumns import ATTACHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mailframe.frame.beside import Beside


def _parts(told: bytes) -> list[Part] | None:
    if is_text_alone(told):
        return []
    value = read_items(told).get(STRUCTURE) if told else None
    return None if value is None else read_structure(value)


ATTACHMENTS_ASK = Ask(beside_items(["BODYSTRUCTURE"]), beside="attachments")


@dataclass(frozen=True, slots=True)
class Detail:
    """Something to ask for, and the columns of it.

    Parameters
    ----------
    ask : Ask
        Without items where a server cannot be asked.
    columns : Beside
    held : tuple of str
        What a store calls it, see `mailframe.store.filecolumns`.
    changes : bool
        Whether it may be another at a later time, as labels are.
    """

    ask: Ask
    columns: Beside
    held: tuple[str, ...] = ()
    changes: bool = False


def wanted(has: Callable[[str], bool], request: Request, taken: Iterable[str] = ()) -> list[Detail]:
    """Tell what to ask of a server.

    Parameters
    ----------
    has : callable
        Tells whether the server advertises a capability.
    taken : iterable of str
        Columns that there are already: header fields that were asked for by name.
    """
    there = set(taken)
    names = [
        f":{column}"
        for _, column, capability in _EXTRAS
        if column not in there
        and (column in request.columns or (has(capability) and column not in _ON_REQUEST))
    ]
    return named([ATTACHED] * request.attachments + names, has)


def named(held: Iterable[str], has: Callable[[str], bool]) -> list[Detail]:
    """Tell what to ask of a server for what a store calls so."""
    names = set(held)
    details = []
    if ATTACHED in names:
        details.append(Detail(ATTACHMENTS_ASK, Attachments(_parts), (ATTACHED,)))
    items = {item: column for item, column, _ in _EXTRAS if f":{column}" in names}
    told = [item for item, _, capability in _EXTRAS if item in items and has(capability)]
    if items:
        ask = Ask(beside_items(told) if told else b"", beside="ids and labels")
        stored = tuple(f":{column}" for column in items.values())
        details.append(Detail(ask, _Extras(items), stored, changes="X-GM-LABELS" in told))
    return details


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks for by name."""

    attachments: bool = False
    savedate: bool = False
    preview: bool = False

    @property
    def columns(self) -> set[str]:
        """The columns, beside those of attachments."""
        return {name for name in _ON_REQUEST if getattr(self, name)}


class Unknown:
    """What rows lack that was asked for beside them: not told, or not so that it can be read.

    Attributes
    ----------
    errors : list of ProtocolError
        One a folder and kind.
    """

    def __init__(self) -> None:
        self._uids: dict[tuple[str, str], list[UidSet]] = {}

    def look_at(self, batch: pa.RecordBatch) -> None:
        """Note which rows lack something."""
        for column, words in _ALWAYS_THERE.items():
            if column not in batch.schema.names or not batch[column].null_count:
                continue
            rows = batch.filter(pc.is_null(batch[column]))
            folders = rows["folder"].dictionary_encode()
            for place, name in enumerate(folders.dictionary.to_pylist()):
                uids = rows["uid"].filter(pc.equal(folders.indices, place)).to_pylist()
                self._uids.setdefault((name, words), []).append(UidSet.from_uids(uids))

    @property
    def errors(self) -> list[ProtocolError]:
        """What to raise, or to tell."""
        return [ProtocolError(_lacking(*key), folder=key[0]) for key in self._uids]

    @property
    def problems(self) -> list[Problem]:
        """What to report, with the UIDs."""
        return [
            Problem(name, str(UidSet.union(parts)), ProtocolError.__name__, _lacking(name, words))
            for (name, words), parts in self._uids.items()
        ]


def _lacking(folder: str, words: str) -> str:
    return f"{folder}: {words} of these messages are not known, as the server told them"


# What every message has, where it was asked for.
_ALWAYS_THERE = {
    "attachments": "the attachments",
    "x_gm_msgid": "Gmail's ids and labels",
    "email_id": "the ids",
}

# Item, column, and the capability that tells of it.
_EXTRAS = (
    ("X-GM-MSGID", "x_gm_msgid", "X-GM-EXT-1"),
    ("X-GM-THRID", "x_gm_thrid", "X-GM-EXT-1"),
    ("X-GM-LABELS", "x_gm_labels", "X-GM-EXT-1"),
    ("EMAILID", "email_id", "OBJECTID"),
    ("THREADID", "thread_id", "OBJECTID"),
    ("SAVEDATE", "savedate", "SAVEDATE"),
    ("PREVIEW", "preview", "PREVIEW"),
)
_ON_REQUEST = ("savedate", "preview")


class _Extras:
    """The columns of Gmail's items, OBJECTID, SAVEDATE and PREVIEW."""

    name = "extras"

    def __init__(self, columns: dict[str, str]) -> None:
        self._items = {item.encode("ascii"): column for item, column in columns.items()}
        self.fields = tuple(EXTRAS.field(column) for column in columns.values())

    def arrays(self, told: Sequence[bytes]) -> list[pa.Array]:
        """Make the columns; null where nothing was told."""
        rows = [read_items(one) if one else {} for one in told]
        return [
            _READERS[column]([row.get(item, _NOTHING) for row in rows])
            for item, column in self._items.items()
        ]


_NOTHING: Value = b"NIL"


def _texts(values: Sequence[Value]) -> pa.Array:
    return pa.array(map(_text, values), EXTRAS.field("preview").type)


def _text(value: Value) -> str | None:
    octets = as_text(value)
    return None if octets is None else text.clean(octets.decode("utf-8", "replace"))[0]


def _ids(values: Sequence[Value]) -> pa.Array:
    """Read numbers, and ids in their parentheses (``(M1f2)``, RFC 8474 section 7)."""
    alone = (value[0] if isinstance(value, list) and len(value) == 1 else value for value in values)
    return pa.array((_text(value) or None for value in alone), EXTRAS.field("email_id").type)


def _labels(values: Sequence[Value]) -> pa.Array:
    """Read lists of labels: atoms, strings and literals in modified UTF-7, as mailboxes are."""
    known: dict[bytes, str] = {}

    def label(octets: bytes) -> str:
        if octets not in known:
            known[octets] = decode_mailbox(octets)
        return known[octets]

    lists = (
        [label(bytes(one)) for one in value if isinstance(one, bytes)]
        if isinstance(value, list)
        else None
        if is_nil(value)
        else [label(bytes(value))]
        for value in values
    )
    return pa.array(lists, EXTRAS.field("x_gm_labels").type)


def _instants(values: Sequence[Value]) -> pa.Array:
    return internal_dates([as_text(value) or b"" for value in values]).instants()


_READERS: dict[str, Callable[[Sequence[Value]], pa.Array]] = {
    **dict.fromkeys(("x_gm_msgid", "x_gm_thrid", "email_id", "thread_id"), _ids),
    "x_gm_labels": _labels,
    "savedate": _instants,
    "preview": _texts,
}
