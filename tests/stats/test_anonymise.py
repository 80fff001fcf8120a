"""A frame to be shared: nothing of it can be read, and its statistics are the same."""

from __future__ import annotations

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


def test_hashes_are_blake2b_under_the_key_so_that_frames_of_any_release_agree():
    key = hashlib.sha256(KEY.encode()).digest()
    for column, person, text, shape in [
        ("message_id", b"id", "b1@id", "{}@invalid"),
        ("subject", b"subject", "invoice", "Re: {}"),
    ]:
        digest = hashlib.blake2b(text.encode(), digest_size=8, key=key, person=person).hexdigest()
        assert shape.format(digest) in set(HIDDEN[column])


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
