"""Charset labels and the bytes that stand under them (WHATWG Encoding; RFC 2047 section 3).

A label names what its bytes are in practice, not in the register: ``iso-8859-1`` is read as
windows-1252, ``gb2312`` as gb18030, ``ks_c_5601-1987`` as windows-949. Where a label is unknown,
missing or contradicted by its bytes the charset is guessed, once per distinct value, by the
detector of Firefox: it is made for short and for old text, and answers in microseconds.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import TYPE_CHECKING

try:
    from chardetng_py.detector import EncodingDetector
except ImportError:  # no wheel for this machine
    import chardet

    EncodingDetector = None

if TYPE_CHECKING:
    from collections.abc import Iterator

# Only where WHATWG, or mail in practice, differs from Python's own table of aliases. Labels are
# compared by their letters and digits alone, and numbered ones by their number: see `_spellings`.
_LABELS = {
    "cp1252": "iso88591 latin1 l1 isoir100 cp819 ansi msansi",
    "cp1254": "iso88599 latin5 l5",
    "cp874": "iso885911 tis620",
    "iso8859_8": "iso88598i iso88598e logical visual hebrew",
    "gb18030": "gb2312 gb gbk cp936 iso58gb231280 isoir58 chinese cngb euccn cp51936 cp54936"
    " cp20936 cp10008 macchinesesimp macchinesesimplified iso2022cn",
    "hz": "hzgb2312 hzgb cp52936",
    "big5hkscs": "big5 cnbig5 cp950 cp10002 macchinesetrad macchinesetraditional",
    "cp949": "euckr ksc5601 ks5601 korean isoir149 uhc cp51949 cp20949 cp10003 mackorean",
    "cp932": "shiftjis sjis mskanji windows31j cp942 cp943 cp10001 macjapanese",
    "euc_jp": "eucjp eucpkdfmtjapanese cp51932 cp20932",
    "koi8_r": "koi8r koi8 cp20866",
    "koi8_u": "koi8u koi8ru cp21866",
    "cp866": "866",
    "mac_roman": "macintosh mac cp10000",
    "mac_greek": "cp10006",
    "mac_cyrillic": "maccyrillic macukrainian cp10007",
    "mac_latin2": "macce macintoshce maccentraleurope maccentraleurroman maceasteurope cp10029",
    "mac_iceland": "macicelandic cp10079",
    "mac_turkish": "cp10081",
    "ascii": "usascii ascii ansix34 cp20127",
    "utf-8": "utf8 unicode11utf8 unicode20utf8 cp65001 cesu8",
    "utf-16": "unicode utf16 ucs2 iso10646ucs2 unicodefeff",
    "utf-16-le": "cp1200",
    "utf-16-be": "cp1201",
    "utf-7": "utf7 unicode11utf7 unicode20utf7 cp65000",
    "iso2022_jp": "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms cp50220 cp50221 cp50222"
    " jis jis7",
    "iso2022_kr": "cp50225",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}

# What stands behind a name: a line of a MIME field, a transliteration, an edition, a variant.
_BEHIND = re.compile(r"[$;,/:].*", re.DOTALL)
# "de_DE.ISO8859-1"
_LOCALE = re.compile(r"^[a-z]{2}_[a-z]{2}\.")
# Who gave a number to a code page: IBM, Microsoft, and those who write about them.
_CODE_PAGE = re.compile(
    r"[a-z]*?(?:windows|win|ansi|cp|codepage|ccsid|ibm|ms|dos|oem|pc|microsoft)+0*(\d{3,5})"
)
_ISO_8859 = re.compile(r"(?:iso)?8859(1[0-6]|[1-9])(?:19\d\d|\D.*)?")
# One family each: whatever is said of an edition, its octets are read alike.
_FAMILIES = (
    (re.compile(r"(?:unicode\d*)?utf8.*|.*utf8"), "utf8"),
    (re.compile(r"iso2022jp.*"), "iso2022jp"),
    (re.compile(r"big5.*"), "big5"),
    (re.compile(r"gb(?:k|2312|18030).*"), "gb2312"),
    (re.compile(r"(?:ksc|ks|kscx|euckr).*"), "euckr"),
    (re.compile(r"(?:shift|s)_?jis.*"), "shiftjis"),
    (re.compile(r"eucjp.*"), "eucjp"),
    (re.compile(r"tis620.*"), "tis620"),
)

# Python decodes these, but they are no charsets, or make no text out of eight-bit mail.
_NOT_CHARSETS = frozenset(
    ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem")
)

# A Python codec holds state across encoded-words only if each word is decoded by itself.
SELF_CONTAINED = frozenset({"utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32"})

# What a label means where its own codec finds an octet it does not know.
_WIDER = {
    "euc_jp": ("euc_jis_2004",),
    "iso2022_jp": ("iso2022_jp_2", "iso2022_jp_ext"),
    "big5hkscs": ("cp950",),
    "koi8_r": ("koi8_u",),
}

# Labels whose characters take two octets, and those for Latin letters that take one.
_DOUBLE = frozenset({"gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "johab", "hz"})
_LATIN = frozenset({"cp1252", "cp1250", "cp1254", "cp1257", "cp1258", "cp850", "mac_roman"}) | {
    f"iso8859-{part}" for part in (1, 2, 3, 4, 9, 10, 13, 14, 15, 16)
}
# So many in a row are UTF-8 by chance once in thousands of texts.
_MANY = 4
_AMONG_LATIN = re.compile("[a-z][\xdf-\xf6\xf8-\xff\u0101-\u017f]|[\xdf-\xf6\xf8-\xff][a-z]")

_DESIGNATION = re.compile(rb"\x1b(?:\$[@AB]|\$\([CDOPQ]|\$\)[ACG]|\([IJ])")
_SHIFTED = re.compile(rb"\x0e([^\x0e\x0f]*+)\x0f?")
_ESCAPE = re.compile(rb"\x1b[$()*]*[A-Z@]")
_ISO2022_RUN = re.compile(rb"(\x1b\$?\(?[A-Z@]|^)([^\x1b]*+)")
# Letters, or what may be the second octet of one.
_IN_A_WORD = re.compile(rb"[A-Za-z\x80-\xff][\x80-\xff]|[\x80-\xff][@-~]")
_SAMPLE = 4096  # octets are enough to tell a charset
# The country of an address tells what few octets cannot.
_COUNTRY = re.compile(rb"@[A-Za-z0-9.-]*\.([A-Za-z]{2})\b")

# What stands in registered names, and what programs put around them; a longer label is no label.
_LABEL = re.compile(r"[!-~ ]{1,64}")


@lru_cache(maxsize=1024)
def codec_of(label: str) -> str | None:
    """Return the Python codec for a charset label as mail uses it; None where there is none."""
    name = label.strip(" \t'\"").lower()
    if not _LABEL.fullmatch(name):
        return None
    for spelling in _spellings(_BEHIND.sub("", _LOCALE.sub("", name))):
        codec = _CODECS.get(_squeezed(spelling)) or _python_codec(spelling)
        if codec is not None:
            return _CODECS.get(_squeezed(codec), codec)
    return None


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name)


def _spellings(name: str) -> Iterator[str]:
    """Give the names that a label may stand for, the likeliest first."""
    yield name
    bare = _squeezed(name)
    # "x-" is of what is not registered, "cs" of the register's aliases.
    for short in dict.fromkeys((bare, re.sub(r"^(?:charset|x|cs)+", "", bare))):
        yield short
        if page := _CODE_PAGE.fullmatch(short):
            yield f"cp{page[1]}"
            if 28591 <= int(page[1]) <= 28606:  # noqa: PLR2004 -- so Microsoft numbers ISO 8859
                yield f"iso8859-{int(page[1]) - 28590}"
        if part := _ISO_8859.fullmatch(short):
            yield f"iso8859-{part[1]}"
        for family, spelling in _FAMILIES:
            if family.fullmatch(short):
                yield spelling
        # Python spells these with a line between.
        yield re.sub(r"^(mac|koi8|hp)(?:intosh(?=.))?", r"\1_", short)


def _python_codec(name: str) -> str | None:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NOT_CHARSETS else None


def decode_as(raw: bytes, codec: str | None, context: bytes = b"") -> tuple[str, bool]:
    """Decode bytes that were labelled.

    Parameters
    ----------
    raw : bytes
        What stands under the label.
    codec : str or None
        From `codec_of`; None is an unknown label.
    context : bytes
        More of the same value, to guess from.

    Returns
    -------
    str, bool
        The text, and whether it had to be mended: the label was unknown or wrong.
    """
    if is_iso2022(raw):
        labelled = codec is not None and codec.startswith("iso2022")
        return decode_iso2022(raw), not labelled or _strictly(raw, str(codec)) is None
    right = _strictly(raw, codec) if codec else None
    as_utf8 = None if codec in {None, "utf-8"} or raw.isascii() else _strictly(raw, "utf-8")
    if as_utf8 is not None and (right is None or _means_utf8(as_utf8, str(codec))):
        return as_utf8, True
    if right is not None:
        return right, codec == "utf-8" and _SURROGATES.search(raw) is not None
    return (_damaged(raw, codec) if codec else None) or decode_unlabelled(raw, context)[0], True


def _damaged(raw: bytes, codec: str) -> str | None:
    """Decode octets of which few do not fit their label; None where it says nothing of them."""
    if codec == "iso2022_jp":
        # Unescaped, it is the other two charsets of Japan.
        return _decode_with(guess(raw[:_SAMPLE], "jp"), raw)
    text = raw.decode(codec, "replace")
    # Under a right label few octets are bad: the end was cut off, or a byte was lost.
    is_right = _is_mostly_right(text) or (codec == "utf-8" and _is_cut_off(raw))
    return text if is_right else None


def is_iso2022(raw: bytes) -> bool:
    """Tell whether octets switch between character sets: their escapes mean nothing else."""
    return b"\x1b" in raw and raw.isascii() and _DESIGNATION.search(raw) is not None


def decode_iso2022(raw: bytes) -> str:
    """Decode Japanese, Korean or Chinese text in seven bits, whatever its label says."""
    if b"\x1b$)C" in raw:
        return raw.decode("iso2022_kr", "replace")
    if b"\x1b$)A" in raw:
        return _decode_iso2022_cn(raw)
    right = _strictly(raw, "iso2022_jp")
    return _decode_iso2022_jp(raw) if right is None else right


def _strictly(raw: bytes, codec: str) -> str | None:
    for lenient in (codec, *_WIDER.get(codec, ())):
        try:
            return raw.decode(lenient)
        except (UnicodeError, ValueError):
            pass
    return _surrogates_joined(raw) if codec == "utf-8" else None


def _surrogates_joined(raw: bytes) -> str | None:
    """Decode UTF-8 in which what lies beyond 16 bits is two characters (Unicode TR 26, CESU-8)."""
    if not _SURROGATES.search(raw):
        return None
    try:
        halves = raw.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return None


_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def _is_mostly_right(text: str) -> bool:
    """Tell whether more letters beyond ASCII were read than octets were lost."""
    return sum(char > "\x7f" for char in text) > 2 * text.count("\ufffd")


def _means_utf8(text: str, codec: str) -> bool:
    """Tell whether octets that fit their label and UTF-8 are UTF-8.

    Every octet string fits a label such as ``iso-8859-1``; few are UTF-8 by chance, and the fewer
    the more characters they hold. A single one of two octets may well be (``Её`` in windows-1251,
    most of Chinese): it is believed only under a label for Latin letters, or between them.
    """
    wide = [char for char in text if char > "\x7f"]
    if any(char < "\xa0" for char in wide):
        return False  # nobody writes control characters
    long = sum(char > "\u07ff" for char in wide)
    if codec in SELF_CONTAINED:
        return long > 1
    if codec in _DOUBLE:
        # Three octets are one and a half characters there.
        return (
            long > 1 or len(wide) >= _MANY or (not long and _AMONG_LATIN.search(text) is not None)
        )
    return len(wide) > 1 or long > 0 or (codec in _LATIN and wide[0] <= "\u017f")


def _is_cut_off(raw: bytes) -> bool:
    """Tell whether octets are UTF-8 up to a last character that is not whole."""
    try:
        codecs.utf_8_decode(raw, "strict", False)  # noqa: FBT003 -- not the last of its stream
    except UnicodeDecodeError:
        return False
    return True


def _decode_iso2022_jp(raw: bytes) -> str:
    """Decode what Python's codec refuses: the vendors' characters in JIS X 0208, and damage.

    Two-octet runs are EUC-JP less its high bits.
    """
    pieces = []
    for mode, run in _ISO2022_RUN.findall(raw):
        if mode.startswith(b"\x1b$") and run.isascii():
            pair = bytes(octet | 0x80 if octet > 0x20 else octet for octet in run)  # noqa: PLR2004
            pieces.append(pair.decode("euc_jis_2004", "replace"))
        else:
            pieces.append(run.decode("ascii", "replace"))
    return "".join(pieces)


def _decode_iso2022_cn(raw: bytes) -> str:
    """Decode GB 2312 between shifts (RFC 1922): the octets less their high bits."""

    def shifted(match: re.Match[bytes]) -> bytes:
        return bytes(octet | 0x80 for octet in match[1])

    return _SHIFTED.sub(shifted, _ESCAPE.sub(b"", raw)).decode("gb18030", "replace")


def decode_unlabelled(raw: bytes, context: bytes = b"") -> tuple[str, bool]:
    """Decode bytes that carry no label: UTF-8 as RFC 6532 has it, else by a guess.

    Returns
    -------
    str, bool
        The text, and whether it was guessed.
    """
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        text = _surrogates_joined(raw) or raw.decode("utf-8", "replace")
    # By chance no other charset holds twice as many characters of UTF-8 as octets that are none.
    lost = text.count("\ufffd")
    if sum(char > "\x7f" for char in text) >= 3 * lost:
        return text, True
    sample = context[:_SAMPLE]
    if sample.isascii():
        sample = raw[:_SAMPLE]
    return _decode_with(guess(sample), raw), True


def _decode_with(codec: str, raw: bytes) -> str:
    right = _strictly(raw, codec)
    return raw.decode(codec, "replace") if right is None else right


@lru_cache(maxsize=4096)
def guess(raw: bytes, country: str = "") -> str:
    """Return the codec that most likely wrote these octets, which are not UTF-8.

    A country, as in a domain's last label, tells what few octets cannot.
    """
    if not _IN_A_WORD.search(raw):
        return "cp1252"  # no letters: a pound sign before a sum, a dash, a quotation mark
    if EncodingDetector is None:
        label = chardet.detect(raw)["encoding"]
    else:
        detector = EncodingDetector()
        detector.feed(raw, last=True)
        named = _COUNTRY.search(raw)
        country = country or (named[1].decode().lower() if named else "")
        label = detector.guess(tld=country.encode() or None, allow_utf8=False)
    return codec_of(label or "") or "cp1252"
