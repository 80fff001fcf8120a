"""What is kept of a frame is never that of another: what changes is seen in the numbers."""

from __future__ import annotations

import gc
import weakref

import pandas as pd

from mailframe.stats import threads
from tests.stats.letters import frame, mail

ROWS = [
    mail("q", "bob", "me", 0),
    mail("q", "bob", "me", 0, folder="Archive"),
    mail("a", "me", "bob", 30, under="q"),
    mail("b", "cara", "me", 50),
]


def told(df):
    return df.mail.thread_ids().tolist(), len(df.mail.unique())


def test_a_second_question_builds_no_second_forest():
    df = frame(*ROWS)
    found = threads.forest(df)
    assert threads.forest(df) is found
    assert threads.forest(df.set_index("uid").assign(note=1)) is found
    assert threads.forest(df.iloc[:3]) is not found


def test_what_is_changed_in_place_is_seen():
    df = frame(*ROWS)
    assert told(df) == ([0, 0, 0, 1], 3)
    df.loc[3, "in_reply_to"] = "a@id"
    assert told(df) == ([0, 0, 0, 0], 3)
    df.loc[1, "date"] += pd.Timedelta(minutes=1)
    assert told(df) == ([0, 1, 0, 0], 4)
    df.iloc[1, df.columns.get_loc("from_addr")] = "dan@example.net"
    df["message_id"] = ["1", "2", "3", "4"]
    assert told(df) == ([0, 1, 2, 3], 4)


def test_columns_of_other_kinds_have_the_same_numbers():
    df = frame(*ROWS)
    other = df.astype({"message_id": object, "from_addr": object, "account": object})
    assert told(other) == told(df)


def test_nothing_is_kept_longer_than_the_columns_live():
    df = frame(*ROWS)
    told(df)
    held = weakref.ref(threads.forest(df))
    assert held() is not None
    del df
    gc.collect()
    assert held() is None
