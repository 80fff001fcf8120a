"""The applications in marimo, which shows one anywidget at a time, in a real browser."""

import os
import re
import socket
import subprocess
import sys

import pandas as pd
import pytest

import mailframe as mf
from mailframe.widgets import assets
from tests.widgets import browser
from tests.widgets.frames import make

COUNT = 3000
APP = f"""
import marimo
app = marimo.App(width="full")

@app.cell
def _():
    import mailframe as mf
    from tests.widgets.frames import make
    explorer = mf.explore(make({COUNT}), tz="UTC", larger=1)
    explorer
    return explorer, make, mf

@app.cell
def _(make, mf):
    mf.dashboard(make({COUNT}), tz="UTC")

@app.cell
def _(mf):
    mf.connect("imap.example.org", "ann")
"""


def test_every_kind_of_widget_that_the_applications_are_made_of_can_be_drawn():
    drawn = set(re.findall(r"^  (\w+Model)\b", assets.text("stage.js"), re.MULTILINE))
    for application in (mf.explore(make(9)), mf.dashboard(make(9)), mf.connect()):
        shown = [each for each in application._display_().models.values() if "_dom_classes" in each]
        foreign = {each["_model_name"] for each in shown if not each.get("_esm")}
        assert foreign <= drawn


@pytest.fixture
def window(tmp_path, open_window):
    pytest.importorskip("marimo", reason="marimo is not installed")
    (tmp_path / "app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("-m", "marimo", "run", "app.py", "--headless", "--no-token", f"--port={port}")
    environment = {**os.environ, "PYTHONPATH": str(browser.ROOT), "XDG_CONFIG_HOME": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *words], cwd=tmp_path, env=environment, stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{port}"
            browser.wait_for(address, server, tmp_path / "log")
            window = open_window(height=3200)
            window.page.goto(address)
            yield window
        finally:
            browser.end(server)


def test_explorer_dashboard_and_form_work_in_marimo(window):
    page = window.page
    explorer, dashboard = page.locator(".mf-explorer"), page.locator(".mf-dashboard")
    explorer.locator("td.mf-subject").nth(11).wait_for()
    explorer.locator("[data-ready=true]").wait_for()
    mail = make(COUNT)

    explorer.locator(".mf-search input").fill("is:unread")
    page.keyboard.press("Enter")
    unread = mail[~mail["seen"] & (mail["size"] >= 1)]
    explorer.locator(f".mf-said b >> text='{len(unread)}'").wait_for()
    # A chip that came later, a chart, a control of ipywidgets, a folder: each sets a filter.
    assert explorer.locator(".mf-chips button").first.inner_text() == "is:unread ✕"
    explorer.locator("[data-chart=senders] path[aria-roledescription=bar]").first.click(force=True)
    top = unread["from_addr"].value_counts()
    explorer.locator(f".mf-said b >> text='{top.iloc[0]}'").wait_for()
    explorer.locator("select").nth(1).select_option("Flagged")
    left = unread[(unread["from_addr"] == top.index[0]) & unread["flagged"]]
    explorer.locator(f".mf-said b >> text='{len(left)}'").wait_for()
    with page.expect_download() as download:
        explorer.locator(".mf-actions button >> text=CSV").click()
    assert len(pd.read_csv(download.value.path())) == len(left)
    explorer.locator("td.mf-subject").first.click()
    explorer.locator(".mf-message h3").wait_for()
    explorer.locator(".mf-close").click()
    explorer.locator(".mf-message h3").wait_for(state="hidden")
    explorer.locator(".mf-chips button >> text=Clear all").click()
    explorer.locator(f".mf-said b >> text='{COUNT:,}'").wait_for()

    handle = explorer.locator(".mf-range input").first
    handle.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    explorer.locator(".mf-chips button >> text=since:2021-07-01").wait_for()

    dashboard.locator("[data-chart=folders] path[aria-roledescription=bar]").first.click(force=True)
    dashboard.locator(".mf-selection b").wait_for()
    form = page.locator(".mf-form")
    assert form.locator("input[type=text]").nth(0).input_value() in {"ann", "imap.example.org"}
    secret = form.locator("input[type=password]").first
    secret.fill("of-nobody")
    secret.press("Tab")
    form.locator("input[placeholder^='taken']").wait_for()
    assert secret.input_value() == ""
    assert window.errors == []
    assert window.outside == []
