"""What a notebook keeps of a form: saved by a real JupyterLab, with the state of its widgets."""

import json
import time

from tests.servers.mailbox import one_folder
from tests.servers.scripted import PASSWORD, Scripted
from tests.widgets import browser

WRONG = "wrong-h0rse"
SETTINGS = "config/lab/user-settings/@jupyter-widgets/jupyterlab-manager"


def until(done):
    patience = time.monotonic() + browser.PATIENCE
    while not done():
        assert time.monotonic() < patience
        time.sleep(0.05)


def saved(page, path):
    """Save the notebook, and give its text: the state of its widgets must be in it."""
    before = path.stat().st_mtime_ns
    page.locator("[data-command='docmanager:save']").first.click()
    until(lambda: path.stat().st_mtime_ns != before and path.stat().st_size)
    page.wait_for_timeout(500)  # milliseconds; it is written by then
    text = path.read_text()
    state = json.loads(text)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]
    assert "PasswordModel" in [each["model_name"] for each in state["state"].values()]
    return text


def test_a_saved_notebook_holds_no_password_whatever_became_of_it(open_window, tmp_path):
    settings = tmp_path / SETTINGS
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"saveState": true}')
    with Scripted(folders=one_folder(3)) as server, browser.jupyterlab(tmp_path) as address:
        cell = f"import mailframe as mf\nmf.connect('imap://127.0.0.1:{server.port}', 'ann')"
        path = browser.write_notebook(tmp_path / "mail.ipynb", cell)
        page = open_window().page
        page.goto(f"{address}/lab/tree/mail.ipynb")
        browser.run_cells(page, 1)
        password = page.locator(".mf-form input[type=password]").first
        password.wait_for()
        tried = ((WRONG, "List folders"), (WRONG, "Fetch"), (PASSWORD, "List folders"))
        for number, (given, button) in enumerate(tried, 1):
            password.fill(given)
            page.get_by_role("button", name=button, exact=True).click()
            until(lambda n=number: server.seen["LOGIN"] + server.seen["AUTHENTICATE"] == n)
            refused = ".mf-field:has(input[type=password]) [role=alert] >> text=refused"
            page.wait_for_selector(refused if given == WRONG else ".mf-name >> text=INBOX")
            assert password.input_value() == ""
            assert given not in saved(page, path), f"after {button}"
