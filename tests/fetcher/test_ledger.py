"""What a folder owes after each way that a piece of work can end."""

from dataclasses import replace

import pytest

from mailframe.errors import CommandError, ConnectionLost, FolderError
from mailframe.fetcher.ledger import Ledger
from mailframe.fetcher.schedule import Ask, Folder, Known, Lookup, Span
from mailframe.ground.uidset import UidSet
from mailframe.imap.connection import Mailbox
from tests.floods import cost

FOLDER = Folder(name="f", wire=b"f", messages=10, uidnext=11, uidvalidity=1)
NO = CommandError("refused", text="no")


def opened(**options):
    ledger = Ledger(**options)
    (work,) = ledger.open_folder(FOLDER)
    return ledger, work


def told(ledger):
    return [(problem.folder, problem.uids, problem.error) for problem in ledger.problems]


def test_a_complete_folder_is_done():
    ledger, work = opened()
    ledger.deliver(work, list(range(1, 11)))
    assert ledger.finished(work, Mailbox(exists=10), {}) == []
    assert not ledger.problems


def test_a_short_count_is_looked_up_and_the_missing_are_asked_for_alone():
    ledger, work = opened()
    ledger.deliver(work, [1, 2, 3, 5, 6, 8, 9, 10])
    (lookup,) = ledger.finished(work, Mailbox(exists=10), {})
    assert isinstance(lookup, Lookup)
    four, seven = ledger.looked_up(lookup, UidSet.of((1, 10)))
    assert [list(four.uids), list(seven.uids)] == [[4], [7]]
    ledger.deliver(four, [4])
    assert ledger.finished(four, Mailbox(exists=10), {}) == []
    (lookup,) = ledger.finished(seven, Mailbox(exists=10), {})
    assert ledger.looked_up(lookup, UidSet.of((1, 11))) == []
    assert told(ledger) == [("f", "7", "FolderError")]


def test_messages_that_have_gone_are_no_problem():
    ledger, work = opened()
    ledger.deliver(work, [1, 2])
    (lookup,) = ledger.finished(work, Mailbox(exists=10), {})
    assert ledger.looked_up(lookup, UidSet.of((1, 2))) == []
    assert not ledger.problems


def test_a_message_that_goes_while_it_is_asked_for_alone_is_no_problem():
    ledger, work = opened()
    ledger.deliver(work, [uid for uid in range(1, 11) if uid != 7])
    (lookup,) = ledger.finished(work, Mailbox(exists=10), {})
    (seven,) = ledger.looked_up(lookup, UidSet.of((1, 10)))
    (lookup,) = ledger.finished(seven, Mailbox(exists=10), {})
    assert ledger.looked_up(lookup, UidSet.of((1, 6), (8, 10))) == []
    assert not ledger.problems


def test_a_message_that_stays_malformed_is_told_with_its_reason():
    ledger, work = opened()
    ledger.deliver(work, [uid for uid in range(1, 11) if uid != 6])
    (lookup,) = ledger.finished(work, Mailbox(exists=10), [6])
    (six,) = ledger.looked_up(lookup, UidSet.of((1, 10)))
    (lookup,) = ledger.finished(six, Mailbox(exists=10), [6])
    ledger.looked_up(lookup, UidSet.of((1, 10)))
    assert told(ledger) == [("f", "6", "ProtocolError")]


def test_a_refused_span_keeps_its_rows_and_asks_for_the_rest():
    ledger, work = opened()
    ledger.deliver(work, [1, 2, 3])
    (rest,) = ledger.refused(work, NO)
    assert rest.uids == UidSet.of((4, 10))


def test_a_message_that_is_always_refused_is_found_and_told():
    ledger, work = opened()
    left = [work]
    while left:
        span = left.pop()
        if isinstance(span, Lookup):
            left += ledger.looked_up(span, UidSet.of((1, 10)), 10)
        elif 7 in span.uids:
            left += ledger.refused(span, NO)
        else:
            ledger.deliver(span, list(span.uids))
            left += ledger.finished(span, Mailbox(exists=10), {})
    assert told(ledger) == [("f", "7", "CommandError")]


def test_a_lost_session_is_held_against_the_guilty_work_alone():
    ledger, work = opened()
    ledger.deliver(work, [1])
    (rest,) = ledger.returned(work)
    assert (rest.uids, rest.attempts) == (UidSet.of((2, 10)), 0)
    (rest,) = ledger.refused(rest, ConnectionLost("cut"))
    assert rest.attempts == 1


def test_a_folder_that_cannot_be_opened_is_one_problem():
    ledger, work = opened()
    ledger.folder_failed(work, FolderError("closed"))
    ledger.folder_failed(work, FolderError("closed"))
    assert told(ledger) == [("f", "", "FolderError")]
    assert not ledger.wants(work)


