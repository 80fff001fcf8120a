"""Outlook's files: ``.pst`` and ``.ost`` by libpff, ``.msg`` by olefile (MS-OXMSG).

Both are in the extra ``pst``. A PST file holds folders of items, of which only mail is read; its
format needs no more of a message in memory than its properties.
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, Any, Unpack

from mailframe.errors import ConfigurationError
from mailframe.sources import mapi
from mailframe.sources.arrival import internaldate
from mailframe.sources.files import DAMAGE, expand, label, open_file, reason, shown
from mailframe.sources.headerblock import Block
from mailframe.sources.reading import Message, Options, Reading, to_frame

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from mailframe.ground.progress import ProgressOption
    from mailframe.headers.attachments import MimePart
    from mailframe.headers.mime import Part
    from mailframe.sources.files import PathsOption
    from mailframe.sources.reading import ErrorsOption, Keywords

PST_SUFFIXES = (".pst", ".ost")
MSG_SUFFIX = ".msg"
_PST, _OLE = b"!BDN", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SUBTREE = 0x35E0  # what users see of the folders: an entry id that ends in the folder's number
_EXCHANGE_TOP = "IPM_SUBTREE"  # what it is called in an .ost, which has no such entry
_INTEGERS = {0x0002: "<h", 0x0003: "<i", 0x000B: "<?", 0x0014: "<q"}
_TIME, _TEXT, _TEXT8 = 0x0040, 0x001F, 0x001E
_WANTED = {
    *(mapi.SUBJECT, mapi.SUBMITTED, mapi.DELIVERED, mapi.HEADERS, mapi.MESSAGE_CLASS),
    *(mapi.MESSAGE_FLAGS, mapi.MESSAGE_SIZE, mapi.MESSAGE_ID, mapi.REFERENCES, mapi.IN_REPLY_TO),
    *(mapi.FLAG_STATUS, mapi.LAST_VERB, mapi.RECIPIENT_TYPE),
    *(*mapi.SENDER, *mapi.REPRESENTED, *mapi.RECIPIENT, *mapi.DISPLAYED.values()),
    *(*mapi.CODE_PAGES, mapi.CREATOR, mapi.CREATOR_SMTP),
}
_OF_ATTACHMENT = {
    *(*mapi.ATTACHED_NAME, mapi.ATTACHED_TYPE, mapi.ATTACHED_METHOD, mapi.ATTACHED_SIZE),
    *(mapi.ATTACHED_ID, mapi.ATTACHED_HIDDEN),
}
_DATA = "__substg1.0_37010102"  # of an attachment of a .msg file


def read_pst(
    paths: PathsOption,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Read the headers of Outlook's ``.pst`` and ``.ost`` files into a DataFrame.

    Needs ``pip install "mailframe[pst]"``. Single ``.msg`` files are for `mailframe.read_eml`.

    Parameters
    ----------
    paths : path, glob, or iterable of them
        Files; they are only read.
    headers, raw_headers, attachments, errors, progress
        As for `mailframe.read_mbox`; progress counts messages.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the file's name; ``folder`` the path of
        the folder as Outlook shows it; ``uid`` counts from 1 in each folder; ``internaldate`` the
        time of delivery; ``size`` what Outlook counts, which includes its own properties. What
        came over the internet has its header block; for all else, such as sent mail, the fields are
        made of Outlook's properties, and an address of Exchange that is none of the internet's is
        missing. Appointments, contacts and tasks are left out.

    Raises
    ------
    ConfigurationError
        The path names nothing, or no such file, or the extra is not installed.
    MailframeError
        A message or folder cannot be read, and ``errors="raise"``.
    """
    return to_frame(
        PstReading(expand(paths), Options(headers, raw_headers, errors, progress, attachments))
    )


def iter_pst(paths: PathsOption, **options: Unpack[Keywords]) -> Reading:
    """Stream Outlook files as record batches; parameters and columns as of `read_pst`."""
    return PstReading(expand(paths), Options(**options))


def is_pst(path: Path) -> bool:
    """Tell whether a file is Outlook's store of folders, by its first octets."""
    return _begins(path, _PST)


def begins_msg(stream: IO[bytes]) -> bool:
    """Tell whether a stream begins as ``.msg`` files do, and go back to its beginning."""
    sign = stream.read(len(_OLE))
    stream.seek(0)
    return sign == _OLE


