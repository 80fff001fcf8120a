"""BODYSTRUCTURE: what servers send, and what of it is an attachment."""

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers.attachments import attachments
from mailframe.imap import structure
from mailframe.imap.framing import Frame
from mailframe.imap.items import LONGEST, read_items
from mailframe.imap.responses import Fetched, read_response
from tests.floods import alarm


def parts(text):
    return structure.read_structure(read_items(b"BODYSTRUCTURE " + text).get(b"BODYSTRUCTURE"))


def found(text):
    """(name, type, bytes) of each attachment."""
    return [tuple(one) for one in attachments(parts(text))]


TEXT = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 1 NIL NIL NIL NIL)'
PDF = (
    b'("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 780 NIL '
    b'("attachment" ("filename" "a.pdf")) NIL NIL)'
)
IMAGE = b'("image" "png" ("name" "logo.png") "<a@b>" NIL "base64" 78 NIL %s NIL NIL)'
A_PDF = ("a.pdf", "application/pdf", 570)

# Whole answers, as servers word them: a text, a PDF. Dovecot 2.3.19 and Courier 5.0.13 were asked;
# the others are put together of what their trackers and users quote.
SERVERS = {
    "Dovecot": b'* 1 FETCH (UID 7 BODYSTRUCTURE (%b%b "mixed" ("boundary" "x") NIL NIL NIL))'
    % (TEXT, PDF),
    "Cyrus": b'* 1 FETCH (UID 7 BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" '
    b'5 1 NIL NIL NIL NIL)("APPLICATION" "PDF" ("NAME" "a.pdf") NIL NIL "BASE64" 780 NIL '
    b'("ATTACHMENT" ("FILENAME" "a.pdf")) NIL NIL) "MIXED" ("BOUNDARY" "x") NIL NIL NIL))',
    "Courier": b'* 1 FETCH (UID 7 BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL '
    b'"8bit" 5 0 NIL NIL NIL)("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 780 NIL '
    b'("attachment" ("filename" "a.pdf")) NIL) "mixed" ("boundary" "x") NIL NIL))',
    "Gmail": b'* 1 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 5 1 '
    b'NIL NIL NIL)("APPLICATION" "PDF" ("NAME" "a.pdf") "<f_1>" NIL "BASE64" 780 NIL ("ATTACHMENT" '
    b'("FILENAME" "a.pdf")) NIL) "MIXED" ("BOUNDARY" "x") NIL NIL) UID 7 FLAGS (\\Seen))',
    "Domino": b'* 1 FETCH ((UID 7) (BODYSTRUCTURE (%b%b "mixed")))' % (TEXT, PDF),
}


@pytest.mark.parametrize("line", SERVERS.values(), ids=SERVERS)
def test_the_forms_of_servers_are_one(line):
    response = read_response(Frame((line,)))
    assert response.uid == 7
    assert response.lacks(["flags"])
    value = read_items(response.structure)[b"BODYSTRUCTURE"]
    assert [tuple(one) for one in attachments(structure.read_structure(value))] == [A_PDF]


def test_literals_may_stand_wherever_strings_do():
    texts = (
        b'* 3 FETCH (BODYSTRUCTURE ("application" "pdf" ("name" ',
        b') NIL NIL "base64" 780 NIL ("attachment" (',
        b" ",
        b")) NIL NIL) UID 9)",
    )
    name = b'a "b" \\c)\r\n.pdf'
    response = read_response(Frame(texts, (name, b"filename", name)))
    assert response.uid == 9
    assert found(response.structure.removeprefix(b"(BODYSTRUCTURE ").partition(b" UID")[0]) == [
        ('a "b" \\c).pdf', "application/pdf", 570)
    ]


