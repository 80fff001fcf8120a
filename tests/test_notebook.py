"""The readers in a real notebook kernel: a Dovecot that answers, and a server that falls silent."""

import socket

import pytest

from tests.kernel import PATIENCE, started_kernel
from tests.servers.dovecot import Message

MAIL = b"From: Zoe <zoe@example.com>\r\nSubject: hello %d\r\n\r\n"
READERS = ["mf.read_imap(url)", "await mf.aread_imap(url)"]


@pytest.fixture(scope="module")
def kernel():
    with started_kernel() as kernel:
        kernel.cell("import mailframe as mf")
        yield kernel


def test_cells_may_call_and_await_the_readers(kernel, dovecot, user):
    dovecot.deliver(user, "INBOX", [Message(MAIL % n) for n in range(20)])
    kernel.cell(f"url = {dovecot.url(user)!r}")
    for reader in (*READERS, *READERS):
        assert kernel.cell(f"df = {reader}; print(len(df), df.attrs['mailframe']['messages'])") == [
            "20",
            "20",
        ]
    assert kernel.cell("print(len(mf.list_folders(url)), len(await mf.alist_folders(url)))") == [
        "1",
        "1",
    ]


@pytest.mark.parametrize("reader", READERS)
def test_an_interrupt_ends_a_fetch_and_leaves_no_socket(kernel, reader):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        kernel.cell(f"url = 'imap://ann:secret@127.0.0.1:{server.getsockname()[1]}'")
        request = kernel.start(reader)
        with server.accept()[0] as link:
            link.settimeout(PATIENCE)
            link.sendall(b"* OK hello\r\n")
            assert link.recv(1)  # a command; the answer never comes
            kernel.manager.interrupt_kernel()
            while link.recv(1000):
                pass  # until the other side has closed
        reply, _ = kernel.finish(request)
    assert reply["ename"] in {"Interrupted", "CancelledError"}
    if reply["ename"] == "Interrupted":
        assert reply["traceback"][-2] == "Interrupted: stopped, as you asked"
        assert len(reply["traceback"]) == 3


def test_a_warning_shows_and_holds_no_secret(kernel, dovecot, user):
    dovecot.deliver(user, "INBOX", [Message(MAIL % 1)])
    kernel.cell(f"url = {dovecot.url(user)!r}")
    request = kernel.start("df = mf.read_imap(url, folders=['INBOX', 'Nope'])")
    said = ""
    while True:
        message = kernel.client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") != request:
            continue
        said += message["content"].get("text", "")
        if message["content"].get("execution_state") == "idle":
            break
    assert "There is no folder called Nope" in said
    assert dovecot.url(user).split(":")[2].split("@")[0] not in said
