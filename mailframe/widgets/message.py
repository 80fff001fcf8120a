"""One message and its thread, as HTML in which nothing from the mail is anything but text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.search.keys import in_thread
from mailframe.search.values import human_size

if TYPE_CHECKING:
    from mailframe.search.filterable import Columns

MOST_IN_THREAD = 40  # lines; a longer thread says how many more there are


def root(message: pd.Series) -> str | None:
    """Message-ID that the thread of ``message`` hangs from, as far as the message itself tells."""
    for first in (*list(message["references"])[:1], message["in_reply_to"], message["message_id"]):
        if isinstance(first, str) and first:
            return first
    return None


def render(columns: Columns, row: int) -> str:
    """Show the message in row ``row`` with its headers and its thread."""
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
    lines = "".join(
        f"<tr><th scope=row>{name}</th><td><bdi>{escape(value)}</bdi></td></tr>"
        for name, value in fields.items()
        if value
    )
    subject = escape(_text(message["subject"]) or "(no subject)")
    return (
        f'<div class="mf-message"><h3><bdi>{subject}</bdi></h3>'
        f"<table>{lines}</table>{_thread(columns, row, message)}</div>"
    )


def _thread(columns: Columns, row: int, message: pd.Series) -> str:
    start = root(message)
    if start is None:
        return ""
    rows = np.flatnonzero(in_thread(start).mask(columns))
    rows = rows[np.argsort(columns.instants()[rows], kind="stable")]
    if len(rows) < 2:  # noqa: PLR2004 -- a thread of one is no thread
        return ""
    thread = columns.df.iloc[rows[:MOST_IN_THREAD]]
    lines = "".join(
        f"<li{' aria-current=true' if number == row else ''}>"
        f"<time>{_moment(columns, number)}</time> "
        f"<b><bdi>{escape(_text(each.from_name) or _text(each.from_addr))}</bdi></b> "
        f"<bdi>{escape(_text(each.subject))}</bdi></li>"
        for number, each in zip(rows.tolist(), thread.itertuples(), strict=False)
    )
    more = len(rows) - MOST_IN_THREAD
    rest = f"<p>and {more:,} more</p>" if more > 0 else ""
    return f"<h4>Thread of {len(rows):,}</h4><ol>{lines}</ol>{rest}"


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
