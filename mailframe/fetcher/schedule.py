"""Which session asks for what, and when: decided purely, without I/O.

Work is a list of spans, each a set of UIDs in one folder. The largest folders come first; a folder
too large for one span is cut by UID, so that one INBOX of a million uses every session. A session
keeps a window of spans on the wire: wide enough that no round trip is spent idle, at most its fair
share of what is left, so that all sessions end together.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mailframe.ground.names import SPECIAL_USES, VIEWS
from mailframe.ground.uidset import MAX_UID, UidSet
from mailframe.imap.commands import FLAG_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailframe.imap.responses import Columns, Fetched

# Messages of one FETCH: small enough to share a folder evenly and to lose little with a
# connection, large enough that commands cost nothing.
SPAN = 2_000
# A folder up to this size stays in one piece: an EXAMINE more costs more than it gains.
WHOLE = 4_000

# A session's window. Messages: some 8 MB of headers, two round trips of 50 ms at full speed.
# Folders: their commands must fit the server's socket buffer while it is busy answering.
WINDOW_MESSAGES = 8_000
WINDOW_FOLDERS = 64
# Less work than this, in messages or in commands' worth, is done before a further session is in.
_WORTH_MESSAGES = 1_000
_WORTH_FOLDERS = 32

# Octets of the UIDs in one command line; servers are only sure to take 1,000 for the whole line.
UIDS_OCTETS = 600

# UIDs per message beyond which a large folder's UIDs are looked up before it is cut.
SPARSE = 4


# No folder holds more; a server that says so is asked which they are.
MOST_MESSAGES = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A mailbox as LIST and STATUS told of it; None is what the server left out.

    Parameters
    ----------
    name : str
        To be shown.
    wire : bytes
        As it travels.
    delimiter : str or None
        Between the levels of the hierarchy.
    attributes : frozenset of str
        Lower case, with the backslash.
    """

    name: str
    wire: bytes
    delimiter: str | None = None
    attributes: frozenset[str] = frozenset()
    messages: int | None = None
    unseen: int | None = None
    size: int | None = None
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None

    @property
    def selectable(self) -> bool:
        """Whether it can hold messages."""
        return not self.attributes & {"\\noselect", "\\nonexistent"}

    @property
    def is_view(self) -> bool:
        """Whether it shows messages that other folders hold (RFC 6154, RFC 8457)."""
        return self.special_use in VIEWS

    @property
    def special_use(self) -> str | None:
        r"""Its role (RFC 6154, RFC 8457), such as ``\Sent``; None for an ordinary folder."""
        return next((use for use in SPECIAL_USES if use.lower() in self.attributes), None)

    @property
    def uids(self) -> UidSet:
        """The range that its messages' UIDs lie in."""
        return UidSet.of((1, self.last_uid or MAX_UID))

    @property
    def last_uid(self) -> int | None:
        """The largest UID there can be; a UIDNEXT too small for the messages is not believed."""
        told = self.uidnext
        return told - 1 if told and told > max(1, self.messages or 0) else None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of messages whose rows are held already.

    Parameters
    ----------
    items, modifier : bytes
        Of the FETCH command, see `mailframe.imap.commands`.
    owed : bool
        Every message asked must answer; one that does not is looked for, and asked for whole.
    beside : str
        What it tells beside a header, in the words of a report (``"attachments"``); a message that
        does not answer lacks that, and costs nothing else.
    """

    items: bytes
    modifier: bytes = b""
    owed: bool = False
    beside: str = ""

    @property
    def flags(self) -> bool:
        """Whether it asks for flags, and nothing else."""
        return self.items == FLAG_ITEMS


@dataclass(frozen=True, slots=True)
class Span:
    """UIDs of one folder, to be fetched with one command.

    Parameters
    ----------
    expected : int
        Messages that it will bring, as far as one can tell.
    attempts : int
        How often it was asked for and failed.
    ask : Ask or None
        What is asked for in place of whole rows.
    halves : tuple of Fetched
        Messages that came without some item, or with a header without a field: they are asked for
        that alone, and are rows then, whatever comes.
    listed : bool
        Each UID is known to be there, and is written out, for a server that takes no ranges.
    """

    folder: Folder
    uids: UidSet
    expected: int
    attempts: int = 0
    ask: Ask | None = None
    halves: tuple[Fetched, ...] = ()
    listed: bool = False

    @property
    def written(self) -> bytes:
        """The UIDs as the command has them."""
        return b",".join(b"%d" % uid for uid in self.uids) if self.listed else bytes(self.uids)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A search of one folder that must be answered before its messages can be asked for.

    Parameters
    ----------
    attempts : int
        How often it was asked and failed.
    plain : bool
        Ask in the oldest way: some ESEARCH answers are lost where SEARCH is not.
    control : bool
        Ask for every message, whatever is wanted: it tells whether the server's searches are to be
        believed.
    within : UidSet or None
        Of the messages found, those to be asked for, one by one; every one that is due by default.
    """

    folder: Folder
    attempts: int = 0
    plain: bool = False
    control: bool = False
    within: UidSet | None = None

    @property
    def expected(self) -> int:
        """It brings no messages, but it is work."""
        return 1


