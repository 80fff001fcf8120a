"""The dashboard: a mailbox at a glance, every chart linked to every other in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as ipw
import numpy as np

from mailframe.charts import cube
from mailframe.search.filterable import MICROSECONDS_A_DAY, NO_INSTANT, Columns
from mailframe.search.values import human_size
from mailframe.stats import asks, dates, replies
from mailframe.store.reader import Store
from mailframe.widgets import parts
from mailframe.widgets.contents import COPIES, NOTHING, Contents, period
from mailframe.widgets.large import WHOLE, of_store
from mailframe.widgets.stage import Application
from mailframe.widgets.standing import standing

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from mailframe.stats.me import Given


def contents(
    mail: pd.DataFrame | Store,
    title: str | None = None,
    tz: str | dt.tzinfo | None = None,
    me: Given = None,
) -> Contents:
    """Work out what a dashboard or a report on a frame, or on a store, shows.

    Raises
    ------
    ConfigurationError
        If it lacks columns of mail, or there is no zone ``tz``.
    """
    if isinstance(mail, Store):
        if len(mail) > WHOLE:
            return of_store(mail, title, tz)
        mail = mail.frame(errors="warn")
    df = mail
    columns = Columns(df, tz)
    found = cube.sides(columns)
    counted = cube.build(found)
    counted["total"] = len(df)
    figures = [side.figure.told(counted["rows"][side.figure.name]) for side in found]
    letters = replies.Correspondence(df, me, must_send=None, trees=columns.trees())
    stand = standing(columns, letters, tz)
    counted["standing"] = {one.figure.name: one.rows for one in stand}
    figures += [one.figure for one in stand]
    told = period(columns.wall())
    if len(columns) > len(columns.trees().mails.first):
        told += COPIES
    return Contents(title or _title(df), told, _numbers(columns, letters), figures, counted)


class Dashboard(Application):
    """Linked charts of a mailbox.

    Parameters
    ----------
    df : DataFrame or Store
        Mail, from any of the readers. It is not kept: the charts hold counts only.
    title : str, optional
        What stands above; the account otherwise.
    tz : str or tzinfo, optional
        The zone of days, weekdays and hours; the reader's own by default.
    me : str or iterable of str, optional
        Your addresses, for the time that your replies take; guessed by default.
    """

    def __init__(
        self,
        df: pd.DataFrame | Store,
        title: str | None = None,
        tz: str | dt.tzinfo | None = None,
        me: Given = None,
    ) -> None:
        shown = contents(df, title, tz, me)
        heading = ipw.HTML(shown.heading()).add_class("mf-head")
        super().__init__([parts.Page(), heading, parts.Charts(shown.figures, shown.cube)])
        self.add_class("mailframe").add_class("mf-dashboard")
        self._told = f"{shown.title}, {len(df):,} messages"

    def __repr__(self) -> str:
        """Say in a line what a notebook would show."""
        return f"<Dashboard: {self._told}; shown by a notebook>"


def dashboard(
    df: pd.DataFrame | Store,
    title: str | None = None,
    *,
    tz: str | dt.tzinfo | None = None,
    me: Given = None,
) -> Dashboard:
    """Show linked charts of a mailbox: choose in one, and the others follow.

    Parameters
    ----------
    df : DataFrame or Store
        Mail, from any of the readers; or what `open_store` gave, as for `report`.
    title : str, optional
        What stands above; the account otherwise.
    tz : str or tzinfo, optional
        The zone of days, weekdays and hours; the reader's own by default.
    me : str or iterable of str, optional
        Your addresses, for the time that your replies take; guessed by default.

    Returns
    -------
    Dashboard
        A widget that goes on working without a kernel.

    Raises
    ------
    ConfigurationError
        If ``df`` lacks columns of mail, or there is no zone ``tz``.
    """
    return Dashboard(df, title, tz, me)


def _title(df: pd.DataFrame) -> str:
    accounts = list(df["account"].dropna().unique()) if "account" in df.columns else []
    return f"Mail of {accounts[0]}" if len(accounts) == 1 else "Mail"


def _numbers(columns: Columns, mail: replies.Correspondence) -> list[tuple[str, str]]:
    mails, rows = len(columns.trees().mails.first), len(columns)
    noun = "messages" if mails != 1 else "message"
    copies = f" ({rows:,} with copies)" if rows > mails else ""
    instants = columns.instants()[columns.instants() != NO_INSTANT]
    days = int(np.ptp(instants)) // MICROSECONDS_A_DAY + 1 if len(instants) else 1
    unread = int(np.count_nonzero(~columns.flag("seen")))
    sizes = columns.numbers("size")
    numbers = [
        (f"{mails:,}", noun + copies),
        (f"{len(instants) / days:,.1f}" if len(instants) else NOTHING, "a day on average"),
        (f"{unread:,}", "unread"),
        (f"{len(columns.coded('from_addr').words):,}", "senders"),
        (human_size(int(sizes[sizes > 0].sum())) if rows else NOTHING, "in all"),
        _median_reply(mail),
    ]
    odd, _, what = dates.told(columns.df).partition(" ")
    return [*numbers, (odd, what)] if odd else numbers


def _median_reply(mail: replies.Correspondence) -> tuple[str, str]:
    """Tell how fast the user answers what asks for it, as ``df.mail.response_summary`` has it."""
    if not len(mail.df):
        return NOTHING, "median time of your replies"
    hours = replies.hours_of_mine(mail, mail.asked(asks.EXCLUDED))
    noun = "reply" if len(hours) == 1 else "replies"
    if not len(hours):
        return NOTHING, "median time of your replies"
    return _duration(float(np.median(hours)) * 3_600), f"median time of your {len(hours):,} {noun}"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length * 1.5:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds:.0f} s"
