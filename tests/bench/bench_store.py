"""The header store, measured in one run: `python -m tests.bench.bench_store [PART …]`.

Parts:

- `refresh`: 100,000 messages in 10 folders over loopback; a first fetch into the store, refreshes
  of it unchanged and after a day (100 messages new, 50 flagged, 20 expunged, in 5 folders), each
  against a full fetch without a store;
- `flags`: the same mailbox unchanged on a server without CONDSTORE, where every flag is read;
- `distant`: an account of 200 small folders over a link of 50 ms round trip: a first fetch into the
  store against one without, and refreshes of it unchanged;
- `read`: 1,000,000 rows into a DataFrame, from a store and by pandas from one file;
- `size`: octets a message on the public ham corpus with every default column.

Seconds are medians; what counts are the ratios. What is aimed at stands in brackets.
"""

from __future__ import annotations

import argparse
import contextlib
import imaplib
import re
import statistics
import tempfile
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import mailframe as mf
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.outgoing import to_batches
from mailframe.frame.schema import HEADER_FIELDS
from mailframe.store.filecolumns import stored_schema
from mailframe.store.merge import Answers, Merge
from mailframe.store.state import FolderState
from mailframe.store.writer import writing
from tests import corpora
from tests.bench.mailboxes import Mailbox, messages
from tests.frame.rowwise import Rows
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay

REPEAT = 5
_RECEIVED = re.compile(
    rb"^Received:[^\n]*(?:\n[ \t][^\n]*)*?;\s*([^\r\n]+)", re.IGNORECASE | re.MULTILINE
)
ROUND_TRIP = 0.05
ACCOUNT = "ann@example.org"
WITHOUT_CONDSTORE = "imap_capability = IMAP4rev1 LIST-EXTENDED LIST-STATUS ESEARCH"


def seconds(act, repeat=REPEAT):
    """Give the median time of an act, and what it returned last."""
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        result = act()
        times.append(time.perf_counter() - started)
    return statistics.median(times), result


def show(label, value, aim=""):
    print(f"{label:52} {value}{f'  [{aim}]' if aim else ''}", flush=True)


def refresh():
    mailbox = Mailbox("store", 10, 10_000)
    with Dovecot() as server, tempfile.TemporaryDirectory() as scratch:
        mailbox.write(server)
        url = server.url("store")

        def kept(store=scratch):
            return mf.read_imap(url, store=store, progress=False)

        full, expected = seconds(lambda: mf.read_imap(url, progress=False))
        first, _ = seconds(lambda: kept(tempfile.mkdtemp(dir=scratch)), 2)
        kept()
        unchanged, got = seconds(kept)
        pd.testing.assert_frame_equal(got, expected)
        changed = []
        for day in range(3):
            a_day_later(server, day)
            took, got = seconds(kept, 1)
            changed.append(took)
            told = got.attrs["mailframe"]["store"]
            assert (told["new"], told["changed"], told["expunged"]) == (100, 50, 20), told
        pd.testing.assert_frame_equal(got, mf.read_imap(url, progress=False))
    show("full fetch of 100,000 messages", f"{full:.2f} s")
    show("first fetch into a store", f"{first:.2f} s, {first / full:.2f} x full")
    ratio = f"full / refresh = {full / unchanged:.1f}"
    show("refresh, unchanged", f"{unchanged:.3f} s, {ratio}", "at least 20")
    took = statistics.median(changed)
    show("refresh after a day", f"{took:.3f} s, {took / unchanged:.2f} x unchanged", "at most 3")


def flags():
    with Dovecot(config=WITHOUT_CONDSTORE) as server, tempfile.TemporaryDirectory() as scratch:
        Mailbox("store", 10, 10_000).write(server)
        url = server.url("store")
        full, expected = seconds(lambda: mf.read_imap(url, progress=False))
        mf.read_imap(url, store=scratch, progress=False)
        took, got = seconds(lambda: mf.read_imap(url, store=scratch, progress=False))
        pd.testing.assert_frame_equal(got, expected)
    show("refresh without CONDSTORE", f"{took:.3f} s, full / refresh = {full / took:.1f}")


def a_day_later(server, day):
    """Let 100 messages come, 50 be flagged and 20 go, in 5 folders."""
    for number in range(5):
        folder = f"Folder {number + 1:03}"
        server.deliver("store", folder, messages(20, seed=1000 + 10 * day + number))
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            client.login("store", "secret")
            client.select(f'"{folder}"')
            uids = client.uid("SEARCH", "UNDELETED UNFLAGGED")[1][0].decode().split()
            client.uid("STORE", ",".join(uids[100:110]), "+FLAGS", r"(\Flagged)")
            client.uid("STORE", ",".join(uids[200:204]), "+FLAGS", r"(\Deleted)")
            client.expunge()
    server.warm("store")


