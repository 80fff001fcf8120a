"""Columns against single values: `python -m tests.fuzz.columns [VALUES] [SEED]`.

Values of real mail, where it is at hand, and of made-up mail in many languages are damaged at the
places that mean something, and laid out as messages. What the batch builder makes of a thousand of
them at once must be what the value parsers make of each. A difference names its seed.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest

from mailframe.frame.batch import BatchBuilder
from mailframe.frame.extras import parse_extras
from mailframe.headers import fields
from tests import corpora
from tests.bench import international
from tests.bench.mailboxes import BEGINS
from tests.frame.rowwise import batch_rows, plain_rows, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = (
    *("From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References", "Date", "List-Id"),
    *("Reply-To", "Comments"),
)
EXTRAS = ("Reply-To:asAddresses:all", "Comments:all", "Received:asMessageIds:all")
MESSAGES = 1000  # in a batch
_MARKS = [bytes([octet]) for octet in b"\"(),<>:;@\\[]=?._ \t-'aA0\0\x1b\x7f\x80\xa0\xc2\xe9\xff"]
_PIECES = [
    *(b"\r\n ", b"\r\n\t", b"\n  ", b"=?utf-8?q?", b"?=", b"=?", b"=?=", b"=?utf-8?b?", b"?q?"),
    *(
        b"=?utf-8?q?=C3=A9?=",
        b"=?iso-2022-jp?b?GyRCJDMbKEI=?=",
        b"=?utf-8?B?w6k=?=",
        b"=0A",
        b"=E9",
    ),
    *(
        b"=?x-unknown?q?=E9?=",
        b"=?iso-8859-1?q?=E9=93?=",
        b"=?utf-8*en?q?a?=",
        b"=?us-ascii?q?a_b?=",
    ),
    *(b"\xc3\xa9", b"e\xcc\x81", b"\xef\xbb\xbf", b"\xc2\x85", b"\x1b$B$3\x1b(B", b"=1B$B", b"=3F"),
    *(b" (c) ", b"(", b'"a, b"', b'\\"', b"<a@b>", b"a@b.example", b", ", b",,", b"G: a@b;", b"<>"),
    *(b"xn--a", b"  ", b"@@", b"..", b"=?gb2312?B?xOO6ww==?=", b"=?shift_jis?q?=82=A8?=", b"=20"),
    *(
        b"=?utf-8?b?4pyT?= =?utf-8?b?4pyT?=",
        b"=?utf-7?q?+AOk-?=",
        b"=?utf-8?q??=",
        b"?Q?=C3",
        b"=\xe9",
    ),
    *(b"=?iso-8859-1?q?=C3=A9=C3=A8?=", b"=?windows-1251?B?0LDQsdCy?=", b"=? utf-8 ? q ?a?="),
    *(
        b" =?iso-8859-1?q?=C3?= =?iso-8859-1?q?=A9?= ",
        b"=?x-euc-kr?q?=C3=A9?=",
        b"=?cp1252?q?=A9=C3?=",
    ),
    *(b"(JST)", b" +0900", b"=?koi8-r?B?0NLJ18XU?=", b"=?euc-kr?b?seg=?=", b"\r", b" \r\n \r\n "),
]


@cache
def material() -> dict[str, list[bytes]]:
    """Return values to damage, by the field that they are of."""
    found = defaultdict(list)
    blocks = [*_made_up(4000)]
    for name in corpora.NAMES:
        try:
            blocks += corpora.headers(name)
        except pytest.skip.Exception:
            print(f"without {name}", file=sys.stderr)
    names = {name.lower().encode(): name for name in NAMES}
    for block in blocks:
        for name, value in fields.split(block):
            if name.lower() in names:
                found[names[name.lower()]].append(value)
    return dict(found)


def _made_up(number: int) -> list[bytes]:
    random = Random(1)
    people = international.people(random, number // 4)
    blocks = []
    for n in range(number):
        chain = [f"{random.getrandbits(40):x}@mail.example" for _ in range(random.randint(0, 3))]
        date = BEGINS + timedelta(minutes=n)
        lines = international.lines(random, people, chain, date, f"{n:x}@mail.example")
        blocks.append(b"".join(lines))
    return blocks


def damaged(random: Random, value: bytes, others: list[bytes]) -> bytes:
    """Return a value with few faults; one in five has none."""
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        at = random.randint(0, len(value))
        until = at + random.choice((0, 0, 1, 2, 8))
        match random.randrange(8):
            case 0 | 1:
                value = value[:at] + random.choice(_MARKS) + value[until:]
            case 2 | 3 | 4:
                value = value[:at] + random.choice(_PIECES) + value[until:]
            case 5:
                value = value[:at] + value[until + 1 :]
            case 6:
                other = random.choice(others)
                value = value[:at] + other[random.randint(0, len(other)) :]
            case 7:
                value = value[:until] + value[at:]
    return value


def message(random: Random) -> bytes:
    """Make up a header block of damaged values."""
    values = material()
    lines = []
    for name in NAMES:
        if random.random() < 0.8:
            # Each parser gets what others are meant for.
            home = name if name in values and random.random() < 0.9 else random.choice(list(values))
            pool = values[home]
            value = damaged(random, random.choice(pool), pool)
            lines.append(name.encode() + b":" + random.choice((b" ", b"", b"  ")) + value + b"\r\n")
    return b"".join(lines)


def differences(values: int, seed: int) -> Iterator[str]:
    """Compare so many values, and tell each difference."""
    builder = BatchBuilder("ann@example.org", headers=EXTRAS)
    extras = parse_extras(EXTRAS)
    compared = 0
    while compared < values:
        random = Random(seed)
        blocks = [message(random) for _ in range(MESSAGES)]
        compared += sum(len(fields.split(block)) for block in blocks)
        given = rows(blocks)
        found, expected = plain_rows(builder.build(given)), batch_rows(given, extras)
        for block, ours, right in zip(blocks, found, expected, strict=True):
            for name in right:
                if ours[name] != right[name]:
                    yield f"seed {seed}: {name} is {ours[name]!r}, not {right[name]!r}: {block!r}"
        seed += 1


def main() -> None:
    """Compare as many values as the command line says, and print every difference."""
    values, seed = (
        int(number) for number in (sys.argv[1:] + ["1000000", "1"][len(sys.argv) - 1 :])
    )
    number = 0
    for each in differences(values, seed):
        number += 1
        print(each, flush=True)
    print(f"{number} differences in {values:,} values")
    sys.exit(number > 0)


if __name__ == "__main__":
    main()