def test_a_replaced_folder_starts_again_with_its_new_numbers():
    ledger, work = opened()
    (fresh,) = ledger.replaced(work, Mailbox(exists=3, uidvalidity=9, uidnext=4))
    assert (fresh.folder.uidvalidity, fresh.uids) == (9, UidSet.of((1, 3)))
    assert not ledger.wants(work)
    (last,) = ledger.replaced(fresh, Mailbox(exists=3, uidvalidity=12, uidnext=4))
    assert last.folder.uidvalidity is None  # it changes each time: taken as it is


def test_rows_that_came_before_a_folder_was_replaced_are_told():
    ledger, work = opened()
    ledger.deliver(work, [1, 2, 3])
    ledger.replaced(work, Mailbox(exists=3, uidvalidity=9, uidnext=4))
    assert told(ledger) == [], "a frame can still drop them"
    ledger.tell_replaced()
    assert told(ledger) == [("f", "1:3", "FolderError")]


@pytest.mark.parametrize("options", [{"search": True}, {"newest": 3}])
def test_a_search_comes_before_its_messages(options):
    ledger, work = opened(**options)
    assert isinstance(work, Lookup)
    (span,) = ledger.looked_up(work, UidSet.of((2, 3), (9, 10)))
    assert list(span.uids) == ([2, 3, 9, 10] if "search" in options else [3, 9, 10])
    ledger.deliver(span, list(span.uids))
    assert ledger.finished(span, Mailbox(exists=10), {}) == []


def test_a_search_that_is_always_refused_is_its_folder_s_problem():
    ledger, work = opened(search=True)
    left = [work]
    for _ in range(10):
        left = [follows for work in left for follows in ledger.refused(work, NO)]
    assert not left
    assert told(ledger) == [("f", "", "CommandError")]


def test_time_that_is_up_leaves_a_problem_for_each_open_folder():
    ledger, work = opened()
    done = Folder(name="g", wire=b"g", messages=1, uidnext=2)
    (other,) = ledger.open_folder(done)
    ledger.deliver(other, [1])
    ledger.finished(other, Mailbox(exists=1), {})
    ledger.expire(CommandError("time is up"))
    assert told(ledger) == [("f", "", "CommandError")]
    assert not ledger.wants(work)


def test_a_held_message_that_owes_an_answer_and_gives_none_is_asked_for_whole():
    ledger, held = Ledger(), UidSet.of((1, 10))
    ask = Ask(b"UID BODY.PEEK[HEADER.FIELDS (X)]", owed=True)
    works = tuple(Span(FOLDER, UidSet.of(pair), 5, ask=ask) for pair in [(1, 5), (6, 10)])
    ledger.open_folder(FOLDER, Known(held, works))
    ledger.deliver(works[0], [1, 2, 4, 5])
    ledger.deliver(works[1], [6, 8, 9, 10])
    ledger.vanished(works[1], UidSet.of((7, 7)))
    assert ledger.finished(works[0], Mailbox(exists=9), {}) == []
    (lookup,) = ledger.finished(works[1], Mailbox(exists=9), {})
    (three,) = ledger.looked_up(lookup, held - UidSet.of((7, 7)))
    assert (list(three.uids), three.ask) == ([3], None)
    ledger.deliver(three, [3])
    assert ledger.finished(three, Mailbox(exists=9), {}) == []
    assert not ledger.problems


def test_a_folder_replaced_is_planned_with_nothing_of_its_predecessor():
    old = replace(FOLDER, unseen=3, highestmodseq=500)
    ledger = Ledger()
    (work,) = ledger.open_folder(old)
    new = Mailbox(exists=2, uidvalidity=9, uidnext=3, highestmodseq=4)
    (again,) = ledger.replaced(work, new)
    assert again.folder == replace(
        old, uidvalidity=9, uidnext=3, messages=2, unseen=None, highestmodseq=4
    )


def test_rows_that_come_in_any_order_are_those_delivered_and_no_others():
    ledger, work = opened()
    ledger.deliver(work, [2, 9, 4])
    assert list(ledger.entry(FOLDER).done) == [2, 4, 9]


def test_a_refusal_costs_what_was_asked_and_not_all_that_a_folder_has_delivered():
    def refusing(gaps):
        ledger = Ledger()
        held = UidSet(tuple((2 * n + 1, 2 * n + 1) for n in range(gaps)))
        work = Span(FOLDER, UidSet.of((2 * gaps, 2 * gaps + 9)), 10)
        ledger.open_folder(FOLDER, Known(held, (work,) * 100))

        def refuse(error):
            for uid in work.uids:
                ledger.deliver(work, [uid])
                ledger.returned(work)
                ledger.refused(work, error)

        return refuse

    cost(refusing(1), NO)  # what is done for the first time only
    small, large = (cost(refusing(gaps), NO) for gaps in (1_000, 100_000))
    assert large < 20 * small
