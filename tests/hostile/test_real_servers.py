"""Real servers that install from Debian, PyPI and npm, in configurations that hurt."""

import pytest

import mailframe as mf
from tests.servers import dovecot as dovecot_server
from tests.servers import foreign

needs_dovecot = pytest.mark.skipif(
    dovecot_server.BINARY is None, reason="Dovecot is not installed: apt install dovecot-imapd"
)
needs_hoodiecrow = pytest.mark.skipif(
    not foreign.have_hoodiecrow(), reason="hoodiecrow is not installed: tests/run does, with npm"
)
LETTERS = [
    f"From: ann@example.org\r\nSubject: letter {n}\r\nMessage-ID: <{n}@x>\r\n\r\nhi\r\n".encode()
    for n in range(1, 41)
]
SUBJECTS = [f"letter {n}" for n in range(1, 41)]


@needs_dovecot
@pytest.mark.parametrize(
    "config",
    [
        "mail_max_userip_connections = 2",
        "protocol imap {\n  mail_plugins = imap_zlib\n}",
        "imap_capability = IMAP4rev1",
        "imap_capability = IMAP4rev1 ID LIST-STATUS LITERAL+",
    ],
    ids=["two connections at most", "imap_zlib", "bare IMAP4rev1", "hidden LIST-EXTENDED"],
)
def test_dovecot_gives_every_row_in_any_configuration(config):
    with dovecot_server.Dovecot(config=config) as server:
        for folder in ("INBOX", "Archive", "Sent", "Entwürfe"):
            server.deliver("ann", folder, LETTERS)
        frame = mf.read_imap(server.url("ann"), connections=6, progress=False, errors="raise")
    by_folder = frame.groupby("folder", observed=True)["subject"].agg(list)
    assert by_folder["Archive"] == by_folder["INBOX"] == by_folder["Sent"] == SUBJECTS
    assert by_folder["Entwürfe"] == SUBJECTS


@needs_dovecot
def test_dovecot_over_tls_is_verified_and_complete(dovecot_tls, user):
    dovecot_tls.deliver(user, "INBOX", LETTERS)
    for port, security in ((dovecot_tls.tls_port, "tls"), (dovecot_tls.port, "starttls")):
        account = mf.Account(
            host="localhost",
            port=port,
            user=user,
            password="secret",
            security=security,
            ca_file=str(dovecot_tls.ca_file),
        )
        assert mf.read_imap(account, progress=False, errors="raise")["subject"].tolist() == SUBJECTS


def test_pymap_gives_every_row():
    with foreign.pymap() as url:
        frame = mf.read_imap(url, progress=False, errors="raise")
        listed = mf.list_folders(url)
    assert len(frame) == listed["messages"].sum() > 0
    assert "Hello, World!" in set(frame["subject"])


@needs_hoodiecrow
@pytest.mark.parametrize("plugins", [(), ("ID", "LITERALPLUS", "SPECIAL-USE", "UNSELECT")])
def test_hoodiecrow_gives_every_row(tmp_path, plugins):
    mail = {"INBOX": LETTERS, "Archive": LETTERS[:7], "Empty": []}
    with foreign.hoodiecrow(tmp_path, mail, *plugins) as url:
        frame = mf.read_imap(url, progress=False, errors="raise")
    assert frame["subject"].tolist() == SUBJECTS[:7] + SUBJECTS
    assert frame["folder"].unique().tolist() == ["Archive", "INBOX"]


@needs_dovecot
def test_mail_that_was_archived_without_a_label_is_read_and_its_answers_count():
    def mail(number, sender, to, answers=0):
        replies = f"In-Reply-To: <{answers}@x>\r\nReferences: <{answers}@x>\r\n" if answers else ""
        return (
            f"From: {sender}@example.org\r\nTo: {to}@example.org\r\nSubject: plan {number}\r\n"
            f"Date: Mon, 05 Feb 2024 1{number}:00:00 +0000\r\nMessage-ID: <{number}@x>\r\n"
            f"{replies}\r\nhi\r\n"
        ).encode()

    archived = [mail(1, "bob", "ann"), mail(2, "carol", "ann")]
    inbox, sent = [mail(3, "dave", "ann")], [mail(4, "ann", "bob", 1), mail(5, "ann", "carol", 2)]
    config = "namespace inbox {\n  mailbox All {\n    special_use = \\All\n  }\n}"
    with dovecot_server.Dovecot(config=config) as server:
        for name, mails in {"INBOX": inbox, "Sent": sent, "All": archived + inbox + sent}.items():
            server.deliver("ann", name, mails)
        for options in ({}, {"folders": ["*"]}):
            frame = mf.read_imap(server.url("ann"), progress=False, errors="raise", **options)
            assert frame["folder"].value_counts().to_dict() == {"All": 2, "Sent": 2, "INBOX": 1}
            assert len(frame.mail.response_times(me="ann@example.org")) == 2
        assert len(mf.read_imap(server.url("ann"), folders="All", progress=False)) == 5


@needs_dovecot
def test_what_the_server_says_a_folder_is_for_keeps_its_mail_from_the_questions(tmp_path):
    def mail(number, sender, to):
        return (
            f"From: {sender}@example.org\r\nTo: {to}@example.org\r\nSubject: plan {number}\r\n"
            f"Date: Mon, 05 Feb 2024 1{number}:00:00 +0000\r\n"
            f"Message-ID: <{number}@x>\r\n\r\nhi\r\n"
        ).encode()

    uses = {"Reklama": r"\Junk", "Gone": r"\Trash", "Out": r"\Sent"}
    boxes = "".join(
        f"  mailbox {name} {{\n    special_use = {use}\n  }}\n" for name, use in uses.items()
    )
    with dovecot_server.Dovecot(config=f"namespace inbox {{\n{boxes}}}") as server:
        for number, name in enumerate(("INBOX", "Reklama", "Gone")):
            server.deliver("ann", name, [mail(number, f"bob{number}", "ann")])
        server.deliver("ann", "Out", [mail(5, "ann", "carol")])
        for options in ({}, {"store": tmp_path / "store"}):
            frame = mf.read_imap(server.url("ann"), progress=False, **options)
            told = frame.mail.awaiting_reply()
            assert told.attrs["me"]["source"] == "guessed from Out"
            assert sorted(told["subject"]) == ["plan 0", "plan 5"]
    kept = mf.open_store(tmp_path / "store").frame()
    assert sorted(kept.mail.awaiting_reply()["subject"]) == ["plan 0", "plan 5"]
