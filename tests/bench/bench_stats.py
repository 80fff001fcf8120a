"""Every statistic on a million messages: `python -m tests.bench.bench_stats [ROWS] [NAME …]`.

Printed are the median of three runs and its ratio to counting one column's values with pandas
(`value_counts`), since seconds depend on the machine and ratios much less. Marked with "!" is what
takes longer than it should, as `LIMIT` has it: two seconds where it names none.
"""

from __future__ import annotations

import argparse
import statistics
import time

import mailframe.stats  # noqa: F401 -- registers df.mail
from tests.bench.varied import make_varied

RUNS = 3
LIMIT = {
    **dict.fromkeys(("thread_ids", "threads", "threads by subject"), 10),
    "contact_ranks": 5,
    **dict.fromkeys(("hops", "delivery"), 3),
}
CALLS = {
    "volume": lambda mail: mail.volume(),
    "volume by sender": lambda mail: mail.volume("M", by="from_addr"),
    "volume by recipient": lambda mail: mail.volume("M", by="to"),
    "matrix": lambda mail: mail.matrix(tz="Europe/Berlin"),
    "matrix of the senders": lambda mail: mail.matrix(tz="sender"),
    "calendar": lambda mail: mail.calendar(),
    "flow": lambda mail: mail.flow(),
    "top": lambda mail: mail.top(),
    "top recipients": lambda mail: mail.top("to"),
    "senders": lambda mail: mail.senders(),
    "names": lambda mail: mail.names(),
    "domains": lambda mail: mail.domains(),
    "recipients": lambda mail: mail.recipients(),
    "people": lambda mail: mail.people(),
    "newcomers": lambda mail: mail.newcomers(),
    "internal": lambda mail: mail.internal(),
    "thread_ids": lambda mail: mail.thread_ids(),
    "threads": lambda mail: mail.threads(),
    "threads by subject": lambda mail: mail.threads(by_subject=True),
    "response_times": lambda mail: mail.response_times(),
    "response_summary": lambda mail: mail.response_summary(),
    "awaiting_reply": lambda mail: mail.awaiting_reply(),
    "sizes": lambda mail: mail.sizes("from_addr"),
    "largest": lambda mail: mail.largest(),
    "read_share": lambda mail: mail.read_share(),
    "lists": lambda mail: mail.lists(),
    "inbox_age": lambda mail: mail.inbox_age(),
    "duplicates": lambda mail: mail.duplicates(),
    "contacts": lambda mail: mail.contacts(),
    "contact_ranks": lambda mail: mail.contact_ranks(),
    "describe": lambda mail: mail.describe(),
    "anonymise": lambda mail: mail.anonymise("a key of enough octets"),
    "authentication": lambda mail: mail.authentication(),
    "hops": lambda mail: mail.hops(),
    "delivery": lambda mail: mail.delivery(),
}
TRACE = {"authentication", "hops", "delivery"}  # these need the widest columns


def seconds(call, argument):
    """Give the median time of a call."""
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        call(argument)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_stats", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("names", nargs="*", default=[*CALLS], help=", ".join(CALLS))
    arguments = parser.parse_args()
    trace = bool(TRACE & set(arguments.names))
    df = make_varied(arguments.rows, delivery=trace)
    unit = seconds(lambda frame: frame["from_addr"].value_counts(), df)
    print(f"{arguments.rows:,} messages; pandas counts a column in {unit * 1000:.0f} ms")
    for name in arguments.names:
        taken = seconds(CALLS[name], df.mail)
        late = " !" if taken > LIMIT.get(name, 2) * arguments.rows / 1_000_000 else ""
        print(f"{name:<22} {taken * 1000:>7,.0f} ms {taken / unit:>6.1f} x{late}", flush=True)


if __name__ == "__main__":
    main()
