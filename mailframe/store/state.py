"""The sync state of a folder, or of several: JSON in the metadata of the file with their rows."""

from __future__ import annotations

import dataclasses
import json
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from mailframe.errors import StoreError
from mailframe.ground.uidset import UidSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


VERSION = 3  # 2: the columns bulk and auto; 3: special_use, and headers to be asked for again
KEY = b"mailframe.store"
CHECKSUM = KEY + b".crc32"  # Parquet's own checksums cover its pages, not what is said of them

# How many expunged ranges a folder remembers for `changes`: months of mail, kilobytes of file.
MAX_GONE = 2000


class OutdatedError(StoreError):
    """A file of an older mailframe: it lacks columns, and the next refresh makes it anew."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gone:
    """UIDs found expunged at one refresh."""

    at: str  # ISO 8601, UTC
    uids: UidSet


@dataclasses.dataclass(frozen=True, slots=True)
class FolderState:
    """The state of one folder as of its last refresh.

    Parameters
    ----------
    account, folder : str
        The exact names.
    uidvalidity : int
        The rows' UIDs mean something only under this value, at this server.
    uidnext : int
        Every message below it was fetched or is gone, if `complete`.
    modseq : int
        HIGHESTMODSEQ as of which the flags are right; 0 where that cannot be said. Below 0 a value
        that stood still while something happened: it is not relied on until there is another.
    messages, unseen : int, optional
        The server's own counts; None where it did not tell.
    special_use : str, optional
        What the folder is for, as the server told it (RFC 6154); None for an ordinary one.
    headers : tuple of str
        The further header fields held, for every row, in the order of their columns.
    complete : bool
        False while a fetch is under way or some messages could not be fetched.
    server : str
        Where the rows came from.
    refreshed : str
        When this was written, ISO 8601, UTC.
    gone : tuple of Gone
        What was expunged, refresh by refresh, the latest last.
    blank : UidSet
        Rows whose header held not a single field: it is asked for again.
    """

    account: str
    folder: str
    uidvalidity: int = 0
    uidnext: int = 1
    modseq: int = 0
    messages: int | None = None
    unseen: int | None = None
    special_use: str | None = None
    headers: tuple[str, ...] = ()
    complete: bool = True
    server: str = ""
    refreshed: str = ""
    gone: tuple[Gone, ...] = ()
    blank: UidSet = UidSet()  # noqa: RUF009 -- immutable

    @property
    def epoch(self) -> tuple[str, int]:
        """That within which a UID means the same message."""
        return self.server, self.uidvalidity

    def differs(self, other: Self) -> bool:
        """Whether more than the time of the refresh is another."""
        return dataclasses.replace(self, refreshed=other.refreshed) != other

    def with_gone(self, uids: UidSet) -> Self:
        """Return this state with `uids` remembered as expunged when it was `refreshed`."""
        if not uids:
            return self
        gone = [*self.gone, Gone(self.refreshed, uids)]
        while len(gone) > 1 and sum(len(entry.uids.ranges) for entry in gone) > MAX_GONE:
            del gone[0]
        return dataclasses.replace(self, gone=tuple(gone))


@dataclasses.dataclass(frozen=True, slots=True)
class PackState:
    """What a file with the rows of several small folders says of itself.

    Parameters
    ----------
    number : int
        That in its name.
    writing : str
        Another one each time that it is written.
    folders : tuple of (FolderState, int)
        Each folder and its number of rows, in the order of the rows.
    """

    number: int
    writing: str
    folders: tuple[tuple[FolderState, int], ...]


def encode(state: FolderState) -> dict[bytes, bytes]:
    """Return the state as metadata for an Arrow schema."""
    return _sealed({"version": VERSION} | _plain(state))


def encode_pack(pack: PackState) -> dict[bytes, bytes]:
    """Return what a pack of folders says of itself as metadata for an Arrow schema."""
    folders = [{"rows": rows} | _plain(state) for state, rows in pack.folders]
    content = {"version": VERSION, "pack": pack.number, "writing": pack.writing}
    return _sealed(content | {"folders": folders})


def _plain(state: FolderState) -> dict[str, Any]:
    content = {name: getattr(state, name) for name in state.__slots__}
    content["gone"] = [{"at": entry.at, "uids": entry.uids.ranges} for entry in state.gone]
    content["blank"] = state.blank.ranges
    return content


def _sealed(content: dict[str, Any]) -> dict[bytes, bytes]:
    raw = json.dumps(content, separators=(",", ":")).encode("ascii")
    return {KEY: raw, CHECKSUM: _checksum(raw)}


def _checksum(raw: bytes) -> bytes:
    return b"%08x" % zlib.crc32(raw)


def decode(metadata: Mapping[bytes, bytes] | None, source: str) -> FolderState:
    """Return the state found in an Arrow schema's metadata.

    Raises
    ------
    StoreError
        The file is no store file, or one of a newer mailframe.
    OutdatedError
        It is one of an older mailframe.
    """
    content = _opened(metadata, source)
    if "pack" in content:
        raise StoreError(f"{source!r} holds several folders, under the name of one; move it away.")
    return _state(content, source)


def decode_pack(metadata: Mapping[bytes, bytes] | None, source: str) -> PackState:
    """Return what a pack says of itself; raises what `decode` raises."""
    content = _opened(metadata, source)
    if "pack" not in content:
        raise StoreError(f"{source!r} holds one folder, under the name of several; move it away.")
    folders = content.get("folders")
    number: Any = content.get("pack")
    writing: Any = content.get("writing")
    if not (_is_count(number) and _is_text(writing) and isinstance(folders, list)):
        raise StoreError(_senseless(source, "folders"))
    found = []
    for each in folders:
        rows: Any = each.pop("rows", None) if isinstance(each, dict) else None
        if not _is_count(rows):
            raise StoreError(_senseless(source, "rows"))
        found.append((_state(each, source), rows))
    return PackState(number, writing, tuple(found))


def _opened(metadata: Mapping[bytes, bytes] | None, source: str) -> dict[str, Any]:
    metadata = metadata or {}
    raw = metadata.get(KEY)
    if raw is None:
        raise StoreError(f"{source!r} was not written by mailframe; move it out of the store.")
    if metadata.get(CHECKSUM) != _checksum(raw):
        raise StoreError(f"The sync state in {source!r} is damaged; delete the file and refresh.")
    content = _content(raw)
    version = content.pop("version", None)
    if not _is_count(version):
        raise StoreError(_senseless(source, "version"))
    if version > VERSION:
        raise StoreError(
            f"{source!r} was written by a newer mailframe (store version {version}, this one"
            f" reads {VERSION}); upgrade mailframe, or refresh into another directory."
        )
    if version < VERSION:
        raise OutdatedError(
            f"{source!r} was written by an older mailframe and lacks columns of this one; refresh"
            " the store (read_imap(..., store=...) or mailframe sync): it is then fetched anew."
        )
    return content


def _content(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _state(content: dict[str, Any], source: str) -> FolderState:
    """Make a state of what a file says, each value looked at: the checksum tells no sense."""
    for name, value in content.items():
        makes_sense = _SENSE.get(name)
        if makes_sense is None:
            raise StoreError(
                f"{source!r} tells {name!r}, which this mailframe does not know: it was written by"
                " a newer one; upgrade mailframe, or refresh into another directory."
            )
        if not makes_sense(value):
            raise StoreError(_senseless(source, name))
    missing = _SENSE.keys() - content.keys()
    if missing:
        raise StoreError(_senseless(source, min(missing)))
    content["headers"] = tuple(content["headers"])
    content["gone"] = tuple(
        Gone(entry["at"], UidSet(tuple((first, last) for first, last in entry["uids"])))
        for entry in content["gone"]
    )
    content["blank"] = UidSet(tuple((first, last) for first, last in content["blank"]))
    return FolderState(**content)


def _senseless(source: str, name: str) -> str:
    return (
        f"The sync state in {source!r} is damaged ({name!r} makes no sense); delete the file and"
        " refresh."
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _is_modseq(value: object) -> bool:
    return isinstance(value, int) and _is_count(abs(value)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_ranges(value: object) -> bool:
    """Whether these are UIDs as a set of them has them: ascending, apart, 32 bits."""
    last = 0
    for each in value if isinstance(value, list) else [None]:
        if not (isinstance(each, list) and len(each) == 2 and all(map(_is_count, each))):  # noqa: PLR2004 -- first and last
            return False
        if not last < each[0] <= each[1] < 1 << 32:
            return False
        last = each[1]
    return True


def _are_gone(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict)
        and entry.keys() == {"at", "uids"}
        and _is_instant(entry["at"])
        and _are_ranges(entry["uids"])
        for entry in value
    )


def _or_none(makes_sense: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or makes_sense(value)


_SENSE: dict[str, Callable[[object], bool]] = {
    "account": _is_text,
    "folder": _is_text,
    "uidvalidity": _is_count,
    "uidnext": _is_count,
    "modseq": _is_modseq,
    "messages": _or_none(_is_count),
    "unseen": _or_none(_is_count),
    "special_use": _or_none(_is_text),
    "headers": _are_texts,
    "complete": lambda value: isinstance(value, bool),
    "server": _is_text,
    "refreshed": _is_instant,
    "gone": _are_gone,
    "blank": _are_ranges,
}
