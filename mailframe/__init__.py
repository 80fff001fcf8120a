"""Your mail as a pandas DataFrame: pipelined IMAP, exact headers, one call.

Public names are loaded when they are first used (PEP 562): reading mail needs no widgets, and
looking at a saved file needs no network code. The accessor ``df.mail`` comes with pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mailframe.errors import (
    AuthenticationError,
    CommandError,
    ConfigurationError,
    ConnectError,
    ConnectionLost,
    FolderError,
    MailframeError,
    MailframeWarning,
    ProtocolError,
    ReadTimeout,
    StoreError,
    ThrottledError,
    TransportError,
)
from mailframe.registration import register

if TYPE_CHECKING:  # for editors and type checkers; the same table as _HOMES
    from mailframe import demo as demo
    from mailframe.accounts.account import Account
    from mailframe.application import connect
    from mailframe.auth.login import logout
    from mailframe.fleets import fleet, fleet_status
    from mailframe.frame.excel import to_excel
    from mailframe.frame.export import open_writer, to_csv, to_jsonl, to_parquet
    from mailframe.frame.extras import DELIVERY
    from mailframe.frame.fromcsv import read_csv
    from mailframe.frame.schema import SCHEMA
    from mailframe.readers.entry import discover, login
    from mailframe.readers.server import (
        aiter_batches,
        alist_folders,
        aread_imap,
        list_folders,
        read_imap,
    )
    from mailframe.sources.apple import read_apple_mail
    from mailframe.sources.eml import read_eml
    from mailframe.sources.maildir import read_maildir
    from mailframe.sources.mbox import read_mbox
    from mailframe.sources.outlook import read_pst
    from mailframe.sources.thunderbird import read_thunderbird
    from mailframe.stats import MailAccessor
    from mailframe.stats.identities import identities
    from mailframe.store.reader import Store, open_store
    from mailframe.widgets.contactmap import contact_map
    from mailframe.widgets.dashboard import dashboard
    from mailframe.widgets.explorer import Explorer, explore
    from mailframe.widgets.report import report

__version__ = "0.1.0"

_HOMES = {
    "mailframe.accounts.account": ["Account"],
    "mailframe.application": ["connect"],
    "mailframe.auth.login": ["logout"],
    "mailframe.readers.entry": ["discover", "login"],
    "mailframe.fleets": ["fleet", "fleet_status"],
    "mailframe.frame.excel": ["to_excel"],
    "mailframe.frame.export": ["open_writer", "to_csv", "to_jsonl", "to_parquet"],
    "mailframe.frame.extras": ["DELIVERY"],
    "mailframe.frame.fromcsv": ["read_csv"],
    "mailframe.frame.schema": ["SCHEMA"],
    "mailframe.readers.server": [
        "aiter_batches",
        "alist_folders",
        "aread_imap",
        "list_folders",
        "read_imap",
    ],
    "mailframe.sources.apple": ["read_apple_mail"],
    "mailframe.sources.eml": ["read_eml"],
    "mailframe.sources.maildir": ["read_maildir"],
    "mailframe.sources.mbox": ["read_mbox"],
    "mailframe.sources.outlook": ["read_pst"],
    "mailframe.sources.thunderbird": ["read_thunderbird"],
    "mailframe.stats": ["MailAccessor"],
    "mailframe.stats.identities": ["identities"],
    "mailframe.store.reader": ["Store", "open_store"],
    "mailframe.widgets.contactmap": ["contact_map"],
    "mailframe.widgets.dashboard": ["dashboard"],
    "mailframe.widgets.explorer": ["Explorer", "explore"],
    "mailframe.widgets.report": ["report"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DELIVERY",
    "SCHEMA",
    "Account",
    "AuthenticationError",
    "CommandError",
    "ConfigurationError",
    "ConnectError",
    "ConnectionLost",
    "Explorer",
    "FolderError",
    "MailAccessor",
    "MailframeError",
    "MailframeWarning",
    "ProtocolError",
    "ReadTimeout",
    "Store",
    "StoreError",
    "ThrottledError",
    "TransportError",
    "aiter_batches",
    "alist_folders",
    "aread_imap",
    "connect",
    "contact_map",
    "dashboard",
    "demo",
    "discover",
    "explore",
    "fleet",
    "fleet_status",
    "identities",
    "list_folders",
    "login",
    "logout",
    "open_store",
    "open_writer",
    "read_apple_mail",
    "read_csv",
    "read_eml",
    "read_imap",
    "read_maildir",
    "read_mbox",
    "read_pst",
    "read_thunderbird",
    "report",
    "to_csv",
    "to_excel",
    "to_jsonl",
    "to_parquet",
]

register()


def __getattr__(name: str) -> object:
    if name == "demo":
        return importlib.import_module("mailframe.demo")
    if name not in _HOME:
        raise AttributeError(f"module 'mailframe' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value  # asked once
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])  # what is ours; modules imported here are not
