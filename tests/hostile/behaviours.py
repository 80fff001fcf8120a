"""Faults that have a state: each is a behaviour of the scripted server, named after what it does.

``times`` bounds how often a fault happens, over all connections; None is for ever. What is a fixed
answer stands in ``transcripts/`` instead.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections.abc import Callable

from tests.servers.mailbox import Folder, Row, in_set, literal
from tests.servers.scripted import CONNECT, Behaviour, Command, Cut, Session

Change = Callable[[Row], bytes | list[bytes | Row] | Row]


class Counted:
    """True for the first ``times`` calls; None is for ever."""

    def __init__(self, times: int | None) -> None:
        self.left = times

    def __call__(self) -> bool:
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


def each_row(change: Change, *uids: int, times: int | None = None) -> Behaviour:
    """Every FETCH row (of ``uids``, where given) goes through ``change`` on its way out."""
    again = Counted(times)

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH":
            return False
        for part in session.honest(command):
            if isinstance(part, Row) and (not uids or part.uid in uids) and again():
                changed = change(part)
                await session.send(*(changed if isinstance(changed, list) else [changed]))
            else:
                await session.send(part)
        return True

    return behaviour


def in_two_halves(row: Row) -> list[bytes | Row]:
    """The items of a message come in two FETCH responses, the second without its flags."""
    cut = [name for name in row.items if name not in {"UID", "FLAGS"}]
    first = {name: value for name, value in row.items.items() if name not in cut}
    second = {"UID": row.items["UID"]} | {name: row.items[name] for name in cut}
    return [Row(row.number, first), Row(row.number, second)]


def twice(row: Row) -> list[bytes | Row]:
    return [row, row]


def with_a_stranger_before(row: Row) -> list[bytes | Row]:
    """A whole row of a message that was not asked for."""
    stranger = row.items | {"UID": b"%d" % (row.uid + 100_000)}
    return [Row(row.number, stranger), row]


async def shuffled(session: Session, command: Command) -> bool:
    """The rows of a FETCH come in any order."""
    if command.name != "UID FETCH":
        return False
    *rows, done = session.honest(command)
    random.Random(len(rows)).shuffle(rows)
    await session.send(*rows, done)
    return True


def with_flag_updates_around(row: Row) -> list[bytes | Row]:
    other = row.number + 1
    return [
        b"* %d FETCH (FLAGS (\\Flagged \\Deleted))\r\n" % other,
        b"* %d FETCH (FLAGS (\\Flagged \\Deleted) UID %d)\r\n" % (other, row.uid + 1),
        row,
        b"* %d EXISTS\r\n" % (1000 + row.number),
        b"* %d FETCH (FLAGS (\\Flagged \\Deleted))\r\n" % row.number,
    ]


def short_by(octets: int) -> Change:
    """The announced literal ends some octets early: the parenthesis stands in the wrong place."""

    def changed(row: Row) -> bytes:
        return re.sub(
            rb"\{(\d+)\}\r\n",
            lambda found: b"{%d}\r\n" % (int(found[1]) - octets),
            bytes(row),
            count=1,
        )

    return changed


# Ends and items as seen: each is the row that it was meant to be.
SHAPES: dict[str, Change] = {
    "a blank line behind the literal": lambda row: bytes(row)[:-3] + b"\r\n)\r\n",
    "two of them": lambda row: bytes(row)[:-3] + b"\r\n\r\n)\r\n",
    "blanks behind the literal": lambda row: bytes(row)[:-3] + b"   )\r\n",
    "an item in parentheses of its own": lambda row: re.sub(
        rb"(FLAGS \([^)]*\)|UID \d+)", rb"(\1)", bytes(row)
    ),
    "flags on a loose line": lambda row: (
        b"* %d FETCH (UID %d %s)\r\n FLAGS %s %s)\r\n"
        % (
            row.number,
            row.uid,
            row.section.encode() + b" " + row.items[row.section],
            row.items["FLAGS"],
            b"RFC822.SIZE %s INTERNALDATE %s"
            % (row.items["RFC822.SIZE"], row.items["INTERNALDATE"]),
        )
    ),
    "the size as a floating point number": lambda row: bytes(row).replace(
        b"RFC822.SIZE " + row.items["RFC822.SIZE"],
        b"RFC822.SIZE %.4fe+03" % (int(row.items["RFC822.SIZE"]) / 1000),
    ),
}


def malformed(row: Row) -> bytes:
    """Well framed, and no FETCH that anybody could read."""
    section = row.items[row.section]
    return b"* %d FETCH (UID %d FLAGS (\\Seen RFC822.SIZE ]] %s\r\n" % (
        row.number,
        row.uid,
        section,
    )


def under_uid(uid: int) -> Change:
    """The message comes under another one's UID."""

    def changed(row: Row) -> Row:
        row.items["UID"] = b"%d" % uid
        return row

    return changed


