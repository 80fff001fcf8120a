"""Texts by the column: the encoded-words of a whole buffer at once (RFC 2047).

Every text of all words is decoded in the place where it stands: one base64 call takes all that are
in B, arithmetic those in Q. What is left of the words is then taken out, and the values under each
charset are decoded in one call. Regular is a value whose words are lawful and under one charset
that means ASCII by ASCII; every other value is for `mailframe.headers.text`.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.headers import text
from mailframe.headers.charsets import codec_of
from mailframe.headers.columns.marks import (
    Mask,
    Octets,
    Positions,
    high,
    holding,
    is_one_of,
    owners,
    positions,
    runs,
    strip,
    table,
)
from mailframe.headers.columns.values import (
    Column,
    Values,
    between,
    data_of,
    joined,
    offsets_of,
    one_by_one,
)
from mailframe.headers.memory import remembering

_TAB, _LF, _ESCAPE, _SPACE, _EQUALS, _QUESTION, _UNDERSCORE = b"\t\n\x1b =?_"
_BLANKS = b" \t"
_HIGH = 0x80
_FIRST = 0xC0  # from here an octet begins a character of UTF-8, below it goes on with one
_CONTROLS = bytes([*range(0x20), 0x7F])
_IS_CONTROL = is_one_of(_CONTROLS)
_OF_DECODED = table(_CONTROLS)
_OF_VALUES = table(bytes(set(_CONTROLS) - set(b"\t\n")))
_OF_QUOTED = table(b"=_ \t" + bytes(range(_HIGH, 0x100)))
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = table(bytes(set(range(0x100)) - set(_BASE64)))
_HEX = np.full(0x100, 0xFF, np.uint8)
_HEX[list(b"0123456789ABCDEF")] = range(16)
_HEX[list(b"abcdef")] = range(10, 16)

# What is looked at in decoded text: a TAB, an escape that meant nothing, and the first octets of C1
# controls and of U+FEFF.
_OF_TEXTS = table(b"\t\x1b\xc2\xef")
_C1, _BYTE_ORDER = 0xC2, 0xEF

# `text.clean` composes what is longer in stretches.
_LONGEST = 1000
_LONGEST_LABEL = 40
_LABEL = re.compile(rb"[A-Za-z0-9_.:()+-]++")
_UTF_8 = "utf-8"
_JAPANESE = "iso2022_jp"
# Under these an octet of ASCII behind a blank means itself, and no LF is ever part of a character:
# values in a row may be decoded as one. (ISO-2022-JP is so where words end in ASCII.)
_STREAMS = frozenset(
    [
        *("utf-8", "ascii", "cp874", "cp866", "koi8_r", "koi8_u", "koi8-r", "koi8-u", "mac_roman"),
        *("mac_cyrillic", "iso8859_8", "gb18030", "big5hkscs", "cp949", "cp932", "euc_jp"),
        *(f"cp{number}" for number in range(1250, 1259)),
        *(f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        _JAPANESE,
    ]
)


class Words(NamedTuple):
    """Encoded-words as they stand in values.

    Attributes
    ----------
    owner : int64 array
        The value that each is in.
    start, text, text_end, end : int64 array
        ``start=?utf-8?Q?texttext_end?=end``
    label : int64 array
        The place of its label in `labels`.
    labels : list of bytes
    broken : bool array
        Which values hold anything that opens like a word and is not one of these.
    """

    owner: Positions
    start: Positions
    text: Positions
    text_end: Positions
    end: Positions
    label: Positions
    labels: list[bytes]
    broken: Mask

    def only(self, which: Mask) -> Words:
        """Return some of them."""
        owner, start, text_, text_end, end, label = (each[which] for each in self[:6])
        return Words(owner, start, text_, text_end, end, label, self.labels, self.broken)


def find_words(values: Values) -> Words:
    """Find every encoded-word whose text holds no question mark."""
    octets = values.octets
    mark = np.flatnonzero(octets == _QUESTION)
    opens = octets[mark - 1] == _EQUALS
    closes = octets[mark + 1] == _EQUALS
    first = np.flatnonzero(opens & ~closes)
    # "=?=" closes a word whose text is padded; elsewhere it is the debris of one.
    stray = opens & closes
    mark = np.append(mark, np.full(3, len(octets) - 1))
    start = mark[first] - 1
    label_end, letter_end, text_end = (mark[first + n] for n in (1, 2, 3))
    owner = owners(start, values.start)
    good = (letter_end == label_end + 2) & (text_end < values.end[owner])
    good[good] &= closes[first[good] + 3]
    good &= (label_end - start <= _LONGEST_LABEL) & (text_end > letter_end + 1)
    letter = octets[np.minimum(label_end + 1, len(octets) - 1)] | 0x20
    good &= (letter == ord("b")) | (letter == ord("q"))
    # Of two that overlap the second is none of its own: that value is for the general path.
    good[1:] &= (start[1:] > text_end[:-1] + 1) | (owner[1:] != owner[:-1])

    encoded = values.between(start[good] + 2, label_end[good]).dictionary_encode()
    labels = encoded.dictionary.to_pylist()
    label = np.zeros(len(start), np.int64)
    label[good] = encoded.indices.to_numpy()
    lawful = np.array([_LABEL.fullmatch(each) is not None for each in labels], np.bool_)
    good[good] = lawful[label[good]]

    stray[first[good] + 3] = False
    broken = holding(mark[: len(stray)][stray], values.start, values.end)
    broken[owner[~good]] = True
    words = Words(owner, start, letter_end + 1, text_end, text_end + 2, label, labels, broken)
    return words.only(good)


def texts(values: Values) -> Column:
    """Decode unstructured values into large_string."""
    odd = values.odd
    array = values.raw.view(pa.large_string())
    mended = np.zeros(len(odd), np.bool_)
    if odd.any():
        some = values if odd.all() else values.only(odd)
        found = one_by_one(some.raw, _text) if some.are_few() else _by_column(some)
        array = pc.replace_with_mask(array, pa.array(odd), found.array)
        mended[odd] = found.mended
    return Column(array, mended)


def _by_column(values: Values) -> Column:
    """Decode odd values: what is regular as a column, the rest one by one."""
    slow = values.end - values.start > _LONGEST
    slow |= holding(positions(values.octets, _OF_VALUES), values.start, values.end)
    words = find_words(values)
    slow |= words.broken
    codec = np.zeros(len(slow), np.int64)
    names = [_UTF_8]
    octets, start, end = values.octets, values.start, values.end
    if len(words.start):
        of_word, names = _codecs(words)
        # The first word of a value says what all must be under.
        codec[words.owner[::-1]] = of_word[::-1]
        slow |= (codec != 0) & holding(high(octets), start, end)
        wrong = (of_word < 0) | (of_word != codec[words.owner]) | _are_glued(values, words)
        slow[words.owner[wrong]] = True
        fine = ~slow[words.owner]
        words, of_word = words.only(fine), of_word[fine]
        japanese = of_word == names.index(_JAPANESE) if _JAPANESE in names else of_word < 0
        octets, start, end = _without_words(values, words, of_word != 0, japanese, slow)
    rows = np.flatnonzero(~slow)
    rows = rows[np.argsort(codec[rows], kind="stable")]
    array, unread = _streams(octets, start, end, rows, codec[rows], names)
    slow[rows[unread]] = True
    mended = np.zeros(len(slow), np.bool_)
    rest = np.flatnonzero(slow)
    others = one_by_one(values.raw.take(pa.array(rest)), _text)
    mended[rest] = others.mended
    place = np.empty(len(slow), np.int64)
    place[rows] = np.arange(len(rows))
    place[rest] = len(rows) + np.arange(len(rest))
    return Column(joined([array, others.array]).take(pa.array(place)), mended)


def _codecs(words: Words) -> tuple[Positions, list[str]]:
    """Return the codec of each word, -1 where it is none of `_STREAMS`, and the codecs' names."""
    names = [_UTF_8]
    numbers = []
    for label in words.labels:
        name = codec_of(label.decode("latin-1"))
        if name not in _STREAMS:
            numbers.append(-1)
            continue
        if name not in names:
            names.append(name)
        numbers.append(names.index(name))
    return np.array(numbers, np.int64)[words.label], names


