"""The errors of mailframe, all of one tree.

::

    MailframeError                .account .folder where known; never a secret
    ├ ConfigurationError          a bad URL, glob, date, search key: told before a socket opens
    ├ TransportError              the network; fetching tries again
    │ ├ ConnectError              no connection could be opened
    │ ├ ConnectionLost            it ended, or can no longer be trusted
    │ └ ReadTimeout               the server fell silent
    ├ ProtocolError               the server broke the rules beyond repair
    ├ CommandError                the server answered NO or BAD: .status .code .text
    │ ├ AuthenticationError       to the login
    │ ├ FolderError               to the folder
    │ └ ThrottledError            with a wish to be left alone for a while
    └ StoreError                  a header store that cannot be read or written

    Interrupted                   a KeyboardInterrupt, told as briefly as the others
    MailframeWarning              what ``errors="warn"`` emits: once, with a count and where to look
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a person can do where the system has no more of something.
_HINTS = {
    errno.ENOSPC: "; free some space and try again",
    errno.EDQUOT: "; your quota is used up",
    errno.EMFILE: "; close some files, or allow this process more of them (ulimit -n)",
    errno.ENFILE: "; close some files: the whole system has no more of them",
}
_HERE = f"{Path(__file__).parent}{os.sep}"
# Whose frames may stand between a caller and the place where something is noticed.
_BETWEEN = {"asyncio", "concurrent", "contextlib", "mailframe", "nest_asyncio", "nest_asyncio2"}


class MailframeError(Exception):
    """Base of every error that mailframe raises on purpose.

    IPython and notebooks show the caller's line and the sentence: their tracebacks of a refused
    password are two hundred lines, with the sentence at the end. The rest is there for who asks:
    with ``MAILFRAME_DEBUG=1`` in the environment, and by ``__cause__`` as ever.

    Parameters
    ----------
    message : str
        One sentence for a person, with a hint where there is one.
    account, folder : str, optional
        Where it happened, without any secret.
    """

    def __init__(
        self, message: str, *, account: str | None = None, folder: str | None = None
    ) -> None:
        super().__init__(message)
        self.account = account
        self.folder = folder

    def _render_traceback_(self) -> list[str]:
        return _brief(self)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or an interrupt of the kernel, while we were reading: told as briefly."""

    def _render_traceback_(self) -> list[str]:
        return _brief(self)


def _brief(error: BaseException) -> list[str]:
    """Show the caller's line and the sentence, as IPython asks for it."""
    if os.environ.get("MAILFRAME_DEBUG", "0") not in {"", "0"}:
        return traceback.format_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    kind = type(error)
    sentence = "".join(traceback.format_exception_only(kind, error)).rstrip()
    sentence = sentence.removeprefix(f"{kind.__module__}.")
    inside = [index for index, frame in enumerate(frames) if frame.filename.startswith(_HERE)]
    outside = frames[: inside[0]] if inside else frames
    told = [f"{_place(outside[-1])}\n    {outside[-1].line}\n"] if outside else []
    return [*told, sentence, "(MAILFRAME_DEBUG=1 in the environment shows the way to it.)"]


class ConfigurationError(MailframeError, ValueError):
    """What the caller asked for makes no sense; nothing was sent."""


class TransportError(MailframeError):
    """The network failed."""


class ConnectError(TransportError):
    """No connection: unknown host, refused port, failed TLS."""


class ConnectionLost(TransportError):  # noqa: N818 -- an event's name, as in the standard library
    """The connection ended, or what it carries can no longer be trusted."""


class ReadTimeout(TransportError):  # noqa: N818 -- the field's standard term
    """Nothing arrived for as long as the caller was willing to wait."""


class ProtocolError(MailframeError):
    """The server broke the protocol beyond repair; the excerpt is short and redacted."""


class CommandError(MailframeError):
    """The server answered a command NO or BAD.

    Parameters
    ----------
    status : str
        ``"NO"``, ``"BAD"`` or ``"BYE"``.
    code : str
        The response code's name, upper case, such as ``"TRYCREATE"``; empty where there is none.
    text : str
        The server's own words.
    """

    def __init__(
        self,
        message: str,
        *,
        status: str = "NO",
        code: str = "",
        text: str = "",
        account: str | None = None,
        folder: str | None = None,
    ) -> None:
        super().__init__(message, account=account, folder=folder)
        self.status = status
        self.code = code
        self.text = text


class AuthenticationError(CommandError):
    """The server refused the login."""


class FolderError(CommandError):
    """The server refused a folder."""


class ThrottledError(CommandError):
    """The server asked for a pause."""


class StoreError(MailframeError):
    """A header store is damaged, locked, foreign or newer than this program."""


class MailframeWarning(UserWarning):
    """Something was left out or mended; the frame's report says what."""


def _place(frame: traceback.FrameSummary) -> str:
    """Say where a line of code stands: in which cell, or else in which file."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    named = shell.compile.format_code_name(frame.filename) if shell else None
    where = " ".join(named) if named else f"File {frame.filename}"
    return f"{where}, line {frame.lineno}"


def because(error: OSError) -> str:
    """Tell why the system refused something, with what helps where anything does."""
    hint = _HINTS.get(error.errno or 0, "")
    return f"{error.strerror or error}{hint}"


def first_of(problems: Sequence[object]) -> str:
    """Tell the first of some problems, and how many more there are."""
    first, more = str(problems[0]), len(problems) - 1
    return f"{first.removesuffix('.')} (and {more} more problems)" if more else first


def warn(text: str) -> None:
    """Emit a `MailframeWarning` at the caller's line, however deep in here it was noticed."""
    level, frame = 1, sys._getframe()  # noqa: SLF001 -- what warnings itself counts by
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, MailframeWarning, stacklevel=level)
