"""Frames into typed responses (RFC 9051 §7, RFC 4731, RFC 5162, RFC 5464's kin are left out).

A table of readers, one a response name. Bad data is data: a reader that cannot make sense of a
well-framed response returns ``Malformed``, which costs that response alone. Every deviation that
is tolerated has a function whose name begins with ``quirk_`` and whose docstring says who does it.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mailframe.ground.names import showable
from mailframe.ground.patterns import compile_pattern
from mailframe.ground.uidset import UidSet
from mailframe.imap.grammar import (
    Escaped,
    String,
    Value,
    as_number,
    as_text,
    is_nil,
    parse_values,
    quirk_exponent,
)
from mailframe.imap.items import STRUCTURE, beside, tells_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mailframe.imap.framing import Frame
    from mailframe.imap.limits import Limits


@dataclass(frozen=True, slots=True)
class Status:
    """``OK``, ``NO``, ``BAD``, ``BYE`` or ``PREAUTH``, tagged or not (``tag`` is empty)."""

    tag: str
    kind: str
    code: str = ""
    argument: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """``+``: the server waits for the rest of a command."""

    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Capability:
    """The server's capabilities, upper case."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """One mailbox of a LIST: its name as it travels, and its attributes, lower case."""

    name: bytes
    delimiter: bytes | None
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """STATUS of one mailbox: those of its items that we ask for, where they are numbers."""

    name: bytes
    items: dict[str, int]


@dataclass(frozen=True, slots=True)
class Exists:
    """Messages in the selected mailbox."""

    count: int


@dataclass(frozen=True, slots=True)
class Expunged:
    """A message left the selected mailbox: EXPUNGE, by sequence number."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Vanished:
    """Messages left the selected mailbox: VANISHED (RFC 7162), by UID."""

    uids: UidSet
    earlier: bool


@dataclass(frozen=True, slots=True)
class Found:
    """UIDs of a SEARCH or ESEARCH."""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class Enabled:
    """Extensions switched on by ENABLE, upper case."""

    names: frozenset[str]


@dataclass(slots=True)
class Fetched:
    """What one FETCH response told of one message; None is an item that it did not tell.

    ``header`` is the text of ``BODY[HEADER…]``; ``b""`` where the server said NIL, and
    ``headless`` is true then. ``structure`` and ``extras`` are whole texts that
    `mailframe.imap.items` reads: one with a BODYSTRUCTURE, and one with other items beside.
    """

    sequence: int
    uid: int | None = None
    flags: bytes | None = None
    internaldate: bytes | None = None
    size: bytes | None = None
    header: bytes | None = None
    headless: bool | None = None
    modseq: int | None = None
    structure: bytes | None = None
    extras: bytes | None = None

    @property
    def beside(self) -> bytes | None:
        """What it tells beside a header."""
        return self.extras if self.structure is None else self.structure

    @property
    def blank(self) -> bool:
        """Whether the header block holds no field: what some servers say for any selection."""
        return self.header is None or is_blank(self.header)

    def lacks(self, items: Iterable[str]) -> bool:
        """Tell whether one of these items has not been told."""
        return any(getattr(self, item) is None for item in items)

    def update(self, other: Fetched) -> None:
        """Take over what another response told of the same message."""
        for name in _ITEMS:
            value = getattr(other, name)
            if value is not None:
                setattr(self, name, value)


_ITEMS = (
    *("uid", "flags", "internaldate", "size", "header", "headless", "modseq"),
    *("structure", "extras"),
)

# Line ends, and no more: what a header block without a field is made of.
_BLANK = 8


def is_blank(header: bytes) -> bool:
    """Tell whether a header block holds no field."""
    return len(header) <= _BLANK and not header.strip()


@dataclass(frozen=True, slots=True)
class Other:
    """A response that a reader of headers has no use for, or that nobody knows."""

    name: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A response that makes no sense; ``uid`` where it still says whose it was."""

    excerpt: bytes
    uid: int | None = None


