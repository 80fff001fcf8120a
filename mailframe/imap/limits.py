"""How much one server may make us hold.

Every number is checked when the server announces it, not when the bytes have come.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on what a server may send; beyond them the connection is given up.

    Parameters
    ----------
    line : int
        Octets of one line without its literals. The longest seen in the wild had 206,740.
    literal : int
        Octets of one literal. Header blocks of ten megabytes exist in spam.
    response : int
        Octets of one response with all its literals.
    literals : int
        Literals in one response. A header fetch needs one; a hostile LIST could send millions.
    unsolicited : int
        Responses that nobody asked for between two results, ``* OK Still here`` among them.
    junk : int
        Lines that are no responses at all, over the life of a connection.
    folders : int
        Mailboxes in one LIST.
    """

    line: int = 1 << 20
    literal: int = 32 << 20
    response: int = 33 << 20
    literals: int = 1_000
    unsolicited: int = 100_000
    junk: int = 10_000
    folders: int = 100_000


DEFAULT_LIMITS = Limits()
