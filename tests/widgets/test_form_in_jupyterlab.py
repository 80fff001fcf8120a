"""The form as users have it: an address, a log-in, the mail; and what a saved notebook tells."""

import json
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers import dovecot as servers
from tests.servers.issuer import Issuer
from tests.widgets import browser

USER = "ann@example.org"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A token server, a Dovecot that takes its tokens, and JupyterLab with a form for them."""
    if servers.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    if browser.CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt install chromium, or use tests/run")
    home = tmp_path_factory.mktemp("form")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        directory = Path(tempfile.mkdtemp(prefix="mf-issuer-"))  # where Dovecot's user may read
        stack.callback(shutil.rmtree, directory)
        issuer = stack.enter_context(Issuer(home, USER))
        config = issuer.dovecot(directory)
        server = stack.enter_context(servers.Dovecot(tls=True, config=config))
        server.deliver(USER, "INBOX", [b"Subject: hello\r\n\r\n"])
        # Where the server is was found by an earlier log-in.
        found = {"host": "127.0.0.1", "port": server.tls_port, "security": "tls"}
        found |= {"user": "%EMAILADDRESS%", "until": int(time.time()) + 86_400}
        cache = home / "cache" / "mailframe" / "servers.json"
        cache.parent.mkdir(parents=True)
        cache.write_text(json.dumps({"example.org": found}))
        (home / "client.json").write_text(json.dumps(issuer.client))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "own"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        settings = home / "lab" / "@jupyter-widgets" / "jupyterlab-manager"
        settings.mkdir(parents=True)
        (settings / "plugin.jupyterlab-settings").write_text('{"saveState": true}')
        patch.setenv("JUPYTERLAB_SETTINGS_DIR", str(home / "lab"))
        yield issuer, home, stack.enter_context(browser.jupyterlab(home))


def shown(window, home, address, name):
    """A notebook with the form, run."""
    browser.write_notebook(
        home / name, f'import mailframe as mf\nmf.connect(user="{USER}", client="client.json")'
    )
    window.page.goto(f"{address}/doc/tree/{name}")
    browser.run_cells(window.page, 1)
    window.page.wait_for_selector(".mf-connect input")


def saved(page, path):
    """The notebook's text once it was saved with the state of its widgets."""
    until = time.monotonic() + browser.PATIENCE
    while time.monotonic() < until:
        page.keyboard.press("Control+s")
        text = path.read_text()
        if "application/vnd.jupyter.widget-state+json" in text and "mf-signin" in text:
            return text
        time.sleep(0.5)
    raise AssertionError("the notebook was not saved with its widgets")


@pytest.mark.parametrize("way", ["a code for another device", "an address to paste"])
def test_who_logs_in_has_the_mail_and_a_saved_notebook_knows_no_secret(stage, open_window, way):
    issuer, home, address = stage
    issuer.devices = way.startswith("a code")
    shutil.rmtree(home / "own", ignore_errors=True)
    name = f"{len(way)}.ipynb"
    window = open_window()
    page = window.page
    shown(window, home, address, name)

    page.click("text=Log in instead")
    page.wait_for_selector("input[type=password]", state="hidden")
    if issuer.devices:
        issuer.device[:] = ["authorization_pending"] * 20
        page.click(".mf-signin button >> text=Log in")
        page.wait_for_selector(".mf-signin >> text=ABCD-EFGH")
        issuer.device.clear()
    else:
        page.click(".mf-signin button >> text=Log in")
        link = page.wait_for_selector(".mf-signin a[target=_blank]").get_attribute("href")
        back = issuer.approve(link)
        code = parse_qs(urlsplit(back).query)["code"][0]
        page.fill(".mf-answer input", f"http://127.0.0.1/?state=another&code={code}")
        page.press(".mf-answer input", "Enter")
        page.wait_for_selector(".mf-signin >> text=the state is another one")
        page.wait_for_selector(".mf-answer input")
        page.fill(".mf-answer input", back)
        page.press(".mf-answer input", "Enter")
    page.wait_for_selector(f".mf-connect >> text={USER} is logged in")
    before = saved(page, home / name)

    page.focus(".mf-connect input")
    page.keyboard.press("Enter")
    page.wait_for_selector(".mf-explorer .mf-said >> text=1 of 1 messages")
    for told in (before, saved(page, home / name)):
        assert not [given for given in issuer.given if given in told]
    kept = home / "own" / "mailframe" / "accounts" / f"{USER}.json"
    assert issuer.given[-1] in kept.read_text()
    assert window.outside == []
    assert window.errors == []
    page.close()


def test_a_password_typed_and_enter_pressed_is_the_password_that_is_sent(stage, open_window):
    _, home, address = stage
    shutil.rmtree(home / "own", ignore_errors=True)
    window = open_window()
    page = window.page
    shown(window, home, address, "password.ipynb")
    assert window.barriers(".mf-connect") == []
    page.fill("input[type=password]", "mistaken")
    page.press("input[type=password]", "Enter")
    page.wait_for_selector(".mf-field:has(input[type=password]) [role=alert] >> text=refused")
    page.fill("input[type=password]", servers.PASSWORD)
    page.press("input[type=password]", "Enter")
    page.wait_for_selector(".mf-explorer .mf-said >> text=1 of 1 messages")
    assert servers.PASSWORD not in saved(page, home / "password.ipynb")
    page.close()