def with_many_flags(row: Row) -> Row:
    row.items["FLAGS"] = b"(%s)" % b" ".join(b"$k%d" % n for n in range(500))
    return row


def on_one_long_line(row: Row) -> Row:
    """The header block as one quoted string of 206,740 octets, as long as the longest line seen."""
    row.items[row.section] = b'"Subject: %s"' % (b"x" * (206_740 - 11))
    return row


def announcing_four_gib(row: Row) -> bytes:
    name = next((name for name in row.items if name.startswith("BODY[")), "FLAGS")
    return b"* %d FETCH (UID %d %s {4294967296}\r\n" % (row.number, row.uid, name.encode())


def with_two_million_fields(row: Row) -> Row:
    row.items[row.section] = literal(b"Subject: many\r\n" + b"X: y\r\n" * 2_000_000 + b"\r\n")
    return row


def with_a_hundred_thousand_flags(row: Row) -> Row:
    row.items["FLAGS"] = b"(%s)" % b" ".join(b"$k%d" % n for n in range(100_000))
    return row


def cut_in_literal(*, times: int | None, after: int = 5) -> Behaviour:
    """After ``after`` rows the connection ends in the middle of the next one's literal."""
    again = Counted(times)

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH":
            return False
        answer = session.honest(command)
        if len(answer) <= after + 1 or not again():
            return False
        await session.send(*answer[:after], bytes(answer[after])[:-20])
        raise Cut

    return behaviour


def silent_after_rows(after: int) -> Behaviour:
    """Some rows, and then nothing more."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH":
            return False
        await session.send(*session.honest(command)[:after])
        await session.reader.read()
        raise Cut

    return behaviour


def no_after_rows(*, times: int | None, after: int = 5) -> Behaviour:
    """Some rows, then a tagged NO."""
    again = Counted(times)

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH":
            return False
        answer = session.honest(command)
        if len(answer) <= after + 1 or not again():
            return False
        text = "[SERVERBUG] Some messages could not be FETCHed (Failure)"
        await session.send(*answer[:after], command.done("NO", text))
        return True

    return behaviour


def unavailable(*uids: int) -> Behaviour:
    """Yahoo: every range that holds one of ``uids`` is refused, for ever."""

    async def behaviour(session: Session, command: Command) -> bool:
        asked = command.text.split(" ")[0]
        if command.name != "UID FETCH" or not any(in_set(uid, asked, 1 << 31) for uid in uids):
            return False
        session.honest(command)
        await session.send(command.done("NO", "[UNAVAILABLE] UID FETCH Server error"))
        return True

    return behaviour


async def id_before_examine(session: Session, command: Command) -> bool:
    """163 and 126: nothing is opened for a client that has not said ID after its login."""
    if command.name == "ID" and session.user is not None:
        session.notes["known"] = True
    if command.name != "EXAMINE" or session.notes.get("known"):
        return False
    text = "EXAMINE Unsafe Login. Please contact kefu@188.com for help"
    await session.send(command.done("NO", text))
    return True


def at_most(connections: int, *, where: str, answer: str) -> Behaviour:
    """No more than ``connections`` at a time: ``where`` is "greeting" or "login"."""

    async def behaviour(session: Session, command: Command) -> bool:
        if session.server.open <= connections:
            return False
        if where == "greeting" and command is CONNECT:
            await session.send(f"* BYE {answer}\r\n".encode())
            raise Cut
        if where == "login" and command.name in {"LOGIN", "AUTHENTICATE"}:
            await session.send(command.done("NO", answer))
            return True
        return False

    return behaviour


def full_for_a_while(*, after: int, times: int, answer: str) -> Behaviour:
    """``after`` logins are let in, the next ``times`` are not."""
    again = Counted(times)

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name not in {"LOGIN", "AUTHENTICATE"} or session.server.logins < after:
            return False
        if not again():
            return False
        await session.send(command.done("NO", answer))
        return True

    return behaviour


class Throttle:
    """Every command of the first ``times`` fetches is refused with a wish to be left alone.

    Who does not wait is refused again, and counted in ``impatient``.
    """

    def __init__(self, answer: str, *, times: int, wait: float = 0.3, bye: bool = False) -> None:
        self.answer, self.again, self.wait, self.bye = answer, Counted(times), wait, bye
        self.until = 0.0
        self.impatient = 0
        self.refused = 0

    async def __call__(self, session: Session, command: Command) -> bool:
        if command.name != "UID FETCH":
            return False
        now = time.monotonic()
        waiting = now < self.until
        self.impatient += waiting
        if not waiting and not self.again():
            return False
        answer = session.honest(command)
        self.until = max(self.until, now + self.wait)
        self.refused += 1
        if self.answer.startswith("OK"):
            await session.send(*answer[:-1])
        await session.send(f"{command.tag} {self.answer}\r\n".encode())
        if self.bye:
            await session.send(b"* BYE too busy\r\n")
            raise Cut
        return True


async def confused_by_pipelines(session: Session, command: Command) -> bool:
    """Exchange 2003, Twisted: whoever sends a command before the last was answered gets a BAD."""
    if command is CONNECT:
        return False
    await asyncio.sleep(0.02)
    if not session.reader._buffer:
        return False
    await session.perform(command)
    dropped = await session.command()
    session.server.commands.append((session.number, dropped))
    await session.send(dropped.done("BAD", "Protocol Error: command in progress"))
    return True


def one_at_a_time(*names: str) -> Behaviour:
    """BAD to every command that comes before the last was answered (of ``names``, where given)."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command is CONNECT or (names and command.name not in names):
            return False
        await asyncio.sleep(0.02)
        crowd = []
        while session.reader._buffer:
            crowd.append(await session.command())
        await session.perform(command)
        session.server.commands += [(session.number, one) for one in crowd]
        for one in crowd:
            await session.send(one.done("BAD", "Protocol Error: command in progress"))
        return True

    return behaviour


