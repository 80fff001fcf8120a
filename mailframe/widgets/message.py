"""One message and its thread, as HTML in which nothing from the mail is anything but text."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd

from mailframe.search.values import human_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mailframe.search.filterable import Columns

INDENT = 14  # pixels for each answer to an answer
MOST_DEEP = 8  # steps to the right; there must be room for a name
MOST_IN_THREAD = 40  # lines; a longer thread says how many more there are


def root(message: pd.Series) -> str | None:
    """Message-ID that the thread of ``message`` hangs from, as far as the message itself tells."""
    for first in (*list(message["references"])[:1], message["in_reply_to"], message["message_id"]):
        if isinstance(first, str) and first:
            return first
    return None


def render(columns: Columns, row: int, thread: NDArray[np.int64]) -> str:
    """Show the message in row ``row`` with its headers and its thread, the rows ``thread``."""
    message = columns.df.iloc[row]
    fields = {
        "From": _address(message["from_name"], message["from_addr"]),
        "To": ", ".join(message["to"]),
        "Cc": ", ".join(message["cc"]),
        "Date": _moment(columns, row),
        "Folder": f"{message['folder']}, UID {message['uid']}",
        "Size": "" if message["size"] is pd.NA else human_size(int(message["size"])),
        "List": _text(message["list_id"]),
        "Flags": ", ".join(_flags(message)),
        "Message-ID": _text(message["message_id"]),
    }
    # Where it lies, as RFC 5092 section 3 writes it after the server's name.
    copied = {
        "Folder": f"/{quote(str(message['folder']))}/;UID={message['uid']}",
        "Message-ID": f"<{_text(message['message_id'])}>",
    }
    lines = "".join(
        f"<tr><th scope=row>{name}</th>"
        f"<td><bdi>{escape(value)}</bdi>{_copy(name, copied)}</td></tr>"
        for name, value in fields.items()
        if value
    )
    subject = escape(_text(message["subject"]) or "(no subject)")
    return (
        f'<div class="mf-message"><h3><bdi>{subject}</bdi></h3>'
        f"<table>{lines}</table>{_thread(columns, row, thread)}</div>"
    )


def _thread(columns: Columns, row: int, rows: NDArray[np.int64]) -> str:
    """Lay the thread out as a tree; each line opens its message."""
    if len(rows) < 2:  # noqa: PLR2004 -- a thread of one is no thread
        return ""
    thread = columns.df.iloc[rows[:MOST_IN_THREAD]]
    messages = list(thread.itertuples())
    names = [_text(each.from_name) or _text(each.from_addr) for each in messages]
    lines = "".join(
        f"<li{' aria-current=true' if rows[at] == row else ''}"
        f' style="margin-inline-start: {INDENT * min(depth, MOST_DEEP)}px">'
        f'<button type="button" data-open="{rows[at]}">'
        f"<time>{_moment(columns, int(rows[at]))}</time> "
        f"<b><bdi>{escape(names[at])}</bdi></b> "
        f"<bdi>{escape(_text(messages[at].subject))}</bdi></button></li>"
        for at, depth in _tree(thread)
    )
    more = len(rows) - MOST_IN_THREAD
    rest = f"<p>and {more:,} more</p>" if more > 0 else ""
    return f"<h4>Thread of {len(rows):,}</h4><ol>{lines}</ol>{rest}"


def _tree(thread: pd.DataFrame) -> list[tuple[int, int]]:
    """Put each answer below what it answers: positions in ``thread``, and how deep each stands."""
    at = {name: place for place, name in reversed(list(enumerate(thread["message_id"])))}
    below: dict[int | None, list[int]] = defaultdict(list)
    for place, parent in enumerate(thread["in_reply_to"]):
        above = at.get(parent) if isinstance(parent, str) else None
        below[above if above != place else None].append(place)
    found: dict[int, int] = {}
    # What answers itself in a circle hangs from nothing: it comes last.
    waiting = [(place, 0) for place in [*reversed(range(len(thread))), *reversed(below[None])]]
    while waiting:
        place, depth = waiting.pop()
        if place not in found:
            found[place] = depth
            waiting += [(child, depth + 1) for child in reversed(below[place])]
    return list(found.items())


def _copy(name: str, copied: dict[str, str]) -> str:
    if name not in copied:
        return ""
    return (
        f' <button type="button" class="mf-copy" data-copy="{escape(copied[name])}" '
        f'aria-label="Copy {name}">Copy</button>'
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _address(name: object, address: object) -> str:
    name, address = _text(name), _text(address)
    return f"{name} <{address}>" if name and address else name or address


def _moment(columns: Columns, row: int) -> str:
    instant = pd.Timestamp(columns.instants()[row], unit="us", tz="UTC")
    return "" if pd.isna(instant) else f"{instant.tz_convert(columns.zone):%Y-%m-%d %H:%M %Z}"


def _flags(message: pd.Series) -> list[str]:
    names = ("seen", "answered", "flagged", "draft", "deleted")
    return [name for name in names if message[name]] + list(message["keywords"])
