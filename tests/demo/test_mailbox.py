"""The invented mailbox is plausible, repeatable, and as odd as real mail."""

from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy
from email.header import decode_header
from email.utils import parsedate_to_datetime

import pytest

import mailframe as mf
from mailframe.demo.cast import OWNER
from mailframe.demo.mailbox import DAYS, ENDS, generate


@pytest.fixture(scope="module")
def mails():
    return generate()


def fields(mail, name):
    return message_from_bytes(mail.raw, policy=policy.compat32).get_all(name, [])


@pytest.mark.parametrize("count", [1, 7, 100, 2000])
def test_it_has_as_many_messages_as_asked_for(count):
    assert len(generate(count)) == count


def test_the_same_seed_gives_the_same_bytes(mails):
    assert generate() == mails
    assert generate(seed=21) != mails


def test_it_fills_twelve_folders_over_two_years(mails):
    folders = Counter(mail.folder for mail in mails)
    assert len(folders) == 12
    assert min(folders.values()) >= 5
    first, last = mails[0].internaldate, mails[-1].internaldate
    assert ENDS - timedelta(days=DAYS) <= first <= ENDS - timedelta(days=DAYS - 14)
    assert ENDS - timedelta(days=14) <= last <= ENDS + timedelta(hours=2)


def test_answers_name_a_message_that_is_there_and_older(mails):
    dates = {}
    for mail in mails:
        for identifier in fields(mail, "Message-ID"):
            dates.setdefault(identifier, mail.internaldate)
    answers = [(mail, one) for mail in mails for one in fields(mail, "In-Reply-To")]
    assert len(answers) > len(mails) // 4
    known = [(mail, one) for mail, one in answers if one in dates]
    assert len(known) > len(answers) * 0.9
    spans = [mail.internaldate - dates[one] for mail, one in known if mail.folder == "Sent"]
    assert all(span > timedelta(0) for span in spans)


def test_words_come_in_many_charsets(mails):
    charsets = Counter(
        charset
        for mail in mails
        for subject in fields(mail, "Subject")
        if isinstance(subject, str)
        for _, charset in decode_header(subject)
        if charset
    )
    assert {"iso-8859-1", "koi8-r", "big5", "iso-2022-jp", "windows-1252", "utf-8"} <= set(charsets)
    assert any("Almoço de domingo".encode() in mail.raw for mail in mails)  # raw, unencoded


def test_lists_newsletters_and_junk_carry_their_fields(mails):
    for mail in mails:
        if mail.folder.startswith("Lists/"):
            assert len(fields(mail, "List-Id")) == 1
        if mail.folder == "Newsletters":
            assert fields(mail, "List-Unsubscribe")[0].startswith("<https://")
        if mail.folder == "Junk":
            assert "dmarc=fail" in fields(mail, "Authentication-Results")[0]


def test_received_chains_tell_a_way_that_ends_at_delivery(mails):
    for mail in mails:
        stamps = [parsedate_to_datetime(one.rpartition(";")[2]) for one in fields(mail, "Received")]
        if mail.folder in {"Sent", "Drafts"}:
            assert not stamps
        else:
            assert len(stamps) >= 3
            assert stamps == sorted(stamps, reverse=True)
        if stamps and mail.folder != "Archive":
            assert stamps[0] == mail.internaldate


def test_the_archive_holds_copies_byte_for_byte(mails):
    others = {mail.raw for mail in mails if mail.folder != "Archive"}
    archived = [mail for mail in mails if mail.folder == "Archive"]
    assert len(archived) == 100
    assert all(mail.raw in others for mail in archived)


def test_some_mail_is_malformed(mails):
    assert sum(not fields(mail, "Date") for mail in mails) >= 1
    assert sum(not fields(mail, "Message-ID") for mail in mails) >= 1
    assert sum(b"31 Feb" in mail.raw for mail in mails) >= 1


def test_what_the_owner_owes_is_what_people_asked_and_nobody_answered(mails, tmp_path):
    """The fields themselves say so, message by message; and it is little, as people answer."""
    for folder in {mail.folder for mail in mails}:
        with (tmp_path / f"{folder.replace('/', '.')}.mbox").open("wb") as file:
            for mail in mails:
                if mail.folder == folder:
                    stamp = f"{mail.internaldate:%a %b %d %H:%M:%S %Y}"
                    file.write(f"From x@y {stamp}\r\n".encode() + mail.raw + b"\r\n")
    frame = mf.read_mbox(sorted(tmp_path.iterdir()), progress=False)
    table = frame.mail.awaiting_reply(me=OWNER.address, now=ENDS)
    owe = table[table["waiting"] == "owe"]

    put_away = {"Junk", "Trash", "Drafts"}
    here = [mail for mail in mails if mail.folder not in put_away]
    referred = " ".join(str(one) for mail in here for one in fields(mail, "References"))
    replied = {one.strip("<>") for one in referred.split()}
    asked = {
        fields(mail, "Message-ID")[0].strip("<>")
        for mail in here
        if any(OWNER.address in str(to) for to in fields(mail, "To"))
        and not any(OWNER.address in str(one) for one in fields(mail, "From"))
        and not fields(mail, "List-Unsubscribe")
        and not fields(mail, "Auto-Submitted")
        and fields(mail, "Message-ID")
    }
    named = frame.loc[owe.index, "message_id"].dropna()
    assert set(named) <= asked - replied
    waits = frame["message_id"].isin(asked - replied)
    assert set(frame.mail.thread_ids()[waits]) == set(owe.loc[named.index, "thread"])
    assert 10 <= len(owe) <= 30
    assert 1 <= (owe["age"] < "30D").sum() <= 10
