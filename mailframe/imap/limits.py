"""How much one server may cost us: memory, patience, tries.

What can be announced is checked when the server announces it, not when the bytes have come. One
`Limits` object goes through a whole fetch; the readers take another one as ``limits=``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on what a server may send, and on how long and how often we wait for it.

    Beyond a cap on octets or lines the connection is given up, and what it still owed is asked for
    again. Sizes are in octets, times in seconds.

    Parameters
    ----------
    line : int
        One line without its literals. The longest seen in the wild had 206,740, but a SEARCH that
        finds a million messages is one of eight million. What is longer than 1 MiB may hold UIDs
        and little else.
    literal : int
        One literal. Header blocks of ten megabytes exist in spam.
    response : int
        One response with all its literals.
    literals : int
        Literals in one response. A header fetch needs one; a hostile LIST could send millions.
    kept : int
        Memory, roughly, for all that the commands of one connection keep and is no row: what a
        SEARCH finds, what LIST and STATUS tell, halves of rows. A folder and its numbers weigh
        some 1,200 octets and their names, a range of messages found or vanished 130: there is
        room for 100,000 folders with names of 700 octets, or for two million ranges, however many
        messages are in them.
    unsolicited : int
        Responses between two results or rows that are neither and are not kept, ``* OK Still
        here`` among them; a long one counts once more for each 1,024 octets.
    junk : int
        Lines that are no responses at all, over the life of a connection; continuations (``+``)
        that nobody waits for are among them.
    folders : int
        Mailboxes in one LIST.
    backlog : int
        Header octets read ahead of the caller; reading pauses above it.
    connect : float
        For the TCP connection, the TLS handshake and the greeting together.
    silence : float
        Without a single octet while an answer is due; each chunk that arrives starts it anew.
    pace : float
        Octets a second. A response in progress that comes more slowly runs up a debt, and other
        octets pay it off; with half of ``silence`` owed, the server is too slow. An answer that is
        due for longer than ``patience`` must have come at that pace from its beginning.
    patience : float
        For an answer that comes in bits, or is put off by ``* OK Still here``; twice ``silence``
        before the login.
    goodbye : float
        For a polite end.
    first_wait, longest_wait : float
        Before connecting again: doubled each time without progress, jittered, capped.
    tries : int
        Connections in a row without any progress before a session's place is given up.
    first_tries : int
        The same while no session has ever been opened: somebody waits for an answer.
    pause : float
        The longest pause that a throttling server can talk us into.
    throttled : int
        Pauses in a row, each longer than the last, before a throttled account is given up.
    barren : int
        Commands or connections of one folder that fail in a row without bringing a single row,
        before the folder is given up; a silence counts as six. Finding one bad message in the
        longest span takes 18.
    """

    line: int = 10 << 20
    literal: int = 16 << 20
    response: int = 17 << 20
    literals: int = 1_000
    kept: int = 256 << 20
    unsolicited: int = 20_000
    junk: int = 1_000
    folders: int = 100_000
    backlog: int = 12 << 20
    connect: float = 30.0
    silence: float = 60.0
    pace: float = 20.0
    patience: float = 1800.0
    goodbye: float = 1.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    tries: int = 6
    first_tries: int = 3
    pause: float = 60.0
    throttled: int = 20
    barren: int = 30

    def __repr__(self) -> str:
        """Show what differs from the defaults: a signature that has them stays readable."""
        told = [f for f in fields(self) if getattr(self, f.name) != f.default]
        return f"Limits({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in told)})"


DEFAULT_LIMITS = Limits()
