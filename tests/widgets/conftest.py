"""A browser for each module that wants one.

Not one for the whole run: Playwright keeps an event loop running in this thread for as long as its
browser is open, and other tests want to run one of their own.
"""

import pytest

from tests.widgets import browser


@pytest.fixture(scope="module")
def open_window():
    pytest.importorskip("playwright", reason="Playwright is not installed")
    if browser.CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt install chromium, or use tests/run")
    with browser.chromium() as opening:
        yield opening
