"""Sessions open at different times and fail one by one; the fetch is one all the same."""

import asyncio
import contextlib
import socket
import threading

import mailframe as mf
from mailframe.fetcher.folders import PLANNING
from mailframe.fetcher.lane import Query
from mailframe.fetcher.pool import Pool
from mailframe.fetcher.schedule import Known, Lookup
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
            folders = (await pool.folders(PLANNING)).folders
            await anext(pool.fetch(folders, Query(SUBJECT_FIELD)))
            await asyncio.sleep(1.0)

    many = [folder(f"F{n}", range(1, 11)) for n in range(FOLDERS)]
    with Scripted(greets_the_second_late, folders=many) as server:
        asyncio.run(take_one_part(server))
        assert server.connections == 2
        # What either session may have had on the wire by then, and not all there is.
        assert server.seen["UID FETCH"] < FOLDERS / 2


def test_rows_are_handed_on_whichever_fetch_is_answered_first():
    taken, held = [], []

    async def answers_the_second_fetch_first(session, command):
        if command.name != "UID FETCH" or len(held) > 1:
            return False
        held.append(command)
        if len(held) == 2:
            await session.send(*session.honest(command)[:-1])
            await asyncio.sleep(0.5)
            held.append(len(taken))
            await session.send(command.done(), *session.honest(held[0]))
        return True

    async def take_all(server):
        account = mf.Account.parse(server.url, PASSWORD)
        async with Pool(account, connections=1) as pool:
            folders = (await pool.folders(PLANNING)).folders
            async for part in pool.fetch(folders, Query(SUBJECT_FIELD)):
                taken.extend(part.rows.uid)

    with Scripted(answers_the_second_fetch_first, folders=[folder("F", range(1, 4501))]) as server:
        asyncio.run(take_all(server))
    assert sorted(taken) == [*range(1, 4501)]
    assert held[2] >= 1_000


def test_sessions_join_when_a_search_finds_more_work_than_anybody_expected():
    async def take_all(server):
        account = mf.Account.parse(server.url, PASSWORD)
        async with Pool(account, connections=3, eager=False) as pool:
            folders = (await pool.folders(PLANNING)).folders
            known = {b"INBOX": Known(works=(Lookup(folders[0]),), items=SUBJECT_FIELD)}
            parts = pool.fetch(folders, Query(SUBJECT_FIELD), known)
            return sum([len(part.rows) async for part in parts])

    with Scripted(folders=[folder("INBOX", range(1, 9001))]) as server:
        assert asyncio.run(take_all(server)) == 9000
        assert server.logins == 3


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


def test_a_resolver_that_hangs_keeps_nobody_who_has_given_up(monkeypatch):
    release, answered = threading.Event(), threading.Event()

    def hanging(*_, **__):
        release.wait(20)
        answered.set()
        raise socket.gaierror

    async def give_up():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await mf.aread_imap("imaps://ann:secret@mail.example", progress=False)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    asyncio.run(give_up())
    assert not answered.is_set()
    release.set()


def test_where_only_the_second_address_of_a_host_answers_it_serves(monkeypatch):
    real = socket.getaddrinfo

    def two(host, port, *args, **options):
        nobody = real("127.0.0.9", port, *args, **options)  # the server listens on 127.0.0.1 only
        return nobody + real("127.0.0.1", port, *args, **options)

    with Scripted() as server:
        monkeypatch.setattr(socket, "getaddrinfo", two)
        account = mf.Account(host="localhost", port=server.port, user=USER, security="none")
        assert_complete(fetch(server, account=account), server)
