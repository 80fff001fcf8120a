"""How often mailframe reads real headers as others do: ``python -m tests.headers.agreement``.

Every message of the corpora is read by mailframe, by the other parsers of `tests.headers.others`,
and by GMime where the system's Python has it (Debian: ``gir1.2-gmime-3.0``, ``python3-gi``). Told
are the shares of equal values, and with ``--show from_addr`` the values where all others agree, and
not with mailframe: there somebody is wrong, and it may be us.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter

from tests import corpora
from tests.headers import others

PYTHON = "/usr/bin/python3"
GMIME = """
import json, struct, sys
import gi
gi.require_version("GMime", "3.0")
from gi.repository import GMime
GMime.init()

def boxes(listed):
    found = []
    for n in range(listed.length()):
        each = listed.get_address(n)
        if hasattr(each, "get_addr"):
            found.append((each.get_name(), each.get_addr()))
        elif hasattr(each, "get_members"):
            found += boxes(each.get_members())
    return found

data = sys.stdin.buffer.read()
at = 0
while at < len(data):
    (size,) = struct.unpack_from("<I", data, at)
    block = data[at + 4 : at + 4 + size]
    at += 4 + size
    stream = GMime.StreamMem.new_with_buffer(block)
    parser = GMime.Parser.new_with_stream(stream)
    message = parser.construct_message(None)
    row = {}
    if message is not None:
        date = lambda: message.get_date().to_unix() if message.get_date() is not None else None
        readers = {
            "subject": message.get_subject,
            "from_name": lambda: (boxes(message.get_from()) or [(None, None)])[0][0],
            "from_addr": lambda: (boxes(message.get_from()) or [(None, None)])[0][1],
            "to": lambda: [addr for _, addr in boxes(message.get_to())],
            "cc": lambda: [addr for _, addr in boxes(message.get_cc())],
            "date": date,
            "message_id": message.get_message_id,
        }
        for field, read in readers.items():
            try:
                row[field] = read()
            except Exception as error:  # such as text that is not of UTF-8
                row[field] = type(error).__name__
    print(json.dumps(row))
"""


def by_gmime(blocks):
    """Read blocks with GMime; None where there is none."""
    framed = b"".join(len(block).to_bytes(4, "little") + block for block in blocks)
    try:
        done = subprocess.run([PYTHON, "-c", GMIME], input=framed, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    """Compare, and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--show", choices=others.FIELDS, nargs="*", default=[])
    options = asked.parse_args()
    blocks = [block for name in corpora.NAMES for block in corpora.headers(name)]
    ours = [others.ours(block) for block in blocks]
    theirs = {name: [read(block) for block in blocks] for name, read in others.PARSERS.items()}
    gmime = by_gmime(blocks)
    if gmime is None:
        print("GMime is not here: gir1.2-gmime-3.0 and python3-gi have it", file=sys.stderr)
    else:
        theirs["GMime"] = gmime
    print(f"{len(blocks):,} messages")
    for field in others.FIELDS:
        equal = Counter()
        told = Counter()
        alone = 0
        for number, mine in enumerate(ours):
            values = [rows[number].get(field, ...) for rows in theirs.values()]
            for name, value in zip(theirs, values, strict=True):
                told[name] += value is not ...
                equal[name] += value is not ... and others.same(field, mine[field], value)
            known = [value for value in values if value is not ...]
            agreed = all(others.same(field, known[0], value) for value in known[1:])
            if known and agreed and not others.same(field, mine[field], known[0]):
                alone += 1
                if field in options.show:
                    raw = [
                        line
                        for line in blocks[number].split(b"\n")
                        if field[:4].encode() in line.lower()
                    ]
                    print(
                        f"  {field} {number}: {mine[field]!r} and not {known[0]!r}; {raw[:2]!r}"[
                            :600
                        ]
                    )
        shares = ", ".join(f"{name} {equal[name] / max(told[name], 1):.1%}" for name in theirs)
        print(f"{field:12} {shares}; alone against all: {alone}")


if __name__ == "__main__":
    main()
