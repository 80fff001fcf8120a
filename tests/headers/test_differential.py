"""Where parsers disagree, and why ours is right.

`CLASSES` explains each kind of disagreement by one small example: what the bytes are, what
mailframe says, what the standard library says in its two ways, and what fast-mail-parser says.
Over real mail every disagreement must show the mark of such a class.
"""

import re
import sys
from typing import Any, NamedTuple

import pytest

from mailframe.headers import dates, fields
from mailframe.headers.addresses import plain_mailboxes
from mailframe.headers.text import unfold
from tests import corpora
from tests.headers.others import FIELDS, PARSERS, ours, same

pytestmark = pytest.mark.filterwarnings("ignore")  # other parsers' own deprecations


class Case(NamedTuple):
    """One class of disagreement; `theirs` in the order of `PARSERS`, an exception by its name."""

    what: str
    field: str
    block: bytes
    ours: Any
    theirs: tuple[Any, Any, Any]
    why: str


CLASSES = [
    Case(
        "a fold",
        "subject",
        b"Subject: one\r\n    two\r\n",
        "one    two",
        ("one\r\n    two", "one    two", "one two"),
        "RFC 5322 section 2.2.3: unfolding takes out the line end and nothing else",
    ),
    Case(
        "a fold by TAB",
        "subject",
        b"Subject: one\r\n\ttwo\r\n",
        "one two",
        ("one\r\n\ttwo", "one\ttwo", "one two"),
        "a TAB is a control character: a blank in a cell",
    ),
    Case(
        "octets without a label",
        "subject",
        b"Subject: caf\xe9 au lait\r\n",
        "caf\xe9 au lait",
        ("caf\ufffd au lait", "caf\ufffd au lait", "caf\xe9 au lait"),
        "guessed, where the others give up",
    ),
    Case(
        "an address in UTF-8",
        "to",
        b"To: \xc3\xa9@example.org\r\n",
        ["\xe9@example.org"],
        (["\ufffd\ufffd@example.org"], ["\udcc3\udca9@example.org"], ["\xe9@example.org"]),
        "RFC 6532",
    ),
    Case(
        "an encoded-word glued to letters",
        "from_name",
        b"From: H=?iso-8859-1?B?9g==?=hn <a@example.org>\r\n",
        "H\xf6hn",
        ("H \xf6 hn", "H=?iso-8859-1?B?9g==?=hn", "H=?iso-8859-1?B?9g==?=hn"),
        "the sender meant it; no blank is invented",
    ),
    Case(
        "an encoded-word glued to a full stop",
        "subject",
        b"Subject: =?utf-8?Q?a?=. Mail\r\n",
        "a. Mail",
        ("a . Mail", "a. Mail", "=?utf-8?Q?a?=. Mail"),
        "the same",
    ),
    Case(
        "raw octets in an encoded-word",
        "subject",
        b"Subject: =?iso-8859-1?Q?caf\xe9?=\r\n",
        "caf\xe9",
        ("=?iso-8859-1?Q?caf\ufffd?=", "caf\xe9", "caf"),
        "its label says what they are",
    ),
    Case(
        "windows-1252 under the label iso-8859-1",
        "subject",
        b"Subject: =?iso-8859-1?Q?Parhelia=99?=\r\n",
        "Parhelia\u2122",
        ("Parhelia\x99", "Parhelia\x99", "Parhelia\u2122"),
        "WHATWG: that label means windows-1252",
    ),
    Case(
        "a character cut between two words",
        "subject",
        b"Subject: =?iso-2022-jp?B?GyRCJF=?=\r\n =?iso-2022-jp?B?MyRzGyhC?=\r\n",
        "\u3053\u3093",
        ("\u3053\u3093", "=?iso-2022-jp?B?GyRCJF=?= 3$s", "=?iso-2022-jp?B?GyRCJF=?= 3$s"),
        "the words of one charset are one text",
    ),
    Case(
        "an encoded control character",
        "subject",
        b"Subject: =?utf-8?Q?a=00b?=\r\n",
        "ab",
        ("a\x00b", "a\x00b", "a\x00b"),
        "RFC 8621 section 4.1.2.2: dropped",
    ),
    Case(
        "a label that names no charset",
        "subject",
        b"Subject: =?x-unknown?Q?caf=E9?=\r\n",
        "caf\xe9",
        ("LookupError", "caf\ufffd", "=?x-unknown?Q?caf=E9?="),
        "guessed",
    ),
    Case(
        "an encoded-word with a language",
        "subject",
        b"Subject: =?utf-8*en?Q?a?=\r\n",
        "a",
        ("LookupError", "a", "=?utf-8*en?Q?a?="),
        "RFC 2231 section 5",
    ),
    Case(
        "the name in a comment",
        "from_name",
        b"From: a@example.org (Ann Lee)\r\n",
        "Ann Lee",
        ("Ann Lee", None, None),
        "RFC 8621 section 4.1.2.3: the comment stands in for the name",
    ),
    Case(
        "a comment in a comment",
        "to",
        b"To: a@example.org ((Ann))\r\n",
        ["a@example.org"],
        (["a@example.org"], ["a@example.org"], ["a@example.org )"]),
        "RFC 5322 section 3.2.2: comments nest",
    ),
    Case(
        "a mailbox without a domain",
        "to",
        b"To: postmaster\r\n",
        ["postmaster"],
        (["postmaster"], ["postmaster"], []),
        "it is what the message says, and a defect",
    ),
    Case(
        "a name and no address",
        "from_addr",
        b'From: "Ann Lee"\r\n',
        None,
        ("Ann Lee", '"Ann Lee"', None),
        "a name is no address",
    ),
    Case(
        "a name and empty brackets",
        "from_addr",
        b"From: MAILER-DAEMON <>\r\n",
        None,
        (None, "<>", None),
        "nothing is no address",
    ),
    Case(
        "an address for a name",
        "from_addr",
        b"From: a@example.org <b@example.org>\r\n",
        "b@example.org",
        ("a@example.org", "a@example.org", "b@example.org"),
        "the address is in the brackets",
    ),
    Case(
        "an address behind a name, without brackets",
        "from_addr",
        b"From: Ann Lee a@example.org\r\n",
        "a@example.org",
        ("Ann Lee a@example.org", '"Ann Lee a"@example.org', "Ann Lee a@example.org"),
        "blanks end an address",
    ),
    Case(
        "two addresses without a comma",
        "to",
        b"To: a@example.org b@example.org\r\n",
        ["a@example.org", "b@example.org"],
        (["@example.org"], ["a@example.org"], ["a@example.org b@example.org"]),
        "both are there",
    ),
    Case(
        "a group in brackets",
        "to",
        b"To: <Undisclosed:;>\r\n",
        [],
        (["Undisclosed"], ["Undisclosed"], []),
        "its name is no address",
    ),
    Case(
        "a comment behind an empty group",
        "to",
        b"To: unlisted:; (no To-header)\r\n",
        [],
        ([], "AttributeError", []),
        "RFC 5322 section 3.4: CFWS may stand there",
    ),
    Case(
        "a comment in a domain",
        "from_addr",
        b"From: Ann <a@example(x).  org>\r\n",
        "a@example.org",
        ("a@example.org", "a@example.org", "a@example(x).  org"),
        "RFC 5322 section 4.4: CFWS is no part of a domain",
    ),
    Case(
        "an encoded-word for an address",
        "to",
        b"To: =?utf-8?Q?x=3Ey?=, a@example.org\r\n",
        ["a@example.org"],
        (["=?utf-8?Q?x=3Ey?=", "a@example.org"], ['"x>y"', "a@example.org"], []),
        "no decoded text becomes an address",
    ),
    Case(
        "semicolons between addresses",
        "to",
        b"To: a@example.org; b@example.org\r\n",
        ["a@example.org", "b@example.org"],
        (["a@example.org", "b@example.org"], ["a@example.org"], ["a@example.org", "b@example.org"]),
        "as some programs write lists",
    ),
    Case(
        "two fields of destinations",
        "to",
        b"To: a@example.org\r\nTo: b@example.org\r\n",
        ["a@example.org", "b@example.org"],
        (["a@example.org"], ["a@example.org"], ["a@example.org"]),
        "RFC 5322 section 4.5.3: they are one list",
    ),
    Case(
        "a route",
        "to",
        b"To: <@x,@y:a@example.org>\r\n",
        ["a@example.org"],
        (["@y", "a@example.org"], ["a@example.org"], ["@x,@y:a@example.org"]),
        "RFC 5322 section 4.4: a route is ignored",
    ),
    Case(
        "a zone in a comment before the zone",
        "date",
        b"Date: Wed, 20 Sep 1995 00:19:00 (EDT) -0400\r\n",
        811570740,
        (811556340, 811556340, None),
        "a comment says nothing; the zone does",
    ),
    Case(
        "fractions of a second",
        "date",
        b"Date: Tue, 17 Jul 2012 22:23:35.882 +0000\r\n",
        1342563815,
        ("ValueError", None, None),
        "one instant, and a defect",
    ),
    Case(
        "no date",
        "date",
        b"Date: whenever\r\n",
        None,
        ("ValueError", None, None),
        "no instant; the legacy function raises",
    ),
    Case(
        "no blank behind the weekday",
        "date",
        b"Date: Thu,29 Apr 2012 23:34:45 +0900\r\n",
        1335710085,
        (1335710085, 1335710085, None),
        "RFC 5322 section 3.3: the blank may be missing",
    ),
    Case(
        "an unknown zone",
        "date",
        b"Date: Thu, 29 Apr 2012 23:34:45 JST\r\n",
        1335742485,
        (1335742485, 1335742485, None),
        "RFC 5322 section 4.3: as -0000",
    ),
    Case(
        "an American date",
        "date",
        b"Date: Thursday, April 09, 2003 9:00 AM\r\n",
        1049878800,
        (1049878800, 1049878800, None),
        "one instant, and a defect",
    ),
    Case(
        "a zone only in a comment",
        "date",
        b"Date: Mon, 16 Sep 2002 03:27:38 (GMT)\r\n",
        1032146858,
        (1032146858, 1032146858, None),
        "the time is there; as -0000, and a defect",
    ),
    Case(
        "a zone of three digits",
        "date",
        b"Date: Fri, 1 Nov 2019 10:21:39 +070\r\n",
        None,
        (1572599499, 1572599499, 1572599499),
        "seventy minutes past the hour are no zone, and who lost a digit may have meant +0700",
    ),
    Case(
        "hour 24",
        "date",
        b"Date: Fri, 1 Nov 2019 24:00:00 +0000\r\n",
        None,
        ("ValueError", None, 1572652800),
        "RFC 5322 section 3.3: 00 to 23",
    ),
    Case(
        "a year before 1900",
        "date",
        b"Date: Fri, 1 Nov 1066 10:00:00 +0000\r\n",
        None,
        (-28501164000, -28501164000, None),
        "RFC 5322 section 3.3: 1900 or later",
    ),
    Case(
        "two at-signs in an id",
        "message_id",
        b"Message-ID: <a@b@c>\r\n",
        "a@b@c",
        ("a@b@c", "a@b", "a@b@c"),
        "an id is what stands between the brackets",
    ),
    Case(
        "a comma in an id",
        "message_id",
        b"Message-ID: <a,b@c>\r\n",
        "a,b@c",
        ("a,b@c", "a", "a,b@c"),
        "the same",
    ),
    Case(
        "blanks in an id",
        "message_id",
        b"Message-ID: <a @ b>\r\n",
        "a@b",
        ("a @ b", "a", "a @ b"),
        "RFC 5322 section 4.5.4: folding is no part of it",
    ),
    Case(
        "an id in UTF-8",
        "message_id",
        b"Message-ID: <a@b\xc3\xa9>\r\n",
        "a@b\xe9",
        ("AttributeError", "a@b\xe9", "a@b\xe9"),
        "RFC 6532",
    ),
    Case(
        "words behind an id",
        "message_id",
        b"Message-ID: <a@b> x\r\n",
        "a@b",
        ("a@b> x", "a@b", "a@b> x"),
        "they are not the id",
    ),
    Case(
        "ids without blanks between",
        "references",
        b"References: <a@b><c@d>\r\n",
        ["a@b", "c@d"],
        (["a@b><c@d"], ["a@b><c@d"], ["a@b><c@d"]),
        "RFC 5322 section 3.6.4: the blanks may be missing",
    ),
    Case(
        "a phrase before an id",
        "references",
        b"References: Your message of Monday <a@b>\r\n",
        ["a@b"],
        (
            ["Your", "message", "of", "Monday", "a@b"],
            ["Your", "message", "of", "Monday", "a@b"],
            ["Your", "message", "of", "Monday", "a@b"],
        ),
        "RFC 5322 section 4.5.4: a phrase is no id",
    ),
    Case(
        "commas between ids",
        "references",
        b"References: <a@b>,<c@d>\r\n",
        ["a@b", "c@d"],
        (["a@b>,<c@d"], ["a@b>,<c@d"], ["a@b>,<c@d"]),
        "the ids are in the brackets",
    ),
    Case(
        "a line that is no field",
        "subject",
        b"no field\r\nSubject: a\r\n",
        "a",
        (None, None, None),
        "it ends nothing; what follows are fields",
    ),
    Case(
        "a quoted mbox line",
        "subject",
        b">From a@b\r\nSubject: a\r\n",
        "a",
        (None, None, None),
        "the same",
    ),
    Case(
        "a blank before the colon",
        "subject",
        b"Subject : a\r\n",
        "a",
        (None, None, None),
        "RFC 5322 section 4.5: obsolete syntax",
    ),
    Case(
        "CR for a line end",
        "subject",
        b"From: a@b\rSubject: a\r",
        "a",
        ("a", "a", None),
        "no other line end is there",
    ),
    Case(
        "a date before 1970",
        "date",
        b"Date: Thu, 13 Feb 1969 23:32:54 -0330\r\n",
        -27723426,
        (-27723426, -27723426, None),
        "it is a date",
    ),
]


