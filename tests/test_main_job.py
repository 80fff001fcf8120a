"""The main job on a real server: from an IMAP account to a DataFrame, row by row."""

import asyncio
import email
from collections import Counter

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import AuthenticationError, ConfigurationError, ConnectError, FolderError
from tests import corpora, letters
from tests.servers.dovecot import HOST, PASSWORD, Dovecot, free_ports
from tests.servers.relay import Relay

USER = "main-job"
FOLDERS = {
    "INBOX": 1500,
    "Empty": 0,
    "Sent": 250,
    "Archive/2023.x": 250,
    "Archive/2024": 250,
    "Lists/a b": 250,
    "Lists/harbour": 250,
    'quo"ted\\': 250,
    "Grüße": 250,
    "会議": 250,
    "R&D": 250,
    "%": 250,
    "x" * 120: 250,
}


@pytest.fixture(scope="module")
def shelf(dovecot):
    """Every letter of a mailbox, in the order of the frame."""
    written = []
    for folder in sorted(FOLDERS):
        ours = letters.write(folder, FOLDERS[folder])
        if ours:
            dovecot.deliver(USER, folder, [letter.stored for letter in ours])
        else:
            dovecot.folder(USER, folder)
        written += ours
    return written


@pytest.fixture
def url(dovecot, shelf):
    del shelf  # it has been delivered
    return dovecot.url(USER)


def expect(frame, wanted):
    """Compare a frame with letters: every row, every column, in order."""
    rows = [letter.row() for letter in wanted]
    assert len(frame) == len(rows)
    for column in rows[0] if rows else ():
        got = [plain(value) for value in frame[column]]
        assert got == [row[column] for row in rows], column
    assert not frame["defects"].any()


def plain(value):
    if hasattr(value, "tolist"):
        value = value.tolist()
    return None if not isinstance(value, list) and pd.isna(value) else value


@pytest.mark.parametrize("connections", [1, 2, 4, 8])
def test_every_row_of_every_folder_is_right(url, shelf, connections):
    expect(mf.read_imap(url, connections=connections), shelf)


def test_the_report_tells_what_was_done(url, shelf):
    report = mf.read_imap(url).attrs["mailframe"]
    assert report["messages"] == len(shelf)
    assert report["folders"] == len(FOLDERS)
    assert report["problems"] == []
    assert PASSWORD not in str(report)


def test_nothing_on_the_server_changes(dovecot, url):
    def names():
        return sorted(
            path.relative_to(dovecot.mail).as_posix()
            for path in (dovecot.mail / USER).rglob("*")
            if path.parent.name in {"cur", "new"}
        )

    before = names()
    mf.read_imap(url)
    assert names() == before  # a Maildir name holds the flags


def test_batches_hold_every_row_once(url, shelf):
    async def read():
        return [batch async for batch in mf.aiter_batches(url, connections=3)]

    seen = Counter()
    for batch in asyncio.run(read()):
        seen.update(zip(batch["folder"].to_pylist(), batch["uid"].to_pylist(), strict=True))
    assert seen == Counter((letter.folder, letter.uid) for letter in shelf)


def test_a_coroutine_gives_the_same_frame(url, shelf):
    expect(asyncio.run(mf.aread_imap(url)), shelf)


def test_folders_are_listed_with_their_numbers(url, shelf):
    listed = mf.list_folders(url).set_index("folder")
    counts = Counter(letter.folder for letter in shelf)
    unseen = Counter(letter.folder for letter in shelf if "\\Seen" not in letter.flags)
    for folder in FOLDERS:
        assert listed.loc[folder, "messages"] == counts[folder]
        assert listed.loc[folder, "unseen"] == unseen[folder]
        assert listed.loc[folder, "selectable"]
        assert listed.loc[folder, "uidnext"] == counts[folder] + 1
    assert not listed.loc["Lists", "selectable"]
    assert "Sent" in str(listed.loc["Sent", "special_use"])


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        ("INBOX", {"INBOX"}),
        ("inbox", {"INBOX"}),
        ("Lists/*", {"Lists/a b", "Lists/harbour"}),
        (["Grüße", 'quo"ted\\'], {"Grüße", 'quo"ted\\'}),
        (["Archive/20*", "会議", "R&D"], {"Archive/2023.x", "Archive/2024", "会議", "R&D"}),
    ],
)
def test_folders_are_chosen_by_name_and_by_glob(url, shelf, folders, names):
    wanted = [letter for letter in shelf if letter.folder in names]
    expect(mf.read_imap(url, folders=folders), wanted)


def test_the_server_selects_by_day_of_arrival(url, shelf):
    frame = mf.read_imap(url, since="2024-01-05", before="2024-01-10")
    days = range(5, 10)
    expect(frame, [x for x in shelf if x.internaldate.month == 1 and x.internaldate.day in days])


def test_newest_takes_the_last_of_each_folder(url, shelf):
    wanted = [x for x in shelf if x.uid > FOLDERS[x.folder] - 7]
    expect(mf.read_imap(url, newest=7), wanted)


