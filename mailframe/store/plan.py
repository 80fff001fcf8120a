"""What a refresh must ask of the server for one folder: decided without I/O.

What the store knows meets what LIST-STATUS (or EXAMINE) says, and the cheapest steps that make them
equal come out (RFC 9051 section 2.3.1.1 on UIDs, RFC 7162 on mod-sequences):

- nothing, where the counts and HIGHESTMODSEQ are as they were;
- new messages: everything from the old UIDNEXT on;
- flags: those changed since the stored mod-sequence; a pass over all of them where the server keeps
  no mod-sequences;
- expunged messages: told by VANISHED under QRESYNC, else found by comparing the UIDs that are
  there;
- further header fields: for the messages held, those fields alone; so with what is told beside
  headers, which is asked for again of those that lack it where a refresh was broken off;
- messages again whose header had nothing in it, as far as the server told;
- the UIDs, where nothing changed but what the folder is for (RFC 6154): one short answer;
- the folder again, where UIDVALIDITY changed, or another server has the account now.

The steps do not depend on each other's answers, so they can travel together behind one EXAMINE.
Only what `Uids` finds missing is fetched after it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from mailframe.ground.uidset import UidSet
from mailframe.store.filecolumns import beside_of, headers_of, united

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailframe.store.state import FolderState

FlagPolicy = Literal["exact", "counts", "skip"]


@dataclasses.dataclass(frozen=True, slots=True)
class ServerState:
    """A folder as the server describes it; None stands for what it does not tell.

    Parameters
    ----------
    name : str
        Which one it is.
    modseq : int, optional
        HIGHESTMODSEQ; None or 0 where the folder has no mod-sequences.
    qresync : bool
        QRESYNC was enabled: expunged UIDs can be asked for by mod-sequence.
    special_use : str, optional
        What the folder is for.
    """

    name: str
    uidvalidity: int
    uidnext: int | None
    messages: int | None
    unseen: int | None = None
    modseq: int | None = None
    qresync: bool = False
    special_use: str | None = None

    @property
    def epoch(self) -> tuple[str, int]:
        """That within which a UID means the same message."""
        return self.name, self.uidvalidity


@dataclasses.dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch whole rows, from UID `first` on."""

    first: int


@dataclasses.dataclass(frozen=True, slots=True)
class Flags:
    """Fetch flags of the UIDs below `below`: those changed after `since`, or all where it is 0.

    With `vanished` the answer also tells the UIDs expunged after `since`.
    """

    below: int
    since: int = 0
    vanished: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Uids:
    """Ask for the UIDs that are there: stored rows of others are gone, others are missing here."""


@dataclasses.dataclass(frozen=True, slots=True)
class Headers:
    """Fetch further header fields for the rows held."""

    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """Fetch whole rows of messages that are held."""

    uids: UidSet


@dataclasses.dataclass(frozen=True, slots=True)
class Beside:
    """Fetch what is told beside headers for the rows held; ``missing``: for those that lack it."""

    names: tuple[str, ...]
    missing: bool = False


