"""mbox files (RFC 4155 and its kin: mboxo, mboxrd, mboxcl) as batches and frames.

``split`` takes the file apart; the From line gives the internal date, header fields the flags.
"""

from __future__ import annotations

import io
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Unpack

import pyarrow as pa

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import TEXT, TEXTS
from mailframe.sources.files import DAMAGE, Part, expand, label, parts, reason, shown, stored_as
from mailframe.sources.flags import CHAT_FLAG, header_flags
from mailframe.sources.gmaillabels import split_labels
from mailframe.sources.reading import Message, Options, Reading, to_frame
from mailframe.sources.split import Piece, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from mailframe.ground.progress import ProgressOption
    from mailframe.sources.files import PathsOption, Stream
    from mailframe.sources.reading import ErrorsOption, Keywords

_SUFFIX = ".mbox"
# Enough of a file to see its first message.
_HEAD = 1 << 16
# What Google Takeout tells beside the mail.
_TAKEOUT = ("X-GM-THRID", "X-Gmail-Labels")
_LABELS = "x_gmail_labels"
_LABELS_FIELD = pa.field(_LABELS, TEXTS)


def read_mbox(
    paths: PathsOption,
    *,
    headers: Sequence[str] = (),
    raw_headers: bool = False,
    attachments: bool = False,
    errors: ErrorsOption = "warn",
    progress: ProgressOption = None,
    chats: bool = False,
) -> pd.DataFrame:
    """Read the headers of an mbox file into a DataFrame.

    Only header blocks are parsed; bodies are skipped. A line in a body that begins with ``From`` is
    not taken for a new message: where a Content-Length field is right it decides, elsewhere a From
    line must have a date, and stand after a blank line or before a header field.

    Parameters
    ----------
    paths : path, glob, or iterable of them
        Plain, or compressed with gzip, bzip2, xz or Zstandard, or a zip holding ``.mbox``
        files, such as Google Takeout gives.
    headers : sequence of str, optional
        More header fields, each a column, as for `mailframe.read_imap`.
    raw_headers : bool, default False
        Whether a column ``raw_headers`` holds each header block.
    attachments : bool, default False
        Whether what is attached makes columns, as for `mailframe.read_imap`. Then all of a message
        is looked through for its parts, and no body is kept.
    errors : {"warn", "raise", "ignore"}
        About what cannot be read: give one warning in the end, raise the first problem, or say
        nothing. ``df.attrs["mailframe"]["problems"]`` holds all of them; the rest is there.
    progress : None, False or callable
        None shows a bar in a terminal or a notebook; a callable is called with (octets done,
        octets in all).
    chats : bool, default False
        Whether lines of Hangouts and Google Chat, which Takeout packs among the mail with the label
        Chat, are rows too; left out, ``df.attrs["mailframe"]["skipped"]`` counts them.

    Returns
    -------
    pandas.DataFrame
        The columns of `mailframe.read_imap`. ``account`` is the file's name (of several files, the
        name of the folder that holds them all), ``folder`` its name without suffix, ``uid`` the
        message's number in the file from 1, ``internaldate`` the From line's date (UTC where it
        names no zone; else that of the newest Received, where that header was asked for), ``size``
        the octets of the message as they stand in the file. Flags come from Status, X-Status,
        X-Keywords and X-Mozilla-Status fields. Of Google Takeout also
        ``x_gm_thrid`` (str) and ``x_gmail_labels`` (list of str); Gmail's own labels, in the
        user's language, tell what is unread, starred, a draft or sent (keyword ``$Sent``).

    Raises
    ------
    ConfigurationError
        The path names nothing, or no mbox file.
    MailframeError
        A file is damaged, and ``errors="raise"``.

    Warns
    -----
    MailframeWarning
        Something could not be read, and ``errors="warn"``.
    """
    options = Options(headers, raw_headers, errors, progress, attachments)
    return to_frame(MboxReading(expand(paths), options, chats=chats))


def iter_mbox(paths: PathsOption, *, chats: bool = False, **options: Unpack[Keywords]) -> Reading:
    """Stream an mbox file as record batches; parameters and columns as of `read_mbox`.

    Returns
    -------
    Reading
        An iterator of pyarrow.RecordBatch with ``schema`` and, in the end, ``report``.
    """
    return MboxReading(expand(paths), Options(**options), chats=chats)


