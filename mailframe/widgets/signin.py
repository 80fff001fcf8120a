"""Logging in by OAuth 2.0 within a form: what to open, and where to paste what comes of it.

Who logs in is handed in and works in a thread: what it tells is shown, and where it asks, a field
appears. What is pasted holds a code, so it goes the way of a password.
"""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as ipw
import traitlets

from mailframe.accounts.secret import Secret
from mailframe.errors import MailframeError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class WayIn:
    """What is known of an address before anything is sent.

    Attributes
    ----------
    hint : str
        What lets it in, for a person.
    logged_in : bool
        Whether it needs no password.
    only_login : bool
        Whether no password would serve.
    """

    hint: str = ""
    logged_in: bool = False
    only_login: bool = False


class LogIn(Protocol):
    """Logs an address in; `say` and `ask` are called in any thread."""

    async def __call__(
        self,
        address: str,
        client: str,
        say: Callable[[str], object],
        ask: Callable[[str], str],
        ended: threading.Event,
    ) -> None:
        """Come back when it is logged in."""


class Password(ipw.Password):  # type: ignore[misc]  # ipywidgets is untyped
    """A field whose text goes into the kernel and nowhere else.

    A notebook saves the state of its widgets, as the browser has it. So the browser sets none
    before the field is left, and what the kernel then gets it keeps in a ``Secret`` and answers
    with an empty field; its own state never tells the text.
    """

    value = traitlets.Unicode().tag(sync=True, echo_update=False, to_json=lambda *_: "")

    def __init__(self, empty: str = "stays in this kernel, is not kept") -> None:
        self.secret: Secret | None = None
        self._empty = empty
        super().__init__(continuous_update=False)
        self.forget()
        self.observe(self._take, "value")

    def forget(self) -> None:
        """Ask again."""
        self.secret = None
        self.placeholder = self._empty

    def _take(self, _change: object) -> None:
        if self.value:
            self.secret = Secret(self.value)
            self.placeholder = "taken; write it again to change it"
            self.value = ""


class SignIn(ipw.VBox):  # type: ignore[misc]  # as above
    """A log-in, from its button to the sentence that it is done.

    Parameters
    ----------
    log_in : LogIn
        What logs in.
    client : str
        The application to begin with.

    Attributes
    ----------
    address : str
        Who is to be logged in.
    busy : bool
        Whether somebody is being logged in now.
    done : int
        Counts the log-ins that succeeded.
    """

    address = traitlets.Unicode()
    busy = traitlets.Bool(default_value=False)
    done = traitlets.Int()

    def __init__(self, log_in: LogIn, client: str = "") -> None:
        self._log_in = log_in
        self._task: asyncio.Task[None] | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._client = ipw.Text(client, placeholder="application ID, or its JSON file")
        self._said = ipw.HTML().add_class("mf-told")
        self._pasted = Password("the address, or its code")
        self._continue = ipw.Button(description="Continue").add_class("mf-button")
        self._begin = ipw.Button(description="Log in").add_class("mf-button")
        self._stop = ipw.Button(description="Stop").add_class("mf-button")
        self._answer = ipw.HBox([self._pasted, self._continue]).add_class("mf-answer")
        self._begin.on_click(lambda _: self.begin())
        self._stop.on_click(lambda _: self.cancel())
        # What is pasted comes when the field is left or Enter pressed, the button before or after.
        self._pasted.observe(lambda _: self._hand_over(), "value")
        self._continue.on_click(lambda _: self._hand_over())
        buttons = ipw.HBox([self._begin, self._stop])
        super().__init__([self._client, buttons, self._said, self._answer])
        self.add_class("mf-signin").add_class("mf-submits")
        self._follow()
        self.observe(self._of_another, "address")

    def _of_another(self, _change: object) -> None:
        if not self.busy:
            self._said.value = ""

    def begin(self) -> None:
        """Begin a log-in."""
        if self.busy:
            return
        self.busy = True
        self._said.value = ""
        self._follow()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Break the log-in off."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        ended = threading.Event()
        self._answers = queue.SimpleQueue()
        loop, answers = asyncio.get_running_loop(), self._answers

        def say(text: str) -> None:
            loop.call_soon_threadsafe(self._tell, text)

        def ask(_prompt: str) -> str:
            loop.call_soon_threadsafe(self._want, True)  # noqa: FBT003 -- call_soon has no names
            answer = answers.get()
            if answer is None:
                raise EOFError
            return answer

        try:
            await self._log_in(self.address, self._client.value.strip(), say, ask, ended)
        except asyncio.CancelledError:
            self._said.value = "Cancelled."
        except MailframeError as error:
            told = re.sub(_CLIENT, ", and write it above", str(error))
            self._said.value = f'<em role="alert">{linked(told)}</em>'
        else:
            self._said.value = ""
            self.done += 1
        finally:
            ended.set()
            answers.put(None)  # who still waits for an answer gets none
            self._task = None
            self.busy = False
            self._want(wanted=False)
            self._follow()

    def _tell(self, text: str) -> None:
        if self.busy:
            self._said.value = linked(text)

    def _want(self, wanted: bool) -> None:
        self._answer.layout.display = "" if wanted and self.busy else "none"
        self._pasted.forget()

    def _hand_over(self) -> None:
        given = self._pasted.secret
        if given is not None:
            self._want(wanted=False)
            self._answers.put(given.reveal())

    def _follow(self) -> None:
        self._begin.disabled = self.busy
        self._client.disabled = self.busy
        self._stop.layout.display = "" if self.busy else "none"
        if not self.busy:
            self._answer.layout.display = "none"
        for button, leads in ((self._begin, not self.busy), (self._continue, self.busy)):
            (button.add_class if leads else button.remove_class)("mf-goes")


_CLIENT = r": mailframe login ADDRESS --client \w+"  # what a terminal is told
_ADDRESS = re.compile(r"https://[^\s<>\"']+[^\s<>\"'.,;)]")


def linked(text: str) -> str:
    """Write text as HTML, with its addresses to click on: they open beside the notebook."""

    def link(found: re.Match[str]) -> str:
        url = escape(found[0])
        shown = url if len(url) <= 60 else f"{url.partition('?')[0]}…"  # noqa: PLR2004 -- a line
        return f'<a href="{url}" target="_blank" rel="noopener noreferrer">{shown}</a>'

    parts_of, last = [], 0
    for found in _ADDRESS.finditer(text):
        parts_of += [escape(text[last : found.start()]), link(found)]
        last = found.end()
    return "".join([*parts_of, escape(text[last:])]).replace("\n", "<br>")


def shown(widget: Any, *, when: bool) -> None:  # noqa: ANN401 -- as above
    """Show a widget, or not."""
    widget.layout.display = "" if when else "none"
