"""One screen about a mailbox: what ``mailframe stats`` prints and a notebook shows.

Names and subjects are what strangers wrote. Before they reach a terminal everything that is not
to be seen (escape sequences, text direction marks) is replaced; in HTML everything is escaped.
"""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.stats import (
    asks,
    clock,
    clutter,
    dates,
    mails,
    me,
    people,
    replies,
    threads,
    vectors,
    volume,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo
    from typing import Any

    from mailframe.stats.vectors import Ints

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"
LABEL = 30  # columns of the terminal that a row's name may take
BAR = 24
ROWS = 5  # of each ranking
FEW = 3  # of the user's addresses
MINUTES_UNTIL, HOURS_UNTIL = 1.5, 48  # hours, from which on a larger unit reads better
YEARS = 12  # as many bars as fit on the screen


@dataclass(frozen=True)
class Section:
    """A titled ranking: name, value shown, and the value that the bar is as long as."""

    title: str
    rows: Sequence[tuple[str, str, float]]


@dataclass(frozen=True)
class Description:
    """A summary that prints as text and shows as HTML in a notebook."""

    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]

    def __str__(self) -> str:
        lines = [f"{name:<12} {plain(value)}" for name, value in self.facts]
        for section in self.sections:
            lines += ["", section.title]
            most = max((length for _, _, length in section.rows), default=0)
            wide = max((len(value) for _, value, _ in section.rows), default=0)
            for name, value, length in section.rows:
                lines.append(f"  {fit(name, LABEL)} {value:>{wide}} {bar(length, most)}".rstrip())
        return "\n".join(lines)

    __repr__ = __str__

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the facts and each ranking as tables, such as ``mf.to_excel`` takes."""
        facts = pd.DataFrame(self.facts, columns=["fact", "value"], dtype="str")
        sheets = {"summary": facts}
        for section in self.sections:
            sheets[section.title] = pd.DataFrame(section.rows, columns=["name", "shown", "value"])
        return sheets

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<tr><th style='text-align:left'>{_escape(name)}</th>"
            f"<td style='text-align:left'>{_escape(value)}</td></tr>"
            for name, value in self.facts
        )
        parts = [f"<table>{facts}</table>"]
        for section in self.sections:
            most = max((length for _, _, length in section.rows), default=0) or 1
            rows = "".join(
                f"<tr><td style='text-align:left'>{_escape(name)}</td><td>{_escape(value)}</td>"
                f"<td style='text-align:left'><meter max='1' value='{length / most:.3f}'>"
                "</meter></td></tr>"
                for name, value, length in section.rows
            )
            parts.append(f"<h4>{_escape(section.title)}</h4><table>{rows}</table>")
        return "".join(parts)


def _escape(text: str) -> str:
    return html.escape(plain(text))


def plain(text: str) -> str:
    """Replace what a terminal would act on or not show: controls, marks, surrogates, unassigned."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in text
    )


def fit(text: str, width: int) -> str:
    """Cut or fill text to a width in columns of a terminal, where some characters take two."""
    out: list[str] = []
    text, used = plain(text), 0
    for place, char in enumerate(text):
        room = width if place == len(text) - 1 else width - 1  # more to come needs an ellipsis
        if used + _columns(char) > room:
            return "".join(out) + "…" + " " * (width - used - 1)
        out.append(char)
        used += _columns(char)
    return "".join(out) + " " * (width - used)


def _columns(char: str) -> int:
    """Tell how many columns of the terminal a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def bar(length: float, most: float, width: int = BAR) -> str:
    """Draw a bar, exact to an eighth of a character."""
    eighths = round(length / most * width * 8) if most > 0 else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + EIGHTHS[rest].strip()


def spark(counts: Sequence[int]) -> str:
    """Draw counts as a line of small columns; nothing is a blank, so that a quiet hour shows."""
    most = max(counts, default=0) or 1
    return "".join(LEVELS[-(-count * 8 // most) - 1] if count else " " for count in counts)


def octets(count: float) -> str:
    """Write an amount of bytes for a person, in powers of 1000 (IEC 80000-13)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 -- the base of these units
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def hours(value: float) -> str:
    """Write a span given in hours for a person."""
    if value < MINUTES_UNTIL:
        return f"{value * 60:.0f} min"
    return f"{value:.1f} h" if value < HOURS_UNTIL else f"{value / 24:.1f} days"


def describe(df: pd.DataFrame, *, me_: me.Given, tz: str | tzinfo | None) -> Description:
    """Sum up a mailbox; see ``df.mail.describe``."""
    vectors.require(df, "from_addr", "message_id", "in_reply_to", "references", "subject")
    if not len(df):
        return Description([("messages", "none")], [])
    return Description(_facts(df, me_, tz), _sections(df, tz))


