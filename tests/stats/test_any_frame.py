"""Every method on any part of a frame: empty, one row, cut out, shuffled, indexed anew, bare."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError, MailframeWarning
from mailframe.stats.describe import Description
from tests import corpora
from tests.stats.frames import make_frame
from tests.stats.letters import frame, mail

NOW = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
FRAME = make_frame(300, delivery=True)
KEY = "a key of enough octets"
METHODS = {
    "volume": {"tz": "UTC"},
    "volume by": {"by": "folder", "freq": "M"},
    "volume by list": {"by": "to", "freq": "D"},
    "matrix": {"tz": "sender"},
    "calendar": {},
    "flow": {},
    "top": {},
    "top list": {"column": "cc"},
    "senders": {},
    "names": {},
    "domains": {},
    "recipients": {},
    "people": {},
    "newcomers": {},
    "internal": {},
    "thread_ids": {},
    "threads": {},
    "threads by subject": {"by_subject": True},
    "response_times": {},
    "response_summary": {},
    "response_summary by": {"by": "M"},
    "awaiting_reply": {"now": NOW},
    "sizes": {},
    "sizes by": {"by": "year"},
    "largest": {},
    "read_share": {},
    "lists": {},
    "inbox_age": {"now": NOW},
    "duplicates": {},
    "unique": {},
    "flat": {},
    "search": {"line": "is:unread", "tz": "UTC"},
    "dates": {},
    "when": {},
    "authentication": {},
    "alignment": {},
    "hops": {},
    "delivery": {},
    "contacts": {},
    "contact_ranks": {},
    "anonymise": {"key": KEY},
    "joined": {"people": {"p1@d1.example.net": "p2@d2.example.net"}},
    "subjects": {},
    "domains by organisation": {"level": "organisation"},
    "answered": {"now": NOW},
    "answered by": {"by": "person", "now": NOW},
    "backlog": {"now": NOW, "tz": "UTC"},
    "after_hours": {},
    "after_hours by": {"by": "person"},
    "trend": {"tz": "UTC"},
    "kinds": {},
    "kinds by": {"freq": "M"},
    "route": {},
}
ASKS_WHO = {"flow", "internal", "response_times", "response_summary", "awaiting_reply"}
ASKS_WHO |= {"answered", "backlog", "after_hours", "kinds"}
PARTS = {
    "empty": FRAME.iloc[:0],
    "one row": FRAME.iloc[[7]],
    "one folder of the category": FRAME[FRAME["folder"] == "INBOX"],
    "no date": FRAME.iloc[:9].assign(date=pd.NaT, internaldate=pd.NaT),
    "no text": FRAME.iloc[:9].assign(
        **{
            name: pd.array([None] * 9, dtype="str")
            for name in ("from_addr", "from_name", "from_domain", "subject", "message_id")
        }
    ),
    "another index": FRAME.set_index(FRAME["folder"].astype("str") + FRAME["uid"].astype("str")),
    "two levels of index": FRAME.set_index(["folder", "uid"], drop=False).rename_axis(
        ["in", "number"]
    ),
    "the same label throughout": FRAME.set_axis([1] * len(FRAME)),
    "shuffled": FRAME.sample(frac=1, random_state=1),
}


@pytest.mark.filterwarnings("ignore::mailframe.errors.MailframeWarning")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("call", METHODS)
def test_every_method_takes_every_part_and_names_its_index(call, part):
    df = PARTS[part]
    before = df.copy(deep=True)
    result = getattr(df.mail, call.split()[0])(**METHODS[call])
    assert isinstance(result, (pd.Series, pd.DataFrame))
    if call.split()[0] not in {
        *("thread_ids", "anonymise", "joined", "unique", "flat", "search", "when")
    }:
        assert all(result.index.names)
    pd.testing.assert_frame_equal(df, before)


@pytest.mark.parametrize("call", METHODS)
def test_the_types_of_a_result_do_not_depend_on_the_rows(call):
    name, options = call.split()[0], METHODS[call]
    full, empty = (getattr(df.mail, name)(**options) for df in (FRAME, FRAME.iloc[:0]))
    if isinstance(full, pd.Series):
        assert empty.dtype == full.dtype
    elif "by" not in options or name != "volume":
        assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()


def test_the_table_above_has_every_method():
    public = {name for name in dir(mf.MailAccessor) if not name.startswith("_")}
    assert public == {call.split()[0] for call in METHODS} | {
        "attachments",
        "clients",
        "contact_graph",
        "describe",
    }


def test_every_method_says_what_it_returns():
    for name in {call.split()[0] for call in METHODS}:
        assert "Returns\n" in getattr(mf.MailAccessor, name).__doc__, name


@pytest.mark.filterwarnings("ignore::mailframe.errors.MailframeWarning")
@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_described(part):
    assert isinstance(PARTS[part].mail.describe(), Description)


@pytest.fixture(scope="module")
def real_mail(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    for name in corpora.NAMES:
        (folder / name).mkdir()
        for number, raw in enumerate(corpora.messages(name)):
            (folder / name / f"{number:05}.eml").write_bytes(raw)
    headers = ["List-Unsubscribe", *mf.DELIVERY]
    return mf.read_eml(folder, headers=headers, errors="ignore", progress=False)


@pytest.mark.parametrize("call", METHODS)
def test_every_method_takes_real_and_broken_mail(call, real_mail):
    name, options = call.split()[0], METHODS[call]
    if name in ASKS_WHO:
        options = {**options, "me": real_mail.mail.top("to", 1).index[0]}
    if name == "inbox_age":
        options = {**options, "folder": real_mail["folder"].iloc[0]}
    assert len(getattr(real_mail.mail, name)(**options))


def test_real_and_broken_mail_can_be_described(real_mail):
    me = real_mail.mail.top("to", 1).index[0]
    assert "(6,634 with copies) in " in str(real_mail.mail.describe(me=me))


def test_results_lead_back_to_the_frame_they_came_from():
    df = PARTS["another index"]
    for name in ("largest", "response_times", "awaiting_reply"):
        assert getattr(df.mail, name)().index.isin(df.index).all()
    assert df.mail.thread_ids().index.equals(df.index)
    assert df.mail.authentication().index.equals(df.index)


def test_a_frame_that_is_not_of_mail_has_no_mail():
    with pytest.raises(AttributeError, match=r"mf\.read_imap"):
        _ = pd.DataFrame({"price": [1.0]}).mail


def test_a_missing_column_is_named_with_a_hint():
    with pytest.raises(ConfigurationError, match=r"'references'.*keep the columns"):
        FRAME.drop(columns="references").mail.threads()


def test_a_frame_from_a_file_of_text_works_like_the_first(tmp_path):
    FRAME.drop(columns=["to", "cc", "references", "keywords"]).to_csv(tmp_path / "f.csv")
    again = pd.read_csv(tmp_path / "f.csv", parse_dates=["date", "internaldate"], index_col=0)
    assert again.mail.top("from_addr").to_dict() == FRAME.mail.top("from_addr").to_dict()
    pd.testing.assert_series_equal(
        again.mail.volume(tz="UTC"), FRAME.mail.volume(tz="UTC"), check_freq=False
    )


def test_the_guess_of_ones_own_addresses_warns_at_the_callers_line():
    df = FRAME[FRAME["folder"] == "Lists/dev"].assign(account="x")
    with pytest.warns(MailframeWarning) as caught:
        df[df["from_addr"] != "me@example.org"].iloc[:1].assign(to=None).mail.flow()
    assert caught[0].filename == __file__


def test_a_csv_file_that_pandas_read_has_the_same_numbers_or_none(tmp_path):
    df = frame(
        mail("a", "bob", "me", 0, subject="=1+1", from_name="-- Bob --"),
        mail("b", "bob", "me", 1, subject="'=quoted", under="a"),
    ).assign(list_id=None)
    mf.to_csv(df, tmp_path / "mail.csv")
    for options in ({}, {"parse_dates": ["date", "internaldate"]}):
        other = pd.read_csv(tmp_path / "mail.csv", **options)
        for name in ("subject", "from_name", "from_addr", "list_id"):
            assert other.mail.top(name).to_dict() == df.mail.top(name).to_dict()
        assert other.mail.names().to_dict() == df.mail.names().to_dict()
    for name in ("threads", "people", "response_times", "contacts"):
        with pytest.raises(mf.ConfigurationError, match=r"read the file with mf\.read_csv"):
            getattr(other.mail, name)()
