"""A batch holds what the general path says of each message, whatever the message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.errors import ConfigurationError
from mailframe.frame.batch import BatchBuilder
from mailframe.frame.extras import parse_extras
from mailframe.frame.schema import HEADER_FIELDS, SCHEMA
from tests import corpora
from tests.frame.rowwise import batch_rows, plain_rows, rows

EXTRAS = (
    "Received:all",
    "List-Unsubscribe",
    "Reply-To",
    "Resent-Date",
    "Delivery-Date:all:asDate",
    "X-Mailer",
    "Resent-Message-ID:all",
    "X-Loop:asAddresses:all",
)


def assert_agrees(header, extras=EXTRAS):
    given_rows = rows(header)
    batch = BatchBuilder("ann@example.org", headers=extras).build(given_rows)
    batch.validate(full=True)
    for got, expected in zip(
        plain_rows(batch), batch_rows(given_rows, parse_extras(extras)), strict=True
    ):
        assert got == expected


def one(header, *extras, **columns):
    """Build one message and return its row."""
    builder = BatchBuilder("ann@example.org", headers=extras)
    return builder.build(rows([header], **columns)).to_pylist()[0]


@pytest.mark.parametrize("name", corpora.NAMES)
def test_whole_header_blocks_agree_with_the_general_path(name):
    assert_agrees(corpora.headers(name))


@pytest.mark.parametrize("name", corpora.NAMES)
def test_fetched_fields_agree_with_the_general_path(name):
    assert_agrees(corpora.fetched(name, HEADER_FIELDS), ())


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\r\r\n"])
def test_any_line_end_will_do(line_end):
    blocks = [x.replace(b"\r\n", b"\n") for x in corpora.headers("nasty-permissive")]
    blocks = [x for x in blocks if b"\r" not in x]
    assert_agrees([block.replace(b"\n", line_end) for block in blocks])
    builder = BatchBuilder("ann@example.org")
    expected = builder.build(rows(blocks))
    assert builder.build(rows([x.replace(b"\n", line_end) for x in blocks])).equals(expected)


# Pieces that meet at the seams of framing, names, dates, ids and addresses.
PIECES = [
    *(b"Subject", b"subject ", b"DATE", b"From", b"To\t", b"Cc", b"Message-ID", b"Re", b"List-Id"),
    *(b"References", b"In-Reply-To", b"X-Mailer", b"Received", b"List-Unsubscribe", b"Reply-To"),
    *(b":", b": ", b":  ", b"\n", b"\r\n", b"\r", b"\n ", b"\r\n\t", b"\n\n", b" ", b"\t"),
    *(b"a@b", b"<a@b>", b"<c@d> ", b"A B <a@b>", b'"x, y" <a@b>', b", ", b"(c)", b"(", b'"', b";"),
    *(b"Thu, 1 Jan 1970 00:00:60 +0100", b"31 Dec 1999 23:59:59 GMT (x)", b"Feb", b"29", b"30"),
    *(b"Fri, 29 Feb 1900 00:00:00 +0000", b" -0000", b" EST", b"Sat,  1 Jan 2000 1:00 PM"),
    *(b"=?utf-8?q?=C3=A9?=", b"=?utf-8?b?w6k=?=", b"=?x?q?", b"?=", b"\xe9", b"\xc3\xa9", b"\0"),
    *(b"<mailto:a@b>", b"http://c", b"\x1b$B", b"\x7f", b"=", b"?", b"<", b">", b"<>", b"x y"),
]
headers = st.lists(st.sampled_from(PIECES), max_size=24).map(b"".join)


@given(st.lists(headers | st.binary(max_size=80), max_size=5))
def test_any_octets_agree_with_the_general_path(blocks):
    assert_agrees(blocks)


# Around what the fast path for address lists cuts at its commas and brackets.
PEOPLE = [
    *(b"a@b", b"A.b@c.example", b"a@B", b"<a@b>", b"A B <a@b>", b"A  B <a@b>", b'"A" <a@b>'),
    *(b'"a@b; c" <d@e>', b'"A, B" <a@b>', b'"A\\"B" <a@b>', b"=?utf-8?q?A?= <a@b>", b"a@xn--a"),
    *(
        b"A<a@b>",
        b"a@b (A)",
        b"a@[1]",
        b"root",
        b"G:a@b;",
        b"A. B. <a@b>",
        b"<>",
        b"a..b@c",
        b"a@b.",
    ),
]
SEPARATORS = [b",", b", ", b",\n ", b",\r\n\t", b",     ", b" ,", b", ,", b" ", b"; ", b",\t \r\n "]
lists = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SEPARATORS)), max_size=6).map(
    lambda pairs: b"To: " + b"".join(x for pair in pairs for x in pair)
)


@given(st.lists(lists | lists.map(lambda raw: raw.rstrip(b" ,;\r\n\t")), max_size=6))
def test_any_address_list_agrees_with_the_general_path(blocks):
    assert_agrees(blocks)


# Around what the fast path for dates reads by its digits.
dates = st.tuples(
    st.sampled_from(["", "Mon, ", "Tue, ", "sun, ", "Sun,", "Mon,  ", "Mo, "]),
    st.integers(0, 33).map(str) | st.integers(0, 9).map("{:02}".format) | st.just("A"),
    st.sampled_from([" ", "  ", "-", ""]),
    st.sampled_from(["Jan", "feb", "FEB", "Jun", "Dec", "Smarch", "June"]),
    st.sampled_from([" 2000", " 1900", " 1899", " 2023", " 99", " 9999", " 10000", " 20x0"]),
    st.sampled_from([" 23:59:60", " 00:00:00", " 24:00:00", " 12:60:00", " 1:02:03", " 01:02"]),
    st.sampled_from(["", " ", " +0100", " -0000", " -0060", " GMT", " EST", " XYZ", " PM", " Z"]),
    st.sampled_from(["", " ", " (CET)", " (", " (a(b)c)", " ()", "(x)", " x", "\t(y)", " (a\\)b)"]),
).map(lambda parts: b"Date: %b\n" % "".join(parts).encode())


@given(st.lists(dates, min_size=1, max_size=8))
def test_any_date_agrees_with_the_general_path(blocks):
    assert_agrees(blocks)


@given(st.lists(headers, min_size=1, max_size=4), st.integers(0, 3))
def test_a_message_decodes_alike_among_others_and_alone(blocks, at):
    at %= len(blocks)
    builder = BatchBuilder("ann@example.org")
    together = plain_rows(builder.build(rows(blocks)))[at]
    alone = plain_rows(builder.build(rows([blocks[at]])))[0]
    assert together | {"uid": 0} == alone | {"uid": 0}


def test_a_batch_of_many_megabytes_is_as_right_as_its_rows():
    blocks = corpora.headers("nasty-permissive")
    many = [blocks[at % len(blocks)] for at in range(12 * len(blocks))]
    assert sum(map(len, many)) > 16 << 20
    builder = BatchBuilder("ann@example.org", headers=EXTRAS)
    batch = builder.build(rows(many))
    batch.validate(full=True)
    few = builder.build(rows(blocks))
    for at in range(0, len(many), len(blocks)):
        part = batch.slice(at, len(blocks))
        assert part.drop_columns("uid").equals(few.drop_columns("uid"))


def test_no_rows_make_an_empty_batch():
    batch = BatchBuilder("ann@example.org", headers=EXTRAS).build(rows([]))
    assert batch.num_rows == 0
    assert batch.schema.names[: len(SCHEMA)] == SCHEMA.names


def test_a_message_without_a_header_is_a_row_without_values():
    row = one(b"")
    assert row["subject"] is row["date"] is row["from_addr"] is None
    assert row["to"] == row["references"] == []
    assert row["defects"] == 0


def test_folders_come_in_runs():
    batch = BatchBuilder("ann@example.org").build(
        rows([b""] * 4, folders=[("b", 1), ("a", 2), ("c", 0), ("b", 1)])
    )
    assert batch.column("folder").to_pylist() == ["b", "a", "a", "b"]
    assert batch.column("account").to_pylist() == ["ann@example.org"] * 4


def test_flags_become_columns_and_keywords():
    row = one(b"", flags=[b"\\SEEN $Junk \\Flagged \\Recent caf\xc3\xa9 $Junk \\X"])
    assert [row[name] for name in ("seen", "flagged", "answered")] == [True, True, False]
    assert row["keywords"] == ["$Junk", "café", "\\X"]


@pytest.mark.parametrize(
    ("raw", "size", "defects"),
    [
        (b"", None, 0),
        (b"0", 0, 0),
        (b"5000000000", 5_000_000_000, 0),
        (b"-1", None, 1),
        (b"0x10", None, 1),
        (b"99999999999999999999", None, 1),
        (b"\xb2", None, 1),
    ],
)
def test_sizes(raw, size, defects):
    row = one(b"", size=[raw])
    assert (row["size"], row["defects"]) == (size, defects)


@pytest.mark.parametrize(
    ("raw", "when"),
    [
        (b"17-Jul-1996 02:44:25 -0700", "1996-07-17 09:44:25+00:00"),
        (b" 7-JUL-1996 02:44:25 +0530", "1996-07-06 21:14:25+00:00"),
        (b"7-Jul-1996 02:44:25 +0000", "1996-07-07 02:44:25+00:00"),
        (b"29-Feb-2000 23:59:60 +0000", "2000-03-01 00:00:00+00:00"),
        (b"00-Jan-0000 00:00:00 +0000", None),
        (b"30-Feb-2000 00:00:00 +0000", None),
        (b"NIL", None),
    ],
)
def test_internal_dates(raw, when):
    row = one(b"", internaldate=[raw])
    got = row["internaldate"]
    assert (got and str(got)) == when
    assert row["defects"] == (when is None)


@pytest.mark.parametrize(
    "raw",
    [
        b"17-Jul-1996 02:44:25",
        b"1996-07-17T02:44:25Z",
        b"1996-07-17 04:44:25 +02:00",
        b"Wed, 17 Jul 1996 02:44:25 +0000",
        b"17-07-1996 02:44:25",
        b"Wed Jul 17 02:44:25 1996",
        b"837571465",
    ],
)
def test_internal_dates_of_another_form_are_read_and_a_defect(raw):
    row = one(b"", internaldate=[raw])
    assert (str(row["internaldate"]), row["defects"]) == ("1996-07-17 02:44:25+00:00", 1)


def test_an_absent_internal_date_is_no_defect():
    row = one(b"", internaldate=[b""])
    assert (row["internaldate"], row["defects"]) == (None, 0)


def test_the_first_of_a_repeated_field_counts_and_is_a_defect():
    row = one(b"Subject: one\nTo: a@b\nSubject: two\nSubject: three\n")
    assert (row["subject"], row["to"], row["defects"]) == ("one", ["a@b"], 1)


def test_lists_that_stand_in_several_fields_are_one_and_a_defect():
    row = one(
        b"From: x@y\nFrom: z@y\nTo: a@b\nTo: c@d\nReferences: <1@a>\nReferences: <2@a>\n"
        b"Reply-To: a@b\nReply-To: c@d\nList-Post: <a:b>\nList-Post: <c:d>\nSender: a@b\n"
        b"Sender: c@d\n",
        *("Reply-To", "List-Post", "Sender"),
    )
    assert (row["from_addr"], row["sender"]) == ("x@y", ["a@b"])
    assert row["to"] == row["reply_to"] == ["a@b", "c@d"]
    assert row["references"] == ["1@a", "2@a"]
    assert row["list_post"] == ["a:b", "c:d"]
    assert row["defects"] == 3  # of what was asked for beside, none is counted


def test_defects_count_values_not_wounds():
    row = one(b"Subject: a\0b\0 =?x?q?y?=\nDate: soon\nFrom: A <a@b\nMessage-ID: <a@b>\n")
    assert row["defects"] == 3


@pytest.mark.parametrize(
    ("header", "column", "value"),
    [
        (b"Subject : a\nFrom:b@c\n", "subject", "a"),
        (b"Subject\t :a\n", "subject", "a"),
        (b"From ann Mon Jan 1 2000\nFrom: a@b\n", "from_addr", "a@b"),
        (b"Subject: a\rFrom: b@c\rX: y\r", "from_addr", "b@c"),
        (b"Subject: a\rb\r\nFrom: c@d\r\n", "subject", "a b"),
        (b"no field here\n with: a fold\nSubject: a\n", "subject", "a"),
        (b"To: a@b\n\nSubject: in the body\n", "subject", None),
        (b"\r\n\r\n", "subject", None),
        (b"Subject:", "subject", ""),
        (b"Subject:\n \n\t a\n", "subject", "a"),
        (b"Subject: a", "subject", "a"),
        (b"SUBJECT: a\r\r\n b\r\r\n", "subject", "a b"),
        (b"Subject: a\x00\x08b\x7fc\xc2\x85d\n", "subject", "abc d"),
        (b"Message\rID: <a@b>\n", "message_id", None),
        (b" Subject: a\nSubject: b\n", "subject", "b"),
    ],
)
def test_odd_framing(header, column, value):
    assert one(header)[column] == value


def test_extra_columns_follow_their_forms():
    header = (
        b"Received: from a\nReceived: from b\n"
        b"List-Unsubscribe: <mailto:a@b>,\n <http://c/d>\n"
        b"Reply-To: A <a@b>, c@D\n"
        b"X-Loop: one\n"
    )
    row = one(header, "Received:all", "List-Unsubscribe", "Reply-To", "X-Loop", "Sender", "Bcc:all")
    assert row["received"] == ["from a", "from b"]
    assert row["list_unsubscribe"] == ["mailto:a@b", "http://c/d"]
    assert row["reply_to"] == ["a@b", "c@d"]
    assert (row["x_loop"], row["sender"], row["bcc"]) == ("one", [], [])


def test_destinations_in_several_fields_are_one_list():
    row = one(
        b"To: a@b\nCc: c@d\nTo: e@f, g@h\nBcc: i@j\nBcc: k@l\nReply-To: m@n\nReply-To: o@p\n",
        "Bcc",
        "Reply-To",
    )
    assert (row["to"], row["cc"], row["bcc"]) == (["a@b", "e@f", "g@h"], ["c@d"], ["i@j", "k@l"])
    assert row["reply_to"] == ["m@n", "o@p"]
    assert row["defects"] == 1


def test_a_field_that_has_the_name_of_another_column_gets_one_of_its_own():
    row = one(b"Keywords: one, two\nSize: large\nFolder: x\n", "Keywords", "Size:asText", "Folder")
    assert (row["header_keywords"], row["header_size"], row["header_folder"]) == (
        "one, two",
        "large",
        "x",
    )
    assert (row["keywords"], row["size"], row["folder"]) == ([], 1234, "INBOX")


def test_a_keyword_in_quotation_marks_is_one():
    given = rows([b""], flags=[rb'\Seen "My \"own\" label" $Junk "'])
    [row] = BatchBuilder("a").build(given).to_pylist()
    assert (row["seen"], row["keywords"]) == (True, ['My "own" label', "$Junk", '"'])


def test_extra_fields_are_asked_for_once():
    builder = BatchBuilder("a", headers=["Received:all", "Subject", "From:asText"])
    assert builder.fields == (*HEADER_FIELDS, "RECEIVED")
    assert builder.schema.names == [*SCHEMA.names, "received", "from"]


def test_raw_headers_are_the_very_octets():
    header = b"Subject: \xff\0\r\r\n\n\n"
    batch = BatchBuilder("a", raw_headers=True).build(rows([header]))
    assert batch.column("raw_headers").to_pylist() == [header]


@pytest.mark.parametrize(
    "name",
    ["", "a b", "X:all:all", "X:asFoo", "X:asText:asDate", "Ümlaut", "X)", "Date:asText", "X\r\n"],
)
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ConfigurationError):
        BatchBuilder("a", headers=[name])


def test_one_string_is_not_a_list_of_names():
    with pytest.raises(ConfigurationError, match="list"):
        BatchBuilder("a", headers="Received")


NATURE = [  # fields, sender, bulk, auto
    ("Subject: Lunch?", "ann@example.org", False, False),
    ("List-Id: <dev.example>", "ann@example.org", True, False),
    ("List-Id:", "ann@example.org", False, False),
    ("List-Id: no brackets at all", "ann@example.org", True, False),
    ("List-Unsubscribe: <mailto:leave@example.net>", "shop@example.net", True, False),
    ("List-Unsubscribe:\r\n <mailto:leave@example.net>", "shop@example.net", True, False),
    ("List-Unsubscribe: \r\n ", "shop@example.net", False, False),
    ("Precedence: bulk", "shop@example.net", True, True),
    ("precedence: Junk (really)", "shop@example.net", True, True),
    ("Precedence: list", "ann@example.org", True, False),
    ("Precedence: list\r\nList-Id: <dev.example>", "ann@example.org", True, False),
    ("Precedence: bulk\r\nList-Id: <dev.example>", "ann@example.org", True, False),
    ("Precedence: first-class", "ann@example.org", False, False),
    ("Precedence: auto_reply", "ann@example.org", False, True),
    ("Precedence: auto_reply\r\nList-Id: <dev.example>", "ann@example.org", True, True),
    ("Auto-Submitted: auto-replied", "ann@example.org", False, True),
    ("Auto-Submitted: (by hand) no", "ann@example.org", False, False),
    ("Auto-Submitted: No; since=monday", "ann@example.org", False, False),
    ('Auto-Submitted: auto-notified; owner-email="me@example.org"', "a@example.org", False, True),
    ("Auto-Submitted: ", "ann@example.org", False, False),
    ("Auto-Submitted: no\r\nAuto-Submitted: auto-generated", "ann@example.org", False, True),
    ("X-Autoreply: yes", "ann@example.org", False, True),
    ("X-Autoreply: no", "ann@example.org", False, False),
    ("X-Autorespond: Away", "ann@example.org", False, True),
    ("Subject: Returned mail", "MAILER-DAEMON@mx.example.org", False, True),
    ("Subject: Order", "no-reply@example.net", False, True),
    ("Subject: Order", "NoReply+7@example.net", False, True),
    ("Subject: Order", "jobs-noreply@example.net", False, True),
    ("Subject: Order", "do_not.reply2@example.net", False, True),
    ("Subject: Order", "casanoreply@example.net", False, False),
    ("Subject: Order", "noreplyer@example.net", False, False),
    ("Subject: Order", "ann@no-reply.example.net", False, False),
    ("Subject: Order", "", False, False),
]


def test_what_went_to_many_and_what_a_program_sent():
    blocks = [f"From: {sender}\r\n{fields}\r\n\r\n".encode() for fields, sender, *_ in NATURE]
    batch = BatchBuilder("me").build(rows(blocks))
    found = zip(batch["bulk"].to_pylist(), batch["auto"].to_pylist(), strict=True)
    wrong = [case for case, told in zip(NATURE, found, strict=True) if told != case[2:]]
    assert not wrong
    assert_agrees(blocks, ())
