"""The demo's server process: pymap with the invented mailbox, until standard input ends.

Run by `mailframe.demo.serve` as `python -m mailframe.demo.server MESSAGES SEED`; it prints one line
of JSON with its port when it is ready. The mail stays in memory, and goes there through pymap's own
mailbox interface: 2,000 messages in half a second, where APPEND would parse each once more.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from argparse import Namespace
from typing import TYPE_CHECKING

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pysasl.hashing import Cleartext

from mailframe.demo import HOST, PASSWORD, USER
from mailframe.demo.mailbox import Mail, generate

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What pymap's command line would hand over.
_SETTINGS = Namespace(
    host=HOST,
    port=0,
    tls=False,
    cert=None,
    key=None,
    debug=False,
    passlib_cfg=None,
    proxy_protocol=None,
    demo_data=False,
    demo_user=USER,
    demo_password=PASSWORD,
)


async def _fill(backend: DictBackend, mails: Iterable[Mail]) -> None:
    async with backend.login.demo_user_identity.new_session() as session:
        mailboxes = session.mailbox_set
        known = {"INBOX"}
        for mail in mails:
            if mail.folder not in known:
                known.add(mail.folder)
                await mailboxes.add_mailbox(mail.folder)
            mailbox = await mailboxes.get_mailbox(mail.folder)
            flags = frozenset(Flag(flag.encode()) for flag in mail.flags)
            await mailbox.append(AppendMessage(mail.raw, mail.internaldate, flags))


async def _serve(mails: Iterable[Mail]) -> None:
    # A salted hash would cost each login 0.15 s, to protect a password that is printed anyway.
    backend, config = await DictBackend.init(_SETTINGS, hash_context=Cleartext())
    await _fill(backend, mails)
    imap = IMAPServer(backend.login, config)

    # Not by pymap's own way in: that keeps no hold on its tasks, and from Python 3.12 on the
    # garbage collector takes connections away in the middle of an answer.
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await imap(reader, writer, SocketInfoLocal(writer))

    server = await asyncio.start_server(handle, HOST, 0)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(generate(int(sys.argv[1]), seed=int(sys.argv[2]))))
