"""A real Jupyter kernel, as a notebook's front end sees it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 60  # seconds until a test gives up on a busy machine; no claim hangs on it
ROOT = Path(__file__).parents[1]


class Kernel:
    """Starts cells, finishes them, and sends what else a front end sends."""

    def __init__(self, manager, client):
        self.manager = manager
        self.client = client

    def start(self, code, **options):
        return self.client.execute(code, **options)

    def finish(self, request):
        """The cell's reply and what it printed."""
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request:
                break
        printed = ""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed += message["content"]["text"]
            if message["content"].get("execution_state") == "idle":
                return reply["content"], printed

    def cell(self, code):
        """The words that a cell printed, which must succeed."""
        reply, printed = self.finish(self.start(code))
        assert reply["status"] == "ok", reply
        return printed.split()

    def send(self, kind, content):
        self.client.shell_channel.send(self.client.session.msg(kind, content))


@contextmanager
def started_kernel():
    """A kernel that can import mailframe from this checkout."""
    manager_module = pytest.importorskip("jupyter_client.manager", reason="no Jupyter client")
    manager, client = manager_module.start_new_kernel(
        kernel_name="python3", cwd=str(ROOT), startup_timeout=60
    )
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
