"""What is told beside headers costs its own cells when it breaks, and no row."""

import pandas as pd
import pytest

from mailframe.errors import FolderError
from tests.hostile.behaviours import each_row
from tests.hostile.fetching import assert_complete, expected_rows, fetch, problems, report, rows
from tests.servers.gmail import ALL_MAIL, FIRST_ID, GMAIL, LABELS, gmail
from tests.servers.mailbox import one_folder, small_mailbox
from tests.servers.scripted import CAPABILITIES, Cut, Scripted

PDF = b'("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 780)'
TEXT = b'("text" "plain" NIL NIL NIL "7bit" 12 3)'


def with_structures(folders):
    for folder in folders:
        for message in folder.messages:
            message.more["BODYSTRUCTURE"] = PDF if message.uid % 3 == 0 else TEXT
    return folders


def right(df, *, but=()):
    """Every count is right, and null for these UIDs."""
    expected = [None if uid in but else int(uid % 3 == 0) for uid in df["uid"]]
    assert (
        df["attachments"].astype(object).where(df["attachments"].notna(), None).tolist() == expected
    )


def asks(session, command):
    return command.name == "UID FETCH" and "BODYSTRUCTURE" in command.text


def test_attachments_are_columns_beside_the_others():
    with Scripted(folders=with_structures(small_mailbox())) as server:
        df = fetch(server, attachments=True)
        assert_complete(df, server)
        right(df)
        plain = fetch(server)
    one = df[df["uid"] == 3].iloc[0]
    assert one["attachment_bytes"] == 570
    assert list(one["attachment_names"]) == ["a.pdf"]
    assert list(one["attachment_types"]) == ["application/pdf"]
    assert list(one["attachment_sizes"]) == [570]
    assert df.dtypes["attachments"] == "Int64"
    pd.testing.assert_frame_equal(df[plain.columns], plain)


def test_they_travel_in_a_fetch_of_their_own_behind_the_rows():
    with Scripted(folders=with_structures(one_folder())) as server:
        fetch(server, attachments=True, connections=1)
        headers, structures = server.lines("UID FETCH")
    assert "BODYSTRUCTURE" not in headers
    assert structures.endswith("(UID BODYSTRUCTURE)")


async def refuses(session, command):
    if asks(session, command):
        await session.send(command.done("NO", "not today"))
        return True
    return False


async def does_not_know(session, command):
    if asks(session, command):
        await session.send(command.done("BAD", "unknown item"))
        return True
    return False


async def hangs_up(session, command):
    if asks(session, command):
        raise Cut
    return False


async def says_nothing(session, command):
    if asks(session, command):
        await session.send(command.done())
        return True
    return False


@pytest.mark.parametrize("broken", [refuses, does_not_know, hangs_up, says_nothing])
def test_a_server_that_does_not_tell_costs_no_row(broken):
    with Scripted(broken, folders=with_structures(small_mailbox())) as server:
        df = fetch(server, attachments=True)
        assert rows(df) == expected_rows(server)
    assert df["attachments"].isna().all()
    told = [problem["text"] for problem in report(df)["problems"]]
    assert len(told) == 4  # a folder with messages each
    assert all("attachments" in text for text in told)


def breaking(fault):
    """One message's structure goes wrong, each time."""

    async def behaviour(session, command):
        if not asks(session, command):
            return False
        for part in session.honest(command):
            if b"(UID 7 " in bytes(part):
                await session.send(fault(bytes(part)))
                if fault is refused:
                    await session.send(command.done("NO", "cannot read message"))
                    return True
            else:
                await session.send(part)
        return True

    return behaviour


def refused(_):
    return b""


def killing(_):
    raise Cut


