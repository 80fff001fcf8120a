"""Which addresses are the user's own: told, or guessed and said so.

Guessed account by account, in this order, the first that gives any: who the mail in Sent folders,
or labelled so, is from; the login, where it is an address that occurs in the mail; the address that
most personal mail (neither bulk nor automatic) is to. What was used stands in
``result.attrs["me"]`` of every statistic that asks who the user is.

Addresses are compared without case and without a detail (``me+shop@``, RFC 5233).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError, warn
from mailframe.headers import addresses as mailbox
from mailframe.stats import places, vectors

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.stats.vectors import Bools, Coded, Ints


Given = str | Iterable[str] | None

# An address that sent this share of the mail in Sent folders is the user's own. One that sent
# less may be, or its mail was filed there by hand; see `_kept_by_me`.
LEAST_SHARE = 0.05
DETAIL = r"^([^@+][^@+]*)\+[^@]*@"  # a local part that begins with "+" is a telephone number
PLAIN = r"\1@"


@dataclass(frozen=True)
class Own:
    """The user's own addresses and the messages from them."""

    addresses: pa.Array  # lower case
    source: str  # how they are known, in words
    mine: Bools  # of each row: is it from one of them?
    sent: Bools  # of each row: was it sent, and is it neither a draft nor deleted?

    def tell(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say in a result's ``attrs`` whose mail it took for the user's own."""
        table.attrs["me"] = {"addresses": self.addresses.to_pylist(), "source": self.source}
        return table

    def has(self, labels: pa.Array) -> Bools:
        """Tell of each label, in lower case, whether it is one of the addresses."""
        return vectors.numpy(pc.is_in(bare(labels), bare(self.addresses)))


def bare(addresses: pa.Array) -> pa.Array:
    """Give addresses without their details, lower case."""
    return pc.replace_substring_regex(pc.utf8_lower(addresses), DETAIL, PLAIN)


def own(df: pd.DataFrame, me: Given = None, *, must_send: bool | None = True) -> Own:
    """Find the user's own addresses.

    Parameters
    ----------
    must_send : bool, optional
        Whether what is asked needs mail that the user sent; None: nothing is warned of.

    Warns
    -----
    MailframeWarning
        When mail is there and nothing tells which addresses are the user's, or none of it is from
        them and some must be.
    """
    vectors.require(df, "from_addr")
    senders = vectors.coded(df, "from_addr", fold=True)
    addresses, source = _given(me) if me is not None else _guess(df, senders)
    known = Own(pa.array(addresses, pa.large_string()), source, *np.zeros((2, len(df)), dtype=bool))
    known.mine[senders.rows] = known.has(senders.labels)[senders.codes]
    known.sent[:] = known.mine & ~_unsent(df)
    if must_send is None:
        return known
    if not addresses and len(df):
        warn("cannot tell which addresses are yours from this frame: pass me=['you@example.org']")
    if addresses and must_send and len(df) and not known.mine.any():
        warn(
            f"none of these messages is from {', '.join(addresses)} ({source}), so no answer of "
            "yours can be seen: take the Sent folder along, or pass me= as it stands in the mail"
        )
    return known


def _unsent(df: pd.DataFrame) -> Bools:
    """Mark drafts and deleted mail."""
    unsent = places.filed(df, places.DRAFTS)[0]
    for name in {"draft", "deleted"} & set(df.columns):
        unsent |= vectors.flags(df, name)
    return unsent


def _given(me: str | Iterable[str]) -> tuple[list[str], str]:
    found = []
    for name in me if isinstance(me, Iterable) and not isinstance(me, str) else [me]:
        boxes = mailbox.mailboxes(name.encode())[0] if isinstance(name, str) else []
        read = [box.addr for box in boxes if box.addr and "@" in box.addr]
        if not read and isinstance(name, str) and "@" in name:  # as malformed as in the mail
            read = [name.strip()]
        if not read:
            raise ConfigurationError(f"me= takes addresses such as 'ann@example.org', not {name!r}")
        found += [address.lower() for address in read]
    return list(dict.fromkeys(found)), "given"


def _guess(df: pd.DataFrame, senders: Coded) -> tuple[list[str], str]:
    """Guess for each account, and put the guesses together."""
    found: dict[str, None] = {}
    sources: dict[str, None] = {}
    for rows in _accounts(df):
        part = df if rows is None else df.iloc[rows]
        names, source = _guess_one(part, _of(senders, rows, len(df)))
        found |= dict.fromkeys(names)
        sources |= dict.fromkeys([source] if names else [])
    return list(found), "; ".join(sources) or "unknown"


def _accounts(df: pd.DataFrame) -> list[Ints | None]:
    """Give the rows of each account; None for all of them."""
    if "account" not in df.columns:
        return [None]
    account = vectors.coded(df, "account").dense(len(df))
    used = vectors.unique(account)
    if len(used) <= 1:
        return [None]
    order = np.argsort(account, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(account[order])) + 1))


def _of(senders: Coded, rows: Ints | None, total: int) -> Coded:
    """Give some rows of a column, counted anew."""
    if rows is None:
        return senders
    codes = senders.dense(total)[rows]
    known = np.flatnonzero(codes >= 0)
    return vectors.Coded(senders.name, known, codes[known], senders.labels)


def _guess_one(df: pd.DataFrame, senders: Coded) -> tuple[list[str], str]:
    filed, folders = places.filed(df, places.SENT)
    counts = senders.where(filed[senders.rows]).count
    often = (counts > 0) & (counts >= LEAST_SHARE * counts.sum())
    mine = often | _kept_by_me(df, senders, filed, counts)
    chosen = np.flatnonzero(mine)
    chosen = chosen[np.argsort(-counts[chosen], kind="stable")]
    if len(chosen):
        return senders.labels.take(chosen).to_pylist(), "guessed from " + ", ".join(folders)
    return _guess_from_recipients(df, senders)


def _kept_by_me(df: pd.DataFrame, senders: Coded, filed: Bools, counts: Ints) -> Bools:
    """Mark rare senders in Sent folders that are the user all the same.

    Mail of others that was filed there by hand comes from people who write otherwise too, or whom
    the user writes to; mail from an address of one's own lies there, and goes elsewhere.
    """
    elsewhere = senders.where(~filed[senders.rows]).count
    rare = (counts > 0) & (counts >= elsewhere)
    if not rare.any() or "to" not in df.columns:
        return rare
    to = vectors.coded(df, "to", fold=True).once()
    to = to.where(filed[to.rows])
    written = np.zeros(len(senders.labels), dtype=np.int64)
    place = vectors.numpy(pc.index_in(senders.labels, to.labels).fill_null(-1)).astype(np.int64)
    written[place >= 0] = to.count[place[place >= 0]]
    return rare & (counts > written)


def _guess_from_recipients(df: pd.DataFrame, senders: Coded) -> tuple[list[str], str]:
    if "to" not in df.columns:
        return [], "unknown"
    personal = np.ones(len(df), dtype=bool)
    if "list_id" in df.columns:
        personal &= df["list_id"].isna().to_numpy(dtype=bool)
    for name in {"bulk", "auto"} & set(df.columns):
        personal &= ~vectors.flags(df, name)
    to = vectors.coded(df, "to", fold=True).once()
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
