"""A frame to be shared: nothing of it can be read, and its statistics are the same."""

from __future__ import annotations

import base64
import hashlib

import numpy as np
import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError
from tests.stats.frames import make_frame
from tests.stats.mailbox import hand_mailbox

KEY = "0123456789abcdef"
DF = hand_mailbox()
HIDDEN = DF.mail.anonymise(KEY)
FRAME = make_frame(2000, seed=5)
HIDDEN_FRAME = FRAME.mail.anonymise(KEY)


def test_nothing_that_was_written_is_left():
    told = HIDDEN.astype(str).to_csv().lower()
    for word in ("ann", "bob", "cara", "example", "plan", "invoice", "b1@id", "ci", "dev"):
        assert word not in told.replace("invalid", "").replace("lists", "")


def test_it_is_still_a_mail_frame():
    assert HIDDEN.dtypes.to_dict().keys() == DF.dtypes.to_dict().keys()
    for name in DF.columns.difference(["account", "folder"]):
        assert HIDDEN[name].dtype == DF[name].dtype
        assert HIDDEN[name].isna().equals(DF[name].isna())
    assert HIDDEN.index.equals(DF.index)
    assert HIDDEN["to"].map(len).equals(DF["to"].map(len))
    assert set(HIDDEN["folder"]) >= {"INBOX", "Sent", "Archive"}
    assert "Lists/dev" not in set(HIDDEN["folder"])


def test_domains_agree_between_columns():
    ends = HIDDEN["from_addr"].str.rpartition("@")[2]
    assert ends.tolist() == HIDDEN["from_domain"].tolist()


@pytest.mark.parametrize("method", ["threads", "response_times", "volume", "matrix", "duplicates"])
def test_the_numbers_stay_the_same(method):
    before, after = (getattr(df.mail, method)() for df in (FRAME, HIDDEN_FRAME))
    numbers = [np.number, "bool", "datetimetz", "timedelta"]
    if isinstance(before, pd.DataFrame):
        before, after = (table.select_dtypes(numbers) for table in (before, after))
    assert before.equals(after)


@pytest.mark.parametrize("column", ["from_addr", "from_name", "to", "list_id", "subject"])
def test_the_counts_stay_the_same_under_other_names(column):
    before, after = (df.mail.top(column, 10**6).tolist() for df in (FRAME, HIDDEN_FRAME))
    assert before == after


def test_threads_by_subject_stay_the_same():
    before, after = (df.mail.thread_ids(by_subject=True) for df in (DF, HIDDEN))
    assert before.equals(after)


def test_the_same_key_gives_the_same_names_and_another_others():
    part = DF.iloc[5:].mail.anonymise(KEY.encode())
    assert part["from_addr"].tolist() == HIDDEN["from_addr"].tolist()[5:]
    assert not set(DF.mail.anonymise("another secret")["from_addr"]) & set(HIDDEN["from_addr"])


def siphash_2_4(key, text):
    """Work out SipHash-2-4 (Aumasson and Bernstein, 2012) from its definition."""
    mask = (1 << 64) - 1
    low, high = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
    v = [
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    ]

    def turn(word, by):
        return (word << by | word >> (64 - by)) & mask

    def rounds(count):
        for _ in range(count):
            for a, b, by, far in ((0, 1, 13, 32), (2, 3, 16, 0), (0, 3, 21, 0), (2, 1, 17, 32)):
                v[a] = (v[a] + v[b]) & mask
                v[b] = turn(v[b], by) ^ v[a]
                v[a] = turn(v[a], far) if far else v[a]

    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def redistributed(word):
    """Do as pandas does to all its hashes; no two become equal."""
    word ^= word >> 30
    word = word * 0xBF58476D1CE4E5B9 % 2**64
    word ^= word >> 27
    word = word * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def test_siphash_is_what_its_authors_say():
    assert siphash_2_4(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5


def test_hashes_are_siphash_under_the_key_so_that_frames_of_any_release_agree():
    secret = hashlib.sha256(KEY.encode()).digest()
    for column, person, text, shape in [
        ("message_id", b"id", "b1@id", "{}@invalid"),
        ("subject", b"subject", "invoice", "Re: {}"),
    ]:
        own = hashlib.blake2b(digest_size=12, key=secret, person=person).digest()
        digest = redistributed(siphash_2_4(base64.b64encode(own), text.encode()))
        assert shape.format(f"{digest:016x}") in set(HIDDEN[column])


def test_an_address_keeps_its_detail_and_its_domain_apart():
    rows = ["ann+shop@b.example", "Ann@b.example", "+x@b.example", "nobody", "a+@b.example"]
    df = DF.head(5).assign(from_addr=pd.array(rows, dtype="str"))
    hidden = df.mail.anonymise(KEY)["from_addr"].tolist()
    assert hidden[0].partition("+")[0] == hidden[1].partition("@")[0]
    assert len({name.partition("@")[2] for name in hidden}) == 2
    assert ["+" in name for name in hidden] == [True, False, False, False, True]
    assert "@" not in hidden[3]


def test_times_can_be_coarsened():
    days = DF.mail.anonymise(KEY, coarsen="D")
    assert days["date"].equals(DF["date"].dt.floor("D"))
    assert (days["internaldate"].dropna().dt.hour == 0).all()
    with pytest.raises(ConfigurationError, match="coarsen='month'"):
        DF.mail.anonymise(KEY, coarsen="month")


def test_other_headers_and_the_fetch_report_are_left_out():
    df = DF.assign(list_unsubscribe="https://l.example/u?ann")
    df.attrs["mailframe"] = {"account": "ann@example.org"}
    hidden = df.mail.anonymise(KEY)
    assert "list_unsubscribe" not in hidden
    assert hidden.attrs == {}


def test_a_key_that_can_be_tried_out_is_refused():
    with pytest.raises(ConfigurationError, match="at least 8 octets"):
        DF.mail.anonymise("secret")
