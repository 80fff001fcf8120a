"""What fills a store: bytes, unread mail, copies, and inboxes that are never emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.census import periods
from mailframe.census.people import LARGEST_FIRST
from mailframe.census.tables import ORDER, Tables, index, ints
from mailframe.frame.adapter import unsorted_frame
from mailframe.frame.schema import SCHEMA
from mailframe.frame.views import SERVER_IDS
from mailframe.stats import clock, clutter, dates, vectors, volume

if TYPE_CHECKING:
    from datetime import datetime

    from mailframe.census.periods import Zone
    from mailframe.stats.vectors import Ints

# Mails kept more than once that are looked at in one go, with a few hundred octets each.
PART = 1_000_000
# Rows of the pieces in which the numbers that stand for mails come.
PIECE = 1 << 20


def sizes(tables: Tables, by: str, tz: Zone) -> pd.DataFrame:
    """Add up octets; see ``df.mail.sizes``."""
    sums = (
        "count(*) as messages, coalesce(sum(size), 0)::bigint as bytes,"
        " coalesce(max(size), 0)::bigint as largest"
    )
    whole = ints(tables.ask("select coalesce(sum(size), 0)::bigint as n from {source}")["n"])[0]
    if by == "year":
        return volume.partial(_told(_by_year(tables, tz, sums), whole))
    table = tables.ask(
        f"with rows as ({tables.key(by, 'size')}) select value, {sums} from rows group by 1"
        " order by bytes desc, value"
    )
    found = {name: ints(table[name]) for name in ("messages", "bytes", "largest")}
    return _told(pd.DataFrame(found, index=index(table["value"], by)), whole)


def _told(found: pd.DataFrame, whole: int) -> pd.DataFrame:
    share, mean = found["bytes"] / max(whole, 1), found["bytes"] / found["messages"]
    found.insert(2, "share", share)
    found.insert(3, "mean", mean)
    return found


def _by_year(tables: Tables, tz: Zone, sums: str) -> pd.DataFrame:
    """Add up octets by the years of a zone: each year begins at an instant."""
    at = periods.microseconds(tables, tz, dates.BEST)
    counted = periods.volume_of(tables, "Y", None, 0, tz, dates.BEST, cumulative=False)
    starts = pd.DatetimeIndex(counted.index)
    year = pa.array(starts.year, pa.int64())
    if not periods.is_sender(tz):
        starts = starts.tz_convert("UTC").tz_localize(None)
    edges = starts.to_numpy(dtype="datetime64[us]").astype(np.int64)
    years = pa.table({"began": edges, "year": year})
    with tables.given(years=years):
        table = tables.ask(
            f"with rows as (select {at} as instant, size from {{source}} where best is not null)"
            f" select year, {sums} from rows asof join years on instant >= began"
            " group by 1 order by 1"
        )
    found = {name: ints(table[name]) for name in ("messages", "bytes", "largest")}
    return pd.DataFrame(found, index=index(table["year"], "year"))


def largest(tables: Tables, n: int) -> pd.DataFrame:
    """List the largest messages; see ``df.mail.largest``."""
    names = ", ".join(clutter.SHOWN)
    found = tables.ask(
        f"select account, {names} from {{source}}"
        f" order by coalesce(size, 0) desc, {ORDER} limit {int(n)}"
    )
    folders = tables.ask(
        "select account, folder, count(*) as messages from {source} group by all order by all"
    )
    before = np.cumsum(ints(folders["messages"])) - ints(folders["messages"])
    with tables.given(
        found=found.append_column("row", pa.array(np.arange(len(found)))),
        folders=folders.append_column("before", pa.array(before)),
    ):
        place = tables.ask(
            "select any_value(before) + count(m.uid) as label from found f"
            " join folders p on p.account = f.account and p.folder = f.folder"
            " left join {source} m"
            " on m.account = f.account and m.folder = f.folder and m.uid < f.uid"
            " group by row order by row"
        )
    df = _frame(found.select(clutter.SHOWN))
    df["folder"] = df["folder"].cat.set_categories(sorted(set(folders["folder"].to_pylist())))
    df.index = pd.Index(ints(place["label"]), name="message")
    return df


def _frame(table: pa.Table) -> pd.DataFrame:
    """Make rows a frame with the dtypes that they have in every frame."""
    fields = [SCHEMA.field(f.name) if f.name in SCHEMA.names else f for f in table.schema]
    columns_ = [
        chunked.dictionary_encode() if pa.types.is_dictionary(field.type) else chunked
        for field, chunked in zip(fields, table.columns, strict=True)
    ]
    return unsorted_frame(pa.table(columns_, names=table.column_names).cast(pa.schema(fields)))


def read_share(tables: Tables, by: str, least: int) -> pd.DataFrame:
    """Tell what is read; see ``df.mail.read_share``."""
    table = tables.ask(
        f"with rows as ({tables.key(by, 'seen as was_seen')}) select value, count(*) as messages,"
        " count(*) filter (was_seen) as read from rows group by 1"
        f" having count(*) >= {max(int(least), 1)} {LARGEST_FIRST}"
    )
    messages, read = ints(table["messages"]), ints(table["read"])
    return pd.DataFrame(
        {"messages": messages, "read": read, "share": read / np.maximum(messages, 1)},
        index=index(table["value"], by),
    )


def inbox_age(tables: Tables, folder: str, now: datetime | None) -> pd.Series[Any]:
    """Tell how old the mail in a folder is; see ``df.mail.inbox_age``."""
    held = tables.ask("select distinct folder from {source} order by 1")["folder"].to_pylist()
    here = clutter.called(held, folder)
    moment = clock.now(now)
    edges = [moment - days * clock.DAY for days in clutter.AGES.values()]
    ages = [
        f"count(*) filter (instant >= {edge}) as n{number}" for number, edge in enumerate(edges)
    ]
    table = tables.ask(
        "with rows as (select epoch_us(best) as instant from {source}"
        " where best is not null and list_contains(?::varchar[], folder))"
        f" select {', '.join(ages)}, count(*) as n from rows",
        [here],
    )
    younger = np.array([column[0].as_py() for column in table.columns])
    return clutter.by_age(np.diff(younger, prepend=0))


def copies(tables: Tables) -> tuple[int, Ints]:
    """Count mails, and give the numbers that stand for those kept more than once.

    A number is a hash of what tells a mail; that two mails share one costs time, and nothing else
    but a count that is too small by one, once in some thousand stores of a hundred million rows.
    """
    held = int(ints(tables.ask("select count(*) as n from {source}")["n"])[0])
    mail, known, rows = np.empty(held, np.uint64), 0, 0
    for piece in tables.ask_piecewise(f"select {_mail(tables)} as mail from {{source}}", PIECE):
        rows += len(piece)
        found = vectors.numpy(piece["mail"].drop_null())
        if known + len(found) > len(mail):  # a refresh has brought more meanwhile
            mail = np.concatenate([mail[:known], np.empty(PIECE + len(found), np.uint64)])
        mail[known : known + len(found)] = found
        known += len(found)
    mail = mail[:known]
    mail.sort()
    again = mail[1:] == mail[:-1]
    twice = mail[1:][again]
    return rows - int(again.sum()), twice[vectors.starts_of(twice)]


def duplicates(tables: Tables) -> pd.DataFrame:
    """List mails kept more than once; see ``df.mail.duplicates``."""
    _, mail = copies(tables)
    parts = []
    names = ["folder", "message_id", "date", "from_addr", "size", "account"]
    names += [name for name in SERVER_IDS if name in tables.kinds]
    for some in np.array_split(mail, max(1, -(-len(mail) // PART))):
        with tables.given(wanted=pa.table({"mail": some})):
            table = tables.ask(
                f"select {', '.join(names)} from {{source}}"
                f" where {_mail(tables)} in (select mail from wanted) order by {ORDER}"
            )
        parts.append(clutter.duplicates(_frame(table)))
    return vectors.ranked(pd.concat(parts), "wasted")


def _mail(tables: Tables) -> str:
    """Return an expression for a number that stands for a mail, see `mailframe.stats.mails`.

    Null where nothing tells it from another.
    """
    told = [
        f"case when {name} is not null then hash('{name}', {name}, account) end"
        for name in reversed(SERVER_IDS)
        if name in tables.kinds
    ]
    by_id = "hash(message_id, date, lower(from_addr))"
    told.append(f"case when message_id is not null then {by_id} end")
    return f"coalesce({', '.join(told)})"