Response: TypeAlias = (
    Status
    | Continuation
    | Capability
    | Listed
    | MailboxStatus
    | Exists
    | Expunged
    | Vanished
    | Found
    | Enabled
    | Fetched
    | Other
    | Malformed
)

# What a command holds until its caller takes it.
Told: TypeAlias = Listed | MailboxStatus | Found | Vanished

STATUS_KINDS = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})

# How much of a bad line, and of a server's own words, is kept for errors and reports.
EXCERPT = 120
LONGEST_TEXT = 300
# A response code with all it holds, CAPABILITY's and PERMANENTFLAGS' words among it.
LONGEST_CODE = 1 << 16

# Octets of a line whose values are read, however many: a value takes many times its octets in
# memory. A longer line may hold a few, for a set of UIDs is one value.
LONGEST_VALUES = 1 << 20
FEW_VALUES = 100

_TAGGED = re.compile(rb"([A-Za-z0-9.]{1,32}) (OK|NO|BAD) (.*+)", re.IGNORECASE | re.DOTALL)
_UNTAGGED = re.compile(rb"\* (?:(\d{1,20}) )?([A-Za-z-]++)(?: |\Z)(.*+)", re.DOTALL)
_CODE = re.compile(rb"\[([^\] ]{1,64})(?: ([^\]]*+))?\] ?+")
_NUMBER = re.compile(rb"\b[1-9]\d{0,9}\b")
_BROKEN_UID = re.compile(rb"\bUID (\d{1,10})\b", re.IGNORECASE)


def read_response(frame: Frame) -> Response:
    """Type one frame; never raises."""
    line = frame.texts[0]
    if line.startswith(b"*"):
        return _read_untagged(frame, line)
    if line.startswith(b"+"):
        return Continuation(line[1:].strip())
    if _LOOSE.match(line):
        return quirk_loose_items(frame)
    tagged = _TAGGED.fullmatch(line) or quirk_no_text(line)
    if tagged is not None and not frame.literals:
        tag, kind, rest = tagged.groups(b"")
        return _read_status(tag.decode("ascii"), kind.decode("ascii").upper(), rest)
    return Malformed(line[:EXCERPT])


def _read_untagged(frame: Frame, line: bytes) -> Response:
    match = _UNTAGGED.fullmatch(line) or quirk_odd_spaces(line)
    if match is None:
        return Malformed(line[:EXCERPT])
    number, raw_name, rest = match.groups(b"")
    name = raw_name.decode("ascii").upper()
    if name in STATUS_KINDS and not number:
        return _read_status("", name, rest)
    if name == "SEARCH" and not frame.literals:
        return _read_search(rest)
    if name in _BEFORE_NAME and not frame.literals:
        rest = quirk_spaces_in_name(name, rest)
    return _read_values(frame, number, name, rest)


_SHORT = re.compile(rb"([A-Za-z0-9.]{1,32}) ++(OK|NO|BAD)(?: ++(.*+))?", re.IGNORECASE | re.DOTALL)
_SPACED = re.compile(rb"\* ++(?:(\d{1,20}) ++)?([A-Za-z-]++)(?: ++|\Z|(?=[(\[]))(.*+)", re.DOTALL)


def quirk_no_text(line: bytes) -> re.Match[bytes] | None:
    """Read a tagged answer that ends behind ``OK``, or has two spaces before it.

    Source: ``A1 OK`` of several small servers; resp-text may not be empty (RFC 9051 §9).
    """
    return _SHORT.fullmatch(line)


def quirk_odd_spaces(line: bytes) -> re.Match[bytes] | None:
    """Read an untagged response with spaces too many, or none before its parenthesis.

    Source: ``*  1843 EXISTS`` and ``* CAPABILITY  IMAP4rev1`` of Courier.
    """
    return _SPACED.fullmatch(line)


_LOOSE = re.compile(rb" ++(?:FLAGS|INTERNALDATE|RFC822\.SIZE|UID) [^*]*\)\Z", re.IGNORECASE)


