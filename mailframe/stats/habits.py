"""When people write: outside of working hours and at weekends; and how this period compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import asks, dates, mails, me, vectors, volume

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.stats.office import Office

    Floats = NDArray[np.float64]

SIDES = ["mine", "theirs"]
KINDS = ["personal", "list", "machine"]
UNUSUAL = 3.5  # robust deviations (Iglewicz and Hoaglin, 1993)
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
    counts &= (when != vectors.NEVER) & np.where(own.mine, own.sent, ~asks.kind(df, "draft"))
    if by == "side":
        group = np.where(own.mine, 0, 1)
        index: pd.Index[str] = pd.Index(SIDES, name="side")
    elif by == "person":
        who = vectors.coded(df, "from_addr", fold=True)
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
        table = vectors.ranked(table[n > 0])
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
    odd = ~table["partial"].to_numpy() & (np.abs(table["z"].to_numpy()) > UNUSUAL)
    high = table["z"].to_numpy() > 0
    table["unusual"] = pd.Categorical.from_codes(
        np.where(odd, np.where(high, 0, 1), -1), pd.Index(["burst", "lull"])
    )
    return table


def kinds(
    df: pd.DataFrame, freq: str | None, *, me_: me.Given, tz: str | tzinfo | None, date: str
) -> pd.DataFrame:
    """Count personal mail, that of lists and that of machines; see ``df.mail.kinds``."""
    own = me.own(df, me_, must_send=False)
    found = mails.mails(df)
    machine = found.any(asks.kind(df, "auto"))
    many = found.any(asks.kind(df, "bulk")) & ~machine
    kind = np.where(machine, 2, np.where(many, 1, 0))
    received = ~found.any(own.mine) & ~found.every(asks.kind(df, "draft"))
    if freq is not None:
        rows, bins, index = volume.binned(df, freq, tz, date)
        first = np.zeros(len(df), dtype=bool)
        first[found.first] = received
        counts = first[rows]
        of = kind[found.of[rows[counts]]]
        cells = np.bincount(bins[counts] * len(KINDS) + of, minlength=len(index) * len(KINDS))
        names = pd.Index(KINDS, name="kind")
        return own.tell(pd.DataFrame(cells.reshape(len(index), len(KINDS)), index, names))
    counted = np.bincount(kind[received], minlength=len(KINDS))
    table = pd.DataFrame({"messages": counted}, index=pd.Index(KINDS, name="kind"))
    table["share"] = counted / max(int(counted.sum()), 1)
    if "seen" in df.columns:
        seen = found.any(vectors.flags(df, "seen"))
        read = np.bincount(kind[received & seen], minlength=len(KINDS))
        table["read"] = np.where(counted > 0, read / np.maximum(counted, 1), np.nan)
    return own.tell(table)


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
