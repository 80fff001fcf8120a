"""``mailframe explore``: the explorer for who has no notebook open, in a real browser."""

import signal
import urllib.request

import mailframe as mf
from tests.children import python
from tests.kernel import PATIENCE
from tests.widgets.frames import make


def test_the_explorer_opens_in_a_browser_to_whoever_has_the_address(open_window, tmp_path):
    path = tmp_path / "mail.parquet"
    mf.to_parquet(make(50), path)
    words = ("-m", "mailframe", "explore", str(path), "--tz", "UTC", "--find", "is:unread")
    with python(*words) as process:
        address = next(
            word.decode()
            for line in process.stdout
            for word in line.split()
            if word.startswith(b"http://127.0.0.1:")
        )
        window = open_window()
        window.page.goto(address)
        window.page.wait_for_selector(f".mf-said b >> text='{(~make(50)['seen']).sum()}'")
        assert window.page.locator(".mf-chips button").first.inner_text().startswith("is:unread")
        assert window.outside == []
        with urllib.request.urlopen(address.partition("?")[0], timeout=PATIENCE) as answer:
            assert "/login" in answer.url  # who does not have the token
            assert b"mailframe" not in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
