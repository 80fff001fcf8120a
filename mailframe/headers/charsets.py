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

try:
    from chardetng_py.detector import EncodingDetector
except ImportError:  # no wheel for this machine
    import chardet

    EncodingDetector = None

# Only where WHATWG, or mail in practice, differs from Python's own table of aliases.
_LABELS = {
    "cp1252": "iso-8859-1 iso8859-1 iso88591 iso_8859-1 latin1 l1"
    " latin-1 iso-ir-100 x-cp1252 cp819 ansi",
    "cp1254": "iso-8859-9 iso8859-9 iso_8859-9 latin5 l5 x-cp1254",
    "cp874": "iso-8859-11 iso8859-11 tis-620 dos-874 windows-874",
    "iso8859_8": "iso-8859-8-i iso-8859-8-e logical visual hebrew",
    "gb18030": "gb2312 gb_2312 gb_2312-80 gb2312-80 csgb2312 csiso58gb231280 iso-ir-58 chinese"
    " gbk x-gbk cp936 ms936 windows-936 gb cn-gb euc-cn",
    "big5hkscs": "big5 big-5 big5-hkscs cn-big5 csbig5 x-x-big5 cp950 windows-950",
    "cp949": "euc-kr euckr ks_c_5601-1987 ks_c_5601-1989 ks_c_5601 ksc5601 ksc_5601 ks_c-5601"
    " ks-c-5601-1987 korean iso-ir-149 csksc56011987 cseuckr windows-949 uhc x-windows-949",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji csshiftjis windows-31j ms932",
    "euc_jp": "euc-jp x-euc-jp cseucpkdfmtjapanese cp51932",
    "koi8_r": "koi8-r koi8 koi cskoi8r",
    "koi8_u": "koi8-u koi8-ru",
    "cp866": "ibm866 866 csibm866",
    "mac_roman": "macintosh mac x-mac-roman csmacintosh",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "ascii": "ascii us-ascii ansi_x3.4-1968",
    "utf-8": "utf8 utf-8 unicode-1-1-utf-8 unicode11utf8 x-unicode20utf8 utf_8 utf-8-sig",
    "utf-16": "unicode utf-16 ucs-2 iso-10646-ucs-2 csunicode unicodefeff",
    "utf-7": "utf-7 utf7 unicode-1-1-utf-7 x-unicode-2-0-utf-7",
    "iso2022_jp": "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3"
    " iso-2022-jp-ms x-iso-2022-jp",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}

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

_ISO2022_RUN = re.compile(rb"(\x1b\$?\(?[A-Z@]|^)([^\x1b]*+)")
# Letters, or what may be the second octet of one.
_IN_A_WORD = re.compile(rb"[A-Za-z\x80-\xff][\x80-\xff]|[\x80-\xff][@-~]")
_SAMPLE = 4096  # octets are enough to tell a charset
# The country of an address tells what few octets cannot.
_COUNTRY = re.compile(rb"@[A-Za-z0-9.-]*\.([A-Za-z]{2})\b")

# Letters and digits, then what stands in registered names; a longer label is no label.
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.:()+-]{0,63}")


@lru_cache(maxsize=1024)
def codec_of(label: str) -> str | None:
    """Return the Python codec for a charset label as mail uses it; None where there is none."""
    name = label.strip(" \t'\"").lower()
    known = _CODECS.get(name)
    if known is not None:
        return known
    if not _LABEL.fullmatch(name):
        return None
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
    if codec is None:
        text, _ = decode_unlabelled(raw, context)
        return text, True
    right = _strictly(raw, codec)
    if right is not None:
        return right, False
    if codec == "iso2022_jp":
        return _decode_iso2022_jp(raw), True
    text = raw.decode(codec, "replace")
    # Under a right label few octets are bad: the end was cut off, or a byte was lost.
    bad = text.count("\ufffd")
    if sum(char > "\x7f" for char in text) > 2 * bad or (codec == "utf-8" and _is_cut_off(raw)):
        return text, True
    return decode_unlabelled(raw, context)[0], True


def _strictly(raw: bytes, codec: str) -> str | None:
    for lenient in (codec, *_WIDER.get(codec, ())):
        try:
            return raw.decode(lenient)
        except (UnicodeError, ValueError):
            pass
    return None


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
        pass
    sample = context[:_SAMPLE]
    if sample.isascii():
        sample = raw[:_SAMPLE]
    codec = guess(sample)
    right = _strictly(raw, codec)
    return raw.decode(codec, "replace") if right is None else right, True


@lru_cache(maxsize=4096)
def guess(raw: bytes) -> str:
    """Return the codec that most likely wrote these octets, which are not UTF-8."""
    if not _IN_A_WORD.search(raw):
        return "cp1252"  # no letters: a pound sign before a sum, a dash, a quotation mark
    if EncodingDetector is None:
        label = chardet.detect(raw)["encoding"]
    else:
        detector = EncodingDetector()
        detector.feed(raw, last=True)
        country = _COUNTRY.search(raw)
        label = detector.guess(tld=country[1].lower() if country else None, allow_utf8=False)
    return codec_of(label or "") or "cp1252"
