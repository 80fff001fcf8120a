"""A store of many accounts, counted without being loaded: `python -m tests.bench.bench_fleet`.

`--rows` varied rows in `--accounts` accounts are written as a fleet writes them, then counted with
two threads of DuckDB, each in a process of its own, so that its memory is told. Rows are made
column by column from a seed: senders and lists as unequal as in life, a tenth of the messages in
two folders, every Message-ID but theirs once.
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

import mailframe as mf
from mailframe.frame.schema import SCHEMA
from mailframe.store.columns import stored_schema
from mailframe.store.folder import ROW_GROUP
from mailframe.store.merge import Answers, Merge
from mailframe.store.state import FolderState
from mailframe.store.writer import writing

QUESTIONS = {
    "count": lambda store: store.sql("select count(*) from messages"),
    "volume by week": lambda store: store.mail.volume("W"),
    "matrix": lambda store: store.mail.matrix(),
    "top domains": lambda store: store.mail.top("from_domain"),
    "senders": lambda store: store.sql("select * from senders order by messages desc limit 100"),
    "lists": lambda store: store.sql("select * from lists order by messages desc"),
    "duplicates": lambda store: store.sql(
        "with copied as (select hash(message_id) from messages group by 1 having count(*) > 1)"
        " select count(*) from copied"
    ),
    "sizes": lambda store: store.sql("select approx_quantile(size, [.1, .5, .9]) from messages"),
}
SENDERS, DOMAINS, LISTS = 200_000, 9_000, 400
FOLDERS = ("INBOX", "Sent", "Archive", "Lists/dev")


def texts(form, numbers):
    """Write numbers as texts, each distinct one once."""
    used, place = np.unique(numbers, return_inverse=True)
    names = pa.array([form.format(number) for number in used.tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), names)


def batch(account, folder, count, seed):
    """Make up a folder's rows."""
    draw = np.random.default_rng(seed)
    sender = np.minimum(draw.zipf(1.3, count), SENDERS)
    when = np.datetime64("2015-01-01", "us") + np.sort(draw.integers(0, 10**7 * 30, count)).astype(
        "timedelta64[s]"
    )
    ids = seed * 10**7 + np.arange(count)
    copies = draw.random(count) < 0.1
    ids[copies] -= draw.integers(1, 50, copies.sum())
    some = texts("person{}@example.org", np.minimum(draw.zipf(1.5, count), 5000)).cast(pa.string())
    columns = {
        "account": texts(account, np.zeros(count, int)),
        "folder": texts(folder, np.zeros(count, int)),
        "uid": pa.array(np.arange(1, count + 1), pa.uint32()),
        "date": pa.array(when),
        "internaldate": pa.array(when + np.timedelta64(9, "s")),
        "from_name": texts("Person {}", sender),
        "from_addr": texts("Person{0}@example{0}.org", sender),
        "from_domain": texts("example{}.org", sender % DOMAINS),
        "to": pa.ListArray.from_arrays(pa.array(np.arange(count + 1), pa.int32()), some),
        "subject": pa.array([f"Re: matter {n}" for n in draw.integers(0, 10**6, count).tolist()]),
        "message_id": pa.array([f"{n:x}.{n * 7919 % 10**9}@mail.example" for n in ids.tolist()]),
        "list_id": pa.array(np.where(sender % 3 == 0, sender % LISTS, -1)),
        "size": pa.array((draw.lognormal(9, 1.2, count)).astype(np.int64)),
        "seen": pa.array(draw.random(count) < 0.7),
    }
    number = np.asarray(columns["list_id"])
    lists = texts("list{}.example.org", np.maximum(number, 0)).cast(pa.string())
    columns["list_id"] = pa.compute.if_else(pa.array(number >= 0), lists, None)
    arrays = []
    for field in SCHEMA:
        if field.name in columns:
            arrays.append(columns[field.name].cast(field.type))
        elif field.nullable and not pa.types.is_list(field.type):
            arrays.append(pa.nulls(count, field.type))
        elif pa.types.is_list(field.type):
            none = pa.array(np.zeros(count + 1), pa.int32())
            arrays.append(
                pa.ListArray.from_arrays(none, pa.array([], pa.string())).cast(field.type)
            )
        else:
            arrays.append(pa.array(np.zeros(count, bool)).cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def write(root, rows, accounts):
    """Write as many rows in as many accounts, in folders of unequal size."""
    now = datetime.now(UTC)
    for number in range(accounts):
        account = f"user{number:05}@example.org"
        with writing(root, account) as writer:
            for place, folder in enumerate(FOLDERS):
                count = rows // accounts * (8, 4, 2, 2)[place] // 16
                made = batch(account, folder, count, number * len(FOLDERS) + place)
                pieces = [made.slice(start, ROW_GROUP) for start in range(0, count, ROW_GROUP)]
                merge = Merge(stored_schema(()), Answers(rows=pieces), at=now)
                state = FolderState(account, folder, 1, count + 1, refreshed=now.isoformat())
                writer.save(state, merge.batches(()))


def ask(root, question):
    """Answer one question and tell what it took."""
    import duckdb  # noqa: PLC0415 -- to be set before the first connection

    connect = duckdb.connect
    duckdb.connect = lambda: connect(config={"threads": 2})
    store = mf.open_store(root)
    started = time.perf_counter()
    QUESTIONS[question](store)
    took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {question:20} {took:6.2f} s  {peak:6.0f} MiB", flush=True)


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
