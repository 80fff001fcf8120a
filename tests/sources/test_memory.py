"""Files of any size pass through little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
FROM = b"From ann@example.org Thu Nov 29 22:33:52 2001\n"

READ = """
import resource, sys
from mailframe.sources.mbox import iter_mbox
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
def read(path):
    return sum(len(batch) for batch in iter_mbox(path, progress=False))
small, large = sys.argv[1:]
read(small)
before = peak()
print(read(large), peak() - before)
"""


FRAME = """
import sys
import pyarrow as pa
import mailframe as mf
df = mf.read_mbox(sys.argv[1], progress=False)
pool = pa.default_memory_pool()
print(len(df), round(100 * pool.max_memory() / pool.bytes_allocated()))
"""


def write(path, count, header_octets, body_octets):
    """Write messages whose bodies are holes in the file: no disk is needed for them."""
    header = b"Received: from a by b\n" * (header_octets // 22) + b"Subject: x\n\n"
    with path.open("wb") as stream:
        for _ in range(count):
            stream.write(FROM + header)
            stream.seek(body_octets, 1)
            stream.write(b"\n\n")


def told_by(script, *paths):
    """Run a script in a process of its own; give the two numbers that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *paths], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, second = map(int, done.stdout.split())
    return first, second


def rows_and_growth(tmp_path):
    """Read the file `large` in a process that has read `small`: rows, and MiB its peak grew by."""
    return told_by(READ, tmp_path / "small", tmp_path / "large")


@pytest.mark.parametrize(
    ("count", "header_octets", "body_octets"),
    [(30, 1000, 10 * MIB), (10_000, 10_000, 20_000)],
    ids=["large bodies", "many headers"],
)
def test_three_hundred_mebibytes_need_a_fraction_of_it(tmp_path, count, header_octets, body_octets):
    write(tmp_path / "small", 20, header_octets, 100)
    write(tmp_path / "large", count, header_octets, body_octets)
    rows, mib = rows_and_growth(tmp_path)
    assert rows == count
    assert mib < 100


def test_bodies_that_hold_whole_messages_need_a_fraction_of_it(tmp_path):
    inner = FROM + b"Subject: inner\n\n" + b"text\n" * 100_000 + b"\n"
    write(tmp_path / "small", 20, 100, 100)
    with (tmp_path / "large").open("wb") as stream:
        for _ in range(25):
            stream.write(FROM + b"Content-Length: %d\n\n" % (12 * len(inner)))
            stream.writelines([inner] * 12)
            stream.write(b"\n")
    rows, mib = rows_and_growth(tmp_path)
    assert rows == 25
    assert mib < 100


def test_a_frame_is_not_held_twice_while_it_is_made(tmp_path):
    subject = b"Subject: %s\n" % (b"word " * 19)
    ids = b"".join(b"%s: <%s@example.org>\n" % (name, b"z" * 90) for name in (b"Message-ID", b"To"))
    with (tmp_path / "mail").open("wb") as stream:
        for number in range(60_000):
            stream.write(FROM + b"From: <%d@example.org>\n" % number + subject + ids + b"\n\n")
    rows, percent = told_by(FRAME, tmp_path / "mail")
    assert rows == 60_000
    assert percent < 185
