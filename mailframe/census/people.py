"""Who writes, and from where: groups of messages by address, domain and list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.census.tables import ORDER, Tables, index, ints, labels, moments
from mailframe.errors import ConfigurationError
from mailframe.stats import people, vectors

# What `mailframe.stats.profiles` tells of a group.
PROFILE = (
    "count(*)::bigint as messages, coalesce(sum(size), 0)::bigint as bytes,"
    " count(*) filter (seen) as read, min(best) as first, max(best) as last"
)
# The same of groups that were added up already.
PROFILES = (
    "sum(messages)::bigint as messages, sum(bytes)::bigint as bytes, sum(read)::bigint as read,"
    " min(first) as first, max(last) as last"
)
LARGEST_FIRST = "order by messages desc, value"


def profile(table: pa.Table, name: str) -> pd.DataFrame:
    """Make of `PROFILE` the table that `mailframe.stats.profiles.profile` makes."""
    messages = ints(table["messages"])
    return pd.DataFrame(
        {
            "messages": messages,
            "bytes": ints(table["bytes"]),
            "read": ints(table["read"]) / np.maximum(messages, 1),
            "first": moments(table["first"]),
            "last": moments(table["last"]),
        },
        index=index(table["value"], name),
    )


def top(tables: Tables, column: str, n: int) -> pd.Series[Any]:
    """Count messages by a column's values; see ``df.mail.top``."""
    table = tables.ask(
        f"with rows as ({tables.key(column)}) select value, count(*) as messages from rows"
        f" group by 1 {LARGEST_FIRST} limit {int(n)}"
    )
    return pd.Series(ints(table["messages"]), index=index(table["value"], column), name="messages")


def senders(tables: Tables) -> pd.DataFrame:
    """Tell of each sender; see ``df.mail.senders``."""
    key = tables.key("from_addr", "from_name", "size", "seen", "best")
    table = tables.ask(
        f"with rows as ({key}),"
        f" called as (select value, from_name, {PROFILE} from rows group by 1, 2),"
        " names as (select value, first(from_name order by messages desc, from_name) as name,"
        " count(*) as names from called where from_name is not null group by 1),"
        f" each as (select value, {PROFILES} from called group by 1)"
        f" select * from each left join names using (value) {LARGEST_FIRST}"
    )
    found = profile(table, "address")
    found.insert(0, "name", pd.Series(vectors.text(labels(table["name"])), found.index))
    found.insert(1, "names", ints(table["names"]))
    return found


def domains(tables: Tables, level: str) -> pd.DataFrame:
    """Tell of each sender's domain; see ``df.mail.domains``."""
    if level not in people.LEVELS:
        raise ConfigurationError(f"level={level!r}: 'domain' or 'organisation'")
    key = tables.key("from_domain", "lower(from_addr) as address", "size", "seen", "best")
    pairs = (
        f"with rows as ({key}), pairs as (select value, address, {PROFILE} from rows group by 1, 2)"
    )
    rest = f"count(distinct address) as senders, {PROFILES}"
    if level == "domain":
        table = tables.ask(f"{pairs} select value, {rest} from pairs group by 1 {LARGEST_FIRST}")
    else:
        held = tables.ask(f"with rows as ({key}) select distinct value from rows")
        whose = people.organisations(labels(held["value"]))
        with tables.given(whose=pa.table({"value": held["value"], "organisation": whose})):
            table = tables.ask(
                f"{pairs} select organisation as value, {rest} from pairs join whose using (value)"
                f" group by 1 {LARGEST_FIRST}"
            )
    found = profile(table, level)
    found.insert(1, "senders", ints(table["senders"]))
    return found


def lists(tables: Tables) -> pd.DataFrame:
    """Tell of each mailing list; see ``df.mail.lists``."""
    key = tables.key("list_id", "size", "seen", "best")
    table = tables.ask(
        f"with rows as ({key}) select value, {PROFILE}, max(best) filter (seen) as last_read"
        f" from rows group by 1 {LARGEST_FIRST}"
    )
    found = profile(table, "list_id")
    found["last_read"] = moments(table["last_read"])
    if "list_unsubscribe" in tables.kinds:
        found["unsubscribe"] = _ways_out(tables).reindex(found.index)
    return found


def _ways_out(tables: Tables) -> pd.Series[Any]:
    """Give the link that the newest message of each list names; the web before mail."""
    urls = tables.value("list_unsubscribe")
    if not tables.is_list("list_unsubscribe"):
        urls = f"[{urls}]"
    key = tables.key(
        "list_id",
        "best",
        ORDER,
        f"unnest({urls}) as url",
        f"generate_subscripts({urls}, 1) as place",
    )
    table = tables.ask(
        f"with rows as ({key}) select value, first(url order by best desc nulls last,"
        f" regexp_matches(url, '(?i)^https?:') desc, {ORDER}, place) as url from rows"
        " where regexp_matches(url, '(?i)^(https?|mailto):') group by 1"
    )
    return pd.Series(vectors.text(labels(table["url"])), index(table["value"], "list_id"))