RULE = {
    "a disposition": (b'(%b%b "mixed")' % (TEXT, PDF), [A_PDF]),
    "an unknown disposition": (
        b'("application" "zip" NIL NIL NIL "7bit" 9 NIL ("form-data" NIL) NIL)',
        [(None, "application/zip", 9)],
    ),
    "a name and no disposition": (
        b'("text" "csv" ("name" "t.csv") NIL NIL "quoted-printable" 9 2)',
        [("t.csv", "text/csv", 9)],
    ),
    "a name that is inline": (
        b'("application" "pdf" NIL NIL NIL "7bit" 9 NIL ("inline" ("filename" "x.pdf")) NIL)',
        [("x.pdf", "application/pdf", 9)],
    ),
    "an inline image of the text": (b'((%b%b "related") "mixed")' % (TEXT, IMAGE % b"NIL"), []),
    "an inline image that says so": (
        b'(%b%b "related")' % (TEXT, IMAGE % b'("inline" ("filename" "logo.png"))'),
        [],
    ),
    "an image related, yet attached": (
        b'(%b%b "related")' % (TEXT, IMAGE % b'("attachment" ("filename" "logo.png"))'),
        [("logo.png", "image/png", 57)],
    ),
    "a photo between texts": (
        b'(%b%b "mixed")' % (TEXT, IMAGE % b'("inline" ("filename" "logo.png"))'),
        [("logo.png", "image/png", 57)],
    ),
    "a related image that nothing can name": (
        b'(%b("image" "gif" ("name" "x.gif") NIL NIL "base64" 78) "related")' % TEXT,
        [("x.gif", "image/gif", 57)],
    ),
    "a text alone": (TEXT, []),
    "a part without a name": (b'("application" "pdf" NIL NIL NIL "base64" 78)', []),
    "an empty name": (b'("application" "pdf" ("name" "") NIL NIL "base64" 78)', []),
    "an enclosed message that is attached, whole": (
        b'("message" "rfc822" ("name" "m.eml") NIL NIL "7bit" 900 (NIL "s" NIL NIL NIL NIL NIL NIL '
        b'NIL NIL) (%b%b "mixed") 30 NIL ("attachment" ("filename" "m.eml")) NIL)' % (TEXT, PDF),
        [("m.eml", "message/rfc822", 900)],
    ),
    "the parts of an enclosed message that is shown": (
        b'(%b("message" "rfc822" NIL NIL NIL "7bit" 900 (NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) '
        b'(%b%b "mixed") 30)%b "mixed")' % (TEXT, TEXT, PDF, PDF),
        [A_PDF, A_PDF],
    ),
    "uuencode": (
        b'("application" "x" ("name" "u") NIL NIL "x-uuencode" 630)',
        [("u", "application/x", 450)],
    ),
    "a name of RFC 2231, before the plain one": (
        b'("a" "b" ("name" "x") NIL NIL "7bit" 1 NIL ("attachment" (%b)))'
        % b'"filename" "e" "filename*1*" "%fcr." "filename*0*" "latin1\'de\'f" "filename*2" "pdf"',
        [("für.pdf", "a/b", 1)],
    ),
    "a name of RFC 2047": (
        b'("a" "pdf" ("name" "=?utf-8?Q?f=C3=BC?= =?utf-8?Q?r=2Epdf?=") NIL NIL "7bit" 1)',
        [("für.pdf", "a/pdf", 1)],
    ),
    "a name of octets without a label": (
        b'("application" "pdf" ("name" "f\xc3\xbcr.pdf") NIL NIL "7bit" 1)',
        [("für.pdf", "application/pdf", 1)],
    ),
}


@pytest.mark.parametrize(("text", "expected"), RULE.values(), ids=RULE)
def test_what_is_an_attachment(text, expected):
    assert found(text) == expected


QUIRKS = {
    "quirk_doubled_parentheses": (b'(((%b%b "mixed")))' % (TEXT, PDF), [A_PDF]),
    "quirk_empty_multipart": (b'(NIL "mixed" ("boundary" "x") NIL NIL)', []),
    "quirk_empty_multipart without NIL": (b'("mixed" ("boundary" "x") NIL NIL)', []),
    "quirk_empty_multipart among parts": (b'((NIL "alternative" NIL)%b() "mixed")' % PDF, [A_PDF]),
    "quirk_empty_multipart as a part": (b'("multipart" "mixed" NIL NIL NIL "7bit" 0)', []),
    "quirk_no_type": (
        b'(NIL NIL ("name" "x") NIL NIL "7bit" 3)("application" NIL ("name" "y") NIL NIL "7bit" 3)',
        [("x", "text/plain", 3), ("y", "application/octet-stream", 3)],
    ),
    "quirk_bare_disposition": (
        b'("application" "pdf" ("name" "x") NIL NIL "7bit" 3 NIL "ATTACHMENT" NIL)',
        [("x", "application/pdf", 3)],
    ),
    "quirk_nested_parameters": (
        b'("application" "pdf" (("charset" "x") ("name" "n")) NIL NIL "7bit" 3)',
        [("n", "application/pdf", 3)],
    ),
    "no MD5": (
        b'("application" "pdf" NIL NIL NIL "base64" 78 ("attachment" ("filename" "x")))',
        [("x", "application/pdf", 57)],
    ),
    "no language, no location, no lines": (
        b'("text" "plain" NIL NIL NIL "7bit" 7 NIL ("attachment" ("filename" "x")))',
        [("x", "text/plain", 7)],
    ),
    "a message without envelope and body": (
        b'("message" "rfc822" NIL NIL NIL "7bit" 7 NIL ("attachment" NIL) NIL NIL)',
        [(None, "message/rfc822", 7)],
    ),
    "a message of NILs": (
        b'("message" "rfc822" NIL NIL NIL "7bit" 7 NIL NIL 0 NIL ("attachment" NIL) NIL NIL)',
        [(None, "message/rfc822", 7)],
    ),
    "a size with an exponent": (
        b'("a" "b" ("name" "x") NIL NIL "7bit" 9.3736e+06 NIL NIL)',
        [("x", "a/b", 9_373_600)],
    ),
    "a size that is none": (b'("a" "b" ("name" "x") NIL NIL "7bit" NIL)', [("x", "a/b", None)]),
    "a size below nothing": (b'("a" "b" ("name" "x") NIL NIL "7bit" -1)', [("x", "a/b", None)]),
    "an odd number of parameters": (
        b'("a" "b" ("name" "x" "charset") NIL NIL "7bit" 1)',
        [("x", "a/b", 1)],
    ),
    "NIL for a value": (b'("a" "b" ("name" NIL "NAME" "x") NIL NIL "7bit" 1)', [("x", "a/b", 1)]),
    "NIL for an encoding": (b'("a" "b" ("name" "x") NIL NIL NIL 1)', [("x", "a/b", 1)]),
    "four marks for nothing": (b'("a" "b" ("name" "x") """" """" """" 1)', [("x", "a/b", 1)]),
    "a mark inside a string": (
        b'("a" "b" ("name" "a"b"c.pdf") NIL NIL "7bit" 1)',
        [('a"b"c.pdf', "a/b", 1)],
    ),
    "a part cut short": (b'("a" "b" ("name" "x"))', [("x", "a/b", None)]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), QUIRKS.values(), ids=QUIRKS)