def distant():
    mailbox = Mailbox("wide", 200, 50)
    with Dovecot() as server, tempfile.TemporaryDirectory() as scratch:
        mailbox.write(server)
        near = server.url("wide")
        with Relay(server.port, delay=ROUND_TRIP / 2) as relay:
            url = near.replace(f":{server.port}", f":{relay.port}")
            full, first = [], []
            for _ in range(REPEAT):  # in turn, as a machine is now busy and now not
                full.append(seconds(lambda: mf.read_imap(url, progress=False), 1)[0])
                anew = tempfile.mkdtemp(dir=scratch)
                act = lambda url=url, anew=anew: mf.read_imap(url, store=anew, progress=False)  # noqa: E731 -- once
                first.append(seconds(act, 1)[0])
        ratio = statistics.median(first) / statistics.median(full)
        show("first fetch of 200 folders, 50 ms away", f"{ratio:.2f} x without", "at most 1.3")
        took = {}
        for trip in (ROUND_TRIP, 10 * ROUND_TRIP):
            with Relay(server.port, delay=trip / 2) as relay:
                url = near.replace(f":{server.port}", f":{relay.port}")
                mf.read_imap(url, store=scratch, progress=False)  # another address, all anew
                took[trip], df = seconds(
                    lambda url=url: mf.read_imap(url, store=scratch, progress=False)
                )
            assert df.attrs["mailframe"]["store"]["folders"] == 0
    (near, near_took), (far, far_took) = took.items()
    show("unchanged account of 200 folders, 50 ms away", f"{near_took:.3f} s")
    show("the same, 500 ms away", f"{far_took:.3f} s")
    trips = (far_took - near_took) / (far - near)
    show("so many round trips", f"{trips:.1f}", "at most 6")


def save(root, folder, batch):
    """Put a batch into a store as a first fetch does."""
    now = datetime.now(UTC)
    with writing(root, ACCOUNT) as writer:
        merge = Merge(stored_schema(()), Answers(rows=[batch]), at=now)
        state = FolderState(ACCOUNT, folder, 1, 1, refreshed=now.isoformat())
        writer.save(state, merge.batches(()))


def read():
    rows = 50_000
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(20):
            save(Path(scratch) / "store", f"Folder {number}", ordinary(rows, number))
        whole = mf.open_store(Path(scratch) / "store").frame()
        one = Path(scratch) / "one.parquet"
        plain = pa.Table.from_batches(to_batches(whole)).replace_schema_metadata(None)
        pq.write_table(plain, one, compression="zstd")
        store, df = seconds(lambda: mf.open_store(Path(scratch) / "store").frame(), 3)
        pandas, _ = seconds(lambda: pd.read_parquet(one), 3)
        some = ["folder", "uid", "date", "from_addr", "subject"]
        few, _ = seconds(lambda: mf.open_store(Path(scratch) / "store").frame(columns=some), 3)
        few_pandas, _ = seconds(lambda: pd.read_parquet(one, columns=some), 3)
        octets = sum(path.stat().st_size for path in (Path(scratch) / "store").rglob("*.parquet"))
    assert len(df) == 20 * rows
    show("1,000,000 rows from a store", f"{store:.2f} s, {octets / len(df):.0f} octets each")
    ratio = f"store / pandas = {store / pandas:.2f}"
    show("pandas.read_parquet of one file", f"{pandas:.2f} s; {ratio}", "at most 1.5")
    show("five columns of them from a store", f"{few:.2f} s")
    show("five columns by pandas", f"{few_pandas:.2f} s; store / pandas = {few / few_pandas:.2f}")


def ordinary(count, seed):
    """Make a batch of made-up mail."""
    raws = [message.raw for message in messages(count, seed)]
    return built(corpora.chosen(raws, HEADER_FIELDS), raws, f"Folder {seed}")


def built(blocks, raws, folder):
    dates = [received(raw) for raw in raws]
    count = len(blocks)
    sizes = [b"%d" % (len(raw) + 7919 * number % 6007) for number, raw in enumerate(raws)]
    uids = list(range(1, count + 1))
    rows = Rows([(folder, count)], uids, [rb"\Seen"] * count, dates, sizes, blocks)
    return BatchBuilder(ACCOUNT).build(rows)


def received(raw):
    """Give the INTERNALDATE that the topmost Received field suggests."""
    found = _RECEIVED.search(raw)
    with contextlib.suppress(ValueError, TypeError):
        when = parsedate_to_datetime(found[1].decode("ascii", "replace") if found else "")
        return when.strftime("%d-%b-%Y %H:%M:%S %z").encode().rjust(26)
    return b"01-Aug-2002 00:00:00 +0000"


def size():
    name = "spamassassin-ham"
    batch = built(corpora.fetched(name, HEADER_FIELDS), corpora.messages(name), "INBOX")
    with tempfile.TemporaryDirectory() as scratch:
        save(Path(scratch), "INBOX", batch)
        (path,) = Path(scratch).rglob("*.parquet")
        plain = Path(scratch) / "pandas.zstd"
        pq.write_table(pa.Table.from_batches([batch]), plain, compression="zstd")
        ours, theirs = path.stat().st_size, plain.stat().st_size
        with pq.ParquetFile(path) as file:
            group = file.metadata.row_group(0)
            columns = [group.column(number) for number in range(group.num_columns)]
    show("octets a message, ham corpus, store", f"{ours / len(batch):.1f}", "below 70")
    show("octets a message, pyarrow's defaults with zstd", f"{theirs / len(batch):.1f}")
    columns.sort(key=lambda column: -column.total_compressed_size)
    for column in columns[:6]:
        octets = column.total_compressed_size / len(batch)
        show(f"  of these, {column.path_in_schema}", f"{octets:.1f}")


PARTS = {"refresh": refresh, "flags": flags, "distant": distant, "read": read, "size": size}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_store", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("parts", nargs="*", default=[*PARTS], help=", ".join(PARTS))
    for part in parser.parse_args().parts:
        PARTS[part]()


if __name__ == "__main__":
    main()
