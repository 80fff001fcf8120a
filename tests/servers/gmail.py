r"""Gmail as its IMAP shows it: one message in All Mail, and again in a folder for each label.

By Google's page on its IMAP extensions: X-GM-MSGID is the same wherever a message stands, UIDs are
each folder's own, and X-GM-LABELS leaves out the label of the folder that is open. System labels
begin with a backslash; names travel in modified UTF-7, as atoms, strings or literals.
"""

from __future__ import annotations

from dataclasses import replace

from tests.servers.mailbox import Folder, letter, literal
from tests.servers.scripted import CAPABILITIES

GMAIL = f"{CAPABILITIES} X-GM-EXT-1"
ALL_MAIL = "[Gmail]/All Mail"
FIRST_ID = 1278455344230334865

# What each message bears, and how the label is written.
WRITTEN = {
    r"\Inbox": rb'"\\Inbox"',
    r"\Important": rb'"\\Important"',
    r"\Starred": rb'"\\Starred"',
    "Work": b"Work",
    "+News": b"+News",
    "über (1)": literal(b"&APw-ber (1)"),
    "a b": b'"a b"',
}
FOLDERS = {"INBOX": r"\Inbox", "[Gmail]/Starred": r"\Starred", "Work": "Work", "a b": "a b"}
ATTRIBUTES = {"[Gmail]/Starred": r"\HasNoChildren \Flagged", ALL_MAIL: r"\HasNoChildren \All"}
LABELS = [
    [r"\Inbox", r"\Important"],
    [r"\Inbox", "Work", "a b"],
    ["Work", "+News", "über (1)"],
    [],  # archived, and without a label
    [r"\Inbox", r"\Starred"],
]


def gmail() -> list[Folder]:
    """Five messages in All Mail, shown nine times in all."""
    folders = [Folder(ALL_MAIL, attributes=ATTRIBUTES[ALL_MAIL])]
    folders += [
        Folder(name, attributes=ATTRIBUTES.get(name, r"\HasNoChildren")) for name in FOLDERS
    ]
    for number, labels in enumerate(LABELS):
        for folder in folders:
            own = FOLDERS.get(folder.name)
            if own is None or own in labels:
                told = b" ".join(WRITTEN[label] for label in labels if label != own)
                more = {
                    "X-GM-MSGID": b"%d" % (FIRST_ID + number),
                    "X-GM-THRID": b"%d" % (FIRST_ID + number // 2 * 2),
                    "X-GM-LABELS": b"(" + told + b")",
                }
                uid = len(folder.messages) + 1
                folder.messages.append(replace(letter("Gmail", number + 1), uid=uid, more=more))
    return folders
