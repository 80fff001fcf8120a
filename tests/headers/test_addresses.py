"""Address lists: every mailbox in them, and no address that nobody wrote."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers.addresses import domain_text, mailboxes, plain_mailboxes, sender

CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")

# value, (name, addr) of each mailbox, whether it had to be mended.
VALUES = [
    # As RFC 5322 section 3.4 has it.
    (b"ann@example.org", [(None, "ann@example.org")], False),
    (b"<ann@example.org>", [(None, "ann@example.org")], False),
    (b"Ann Lee <ann@example.org>", [("Ann Lee", "ann@example.org")], False),
    (b'"Lee, Ann" <ann@example.org>', [("Lee, Ann", "ann@example.org")], False),
    (b'"a \\"b\\" c" <d@e>', [('a "b" c', "d@e")], False),
    (b"a@b, c <d@e>, f@g", [(None, "a@b"), ("c", "d@e"), (None, "f@g")], False),
    (b"a@b,c@d", [(None, "a@b"), (None, "c@d")], False),
    (b"a@b,\r\n\tc@d", [(None, "a@b"), (None, "c@d")], False),
    (b'"" <a@b>', [(None, "a@b")], False),
    (b'"a b"@c', [(None, '"a b"@c')], False),
    (b'"a.b"@c', [(None, "a.b@c")], False),
    (b"a@[192.0.2.1]", [(None, "a@[192.0.2.1]")], False),
    (b"a@[IPv6:2001:db8::1]", [(None, "a@[ipv6:2001:db8::1]")], False),
    (b"a@B.Example.ORG", [(None, "a@b.example.org")], False),
    (b"A.b@C", [(None, "A.b@c")], False),
    (b"a+tag@b", [(None, "a+tag@b")], False),
    (b"", [], False),
    # Groups.
    (b"undisclosed-recipients:;", [], False),
    (b"A Group: Ann <a@b>, c@d;", [("Ann", "a@b"), (None, "c@d")], False),
    (b"G: a@b;, H:;, c@d", [(None, "a@b"), (None, "c@d")], False),
    (b"<Undisclosed-Recipient:;>", [], True),
    (b"<Undisclosed recipients:;>", [], True),
    (b"<Undisclosed-Recipient:;@example.org>", [], True),
    (b"<Undisclosed-Recipient:@example.org;>", [], True),
    (b"G: a@b", [(None, "a@b")], True),
    # Comments.
    (b"a@b (Ann Lee)", [("Ann Lee", "a@b")], False),
    (b"(x) Ann (y) Lee <a@b> (z)", [("Ann Lee", "a@b")], False),
    (b"a@b (a (nested) \\) one)", [("a (nested) ) one", "a@b")], False),
    (b"a(x)@(y)b", [("y", "a@b")], False),
    (b"a@b (=?utf-8?Q?=C3=A9?=)", [("\xe9", "a@b")], False),
    # Obsolete syntax.
    (b"<@x,@y:a@b>", [(None, "a@b")], False),
    (b"Ann Q. Lee <a@b>", [("Ann Q. Lee", "a@b")], False),
    (b"a . b @ c . d", [(None, "a.b@c.d")], False),
    (b"a@b, , c@d,", [(None, "a@b"), (None, "c@d")], False),
    (b'"a".b@c', [(None, "a.b@c")], False),
    # Encoded-words: decoded last, so what is in them separates nothing.
    (b"=?utf-8?Q?Lee=2C_Ann?= <a@b>", [("Lee, Ann", "a@b")], False),
    (b"=?utf-8?Q?=C3=89?= =?utf-8?Q?=C3=A9?= x <a@b>", [("\xc9\xe9 x", "a@b")], False),
    (b"=?utf-8?Q?a,_b?= <c@d>, e@f", [("a, b", "c@d"), (None, "e@f")], False),
    (b'"=?utf-8?Q?=C3=A9?=" <a@b>', [("\xe9", "a@b")], True),
    (b"=?utf-8?Q?evil@example.org?= <a@b>", [("evil@example.org", "a@b")], False),
    (b"=?utf-8?Q?evil@example.org?=", [("evil@example.org", None)], True),
    (b"=?utf-8?Q?A_=3Cevil@example.org=3E?=", [("A <evil@example.org>", None)], True),
    # RFC 6532, and charsets without a label.
    ("\xc9va <\xe9@b\xfccher.example>".encode(), [("\xc9va", "\xe9@b\xfccher.example")], False),
    ("J\xfcrgen M\xfcller <a@b>".encode("latin-1"), [("J\xfcrgen M\xfcller", "a@b")], True),
    # The second octet of a character may look like an @, a bracket or a backslash.
    ('"\u8a31\u529f\u84cb" <a@b.tw>'.encode("big5"), [("\u8a31\u529f\u84cb", "a@b.tw")], True),
    ("\u4e00\u4e8c\u4e09 <a@b.tw>".encode("big5"), [("\u4e00\u4e8c\u4e09", "a@b.tw")], True),
    ("\u30bd\u30d5\u30c8 <a@b.jp>".encode("shift_jis"), [("\u30bd\u30d5\u30c8", "a@b.jp")], True),
    ("\u514d\u8d39 <a@b.cn>".encode("gbk"), [("\u514d\u8d39", "a@b.cn")], True),
    (
        "\u5c71\u7530\u592a\u90ce <a@b>".encode("iso-2022-jp"),
        [("\u5c71\u7530\u592a\u90ce", "a@b")],
        True,
    ),
    (
        '"\u4f0a\u85e4\u3001\u6b21\u90ce" <a@b>'.encode("iso-2022-jp"),
        [("\u4f0a\u85e4\u3001\u6b21\u90ce", "a@b")],
        True,
    ),
    (b"a@xn--bcher-kva.example", [(None, "a@b\xfccher.example")], False),
    (b"a@XN--BCHER-KVA.example", [(None, "a@b\xfccher.example")], False),
    (b"a@xn--99zzzz999.example", [(None, "a@xn--99zzzz999.example")], True),
    # Names that RFC 5322 wants in quotation marks.
    (b"Smith, Quentin <q@x.y>", [("Smith, Quentin", "q@x.y")], True),
    (b"Lee, Ann T - Eagan, MN <k@x.y>", [("Lee, Ann T - Eagan, MN", "k@x.y")], True),
    (b'a@b, "c"@d, Lee, Ann <e@f>', [(None, "a@b"), (None, "c@d"), ("Lee, Ann", "e@f")], True),
    (b"Lee (x), Ann (y) <a@b>", [("Lee, Ann", "a@b")], True),
    (b"=?utf-8?q?Lee?=, =?utf-8?q?Ann?= <a@b>", [("Lee, Ann", "a@b")], True),
    (b'"Lee", Ann <a@b>', [("Lee", None), ("Ann", "a@b")], True),
    (b"Ann Lee, Bob, c@d", [("Ann Lee", None), ("Bob", None), (None, "c@d")], True),
    (b"Dr. Ann Lee, Ph.D. <a@b>", [("Dr. Ann Lee, Ph.D.", "a@b")], True),
    (b"Ann Q. a@b", [("Ann Q.", "a@b")], True),
    (b"Team @Acme, Inc. <a@b.c>", [("Team @Acme, Inc.", "a@b.c")], True),
    (b"Ann @ Acme.example, Berlin <a@b.c>", [("Ann @ Acme.example, Berlin", "a@b.c")], True),
    (b"HowlRound: A Center <w@x.y>", [("HowlRound: A Center", "w@x.y")], True),
    (b"Team @Acme: news <x@y.z>", [("Team @Acme: news", "x@y.z")], True),
    ("111(aaa\uff09<b@c>".encode(), [("111(aaa\uff09", "b@c")], True),
    (b"Ann (Acme <a@b>", [("Ann (Acme", "a@b")], True),
    (b"=?utf-8?Q?=22Lee=2C_Ann=22?= <a@b>", [("Lee, Ann", "a@b")], False),
    # An address stands as it is in the last word's text; it is not decoded.
    (b"=?gb2312?q?=D6=D0_<bbs@x.cn>?=", [("\u4e2d", "bbs@x.cn")], False),
    (b"=?utf-8?q?A_<b@c>?= <d@e>", [("A <b@c>", "d@e")], False),
    # Nobody, or somebody here.
    (b"undisclosed-recipients", [("undisclosed-recipients", None)], True),
    (b"undisclosed-recipients:", [], True),
    (b"root, admin", [(None, "root"), (None, "admin")], True),
    (b"root, a@b.c", [("root", None), (None, "a@b.c")], True),
    (b"a@b.c, root", [(None, "a@b.c"), (None, "root")], True),
    # A comma is missing.
    (b"<a@b.c> d@e.f, g@h.i", [(None, "a@b.c"), (None, "d@e.f"), (None, "g@h.i")], True),
    (b"Ann <a@b.c> Bob d@e.f", [("Ann", "a@b.c"), ("Bob", "d@e.f")], True),
    # One domain in all its spellings.
    (b"a@xn--ls8h.la", [(None, "a@\U0001f4a9.la")], False),
    ("a@\U0001f4a9.la".encode(), [(None, "a@\U0001f4a9.la")], False),
    ("a@\uff45xample\u3002org".encode(), [(None, "a@example.org")], False),
    # Against the grammar.
    (b"root", [(None, "root")], True),
    (b"MAILER-DAEMON (Mail System)", [("Mail System", "MAILER-DAEMON")], True),
    (b"Ann Lee", [("Ann Lee", None)], True),
    (b'"Ann"', [("Ann", None)], True),
    (b"<>", [], True),
    (b"a@b; c@d", [(None, "a@b"), (None, "c@d")], True),
    (b"a@b c@d", [(None, "a@b"), (None, "c@d")], True),
    (b"Ann a@b", [("Ann", "a@b")], True),
    (b"Ann <a@b> Lee", [("Ann Lee", "a@b")], True),
    (b"<a@b", [(None, "a@b")], True),
    (b"a@b>", [(None, "a@b")], True),
    (b"<<a@b>>", [(None, "a@b")], True),
    (b"<a@b, c@d>", [(None, "a@b"), (None, "c@d")], True),
    (b"A <a@b> B <c@d>", [("A", "a@b"), ("B", "c@d")], True),
    (b'"Ann <a@b>, c@d', [("Ann", "a@b"), (None, "c@d")], True),
    (b"(Ann <a@b>, c@d", [("Ann", "a@b"), (None, "c@d")], True),
    (b"Lee\\, Ann <a@b>", [("Lee, Ann", "a@b")], True),
    (b"a@b <a@b>", [("a@b", "a@b")], True),
    (b"'a@b' <a@b>", [("'a@b'", "a@b")], True),
    (b"<a b@c>", [(None, "b@c")], True),
    (b"<Saved by Blink>", [("Saved by Blink", None)], True),
    (b"<Ann Lee> <a@b>", [("Ann Lee", None), (None, "a@b")], True),
    (b"a@b <Ann Lee>", [("Ann Lee", "a@b")], True),
    (b"Ann <Ann Lee>", [("Ann", None)], True),
    (b"<Ann Lee> Ann", [("Ann", None)], True),
    (b'"" <Ann Lee>', [("Ann Lee", None)], True),
    (b"Ann a@b <Ann Lee>", [("Ann", "a@b")], True),
    (b'"Lee, Ann" <Ann Lee>, c@d', [("Lee, Ann", None), (None, "c@d")], True),
    (b'"root" <root (at) b.example>', [("root", None)], True),
    (b"Ann </O=B/OU=First Group (C)/CN=ANN>", [("Ann", None)], True),
    (b"Ann <undisclosed recipients>", [("Ann", None)], True),
    (b"Ann <a at b.example>", [("Ann", "a@b.example")], True),
    (b"<mailto:a@b>", [(None, "a@b")], True),
    (b"mailto:a@b", [(None, "a@b")], True),
    (b"Ann <SMTP:a@b>", [("Ann", "a@b")], True),
    (b"<:a@b>", [(None, ":a@b")], True),
    (b"'a@b'", [(None, "a@b")], True),
    (b"ann at example.org (Ann Lee)", [("Ann Lee", "ann@example.org")], True),
    (b"meet at noon today", [("meet at noon today", None)], True),
    (b"a@b@c", [(None, "a@b@c")], True),
    (b"a@b.", [(None, "a@b")], True),
    (b"a..b@c", [(None, "a..b@c")], True),
    (b"a@", [(None, "a")], True),
    (b"@b", [], True),
    (b"a@b\0c", [(None, "a@bc")], True),
    (b"=?x?= <a@b>", [("=?x?=", "a@b")], True),
    (b",;:<>", [], True),
]


@pytest.mark.parametrize(("raw", "expected", "mended"), VALUES)
def test_values(raw, expected, mended):
    found, odd = mailboxes(raw)
    assert ([(box.name, box.addr) for box in found], odd) == (expected, mended)


@pytest.mark.parametrize(("raw", "expected", "mended"), VALUES)
def test_a_domain_ends_its_address(raw, expected, mended):
    for box in mailboxes(raw)[0]:
        if box.addr and box.domain:
            assert box.addr.endswith("@" + box.domain)


@pytest.mark.parametrize(
    ("raw", "name", "addr", "mended"),
    [
        (b"Ann <a@b>, Bob <c@d>", "Ann", "a@b", False),
        (b"Lee, Ann <a@b>", "Lee, Ann", "a@b", True),
        (b"Lee, Ann, M. D. <a@b>", "Lee, Ann, M. D.", "a@b", True),
        (b"Lee Roy, Ann <a@b>, Bob <c@d>", "Lee Roy, Ann", "a@b", True),
        (b"root", None, "root", True),
        (b"Ann, Bob", None, "Ann", True),
        (b"", None, None, True),
    ],
)
def test_a_message_has_one_sender(raw, name, addr, mended):
    box, odd = sender(raw)
    assert (box.name, box.addr, odd) == (name, addr, mended)


@pytest.mark.parametrize(
    ("domain", "text", "failed"),
    [
        ("Example.ORG", "example.org", False),
        ("xn--mnchen-3ya.de", "m\xfcnchen.de", False),
        ("xn--a", "xn--a", True),
        ("a.xn--.b", "a.xn--.b", True),
    ],
)
def test_domains(domain, text, failed):
    assert domain_text(domain) == (text, failed)


atoms = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,8}", fullmatch=True)
local_parts = st.lists(atoms, min_size=1, max_size=3).map(".".join)
domains = st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}", fullmatch=True)
names = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])).map(
    lambda text: text.strip(" ") or None
).filter(lambda text: text is None or "=?" not in text)


@given(st.lists(st.tuples(names, local_parts, domains), max_size=6))
def test_what_is_written_is_read(people):
    written = [
        f"{local}@{domain}"
        if name is None
        else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + f'" <{local}@{domain}>'
        for name, local, domain in people
    ]
    found, mended = mailboxes(",\r\n ".join(written).encode())
    assert [box.addr for box in found] == [f"{local}@{domain}" for _, local, domain in people]
    assert not mended


PIECES = [b"a", b"b.c", b"@", b"<", b">", b'"', b"(", b")", b",", b";", b":", b" ", b"\\", b"[x]"]
PIECES += [b"=?utf-8?q?x=2C?=", b"=?", b"\xe9", b"\n ", b"xn--", b".", b"mailto"]
shapes = st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join)


@given(shapes | st.binary())
def test_any_octets_are_mailboxes(raw):
    for box in mailboxes(raw)[0]:
        assert box.name or box.addr
        for part in box:
            assert part is None or (part and not CONTROL.search(part))


@given(st.lists(st.sampled_from([*PIECES[:8], b"a@b", b"A <a@b>", b'"x, y" <c@d>', b", "])))
def test_the_short_way_agrees_with_the_machine(pieces):
    raw = b"".join(pieces).strip(b" ")
    short = plain_mailboxes(raw)
    if short is not None:
        # A comment at the end sends the same list through the machine.
        found, mended = mailboxes(raw + b" ()")
        assert (found, mended) == (short, False)


AS_WRITTEN = [
    # A quote that is never closed, or that holds an address and its comma, quotes nothing.
    ('Ann" <a@x.org>, "Bob" <b@x.org>', [("Ann", "a@x.org"), ("Bob", "b@x.org")]),
    ('"Ann <a@x.org>, "Bob" <b@x.org>', [("Ann", "a@x.org"), ("Bob", "b@x.org")]),
    ('"Ann <a@x.org>, "Bob <b@x.org>', [("Ann", "a@x.org"), ("Bob", "b@x.org")]),
    ('"Ann <a@x.org> via L" <l@y.org>', [("Ann <a@x.org> via L", "l@y.org")]),
    # Other brackets.
    ("John [j@x.org]", [("John", "j@x.org")]),
    ("John [mailto: j@x.org ], [b@x.org]", [("John", "j@x.org"), (None, "b@x.org")]),
    ("John <[mailto:j@x.org]>", [("John", "j@x.org")]),
    ("John [j@y.org] <j@x.org>", [("John [j@y.org]", "j@x.org")]),
    ("John (j@x.org)", [("John", "j@x.org")]),
    ("John {j@x.org}", [("John", "j@x.org")]),
    # A colon and a semicolon in a name, and not a group.
    ("A & B: C; D <j@x.org>", [("A & B: C; D", "j@x.org")]),
    ("A: B; C: D; E <e@x.org>, F <f@x.org>", [("A: B; C: D; E", "e@x.org"), ("F", "f@x.org")]),
    ("A: B <b@x.org>; C <c@x.org>", [("B", "b@x.org"), ("C", "c@x.org")]),
    ("<a(c)b@x.org>", [("c", "ab@x.org")]),
    ("a@x.org, localrecipient", [(None, "a@x.org"), (None, "localrecipient")]),
    # A label with a blank, or with its maker's name.
    ("=?ISO 8859-1?Q?J=F6rg?= <j@x.org>", [("Jörg", "j@x.org")]),
    ("=?microsoft-cp1251?B?z/Do?= <j@x.org>", [("При", "j@x.org")]),
    ("=?UTF-8?B?7aC97bGA?= <j@x.org>", [("👀", "j@x.org")]),
]


@pytest.mark.parametrize(("value", "boxes"), AS_WRITTEN)
def test_mailboxes_are_read_as_they_were_meant(value, boxes):
    found, _ = mailboxes(value.encode())
    assert [(box.name, box.addr) for box in found] == boxes
