"""Whole fetches on uvloop, whose transports are not those of asyncio."""

import asyncio

import pytest

import mailframe as mf
from tests.hostile.fetching import assert_complete, assert_hung_up, fetched
from tests.servers.certificates import Authority
from tests.servers.scripted import USER, Scripted

uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
def test_a_fetch_on_uvloop_is_like_any_other(tmp_path, security):
    authority = Authority.in_folder(tmp_path)
    secured = {} if security == "none" else {security: authority.server()}

    async def main(server):
        account = mf.Account(
            "localhost", USER, server.port, security, ca_file=str(authority.ca_file)
        )
        assert "uvloop" in type(asyncio.get_running_loop()).__module__
        frame = await fetched(server, account=account)
        kept = await fetched(server, account=account, store=tmp_path / "store")
        return frame, kept

    with Scripted(**secured) as server:
        frame, kept = uvloop.run(main(server))
        assert_hung_up(server)
        assert_complete(frame, server)
        assert_complete(kept, server)


def test_a_failing_fetch_on_uvloop_says_what_failed(tmp_path):
    authority = Authority.in_folder(tmp_path)

    async def main(server):
        with pytest.raises(mf.MailframeError, match="certificate"):
            await fetched(server)

    with Scripted(tls=authority.server()) as server:
        uvloop.run(main(server))
