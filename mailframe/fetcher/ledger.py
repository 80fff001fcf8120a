"""What each folder owes: which UIDs were delivered, what failed, what to ask again. No I/O.

The pool tells the ledger how each piece of work ended; the ledger answers with the work that
follows and keeps the problems. A folder is closed only when its count is right: where fewer
messages came than the server said there are, a search names the missing ones, and they are asked
for once more, alone. What is missing then, and still there, is a problem, told with its UIDs.

What is asked for beside the rows (an `Ask` with ``beside``) travels right behind them, in commands
of its own. Before a folder is closed, messages that have not told it are asked once more; of those
that do not tell it then the rows stand, and whoever has the rows sees what they lack.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from mailframe.errors import (
    AuthenticationError,
    CommandError,
    FolderError,
    ProtocolError,
    ReadTimeout,
    ThrottledError,
    TransportError,
)
from mailframe.fetcher.schedule import (
    BISECT_AFTER,
    MOST_MESSAGES,
    Ask,
    Folder,
    Known,
    Lookup,
    Span,
    Work,
    again,
    known_uids,
    listed_uids,
    whole_folder,
)
from mailframe.ground.uidset import UidSet
from mailframe.imap.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mailframe.errors import MailframeError
    from mailframe.imap.connection import Mailbox

# Missing messages up to this many are asked for one by one, so that a bad one harms no other.
ALONE = 100

# Parts in which messages were delivered, before they are united to be looked through. In a folder
# with many gaps a union costs a tenth of a second.
MANY_PARTS = 1_000

# A lookup that failed so often makes its folder a problem.
LOOKUP_TRIES = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Messages, a folder or (without a folder) something wider that could not be read."""

    folder: str | None
    uids: str
    error: str
    text: str

    def as_dict(self) -> dict[str, str | None]:
        """Give plain JSON types."""
        return asdict(self)


# A server's silence costs a minute each time, other failures next to nothing.
COST_OF_SILENCE = 6


def cost(error: MailframeError) -> int:
    """Weigh a failure against `Limits.barren`."""
    return COST_OF_SILENCE if isinstance(error, ReadTimeout) else 1


@dataclass(slots=True)
class Failures:
    """Failures in a row: what is gained in between ends the row."""

    _cost: int = 0
    _gained: int = 0

    def are_too_many(self, limit: int, error: MailframeError, gained: int) -> bool:
        """Count a failure, and hold the row against a limit; ``gained`` is all that came so far."""
        self._cost = 0 if gained > self._gained else self._cost + cost(error)
        self._gained = gained
        return self._cost > limit


@dataclass(slots=True)
class Told:
    """Which messages of a folder have told what is asked for beside their rows.

    Attributes
    ----------
    again : bool
        Those that had not were asked once more.
    lost : UidSet
        Those that cannot.
    mute : bool
        The server does not tell it: nothing more is asked.
    gained : int
        How many have, those that told it twice counted twice.
    """

    again: bool = False
    lost: UidSet = UidSet()  # noqa: RUF009 -- immutable
    mute: bool = False
    gained: int = 0
    failures: Failures = field(default_factory=Failures)
    _parts: list[UidSet] = field(default_factory=list)

    @property
    def uids(self) -> UidSet:
        """All that have."""
        united = UidSet.union(self._parts)
        self._parts = [united]
        return united

    def add(self, uids: list[int]) -> None:
        """Note some that have."""
        self.gained += len(uids)
        self._parts.append(UidSet.from_uids(uids))


