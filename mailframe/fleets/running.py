"""A fleet from its beginning to its end: who is visited when, here or on a cluster's workers.

Dask is imported where a client is given, not before.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mailframe.errors import ConfigurationError
from mailframe.fleets import credentials as credentials_of
from mailframe.fleets.accounts import rows_in, rows_of
from mailframe.fleets.manifest import Manifest, framed, read_manifest
from mailframe.fleets.order import Schedule, left, members, with_sizes
from mailframe.fleets.visits import Task, avisit, failure, summary, visit
from mailframe.ground.progress import open_progress
from mailframe.ground.sync import run
from mailframe.readers.server import MAX_CONNECTIONS
from mailframe.store.atomic import make_dir
from mailframe.store.reader import root_of

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Iterator
    from typing import TypeAlias

    import pandas as pd

    from mailframe.fleets.accounts import Accounts
    from mailframe.fleets.order import Visit
    from mailframe.ground.progress import ProgressOption

    Begin: TypeAlias = Callable[[Task], Awaitable[dict[str, Any]]]

# Accounts at a time in one process: more of them share the same processors.
_AT_ONCE = 8


def fleet(  # noqa: PLR0913 -- as the readers have it
    accounts: Accounts | None,
    root: str | os.PathLike[str],
    *,
    client: Any = None,  # noqa: ANN401 -- distributed is imported by those who have it
    per_host: int = 10,
    retries: int = 2,
    credentials: str | None = None,
    login: str | None = None,
    where: str | None = None,
    connections: int = 2,
    rerun: bool = False,
    progress: ProgressOption = None,
) -> pd.DataFrame:
    """Bring the header stores of many accounts up to date, several at once.

    Each account has its part of one store. What one account does stops no other; one that is
    throttled or lost comes back later, one that is refused does not.

    Parameters
    ----------
    accounts : str, path, DataFrame or iterable
        Addresses, URLs without passwords, `Account`s, and paths of local mail; or a CSV file or a
        frame with a column ``account``, and perhaps ``credentials`` and ``login``. None: those of
        the last time.
    root : str or path-like
        The store's directory. Workers must see it by the same path.
    client : distributed.Client or str, optional
        Workers of a Dask cluster, or the address of its scheduler; by default this process does it.
    per_host : int
        Connections to one server at most, over the whole cluster.
    retries : int
        How often an account comes back.
    credentials : str, optional
        Where passwords are found, by whoever runs the task: ``"env:VARIABLE"``,
        ``"file:/run/secrets/{user}"``, ``"command:pass show {user}"``, ``"keyring"``,
        ``"netrc"``; without it ``MAILFRAME_PASSWORD``, the keyring, ``~/.netrc``.
    login : str, optional
        A master user, who logs in for each account with its own password.
    where : str, optional
        URL of the one server where all are: names are then those of its users.
    connections : int
        Sessions of one account at most.
    rerun : bool
        Only accounts that the last run has not ended well with.
    progress : callable, bool or None
        As for ``read_imap``, counted in accounts.

    Returns
    -------
    pandas.DataFrame
        The manifest, one row an account, in the order given: ``account``; ``status``: ``"ok"``,
        ``"partial"`` (folders or messages were left out), ``"refused"``, ``"throttled"``,
        ``"failed"``; ``messages``, ``new``, ``changed``, ``expunged``, ``folders``, ``octets``,
        ``seconds``, ``attempts``, ``problems``; ``error`` and ``text`` of the first problem;
        ``host``, ``worker``, ``at``, ``source``.

    Raises
    ------
    ConfigurationError
        An account cannot be read, is there twice, or comes with its password.
    StoreError
        The directory cannot be made or written.
    """
    if not (1 <= connections <= MAX_CONNECTIONS and per_host >= 1 and retries >= 0):
        raise ConfigurationError(
            f"connections={connections} (1 to {MAX_CONNECTIONS}), per_host={per_host} (at least 1)"
            f" or retries={retries} (at least 0) makes no sense"
        )
    place = root_of(root)
    known = read_manifest(place)
    rows = rows_of(accounts) if accounts is not None else rows_in(known)
    chosen = members(rows, where=where, credentials=credentials, login=login)
    for member in chosen:
        credentials_of.check(member.credentials)
    make_dir(place)
    connections = min(connections, per_host)
    visited = left(chosen, known) if rerun else chosen
    make = partial(Task, root=str(place), connections=connections, at_host=per_host // connections)
    with Manifest(place, known) as manifest, _workers(client) as workers:
        schedule = Schedule(
            with_sizes(visited, known),
            at_host=per_host // connections,
            at_once=workers.at_once,
            retries=retries,
        )
        with open_progress(
            progress, unit="accounts", total=len(visited), desc=workers.told
        ) as shown:

            def ended(summary: dict[str, Any]) -> None:
                manifest.add(summary)
                shown.update(1)

            run(_drive(schedule, workers.begin, make, ended))
    return framed([manifest.of(member.source) for member in chosen])


def fleet_status(root: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the manifest of a store's last `fleet`, also while one is running.

    Parameters
    ----------
    root : str or path-like
        The store's directory.

    Returns
    -------
    pandas.DataFrame
        As `fleet` returns it, by account; one that has not been visited yet is not there.
    """
    return framed(sorted(read_manifest(root_of(root)).values(), key=lambda row: row["account"]))


