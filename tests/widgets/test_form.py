"""The form's own part in a fetch, with readers that do as told; the applications have real ones."""

import asyncio
import io
import json

import ipywidgets as ipw
import pandas as pd
import pytest

from mailframe.accounts.account import Account
from mailframe.errors import AuthenticationError, ConfigurationError, ConnectError, FolderError
from mailframe.readers.server import aread_imap
from mailframe.widgets import parts
from mailframe.widgets.form import Connect
from mailframe.widgets.signin import WayIn, linked
from tests.widgets.frames import make


def fetched(read, press=None, host="imap.example.org", user="ann@example.org", within=10):
    """The form after Fetch was pressed, and `press(form)` as soon as the fetch is under way."""

    async def session():
        form = Connect(read, listed, host, user)
        form._password.value = "secret"
        form._buttons["fetch"].click()
        fetch = form._task
        await asyncio.sleep(0)
        if press:
            press(form)
        await asyncio.wait_for(fetch, within)
        return form

    return asyncio.run(session())


async def listed(_account, **_options):
    return pd.DataFrame()


def test_a_fetch_asks_for_what_the_form_says_and_ends_in_an_explorer():
    asked = {}

    async def read(account, **options):
        asked.update(options, account=account)
        options["progress"](3, 10)
        return make(10)

    form = fetched(read)
    assert asked["account"] == "imaps://ann%40example.org@imap.example.org"
    assert asked["password"].reveal() == "secret"
    assert (asked["folders"], asked["since"]) == (None, None)
    assert form.explorer.count == 10
    assert form.children == (form.explorer,)
    assert form._password.secret is None


@pytest.mark.parametrize("error", [AuthenticationError("no"), ConfigurationError("no")])
def test_no_state_of_the_form_tells_the_password(error):
    """Neither in the kernel's state of any widget nor in what it sends: that is what is saved."""

    async def read(_account, **_options):
        tell(form)
        raise error

    told = []

    def tell(form):
        state = json.dumps(ipw.Widget.get_manager_state(), default=str)
        told.append(state + json.dumps(sent, default=str) + repr(form) + repr(form._password))

    async def session():
        form._password.set_state({"value": "hunter2"})  # as from a browser
        assert form._password.secret.reveal() == "hunter2"
        tell(form)
        form._buttons["list"].click()
        await asyncio.wait_for(form._task, 10)
        tell(form)
        form._buttons["fetch"].click()
        await asyncio.wait_for(form._task, 10)
        tell(form)

    sent = []
    form = Connect(read, read, "imap.example.org", "ann")
    form._password._send = lambda message, **_: sent.append(message)
    asyncio.run(session())
    assert len(told) >= 4
    assert not [text for text in told if "hunter2" in text]
    assert sent[0]["state"]["value"] == "", "the browser's field is emptied too"
    assert (form._password.secret is None) == isinstance(error, AuthenticationError)


def test_what_could_not_be_read_is_told_above_what_could():
    async def read(_account, **_options):
        mail = make(10)
        mail.attrs["mailframe"] = {"problems": [{"text": "<b>Sent</b> is locked"}]}
        return mail

    explorer = fetched(read).explorer
    assert "Problems while fetching: 1. The first: <b>Sent</b> is locked." in explorer.problem
    assert "&lt;b&gt;Sent" in explorer._said.value


def test_an_error_is_told_and_the_form_stays():
    async def read(_account, **_options):
        raise AuthenticationError("ann may not come in")

    form = fetched(read)
    assert "ann may not come in" in form._lines["password"].wrong
    assert form.explorer is None
    assert not form._buttons["fetch"].disabled


def test_what_is_not_filled_in_is_asked_for_before_anything_is_sent():
    form = Connect(listed, listed)
    form._buttons["fetch"].click()
    assert "Fill in your address" in form._lines["user"].wrong
    form._user.value = "ann"
    form._buttons["list"].click()
    assert "Fill in the server" in form._lines["server"].wrong
    assert not form._lines["user"].wrong
    assert form.state == "idle"


