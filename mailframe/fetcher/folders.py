"""The folders of an account and their numbers, in as few round trips as the server allows.

One LIST with STATUS (RFC 5819) where the server has it and keeps its word; else LIST, and a STATUS
for each folder, all sent together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailframe.fetcher.plan import Folder
from mailframe.imap import commands
from mailframe.imap.grammar import decode_mailbox
from mailframe.imap.responses import Listed, MailboxStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.fetcher.session import Session
    from mailframe.imap.responses import Response

# What a fetch must know of a folder to plan it.
PLANNING = ("MESSAGES", "UIDNEXT", "UIDVALIDITY")


async def read_folders(session: Session, items: Sequence[str] = PLANNING) -> list[Folder]:
    """List every folder, with its numbers where it can be selected.

    Parameters
    ----------
    items : sequence of str
        STATUS items. SIZE and HIGHESTMODSEQ are left out where the server lacks them.

    Returns
    -------
    list of Folder
        In the server's order.
    """
    known = [item for item in items if _has_item(session, item)]
    special_use = session.connection.has("SPECIAL-USE")
    responses: list[Response] = []
    garbled = False
    if session.connection.has("LIST-STATUS"):
        listing = await session.answer(
            session.submit(commands.list_mailboxes(special_use=special_use, status=known))
        )
        # quirk: RETURN refused with BAD although LIST-STATUS is advertised.
        responses = listing.responses if listing.ok else []
        garbled = bool(listing.junk)
    if garbled or not any(isinstance(response, Listed) for response in responses):
        # What made no sense may have been a folder: what either LIST tells of, there is.
        responses = [*responses, *(await session.ask(commands.list_mailboxes())).responses]
    return await _with_numbers(session, _join(responses), known)


def _has_item(session: Session, item: str) -> bool:
    has = session.connection.has
    if item == "SIZE":
        return has("STATUS=SIZE") or has("IMAP4REV2")
    if item == "HIGHESTMODSEQ":
        return has("CONDSTORE") or has("QRESYNC")
    return True


def _join(responses: Iterable[Response]) -> list[Folder]:
    """Bring LIST and STATUS together; a folder listed twice counts once."""
    folders: dict[bytes, Folder] = {}
    for response in responses:
        if isinstance(response, Listed):
            delimiter = response.delimiter
            folders[response.name] = Folder(
                name=decode_mailbox(response.name),
                wire=response.name,
                delimiter=delimiter.decode("utf-8", "replace") if delimiter else None,
                attributes=response.attributes,
            )
    for response in responses:
        if isinstance(response, MailboxStatus) and response.name in folders:
            folders[response.name] = _numbered(folders[response.name], response)
    return list(folders.values())


async def _with_numbers(
    session: Session, folders: list[Folder], items: Sequence[str]
) -> list[Folder]:
    """Ask STATUS of the folders whose numbers have not come; a refusal leaves them unknown."""
    asked = {
        folder.wire: session.submit(commands.status(folder.wire, items))
        for folder in folders
        if folder.selectable and folder.messages is None
    }
    numbered = []
    for folder in folders:
        pending = asked.get(folder.wire)
        answer = None
        if pending is not None:
            told = (await session.answer(pending)).responses
            answer = next((one for one in told if isinstance(one, MailboxStatus)), None)
        numbered.append(folder if answer is None else _numbered(folder, answer))
    return numbered


def _numbered(folder: Folder, status: MailboxStatus) -> Folder:
    items = status.items
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
