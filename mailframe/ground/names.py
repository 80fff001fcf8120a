"""Names of mailboxes and files as people read them: whatever their octets, text that can be shown.

Modified UTF-7 (RFC 3501 section 5.1.3) is how mailboxes are called on the wire and in a Maildir.
And which of them a person means by a name or a glob.
"""

from __future__ import annotations

import base64
import difflib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# What a mailbox is for (RFC 6154, RFC 8457). Views show messages that other mailboxes hold; of a
# message in several of them the first counts: all that is flagged stands in ``\\All`` as well.
VIEWS = ("\\All", "\\Flagged", "\\Important")
SPECIAL_USES = (*VIEWS, "\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash")

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_GLOB = re.compile(r"[*?\[]")
# What must not stand in a cell or on a screen: control characters, halves of pairs, and what turns
# the writing of all that follows round (embeddings, overrides and isolates of UAX #9).
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def decode_name(octets: bytes) -> str:
    """Make a name readable: UTF-8, else windows-1252; never fails."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    return showable(text)


def decode_mailbox(octets: bytes) -> str:
    """Make a mailbox name readable; never fails.

    What is not modified UTF-7 is a name like others, and a shift sequence that makes no sense
    stays as it stands.
    """
    return showable(_SHIFTED.sub(_unshift, decode_name(octets)))


def showable(text: str) -> str:
    """Replace what must not stand in a cell, in a message or on a screen."""
    return _UNSHOWABLE.sub("\ufffd", text)


def patterns_of(kind: str, given: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Check what a caller gave as ``folders=`` or the like; None means every one.

    Raises
    ------
    ConfigurationError
        Not text, or nothing at all.
    """
    if given is None:
        return None
    try:
        patterns = (given,) if isinstance(given, str) else tuple(given)
    except TypeError:
        patterns = ()
    if not patterns or not all(isinstance(p, str) and p for p in patterns):
        raise ConfigurationError(
            f'{kind}s= takes a name, a glob or a list of them, such as ["INBOX", "Lists/*"]; '
            f"leave it out for every {kind}"
        )
    return patterns


def is_glob(pattern: str) -> bool:
    """Whether a pattern may mean names that are not the pattern itself."""
    return _GLOB.search(pattern) is not None


def answering(pattern: str, names: Collection[str]) -> set[str]:
    """Return which names a pattern means: the one that is called so, or else those of the glob.

    ``*`` also matches the separator. INBOX counts in any case (RFC 9051 section 5.1).
    """
    exact = {name for name in names if _fold(name) == _fold(pattern)}
    return exact or {name for name in names if fnmatchcase(name, pattern)}


def views_among(uses: Mapping[str, str | None], patterns: Iterable[str] | None) -> list[str]:
    """Return which folders, of those with their special uses, are to be read as views, in order.

    Who names a view outright wants all of it.
    """
    named = {
        name
        for pattern in patterns or ()
        if not is_glob(pattern) or pattern in uses
        for name in answering(pattern, uses)
    }
    views = [name for name, use in uses.items() if use in VIEWS and name not in named]
    return sorted(views, key=lambda name: VIEWS.index(uses[name] or ""))


def unanswered(kind: str, pattern: str, names: Collection[str], otherwise: str) -> str:
    """Say that nothing answers to a pattern, and what is called nearly so; else give a hint."""
    what = f"No {kind} matches" if is_glob(pattern) else f"There is no {kind} called"
    near = difflib.get_close_matches(pattern, [*names], 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else otherwise
    return f"{what} {pattern}; {hint}"


def _fold(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name


def _unshift(match: re.Match[str]) -> str:
    inside = match[1]
    if not inside:
        return "&"
    padded = inside.replace(",", "/") + "=" * (-len(inside) % 4)
    try:
        return base64.b64decode(padded, validate=True).decode("utf-16-be")
    except ValueError:
        return match[0]