def quirk_loose_items(frame: Frame) -> Response:
    r"""Read `` FLAGS (\Seen) RFC822.SIZE 77)``, a line of its own, as more of the last message.

    Source: Xeams, which closes the FETCH behind the header's literal and then goes on.
    """
    line = frame.texts[0]
    try:
        return _read_fetch(
            LAST_MESSAGE, parse_values((b"(" + line, *frame.texts[1:]), frame.literals)
        )
    except ValueError:
        return Malformed(line[:EXCERPT])


# The sequence number of items that belong to the message told of last.
LAST_MESSAGE = 0


# What stands before a mailbox name, and behind it.
_BEFORE_NAME = {
    "LIST": re.compile(rb"\([^()]*+\) ++(?:NIL|\"(?:[^\"\\]|\\.)\") ++", re.IGNORECASE),
    "STATUS": re.compile(rb""),
}
_STATUS_ITEMS_AT_END = re.compile(rb" \([^()]*+\) *+")
# A name that nobody put into quotes: none of these stands in it, and a space does.
_UNQUOTED = re.compile(rb"[^\"*%\s(][^\"*%]*+")
# What may follow a name in LIST (RFC 5258): an item's tag and its value.
_EXTENDED = re.compile(rb"[^ ()]++ \([^ ()]++ \(.*\)\)\Z", re.DOTALL)


def quirk_spaces_in_name(response: str, rest: bytes) -> bytes:
    """Quote a mailbox name sent as an atom although it holds spaces.

    Source: grommunio's gromox, ``* LIST () "/" Deleted Items``; servers that echo in STATUS the
    name as LIST gave it, see IMAPClient's tracker.
    """
    start = _BEFORE_NAME[response].match(rest)
    end = len(rest)
    if response == "STATUS":
        end = rest.rfind(b" (")
        start = start if _STATUS_ITEMS_AT_END.fullmatch(rest, max(end, 0)) else None
    if start is None:
        return rest
    name = rest[start.end() : end].rstrip(b" ")
    if b" " not in name or not _UNQUOTED.fullmatch(name) or _EXTENDED.match(name):
        return rest
    return start[0] + b'"' + name.replace(b"\\", b"\\\\") + b'"' + rest[end:]


def _read_values(frame: Frame, number: bytes, name: str, rest: bytes) -> Response:
    """Read a response that has a reader in one of the tables below."""
    line = frame.texts[0]
    if name == "FETCH" and number and (first := tells_beside(rest)):
        uid, text = beside(first, (rest, *frame.texts[1:]), frame.literals)
        fetched = Fetched(int(number), uid)
        if first[0].upper().endswith(STRUCTURE):
            fetched.structure = text
        else:
            fetched.extras = text
        return fetched
    if _holds_too_much(frame.texts):
        return Malformed(line[:EXCERPT])
    reader = _NUMBERED.get(name) if number else _NAMED.get(name)
    if reader is None:
        return Other(name)
    texts = (rest, *frame.texts[1:])
    if name == "FETCH" and b" FETCH (" in b"".join(texts):
        return _malformed(name, line)  # its end is lost, and it runs on into the next one
    try:
        return reader(int(number or 0), parse_values(texts, frame.literals))
    except (ValueError, IndexError):
        return _malformed(name, line)


def _holds_too_much(texts: tuple[bytes, ...]) -> bool:
    """Tell whether a line is long and holds many values: each but the first stands behind one."""
    if sum(map(len, texts)) <= LONGEST_VALUES:
        return False
    return sum(text.count(mark) for text in texts for mark in (b" ", b"(", b'"')) > FEW_VALUES


def _malformed(name: str, line: bytes) -> Malformed:
    return Malformed(line[:EXCERPT], whose(line) if name == "FETCH" else None)


def whose(line: bytes) -> int | None:
    """Tell the UID that a broken FETCH response names."""
    named = _BROKEN_UID.search(line)
    return int(named[1]) if named else None


