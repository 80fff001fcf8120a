"""Subjects, programs, organisations, and people with several addresses."""

from __future__ import annotations

import inspect
import random

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError
from mailframe.stats import subjects
from tests.stats.frames import make_frame


def with_column(name, values, df=None):
    df = make_frame(len(values)) if df is None else df
    return df.assign(**{name: pd.array(values, dtype="str")})


def test_subjects_are_base_subjects_with_their_tags():
    df = with_column(
        "subject",
        [
            "Plan",
            "Re: [Dev] Plan",
            "[ops] Fwd: plan (fwd)",
            "AW: Plan",
            "回复\uff1aplan",
            None,
            "Hi",
        ],
    )
    table = df.mail.subjects()
    assert table["messages"].to_dict() == {"plan": 3, "aw: plan": 1, "hi": 1, "回复\uff1aplan": 1}
    assert list(table.loc["plan", "tags"]) == ["Dev", "ops"]
    local = df.mail.subjects(local=True)
    assert local["messages"].to_dict() == {"plan": 5, "hi": 1}


@pytest.mark.parametrize(
    "mark", ["AW", "WG", "SV", "VS", "Antw", "RES", "RV", "TR", "回复", "答复", "aw", "Re: AW"]
)
def test_marks_of_other_languages_are_taken_off_when_asked_for(mark):
    df = with_column("subject", [f"{mark}: Plan", f"[x] {mark}: {mark}: Plan"])
    assert df.mail.subjects(local=True)["messages"].to_dict() == {"plan": 2}


def test_programs_are_named_without_their_versions():
    said = {
        "Mutt/1.10.1 (2018-07-13)": "Mutt",
        "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.4": "Thunderbird",
        "Mozilla Thunderbird": "Mozilla Thunderbird",
        "Gnus/5.13 (Gnus v5.13) Emacs/27.1 (gnu/linux)": "Gnus",
        "K-9 Mail for Android": "K-9 Mail for Android",
    }
    older = {"Microsoft Outlook 16.0": "Microsoft Outlook", "Apple Mail (2.3445)": "Apple Mail"}
    df = with_column("user_agent", [*said, *[None] * len(older)])
    df = with_column("x_mailer", ["ignored"] + [None] * (len(said) - 1) + [*older], df)
    assert set(df.mail.clients().index) == {*said.values(), *older.values()}
    with pytest.raises(ConfigurationError, match="User-Agent"):
        make_frame(2).mail.clients()


def test_an_organisation_is_what_somebody_registered():
    names = ["mail.example.co.uk", "example.co.uk", "a.b.example.com", "localhost", "co.uk"]
    table = with_column("from_domain", names).mail.domains("organisation")
    assert table["messages"].to_dict() == {
        "example.co.uk": 2,
        "co.uk": 1,
        "example.com": 1,
        "localhost": 1,
    }
    assert table.index.name == "organisation"
    with pytest.raises(ConfigurationError, match="organisation"):
        make_frame(2).mail.domains("company")


ADDRESSES = {
    "ann@example.org": "Ann Bell",
    "Ann+shop@Example.org": None,
    "a.bell@example.org": "Bell, Ann",
    "ann@example.net": "Ann Bell",
    "j.doe@gmail.com": "J",
    "jdoe@googlemail.com": "Jo",
    "noreply@example.org": "Ann Bell",
    "help@example.com": "Support",
    "desk@example.com": "Support",
}


def test_identities_are_proposed_by_mailbox_or_by_name_and_domain_never_by_a_name_alone():
    df = with_column("from_addr", [*ADDRESSES, "ann@example.org"])
    df = with_column("from_name", [*ADDRESSES.values(), "Ann Bell"], df)
    assert mf.identities(df) == {
        "a.bell@example.org": "ann@example.org",
        "ann+shop@example.org": "ann@example.org",
        "jdoe@googlemail.com": "j.doe@gmail.com",
    }


def test_every_statistic_sees_one_address_for_each_person():
    df = with_column("from_addr", [*ADDRESSES])
    df = with_column("from_domain", [a.rpartition("@")[2].lower() for a in ADDRESSES], df)
    people = mf.identities(df) | {"ann@example.net": "ann@example.org"}
    assert df.mail.top()["ann@example.org"] == 1
    assert df.mail.top(people=people)["ann@example.org"] == 3
    assert df.mail.domains(people=people)["messages"]["example.org"] == 5
    assert df.mail.joined({}).equals(df)
    for name in dir(mf.MailAccessor):
        if not name.startswith("_") and name != "joined":
            assert "people" in inspect.signature(getattr(mf.MailAccessor, name)).parameters, name


MARKS = [
    "Re",
    "Fwd",
    "fw",
    "AW",
    "回复",
    "\uff1a",
    ":",
    " ",
    "  ",
    "[x]",
    "[fwd: ",
    "]",
    "(fwd)",
    "Plan",
]
MARKS += ["é", "Tr", "r", "I", "[", "(", ")", "Réf", "\u00a0", "", "\n", "\t", "a", ": "]


def test_a_plain_subject_says_the_same_read_by_its_beginning_and_whole():
    rng = random.Random(3)
    texts = ["".join(rng.choices(MARKS, k=rng.randrange(9))) for _ in range(6_000)]
    for some in (pa.array(texts, pa.large_string()), pa.array(texts, pa.large_string())[7:]):
        for local in (True, False):
            found, marked = subjects.base(some, local=local)
            whole, marked_whole = subjects._base(some, local=local)
            assert found.equals(pc.utf8_lower(whole))
            assert marked.tolist() == marked_whole.tolist()
        around = pc.and_not(
            pc.match_substring_regex(some, subjects.FORWARD_AROUND),
            pc.match_substring_regex(some, subjects.REPLY),
        )
        forward = pc.or_(around, pc.match_substring_regex(some, subjects.FORWARD))
        assert subjects.forwarded(some).tolist() == forward.to_pylist()
