"""The search line and the filters: what they choose, and that the pandas line chooses the same."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailframe.errors import ConfigurationError
from mailframe.search import language
from mailframe.search.filterable import Columns
from mailframe.search.keys import Scope
from mailframe.search.matching import Selection, find, scope_of
from mailframe.widgets import filters
from tests.widgets.frames import FOLDERS, make

MAIL = make(1500)
COLUMNS = Columns(MAIL)
NOW = pd.Timestamp("2024-06-12 15:00", tz="UTC")  # a Wednesday


def chosen(line, columns=COLUMNS):
    """The messages that a search line leaves, after checking that pandas agrees."""
    asked = filters.Filters()
    asked.scope = scope_of(columns)._replace(now=NOW)
    asked.search = line
    return select(asked, columns)


def select(asked, columns=COLUMNS):
    asked.scope = scope_of(columns, me="ann@example.org")._replace(now=NOW)
    selection = Selection(columns, filters.clauses(asked))
    left = columns.df[selection.mask]
    again = eval(selection.query(), {"df": columns.df, "pd": pd})
    pd.testing.assert_frame_equal(again, left)
    assert selection.count == len(left)
    return left


def small(**columns):
    """A frame in which only the named columns matter."""
    count = len(next(iter(columns.values())))
    frame = make(count)
    for name, values in columns.items():
        frame[name] = pd.Series(values, dtype=frame[name].dtype)
    if "date" in columns:
        frame["internaldate"] = frame["date"]
    return Columns(frame)


def subjects(line, *texts):
    columns = small(
        subject=list(texts), from_name=[None] * len(texts), from_addr=[None] * len(texts)
    )
    return chosen(line, columns)["subject"].tolist()


def test_terms_must_all_hold():
    left = chosen("from:ann subject:plan before:2024-05 larger:1k is:unread -list:dev")
    assert len(left)
    assert left["from_name"].str.lower().str.contains("ann").all()
    assert left["subject"].str.contains("plan", case=False).all()
    assert (left["date"] < pd.Timestamp("2024-05-01", tz="UTC")).all()
    assert (left["size"] >= 1000).all()
    assert not left["seen"].any()
    assert not left["list_id"].str.contains("dev").any()


def test_a_phrase_keeps_its_spaces_and_words_do_not_need_to_touch():
    texts = ("plan b", "b plan", "planb", "a plan, be")
    assert subjects('subject:"plan b"', *texts) == ["plan b"]
    assert subjects("subject:plan subject:b", *texts) == list(texts)


def test_case_is_ignored_in_every_script():
    assert subjects("ΣΧΈΔΙΟ", "Νέο σχέδιο", "Plan") == ["Νέο σχέδιο"]
    assert subjects("straße", "STRASSE", "Straße", "Strase") == ["STRASSE", "Straße"]
    assert subjects("GRÖSSE", "Größe", "gro\u0308ße", "Grosse") == ["Größe"]
    assert subjects("cafe\u0301", "Café au lait", "cafe") == ["Café au lait"]


def test_a_word_is_sought_in_the_subject_and_the_sender():
    columns = small(
        subject=["mango", "x", "x", "x"],
        from_name=["x", "Mango Ltd", "x", "x"],
        from_addr=["x", "x", "mango@example.org", "x"],
    )
    assert chosen("mango", columns).index.tolist() == [0, 1, 2]


def test_or_joins_its_neighbours_before_the_rest():
    assert subjects("x OR y z", "x z", "y z", "x", "z", "y") == ["x z", "y z"]
    assert [clause.text for clause in language.parse("x OR y z")] == ["x OR y", "z"]


def test_minus_turns_a_term_round_even_where_the_value_is_missing():
    columns = small(list_id=["dev.example.org", None, "users.example.org"])
    assert chosen("-list:dev", columns).index.tolist() == [1, 2]


def test_commas_list_values_except_in_text():
    columns = small(from_addr=["a@x", "b@x", "c@x"], from_name=[None, None, None])
    assert chosen("from:a@,c@", columns).index.tolist() == [0, 2]
    assert subjects("subject:a,b", "a,b", "a", "b") == ["a,b"]


def test_a_regular_expression_stands_between_slashes():
    assert subjects(r"/^inv\w+ \d+$/", "Invoice 12", "an invoice 12") == ["Invoice 12"]
    assert subjects("subject:/(a|b)c/", "xac", "xbc", "xcc") == ["xac", "xbc"]


def test_classes_in_a_pattern_hold_beyond_ascii():
    texts = ("élan 7", "élan x", "elan\t7")
    assert subjects(r"/^\w+\s\d$/", *texts) == ["élan 7", "elan\t7"]
    assert subjects(r"/[\w-]+ [^\d\s]$/", *texts) == ["élan x"]
    assert subjects(r"/n\S|\D$/", *texts) == ["élan x"]
    assert subjects(r"/\bélan\b/", *texts) == ["élan 7", "élan x"]


@pytest.mark.parametrize("pattern", ["(", "[", "*", r"(a)\1", "(?=a)", "(?P<n>a)"])
def test_a_pattern_that_cannot_run_in_linear_time_is_told(pattern):
    with pytest.raises(ConfigurationError, match=r"regular expression|group"):
        language.parse(f"/{pattern}/")


def test_the_reason_quotes_a_pattern_as_it_was_typed():
    with pytest.raises(ConfigurationError, match=r"^/\(\(/ is no .*: missing \): \(\($"):
        language.parse("/((/")


def test_what_is_not_unread_is_read():
    assert language.parse("-is:unread")[0].predicate == language.parse("is:read")[0].predicate


def test_periods_are_years_months_and_days():
    columns = small(
        date=pd.to_datetime(["2023-12-31 23:59", "2024-05-01 00:00", "2024-05-31 23:59"], utc=True)
    )
    assert chosen("before:2024", columns).index.tolist() == [0]
    assert chosen("since:2024-05-31", columns).index.tolist() == [2]
    assert chosen("on:2024-05", columns).index.tolist() == [1, 2]
    assert chosen("on:2023/12/31", columns).index.tolist() == [0]


def test_a_message_without_a_date_is_in_no_period():
    columns = small(date=[pd.NaT, pd.Timestamp("2024", tz="UTC")])
    for line in ("before:2100", "since:1900", "weekday:mon-sun", "hour:0-23"):
        assert chosen(line, columns).index.tolist() == [1]


def test_what_went_to_many_and_what_a_program_sent_can_be_sought():
    columns = small(bulk=[True, False, False], auto=[False, True, False])
    assert chosen("is:bulk", columns).index.tolist() == [0]
    assert chosen("is:auto", columns).index.tolist() == [1]
    assert chosen("-is:bulk -is:auto", columns).index.tolist() == [2]
    older = Columns(columns.df.drop(columns="auto"))
    with pytest.raises(ConfigurationError, match="this frame has no column auto"):
        chosen("is:auto", older)


def test_a_message_with_an_impossible_date_is_in_the_period_of_its_arrival():
    columns = small(date=[pd.Timestamp("2099", tz="UTC"), pd.Timestamp("2024-03-01", tz="UTC")])
    columns.df["internaldate"] = pd.Timestamp("2024-05-05", tz="UTC").as_unit("us")
    assert chosen("on:2024-05", Columns(columns.df)).index.tolist() == [0]
    assert not len(chosen("since:2025", Columns(columns.df)))


def test_weekdays_and_hours_go_round():
    days = pd.date_range("2024-01-01", periods=7, freq="25h", tz="UTC")  # a Monday, 00:00
    columns = small(date=list(days))
    assert chosen("weekday:sat-mon", columns).index.tolist() == [0, 5, 6]
    assert chosen("hour:5-1", columns).index.tolist() == [0, 1, 5, 6]


def test_sizes_are_decimal():
    columns = small(size=[999_999, 1_000_000, 1_500_000])
    assert chosen("larger:1M", columns)["size"].tolist() == [1_000_000, 1_500_000]
    assert chosen("smaller:1.5m", columns)["size"].tolist() == [999_999, 1_000_000]


def test_folders_are_found_by_name_glob_or_part():
    assert set(chosen("in:inbox")["folder"]) == {"INBOX"}
    assert set(chosen("in:Lists/*")["folder"]) == {"Lists/dev", "Lists/users"}
    assert set(chosen("in:archive,sent")["folder"]) == {"Archive/2023", "Archive/2024", "Sent"}
    assert chosen("in:nowhere").empty


def test_recipients_stand_in_to_or_cc():
    columns = small(to=[["ann@x"], [], ["bob@x"]], cc=[[], ["Ann@x", "c@x"], []])
    assert chosen("to:ann", columns).index.tolist() == [0, 1]
    assert chosen("cc:ann", columns).index.tolist() == [1]


def test_a_thread_is_a_message_and_what_refers_to_it():
    columns = small(
        message_id=["a@x", "b@x", "c@x", "d@x"],
        in_reply_to=[None, "a@x", "b@x", None],
        references=[[], [], ["a@x", "b@x"], []],
    )
    assert chosen("thread:<a@x>", columns).index.tolist() == [0, 1, 2]


def test_a_domain_is_found_in_either_spelling():
    columns = small(from_domain=["bücher.example", "buecher.example"])
    assert chosen("domain:xn--bcher-kva.example", columns).index.tolist() == [0]
    assert chosen("domain:BÜCHER.example", columns).index.tolist() == [0]


def test_what_looks_like_a_key_and_is_none_is_told_and_marks_and_addresses_are_words():
    assert subjects("Re: https://x", "Re: https://x/y", "Re: tea") == ["Re: https://x/y"]
    assert subjects('"re:tea"', "re:tea", "tea") == ["re:tea"]
    with pytest.raises(ConfigurationError, match=r"form: is no key; did you mean from:\?"):
        language.parse("form:ann")
    with pytest.raises(ConfigurationError, match='write "re:tea"'):
        language.parse("re:tea")


def test_parentheses_hold_together_what_belongs_together():
    texts = ("a x", "b y", "a y", "c")
    assert subjects("(a x) OR (b y)", *texts) == ["a x", "b y"]
    assert subjects("(a (x OR y))", *texts) == ["a x", "a y"]
    assert subjects("-(a x)", *texts) == ["b y", "a y", "c"]
    assert subjects("NOT (a OR b)", *texts) == ["c"]
    assert subjects("subject:(x OR c)", *texts) == ["a x", "c"]
    assert subjects("(subject:a subject:x", *texts) == ["a x"]
    assert subjects('("a x")', *texts) == ["a x"]
    assert [clause.text for clause in language.parse("(a OR b) c")] == ["(a OR b)", "c"]


def test_parentheses_within_words_are_letters():
    assert subjects("f(x)", "f(x) = 1", "fx") == ["f(x) = 1"]
    assert subjects("(f(x))", "f(x) = 1", "fx") == ["f(x) = 1"]
    assert subjects(":-)", "well :-)", "well") == ["well :-)"]
    assert len(subjects("()", "a", "b")) == 2
    with pytest.raises(ConfigurationError, match="parentheses"):
        language.parse("(" * 5_000)


def test_days_are_named_as_people_do():
    days = ["2024-06-12", "2024-06-11", "2024-06-10", "2024-06-05", "2024-05-31", "2024-03-15"]
    days += ["2023-09-09", "2023-06-20", "2025-01-01"]
    columns = small(date=pd.to_datetime([f"{day} 12:00" for day in days], utc=True))

    def on(line):
        return chosen(line, columns).index.tolist()

    assert on("on:today") == [0]
    assert on("since:yesterday") == [0, 1, 8]
    assert on("on:monday") == on("on:Mon") == [2]
    assert on("on:wednesday") == [0]
    assert on('on:"last wednesday"') == [3]
    assert on('on:"this week"') == on("on:this-week") == [0, 1, 2]
    assert on('on:"last week"') == [3]
    assert on('on:"last month"') == on("on:may") == [4]
    assert on("on:march") == [5]
    assert on("on:september") == [6]
    assert on("on:june") == [0, 1, 2, 3]
    assert on('on:"last june"') == [7]
    assert on('on:"last year"') == [6, 7]
    assert on('before:"this year"') == [6, 7]


def test_ages_are_counted_back_from_now():
    moments = ["2024-06-12 14:00", "2024-06-12 02:59", "2024-06-05 15:01", "2024-06-05 14:59"]
    moments += ["2023-06-12 14:59"]
    columns = small(date=pd.to_datetime(moments, utc=True))
    assert chosen("newer_than:12h", columns).index.tolist() == [0]
    assert chosen("newer_than:7d", columns).index.tolist() == [0, 1, 2]
    assert chosen("newer_than:1w", columns).index.tolist() == [0, 1, 2]
    assert chosen("newer_than:1m", columns).index.tolist() == [0, 1, 2, 3]
    assert chosen("older_than:1y", columns).index.tolist() == [4]


def test_sizes_are_compared():
    columns = small(size=[999, 1_000, 1_001, 2_000])
    assert chosen("size:>1k", columns).index.tolist() == [2, 3]
    assert chosen("size:>=1k", columns).index.tolist() == [1, 2, 3]
    assert chosen("size:<1k", columns).index.tolist() == [0]
    assert chosen("size:<=1k", columns).index.tolist() == [0, 1]
    assert chosen("size:1k..1001", columns).index.tolist() == [1, 2]
    assert chosen("size:1k", columns).index.tolist() == [1, 2, 3]


def test_me_is_the_reader():
    columns = small(
        from_addr=["Ann@example.org", "bob@example.org", "c@example.org"],
        from_name=["x", "me", "x"],
        to=[["bob@example.org"], ["ANN@example.org"], ["d@example.org"]],
    )
    assert find(columns.df, "from:me", me="ann@example.org").index.tolist() == [0]
    assert find(columns.df, "to:me", me="ann@example.org").index.tolist() == [1]
    assert find(columns.df, "-with:me", me="ann@example.org").index.tolist() == [2]
    nobody = columns.df.assign(account="x", folder="y", to=[["a@x"], ["b@x"], ["c@x"]])
    with pytest.raises(ConfigurationError, match="me="):
        find(nobody, "from:me")


def test_states_of_mail_and_of_its_date():
    columns = small(
        in_reply_to=["a@x", None, None],
        references=[[], ["a@x"], []],
        date=[pd.NaT, pd.Timestamp("2024", tz="UTC"), pd.Timestamp("2024", tz="UTC")],
        bulk=[True, False, False],
        auto=[False, False, True],
    )
    for line, rows in {
        "is:reply": [0, 1],
        "is:undated": [0],
        "is:bulk": [0],
        "is:auto": [2],
        "is:newsletter": [0],
        "-is:automatic": [0, 1],
    }.items():
        assert chosen(line, columns).index.tolist() == rows, line


def test_attachments_are_asked_where_the_frame_tells_of_them():
    with pytest.raises(ConfigurationError, match="no column attachment"):
        find(MAIL, "has:attachment")
    with pytest.raises(ConfigurationError, match="no column attachment_names"):
        find(MAIL, "filename:pdf")
    df = MAIL.head(3).assign(
        attachments=pd.array([0, 2, pd.NA], dtype="Int64"),
        attachment_names=pd.Series([[], ["Plan.PDF", "b.png"], []], MAIL.index[:3]),
    )
    assert find(df, "has:attachment").index.tolist() == [1]
    with pytest.raises(ConfigurationError, match="no column attachment_bytes"):
        find(df, "attached:>1k")
    assert find(df, "filename:pdf").index.tolist() == [1]
    df["attachment_bytes"] = pd.array([0, 5000, pd.NA], dtype="Int64")
    assert find(df, "attached:>1k").index.tolist() == [1]
    assert find(df, "attached:<1M").index.tolist() == [1]  # what has nothing is not small in that
    assert find(df, "-attached:>1k").index.tolist() == [0, 2]


def test_a_label_is_a_keyword_or_one_of_gmails():
    df = MAIL.iloc[:3].assign(x_gm_labels=pd.Series([["Work"], [], None], MAIL.index[:3]))
    assert find(df, "label:work").index.tolist() == [0]


@pytest.mark.parametrize(
    ("typed", "judged"),
    [
        ("plan", "plan"),
        ("plan fr", "plan "),
        ("from:", ""),
        ("from:a", "from:a"),
        ("x is:unr", "x "),
        ("x is:unread", "x is:unread"),
        ("x is:unr ", "x is:unr "),
        ("before:20", ""),
        ("before:2024", "before:2024"),
        ("larger:", ""),
        ("x -", "x "),
        ("x (", "x "),
        ("x OR", "x "),
        ("x OR y", "x OR y"),
        ("form:ann", ""),
        ('subject:"plan b', 'subject:"plan b'),
    ],
)
def test_nobody_judges_what_is_still_being_typed(typed, judged):
    assert language.settled(typed) == judged


def test_a_line_finds_rows_of_any_frame_of_mail():
    joined = pd.concat([MAIL, MAIL])
    part = joined[joined["folder"] == "INBOX"]
    assert len(find(part, "is:unread")) == (~part["seen"]).sum()
    assert find(part, "") is part
    assert find(MAIL.iloc[:0], "is:unread").empty


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("before:2024-13", "2024-05"),
        ("since:yesterdays", "2024-05"),
        ("newer_than:week", "7d"),
        ("size:=1M", "1M"),
        ("larger:big", "1.5M"),
        ("is:purple", "unread"),
        ("weekday:blue", "sat-sun"),
        ("hour:24", "8-17"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_what_would(line, hint):
    with pytest.raises(ConfigurationError, match=hint):
        language.parse(line)


def test_a_line_still_being_typed_is_read_as_far_as_it_goes():
    assert subjects('subject:"plan b', "plan b", "plan") == ["plan b"]
    assert subjects("/plan", "/plan", "plan") == ["/plan"]
    assert len(chosen("subject:")) == MAIL["subject"].notna().sum()


VALUES = st.one_of(
    st.sampled_from(
        ["ann", "plan", "B", "é", "example.org", "2024", "1k", "inbox", "'", '"', "\\"]
    ),
    st.text(max_size=6),
)
TERMS = st.one_of(
    st.builds(
        "{}{}:{}".format, st.sampled_from(["", "-"]), st.sampled_from(sorted(language.KEYS)), VALUES
    ),
    st.builds('{}:"{}"'.format, st.sampled_from(["from", "in", "to", "subject"]), VALUES),
    st.sampled_from(
        ["OR", "is:unread", "-is:flagged", "larger:20k", "weekday:sat-mon", "hour:8-18"]
    ),
    st.sampled_from(
        [
            "on:2024-03",
            "before:2023-06-07",
            "/(plan|b.)/",
            r"/[^\w]\d+$/",
            "list:/dev|x/",
            "in:Lists/*",
        ]
    ),
    VALUES,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TERMS, max_size=5).map(" ".join))
def test_whatever_is_typed_is_chosen_alike_or_told(line):
    try:
        language.parse(line, scope_of(COLUMNS)._replace(now=NOW))
    except ConfigurationError:
        return
    chosen(line)


def _in_reach(moment):
    """The same moment of one of the years that there is mail of."""
    return moment.replace(year=2021 + moment.year % 4, day=min(moment.day, 28))


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "search": st.sampled_from(["", "plan", "-is:unread from:a", "x OR larger:10k"]),
        "folders": st.lists(st.sampled_from(FOLDERS), max_size=3),
        "since": st.none() | st.datetimes(timezones=st.just(dt.UTC)).map(_in_reach),
        "before": st.none() | st.dates(dt.date(2021, 1, 1), dt.date(2025, 1, 1)),
        "sender": VALUES,
        "recipient": VALUES,
        "domain": VALUES,
        "subject": VALUES.filter(lambda text: not text.startswith("/")),
        "mailing_list": VALUES,
        "thread": st.sampled_from(["", "m1@example.org", "m700@example.org"]),
        "unread": st.none() | st.booleans(),
        "flagged": st.none() | st.booleans(),
        "answered": st.none() | st.booleans(),
        "larger": st.none() | st.integers(0, 100_000),
        "smaller": st.none() | st.integers(0, 100_000),
        "weekdays": st.lists(st.integers(0, 6), max_size=3),
        "hours": st.lists(st.integers(0, 23), max_size=5),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ASKED)
def test_any_filters_choose_what_their_line_of_pandas_does(asked):
    select(filters.Filters(**asked))


def test_each_filter_says_what_it_would_be_on_the_search_line():
    asked = filters.Filters(
        folders=["INBOX", "My mail"],
        since="2024-01-01",
        sender="Ann Lee",
        subject='plan "b c"',
        unread=True,
        flagged=False,
        larger=1_500_000,
        smaller=1_234,
        weekdays=[6, 5],
        hours=[8, 9, 10],
    )
    texts = [clause.text for _, clause in filters.clauses(asked)]
    assert texts == [
        'in:INBOX,"My mail"',
        "since:2024-01-01",
        'from:"Ann Lee"',
        'subject:plan subject:"b c"',
        "is:unread",
        "is:unflagged",
        "larger:1.5M",
        "smaller:1234",
        "weekday:sat,sun",
        "hour:8-10",
    ]
    for text in texts:
        language.parse(text, Scope(FOLDERS))


def test_a_chart_can_leave_its_own_filter_out():
    asked = filters.Filters(sender="ann", folders=["INBOX"])
    selection = Selection(COLUMNS, filters.clauses(asked))
    others = MAIL[selection.without("folders")]
    assert set(others["folder"]) == set(FOLDERS)
    assert others["from_name"].str.contains("ann", case=False).any()


def test_a_frame_that_is_no_mail_is_told_which_columns_it_lacks():
    with pytest.raises(ConfigurationError, match=r"subject.*read_imap"):
        Columns(pd.DataFrame({"folder": ["INBOX"]}))