def _read_status(tag: str, kind: str, rest: bytes) -> Status:
    match = _CODE.match(rest, 0, LONGEST_CODE)
    code, argument = match.groups(b"") if match else (b"", b"")
    text = rest[match.end() :] if match else rest
    return Status(tag, kind, code.decode("ascii", "replace").upper(), argument, _words(text))


def _words(text: bytes) -> str:
    """Make what a server says fit to be shown: not long, and nothing that drives a terminal."""
    return showable(text[:LONGEST_TEXT].decode("utf-8", "replace"))


# What servers send of their own accord, and we have no use for; another name may be garbled.
_OF_NO_USE = frozenset({"FLAGS", "ID", "LSUB", "METADATA", "NAMESPACE", "QUOTA", "RECENT"})
# A response that lost its line's start or end stands in the words of another one.
_ANOTHER = re.compile(r"\* (?:(?:LIST|STATUS|SEARCH|ESEARCH)\b|\d+ [A-Z]+)")


def is_doubtful(response: Response) -> bool:
    """Tell whether something may have been said that was not understood."""
    match response:
        case Malformed():
            return True
        case Other(name):
            return name not in _OF_NO_USE
        case Status(text=text):
            return _ANOTHER.search(text) is not None
        case _:
            return False


# One reader a response ------------------------------------------------------------------------


def _names(values: list[Value]) -> frozenset[str]:
    return frozenset(v.decode("ascii", "replace").upper() for v in values if isinstance(v, bytes))


def _read_capability(_: int, values: list[Value]) -> Response:
    return Capability(_names(values))


def _read_enabled(_: int, values: list[Value]) -> Response:
    return Enabled(_names(values))


def _read_list(_: int, values: list[Value]) -> Response:
    attributes, delimiter, name, *extended = values
    level = as_text(delimiter) or None
    if not isinstance(attributes, list) or isinstance(name, list) or len(level or b"") > 1:
        raise ValueError("not a LIST response")
    if extended and (len(extended) > 1 or not isinstance(extended[0], list)):
        raise ValueError("another response stands in this one")
    return Listed(
        bytes(name),
        level,
        frozenset(
            quirk_unescaped_flag(a).decode("ascii", "replace").lower()
            for a in attributes
            if isinstance(a, bytes)
        ),
    )


def _read_mailbox_status(_: int, values: list[Value]) -> Response:
    name, pairs = values
    if isinstance(name, list) or not isinstance(pairs, list):
        raise ValueError("not a STATUS response")  # noqa: TRY004 -- bad data, not a bad call
    items = {}
    for item, value in zip(pairs[::2], pairs[1::2], strict=False):
        known = _STATUS_ITEMS.get(item.upper()) if isinstance(item, bytes) else None
        number = quirk_exponent(value) if known == "SIZE" else as_number(value)
        if known and number is not None:
            items[known] = number
    return MailboxStatus(bytes(name), items)


