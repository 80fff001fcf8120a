r"""Faults as transcripts: what the server says where an honest one would say something else.

A transcript is a text file of rules, tried in order; what no rule answers, the honest server does::

    # A comment: what was seen, and where.
    S: * OK ready                          the greeting, if it stands before any C:

    C: EXAMINE *                           a rule: a command without its tag, * for anything
    ! only 1                               the rule serves once (for each server), then no more
    S: *  3 EXISTS                         a line, its CRLF added
    S: * 1 FETCH (UID 1 $section {=}       {=} counts the octets of the | lines below, {=-1} lies
    | Subject: hello                       literal octets, a line each, CRLF added
    |
    S:  FLAGS ())
    ! honest                               here follows the honest answer
    ! silently                             the honest answer is not sent, but takes effect
    ! log in                               from here on the client is logged in
    ! wait 0.2                             seconds of silence
    ! cut                                  the connection ends
    S: $tag OK done

``S~`` and ``|~`` leave out the CRLF, ``\xNN`` is that octet, ``$tag`` the command's tag and
``$section`` the header item that the client asked for. A line ``C: ...pattern`` within a rule reads
the client's next line, which must match.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.mailbox import fetch_items
from tests.servers.scripted import CONNECT, USER, Behaviour, Command, Cut, Session

TRANSCRIPTS = Path(__file__).parents[1] / "hostile" / "transcripts"


@dataclass
class Rule:
    pattern: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    only: int | None = None

    def fits(self, command: Command) -> bool:
        if command is CONNECT:
            return self.pattern == ""
        return self.pattern != "" and wild(self.pattern, command.line)


def wild(pattern: str, text: str) -> bool:
    regex = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(regex, text, re.IGNORECASE | re.DOTALL) is not None


def parse(text: str) -> list[Rule]:
    """The rules of a transcript."""
    rules: list[Rule] = []
    for line in text.splitlines():
        mark, _, rest = line.partition(" ")
        if not mark or mark == "#":
            continue
        if mark == "C:" and not rest.startswith("..."):
            rules.append(Rule(rest.strip()))
        elif mark == "!" and rest.startswith("only "):
            rules[-1].only = int(rest.removeprefix("only "))
        else:
            if not rules:
                rules.append(Rule(""))
            rules[-1].steps.append((mark, rest))
    return rules


def transcript(name: str) -> Behaviour:
    """The behaviour that the transcript called ``name`` tells."""
    return scripted((TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8"))


def scripted(text: str) -> Behaviour:
    rules = parse(text)
    used: Counter[int] = Counter()

    async def behaviour(session: Session, command: Command) -> bool:
        for number, rule in enumerate(rules):
            if rule.fits(command) and (rule.only is None or used[number] < rule.only):
                used[number] += 1
                await play(rule, session, command)
                return True
        return False

    return behaviour


async def play(rule: Rule, session: Session, command: Command) -> None:
    for index, (mark, value) in enumerate(rule.steps):
        if mark == "!":
            await direct(value, session, command)
        elif mark == "C:":
            line = (await session.line()).decode("latin-1")
            assert wild(value.removeprefix("...").strip(), line), f"the client said {line!r}"
        elif mark in {"S:", "S~"}:
            line = octets(value, command)
            if found := re.search(rb"\{=([-+]\d+)?\}$", line):
                size = len(following(rule.steps[index + 1 :], command)) + int(found[1] or 0)
                line = line[: found.start()] + b"{%d}" % size
            await session.send(line if mark == "S~" else line + b"\r\n")
        elif index == 0 or rule.steps[index - 1][0] not in {"|", "|~"}:
            await session.send(following(rule.steps[index:], command))


async def direct(order: str, session: Session, command: Command) -> None:
    verb, _, value = order.partition(" ")
    if verb == "honest":
        await session.perform(command)
    elif verb == "silently":
        session.honest(command)
    elif verb == "log":
        session.user = USER
        session.server.logins += 1
    elif verb == "wait":
        await asyncio.sleep(float(value))
    else:
        assert verb == "cut", f"no such direction: {order}"
        raise Cut


def following(steps: list[tuple[str, str]], command: Command) -> bytes:
    """The literal that begins with the first of ``steps``."""
    found = b""
    for mark, value in steps:
        if mark not in {"|", "|~"}:
            break
        found += octets(value, command) + (b"" if mark == "|~" else b"\r\n")
    return found


def octets(value: str, command: Command) -> bytes:
    section = next((i for i in fetch_items(command.text) if i.startswith("BODY")), "BODY[HEADER]")
    data = value.replace("$section", section).replace("$tag", command.tag).encode("utf-8")
    return re.sub(rb"\\x([0-9A-F]{2})", lambda hit: bytes([int(hit[1], 16)]), data)
