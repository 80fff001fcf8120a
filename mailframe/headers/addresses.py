"""Address lists: the Addresses form of RFC 8621 section 4.1.2.3 on RFC 5322 section 3.4.

A value is cut once, from left to right, into tokens, and a small machine gathers them into
mailboxes: no recursion, no second look, so a list of a million addresses costs a million times
one. Structure is read from the bytes before anything is decoded: a comma inside an encoded-word
separates nothing, and no decoded text ever becomes an address. Plain lists, which are nearly all
there are, are recognised by one regular expression and need no machine.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import NamedTuple

import idna

from mailframe.ground.patterns import compile_pattern
from mailframe.headers.charsets import decode_unlabelled
from mailframe.headers.memory import remembering
from mailframe.headers.text import WORD, clean, decode, unfold


class Mailbox(NamedTuple):
    """One mailbox of an address list.

    Attributes
    ----------
    name : str or None
        The display name, or else the comment beside the address.
    addr : str or None
        The addr-spec, its domain in lower case and in Unicode; None where there is none.
    domain : str or None
        The domain of `addr`.
    """

    name: str | None
    addr: str | None
    domain: str | None


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LOCAL = _ATOM + r"(?:\." + _ATOM + r")*+"
_DOMAIN = r"[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)*+"
# A bare addr-spec, or one in brackets behind a quoted string or words with single blanks.
_PLAIN = (
    r'(?:(?:"([ !#-=?-\[\]-~]*+)" ?|((?:[A-Za-z0-9!#$%&\'*+/=?^_`{|}~.-]++ ?)*+))'
    rf"<({_LOCAL}@)({_DOMAIN})>|({_LOCAL}@)({_DOMAIN}))"
)
_PLAIN_ITEM = compile_pattern(_PLAIN)
_PLAIN_LIST = compile_pattern(rf"{_PLAIN}(?:[ \t]*+,[ \t]*+{_PLAIN})*+")

# ISO-2022-JP without a label: two octets a character, which may look like any mark.
_JAPANESE = rb"\x1b\$[^\x1b]*+\x1b\([BJ]"
_TOKEN = (
    rb"(?P<blank>[ \t]++)"
    rb"|(?P<japanese>" + _JAPANESE + rb")"
    rb"|(?P<word>" + WORD + rb")"
    rb"%s"
    rb"|(?P<literal>\[[^\[\]<>\s]*+\])"
    rb"|(?P<mark>[<>@,;:()])"
    rb'|(?P<atom>(?:[^ \t"\[<>@,;:()=\\]++|\\.|=(?!\?))++|.)'
)
_QUOTED = rb'|(?P<quote>"(?:[^"\\\x1b]++|' + _JAPANESE + rb'|\x1b|\\.)*+(?P<shut>"?))'
_TOKENS = compile_pattern(_TOKEN % _QUOTED, re.DOTALL)
_TOKENS_UNQUOTED = compile_pattern(_TOKEN % b"", re.DOTALL)
_COMMENT = re.compile(rb"[^()\\]++|\\.?|[()]", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_DOT_ATOM = compile_pattern(
    r"[^\x00-\x20()<>@,;:\\\"\[\].\x7f]++(?:\.[^\x00-\x20()<>@,;:\\\"\[\].\x7f]++)*+"
)
_LITERAL = re.compile(r"\[[^\[\]\\\s]*+\]")

# A quote that holds an address and its comma was opened or closed by the quote of another name.
_SWALLOWED = re.compile(rb'<[^<>@"\s]++@[^<>"\s]++>[ \t]*+,')
_UNESCAPED = re.compile(rb'(?<!\\)"')
# How web pages and Outlook's replies write an address: "Ann [mailto:ann@example.org]".
_SQUARE = compile_pattern(
    rb"\[[ \t]{0,4}+((?:mailto:|smtp:)?+)[ \t]{0,4}+([^\[\]<>@\s]++@[^\[\]<>@\s]++)[ \t]{0,4}+\]",
    re.IGNORECASE,
)
_IN_SQUARE = compile_pattern(
    rb"\[(?:mailto:|smtp:)?+([^\[\]<>@\s]++@[^\[\]<>@\s]++)\]", re.IGNORECASE
)
# A colon and a semicolon in a name: nobody stands between them, and one address behind both.
_TITLE = re.compile(rb'[ \t]{0,4}+[^@;:<>",\s][^@;<>",]{0,200}+;[^@<>",]{0,200}+<[^<>@]{1,200}+@')
# An address that stands in a comment: "Ann (ann@example.org)".
_SPEC = compile_pattern(
    rb"[ \t]*+(?:mailto:)?+([^\s()<>@,;:\"]++@[A-Za-z0-9.-]++)[ \t]*+", re.IGNORECASE
)
# What is put around an address to show it.
_AROUND = dict(zip("'{`|\u00ab\u2039\u201c\u2018", "'}'|\u00bb\u203a\u201d\u2019", strict=True))

# What stands for nobody, or for people who shall not be told.
_NO_ONE = re.compile(rb"\brecipients?\b|undisclosed|unlisted|suppressed", re.IGNORECASE)
_IN_QUOTES = re.compile(r'"[^"]+"')
# An address that stands as it is in an encoded-word's end, in place of brackets behind it.
_ADDRESS_IN_WORD = re.compile(
    rb"(=\?[^?*\s]{0,64}+(?:\*[^?\s]{0,64}+)?\?[Qq]\?[^?<>]*+)"
    rb"(<[^<>@=?\s]++@[A-Za-z0-9.-]++>)\?=(?=[ \t]*+(?:,|\Z))"
)

# Tokens of one mailbox that are kept; each takes some 100 octets of memory.
MOST_TOKENS = 10_000

# Punycode takes the square of a label's length to decode; the DNS has no name beyond 255 octets.
_LONGEST_DOMAIN = 1_000
# Between the parts of an emoji, and of some letters.
_JOINERS = "\u200c\u200d-"

_Tokens = list[tuple[str, bytes]]
_AT = ("mark", b"@")
_BLANK = ("blank", b" ")
_COLON = ("atom", b":")
_OPEN_COLON = ("colon", b":")
_COMMA = (("atom", b","), _BLANK)
_NO_WORDS = frozenset({"blank", "quote"})
_WORD_AT = [("atom", b"at")]
_SCHEMES = [[("atom", scheme)] for scheme in (b"mailto", b"MAILTO", b"smtp", b"SMTP")]


def mailboxes(raw: bytes) -> tuple[list[Mailbox], bool]:
    """Read every mailbox of an address list; groups are opened up.

    Parameters
    ----------
    raw : bytes
        The value of From, To, Cc and their kin, folds included.

    Returns
    -------
    list of Mailbox, bool
        The mailboxes in order, and whether the value had to be mended: syntax that RFC 5322 does
        not have (obsolete forms it does have), no domain, bytes that are neither ASCII nor UTF-8.
    """
    value = unfold(raw)
    plain = plain_mailboxes(value)
    if plain is not None:
        return plain, False
    text, guessed = _in_utf8(value)
    if b">?=" in text:
        text = _ADDRESS_IN_WORD.sub(rb"\1?= \2", text)
    if b"[" in text:
        text = _SQUARE.sub(rb"[\1\2]", text)
    reader = _Reader(text)
    reader.read()
    return reader.found, reader.mended or guessed


def sender(raw: bytes) -> tuple[Mailbox, bool]:
    """Read the first mailbox of From; an unquoted name may have commas (``Lee, Ann <a@b>``).

    Returns
    -------
    Mailbox, bool
        The mailbox, whose parts are None where there is none, and whether the value had to be
        mended.
    """
    found, mended = mailboxes(raw)
    first = next((box for box in found if box.domain), None)
    if first is None:
        return (found[0], mended) if found else (Mailbox(None, None, None), True)
    before = [box.name or box.addr for box in found[: found.index(first)]]
    if not before:
        return first, mended
    return first._replace(name=", ".join(filter(None, [*before, first.name]))), True


def _in_utf8(value: bytes) -> tuple[bytes, bool]:
    """Rewrite octets of a charset whose characters may end in ``@``, ``[`` or a backslash."""
    if value.isascii() or b"=?" in value:
        return value, False
    text, guessed = decode_unlabelled(value, value)
    return text.encode(), guessed


def plain_mailboxes(value: bytes) -> list[Mailbox] | None:
    """Read an unfolded list that holds nothing odd; None where it may."""
    text = value.decode("latin-1")
    if "=?" in text or _PLAIN_LIST.fullmatch(text) is None or "xn--" in text.lower():
        return None
    found = []
    for quoted, words, local, domain, bare, host in _PLAIN_ITEM.findall(text):
        name = (quoted or words).strip(" ")
        shown = (domain or host).lower()
        found.append(Mailbox(name or None, (local or bare) + shown, shown))
    return found


@remembering
def domain_text(domain: str) -> tuple[str, bool]:
    """Return a domain in lower case, its punycode as Unicode, and whether that failed."""
    lower = domain.lower()
    if not lower.isascii():
        # Wide letters and dots of East Asia are the same in a domain (UTS 46).
        lower = unicodedata.normalize("NFKC", lower).lower().replace("\u3002", ".")
    if "xn--" not in lower:
        return lower, False
    if len(lower) > _LONGEST_DOMAIN:
        return lower, True
    # Label by label, and without the length rules of the DNS: this is for reading.
    labels = [_label_text(each) for each in lower.split(".")]
    return ".".join(text or each for text, each in zip(labels, lower.split("."), strict=True)), (
        None in labels
    )


def _label_text(label: str) -> str | None:
    """Return a label with its punycode decoded, None where there is none behind ``xn--``."""
    if not label.startswith("xn--"):
        return label
    try:
        return idna.ulabel(label)
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        pass
    # Symbols such as emoji were allowed in 2003, and are in use.
    try:
        text = label.removeprefix("xn--").encode("ascii").decode("punycode")
        again = text.encode("punycode").decode("ascii")
    except (UnicodeError, ValueError, IndexError):
        return None
    is_text = all(unicodedata.category(char)[0] in "LMNS" or char in _JOINERS for char in text)
    is_lasting = unicodedata.normalize("NFC", text.lower()) == text and not text.isascii()
    return text if is_text and is_lasting and "xn--" + again == label else None


class _Reader:
    """Gathers tokens into mailboxes; `found` and `mended` are the result."""

    def __init__(self, value: bytes) -> None:
        self.found: list[Mailbox] = []
        self.mended = False
        self._value = value
        self._tokens = _TOKENS
        self._comments = True
        self._in_group = False
        # A group ends in a semicolon: behind the last one a colon opens none.
        self._last_semicolon = value.rfind(b";")
        # What stands before a comma and may be a name that goes on behind it: "Lee, Ann <a@b>".
        self._begun: list[tuple[_Tokens, bytes]] = []
        self._kept = 0  # tokens in it
        self._lone: list[int] = []
        self._outside: _Tokens = []
        self._behind: _Tokens = []
        self._comment = b""
        self._angle: _Tokens | None = None
        self._closed = False
        self._quotes = len(_UNESCAPED.findall(value)) if b'"' in value else 0
        self._title_until = 0

    def read(self) -> None:
        position = 0
        while position < len(self._value):
            match = self._tokens.match(self._value, position)
            assert match is not None  # the last alternative takes any octet
            position = match.end()
            kind, token = match.lastgroup or "", match.group()
            if kind == "quote" and self._quotes_nothing(token, closed=bool(match["shut"])):
                self.mended = True
                position = match.start() + 1
            elif token == b"(" and self._comments:
                position = self._read_comment(position)
            elif token == b":" and kind == "mark" and self._opens_no_group(position):
                self._colon()
            elif token == b";" and kind == "mark" and position <= self._title_until:
                self._add("atom", token)
            elif kind == "mark" and token not in {b"@", b"(", b")"}:
                self._mark(token)
            else:
                self.mended |= token in {b"(", b")"} or (kind == "atom" and b"\\" in token)
                self._add(kind, token)
        self._end_mailbox()
        self._end_begun()
        self.mended |= self._in_group
        if any(box.domain for box in self.found):
            # Beside whole addresses a lone word before a comma is somebody's name.
            for place in self._lone:
                if place >= len(self.found) - 1:
                    break
                self.found[place] = Mailbox(self.found[place].addr, None, None)

    def _quotes_nothing(self, quote: bytes, *, closed: bool) -> bool:
        """Tell whether a quotation mark is none, for what it seems to quote is of two mailboxes."""
        if not closed:
            self._tokens = _TOKENS_UNQUOTED  # none is looked for again
            return True
        address = _SWALLOWED.search(quote) if b">" in quote else None
        if address is None or (self._quotes % 2 == 0 and quote[address.end() : -1].strip(b" \t")):
            return False
        self._quotes -= 1
        return True

    def _opens_no_group(self, position: int) -> bool:
        """Tell whether a colon is one of a name: behind the last semicolon, or of a title."""
        if position > self._last_semicolon:
            return True
        plain = self._angle is None and not self._in_group
        if plain and (title := _TITLE.match(self._value, position)):
            self._title_until = title.end()
        return position < self._title_until

    def _read_comment(self, start: int) -> int:
        depth = 1
        for part in _COMMENT.finditer(self._value, start):
            depth += (part.group() == b"(") - (part.group() == b")")
            if not depth:
                self._comment = self._value[start : part.start()]
                if not self._is_inside():  # there blanks of its own stand around it, or none
                    self._add(*_BLANK)
                return part.end()
        # Never closed: it is text, and so is every parenthesis after it.
        self._comments = False
        self.mended = True
        self._add("atom", b"(")
        return start

    def _is_inside(self) -> bool:
        return self._angle is not None and not self._closed

    def _add(self, kind: str, token: bytes) -> None:
        if len(self._outside) + len(self._behind) + len(self._angle or ()) >= MOST_TOKENS:
            self.mended = True  # nobody's name is as long; what follows is not kept
        elif self._angle is None:
            self._outside.append((kind, token))
        elif self._closed:
            self.mended |= kind != "blank"
            self._behind.append((kind, token))
        elif self._angle or kind != "blank":
            self._angle.append((kind, token))

    def _mark(self, mark: bytes) -> None:
        if mark == b"<":
            self._open()
        elif mark == b">":
            self.mended |= not self._is_inside()
            self._closed = self._angle is not None
        elif self._angle and self._angle[0] == _AT and not self._closed and mark != b";":
            # "@a,@b:" is an obsolete route to the address behind it.
            if mark == b":":
                self._angle.clear()
        elif mark == b":" and self._is_inside():
            self.mended = True
            if self._angle in _SCHEMES:
                self._angle.clear()
            else:
                self._add("atom", mark)
        elif mark == b":":
            self._open_group()
        else:
            self.mended |= mark == b";" and not self._in_group
            if mark == b"," and self._angle is None and self._is_begun():
                self._begun.append((self._outside, self._comment))
                self._kept += len(self._outside)
                self._outside, self._comment = [], b""
            else:
                self._end_mailbox()
            self._in_group &= mark != b";"
            if mark == b";":
                self._end_begun()

    def _colon(self) -> None:
        """Take a colon that opens no group: what it means is told by what follows."""
        if self._angle is not None or not self._outside:
            self._mark(b":")
        else:
            self.mended = True
            self._add(*_OPEN_COLON)

    def _is_begun(self) -> bool:
        """Tell whether what stands before a comma may be the first part of a name."""
        tokens = self._outside
        if self._kept + len(tokens) >= MOST_TOKENS or all(kind in _NO_WORDS for kind, _ in tokens):
            return False
        return all(_is_handle(piece, tokens) for piece in self._cut(tokens) if _AT in piece)

    def _end_begun(self) -> None:
        """Take what stands before commas for itself: no name went on."""
        begun, self._begun, self._kept = self._begun, [], 0
        for tokens, comment in begun:
            after, self._comment = self._comment, comment
            self._end_bare(tokens)
            self._comment = after

    def _open(self) -> None:
        self.mended |= self._angle is not None
        if self._closed:
            # Two mailboxes without a comma: what stands between them is the second one's name.
            behind, self._behind = self._behind, []
            self._end_mailbox()
            self._outside = behind
        if self._angle is None:
            self._angle = []

    def _open_group(self) -> None:
        if _AT in self._outside:
            self.mended = True
            self._end_mailbox()
            return
        is_name = any(kind != "blank" for kind, _ in self._outside)
        self.mended |= self._in_group or not is_name or self._angle is not None
        self._in_group = True
        self._outside.clear()
        self._comment = b""

    def _end_mailbox(self) -> None:
        outside, angle, behind = self._outside, self._angle, self._behind
        self.mended |= angle is not None and not self._closed
        if angle is None:
            self._end_begun()
            self._end_bare(outside)
        elif self._is_name(angle):
            self.mended = True
            self._end_begun()
            self._end_bare([*outside, _BLANK, *behind], angle)
        else:
            # A comma is missing where an address follows the bracket.
            next_one = behind if any(map(_is_spec, self._cut(behind))) else []
            addr, domain = self._addr_spec(angle)
            self.mended |= bool(self._begun)
            first = [token for begun, _ in self._begun for token in (*_stripped(begun), *_COMMA)]
            self._begun, self._kept = [], 0
            name = self._phrase(first + outside + ([] if next_one else behind))
            name = name or self._text(self._comment)
            if name or addr:
                self.found.append(Mailbox(name, addr, domain))
            if next_one:
                self._comment = b""
                self._end_bare(next_one)
        self._outside, self._behind, self._comment = [], [], b""
        self._angle, self._closed = None, False

    def _is_name(self, angle: _Tokens) -> bool:
        """Tell whether brackets hold words, as in ``<Saved by Blink>``, and not a group's name."""
        return _AT not in angle and angle[-1:] != [_COLON] and len(self._cut(angle)) > 1

    def _end_bare(self, tokens: _Tokens, inside: _Tokens | None = None) -> None:
        """Take what stands without angle brackets: an addr-spec, or several, or only a name.

        Words ``inside`` of brackets are the name where none stands outside.
        """
        if not (tokens or self._comment or inside):
            return  # nothing between two commas, of which there may be a hundred thousand
        tokens = self._without_squares(_behind_colon(tokens), inside)
        pieces = self._cut(tokens)
        specs = [piece for piece in pieces if _AT in piece]
        words = [piece for piece in pieces if _AT not in piece]
        self.mended |= len(pieces) > 1 or bool(words)
        if not specs and inside is None and (told := _SPEC.fullmatch(self._comment)):
            local, _, domain = told[1].partition(b"@")
            specs, self._comment, self.mended = (
                [[("atom", local), _AT, ("atom", domain)]],
                b"",
                True,
            )
        lone = not specs and len(words) == 1 and all(kind == "atom" for kind, _ in words[0])
        if lone and inside is None and not _NO_ONE.search(words[0][0][1]):
            self._lone.append(len(self.found))
            specs, words = words, []
        name = self._phrase([token for piece in words for token in (*piece, _BLANK)])
        name = name or self._phrase(inside or [])
        if not specs and name:
            self.found.append(Mailbox(name, None, None))
        name = name or self._text(self._comment)
        for spec in specs:
            addr, domain = self._addr_spec(spec)
            if name or addr:
                self.found.append(Mailbox(name, addr, domain))

    def _without_squares(self, tokens: _Tokens, inside: _Tokens | None = None) -> _Tokens:
        """Take the square brackets off addresses where no other address is."""
        if inside is not None or _AT in tokens:
            return tokens
        opened: _Tokens = []
        for kind, token in tokens:
            square = _IN_SQUARE.fullmatch(token) if kind == "literal" else None
            if square is None:
                opened.append((kind, token))
                continue
            self.mended = True
            local, _, domain = square[1].partition(b"@")
            opened += [_BLANK, ("atom", local), _AT, ("atom", domain), _BLANK]
        return opened

    def _cut(self, tokens: _Tokens) -> list[_Tokens]:
        pieces = _pieces(tokens, (b"@", b"."))
        if len(pieces) > 1:
            # A blank behind a dot ends a word there: "Ann Q. Lee".
            pieces = _pieces(tokens, (b"@",))
        if len(pieces) == 3 and pieces[1] == _WORD_AT:  # noqa: PLR2004 -- ann at example.org
            # So archives of mailing lists hide addresses; whose they are stands in a comment.
            pieces = [[*pieces[0], _AT, *pieces[2]]]
            self.mended = True
        return pieces

    def _addr_spec(self, tokens: _Tokens) -> tuple[str | None, str | None]:
        pieces = self._cut(self._without_squares(tokens))
        spec = next((piece for piece in pieces if _AT in piece), None)
        self.mended |= len(pieces) != 1 or spec is None
        if not pieces:
            return None, None
        spec = spec or pieces[-1]
        at = len(spec) - 1 - spec[::-1].index(_AT) if _AT in spec else len(spec)
        if spec[:at][-1:] == [_COLON]:
            return None, None  # a group that was put into brackets
        local = self._local(spec[:at])
        domain, failed = domain_text(self._raw_text(b"".join(token for _, token in spec[at + 1 :])))
        if len(local) > 1 and domain.endswith(_AROUND.get(local[0], "\n")):
            # How some programs show an address is no part of it.
            local, domain, failed = local[1:], domain[:-1], True
        if domain.endswith("."):
            domain = domain.rstrip(".")
            failed = True
        if domain and not (_DOT_ATOM.fullmatch(domain) or _LITERAL.fullmatch(domain)):
            failed = True
        self.mended |= failed
        if not local or not domain:
            self.mended = True
        if not local:
            return None, domain or None
        return (f"{local}@{domain}", domain) if domain else (local, None)

    def _local(self, tokens: _Tokens) -> str:
        raw = b"".join(_unquoted(token) if kind == "quote" else token for kind, token in tokens)
        local = self._raw_text(raw)
        if _DOT_ATOM.fullmatch(local):
            self.mended |= any(kind == "word" for kind, _ in tokens)
            return local
        if any(kind == "quote" for kind, _ in tokens):
            return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
        self.mended = True
        return local

    def _phrase(self, tokens: _Tokens) -> str | None:
        parts = []
        for kind, token in tokens:
            if kind == "quote":
                parts.append(_unquoted(token))
                self.mended |= b"=?" in token
            elif kind != "blank":
                parts.append(token)
                self.mended |= kind == "mark"
            elif parts and parts[-1] != b" ":
                parts.append(b" ")
        raw = b"".join(parts)
        return self._text(raw.removeprefix(b"(") if b")" not in raw else raw)

    def _text(self, raw: bytes) -> str | None:
        if b"\\" in raw and b"\x1b" not in raw:
            raw = _ESCAPED.sub(rb"\1", raw)
        text, mended = decode(raw, self._value)
        self.mended |= mended
        if b"=?" in raw and _IN_QUOTES.fullmatch(text):
            text = text[1:-1].strip(" ")  # they quote the name, and are no part of it
        return text or None

    def _raw_text(self, raw: bytes) -> str:
        """Decode a part of an addr-spec, where encoded-words have no place."""
        try:
            text, mended = clean(raw.decode())
        except UnicodeDecodeError:
            text, mended = decode(raw.replace(b"=?", b"="), self._value)
        self.mended |= mended
        return text


def _pieces(tokens: _Tokens, glue: tuple[bytes, ...]) -> list[_Tokens]:
    """Cut at blanks, but not around an ``@`` or a dot: there they are obsolete syntax."""
    pieces: list[_Tokens] = []
    apart = True
    for kind, token in tokens:
        if kind == "blank":
            apart = not (pieces and pieces[-1][-1][1].endswith(glue))
        elif apart and not (pieces and token.startswith(glue)):
            pieces.append([(kind, token)])
            apart = False
        else:
            pieces[-1].append((kind, token))
            apart = False
    return pieces


def _stripped(tokens: _Tokens) -> _Tokens:
    last = len(tokens)
    while last and tokens[last - 1][0] == "blank":
        last -= 1
    return tokens[:last]


def _is_spec(piece: _Tokens) -> bool:
    """Tell whether a piece has something on both sides of an ``@``."""
    return _AT in piece[1:-1]


def _is_handle(piece: _Tokens, tokens: _Tokens) -> bool:
    """Tell ``Team @Acme`` in a name from an address: there blanks stand beside the ``@``."""
    pairs = pairwise(tokens)
    apart = any(_AT in pair and "blank" in (pair[0][0], pair[1][0]) for pair in pairs)
    return apart or not _is_spec(piece)


def _behind_colon(tokens: _Tokens) -> _Tokens:
    """Return what stands behind a colon without brackets: what is before it is a title."""
    if _OPEN_COLON not in tokens:
        return tokens
    last = len(tokens) - 1 - tokens[::-1].index(_OPEN_COLON)
    before, behind = tokens[:last], tokens[last + 1 :]
    if all(kind == "blank" for kind, _ in behind):
        return [] if _AT not in before else before
    if _AT in before:
        return [_BLANK if token == _OPEN_COLON else token for token in tokens]
    return behind if _AT in behind else tokens


def _unquoted(token: bytes) -> bytes:
    is_plain = b"\\" not in token or b"\x1b" in token
    return token[1:-1] if is_plain else _ESCAPED.sub(rb"\1", token[1:-1])