@dataclass(slots=True)
class Entry:
    """One folder's state.

    Attributes
    ----------
    known : Known
        What the caller holds already.
    open : int
        Pieces of work not yet ended.
    sought : UidSet or None
        The messages due, once a search has named them; till then ``exists`` counts them.
    lost : UidSet
        Given up, and told as problems.
    mute : UidSet
        Not asked any more for what is lacking of messages that are held.
    broken : set of int
        UIDs whose response made no sense.
    garbled : bool
        Something came that made no sense, and may have been a message.
    verified : bool
        What was missing has been looked up and asked for again.
    confirmed : bool
        What was missing even then has been looked up: it may have been expunged meanwhile.
    vanished : UidSet
        Expunged since the caller last asked (RFC 7162).
    doubtful : bool
        Something that was asked of held messages has not come.
    phantoms : int
        So many more messages does a search for all of them name than the folder holds.
    flagless, blank : UidSet
        Rows of which the server told no flags, or a header without a field.
    controlled : bool
        Every message was searched for, to see whether what is missing is there.
    unlisted : bool
        No search names the messages of a range that was refused.
    tried, tried_until : UidSet, int
        Messages that were asked for alone; others will be once there are so many rows.
    told : dict of Ask to Told
        What came of that which is asked for beside the rows.
    settled : bool
        No more rows will come.
    """

    folder: Folder
    known: Known = Known()  # noqa: RUF009 -- immutable
    open: int = 0
    rows: int = 0
    exists: int | None = None
    sought: UidSet | None = None
    lost: UidSet = UidSet()  # noqa: RUF009 -- immutable
    mute: UidSet = UidSet()  # noqa: RUF009 -- immutable
    broken: set[int] = field(default_factory=set)
    verified: bool = False
    confirmed: bool = False
    garbled: bool = False
    resets: int = 0
    failed: bool = False
    vanished: UidSet = UidSet()  # noqa: RUF009 -- immutable
    doubtful: bool = False
    phantoms: int = 0
    flagless: UidSet = UidSet()  # noqa: RUF009 -- immutable
    blank: UidSet = UidSet()  # noqa: RUF009 -- immutable
    controlled: bool = False
    unlisted: bool = False
    tried: UidSet = UidSet()  # noqa: RUF009 -- immutable
    tried_until: int = 0
    told: dict[Ask, Told] = field(default_factory=dict)
    settled: bool = False
    failures: Failures = field(default_factory=Failures)
    _parts: list[UidSet] = field(default_factory=list)
    _owed: UidSet = UidSet()  # noqa: RUF009 -- immutable
    _answered: list[UidSet] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.known.held:
            self.rows = len(self.known.held)
            self._parts = [self.known.held]
        owed = [w for w in self.known.works or () if isinstance(w, Span) and w.ask and w.ask.owed]
        self._owed = UidSet.union(work.uids for work in owed)

    @property
    def checks(self) -> int:
        """How often what came has been held against what is there."""
        return self.verified + self.confirmed

    @property
    def done(self) -> UidSet:
        """All UIDs delivered so far."""
        united = UidSet.union(self._parts)
        self._parts = [united]
        return united

    def delivered(self, asked: UidSet) -> UidSet:
        """Which of the UIDs asked for were delivered so far, at the cost of these alone."""
        if len(self._parts) > MANY_PARTS:
            self._parts = [self.done]
        near = (part.within(asked.first, asked.last) for part in self._parts)
        return UidSet.union(near) & asked

    def deliver(self, uids: list[int]) -> None:
        """Note rows that were handed on."""
        self.rows += len(uids)
        first, last = min(uids), max(uids)  # they may come in any order
        dense = last - first + 1 == len(uids)
        self._parts.append(UidSet(((first, last),)) if dense else UidSet.from_uids(uids))

    def answer(self, uids: list[int]) -> None:
        """Note held messages that gave what they owed."""
        self._answered.append(UidSet.from_uids(uids))

    def disown_mute(self) -> bool:
        """Hold no message for delivered that still owes an answer; tell whether there is one."""
        answered = UidSet.union(self._answered)
        mute = self._owed - answered - self.vanished
        self._owed, self._answered = UidSet(), []
        if mute:
            self._parts = [self.done - mute]
            self.rows -= len(mute)
        return bool(mute)

    @property
    def short(self) -> bool:
        """Whether fewer messages came than there should be, or nobody said how many."""
        if self.sought is not None:
            return bool(self.sought - self.done - self.lost)
        gone = len(self.known.held & self.vanished)
        told = [count for count in (self.exists, self.folder.messages) if count is not None]
        return not told or self.rows - gone + len(self.lost) < max(told)


