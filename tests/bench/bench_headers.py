"""How fast header blocks become columns, and how often parsers agree: no socket, no server.

`python -m tests.bench.bench_headers [rates] [growth] [agreement]` prints all three, or some:

- rates: messages a second of the batch builder over made-up ordinary mail and the three corpora,
  cold (everything new) and warm, beside parsers that look at one message at a time;
- growth: seconds a message and peak memory from 10,000 to 1,000,000 messages into a DataFrame, each
  in a process of its own;
- agreement: in how many messages another parser says the same, field by field.
"""

from __future__ import annotations

import gc
import json
import re
import statistics
import subprocess
import sys
import warnings
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from time import process_time

from mailframe.frame.adapter import to_frame
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.schema import HEADER_FIELDS
from tests import corpora
from tests.bench.mailboxes import messages
from tests.frame.rowwise import Rows
from tests.headers.others import FIELDS, PARSERS, ours, same

ROWS = 16_384
REPEAT = 7
SIZES = (10_000, 100_000, 1_000_000)
REMEMBERS = type(lru_cache(len))
SAMPLE = 500  # messages that the slow parsers get


def ordinary(number):
    """Make up header blocks, as a server sends the fields that a frame needs."""
    return corpora.chosen((message.raw for message in messages(number, seed=1)), HEADER_FIELDS)


def rows(header, folder="INBOX"):
    """Make rows of header blocks, with varied values for the rest."""
    count = len(header)
    flags = (rb"\Seen", b"", rb"\Seen \Answered $Forwarded")
    return Rows(
        folders=[(folder, count)],
        uid=list(range(1, count + 1)),
        flags=[flags[n % 3] for n in range(count)],
        internaldate=[
            b"%2d-Jul-2024 02:44:%02d -0700" % (n % 31 + 1, n % 60) for n in range(count)
        ],
        size=[b"%d" % (7 * n) for n in range(count)],
        header=header,
    )


def seconds(work, *arguments):
    """Take the processor's time for a call: the machine has other work too."""
    began = process_time()
    work(*arguments)
    return process_time() - began


def forget():
    """Empty every memory of values seen, as in a new process."""
    for thing in gc.get_objects():
        if isinstance(thing, REMEMBERS) and str(thing.__module__).startswith("mailframe"):
            thing.cache_clear()


def rates():
    """Print messages a second."""
    kinds = {"ordinary": ordinary(ROWS)}
    kinds |= {name: corpora.fetched(name, HEADER_FIELDS) for name in corpora.NAMES}
    kinds |= {"ordinary, whole headers": [x.raw for x in messages(ROWS, seed=1)]}
    print(f"\n{ROWS} header blocks in one batch, medians of {REPEAT}\n")
    print("| mail | octets | cold /s | warm /s | email | policy.default | fast-mail-parser |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for kind, blocks in kinds.items():
        given = rows(list(islice(cycle(blocks), ROWS)))
        builder = BatchBuilder("ann@example.org")
        cold, warm = [], []
        for _ in range(REPEAT):
            forget()
            cold.append(seconds(builder.build, given))
            warm.append(seconds(builder.build, given))
        warm_each = statistics.median(warm) / ROWS
        others = []
        for read in PARSERS.values():
            part = given.header[:SAMPLE]
            each = seconds(list, map(read, part)) / SAMPLE
            others.append(f"{each / warm_each:.0f} x slower")
        octets = sum(map(len, given.header)) / ROWS
        print(
            f"| {kind} | {octets:.0f} | {ROWS / statistics.median(cold):,.0f} "
            f"| {1 / warm_each:,.0f} | {' | '.join(others)} |",
            flush=True,
        )
    small = rows(list(ordinary(50)))
    each = statistics.median(seconds(builder.build, small) for _ in range(REPEAT))
    print(f"\na batch of 50 rows: {1e3 * each:.1f} ms")


def grow(number):
    """Build a frame of so many messages, batch by batch, and say what it took."""
    blocks = list(ordinary(10_000))
    builder = BatchBuilder("ann@example.org")
    to_frame([builder.build(rows(blocks))], builder.schema, report={})
    size = 8192

    def batches():
        for start in range(0, number, size):
            count = min(size, number - start)
            at = start % len(blocks)
            yield builder.build(rows((blocks[at:] + blocks)[:count], f"Folder {start:07}"))

    began = process_time()
    frame = to_frame(batches(), builder.schema, report={})
    took = process_time() - began
    assert len(frame) == number
    print(json.dumps({"seconds": took, "peak": peak()}))


def peak():
    """Give the most memory that this process ever had, in MiB; its parent's does not count."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def growth():
    """Print what more messages cost."""
    print("\n| messages | us a message | x first | peak MiB |\n|--:|--:|--:|--:|")
    first = None
    for number in SIZES:
        command = [sys.executable, "-m", "tests.bench.bench_headers", "grow", str(number)]
        taken = [
            json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
            for _ in range(3)
        ]
        each = statistics.median(x["seconds"] for x in taken) / number
        first = first or each
        most = max(x["peak"] for x in taken)
        print(f"| {number:,} | {1e6 * each:.2f} | {each / first:.2f} | {most:.0f} |", flush=True)


def agreement():
    """Print in how many messages each parser says what mailframe says."""
    warnings.simplefilter("ignore")
    for name in corpora.NAMES:
        blocks = corpora.headers(name)
        mine = [ours(block) for block in blocks]
        print(f"\n{name}: {len(blocks)} messages, agreement with mailframe\n")
        print(f"| parser | {' | '.join(FIELDS)} |\n|---|{'--:|' * len(FIELDS)}")
        for parser, read in PARSERS.items():
            theirs = [read(block) for block in blocks]
            shares = [
                sum(same(f, a[f], b[f]) for a, b in zip(mine, theirs, strict=True)) / len(blocks)
                for f in FIELDS
            ]
            print(f"| {parser} | {' | '.join(f'{share:.2%}' for share in shares)} |", flush=True)


def main():
    """Run the parts that the command line names."""
    parts = {"rates": rates, "growth": growth, "agreement": agreement}
    if sys.argv[1:2] == ["grow"]:
        grow(int(sys.argv[2]))
        return
    for part in sys.argv[1:] or parts:
        parts[part]()


if __name__ == "__main__":
    main()
