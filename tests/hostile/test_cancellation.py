"""Cancellation: wherever a fetch stands, cancelling it leaves no task, no connection, no file.

The walk counts each step that any task of the fetch takes from one await to the next, and cancels
the fetch after the first step, after the second, and so on until it runs to its end undisturbed.
"""

import asyncio
import gc
from collections.abc import Coroutine

import pytest

import mailframe as mf
from tests.hostile.behaviours import Throttle, cut_in_literal
from tests.hostile.fetching import assert_hung_up, expected_rows, rows
from tests.servers.certificates import Authority
from tests.servers.mailbox import folder
from tests.servers.scripted import PASSWORD, USER, Scripted

FOLDERS = {"INBOX": range(1, 31), "Archive": range(1, 11)}


class Stepped(Coroutine):
    """A coroutine that tells when it has taken a step."""

    def __init__(self, inner, stepped):
        self.inner, self.stepped = inner, stepped

    def send(self, value):
        try:
            return self.inner.send(value)
        finally:
            self.stepped()

    def throw(self, *error):
        return self.inner.throw(*error)

    def close(self):
        return self.inner.close()

    def __await__(self):
        return self.inner.__await__()


async def cancelled_after(steps: int, account) -> bool:
    """Whether the fetch was still under way after so many steps; then it was cancelled there."""
    taken = 0
    fetch = None

    def stepped():
        nonlocal taken
        taken += 1
        if taken == steps:
            fetch.cancel()

    loop = asyncio.get_running_loop()
    loop.set_task_factory(
        lambda loop, coro, **how: asyncio.Task(Stepped(coro, stepped), loop=loop, **how)
    )
    try:
        reading = mf.aread_imap(account, password=PASSWORD, progress=False, errors="ignore")
        fetch = loop.create_task(reading)
        async with asyncio.timeout(20):
            try:
                await fetch
            except asyncio.CancelledError:
                return True
            finally:
                assert asyncio.all_tasks() == {asyncio.current_task()}, "tasks left behind"
    finally:
        loop.set_task_factory(None)
    return False


def walk(server: Scripted, account) -> int:
    """Cancel after every step there is; how many there were."""
    steps = 0
    cancelled = True
    while cancelled:
        steps += 1
        cancelled = asyncio.run(cancelled_after(steps, account))
        assert_hung_up(server)
    gc.collect()  # a socket or coroutine left open warns now, and warnings are errors
    return steps


def folders():
    return [folder(name, uids) for name, uids in FOLDERS.items()]


def test_cancelled_at_any_await_a_fetch_leaves_nothing_behind():
    with Scripted(folders=folders()) as server:
        assert walk(server, server.url) > 20


def test_cancelled_while_it_connects_with_tls_a_fetch_leaves_nothing_behind(tmp_path):
    authority = Authority.in_folder(tmp_path)
    with Scripted(folders=folders()[1:], starttls=authority.server()) as server:
        account = mf.Account(
            host="localhost",
            port=server.port,
            user=USER,
            security="starttls",
            ca_file=str(authority.ca_file),
        )
        assert walk(server, account) > 20


def test_cancelled_while_it_recovers_a_fetch_leaves_nothing_behind():
    asks = "NO Request is throttled. Suggested Backoff Time: 10 milliseconds"
    faults = [cut_in_literal(times=1_000_000, after=8), Throttle(asks, times=1_000_000, wait=0.0)]
    faults[1].again = iter_every_third()
    with Scripted(*faults, folders=folders()[:1]) as server:
        assert walk(server, server.url) > 20


def iter_every_third():
    calls = 0

    def again():
        nonlocal calls
        calls += 1
        return calls % 3 == 0

    return again


def test_leaving_the_loop_over_batches_early_closes_everything():
    async def first_batch():
        batches = mf.aiter_batches(server.url, password=PASSWORD)
        batch = await anext(batches)
        await batches.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return batch

    with Scripted() as server:
        assert asyncio.run(first_batch()).num_rows > 0
        assert_hung_up(server)


def test_an_error_in_the_callers_loop_closes_everything():
    async def failing():
        batches = mf.aiter_batches(server.url, password=PASSWORD)
        try:
            async for _ in batches:
                raise ZeroDivisionError
        finally:
            await batches.aclose()

    with Scripted() as server, pytest.raises(ZeroDivisionError):
        asyncio.run(failing())
    assert_hung_up(server)


def test_after_a_cancelled_fetch_the_next_one_is_whole():
    with Scripted(folders=folders()) as server:
        asyncio.run(cancelled_after(12, server.url))
        frame = mf.read_imap(server.url, password=PASSWORD, progress=False)
        assert rows(frame) == expected_rows(server)
