"""The command line: discover, folders, fetch, sync, fleet, stats, report, demo.

Exit codes: 0 for all well, 1 where something failed (said on standard error, one line each), 2 for
a command that makes no sense, 130 after Ctrl-C. Results go to standard output or a file, everything
said on the way to standard error. Each command imports what it needs when it runs, so that help
comes at once.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from mailframe import __version__
from mailframe.cli import options
from mailframe.cli.source import account_at, open_source, read_source, store_of, streams
from mailframe.errors import ConfigurationError, MailframeError, MailframeWarning, because

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from mailframe.accounts.account import Security
    from mailframe.auth.grants import Flow
    from mailframe.frame.export import Format, Formulas
    from mailframe.readers.server import BatchStream
    from mailframe.sources.reading import Reading

FAILED = 1
USAGE = 2
INTERRUPTED = 130
KILLED = 128  # and the number of the signal, as shells have it

# A folder that fails is worth a line; ten thousand of them are not.
_MOST_PROBLEMS = 20
_PAGE = {".html", ".htm"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    _never_choke()
    ended: list[int] = []
    try:
        with _endings(ended), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            warnings.simplefilter("always", MailframeWarning)
            return cli.main(arguments, "mailframe", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        if ended:
            _say(f"ended by {signal.Signals(ended[0]).name}")
            return KILLED + ended[0]
        _say("interrupted")
        return INTERRUPTED
    except MailframeError as error:
        _say(options.in_options(str(error)))
        return USAGE if isinstance(error, ConfigurationError) else FAILED
    except OSError as error:
        return _fail(error)


def _fail(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):  # whoever read, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor is it told at the end
        return KILLED + int(getattr(signal, "SIGPIPE", 13))
    _say(f"{error.filename or 'output'}: {because(error)}")
    return FAILED


@contextmanager
def _endings(ended: list[int]) -> Iterator[None]:
    """Let the signals that end a program do so as Ctrl-C does: what was begun is cleared away."""

    def end(number: int, _frame: object) -> None:
        ended.append(number)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    caught = []
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores it
                signal.signal(number, end)
                caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)


def _never_choke() -> None:
    """Let a terminal that is not of Unicode show what it can: mail is in every script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _say(text: str) -> None:
    click.echo(f"mailframe: {_plain(text)}", err=True)