def test_the_server_searches(url, shelf):
    wanted = [x for x in shelf if "\\Flagged" in x.flags and x.sender != 0]
    expect(mf.read_imap(url, search='FLAGGED NOT FROM "ann@example.org"'), wanted)


def test_more_headers_become_columns(url, shelf):
    frame = mf.read_imap(url, folders="Sent", headers=["Received:all", "X-Absent"])
    assert all(len(value) == 1 and "a.example" in value[0] for value in frame["received"])
    assert frame["x_absent"].isna().all()
    expect(frame, [letter for letter in shelf if letter.folder == "Sent"])


def test_an_empty_mailbox_is_an_empty_frame_with_all_columns(dovecot, user, url):
    empty = mf.read_imap(dovecot.url(user))
    assert len(empty) == 0
    full = mf.read_imap(url, folders="Sent")
    assert dict(empty.dtypes.astype(str)) == dict(full.dtypes.astype(str))


@pytest.mark.parametrize("name", corpora.NAMES)
def test_real_mail_gives_as_many_rows_as_messages(dovecot, user, name):
    messages = corpora.messages(name)
    dovecot.deliver(user, "INBOX", messages)
    frame = mf.read_imap(dovecot.url(user), errors="ignore")
    assert frame["uid"].tolist() == list(range(1, len(messages) + 1))
    # A header without a single field is a row all the same, and told.
    headless = [raw for raw in messages if not email.message_from_bytes(raw).keys()]
    assert len(frame.attrs["mailframe"]["problems"]) == bool(headless)
    if name != "spamassassin-ham":
        assert frame["defects"].any()


# -- encryption


@pytest.fixture(scope="module")
def small_tls(dovecot_tls):
    dovecot_tls.deliver(USER, "INBOX", [x.stored for x in letters.write("INBOX", 20)])
    return dovecot_tls


def test_tls_from_the_start(small_tls):
    account = mf.Account.parse(small_tls.url(USER, tls=True), ca_file=small_tls.ca_file)
    assert len(mf.read_imap(account)) == 20


def test_tls_begun_in_the_session(small_tls):
    account = mf.Account.parse(small_tls.url(USER), ca_file=small_tls.ca_file, security="starttls")
    assert len(mf.read_imap(account)) == 20


def test_an_unknown_authority_is_refused(small_tls):
    with pytest.raises(ConnectError, match="certificate"):
        mf.read_imap(small_tls.url(USER, tls=True))


def test_an_expired_certificate_is_refused(user):
    with Dovecot(expired=True) as server:
        account = mf.Account.parse(server.url(user, tls=True), ca_file=server.ca_file)
        with pytest.raises(ConnectError, match="expired"):
            mf.read_imap(account)


def test_a_certificate_for_another_host_is_refused(user):
    with Dovecot(tls=True, host_names=["mail.example.org"]) as server:
        account = mf.Account.parse(server.url(user, tls=True), ca_file=server.ca_file)
        with pytest.raises(ConnectError, match=r"127\.0\.0\.1"):
            mf.read_imap(account)


# -- what goes wrong ends in one sentence


def test_a_wrong_password(dovecot, user):
    with pytest.raises(AuthenticationError) as caught:
        mf.read_imap(f"imap://{user}:wrong-word@{HOST}:{dovecot.port}")
    assert "wrong-word" not in str(caught.value)


def test_a_host_that_does_not_exist():
    with pytest.raises(ConnectError, match=r"no-such-host\.invalid"):
        mf.read_imap("imaps://ann:secret@no-such-host.invalid")


def test_a_port_where_nobody_listens():
    port = free_ports(1)[0]
    with pytest.raises(ConnectError, match=str(port)):
        mf.read_imap(f"imap://ann:secret@{HOST}:{port}")


def test_a_folder_that_is_not_there(url):
    with pytest.raises(FolderError, match="Nowhere"):
        mf.read_imap(url, folders="Nowhere", errors="raise")


@pytest.mark.parametrize("since", ["32nd of May", "2024-02-31", "05/06/2024"])
def test_a_bad_date_is_told_before_anything_is_opened(since):
    with pytest.raises(ConfigurationError, match="since"):
        mf.read_imap(f"imap://ann:secret@{HOST}:1", since=since)


def test_connections_beyond_the_servers_limit_are_done_without(user):
    with Dovecot(config="mail_max_userip_connections = 2") as server:
        ours = letters.write("INBOX", 600)
        server.deliver(user, "INBOX", [letter.stored for letter in ours])
        expect(mf.read_imap(server.url(user), connections=8), ours)


def test_a_link_that_breaks_again_and_again_loses_nothing(dovecot, url, shelf):
    with Relay(dovecot.port, seed=3, cut_after=150_000, jitter=True, faulty=6) as relay:
        with pytest.warns(mf.MailframeWarning, match="lost connection"):
            frame = mf.read_imap(url.replace(f":{dovecot.port}", f":{relay.port}"))
        expect(frame, shelf)
        assert relay.opened > 6


def test_no_connection_stays_open(dovecot, url):
    with Relay(dovecot.port) as relay:
        mf.read_imap(url.replace(f":{dovecot.port}", f":{relay.port}"), connections=4)
        assert relay.settled()
        assert relay.opened >= 4
