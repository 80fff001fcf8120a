"""A store of many accounts, counted without being loaded: `python -m tests.bench.bench_fleet`.

`--rows` varied rows in `--accounts` accounts are written as a fleet writes them, then counted with
two threads of DuckDB, each in a process of its own, so that its memory is told. Rows are made
column by column from a seed: senders and lists as unequal as in life, a tenth of the messages in
two folders, every Message-ID but theirs once; some without a date or with one that cannot be.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import mailframe as mf
from mailframe.frame.schema import SCHEMA
from mailframe.store.filecolumns import stored_schema
from mailframe.store.merge import Answers, Merge
from mailframe.store.parquet import ROW_GROUP
from mailframe.store.state import FolderState
from mailframe.store.writer import writing
from mailframe.widgets.report import page

QUESTIONS = {
    "count": lambda store: store.sql("select count(*) from messages"),
    "volume by week": lambda store: store.mail.volume("W"),
    "volume by sender": lambda store: store.mail.volume("M", by="from_addr"),
    "matrix": lambda store: store.mail.matrix(),
    "top domains": lambda store: store.mail.top("from_domain"),
    "top recipients": lambda store: store.mail.top("to"),
    "senders": lambda store: store.mail.senders(),
    "domains": lambda store: store.mail.domains("organisation"),
    "lists": lambda store: store.mail.lists(),
    "newcomers": lambda store: store.mail.newcomers(),
    "largest": lambda store: store.mail.largest(),
    "duplicates": lambda store: store.mail.duplicates(),
    "describe": lambda store: store.mail.describe(),
    "report": page,
}
SENDERS, DOMAINS, LISTS = 200_000, 9_000, 400
# Every tenth account has 60 small folders beside these.
FOLDERS = {"INBOX": 0.5, "Sent": 0.2, "Archive": 0.15, "Lists/dev": 0.15}
SMALL = {f"Projects/{number:02}": 0.002 for number in range(60)}
SCATTER = 0x9E3779B97F4A7C15
SECONDS = 10 * 365 * 86_400


def texts(form, numbers, valid=None):
    """Write numbers as texts, each distinct one once; null where they are not valid."""
    used, place = np.unique(numbers, return_inverse=True)
    names = pa.array([form.format(number) for number in used.tolist()], pa.string())
    codes = pa.array(place.astype(np.int32), mask=None if valid is None else ~valid)
    return pa.DictionaryArray.from_arrays(codes, names)


def plain(before, numbers, after="", valid=None):
    """Write numbers that hardly come twice as texts."""
    mask = None if valid is None else ~valid
    digits = pa.array(numbers, mask=mask).cast(pa.string())
    return pc.binary_join_element_wise(before, digits, after, "")


def lists(items, counts):
    """Give each message as many of the items as `counts` has."""
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), items)


def moments(draw, count):
    """Give Date and arrival: some of the former are missing, of 1970, or of a year to come."""
    second = np.sort(draw.integers(0, SECONDS, count)).astype("timedelta64[s]")
    arrived = np.datetime64("2015-01-01", "us") + second
    sent = arrived - draw.integers(1, 90, count).astype("timedelta64[s]")
    fate = draw.random(count)
    sent[fate < 0.002] = np.datetime64("1970-01-01")
    sent[fate > 0.998] = np.datetime64("2037-06-05")
    return pa.array(sent, mask=(fate > 0.4) & (fate < 0.402)), pa.array(arrived)


def mail(number, count, shares):
    """Make up an account's rows in the order of folders; a tenth of the mails lie in two."""
    draw = np.random.default_rng(number)
    own = f"user{number:05}@example.org"
    likely = np.array([*shares.values()]) / sum(shares.values())
    place = draw.choice(len(shares), count, p=likely)
    sender = np.minimum(draw.zipf(1.3, count), SENDERS)
    sender = np.where(place == 1, SENDERS + 1 + number, sender)
    date, arrived = moments(draw, count)
    # Odd: different numbers stay different, and look like nothing that could be compressed.
    own_ids = (number * 10**7 + np.arange(count)).astype(np.uint64) * np.uint64(SCATTER)
    answers = draw.random(count) < 0.4
    parents = own_ids - draw.integers(1, 50, count).astype(np.uint64) * np.uint64(SCATTER)
    named = [draw.integers(1, 4, count), np.maximum(draw.integers(-4, 3, count), 0)]
    people = [np.minimum(draw.zipf(1.5, int(each.sum())), 5_000) for each in named]
    to, cc = (texts("person{}@example.org", each).cast(pa.string()) for each in people)
    is_list = (sender % 3 == 0) & (place != 1)
    made = {
        "date": date,
        "date_offset": pa.array(draw.choice([0, 60, 120, -420], count)),
        "internaldate": arrived,
        "from_name": texts("Person {}", sender),
        "from_addr": texts("Person{0}@example{0}.org", sender),
        "from_domain": texts("example{}.org", sender % DOMAINS),
        "to": lists(to, named[0]),
        "cc": lists(cc, named[1]),
        "subject": plain("Re: matter ", draw.integers(0, 10**6, count), " and what came of it"),
        "message_id": plain("", own_ids, ".4711@mail.example"),
        "in_reply_to": plain("", parents, ".4711@mail.example", answers),
        "references": lists(plain("", parents[answers], ".4711@mail.example"), answers),
        "list_id": texts("list{}.example.org", sender % LISTS, is_list),
        "bulk": pa.array(is_list | (draw.random(count) < 0.1)),
        "auto": pa.array(draw.random(count) < 0.1),
        "size": pa.array(draw.lognormal(9, 1.2, count).astype(np.int64)),
        "seen": pa.array(draw.random(count) < 0.7),
        "answered": pa.array(draw.random(count) < 0.2),
        "flagged": pa.array(draw.random(count) < 0.02),
        "draft": pa.array(draw.random(count) < 0.002),
        "deleted": pa.array(draw.random(count) < 0.01),
        "keywords": lists(pa.array(["$forwarded"] * (count // 10)), np.arange(count) % 10 == 9),
        "defects": pa.array(np.zeros(count, int)),
    }
    twice = np.flatnonzero(draw.random(count) < 0.1)
    rows = np.concatenate([np.arange(count), twice])
    folder = np.concatenate([place, (place[twice] + 1) % len(FOLDERS)])
    order = np.lexsort((rows, folder))
    made = {name: column.take(rows[order]) for name, column in made.items()}
    starts = np.searchsorted(folder[order], np.arange(len(shares) + 1))
    for name, start, end in zip(shares, starts, starts[1:], strict=False):
        part = {key: column.slice(start, end - start) for key, column in made.items()}
        part["account"] = texts(own, np.zeros(end - start, int))
        part["folder"] = texts(name, np.zeros(end - start, int))
        part["uid"] = pa.array(np.arange(1, end - start + 1))
        columns = [part[field.name].cast(field.type) for field in SCHEMA]
        yield name, pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def write(root, rows, accounts):
    """Write so many rows in so many accounts, as a fleet does."""
    now = datetime.now(UTC)
    for number in range(accounts):
        account = f"user{number:05}@example.org"
        shares = FOLDERS | SMALL if number % 10 == 0 else FOLDERS
        with writing(root, account) as writer:
            writer.expect(len(shares))
            for folder, made in mail(number, round(rows / accounts / 1.1), shares):
                pieces = [made.slice(at, ROW_GROUP) for at in range(0, len(made), ROW_GROUP)]
                merge = Merge(stored_schema(()), Answers(rows=pieces), at=now)
                state = FolderState(account, folder, 1, len(made) + 1, refreshed=now.isoformat())
                writer.save(state, merge.batches(()))
            writer.finish()


def ask(root, question):
    """Answer one question and tell what it took."""
    import duckdb  # noqa: PLC0415 -- to be set before the first connection

    connect = duckdb.connect
    duckdb.connect = lambda: connect(config={"threads": 2})
    store = mf.open_store(root)
    started, busy = time.perf_counter(), time.process_time()
    QUESTIONS[question](store)
    took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    busy = time.process_time() - busy
    print(f"  {question:20} {took:6.2f} s  {busy:6.2f} s busy  {peak:6.0f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_fleet", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--ask", nargs=2, metavar=("STORE", "QUESTION"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ask:
        ask(*chosen.ask)
        return
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "store"
        started = time.perf_counter()
        write(root, chosen.rows, chosen.accounts)
        octets = sum(path.stat().st_size for path in root.rglob("*.parquet"))
        took = time.perf_counter() - started
        print(
            f"{chosen.rows:,} rows, {chosen.accounts:,} accounts: {octets >> 20} MiB, {took:.0f} s"
        )
        for question in QUESTIONS:
            command = [
                sys.executable,
                "-m",
                "tests.bench.bench_fleet",
                "--ask",
                str(root),
                question,
            ]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
