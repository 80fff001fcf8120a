"""The form for those who do not write code: an account in, an explorer out.

What fetches is handed in (``mailframe.connect`` knows the readers), so nothing here opens a
socket. The fetch is a task of the notebook's own event loop: the page stays alive, and Cancel
cancels it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import ipywidgets as ipw
import traitlets

from mailframe.errors import AuthenticationError, MailframeError
from mailframe.secret import Secret
from mailframe.widgets import parts
from mailframe.widgets.explorer import Explorer
from mailframe.widgets.stage import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import pandas as pd

    Fetch = Callable[..., Coroutine[Any, Any, pd.DataFrame]]

# What our errors advise a program to do → what does the same here, where there are fields.
_ADVICE = {
    "pass password=": "type it above",
    "This is not an IMAP URL; write imaps://USER@HOST, with %40 for an @ inside USER, or use "
    "mailframe.Account": "There is no such server: write a name such as imap.example.org, or its "
    "URL, such as imap://localhost:1143.",
}
SHOWN_EVERY = 0.1  # seconds between two steps of the bar: a person sees no more


class Password(ipw.Password):  # type: ignore[misc]  # as below
    """A field whose text goes into the kernel and nowhere else.

    A notebook saves the state of its widgets, as the browser has it. So the browser sets none
    before the field is left, and what the kernel then gets it keeps in a ``Secret`` and answers
    with an empty field; its own state never tells the text.
    """

    value = traitlets.Unicode().tag(sync=True, echo_update=False, to_json=lambda *_: "")

    def __init__(self) -> None:
        self.secret: Secret | None = None
        super().__init__(continuous_update=False)
        self.forget()
        self.observe(self._take, "value")

    def forget(self) -> None:
        """Ask for a password again."""
        self.secret = None
        self.placeholder = "stays in this kernel, is not kept"

    def _take(self, _change: object) -> None:
        if self.value:
            self.secret = Secret(self.value)
            self.placeholder = "taken; write it again to change it"
            self.value = ""


class Connect(Application):
    """Ask for an account, fetch its headers with a live bar, and become an explorer.

    Parameters
    ----------
    read, list_folders : coroutine functions
        What fetches: ``mailframe.aread_imap`` and ``mailframe.alist_folders``.
    host, user : str
        To begin with.

    Attributes
    ----------
    explorer : Explorer or None
        The explorer once mail has been fetched, and None before.
    state : str
        ``"idle"``, ``"listing"`` or ``"fetching"``.
    """

    explorer = traitlets.Instance(Explorer, allow_none=True)
    state = traitlets.Unicode("idle")

    def __init__(self, read: Fetch, list_folders: Fetch, host: str = "", user: str = "") -> None:
        self._read = read
        self._list = list_folders
        self._task: asyncio.Task[None] | None = None
        self._shown = 0.0
        self._host = ipw.Text(host, placeholder="found by the address")
        self._user = ipw.Text(user, placeholder="ann@example.org")
        self._password = Password()
        self._since = ipw.DatePicker()
        self._folders = parts.Folders()
        self._no_folders = ipw.HTML("All folders. List them to choose.").add_class("mf-told")
        self._bar = ipw.IntProgress(min=0, max=1)
        self._said = ipw.HTML().add_class("mf-told")
        self._buttons = {
            name: ipw.Button(description=text).add_class("mf-button")
            for name, text in (("list", "List folders"), ("fetch", "Fetch"), ("cancel", "Cancel"))
        }
        self._buttons["fetch"].add_class("mf-primary")
        self._buttons["list"].on_click(lambda _: self._start("listing", self._list_folders))
        self._buttons["fetch"].on_click(lambda _: self._start("fetching", self._fetch))
        self._buttons["cancel"].on_click(lambda _: self.cancel())
        for named in (self._host, self._user):  # another account has other folders
            named.observe(self._forget_folders, "value")
        super().__init__([parts.Page(), self._form()])
        self.add_class("mailframe").add_class("mf-connect")
        self._follow()
        self.observe(self._follow, "state")

    def __repr__(self) -> str:
        """Say in a line what a notebook would show."""
        return f"<Connect: {self.state}; shown by a notebook>"

    def cancel(self) -> None:
        """End the listing or the fetch; its connections are closed."""
        if self._task is not None:
            self._task.cancel()

    def account(self) -> str:
        """Give the account's URL, or its address alone where no server is named.

        A host without a scheme is asked over TLS.
        """
        user = self._user.value.strip()
        scheme, _, host = self._host.value.strip().rpartition("://")
        return f"{scheme or 'imaps'}://{quote(user, safe='')}@{host.rstrip('/')}" if host else user

    # -- what happens ---------------------------------------------------------------------------

    def _start(self, state: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._said.value = ""
        fields = {"server": self._host, "user": self._user}
        missing = [name for name, box in fields.items() if not box.value.strip()]
        if "@" in self._user.value:  # an address: its server is found
            missing = []
        for name, box in fields.items():
            (box.add_class if name in missing else box.remove_class)("mf-wrong")
        if missing:
            self._said.value = parts.problem(f"Fill in the {' and the '.join(missing)}.")
            return
        self.state = state
        self._task = asyncio.get_running_loop().create_task(self._guard(work()))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            self._said.value = "Cancelled."
        except MailframeError as error:
            if isinstance(error, AuthenticationError):
                self._password.forget()
            sentence = str(error)
            for advice, here in _ADVICE.items():
                sentence = sentence.replace(advice, here)
            self._said.value = parts.problem(sentence)
        finally:
            self._task = None
            self.state = "idle"

    async def _list_folders(self) -> None:
        listed = await self._list(self.account(), password=self._password.secret)
        listed = listed[listed["selectable"]]
        self._folders.nodes = parts.tree(listed["folder"])
        counts = listed["messages"].fillna(0).astype(int)
        self._folders.counts = dict(zip(listed["folder"], counts.tolist(), strict=True))
        self._follow()

    def _forget_folders(self, _change: object) -> None:
        self._folders.set_trait("chosen", [])
        self._folders.set_trait("nodes", [])
        self._follow()

    async def _fetch(self) -> None:
        self._progress(0, None)
        df = await self._read(
            self.account(),
            password=self._password.secret,
            folders=list(self._folders.chosen) or None,
            since=self._since.value,
            errors="ignore",
            progress=self._progress,
        )
        self._password.forget()
        self.explorer = Explorer(df)
        problems = df.attrs.get("mailframe", {}).get("problems", [])
        if problems:
            self.explorer.problem = (
                f"Problems while fetching: {len(problems)}. The first: {problems[0]['text']}. "
                'All are in explorer.data.attrs["mailframe"].'
            )
        # The explorer brings its own style.
        self.children = [self.explorer]

    def _progress(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if 0 < done < (total or done + 1) and now - self._shown < SHOWN_EVERY:
            return
        self._shown = now
        self._bar.max = total or max(done, 1)
        self._bar.value = done
        of = f" of {total:,}" if total else ""
        self._said.value = f"{done:,}{of} messages"

    # -- the screen -----------------------------------------------------------------------------

    def _form(self) -> ipw.VBox:
        fields = [
            ("Server", self._host),
            ("User", self._user),
            ("Password", self._password),
            ("Since", self._since),
            ("Folders", ipw.VBox([self._no_folders, self._folders])),
        ]
        lines = [
            ipw.HBox([ipw.HTML(f"<label>{name}</label>"), widget]).add_class("mf-field")
            for name, widget in fields
        ]
        buttons = ipw.HBox(list(self._buttons.values())).add_class("mf-buttons")
        return ipw.VBox([*lines, buttons, self._bar, self._said]).add_class("mf-form")

    def _follow(self, _change: object = None) -> None:
        busy = self.state != "idle"
        for name, button in self._buttons.items():
            button.disabled = busy != (name == "cancel")
        self._buttons["cancel"].layout.display = "" if busy else "none"
        self._bar.layout.display = "" if self.state == "fetching" else "none"
        self._no_folders.layout.display = "none" if self._folders.nodes else ""
