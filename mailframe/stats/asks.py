"""What asks me for an answer: one notion for what is unanswered, owed, and answered how fast.

A mail asks when it names me in To and is none of these: from me; a draft (by its flag or its
folder), deleted, or in Junk or Trash with every copy; sent to many (column ``bulk``: List-Id,
List-Unsubscribe, Precedence); sent by a program (column ``auto``: Auto-Submitted, RFC 3834,
X-Autoreply, MAILER-DAEMON, no-reply senders). A frame of fewer columns is judged by those it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.headers.automatic import UNREAD_SENDER
from mailframe.stats import places, vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from mailframe.stats.mails import Mails
    from mailframe.stats.me import Own
    from mailframe.stats.vectors import Bools

# In the order in which a mail that is several of these is counted.
EXCLUDED = ("draft", "deleted", "junk", "trash", "bulk", "auto")
# Of a copy, not of a mail: another copy may still ask.
OF_A_COPY = ("draft", "deleted", "junk", "trash")
# Where there are folders of their own for it; a file of mail tells of a draft by nothing else.
PLACES = {"draft": places.DRAFTS, "junk": places.JUNK, "trash": places.TRASH}


class Asked(NamedTuple):
    """Which rows ask me, and how many mails were left out for what they are."""

    asks: Bools
    left_out: dict[str, int]


def asked(
    df: pd.DataFrame, own: Own, mails: Mails, exclude: Iterable[str], known: Mapping[str, Bools]
) -> Asked:
    """Find the mails that ask me; every copy of one is marked.

    Parameters
    ----------
    known : mapping of str to bool array
        The rows of kinds that somebody looked for already.

    Raises
    ------
    ConfigurationError
        ``exclude`` names something else than `EXCLUDED` does.
    """
    vectors.require(df, "to")
    names = _checked(exclude)
    kinds = {name: known[name] if name in known else kind(df, name) for name in names}
    to = vectors.coded(df, "to", fold=True)
    me = np.zeros(len(df), dtype=bool)
    me[to.rows[own.has(to.labels)[to.codes]]] = True
    candidate = mails.any(me) & ~mails.any(own.mine)

    nothing = np.zeros(len(df), dtype=bool)
    gone = nothing.copy()
    for name in names:
        gone |= kinds[name] if name in OF_A_COPY else nothing
    without = mails.every(gone) if len(df) else candidate
    left, counts = candidate.copy(), {}
    for name in names:
        here = mails.any(kinds[name]) & (without if name in OF_A_COPY else True)
        counts[name] = int((left & here).sum())
        left &= ~here
    return Asked(left[mails.of], counts)


def _checked(exclude: Iterable[str]) -> list[str]:
    named = {exclude} if isinstance(exclude, str) else set(exclude)
    unknown = named - set(EXCLUDED)
    if unknown:
        raise ConfigurationError(
            f"exclude={min(unknown)!r}: what can be left out is {', '.join(EXCLUDED)}"
        )
    return [name for name in EXCLUDED if name in named]


def kind(df: pd.DataFrame, name: str) -> Bools:
    """Mark the rows that are of a kind in `EXCLUDED`, as far as the frame tells."""
    marked = np.zeros(len(df), dtype=bool)
    if name in PLACES:
        marked |= places.filed(df, PLACES[name])[0]
    if name in df.columns:
        marked |= vectors.flags(df, name)
    if name == "bulk":
        for column in {"list_id", "list_unsubscribe"} & set(df.columns):
            marked[vectors.flat(df, column)[0]] = True
    if name == "auto" and "from_addr" in df.columns:
        sender = vectors.coded(df, "from_addr")
        unread = vectors.numpy(pc.match_substring_regex(sender.labels, UNREAD_SENDER))
        marked[sender.rows[unread[sender.codes]]] = True
    return marked
