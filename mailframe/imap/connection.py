"""One IMAP connection as a state machine: tags, capabilities, and the two queues of a pipeline.

Commands wait in ``_queue`` until they may travel and in ``_sent`` until they are answered, oldest
first. The ten rules of pipelining live here as far as one connection can know them; each is named
where it is enforced. Responses that tell of a mailbox belong to the oldest command that asked.

A command is a handle: ``send`` returns a ``Pending`` which fills while data arrive, and is ready
when ``result`` is set.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, count, islice
from typing import TYPE_CHECKING

from mailframe.errors import CommandError, ConnectionLost, ProtocolError
from mailframe.ground.uidset import MAX_UID, UidSet
from mailframe.imap import responses as r
from mailframe.imap.commands import BARRIERS, Command, Kind, Literal
from mailframe.imap.framing import Framer
from mailframe.imap.inflate import Deflated
from mailframe.imap.kept import Kept
from mailframe.imap.limits import DEFAULT_LIMITS, Limits
from mailframe.imap.refusal import LONGEST, Refusal, read_refusal
from mailframe.imap.responses import Columns, Fetched, Status, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailframe.imap.framing import Frame


# Commands that may be answered side by side: no lane has more of one mailbox on the wire. A STATUS
# for each of a hundred thousand folders can be, and is not looked through for every response.
ABREAST = 64

# Lines that made no sense, of which a command keeps the start.
MOST_STRANGE = 10

# Which commands draw which responses, other than rows.
_ASKED_BY: dict[type[r.Response], tuple[str, ...]] = {
    r.Enabled: ("ENABLE",),
    r.Exists: ("EXAMINE",),
    r.Found: ("UID SEARCH",),
    r.Listed: ("LIST",),
    r.MailboxStatus: ("LIST", "STATUS"),
    r.Vanished: ("UID FETCH",),
}


@dataclass(slots=True)
class Mailbox:
    """What EXAMINE told; None is what the server left out."""

    exists: int | None = None
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None


@dataclass(slots=True, eq=False)
class Pending:
    """A command on its way, and what has come back for it.

    Attributes
    ----------
    result : Status or None
        The tagged answer; None while it is awaited.
    responses : list
        What untagged responses told that belong to it, other than rows, until it is taken.
    rows : Columns
        Of a FETCH for headers: the messages so far.
    malformed : set of int
        Of a FETCH: UIDs whose response made no sense; at its end, those too that came by half.
    halves : list of Fetched
        Of a FETCH for whole rows, at its end: messages that came without an item of theirs, or with
        a header that holds no field.
    junk : int
        Responses that made no sense while it was being answered; any may have been for it.
    mailbox : Mailbox
        Of an EXAMINE: what it told.
    challenge : bytes
        Of an AUTHENTICATE: the start of what the server last wanted answered.
    void : bool
        The mailbox it was meant for could not be opened: whatever it brought does not count.
    """

    command: Command
    tag: str
    _kept: Kept
    result: Status | None = None
    responses: list[Told] = field(default_factory=list)
    rows: Columns = field(default_factory=Columns)
    malformed: set[int] = field(default_factory=set)
    halves: list[Fetched] = field(default_factory=list)
    junk: int = 0
    strange: list[bytes] = field(default_factory=list)  # excerpts of the first of them
    mailbox: Mailbox = field(default_factory=Mailbox)
    challenge: bytes = b""
    void: bool = False
    crowded: bool = False  # it was not alone on the wire
    folders: int = 0  # that a LIST has told
    again: bool = False  # it was refused in company, and travels alone now
    _last: int = 0
    _taken: list[list[int]] = field(default_factory=list)
    _seen: set[int] | None = None
    _partial: dict[int, Fetched] = field(default_factory=dict)
    _aside: list[Fetched] = field(default_factory=list)
    _segments: deque[bytes | Literal] = field(default_factory=deque)
    _replies: deque[bytes] = field(default_factory=deque)

    @property
    def ok(self) -> bool:
        """Whether the answer was OK."""
        return self.result is not None and self.result.kind == "OK"

    @property
    def opened(self) -> bool:
        """Of an EXAMINE: whether it opened the mailbox that was planned, not a successor."""
        planned, told = self.command.uidvalidity, self.mailbox.uidvalidity
        return self.ok and (not planned or not told or planned == told)

    def wants(self, uid: int) -> bool:
        """Tell whether a UID was asked for and has not come yet (rule 4, rule 7)."""
        if uid > self._last:
            return uid in self.command.uids
        if self._seen is None:
            self._seen = set(chain(*self._taken, self.rows.uid))
        return uid not in self._seen and uid in self.command.uids

    def add(self, row: Fetched) -> bool:
        """Take a FETCH response: whole rows count, parts wait for their other half.

        Tell whether there is a row more; of a void FETCH, whether one has passed.
        """
        if self.void:
            before, self._last = self._last, max(self._last, row.uid or 0)
            return self._last > before
        row = self._with_other_half(row)
        needs = self.command.needs
        if row.uid is None or (self.wants(row.uid) and (needs is None or row.lacks(needs))):
            self._kept.keep(row)
            self._partial[row.sequence] = row
        elif self.wants(row.uid):
            return self._add_whole(row)
        elif row.header is not None and self.rows.contradicts(row):
            # Two messages claim this UID, and one of them lies: neither counts, nor does a third.
            self.rows.drop(row.uid)
            self.malformed.add(row.uid)
        return False

    def _with_other_half(self, row: Fetched) -> Fetched:
        """Bring together what two responses tell of one message."""
        known = self._partial.pop(row.sequence, None)
        if known is None:
            return row
        if known.uid is not None and row.uid not in {None, known.uid}:
            self._aside.append(known)  # an EXPUNGE came in between: the number is another's now
            return row
        self._kept.let_go([known])
        known.update(row)
        return known

    def _add_whole(self, row: Fetched) -> bool:
        if self.command.headers and quirk_expunged_meanwhile(row):
            return False
        if self.command.whole and row.blank:
            self._kept.keep(row)
            self._aside.append(row)
            return True
        assert row.uid is not None
        self._last = max(self._last, row.uid)
        if self._seen is not None:
            self._seen.add(row.uid)
        self.rows.append(row)
        return True

    def take_rows(self) -> Columns:
        """Hand the rows over; later ones go into a new list."""
        rows, self.rows = self.rows, Columns()
        self._taken.append(rows.uid)
        return rows

    def keep(self, response: Told) -> None:
        """Keep what was told until it is taken."""
        self._kept.keep(response)
        self.responses.append(response)

    def take_responses(self) -> list[Told]:
        """Hand over what was told; from now on it is the caller's."""
        told, self.responses = self.responses, []
        self._kept.let_go(told)
        return told

    def finish(self, result: Status) -> None:
        """Take the tagged answer; nothing but what it says of the command is kept of it."""
        self.result = replace(result, argument=b"")
        halves = [*self._aside, *self._partial.values()]
        self._kept.let_go(halves)
        self._aside.clear()
        self._partial.clear()
        for row in halves:
            if row.uid is None or not self.wants(row.uid):
                continue
            if self.command.whole or self.command.needs is None:
                self.halves.append(row)
            else:
                self.malformed.add(row.uid)

    def start_again(self, tag: str) -> None:
        """Be what was never sent, under another tag."""
        self.tag, self.again, self.crowded = tag, True, False
        self.take_responses()
        self.junk = self.folders = 0
        self.strange.clear()
        self._segments = deque(self.command.segments)
        self._replies = deque(self.command.replies)

    def scan(self, framer: Framer) -> None:
        """Let the fast scanner take ordinary rows off the buffer."""
        if self.void or self._partial or self.command.needs is None or self.command.beside:
            return
        before = len(self.rows)
        self._scan_ranges(framer)
        if self._seen is not None:
            self._seen.update(self.rows.uid[before:])

    def _scan_ranges(self, framer: Framer) -> None:
        rows = partial(r.scan_rows, whole=self.command.whole)
        scan = rows if self.command.headers else r.scan_flags
        for first, last in self.command.uids.ranges:
            if last > self._last:
                framer.position = scan(
                    framer.buffer,
                    framer.position,
                    self.rows,
                    max(self._last, first - 1),
                    last,
                    framer.limits,
                )
                if self.rows.uid:
                    self._last = max(self._last, self.rows.uid[-1])
                if self._last < last:
                    return