_STATUS_ITEMS = {
    item.encode("ascii"): item
    for item in ("MESSAGES", "UNSEEN", "SIZE", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ")
}


def _read_search(rest: bytes) -> Response:
    """Take the numbers one by one: of a large mailbox this is the longest line there is."""
    # ``(MODSEQ 917162500)`` may follow the numbers (RFC 7162).
    numbers = rest.partition(b"(")[0]
    return Found(UidSet.from_uids(int(found[0]) for found in _NUMBER.finditer(numbers)))


def _read_esearch(_: int, values: list[Value]) -> Response:
    words = values[1:] if values and isinstance(values[0], list) else values
    if words and isinstance(words[0], bytes) and words[0].upper() == b"UID":
        words = words[1:]
    uids = UidSet()
    for name, value in _pairs(quirk_modseq_in_parentheses(words)):
        if isinstance(name, list) or name.upper() not in _RETURNED:
            raise ValueError("not an ESEARCH response")
        if name.upper() == b"ALL":
            uids = UidSet.parse(as_text(value) or b"")
    return Found(uids)


def quirk_modseq_in_parentheses(words: list[Value]) -> list[Value]:
    """Leave out ``(MODSEQ n)`` behind the data of an ESEARCH, where SEARCH has it.

    Source: jstedfast/MailKit#323; RFC 7162 section 3.1.6 has it without parentheses.
    """
    match words:
        case [*before, [bytes(name), _]] if name.upper() == b"MODSEQ":
            return before
    return words


def _pairs(words: list[Value]) -> Iterator[tuple[Value, Value]]:
    return zip(words[::2], words[1::2], strict=True)


# What a server may tell of a search; we only ask for ALL.
_RETURNED = frozenset({b"ALL", b"COUNT", b"MAX", b"MIN", b"MODSEQ"})


def _read_vanished(_: int, values: list[Value]) -> Response:
    uids = values[-1]
    if isinstance(uids, list):
        raise ValueError("not a VANISHED response")  # noqa: TRY004 -- bad data, not a bad call
    return Vanished(UidSet.parse(uids), earlier=len(values) > 1)


def _read_exists(number: int, _: list[Value]) -> Response:
    return Exists(number)


def _read_expunge(number: int, _: list[Value]) -> Response:
    return Expunged(number)


def _read_fetch(number: int, values: list[Value]) -> Response:
    items = quirk_extra_parentheses(quirk_fetch_without_parentheses(values))
    fetched = Fetched(number)
    while items:
        name = items.popleft()
        if isinstance(name, list):
            raise ValueError("not a FETCH item")  # noqa: TRY004 -- bad data, not a bad call
        if not quirk_section_without_value(name, items):
            value = items.popleft()
            if name.upper() == b"INTERNALDATE":
                value = quirk_blanks_in_date(value, items)
            _take_item(fetched, name.upper(), value)
    return fetched


def _take_item(fetched: Fetched, name: bytes, value: Value) -> None:
    if name == b"UID":
        fetched.uid = as_number(value)
    elif name == b"FLAGS" and not is_nil(value):
        flags = value if isinstance(value, list) else [value]  # "\\Seen" without parentheses
        fetched.flags = b" ".join(map(quirk_quoted_flag, flags))
    elif name == b"INTERNALDATE":
        fetched.internaldate = quirk_nil(value)
    elif name == b"RFC822.SIZE":
        number = quirk_exponent(value)
        fetched.size = quirk_nil(value) if number is None else b"%d" % number
    elif name == b"MODSEQ" and isinstance(value, list):
        fetched.modseq = as_number(value[0])
    elif name.startswith(b"BODY[HEADER"):
        if isinstance(value, list) or fetched.header is not None:
            raise ValueError("not a header block")
        fetched.header = quirk_nil(value)
        fetched.headless = is_nil(value)
    elif fetched.header is not None and isinstance(value, String):
        # Its literal was cut short and swallowed the start of the next response.
        raise ValueError("another message stands in this one")


def quirk_blanks_in_date(first: Value, rest: deque[Value]) -> Value:
    """Read ``INTERNALDATE 05-Jan-2015 10:00:00 +0000``, without quotes or in parentheses.

    Source: small servers that write a date as they write a number.
    """
    if isinstance(first, list) and len(first) == 1:
        return first[0]
    if isinstance(first, (list, String)):
        return first
    words = [first]
    while rest:
        word = rest[0]
        if isinstance(word, (list, String)) or _ITEM.match(word):
            break
        words.append(word)
        rest.popleft()
    return b" ".join(words)


_ITEM = re.compile(
    rb"UID\Z|FLAGS\Z|RFC822|MODSEQ\Z|BODY|BINARY|ENVELOPE\Z|EMAILID\Z|X-", re.IGNORECASE
)


def quirk_quoted_flag(flag: Value) -> bytes:
    """Keep a keyword in its quotation marks, lest one with blanks becomes several.

    Source: servers that pass on the labels of a web mailer, such as ``FLAGS ("My label")``.
    """
    if isinstance(flag, list):
        raise ValueError("not a flag")  # noqa: TRY004 -- bad data, not a bad call
    text = quirk_unescaped_flag(flag)
    if not isinstance(flag, String) or not _NEEDS_QUOTES.search(text) or _SEVERAL.fullmatch(text):
        return text
    return b'"' + re.sub(rb'(["\\])', rb"\\\1", text) + b'"'


def quirk_unescaped_flag(flag: bytes) -> bytes:
    r"""Read ``"\Seen"``, a flag or attribute in quotation marks, as the flag that it names.

    Source: servers that pass flags on as they pass on keywords; in a quoted string its backslash
    would have to be doubled (RFC 9051 section 9, quoted).
    """
    return _LAWFUL_ESCAPE.sub(rb"\1", flag.inside) if isinstance(flag, Escaped) else bytes(flag)


_LAWFUL_ESCAPE = re.compile(rb'\\(["\\])')


# Flags of which all stand in one string.
_SEVERAL = compile_pattern(rb"(?:[\\$][^\s\"]++\s*+)++")
_NEEDS_QUOTES = re.compile(rb"[\s\"]")


def quirk_nil(value: Value) -> bytes:
    """Take NIL where a date, a size or a header block must stand for an empty one.

    Source: Dovecot for a message that was expunged meanwhile; Exchange for one it cannot read.
    """
    return as_text(value) or b""


def quirk_section_without_value(name: bytes, rest: deque[Value]) -> bool:
    """Pass over ``BODY[...]`` where no string follows, but the end or another item.

    Source: Yandex, for a message that it cannot read; the message is then asked for once more.
    """
    if not name.upper().startswith(b"BODY["):
        return False
    follows = rest[0] if rest else None
    return follows is None or (type(follows) is bytes and not is_nil(follows))


def quirk_extra_parentheses(values: list[Value]) -> deque[Value]:
    r"""Read ``UID 4 (FLAGS (\Seen))`` as if the item stood without its parentheses.

    Source: Domino.
    """
    items: deque[Value] = deque()
    left = deque(values)
    while left:
        name = left.popleft()
        if isinstance(name, list):
            left.extendleft(reversed(name))
            continue
        items.append(name)
        if left and not quirk_section_without_value(name, left):
            items.append(left.popleft())
    return items


def quirk_fetch_without_parentheses(values: list[Value]) -> list[Value]:
    r"""Read ``* 4 FETCH FLAGS (\Seen)`` like its proper form.

    Source: seen from several small servers; the items follow FETCH without the outer list.
    """
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return values


Reader: TypeAlias = "Callable[[int, list[Value]], Response]"

_NAMED: dict[str, Reader] = {
    "CAPABILITY": _read_capability,
    "ENABLED": _read_enabled,
    "LIST": _read_list,
    "STATUS": _read_mailbox_status,
    "ESEARCH": _read_esearch,
    "VANISHED": _read_vanished,
}
_NUMBERED: dict[str, Reader] = {
    "EXISTS": _read_exists,
    "EXPUNGE": _read_expunge,
    "FETCH": _read_fetch,
}


# Rows -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Columns:
    """Fetched messages as column lists, one entry a message, all octets as the server sent them.

    ``internaldate``, ``size`` and ``flags`` are empty where the server did not tell. ``beside`` has
    an entry for each message only where it was asked for, and then nothing else has.
    """

    uid: list[int] = field(default_factory=list)
    flags: list[bytes] = field(default_factory=list)
    internaldate: list[bytes] = field(default_factory=list)
    size: list[bytes] = field(default_factory=list)
    header: list[bytes] = field(default_factory=list)
    beside: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.uid)

    @property
    def octets(self) -> int:
        """How much memory the messages take: a server may make any item of them large."""
        items = (self.flags, self.internaldate, self.size, self.header, self.beside)
        return sum(sum(map(len, column)) for column in items)

    def append(self, row: Fetched) -> None:
        """Add a message whose UID is known."""
        assert row.uid is not None
        self.uid.append(row.uid)
        if row.header is None and row.beside is not None:
            self.beside.append(row.beside)
            return
        self.flags.append(row.flags or b"")
        self.internaldate.append(row.internaldate or b"")
        self.size.append(row.size or b"")
        self.header.append(row.header or b"")

    def contradicts(self, row: Fetched) -> bool:
        """Tell whether a message is here under the same UID, with another header."""
        return row.uid in self.uid and self.header[self.uid.index(row.uid)] != row.header

    def drop(self, uid: int) -> None:
        """Remove a message."""
        place = self.uid.index(uid)
        for column in (self.uid, self.flags, self.internaldate, self.size, self.header):
            del column[place]


