"""One browser for all tests of the widgets."""

import pytest

from tests.widgets import browser


@pytest.fixture(scope="session")
def open_window():
    pytest.importorskip("playwright", reason="Playwright is not installed")
    if browser.CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt install chromium, or use tests/run")
    with browser.chromium() as opening:
        yield opening
