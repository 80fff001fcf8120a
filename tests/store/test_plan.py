"""A refresh, planned and merged without I/O, ends where a full fetch would."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.ground.uidset import UidSet
from mailframe.store.filecolumns import (
    CHANGED,
    FLAG_COLUMNS,
    STORED,
    canonical,
    shown,
    stored_schema,
)
from mailframe.store.merge import Answers, Merge, gone
from mailframe.store.plan import Fetch, Flags, Headers, ServerState, Uids, outcome, plan
from mailframe.store.state import FolderState
from mailframe.store.uids import set_of
from tests.store.simserver import SimServer, disturb

NEW = FolderState("ann@example.org", "INBOX")
SPAM = canonical(["X-Spam"])
RECEIVED = canonical(["Received:all"])
ASKED = [(), (), SPAM, SPAM + RECEIVED, canonical(["Received"])]
AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclasses.dataclass
class Mirror:
    """What a store does for one folder, in memory."""

    state: FolderState | None = None
    rows: pa.Table | None = None

    def refresh(self, server, headers=(), flags="exact", between=lambda: None):
        seen = server.status()
        held = self.rows.num_rows if self.rows else 0
        done = plan(self.state, seen, held=held, headers=headers, flags=flags)
        answers = server.answer(done, between)
        kept = self.rows.to_batches() if self.rows is not None and done.keep else []
        uids = set_of(pa.Table.from_batches(kept)["uid"].to_numpy()) if kept else UidSet()
        if answers.there is not None:
            came = pa.chunked_array([[], *(rows["uid"] for rows in answers.rows)], pa.uint32())
            absent = answers.there - uids - set_of(came.to_numpy())
            wanted = [uid for uid in absent if uid in server.mail]
            more = server.rows(wanted, done.headers)
            answers = dataclasses.replace(answers, rows=[*answers.rows, more])
        schema = stored_schema(done.headers)
        merge = Merge(schema, answers, lost=gone(uids, answers), at=AT)
        flags = [batch.select(["uid", *FLAG_COLUMNS]) for batch in kept]
        written = pa.Table.from_batches(list(merge.batches(kept)), schema)
        assert merge.alters(flags) or written == pa.Table.from_batches(kept, schema)
        self.rows = written
        last = self.rows["uid"][-1].as_py() if self.rows.num_rows else 0
        self.state = outcome(
            done,
            seen,
            before=self.state or NEW,
            last=last,
            complete=True,
            refreshed=AT.isoformat(),
        )
        return done

    def shows(self, expected):
        batches = self.rows.to_batches()
        rows = [shown(batch, expected.schema) for batch in batches]
        return pa.Table.from_batches(rows, expected.schema).equals(expected)


servers = st.builds(
    SimServer, condstore=st.booleans(), qresync=st.booleans(), tells_uidnext=st.booleans()
)


@settings(deadline=None, max_examples=60)
@given(servers, st.integers(0, 2**32))
def test_after_each_refresh_the_rows_are_those_of_a_full_fetch(server, seed):
    draw = random.Random(seed)
    server.deliver(draw.randrange(12), draw)
    mirror = Mirror()
    for _ in range(6):
        for _ in range(draw.randrange(4)):
            disturb(server, draw)
        headers = draw.choice(ASKED)
        mirror.refresh(server, headers)
        assert mirror.shows(server.everything(headers))


@settings(deadline=None, max_examples=60)
@given(servers, st.integers(0, 2**32))
def test_what_happens_during_a_refresh_is_mended_by_the_next(server, seed):
    draw = random.Random(seed)
    server.deliver(draw.randrange(12), draw)
    mirror = Mirror()
    for _ in range(5):
        validity = server.uidvalidity
        mirror.refresh(server, between=lambda: disturb(server, draw))
        if server.uidvalidity != validity:
            mirror.state = None  # EXAMINE told, and the driver began again
    mirror.refresh(server)
    assert mirror.shows(server.everything())


@settings(deadline=None, max_examples=30)
@given(servers, st.integers(0, 2**32), st.sampled_from(["counts", "skip"]))
def test_a_lenient_flag_policy_costs_flags_and_never_messages(server, seed, policy):
    draw = random.Random(seed)
    mirror = Mirror()
    for _ in range(4):
        disturb(server, draw)
        mirror.refresh(server, flags=policy)
        unflagged = ["uid", "subject", "message_id"]
        assert mirror.rows.select(unflagged).equals(server.everything().select(unflagged))
    mirror.refresh(server)
    assert mirror.shows(server.everything())


@settings(deadline=None, max_examples=30)
@given(servers, servers, st.integers(0, 2**32))
def test_a_folder_that_moves_between_servers_is_never_mixed(one, other, seed):
    draw = random.Random(seed)
    other.name = "imap.example.net"
    mirror = Mirror()
    for _ in range(6):
        for server in one, other:
            disturb(server, draw)
        now = draw.choice([one, other])
        same = mirror.state and mirror.state.epoch == now.status().epoch
        assert mirror.refresh(now).keep == bool(same)
        assert mirror.shows(now.everything())


def a_folder(**abilities):
    server, draw = SimServer(**abilities), random.Random(5)
    server.deliver(50, draw)
    mirror = Mirror()
    mirror.refresh(server)
    server.rows_sent = 0
    return server, mirror, draw


@pytest.mark.parametrize("qresync", [True, False])
def test_an_unchanged_folder_needs_nothing(qresync):
    server, mirror, _ = a_folder(qresync=qresync)
    assert mirror.refresh(server).steps == ()


def test_without_modseqs_an_unchanged_folder_needs_a_flags_pass_unless_counts_suffice():
    server, mirror, draw = a_folder(condstore=False)
    assert mirror.refresh(server).steps == (Flags(51),)
    assert mirror.refresh(server, flags="counts").steps == ()
    assert mirror.refresh(server, flags="skip").steps == ()
    server.flag(1.0, draw)
    assert mirror.refresh(server, flags="counts").steps == (Flags(51),)
    assert mirror.shows(server.everything())


def test_new_messages_cost_only_themselves():
    server, mirror, draw = a_folder()
    server.deliver(3, draw)
    assert mirror.refresh(server).steps == (Flags(51, 51, vanished=True), Fetch(51))
    assert server.rows_sent == 3


def test_expunged_messages_are_told_by_vanished_or_found_by_comparing():
    server, mirror, draw = a_folder()
    server.expunge(0.5, draw)
    assert mirror.refresh(server).steps == (Flags(51, 51, vanished=True),)
    server, mirror, draw = a_folder(qresync=False)
    server.expunge(0.5, draw)
    assert mirror.refresh(server).steps == (Uids(),)
    assert server.rows_sent == 0


def test_changed_flags_are_asked_for_by_modseq_and_dated():
    server, mirror, draw = a_folder(qresync=False)
    server.flag(0.2, draw)
    assert mirror.refresh(server).steps == (Flags(51, 51),)
    changed = mirror.rows[CHANGED].drop_null()
    assert 0 < len(changed) < 30
    assert set(changed.to_pylist()) == {AT}


def test_a_lost_modseq_index_means_a_flags_pass():
    server, mirror, draw = a_folder()
    server.flag(0.5, draw)
    server.forget_modseqs()
    assert mirror.refresh(server).steps == (Flags(51),)
    assert mirror.shows(server.everything())
    assert mirror.refresh(server).steps == ()


def test_flags_skipped_over_a_lost_index_are_not_taken_for_right_afterwards():
    server, mirror, draw = a_folder()
    server.flag(0.5, draw)
    server.forget_modseqs()
    mirror.refresh(server, flags="skip")
    mirror.refresh(server)
    assert mirror.shows(server.everything())


def test_a_header_lacked_is_fetched_alone_and_stays_held():
    server, mirror, draw = a_folder()
    assert mirror.refresh(server, SPAM).steps == (Headers(SPAM),)
    assert server.rows_sent == 0
    server.deliver(1, draw)
    mirror.refresh(server)
    assert mirror.shows(server.everything(SPAM))


def test_a_new_uidvalidity_means_the_folder_again():
    server, mirror, draw = a_folder()
    server.reset(draw)
    done = mirror.refresh(server)
    assert (done.steps, done.keep) == ((Fetch(1),), False)
    assert mirror.shows(server.everything())


def test_an_interrupted_fetch_asks_only_for_what_is_missing():
    server, mirror, _ = a_folder()
    mirror.state = dataclasses.replace(mirror.state, complete=False, uidnext=31)
    mirror.rows = mirror.rows.slice(0, 30)
    assert mirror.refresh(server).steps == (Uids(),)
    assert server.rows_sent == 20
    assert mirror.shows(server.everything())


def test_uidvalidity_zero_is_never_trusted():
    state = dataclasses.replace(NEW, uidvalidity=0, uidnext=3, messages=2)
    done = plan(state, ServerState("", uidvalidity=0, uidnext=3, messages=2), held=2)
    assert not done.keep


def test_a_row_fetched_again_keeps_the_time_it_was_first_stored():
    server, mirror, _ = a_folder()
    later = AT.replace(year=2027)
    again = Answers(rows=[server.rows([7])])
    merge = Merge(mirror.rows.schema, again, at=later)
    rows = pa.Table.from_batches(list(merge.batches(mirror.rows.to_batches())))
    assert set(rows[STORED].to_pylist()) == {AT}
    assert (merge.rows, merge.added) == (50, 0)
