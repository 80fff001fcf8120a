"""The command line, held to a real Dovecot: what is written, what is said, and the exit code."""

import csv
import gzip
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pandas as pd
import pytest

import mailframe as mf
from mailframe.cli import options
from mailframe.cli.main import main
from tests.children import python
from tests.kernel import PATIENCE, ROOT
from tests.servers.dovecot import Message

MAIL = b"From: Zoe <zoe@example.com>\r\nSubject: =1+%d\r\nMessage-ID: <%d@example.com>\r\n\r\n"


@pytest.fixture
def url(dovecot, user):
    """An account with five messages in INBOX and three in Lists/dev."""
    dovecot.deliver(user, "INBOX", [Message(MAIL % (n, n), ["\\Seen"]) for n in range(5)])
    dovecot.deliver(user, "Lists/dev", [Message(MAIL % (n, n)) for n in range(3)])
    return dovecot.url(user)


@pytest.fixture
def command(capfd):
    """Run the command line; give its exit code, standard output, and lines of standard error."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err.splitlines()

    return run


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_folders_are_listed(command, url):
    code, out, err = command("folders", url)
    assert (code, err) == (0, [])
    header, *rows = out.splitlines()
    assert header.split() == ["messages", "unseen", "size", "special_use", "folder"]
    lines = {line.split()[-1]: line.split() for line in rows}
    assert lines["INBOX"][:2] == ["5", "0"]
    assert lines["Lists/dev"][:2] == ["3", "3"]


def test_folders_can_be_written(command, url, tmp_path):
    assert command("folders", url, "-o", tmp_path / "f.csv") == (0, "", [])
    listed = table((tmp_path / "f.csv").read_text("utf-8-sig"))
    assert ("Lists/dev", "3") in [(row["folder"], row["messages"]) for row in listed]


def test_fetch_prints_csv(command, url):
    code, out, err = command("fetch", url, "--quiet")
    assert (code, err) == (0, [])
    rows = table(out)
    assert sorted((row["folder"], int(row["uid"])) for row in rows) == [
        *[("INBOX", uid) for uid in range(1, 6)],
        *[("Lists/dev", uid) for uid in range(1, 4)],
    ]
    assert {row["subject"] for row in rows} == {f"'=1+{n}" for n in range(5)}
    assert {row["from_addr"] for row in rows} == {"zoe@example.com"}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_fetch_writes_the_format_that_the_name_says(command, url, tmp_path, name):
    path = tmp_path / name
    code, out, err = command("fetch", url, "-o", path, "--formulas", "keep")
    assert (code, out) == (0, "")
    assert len(err) == 1
    assert err[0].startswith(f"mailframe: wrote 8 messages of 2 folders to {path}, in ")
    if name == "a.parquet":
        df = pd.read_parquet(path)
        assert df.attrs["mailframe"]["messages"] == 8
        subjects = set(df["subject"])
    elif name == "a.jsonl":
        subjects = {json.loads(line)["subject"] for line in path.read_text().splitlines()}
    else:
        opened = gzip.open if name.endswith(".gz") else open
        with opened(path, "rt") as file:
            subjects = {row["subject"] for row in csv.DictReader(file)}
    assert subjects == {f"=1+{n}" for n in range(5)}


def test_what_is_asked_for_is_what_comes(command, url):
    options = ("-f", "Lists/*", "--newest", 2, "--header", "X-Mailer", "--quiet")
    rows = table(command("fetch", url, *options)[1])
    assert [(row["folder"], row["uid"]) for row in rows] == [("Lists/dev", "2"), ("Lists/dev", "3")]
    assert table(command("fetch", url, "--search", "SEEN", "-q")[1])[0]["folder"] == "INBOX"
    assert table(command("fetch", url, "--before", "2001-01-01", "-q")[1]) == []


@pytest.fixture
def mbox(tmp_path):
    path = tmp_path / "old.mbox"
    mail = (MAIL % (n, n) + b"Hello\r\n\r\n" for n in range(4))
    path.write_bytes(b"".join(b"From zoe Thu Feb 29 12:00:00 2024\r\n" + one for one in mail))
    return path


def test_a_file_stands_wherever_a_url_may(command, mbox):
    code, out, err = command("fetch", mbox, "--formulas", "keep", "--header", "X-Mailer")
    assert code == 0
    rows = table(out)
    assert [row["subject"] for row in rows] == [f"=1+{n}" for n in range(4)]
    assert "x_mailer" in rows[0]
    assert err[0].startswith("mailframe: wrote 4 messages of 1 folder, in ")
    code, out, err = command("stats", mbox)
    assert code == 0
    assert err[0].startswith("mailframe: cannot tell which addresses are yours")
    assert "zoe@example.com" in out


def test_what_only_a_server_can_do_is_not_asked_of_a_file(command, mbox):
    code, out, err = command("fetch", mbox, "--search", "UNSEEN", "--connections", "3")
    assert (code, out) == (2, "")
    assert err == [
        f"mailframe: {mbox} is not on a server, so this cannot be asked: --connections, --search"
    ]
    code, _, err = command("stats", mbox, "--security", "tls")
    assert code == 2
    assert err[0].endswith("asked: --security")


def test_stats_sums_up_an_account_or_a_written_file(command, url, tmp_path):
    options = ("--tz", "UTC", "--me", "ann@example.org")
    code, from_server, err = command("stats", url, *options)
    assert (code, err) == (0, [])
    assert "5 (8 with copies) in 2 folders, 3 unread" in from_server
    for name in ("a.parquet", "a.csv", "a.csv.gz", "a.jsonl"):
        command("fetch", url, "-o", tmp_path / name)
        assert command("stats", tmp_path / name, *options) == (0, from_server, [])
    command("fetch", url, "--store", tmp_path / "store", "-o", tmp_path / "b.csv")
    assert command("stats", tmp_path / "store", *options) == (0, from_server, [])


def test_every_source_is_selected_from_by_the_same_rules(command, url, tmp_path):
    made = {name: tmp_path / name for name in ("a.parquet", "a.csv", "a.jsonl")}
    for path in made.values():
        command("fetch", url, "-q", "-o", path)
    command("fetch", url, "-q", "--store", tmp_path / "store", "-o", tmp_path / "b.csv")
    for source in (url, *made.values(), tmp_path / "store"):
        for asked, rows in (
            (("-f", "INBOX"), 5),
            (("-f", "Lists/*", "--newest", "2"), 2),
            (("--newest", "1"), 2),
            (("--since", "2001-01-01", "--before", "2001-02-01"), 0),
            (("--where", "is:unread from:zoe"), 3),
            (("--where", "subject:1+4 OR in:Lists"), 4),
        ):
            code, out, err = command("fetch", source, "-q", *asked)
            assert (code, len(table(out)), err) == (0, rows, []), (source, asked)
    code, _, err = command("fetch", made["a.csv"], "-f", "Nowhere")
    assert code == 2
    assert "no folder called Nowhere" in err[0]
    code, _, err = command("stats", url, "--where", "form:ann")
    assert (code, err) == (2, ["mailframe: " + err[0].removeprefix("mailframe: ")])
    assert "did you mean from:" in err[0]


def test_nothing_is_not_the_working_directory(command):
    code, out, err = command("fetch", "")
    assert (code, out) == (2, "")
    assert "Nothing was named" in err[0]


def test_who_has_read_enough_ends_it_quietly(mbox):
    line = f"{sys.executable} -m mailframe fetch {mbox} --format jsonl | head -n 1"
    shell = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout)["subject"]
    assert "Broken" not in done.stderr
    assert "Traceback" not in done.stderr


def test_shells_can_complete_commands_and_options():
    words = {"COMP_WORDS": "mailframe fetch --wh", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "mailframe"],
        check=False,
        cwd=ROOT,
        env=os.environ | words | {"_MAILFRAME_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "--where" in done.stdout


def test_stats_speak_of_options_and_of_the_file_they_were_given(command, mbox, tmp_path):
    code, _, err = command("stats", mbox, "--me", "nobody")
    assert (code, err) == (
        2,
        ["mailframe: --me takes addresses such as 'ann@example.org', not 'nobody'"],
    )
    code, out, err = command("stats", mbox, "--tz", "sender", "--me", "ann@example.org")
    assert (code, err) == (0, [])
    assert "0 to 23 h, each sender's own" in out
    foreign = tmp_path / "n.parquet"
    pd.DataFrame({"n": [1]}).to_parquet(foreign)
    for name in ("stats", "report"):
        code, _, err = command(name, foreign)
        assert (code, err) == (
            2,
            [f"mailframe: {foreign} holds no mail, or not as fetch writes it"],
        )


def test_stats_of_a_file_do_not_hang_on_the_order_in_which_mail_arrived(command, tmp_path):
    """Of the copies of a message the first counts, here one that knows what it answers."""
    mail = MAIL.rstrip() + b"\r\n%s\r\n"
    answer = b"In-Reply-To: <1@example.com>\r\n"
    for folder, texts in {
        "a": [mail % (1, 1, b""), mail % (2, 2, answer)],
        "b": [MAIL % (2, 2)],
    }.items():
        (tmp_path / folder).mkdir()
        for number, text in enumerate(texts):
            (tmp_path / folder / f"{number}.eml").write_bytes(text)
    df = mf.read_eml(tmp_path)
    mf.to_parquet(df, tmp_path / "sorted.parquet")
    mf.to_parquet(df[::-1], tmp_path / "arrived.parquet")
    assert df.mail.threads().shape[0] == 1
    outputs = [command("stats", tmp_path / f"{name}.parquet")[1] for name in ("sorted", "arrived")]
    assert "threads      1, the longest of 2 messages" in outputs[0]
    assert outputs[0] == outputs[1]


def test_sync_keeps_a_store_and_says_only_what_changed(command, dovecot, user, url, tmp_path):
    store = tmp_path / "store"
    name = f"{user}@127.0.0.1"
    assert command("sync", url, "--store", store) == (0, f"{name}: 8 new in 2 folders\n", [])
    assert command("sync", url, "--store", store) == (0, "", [])
    dovecot.deliver(user, "INBOX", [MAIL % (9, 9)])
    assert command("sync", url, "--store", store) == (0, f"{name}: 1 new in 1 folder\n", [])
    kept = command("fetch", url, "--store", store, "-q")
    assert sorted(kept[1].splitlines()) == sorted(command("fetch", url, "-q")[1].splitlines())
    code, out, err = command("sync", url, "--store", store, "-f", "INBOX", "-f", "Nope")
    assert (code, out) == (1, "")
    assert err[0].startswith("mailframe: There is no folder called Nope")
    assert command("fetch", url, "--store", store, "--newest", 2)[0] == 2


def test_stats_of_what_holds_no_mail_is_one_sentence(command, tmp_path):
    pd.DataFrame({"n": [1]}).to_parquet(tmp_path / "n.parquet")
    (tmp_path / "bad.parquet").write_text("no")
    (tmp_path / "a.csv").write_text("folder,uid\nINBOX,1\n")
    for name in ("n.parquet", "bad.parquet", "missing.parquet", "missing", "a.csv"):
        code, out, err = command("stats", tmp_path / name)
        assert (code, out, len(err)) == (2, "", 1)
        assert name in err[0]
        assert "output" not in err[0]


def test_report_writes_one_page_that_asks_nothing_of_a_network(command, url, tmp_path):
    page = tmp_path / "mail.html"
    code, out, err = command("report", url, "-o", page, "--title", "<Mine>")
    assert (code, out) == (0, "")
    assert err == [f"mailframe: wrote {page}, a page on 8 messages"]
    text = page.read_text()
    assert "<title>&lt;Mine&gt;</title>" in text
    assert "src=" not in text.partition("<script")[0]
    command("fetch", url, "-q", "-o", tmp_path / "a.parquet")
    assert command("report", tmp_path / "a.parquet", "-o", page)[0] == 0
    assert "Mail of" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "-o", "r.csv"], "The report is a page of HTML: let r.csv end in .html"),
        (["report", "-o", "a/r.html"], "a/r.html cannot be written: No such file or directory"),
        (["report", "--tz", "Mars"], "no time zone 'Mars': name one such as 'Europe/Berlin'"),
        (["report", "--tz", "sender"], "this needs one zone for all messages"),
        (["stats", "--tz", "Mars"], "no time zone 'Mars': name one such as 'Europe/Berlin'"),
    ],
)
def test_what_cannot_be_drawn_is_told_before_anything_is_read(
    command, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments, *refused_port(None))
    assert (code, out) == (2, "")
    assert err[0].startswith(f"mailframe: {said}")
    assert list(tmp_path.iterdir()) == []


def test_what_servers_say_cannot_command_the_terminal(command, dovecot, user):
    dovecot.deliver(user, "INBOX", [])
    _, _, err = command("fetch", dovecot.url(user), "-f", "\x1b]0;evil\x07")
    assert "\x1b" not in err[0]
    assert "evil" in err[0]


def test_an_empty_mailbox_is_no_failure(command, dovecot, user):
    code, out, err = command("fetch", dovecot.url(user))
    assert code == 0
    assert table(out) == []
    assert err[0].startswith("mailframe: wrote 0 messages of 1 folder, in ")


def test_a_folder_that_is_not_there_fails_and_the_rest_is_written(command, url, tmp_path):
    code, _, err = command("fetch", url, "-f", "INBOX", "-f", "Nope", "-o", tmp_path / "a.csv")
    assert code == 1
    assert err[0].startswith("mailframe: wrote 5 messages of 1 folder")
    assert err[1].startswith("mailframe: There is no folder called Nope")
    assert len(table((tmp_path / "a.csv").read_text("utf-8-sig"))) == 5


def wrong_password(dovecot):
    return [dovecot.url("ann").replace("secret", "wrong")]


def refused_port(_):
    with socket.create_server(("127.0.0.1", 0)) as server:
        return [f"imap://ann:secret@127.0.0.1:{server.getsockname()[1]}"]


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (wrong_password, 1, "password"),
        (refused_port, 1, "refused the connection"),
        (lambda _: ["imaps://ann:secret@host.invalid"], 1, "host.invalid"),
        (lambda _: ["imaps://ann:secret@imap..example.org"], 1, "no host called imap..example.org"),
        (lambda _: ["imaps://ann:secret@.example.org"], 1, "no host called .example.org"),
        (lambda _: [f"imap://ann:secret@{'x' * 70}.example"], 1, "check the name"),
        (lambda d: [d.url("ann"), "-f", "Nope"], 1, "mailframe folders URL shows them all"),
        (lambda _: ["imap://ann@127.0.0.1"], 2, "nobody to ask: set MAILFRAME_PASSWORD"),
        (lambda d: [d.url("ann"), "--since", "someday"], 2, "--since 'someday' is not a date"),
        (lambda d: [d.url("ann"), "--store", "s", "--newest", "1"], 2, "--before, --search and"),
        (lambda d: [d.url("ann"), "--search", "NONSENSE"], 2, "NONSENSE"),
        (lambda d: [d.url("ann"), "--newest", "0"], 2, "--newest 0 must"),
        (lambda d: [d.url("ann"), "--connections", "99"], 2, "connections"),
        (lambda d: [d.url("ann"), "--timeout", "-5"], 2, "timeout"),
        (lambda d: [d.url("ann"), "--flags", "skip"], 2, "name one by --store"),
        (lambda d: [d.url("ann"), "--header", "No header"], 2, "No header"),
        (lambda d: [d.url("ann"), "-f", ""], 2, "folders are named by -f INBOX"),
        (lambda d: [d.url("ann") + "/INBOX"], 2, "name folders by -f INBOX"),
        (lambda d: [d.url("ann"), "--ca-file", "none.pem", "--security", "tls"], 2, "none.pem"),
        (lambda _: ["ann@here"], 2, "imaps://USER@HOST"),
        (lambda _: ["https://ann@example.org"], 2, "imaps://USER@HOST"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_no_file(
    command, dovecot, tmp_path, arguments, code, hint
):
    got, out, err = command("fetch", *arguments(dovecot), "-o", tmp_path / "a.csv")
    assert (got, out, len(err)) == (code, "", 1)
    assert err[0].startswith("mailframe: ")
    assert hint in err[0]
    assert "secret" not in err[0]
    assert not re.search(r"\w=|\(\)|datetime|mailframe\.[A-Z]", err[0])  # nobody types Python here
    assert list(tmp_path.iterdir()) == []
    assert command("fetch", *arguments(dovecot))[1] == ""  # nor a heading without rows


def test_a_bad_place_for_the_file_is_told_before_the_server_is_asked(command, tmp_path):
    (url,) = refused_port(None)
    for name, hint in {"a.xlsx": "end in .csv", "missing/a.csv": "No such file"}.items():
        code, _, err = command("fetch", url, "-o", tmp_path / name)
        assert code == 2
        assert hint in err[0]
    code, _, err = command("folders", url, "-o", "f.xyz")
    assert code == 2
    assert err[0].endswith("let its name end in .csv, .parquet or .jsonl")


def test_a_full_disk_is_one_sentence(command, url):
    code, _, err = command("fetch", url, "-o", "/dev/full", "--format", "csv", "-q")
    assert code == 1
    assert len(err) == 1
    assert err[0].startswith("mailframe: /dev/full cannot be written: No space left on device")


@pytest.mark.parametrize(
    "arguments", [["fetch"], ["fetch", "--nonsense"], ["nonsense"], ["fetch", "u", "--newest", "x"]]
)
def test_a_command_that_makes_no_sense_ends_with_2(command, arguments):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err[0].startswith("Usage: mailframe")


def test_help_and_version_come_at_once(command):
    for arguments in (["--help"], ["fetch", "--help"], ["--version"]):
        code, out, err = command(*arguments)
        assert (code, err) == (0, [])
        assert "mailframe" in out


def test_advice_for_programs_that_is_put_into_options_is_advice_we_give():
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "mailframe").rglob("*.py"))
    plain = re.sub(r"[\"']?\s*\n\s*f?[\"']", "", sources).replace('\\"', '"')
    for phrase in options._ADVICE:
        assert plain.count(phrase) > 1, phrase  # the table's own mention is one


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, b"mailframe: interrupted"),
        (signal.SIGTERM, 143, b"mailframe: ended by SIGTERM"),
        (signal.SIGHUP, 129, b"mailframe: ended by SIGHUP"),
    ],
)
def test_a_signal_ends_with_its_code_and_leaves_nothing(tmp_path, number, code, said):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        url = f"imap://ann:secret@127.0.0.1:{server.getsockname()[1]}"
        with (
            python("-m", "mailframe", "fetch", url, "-o", tmp_path / "a.csv") as process,
            server.accept()[0] as link,
        ):
            link.settimeout(PATIENCE)
            link.sendall(b"* OK hello\r\n")
            assert link.recv(1)  # a command: now it waits for the answer
            process.send_signal(number)
            while link.recv(1000):
                pass  # to the end of the connection
            assert process.wait() == code
            assert process.stderr.read().split(b"\n") == [b"", said, b""]
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_enough_gets_no_traceback(dovecot, user):
    dovecot.deliver(user, "INBOX", [MAIL % (n, n) for n in range(2000)])
    with python("-m", "mailframe", "fetch", dovecot.url(user), "-q") as process:
        assert process.stdout.readline().startswith(b'"account"')
        process.stdout.close()
        assert process.wait() == 1
        assert process.stderr.read() == b""


def test_a_terminal_that_is_not_of_unicode_shows_what_it_can(tmp_path):
    (tmp_path / "a.eml").write_bytes(
        "From: Żaneta <z@example.org>\r\nSubject: łódź\r\n\r\n".encode()
    )
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1:strict"}
    with python("-m", "mailframe", "stats", tmp_path, env=environment) as process:
        out, err = process.communicate()
    assert process.returncode == 0
    assert b"z@example.org                  1 ????" in out
    assert b"Traceback" not in err


def test_without_a_standard_output_a_file_must_be_named(command, url, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)  # as Python has it where a shell says >&-
    code, _, err = command("fetch", url)
    assert (code, err) == (2, ["mailframe: Standard output is closed; name a file by -o"])


def test_the_demo_runs_from_server_to_files(command, tmp_path):
    pytest.importorskip("pymap", reason="the extra demo is not installed")
    code, out, err = command("demo", "-o", tmp_path / "demo")
    assert (code, err) == (0, [])
    assert "2,000 messages" in out
    assert len(table((tmp_path / "demo/headers.csv").read_text("utf-8-sig"))) == 2000
    assert len(pd.read_parquet(tmp_path / "demo/headers.parquet")) == 2000
    assert "report.html" in out
    assert "Mail of robin" in (tmp_path / "demo/report.html").read_text()


def test_the_demo_can_stay_up(tmp_path):
    pytest.importorskip("pymap", reason="the extra demo is not installed")
    with python("-m", "mailframe", "demo", "--serve") as process:
        for line in process.stdout:
            if b"imap://" in line:
                url = line.split()[-1].decode()
                break
        assert main(["fetch", url, "-q", "--newest", "1", "-o", str(tmp_path / "a.csv")]) == 0
        process.send_signal(signal.SIGINT)
        assert b"Stopped" in process.stdout.read()
        assert process.wait() == 0
    assert len(table((tmp_path / "a.csv").read_text("utf-8-sig"))) == 12
