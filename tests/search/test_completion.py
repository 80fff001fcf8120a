"""Completion: what is offered at the caret, with its counts under the filters that hold."""

import numpy as np
import pandas as pd
import pytest

from mailframe.search.completion import complete
from mailframe.search.filterable import Columns
from mailframe.search.language import parse
from mailframe.search.matching import find, scope_of
from tests.widgets.frames import FOLDERS, make

MAIL = make(1500)
COLUMNS = Columns(MAIL)


def offered(line, among=None):
    return complete(line, len(line), COLUMNS, among).offers


def test_an_empty_field_offers_keys_with_a_word_on_each():
    offers = offered("")
    assert [offer.text for offer in offers[:2]] == ["from:", "to:"]
    assert all(offer.note for offer in offers)


def test_a_beginning_offers_the_keys_and_the_people_it_may_be():
    assert offered("sub")[0].text == "subject:"
    texts = [offer.text for offer in offered("x an")]
    assert any(text.startswith("from:") for text in texts)


@pytest.mark.parametrize(
    ("typed", "column"), [("domain:e", "from_domain"), ("list:", "list_id"), ("in:", "folder")]
)
def test_values_are_counted_under_the_filters_that_hold(typed, column):
    among = ~MAIL["seen"].to_numpy(dtype=bool)
    counts = MAIL[among][column].value_counts()
    offers = offered(typed, among)
    assert offers
    assert [offer.messages for offer in offers] == sorted(
        (o.messages for o in offers), reverse=True
    )
    for offer in offers:
        assert offer.messages == counts[offer.label]


def test_recipients_and_states_are_counted_too():
    for offer in offered("to:a"):
        assert offer.messages == sum(
            offer.label in to or offer.label in cc
            for to, cc in zip(MAIL["to"], MAIL["cc"], strict=True)
        )
    states = {offer.label: offer.messages for offer in offered("is:un")}
    assert states["unread"] == (~MAIL["seen"]).sum()
    assert states["undated"] == MAIL["date"].isna().sum()


def test_what_is_offered_is_read_back_as_that_value():
    for key in (
        "from:",
        "to:",
        "domain:",
        "list:",
        "in:",
        "label:",
        "is:",
        "on:",
        "size:",
        "hour:",
    ):
        for offer in offered(key):
            clauses = parse(f"{key}{offer.text}", scope_of(COLUMNS))
            assert len(clauses) == 1
            if key in ("domain:", "list:", "is:"):
                assert len(find(MAIL, clauses[0].text)) == offer.messages


def test_the_term_at_the_caret_is_replaced_and_no_more():
    line = f"-in:{FOLDERS[0]},inb plan"
    caret = line.index(" plan")
    start, end, offers = complete(line, caret, COLUMNS)
    assert line[:start] + offers[0].text + line[end:] == f"-in:{FOLDERS[0]},INBOX plan"


def test_nothing_is_offered_that_leaves_no_message_or_has_no_key():
    nothing = np.zeros(len(MAIL), dtype=bool)
    assert offered("from:a", nothing) == []
    assert offered("re:an") == []
    assert offered("subject:pl") == []


def test_an_empty_mailbox_offers_keys_alone():
    columns = Columns(MAIL.iloc[:0])
    assert complete("", 0, columns).offers
    for typed in ("from:", "to:a", "in:", "list:x"):
        assert complete(typed, len(typed), columns).offers == []
    assert isinstance(columns.df, pd.DataFrame)


def test_a_name_cannot_turn_the_writing_of_a_chart_round():
    df = MAIL.head(3).assign(
        from_name=["a\u202eb", "c\u2067d", "e"], from_addr=["x@x", "y@x", "z@x"]
    )
    assert Columns(df).people().tolist() == ["ab", "cd", "e"]
