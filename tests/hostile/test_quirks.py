"""Every deviation that is tolerated is a named function; each cites its source and has a case."""

import inspect

import pytest

from mailframe.ground.uidset import UidSet
from mailframe.imap import connection, grammar, responses
from mailframe.imap.framing import Frame
from mailframe.imap.responses import (
    Exists,
    Fetched,
    Found,
    Listed,
    MailboxStatus,
    Status,
    read_response,
)

CASES = {
    "quirk_no_text": (b"A1 OK", Status("A1", "OK")),
    "quirk_odd_spaces": (b"*  1843 EXISTS", Exists(1843)),
    "quirk_spaces_in_name": (
        b"* STATUS Sent  Items (old) (MESSAGES 1 )",
        MailboxStatus(b"Sent  Items (old)", {"MESSAGES": 1}),
    ),
    "quirk_spaces_in_name LIST": (
        b'* LIST (\\Trash) "/" Deleted  Items (old)',
        Listed(b"Deleted  Items (old)", b"/", frozenset({r"\trash"})),
    ),
    "quirk_fraction": (
        b"* STATUS x (HIGHESTMODSEQ 17.0)",
        MailboxStatus(b"x", {"HIGHESTMODSEQ": 17}),
    ),
    "quirk_exponent": (
        b"* STATUS x (HIGHESTMODSEQ 17.0 SIZE 9.3736e+06)",
        MailboxStatus(b"x", {"HIGHESTMODSEQ": 17, "SIZE": 9_373_600}),
    ),
    "quirk_exponent FETCH": (
        b"* 1 FETCH (UID 1 RFC822.SIZE 9.3736e+06)",
        Fetched(1, uid=1, size=b"9373600"),
    ),
    "quirk_quoted_flag": (
        rb'* 1 FETCH (FLAGS (\Seen "My label"))',
        Fetched(1, flags=rb'\Seen "My label"'),
    ),
    "quirk_unescaped_flag": (
        rb'* 1 FETCH (FLAGS ("\Seen" "\\Flagged" "$Junk" "a\b"))',
        Fetched(1, flags=rb"\Seen \Flagged $Junk a\b"),
    ),
    "quirk_unescaped_flag alone": (
        rb'* 1 FETCH (FLAGS "\Seen" UID 7)',
        Fetched(1, uid=7, flags=rb"\Seen"),
    ),
    "quirk_unescaped_flag several": (
        rb'* 1 FETCH (FLAGS "\Seen \Flagged $Junk" UID 7)',
        Fetched(1, uid=7, flags=rb"\Seen \Flagged $Junk"),
    ),
    "quirk_unescaped_flag LIST": (
        rb'* LIST ("\HasNoChildren" "\\Trash") "/" x',
        Listed(b"x", b"/", frozenset({r"\hasnochildren", r"\trash"})),
    ),
    "quirk_blanks_in_date": (
        b"* 1 FETCH (INTERNALDATE 05-Jan-2015 10:00:00 +0000 UID 7)",
        Fetched(1, uid=7, internaldate=b"05-Jan-2015 10:00:00 +0000"),
    ),
    "quirk_blanks_in_date parentheses": (
        b'* 1 FETCH (INTERNALDATE ("05-Jan-2015 10:00:00 +0000") UID 7)',
        Fetched(1, uid=7, internaldate=b"05-Jan-2015 10:00:00 +0000"),
    ),
    "quirk_loose_items": (
        rb" FLAGS (\Seen) RFC822.SIZE 77)",
        Fetched(0, flags=rb"\Seen", size=b"77"),
    ),
    "quirk_modseq_in_parentheses": (
        b'* ESEARCH (TAG "a") UID ALL 1:3 (MODSEQ 284535)',
        Found(UidSet.of((1, 3))),
    ),
    "quirk_section_without_value": (
        b"* 2 FETCH (UID 2 BODY[HEADER.FIELDS (TO)] FLAGS () BODY[HEADER.FIELDS (TO)] )",
        Fetched(2, uid=2, flags=b""),
    ),
    "quirk_extra_parentheses": (
        rb"* 2 FETCH ((UID 2) (FLAGS (\Seen)) (RFC822.SIZE 5 INTERNALDATE NIL))",
        Fetched(2, uid=2, flags=rb"\Seen", size=b"5", internaldate=b""),
    ),
    "quirk_fetch_without_parentheses": (
        rb"* 4 FETCH FLAGS (\Seen)",
        Fetched(4, flags=rb"\Seen"),
    ),
    "quirk_nil": (
        b"* 4 FETCH (UID 9 INTERNALDATE NIL RFC822.SIZE NIL BODY[HEADER.FIELDS (TO)] NIL)",
        Fetched(4, uid=9, internaldate=b"", size=b"", header=b"", headless=True),
    ),
}


def quirks():
    modules = (connection, grammar, responses)
    found = [vars(module).items() for module in modules]
    return {name: value for items in found for name, value in items if name.startswith("quirk_")}


@pytest.mark.parametrize(("line", "meaning"), CASES.values(), ids=CASES)
def test_a_tolerated_deviation_is_read_as_it_was_meant(line, meaning):
    assert read_response(Frame((line,))) == meaning


def test_a_ghost_of_an_expunged_message_is_recognised():
    """The seventh: Dovecot's, told apart from a message that is only empty."""
    ghost = Fetched(2, uid=2, internaldate=b"", size=b"0", header=b"", headless=True)
    empty = Fetched(2, uid=2, internaldate=b"1-Jan-2024 10:00:00 +0000", size=b"0", header=b"")
    assert connection.quirk_expunged_meanwhile(ghost)
    assert not connection.quirk_expunged_meanwhile(empty)


@pytest.mark.parametrize("name", quirks())
def test_every_quirk_cites_its_source_and_has_a_case(name):
    assert "Source:" in inspect.getdoc(quirks()[name])
    assert name in {case.partition(" ")[0] for case in CASES} or name == "quirk_expunged_meanwhile"
