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
from typing import TYPE_CHECKING

from mailframe.ground.patterns import compile_pattern
from mailframe.headers.charsets import (
    SELF_CONTAINED,
    codec_of,
    decode_as,
    decode_iso2022,
    decode_unlabelled,
    is_iso2022,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# charset, language, encoding, encoded text. The text runs to the next "?=", and never over the
# start of another word: so what one attempt reads, no other reads again, and the cost is linear.
# Some write blanks around the marks, or within a label.
WORD = (
    rb"=\?[ \t]{0,4}+([^?*\s]{0,64}+(?:[ \t][^?*\s]{1,16}+){0,2}+)(\*[^?\s]{0,64}+)?[ \t]{0,4}+"
    rb"\?[ \t]{0,4}+([BbQq])[ \t]{0,4}+\?"
    rb"((?:[^?=\r\n]|\?(?!=)|=(?!\?(?!=)))*+)\?="
)
_WORD = compile_pattern(WORD)
_INNER_BLANK = re.compile(rb"[ \t]")
# Behind a CR no search begins: a run of them is read once.
_FOLD = re.compile(rb"(?<!\r)\r*+\n")
_BASE64_NOISE = re.compile(rb"[^A-Za-z0-9+/]++")
_BAD_HEX = re.compile(rb"=(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TO_SPACE = dict.fromkeys(map(ord, "\t\r\n\x85"), " ")
_DROPPED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)]) | _TO_SPACE
# Python sorts the marks on one letter in a time that grows with the square of their number, so long
# text is composed in stretches. A cut tears nothing apart before a character that joins none
# before it; where so many stand in a row that do, it may.
_STRETCH = 500
_LONGEST_STRETCH = 1000


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


def decoded_words(raw: bytes) -> tuple[bytes, bool]:
    """Undo encoded-words in a value where they have no place, such as an id or a URL.

    Returns
    -------
    bytes, bool
        The value with UTF-8 for each run of words, and whether it held any.
    """
    if b"=?" not in raw or not _WORD.search(raw):
        return raw, False
    pieces = []
    run = _Run()
    end = 0
    for match in _WORD.finditer(raw):
        between = raw[end : match.start()]
        if between.strip(b" \t"):
            run.close()
            pieces += ["".join(run.pieces).encode(), between]
            run = _Run()
        run.add(match)
        end = match.end()
    run.close()
    pieces += ["".join(run.pieces).encode(), raw[end:]]
    return b"".join(pieces), True


def clean(text: str, *, mended: bool = False) -> tuple[str, bool]:
    """Return text in NFC without control characters or surrogates, and whether it lost any."""
    if text.isascii() and text.isprintable():
        return text.strip(" "), mended  # no pattern is tried at each letter of long ids
    if _CONTROL.search(text):
        # A TAB is white space like any other once the value is unfolded.
        mended = mended or _CONTROL.search(text.replace("\t", " ")) is not None
        text = text.translate(_DROPPED)
    # A byte order mark is of the encoding, not of the text.
    text = text.removeprefix("\ufeff").strip(" ")
    if not text.isascii():
        short = len(text) <= _LONGEST_STRETCH
        text = _composed(text) if short else "".join(map(_composed, _stretches(text)))
    return text, mended


def _stretches(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _LONGEST_STRETCH:
        end, last = start + _STRETCH, start + _LONGEST_STRETCH
        while end < last and _joins(text[end]):
            end += 1
        yield text[start:end]
        start = end
    yield text[start:]


def _joins(char: str) -> bool:
    """Whether a character may be one with those before it: a mark, or a jamo within a syllable."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff"


def _composed(text: str) -> str:
    """Return text in NFC; most is already, which is told faster than made."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def _decode_plain(raw: bytes, context: bytes) -> tuple[str, bool]:
    if is_iso2022(raw):
        return decode_iso2022(raw), True
    return decode_unlabelled(raw, context)


def _decode_words(raw: bytes, context: bytes) -> tuple[str, bool]:
    run = _Run()
    mended = False
    end = 0
    for match in _WORD.finditer(raw):
        between = raw[end : match.start()]
        if end == 0 or between.strip(b" \t"):
            run.close()
            mended |= _add_plain(between, run.pieces, context)
        mended |= _is_glued(raw, match.start(), match.end())
        mended |= _INNER_BLANK.search(raw, match.start(), match.start(4)) is not None
        run.add(match)
        end = match.end()
    run.close()
    mended |= _add_plain(raw[end:], run.pieces, context)
    return "".join(run.pieces), mended or run.mended


class _Run:
    """A run of neighbouring encoded-words, joined as octets as long as the charset is the same.

    The octets are kept, not the words: a field of ten megabytes has half a million of them.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.mended = False
        self._codec: str | None = None
        self._octets = bytearray()
        # A base64 stream that may run on in the next word, and where its last quantum is cut.
        self._stream: list[bytes] = []
        self._cut = b""

    def add(self, match: re.Match[bytes]) -> None:
        """Add a match of `WORD`."""
        label, _, encoding, encoded = match.groups()
        codec = codec_of(label.decode("latin-1"))
        base64 = encoding in b"Bb"
        if self._cut and base64 and codec == self._codec:
            self.mended = True
        else:
            self._end_stream()
            # A character may be split between words, but not where each word starts anew.
            if codec != self._codec or codec in SELF_CONTAINED:
                self._decode()
                self._codec = codec
        if base64:
            self._stream.append(encoded)
            self._cut = _cut_quantum(self._cut + encoded)
        else:
            octets, odd = _unquote(encoded)
            self._octets += octets
            self.mended |= odd

    def close(self) -> None:
        """Decode what is left: other text follows."""
        self._end_stream()
        self._decode()

    def _end_stream(self) -> None:
        if self._stream:
            octets, odd = _unbase64(b"".join(self._stream))
            self._octets += octets
            self.mended |= odd
            self._stream.clear()
            self._cut = b""

    def _decode(self) -> None:
        if self._octets:
            text, wrong = decode_as(bytes(self._octets), self._codec)
            self.pieces.append(text)
            self.mended |= wrong
            self._octets.clear()


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


def _cut_quantum(encoded: bytes) -> bytes:
    """Return the end of a base64 stream that must run on in the next word, or nothing.

    Nothing as well where only the padding is missing.
    """
    left = len(encoded) % 4
    if left == 0 or encoded.endswith(b"="):
        return b""
    padded = encoded + b"=" * (4 - left)
    try:
        whole = binascii.b2a_base64(binascii.a2b_base64(padded), newline=False) == padded
    except ValueError:
        whole = False
    return b"" if whole else encoded[-left:]


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
