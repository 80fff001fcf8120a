"""The demo's IMAP server: real, filled, and gone when its owner is."""

import imaplib
import os
import signal
import subprocess
import sys
import time

import pytest

from mailframe import demo
from mailframe.demo.mailbox import generate
from mailframe.errors import ConfigurationError


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("pymap", reason="pymap is not installed: the extra `demo`")
    with demo.serve(200) as running:
        yield running


def login(server):
    client = imaplib.IMAP4(demo.HOST, server.port)
    client.login(demo.USER, demo.PASSWORD)
    return client


def test_it_serves_the_generated_mailbox(server):
    expected = [mail for mail in generate(200) if mail.folder == "INBOX"]
    with login(server) as client:
        assert client.select("INBOX", readonly=True)[1] == [b"%d" % len(expected)]
        answer = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]
    bodies = [part[1] for part in answer if isinstance(part, tuple)]
    assert bodies == [mail.raw for mail in expected]


def test_an_interrupt_of_its_parents_group_leaves_it_running(server):
    # What a Jupyter kernel's group receives when a cell is interrupted.
    assert os.getpgid(server._process.pid) != os.getpgid(0)
    with login(server) as client:
        assert client.noop()[0] == "OK"


def test_it_ends_with_the_program_that_started_it():
    pytest.importorskip("pymap", reason="pymap is not installed: the extra `demo`")
    code = "import os; from mailframe.demo import serve; s = serve(10); print(s._process.pid); "
    code += "import sys; sys.stdout.flush(); os._exit(1)"
    path = os.pathsep.join(sys.path)
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    child = int(answer.stdout)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the server outlived its owner")


def test_without_pymap_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymap", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'mailframe\[demo\]'"):
        demo.serve()


def test_a_server_that_fails_says_why(monkeypatch, server):
    del server  # asked for its skip where pymap is not installed
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(demo.ConnectError, match="did not start"):
        demo.serve()