@pytest.mark.parametrize(
    ("error", "host", "place"),
    [
        (AuthenticationError("no"), "imap.example.org", "password"),
        (ConfigurationError("Give a password"), "imap.example.org", "password"),
        (ConnectError("There is no host"), "imap.example.org", "server"),
        (ConnectError("No IMAP server was found"), "", "user"),
        (ConfigurationError("There is no domain example.org"), "", "user"),
        (FolderError("INBOX is locked"), "imap.example.org", "folders"),
    ],
)
def test_what_is_wrong_is_told_where_it_can_be_mended_until_the_next_try(error, host, place):
    failing = [True]

    async def read(_account, **_options):
        if failing:
            raise error
        return make(3)

    async def session():
        form = Connect(read, listed, host, "ann@example.org")
        form._buttons["fetch"].click()
        await asyncio.wait_for(form._task, 10)
        wrong = [name for name, line in form._lines.items() if line.wrong]
        failing.clear()
        form._buttons["fetch"].click()
        await asyncio.wait_for(form._task, 10)
        return wrong, [name for name, line in form._lines.items() if line.wrong]

    assert asyncio.run(session()) == ([place], [])


def no_password(monkeypatch, tmp_path):
    """What an account without a password says where nobody can be asked."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MAILFRAME_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(ConfigurationError) as raised:
        Account.parse("imap://ann@127.0.0.1").with_password()
    return raised.value


def test_a_missing_password_is_asked_for_where_it_is_typed(monkeypatch, tmp_path):
    error = no_password(monkeypatch, tmp_path)

    async def read(_account, **_options):
        raise error

    told = fetched(read)._lines["password"].wrong
    assert "type it above" in told
    assert "password=" not in told


def test_a_server_that_cannot_be_one_is_asked_for_as_a_field_has_it():
    async def read(account, **_options):
        Account.parse(account)

    told = fetched(read, host="https://mail.example.org")._lines["server"].wrong
    assert "write a name such as imap.example.org" in told
    assert "USER" not in told


def test_of_an_address_alone_the_server_is_found():
    asked = []

    async def read(account, **_options):
        asked.append(account)
        return make(3)

    form = fetched(read, host="")
    assert asked == ["ann@example.org"]
    assert form.explorer.count == 3


def test_an_address_whose_server_nobody_knows_is_told_in_the_form():
    form = fetched(aread_imap, host="", user="ann@nowhere.invalid", within=30)
    assert "nowhere.invalid" in form._lines["user"].wrong
    assert "USER" not in form._lines["user"].wrong
    assert form.state == "idle"


def test_another_account_does_not_show_the_folders_of_the_last():
    form = Connect(listed, listed, "imap.example.org", "ann")
    form._folders.nodes = parts.tree(["INBOX", "Sent"])
    form._folders.chosen = ["Sent"]
    form._host.value = "imap.example.com"
    assert (form._folders.nodes, form._folders.chosen) == ([], [])
    assert form._no_folders.layout.display == ""


def test_cancel_cancels_the_fetch_itself():
    ended = []

    async def read(_account, **_options):
        try:
            await asyncio.sleep(600)
        finally:
            ended.append(True)

    form = fetched(read, press=lambda form: form._buttons["cancel"].click())
    assert ended == [True]
    assert form._said.value == "Cancelled."


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("imap.example.org", "imaps://ann@imap.example.org"),
        ("imap.example.org:1993", "imaps://ann@imap.example.org:1993"),
        (" imap://127.0.0.1:1143/ ", "imap://ann@127.0.0.1:1143"),
    ],
)
def test_a_host_without_a_scheme_is_asked_over_tls(host, url):
    assert Connect(listed, listed, host, "ann").account() == url


# Logging in instead of a password ---------------------------------------------------------------


def visible(widget):
    return widget.layout.display != "none"


def ways(address):
    known = {
        "ann@only.example": WayIn("It takes no passwords.", only_login=True),
        "ann@in.example": WayIn("ann@in.example is logged in.", logged_in=True),
    }
    return known.get(address, WayIn())


@pytest.mark.parametrize(
    ("user", "host", "password", "log_in"),
    [
        ("ann@example.org", "", True, True),
        ("ann@only.example", "", False, True),
        ("ann@in.example", "", False, False),
        ("ann@only.example", "imap.only.example", True, False),  # a server that somebody names
        ("ann", "imap.example.org", True, False),
    ],
)
def test_the_form_asks_for_what_lets_an_address_in(user, host, password, log_in):
    form = Connect(listed, listed, way_in=ways, log_in=lambda *_: None)
    form._host.value = host
    form._user.value = user
    assert (visible(form._lines["password"]), visible(form._lines["log-in"])) == (password, log_in)
    assert form._hint.value == (ways(user).hint if not host else "")
    form._instead.value = True
    assert visible(form._lines["password"]) == (password and not log_in)


def signing_in(log_in, act):
    """The form's log-in after `act(signin)`; and what any widget's state told meanwhile."""
    told = []

    async def session():
        form = Connect(listed, listed, "", "ann@only.example", way_in=ways, log_in=log_in)
        signin = form._signin
        signin.begin()
        await act(signin)
        told.append(json.dumps(ipw.Widget.get_manager_state(), default=str))
        await asyncio.wait_for(signin._task or asyncio.sleep(0), 10)
        return form

    return asyncio.run(session()), told


async def until(condition):
    while not condition():  # noqa: ASYNC110 -- of several traits, and of what hangs on them
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("page", ["https://login.example/a?b=c&d=%22e", "https://x.example/device"])
def test_a_log_in_shows_where_to_go_and_takes_what_is_pasted(page):
    asked = []

    async def log_in(address, client, say, ask, ended):
        asked.append((address, client))
        await asyncio.to_thread(say, f"Open this page:\n{page}")
        asked.append(await asyncio.to_thread(ask, "Paste"))

    async def act(signin):
        await until(lambda: visible(signin._answer))
        assert f'href="{page.replace("&", "&amp;")}"' in signin._said.value
        signin._pasted.set_state({"value": "https://127.0.0.1/?code=hunter2"})  # as from a browser
        signin._continue.click()

    form, told = signing_in(log_in, act)
    assert asked == [("ann@only.example", ""), "https://127.0.0.1/?code=hunter2"]
    assert form._signin.done == 1
    assert not visible(form._signin._answer)
    assert "hunter2" not in told[0]


def test_a_log_in_that_is_declined_says_so_and_can_be_tried_again():
    async def log_in(_address, client, *_):
        raise ConfigurationError(
            f"A client is missing {client}: mailframe login ADDRESS --client ID"
        )

    async def act(signin):
        await until(lambda: not signin.busy)
        assert "write it above" in signin._said.value
        signin._client.value = " 1234 "
        signin.begin()
        await until(lambda: "1234" in signin._said.value)

    assert signing_in(log_in, act)[0]._signin.done == 0


def test_a_log_in_that_is_broken_off_waits_for_nobody():
    seen = []

    async def log_in(_address, _client, _say, ask, ended):
        def wait():
            with pytest.raises(EOFError):
                ask("Paste")
            seen.append(ended.wait(10))

        await asyncio.to_thread(wait)

    async def act(signin):
        await until(lambda: visible(signin._answer))
        signin.cancel()
        await until(lambda: not signin.busy)

    form, _ = signing_in(log_in, act)
    assert form._signin._said.value == "Cancelled."
    assert seen == [True]


def test_links_are_made_of_addresses_and_of_nothing_else():
    assert linked("a <b> http://x javascript:y") == "a &lt;b&gt; http://x javascript:y"
    html = linked('see https://x.example/"onclick=1>, or https://y.example.')
    assert html.count("<a ") == 2
    assert 'href="https://x.example/"' in html
    assert html.endswith("</a>.")
