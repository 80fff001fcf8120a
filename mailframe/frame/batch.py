"""Rows of a fetch as one record batch.

Bytes in, columns out; each column is decoded at once. Bad mail is data: whatever stands in a
header block, a row comes of it.

The column ``defects`` says how many values of a row were malformed. Each of these counts one:

- a field whose value breaks the RFC that defines it and had to be mended or given up: octets that
  are neither ASCII nor UTF-8 and carry no label, an encoded-word that RFC 2047 does not allow or
  whose label is wrong, a control character, an address list or an id that does not parse, a date
  that does not, or names another weekday. Obsolete syntax of RFC 5322 section 4 is no defect;
- a field that may stand once and stands again, however often: the first one is taken, but of
  To, Cc, References and other lists all (RFC 5322 section 4.5.3);
- an INTERNALDATE of another form than RFC 9051's, or a size that is there and cannot be read;
- a header block of more than ten thousand fields.

Fields that are not asked for, and fields that are missing, count nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.blocks import Blocks, Spans
from mailframe.frame.extras import Extra, parse_extras
from mailframe.frame.instants import header_dates, internal_dates
from mailframe.frame.schema import CATEGORY, HEADER_FIELDS, SCHEMA, TEXTS
from mailframe.headers import automatic, fields, text
from mailframe.headers.columns.ids import id_lists, list_ids, message_ids, parent_ids
from mailframe.headers.columns.lists import addr_specs, read_lists, senders
from mailframe.headers.columns.urls import url_lists
from mailframe.headers.columns.values import Lists, Values, distinct, matching
from mailframe.headers.columns.words import texts
from mailframe.headers.memory import remembering

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mailframe.frame.beside import Beside
    from mailframe.headers.columns.marks import Mask

MENDED = "_mended"
_SYSTEM_FLAGS = ("seen", "answered", "flagged", "draft", "deleted")
HUGE_HEADER = 1 << 20  # octets; beyond it a block is reduced to what is read of it
MOST_INSTANCES = 1_000  # of one field in such a block
MOST_FIELDS = 10_000  # in such a block, before that alone is a defect
_LONGEST_SIZE = 18  # digits that an int64 always holds
_PART = 8 << 20  # octets of header that are decoded at once


class Rows(Protocol):
    """Column lists of fetched messages, one entry a message."""

    @property
    def folders(self) -> Sequence[tuple[str, int]]:
        """Runs in row order: the folder's name as shown, and its number of rows."""

    @property
    def uid(self) -> Sequence[int]:
        """UIDs, or whatever numbers a folder's messages."""

    @property
    def flags(self) -> Sequence[bytes]:
        r"""What stands between the parentheses: ``rb"\Seen $Junk"``."""

    @property
    def internaldate(self) -> Sequence[bytes]:
        """``b"17-Jul-1996 02:44:25 -0700"``, or ``b""`` where it is absent."""

    @property
    def size(self) -> Sequence[bytes]:
        """Digits, or ``b""`` where it is absent."""

    @property
    def header(self) -> Sequence[bytes]:
        """Header blocks with any line ends."""

    @property
    def beside(self) -> Mapping[str, Sequence[Any]]:
        """What else is known of each message, by the name of its `Beside`."""


