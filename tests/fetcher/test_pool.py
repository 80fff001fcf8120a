"""Sessions open at different times and fail one by one; the fetch is one all the same."""

import asyncio

import mailframe as mf
from mailframe.fetcher.folders import PLANNING
from mailframe.fetcher.lane import Query
from mailframe.fetcher.pool import Pool
from mailframe.imap.commands import header_items
from mailframe.imap.limits import Limits
from tests.hostile.fetching import assert_complete, fetch
from tests.servers.certificates import Authority
from tests.servers.mailbox import folder
from tests.servers.scripted import CONNECT, PASSWORD, USER, Cut, Scripted

FOLDERS = 600
SUBJECT_FIELD = header_items(("SUBJECT",))


def test_a_session_that_opens_late_reads_no_more_than_the_others_while_nobody_takes_the_rows():
    async def greets_the_second_late(session, command):
        if command is CONNECT and session.number > 1:
            await asyncio.sleep(0.3)
        return False

    async def take_one_part(server):
        account = mf.Account.parse(server.url, PASSWORD)
        async with Pool(account, connections=2, limits=Limits(backlog=200)) as pool:
            folders = await pool.folders(PLANNING)
            await anext(pool.fetch(folders, Query(SUBJECT_FIELD)))
            await asyncio.sleep(1.0)

    many = [folder(f"F{n}", range(1, 11)) for n in range(FOLDERS)]
    with Scripted(greets_the_second_late, folders=many) as server:
        asyncio.run(take_one_part(server))
        assert server.connections == 2
        # What either session may have had on the wire by then, and not all there is.
        assert server.seen["UID FETCH"] < FOLDERS / 2


def test_while_one_session_is_on_its_way_the_failed_handshake_of_another_ends_nothing(tmp_path):
    authority = Authority.in_folder(tmp_path)

    async def lets_one_in(session, command):
        if command.name == "STARTTLS" and session.number > 1:
            await session.send(command.done())
            raise Cut
        if command.name in {"LOGIN", "AUTHENTICATE"}:
            await asyncio.sleep(0.5)
        return False

    with Scripted(lets_one_in, starttls=authority.server()) as server:
        account = mf.Account(
            host="localhost",
            port=server.port,
            user=USER,
            security="starttls",
            ca_file=authority.ca_file,
        )
        assert_complete(fetch(server, account=account, connections=3), server)