Work = Span | Lookup


@dataclass(frozen=True, slots=True)
class Known:
    """What a caller holds already of a folder.

    Parameters
    ----------
    held : UidSet
        Messages whose rows are not wanted again.
    works : tuple of Work
        What to ask, in place of the whole folder.
    items : bytes
        FETCH items of its rows, in place of the query's; empty for those.
    beside : tuple of Ask
        What is asked of each message beside its row, in place of the query's; empty for that.
    lacking : tuple of (Ask, UidSet)
        What of it is asked of held messages.
    """

    held: UidSet = UidSet()  # noqa: RUF009 -- immutable
    works: tuple[Work, ...] | None = None
    items: bytes = b""
    beside: tuple[Ask, ...] = ()
    lacking: tuple[tuple[Ask, UidSet], ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A folder that is likely to have news, and what would be asked of it then.

    Parameters
    ----------
    folder : Folder
        As it is known from an earlier time.
    works : tuple of Span
    items : bytes
        FETCH items of its rows.
    """

    folder: Folder
    works: tuple[Span, ...]
    items: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """What a fetch hands on: rows of one folder, or the news that it is closed.

    Parameters
    ----------
    folder : Folder
    rows : Columns
        Empty where the folder is closed.
    ask : Ask or None
        What they answer, if they are not whole rows.
    closed : bool
        Nothing more of this folder will come; with an ask, nothing more that answers it.
    octets : int
        How much memory the rows take.
    """

    folder: Folder
    rows: Columns
    ask: Ask | None = None
    closed: bool = False
    octets: int = 0


def whole_folder(folder: Folder) -> Iterator[Work]:
    """Cut a whole folder into spans, as evenly as its numbers allow."""
    messages = folder.messages
    if messages == 0:
        return
    last = folder.last_uid
    if messages is None or messages <= WHOLE or last is None:
        yield Span(folder, folder.uids, messages or 1)
        return
    if last >= messages * SPARSE or messages > MOST_MESSAGES:
        yield Lookup(folder)
        return
    parts = -(-messages // SPAN)
    width = -(-last // parts)
    for uids in folder.uids.split(width):
        yield Span(folder, uids, -(-messages // parts))


def known_uids(folder: Folder, uids: UidSet) -> Iterator[Span]:
    """Cut a known set of UIDs into spans that fit a command line."""
    for part in uids.split(SPAN):
        for line in part.lines(UIDS_OCTETS):
            yield Span(folder, line, len(line))


# Octets of a UID and its comma, at the most.
_LONGEST_UID = 11


def listed_uids(folder: Folder, uids: UidSet, attempts: int = 0) -> Iterator[Span]:
    """Cut a known set of UIDs into spans whose lines name each of them."""
    for part in uids.split(UIDS_OCTETS // _LONGEST_UID):
        yield Span(folder, part, len(part), attempts, listed=True)


def halved(folder: Folder, halves: Iterable[Fetched]) -> Iterator[Span]:
    """Ask for what messages lack that came by half."""
    by_uid = {half.uid: half for half in halves if half.uid is not None}
    for uids in UidSet.from_uids(by_uid).lines(UIDS_OCTETS):
        yield Span(folder, uids, len(uids), halves=tuple(by_uid[uid] for uid in uids))


def again(span: Span, delivered: UidSet) -> list[Span]:
    """Plan what a failed span still owes, in halves if it has failed before without any gain.

    An empty list means that nothing is left to ask, or that the one UID left has failed too often
    (`hopeless` tells).
    """
    left = span.uids - delivered
    if not left:
        return []
    gained = bool(span.uids & delivered)
    attempts = 0 if gained else span.attempts + 1
    expected = max(1, span.expected - len(span.uids & delivered))
    rest = replace(span, uids=left, expected=expected, attempts=attempts)
    if attempts < BISECT_AFTER:
        return [rest]
    size = len(left)
    if size == 1:
        return [] if attempts >= GIVE_UP_AFTER else [rest]
    return [
        replace(rest, uids=half, expected=-(-expected // 2), attempts=BISECT_AFTER - 1)
        for half in left.split(-(-size // 2))
    ]


# A span that failed so often without any gain is cut in two; one UID is asked for once more alone.
BISECT_AFTER = 2
GIVE_UP_AFTER = 3


@dataclass(slots=True)
class Load:
    """What one session has on the wire."""

    messages: int = 0
    folders: int = 0

    def add(self, work: Work) -> None:
        """Count work that was sent."""
        self.messages += work.expected
        self.folders += 1

    def remove(self, work: Work) -> None:
        """Count work that was answered."""
        self.messages -= work.expected
        self.folders -= 1


@dataclass(slots=True)
class Schedule:
    """The work that is left, shared among sessions.

    Parameters
    ----------
    sessions : int
        How many sessions share it; the pool keeps it up to date.
    pipelined : bool
        Whether sessions send a command before the last has been answered.
    """

    sessions: int = 1
    pipelined: bool = True  # False: a session could not take a command before it had answered one
    suspected: bool = False  # that sending so has cost a session was tried once
    _queue: deque[Work] = field(default_factory=deque)
    _unfinished: int = 0  # messages expected of all work, on the wire or not
    _open: int = 0  # pieces of work, on the wire or not
    _ended: int = 0

    @property
    def done(self) -> bool:
        """Whether every piece of work has ended."""
        return not self._open

    @property
    def open(self) -> int:
        """Pieces of work that have not ended."""
        return self._open

    @property
    def worth(self) -> int:
        """How many sessions the work is worth; a login takes as long as a thousand messages."""
        return max(-(-self._unfinished // _WORTH_MESSAGES), -(-self._open // _WORTH_FOLDERS))

    @property
    def ended(self) -> int:
        """Grows with each piece of work that ends."""
        return self._ended

    def add_folders(self, plans: Iterable[Iterable[Work]]) -> None:
        """Add folders, each a run of work: views last, for their rows wait for all others."""
        runs = [list(plan) for plan in plans]
        # The largest come first.
        runs.sort(key=lambda run: -sum(work.expected for work in run))
        runs.sort(key=lambda run: bool(run) and run[0].folder.is_view)
        self.add(work for run in runs for work in run)

    def add(self, works: Iterable[Work], *, first: bool = False) -> None:
        """Add work, behind all other or before it."""
        put = self._queue.appendleft if first else self._queue.append
        for work in works:
            put(work)
            self._unfinished += work.expected
            self._open += 1

    def finish(self, work: Work) -> None:
        """Count work as ended, whatever followed from it."""
        self._unfinished -= work.expected
        self._open -= 1
        self._ended += 1

    def take(self, load: Load, *, pipelined: bool = True) -> Work | None:
        """Give a session its next piece of work, or None while it should wait.

        An idle session always gets something if anything is left.
        """
        if not self._queue:
            return None
        if load.folders:
            share = self._unfinished / max(1, self.sessions)
            window = min(WINDOW_MESSAGES, max(share, 1))
            full = load.messages + self._queue[0].expected > window
            if not pipelined or full or load.folders >= WINDOW_FOLDERS:
                return None
        return self._queue.popleft()

    def drain(self) -> list[Work]:
        """End everything that is left, because nobody can do it."""
        left = list(self._queue)
        self._queue.clear()
        for work in left:
            self.finish(work)
        return left
