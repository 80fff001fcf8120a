"""What asks me, what answers, who I am: each claim on a mailbox of a few mails."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.errors import ConfigurationError, MailframeWarning
from mailframe.stats import asks
from tests.stats.letters import ME, at, frame, mail

NOW = at(7 * 24 * 60)
MINE = mail("m", "me", "bob", 0)


def waiting(df, **options):
    table = df.mail.awaiting_reply(**{"me": ME, "now": NOW, **options})
    return dict(zip(table["subject"], table["waiting"], strict=True))


def answers(df, direction="mine", **options):
    """Give the other side, and the hours, of each first reply."""
    table = df.mail.response_times(me=ME, tz="UTC", **options)
    table = table[table["first"] & (table["direction"] == direction)]
    return list(zip(table["person"], table["hours"], strict=True))


NO_QUESTIONS = {
    "draft": {"draft": True},
    "deleted": {"deleted": True},
    "junk": {"folder": "[Gmail]/Spam"},
    "trash": {"folder": "INBOX.Papierkorb"},
    "bulk": {"bulk": True},
    "auto": {"auto": True},
}


@pytest.mark.parametrize("kind", NO_QUESTIONS)
def test_what_is_no_question_is_left_out_counted_and_let_in_when_asked(kind):
    df = frame(MINE, mail("q", "bob", "me", 1, subject="Q"))
    other = frame(MINE, mail("q", "bob", "me", 1, subject="Q", **NO_QUESTIONS[kind]))
    assert waiting(df) == {"Plan": "owed", "Q": "owe"}
    assert waiting(other) == {"Plan": "owed"}
    assert waiting(other, exclude=set(asks.EXCLUDED) - {kind}) == {"Plan": "owed", "Q": "owe"}
    for table in (other.mail.awaiting_reply(me=ME), other.mail.response_summary(me=ME)):
        assert table.attrs["left_out"]["asking"] == dict.fromkeys(asks.EXCLUDED, 0) | {kind: 1}
    assert df.mail.response_summary(me=ME)["unanswered"].sum() == 1
    assert other.mail.response_summary(me=ME)["unanswered"].sum() == 0
    assert "unanswered   1 to you" in str(df.mail.describe(me=ME))
    assert "unanswered" not in str(other.mail.describe(me=ME))


def test_what_is_from_me_or_not_to_me_asks_nothing():
    df = frame(
        MINE,
        mail("self", "me", "me", 1, subject="note to myself"),
        mail("cc", "bob", "cara", 2, subject="copied", cc=[ME]),
    )
    assert waiting(df) == {"Plan": "owed"}


def test_a_frame_without_the_columns_is_judged_by_senders_and_list_ids():
    df = frame(
        MINE,
        mail("n", "no-reply@shop.example", "me", 1, subject="Order"),
        mail("l", "bob", "me", 2, subject="List", list_id="dev.example"),
    ).drop(columns=["bulk", "auto"])
    assert waiting(df) == {"Plan": "owed"}


def test_exclude_takes_names_that_there_are():
    with pytest.raises(ConfigurationError, match="what can be left out is draft, deleted"):
        frame(MINE).mail.awaiting_reply(exclude=["spam"])


@pytest.mark.parametrize("minutes", [1, 0, -2])
def test_a_question_with_an_answer_of_mine_is_answered_whatever_the_clocks_say(minutes):
    df = frame(mail("q", "bob", "me", 0), mail("a", "me", "bob", minutes, under="q"))
    assert waiting(df) == {"Plan": "owed"}
    assert df.mail.response_summary(me=ME)["unanswered"].sum() == 0


def test_a_copy_that_is_not_flagged_does_not_hide_the_flag_of_the_other():
    question = mail("q", "bob", "me", 0, subject="Q")
    df = frame(MINE, question, question | {"folder": "Archive", "answered": True})
    assert waiting(df) == {"Plan": "owed"}
    assert waiting(df[::-1]) == {"Plan": "owed"}


def test_only_what_is_put_away_with_every_copy_is_put_away():
    question = mail("q", "bob", "me", 0, subject="Q")
    moved = question | {"folder": "Archive"}
    assert waiting(frame(MINE, question | {"deleted": True}, moved))["Q"] == "owe"
    gone = frame(MINE, question | {"deleted": True}, question | {"folder": "Trash"})
    assert "Q" not in waiting(gone)


def test_hashing_and_coarsening_change_no_answer():
    df = frame(
        mail("q", "bob", "me", 0),
        mail("a", "me", "bob", -2, under="q"),
        mail("p", "cara", "me+shop@example.org", 5, subject="P"),
        mail("f", "me", "dan", 6, under="p", subject="Fwd: P"),
        mail("n", "noreply@shop.example", "me", 7, subject="N"),
        mail("j", "eve", "me", 8, subject="J", folder="Spam"),
    )
    before = df.mail.awaiting_reply(now=NOW)
    after = df.mail.anonymise("a key of enough octets", coarsen="D").mail.awaiting_reply(now=NOW)
    assert before["waiting"].to_dict() == {1: "owed", 2: "owe"}
    assert after["waiting"].sort_index().to_dict() == before["waiting"].sort_index().to_dict()


def test_an_automatic_reply_is_no_reply_and_hides_none():
    df = frame(
        mail("q", "me", "bob", 0),
        mail("ooo", "bob", "me", 1, under="q", subject="Out of office", auto=True),
        mail("a", "bob", "me", 120, under="q", subject="Re: Plan"),
    )
    assert answers(df, "theirs") == [("bob@example.net", 2.0)]
    assert df.mail.response_times(me=ME).attrs["left_out"]["replies"]["auto"] == 1
    assert waiting(df.iloc[:2]) == {"Plan": "owed"}


@pytest.mark.parametrize("subject", ["Fwd: Plan", "WG: Plan", "[dev] FW: Re: Plan", "[Fwd: Plan]"])
def test_a_forward_answers_nobody(subject):
    df = frame(mail("q", "bob", "me", 0), mail("f", "me", "cara", 5, under="q", subject=subject))
    assert answers(df) == []
    assert df.mail.response_times(me=ME).attrs["left_out"]["replies"]["forward"] == 1
    assert waiting(df) == {"Plan": "owe"}


@pytest.mark.parametrize("subject", ["Re: Fwd: Plan", "AW: WG: Plan", "Re: Plan (fwd)", "Forward"])
def test_an_answer_to_a_forward_is_an_answer(subject):
    df = frame(mail("q", "bob", "me", 0), mail("a", "me", "bob", 60, under="q", subject=subject))
    assert answers(df) == [("bob@example.net", 1.0)]


@pytest.mark.parametrize("flag", ["draft", "deleted"])
def test_drafts_and_deleted_mail_are_neither_sent_nor_replies_nor_ends(flag):
    df = frame(
        mail("q", "bob", "me", 0),
        mail("a", "me", "bob", 60, under="q", **{flag: True}),
        mail("s", "me", "cara", 70, subject="Sent"),
    )
    assert answers(df) == []
    assert waiting(df) == {"Plan": "owe", "Sent": "owed"}
    assert df.mail.flow("Y", me=ME, tz="UTC").iloc[0].to_dict() == {"sent": 1, "received": 1}


def test_a_reply_before_its_question_does_not_hide_the_valid_one():
    df = frame(
        mail("q", "bob", "me", 0),
        mail("early", "me", "bob", -30, under="q"),
        mail("a", "me", "bob", 90, under="q"),
        mail("p", "cara", "me", 0, subject="P"),
        mail("b", "me", "cara", -5, under="p"),
    )
    table = df.mail.response_times(me=ME, tz="UTC")
    assert table["first"].to_dict() == {1: False, 2: True, 4: False}
    summary = df.mail.response_summary(me=ME, quantiles=(0.5,), tz="UTC")
    told = summary[["replies", "untimed", "unanswered"]]
    assert told.loc["bob@example.net"].tolist() == [1, 0, 0]
    assert told.loc["cara@example.net"].tolist() == [0, 1, 0]
    assert summary.loc["bob@example.net", "hours_50%"] == 1.5


def test_of_three_whom_one_mail_went_to_each_is_known_by_the_own_first_answer():
    df = frame(
        mail("q", "me", "bob cara dan", 0),
        mail("b1", "bob", "me", 60, under="q"),
        mail("b2", "bob", "me", 90, under="q"),
        mail("c", "cara", "me", 120, under="q"),
        mail("d", "dan", "me", 180, under="q"),
    )
    assert answers(df, "theirs") == [
        ("bob@example.net", 1.0),
        ("cara@example.net", 2.0),
        ("dan@example.net", 3.0),
    ]
    summary = df.mail.response_summary(me=ME, direction="theirs", quantiles=(0.5,))
    assert summary["replies"].to_dict() == dict.fromkeys(
        ("bob@example.net", "cara@example.net", "dan@example.net"), 1
    )


def test_what_came_and_was_answered_outside_of_business_hours_is_counted_apart():
    night = 9 * 60  # 19 h
    df = frame(
        mail("q", "bob", "me", night),
        mail("a", "me", "bob", night + 30, under="q"),
        mail("p", "bob", "me", 0),
        mail("b", "me", "bob", 120, under="p"),
        mail("r", "bob", "me", 30),
        mail("c", "me", "bob", 30, under="r"),  # at once, within hours: 0 h
    )
    times = df.mail.response_times(me=ME, tz="UTC")["business_hours"]
    assert pd.isna(times[1])
    assert times[[3, 5]].tolist() == [2.0, 0.0]
    bob = df.mail.response_summary(me=ME, tz="UTC", quantiles=(0.5,)).loc["bob@example.net"]
    assert bob[["replies", "outside"]].tolist() == [3, 1]
    assert bob[["hours_50%", "business_hours_50%"]].tolist() == [0.5, 1.0]


def test_only_replies_to_what_asked_me_are_summed_up():
    df = frame(
        mail("q", "bob", "me", 0),
        mail("a", "me", "bob", 60, under="q"),
        mail("l", "cara", "dev@lists.example", 0, bulk=True, list_id="dev.lists.example"),
        mail("b", "me", "dev@lists.example", 1, under="l"),
    )
    table = df.mail.response_times(me=ME)
    assert table["asked"].to_dict() == {1: True, 3: False}
    assert df.mail.response_summary(me=ME)["replies"].to_dict() == {"bob@example.net": 1}
    assert "(1 reply)" in str(df.mail.describe(me=ME))


# Who I am --------------------------------------------------------------------------------------


def sent(df, me=None):
    return int(df.mail.flow("Y", me=me)["sent"].sum())


@pytest.mark.parametrize(
    "me",
    [
        "ann@bücher.example",
        "Ann Lee <ann@bücher.example>",
        "ANN@xn--bcher-kva.example",
        "ann+shop@bücher.example",
        ["nobody@example.org", '"Lee, Ann" <ann@xn--bcher-kva.example>'],
    ],
)
def test_an_address_of_mine_is_known_in_every_spelling(me):
    df = frame(
        mail("a", "ann@bücher.example", "bob", 0, folder="Sent"),
        mail("b", "Ann+news@bücher.example", "bob", 1, folder="Sent"),
        mail("c", "annette@bücher.example", "bob", 2),
        mail("q", "bob", "ann+list@bücher.example", 3, subject="Q"),
    )
    assert sent(df, me) == 2
    assert waiting(df, me=me)["Q"] == "owe"


def test_an_inbox_alone_and_a_slip_in_me_are_told():
    df = frame(mail("q", "bob", "me", 0), mail("m", "me", "bob", 1))
    with pytest.warns(MailframeWarning, match="take the Sent folder along"):
        df[df["folder"] == "INBOX"].mail.response_summary(me=ME)
    with pytest.warns(MailframeWarning, match=r"from mee@example\.org \(given\)"):
        df.mail.awaiting_reply(me="mee@example.org")
    inbox = df[df["folder"] == "INBOX"]
    assert "and nothing here is from you" in str(inbox.mail.describe(me=ME))


def test_each_account_tells_its_own_addresses():
    large = [mail(f"l{n}", "me", "bob", n) for n in range(60)]
    small = {"account": "ann@example.com"}
    df = frame(*large, mail("s", "ann@example.com", "bob", 99, folder="Gesendet", **small))
    table = df.mail.flow("Y")
    assert set(table.attrs["me"]["addresses"]) == {ME, "ann@example.com"}
    assert table.attrs["me"]["source"] == "guessed from Gesendet; guessed from Sent"
    assert table["sent"].sum() == 61


def test_a_rare_address_in_sent_is_mine_and_a_correspondent_filed_there_is_not():
    often = [mail(f"l{n}", "me", "bob", n) for n in range(60)]
    df = frame(
        *often,
        mail("alias", "alias@example.org", "cara", 70, folder="Sent"),
        mail("bob", "bob", "me", 71, folder="Sent"),
        mail("eve", "eve", "me", 72, folder="Sent"),
        mail("eve1", "eve", "me", 73),
        mail("eve2", "eve", "me", 74),
    )
    assert df.mail.flow("Y").attrs["me"]["addresses"] == [ME, "alias@example.org"]


def test_what_the_server_said_a_folder_is_for_counts_before_its_name():
    uses = {"Weg": r"\Trash", "Reklama": r"\Junk", "Spam": r"\Archive", "Neu": r"\Drafts"}
    df = frame(
        MINE,
        *(mail(name, "bob", "me", 1, subject=name, folder=name) for name in uses),
        mail("draft", "me", "cara", 2, subject="D", folder="Neu"),
    )
    assert set(waiting(df)) == {"Plan", "Weg", "Reklama", "Neu", "D"}
    df.attrs["mailframe"] = {"special_use": {ME: uses}}
    assert set(waiting(df)) == {"Plan", "Spam"}
    assert set(waiting(df[df["folder"] != "Weg"].drop(columns="account"))) == {"Plan", "Spam"}
    hashed = df.mail.anonymise("a key of enough octets")
    assert len(hashed.mail.awaiting_reply()) == 2
    df.attrs["mailframe"] = {"special_use": {"ann@example.com": uses}}
    assert set(waiting(df)) == {"Plan", "Weg", "Reklama", "Neu", "D"}


def test_what_lies_among_drafts_is_a_draft_without_the_flag_too():
    df = frame(MINE, mail("d", "me", "cara", 1, subject="D", folder="INBOX/Entwürfe"))
    assert waiting(df) == {"Plan": "owed"}
    assert df.mail.flow("Y", me=ME, tz="UTC")["sent"].tolist() == [1]


def test_a_list_owes_no_answer():
    df = frame(MINE, mail("l", "me", "dev@lists.example", 1, subject="L", list_id="dev.example"))
    assert waiting(df) == {"Plan": "owed"}
    assert waiting(df, exclude=()) == {"Plan": "owed", "L": "owed"}


@pytest.mark.parametrize("column", ["x_gmail_labels", "x_gm_labels"])
def test_where_all_mail_of_gmail_lies_in_one_folder_its_labels_tell(column):
    field = pa.field(column, pa.list_(pa.string()))
    sent, draft = ("Sent", "Drafts") if column == "x_gmail_labels" else (r"\Sent", r"\Draft")
    df = frame(
        mail("q", "bob", "me", 0, folder="All") | {column: ["Work"]},
        mail("m", "me", "bob", 1, folder="All") | {column: [sent]},
        mail("d", "me", "bob", 2, folder="All") | {column: [draft]},
        extra=[field],
    )
    told = df.mail.awaiting_reply()
    assert told.attrs["me"]["source"] == f"guessed from {sent}"
    assert told["waiting"].to_dict() == {0: "owe", 1: "owed"}
