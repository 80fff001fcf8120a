"""Message ids, the id that is answered, list ids and URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers.ids import list_id, message_id, message_ids, parent_id
from mailframe.headers.urls import urls


@pytest.mark.parametrize(
    ("raw", "ids", "mended"),
    [
        (b"<a@b>", ["a@b"], False),
        (b"<a@b> <c@d>", ["a@b", "c@d"], False),
        (b"<a@b><c@d>", ["a@b", "c@d"], False),
        (b"<a@b>\r\n\t<c@d>", ["a@b", "c@d"], False),
        (b"<a@b> (Ann's mail) <c@d>", ["a@b", "c@d"], False),
        (b"Ann's mail <a@b>", ["a@b"], False),
        (b"<a@b>, <c@d>", ["a@b", "c@d"], False),
        (b'<"a b"@c>', ['"a b"@c'], False),
        (b"<a@\r\n b>", ["a@b"], True),
        (b"<a>", ["a"], False),
        (b"a@b c@d", ["a@b", "c@d"], True),
        (b"a@b", ["a@b"], True),
        (b"ann@example.org's message of Monday", [], False),
        (b"<a@b", ["a@b"], True),
        (b"<a@b <c@d>", ["c@d"], True),
        (b"<>", [], True),
        (b"", [], False),
        (b"<a\0@b>", ["a@b"], True),
        (b"<\xff@b>", ["\ufffd@b"], True),
    ],
)
def test_lists_of_ids(raw, ids, mended):
    assert message_ids(raw) == (ids, mended)


@pytest.mark.parametrize(
    ("raw", "expected", "mended"),
    [
        (b"<a@b>", "a@b", False),
        (b" <a@b> ", "a@b", False),
        (b"<a@b> x", "a@b", True),
        (b"<a@b><c@d>", "a@b", True),
        (b"a@b", "a@b", True),
        (b"12345", "12345", True),
        (b"<a@b", "a@b", True),
        (b"", None, True),
        (b"<>", None, True),
    ],
)
def test_a_message_has_one_id(raw, expected, mended):
    assert message_id(raw) == (expected, mended)


@pytest.mark.parametrize(
    ("raw", "expected", "mended"),
    [
        (b"<a@b>", "a@b", False),
        (b"<a@b> <c@d>", "a@b", False),
        (b"<a@b> from Ann at Monday", "a@b", False),
        (b'Message from Ann <ann@example.org> of "Mon, 1 Jan" <a@b>', "a@b", False),
        (b"Your message of Monday", None, False),
        (b"ann@example.org's message of Monday", None, False),
        (b"", None, False),
    ],
)
def test_the_answered_message(raw, expected, mended):
    assert parent_id(raw) == (expected, mended)


@pytest.mark.parametrize(
    ("raw", "expected", "mended"),
    [
        (b"<list.example.org>", "list.example.org", False),
        (b"A list <list.example.org>", "list.example.org", False),
        (b'"A <b> list" <list.example.org>', "list.example.org", False),
        (b"list.example.org", "list.example.org", True),
        (b"A list", None, True),
        (b"", None, False),
        (b"<>", None, True),
    ],
)
def test_list_ids(raw, expected, mended):
    assert list_id(raw) == (expected, mended)


@pytest.mark.parametrize(
    ("raw", "expected", "mended"),
    [
        (b"<mailto:a@b>", ["mailto:a@b"], False),
        (b"<mailto:a@b>, <http://c/d?e=f>", ["mailto:a@b", "http://c/d?e=f"], False),
        (b"<http://a/\r\n b> (a comment)", ["http://a/b"], False),
        (b"NO (posting is off)", [], False),
        (b"", [], False),
        (b"http://a/b", ["http://a/b"], True),
        (b"<a>", [], True),
        (b"ask the owner", [], True),
    ],
)
def test_urls(raw, expected, mended):
    assert urls(raw) == (expected, mended)


ids = st.from_regex(r"[!-;=?-~]{1,20}", fullmatch=True)


@given(st.lists(ids, min_size=1), st.sampled_from(["", " ", "\r\n ", "\t"]))
def test_what_is_written_is_read(written, between):
    raw = between.join(f"<{each}>" for each in written).encode()
    assert message_ids(raw) == (written, False)


@given(
    st.binary() | st.lists(st.sampled_from([b"<", b">", b"a@b", b" ", b"\n ", b"("])).map(b"".join)
)
def test_any_octets_are_ids_without_brackets(raw):
    for parse in (message_ids, urls):
        for each in parse(raw)[0]:
            assert each
            assert not set(each) & set("<>\n\0")
    for parse in (message_id, parent_id, list_id):
        assert parse(raw)[0] != ""
