"""One reader, one mailbox, one fresh process: `python -m tests.bench.readers NAME URL`.

Every reader makes the same columns of every message of every folder and leaves them in a DataFrame;
`socket` is the floor: it logs in, lists, sends everything in one write, and drops what it reads.
It prints seconds (imports not counted, which it tells apart), rows, and by how many MiB memory
grew. Every reader is cold: it has seen no value before. `mailframe, first call` has imported
nothing before either, and its seconds are all there are.
"""

from __future__ import annotations

import argparse
import asyncio
import imaplib
import json
import re
import socket
import time
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from email.message import Message

FIELDS = (
    "DATE FROM TO CC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID"
    " LIST-UNSUBSCRIBE PRECEDENCE AUTO-SUBMITTED X-AUTOREPLY X-AUTORESPOND"
)
HEADERS = f"BODY.PEEK[HEADER.FIELDS ({FIELDS})]"
ITEMS = f"(FLAGS INTERNALDATE RFC822.SIZE {HEADERS})"


class Target:
    """The parts of the account's URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.host, self.port = parts.hostname or "", parts.port or 143
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")


# -- the floor


def read_with_socket(target: Target) -> int:
    """Send all commands at once over one connection; count the rows by their UIDs, roughly."""
    with socket.create_connection((target.host, target.port)) as link:
        stream = link.makefile("rb")
        stream.readline()
        link.sendall(b"a LOGIN %s %s\r\n" % (target.user.encode(), target.password.encode()))
        _lines_until(stream, b"a ")
        link.sendall(b'b LIST "" "*"\r\n')
        listed = _lines_until(stream, b"b ")
        names = [line.partition(b' "/" ')[2] for line in listed if b"\\Noselect" not in line]
        commands = [
            b"c%d EXAMINE %s\r\nd%d UID FETCH 1:* %s\r\n" % (n, name, n, ITEMS.encode())
            for n, name in enumerate(names)
        ]
        link.sendall(b"".join(commands) + b"e NOOP\r\n")
        end, tail, octets = re.compile(rb"\r\ne OK [^\r]*\r\n$"), b"", 0
        piece = bytearray(1 << 20)
        while not end.search(tail):
            size = link.recv_into(piece)
            if not size:
                raise ConnectionError("the server hung up")
            octets += size
            tail = (tail + piece[max(0, size - 200) : size])[-200:]
    return octets


def _lines_until(stream, tag: bytes) -> list[bytes]:
    lines = []
    while not (line := stream.readline()).startswith(tag):
        lines.append(line.rstrip(b"\r\n"))
    return lines


# -- ourselves


def read_with_mailframe(target: Target):
    import mailframe as mf  # noqa: PLC0415 -- only the reader that is measured is imported

    return mf.read_imap(target.url, progress=False)


def read_attachments(target: Target):
    import mailframe as mf  # noqa: PLC0415 -- the same

    return mf.read_imap(target.url, attachments=True, progress=False)


def stream_with_mailframe(target: Target) -> int:
    import mailframe as mf  # noqa: PLC0415 -- the same

    async def count() -> int:
        return sum([batch.num_rows async for batch in mf.aiter_batches(target.url, progress=False)])

    return asyncio.run(count())


# -- the others


def read_with_imaplib(target: Target):
    rows = []
    with imaplib.IMAP4(target.host, target.port) as client:
        client.login(target.user, target.password)
        for line in client.list()[1]:
            if b"\\Noselect" in line:
                continue
            client.select(line.partition(b' "/" ')[2].decode(), readonly=True)
            answer = client.uid("FETCH", "1:*", ITEMS)[1]
            rows += [_row(part[0], part[1]) for part in answer if isinstance(part, tuple)]
    return _frame(rows)


def read_with_imapclient(target: Target):
    from imapclient import IMAPClient  # noqa: PLC0415 -- optional

    rows = []
    with IMAPClient(target.host, target.port, ssl=False) as client:
        client.login(target.user, target.password)
        for flags, _, name in client.list_folders():
            if b"\\Noselect" in flags or not client.select_folder(name, readonly=True)[b"EXISTS"]:
                continue
            items = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", HEADERS]
            fetched = client.fetch(client.search(), items)
            for uid, items in fetched.items():
                block = next(v for k, v in items.items() if k.startswith(b"BODY[HEADER"))
                known = items[b"FLAGS"], items[b"INTERNALDATE"], items[b"RFC822.SIZE"]
                rows.append((uid, *known, *_values(block)))
    return _frame(rows)


def read_with_imap_tools(target: Target):
    from imap_tools import MailBoxUnencrypted  # noqa: PLC0415 -- optional

    rows = []
    with MailBoxUnencrypted(target.host, target.port).login(target.user, target.password) as box:
        for folder in box.folder.list():
            if "\\Noselect" in folder.flags:
                continue
            box.folder.set(folder.name, readonly=True)
            for m in box.fetch(mark_seen=False, headers_only=True, bulk=True):
                known = m.uid, m.flags, m.date, m.size, m.date, m.from_values, m.to, m.cc
                rest = ("message-id", "in-reply-to", "references", "list-id")
                rows.append((*known, m.subject, *(m.headers.get(name, ("",))[0] for name in rest)))
    return _frame(rows)


def read_with_aioimaplib(target: Target):
    import aioimaplib  # noqa: PLC0415 -- optional

    async def read():
        rows = []
        client = aioimaplib.IMAP4(target.host, target.port, timeout=600)
        await client.wait_hello_from_server()
        await client.login(target.user, target.password)
        for line in (await client.list('""', "*")).lines[:-1]:
            if b"\\Noselect" in line:
                continue
            await client.select(bytes(line).partition(b' "/" ')[2].decode())
            lines = (await client.uid("fetch", "1:*", ITEMS)).lines
            rows += [_row(a, bytes(b)) for a, b in pairwise(lines) if isinstance(b, bytearray)]
        await client.logout()
        return _frame(rows)

    return asyncio.run(read())


_UID = re.compile(rb"UID (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


def _row(items: bytes, block: bytes) -> tuple[object, ...]:
    known = (
        int(_UID.search(items)[1]),
        imaplib.ParseFlags(items),
        imaplib.Internaldate2tuple(items),
        int(_SIZE.search(items)[1]),
    )
    return (*known, *_values(block))


def _values(block: bytes) -> tuple[object, ...]:
    """Read the header with the standard library, as programs that use these clients do."""
    try:
        return _parsed(message_from_bytes(block))
    except Exception:  # noqa: BLE001 -- six kinds have been seen
        return (None,) * 9  # real mail: a program would stop here


def _parsed(message: Message) -> tuple[object, ...]:
    return (
        parsedate_to_datetime(message["Date"]),
        getaddresses(message.get_all("From", [])),
        getaddresses(message.get_all("To", [])),
        getaddresses(message.get_all("Cc", [])),
        str(make_header(decode_header(message.get("Subject", "")))),
        message["Message-ID"],
        message["In-Reply-To"],
        message.get("References", "").split(),
        message["List-Id"],
    )


def _frame(rows: list[tuple[object, ...]]):
    import pandas as pd  # noqa: PLC0415 -- mailframe's own process imports it when it wants

    known = ["uid", "flags", "internaldate", "size", "date", "from", "to", "cc", "subject"]
    return pd.DataFrame(
        rows, columns=[*known, "message_id", "in_reply_to", "references", "list_id"]
    )


FIRST = "mailframe, first call"
ATTACHMENTS = "mailframe, attachments"
READERS = {
    "socket": read_with_socket,
    "mailframe": read_with_mailframe,
    FIRST: read_with_mailframe,
    ATTACHMENTS: read_attachments,
    "mailframe stream": stream_with_mailframe,
    "imaplib": read_with_imaplib,
    "imapclient": read_with_imapclient,
    "imap_tools": read_with_imap_tools,
    "aioimaplib": read_with_aioimaplib,
}
#: What is imported before the clock starts.
MODULES = dict.fromkeys(("mailframe", ATTACHMENTS, "mailframe stream"), "mailframe.readers.server")


def main() -> None:
    """Run one reader and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("url")
    arguments = parser.parse_args()
    began = time.perf_counter()
    if arguments.reader != FIRST:
        __import__("pandas")
        __import__(MODULES.get(arguments.reader, arguments.reader))
    imports = time.perf_counter() - began
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory is counted from here
    before = _peak_mib()
    began = time.perf_counter()
    result = READERS[arguments.reader](Target(arguments.url))
    seconds = time.perf_counter() - began
    rows = result if isinstance(result, int) else len(result)
    grew = _peak_mib() - before
    print(json.dumps({"seconds": seconds, "imports": imports, "rows": rows, "grew": grew}))


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


if __name__ == "__main__":
    main()
