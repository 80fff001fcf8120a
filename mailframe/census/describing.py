"""One screen about a store; see ``df.mail.describe``.

Who is the user and who answers whom is told by a frame. So a store of moderate size is described by
its frame, and of a larger one everything is told but that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailframe.census import clutter, people, periods
from mailframe.stats import dates, describe, mails, volume

if TYPE_CHECKING:
    from mailframe.census.periods import Zone
    from mailframe.census.tables import Tables

# Messages of which a frame takes a second and some 100 MB.
WHOLE = 200_000
OF_ONE = "told of one account at a time: store.mail.per_account('threads'), 'response_summary'"


def described(tables: Tables, tz: Zone) -> describe.Description:
    """Sum up a store of any size."""
    table = tables.ask(
        "select count(*) as rows, count(distinct folder) as folders, sum(size)::bigint as octets,"
        " count(*) filter (not seen) as unread, count(distinct account) as accounts,"
        " count(*) filter (date is not null and best is distinct from date) as odd,"
        " count(*) filter (date is not null and best is null) as lost from {source}"
    )
    counts = table.to_pylist()[0]
    found = periods.counted(tables, tz, dates.BEST)
    mail, _ = clutter.copies(tables)
    text = mails.counted(mail, counts["rows"]) + describe.in_folders(counts["folders"])
    facts = [
        ("messages", f"{text}, {counts['unread']:,} unread"),
        ("accounts", f"{counts['accounts']:,}"),
    ]
    local = periods.wall(found, tz)
    if len(local):
        facts.append(("dates", describe.period(local)))
    facts.append(("size", describe.octets(counts["octets"] or 0)))
    used = [dates.ARRIVAL] * (counts["odd"] > counts["lost"]) + [dates.NONE] * (counts["lost"] > 0)
    if odd := dates.counted(counts["odd"], used):
        facts.append(("odd dates", odd))
    facts.append(("threads", OF_ONE))
    facts += describe.rhythm(volume.week(local, found.messages), tz)
    _, bins, starts = periods.binned(tables, found, "Y", tz, dates.BEST)
    years = volume.counts(bins, starts, found.messages)
    sections = describe.sections(
        years,
        clutter.sizes(tables, "folder", None),
        people.top(tables, "from_addr", describe.ROWS),
        people.top(tables, "list_id", describe.ROWS),
    )
    return describe.Description(facts, sections)
