"""A warning names the caller's own line, however deep it was noticed: there the mail is asked for.

The tool names that line to its user, and `warnings.filterwarnings(module=...)` goes by it.
"""

import asyncio

import pytest

import mailframe as mf
from tests.servers.scripted import PASSWORD, Scripted
from tests.servers.transcript import transcript

OPTIONS = {"password": PASSWORD, "errors": "warn", "progress": False}


def read_imap(url):
    mf.read_imap(url, **OPTIONS)


def read_imap_in_a_task(url):
    async def read():
        task = asyncio.create_task(mf.aread_imap(url, **OPTIONS))
        await task

    asyncio.run(read())


def read_batches(url):
    async def read():
        async for _ in mf.aiter_batches(url, **OPTIONS):
            pass

    asyncio.run(read())


@pytest.mark.parametrize("read", [read_imap, read_imap_in_a_task, read_batches])
def test_a_warning_of_a_fetch_names_the_callers_line(read):
    with Scripted(transcript("folder-gone")) as server, pytest.warns(mf.MailframeWarning) as warned:
        read(server.url)
    assert [each.filename for each in warned] == [__file__]


def test_a_warning_of_a_file_names_the_callers_line(tmp_path):
    path = tmp_path / "box"
    path.write_bytes(b"What is this?\n\nFrom a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\n")
    with pytest.warns(mf.MailframeWarning) as warned:
        mf.read_mbox(path)
    assert [each.filename for each in warned] == [__file__]
