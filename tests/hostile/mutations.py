"""Servers whose answers are garbled at random, and what a fetch from one must still tell.

Whatever such a server says, each of its messages is in the frame, or its folder stands among the
problems. Nobody can notice a well-formed lie; the two kinds that these servers tell are functions
below, and nothing else excuses a loss.

``python -m tests.hostile.mutations 1000`` tries that many servers and names the seed of each that
got away with a loss; ``tests/hostile/test_mutations.py`` tries some.
"""

from __future__ import annotations

import re
import sys

from mailframe.errors import MailframeError
from tests.hostile.behaviours import Mutating
from tests.hostile.fetching import fetch, problems, report
from tests.servers.mailbox import folder
from tests.servers.scripted import CAPABILITIES, Scripted

# What a server can do, and what is asked of it; a seed takes one of them.
WAYS = (
    (CAPABILITIES, {}),
    ("IMAP4rev1 LITERAL+ SASL-IR ID AUTH=PLAIN", {}),
    (CAPABILITIES, {"since": "2024-01-01"}),
)


def try_one(seed: int) -> list[str]:
    """Fetch from one such server; tell what was lost, or invented, without a word."""
    folders = [folder("INBOX", range(1, 41)), folder("Archive", range(3, 23)), folder("Empty", [])]
    mutating = Mutating(seed, rate=0.002 * (1 + seed % 5))
    capabilities, options = WAYS[seed % len(WAYS)]
    with Scripted(mutating, folders=folders, capabilities=capabilities) as server:
        try:
            frame = fetch(server, within=30, connections=2, **options)
        except MailframeError:
            return []
    assert not frame.duplicated(["folder", "uid"]).any()
    assert report(frame)["messages"] == len(frame)
    there = {(one.name, uid) for one in folders for uid in one.uids}
    came = set(zip(frame["folder"], frame["uid"], strict=True))
    told = set(problems(frame))
    assert not came & told
    named = {name for name, _ in told}
    lost = [
        f"{name} {uid} is lost"
        for name, uid in sorted(there - came)
        if name not in named and not was_never_listed(name, mutating)
    ]
    invented = [
        f"{name} {uid} is invented"
        for name, uid in sorted(came - there)
        if not was_another_message(uid, mutating)
    ]
    known = {(f"{name} {uid}", f"{name}.{uid}@example.org") for name, uid in there}
    mixed_up = [
        f"{name} {uid} holds what {subject} said"
        for name, uid, subject, message_id in zip(
            *(frame[column] for column in ("folder", "uid", "subject", "message_id")), strict=True
        )
        if (subject, message_id) in known and subject != f"{name} {uid}"
        if not was_another_message(uid, mutating)
    ]
    return lost + invented + mixed_up


def was_never_listed(name: str, mutating: Mutating) -> bool:
    """An answer to LIST named the folder nowhere, and there was nothing wrong with its form."""
    return any(
        name.encode() not in told and all(_LISTING.fullmatch(line) for line in told.split(b"\n"))
        for command, _, told in mutating.answers
        if command.name == "LIST"
    )


_LISTING = re.compile(
    rb"""\* LIST \([^()]*\) "/" "[^"]+"\r|\* STATUS "[^"]+" \([^()]+\)\r|M\d OK .*|"""
)


def was_another_message(uid: int, mutating: Mutating) -> bool:
    """A row was given this UID in place of its own."""
    row = b"UID %d " % uid
    return any(
        row in told and row not in honest
        for command, honest, told in mutating.answers
        if command.name == "UID FETCH"
    )


def main(count: int) -> None:
    for seed in range(count):
        for complaint in try_one(seed):
            print(f"\nseed {seed}: {complaint}")
        print(f"\r{seed + 1} servers", end="", flush=True)
    print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
