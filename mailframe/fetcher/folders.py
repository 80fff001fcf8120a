"""The folders of an account and their numbers, in as few round trips as the server allows.

One LIST with STATUS (RFC 5819) where the server has it and keeps its word; else LIST, and a STATUS
for each folder, all sent together. A folder that nobody hears of would be lost without a word, so
an answer that gives reason for doubt is asked for again, in company of those STATUSes. What stays
in doubt is told. INBOX is there whether LIST names it or not (RFC 9051 section 5.1).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING

from mailframe.errors import FolderError
from mailframe.fetcher.schedule import Folder
from mailframe.ground.names import SPECIAL_USES, decode_mailbox, decode_name
from mailframe.imap import commands
from mailframe.imap.responses import Listed, MailboxStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mailframe.fetcher.session import Session
    from mailframe.imap.connection import Pending
    from mailframe.imap.responses import Told

# What a fetch must know of a folder to plan it.
PLANNING = ("MESSAGES", "UIDNEXT", "UIDVALIDITY")

# Every account has it, whether LIST names it or not.
INBOX = Folder(name="INBOX", wire=b"INBOX")

_USES = frozenset(use.lower() for use in SPECIAL_USES)

# So often is LIST asked for until its answer makes sense from end to end.
LIST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """The folders of an account.

    Parameters
    ----------
    folders : list of Folder
        In the server's order, each under a name of its own.
    sound : bool
        Whether the server's answer made sense from end to end: what it does not name has gone.
    lost : list of FolderError
        Folders that may be there, and cannot be read from the server's words.
    """

    folders: list[Folder]
    sound: bool = True
    lost: tuple[FolderError, ...] = ()


async def read_folders(
    session: Session,
    items: Sequence[str] = PLANNING,
    behind: Callable[[], object] | None = None,
) -> Listing:
    """List every folder, with its numbers where it can be selected.

    Parameters
    ----------
    items : sequence of str
        STATUS items. SIZE and HIGHESTMODSEQ are left out where the server lacks them.
    behind : callable, optional
        Called when LIST was sent that tells all numbers: it may send more in the same step. (Where
        each folder must be asked for its numbers, none may be open.)

    Returns
    -------
    Listing
    """
    known = [item for item in items if _has_item(session, item)]
    told, doubtful, strange = await _first_listing(session, known, behind)
    asked: set[bytes] = set()
    for _ in range(LIST_TRIES):
        again = [session.submit(commands.list_mailboxes())] if doubtful else []
        unknown = [f for f in _unnumbered(_join(told)) if f.wire not in asked]
        asked.update(folder.wire for folder in unknown)
        statuses = [session.submit(commands.status(folder.wire, known)) for folder in unknown]
        # What either LIST tells of, there is.
        for pending in again:
            told += (await session.answer(pending)).take_responses()
            doubtful, strange = bool(pending.junk), pending.strange
        for folder, pending in zip(unknown, statuses, strict=True):
            # A refusal leaves the numbers unknown.
            for status in (await session.answer(pending)).take_responses():
                if isinstance(status, MailboxStatus):
                    told.append(replace(status, name=folder.wire))
        if not again:
            break
    folders = _join(told)
    empty, inbox = not folders, _has_inbox(folders)
    if not inbox:
        unlisted = await _unlisted_inbox(session, known, needed=empty)
        folders += unlisted
        doubtful |= bool(unlisted)
    lost = [_lost(session, line) for line in strange if _NAMES.search(line)]
    return Listing(list(_told_apart(folders)), not (doubtful or empty), tuple(lost))


async def _unlisted_inbox(session: Session, items: Sequence[str], *, needed: bool) -> list[Folder]:
    """Give the INBOX that LIST does not name, if there is one.

    An account that seems to be empty has it in any case: opening it will tell.
    """
    status = await session.answer(session.submit(commands.status(b"INBOX", items)))
    numbers = [one for one in status.take_responses() if isinstance(one, MailboxStatus)]
    if not (status.ok or needed):
        return []
    return [_numbered(INBOX, numbers[-1]) if numbers else INBOX]


# A line that made no sense, and may have named a folder.
_NAMES = re.compile(rb"\bLIST\b[ ()]*[^ ()]", re.IGNORECASE)


def _lost(session: Session, line: bytes) -> FolderError:
    name = session.account.name
    shown = decode_name(line)
    return FolderError(f"{name}: a folder may be missing; the server said {shown}", account=name)


def _told_apart(folders: Sequence[Folder]) -> Iterator[Folder]:
    """Give each folder a name of its own: ``caf&AOk-`` and a raw ``café`` would be shown alike.

    They are named as they travel instead, but for the INBOX, and numbered where not even those
    names can be told apart. `mailframe.sources.maildir` does the same.
    """
    names = Counter(folder.name for folder in folders)
    taken = {f.name for f in folders if names[f.name] == 1 or _is_inbox(f)}
    renamed: dict[bytes, str] = {}
    for folder in sorted(folders, key=lambda folder: folder.wire):
        if names[folder.name] > 1 and not _is_inbox(folder):
            wire = decode_name(folder.wire)
            numbered = (f"{wire} ({number})" for number in count(2))
            renamed[folder.wire] = next(n for n in chain([wire], numbered) if n not in taken)
            taken.add(renamed[folder.wire])
    for folder in folders:
        own = renamed.get(folder.wire)
        yield replace(folder, name=own) if own is not None else folder


def _is_inbox(folder: Folder) -> bool:
    return folder.wire.upper() == b"INBOX"


def _has_inbox(folders: Sequence[Folder]) -> bool:
    return any(_is_inbox(folder) for folder in folders)


async def _first_listing(
    session: Session, items: Sequence[str], behind: Callable[[], object] | None
) -> tuple[list[Told], bool, list[bytes]]:
    """Ask for all folders at once; tell whether there is reason to doubt the answer."""
    if session.connection.has("LIST-STATUS"):
        special_use = session.connection.has("SPECIAL-USE")
        asked = session.submit(commands.list_mailboxes(special_use=special_use, status=items))
        if behind is not None:
            behind()
        listing = await session.answer(asked)
        # quirk: RETURN refused with BAD although LIST-STATUS is advertised.
        told = listing.take_responses()
        listed = {one.name for one in told if isinstance(one, Listed)}
        if listing.ok and listed:
            folders = _join(told)
            strange = _unnumbered(folders) or any(f.wire not in listed for f in folders)
            return told, _is_doubtful(listing, told) or bool(strange), listing.strange
    listing = await session.ask(commands.list_mailboxes())
    told = listing.take_responses()
    return told, _is_doubtful(listing, told), listing.strange


def _is_doubtful(listing: Pending, told: list[Told]) -> bool:
    """Tell whether an answer to LIST may lack a folder: every account has an INBOX."""
    inbox = any(_shown(one.name) == "INBOX" for one in told if isinstance(one, Listed))
    return bool(listing.junk) or not inbox


def _has_item(session: Session, item: str) -> bool:
    has = session.connection.has
    if item == "SIZE":
        return has("STATUS=SIZE") or has("IMAP4REV2")
    if item == "HIGHESTMODSEQ":
        return has("CONDSTORE") or has("QRESYNC")
    return True


def _join(responses: Iterable[Told]) -> list[Folder]:
    """Bring LIST and STATUS together; a folder listed twice counts once.

    A folder that has a STATUS and was not listed is one all the same.
    """
    folders: dict[bytes, Folder] = {}
    for response in responses:
        if isinstance(response, Listed):
            wire, delimiter = _one_inbox(response.name), response.delimiter
            # Only the LIST that asked for them may tell of special uses.
            uses = folders[wire].attributes & _USES if wire in folders else frozenset()
            folders[wire] = Folder(
                name=decode_mailbox(wire),
                wire=wire,
                delimiter=delimiter.decode("utf-8", "replace") if delimiter else None,
                attributes=response.attributes | uses,
            )
    by_name = {_shown(wire): wire for wire in folders}
    for response in responses:
        if isinstance(response, MailboxStatus):
            wire = response.name
            if wire not in folders:
                wire = by_name.get(_shown(wire), wire)  # perhaps it is only spelled differently
            folder = folders.get(wire) or Folder(name=decode_mailbox(wire), wire=wire)
            folders[wire] = _numbered(folder, response)
    return list(folders.values())


def _one_inbox(wire: bytes) -> bytes:
    """Give the INBOX one spelling: its case does not count, and it may be listed in two."""
    return b"INBOX" if wire.upper() == b"INBOX" else wire


def _shown(wire: bytes) -> str:
    """Decode a name as far as servers may spell it in two ways."""
    name = decode_mailbox(wire)
    return "INBOX" if name.upper() == "INBOX" else name


def _unnumbered(folders: Sequence[Folder]) -> list[Folder]:
    r"""Give the folders that ought to have a STATUS and have none.

    A ``\Noselect`` without any folder below it is one of them. Source: Dovecot, which says so for
    some tenths of a second of a folder that was deleted and made anew.
    """
    above = {f.wire.rpartition(f.delimiter.encode())[0] for f in folders if f.delimiter}
    return [
        folder
        for folder in folders
        if folder.messages is None and (folder.selectable or _is_hollow(folder, above))
    ]


def _is_hollow(folder: Folder, above: set[bytes]) -> bool:
    no_use = {"\\nonexistent", "\\haschildren"} & folder.attributes
    return not no_use and folder.wire not in above


def _numbered(folder: Folder, status: MailboxStatus) -> Folder:
    items = status.items
    # What has a STATUS can be selected, whatever LIST said.
    folder = replace(folder, attributes=folder.attributes - {"\\noselect"})
    if not items.get("MESSAGES") and items.get("UIDVALIDITY") == 0:
        # quirk: Dovecot tells nothing but zeros while another session first indexes the folder.
        return folder
    return replace(
        folder,
        messages=items.get("MESSAGES"),
        unseen=items.get("UNSEEN"),
        size=items.get("SIZE"),
        # Some servers send 0 for what they do not know.
        uidvalidity=items.get("UIDVALIDITY") or None,
        uidnext=items.get("UIDNEXT") or None,
        highestmodseq=items.get("HIGHESTMODSEQ"),
    )