def test_what_servers_break_is_read_as_it_was_meant(text, expected):
    several = text.count(b")(") and not text.startswith(b"((")
    assert found(b'(%b "mixed")' % text if several else text) == expected


@pytest.mark.parametrize("name", [n for n in vars(structure) if n.startswith("quirk_")])
def test_every_quirk_cites_its_source_and_has_a_case(name):
    if getattr(structure, name).__module__ == structure.__name__:
        assert "Source:" in inspect.getdoc(getattr(structure, name))
        assert name in {case.partition(" ")[0] for case in QUIRKS}


NONSENSE = [
    b"NIL",
    b"()",
    b'("text" "plain"',
    b'"text"',
    b"(",
    b"",
    b"(" * 100,
    b"()" * (LONGEST // 2),
]


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: repr(text[:20]))
def test_what_makes_no_sense_is_known_for_that(text):
    assert parts(text) is None


def test_depth_and_length_cost_in_proportion():
    deep = b"(" * 1000 + PDF + b' "mixed")' * 1000
    assert found(deep) == [A_PDF]
    enclosed = b'("message" "rfc822" NIL NIL NIL "7bit" 9 (NIL NIL NIL) '
    assert found(enclosed * 1000 + PDF + b" 1)" * 1000) == [A_PDF]
    with alarm(20):
        assert len(found(b"(%b" % (PDF * 10_000) + b' "mixed")')) == 10_000
        assert found(b'("a" "b" ("name" "%b") NIL NIL "7bit" 1)' % (b"x" * 1_000_000))
        assert found(b'("a" "b" (%b"name" "x") NIL NIL "7bit" 1)' % (b'"k" "v" ' * 100_000))
        for unclosed in (b'"', b"(", b'"\\', b'("a" "b" ("name" "'):
            parts(unclosed * 300_000)


def items(text):
    return b"(UID 7 BODYSTRUCTURE " + text + b")"


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.upper(),
        b'(%b%b "alternative" ("boundary" "x y") NIL NIL NIL)' % (TEXT, TEXT),
        b'(%b "mixed" ("boundary" "x") NIL NIL)' % TEXT,
    ],
)
def test_most_mail_is_known_to_have_nothing_attached(text):
    assert structure.is_text_alone(items(text))
    assert found(text) == []


CASES = {**RULE, **QUIRKS}


@pytest.mark.parametrize("text", [case[0] for case in CASES.values()] + NONSENSE[:-1])
def test_the_short_way_and_the_long_one_agree(text):
    if structure.is_text_alone(items(text)):
        assert found(text) == []


@given(st.lists(st.sampled_from(re.findall(rb'"[^"]*"| |[()]|\w+', TEXT + PDF)), max_size=40))
def test_no_order_of_tokens_takes_the_short_way_to_another_end(tokens):
    text = TEXT[:-1] + b" " + b"".join(tokens) + b")"
    if structure.is_text_alone(items(text)):
        assert found(text) == []


def test_a_flag_or_a_subject_with_such_a_name_is_no_item():
    line = b"* 3 FETCH (UID 9 FLAGS (PREVIEW \\Seen))"
    assert read_response(Frame((line,))) == Fetched(3, 9, b"PREVIEW \\Seen")
