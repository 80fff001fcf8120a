"""mbox files fall into the right messages, however they were written and however they are read."""

from __future__ import annotations

import io
import mailbox
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailframe.sources.headerblock import LONGEST_HEADER
from mailframe.sources.split import LONGEST_CLAIM, WINDOW, split
from tests import corpora

DATED = b"From ann@example.org Thu Nov 29 22:33:52 2001\n"


def pieces(data, on_text=None):
    read = io.BytesIO(data).readinto
    return list(split(read, on_text) if on_text else split(read))


def subjects(data):
    found = [re.search(rb"Subject: (\w+)", piece.header) for piece in pieces(data)]
    return [match and match[1].decode() for match in found]


def message(subject, body=b"text\n", more=b""):
    return b"%sSubject: %s\n%s\n%s\n" % (DATED, subject.encode(), more, body)


def as_mbox(tmp_path, messages):
    path = tmp_path / "box"
    path.unlink(missing_ok=True)
    box = mailbox.mbox(path)
    for one in messages:
        box.add(one)
    box.close()
    box = mailbox.mbox(path)
    read_back = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 -- iterating gives messages
    box.close()
    return path.read_bytes(), read_back


lines = st.sampled_from(
    [b"", b"text", b"From here on", b"From ann", b">From quoted", b"From: x", b"\xff\0", b"a" * 99]
)
bodies = st.lists(lines, max_size=12).map(lambda body: b"".join(line + b"\n" for line in body))
messages = st.lists(
    st.builds(lambda n, body: b"Subject: s%d\n\n%s" % (n, body), st.integers(0, 9), bodies),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(messages)
def test_what_the_standard_library_writes_is_read_back(tmp_path, written):
    data, read_back = as_mbox(tmp_path, written)
    found = pieces(data)
    assert [piece.size for piece in found] == [len(one) for one in read_back]
    assert [piece.header for piece in found] == [
        re.match(rb"Subject: .*\n\n?", one)[0] for one in read_back
    ]


@given(st.lists(st.lists(lines | st.sampled_from([DATED[:-1], b"Subject: inner"])), max_size=4))
def test_with_right_content_lengths_bodies_may_hold_anything(bodies):
    written = [
        b"Subject: x\nContent-Length: %d\n\n%s" % (len(body), body)
        for body in (b"".join(line + b"\n" for line in lines) for lines in bodies)
    ]
    found = pieces(b"".join(DATED + one + b"\n" for one in written))
    assert [piece.size for piece in found] == [len(one) for one in written]


@given(
    st.data(), st.lists(st.sampled_from([message("a"), message("b", b"From x\n" * 9)]), max_size=4)
)
def test_how_the_file_is_read_never_shows(data, written):
    raw = b"".join(written) + message("claim", b"\n" + DATED + b"\n", b"Content-Length: 48\n")
    readinto = io.BytesIO(raw).readinto
    sizes = st.integers(1, 200)
    assert list(split(lambda view: readinto(view[: data.draw(sizes)]))) == pieces(raw)


@pytest.mark.parametrize(
    "line",
    [
        b"From ann@example.org Thu Nov 29 22:33:52 2001",
        b"From ann@example.org  Thu Nov  9 22:33 2001",
        b"From - Sat Apr 12 2025 15:59:28",
        b"From 1234567890123456789@xxx Thu Apr 16 09:53:04 +0000 2015",
        b"From ann Fri, Jul 01 09:13:09 1994 (+0700)",
        b"From ann at example.org  Mon Jan  1 00:00:00 EST 2001",
        b"From host!ann Mon Jan  1 00:00:00 2001 remote from host",
        b"From ann Thu, 29 Nov 2001 22:33:52 +0200",
        b"From () 2019-10-02 05:04:34 +0000",
        b"From -",
        b"From ",
        b"From ann@example.org",
        b"From ann Mon Oct 16 2023 23:18:56-0700",
        b"From ann Mon Oct 16 2023 16:18:56 GMT-0700 (Pacific Daylight Time)",
        b"From ann Mon, 5 Jan 15 10:00:00 +0100",
        b"From ann Jan  5 10:00:00 2015",
        b"From ann@example.org lun. 5 janv. 2015 10:00:00",
        b"From ann at example.org  Mo Okt  5 10:00:00 2015",
        b"From ann Mon Jan  5 10.00.00 2015",
        b"From ann@example.org 1420452000",
        b"From - 2015-01-05",
        b"From ann@example.org 2015-01-05T10:00:00Z",
        b"From ann@example.org 05.01.2015 10:00",
        "From ann Пн янв 5 10:00:00 2015".encode(),
        b"From " + b"0a" * 20 + b" Mon Sep 17 00:00:00 2001",
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_from_lines_of_all_kinds_open_messages(line, end):
    one = line + end + b"Subject: x" + end + end + b"text" + end + end
    assert [piece.header for piece in pieces(one * 3)] == [b"Subject: x" + end + end] * 3


@pytest.mark.parametrize(
    "line",
    [
        b"From - 2015-01-05",
        b"From ann@example.org 2015-01-05 10:00:00",
        b"From ann@example.org 05.01.2015 10:00",
        b"From ann@example.org 1420452000",
        b"From ann Mon Jan  5 10.00.00 2015",
        b"From ann at example.org  Mo Jan  5 10:00:00 2015",
    ],
)
def test_a_date_and_a_field_make_a_from_line_without_a_blank_line_before(line):
    one = line + b"\nDKIM-Signature: x\n\ntext\n"
    assert len(pieces(one * 3)) == 3


@pytest.mark.parametrize(
    ("line", "date"),
    [
        (b"ann Thu Nov  9 22:33:52 2001", b"09-Nov-2001 22:33:52 +0000"),
        (b"ann Thu Nov 9 2:33 2001 -0730", b"09-Nov-2001 02:33:00 -0730"),
        (b"- Sat Apr 12 2025 15:59:28", b"12-Apr-2025 15:59:28 +0000"),
        (b"1@xxx Thu Apr 16 09:53:04 +0200 2015", b"16-Apr-2015 09:53:04 +0200"),
        (b"ann Thu, 29 Nov 2001 22:33:52 +0200", b"29-Nov-2001 22:33:52 +0200"),
        (b"ann Thu Nov 29 22:33:52 PST 2001", b"29-Nov-2001 22:33:52 -0800"),
        (b"ann Thu Nov 29 22:33:52 MET DST 2001", b"29-Nov-2001 22:33:52 +0000"),
        (b"ann Thu Nov 29 22:33:52 2001 (+0700)", b"29-Nov-2001 22:33:52 +0700"),
        (b"ann Thu Nov 29 22.33.52 2001", b"29-Nov-2001 22:33:52 +0000"),
        (b"ann@example.org 1007073232", b"29-Nov-2001 22:33:52 +0000"),
        (b"ann 29.11.2001 22:33:52", b"29-Nov-2001 22:33:52 +0000"),
        (b"ann@example.org 2001-11-29", b""),
        (b"() 2019-10-02 05:04:34 -0100", b"02-Oct-2019 05:04:34 -0100"),
        (b"ann  Mon Oct 16 2023 23:18:56-0700", b"16-Oct-2023 23:18:56 -0700"),
        (b"- ann  Mon Oct 16 2023 16:18:56 GMT-0700", b"16-Oct-2023 16:18:56 -0700"),
        (b"ann Mon Oct 16 2023 16:18:56 GMT+02:00 (CEST time)", b"16-Oct-2023 16:18:56 +0200"),
        (b"ann Mon, 5 Jan 15 10:00:00 +0100", b"05-Jan-2015 10:00:00 +0100"),
        (b"ann Mon Jan 5 4:05:06 PM 98", b"05-Jan-1998 16:05:06 +0000"),
        (b"ann Jan  5 10:00:00 2015", b"05-Jan-2015 10:00:00 +0000"),
        (b"ann 2015-01-05T10:00:00Z", b"05-Jan-2015 10:00:00 +0000"),
        (b"ann Monday, January 5, 2015 10:00", b"05-Jan-2015 10:00:00 +0000"),
        (b"ann@example.org lun. 5 janv. 2015 10:00:00", b"05-Jan-2015 10:00:00 +0000"),
        (b"ann 2015\xe5\xb9\xb41\xe6\x9c\x885\xe6\x97\xa5 10:00:00", b"05-Jan-2015 10:00:00 +0000"),
        (b"-", b""),
    ],
)
def test_the_from_line_tells_the_internal_date(line, date):
    assert pieces(b"From " + line + b"\nSubject: x\n\n")[0].internaldate == date


@pytest.mark.parametrize(
    "text",
    [
        b"From here on it is text\n",
        b"\nFrom here on it is text\n",
        b"\nFrom the docs:\nNote: this is text\n",
        b"\nFrom Monday 10:30 until 2004 it was text\nTo: be sure\n",
        b"\nFrom Monday, 5 January 2015\nNote: this is text\n",
        b"\nFrom Monday, 5 January 2015 at 10:00\nwe are away\n",
        b"\nFrom Monday 5 January 2015 at 10:00 we meet\nNote: this is text\n",
        b"\nFrom 10:00 to 12:00, 5 Jan 2015\nNote: this is text\n",
        b"From 2015-01-05\nNote: this is text\n",
        b"From ann@example.org 2015-01-05\nNote: this is text\n",
        b"\nFrom 5 January 2015 on\nTo: be sure\n",
        b"a quoted line\n" + DATED + b"and no header field\n",
        b"\n>" + DATED + b"Subject: quoted\n",
        b"\n From ann Thu Nov 29 22:33:52 2001\nSubject: indented\n",
        b"\nFrom ann@example.org\nand no header field\n",
        b"\nFrom ann@example.org and Bob\nTo: say nothing of Eve\n",
        b"\nFrom \nhttp://example.org/\n",
        b"\nFrom " + b"0a" * 20 + b" Mon Sep 17 00:00:00 2001\nFrom: b@example.org\n\n---\n",
        b"\nFrom  : Ann <ann@example.org>\nTo: an obsolete spelling of a field\n",
    ],
)
def test_text_that_begins_with_from_stays_text(text):
    data = message("one", text) + message("two")
    assert subjects(data) == ["one", "two"]
    assert pieces(data)[0].size == len(b"Subject: one\n\n" + text)


@pytest.mark.parametrize("line", [b"From ", b"From -", b"From - "])
@pytest.mark.parametrize("field", [b"DKIM-Signature", b"X-Anything", b"reply-to"])
def test_an_empty_from_line_needs_no_blank_line_before_it(line, field):
    one = line + b"\n" + field + b": x\n\ntext\n"
    assert [piece.size for piece in pieces(one * 3)] == [len(one) - len(line) - 1] * 3


def test_from_lines_of_two_programs_open_one_message():
    once = b"Subject: x\n\ntext\n\n"
    found = pieces((DATED + b"From - Sat Apr 12 2025 15:59:28\n" + once) * 2)
    assert [piece.header for piece in found] == [b"Subject: x\n\n"] * 2


@pytest.mark.parametrize("blank", [b"\n", b"\n\n", b"\r\n"])
def test_a_blank_line_below_the_from_line_ends_no_header_block(blank):
    found = pieces((DATED + blank + b"Subject: x\n\ntext\n\n") * 2)
    assert [piece.header for piece in found] == [b"Subject: x\n\n"] * 2


def test_patches_are_messages_where_one_opens_the_file():
    patch = b"From " + b"0a" * 20 + b" Mon Sep 17 00:00:00 2001\nSubject: p\n\n---\n\n"
    assert [piece.internaldate for piece in pieces(patch * 3)] == [b""] * 3
    assert len(pieces(DATED + b"Subject: a\n\n" + patch * 3)) == 1


def test_line_ends_of_text_mode_on_windows():
    raw = (DATED + b"Subject: x\n\ntext\n\n").replace(b"\n", b"\r\r\n") * 2
    assert [piece.header for piece in pieces(raw)] == [b"Subject: x\r\r\n\r\r\n"] * 2


def test_lines_that_look_like_from_lines_of_an_unknown_form_are_counted():
    doubts = []
    strange = b"From Ann Lee, gestern\nSubject: x\n\ntext\n\n"
    read = io.BytesIO(DATED + b"Subject: a\n\ntext\n\n" + strange * 5).readinto
    assert len(list(split(read, on_doubt=doubts.append))) == 1
    assert doubts == [5]


def test_offsets_reach_beyond_four_gibibytes():
    head, tail = message("first"), b"\n" + message("last")
    gap = (1 << 32) + 1
    stage = iter([head, *[None] * (gap // WINDOW), tail])

    def readinto(view):
        octets = next(stage, b"")
        if octets is None:  # zeros; what the view holds of before is overwritten once
            view[:WINDOW] = zeros[: len(view)]
            return min(WINDOW, len(view))
        view[: len(octets)] = octets
        return len(octets)

    zeros = memoryview(bytes(WINDOW))
    assert [piece.size > gap // 2 for piece in split(readinto)] == [True, False]


def test_messages_without_a_blank_line_between_them_are_told_apart():
    one = DATED + b"Subject: one\n\ntext\n"
    assert [piece.size for piece in pieces(one * 3)] == [len(one) - len(DATED)] * 3


@pytest.mark.parametrize("counted", [0, 1], ids=["mboxcl", "blank line counted"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("following", [True, False])
def test_content_length_decides_where_it_is_right(counted, end, following):
    inner = (b"see this:\n\n" + message("forwarded")).replace(b"\n", end)
    length = len(inner) + counted * len(end)
    first = DATED + b"Subject: one\nContent-Length: %d\n\n" % length
    data = first.replace(b"\n", end) + inner + end
    data += message("two").replace(b"\n", end) * following
    assert subjects(data) == ["one", "two"][: 1 + following]
    assert pieces(data)[0].size == len(first.replace(b"\n", end)) - len(DATED) - len(end) + 1 + len(
        inner
    )


@pytest.mark.parametrize("length", [0, 3, 40, 41, 10_000_000, LONGEST_CLAIM * 2, 10**11])
def test_content_length_is_ignored_where_it_is_wrong(length):
    data = message("one", more=b"Content-Length: %d\n" % length) + message("two") + message("three")
    assert subjects(data) == ["one", "two", "three"]


def test_a_from_line_of_any_kind_counts_where_content_length_says_so():
    data = message("one", more=b"Content-Length: 5\n")
    data += b"From whom it may concern\nSubject: two\n\n"
    assert subjects(data) == ["one", "two"]
    assert subjects(data.replace(b": 5", b": 4")) == ["one"]


def test_a_file_may_have_no_blank_line_at_all():
    data = (DATED + b"Subject: x\nFrom here on\n") * 10_000
    assert {piece.header for piece in pieces(data)} == {b"Subject: x\nFrom here on\n"}
    assert len(pieces(data)) == 10_000


def test_a_body_larger_than_any_window_may_hold_whole_messages():
    inner = message("inner") * (3 * WINDOW // len(message("inner")))
    data = message("one", inner, b"Content-Length: %d\n" % len(inner)) + message("two")
    assert subjects(data) == ["one", "two"]


def test_line_ends_of_three_kinds():
    data = message("one") + message("two", b"\nmore\n")
    expected = [(len(p.header), p.size) for p in pieces(data)]
    assert [(len(p.header), p.size) for p in pieces(data.replace(b"\n", b"\r"))] == expected
    crlf = pieces(data.replace(b"\n", b"\r\n"))
    assert [p.header for p in crlf] == [b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n"]
    assert [p.size for p in crlf] == [len(b"Subject: one\r\n\r\ntext\r\n"), 24]


def test_a_header_block_without_a_body_ends_where_the_next_message_begins():
    data = DATED + b"Subject: one\n" + message("two") + DATED + b"Subject: three"
    assert [p.header for p in pieces(data)] == [
        b"Subject: one\n",
        b"Subject: two\n\n",
        b"Subject: three",
    ]


def test_a_message_may_be_empty():
    assert [p.size for p in pieces(DATED + b"\n" + DATED + b"\n\n" + message("x"))] == [0, 1, 17]


def test_a_header_block_larger_than_any_window_is_whole_and_an_endless_one_is_cut():
    long = b"To: " + b"a@example.org,\n " * (2 * WINDOW // 16) + b"\n\n"
    endless = b"no blank line\n" * (LONGEST_HEADER // 10)
    found = pieces(DATED + long + b"text\n\n" + DATED + endless + message("last"))
    assert [len(p.header) for p in found[:2]] == [len(long), LONGEST_HEADER]
    assert found[1].size == len(endless)
    assert found[2].header == b"Subject: last\n\n"


def test_blank_lines_and_a_byte_order_mark_may_stand_first():
    heard = []
    assert len(pieces(b"\xef\xbb\xbf\r\n\n" + message("x"), heard.append)) == 1
    assert heard == []


def test_other_text_before_the_first_message_is_reported():
    heard = []
    assert len(pieces(b"some text\n\n" + message("x"), heard.append)) == 1
    assert heard == [len(b"some text\n\n")]
    assert pieces(b"only text\n", heard.append) == []
    assert heard[1:] == [len(b"only text\n")]


@given(st.binary(max_size=300), st.integers(0, 3))
def test_any_octets_give_messages_or_none(noise, at):
    data = message("x") * at + noise + message("x") * (3 - at)
    found = pieces(data)
    assert sum(piece.size for piece in found) <= len(data)
    assert all(len(piece.header) <= piece.size for piece in found)


@pytest.mark.parametrize("name", corpora.NAMES)
def test_real_mail_is_split_as_the_standard_library_does(name, tmp_path):
    # "From  : John" is an obsolete spelling of a field (RFC 5322 section 4.5); the standard library
    # takes it for a From line. See above.
    real = [one for one in corpora.messages(name) if not re.match(rb"From +:", one)]
    raw, theirs = as_mbox(tmp_path, real)
    differing = [
        one
        for one, piece in zip(theirs, pieces(raw), strict=True)
        # A blank line before the header block is none that ends it.
        if len(one) != piece.size or not one.lstrip(b"\r\n").startswith(piece.header.lstrip())
    ]
    # Of a message that begins with a From line and has bare CR, the library keeps a single LF.
    assert set(differing) <= {b"\n"}
    assert len(differing) <= 4
