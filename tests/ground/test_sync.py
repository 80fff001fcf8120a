"""The bridge, in every place people call from: scripts, asyncio, uvloop, and a real kernel."""

import asyncio
import contextvars
import signal
import socket
import textwrap
import threading
from pathlib import Path
from queue import Empty

import pytest

from mailframe.ground.sync import run
from tests.children import python
from tests.kernel import PATIENCE, started_kernel

ROOT = Path(__file__).parents[2]

# Connects to a server that says nothing, as a fetch would wait for one.
WAIT = """
import asyncio, os
from mailframe.ground.sync import run

async def wait(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(asyncio.sleep(3600))
            writer.write(b"!")
            await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
        print("closed", flush=True)
"""


@pytest.fixture
def silence():
    """A server that accepts and says nothing; gives its port and a way to meet its client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)

        def meet():
            client, _ = server.accept()
            client.settimeout(PATIENCE)
            assert client.recv(1) == b"!"  # now it waits
            return client

        yield server.getsockname()[1], meet


async def double(value, seconds=0.0):
    await asyncio.sleep(seconds)
    return 2 * value


def test_a_plain_call_gives_the_result():
    assert run(double(21)) == 42


def test_an_error_arrives_as_it_is():
    async def fail():
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        run(fail())


def test_the_caller_s_context_is_seen_everywhere():
    name = contextvars.ContextVar("name")
    name.set("ann")

    async def ask():
        return name.get()

    assert run(ask()) == "ann"


def test_what_the_coroutine_left_behind_is_cancelled_and_closed():
    left = []

    async def leave():
        async def linger():
            try:
                await asyncio.sleep(3600)
            finally:
                left.append("ended")

        left.append(asyncio.ensure_future(linger()))
        await asyncio.sleep(0)

    run(leave())
    assert left[0].cancelled()
    assert left[1] == "ended"


def test_it_works_in_any_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(run(double(1))))
    thread.start()
    thread.join(PATIENCE)
    assert results == [2]


def test_the_signal_handler_is_put_back():
    run(double(1))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def script(text, *arguments):
    return python("-c", textwrap.dedent(text), *arguments, text=True)


def output(text, *arguments):
    with script(text, *arguments) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    return out.split()


def test_nothing_is_patched_before_a_running_loop_needs_it():
    code = """
    import asyncio, mailframe.ground.sync
    task = asyncio.Task
    async def one(): return 1
    mailframe.ground.sync.run(one())
    print(asyncio.Task is task, hasattr(asyncio, "_nest_patched"))
    """
    assert output(code) == ["True", "False"]


def test_inside_a_running_loop_it_nests_as_deep_as_one_likes():
    code = """
    import asyncio
    from mailframe.ground.sync import run

    async def deep(n):
        async with asyncio.timeout(5):
            await asyncio.sleep(0.01)
        return 0 if n == 0 else 1 + run(deep(n - 1))

    async def main():
        other = asyncio.create_task(asyncio.sleep(0.01, "other"))
        print(run(deep(3)), await other, await deep(2))

    asyncio.run(main())
    print(run(deep(2)))
    """
    assert output(code) == ["3", "other", "2", "2"]


def test_a_uvloop_is_left_alone_and_a_thread_helps():
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    code = """
    import asyncio, threading, uvloop
    from mailframe.ground.sync import run

    async def where():
        await asyncio.sleep(0.01)
        return threading.current_thread() is threading.main_thread()

    async def main():
        print(run(where()), hasattr(asyncio, "_nest_patched"))
        await asyncio.sleep(0)
        print("on")

    uvloop.run(main())
    """
    assert output(code) == ["False", "False", "on"]


PLACES = {
    "plain": "run(wait(int(sys.argv[1])))",
    "asyncio": "async def main(): run(wait(int(sys.argv[1])))\nasyncio.run(main())",
    "uvloop": "import uvloop\nasync def main(): run(wait(int(sys.argv[1])))\nuvloop.run(main())",
}


@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_in_a_script_ends_the_wait_and_closes_the_socket(place, silence):
    if place == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not installed")
    port, meet = silence
    with script(WAIT + "import sys\n" + PLACES[place], port) as process, meet() as client:
        process.send_signal(signal.SIGINT)
        assert client.recv(1) == b""
        out, err = process.communicate()
    assert out == "closed\n"
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_ctrl_c_is_not_lost_on_a_coroutine_that_is_busy_with_its_last_step():
    code = """
    import os, signal
    from mailframe.ground.sync import run

    async def busy():
        os.kill(os.getpid(), signal.SIGINT)
        return sum(range(100_000))

    try:
        print("result", run(busy()))
    except KeyboardInterrupt:
        print("interrupted", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    """
    assert output(code) == ["interrupted", "True"]


@pytest.fixture(scope="module")
def kernel():
    with started_kernel() as kernel:
        kernel.cell(WAIT)
        yield kernel


def test_a_cell_may_call_or_await_in_any_order(kernel):
    kernel.cell("async def double(v):\n    await asyncio.sleep(0.01)\n    return 2 * v")
    for code in (
        "run(double(4))",
        "await double(4)",
        "run(double(4))",
        "run(double(await double(2)))",
    ):
        assert kernel.cell(f"print({code})") == ["8"], code


def test_an_interrupt_ends_a_blocked_cell_and_leaves_no_socket(kernel, silence):
    port, meet = silence
    kernel.cell("""
        from mailframe.ground.sync import heartbeat
        async def awake(coroutine):
            async with heartbeat():
                await coroutine
    """)
    for code in (f"run(wait({port}))", f"await awake(wait({port}))"):
        request = kernel.start(code)
        with meet() as client:
            kernel.manager.interrupt_kernel()
            assert client.recv(1) == b"", code
        reply, printed = kernel.finish(request)
        assert reply["ename"] in {"Interrupted", "CancelledError"}
        assert printed.split() == ["closed"]
        assert kernel.cell("print(run(asyncio.sleep(0, 'alive')))") == ["alive"]


def test_messages_that_reach_a_blocked_kernel_are_not_lost(kernel, silence):
    port, meet = silence
    kernel.cell("""
        got = []
        get_ipython().kernel.comm_manager.register_target(
            "box", lambda comm, _: comm.on_msg(lambda m: got.append(m["content"]["data"]["n"])))
        async def until_closed(port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"!")
            await reader.read()
            writer.close()
            await writer.wait_closed()
    """)
    kernel.send("comm_open", {"comm_id": "c", "target_name": "box", "data": {}})
    request = kernel.start(f"run(until_closed({port})); print('ended')")
    with meet():
        for n in range(50):
            kernel.send("comm_msg", {"comm_id": "c", "data": {"n": n}})
        asked = kernel.start("print(got == list(range(50)))")
        with pytest.raises(Empty):
            kernel.client.get_shell_msg(timeout=0.5)
    assert kernel.finish(request)[1] == "ended\n"
    assert kernel.finish(asked)[1] == "True\n"
