"""All benchmarks in one run: `python -m tests.bench [PART …]`.

A private Dovecot serves the same mailboxes to every reader; each reading is a fresh process,
readers take turns, and what is printed are medians and their ratio to a bare socket, because
seconds depend on the machine and ratios much less. Cold is who has seen no value before: each
reading is. Peers (imaplib, IMAPClient, imap_tools, aioimaplib) take part where they are installed,
and read no more when they have taken a minute each. All together is some ten minutes.

Parts, over loopback in 40 folders: `local` (100,000 ordinary messages), `encoded` (the same with
names and subjects encoded), `worldwide` (40,000 in many languages, no subject twice), `real` (the
archives of `tests.corpora`, where they are at hand), `attached` (100,000, one in four with files);
`distant` (200 folders of 50 through a link of 50 ms round trip), `memory` (one folder of 300,000,
streamed in batches). Without a server: `builder` (header blocks into columns, cold and warm; see
`tests.bench.bench_headers`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests import corpora
from tests.bench import bench_headers
from tests.bench.mailboxes import Mailbox
from tests.bench.readers import ATTACHMENTS, FIRST
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay

README = Path(__file__).parents[2] / "README.md"
_MEASURED = re.compile(r"(<!-- measured -->\n)(.*?)(<!-- /measured -->)", re.DOTALL)

PEERS = ("imaplib", "imapclient", "imap_tools", "aioimaplib")
PATIENCE = 60  # seconds that a peer may take in a part, all its readings together; the first counts
BUILDER = "builder"
ONE_WAY_SECONDS = 0.025


class Part(NamedTuple):
    """Which mailbox is read, by whom, and how."""

    title: str
    mailbox: Mailbox
    readers: tuple[str, ...]
    delay: float = 0.0


_READERS = ("socket", "mailframe", FIRST)
PARTS = {
    "local": Part(
        "loopback, 40 folders of 2,500 messages",
        Mailbox("local", 40, 2500),
        (*_READERS, *PEERS),
    ),
    "encoded": Part(
        "half of the names and a fifth of the subjects encoded, 40 folders of 2,500 messages",
        Mailbox("encoded", 40, 2500, "encoded"),
        (*_READERS, "imaplib"),
    ),
    "worldwide": Part(
        "fourteen languages, no subject twice, 1 to 8 recipients, 40 folders of 1,000 messages",
        Mailbox("worldwide", 40, 1000, "worldwide"),
        (*_READERS, "imaplib"),
    ),
    "real": Part(
        "real mail: SpamAssassin's ham of 2002, bounces, and the tests of other parsers",
        Mailbox("real", 10, 0, "real"),
        (*_READERS, "imaplib"),
    ),
    "attached": Part(
        "one message in four with files, half in two forms of text, 40 folders of 2,500 messages",
        Mailbox("attached", 40, 2500, "attached"),
        ("socket", "mailframe", ATTACHMENTS),
    ),
    "distant": Part(
        "50 ms round trip, 200 folders of 50 messages",
        Mailbox("distant", 200, 50),
        (*_READERS, *PEERS),
        ONE_WAY_SECONDS,
    ),
    "memory": Part(
        "loopback, one folder of 300,000 messages, in batches",
        Mailbox("memory", 1, 300_000),
        ("socket", "mailframe stream"),
    ),
}


def main() -> None:
    """Prepare the mailboxes, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    every = [*PARTS, BUILDER]
    parser.add_argument("parts", nargs="*", default=every, help=", ".join(every))
    parser.add_argument("--repeat", type=int, default=5, help="readings by socket and mailframe")
    parser.add_argument("--scale", type=float, default=1.0, help="of the messages a folder")
    parser.add_argument("--no-peers", action="store_true", help="leave the slow ones out")
    default = Path(tempfile.gettempdir()) / "mailframe-bench"
    parser.add_argument("--readme", action="store_true", help="put the tables into README.md")
    parser.add_argument("--scratch", type=Path, default=default, help="keeps the mailboxes")
    arguments = parser.parse_args()
    arguments.scratch.mkdir(exist_ok=True)
    tables = []
    with Dovecot(arguments.scratch / "dovecot") as server:
        for name in arguments.parts:
            began = time.monotonic()
            if name == "real" and not corpora.are_here():
                print("without real mail: see tests/corpora.py", flush=True)
                continue
            if name == BUILDER:
                tables.append(bench_headers.table(arguments.repeat))
            else:
                part = _scaled(PARTS[name], arguments.scale)
                readers = [r for r in part.readers if _takes_part(r, peers=not arguments.no_peers)]
                tables.append(_table(part, _measure(part, readers, server, arguments.repeat)))
            print(f"{tables[-1]}\n({name} took {time.monotonic() - began:.0f} s)\n", flush=True)
    if arguments.readme:
        text = README.read_text("utf-8")
        whole = set(arguments.parts) >= {*PARTS, BUILDER}
        README.write_text(
            _MEASURED.sub(lambda found: _renewed(found, tables, whole), text), "utf-8"
        )


