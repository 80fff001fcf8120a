"""Field values as text: what people wrote, whatever their programs made of it."""

import base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers.charsets import codec_of
from mailframe.headers.text import decode


def b64(text, charset, label=None):
    encoded = base64.b64encode(text.encode(charset)).decode()
    return f"=?{label or charset}?B?{encoded}?=".encode()


# value, text, whether it had to be mended.
VALUES = [
    (b"plain", "plain", False),
    (b"  outer blanks  \r\n", "outer blanks", False),
    (b"inner  blanks stay", "inner  blanks stay", False),
    (b"a\r\n folded\r\n\tvalue", "a folded value", False),
    (b"", "", False),
    # RFC 2047 section 8.
    (b"=?ISO-8859-1?Q?a?=", "a", False),
    (b"=?ISO-8859-1?Q?a?= b", "a b", False),
    (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab", False),
    (b"=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab", False),
    (b"=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=", "ab", False),
    (b"=?ISO-8859-1?Q?a_b?=", "a b", False),
    (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b", False),
    (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore", False),
    (b"=?utf-8*de-AT?b?R3LDvMOfZQ==?=", "Gr\xfc\xdfe", False),
    # Words of one charset are one text: a character may be cut.
    (b"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "\u20ac", False),
    (b"=?utf-8?Q?=E2=82?= =?utf-8?B?rA==?=", "\u20ac", False),
    (b"=?utf-8?B?4oKs4oK?= =?utf-8?B?s?=", "\u20ac\u20ac", True),
    (b"=?utf-7?Q?+AGE?= =?utf-7?Q?+AGI?=", "ab", False),
    # Against the rules of placement, and meant all the same.
    (b"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab", True),
    (b"x=?utf-8?Q?=C3=A9?=y", "x\xe9y", True),
    (b'"=?utf-8?Q?=C3=A9?="', '"\xe9"', True),
    (b"=?utf-8?Q?a b?=", "a b", True),
    (b"=?utf-8?Q?what?_now?=", "what? now", False),
    (b"=?utf-8?B?R3LDvMOfZQ?=", "Gr\xfc\xdfe", True),
    (b"=?utf-8?B?R3LD vMOf ZQ==?=", "Gr\xfc\xdfe", True),
    (b"=?utf-8?B?YQ==Yg==?=", "ab", True),
    (b"=?utf-8?B?YWI=====?=", "ab", True),
    (b"=?utf-8?B?!!?=", "", True),
    (b"=?utf-8?Q?100%=?=", "100%=", True),
    (b"=?utf-8?Q?a=ZZ?=", "a=ZZ", True),
    (b"=?utf-8?Q??=", "", False),
    (b"=?utf-8?Q?a", "=?utf-8?Q?a", True),
    (b"=?utf-8?X?a?=", "=?utf-8?X?a?=", True),
    (b"=??Q?caf=C3=A9?=", "caf\xe9", True),
    (b"a =?= b", "a =?= b", True),
    # Labels mean what browsers take them for.
    (b"=?iso-8859-1?Q?=93=80=94?=", "\u201c\u20ac\u201d", False),
    (b64("\u97e9\u570b", "gb18030", "gb2312"), "\u97e9\u570b", False),
    (b64("\ub620\ubc29", "cp949", "ks_c_5601-1987"), "\ub620\ubc29", False),
    (b64("\u2460\u5c71", "cp932", "shift_jis"), "\u2460\u5c71", False),
    (b64("\u4e2d\u6587", "big5"), "\u4e2d\u6587", False),
    (
        b64("\u043f\u0440\u0438\u0432\u0435\u0442", "koi8-r"),
        "\u043f\u0440\u0438\u0432\u0435\u0442",
        False,
    ),
    (b64("\u3053\u3093", "iso-2022-jp"), "\u3053\u3093", False),
    (b"=?iso-2022-jp?B?GyRCLSEbKEI=?=", "\u2460", True),
    (b"=?utf-16?B?/v8AaADp?=", "h\xe9", False),
    (b"=?utf-7?Q?+AOk-?=", "\xe9", False),
    (b"=?us-ascii?Q?caf=C3=A9?=", "caf\xe9", True),
    (b"=?us-ascii?Q?caf=E9?=", "caf\xe9", True),
    (b"=?unknown-8bit?Q?caf=E9?=", "caf\xe9", True),
    (b"=?x-nobody-knows?Q?plain?=", "plain", True),
    (b"=?utf-8?Q?caf=E9_au_lait?=", "caf\xe9 au lait", True),
    (b"=?utf-8?Q?=E2=82=AC_=E2=82?=", "\u20ac \ufffd", True),
    (b"=?rot13?Q?uryyb?=", "uryyb", True),
    # Labels that others write for the same, and octets that are not what their label says.
    (b64("caf\xe9", "cp850", "cp-850"), "caf\xe9", False),
    (b64("\u0434\u0430", "cp1251", "windows1251"), "\u0434\u0430", False),
    (b64("\u4e2d\u6587", "big5", "x-big5"), "\u4e2d\u6587", False),
    (b64("\u03b1\u03b2\u03b3", "mac_greek", "x-mac-greek"), "\u03b1\u03b2\u03b3", False),
    (b64("\u65e5\u672c", "iso2022_jp", "_iso-2022-jp$ESC"), "\u65e5\u672c", False),
    (b64("\u65e5\u672c", "iso2022_jp", "cp50220"), "\u65e5\u672c", False),
    (b64("\u65e5\u672c", "iso2022_jp", "utf-8"), "\u65e5\u672c", True),
    (b64("\ud55c\uad6d", "iso2022_kr", "iso-8859-1"), "\ud55c\uad6d", True),
    (b"=? ISO-2022-JP? B? GyRCRnxLXBsoQg==?=", "\u65e5\u672c", True),
    (b64("\u65e5\u672c\u8a9e", "shift_jis", "iso-2022-jp"), "\u65e5\u672c\u8a9e", True),
    *(
        (b64("\u65e5\u672c\u8a9e", "utf-8", label), "\u65e5\u672c\u8a9e", True)
        for label in ("iso-2022-jp", "us-ascii", "iso-8859-1", "gb2312", "big5", "euc-kr", "koi8-r")
    ),
    *(
        (b64("caf\xe9", "utf-8", label), "caf\xe9", True)
        for label in ("iso-8859-1", "iso-8859-15", "windows-1250", "gb2312")
    ),
    (b64("\u041f\u0440\u0438", "utf-8", "windows-1251"), "\u041f\u0440\u0438", True),
    # These fit UTF-8 by chance.
    (b64("\u0415\u0451", "cp1251", "windows-1251"), "\u0415\u0451", False),
    (b64("\u6a21", "gb2312"), "\u6a21", False),
    (b64("NESTL\xc9\xae", "iso-8859-1"), "NESTL\xc9\xae", False),
    # UTF-8 with one bad or cut octet stays UTF-8.
    ("\u041f\u043e\u0434\u0442\u0432".encode()[:-1], "\u041f\u043e\u0434\u0442\ufffd", True),
    (
        "\u041f\u043e\u0434".encode() + b"\xff" + "\u0442".encode(),
        "\u041f\u043e\u0434\ufffd\u0442",
        True,
    ),
    # No label at all.
    ("Gr\xfc\xdfe \u20ac".encode(), "Gr\xfc\xdfe \u20ac", False),
    ("Gr\xfc\xdfe aus M\xfcnchen".encode("latin-1"), "Gr\xfc\xdfe aus M\xfcnchen", True),
    (
        "\u041f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c".encode("koi8-r"),
        "\u041f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c",
        True,
    ),
    (
        "\u041f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c".encode("cp1251"),
        "\u041f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c",
        True,
    ),
    (b"only \xa380 left", "only \xa380 left", True),
    (b"\x1b$B$3$s\x1b(B x", "\u3053\u3093 x", True),
    (b"\x1b$)C\x0eGQ19>n\x0f x", "\ud55c\uad6d\uc5b4 x", True),
    (b"\x1b[31mcaf\xc3\xa9", "[31mcaf\xe9", True),
    (
        "\u65e5\u672c\u8a9e\u306e\u4ef6\u540d\u2460\u3067\u3059".encode("euc_jis_2004"),
        "\u65e5\u672c\u8a9e\u306e\u4ef6\u540d\u2460\u3067\u3059",
        True,
    ),
    ("caf\xe9 =?utf-8?Q?=C3=A9?=".encode("latin-1"), "caf\xe9 \xe9", True),
    # Nothing that a terminal would obey.
    (b"a\0b", "ab", True),
    (b"a\rb", "a b", True),
    (b"a\x1b[31mb", "a[31mb", True),
    (b"=?utf-8?Q?a=0D=0AX:_y=00?=", "a  X: y", True),
    (b"=?utf-7?Q?+2AA-?=", "", True),
    ("a\x85b\x9b".encode(), "a b", True),
    (b"a\tb", "a b", False),
    # A byte order mark is no text.
    (b"\xef\xbb\xbfa", "a", False),
    (b"=?utf-8?B?77u/YQ==?=", "a", False),
    # One form for what looks alike.
    ("e\u0301".encode(), "\xe9", False),
]


@pytest.mark.parametrize(("raw", "text", "mended"), VALUES)
def test_values(raw, text, mended):
    assert decode(raw) == (text, mended)


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF8", "utf-8"),
        (" 'Latin1' ", "cp1252"),
        ("ks_c_5601-1987", "cp949"),
        ("x-sjis", "cp932"),
        ("ISO-8859-8-I", "iso8859_8"),
        ("cp-850", "cp850"),
        ("win-1252", "cp1252"),
        ("ibm00858", "cp858"),
        ("iso88592", "iso8859-2"),
        ("cp28605", "iso8859-15"),
        ("latin-9", "iso8859-15"),
        ("x-mac-ce", "mac_latin2"),
        ("x-windows-949", "cp949"),
        ("csISOLatin2", "iso8859-2"),
        ("GB18030-2000", "gb18030"),
        ("utf8mb4", "utf-8"),
        ("us-ascii//TRANSLIT", "ascii"),
        ("unknown-8bit", None),
        ("cp850", "cp850"),
        ("rot13", None),
        ("base64", None),
        ("idna", None),
        ("", None),
        ("a\0b", None),
        ("\xe9", None),
        ("x" * 1000, None),
    ],
)
def test_labels(label, codec):
    assert codec_of(label) == codec


visible = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).map(
    lambda text: unicodedata.normalize("NFC", text)
)
charsets = st.sampled_from(
    ["utf-8", "utf-16", "utf-7", "koi8-r", "big5", "gb18030", "euc-kr", "shift_jis", "iso-2022-jp"]
)


def quoted(raw):
    return "".join(f"={octet:02X}" for octet in raw)


@given(visible, charsets, st.booleans(), st.integers(1, 40))
def test_what_is_encoded_is_decoded(text, charset, as_base64, cut):
    try:
        raw = text.encode(charset)
        if raw.decode(codec_of(charset)) != text:
            return
    except UnicodeError:
        return
    parts = [raw] if charset.startswith("utf-") else [raw[:cut], raw[cut:]]
    if charset == "utf-8":
        parts = [raw[:cut], raw[cut:]]
    words = [
        f"=?{charset}?B?{base64.b64encode(part).decode()}?="
        if as_base64
        else f"=?{charset}?Q?{quoted(part)}?="
        for part in parts
    ]
    assert decode("\r\n ".join(words).encode()) == (text.strip(" "), False)


@given(visible)
def test_raw_utf_8_is_itself(text):
    raw = text.encode()
    if b"=?" not in raw:
        assert decode(raw) == (text.strip(" "), False)


@pytest.mark.parametrize(
    "letters",
    [
        "か\u3099",
        "\u1112\u1161\u11ab",
        "e\u0301\u0323",
        "\u0995\u09c7\u09be",
        "\U00011103\U00011131\U00011127",
        "각",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("before", ["", "a", "aa"])
def test_long_text_is_composed_as_short_text_is(letters, before):
    long = before + letters * 1_500
    assert decode(long.encode()) == (unicodedata.normalize("NFC", long), False)


PIECES = [b"=?", b"?=", b"utf-8", b"?q?", b"?B?", b"=C3", b"=A9", b"w6k=", b" ", b"\n ", b"\xe9"]


@given(st.binary() | st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_any_octets_are_text_without_controls(raw):
    text, _ = decode(raw)
    assert not {unicodedata.category(char) for char in text} & {"Cc", "Cs"}
    text.encode()
    assert unicodedata.is_normalized("NFC", text)
    assert decode(raw) == decode(raw)