def without(*items: str, wherever: bool = True) -> Behaviour:
    """Rows never have some items; or not ``wherever`` a header is asked for with them."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH" or not (wherever or "BODY" in command.text):
            return False
        for part in session.honest(command):
            if isinstance(part, Row):
                for item in [name for name in part.items if name.startswith(items)]:
                    del part.items[item]
            await session.send(part)
        return True

    return behaviour


def headers_are(block: bytes, *, whole: bool) -> Behaviour:
    """HEADER.FIELDS is answered by ``block`` for every message; HEADER too where ``whole``."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH" or "BODY" not in command.text:
            return False
        for part in session.honest(command):
            if isinstance(part, Row) and (whole or "FIELDS" in part.section):
                part.items[part.section] = block
            await session.send(part)
        return True

    return behaviour


async def refusing_ranges(session: Session, command: Command) -> bool:
    """QQ: whoever asks for a range is told that it is invalid."""
    if command.name != "UID FETCH" or ":" not in command.text.split(" ")[0]:
        return False
    await session.send(command.done("BAD", "Sequence set is invalid!"))
    return True


async def leaving_out_of_sets(session: Session, command: Command) -> bool:
    """Exmail: every third row is left out of whatever asks for more than one."""
    if command.name != "UID FETCH" or not re.search("[:,]", command.text.split(" ")[0]):
        return False
    await session.send(*(p for p in session.honest(command) if getattr(p, "uid", 1) % 3))
    return True


async def listing_phantoms(session: Session, command: Command) -> bool:
    """iCloud: a search also finds numbers that are no UIDs."""
    if command.name != "UID SEARCH":
        return False
    found, done = session.honest(command)
    joint = b"," if b"ESEARCH" in bytes(found) else b" "
    await session.send(bytes(found).rstrip() + joint + b"7777" + joint + b"8888\r\n", done)
    return True


def not_connected(name: str, *, times: int) -> Behaviour:
    """Exchange: it has lost its mailbox store, and says so to every command of the connection."""
    again = Counted(times)

    async def behaviour(session: Session, command: Command) -> bool:
        lost = session.notes.get("lost") or (command.name == name and again())
        session.notes["lost"] = lost
        if lost:
            await session.send(command.done("BAD", "User is authenticated but not connected."))
        return bool(lost)

    return behaviour


async def ever_new_uidvalidity(session: Session, command: Command) -> bool:
    """UIDVALIDITY is another one at every EXAMINE."""
    if command.name == "EXAMINE":
        for folder in session.server.folders.values():
            folder.uidvalidity += 1
    return False


def replaced(name: str, *, by: Folder, before: int = 2) -> Behaviour:
    """Another client deletes a folder and makes it anew before a connection opens it."""

    async def behaviour(session: Session, command: Command) -> bool:
        folders = session.server.folders
        if command.name == "EXAMINE" and session.number >= before and folders[name] is not by:
            by.uidvalidity = folders[name].uidvalidity + 1
            folders[name] = by
        return False

    return behaviour


