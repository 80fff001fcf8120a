"""Whatever the command line may be given as SOURCE, as a stream of batches or as a frame.

An address or a URL is an account; a path is mail, a header store, or a file that ``fetch`` wrote.
What a server selects itself (``since``, ``before``, ``newest``, ``folders``) is selected from any
other source here, by the same rules; ``where`` is the search language of ``mailframe.search``, and
holds for all of them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.cli import options
from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from mailframe.accounts.account import Security
    from mailframe.readers.entry import Entry
    from mailframe.readers.server import BatchStream
    from mailframe.sources.reading import Reading
    from mailframe.store.reader import Store

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MAIL = {"folder", "uid", "date", "from_addr", "message_id"}  # columns that tell it
_CHOOSES = {"folders", "since", "before", "newest"}  # what is chosen here of what is no server


def account_at(
    url: str, security: Security | None, ca_file: str | None, login: str | None = None
) -> Entry:
    """Give the account of an address or a URL; its server is looked for when it is needed."""
    from mailframe.readers.entry import enter  # noqa: PLC0415 -- as a command does: help comes at once

    return enter(url, security=security, ca_file=ca_file, login=login)


def is_remote(source: str) -> bool:
    """Tell whether a source is on a server."""
    from mailframe.discovery.steps import is_address  # noqa: PLC0415 -- as above

    return "://" in source or (is_address(source) and not Path(source).exists())


def streams(source: str, told: dict[str, Any]) -> bool:
    """Tell whether rows can be written as they come: nothing is chosen of them afterwards."""
    if told.get("where"):
        return False
    if is_remote(source):
        return True
    chosen = any(told.get(name) is not None for name in _CHOOSES)
    return not chosen and _written(source) is None and not _is_store(source)


def open_source(source: str, told: dict[str, Any], *, quiet: bool) -> BatchStream | Reading:
    """Open an account or local mail for streaming; problems are told from the report.

    Raises
    ------
    ConfigurationError
        There is no such source, or it cannot be asked this.
    """
    told = dated({name: value for name, value in told.items() if value is not None})
    if "flags" in told and "store" not in told:
        raise ConfigurationError("--flags is for a store: name one by --store")
    how: dict[str, Any] = {"progress": False if quiet else None, "errors": "ignore"}
    if is_remote(source):
        from mailframe.readers.server import open_stream  # noqa: PLC0415 -- as above

        how_in = (told.pop(name, None) for name in ("security", "ca_file", "login"))
        account = account_at(source, *how_in)
        return open_stream(account, **told, **how)
    _check(source)
    options.refuse(options.SERVER_ONLY & set(told), source)
    from mailframe.sources.local import open_local  # noqa: PLC0415 -- as above

    return open_local(source, **{k: v for k, v in told.items() if k not in _CHOOSES}, **how)


def dated(told: dict[str, Any]) -> dict[str, Any]:
    """Take a time in words, as "last month", for its first day in the reader's zone.

    What is neither goes on to the reader, which says what a day looks like.
    """
    told = dict(told)
    for name in ("since", "before"):
        text = told.get(name)
        if isinstance(text, str) and not _DAY.fullmatch(text):
            from mailframe.search.values import parse_period  # noqa: PLC0415 -- as above
            from mailframe.stats import clock  # noqa: PLC0415 -- as above

            with suppress(ConfigurationError):
                told[name] = parse_period(text, clock.zone())[0].date().isoformat()
    return told


def read_source(source: str, told: dict[str, Any], *, quiet: bool = False) -> pd.DataFrame:
    """Read any source into a frame, ordered as the readers do it.

    Raises
    ------
    ConfigurationError
        There is no such source, or it cannot be asked this.
    """
    told = dated(told)
    where = told.pop("where", None)
    if is_remote(source):
        df = _drained(open_source(source, told, quiet=quiet))
    else:
        df = _chosen(_at_rest(source, told, quiet=quiet), told, source)
    if where:
        from mailframe.search.matching import find  # noqa: PLC0415 -- as above

        report = df.attrs
        df = find(df, where, tz=told.get("tz"))
        df.attrs = report
    return df


def store_of(source: str, told: Mapping[str, Any]) -> Store | None:
    """Give the store that a path names, where all of it is asked for: it may be of any size."""
    if any(told.values()) or is_remote(source) or not _is_store(source):
        return None
    from mailframe.store.reader import open_store  # noqa: PLC0415 -- as above

    return open_store(source)


def _drained(stream: BatchStream | Reading) -> pd.DataFrame:
    from mailframe.frame.adapter import to_frame  # noqa: PLC0415 -- as above
    from mailframe.ground.sync import run  # noqa: PLC0415 -- as above
    from mailframe.readers.server import BatchStream  # noqa: PLC0415 -- as above

    if isinstance(stream, BatchStream):
        return run(stream.frame())
    return to_frame(stream, stream.schema, report=stream.report)


def _at_rest(source: str, told: dict[str, Any], *, quiet: bool) -> pd.DataFrame:
    """Read what lies on this machine: a store, a file that fetch wrote, or mail."""
    _check(source)
    given = {name for name, value in told.items() if value is not None and value != ()}
    written = _written(source)
    store = _is_store(source)
    if written is None and not store:
        return _drained(open_source(source, told, quiet=quiet))
    options.refuse((options.SERVER_ONLY | {"headers", "attachments"}) & given, source)
    if store:
        from mailframe.store.reader import open_store  # noqa: PLC0415 -- as above

        return open_store(source).frame(errors="warn")
    return _read_back(source, written)


def _check(source: str) -> None:
    from mailframe.sources.files import as_path, exists  # noqa: PLC0415 -- as above

    if not source:
        raise ConfigurationError("Nothing was named: give an address, a URL, or a path of mail")
    if not exists(as_path(source)):
        raise ConfigurationError(
            f"{source} is neither an address, a file or folder, nor a URL such as imaps://USER@HOST"
        )


def _is_store(source: str) -> bool:
    from mailframe.store.reader import is_store  # noqa: PLC0415 -- as above

    return bool(source) and is_store(source)


def _readers() -> dict[str, Callable[[str], pd.DataFrame]]:
    import pandas as pd  # noqa: PLC0415 -- as above

    from mailframe.frame.fromcsv import read_csv  # noqa: PLC0415 -- as above
    from mailframe.frame.fromjsonl import read_jsonl  # noqa: PLC0415 -- as above

    return {".csv": read_csv, ".parquet": pd.read_parquet, ".jsonl": read_jsonl}


def _written(source: str) -> str | None:
    """Give the ending of a file as fetch writes them; None for anything else."""
    path = Path(source)
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    return ending if ending in {".csv", ".jsonl", ".parquet"} and path.is_file() else None


def _read_back(source: str, ending: str | None) -> pd.DataFrame:
    try:
        df = _readers()[ending or ""](source)
    except ConfigurationError:
        raise
    except (ValueError, OSError) as error:  # pyarrow's own are of these classes
        raise ConfigurationError(f"{source} is not a file as mailframe writes it: {error}") from (
            error
        )
    if _MAIL - set(df.columns):
        raise ConfigurationError(f"{source} holds no mail, or not as fetch writes it")
    # Fetched rows lie as they arrived. Of copies the first counts, so the order of readers.
    return df.sort_values(["folder", "uid"], key=_plain_words, ignore_index=True)


def _plain_words(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype("str") if column.name == "folder" else column


def _chosen(df: pd.DataFrame, told: dict[str, Any], source: str) -> pd.DataFrame:
    """Select as a server would: folders, days of arrival, the newest of each folder."""
    report = df.attrs
    if told.get("folders"):
        df = df[_in_folders(df, told["folders"], source)]
    for name in ("since", "before"):
        if told.get(name) is not None:
            df = df[_arrived(df, name, told[name])]
    if told.get("newest") is not None:
        if told["newest"] < 1:
            raise ConfigurationError(f"newest={told['newest']} must be at least 1")
        keys = [key for key in ("account", "folder") if key in df]
        # By UID, as a server counts them; files are numbered in their order.
        df = df[df.groupby(keys, observed=True)["uid"].rank(ascending=False) <= told["newest"]]
    df = df.reset_index(drop=True)
    df.attrs = report
    return df


def _in_folders(df: pd.DataFrame, patterns: Sequence[str], source: str) -> pd.Series[bool]:
    from mailframe.ground.names import answering, unanswered  # noqa: PLC0415 -- as above

    names = [str(name) for name in df["folder"].astype("str").dropna().unique()]
    meant: set[str] = set()
    for pattern in patterns:
        found = answering(pattern, names)
        if not found:
            raise ConfigurationError(
                unanswered("folder", pattern, names, f"{source} holds {', '.join(names[:5])}")
            )
        meant |= found
    return df["folder"].astype("str").isin(meant)


def _arrived(df: pd.DataFrame, name: str, day: str) -> pd.Series[bool]:
    """Compare days of arrival; of a file that tells none, those of Date."""
    import datetime as dt  # noqa: PLC0415 -- as above

    from mailframe.search.values import parse_period  # noqa: PLC0415 -- as above

    arrived = df["internaldate"].fillna(df["date"]) if "internaldate" in df else df["date"]
    start, _ = parse_period(day, dt.UTC)
    return arrived >= start if name == "since" else arrived < start
