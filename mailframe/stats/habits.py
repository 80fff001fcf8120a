"""When people write: outside of working hours and at weekends; and how this period compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import asks, columns, dates, mails, me, volume

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.stats.office import Office

    Floats = NDArray[np.float64]

SIDES = ["mine", "theirs"]
MAD = 1.4826  # makes a median deviation a standard one, where values are normal


def after_hours(df: pd.DataFrame, by: str, *, me_: me.Given, office: Office) -> pd.DataFrame:
    """Tell how much is written outside of working hours; see ``df.mail.after_hours``."""
    own = me.own(df, me_)
    return own.tell(outside(df, by, own=own, office=office))


def outside(df: pd.DataFrame, by: str, *, own: me.Own, office: Office) -> pd.DataFrame:
    """Tell the shares, where it is known whose mail is mine."""
    when = dates.micros(df)
    counts = np.zeros(len(df), dtype=bool)
    counts[mails.mails(df).first] = True
    counts &= (when != columns.NEVER) & np.where(own.mine, own.sent, ~asks.kind(df, "draft"))
    if by == "side":
        group = np.where(own.mine, 0, 1)
        index: pd.Index[str] = pd.Index(SIDES, name="side")
    elif by == "person":
        who = columns.coded(df, "from_addr", fold=True)
        group, index = who.dense(len(df)), who.index("person")
        counts &= group >= 0
    else:
        raise ConfigurationError(f"by={by!r}: 'side' or 'person'")
    rows = np.flatnonzero(counts)
    group, total = group[rows], len(index)
    free = ~office.works_on(when[rows])
    late = ~free & ~office.is_open(when[rows])
    n = np.bincount(group, minlength=total)
    table = pd.DataFrame({"messages": n}, index)
    for name, which in (("after_hours", late), ("days_off", free)):
        hits = np.bincount(group[which], minlength=total)
        table[name] = np.where(n > 0, hits / np.maximum(n, 1), np.nan)
    if by == "person":
        table = columns.ranked(table[n > 0])
    return table


def trend(df: pd.DataFrame, freq: str, *, tz: str | tzinfo | None, date: str) -> pd.DataFrame:
    """Compare each period with the one before; see ``df.mail.trend``."""
    counts = volume.volume(df, freq, by=None, top=0, cumulative=False, tz=tz, date=date)
    now = counts.to_numpy(dtype=np.float64)
    before = np.concatenate([[np.nan], now[:-1]])[: len(now)]
    change = np.full(len(now), np.nan)
    np.divide(now - before, before, out=change, where=before > 0)
    table = pd.DataFrame({"messages": counts.to_numpy()}, index=counts.index)
    table["before"] = pd.array(before, dtype="Int64")
    table["change"] = change
    ends = counts.attrs["partial"]
    table["partial"] = np.array([str(start) in ends for start in counts.index], dtype=bool)
    whole = table.loc[~table["partial"], "messages"].to_numpy(dtype=np.float64)
    table["z"] = robust_z(now, whole)
    return table


def robust_z(values: Floats, of: Floats) -> Floats:
    """Tell how many robust deviations values are from the median: (x - median) / (1.4826 MAD).

    NaN where more than half are equal, since then there is no spread to measure by (Iglewicz and
    Hoaglin, 1993).
    """
    if not len(of):
        return np.full(len(values), np.nan)
    middle = float(np.median(of))
    spread = MAD * float(np.median(np.abs(of - middle)))
    return (values - middle) / spread if spread else np.full(len(values), np.nan)
