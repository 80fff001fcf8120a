"""What every table by sender, domain, list or side tells of a group of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.stats import dates, vectors

if TYPE_CHECKING:
    from mailframe.stats.vectors import Coded


def profile(df: pd.DataFrame, column: Coded, name: str | None = None) -> pd.DataFrame:
    r"""Tell of each value of a column what every table of this package tells.

    Returns
    -------
    pandas.DataFrame
        Indexed by the value; largest first, ties in the order of the values. Of the columns below
        those that the frame has data for:

        - ``messages`` int64, ``bytes`` int64 (sum of RFC822.SIZE),
        - ``read`` float64, the share of messages flagged ``\Seen``, 0 to 1,
        - ``first``, ``last`` datetime64[us, UTC], of the earliest and latest message.
    """
    column = column.once()
    total, counts = len(column.labels), column.count
    table = pd.DataFrame({"messages": counts}, index=column.index(name))
    if "size" in df.columns:
        weights = vectors.sizes(df)[column.rows].astype(np.float64)
        table["bytes"] = np.bincount(column.codes, weights, total).astype(np.int64)
    if "seen" in df.columns:
        read = np.bincount(column.codes[vectors.flags(df, "seen")[column.rows]], minlength=total)
        table["read"] = read / np.maximum(counts, 1)
    if dates.has(df):
        when = dates.micros(df)[column.rows]
        known = when != vectors.NEVER
        groups, when = column.codes[known], when[known]
        last = vectors.latest(groups, when, total)
        first = np.where(last == vectors.NEVER, last, vectors.earliest(groups, when, total))
        table["first"], table["last"] = vectors.stamps(first), vectors.stamps(last)
    return vectors.ranked(table[counts > 0])
