"""What the commands of the command line can be told, in groups that several share.

Beside them stands how to say in options what an error says in Python: whoever types a command is
helped by ``--since``, not by ``since=``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import click

from mailframe.errors import ConfigurationError

Command = Callable[..., Any]


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def account(argument: str) -> Callable[[Command], Command]:
    """Add the account, or another source of mail, and what a URL cannot say."""
    return _together(
        click.argument(argument),
        click.option("--ca-file", metavar="FILE", help="Trust these certificates (PEM) only."),
        click.option(
            "--security",
            type=click.Choice(["tls", "starttls", "none"]),
            help="Instead of what the URL says; none sends everything as plain text.",
        ),
        click.option(
            "--login", metavar="USER", help="Who logs in to read this account: a master user."
        ),
    )


fetching = _together(
    click.option(
        "-f",
        "--folder",
        "folders",
        multiple=True,
        callback=lambda _context, _option, given: given or None,
        metavar="GLOB",
        help='Only folders of this name, such as INBOX or "Lists/*"; may be repeated.',
    ),
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="NAME",
        help="One more header field as a column, such as List-Unsubscribe or Received:all.",
    ),
    click.option(
        "--attachments",
        is_flag=True,
        default=None,
        help="What is attached, as columns: count, size, names and types; no body is read.",
    ),
    click.option("--connections", type=int, metavar="N", help="Sessions at most; 4 without."),
    click.option("--timeout", type=float, metavar="SECONDS", help="End the fetch after this time."),
    click.option(
        "--flags",
        type=click.Choice(["exact", "counts", "skip"]),
        help="For a store on a server without CONDSTORE: read all flags, only where counts changed,"
        " or never again.",
    ),
)
selecting = _together(
    click.option(
        "--since", metavar="DATE", help='Arrived on this day or later: 2024-02-29, "last month".'
    ),
    click.option("--before", metavar="DATE", help="Arrived before this day."),
    click.option(
        "--search", metavar="KEYS", help="IMAP SEARCH keys, such as 'UNSEEN FROM \"ann\"'."
    ),
    click.option("--newest", type=int, metavar="N", help="At most N messages of each folder."),
    click.option(
        "--where",
        metavar="LINE",
        help="Of what was read, only what this finds: 'from:ann larger:1M'; the explorer's \"?\""
        " shows the language.",
    ),
    click.option(
        "--store", metavar="DIR", help="Keep headers in a store there, and fetch only what changed."
    ),
)
zone = click.option(
    "--tz", metavar="ZONE", help="Of days and hours, such as Europe/Berlin; yours without."
)
# Where an option is not called as the argument that it becomes.
_NAMES = {"folders": "folder", "headers": "header", "ca_file": "ca-file"}
# What only a server can be asked.
SERVER_ONLY = {
    *("search", "connections", "timeout", "store", "flags", "security", "ca_file"),
    "login",
}


def refuse(asked: Iterable[str], source: str) -> None:
    """Refuse what was `asked` of something that cannot do it, if anything was."""
    names = sorted(f"--{_NAMES.get(name, name)}" for name in asked)
    if names:
        raise ConfigurationError(
            f"{source} is not on a server, so this cannot be asked: {', '.join(names)}"
        )


# What our errors advise a program to do → what does the same here.
_ADVICE = {
    's= takes a name, a glob or a list of them, such as ["INBOX", "Lists/*"]': (
        's are named by -f INBOX or -f "Lists/*"'
    ),
    "list_folders() shows": "mailframe folders URL shows",
    'name folders by folders=["INBOX", ...]': "name folders by -f INBOX",
    "pass password=, set": "set",
    " or pass a datetime.date": "",
    ", or use mailframe.Account": "",
    ', or pass format="csv"': "",
    " and no raw headers": "",
    ", newest= and raw_headers=, and choose with open_store(path).frame(since=...)": " and newest=",
    "pass me=['you@example.org']": "say --me you@example.org",
    "pass ca_file=": "name it by --ca-file",
    "; chats=True reads them": "",
}
_KEYWORD = re.compile(
    r"\b(since|before|search|newest|connections|timeout|store|security|ca_file|me)=(?=([\w'\".-])?)"
)


def in_options(sentence: str) -> str:
    """Say in options and commands what an error says in keywords and calls."""
    for call, command in _ADVICE.items():
        sentence = sentence.replace(call, command)
    return _KEYWORD.sub(_option, sentence)


def _option(keyword: re.Match[str]) -> str:
    return f"--{_NAMES.get(keyword[1], keyword[1])}{' ' if keyword[2] else ''}"