def _plain(text: str) -> str:
    """Take out what would command the terminal: servers choose the names of folders."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(options.in_options(str(message)))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option("-v", "--verbose", is_flag=True, help="Tell each command to the server, no secrets.")
def cli(*, verbose: bool) -> None:
    """Your mail as a table: message headers from IMAP accounts, read only.

    URL is an address such as ann@example.org, whose server is then found; or imaps://USER@HOST
    (TLS), or imap://USER@HOST (STARTTLS), with %40 for an @ in USER. The
    password comes from MAILFRAME_PASSWORD, the keyring, ~/.netrc or a prompt; better not from the
    URL, which others on this machine can see.
    """
    if verbose:
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("mailframe").setLevel(logging.DEBUG)


@cli.command()
@click.argument("address")
@click.option("--ispdb/--no-ispdb", default=None, help="Whether Mozilla's database may be asked.")
def discover(address: str, *, ispdb: bool | None) -> None:
    """Find the IMAP server of an address; nobody logs in.

    The URL comes to standard output, who says so to standard error.
    """
    from mailframe.accounts import providers
    from mailframe.readers.entry import discover as find

    found = find(address, ispdb=ispdb)
    click.echo(found.url)
    _say(f"says {found.reason}")
    provider = providers.of_host(found.host, found.port)
    if provider is not None:
        _say(f"{provider.way_in(found.address)}; see {provider.source}")


@cli.command()
@click.argument("address")
@click.option(
    "--flow",
    type=click.Choice(["auto", "browser", "device", "paste"]),
    default="auto",
    show_default=True,
    help="A browser here, a code to type on another device, or an address to paste.",
)
@click.option("--client", metavar="ID|FILE", help="Your registered application, or its JSON.")
@click.option("--provider", default="", metavar="NAME", help='Such as "Microsoft 365".')
def login(address: str, flow: Flow, client: str | None, provider: str) -> None:
    """Log in to a mailbox by OAuth 2.0, once."""
    from mailframe.readers.entry import login as log_in

    log_in(address, flow, client, provider=provider, say=lambda text: click.echo(text, err=True))


@cli.command()
@click.argument("address")
def logout(address: str) -> int:
    """Forget the log-in of a mailbox."""
    from mailframe.auth.login import logout as log_out

    was = log_out(address)
    _say(f"{address} {'is logged out' if was else 'was not logged in'}")
    return 0 if was else FAILED


@cli.command()
def accounts() -> None:
    """List the mailboxes that are logged in."""
    from mailframe.auth import tokens

    known = tokens.addresses()
    for address in known:
        click.echo(_plain(address))
    if not known:
        _say("nobody is logged in: mailframe login ADDRESS")


@cli.command()
@options.account("url")
@click.option("-o", "--output", metavar="FILE", help="Write .csv, .parquet or .jsonl instead.")
def folders(
    url: str,
    security: Security | None,
    ca_file: str | None,
    login: str | None,
    output: str | None,
) -> None:
    """List the folders of an account."""
    from mailframe.frame.export import open_writer, recognise
    from mailframe.frame.outgoing import frame_schema, to_batches
    from mailframe.readers.server import list_folders

    if output is not None:
        recognise(output)  # a name that will not do is told before the server is asked
    listed = list_folders(account_at(url, security, ca_file, login))
    if output is None:
        click.echo(_table(listed[["messages", "unseen", "size", "special_use", "folder"]]))
        return
    with open_writer(output, frame_schema(listed)) as writer:
        for batch in to_batches(listed):
            writer.write(batch)


def _table(df: pd.DataFrame) -> str:
    """Lay a frame out for a terminal: its last column is text of any width, so it needs none."""
    text = df.astype(object).fillna("").to_string(index=False, columns=df.columns[:-1])
    lines = zip(text.splitlines(), [df.columns[-1], *df.iloc[:, -1]], strict=True)
    return "\n".join(f"{line}  {_plain(last)}" for line, last in lines)


@cli.command()
@options.account("source")
@options.fetching
@options.selecting
@click.option(
    "-o",
    "--output",
    default="-",
    metavar="FILE",
    help="A name in .csv, .csv.gz, .parquet or .jsonl; CSV to standard output without it.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "parquet", "jsonl"]),
    help="Instead of what the name's ending says.",
)
@click.option(
    "--formulas",
    type=click.Choice(["escape", "keep"]),
    default="escape",
    show_default=True,
    help="In CSV, what a spreadsheet would run gets an apostrophe in front, or is kept.",
)
@click.option(
    "--separator",
    type=click.Choice([",", ";", "tab"]),
    default=",",
    show_default=True,
    help="In CSV, what stands between cells; Excel expects ; where a comma is the decimal mark.",
)
@click.option(
    "--bom/--no-bom",
    default=None,
    help="Whether CSV begins with the mark by which Excel knows UTF-8; a file does, a pipe not.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but problems.")
def fetch(
    source: str,
    output: str,
    kind: Format | None,
    formulas: Formulas,
    separator: str,
    *,
    bom: bool | None,
    quiet: bool,
    **told: Any,  # noqa: ANN401 -- passed on to the readers, which check them
) -> int:
    """Fetch message headers into a file, a row for each message.

    SOURCE is an address, an account's URL, or the path of mail: an mbox file, a Maildir, messages,
    a zip of them, an Outlook file, a folder of Thunderbird or Apple Mail, a header store, or a
    .csv, .parquet or .jsonl file that fetch wrote.

    Rows are written as they arrive, so memory does not grow with the mailbox; the file gets its
    name when it is complete. (With --where all is read before the first row is written.)
    """
    from mailframe.frame.export import open_writer, recognise
    from mailframe.frame.outgoing import frame_schema, to_batches
    from mailframe.ground.sync import run

    target: str | IO[bytes] = output
    if output == "-":
        if sys.stdout is None:
            raise ConfigurationError("Standard output is closed; name a file by -o")
        target, kind = sys.stdout.buffer, kind or "csv"
    else:
        recognise(output, kind)  # a name that will not do is told before anything is read
    how: dict[str, Any] = {"format": kind, "formulas": formulas, "bom": bom}
    how["separator"] = {"tab": "\t"}.get(separator, separator)
    if streams(source, told):
        stream = open_source(source, told, quiet=quiet)
        run(_write(stream, target, how))
        report = stream.report
    else:
        df = read_source(source, told, quiet=quiet)
        with open_writer(target, frame_schema(df), **how) as writer:
            for batch in to_batches(df):
                writer.write(batch)
        report = df.attrs.get("mailframe", {})
        report |= {"messages": len(df), "folders": df["folder"].nunique()}
    if not quiet:
        _say(_summary(report, output))
    return _tell_problems(report)


@cli.command()
@options.account("source")
@options.fetching
@options.selecting
@click.option("--me", multiple=True, metavar="ADDRESS", help="Yours; guessed from Sent without.")
@options.zone
def stats(source: str, me: Sequence[str], tz: str | None, **told: Any) -> int:  # noqa: ANN401 -- as above
    """Sum up a mailbox on one screen.

    SOURCE is whatever fetch takes.
    """
    from mailframe.stats import MailAccessor, clock

    if tz != clock.SENDER:
        clock.zone(tz)  # one that there is not is told before anything is read
    df = read_source(source, told)
    click.echo(MailAccessor(df).describe(me=me or None, tz=tz))
    return _tell_problems(df.attrs.get("mailframe", {}))


@cli.command()
@options.account("source")
@options.fetching
@options.selecting
@click.option(
    "-o", "--output", default="mail.html", show_default=True, metavar="FILE", help="The page."
)
@click.option("--title", metavar="TEXT", help="What stands above; the account without it.")
@click.option("--me", multiple=True, metavar="ADDRESS", help="Yours; guessed from Sent without.")
@options.zone
def report(
    source: str,
    output: str,
    title: str | None,
    me: Sequence[str],
    tz: str | None,
    **told: Any,  # noqa: ANN401 -- as above
) -> int:
    """Draw a mailbox as one HTML page that needs no network.

    SOURCE is whatever fetch takes.
    """
    if Path(output).suffix.lower() not in _PAGE:
        raise ConfigurationError(f"The report is a page of HTML: let {output} end in .html")
    from mailframe.ground.whole import replacing
    from mailframe.stats import clock
    from mailframe.widgets.report import page

    clock.zone(tz)
    with replacing(output) as file:
        store = store_of(source, told)
        mail = read_source(source, told) if store is None else store
        file.write(page(mail, title=title, tz=tz, me=me or None))
    _say(f"wrote {output}, a page on {_count(len(mail), 'message')}")
    return _tell_problems(getattr(mail, "attrs", {}).get("mailframe", {}))


@cli.command()
@options.account("source")
@options.fetching
@options.selecting
@options.zone
@click.option("--find", default="", metavar="LINE", help="What the search line begins with.")
def explore(source: str, tz: str | None, find: str, **told: Any) -> int:  # noqa: ANN401 -- as above
    """Open the explorer on a mailbox in the browser, until Ctrl-C.

    SOURCE is whatever fetch takes. The page is served on this machine alone, by Voilà (pip install
    'mailframe[app]').
    """
    from mailframe.cli.desk import served, show
    from mailframe.search.language import parse
    from mailframe.stats import clock

    clock.zone(tz)
    parse(find)
    df = read_source(source, told)
    code = _tell_problems(df.attrs.get("mailframe", {}))
    with served(df, tz=tz, search=find) as address:
        show(address, click.echo)
    return code


@cli.command()
@options.account("url")
@options.fetching
@click.option("--store", required=True, metavar="DIR", help="Where the store is, or shall be.")
def sync(url: str, **told: Any) -> int:  # noqa: ANN401 -- as above
    """Bring a header store up to date, quietly; for cron.

    Only what changed is fetched, and one line tells it; nothing is said where nothing changed.
    """
    from mailframe.ground.sync import run
    from mailframe.readers.server import BatchStream

    stream = open_source(url, told, quiet=True)
    assert isinstance(stream, BatchStream)  # nothing else has a store
    run(stream.refresh())
    change = _change(stream.report["store"])
    if change:
        click.echo(_plain(f"{stream.report['account']}: {change}"))
    return _tell_problems(stream.report)


def _change(figures: Mapping[str, Any]) -> str:
    """Tell in words what a refresh did, if anything."""
    counts = {"new": "new", "changed": "changed", "expunged": "gone"}
    parts = [f"{figures[key]:,} {word}" for key, word in counts.items() if figures[key]]
    if parts:
        parts[-1] += f" in {_count(figures['folders'], 'folder')}"
    if figures["removed"]:
        parts.append(f"removed {', '.join(figures['removed'])}")
    return ", ".join(parts)


async def _write(
    stream: BatchStream | Reading, target: str | IO[bytes], how: dict[str, Any]
) -> None:
    from contextlib import aclosing, suppress

    from mailframe.frame.export import open_writer

    async with aclosing(_batches(stream)) as batches:
        if isinstance(target, str):
            # What is wrong with the place is told before the server is asked; what the server
            # tells of its own accord makes columns, and is known when it has answered.
            with suppress(_TriedError), open_writer(target, stream.schema, **how):
                raise _TriedError
        first = await anext(batches, None)
        with open_writer(target, stream.schema, **how) as writer:
            if first is not None:
                writer.write(first)
            async for batch in batches:
                writer.write(batch)
            writer.attrs = {"mailframe": stream.report}


class _TriedError(Exception):
    """Ends the attempt to open a file: nothing takes its place."""


async def _batches(stream: BatchStream | Reading) -> AsyncGenerator[pa.RecordBatch]:
    if hasattr(stream, "__aiter__"):
        async for batch in stream:
            yield batch
        return
    for batch in stream:
        yield batch
        await asyncio.sleep(0)  # here Ctrl-C is heard


def _summary(report: Mapping[str, Any], output: str) -> str:
    where = "" if output == "-" else f" to {output}"
    messages = _count(report["messages"], "message")
    folders = _count(report["folders"], "folder")
    took = f", in {report['seconds']:.1f} s" if "seconds" in report else ""
    return f"wrote {messages} of {folders}{where}{took}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _tell_problems(report: Mapping[str, Any]) -> int:
    for what, why in report.get("skipped", {}).items():
        _say(f"left out {what}: it {options.in_options(why)}")
    problems = report.get("problems", [])
    for problem in problems[:_MOST_PROBLEMS]:
        uids = f" (UID {problem['uids']})" if problem["uids"] else ""
        _say(f"{options.in_options(problem['text'])}{uids}")
    if len(problems) > _MOST_PROBLEMS:
        _say(f"and {len(problems) - _MOST_PROBLEMS:,} more problems")
    return FAILED if problems else 0


@cli.command()
@click.argument("accounts", required=False)
@click.option("--store", required=True, metavar="DIR", help="Where the store is, or shall be.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask cluster's, such as tcp://HOST:8786.")
@click.option("--credentials", metavar="SOURCE", help="env:NAME, file:PATH, command:..., keyring.")
@click.option("--login", metavar="USER", help="A master user, who logs in for each account.")
@click.option("--where", metavar="URL", help="The one server where all accounts are.")
@click.option("--per-host", type=int, metavar="N", help="Connections to one server; 10 without.")
@click.option(
    "--retries", type=int, metavar="N", help="How often an account comes back; 2 without."
)
@click.option("--connections", type=int, metavar="N", help="Sessions of an account; 2 without.")
@click.option("--rerun", is_flag=True, help="Only those that have not ended well.")
def fleet(
    accounts: str | None,
    scheduler: str | None,
    **told: Any,  # noqa: ANN401 -- as above
) -> int:
    """Bring the header stores of many accounts up to date.

    ACCOUNTS is a CSV file with a column account (addresses, URLs without passwords, or paths of
    local mail), and perhaps credentials and login; without it, those of the last time. Passwords
    are found where each account is read.
    """
    from mailframe.fleets import fleet as visit_all

    options = {name: value for name, value in told.items() if value is not None}
    df = visit_all(accounts, options.pop("store"), client=scheduler, **options)
    well = df["status"] == "ok"
    for row in df[~well].head(_MOST_PROBLEMS).itertuples():
        _say(f"{row.account}: {row.status}: {row.text}")
    if (~well).sum() > _MOST_PROBLEMS:
        _say(f"... and {(~well).sum() - _MOST_PROBLEMS} more; mailframe.fleet_status has them all")
    told_all = (
        f"{well.sum()} of {_count(len(df), 'account')} well, {df['messages'].sum():,} messages"
    )
    click.echo(f"{told_all}, {df['new'].sum():,} new")
    return 0 if well.all() else FAILED


@cli.command()
@click.option("--serve", is_flag=True, help="Keep the server up, for a notebook.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default="mailframe-demo",
    show_default=True,
    help="The folder for the files.",
)
def demo(*, serve: bool, output: Path) -> None:
    """Show it all on an invented mailbox, with a server of its own."""
    from mailframe.demo import serve as start
    from mailframe.demo.tour import stay, tour

    if not serve:
        tour(output, click.echo)
        from mailframe.widgets.report import report as write_report

        page = write_report(
            read_source(str(output / "headers.parquet"), {}), output / "report.html"
        )
        click.echo(f"\nTo look at, in a browser: {page}")
        return
    with start() as server:
        stay(server, click.echo)
