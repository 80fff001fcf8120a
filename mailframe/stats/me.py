"""Which addresses are the user's own: told, or guessed and said so.

Guessed in this order, the first that gives any: who the mail in Sent folders, or labelled so, is
from; the login, where it is an address that occurs in the mail; the address that most personal mail
(without List-Id) is to. What was used stands in ``result.attrs["me"]`` of every statistic that asks
who the user is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError, warn
from mailframe.stats import columns

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.stats.columns import Bools


Given = str | Iterable[str] | None

# The last part of a folder's name where servers and clients keep sent mail: RFC 6154 knows
# \Sent, but a frame knows names only. Lower case.
# fmt: off
SENT_NAMES = frozenset((
    "sent", "sent items", "sent mail", "sent messages", "sent-mail", "sentmail", "outbox",
    "gesendet", "gesendete elemente", "gesendete objekte", "envoyés", "éléments envoyés",
    "messages envoyés", "enviados", "elementos enviados", "inviati", "posta inviata",
    "inviata", "verzonden", "verzonden items", "skickat", "sendt", "sendte elementer",
    "wysłane", "отправленные", "送信済み", "送信済みメール", "已发送",
))
# fmt: on
LABELS = "x_gmail_labels"  # of a Takeout, where all mail lies in one file
# An address must have sent this share of the mail in Sent folders to count as the user's own:
# a few messages of others get filed there by hand.
LEAST_SHARE = 0.05


@dataclass(frozen=True)
class Own:
    """The user's own addresses and the messages they sent."""

    addresses: pa.Array  # lower case
    source: str  # how they are known, in words
    sent: Bools  # of each row: is it from one of them?

    def tell(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say in a result's ``attrs`` whose mail it took for the user's own."""
        table.attrs["me"] = {"addresses": self.addresses.to_pylist(), "source": self.source}
        return table

    def has(self, labels: pa.Array) -> Bools:
        """Tell of each label whether it is one of the addresses."""
        return columns.numpy(pc.is_in(labels, self.addresses))


def own(df: pd.DataFrame, me: Given = None) -> Own:
    """Find the user's own addresses.

    Warns
    -----
    MailframeWarning
        When mail is there and nothing tells which addresses are the user's.
    """
    columns.require(df, "from_addr")
    senders = columns.coded(df, "from_addr", fold=True)
    addresses, source = _given(me) if me is not None else _guess(df, senders)
    if not addresses and len(df):
        warn("cannot tell which addresses are yours from this frame: pass me=['you@example.org']")
    known = Own(pa.array(addresses, pa.large_string()), source, np.zeros(len(df), dtype=bool))
    known.sent[senders.rows] = known.has(senders.labels)[senders.codes]
    return known


def _given(me: str | Iterable[str]) -> tuple[list[str], str]:
    names = [me] if isinstance(me, str) else list(me)
    wrong = [name for name in names if not isinstance(name, str) or "@" not in name]
    if wrong:
        raise ConfigurationError(f"me= takes addresses such as 'ann@example.org', not {wrong[0]!r}")
    return [name.strip().lower() for name in names], "given"


def _guess(df: pd.DataFrame, senders: columns.Coded) -> tuple[list[str], str]:
    filed, places = _filed_as_sent(df)
    counts = senders.where(filed[senders.rows]).count
    often = np.flatnonzero(counts >= max(1, LEAST_SHARE * counts.sum()))
    often = often[np.argsort(-counts[often], kind="stable")]
    if len(often):
        return senders.labels.take(often).to_pylist(), "guessed from " + ", ".join(places)
    return _guess_from_recipients(df, senders)


def _filed_as_sent(df: pd.DataFrame) -> tuple[Bools, list[str]]:
    """Mark what lies in a Sent folder or bears such a label, and name these."""
    filed, places = np.zeros(len(df), dtype=bool), []
    for name in {"folder", LABELS} & set(df.columns):
        place = columns.coded(df, name)
        last = pc.replace_substring_regex(pc.utf8_lower(place.labels), r"^.*[/.]", "")
        known = columns.numpy(pc.is_in(last, pa.array(sorted(SENT_NAMES), pa.large_string())))
        place = place.where(known[place.codes])
        filed[place.rows] = True
        places += place.labels.take(columns.unique(place.codes)).to_pylist()
    return filed, sorted(set(places))


def _guess_from_recipients(df: pd.DataFrame, senders: columns.Coded) -> tuple[list[str], str]:
    if "to" not in df.columns:
        return [], "unknown"
    personal = np.ones(len(df), dtype=bool)
    if "list_id" in df.columns:
        personal = df["list_id"].isna().to_numpy(dtype=bool)
    to = columns.coded(df, "to", fold=True).once()
    if "account" in df.columns:
        logins = {str(name).lower() for name in df["account"].dropna().unique() if "@" in str(name)}
        occurring = pa.chunked_array([to.labels, senders.labels])
        found = [name for name in sorted(logins) if pc.any(pc.equal(occurring, name)).as_py()]
        if found:
            return found, "guessed from the login"
    counts = to.where(personal[to.rows]).count
    if len(counts) and counts.max() * 2 > personal.sum():
        best = to.labels[int(counts.argmax())].as_py()
        return [best], "guessed: most personal mail is to it"
    return [], "unknown"