Step = Fetch | Flags | Uids | Headers | Beside | Again


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one folder.

    Parameters
    ----------
    steps : tuple of steps
        What to ask for; none: the stored rows are what a full fetch would bring.
    keep : bool
        Whether the rows held still count; if not, they are dropped first.
    headers : tuple of str
        The further header fields held afterwards, to be fetched with every new row.
    flags_exact : bool
        Whether the flags are right afterwards, as of the server's HIGHESTMODSEQ.
    stands_still : bool
        HIGHESTMODSEQ does not count what happens: it is not to be relied on while it stays.
    """

    steps: tuple[Step, ...] = ()
    keep: bool = True
    headers: tuple[str, ...] = ()
    flags_exact: bool = True
    stands_still: bool = False


def plan(
    state: FolderState | None,
    server: ServerState,
    *,
    held: int,
    headers: Sequence[str] = (),
    flags: FlagPolicy = "exact",
) -> Plan:
    """Return the plan for one folder.

    Parameters
    ----------
    state : FolderState or None
        What is stored; None: nothing is.
    held : int
        How many rows are stored.
    headers : sequence of str
        Further header fields asked for, in canonical form.
    flags : {"exact", "counts", "skip"}
        For servers without mod-sequences: read every flag at each refresh; only where a count
        (MESSAGES, UIDNEXT, UNSEEN) changed; or never, which leaves the flags of old messages as
        they were first seen.
    """
    kept = state.headers if state else ()
    lacking = tuple(name for name in headers if name not in kept)
    held_then = united(kept, headers)
    if state is None or state.epoch != server.epoch or not state.uidvalidity:
        return Plan((Fetch(1),), keep=False, headers=held_then)
    same_messages = (
        state.complete
        and server.uidnext == state.uidnext
        and server.messages == state.messages == held
    )
    flag_step = _flag_step(state, server, flags, same_messages=same_messages) if held else None
    steps: list[Step] = [flag_step] if flag_step else []
    if not same_messages:
        message_step = _message_step(state, server, held, flag_step)
        steps += [message_step] if message_step else []
    if fields := headers_of(lacking):  # without a row nothing is asked, and the columns are there
        steps.append(Headers(fields))
    if beside := beside_of(lacking):
        steps.append(Beside(beside))
    if not state.complete and (held_beside := beside_of(kept)):
        steps.append(Beside(held_beside, missing=True))
    if state.blank:
        steps.append(Again(state.blank))
    if not steps and state.special_use != server.special_use:
        steps.append(Uids())
    still = _stands_still(state, server, same_messages=same_messages)
    exact = flag_step is not None or not held or _same_modseq(state, server)
    return Plan(tuple(steps), headers=held_then, flags_exact=exact, stands_still=still)


def _stands_still(state: FolderState, server: ServerState, *, same_messages: bool) -> bool:
    """Tell whether HIGHESTMODSEQ is as it was although something came or was flagged.

    Every new message and every change of flags has a larger one (RFC 7162 section 3.1.2.2).
    Source: Amazon WorkMail. An expunge alone raises it under QRESYNC only.
    """
    if not server.modseq or server.modseq != abs(state.modseq):
        return False
    if state.modseq < 0:  # known from an earlier refresh
        return True
    came = (server.uidnext or 0) > state.uidnext
    counts = (state.messages, server.messages)
    more = None not in counts and (server.messages or 0) > (state.messages or 0)
    flagged = same_messages and None not in (server.unseen, state.unseen)
    return state.complete and (came or more or (flagged and server.unseen != state.unseen))


def _same_modseq(state: FolderState, server: ServerState) -> bool:
    return bool(server.modseq) and server.modseq == state.modseq


def _flag_step(
    state: FolderState, server: ServerState, policy: FlagPolicy, *, same_messages: bool
) -> Flags | None:
    still = _stands_still(state, server, same_messages=same_messages)
    if server.modseq and 0 < state.modseq <= server.modseq and not still:
        if server.modseq == state.modseq:
            return None
        return Flags(state.uidnext, state.modseq, vanished=server.qresync)
    # No mod-sequences, or (its index was rebuilt) others than those we know.
    if policy == "skip":
        return None
    if policy == "counts" and same_messages and server.unseen == state.unseen:
        return None
    return Flags(state.uidnext)


def _message_step(
    state: FolderState, server: ServerState, held: int, flag_step: Flags | None
) -> Fetch | Uids | None:
    """Return how to learn which messages came and went, beside what `flag_step` tells."""
    if not state.complete or not server.uidnext or server.uidnext < state.uidnext:
        return Uids()  # the old UIDNEXT does not tell what is missing
    fresh = server.uidnext - state.uidnext
    # As many more as there are new UIDs: so none of the old ones can have gone.
    none_gone = server.messages is not None and server.messages - held == fresh
    if none_gone or (flag_step and flag_step.vanished):
        return Fetch(state.uidnext) if fresh else None
    return Uids()


def outcome(
    plan: Plan,
    server: ServerState,
    *,
    before: FolderState,
    last: int,
    complete: bool,
    refreshed: str,
) -> FolderState:
    """Return the state of a folder after a plan was carried out.

    It is the server's as it was when the plan was made: what has happened since then was perhaps
    seen already, and will be asked for again.

    Parameters
    ----------
    before : FolderState
        What was stored, or a new state that has nothing but its names.
    last : int
        The highest UID among the rows; 0 without rows.
    complete : bool
        Whether every message that was asked for came.
    """
    return dataclasses.replace(
        before,
        server=server.name,
        uidvalidity=server.uidvalidity,
        uidnext=max(server.uidnext or 1, last + 1),
        modseq=_modseq(plan, server),
        messages=server.messages,
        unseen=server.unseen if plan.flags_exact else None,
        special_use=server.special_use,
        headers=plan.headers,
        complete=complete,
        refreshed=refreshed,
        gone=before.gone if plan.keep else (),
        blank=before.blank if plan.keep else UidSet(),
    )


def _modseq(plan: Plan, server: ServerState) -> int:
    """Return the mod-sequence to ask from the next time; below 0 one that is not relied on."""
    if plan.stands_still:
        return -(server.modseq or 0)
    return (server.modseq or 0) if plan.flags_exact else 0