def _are_glued(values: Values, words: Words) -> Mask:
    """Tell which words have other text beside them."""
    before, behind = values.octets[words.start - 1], values.octets[words.end]
    alone = words.start == values.start[words.owner]
    alone |= (before == _SPACE) | (before == _TAB)
    alone &= (behind == _SPACE) | (behind == _TAB) | (behind == _LF)
    glued: Mask = ~alone
    return glued


def _without_words(
    values: Values, words: Words, labelled: Mask, japanese: Mask, slow: Mask
) -> tuple[Octets, Positions, Positions]:
    """Put in the place of each word the octets that it stands for.

    Parameters
    ----------
    labelled, japanese : bool array
        Which words are under another label than UTF-8, and which under ISO-2022-JP.
    slow : bool array
        Takes notes of the values that turn out to be irregular; nothing that stands for them then
        means anything.

    Returns
    -------
    uint8 array, int64 array, int64 array
        The octets, and where each value lies in them.
    """
    octets = values.octets.copy()
    gone = np.zeros(len(octets), np.bool_)
    base64 = (octets[words.text - 2] | 0x20) == ord("b")
    stop = words.text_end.copy()
    if base64.any():
        size, wrong = _decode_base64(octets, words.text[base64], stop[base64], japanese[base64])
        stop[base64] = words.text[base64] + size
        slow[words.owner[base64][wrong]] = True
    if not base64.all():
        quoted = ~base64
        wrong = _decode_quoted(octets, gone, words.text[quoted], stop[quoted], japanese[quoted])
        slow[words.owner[quoted][wrong]] = True

    # Blanks between two words belong to neither.
    until = words.end.copy()
    near = np.flatnonzero(words.owner[1:] == words.owner[:-1])
    left, right = until[near], words.start[near + 1].copy()
    strip(values.octets, left, right, _BLANKS)
    near = near[left == right]
    until[near] = words.start[near + 1]
    gone[runs(words.start, words.text - words.start)] = True
    gone[runs(stop, until - stop)] = True

    removed = np.flatnonzero(gone)
    kept = octets[~gone]
    begins, ends = _moved(words.text, removed), _moved(stop, removed)
    slow[words.owner[japanese][~_end_in_ascii(kept, begins[japanese], ends[japanese])]] = True
    first, last = np.ones(len(begins), np.bool_), np.ones(len(begins), np.bool_)
    first[near + 1] = last[near] = False
    slow[words.owner[first][labelled[first] & _may_be_utf8(kept, begins[first], ends[last])]] = True
    return kept, _moved(values.start, removed), _moved(values.end, removed)


