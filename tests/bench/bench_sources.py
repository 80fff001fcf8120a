"""`read_mbox` against grep: `python -m tests.bench.bench_sources [MIB]`.

An mbox file is made of header blocks like Gmail's and bodies of text and base64, their sizes spread
as in a real mailbox (many small, few large, 58 KB in the mean). It is in the page cache when the
readers take turns; medians and their ratio to `grep -c '^From '` are printed, of the wall clock and
of the processor's time, which other work on the machine disturbs less. The standard library's
`mailbox` finds where messages begin and reads no header; it runs once, being slow.
"""

from __future__ import annotations

import base64
import mailbox
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import mailframe as mf

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 5
SHAPE = 1.16  # of the Pareto distribution of body sizes
SMALLEST_BODY, LARGEST_BODY, LARGEST_TEXT = 10_500, 20_000_000, 20_000
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "from", "time", "on")


def header(number: int) -> bytes:
    received = "".join(
        f"Received: by 10.1.2.{hop} with SMTP id abc{number};"
        " Mon, 1 Jan 2018 00:00:00 -0800 (PST)\n"
        for hop in range(5)
    )
    return (
        f"From {number}@xxx Mon Jan {1 + number % 28:2d} 00:00:{number % 60:02d} +0000 2018\n"
        f"X-GM-THRID: {number // 3}\nX-Gmail-Labels: Inbox,Unread\n{received}"
        f"DKIM-Signature: v=1; a=rsa-sha256;\n        {'a' * 300}\n"
        f"From: =?utf-8?q?J=C3=B6rg?= <u{number % 500}@example.org>\n"
        f"To: a@example.org, b{number % 70}@example.net\nSubject: Message number {number}\n"
        f"Date: Mon, 1 Jan 2018 00:00:00 -0800\nMessage-ID: <{number}@example.org>\n"
        f"References: <{number - 1}@example.org>\nMIME-Version: 1.0\n\n"
    ).encode()


def write(path: Path, octets: int) -> int:
    """Write the file; give the number of messages."""
    chance = random.Random(20)
    text = "".join(" ".join(chance.choices(WORDS, k=12)) + "\n" for _ in range(20_000)).encode()
    binary = base64.encodebytes(chance.randbytes(LARGEST_BODY * 3 // 4))
    count = 0
    with path.open("wb") as stream:
        while stream.tell() < octets:
            size = min(int(chance.paretovariate(SHAPE) * SMALLEST_BODY), LARGEST_BODY)
            source = text if size < LARGEST_TEXT else binary
            start = source.find(b"\n", chance.randrange(len(source) - size)) + 1
            stream.write(header(count))
            stream.write(source[start : start + size].rstrip(b"\n") + b"\n\n")
            count += 1
    return count


def taken(run: Callable[[], object]) -> tuple[float, float]:
    """Time a call: wall clock and processor, that of ended child processes too."""
    wall, before = time.perf_counter(), os.times()
    run()
    after = os.times()
    return time.perf_counter() - wall, sum(after[:4]) - sum(before[:4])


def main() -> None:
    octets = int(sys.argv[1] if len(sys.argv) > 1 else 1024) << 20
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.mbox"
        count = write(path, octets)
        grep = [shutil.which("grep") or "grep", "-c", "^From ", str(path)]

        def count_lines() -> None:
            assert int(subprocess.check_output(grep)) == count

        def read() -> None:
            assert len(mf.read_mbox(path, progress=False)) == count

        def find_messages() -> None:
            assert len(mailbox.mbox(path)) == count

        readers = {"grep -c '^From '": count_lines, "mf.read_mbox": read}
        times = {name: [] for name in readers}
        for turn in range(TURNS + 1):
            for name, run in readers.items():
                seconds = taken(run)
                if turn:  # the first turn fills caches and imports modules
                    times[name].append(seconds)
        times["mailbox.mbox"] = [taken(find_messages)]
        medians = {
            name: [statistics.median(x) for x in zip(*t, strict=True)] for name, t in times.items()
        }
        floor = medians["grep -c '^From '"]
        print(f"{path.stat().st_size / 2**20:,.0f} MiB, {count:,} messages")
        for name, (wall, processor) in medians.items():
            print(
                f"{name:20} {wall:7.2f} s ({wall / floor[0]:5.2f}) "
                f"{processor:7.2f} s of processor ({processor / floor[1]:5.2f})"
            )


if __name__ == "__main__":
    main()
