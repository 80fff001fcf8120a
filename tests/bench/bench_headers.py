"""How fast header blocks become columns, and how often parsers agree: no socket, no server.

`python -m tests.bench.bench_headers [rates] [growth] [agreement]` prints all three, or some:

- rates: microseconds of the processor that the batch builder takes for a message, over made-up and
  real mail, each kind in a process of its own: cold, the first time that this process sees it, and
  warm, once more; beside parsers that look at one message at a time;
- growth: seconds a message and peak memory from 10,000 to 1,000,000 messages into a DataFrame, each
  in a process of its own;
- agreement: in how many messages another parser says the same, field by field.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from time import process_time

from mailframe.frame.adapter import to_frame
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.schema import HEADER_FIELDS
from tests import corpora
from tests.bench.mailboxes import KINDS, messages
from tests.frame.rowwise import Rows
from tests.headers.others import FIELDS, PARSERS, ours, same

ROWS = 8192  # of a batch, as a fetch has them
MESSAGES = 40_000
REPEAT = 5
SIZES = (10_000, 100_000, 1_000_000)
TITLE = """
Header blocks into columns, without a server, in microseconds of the processor a message: cold, the
first time that a process sees them, and warm, once more in the same; beside parsers that look at
one message at a time
""".strip()
_NO_OTHERS = ("real", "attached")  # these are told by archive; those have the headers of others
HEADINGS = (
    *("mail", "messages", "octets", "cold", "warm"),
    *("email", "policy.default", "fast-mail-parser"),
)
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


def kinds():
    """Return what gives the header blocks of each kind of mail."""
    made_up = {
        name: partial(_made_up, make) for name, make in KINDS.items() if name not in _NO_OTHERS
    }
    return made_up | {name: partial(corpora.fetched, name, HEADER_FIELDS) for name in corpora.NAMES}


def _made_up(make):
    return corpora.chosen((message.raw for message in make(MESSAGES, 1)), HEADER_FIELDS)


def rate(kind):
    """Measure one kind of mail in this process."""
    blocks = kinds()[kind]()
    batches = [rows(blocks[at : at + ROWS]) for at in range(0, len(blocks), ROWS)]
    builder = BatchBuilder("ann@example.org")
    builder.build(rows(ordinary(10)))

    def build():
        for batch in batches:
            builder.build(batch)

    cold, warm = (1e6 * seconds(build) / len(blocks) for _ in range(2))
    part = blocks[:: max(1, len(blocks) // SAMPLE)]
    others = [1e6 * seconds(list, map(read, part)) / len(part) for read in PARSERS.values()]
    octets = sum(map(len, blocks)) / len(blocks)
    print(json.dumps([len(blocks), octets, cold, warm, *others]))


def table(repeat=REPEAT):
    """Measure every kind of mail, and give what a message takes as a table."""
    lines = [f"{TITLE}:", "", f"| {' | '.join(HEADINGS)} |", "|---" + "|--:" * 7 + "|"]
    for kind in kinds():
        if kind in corpora.NAMES and not corpora.are_here():
            continue
        command = [sys.executable, "-W", "ignore", "-m", "tests.bench.bench_headers", "rate", kind]
        measured = [
            json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
            for _ in range(repeat)
        ]
        number, octets, *taken = (statistics.median(each) for each in zip(*measured, strict=True))
        each = " | ".join(f"{microseconds:.1f}" for microseconds in taken)
        lines.append(f"| {kind} | {number:,} | {octets:.0f} | {each} |")
    return "\n".join(lines) + "\n"


def rates():
    """Print what a message takes."""
    print(f"\nmedians of {REPEAT} processes\n\n{table()}")
    builder, small = BatchBuilder("ann@example.org"), rows(list(ordinary(50)))
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
    if sys.argv[1:2] == ["rate"]:
        rate(sys.argv[2])
        return
    for part in sys.argv[1:] or parts:
        parts[part]()


if __name__ == "__main__":
    main()