class BatchBuilder:
    """Turns fetched rows into record batches.

    Parameters
    ----------
    account : str
        What stands in the column ``account``.
    headers : sequence of str
        More header fields, each a column; see `mailframe.frame.extras`.
    raw_headers : bool
        Whether a column ``raw_headers`` holds each header block as it came.
    apart : bool
        Tell of the malformed values of further header fields not in ``defects``, but in a bool
        column beside each, ``X_mended``.
    beside : sequence of Beside
        What else the rows tell, and the columns it makes.

    Attributes
    ----------
    schema : pyarrow.Schema
        Of every batch.
    fields : tuple of str
        The header fields to fetch, in upper case.

    Raises
    ------
    ConfigurationError
        A name in `headers` is not one.
    """

    def __init__(
        self,
        account: str,
        *,
        headers: Sequence[str] = (),
        raw_headers: bool = False,
        apart: bool = False,
        beside: Sequence[Beside] = (),
    ) -> None:
        self._account = account
        self._beside = tuple(beside)
        self._extras = parse_extras(headers)
        self._raw = raw_headers
        self._apart = apart
        self.fields = tuple(dict.fromkeys((*HEADER_FIELDS, *(x.field for x in self._extras))))
        schema = SCHEMA
        for extra in self._extras:
            schema = schema.append(pa.field(extra.column, extra.type))
        for extra in self._extras if apart else ():
            schema = schema.append(pa.field(extra.column + MENDED, pa.bool_()))
        if raw_headers:
            schema = schema.append(pa.field("raw_headers", pa.large_binary()))
        for field in (field for one in self._beside for field in one.fields):
            schema = schema.append(field)
        self.schema = schema

    def build(self, rows: Rows) -> pa.RecordBatch:
        """Decode rows; never raises for what a message holds.

        Returns
        -------
        pyarrow.RecordBatch
            Of `schema`, rows in the order given.
        """
        told, defects = _told_by_server(rows, self._account)
        headers = _within_reason(rows.header, self.fields, defects)
        parts = [
            _HeaderColumns(headers[start:end], self.fields, self._extras, apart=self._apart)
            for start, end in pairwise(_cuts(headers))
        ]
        defects += np.concatenate([part.defects for part in parts])
        told["defects"] = pa.array(np.minimum(defects, 255).astype(np.uint8))
        if self._raw:
            told["raw_headers"] = pa.array(rows.header, pa.large_binary())
        told |= self.build_beside(rows)
        arrays = [
            told[name] if name in told else _joined([part.columns[name] for part in parts])
            for name in self.schema.names
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def build_beside(self, rows: Rows) -> dict[str, pa.Array]:
        """Make the columns of what is told beside the headers."""
        return {
            field.name: array
            for one in self._beside
            for field, array in zip(
                one.fields,
                one.arrays(rows.beside[one.name]),
                strict=True,
            )
        }


def _within_reason(
    headers: Sequence[bytes], names: Sequence[str], defects: NDArray[np.int64]
) -> Sequence[bytes]:
    """Reduce huge header blocks to the fields that are read, lest their millions cost memory."""
    if max(map(len, headers), default=0) <= HUGE_HEADER:
        return headers
    wanted = frozenset(name.encode("ascii") for name in names)
    kept = list(headers)
    for row, block in enumerate(headers):
        if len(block) > HUGE_HEADER:
            kept[row], count = fields.reduced(block, wanted, MOST_INSTANCES)
            defects[row] += count > MOST_FIELDS
    return kept


def _told_by_server(rows: Rows, account: str) -> tuple[dict[str, pa.Array], NDArray[np.int64]]:
    """Return the columns that come from no header, and the defects in them."""
    names = list(dict.fromkeys(name for name, _ in rows.folders))
    places = {name: place for place, name in enumerate(names)}
    runs = np.array([places[name] for name, _ in rows.folders], np.int32)
    folder = np.repeat(runs, [count for _, count in rows.folders])
    received = internal_dates(rows.internaldate)
    size, unread = _sizes(rows.size)
    told = {
        "account": _category(np.zeros(len(rows.uid), np.int32), [account]),
        "folder": _category(folder, names),
        "uid": pa.array(rows.uid, pa.uint32()),
        "internaldate": received.instants(),
        "size": size,
        **_flag_columns(rows.flags),
    }
    return told, received.mended.astype(np.int64) + unread


def _sizes(raw: Sequence[bytes]) -> tuple[pa.Array, Mask]:
    """Read sizes; return them and which are there and cannot be read."""
    sizes = pa.array(raw, pa.binary())
    length = pc.binary_length(sizes)
    digits = pc.ascii_is_decimal(sizes.view(pa.string()))
    read = pc.and_(digits, pc.less_equal(length, _LONGEST_SIZE))
    unread: Mask = pc.and_not(pc.greater(length, 0), read).to_numpy(zero_copy_only=False)
    return pc.if_else(read, sizes, None).view(pa.string()).cast(pa.int64()), unread


def _flag_columns(raw: Sequence[bytes]) -> dict[str, pa.Array]:
    """Return a column for each system flag, and one for the others."""
    encoded = pa.array(raw, pa.binary()).dictionary_encode()
    found = [_flags(each) for each in encoded.dictionary.to_pylist()]
    columns = {
        name: pa.array([flags[place] for flags, _ in found], pa.bool_()).take(encoded.indices)
        for place, name in enumerate(_SYSTEM_FLAGS)
    }
    keywords = pa.array([others for _, others in found], TEXTS)
    return columns | {"keywords": keywords.take(encoded.indices)}


def _cuts(header: Sequence[bytes]) -> list[int]:
    """Return where to cut a batch: what is worked on at once is bounded, and near the cache."""
    reached = np.cumsum(np.fromiter(map(len, header), np.int64, len(header))) // _PART
    return [0, *(np.flatnonzero(np.diff(reached)) + 1).tolist(), len(header)]


def _joined(arrays: list[pa.Array]) -> pa.Array:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


class _HeaderColumns:
    """The columns that header blocks make, and the number of defects in each block."""

    def __init__(
        self, header: Sequence[bytes], names: Sequence[str], extras: Sequence[Extra], *, apart: bool
    ) -> None:
        self.count = len(header)
        self.defects = np.zeros(self.count, np.int64)
        self.columns: dict[str, pa.Array] = {}
        self.blocks = Blocks(header, names)
        self.put_fields()
        for extra in extras:
            counted = self.defects.copy()
            self.put_extra(extra)
            if apart:
                self.columns[extra.column + MENDED] = pa.array(self.defects > counted)
                self.defects = counted

    def put_fields(self) -> None:
        """Put the columns that the frame's own header fields make."""
        spans = self._first("DATE")
        sent = header_dates(self.blocks, spans)
        self._put("date", spans, sent.instants())
        self._put("date_offset", spans, sent.offsets())
        self._note(spans, sent.mended)

        self.put_people()
        for name, field, decode in _TEXT_COLUMNS:
            spans = self._first(field)
            column = decode(self.blocks.values(spans))
            self._put(name, spans, column.array)
            self._note(spans, column.mended)
        self._first("REFERENCES")  # counts the defect
        spans = self.blocks.spans("REFERENCES")
        self._put_lists("references", spans, id_lists(self.blocks.values(spans)), TEXTS)
        self.put_nature()

    def put_people(self) -> None:
        """Put the columns of From, To and Cc."""
        fields = [self._first("FROM")]
        for field in ("TO", "CC"):
            self._first(field)  # counts the defect
            fields.append(self.blocks.spans(field))
        lists = read_lists([self.blocks.values(spans) for spans in fields])
        sender = senders(lists[0])
        self._put("from_name", fields[0], sender.name)
        self._put("from_addr", fields[0], sender.addr)
        self._put("from_domain", fields[0], sender.domain)
        self._note(fields[0], sender.mended)
        for name, spans, each in zip(("to", "cc"), fields[1:], lists[1:], strict=True):
            self._put_lists(name, spans, addr_specs(each), TEXTS)

    def put_nature(self) -> None:
        """Put whether a message went to many, and whether a program sent it; no value is bad."""
        listed = self._any("LIST-ID", automatic.says_something)
        bulk = listed | self._any("LIST-UNSUBSCRIBE", automatic.says_something)
        bulk |= self._any("PRECEDENCE", automatic.to_many)
        auto = self._any("PRECEDENCE", automatic.by_machine) & ~listed
        auto |= self._any("PRECEDENCE", automatic.answers_itself)
        for field in ("AUTO-SUBMITTED", "X-AUTOREPLY", "X-AUTORESPOND"):
            auto |= self._any(field, automatic.is_automatic)
        auto |= matching(self.columns["from_addr"], automatic.UNREAD_SENDER)
        self.columns["bulk"], self.columns["auto"] = pa.array(bulk), pa.array(auto)

    def _any(self, field: str, says: Callable[[bytes], bool]) -> Mask:
        """Tell of which messages any instance of a field says so."""
        rows = np.zeros(self.count, np.bool_)
        spans = self.blocks.spans(field)
        if len(spans.rows):
            found, index = distinct(self.blocks.values(spans).raw, says)
            rows[spans.rows[np.array(found, np.bool_)[index.to_numpy()]]] = True
        return rows

    def put_extra(self, extra: Extra) -> None:
        """Put a column that was asked for."""
        spans = self.blocks.spans(extra.field)
        if not extra.joined:
            spans = spans.firsts()[0]
        if extra.form in _LIST_FORMS:
            lists = _LIST_FORMS[extra.form](self.blocks.values(spans))
        else:
            if extra.form == "asDate":
                when = header_dates(self.blocks, spans)
                array, mended = when.instants(), when.mended
            else:
                array, mended = texts(self.blocks.values(spans))
            if not extra.every:
                self._put(extra.column, spans, array)
                self._note(spans, mended)
                return
            lists = Lists(array, np.ones(len(spans.rows), np.int64), mended)
        self._put_lists(extra.column, spans, lists, extra.type)

    def _first(self, field: str) -> Spans:
        """Return the first value of a field in each message; more than one is a defect."""
        spans, repeated = self.blocks.spans(field).firsts()
        self.defects[repeated] += 1
        return spans

    def _note(self, spans: Spans, mended: Mask) -> None:
        """Count malformed values, one a field and message."""
        if mended.any():
            self.defects[np.unique(spans.rows[mended])] += 1

    def _put(self, name: str, spans: Spans, array: pa.Array) -> None:
        """Spread a column of the messages that have a field over all messages."""
        if len(spans.rows) < self.count:
            index = np.zeros(self.count, np.int64)
            index[spans.rows] = np.arange(len(spans.rows))
            missing = np.ones(self.count, np.bool_)
            missing[spans.rows] = False
            array = array.take(pa.array(index, mask=missing))
        self.columns[name] = array

    def _put_lists(self, name: str, spans: Spans, lists: Lists, type_: pa.ListType) -> None:
        """Spread lists over all messages, those of one message joined."""
        offsets = np.zeros(self.count + 1, np.int32)
        np.cumsum(np.bincount(spans.rows, lists.lengths, self.count), out=offsets[1:])
        items = lists.items.cast(type_.value_type)
        self.columns[name] = pa.ListArray.from_arrays(pa.array(offsets), items, type=type_)
        self._note(spans, lists.mended)


_TEXT_COLUMNS = (
    ("subject", "SUBJECT", texts),
    ("message_id", "MESSAGE-ID", message_ids),
    ("in_reply_to", "IN-REPLY-TO", parent_ids),
    ("list_id", "LIST-ID", list_ids),
)


def _addresses(values: Values) -> Lists:
    return addr_specs(*read_lists([values]))


_LIST_FORMS: dict[str, Callable[[Values], Lists]] = {
    "asAddresses": _addresses,
    "asMessageIds": id_lists,
    "asURLs": url_lists,
}


def _category(index: NDArray[np.int32], names: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(names, pa.string())).cast(
        CATEGORY
    )


# A keyword in quotation marks may hold blanks.
_FLAG = re.compile(rb'"((?:[^"\\]|\\.)*)"(?=\s|\Z)|(\S++)', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
# A backslash that was escaped once too often.
_DOUBLED = re.compile(r"\A\\{2,}")


@remembering
def _flags(raw: bytes) -> tuple[tuple[bool, ...], list[str]]:
    """Tell which system flags are set, and what other flags there are."""
    flags = [_ESCAPED.sub(rb"\1", quoted) or plain for quoted, plain in _FLAG.findall(raw)]
    names = {text.clean(flag.decode("utf-8", "replace"))[0]: None for flag in flags}
    lower = {name: _DOUBLED.sub(r"\\", name.lower()) for name in names}
    known = {"\\" + name for name in (*_SYSTEM_FLAGS, "recent")}
    others = [name for name, flag in lower.items() if name and flag not in known]
    return tuple("\\" + name in lower.values() for name in _SYSTEM_FLAGS), others
