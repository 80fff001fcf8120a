"""What it costs to lay batches out as a frame, and a frame out as files, beside pandas' own ways.

`python -m tests.bench.bench_frame` prints medians and ratios over one mailbox: batches of several
folders that arrive out of order, as a fetch with several sessions delivers them.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import pandas as pd
import pyarrow as pa

from mailframe.frame.adapter import to_frame
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.export import open_writer, to_csv, to_jsonl, to_parquet
from mailframe.frame.schema import SCHEMA
from tests.bench.bench_headers import ordinary, rows

FOLDERS = 40
MESSAGES = 100_000
REPEAT = 3


def arriving():
    """Make up the batches of a mailbox, out of order."""
    builder = BatchBuilder("ann@example.org")
    header = ordinary(MESSAGES // FOLDERS)
    batches = [builder.build(rows(header, f"Lists/{n}")) for n in range(FOLDERS)]
    random.Random(1).shuffle(batches)
    return batches


def sorted_by_rows(batches):
    """The frame as one would make it without knowing that batches are runs."""
    table = pa.Table.from_batches(batches).unify_dictionaries()
    plain = [table.schema.field("folder").type.value_type, pa.int32()]
    table = table.set_column(1, "folder", table["folder"].cast(plain[0]))
    return table.sort_by([("folder", "ascending"), ("uid", "ascending")]).to_pandas()


def stream(batches, path):
    """Write batches as they come."""
    with open_writer(path, SCHEMA) as writer:
        for batch in batches:
            writer.write(batch)


def seconds(action):
    """Median time of an action."""
    times = []
    for _ in range(REPEAT):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return statistics.median(times)


def main():
    batches = arriving()
    df = to_frame(iter(batches), SCHEMA, report={})
    with tempfile.TemporaryDirectory() as place:
        at = Path(place)
        pairs = [
            ("to_frame", lambda: to_frame(iter(batches), SCHEMA, report={}),
             "sort_by, to_pandas", lambda: sorted_by_rows(batches)),
            ("to_csv", lambda: to_csv(df, at / "a.csv"),
             "DataFrame.to_csv", lambda: df.to_csv(at / "b.csv", index=False)),
            ("streamed CSV", lambda: stream(batches, at / "c.csv"),
             "DataFrame.to_csv", lambda: df.to_csv(at / "b.csv", index=False)),
            ("to_jsonl", lambda: to_jsonl(df, at / "a.jsonl"),
             "DataFrame.to_json", lambda: df.to_json(
                 at / "b.jsonl", orient="records", lines=True, date_format="iso")),
            ("to_parquet", lambda: to_parquet(df, at / "a.parquet"),
             "DataFrame.to_parquet", lambda: df.to_parquet(at / "b.parquet", compression="zstd")),
        ]  # fmt: skip
        print(f"{len(df):,} messages in {FOLDERS} folders, pandas {pd.__version__}")
        for name, ours, other, theirs in pairs:
            own, reference = seconds(ours), seconds(theirs)
            print(
                f"{name:13} {1000 * own:7.0f} ms   {other:20} {1000 * reference:7.0f} ms"
                f"   {reference / own:5.1f} times"
            )


if __name__ == "__main__":
    main()
