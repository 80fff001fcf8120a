"""A frame that can be shared: who and what replaced by keyed hashes, consistently.

Equal values stay equal, and only the holder of the key can tell what they were (SipHash-2-4, a
keyed function for short texts by Aumasson and Bernstein, 2012, as pandas has it). Each kind of
value has a key of its own, which BLAKE2b (RFC 7693) derives of the one given, so that an address
and a subject of the same text do not match. Threads, people, lists, domains and reply subjects
survive: statistics of the hashed frame are those of the original under other names.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.util import hash_array

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import SCHEMA, TEXT
from mailframe.stats import asks, people, places, replaced, subjects, vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEAST_KEY = 8  # octets; less can be tried out
DIGEST = 8  # octets: among a million values two collide once in 37 million frames
SIPHASH_KEY = 12  # octets, that are 16 letters of base 64: pandas takes the key as text
AT_ONCE = 1 << 16  # texts that are objects of Python, each of a hundred octets
HEXADECIMAL = np.frombuffer(b"".join(b"%02x" % octet for octet in range(256)), "<u2")
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
        whole = hashlib.sha256(secret).digest()
        self._keys = {kind: _derived(whole, kind) for kind in KINDS}

    def digests(self, kind: str, texts: Sequence[str] | pa.Array) -> pa.LargeStringArray:
        """Hash values of a kind, in UTF-8, to 16 hexadecimal digits each."""
        values = pa.array(texts, TEXT)
        key, numbers = self._keys[kind], np.empty(len(values), dtype=">u8")
        for at in range(0, len(values), AT_ONCE):
            part = vectors.numpy(values[at : at + AT_ONCE]).astype(object)
            numbers[at : at + AT_ONCE] = hash_array(part, hash_key=key, categorize=False)
        digits = HEXADECIMAL[numbers.view(np.uint8)]
        offsets = np.arange(len(values) + 1, dtype=np.int64) * 2 * DIGEST
        return pa.LargeStringArray.from_buffers(
            len(values), pa.py_buffer(offsets), pa.py_buffer(digits)
        )

    def digest(self, kind: str, text: str) -> str:
        """Hash one value of a kind."""
        return str(self.digests(kind, [text])[0])

    def domains(self, texts: Sequence[str] | pa.Array) -> pa.Array:
        """Hash domains; the result can never be one (RFC 2606)."""
        hashed = self.digests("domain", pc.utf8_lower(pa.array(texts, TEXT)))
        return _joined("d", hashed, ".invalid")

    def address(self, text: str) -> str:
        """Hash an address."""
        return str(self.addresses(pa.array([text], TEXT))[0])

    def addresses(self, texts: pa.Array) -> pa.Array:
        """Hash addresses; their domains hash as domains do, so that the two columns agree.

        A detail (``ann+shop@``) is hashed apart: it stays an address of the same person.
        """
        lower = pc.utf8_lower(texts)
        bare = lower.to_pylist()
        details: list[str | None] = [None] * len(lower)
        for place in np.flatnonzero(vectors.numpy(pc.match_substring(lower, "+"))).tolist():
            bare[place], details[place] = _parted(bare[place])
        domain = people.domain_of(lower)
        return _joined(
            "a",
            self.digests("address", bare),
            _where(pa.array(details, TEXT), lambda given: ("+", self.digests("detail", given))),
            _where(domain, lambda given: ("@", self.domains(given))),
        )

    def names(self, texts: pa.Array) -> pa.Array:
        """Hash the names of people."""
        return _joined("Person ", self.digests("name", texts))

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

    def identifiers(self, texts: pa.Array) -> pa.Array:
        """Hash message identifiers."""
        return _joined(self.digests("id", texts), "@invalid")

    def subjects(self, texts: pa.Array) -> pa.Array:
        """Hash base subjects; what marks a reply or a forward stays, and with it what it tells."""
        bases, reply = subjects.base(texts)
        hashed = pc.if_else(pc.equal(bases, ""), "", self.digests("subject", bases))
        mark = np.where(subjects.forwarded(texts), 2, reply.astype(np.int8))
        return _joined(pa.array(["", "Re: ", "Fwd: "], TEXT).take(pa.array(mark)), hashed)


def _derived(secret: bytes, kind: str) -> str:
    """Derive the key of a kind."""
    own = hashlib.blake2b(digest_size=SIPHASH_KEY, key=secret, person=kind.encode()).digest()
    return base64.b64encode(own).decode()


def _parted(address: str) -> tuple[str, str | None]:
    """Part an address: the whole of it but for the detail, and its detail."""
    whole, at, domain = address.rpartition("@")
    local, plus, detail = whole.partition("+") if not whole.startswith("+") else (whole, "", "")
    return f"{local}{at}{domain}", detail if plus else None


def _joined(*parts: pa.Array | str) -> pa.Array:
    texts = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar("", TEXT))


def _where(given: pa.Array, way: Callable[[pa.Array], tuple[str, pa.Array]]) -> pa.Array:
    """Write something of each text that is given, and nothing where none is."""
    texts = _joined(*way(given.fill_null("")))
    return pc.if_else(given.is_valid(), texts, pa.scalar("", TEXT))


def anonymise(df: pd.DataFrame, key: str | bytes, coarsen: str | None) -> pd.DataFrame:
    """Replace what tells who and what; see ``df.mail.anonymise``."""
    hasher = Hasher(key)
    kept = [name for name in SCHEMA.names if name in df.columns]
    out: dict[str, Any] = {name: df[name].array for name in kept}

    def replace(names: tuple[str, ...], way: replaced.Way) -> dict[str, pa.Array]:
        held = [name for name in names if name in out]
        new = replaced.replaced([vectors.arrow(df, name) for name in held], way)
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
        (("from_name",), hasher.names),
        (("from_addr", "to", "cc"), hasher.addresses),
        (("from_domain",), hasher.domains),
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
