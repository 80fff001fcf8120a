"""Many refreshes of one account in one event loop: each has its turn, and no thread waits."""

import asyncio
import time

import pytest

import mailframe as mf
from mailframe.refresh import keeping
from mailframe.store.writer import writing
from tests.servers.mailbox import one_folder
from tests.servers.scripted import PASSWORD, Scripted

OPTIONS = {"password": PASSWORD, "progress": False, "errors": "ignore"}


def test_forty_refreshes_at_once_all_end_well(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "WAIT", 0.2)  # each other's time does not count
    with Scripted(folders=one_folder()) as server:

        async def all_at_once():
            reads = [mf.aread_imap(server.url, store=tmp_path, **OPTIONS) for _ in range(40)]
            return await asyncio.gather(*reads)

        assert [len(frame) for frame in asyncio.run(all_at_once())] == [12] * 40


def test_who_waits_for_another_process_is_told_so_and_may_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "WAIT", 0.2)
    monkeypatch.setattr(keeping, "is_ours", lambda *_: False)  # as if another process held it
    with Scripted(folders=one_folder()) as server:
        name = mf.Account.parse(server.url).name

        async def wait_in_vain():
            with pytest.raises(mf.StoreError, match="Another process"):
                await mf.aread_imap(server.url, store=tmp_path, **OPTIONS)
            monkeypatch.setattr(keeping, "WAIT", 60)
            begun = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await mf.aread_imap(server.url, store=tmp_path, **OPTIONS)
            assert time.monotonic() - begun < 30

        with writing(tmp_path, name):
            asyncio.run(wait_in_vain())
        frame = asyncio.run(mf.aread_imap(server.url, store=tmp_path, **OPTIONS))
    assert len(frame) == 12
