"""From an address to its server: a name server and web servers on loopback, one story a case."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

import mailframe as mf
from mailframe.accounts import providers
from mailframe.discovery import autoconfig, cache, network, srv, steps
from mailframe.discovery.steps import Address
from tests.servers.world import World, moved

ADDRESS = "ann@example.org"
AUTOCONFIG = "autoconfig.example.org/mail/config-v1.1.xml"
WELL_KNOWN = "example.org/.well-known/autoconfig/mail/config-v1.1.xml"
ISPDB = "v1.ispdb.net/example.org"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def imap(host="imap.example.org", port=993, socket="SSL", user="%EMAILADDRESS%", kind="imap"):
    return (
        f'<incomingServer type="{kind}"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{socket}</socketType><username>{user}</username>"
        "<authentication>password-cleartext</authentication></incomingServer>"
    )


def config(*servers, before=""):
    inside = "".join(servers)
    return (
        f'<?xml version="1.0"?>{before}<clientConfig version="1.1"><emailProvider id="x">'
        f"<domain>example.org</domain>{inside}</emailProvider></clientConfig>"
    ).encode()


def dns(**named):
    """Records of example.org: its own lines, and those of _imaps and _imap."""
    names = {"own": "example.org", "imaps": "_imaps._tcp.example.org"}
    names["imap"] = "_imap._tcp.example.org"
    return {"example.org": [], **{names[name]: lines for name, lines in named.items()}}


OWN = "SRV 0 1 993 imap.example.org."
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'

# what it is → pages, records, the URL that is found (or words of the refusal)
FOUND = {
    "autoconfig": ({AUTOCONFIG: config(imap())}, {}, "imaps://ann%40example.org@imap.example.org"),
    "autoconfig, well-known": (
        {WELL_KNOWN: config(imap(port=1993))},
        {},
        "imaps://ann%40example.org@imap.example.org:1993",
    ),
    "autoconfig before well-known, whoever answers first": (
        {
            AUTOCONFIG: lambda handler: (
                time.sleep(0.3),
                _send(handler, config(imap("a.example.org"))),
            ),
            WELL_KNOWN: config(imap("b.example.org")),
        },
        {},
        "imaps://ann%40example.org@a.example.org",
    ),
    "autoconfig names a host elsewhere": (
        {AUTOCONFIG: config(imap("imap.hoster.example"))},
        {},
        "imaps://ann%40example.org@imap.hoster.example",
    ),
    "the ISPDB": ({ISPDB: config(imap())}, {}, "imaps://ann%40example.org@imap.example.org"),
    "local part as user": (
        {AUTOCONFIG: config(imap(user="%EMAILLOCALPART%"))},
        {},
        "imaps://ann@imap.example.org",
    ),
    "domain in the host's name": (
        {AUTOCONFIG: config(imap("imap.%EMAILDOMAIN%"))},
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "two IMAP servers, TLS from the first byte wins": (
        {AUTOCONFIG: config(imap("a.example.org", 143, "STARTTLS"), imap("b.example.org"))},
        {},
        "imaps://ann%40example.org@b.example.org",
    ),
    "two IMAP servers, the first of equals": (
        {AUTOCONFIG: config(imap("a.example.org"), imap("b.example.org"))},
        {},
        "imaps://ann%40example.org@a.example.org",
    ),
    "STARTTLS only": (
        {AUTOCONFIG: config(imap(port=143, socket="STARTTLS"))},
        {},
        "imap://ann%40example.org@imap.example.org",
    ),
    "POP first": (
        {AUTOCONFIG: config(imap("pop.example.org", 995, kind="pop3"), imap())},
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "POP only, then SRV": (
        {AUTOCONFIG: config(imap(kind="pop3"))},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "plain is passed over": (
        {AUTOCONFIG: config(imap("a.example.org", 143, "plain"), imap("b.example.org"))},
        {},
        "imaps://ann%40example.org@b.example.org",
    ),
    "redirect to https": (
        {
            AUTOCONFIG: moved("https://www.example.org/x.xml"),
            "www.example.org/x.xml": config(imap()),
        },
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a port with zeros before it": (
        {AUTOCONFIG: config(imap(port="0000993"))},
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a port of too many digits is none": (
        {AUTOCONFIG: config(imap("evil.example.org", port="9" * 5000), imap())},
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a placeholder that nobody knows": (
        {AUTOCONFIG: config(imap(user="%CUSTOMERNUMBER%"))},
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a host's name beyond ASCII": (
        {AUTOCONFIG: config(imap("imap.bücher.example"))},
        {},
        "imaps://ann%40example.org@imap.xn--bcher-kva.example",
    ),
    "a description in UTF-16": (
        {AUTOCONFIG: config(imap()).decode().encode("utf-16")},
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a host that is none is passed over": (
        {AUTOCONFIG: config(imap("imap example.org"), imap("imap..org"), imap("b.example.org"))},
        {},
        "imaps://ann%40example.org@b.example.org",
    ),
    "SRV without a port or a host": (
        {},
        dns(imaps=["SRV 0 1 0 a.example.org.", "SRV 0 1 993 -.", "SRV 9 1 993 imap.example.org."]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "redirect to http is refused": (
        {AUTOCONFIG: moved("http://www.example.org/x.xml")},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "redirects to nowhere": (
        {AUTOCONFIG: moved("https://[::1/x.xml"), WELL_KNOWN: moved("file:///etc/passwd")},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "redirects within the domain, without a scheme": (
        {
            AUTOCONFIG: moved("//www.example.org/x.xml"),
            "www.example.org/x.xml": moved("/y.xml"),
            "www.example.org/y.xml": config(imap()),
        },
        {},
        "imaps://ann%40example.org@imap.example.org",
    ),
    "redirects with the address as a user or a host": (
        {
            AUTOCONFIG: moved("https://ann@stranger.example/x.xml"),
            WELL_KNOWN: moved("https://ann.stranger.example/x.xml"),
            "stranger.example/x.xml": config(imap("evil.example.org")),
            "ann.stranger.example/x.xml": config(imap("evil.example.org")),
        },
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "404 and 500": (
        {AUTOCONFIG: 404, WELL_KNOWN: 500},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "an XML bomb": (
        {AUTOCONFIG: config(imap("&b;.example.org"), before=BOMB)},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a megabyte": (
        {AUTOCONFIG: config(imap("evil.example.org")) + b" " * (1 << 20)},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "a page that is none": (
        {AUTOCONFIG: b"<html><body>Welcome!", WELL_KNOWN: b"\0\1\2"},
        dns(imaps=[OWN]),
        "imaps://ann%40example.org@imap.example.org",
    ),
    "SRV only": ({}, dns(imaps=[OWN]), "imaps://ann%40example.org@imap.example.org"),
    "SRV, STARTTLS": (
        {},
        dns(imap=["SRV 0 1 143 mail.example.org."]),
        "imap://ann%40example.org@mail.example.org",
    ),
    "SRV, TLS whatever the priorities": (
        {},
        dns(imap=["SRV 0 1 143 a.example.org."], imaps=["SRV 9 1 993 b.example.org."]),
        "imaps://ann%40example.org@b.example.org",
    ),
    "SRV by priority": (
        {},
        dns(imaps=["SRV 5 1 993 b.example.org.", "SRV 1 1 993 a.example.org."]),
        "imaps://ann%40example.org@a.example.org",
    ),
    "SRV '.' for TLS, a host for STARTTLS": (
        {},
        dns(imaps=["SRV 0 0 0 ."], imap=["SRV 0 1 143 mail.example.org."]),
        "imap://ann%40example.org@mail.example.org",
    ),
    "SRV names a host of the table": (
        {},
        dns(imaps=["SRV 0 1 993 imap.fastmail.com."]),
        "imaps://ann%40example.org@imap.fastmail.com",
    ),
    "MX of Google": (
        {},
        dns(own=["MX 20 alt1.aspmx.l.google.com.", "MX 10 aspmx.l.google.com."]),
        "imaps://ann%40example.org@imap.gmail.com",
    ),
    "MX of a hoster whose customers have a server of their own": (
        {},
        dns(own=["MX 10 mx.zoho.com."]),
        "imaps://ann%40example.org@imappro.zoho.com",
    ),
    "MX of one of two providers with one hoster": (
        {},
        dns(own=["MX 10 mx-aol.mail.gm0.yahoodns.net."]),
        "imaps://ann%40example.org@imap.aol.com",
    ),
    "MX of Microsoft 365": (
        {},
        dns(own=["MX 0 example-org.mail.protection.outlook.com."]),
        "imaps://ann%40example.org@outlook.office365.com",
    ),
}
REFUSED = {
    "SRV '.'": (
        {},
        dns(imaps=["SRV 0 0 0 ."], imap=["SRV 0 0 0 ."]),
        "says that it offers no IMAP",
    ),
    "SRV names a stranger": (
        {},
        dns(imaps=["SRV 0 1 993 imap.stranger.example."]),
        "if you know that it is, write imaps://ann%40example.org@imap.stranger.example",
    ),
    "a stranger that looks like the domain": (
        {},
        dns(imaps=["SRV 0 1 993 imap.notexample.org."]),
        "nothing else vouches for that",
    ),
    "the hoster's own word": (
        {"autoconfig.hoster.example/mail/config-v1.1.xml": config(imap("imap.hoster.example"))},
        dns(own=["MX 10 mx.hoster.example."]),
        "write imaps://ann%40example.org@imap.hoster.example",
    ),
    "plain only": ({AUTOCONFIG: config(imap(socket="plain"))}, {}, "offers no encrypted IMAP"),
    "an MX host that only looks like a provider's": (
        {},
        dns(own=["MX 10 aspmx.l.notgoogle.com.", "MX 20 google.com.stranger.example."]),
        "No IMAP server was found",
    ),
    "nothing at all": ({}, {}, "write imaps://USER@HOST"),
    "no such domain": ({}, {"example.org": None}, "There is no domain example.org"),
    "takes no mail": ({}, dns(own=["MX 0 ."]), "No IMAP server was found"),
    "redirects without end": (
        {AUTOCONFIG: moved("https://autoconfig.example.org/mail/config-v1.1.xml")},
        {},
        "status 302",
    ),
    "redirects to a stranger with the address": (
        {
            AUTOCONFIG: moved("https://www.stranger.example/?who=a%6en@example.org"),
            "www.stranger.example/": config(imap()),
        },
        {},
        "to a stranger, with the address",
    ),
}


def _send(handler, body):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(body)


def told_strangers(world):
    """What hosts of other domains were told of the local part."""
    return [
        url
        for url in world.asked
        if "ann" in unquote(url)
        and not url.partition("/mail/")[0].endswith("example.org")
        and not url.startswith("https://example.org/")
    ]


def search(world, address=ADDRESS, **options):
    return network.find(address, network=world.network(), **options)


@pytest.mark.parametrize("case", FOUND)
def test_the_server_is_found(case, home):
    pages, records, url = FOUND[case]
    with World(home, {"example.org": [], **records}, pages) as world:
        assert search(world).url == url
        assert told_strangers(world) == []


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trusted_is_a_sentence_that_helps(case, home):
    pages, records, words = REFUSED[case]
    known = {"example.org": [], **records}
    if known["example.org"] is None:
        del known["example.org"]
    with World(home, known, pages) as world:
        with pytest.raises(mf.MailframeError) as refused:
            search(world)
        assert words in str(refused.value)
        assert told_strangers(world) == []


@pytest.mark.parametrize(
    ("local", "place", "goes"),
    [
        ("mail", "mail/config-v1.1.xml", True),
        ("mail", "mail/config-v1.1.xml?emailaddress=mail%40example.org", False),
        ("www", "mail/config-v1.1.xml", True),
        ("ann", "mail/config-v1.1.xml", True),
        ("ann", "mail/config-v1.1.xml#ANN", False),
        ("ann", "%61nn/x.xml", False),
    ],
)
def test_who_moves_to_a_stranger_takes_no_address_along(home, local, place, goes):
    pages = {
        AUTOCONFIG: moved(f"https://www.hoster.example/{place}"),
        "www.hoster.example/mail/config-v1.1.xml": config(imap()),
    }
    with World(home, dns(imaps=["SRV 0 1 143 b.example.org."]), pages) as world:
        host = search(world, f"{local}@example.org").host
        assert (host == "imap.example.org") == goes
        assert any("hoster" in url for url in world.asked) == goes


def test_a_stranger_is_taken_where_a_person_agrees(home):
    records = dns(imaps=["SRV 0 1 993 imap.stranger.example."])
    with World(home, records) as world:
        found = search(world, agree=lambda found: found.host == "imap.stranger.example")
    assert found.host == "imap.stranger.example"


def test_a_certificate_of_another_name_is_no_answer(home):
    records = dns(imaps=[OWN])
    hosts = ["autoconfig.example.com", "example.com"]
    with World(home, records, {AUTOCONFIG: config(imap("evil.example.org"))}, hosts) as world:
        assert search(world).host == "imap.example.org"


@pytest.mark.parametrize(
    ("address", "user", "told"),
    [
        ("Ann+news@EXAMPLE.org", "Ann+news@example.org", "Ann%2Bnews@example.org"),
        (" ann@example.org ", "ann@example.org", "ann@example.org"),
        ("o'hara@example.org", "o'hara@example.org", "o%27hara@example.org"),
    ],
)
def test_an_address_is_told_as_it_is_with_its_domain_in_lower_case(home, address, user, told):
    with World(home, dns(), {AUTOCONFIG: config(imap())}) as world:
        assert search(world, address).user == user
    assert f"https://{AUTOCONFIG}?emailaddress={told}" in world.asked


def test_a_domain_beyond_ascii_is_asked_for_by_its_name_in_dns(home):
    pages = {
        "autoconfig.xn--bcher-kva.example/mail/config-v1.1.xml": config(
            imap("imap.xn--bcher-kva.example")
        )
    }
    with World(home, {"xn--bcher-kva.example": []}, pages) as world:
        found = search(world, "ann@Bücher.example")
    assert (found.host, found.user) == ("imap.xn--bcher-kva.example", "ann@xn--bcher-kva.example")


def test_a_domain_of_the_table_costs_no_packet(home):
    with World(home) as world:
        for address in ("ann@gmail.com", "Ann@GMX.de", "ann@outlook.com", "ann@me.com"):
            search(world, address)
    assert (world.asked, world.queried) == ([], [])


def test_the_ispdb_sees_the_domain_and_can_be_left_out(home, monkeypatch):
    monkeypatch.setattr(network, "WORLD", None)
    with World(home, dns(), {ISPDB: config(imap())}) as world:
        monkeypatch.setattr(network, "WORLD", world.network())
        assert mf.discover(ADDRESS).reason == "v1.ispdb.net"
        for off in ({"ispdb": False}, {}):
            world.asked.clear()
            monkeypatch.setenv("MAILFRAME_ISPDB", "off")
            with pytest.raises(mf.ConnectError):
                mf.discover(ADDRESS, **off)
            assert not any("ispdb" in url for url in world.asked)
    assert "ann" not in "".join(url for url in world.asked if "ispdb" in url)


@pytest.mark.parametrize("answers", [[], ["SRV 0 1 993 imap.example.org."]])
def test_silence_ends_within_five_and_a_half_seconds(home, answers):
    records = dns(imaps=answers) if answers else None
    hosts = ["autoconfig.example.org", "example.org", "v1.ispdb.net"]
    with World(home, records, certified=hosts, dead_web=True) as world:
        started = time.monotonic()
        if answers:
            assert search(world).host == "imap.example.org"
        else:
            with pytest.raises(mf.ConnectError, match="no answer"):
                search(world)
        assert time.monotonic() - started < 5.5
    assert threading.active_count() < 40


SILENT = """
import sys, mailframe as mf
from mailframe.discovery import network
host, port, https = sys.argv[1:]
network.WORLD = network.Network((host, int(port)), https_port=int(https))
print("asking", flush=True)
mf.read_imap("ann@example.org", password="secret")
"""


def test_ctrl_c_ends_a_search_at_once(home):
    with World(home, None, dead_web=True) as world:
        command = [sys.executable, "-c", SILENT, *map(str, world.nameserver), str(world.https_port)]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(mf.__file__).parents[1],
        ) as asking:
            asking.stdout.readline()
            time.sleep(1)
            asking.send_signal(signal.SIGINT)
            started = time.monotonic()
            _, said = asking.communicate(timeout=10)
    assert b"KeyboardInterrupt" in said
    assert time.monotonic() - started < 1.5


def test_what_let_somebody_in_is_remembered_without_the_address_and_asked_again_later(home):
    found = steps.of_server(
        steps.Server("imap.example.org", 993, "tls"), Address.parse(ADDRESS), "somebody"
    )
    cache.remember(found)
    kept = home / "cache" / "mailframe" / "servers.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "ann" not in kept.read_text()
    with World(home, dns()) as world:
        assert search(world, "bob@example.org").url == "imaps://bob%40example.org@imap.example.org"
        assert world.asked == []
        cache.forget(ADDRESS)
        with pytest.raises(mf.ConnectError):
            search(world, "bob@example.org")
    kept.write_text("[[[")
    assert cache.recall(Address.parse(ADDRESS)) is None
    kept.write_text('{"example.org": {"host": "evil", "port": "x", "until": 1e400}}')
    assert cache.recall(Address.parse(ADDRESS)) is None


@pytest.mark.parametrize(
    "text",
    ["ann", "ann@", "@example.org", "a b@example.org", "ann:secret@example.org", "ann@a_b@c", ""],
)
def test_what_is_no_address_is_not_taken_for_one(text):
    with pytest.raises(mf.ConfigurationError, match=r"not a mail address|no domain"):
        mf.discover(text)


def test_weights_are_kept(home):
    records = [
        srv.Record(0, weight, 993, f"{name}.example.") for name, weight in (("a.x", 0), ("b.x", 3))
    ]
    drawn = [srv.choose(records, "tls", lambda low, _high, n=n: low + n).host for n in range(4)]
    assert drawn == ["a.x.example", "b.x.example", "b.x.example", "b.x.example"]


def test_a_provider_without_imap_says_what_serves_instead():
    with pytest.raises(mf.ConfigurationError, match=r"Tuta: it has no IMAP.*read_eml"):
        mf.discover("ann@tuta.com")


def test_the_table_is_of_one_form():
    hosts = [provider for provider in providers.PROVIDERS if provider.host]
    domains = [domain for provider in providers.PROVIDERS for domain in provider.domains]
    assert len(providers.PROVIDERS) >= 40
    assert len(domains) == len(set(domains))
    for provider in providers.PROVIDERS:
        assert provider.source.startswith("https://")
        assert all(steps.host_of(name) == name for name in (*provider.domains, *provider.mx))
        assert provider.ways or provider not in hosts


@pytest.mark.parametrize(
    "octets", [b"", b"<", b"\xff\xfe", b"<a>" * 20_000, "<é/>".encode("utf-16")]
)
def test_no_octets_are_more_than_no_description(octets):
    with pytest.raises(autoconfig.UnusableError):
        autoconfig.read(octets, Address.parse(ADDRESS))