def emptied(*, by: str = "UID FETCH") -> Behaviour:
    """Another client deletes everything just before the first ``by`` is answered."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name == by:
            for folder in session.server.folders.values():
                folder.messages.clear()
        return False

    return behaviour


async def silent_about_nothing(session: Session, command: Command) -> bool:
    """iCloud: a search without matches is answered by its tagged OK alone."""
    if command.name != "UID SEARCH":
        return False
    answer = session.honest(command)
    if re.search(rb" [1-9]", bytes(answer[0]).replace(b"TAG", b"")):
        return False
    await session.send(answer[-1])
    return True


def short_commands_only(limit: int, *, bye: bool) -> Behaviour:
    """Exchange Online says BAD to a long command, Hotmail BYE."""

    async def behaviour(session: Session, command: Command) -> bool:
        if len(command.tag) + len(command.line) + 3 <= limit:
            return False
        await session.send(
            b"* BYE too long\r\n" if bye else command.done("BAD", "Command Error. 10")
        )
        if bye:
            raise Cut
        return True

    return behaviour


def dribbling(chunk: int, every: float, *, name: str = "UID FETCH") -> Behaviour:
    """The answer comes in chunks of some octets, with a pause after each."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != name:
            return False
        data = b"".join(bytes(part) for part in session.honest(command))
        for start in range(0, len(data), chunk):
            await session.send(data[start : start + chunk])
            await asyncio.sleep(every)
        return True

    return behaviour


def silent(name: str, *, times: int | None = None) -> Behaviour:
    """No answer at all to commands called ``name`` ("" is the greeting)."""
    again = Counted(times)

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != name or not again():
            return False
        await session.reader.read()  # whatever comes, until the client has had enough
        raise Cut

    return behaviour


def silent_about(uid: int) -> Behaviour:
    """No answer to any FETCH that asks for ``uid``."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "UID FETCH" or not in_set(uid, command.text.split(" ")[0], 1 << 31):
            return False
        await session.reader.read()
        raise Cut

    return behaviour


def endless(line: bytes, *, name: str = "UID FETCH", times: int | None = None) -> Behaviour:
    """``line`` again and again, as fast as the client reads it, and never an answer."""
    again = Counted(times)
    burst = line * max(1, 65536 // len(line))

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != name or not again():
            return False
        while True:
            await session.send(burst)

    return behaviour


async def a_million_folders(session: Session, command: Command) -> bool:
    if command.name != "LIST":
        return False
    for start in range(0, 1_000_000, 1000):
        numbers = range(start, start + 1000)
        await session.send(b"".join(b'* LIST () "/" "f%d"\r\n' % n for n in numbers))
    await session.send(command.done())
    return True


def injecting_after_starttls(*lines: bytes) -> Behaviour:
    """Somebody in between appends ``lines`` to the OK of STARTTLS, in plain text."""

    async def behaviour(session: Session, command: Command) -> bool:
        if command.name != "STARTTLS":
            return False
        await session.send(command.done() + b"".join(line + b"\r\n" for line in lines))
        await session.start_tls()
        return True

    return behaviour


def first_connections(count: int, behaviour: Behaviour) -> Behaviour:
    """``behaviour`` on the first ``count`` connections only."""

    async def limited(session: Session, command: Command) -> bool:
        return session.number <= count and await behaviour(session, command)

    return limited


def every_nth(n: int, behaviour: Behaviour, *, name: str) -> Behaviour:
    """``behaviour`` for every ``n``-th command called ``name``."""
    calls = itertools.count(1)

    async def sometimes(session: Session, command: Command) -> bool:
        return command.name == name and next(calls) % n == 0 and await behaviour(session, command)

    return sometimes


class Mutating:
    """Some of the octets, lines and literals of every answer come out wrong, at random.

    ``answers`` holds each answer as an honest server would have given it, and as it was told.
    """

    def __init__(self, seed: int, *, rate: float = 0.02) -> None:
        self.dice = random.Random(seed)
        self.rate = rate
        self.answers: list[tuple[Command, bytes, bytes]] = []

    async def __call__(self, session: Session, command: Command) -> bool:
        if command.name in {"", "LOGIN", "AUTHENTICATE", "STARTTLS"}:
            return False
        honest = [bytes(part) for part in session.honest(command)]
        told = [self.mutated(part) for part in honest]
        self.answers.append((command, b"".join(honest), b"".join(told)))
        await session.send(*told)
        if command.name == "LOGOUT":
            raise Cut
        return True

    def mutated(self, data: bytes) -> bytes:
        dice = self.dice
        if dice.random() > self.rate * 10:
            return data
        place = dice.randrange(len(data))
        kind = dice.choice(["octet", "drop", "twice", "cut", "insert", "line end"])
        wrong = {
            "octet": data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :],
            "drop": b"",
            "twice": data + data,
            "cut": data[:place],
            "insert": data[:place] + dice.choice(INSERTED) + data[place:],
            "line end": data[:place] + b"\r\n" + data[place:],
        }
        return wrong[kind]


INSERTED = [b"{", b"{3}\r\n", b'"', b"\\", b"(", b")", b"]", b"\0", b"\r", b"* ", b" ", b"NIL"]
INSERTED += [b"99999999999", b"{99999999}\r\n", b"* BYE\r\n", b"+ \r\n", b"M3 OK\r\n", b"\xff"]