FAULTS = {
    "refused": refused,
    "fatal": killing,
    "not closed": lambda row: row.replace(b"))\r\n", b"\r\n"),
    "NIL": lambda _: b"* 7 FETCH (UID 7 BODYSTRUCTURE NIL)\r\n",
    "no value": lambda _: b"* 7 FETCH (UID 7 BODYSTRUCTURE)\r\n",
    "another item": lambda _: b"* 7 FETCH (UID 7 BODY (1))\r\n",
    "a literal cut short": lambda _: b'* 7 FETCH (UID 7 BODYSTRUCTURE ("a" {2}\r\nabc" NIL))\r\n',
    "a literal beyond limits": lambda _: b"* 7 FETCH (UID 7 BODYSTRUCTURE ({999999999}\r\n",
    "left out": lambda _: b"",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_broken_message_costs_its_own_cells(fault):
    with Scripted(breaking(fault), folders=with_structures(one_folder(40))) as server:
        df = fetch(server, attachments=True)
        assert rows(df) == expected_rows(server)
    right(df, but={7})
    assert problems(df) == [("INBOX", 7)]


def test_a_folder_that_is_searched_or_cut_tells_them_too():
    with Scripted(folders=with_structures(small_mailbox())) as server:
        df = fetch(server, attachments=True, newest=5)
        assert len(df) == 18
        right(df)
        df = fetch(server, attachments=True, search="UNSEEN", folders="INBOX")
        assert len(df)
        right(df)


def test_gmail_is_asked_for_its_ids_and_labels():
    with Scripted(folders=gmail(), capabilities=GMAIL) as server:
        df = fetch(server, folders=ALL_MAIL)
    assert [list(one) for one in df["x_gm_labels"]] == LABELS
    assert df["x_gm_msgid"].tolist() == [str(FIRST_ID + number) for number in range(5)]
    assert df["x_gm_thrid"].nunique() == 3
    assert df.dtypes["x_gm_thrid"] == "str"
    assert problems(df) == []


def test_all_mail_is_named_by_its_role_whatever_its_language():
    folders = gmail()
    folders[0].name = "[Gmail]/Alle Nachrichten"
    with Scripted(folders=folders, capabilities=GMAIL) as server:
        df = fetch(server, folders=r"\All")
        assert len(df) == 5
        assert len(fetch(server, folders=[r"\all", "INBOX"])) == 8
        with pytest.raises(FolderError):
            fetch(server, folders=r"\Junk")


def test_by_default_a_view_shows_what_stands_nowhere_else_and_ids_tell_copies():
    with Scripted(folders=gmail(), capabilities=GMAIL) as server:
        df = fetch(server)
    assert report(df)["views"] == {ALL_MAIL: 1, "[Gmail]/Starred": 0}
    assert len(df) == 7
    mails = df.mail.unique()
    assert len(mails) == 5
    assert sorted(mails["x_gm_msgid"]) == [str(FIRST_ID + number) for number in range(5)]
    assert df.mail.threads()["messages"].sum() == 5
    assert len(df.mail.threads()) == 3


def test_other_servers_are_not():
    with Scripted(folders=gmail()) as server:
        df = fetch(server)
        assert "x_gm_labels" not in df
        assert not any("X-GM" in line for line in server.lines("UID FETCH"))


OBJECTS = {
    "EMAILID": b"(M6d99ac3275bb4e)",
    "THREADID": b"NIL",
    "SAVEDATE": b'"01-Jan-2024 09:00:00 +0100"',
    "PREVIEW": b'"Hello, f\xc3\xbcr"',
}


def test_ids_are_asked_for_and_more_on_request():
    folders = one_folder()
    for message in folders[0].messages:
        message.more = OBJECTS
    with Scripted(
        folders=folders, capabilities=f"{CAPABILITIES} OBJECTID SAVEDATE PREVIEW"
    ) as server:
        df = fetch(server)
        assert list(df.columns[26:]) == ["email_id", "thread_id"]
        df = fetch(server, savedate=True, preview=True)
    first = df.iloc[0]
    assert first["email_id"] == "M6d99ac3275bb4e"
    assert df["thread_id"].isna().all()
    assert first["savedate"] == pd.Timestamp("2024-01-01 08:00", tz="UTC")
    assert first["preview"] == "Hello, für"
    assert problems(df) == []


def test_a_server_without_an_extension_leaves_its_column_empty():
    with Scripted(folders=one_folder()) as server:
        df = fetch(server, savedate=True)
        assert_complete(df, server)
    assert df["savedate"].isna().all()
    assert df.dtypes["savedate"] == "datetime64[us, UTC]"


def test_a_row_with_both_is_taken_as_each():
    """Flag updates and structures of the same message pass each other."""

    def twice(row):
        return [b"* %d FETCH (FLAGS (\\Seen) UID %d)\r\n" % (row.number, row.uid), row]

    with Scripted(each_row(twice), folders=with_structures(one_folder())) as server:
        df = fetch(server, attachments=True)
        assert_complete(df, server)
    right(df)