@pytest.mark.parametrize("case", CLASSES, ids=lambda case: case.what)
def test_what_we_say(case):
    assert ours(case.block)[case.field] == case.ours


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="email differs from version to version")
@pytest.mark.parametrize("case", CLASSES, ids=lambda case: case.what)
def test_what_the_others_say(case):
    said = tuple(read(case.block)[case.field] for read in PARSERS.values())
    assert said == case.theirs
    assert not all(same(case.field, case.ours, each) for each in said)


SOURCE = {
    "subject": b"subject",
    "from_name": b"from",
    "from_addr": b"from",
    "to": b"to",
    "cc": b"cc",
    "date": b"date",
    "message_id": b"message-id",
    "references": b"references",
}
PLAIN_TEXT = re.compile(rb"[ -~]*")
PLAIN_IDS = re.compile(rb"(?:<[^<>@,\s\"()\x80-\xff]+@[^<>@,\s\"()\x80-\xff]+>(?:\s+|$))*")
PLAIN_FIELD = re.compile(rb"[!-9;-~]+:[^\n]*(?:\n[ \t][^\n]*)*\n?")


def is_ordinary(field, raw):
    """Tell whether a value shows no mark of any class: then all parsers must agree."""
    if field == "subject":
        return PLAIN_TEXT.fullmatch(raw) and b"=?" not in raw
    if field in {"message_id", "references"}:
        return PLAIN_IDS.fullmatch(raw.strip())
    if field == "date":
        when = dates.parse(raw)
        return not when.mended and when.seconds >= 0 and re.search(rb"\d [+-]\d{4}$", raw)
    # A lone word for an address, a comment or an encoded-word has its class.
    return plain_mailboxes(unfold(raw)) is not None


def is_well_framed(block):
    """Tell whether each line is a field or folds one, and ends in LF or CRLF."""
    lines = block.replace(b"\r\n", b"\n").strip(b"\n")
    return b"\r" not in lines and all(
        PLAIN_FIELD.fullmatch(each)
        for each in re.findall(rb"[^\n]*(?:\n[ \t][^\n]*)*\n?", lines)
        if each
    )


@pytest.mark.parametrize("name", corpora.NAMES)
def test_every_disagreement_has_its_class(name):
    strangers = []
    for block in corpora.headers(name):
        if not is_well_framed(block):
            continue
        mine = ours(block)
        raw = {}
        for field in fields.split(block):
            raw.setdefault(field.name.lower(), []).append(field.value)
        for parser, read in PARSERS.items():
            theirs = read(block)
            for field in FIELDS:
                value, *more = raw.get(SOURCE[field], [b""])
                if same(field, mine[field], theirs[field]) or more:
                    continue  # several fields have their class
                if is_ordinary(field, value):
                    strangers.append((parser, field, value, mine[field], theirs[field]))
    assert not strangers