def is_msg(path: Path) -> bool:
    """Tell whether a file is of the format that ``.msg`` has, by its first octets."""
    return _begins(path, _OLE)


def _begins(path: Path, sign: bytes) -> bool:
    if not path.is_file():
        return False
    try:
        with open_file(path) as stream:
            return stream.read(len(sign)) == sign
    except OSError:
        return False  # whoever reads it says why


class PstReading(Reading):
    """The mail of Outlook files, folder by folder."""

    kind = "pst"
    unit = "messages"

    def __init__(self, paths: list[Path], options: Options) -> None:
        for path in paths:
            if not is_pst(path):
                raise ConfigurationError(
                    f"{path} is no .pst or .ost file of Outlook; read_eml takes .msg files"
                )
        self._stores = [(path, _open_pst(path)) for path in paths]
        self._folders = [
            (f"{shown(path.name)}/{name}" if len(paths) > 1 else name, folder)
            for path, store in self._stores
            for name, folder in _folders(store)
        ]
        super().__init__(label(paths), options)

    def total(self) -> int:
        """Give the number of items, of which some may be no mail."""
        return sum(_count(folder, "number_of_sub_messages") for _, folder in self._folders)

    def messages(self) -> Iterator[Message]:
        """Yield the messages of each folder."""
        others = 0
        for name, folder in self._folders:
            uid = 0
            try:
                count = folder.number_of_sub_messages
            except DAMAGE as error:
                self.unreadable(name, name, error)
                continue
            for number in range(count):
                self.advance(1)
                try:
                    item = folder.get_sub_message(number)
                    properties = _properties(item)
                    if not mapi.is_mail(properties):
                        others += 1
                        continue
                    uid += 1
                    told = mapi.told(properties, _recipients(item))
                    parts = _attached(item) if self._options.attachments else None
                except DAMAGE as error:
                    uid += 1
                    self.unreadable(name, f"message {number + 1} of {name}", error)
                    continue
                received = b"" if told.received is None else internaldate(told.received)
                yield Message(name, uid, told.flags, received, told.size, told.header, parts)
        if others:
            self.skipped["other items"] = f"holds {others:,} appointments, contacts and the like"


def _open_pst(path: Path) -> Any:  # noqa: ANN401 -- libpff has no types
    try:
        import pypff  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise ConfigurationError(
            'Outlook files need libpff: pip install "mailframe[pst]"'
        ) from error
    store = pypff.file()
    try:
        store.open(str(path))
    except DAMAGE as error:
        raise ConfigurationError(f"{path} cannot be read: {reason(error)}") from error
    return store


