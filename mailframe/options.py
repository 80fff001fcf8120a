"""What the commands of the command line can be told, in groups that several share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

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
    click.option("--since", metavar="DATE", help="Arrived on this day or later: 2024-02-29."),
    click.option("--before", metavar="DATE", help="Arrived before this day."),
    click.option(
        "--search", metavar="KEYS", help="IMAP SEARCH keys, such as 'UNSEEN FROM \"ann\"'."
    ),
    click.option("--newest", type=int, metavar="N", help="At most N messages of each folder."),
    click.option(
        "--store", metavar="DIR", help="Keep headers in a store there, and fetch only what changed."
    ),
)
# What only a server can be asked.
SERVER_ONLY = {
    *("folders", "since", "before", "search", "newest", "connections", "timeout"),
    *("store", "flags"),
}