class MboxReading(Reading):
    """The messages of mbox files, in the order given."""

    kind = "mbox"
    unit = "B"
    _chats = True
    _unread: Sequence[tuple[str, ConfigurationError]] = ()

    def __init__(self, paths: list[Path], options: Options, *, chats: bool = False) -> None:
        parts_, heads, unread = _opened(paths)
        stems = Counter(part.stem for part in parts_)
        names = (
            shown(part.stem if stems[part.stem] == 1 else name)
            for part, name in zip(parts_, _told_apart(parts_), strict=True)
        )
        self._take(label(paths), list(zip(names, parts_, strict=True)), heads, options)
        self._unread = unread
        self._chats = chats

    def _take(
        self,
        account: str,
        folders: list[tuple[str, Part]],
        heads: Iterable[bytes],
        options: Options,
    ) -> None:
        """Begin to read streams of which the beginnings are known."""
        self._folders = folders
        if any(name.encode() + b":" in head for head in heads for name in _TAKEOUT):
            options = options.with_headers(_TAKEOUT)
        super().__init__(account, options)
        at = self.schema.get_field_index(_LABELS)
        self._labels_at = at if at >= 0 and self.schema.field(at).type == TEXT else None
        if self._labels_at is not None:
            self.schema = self.schema.set(at, _LABELS_FIELD)

    def total(self) -> int:
        """Give the octets of all files."""
        return sum(part.size for _, part in self._folders)

    def messages(self) -> Iterator[Message]:
        """Yield the messages of each file."""
        for folder, error in self._unread:
            self.problem(folder, error, str(error))
        chats = 0
        for folder, part in self._folders:
            for uid, piece in enumerate(self._pieces(part, folder), 1):
                flags = header_flags(piece.header)
                if not self._chats and CHAT_FLAG in flags and CHAT_FLAG in flags.split():
                    chats += 1
                elif not self.leaves_out(piece):
                    told = (piece.internaldate, piece.size, piece.header, piece.parts)
                    yield Message(folder, uid, flags, *told)
        if chats:
            lines = "line" if chats == 1 else "lines"
            self.skipped["Chat"] = (
                f"holds {chats:,} {lines} of chat, no mail; chats=True reads them"
            )

    def leaves_out(self, piece: Piece) -> bool:  # noqa: ARG002 -- others do
        """Tell whether a message is no more, though it stands in the file."""
        return False

    def finish(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Turn the labels of Google Takeout into lists, each distinct value once."""
        at = self._labels_at
        if at is None:
            return batch
        values = batch.column(at).fill_null("").dictionary_encode()
        lists = pa.array(map(split_labels, values.dictionary.to_pylist()), TEXTS)
        return batch.set_column(at, _LABELS_FIELD, lists.take(values.indices))

    def _pieces(self, part: Part, folder: str) -> Iterator[Piece]:
        def on_text(octets: int) -> None:
            text = f"{part}: {octets} octets stand before the first message"
            self.problem(folder, "Preamble", text)

        def on_doubt(lines: int) -> None:
            text = (
                f"{part}: {lines} lines were taken for text, and look like From lines of a form "
                "that is not known"
            )
            self.problem(folder, "FromLines", text)

        with ExitStack() as stack:
            try:
                stream = stack.enter_context(part.open())
            except DAMAGE as error:
                self.problem(folder, error, f"{part} cannot be opened: {reason(error)}")
                return
            yield from split(
                lambda view: self._read(view, stream, part, folder),
                on_text,
                on_doubt,
                parts=self._options.attachments,
            )

    def _read(self, view: memoryview, stream: Stream, part: Part, folder: str) -> int:
        before = stream.tell()
        try:
            count = stream.readinto(view)
        except DAMAGE as error:
            text = f"{part} is damaged; all after it is lost: {reason(error)}"
            self.problem(folder, error, text)
            return 0
        self.advance(stream.tell() - before)
        if not count and (missing := part.missing()):
            text = f"{part} was cut while it was read: {missing} octets are gone from its end"
            self.problem(folder, "Truncated", text)
        return count


def holds_mbox(path: Path) -> bool:
    """Tell whether a file, zip archive or exported folder holds mbox files, perhaps empty ones."""
    if path.is_dir():
        return _inside(path).is_file()
    found = parts(path, is_mbox_name)
    if found and found[0].entry:
        return True  # members that are called so and cannot be read are told of
    return bool(found) and all(_is_mbox(part.head(_HEAD)) for part in found)


def _inside(path: Path) -> Path:
    """Give the mbox file in a folder as Apple Mail exports it."""
    return path / "mbox"


def is_mbox_name(name: str) -> bool:
    """Tell whether a file is an mbox by its name, however it is stored."""
    return stored_as(name).lower().endswith(_SUFFIX)


def _opened(
    paths: list[Path],
) -> tuple[list[Part], list[bytes], list[tuple[str, ConfigurationError]]]:
    """Give what the paths hold, the beginning of each, and what cannot be read beside others.

    Raises
    ------
    ConfigurationError
        There is nothing else.
    """
    opened: list[Part] = []
    heads: list[bytes] = []
    unread: list[tuple[str, ConfigurationError]] = []
    for path in paths:
        try:
            found = _parts(path)
        except ConfigurationError as error:
            unread.append((shown(path.stem), error))
            continue
        for part in found:
            try:
                heads.append(_checked_head(part))
            except ConfigurationError as error:
                unread.append((shown(part.stem), error))
            else:
                opened.append(part)
    if not opened:
        raise unread[0][1]
    return opened, heads, unread


def _told_apart(found: list[Part]) -> Iterator[str]:
    """Give names by which files of one stem are told apart, and members of one name in a zip."""
    count: Counter[str] = Counter()
    for part in found:
        name = str(part)
        count[name] += 1
        yield name if count[name] == 1 else f"{name} ({count[name]})"


def _parts(path: Path) -> list[Part]:
    if path.is_dir() and not holds_mbox(path):
        raise ConfigurationError(
            f"{path} is a folder, not an mbox file; read_maildir and read_eml take folders"
        )
    found = parts(_inside(path) if path.is_dir() else path, is_mbox_name)
    if not found:
        raise ConfigurationError(f"{path} holds no .mbox file")
    return found


def _is_mbox(head: bytes) -> bool:
    return not head.strip() or any(True for _ in split(io.BytesIO(head).readinto))


def _checked_head(part: Part) -> bytes:
    head = part.head(_HEAD)
    if not _is_mbox(head):
        raise ConfigurationError(
            f"{part} is not an mbox file: it has no From line; read_eml takes single messages"
        )
    return head
