"""Progress of a long reading: a bar for a person, a call for a program, or nothing.

A bar is tqdm's, drawn as a widget in a notebook and as text on standard error in a terminal, never
on standard output. tqdm is imported when the first bar is drawn, not before.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import MutableMapping

ProgressCall: TypeAlias = Callable[[int, int | None], object]
ProgressOption: TypeAlias = ProgressCall | bool | None

# A person sees no more than this, and a callable that draws a widget would cost more than the mail.
SECONDS_BETWEEN_CALLS = 0.1
_USUAL = 80
# In fewer columns tqdm would cut its own line in the middle of the rate, and leave no bar.
_NARROW = 64
_BRIEF = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}"
_KNOWN = "{desc}: {percentage:3.0f}%|{bar}| {many} [{elapsed}<{remaining}, {speed}]"
_UNKNOWN = "{desc}: {many} [{elapsed}, {speed}]"


class Progress:
    """Counts what is done, silently; the bars and calls are made of it.

    It may be updated from several threads. Leaving its ``with`` block closes it.

    Parameters
    ----------
    total : int, optional
        How much there is to do; None while nobody knows. It may be set later.
    """

    def __init__(self, total: int | None = None) -> None:
        self._lock = threading.RLock()
        self._done = 0
        self._total = total

    @property
    def done(self) -> int:
        """How much is done."""
        return self._done

    @property
    def total(self) -> int | None:
        """How much there is to do, or None."""
        return self._total

    @total.setter
    def total(self, total: int | None) -> None:
        with self._lock:
            if total != self._total:
                self._total = total
                self._retotal()

    def update(self, n: int = 1) -> None:
        """Count `n` more as done."""
        with self._lock:
            self._done += n
            self._advance(n)

    def close(self) -> None:
        """Show the last state and let go of the display; a second call does nothing."""

    def _advance(self, n: int) -> None:
        """Show that `n` more are done; called under the lock."""

    def _retotal(self) -> None:
        """Show the new total; called under the lock."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Bar(Progress):
    """A tqdm bar."""

    def __init__(self, total: int | None, *, unit: str, desc: str) -> None:
        super().__init__(total)
        with warnings.catch_warnings():
            # Without ipywidgets tqdm.auto warns and draws text, which is all that is wanted here.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm  # noqa: PLC0415 -- only who sees a bar pays for it
        octets = unit == "B"
        columns = _columns()

        class Bar(tqdm):  # type: ignore[type-arg]
            """What counts things counts them in whole numbers, with separators of thousands."""

            @property
            def format_dict(self) -> MutableMapping[str, Any]:
                told = super().format_dict
                if octets:
                    return told
                done, total, seconds = told["n"], told["total"], told["elapsed"]
                rate = told["rate"] or (done / seconds if seconds else 0)
                told["many"] = f"{done:,}/{total:,}" if total else f"{done:,} {unit}"
                told["speed"] = f"{rate:,.0f} {unit}/s" if rate else f"? {unit}/s"
                told["bar_format"] = told["bar_format"] or (_KNOWN if total else _UNKNOWN)
                return told

        self._bar: tqdm[Any] = Bar(
            total=total,
            unit=unit if octets else f" {unit}",
            unit_scale=octets,
            desc=desc if len(desc) <= columns // 3 else f"{desc[: columns // 3]}…",
            dynamic_ncols=True,
            bar_format=_BRIEF if columns < _NARROW else None,
        )

    def close(self) -> None:
        with self._lock:
            self._bar.close()

    def _advance(self, n: int) -> None:
        self._bar.update(n)

    def _retotal(self) -> None:
        # Only reset() tells the notebook's widget of a total; it also forgets what was done.
        started = self._bar.start_t
        self._bar.reset(self._total)
        self._bar.start_t = started
        self._bar.n = self._done
        self._bar.refresh()


class _Calls(Progress):
    """Calls the caller's function, not too often, and once more at the end."""

    def __init__(self, total: int | None, call: ProgressCall) -> None:
        super().__init__(total)
        self._call = call
        self._shown: tuple[int, int | None] | None = None
        self._next = 0.0
        self._advance(0)

    def close(self) -> None:
        with self._lock:
            self._show()

    def _advance(self, n: int) -> None:  # noqa: ARG002 -- the function is told the sum
        if time.monotonic() >= self._next:
            self._show()

    def _retotal(self) -> None:
        self._show()

    def _show(self) -> None:
        state = (self._done, self._total)
        if state != self._shown:
            self._shown = state
            self._next = time.monotonic() + SECONDS_BETWEEN_CALLS
            self._call(*state)


def open_progress(
    progress: ProgressOption, *, unit: str, total: int | None = None, desc: str = ""
) -> Progress:
    """Open the progress display that a reader's ``progress=`` asked for.

    Parameters
    ----------
    progress : callable, bool or None
        None draws a bar where a person looks on: in a notebook, or where standard error is a
        terminal. False draws none, True draws one wherever it is. A callable is called as
        ``progress(done, total)``: at the start, at most ten times a second, and at the end;
        `total` is None while it is unknown. What it raises ends the reading.
    unit : str
        What is counted: ``"B"`` for octets, otherwise a noun such as ``"messages"``.
    total : int, optional
        How much there is to do.
    desc : str, optional
        What stands before the bar.

    Returns
    -------
    Progress
        A context manager with ``update(n)``, ``total`` and ``close()``.
    """
    if callable(progress):
        return _Calls(total, progress)
    if progress or (progress is None and (_in_notebook() or _in_terminal())):
        return _Bar(total, unit=unit, desc=desc)
    return Progress(total)


def _in_terminal() -> bool:
    """Tell whether standard error is a terminal; it may be None, or closed."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _columns() -> int:
    """How wide the terminal is that the bar is drawn in; it may be told as 0."""
    told = os.get_terminal_size(sys.stderr.fileno()).columns if _in_terminal() else 0
    return told or _USUAL


def _in_notebook() -> bool:
    """Tell whether an IPython kernel runs this code, without importing IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
