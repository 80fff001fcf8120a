"""What `mailframe demo` shows: the main job from end to end, on the embedded server."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mailframe.demo import serve
from mailframe.frame.export import to_csv, to_parquet
from mailframe.readers.server import read_imap

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from mailframe.demo import DemoServer

CONNECTIONS = 4
ROWS = 6
_WIDEST = 36  # characters of a name or a subject


def tour(output: Path, echo: Callable[[str], object]) -> None:
    """Serve, fetch, look, and write `headers.csv` and `headers.parquet` into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    echo("Starting an IMAP server on this machine, with an invented mailbox of two years …")
    with serve() as server:
        frame = read_imap(server.url, connections=CONNECTIONS, progress=False)
    echo(_report(frame))
    echo(f"\nThe newest rows, four of {frame.shape[1]} columns:\n\n{_newest(frame)}")
    echo(f"\nWho writes most:\n\n{_senders(frame)}")
    to_csv(frame, output / "headers.csv")
    to_parquet(frame, output / "headers.parquet")
    echo(f"\nWritten: {output / 'headers.csv'} and {output / 'headers.parquet'}\n\n{_next(output)}")


def stay(server: DemoServer, echo: Callable[[str], object]) -> None:
    """Say where the server is, and keep it up until Ctrl-C."""
    echo(f"""An IMAP server with an invented mailbox is up; Ctrl-C stops it.

    {server.url}

In a notebook:
    import mailframe as mf
    df = mf.read_imap("{server.url}")
In a shell:
    {_place()}mailframe folders {server.url}""")
    try:
        server.wait()
    except KeyboardInterrupt:
        echo("\nStopped.")


def _report(frame: pd.DataFrame) -> str:
    report = frame.attrs["mailframe"]
    rate = report["messages"] / max(report["seconds"], 1e-3)
    return (
        f"Fetched {report['messages']:,} messages of {frame['folder'].nunique()} folders in "
        f"{report['seconds']:.1f} s over {report['connections']} connections "
        f"({rate:,.0f} messages a second)."
    )


def _newest(frame: pd.DataFrame) -> str:
    rows = frame.nlargest(ROWS, "internaldate")[["folder", "internaldate", "from_name", "subject"]]
    rows["internaldate"] = rows["internaldate"].dt.strftime("%Y-%m-%d %H:%M")
    return rows.to_string(index=False, max_colwidth=_WIDEST)


def _senders(frame: pd.DataFrame) -> str:
    return frame["from_addr"].value_counts().head(ROWS).to_string(header=False)


def _next(output: Path) -> str:
    place = _place()
    return f"""Next:
    {place}python -c "import pandas as pd; print(pd.read_parquet('{output / "headers.parquet"}'))"
    {place}mailframe demo --serve                    keeps the server up, for a notebook
    {place}mailframe fetch imaps://you@imap.example.org -o headers.csv        your own mail"""


def _place() -> str:
    """Where our commands are, if a shell would not find them: the environment is not activated."""
    ours = Path(sys.argv[0])
    found = shutil.which("mailframe")
    bare = ours.parent == Path()  # as the shell that found it was told
    if ours.name != "mailframe" or bare or (found and Path(found).resolve() == ours.resolve()):
        return ""
    return f"{ours.parent}{os.sep}"