def _renewed(found: re.Match[str], tables: list[str], whole: bool) -> str:
    """Put tables in the place of those that stand under the same title; all, where all are new."""
    opening, before, closing = found.groups()
    kept = [] if whole else [piece for piece in before.split("\n\n") if piece.strip()]
    for table in tables:
        title, rows = table.strip().split("\n\n")
        at = kept.index(title) if title in kept else len(kept)
        kept[at : at + 2] = [title, rows]
    return opening + "\n\n".join(piece.strip("\n") for piece in kept) + "\n" + closing


def _scaled(part: Part, scale: float) -> Part:
    if scale == 1:
        return part
    messages = max(1, int(part.mailbox.messages * scale))
    user = f"{part.mailbox.user}-{messages}"
    mailbox = part.mailbox._replace(user=user, messages=messages)
    return part._replace(mailbox=mailbox, title=f"{part.title} x {scale}")


def _takes_part(reader: str, *, peers: bool) -> bool:
    if reader in PEERS:
        return peers and importlib.util.find_spec(reader) is not None
    return True


def _measure(part: Part, readers: list[str], server: Dovecot, repeat: int) -> dict[str, list[dict]]:
    part.mailbox.write(server)
    results: dict[str, list[dict]] = {reader: [] for reader in readers}
    with ExitStack() as stack:
        url = server.url(part.mailbox.user)
        if part.delay:
            relay = stack.enter_context(Relay(server.port, delay=part.delay))
            url = url.replace(f":{server.port}", f":{relay.port}")
        for turn in range(repeat):
            for reader in readers:
                if reader in PEERS and turn and not _is_patient_with(results[reader]):
                    continue
                result = _read(reader, url)
                if reader != "socket" and result["rows"] != part.mailbox.total:
                    sys.exit(f"{reader} read {result['rows']} of {part.mailbox.total} messages")
                results[reader].append(result)
    return results


def _is_patient_with(readings: list[dict]) -> bool:
    taken = [reading["seconds"] for reading in readings]
    return sum(taken) + max(taken) < PATIENCE


def _read(reader: str, url: str) -> dict:
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.readers", reader, url]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # imports are measured as of what is installed
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, check=True, timeout=1200
    )
    return json.loads(done.stdout)


def _table(part: Part, results: dict[str, list[dict]]) -> str:
    floor = statistics.median(result["seconds"] for result in results["socket"])
    lines = [
        f"{part.title[0].upper()}{part.title[1:]}:\n",
        "| reader | seconds | x socket | messages/s | imports | memory |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for reader, readings in results.items():
        seconds = statistics.median(result["seconds"] for result in readings)
        grew = statistics.median(result["grew"] for result in readings)
        rate = part.mailbox.total / seconds
        ratio = seconds / floor
        apart = statistics.median(result["imports"] for result in readings)
        imports = "" if reader == "socket" else "counted" if reader == FIRST else f"{apart:.2f} s"
        figures = f"{seconds:.2f} | {ratio:.2f} | {rate:,.0f} | {imports} | +{grew:.0f} MiB"
        lines.append(f"| {reader} | {figures} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
