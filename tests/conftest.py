"""The stage that all tests share: one Dovecot without and one with TLS for the whole run.

Every user name exists there, so a test that wants a mailbox of its own takes one (`user`).
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.servers import dovecot as server

if TYPE_CHECKING:
    from collections.abc import Iterator

# No stopwatch, and no luck: a run tells about the code. To look further:
# `pytest --hypothesis-profile explore`.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("steady")


# A shell lets what it starts in the background ignore Ctrl-C, nohup a hangup, and so would all that
# we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[server.Dovecot]:
    if server.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    with server.Dovecot() as running:
        yield running


@pytest.fixture(scope="session")
def dovecot_tls() -> Iterator[server.Dovecot]:
    if server.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    with server.Dovecot(tls=True) as running:
        yield running


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """Give a user name that no other test has."""
    return re.sub(r"\W+", "-", request.node.nodeid).strip("-").lower()[-80:]