async def _drive(
    schedule: Schedule,
    begin: Begin,
    make: Callable[..., Task],
    ended: Callable[[dict[str, Any]], None],
) -> None:
    """Visit everybody; whoever is broken off ends what was begun."""
    under_way: dict[asyncio.Future[dict[str, Any]], Visit] = {}
    try:
        while not schedule.done:
            for each in schedule.start(time.monotonic()):
                task = make(each.member, attempt=each.attempt)
                under_way[asyncio.ensure_future(begin(task))] = each
            pause = schedule.pause(time.monotonic())
            if not under_way:
                await asyncio.sleep(pause or 0)
                continue
            done, _ = await asyncio.wait(
                under_way, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            for future in done:
                told = future.result()
                if schedule.ended(under_way.pop(future), told["status"], time.monotonic()):
                    ended(told)
    finally:
        for future in under_way:
            future.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@dataclass
class _Workers:
    """Who does the work: how many at once, what a person is told, and how one visit begins."""

    begin: Begin
    at_once: int
    told: str = "fleet"


@contextlib.contextmanager
def _workers(client: Any) -> Iterator[_Workers]:  # noqa: ANN401 -- distributed.Client, or where
    if client is None:
        hosts: dict[str, asyncio.Semaphore] = {}
        yield _Workers(lambda task: avisit(task, hosts), _AT_ONCE)
        return
    try:
        from distributed import Client  # noqa: PLC0415 -- only those who have a cluster
    except ImportError as error:
        raise ConfigurationError("client= wants Dask: pip install 'mailframe[fleet]'") from error
    with contextlib.ExitStack() as stack:
        if isinstance(client, str):
            client = stack.enter_context(Client(client, set_as_default=False))  # type: ignore[no-untyped-call]
        link = getattr(client, "dashboard_link", "")
        # Twice as many as work: nobody waits for the next.
        at_once = max(2, 2 * sum(client.nthreads().values()))
        yield _Workers(partial(_on, client), at_once, f"fleet {link}")


async def _on(client: Any, task: Task) -> dict[str, Any]:  # noqa: ANN401 -- distributed.Client
    """Have a worker of a cluster do one visit."""
    started = time.monotonic()
    future = client.submit(visit, task, pure=False)
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(ready.set))
    try:
        await ready.wait()
        if future.status != "finished":
            # The workers that had it died, one after the other.
            why = ConnectionError("the workers that had this account were lost")
            return summary(task, {"account": task.member.source} | failure(why), started)
        told: dict[str, Any] = await asyncio.to_thread(future.result)
        return told
    finally:
        future.cancel()