def quirk_expunged_meanwhile(row: Fetched) -> bool:
    """Recognise a message that was expunged under the FETCH: every item NIL or 0.

    An empty literal is not NIL: it is what a message says that has none of the fields asked for.
    Source: Dovecot, which then sends EXPUNGE and ``OK [EXPUNGEISSUED]``.
    """
    return bool(row.headless) and not row.internaldate and row.size in (b"0", b"", None)


class Connection:
    """An IMAP connection without its socket.

    Parameters
    ----------
    limits : Limits
        What the server may make us hold.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.capabilities: frozenset[str] = frozenset()
        self._capabilities_told = False
        self.greeting: Status | None = None
        self.bye: Status | None = None
        self.authenticated = False
        self.pipelined = True  # False: one command at a time (rule 6)
        self.enabled: frozenset[str] = frozenset()
        self.junk = 0
        self.culprit: int | None = None  # the message whose response was beyond the limits
        self._torn = r.LAST_MESSAGE  # the message told of last, by its sequence number
        self._refuses_company = False
        self.octets = 0  # that have arrived, as they read where nothing is compressed
        self.garbled = False  # what came compressed could not be read
        self._deflated: Deflated | None = None
        self._limits = limits
        self._framer = Framer(limits)
        self._tags = count(1)
        self._queue: deque[Pending] = deque()
        self._sent: deque[Pending] = deque()
        self._outgoing: list[bytes] = []
        # The FETCH that the last row belonged to, where that was not the oldest: Dovecot answers
        # several of one mailbox in turns, and the scanner goes on with the one whose turn it is.
        self._reading: Pending | None = None
        self._kept = Kept(limits.kept)
        self._unsolicited = 0
        self._weight = 1  # of the response at hand, as one that nobody asked for
        self._hidden: list[str] = []

    # Out ---------------------------------------------------------------------------------------

    def send(self, command: Command) -> Pending:
        """Queue a command; it travels as soon as the rules allow."""
        pending = Pending(command, f"M{next(self._tags)}", self._kept)
        pending._segments.extend(command.segments)  # noqa: SLF001 -- the two halves of one machine
        pending._replies.extend(command.replies)  # noqa: SLF001
        self._queue.append(pending)
        self._advance()
        return pending

    def data_to_send(self) -> bytes:
        """Give what must be written now."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data if self._deflated is None or not data else self._deflated.deflate(data)

    @property
    def in_flight(self) -> int:
        """Commands not yet answered."""
        return len(self._sent) + len(self._queue)

    @property
    def head(self) -> Pending | None:
        """The oldest command on the wire."""
        return self._sent[0] if self._sent else None

    def has(self, capability: str) -> bool:
        """Tell whether the server advertises a capability."""
        return capability in self.capabilities

    def _advance(self) -> None:
        while self._queue and self.greeting is not None:
            pending = self._queue[0]
            if self._sent:
                before = self._sent[-1]
                # COMPRESS may follow others: only what comes behind its answer is compressed.
                follows = pending.command.kind is Kind.COMPRESS or not self._is_barrier(pending)
                if not self.pipelined or self._is_barrier(before) or not follows:
                    return
                before.crowded = pending.crowded = True
            self._queue.popleft()
            self._sent.append(pending)
            self._outgoing.append(pending.tag.encode("ascii") + b" ")
            self._write(pending)
            if pending.command.kind is Kind.LOGIN:
                self._capabilities_told = False

    def _is_barrier(self, pending: Pending) -> bool:
        """Rule 2: these travel alone."""
        command = pending.command
        if command.kind in BARRIERS or command.replies:
            return True
        return any(isinstance(s, Literal) and not self._flows(s) for s in command.segments)

    def _flows(self, literal: Literal) -> bool:
        """Whether a literal may travel without waiting for ``+`` (RFC 7888)."""
        small = len(literal.octets) <= 4096  # noqa: PLR2004 -- LITERAL-'s own bound
        return self.has("LITERAL+") or (small and (self.has("LITERAL-") or self.has("IMAP4REV2")))

    def _write(self, pending: Pending) -> None:
        """Write a command up to its end or to the next literal that must wait."""
        segments = pending._segments  # noqa: SLF001
        while segments:
            segment = segments.popleft()
            if isinstance(segment, Literal):
                flows = self._flows(segment)
                sign = b"+" if flows else b""
                self._outgoing.append(b"{%d%s}\r\n" % (len(segment.octets), sign))
                if not flows:
                    segments.appendleft(segment.octets)
                    return
                self._outgoing.append(segment.octets)
            else:
                self._outgoing.append(segment)
        self._outgoing.append(b"\r\n")

    # In ----------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> list[Pending]:
        """Take what has arrived; return the commands that it finished, in order of their ends.

        Of what came compressed one piece is read; while there is `more`, call with ``b""``.

        Raises
        ------
        ProtocolError
            The server broke the limits or the protocol beyond repair.
        ConnectionLost
            What arrives can no longer be matched with what was sent (rule 8), or be inflated.
        CommandError
            The server says that this connection serves for nothing any more.
        """
        finished: list[Pending] = []
        framer = self._framer
        self._feed(data)
        while True:
            head = self._reading or self.head
            if head is not None and head.command.kind is Kind.FETCH and framer.at_line:
                rows = len(head.rows)
                head.scan(framer)
                if len(head.rows) > rows:
                    self._unsolicited = 0
            frame = self._next_frame()
            if frame is None:
                return finished
            self._weight = 1 + sum(map(len, frame.texts)) // 1024
            response = self._without_secrets(r.read_response(frame))
            if r.is_doubtful(response):
                self._doubt(frame.texts[0][: r.EXCERPT])
            self._handle(response, finished)
            if finished and finished[-1].command.kind is Kind.STARTTLS:
                # Rule 2: what stands behind this answer is not read but an attack; it is told by
                # `drop_plaintext_state`.
                return finished
            if finished and self._deflated is None and self._compresses(finished[-1]):
                rest = framer.take_rest()
                self.octets -= len(rest)
                self._deflated = Deflated()
                self._feed(rest)

    @staticmethod
    def _compresses(pending: Pending) -> bool:
        return pending.command.kind is Kind.COMPRESS and pending.ok

    @property
    def more(self) -> bool:
        """Whether something has arrived that was not read yet, for it came compressed."""
        return self._deflated is not None and self._deflated.more

    def _feed(self, data: bytes) -> None:
        if self._deflated is not None:
            self._deflated.feed(data)
            try:
                data = self._deflated.inflate()
            except ConnectionLost:
                self.garbled = True
                raise
        self.octets += len(data)
        self._framer.feed(data)

    def _next_frame(self) -> Frame | None:
        try:
            return self._framer.next_frame()
        except ProtocolError:
            self.culprit = r.whose(self._framer.started)
            raise

    @property
    def within_response(self) -> bool:
        """Whether a part of a response has come, and not the whole."""
        return self._framer.within

    def receive_eof(self) -> None:
        """Take the end of the stream.

        Raises
        ------
        ConnectionLost
            Commands were still waiting for their answers, or nobody said goodbye.
        """
        said = f": {self.bye.text}" if self.bye and self.bye.text else ""
        raise ConnectionLost(f"the server closed the connection{said}")

    def hang_up(self) -> None:
        """Let go of what has come and was not read: nothing more will be."""
        self._framer.take_rest()
        self._deflated = None

    def drop_plaintext_state(self) -> None:
        """Forget what was told before TLS; called between STARTTLS's OK and the handshake.

        Raises
        ------
        ProtocolError
            The server, or somebody in between, sent more than the OK (rule 2).
        """
        if self._framer.pending or not self._framer.between_frames:
            raise ProtocolError(
                "data arrived between STARTTLS and the TLS handshake; "
                "somebody may be tampering with the connection"
            )
        self.capabilities = frozenset()

    def hide(self, secret: str) -> None:
        """Put stars for a secret wherever the server repeats it in its words."""
        self._hidden.append(secret)

    def _without_secrets(self, response: r.Response) -> r.Response:
        if isinstance(response, Status) and self._hidden:
            response = replace(response, text=self._starred(response.text))
        return response

    def _starred(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return text

    def refusal_of(self, pending: Pending) -> Refusal | None:
        """Give why the server refused a token, as far as it said so."""
        told = read_refusal(pending.challenge)
        if told is None:
            return None
        return Refusal(*map(self._starred, (told.status, told.scope, told.issuer)))

    def _handle(self, response: r.Response, finished: list[Pending]) -> None:
        match response:
            case Status(tag="") if self.greeting is None:
                self._greet(response)
            case _ if self.greeting is None:
                raise ProtocolError(f"this is no IMAP server; it says {_told(response)}")
            case Status(tag=""):
                self._take_untagged_status(response)
            case Status():
                self._finish(response, finished)
            case r.Continuation(text):
                self._continue(text)
            case r.Capability(names):
                self._count_unsolicited()
                self._learn(names)
            case Fetched():
                self._take_row(response)
            case r.Malformed(_, uid):
                self._take_malformed(uid)
            case _:
                self._take_data(response)

    def _greet(self, greeting: Status) -> None:
        self.greeting = greeting
        if greeting.kind == "BYE":
            self.bye = greeting
        self.authenticated = greeting.kind == "PREAUTH"
        self._take_code(greeting)
        self._advance()

    def _take_untagged_status(self, status: Status) -> None:
        self._count_unsolicited()
        if status.kind == "BYE":
            self.bye = status
        self._take_code(status)
        head = self.head
        if head is None:
            return
        if head.command.kind is Kind.EXAMINE and status.argument.isdigit():
            number = int(status.argument[:20])
            if status.code == "UIDVALIDITY":
                head.mailbox.uidvalidity = number
            elif status.code == "UIDNEXT":
                head.mailbox.uidnext = number
            elif status.code == "HIGHESTMODSEQ":
                head.mailbox.highestmodseq = number

    def _take_code(self, status: Status) -> None:
        if status.code == "CAPABILITY":
            self._learn(frozenset(status.argument.decode("ascii", "replace").upper().split()))

    def _learn(self, capabilities: frozenset[str]) -> None:
        self.capabilities = capabilities
        self._capabilities_told = True

    def _finish(self, result: Status, finished: list[Pending]) -> None:
        pending = next((p for p in self._sent if p.tag == result.tag), None)
        if pending is None:
            raise ConnectionLost(
                f"the server answered a command that is not waiting: {result.tag} {result.kind}"
            )
        if is_disconnected(result):
            raise CommandError(
                f"the server has lost its own connection: {result.text}",
                status=result.kind,
                code=result.code,
                text=result.text,
            )
        self._sent.remove(pending)
        self._unsolicited = 0
        if self._blames_company(pending, result):
            pending.start_again(f"M{next(self._tags)}")
            self._queue.insert(sum(other.again for other in self._queue), pending)
            self._advance()
            return
        pending.finish(result)
        if pending is self._reading:
            self._reading = None
        if pending.command.kind is Kind.LOGIN and result.kind == "OK":
            self.authenticated = True
            if not self._capabilities_told:
                self.capabilities = frozenset()
        self._take_code(result)
        finished.append(pending)
        if pending.command.kind is Kind.EXAMINE and not pending.opened:
            finished += self._void_behind()
        self._advance()

    def _blames_company(self, pending: Pending, result: Status) -> bool:
        """Rule 6: after a BAD in company, go on with one command at a time.

        Tell whether the command is to be sent again alone. What reads from a mailbox is not: only
        who planned it knows which mailbox must be open for it.
        """
        if result.kind == "BAD" and pending.crowded:
            self.pipelined = False
            return pending.command.kind is Kind.PLAIN
        if pending.again:
            # Refused alone as well: it was the command, and not its company.
            self._refuses_company |= result.kind != "BAD"
            self.pipelined = self.pipelined or not self._refuses_company
        return False

    def _void_behind(self) -> list[Pending]:
        """Rules 5 and 7: what was queued for a mailbox that is not the planned one is void.

        What had not been sent yet never will be; it is returned, as refused.
        """
        unsent = []
        for pending in (*self._sent, *self._queue):
            kind = pending.command.kind
            if kind is Kind.EXAMINE:
                break
            if kind in (Kind.FETCH, Kind.SEARCH):
                pending.void = True
                if pending in self._queue:
                    pending.result = Status(pending.tag, "NO", text="the folder did not open")
                    unsent.append(pending)
        for pending in unsent:
            self._queue.remove(pending)
        return unsent

    def _continue(self, text: bytes) -> None:
        """Send what the server waits for; a ``+`` that nobody expects is skipped."""
        pending = self._sent[-1] if self._sent else None
        if pending is not None and pending.command.kind is Kind.LOGIN:
            pending.challenge = text[:LONGEST]
        if pending is None:
            self._count_junk()
        elif pending._segments:  # noqa: SLF001
            self._write(pending)
        elif pending._replies:  # noqa: SLF001
            self._outgoing.append(pending._replies.popleft() + b"\r\n")  # noqa: SLF001
        elif pending.command.kind is Kind.LOGIN:
            # A challenge after the last reply says why it refuses (XOAUTH2); an empty line ends it.
            self._outgoing.append(b"\r\n")
        else:
            self._count_junk()

    def answering(self) -> Iterator[Pending]:
        """Give the commands that the server may be answering now.

        The oldest, and those behind it up to an EXAMINE: Dovecot answers FETCH and SEARCH of one
        mailbox side by side, and tells the ends of both when both have ended.
        """
        for pending in islice(self._sent, ABREAST):
            opens = pending.command.kind is Kind.EXAMINE
            if pending is self.head or not opens:
                yield pending
            if opens:
                return

    def _take_row(self, row: Fetched) -> None:
        """Rule 4: a row belongs to a FETCH that asked for it, else it is a flag update."""
        if row.sequence == r.LAST_MESSAGE:
            row.sequence = self._torn
        self._torn = row.sequence
        asked = [
            pending
            for pending in self.answering()
            if pending.command.kind is Kind.FETCH
            and (row.uid is None or row.uid in pending.command.uids)
        ]
        # Of FETCHes side by side, what stands in the row decides.
        with_header = row.header is not None
        asked.sort(key=lambda pending: not _suits(row, pending.command))
        if asked and asked[0].add(row):
            self._reading = asked[0] if with_header else None
            self._unsolicited = 0
        else:
            self._count_unsolicited()

    def _take_malformed(self, uid: int | None) -> None:
        self._count_junk()
        for pending in self.answering():
            if uid is not None and uid in pending.command.uids:
                pending.malformed.add(uid)

    def _doubt(self, excerpt: bytes) -> None:
        """Note that something came that made no sense, for whomever it may have been."""
        for pending in self.answering():
            pending.junk += 1
            if len(pending.strange) < MOST_STRANGE:
                pending.strange.append(excerpt)

    def _take_data(self, response: r.Response) -> None:
        asked_by = _ASKED_BY.get(type(response), ())
        head = next((p for p in self.answering() if p.command.name in asked_by), None)
        if head is None or head.void or not isinstance(response, Told):
            self._count_unsolicited()
        else:
            head.folders += isinstance(response, r.Listed)
            if head.folders > self._limits.folders:
                raise ProtocolError(f"the server listed more than {self._limits.folders:,} folders")
            head.keep(response)
        if head is not None and isinstance(response, r.Exists):
            head.mailbox.exists = response.count
        elif head is not None and isinstance(response, r.Enabled):
            self.enabled |= response.names & head.command.extensions

    def _count_unsolicited(self) -> None:
        self._unsolicited += self._weight
        if self._unsolicited > self._limits.unsolicited:
            raise ProtocolError(
                f"the server sent more than {self._limits.unsolicited:,} responses without a result"
            )

    def _count_junk(self) -> None:
        self.junk += 1
        if self.junk > self._limits.junk:
            raise ProtocolError(
                f"the server sent more than {self._limits.junk:,} lines that are not IMAP"
            )


def _suits(row: Fetched, command: Command) -> bool:
    """Tell whether a row holds what only one of several commands asked for."""
    if command.beside:
        return not row.lacks(command.needs or ())
    return command.headers == (row.header is not None) and row.beside is None


def is_disconnected(result: Status) -> bool:
    """Tell whether a server says of itself that it can do nothing more on this connection.

    Source: Exchange, ``BAD User is authenticated but not connected.``; Outlook, which says the same
    in ``OK [Error="..."]`` and refuses every command from then on.
    """
    refused = result.kind != "OK" and "authenticated but not connected" in result.text.lower()
    return refused or (result.kind == "OK" and result.code.startswith('ERROR="'))


def _told(response: r.Response) -> str:
    """Quote a bad line, in so far as it is kept."""
    line = response.excerpt if isinstance(response, r.Malformed) else repr(response).encode()
    return repr(line[: r.EXCERPT].decode("ascii", "replace"))


def found(responses: Iterable[r.Response]) -> UidSet | None:
    """Unite the UIDs of all SEARCH responses; None where there is none."""
    answers = [one.uids for one in responses if isinstance(one, r.Found)]
    if not answers:
        return None
    ranges = [pair for uids in answers for pair in uids.ranges if pair[1] <= MAX_UID]
    return UidSet.of(*ranges)


def vanished(responses: Iterable[r.Response]) -> UidSet:
    """Unite the UIDs of all VANISHED responses."""
    return UidSet.union(one.uids for one in responses if isinstance(one, r.Vanished))
