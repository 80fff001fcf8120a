"""Field values as text: unfolding, encoded-words, and nothing a terminal would obey.

The Text form of RFC 8621 section 4.1.2.2 on RFC 2047, with the language tags of RFC 2231
section 5 and the raw UTF-8 of RFC 6532. One regular expression cuts a value into encoded-words and
what lies between; neighbouring words of one charset are joined as bytes before they are decoded,
because a character may be split between them. Words that break the rules of placement (glued to
text, inside quotes, holding spaces) are decoded all the same: the sender meant them.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from mailframe.headers.charsets import SELF_CONTAINED, codec_of, decode_as, decode_unlabelled
from mailframe.patterns import compile_pattern

# charset, language, encoding, encoded text. The text runs to the next "?=", and never over the
# start of another word: so what one attempt reads, no other reads again, and the cost is linear.
WORD = (
    rb"=\?([^?*\s]{0,64}+)(\*[^?\s]{0,64}+)?\?([BbQq])\?"
    rb"((?:[^?=\r\n]|\?(?!=)|=(?!\?(?!=)))*+)\?="
)
_WORD = compile_pattern(WORD)
# Behind a CR no search begins: a run of them is read once.
_FOLD = re.compile(rb"(?<!\r)\r*+\n")
_BASE64_NOISE = re.compile(rb"[^A-Za-z0-9+/]++")
_BAD_HEX = re.compile(rb"=(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TO_SPACE = dict.fromkeys(map(ord, "\t\r\n\x85"), " ")
_DROPPED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)]) | _TO_SPACE


class _Word(NamedTuple):
    codec: str | None
    base64: bool
    encoded: bytes


def unfold(raw: bytes) -> bytes:
    """Take the line ends out of a folded value and the blanks off its ends (RFC 5322, 2.2.3)."""
    if b"\n" in raw:
        raw = _FOLD.sub(b"", raw)
    return raw.strip(b" \t\r")


def decode(raw: bytes, context: bytes = b"") -> tuple[str, bool]:
    """Decode one unstructured field value.

    Parameters
    ----------
    raw : bytes
        The value as it stands in the message, folds included.
    context : bytes
        The whole value that `raw` is a part of, to guess a charset from.

    Returns
    -------
    str, bool
        The text in NFC without control characters, and whether it had to be mended: unlabelled
        bytes that are not UTF-8, an encoded-word that breaks RFC 2047, or a control character.
    """
    raw = unfold(raw)
    if b"=?" in raw:
        text, mended = _decode_words(raw, context or raw)
    else:
        text, mended = _decode_plain(raw, context)
    return clean(text, mended=mended)


def clean(text: str, *, mended: bool = False) -> tuple[str, bool]:
    """Return text in NFC without control characters or surrogates, and whether it lost any."""
    if _CONTROL.search(text):
        # A TAB is white space like any other once the value is unfolded.
        mended = mended or _CONTROL.search(text.replace("\t", " ")) is not None
        text = text.translate(_DROPPED)
    # A byte order mark is of the encoding, not of the text.
    text = text.removeprefix("\ufeff").strip(" ")
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text, mended


def _decode_plain(raw: bytes, context: bytes) -> tuple[str, bool]:
    if b"\x1b" in raw and raw.isascii():
        # ISO-2022 without a label: escape sequences mean nothing else in a header.
        text, _ = decode_as(raw, "iso2022_kr" if b"\x1b$)C" in raw else "iso2022_jp")
        return text, True
    return decode_unlabelled(raw, context)


def _decode_words(raw: bytes, context: bytes) -> tuple[str, bool]:
    pieces: list[str] = []
    run: list[_Word] = []
    mended = False
    end = 0
    for match in _WORD.finditer(raw):
        between = raw[end : match.start()]
        if not run or between.strip(b" \t"):
            mended |= _close_run(run, pieces)
            mended |= _add_plain(between, pieces, context)
        mended |= _is_glued(raw, match.start(), match.end())
        mended |= _add_word(run, match)
        end = match.end()
    mended |= _close_run(run, pieces)
    mended |= _add_plain(raw[end:], pieces, context)
    return "".join(pieces), mended


def _is_glued(raw: bytes, start: int, end: int) -> bool:
    return (start > 0 and raw[start - 1] not in b" \t") or (
        end < len(raw) and raw[end] not in b" \t"
    )


def _add_plain(raw: bytes, pieces: list[str], context: bytes) -> bool:
    if not raw:
        return False
    text, mended = _decode_plain(raw, context)
    pieces.append(text)
    # "=?" that opens no whole word is the debris of one.
    return mended or b"=?" in raw


def _close_run(run: list[_Word], pieces: list[str]) -> bool:
    """Decode a run of neighbouring encoded-words into `pieces` and empty it."""
    mended = False
    for codec, words in groupby(run, key=attrgetter("codec")):
        octets = []
        for word in words:
            raw, odd = _unbase64(word.encoded) if word.base64 else _unquote(word.encoded)
            octets.append(raw)
            mended |= odd
        # A character may be split between words, but not where each word starts anew.
        for raw in octets if codec in SELF_CONTAINED else [b"".join(octets)]:
            text, wrong = decode_as(raw, codec)
            pieces.append(text)
            mended |= wrong
    run.clear()
    return mended


def _add_word(run: list[_Word], match: re.Match[bytes]) -> bool:
    """Append a match of `WORD` to the run; return whether it only went on with the last one."""
    label, _, encoding, encoded = match.groups()
    word = _Word(codec_of(label.decode("latin-1")), encoding in b"Bb", encoded)
    last = run[-1] if run else None
    if last and last.base64 and word.base64 and last.codec == word.codec and _is_cut(last.encoded):
        run[-1] = last._replace(encoded=last.encoded + encoded)
        return True
    run.append(word)
    return False


def _is_cut(encoded: bytes) -> bool:
    """Tell a base64 stream that runs on in the next word from one that only lacks its padding."""
    if len(encoded) % 4 == 0 or encoded.endswith(b"="):
        return False
    padded = encoded + b"=" * (-len(encoded) % 4)
    try:
        return binascii.b2a_base64(binascii.a2b_base64(padded), newline=False) != padded
    except ValueError:
        return True


def _unquote(encoded: bytes) -> tuple[bytes, bool]:
    odd = b" " in encoded or not encoded.isascii()
    if _BAD_HEX.search(encoded):
        odd = True
        encoded = _BAD_HEX.sub(b"=3D", encoded)
    return binascii.a2b_qp(encoded, header=True), odd


def _unbase64(encoded: bytes) -> tuple[bytes, bool]:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True), False
    except ValueError:
        pass
    # Each run of padding ends a stream; a lone last digit carries no whole octet.
    streams = [_BASE64_NOISE.sub(b"", part) for part in encoded.split(b"=")]
    whole = [part[: len(part) - (len(part) % 4 == 1)] for part in streams]
    return b"".join(binascii.a2b_base64(part + b"=" * (-len(part) % 4)) for part in whole), True
