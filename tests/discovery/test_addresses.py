"""An address wherever a URL stands: found in a small world, and read from a Dovecot."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys

import pytest

import mailframe as mf
from mailframe.accounts.account import Account
from mailframe.cli.main import main
from mailframe.discovery import cache, network
from mailframe.discovery.steps import Address
from mailframe.fetcher.session import Session
from tests.discovery.test_discovery import AUTOCONFIG, config, imap
from tests.servers import dovecot as servers
from tests.servers.certificates import Authority
from tests.servers.scripted import Scripted
from tests.servers.world import World

ADDRESS = "ann@example.org"


@pytest.fixture(scope="module")
def server():
    if servers.BINARY is None:
        pytest.skip("Dovecot is not installed: apt install dovecot-imapd, or use tests/run")
    with servers.Dovecot(tls=True, host_names=("127.0.0.1", "imap.example.org")) as running:
        for user in (ADDRESS, "ann"):
            running.deliver(user, "INBOX", [b"Subject: hello\r\n\r\n"])
        yield running


@pytest.fixture
def world(tmp_path, monkeypatch, server):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MAILFRAME_PASSWORD", servers.PASSWORD)
    page = config(imap("127.0.0.1", server.tls_port))
    with World(tmp_path, {"example.org": []}, {AUTOCONFIG: page}) as running:
        monkeypatch.setattr(network, "WORLD", running.network())
        yield running


def test_every_reader_takes_an_address(world):
    async def all_of_them():
        df = await mf.aread_imap(ADDRESS, progress=False)
        folders = await mf.alist_folders(ADDRESS)
        batches = [batch async for batch in mf.aiter_batches(ADDRESS, progress=False)]
        return len(df), len(folders) > 0, sum(batch.num_rows for batch in batches)

    assert mf.read_imap(ADDRESS, progress=False)["subject"].tolist() == ["hello"]
    assert "INBOX" in mf.list_folders(ADDRESS)["folder"].tolist()
    assert asyncio.run(all_of_them()) == (1, True, 1)


def test_every_command_takes_an_address(world, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["folders", ADDRESS]) == 0
    assert main(["fetch", ADDRESS, "-o", "headers.csv"]) == 0
    assert main(["stats", ADDRESS]) == 0
    assert main(["report", ADDRESS, "-o", "page.html"]) == 0
    assert main(["sync", ADDRESS, "--store", "store"]) == 0
    capsys.readouterr()
    assert main(["discover", ADDRESS]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("imaps://ann%40example.org@127.0.0.1:")
    assert "an earlier log-in" in said.err  # what worked is remembered


def test_on_this_machine_the_certificate_of_the_first_time_is_trusted_and_no_other(
    world, server, tmp_path
):
    """As of Proton's Bridge, which signs its own: whoever else listens there is sent nothing."""
    assert len(mf.read_imap(ADDRESS, progress=False)) == 1
    noted = tmp_path / "config" / "mailframe" / "certificates.json"
    assert noted.stat().st_mode & 0o777 == 0o600
    assert len(mf.read_imap(ADDRESS, progress=False)) == 1
    with Scripted(tls=Authority.in_folder(tmp_path).server()) as other:
        told = json.loads(noted.read_text())
        (certificate,) = told.values()
        noted.write_text(json.dumps({f"127.0.0.1:{other.port}": certificate}))
        there = network.steps.Server("127.0.0.1", other.port, "tls")
        cache.remember(network.steps.of_server(there, Address.parse(ADDRESS), "somebody"))
        with pytest.raises(mf.ConnectError, match=r"another one than before.*certificates\.json"):
            mf.read_imap(ADDRESS, progress=False)
        assert other.seen.total() == 0


def test_a_file_called_like_an_address_is_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ADDRESS).write_bytes(b"Subject: of a file\r\n\r\n")
    assert main(["fetch", ADDRESS]) == 0
    assert "of a file" in capsys.readouterr().out


def test_a_server_that_is_gone_is_looked_for_anew(world, server):
    gone = network.steps.Server("127.0.0.1", servers.free_ports(1)[0], "tls")
    cache.remember(network.steps.of_server(gone, Address.parse(ADDRESS), "somebody"))
    with pytest.raises(mf.ConnectError):
        mf.read_imap(ADDRESS, progress=False)
    assert len(mf.read_imap(ADDRESS, progress=False)) == 1


def test_a_customary_name_serves_where_its_certificate_is_valid(world, server, tmp_path):
    names = ["imap.example.org", "mail.example.org"]
    with World(tmp_path, {"example.org": []}, certified=names) as bare:
        reached = bare.network(imaps_port=server.tls_port, ca_file=str(server.ca_file))
        found = network.find("ann@example.org", network=reached)
        assert (found.host, found.port) == ("imap.example.org", server.tls_port)
        strange = bare.network(imaps_port=server.tls_port)  # an authority that is not ours
        cache.forget(ADDRESS)
        with pytest.raises(mf.ConnectError, match="its certificate is not valid"):
            network.find("ann@example.org", network=strange)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("imap.gmail.com", "16 letters; .*|https://myaccount.google.com/apppasswords"),
        ("outlook.office365.com", "mailframe login ann@example.org"),
    ],
)
def test_a_refused_log_in_names_the_providers_way_in(host, words):
    async def hint():
        return Session(Account(host, ADDRESS))._login_hint()

    assert re.search(words, asyncio.run(hint()))


def test_the_table_needs_no_name_server():
    code = "import mailframe as mf, sys; mf.discover('a@gmail.com'); print('dns' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
