"""Debian's Chromium, and the pages that people would open in it: JupyterLab, Voilà, a file.

Chromium resolves no name but 127.0.0.1's own, and every address that a page asks for is noted: what
leaves loopback is a failure of the test that asked (`Window.outside`).
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import pytest

from tests.kernel import PATIENCE

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".venv/node_modules/axe-core/axe.min.js"
CHROMIUM = shutil.which("chromium")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
HERE = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:", "about:")
# Voilà's own page asks for an icon font, which nothing of ours uses.
OF_VOILA = "https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free"


class Window:
    """A page, with what it asked of the network and what went wrong in it."""

    def __init__(self, page):
        self.page = page
        self.outside = []
        self.errors = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda opened: self._note(opened.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, url):
        if not url.startswith((*HERE, OF_VOILA)):
            self.outside.append(url)

    def drag(self, selector, start, end):
        """Press at one place of an element, in fractions of its size, and release at another."""
        self.page.locator(selector).scroll_into_view_if_needed()
        box = self.page.locator(selector).bounding_box()
        points = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)
        ]
        mouse = self.page.mouse
        mouse.move(*points[0])
        mouse.down()
        mouse.move((points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2)
        mouse.move(*points[1])
        mouse.up()

    def barriers(self, within):
        """What keeps people out, as axe-core finds: rule and element, of what is serious."""
        if not AXE.exists():
            pytest.skip("axe-core is not installed: npm install axe-core, or use tests/run")
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("within => axe.run(within)", within)
        return [
            (finding["id"], node["html"][:160])
            for finding in found["violations"]
            if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"]
        ]

    def wait(self, ask, *args):
        """Wait until a JavaScript expression or function is true."""
        self.page.wait_for_function(ask, arg=args[0] if args else None)


@contextmanager
def chromium():
    """A browser; `open_window(width=…, dark=…)` gives a fresh page in it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only where it is installed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)

        def open_window(*, width=1400, height=1000, dark=False):
            return Window(
                browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if dark else "light",
                )
            )

        yield open_window
        browser.close()


@contextmanager
def served(home, command, *, dark=False):
    """Run a Jupyter program on a free port; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = home / "config"
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(news))
    if dark:
        theme = {"@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Dark"}}
        (config / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(theme))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    with ExitStack() as stack:
        log = stack.enter_context((home / "log").open("w"))
        arguments = [sys.executable, "-m", *command, "--no-browser", f"--port={port}"]
        server = subprocess.Popen(
            arguments, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        stack.callback(end, server)
        address = f"http://127.0.0.1:{port}"
        wait_for(address, server, home / "log")
        yield address


def end(server):
    """Ask it to end; its kernels end with it, so that it need not wait for them long."""
    server.terminate()
    try:
        server.wait(3)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def wait_for(address, server, log):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/static/", timeout=PATIENCE)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not come up:\n{log.read_text()[-2000:]}")


def jupyterlab(home):
    """JupyterLab in folder `home`."""
    command = ["jupyterlab", "--IdentityProvider.token=", "--ServerApp.root_dir=.", "--allow-root"]
    return served(home, command)


def notebook7(home):
    """Notebook 7 in folder `home`, in its dark theme."""
    command = ["notebook", "--IdentityProvider.token=", "--ServerApp.root_dir=.", "--allow-root"]
    return served(home, command, dark=True)


def run_cells(page, count):
    """Run ``count`` cells of the notebook on the page, once there is a kernel that hears it."""
    heard = "() => /[\\d*]/.test(document.querySelector('.jp-CodeCell .jp-InputPrompt').innerText)"
    for _ in range(PATIENCE // 2):
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        time.sleep(2)
        if page.evaluate(heard):
            break
    for _ in range(count - 1):
        page.keyboard.press("Shift+Enter")


def voila(home, notebook):
    """Voilà, showing `notebook` as an application."""
    return served(home, ["voila", str(notebook)])


def write_notebook(path, *cells):
    """A notebook of code cells."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path
