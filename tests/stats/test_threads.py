"""Conversations: on the mailbox worked out by hand, in shapes that break naive threading."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.stats import subjects, threads
from mailframe.stats.vectors import arrow
from tests.stats.frames import make_frame
from tests.stats.mailbox import hand_mailbox

DF = hand_mailbox()


def frame(*rows):
    """Make a frame of (id, References or In-Reply-To, subject): what threads are made of."""
    df = make_frame(len(rows))
    ids, above, subject = zip(*[(*row, "")[:3] for row in rows], strict=True)
    text = {"message_id": ids, "subject": subject}
    text["in_reply_to"] = [a if isinstance(a, str) else None for a in above]
    for name, values in text.items():
        df[name] = pd.array([v or None for v in values], dtype="str")
    lists = [list(a) if isinstance(a, (list, tuple)) else [] for a in above]
    df["references"] = pd.array(lists, dtype=df["references"].dtype)
    return df


def groups(df, **options):
    """Give the threads as sets of message ids."""
    found = df["message_id"].groupby(df.mail.thread_ids(**options)).agg(set)
    return sorted(map(sorted, found))


def test_the_threads_of_the_hand_mailbox():
    ids = DF.mail.thread_ids()
    assert ids.tolist() == [0, 0, 1, 2, 3, 4, 5, 5, 6, 6, 5, 0, 0, 3, 1, 7]
    assert ids.index.equals(DF.index)
    table = DF.mail.threads()
    plan = table.loc[0]
    assert plan[["messages", "depth", "participants"]].tolist() == [4, 4, 2]
    assert (plan["subject"], plan["started_by"], plan["root"]) == (
        "Plan",
        "bob@example.net",
        "b1@id",
    )
    assert plan["duration"] == pd.Timedelta("2 days 03:00:00")


def test_copies_of_a_message_are_one_message():
    build = DF.mail.threads().loc[5]  # three rows, two messages
    assert build[["messages", "depth"]].tolist() == [2, 2]


def test_two_answers_to_a_message_that_is_not_there_are_one_thread_of_depth_one():
    old = DF.mail.threads().loc[6]
    assert old[["messages", "depth", "root"]].tolist() == [2, 1, "gone@id"]


def test_an_undated_message_has_a_thread_without_start():
    assert pd.isna(DF.mail.threads().loc[4, "start"])


def test_references_count_before_in_reply_to():
    df = frame(("a", None), ("b", None), ("c", ["a"]))
    df["in_reply_to"] = pd.array([None, None, "b"], dtype="str")
    assert groups(df) == [["a", "c"], ["b"]]


def test_missing_links_are_bridged_by_what_others_refer_to():
    # c names a only by way of b, which is not there.
    df = frame(("a", None), ("c", ["b"]), ("d", ["a", "b", "c"]))
    assert groups(df) == [["a", "c", "d"]]
    assert df.mail.threads()["depth"].tolist() == [3]


def test_messages_without_an_id_thread_by_what_they_answer():
    df = frame(("a", None), (None, "a"), (None, None), (None, "a"))
    assert df.mail.thread_ids().tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "rows",
    [
        [("a", ["a"])],
        [("a", ["b"]), ("b", ["a"])],
        [("a", ["c"]), ("b", ["a"]), ("c", ["b"])],
        [("x", ["p", "q", "p", "q"])],
        [("x", ["p", "q"]), ("y", ["q", "p"])],
    ],
    ids=["itself", "two", "three", "within one field", "of absent ids"],
)
def test_loops_are_broken_and_nothing_is_lost(rows):
    df = frame(*rows)
    assert df.mail.thread_ids().tolist() == [0] * len(rows)
    assert df.mail.threads()["messages"].sum() == len(rows)


def test_a_loop_is_broken_at_the_link_that_was_made_last():
    df = frame(("a", ["c"]), ("b", ["a"]), ("c", ["b"]))
    trees = threads.forest(df)
    parents = [df["message_id"][trees.first[p]] if p >= 0 else None for p in trees.parent[:3]]
    assert parents == ["c", "a", None]


def test_many_loops_cost_no_recursion():
    n = 20_000
    df = frame(*[(f"m{i}", [f"m{i ^ 1}"]) for i in range(n)])
    assert df.mail.threads()["messages"].unique().tolist() == [2]


def test_a_chain_of_twenty_thousand_replies_is_one_thread():
    n = 20_000
    df = frame(("m0", None), *[(f"m{i}", [f"m{i - 1}"]) for i in range(1, n)])
    table = df.iloc[np.random.default_rng(1).permutation(n)].mail.threads()
    assert table[["messages", "depth", "root"]].to_numpy().tolist() == [[n, n, "m0"]]


def test_threads_of_the_server_decide_where_they_are_known():
    df = frame(("a", None), ("b", ["a"]), ("c", None), ("d", ["c"]))
    df["x_gm_thrid"] = pd.array(["7", "8", "8", None], dtype="str")
    assert df.mail.thread_ids().tolist() == [0, 1, 1, 2]
    assert df.mail.thread_ids(server=False).tolist() == [0, 0, 1, 1]


def test_copies_that_the_server_put_into_two_threads_are_counted_once():
    df = frame(("a", None))
    df = pd.concat([df, df], ignore_index=True)
    df["x_gm_thrid"] = pd.array(["7", "8"], dtype="str")
    assert df.mail.threads()["messages"].tolist() == [1, 0]


def test_subjects_join_threads_when_asked():
    df = frame(
        ("a", None, "Plan"),
        ("b", None, "Re: [team] plan"),
        ("c", None, "Fwd: Plan (fwd)"),
        ("d", None, "Planning"),
        ("e", None, ""),
        ("f", None, ""),
    )
    assert groups(df) == [[i] for i in "abcdef"]
    assert groups(df, by_subject=True) == [["a", "b", "c"], ["d"], ["e"], ["f"]]
    assert df.mail.threads(by_subject=True)["depth"].tolist() == [2, 1, 1, 1]


def test_a_message_that_names_itself_in_its_references_answers_the_one_before():
    assert groups(frame(("a", None, "x"), ("b", ["a", "b"], "y"))) == [["a", "b"]]
    assert groups(frame(("a", ["a"], "x"), ("b", ["b"], "y"))) == [["a"], ["b"]]


def test_two_threads_of_one_subject_of_which_neither_is_a_reply_stand_side_by_side():
    df = frame(("a", None, "Hello"), ("b", None, "Hello"), ("c", ["b"], "Re: Hello"))
    table = df.mail.threads(by_subject=True)
    assert table[["messages", "depth"]].to_numpy().tolist() == [[3, 2]]


@pytest.mark.parametrize(
    ("subject", "base", "reply"),
    [
        ("Plan", "plan", False),
        ("Re: Plan", "plan", True),
        ("RE : re[2]: Plan", "plan", True),
        ("[list] Re: [list] Plan", "plan", True),
        ("[list] Plan", "plan", False),
        ("[list]", "[list]", False),
        ("Fwd: Plan", "plan", True),
        ("Fw: Plan (fwd) (FWD) ", "plan", True),
        ("[Fwd: Re: Plan]", "plan", True),
        ("Re:", "", True),
        ("  Re:  Two \t words ", "two words", True),
        ("Reply: Plan", "reply: plan", False),
        ("[a][b][c] Re: [d] x", "x", True),
        ("AW: Plan", "plan", True),
        ("Antw: WG: Plan", "plan", True),
        ("SV: Re: Plan", "plan", True),
        ("回复\N{FULLWIDTH COLON}Plan", "plan", True),
        ("Ответ: Plan", "plan", True),
        ("Note: Plan", "note: plan", False),
    ],
)
def test_base_subjects_of_rfc_5256(subject, base, reply):
    df = frame(("a", None, subject))
    bases, marked = subjects.base(arrow(df, "subject"))
    assert (bases.to_pylist(), marked.tolist()) == ([base], [reply])


def test_a_hostile_subject_takes_no_time():
    df = frame(("a", None, "[x]" * 20_000), ("b", None, "Re:" * 20_000), ("c", None, "(" * 50_000))
    bases, _ = subjects.base(arrow(df, "subject"))
    assert [len(text) for text in bases.to_pylist()] == [3, 0, 50_000]
