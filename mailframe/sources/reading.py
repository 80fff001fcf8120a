"""The one way from any local source to record batches, with progress, problems and a report.

A source says what its messages are; a ``Reading`` groups them into batches of bounded size, one in
memory at a time, and keeps what went wrong beside them.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias, TypedDict

from mailframe.errors import ConfigurationError, MailframeError, first_of, warn
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.beside import Attachments
from mailframe.frame.extras import parse_extras
from mailframe.ground.names import showable
from mailframe.ground.progress import Progress, open_progress
from mailframe.sources.arrival import by_received
from mailframe.sources.files import reason
from mailframe.sources.headerblock import Block, has_field, read_block

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from mailframe.ground.progress import ProgressOption
    from mailframe.headers.attachments import MimePart

ErrorsOption: TypeAlias = Literal["warn", "raise", "ignore"]

# A batch closes at the first of these: rows enough for vectors, octets few enough for any memory.
BATCH_ROWS = 4096
BATCH_OCTETS = 1 << 23


class Message(NamedTuple):
    """What a source tells of one message.

    Attributes
    ----------
    folder : str
        As shown.
    uid : int
        From 1 in each folder.
    flags : bytes
        As in an IMAP flag list, without its parentheses.
    internaldate : bytes
        As in IMAP, or empty.
    size : int
        Octets of header and body.
    header : bytes
        The header block.
    parts : list of Part or None
        What may be attached; None where that was not asked for, or cannot be told.
    """

    folder: str
    uid: int
    flags: bytes
    internaldate: bytes
    size: int
    header: bytes
    parts: Sequence[MimePart] | None = None


class _Rows:
    """Messages turned into the columns that a batch is built of."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.folders: Sequence[tuple[str, int]] = [
            (folder, sum(1 for _ in run))
            for folder, run in groupby(messages, key=attrgetter("folder"))
        ]
        self.uid: Sequence[int] = [message.uid for message in messages]
        self.flags: Sequence[bytes] = [message.flags for message in messages]
        self.internaldate: Sequence[bytes] = [message.internaldate for message in messages]
        self.size: Sequence[bytes] = [b"%d" % message.size for message in messages]
        self.header: Sequence[bytes] = [message.header for message in messages]
        self.beside = {Attachments.name: [message.parts for message in messages]}


class Keywords(TypedDict, total=False):
    """The keywords of every reader of local mail; see `mailframe.sources.mbox.read_mbox`."""

    headers: Sequence[str]
    raw_headers: bool
    attachments: bool
    errors: ErrorsOption
    progress: ProgressOption


@dataclass(frozen=True)
class Options:
    """What `Keywords` were given, checked."""

    headers: Sequence[str] = ()
    raw_headers: bool = False
    errors: ErrorsOption = "warn"
    progress: ProgressOption = None
    attachments: bool = False

    def __post_init__(self) -> None:
        parse_extras(self.headers)
        if self.errors not in {"warn", "raise", "ignore"}:
            raise ConfigurationError(
                f"errors={self.errors!r} is none of 'warn', 'raise' and 'ignore'"
            )

    def with_headers(self, names: Sequence[str]) -> Options:
        """Ask for header fields that are not asked for yet, too."""
        asked = {name.partition(":")[0].lower() for name in self.headers}
        more = [name for name in names if name.lower() not in asked]
        return replace(self, headers=(*self.headers, *more))