def _facts(df: pd.DataFrame, me_: me.Given, tz: str | tzinfo | None) -> list[tuple[str, str]]:
    mail = replies.Correspondence(df, me_, must_send=False)
    own, trees = mail.own, mail.trees
    facts = [("messages", _messages(df, own, trees.mails))]
    when = dates.wall(df, tz)
    when = when[when != vectors.NEVER]
    if len(when):
        facts.append(("dates", period(when)))
    if "size" in df.columns:
        facts.append(("size", octets(int(vectors.sizes(df).sum()))))
    facts.append(("you", _owner(own)))
    odd = dates.told(df)
    if odd:
        facts.append(("odd dates", odd))
    lengths = threads.threaded(df, trees).lengths
    longest = f"{lengths.max():,} message{'s' if lengths.max() != 1 else ''}"
    facts.append(("threads", f"{len(lengths):,}, the longest of {longest}"))
    facts += _answers(mail)
    return facts + rhythm(volume.matrix(df, tz=tz, date=dates.BEST), tz)


def period(when: Ints) -> str:
    """Say from which day to which clocks on the wall went."""
    first, last = vectors.stamps(np.array([when.min(), when.max()]))
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def rhythm(grid: pd.DataFrame, tz: str | tzinfo | None) -> list[tuple[str, str]]:
    """Draw the counts of each hour of the week, by hour and by weekday."""
    return [
        ("by hour", f"{spark(grid.sum().tolist())}  0 to 23 h, {clock.name(tz)}"),
        ("by weekday", f"{spark(grid.sum(axis=1).tolist())}  Mon to Sun"),
    ]


def _owner(own: me.Own) -> str:
    addresses = own.addresses.to_pylist()
    if not addresses:
        return "unknown"
    more = f" and {len(addresses) - FEW} more" if len(addresses) > FEW else ""
    lacking = "" if own.mine.any() else ", and nothing here is from you"
    return f"{', '.join(addresses[:FEW])}{more} ({own.source}{lacking})"


def _messages(df: pd.DataFrame, own: me.Own, found: mails.Mails) -> str:
    text = mails.told(found)
    if "folder" in df.columns:
        text += in_folders(df["folder"].nunique())
    if "seen" in df.columns:
        text += f", {int((~vectors.flags(df, 'seen')).sum()):,} unread"
    return f"{text}, {int(found.any(own.sent).sum()):,} sent by you"


def in_folders(count: int) -> str:
    """Say in how many folders."""
    return f" in {count:,} folder{'s' if count != 1 else ''}"


def _answers(mail: replies.Correspondence) -> list[tuple[str, str]]:
    """Tell how fast the user answers what asks for it, and how much of that waits."""
    if "to" not in mail.df.columns:
        return []
    asked = mail.asked(asks.EXCLUDED)
    facts = []
    taken = replies.hours_of_mine(mail, asked)
    if len(taken):
        middle, slow = np.quantile(taken, [0.5, 0.9])
        noun = "reply" if len(taken) == 1 else "replies"
        text = f"half within {hours(middle)}, nine of ten within {hours(slow)}"
        facts.append(("you answer", f"{text} ({len(taken):,} {noun})"))
    waiting = len(replies.unanswered(mail, asked))
    if waiting:
        out = sum(asked.left_out.values())
        text = f"{waiting:,} to you ({out:,} bulk, automatic or put away left out)"
        facts.append(("unanswered", text))
    return facts


def _sections(df: pd.DataFrame, tz: str | tzinfo | None) -> list[Section]:
    counts: Any = volume.volume(df, "Y", by=None, top=0, cumulative=False, tz=tz, date=dates.BEST)
    sizes = clutter.sizes(df, "folder", None) if {"folder", "size"} <= set(df.columns) else None
    lists = people.top(df, "list_id", ROWS) if "list_id" in df.columns else None
    return sections(counts, sizes, people.top(df, "from_addr", ROWS), lists)


def sections(
    years: pd.Series[Any],
    sizes: pd.DataFrame | None,
    senders: pd.Series[Any],
    lists: pd.Series[Any] | None,
) -> list[Section]:
    """Make rankings of messages by year, sizes by folder, and messages by sender and list."""
    found = [_years(years)]
    if sizes is not None:
        rows = [(str(n), octets(b), float(b)) for n, b in sizes["bytes"].head(ROWS).items()]
        found.append(Section("Largest folders", rows))
    found.append(_ranking("People who write most", senders))
    if lists is not None:
        found.append(_ranking("Busiest lists", lists))
    return [section for section in found if section.rows]


def _years(counts: Any) -> Section:  # noqa: ANN401 -- a Series by instants
    """Show the busiest years, in their order: a few absurd dates must not push them out."""
    busiest = counts[counts > 0].nlargest(YEARS).sort_index()
    return Section("Messages by year", [(str(y.year), f"{n:,}", n) for y, n in busiest.items()])


def _ranking(title: str, counts: pd.Series[Any]) -> Section:
    return Section(title, [(str(name), f"{n:,}", float(n)) for name, n in counts.items()])
