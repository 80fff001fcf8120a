"""From an account to an explorer without code: the form of the widgets, given the readers."""

from __future__ import annotations

from mailframe.read import alist_folders, aread_imap
from mailframe.widgets.form import Connect


def connect(host: str = "", user: str = "") -> Connect:
    """Show a form that asks for an account, fetches its headers and ends in an explorer.

    Parameters
    ----------
    host : str
        Server to begin with: ``imap.example.org`` (TLS), or a URL such as
        ``imap://127.0.0.1:1143``. Without one, ``user`` is an address, and its server is found as
        `mailframe.discover` does.
    user : str
        User to begin with.

    Returns
    -------
    Connect
        A widget; ``connect().explorer`` is the explorer once mail has been fetched.
    """
    return Connect(aread_imap, alist_folders, host, user)
