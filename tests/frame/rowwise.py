"""What a batch must hold, row by row: the general path of every parser and no column tricks."""

import re
from collections import defaultdict
from dataclasses import dataclass

import pyarrow as pa

from mailframe.frame.extras import Extra
from mailframe.headers import addresses, dates, fields, ids, text, urls

SYSTEM = ("seen", "answered", "flagged", "draft", "deleted")


@dataclass
class Rows:
    """The rows that a fetcher hands over."""

    folders: list
    uid: list
    flags: list
    internaldate: list
    size: list
    header: list


def rows(header, **columns):
    """Make rows of header blocks, with plain values for whatever is not given."""
    count = len(header)
    plain = {
        "folders": [("INBOX", count)],
        "uid": list(range(1, count + 1)),
        "flags": [rb"\Seen"] * count,
        "internaldate": [b"17-Jul-1996 02:44:25 -0700"] * count,
        "size": [b"1234"] * count,
    }
    return Rows(header=list(header), **(plain | columns))


def plain_rows(batch):
    """Return a batch as Python rows, instants as microseconds."""
    number = pa.timestamp("us", tz="UTC")
    columns = {}
    for field in batch.schema:
        column = batch.column(field.name)
        if field.type == number:
            column = column.cast(pa.int64())
        elif field.type == pa.list_(number):
            column = column.cast(pa.list_(pa.int64()))
        columns[field.name] = column.to_pylist()
    columns.pop("account")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _addr_specs(raw):
    found, mended = addresses.mailboxes(raw)
    return [mailbox.addr for mailbox in found if mailbox.addr], mended


def _date(raw):
    when = dates.parse(raw)
    return when, when.mended


def _micro(seconds):
    return None if seconds is None else seconds * 1_000_000


def _extra_date(raw):
    when = dates.parse(raw)
    return _micro(when.seconds), when.mended


FORMS = {
    "asText": text.decode,
    "asAddresses": _addr_specs,
    "asMessageIds": ids.message_ids,
    "asDate": _extra_date,
    "asURLs": urls.urls,
}


def header_row(header, extras=()):
    """Decode one header block; return its columns and its number of defects."""
    values = defaultdict(list)
    for name, value in fields.split(header):
        values[name.decode("ascii").upper()].append(value)
    row = {}
    defects = 0

    def first(name, parse, missing):
        nonlocal defects
        defects += len(values[name]) > 1
        if not values[name]:
            return missing
        value, mended = parse(values[name][0])
        defects += mended
        return value

    when = first("DATE", _date, dates.Instant(None, None, mended=False))
    row["date"], row["date_offset"] = _micro(when.seconds), when.offset
    sender = first("FROM", addresses.sender, addresses.Mailbox(None, None, None))
    row["from_name"], row["from_addr"], row["from_domain"] = sender
    lists = {"TO": "asAddresses", "CC": "asAddresses", "REFERENCES": "asMessageIds"}
    for name, form in lists.items():
        row[name.lower()], mended = _extra(Extra(name, name, form, every=True), values[name])
        defects += mended + (len(values[name]) > 1)
    row["subject"] = first("SUBJECT", text.decode, None)
    row["message_id"] = first("MESSAGE-ID", ids.message_id, None)
    row["in_reply_to"] = first("IN-REPLY-TO", ids.parent_id, None)
    row["list_id"] = first("LIST-ID", ids.list_id, None)
    row["bulk"], row["auto"] = _nature(values, row["from_addr"])
    for extra in extras:
        row[extra.column], mended = _extra(extra, values[extra.field])
        defects += mended
    return row, defects


def _nature(values, sender):
    """Tell whether a message went to many, and whether a program sent it."""

    def words(name):
        without_comments = (re.sub(rb"\([^()]*\)", b" ", text.unfold(raw)) for raw in values[name])
        return {part.split()[0].lower() for raw in without_comments if (part := _head(raw))}

    listed = any(raw.strip() for raw in values["LIST-ID"])
    precedence = words("PRECEDENCE")
    bulk = listed or any(raw.strip() for raw in values["LIST-UNSUBSCRIBE"])
    bulk = bulk or bool(precedence & {b"bulk", b"list", b"junk"})
    auto = bool(precedence & {b"auto_reply", b"auto-reply"})
    auto = auto or (bool(precedence & {b"bulk", b"junk"}) and not listed)
    for name in ("AUTO-SUBMITTED", "X-AUTOREPLY", "X-AUTORESPOND"):
        auto = auto or bool(words(name) - {b"no", b"false", b"0"})
    local = re.sub(r"[-_.]", "", (sender or "").lower().rsplit("@", 1)[0])
    robots = ("mailerdaemon", "noreply", "donotreply", "dontreply", "noreplies")
    # The seams of words are for the hand-made cases; here it is enough that none is overlooked.
    return bulk, auto or (any(robot in local for robot in robots) and _apart(sender))


def _head(raw):
    return re.sub(rb"[;,]", b" ", raw).strip()


def _apart(sender):
    found = re.search(
        r"(mailer-daemon|(no|do[-_.]?not|dont)[-_.]?repl(y|ies))", sender.split("@")[0].lower()
    )
    if not found:
        return False
    before, after = sender.lower()[: found.start()][-1:], sender.lower()[found.end() :][:1]
    return not (before.isascii() and before.isalpha()) and not (after.isascii() and after.isalpha())


def _extra(extra, raws):
    every = extra.joined
    decoded = [FORMS[extra.form](raw) for raw in (raws if every else raws[:1])]
    mended = any(odd for _, odd in decoded)
    values = [value for value, _ in decoded]
    if extra.form == "asAddresses" or isinstance(next(iter(values), None), list):
        return [item for items in values for item in items], mended
    if extra.every:
        return values, mended
    if not values:
        return ([] if extra.form in {"asAddresses", "asMessageIds", "asURLs"} else None), mended
    return values[0], mended


def batch_rows(rows, extras=()):
    """Decode rows one by one into dictionaries such as ``RecordBatch.to_pylist`` gives."""
    folders = [name for name, count in rows.folders for _ in range(count)]
    for at, header in enumerate(rows.header):
        row, defects = header_row(header, extras)
        names = list(
            dict.fromkeys(flag.decode("utf-8", "replace") for flag in rows.flags[at].split())
        )
        lower = {name.lower() for name in names}
        row |= {name: "\\" + name in lower for name in SYSTEM}
        known = {"\\" + name for name in (*SYSTEM, "recent")}
        row["keywords"] = [name for name in names if name.lower() not in known]
        size = rows.size[at]
        row["size"] = int(size) if re.fullmatch(rb"[0-9]{1,18}", size) else None
        defects += row["size"] is None and size != b""
        received = rows.internaldate[at]
        shape = rb"[ \d]?\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"
        when = dates.UNREADABLE
        if re.fullmatch(shape, received):
            when = dates.parse(received.replace(b"-", b" ", 2))
        row["internaldate"] = _micro(when.seconds)
        defects += when.seconds is None and received != b""
        row["defects"] = min(defects, 255)
        yield row | {"folder": folders[at], "uid": rows.uid[at]}