def _folders(store: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 -- as above
    """Give the folders that hold items, named from where Outlook shows them."""
    top = _subtree(store)
    found = []
    todo = [("", store.get_root_folder())]
    while todo:
        name, folder = todo.pop()
        if _count(folder, "number_of_sub_messages"):
            found.append((name or "/", folder))
        for number in reversed(range(_count(folder, "number_of_sub_folders"))):
            try:
                below = folder.get_sub_folder(number)
                own = shown(below.name or f"folder {number + 1}")
                is_top = below.identifier == top or own == _EXCHANGE_TOP
            except DAMAGE:
                continue
            todo.append(("" if is_top else f"{name}/{own}".lstrip("/"), below))
    return found


def _subtree(store: Any) -> int | None:  # noqa: ANN401 -- as above
    try:
        entries = _entries(store.get_message_store())
        data = next((entry.data for entry in entries if entry.entry_type == _SUBTREE), None)
    except DAMAGE:
        return None
    return int.from_bytes(data[-4:], "little") if data else None


def _count(folder: Any, name: str) -> int:  # noqa: ANN401 -- as above
    try:
        return int(getattr(folder, name))
    except DAMAGE:
        return 0


def _entries(item: Any) -> Iterator[Any]:  # noqa: ANN401 -- as above
    for number in range(item.number_of_record_sets):
        yield from item.get_record_set(number).entries


def _properties(item: Any, wanted: Container[int] = _WANTED) -> dict[int, mapi.Value]:  # noqa: ANN401 -- as above
    """Read the wanted properties of an item."""
    return _decoded(
        (entry.entry_type, entry.value_type, entry.data)
        for entry in _entries(item)
        if entry.entry_type in wanted
    )


def _attached(item: Any) -> list[Part] | None:  # noqa: ANN401 -- as above
    """Tell what is attached to an item; None where that cannot be read."""
    try:
        found = []
        for number in range(item.number_of_attachments):
            attachment = item.get_attachment(number)
            size = _count(attachment, "size") or None
            found.append(mapi.attached(_properties(attachment, _OF_ATTACHMENT), size))
    except DAMAGE:
        return None
    return found


def _recipients(item: Any) -> list[dict[int, mapi.Value]]:  # noqa: ANN401 -- as above
    table = item.recipients
    if table is None:
        return []
    return [
        _decoded(
            (entry.entry_type, entry.value_type, entry.data)
            for entry in table.get_record_set(number).entries
            if entry.entry_type in _WANTED
        )
        for number in range(table.number_of_record_sets)
    ]


def _decoded(entries: Iterable[tuple[int, int, bytes]]) -> dict[int, mapi.Value]:
    raw = {tag: (kind, data) for tag, kind, data in entries if data}
    numbers = {
        tag: struct.unpack(_INTEGERS[kind], data[: struct.calcsize(_INTEGERS[kind])])[0]
        for tag, (kind, data) in raw.items()
        if kind in _INTEGERS
    }
    codec = mapi.code_page(numbers)
    values: dict[int, mapi.Value] = dict(numbers)
    for tag, (kind, data) in raw.items():
        if kind == _TEXT:
            values[tag] = data.decode("utf-16-le", "replace").rstrip("\0")
        elif kind == _TEXT8:
            values[tag] = data.decode(codec, "replace").rstrip("\0")
        elif kind == _TIME:
            moment = mapi.when(int.from_bytes(data[:8], "little"))
            if moment:
                values[tag] = moment
    return values


def read_msg(stream: IO[bytes], *, parts: bool = False) -> tuple[Block, bytes]:
    """Read a ``.msg`` file: its header block and its flags; with ``parts`` what is attached, too.

    Raises
    ------
    OSError or another of `mailframe.sources.files.DAMAGE`
        It is damaged, or the extra is not installed.
    """
    try:
        import olefile  # noqa: PLC0415 -- an extra
    except ImportError:
        raise OSError(0, 'it is of Outlook: pip install "mailframe[pst]"') from None
    with olefile.OleFileIO(stream) as ole:
        properties = _storage(ole, "", _HEADER_OF_MESSAGE)
        storages = {entry[0] for entry in ole.listdir() if entry[0].startswith("__recip_version")}
        recipients = [_storage(ole, f"{one}/", _HEADER_OF_RECIPIENT) for one in sorted(storages)]
        found = _attached_in(ole) if parts else None
    told = mapi.told(properties, recipients)
    received = b"" if told.received is None else internaldate(told.received)
    return Block(received, told.header, parts=found), told.flags


_HEADER_OF_MESSAGE, _HEADER_OF_RECIPIENT = 32, 8  # octets before the properties of fixed size
_ENTRY = struct.Struct("<HHI8s")


def _attached_in(ole: Any) -> list[MimePart]:  # noqa: ANN401 -- as above
    storages = {entry[0] for entry in ole.listdir() if entry[0].startswith("__attach_version")}
    found: list[MimePart] = []
    for one in sorted(storages):
        properties = _storage(ole, f"{one}/", _HEADER_OF_RECIPIENT, _OF_ATTACHMENT)
        data = f"{one}/{_DATA}"
        found.append(mapi.attached(properties, ole.get_size(data) if ole.exists(data) else None))
    return found


def _storage(
    ole: Any,  # noqa: ANN401 -- olefile has no types
    prefix: str,
    header: int,
    wanted: Collection[int] = _WANTED,
) -> dict[int, mapi.Value]:
    entries = []
    fixed = f"{prefix}__properties_version1.0"
    if ole.exists(fixed):
        octets = ole.openstream(fixed).read()[header:]
        whole = len(octets) // _ENTRY.size * _ENTRY.size
        entries += [
            (tag, kind, value)
            for kind, tag, _, value in _ENTRY.iter_unpack(octets[:whole])
            if tag in wanted and (kind in _INTEGERS or kind == _TIME)
        ]
    for tag in wanted:
        for kind in (_TEXT, _TEXT8):
            name = f"{prefix}__substg1.0_{tag:04X}{kind:04X}"
            if ole.exists(name):
                entries.append((tag, kind, ole.openstream(name).read()))
    return _decoded(entries)
