"""The form for those who do not write code: an account in, an explorer out.

What fetches and what logs in is handed in (``mailframe.connect`` knows the readers), so nothing
here opens a socket. The fetch is a task of the notebook's own event loop: the page stays alive, and
Cancel cancels it. What is wrong is told below the field where it can be mended.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import ipywidgets as ipw
import traitlets

from mailframe.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    FolderError,
    MailframeError,
)
from mailframe.widgets import parts
from mailframe.widgets.explorer import Explorer
from mailframe.widgets.signin import LogIn, Password, SignIn, WayIn, linked, shown
from mailframe.widgets.stage import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import pandas as pd

    Fetch = Callable[..., Coroutine[Any, Any, pd.DataFrame]]

# What our errors advise a program to do → what does the same here, where there are fields.
_ADVICE = (
    (r"pass password=", "type it above"),
    (
        r"This is not an IMAP URL; write imaps://USER@HOST, .* or use mailframe\.Account",
        "There is no such server: write a name such as imap.example.org, or imap://localhost:1143.",
    ),
    (r"if you know it, write imaps://USER@HOST", "if you know it, write it above"),
    (r"mailframe login \S+", 'with "Log in instead"'),
)
SHOWN_EVERY = 0.1  # seconds between two steps of the bar: a person sees no more


class Line(ipw.HBox):  # type: ignore[misc]  # ipywidgets is untyped
    """A field with its name before it, and below it what is wrong with it."""

    def __init__(self, name: str, field: ipw.Widget, *more: ipw.Widget) -> None:
        self._field = field
        self._told = ipw.HTML().add_class("mf-told")
        shown(self._told, when=False)
        beside = ipw.VBox([field, *more, self._told]).add_class("mf-entry")
        super().__init__([ipw.HTML(f"<label>{name}</label>"), beside])
        self.add_class("mf-field")

    @property
    def wrong(self) -> str:
        """What is wrong, as HTML; empty where nothing is."""
        told: str = self._told.value
        return told

    def tell(self, sentence: str = "") -> None:
        """Say what is wrong with the field, or that nothing is."""
        self._told.value = parts.problem(sentence) if sentence else ""
        shown(self._told, when=bool(sentence))
        (self._field.add_class if sentence else self._field.remove_class)("mf-wrong")


class Connect(Application):
    """Ask for an account, fetch its headers with a live bar, and become an explorer.

    Parameters
    ----------
    read, list_folders : coroutine functions
        What fetches: ``mailframe.aread_imap`` and ``mailframe.alist_folders``.
    host, user, client : str
        To begin with.
    way_in : callable, optional
        Tells what lets an address in, without asking anybody.
    log_in : LogIn, optional
        What logs an address in by OAuth 2.0.

    Attributes
    ----------
    explorer : Explorer or None
        The explorer once mail has been fetched, and None before.
    state : str
        ``"idle"``, ``"listing"`` or ``"fetching"``.
    """

    explorer = traitlets.Instance(Explorer, allow_none=True)
    state = traitlets.Unicode("idle")

    def __init__(
        self,
        read: Fetch,
        list_folders: Fetch,
        host: str = "",
        user: str = "",
        *,
        client: str = "",
        way_in: Callable[[str], WayIn] = lambda _: WayIn(),
        log_in: LogIn | None = None,
    ) -> None:
        self._read = read
        self._list = list_folders
        self._way_in = way_in
        self._task: asyncio.Task[None] | None = None
        self._shown = 0.0
        self._host = ipw.Text(host, placeholder="found by the address")
        self._user = ipw.Text(user, placeholder="ann@example.org")
        self._hint = ipw.HTML().add_class("mf-told")
        self._password = Password()
        self._since = ipw.DatePicker()
        self._folders = parts.Folders()
        self._no_folders = ipw.HTML("All folders. List them to choose.").add_class("mf-told")
        self._bar = ipw.IntProgress(min=0, max=1)
        self._said = ipw.HTML().add_class("mf-told")
        self._instead = ipw.ToggleButton(description="Log in instead").add_class("mf-instead")
        self._signin = SignIn(log_in, client) if log_in is not None else None
        self._buttons = {
            name: ipw.Button(description=text).add_class("mf-button")
            for name, text in (("list", "List folders"), ("fetch", "Fetch"), ("cancel", "Cancel"))
        }
        self._lines = {
            "server": Line("Server", self._host),
            "user": Line("User", self._user, self._hint),
            "password": Line("Password", self._password),
            "log-in": Line("Log-in", self._instead, *([self._signin] if self._signin else [])),
            "since": Line("Since", self._since),
            "folders": Line("Folders", ipw.VBox([self._no_folders, self._folders])),
        }
        self._buttons["fetch"].add_class("mf-primary").add_class("mf-goes")
        self._buttons["list"].on_click(lambda _: self._start("listing", self._list_folders))
        self._buttons["fetch"].on_click(lambda _: self._start("fetching", self._fetch))
        self._buttons["cancel"].on_click(lambda _: self.cancel())
        for named in (self._host, self._user):  # another account has other folders
            named.observe(self._forget_folders, "value")
            named.observe(self._look, "value")
        self._instead.observe(self._look, "value")
        if self._signin is not None:
            self._signin.observe(self._logged_in, "done")
        super().__init__([parts.Page(), self._form()])
        self.add_class("mailframe").add_class("mf-connect")
        self._look()
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
        user, host = self._user.value.strip(), self._host.value.strip()
        for line in self._lines.values():
            line.tell()
        if not user:
            self._lines["user"].tell("Fill in your address, or a user name and its server.")
        elif not host and "@" not in user:  # of an address the server is found
            self._lines["server"].tell("Fill in the server of this user, or an address below.")
        if any(line.wrong for line in self._lines.values()):
            return
        self.state = state
        self._task = asyncio.get_running_loop().create_task(self._guard(work()))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            self._said.value = "Cancelled."
        except MailframeError as error:
            self._said.value = ""
            place = self._place(error)
            if isinstance(error, AuthenticationError):
                self._password.forget()
                self._look()
            sentence = str(error)
            for advice, here in _ADVICE:
                sentence = re.sub(advice, here, sentence)
            if place is None:
                self._said.value = parts.problem(sentence)
            else:
                self._lines[place].tell(sentence)
        finally:
            self._task = None
            self.state = "idle"

    def _place(self, error: MailframeError) -> str | None:
        """Tell below which field a person can mend what is wrong; None: nowhere."""
        entry = "log-in" if self._lines["password"].layout.display == "none" else "password"
        match error:
            case AuthenticationError():
                return entry
            case FolderError():
                return "folders"
            case ConfigurationError() if "password" in str(error):
                return entry
            case ConfigurationError() | ConnectError():
                return "server" if self._host.value.strip() else "user"
            case _:
                return None

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

    # -- the way in -----------------------------------------------------------------------------

    def _look(self, _change: object = None) -> None:
        """Show what lets this address in; an account of a named server has its password."""
        address = "" if self._host.value.strip() else self._user.value.strip()
        way = self._way_in(address) if "@" in address else WayIn()
        can = self._signin is not None and "@" in address
        open_now = can and not way.logged_in and (way.only_login or self._instead.value)
        self._hint.value = linked(way.hint)
        shown(self._hint, when=bool(way.hint))
        shown(self._lines["password"], when=not (way.logged_in or open_now))
        shown(self._lines["log-in"], when=can and not way.logged_in)
        shown(self._instead, when=not way.only_login)
        if self._signin is not None:
            self._signin.address = address
            shown(self._signin, when=open_now)

    def _logged_in(self, _change: object) -> None:
        for line in self._lines.values():
            line.tell()
        self._password.forget()
        self._look()

    # -- the screen -----------------------------------------------------------------------------

    def _form(self) -> ipw.VBox:
        buttons = ipw.HBox(list(self._buttons.values())).add_class("mf-buttons")
        lines = ipw.VBox([*self._lines.values(), buttons, self._bar, self._said])
        return lines.add_class("mf-form").add_class("mf-submits")

    def _follow(self, _change: object = None) -> None:
        busy = self.state != "idle"
        for name, button in self._buttons.items():
            button.disabled = busy != (name == "cancel")
        shown(self._buttons["cancel"], when=busy)
        shown(self._bar, when=self.state == "fetching")
        shown(self._no_folders, when=not self._folders.nodes)