def _moved(at: Positions, removed: Positions) -> Positions:
    """Return where positions are after some octets were removed."""
    return at - np.searchsorted(removed, at)


def _decode_base64(
    octets: Octets, start: Positions, end: Positions, japanese: Mask
) -> tuple[Positions, Mask]:
    """Decode texts in place; return how many octets each has become, and which are irregular."""
    length = end - start
    whole = length % 4 == 0
    together = between(pa.py_buffer(octets), start, start + length // 4 * 4)
    offsets = offsets_of(together)
    encoded = np.array(np.frombuffer(data_of(together), np.uint8)[: offsets[-1]])
    last = offsets[1:] - 1
    one = whole & (encoded[last] == _EQUALS)
    two = one & (encoded[last - 1] == _EQUALS)
    encoded[last[one]] = encoded[last[two] - 1] = _BASE64[0]
    alien = positions(encoded, _NOT_BASE64)
    encoded[alien] = _BASE64[0]
    wrong = ~whole | holding(alien, offsets[:-1], offsets[1:])
    decoded = np.frombuffer(binascii.a2b_base64(encoded.data), np.uint8)
    behind = offsets[1:] // 4 * 3
    if one.any():
        padding = np.concatenate([behind[one] - 1, behind[two] - 2])
        decoded = np.delete(decoded, padding)
    size = length // 4 * 3 - one - two
    octets[runs(start, size)] = decoded
    ends = np.cumsum(size)
    control = positions(decoded, _OF_DECODED)
    held = np.searchsorted(ends, control, "right")
    wrong[held[~(japanese[held] & (decoded[control] == _ESCAPE))]] = True
    return size, wrong


def _decode_quoted(
    octets: Octets, gone: Mask, start: Positions, end: Positions, japanese: Mask
) -> Mask:
    """Decode texts in place, note octets that are left over in `gone`; return the irregular."""
    wrong = np.zeros(len(start), np.bool_)
    at = positions(octets, _OF_QUOTED)
    owner = owners(at, start)
    inside = (owner >= 0) & (at < end[owner])
    at, owner = at[inside], owner[inside]
    kind = octets[at]
    octets[at[kind == _UNDERSCORE]] = _SPACE
    is_hex = kind == _EQUALS
    wrong[owner[~is_hex & (kind != _UNDERSCORE)]] = True
    at, owner = at[is_hex], owner[is_hex]
    high, low = _HEX[octets[at + 1]], _HEX[octets[at + 2]]
    good = (high < 16) & (low < 16) & (at + 2 < end[owner])  # noqa: PLR2004
    octet = (high << 4) | low
    good &= ~_IS_CONTROL[octet] | (japanese[owner] & (octet == _ESCAPE))
    wrong[owner[~good]] = True
    at = at[good]
    octets[at] = octet[good]
    gone[at + 1] = gone[at + 2] = True
    return wrong


def _end_in_ascii(octets: Octets, start: Positions, end: Positions) -> Mask:
    """Tell which texts in ISO-2022-JP end in ASCII, as RFC 1468 wants it."""
    escape = np.append(-1, np.flatnonzero(octets == _ESCAPE))
    last = escape[np.searchsorted(escape, end) - 1]
    back = (octets[last + 1] == ord("(")) & (octets[last + 2] == ord("B"))
    ascii_: Mask = (last < start) | (back & (last + 2 < end))
    return ascii_


def _may_be_utf8(octets: Octets, start: Positions, end: Positions) -> Mask:
    """Tell which runs of words hold eight-bit octets in an order that UTF-8 may have.

    Nearly all of other charsets do not; those that do may be under a wrong label.
    """
    at = high(octets)
    octet = octets[at]
    follows = octet < _FIRST
    wrong = np.where(follows, octets[at - 1] < _HIGH, (octets[at + 1] & _FIRST) != _HIGH)
    right: Mask = holding(at, start, end) & ~holding(at[wrong], start, end)
    return right


def _streams(
    octets: Octets,
    start: Positions,
    end: Positions,
    rows: Positions,
    codec: Positions,
    names: list[str],
) -> tuple[pa.Array, Mask]:
    """Decode values, those under one charset in one call.

    Returns
    -------
    pyarrow.LargeStringArray, bool array
        The texts of `rows`, and which of them are for the general path.
    """
    each = between(pa.py_buffer(octets), start, end + 1, rows)
    offsets = offsets_of(each)
    data = memoryview(data_of(each))
    unread = np.zeros(len(rows), np.bool_)
    decoded = []
    cuts = np.append(np.searchsorted(codec, np.arange(len(names))), len(rows))
    for name, first, behind in zip(names, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        stream = bytes(data[offsets[first] : offsets[behind]])
        try:
            lines = stream.decode(name)
        except UnicodeDecodeError:
            lines = None
        if lines is None or lines.count("\n") != behind - first:
            lines = "".join(
                _line(line, name, unread, first + n)
                for n, line in enumerate(each[first:behind].to_pylist())
            )
        decoded.append(lines)
    return _clean("".join(decoded), unread)


def _line(line: bytes, name: str, unread: Mask, row: int) -> str:
    """Decode one value and its LF; what cannot be is noted in `unread`."""
    try:
        decoded = line.decode(name)
    except UnicodeDecodeError:
        decoded = ""
    if decoded.count("\n") != 1 or not decoded.endswith("\n"):
        unread[row] = True
        return "\n"
    return decoded


def _clean(lines: str, unread: Mask) -> tuple[pa.Array, Mask]:
    """Do to each of some lines what `text.clean` does; note what is for the general path."""
    if not unicodedata.is_normalized("NFC", lines):
        lines = unicodedata.normalize("NFC", lines)
    data = lines.encode() + b"\0\0\0"
    octets = np.frombuffer(data, np.uint8)
    end = np.flatnonzero(octets == _LF)
    start = np.append(0, end[:-1] + 1)[: len(end)]
    at = positions(octets, _OF_TEXTS)
    kind = octets[at]
    dropped = kind == _ESCAPE
    dropped |= (kind == _C1) & (octets[at + 1] < 0xA0)  # noqa: PLR2004
    dropped |= (kind == _BYTE_ORDER) & (octets[at + 1] == 0xBB) & (octets[at + 2] == 0xBF)  # noqa: PLR2004
    unread |= holding(at[dropped], start, end)
    if (kind == _TAB).any():
        octets = octets.copy()
        octets[at[kind == _TAB]] = _SPACE
    strip(octets, start, end, b" ")
    return between(pa.py_buffer(octets), start, end).view(pa.large_string()), unread


_text = remembering(text.decode)
