"""Rows of a fetch as one record batch.

Bytes in, columns out. Bad mail is data: whatever stands in a header block, a row comes of it, and
`defects` says how many of its values were malformed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import pyarrow as pa

from mailframe.frame.extras import Extra, parse_extras
from mailframe.frame.schema import HEADER_FIELDS, SCHEMA
from mailframe.headers import addresses, dates, fields, ids, text, urls


class Rows(Protocol):
    """Column lists of fetched messages, one entry a message.

    Attributes
    ----------
    folders : sequence of (str, int)
        Runs in row order: the folder's name as shown, and its number of rows.
    uid : sequence of int
    flags : sequence of bytes
        What stands between the parentheses: ``rb"\\Seen $Junk"``.
    internaldate : sequence of bytes
        ``b"17-Jul-1996 02:44:25 -0700"``, or ``b""`` where it is absent.
    size : sequence of bytes
        Digits, or ``b""`` where it is absent.
    header : sequence of bytes
        Header blocks with any line ends.
    """

    folders: Sequence[tuple[str, int]]
    uid: Sequence[int]
    flags: Sequence[bytes]
    internaldate: Sequence[bytes]
    size: Sequence[bytes]
    header: Sequence[bytes]


_SYSTEM_FLAGS = ("seen", "answered", "flagged", "draft", "deleted")
_INTERNALDATE = re.compile(rb" ?\d{1,2}-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}")


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
        self, account: str, *, headers: Sequence[str] = (), raw_headers: bool = False
    ) -> None:
        self._account = account
        self._extras = parse_extras(headers)
        self._raw = raw_headers
        self.fields = tuple(dict.fromkeys((*HEADER_FIELDS, *(x.field for x in self._extras))))
        schema = SCHEMA
        for extra in self._extras:
            schema = schema.append(pa.field(extra.column, extra.type))
        if raw_headers:
            schema = schema.append(pa.field("raw_headers", pa.large_binary()))
        self.schema = schema

    def build(self, rows: Rows) -> pa.RecordBatch:
        """Decode rows; never raises for what a message holds.

        Returns
        -------
        pyarrow.RecordBatch
            Of `schema`, rows in the order given.
        """
        columns: dict[str, list[Any]] = {name: [] for name in self.schema.names}
        for name, count in rows.folders:
            columns["folder"].extend([name] * count)
        columns["account"] = [self._account] * len(rows.uid)
        columns["uid"] = list(rows.uid)
        for flags, internaldate, size, header in zip(
            rows.flags, rows.internaldate, rows.size, rows.header, strict=True
        ):
            row, defects = self._row(header)
            names = [flag.decode("utf-8", "replace") for flag in flags.split()]
            lower = {name.lower() for name in names}
            row |= {name: "\\" + name in lower for name in _SYSTEM_FLAGS}
            row["keywords"] = [name for name in names if not name.startswith("\\")]
            row["size"] = int(size) if size.isdigit() and int(size) < 1 << 63 else None
            defects += bool(size) and row["size"] is None
            row["internaldate"] = None
            if internaldate:
                known = _INTERNALDATE.fullmatch(internaldate)
                when = dates.parse(internaldate.replace(b"-", b" ", 2)) if known else None
                row["internaldate"] = _micro(when.seconds) if when else None
                defects += row["internaldate"] is None
            row["defects"] = min(defects, 255)
            if self._raw:
                row["raw_headers"] = header
            for name, value in row.items():
                columns[name].append(value)
        arrays = [pa.array(columns[field.name], field.type) for field in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _row(self, header: bytes) -> tuple[dict[str, Any], int]:
        values: dict[str, list[bytes]] = defaultdict(list)
        for name, value in fields.split(header):
            values[name.decode("ascii").upper()].append(value)
        row: dict[str, Any] = {}
        defects = sum(len(values[name]) > 1 for name in HEADER_FIELDS)

        def first(name: str, parse: Callable[[bytes], tuple[Any, bool]], missing: Any) -> Any:  # noqa: ANN401
            nonlocal defects
            if not values[name]:
                return missing
            value, mended = parse(values[name][0])
            defects += mended
            return value

        when = first("DATE", _date, dates.Instant(None, None, mended=False))
        row["date"] = _micro(when.seconds)
        row["date_offset"] = when.offset
        sender = first("FROM", _mailbox, addresses.Mailbox(None, None, None))
        row["from_name"], row["from_addr"], row["from_domain"] = sender
        row["to"] = first("TO", _addr_specs, [])
        row["cc"] = first("CC", _addr_specs, [])
        row["subject"] = first("SUBJECT", text.decode, None)
        row["message_id"] = first("MESSAGE-ID", ids.message_id, None)
        row["in_reply_to"] = first("IN-REPLY-TO", ids.parent_id, None)
        row["references"] = first("REFERENCES", ids.message_ids, [])
        row["list_id"] = first("LIST-ID", ids.list_id, None)
        for extra in self._extras:
            row[extra.column], mended = _extra(extra, values[extra.field])
            defects += mended
        return row, defects


def _date(raw: bytes) -> tuple[dates.Instant, bool]:
    when = dates.parse(raw)
    return when, when.mended


def _mailbox(raw: bytes) -> tuple[addresses.Mailbox, bool]:
    found, mended = addresses.mailboxes(raw)
    return (found[0], mended) if found else (addresses.Mailbox(None, None, None), True)


def _addr_specs(raw: bytes) -> tuple[list[str], bool]:
    found, mended = addresses.mailboxes(raw)
    return [mailbox.addr for mailbox in found if mailbox.addr], mended


def _extra(extra: Extra, values: Iterable[bytes]) -> tuple[Any, bool]:
    found: list[Any] = []
    mended = False
    for raw in values:
        value, odd = _EXTRA_FORMS[extra.form](raw)
        mended |= odd
        if extra.type == pa.list_(pa.string()) and isinstance(value, list):
            found.extend(value)
        else:
            found.append(value)
        if not extra.every:
            break
    if pa.types.is_list(extra.type):
        return found, mended
    return found[0] if found else None, mended


def _micro(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1_000_000


def _date_only(raw: bytes) -> tuple[int | None, bool]:
    when = dates.parse(raw)
    return _micro(when.seconds), when.mended


_EXTRA_FORMS: dict[str, Callable[[bytes], tuple[Any, bool]]] = {
    "asText": text.decode,
    "asAddresses": _addr_specs,
    "asMessageIds": ids.message_ids,
    "asDate": _date_only,
    "asURLs": urls.urls,
}