class Reading(ABC):
    """An iterator of the record batches of local mail; memory is bounded whatever the mail.

    Attributes
    ----------
    kind : str
        ``"mbox"``, ``"maildir"``, ``"eml"``, ``"apple"``, ``"thunderbird"`` or ``"pst"``.
    account : str
        A label made of the path's name.
    schema : pyarrow.Schema
        Of every batch, known before the first.
    report : dict
        What ``df.attrs["mailframe"]`` holds: ``account``, ``folders``, ``messages``, ``bytes``,
        ``seconds``, ``connections`` (0), ``skipped`` (what was left out, and why) and ``problems``;
        complete after the last batch.
    """

    kind: str
    unit: str

    def __init__(self, account: str, options: Options) -> None:
        self.account = account
        self._options = options
        self._builder = BatchBuilder(
            account,
            headers=options.headers,
            raw_headers=options.raw_headers,
            beside=[Attachments(lambda parts: parts)] if options.attachments else [],
        )
        self.schema: pa.Schema = self._builder.schema
        self.problems: list[dict[str, Any]] = []
        self.skipped: dict[str, str] = {}
        self.report: dict[str, Any] = {
            "account": account,
            "folders": 0,
            "messages": 0,
            "bytes": 0,
            "seconds": 0.0,
            "connections": 0,
            "skipped": self.skipped,
            "problems": self.problems,
        }
        self._progress = Progress()
        self._batches = self._run()

    @abstractmethod
    def messages(self) -> Iterator[Message]:
        """Yield the source's messages, folder by folder; report what cannot be read."""

    @abstractmethod
    def total(self) -> int:
        """Give what progress counts to, in `unit`."""

    def advance(self, n: int) -> None:
        """Count `n` more units as done."""
        self._progress.update(n)

    def finish(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Mend a batch where the source knows more than its header fields say."""
        return batch

    def problem(self, folder: str, error: Exception | str, text: str) -> None:
        """Record what could not be read, or raise it, as ``errors=`` says.

        Parameters
        ----------
        folder : str
            As shown.
        error : Exception or str
            What failed, or the kind of problem.
        text : str
            A sentence for a person.
        """
        text = showable(text)
        if self._options.errors == "raise":
            cause = error if isinstance(error, Exception) else None
            raise MailframeError(text, account=self.account, folder=folder) from cause
        kind = error if isinstance(error, str) else type(error).__name__
        self.problems.append({"folder": folder, "uids": "", "error": kind, "text": text})

    def unreadable(self, folder: str, name: str, error: Exception) -> None:
        """Record that a file or folder cannot be read."""
        self.problem(folder, error, f"{name} cannot be read: {reason(error)}")

    def block(self, folder: str, name: str, stream: IO[bytes]) -> Block:
        """Read the header block of a file that is one message, and `judge` it."""
        block = read_block(stream, parts=self._options.attachments)
        self.judge(folder, name, block)
        return block

    def judge(self, folder: str, name: str, block: Block) -> None:
        """Record that a header block is damaged, or that it is none."""
        if block.damage:
            self.unreadable(folder, name, block.damage)
        elif not has_field(block.header):
            self.problem(folder, "NoHeader", f"{name} is no message: no header field is in it")

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def close(self) -> None:
        """Stop reading: close the file and the progress display."""
        self._batches.close()

    def _run(self) -> Generator[pa.RecordBatch]:
        began = time.monotonic()
        folders: set[str] = set()
        self._progress = open_progress(
            self._options.progress, unit=self.unit, total=self.total(), desc=self.account
        )
        try:
            for messages in self._grouped():
                batch = by_received(self.finish(self._builder.build(_Rows(messages))))
                folders.update(message.folder for message in messages)
                self.report["folders"] = len(folders)
                self.report["messages"] += len(messages)
                self.report["bytes"] += sum(message.size for message in messages)
                yield batch
        finally:
            self._progress.close()
        self.report["seconds"] = round(time.monotonic() - began, 3)
        self._warn()

    def _grouped(self) -> Iterator[list[Message]]:
        group: list[Message] = []
        octets = 0
        for message in self.messages():
            group.append(message)
            octets += len(message.header)
            if len(group) >= BATCH_ROWS or octets >= BATCH_OCTETS:
                yield group
                group = []
                octets = 0
        if group:
            yield group

    def _warn(self) -> None:
        if self._options.errors != "warn":
            return
        told = [f"left out {name}: it {why}" for name, why in self.skipped.items()]
        if self.problems:
            told.append(first_of([problem["text"] for problem in self.problems]))
        if told:
            warn(f"{self.account}: {'; '.join(told)}; see df.attrs['mailframe']")


def to_frame(reading: Reading) -> pd.DataFrame:
    """Read everything into one DataFrame; its ``attrs["mailframe"]`` is the reading's report."""
    # Only who asks for a frame pays for pandas.
    from mailframe.frame import adapter  # noqa: PLC0415

    # The report is complete when the last batch is out, and taken then.
    return adapter.to_frame(reading, reading.schema, report=reading.report)