# The common response, whole but for its literal: any order of the items, the header last.
_ROW = compile_pattern(
    rb"\* \d{1,10} FETCH \("
    rb"(?:(?:UID (\d{1,10})|FLAGS \(([^()\"\r\n]*+)\)|INTERNALDATE \"([^(\"\\\r\n]*+)\""
    rb"|RFC822\.SIZE (\d{1,20})|MODSEQ \(\d{1,20}\)) ++)*+"
    rb"BODY\[HEADER\.FIELDS \([^()\[\]\r\n]*+\)\] \{(\d{1,7})\}\r\n"
)


def scan_rows(
    buffer: bytes,
    position: int,
    columns: Columns,
    last: int,
    stop: int,
    limits: Limits,
    *,
    whole: bool = True,
) -> int:
    """Take whole, ordinary FETCH responses off a buffer: the one place where speed rules.

    It takes what the framer would let pass and ``read_response`` would read alike, in ascending
    order of UIDs from beyond ``last`` up to ``stop``, and leaves everything else where it stands:
    how the octets were cut into chunks must not show in what is read. A row is ``whole`` if every
    item was asked for: then each must be there, and a field in the header.

    Returns
    -------
    int
        The position behind the last response taken.
    """
    match = _ROW.match
    longest_line, longest = min(limits.line, LONGEST_VALUES), limits.literal
    add_uid = columns.uid.append
    add_flags = columns.flags.append
    add_internaldate = columns.internaldate.append
    add_size = columns.size.append
    add_header = columns.header.append
    while row := match(buffer, position):
        uid_digits, flags, internaldate, size, length = row.groups()
        start = row.end()
        end = start + int(length)
        if buffer[end : end + 3] != b")\r\n" or not uid_digits:
            break
        if flags is None or internaldate is None or size is None:
            if whole:
                break
            flags, internaldate, size = flags or b"", internaldate or b"", size or b""
        elif whole and end - start <= _BLANK and is_blank(buffer[start:end]):
            break
        uid = int(uid_digits)
        if not last < uid <= stop or end - start > longest or start - position > longest_line:
            break
        if end - position > limits.response:
            break
        last = uid
        add_uid(uid)
        add_flags(flags)
        add_internaldate(internaldate)
        add_size(size)
        add_header(buffer[start:end])
        position = end + 3
    return position


# What answers a FETCH of flags alone, whole.
_FLAGS_ROW = compile_pattern(
    rb"\* \d{1,10} FETCH \("
    rb"(?:(?:UID (\d{1,10})|FLAGS \(([^()\"\r\n]*+)\)|MODSEQ \(\d{1,20}\))(?: ++|(?=\))))++"
    rb"\)\r\n"
)


def scan_flags(
    buffer: bytes, position: int, columns: Columns, last: int, stop: int, limits: Limits
) -> int:
    """Take responses to a FETCH of flags off a buffer, as `scan_rows` takes those with a header."""
    match = _FLAGS_ROW.match
    longest_line = min(limits.line, LONGEST_VALUES)
    before = len(columns)
    add_uid, add_flags = columns.uid.append, columns.flags.append
    while row := match(buffer, position):
        uid_digits, flags = row.groups()
        if uid_digits is None or flags is None or row.end() - position > longest_line:
            break
        uid = int(uid_digits)
        if not last < uid <= stop:
            break
        last = uid
        add_uid(uid)
        add_flags(flags)
        position = row.end()
    nothing = [b""] * (len(columns) - before)
    columns.internaldate += nothing
    columns.size += nothing
    columns.header += nothing
    return position
