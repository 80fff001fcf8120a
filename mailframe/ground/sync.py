"""The only bridge between a plain call and ``await``.

Three places to call from: where no event loop runs, one is run; inside a running asyncio loop (a
notebook cell) that loop is made re-entrant by nest-asyncio and runs on, so that the kernel keeps
queueing its messages; a loop that cannot be patched (uvloop) is left alone, and a thread runs one
of its own. Nothing is patched before it is needed. In all three, Ctrl-C cancels the coroutine
instead of striking at some line of it, so its ``finally`` blocks close what they opened.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mailframe.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from types import FrameType

T = TypeVar("T")

_STOPPED = "stopped, as you asked"
_PULSE = 0.25  # seconds: an interrupt feels prompt, and the cost is not measurable


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and give its result, wherever the caller stands.

    Parameters
    ----------
    coroutine
        Not yet awaited. It inherits the caller's context variables.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, or an interrupt of the kernel, when the coroutine has cleaned up; a second
        one does not wait for that.
    """
    running = _running_loop()
    if running is not None and _patch(running):
        task = running.create_task(coroutine)
        with _interruptible(running, task):
            try:
                return running.run_until_complete(task)
            finally:
                task.cancel()  # whatever broke in here: nothing stays behind in a loop that goes on
    loop = asyncio.new_event_loop()
    task = loop.create_task(coroutine)
    with _interruptible(loop, task):
        if running is None:
            return _drive(loop, task)
        with ThreadPoolExecutor(1, "mailframe") as thread:
            return thread.submit(_drive, loop, task).result()


@asynccontextmanager
async def heartbeat() -> AsyncIterator[None]:
    """Wake the running loop a few times a second, so that a cell that awaits can be interrupted.

    The handler that ipykernel puts up for such a cell queues the cancellation without waking the
    loop: with a silent server it would be noticed only when something else happens.
    """
    loop = asyncio.get_running_loop()
    pulse: asyncio.TimerHandle

    def beat() -> None:
        nonlocal pulse
        pulse = loop.call_later(_PULSE, beat)

    pulse = loop.call_later(_PULSE, beat)
    try:
        yield
    finally:
        pulse.cancel()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _patch(loop: asyncio.AbstractEventLoop) -> bool:
    """Make a running loop re-entrant; tell whether that was possible."""
    if not isinstance(loop, asyncio.BaseEventLoop):
        return False  # asked first: apply() patches asyncio itself before it looks at the loop
    # The fork first: the archived original loses messages that reach a kernel meanwhile.
    for name in ("nest_asyncio2", "nest_asyncio"):
        try:
            importlib.import_module(name).apply(loop)
        except ImportError:
            continue
        return True
    return False


def _drive(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> T:
    # The runner is here for its end: it cancels what was left and closes the loop. As the loop
    # comes from a factory, it does not touch the thread's current event loop.
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.get_loop().run_until_complete(task)


@contextmanager
def _interruptible(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> Iterator[None]:
    """Let SIGINT cancel the task, and turn the cancellation into KeyboardInterrupt.

    Only the main thread may; and a handler that somebody else put there for a reason stays.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not (before is signal.default_int_handler or _cancels_a_task(before)):
        yield
        return
    interrupted = False

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted or task.done():
            raise _interrupt()
        interrupted = True
        loop.call_soon_threadsafe(task.cancel)  # threadsafe: it wakes a loop that waits

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
        if interrupted:
            raise _interrupt()  # it was about to end and did not notice; the user meant it
    except asyncio.CancelledError:
        if interrupted:
            raise _interrupt() from None  # the cancellation was only its messenger
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt() -> KeyboardInterrupt:
    """Give what Ctrl-C raises: told briefly in IPython, elsewhere the one by which Python ends.

    A shell is told of the signal only where the exception is KeyboardInterrupt and no other.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return KeyboardInterrupt() if shell is None else Interrupted(_STOPPED)


def _cancels_a_task(handler: object) -> bool:
    """Tell the handlers of asyncio.run and of a kernel.

    They cancel the task that called us, and it would not notice before we return.
    """
    function = handler.func if isinstance(handler, partial) else handler
    return getattr(function, "__module__", None) in {"asyncio.runners", "ipykernel.ipkernel"}
