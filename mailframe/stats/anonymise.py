"""A frame that can be shared: who and what replaced by keyed hashes, consistently.

Equal values stay equal, and only the holder of the key can tell what they were (BLAKE2b, RFC 7693,
keyed; each kind of value under a personalisation of its own, so that an address and a subject of
the same text do not match). Threads, people, lists, domains and reply subjects survive: statistics
of the hashed frame are those of the original under other names.
"""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import SCHEMA, TEXT
from mailframe.stats import asks, columns, places, replaced, subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LEAST_KEY = 8  # octets; less can be tried out
DIGEST = 8  # octets: among a million values two collide once in 37 million frames
KINDS = (
    "account",
    "address",
    "detail",
    "domain",
    "folder",
    "id",
    "keyword",
    "list",
    "name",
    "subject",
)
COMMON_FOLDERS = frozenset({"inbox", "archive", "archives", "templates"}).union(
    *(kind.names for kind in (places.DRAFTS, places.SENT, places.JUNK, places.TRASH))
)


class Hasher:
    """Keyed hashes of text."""

    def __init__(self, key: str | bytes) -> None:
        secret = key.encode() if isinstance(key, str) else bytes(key)
        if len(secret) < LEAST_KEY:
            raise ConfigurationError(
                f"the key must have at least {LEAST_KEY} octets: secrets.token_hex(16) makes one"
            )
        self._key = hashlib.sha256(secret).digest()
        self._fresh = {kind: self._state(kind) for kind in KINDS}

    def _state(self, kind: str) -> hashlib.blake2b:
        person = kind.encode()
        return hashlib.blake2b(digest_size=DIGEST, key=self._key, person=person)

    def digests(self, kind: str, texts: Iterable[bytes]) -> list[str]:
        """Hash values of a kind, in UTF-8, to 16 hexadecimal digits each."""
        copy = self._fresh[kind].copy  # a third of the cost of setting the key up again
        digests = []
        for text in texts:
            state = copy()
            state.update(text)
            digests.append(state.hexdigest())
        return digests

    def digest(self, kind: str, text: str) -> str:
        """Hash one value of a kind."""
        return self.digests(kind, [text.encode()])[0]

    def domain(self, text: str) -> str:
        """Hash a domain; the result can never be one (RFC 2606)."""
        return f"d{self.digest('domain', text.lower())}.invalid"

    def address(self, text: str) -> str:
        """Hash an address; its domain hashes as domains do, so that the two columns agree.

        A detail (``ann+shop@``) is hashed apart: it stays an address of the same person.
        """
        whole, at, domain = text.lower().rpartition("@")
        local, plus, detail = whole.partition("+") if not whole.startswith("+") else (whole, "", "")
        local = f"a{self.digest('address', f'{local}{at}{domain}')}"
        local += f"+{self.digest('detail', detail)}" if plus else ""
        return f"{local}@{self.domain(domain)}" if at else local

    def name(self, text: str) -> str:
        """Hash the name of a person."""
        return f"Person {self.digest('name', text)}"

    def list_id(self, text: str) -> str:
        """Hash the identifier of a mailing list."""
        return f"l{self.digest('list', text.lower())}.invalid"

    def folder(self, text: str) -> str:
        """Hash the name of a folder, but for names that everyone has."""
        plain = text.lower()
        common = plain in COMMON_FOLDERS or re.sub(places.LAST_PART, "", plain) in COMMON_FOLDERS
        return text if common else f"folder-{self.digest('folder', text)}"

    def account(self, text: str) -> str:
        """Hash the name of an account, as an address where it is one."""
        return self.address(text) if "@" in text else f"account-{self.digest('account', text)}"

    def keyword(self, text: str) -> str:
        """Hash a keyword; those of the IANA registry begin with "$" and say nothing private."""
        return text if text.startswith("$") else f"k{self.digest('keyword', text.lower())}"

    def column(self, kind: str, texts: pa.Array) -> pa.Array:
        """Hash a column that may have a distinct value for each message."""
        return pa.array(self.digests(kind, texts.cast(pa.large_binary()).to_pylist()), TEXT)

    def identifiers(self, texts: pa.Array) -> pa.Array:
        """Hash message identifiers."""
        return _joined(self.column("id", texts), pa.scalar("@invalid", TEXT))

    def subjects(self, texts: pa.Array) -> pa.Array:
        """Hash base subjects; what marks a reply or a forward stays, and with it what it tells."""
        bases, reply = subjects.base(texts)
        hashed = pc.if_else(pc.equal(bases, ""), "", self.column("subject", bases))
        mark = np.where(subjects.forwarded(texts), 2, reply.astype(np.int8))
        return _joined(pa.array(["", "Re: ", "Fwd: "], TEXT).take(pa.array(mark)), hashed)


def _joined(before: pa.Array, after: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(before, after, pa.scalar("", TEXT))


def anonymise(df: pd.DataFrame, key: str | bytes, coarsen: str | None) -> pd.DataFrame:
    """Replace what tells who and what; see ``df.mail.anonymise``."""
    hasher = Hasher(key)
    kept = [name for name in SCHEMA.names if name in df.columns]
    out: dict[str, Any] = {name: df[name].array for name in kept}

    def replace(names: tuple[str, ...], way: replaced.Way) -> dict[str, pa.Array]:
        held = [name for name in names if name in out]
        new = replaced.replaced([columns.arrow(df, name) for name in held], way)
        return dict(zip(held, new, strict=True))

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Arrow encodes while Python hashes
        for new in list(pool.map(replace, *zip(*_ways(hasher), strict=True))):
            for name, array in new.items():
                out[name] = replaced.as_pandas(array, df[name].dtype)
    if coarsen is not None:
        for name in {"date", "internaldate"} & set(kept):
            out[name] = _coarse(df[name], coarsen)
    for name in {"bulk", "auto"} & set(kept):  # what the hashed addresses and lists told of it
        out[name] = asks.kind(df, name)
    hashed = pd.DataFrame(out, index=df.index, columns=kept)
    if told := places.uses(df):
        uses = {
            hasher.account(account): {hasher.folder(name): use for name, use in folders.items()}
            for account, folders in told.items()
        }
        hashed.attrs["mailframe"] = {"special_use": uses}
    return hashed


def _ways(hasher: Hasher) -> list[tuple[tuple[str, ...], replaced.Way]]:
    """Tell how columns are replaced; those of one kind share their values, so go together."""

    def each(way: Callable[[str], str]) -> replaced.Way:
        return lambda texts: pa.array([way(text) for text in texts.to_pylist()], TEXT)

    return [
        (("account",), each(hasher.account)),
        (("folder",), each(hasher.folder)),
        (("from_name",), each(hasher.name)),
        (("from_addr", "to", "cc"), each(hasher.address)),
        (("from_domain",), each(hasher.domain)),
        (("message_id", "in_reply_to", "references"), hasher.identifiers),
        (("list_id",), each(hasher.list_id)),
        (("keywords",), each(hasher.keyword)),
        (("subject",), hasher.subjects),
    ]


def _coarse(moments: pd.Series[Any], freq: str) -> pd.Series[Any]:
    try:
        cut: pd.Series[Any] = moments.dt.floor(freq)
    except ValueError as error:
        raise ConfigurationError(f"coarsen={freq!r}: a fixed step such as 'h' or 'D'") from error
    return cut
