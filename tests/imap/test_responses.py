"""Response lines and what they are read as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.ground.uidset import UidSet
from mailframe.imap import responses as r
from mailframe.imap.framing import Frame, Framer


def read(line):
    framer = Framer()
    framer.feed(line + b"\r\n")
    return r.read_response(framer.next_frame())


CASES = [
    (b"* OK [CAPABILITY IMAP4rev1 ID] hi", r.Status("", "OK", "CAPABILITY", b"IMAP4rev1 ID", "hi")),
    (b"M7 NO [TRYCREATE] no such box", r.Status("M7", "NO", "TRYCREATE", b"", "no such box")),
    (b"M7 OK", r.Status("M7", "OK")),
    (b"M7 BAD Request is throttled.", r.Status("M7", "BAD", text="Request is throttled.")),
    (b"* BYE", r.Status("", "BYE")),
    (b"+", r.Continuation()),
    (b"+ go on", r.Continuation(b"go on")),
    (b"* CAPABILITY IMAP4rev1  idle", r.Capability(frozenset({"IMAP4REV1", "IDLE"}))),
    (b"* ENABLED condstore", r.Enabled(frozenset({"CONDSTORE"}))),
    (
        b'* LIST (\\HasNoChildren) "/" INBOX',
        r.Listed(b"INBOX", b"/", frozenset({"\\hasnochildren"})),
    ),
    (b'* LIST () NIL "a \\"b"', r.Listed(b'a "b', None, frozenset())),
    (b'* LIST (\\) "/" NIL', r.Listed(b"NIL", b"/", frozenset({"\\"}))),
    (b'* LIST () "." {4}\r\na\tbc', r.Listed(b"a\tbc", b".", frozenset())),
    (b'* LIST () "/" a (CHILDINFO ("SUBSCRIBED"))', r.Listed(b"a", b"/", frozenset())),
    (b"* LIST () * STATUS a (MESSAGES 1)", r.Malformed(b"* LIST () * STATUS a (MESSAGES 1)")),
    (b'* LIST () "/a" b', r.Malformed(b'* LIST () "/a" b')),
    (b"* STATUS x (MESSAGES 1 )", r.MailboxStatus(b"x", {"MESSAGES": 1})),
    (b'* STATUS "a b" (UIDNEXT 7 HIGHESTMODSEQ -1)', r.MailboxStatus(b"a b", {"UIDNEXT": 7})),
    (b"* STATUS a b (MESSAGES 2)", r.MailboxStatus(b"a b", {"MESSAGES": 2})),
    (b"* STATUS a (SIZE 9.3736e+06)", r.MailboxStatus(b"a", {"SIZE": 9373600})),
    (b"* STATUS a (HIGHESTMODSEQ 1.7e+09 UIDNEXT 4.0)", r.MailboxStatus(b"a", {"UIDNEXT": 4})),
    (b"*  1843 EXISTS", r.Exists(1843)),
    (b"* 2 EXPUNGE", r.Expunged(2)),
    (b"* 2 EXPUNGED", r.Other("EXPUNGED")),
    (b"* SEARCH 1 2 ", r.Found(UidSet.of((1, 2)))),
    (b"* SEARCH 5 9 (MODSEQ 12)", r.Found(UidSet.from_uids([5, 9]))),
    (b"* SEARCH", r.Found(UidSet())),
    (b'* ESEARCH (TAG "M1") UID ALL 1:3,9', r.Found(UidSet.of((1, 3), (9, 9)))),
    (b'* ESEARCH (TAG "M1") UID', r.Found(UidSet())),
    (b"* ESEARCH UID COUNT 2 ALL 4,6", r.Found(UidSet.from_uids([4, 6]))),
    (b"* ESEARCH UID AL 1:3", r.Malformed(b"* ESEARCH UID AL 1:3")),
    (b"* VANISHED (EARLIER) 3:5", r.Vanished(UidSet.of((3, 5)), earlier=True)),
    (b"* VANISHED 4", r.Vanished(UidSet.of((4, 4)), earlier=False)),
    (b"* 3 FETCH (UID 9 FLAGS (\\Seen $a[b]))", r.Fetched(3, 9, b"\\Seen $a[b]")),
    (b"* 3 fetch (uid 9 modseq (77))", r.Fetched(3, 9, modseq=77)),
    (b"* 4 FETCH FLAGS (\\Seen)", r.Fetched(4, flags=b"\\Seen")),
    (b"* 0 FETCH ()", r.Fetched(0)),
    (b'* 4 FETCH (FLAGS ("My label" "$a" \\Seen))', r.Fetched(4, flags=b'"My label" $a \\Seen')),
    (
        b'* 5 FETCH (FLAGS () UID 8 INTERNALDATE " 7-Jul-1996 02:44:25 -0700" RFC822.SIZE 42)',
        r.Fetched(5, 8, b"", b" 7-Jul-1996 02:44:25 -0700", b"42"),
    ),
    (
        b'* 5 FETCH (BODY[HEADER.FIELDS ("DATE" "FROM")] {8}\r\nDate: x\n UID 8)',
        r.Fetched(5, 8, header=b"Date: x\n", headless=False),
    ),
    (
        b"* 5 FETCH (UID 8 BODY[HEADER.FIELDS (DATE)] NIL)",
        r.Fetched(5, 8, header=b"", headless=True),
    ),
    (
        b"* 5 FETCH (UID 8 BODY[HEADER] {9}\r\nDate* 6 F BODY[HEADER] {2}\r\nab)",
        r.Malformed(b"* 5 FETCH (UID 8 BODY[HEADER] ", 8),
    ),
    (b"* NAMESPACE NIL NIL NIL", r.Other("NAMESPACE")),
    (b"Server Unavailable. 15", r.Malformed(b"Server Unavailable. 15")),
    (b"*", r.Malformed(b"*")),
    (b"", r.Malformed(b"")),
    (b"* 6 FETCH (UID 10 FLAGS (", r.Malformed(b"* 6 FETCH (UID 10 FLAGS (", 10)),
    (b"* 6 FETCH (UID 10 FLAGS)", r.Malformed(b"* 6 FETCH (UID 10 FLAGS)", 10)),
]


@pytest.mark.parametrize(("line", "response"), CASES, ids=lambda x: repr(x)[:40])
def test_a_line_is_read_as(line, response):
    assert read(line) == response


SCATTERED = UidSet.from_uids(range(1, 400_000, 2))


@pytest.mark.parametrize(
    ("line", "response"),
    [
        (b'* ESEARCH (TAG "M1") UID MIN 1 ALL %s COUNT 200000', r.Found(SCATTERED)),
        (b"* VANISHED (EARLIER) %s", r.Vanished(SCATTERED, earlier=True)),
        (b"* SEARCH %s", r.Found(SCATTERED)),
    ],
    ids=["ESEARCH", "VANISHED", "SEARCH"],
)
def test_a_line_may_be_as_long_as_the_uids_in_it(line, response):
    mark = b" " if b"SEARCH %s" in line else b","
    line %= mark.join(b"%d" % uid for uid in SCATTERED)
    assert len(line) > r.LONGEST_VALUES
    assert read(line) == response


@pytest.mark.parametrize("values", [b"a ", b"(a) ", b'"a" ', b"()"])
def test_a_long_line_of_many_values_is_not_read(values):
    line = b"* VANISHED " + values * r.LONGEST_VALUES
    assert read(line) == r.Malformed(line[: r.EXCERPT])
    literal = b"* VANISHED {1}\r\na " + values * r.LONGEST_VALUES
    assert isinstance(read(literal), r.Malformed)


@pytest.mark.parametrize(
    ("line", "doubtful"),
    [
        (b"* 3 FETCH (UID 9 FLAGS ())", False),
        (b"* FLAGS (\\Seen)", False),
        (b"M1 OK done", False),
        (b"Server Unavailable. 15", True),
        (b'* L IST () "/" "Archive"', True),
        (b'M1 OK do* LIST () "/" "Archive"', True),
        (b"* OK go on* 3 EXISTS", True),
    ],
)
def test_what_may_hide_a_response_is_doubtful(line, doubtful):
    assert r.is_doubtful(read(line)) == doubtful


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
def test_no_octets_raise(texts):
    frame = Frame(tuple(texts), (b"x",) * (len(texts) - 1))
    assert r.read_response(frame) is not None
    starred = Frame((b"* 1 FETCH (" + texts[0], *texts[1:]), frame.literals)
    assert r.read_response(starred) is not None