class Ledger:
    """Bookkeeping of a fetch over folders.

    Parameters
    ----------
    search : bool
        Whether only messages that a search finds are wanted.
    newest : int, optional
        At most so many a folder, the largest UIDs.
    barren : int
        Failures in a row without a row before a folder is given up.
    beside : sequence of Ask
        What is asked of every row beside it.
    """

    def __init__(
        self,
        *,
        search: bool = False,
        newest: int | None = None,
        barren: int = DEFAULT_LIMITS.barren,
        beside: Sequence[Ask] = (),
    ) -> None:
        self.problems: list[Problem] = []
        self.errors: list[MailframeError] = []
        self.events: Counter[str] = Counter()
        self._search = search
        self._newest = newest
        self._barren = barren
        self._beside = tuple(beside)
        self._silent: Counter[Ask] = Counter()  # failures since anything was told, anywhere
        self._muted: list[tuple[Folder, Ask]] = []
        self._entries: dict[bytes, Entry] = {}
        self._closed: list[Folder] = []
        self._replaced: dict[str, UidSet] = {}

    def entry(self, folder: Folder) -> Entry:
        """Return what is known of a folder's fetch."""
        return self._entries[folder.wire]

    def take_closed(self) -> list[Folder]:
        """Hand over the folders of which nothing more is due, each once."""
        closed, self._closed = self._closed, []
        return closed

    def take_muted(self) -> list[tuple[Folder, Ask]]:
        """Hand over what will no more be told in which folder, each once."""
        muted, self._muted = self._muted, []
        return muted

    def open_folder(self, folder: Folder, known: Known = Known()) -> list[Work]:  # noqa: B008 -- immutable
        """Plan a folder from the start."""
        many = self._newest is not None and (
            folder.messages is None or folder.messages > self._newest
        )
        beside = known.beside or self._beside
        if known.works is not None:
            works = list(_and_beside(known.works, beside))
        elif folder.messages == 0:
            works = []
        elif self._search or many:
            works = [Lookup(folder)]
        else:
            works = list(_and_beside(whole_folder(folder), beside))
        resets = self._entries[folder.wire].resets if folder.wire in self._entries else 0
        told = {ask: Told() for ask in beside}
        self._entries[folder.wire] = Entry(folder, known, open=len(works), resets=resets, told=told)
        if not works:
            self._closed.append(folder)
        return works

    def wants(self, work: Work) -> bool:
        """Tell whether work is still of use: its folder has neither failed nor been replaced.

        Nor does the server refuse what it asks for beside the rows.
        """
        ask = _beside(work)
        mute = ask is not None and (self._told(work, ask).mute or self._is_mute(ask))
        return self._is_open(work) and not mute

    def _is_open(self, work: Work) -> bool:
        entry = self._entries[work.folder.wire]
        return not entry.failed and entry.folder is work.folder

    def _is_mute(self, ask: Ask) -> bool:
        return self._silent[ask] > self._barren

    def _told(self, work: Work, ask: Ask) -> Told:
        return self._entries[work.folder.wire].told.setdefault(ask, Told())

    def deliver(self, work: Work, uids: list[int]) -> None:
        """Note rows that were handed on."""
        entry = self._entries[work.folder.wire]
        ask = _beside(work)
        if ask is not None:
            self._told(work, ask).add(uids)
            self._silent[ask] = 0
        elif not _asks(work):
            entry.deliver(uids)
        elif isinstance(work, Span) and work.ask and work.ask.owed:
            entry.answer(uids)

    def vanished(self, work: Work, uids: UidSet) -> None:
        """Note messages that are said to be expunged."""
        entry = self._entries[work.folder.wire]
        if uids:  # a union costs all that have vanished so far
            entry.vanished |= uids

    def untold(self, work: Work, flagless: Iterable[int], blank: Iterable[int]) -> None:
        """Note rows that lack their flags or their header for good."""
        entry = self._entries[work.folder.wire]
        entry.flagless |= UidSet.from_uids(flagless)
        entry.blank |= UidSet.from_uids(blank)
        entry.doubtful |= bool(entry.flagless)

    def lost(self, work: Work, uids: UidSet, error: MailframeError) -> None:
        """Give messages up at once."""
        entry = self._entries[work.folder.wire]
        ask = _beside(work)
        if ask is not None:
            self._told(work, ask).lost |= uids
            return
        if _asks(work):
            entry.mute |= uids
            entry.doubtful = True
            uids &= entry.known.held  # a range of them names others as well
        else:
            entry.lost |= uids
        if uids:
            self._note(work.folder.name, str(uids), error)

    # How work ended; each gives the work that follows ----------------------------------------

    def finished(
        self,
        work: Span,
        mailbox: Mailbox,
        broken: Iterable[int],
        *,
        garbled: bool = False,
        following: Iterable[Work] = (),
    ) -> list[Work]:
        """Take a tagged OK.

        Parameters
        ----------
        broken : iterable of int
            UIDs whose response made no sense.
        garbled : bool
            Whether there was something that made no sense at all.
        following : iterable of Work
            What must be asked for now.
        """
        entry = self._entries[work.folder.wire]
        if _beside(work) is not None:
            return self._replace(work, [])
        entry.garbled |= garbled
        entry.exists = mailbox.exists
        if work.ask is None:
            entry.broken |= set(broken)
        elif broken:
            entry.doubtful = True
            if work.ask.flags:
                entry.flagless |= UidSet.from_uids(broken) & entry.known.held
        return self._replace(work, following)

    def instead(self, work: Work, *following: Work) -> list[Work]:
        """Ask for the same in another way."""
        return self._replace(work, following)

    def looked_up(self, work: Lookup, uids: UidSet, exists: int | None = None) -> list[Work]:
        """Take the UIDs that a search found; ``exists`` counts all messages of the folder."""
        entry = self._entries[work.folder.wire]
        if (work.control or not self._search) and exists is not None:
            # quirk: SEARCH lists numbers that are no UIDs. Source: iCloud.
            entry.phantoms = max(0, len(uids) - exists)
        if work.control and entry.sought is None:
            uids = UidSet()  # the server answers searches, and this one found nothing
        if work.within is not None:
            wanted = (uids & work.within) - entry.done - entry.lost
            return self._replace(work, listed_uids(work.folder, wanted))
        if entry.confirmed and entry.sought is not None:
            entry.sought &= uids
            return self._replace(work, [])
        if self._newest is not None:
            uids = uids.newest(self._newest)
        if len(uids) > MOST_MESSAGES:
            text = f"{work.folder.name}: the server claims to hold {len(uids):,} messages"
            self.folder_failed(work, ProtocolError(text))
            return []
        entry.sought = uids
        missing = uids - entry.done - entry.lost
        if entry.verified and len(missing) <= ALONE:
            entry.tried, entry.tried_until = missing, entry.rows + 1
            return self._replace(work, _alone(work.folder, missing))
        beside = entry.known.beside or self._beside
        return self._replace(work, _and_beside(known_uids(work.folder, missing), beside))

    def refused(self, work: Work, error: MailframeError) -> list[Work]:
        """Take a tagged NO or BAD: rows that came stay, the rest is asked for again."""
        ask = _beside(work)
        if isinstance(work, Span) and ask is not None:
            return self._refused_beside(work, ask, error)
        return self._refused(work, error)

    def _refused(self, work: Work, error: MailframeError) -> list[Work]:
        entry = self._entries[work.folder.wire]
        if isinstance(work, Lookup):
            if work.attempts + 1 < LOOKUP_TRIES:
                return self._replace(work, [replace(work, attempts=work.attempts + 1)])
            return self.lookup_failed(work, error)
        done = entry.mute if work.ask else entry.delivered(work.uids) | entry.lost
        left = work.uids - done
        if left and not entry.unlisted and _refuses_ranges(work, error):
            if work.ask is None:
                return self._replace(work, [Lookup(work.folder, within=left)])
            held = list(listed_uids(work.folder, left & entry.known.held))
            return self._replace(work, [replace(span, ask=work.ask) for span in held])
        if entry.failures.are_too_many(self._barren, error, entry.rows):
            self.folder_failed(work, error)
            return []
        rest = again(work, done)
        if left and not rest:
            self.lost(work, left, error)
        return self._replace(work, rest)

    def _refused_beside(self, work: Span, ask: Ask, error: MailframeError) -> list[Work]:
        """Ask again for what was refused beside the rows, until it is one message's fault."""
        entry, told = self._entries[work.folder.wire], self._told(work, ask)
        # To open another connection costs more than to ask again.
        self._silent[ask] += 2 * cost(error) if isinstance(error, TransportError) else cost(error)
        if told.failures.are_too_many(self._barren, error, told.gained) or self._is_mute(ask):
            told.mute = True
            self._muted.append((entry.folder, ask))
            return self._replace(work, [])
        left = work.uids - told.uids
        if left and _refuses_ranges(work, error):
            # Rows that have not come are asked in the end.
            named = listed_uids(work.folder, left & entry.done)
            return self._replace(work, [replace(span, ask=ask) for span in named])
        return self._replace(work, again(work, told.uids & work.uids))

    def dropped(self, work: Work) -> list[Work]:
        """Take work back that is of no use any more; tell what follows in its folder."""
        return self._replace(work, []) if self._is_open(work) else []

    def lookup_failed(self, work: Lookup, error: MailframeError) -> list[Work]:
        """Give up a search: its folder with it, unless it was only to name what ranges ask for."""
        if work.within is None:
            self.folder_failed(work, error)
            return []
        self._entries[work.folder.wire].unlisted = True
        span = Span(work.folder, work.within, min(len(work.within), ALONE), BISECT_AFTER)
        return self._replace(work, [span])

    def returned(self, work: Work) -> list[Work]:
        """Take back innocent work: what it still owes, without a mark against it."""
        if isinstance(work, Lookup):
            return [work]
        entry = self._entries[work.folder.wire]
        ask = _beside(work)
        if ask is not None:
            told = self._told(work, ask)
            left = work.uids - told.uids - told.lost
            return self._replace(work, [replace(work, uids=left)] if left else [])
        done = entry.mute if work.ask else entry.delivered(work.uids) | entry.lost
        left = work.uids - done
        return self._replace(work, [replace(work, uids=left)] if left else [])

    def folder_failed(self, work: Work, error: MailframeError) -> None:
        """Give a folder up."""
        entry = self._entries[work.folder.wire]
        if not entry.failed and entry.folder is work.folder:
            entry.failed = True
            self._close(entry)
            self._note(work.folder.name, "", error)

    def replaced(self, work: Work, mailbox: Mailbox) -> list[Work]:
        """Start a folder again whose UIDVALIDITY is not the planned one."""
        entry = self._entries[work.folder.wire]
        if entry.folder is not work.folder:
            return []
        self.events["uidvalidity_changed"] += 1
        entry.resets += 1
        if entry.known.works is None and entry.done:
            name = work.folder.name
            self._replaced[name] = self._replaced.get(name, UidSet()) | entry.done
        return self.open_folder(
            replace(
                work.folder,
                # A server that gives another one each time is taken as it is, the second time.
                uidvalidity=mailbox.uidvalidity if entry.resets == 1 else None,
                uidnext=mailbox.uidnext,
                messages=mailbox.exists,
                unseen=None,
                highestmodseq=mailbox.highestmodseq,
            ),
            Known(items=entry.known.items, beside=entry.known.beside),
        )

    def tell_replaced(self) -> None:
        """Make problems of rows that were handed on before their folder was replaced.

        For whoever cannot drop them: they must know.
        """
        for name, uids in self._replaced.items():
            text = (
                f"{name} was replaced while it was read; rows of its former messages came as well"
            )
            self._note(name, str(uids), FolderError(text, folder=name))

    def abandoned(self, works: Iterable[Work], error: MailframeError) -> None:
        """Give up what no session is left to do: one problem a folder."""
        for work in works:
            ask = _beside(work)
            if ask is None:
                following: list[Work] = [work]
            else:
                self._told(work, ask).mute = True
                following = self.dropped(work)
            for left in following:
                if self.wants(left):
                    self.folder_failed(left, error)

    def expire(self, error: MailframeError) -> None:
        """Give up every folder that is not complete."""
        for entry in self._entries.values():
            if entry.open and not entry.failed:
                entry.failed = True
                self._close(entry)
                self._note(entry.folder.name, "", error)

    def locked_out(self, error: MailframeError) -> None:
        """Give up every folder that is not complete, and tell that once."""
        left = [entry for entry in self._entries.values() if entry.open and not entry.failed]
        for entry in left:
            entry.failed = True
            self._close(entry)
        names = ", ".join(entry.folder.name for entry in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""  # noqa: PLR2004 -- as named
        text = f"{error}; not read to their end: {names}{more}"
        self._note(None, "", AuthenticationError(text, account=error.account))

    # -----------------------------------------------------------------------------------------

    def _replace(self, work: Work, following: Iterable[Work]) -> list[Work]:
        """End one piece of work, opening those that follow; check the folder after the last."""
        entry = self._entries[work.folder.wire]
        works = list(following)
        entry.open += len(works) - 1
        if entry.open or not self._is_open(work):
            return works
        works = self._rows_that_lack(entry)
        if not works:
            works = self._beside_that_lacks(entry)
        entry.open = len(works)
        if not works:
            self._close(entry)
        return works

    def _rows_that_lack(self, entry: Entry) -> list[Work]:
        """Check the rows of a folder, once nothing more is asked; tell what to do for others."""
        if entry.settled:
            return []
        mute = entry.disown_mute()
        if not entry.verified and (mute or entry.short or entry.broken or entry.garbled):
            entry.verified = True
            self.events["verified"] += 1
            return [Lookup(entry.folder)]
        if entry.verified and entry.sought is not None:
            missing = entry.sought - entry.done - entry.lost
            following = self._check_missing(entry, missing) if missing else []
            if following:
                return following
            self._note_missing(entry, missing)
        entry.settled = True
        return []

    def _beside_that_lacks(self, entry: Entry) -> list[Work]:
        """Ask once more for what rows lack that is told beside them."""
        works: list[Work] = []
        for ask, told in entry.told.items():
            if told.again or told.mute or self._is_mute(ask):
                continue
            told.again = True
            lacking = self._lacking(entry, ask) - told.lost
            if len(lacking) <= ALONE:
                spans = _alone(entry.folder, lacking)
            else:
                spans = list(known_uids(entry.folder, lacking))
            works += (replace(span, ask=ask) for span in spans)
        return works

    def _lacking(self, entry: Entry, ask: Ask) -> UidSet:
        """Tell which rows lack what was asked for beside them."""
        asked = ask in (entry.known.beside or self._beside)
        new = entry.done - entry.known.held if asked else UidSet()
        held = (uids for lacks, uids in entry.known.lacking if lacks == ask)
        return UidSet.union((new, *held)) - entry.told[ask].uids - entry.vanished

    def _check_missing(self, entry: Entry, missing: UidSet) -> list[Work]:
        """Tell how to find out whether what a search names and no FETCH brings is there at all."""
        if not entry.confirmed:
            entry.confirmed = True
            return [Lookup(entry.folder)]
        # quirk: rows that are left out of ranges come one by one. Source: Exmail.
        untried = missing - entry.tried
        if untried and entry.rows >= entry.tried_until:
            some = untried.newest(ALONE)
            entry.tried |= some
            entry.tried_until = entry.rows + 1
            return [*_alone(entry.folder, some)]
        if self._search and not entry.controlled:
            entry.controlled = True
            return [Lookup(entry.folder, control=True)]
        return []

    def _close(self, entry: Entry) -> None:
        """Close a folder, and tell what its rows lack."""
        self._closed.append(entry.folder)
        name = entry.folder.name
        if entry.flagless:
            text = (
                f"{name}: the server does not tell the flags of these messages; unread is a guess"
            )
            self._note(name, str(entry.flagless), ProtocolError(text))
        if entry.blank:
            text = f"{name}: the server gives these messages a header without a single field"
            self._note(name, str(entry.blank), ProtocolError(text))

    def _note_missing(self, entry: Entry, missing: UidSet) -> None:
        name = entry.folder.name
        broken = [uid for uid in entry.broken if uid in missing]
        for uid in sorted(broken):
            text = f"the server's answer for message {uid} makes no sense"
            self._note(name, str(uid), ProtocolError(text))
        silent = missing - UidSet.from_uids(broken)
        if 0 < len(silent) <= entry.phantoms:
            self.events["phantom_uids"] += len(silent)
        elif silent:
            text = f"the server lists messages of {name} that it does not deliver"
            self._note(name, str(silent), FolderError(text, folder=name))

    def _note(self, folder: str | None, uids: str, error: MailframeError) -> None:
        error.folder = error.folder or folder
        self.errors.append(error)
        self.problems.append(Problem(folder, uids, type(error).__name__, str(error)))


def _refuses_ranges(work: Span, error: MailframeError) -> bool:
    """Tell whether the same UIDs are to be asked for by name, before any of them is suspected.

    Source: QQ, ``BAD Sequence set is invalid!``, for a range that holds UIDs of no message.
    """
    if not isinstance(error, CommandError) or isinstance(error, ThrottledError):
        return False
    ranged = not work.listed and len(work.uids) > 1
    return ranged and (error.status == "BAD" or work.attempts + 1 >= BISECT_AFTER)


def _and_beside(works: Iterable[Work], beside: Iterable[Ask]) -> Iterator[Work]:
    """Let what is asked for beside rows travel right behind what asks for these."""
    for work in works:
        yield work
        if isinstance(work, Span) and work.ask is None:
            yield from (replace(work, ask=ask) for ask in beside)


def _beside(work: Work) -> Ask | None:
    """Tell what work asks for beside rows, if it does."""
    return work.ask if isinstance(work, Span) and work.ask is not None and work.ask.beside else None


def _alone(folder: Folder, uids: UidSet) -> list[Span]:
    return [Span(folder, UidSet.of((uid, uid)), 1) for uid in uids]


def _asks(work: Work) -> bool:
    """Whether work is about messages whose rows are held already."""
    return isinstance(work, Span) and work.ask is not None
