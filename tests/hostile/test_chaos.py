"""Through a network at its worst a fetch ends in exactly the frame of a calm one."""

import pytest

from tests.hostile import chaos

RUNS = 30
RUNS_BESIDE_ANOTHER_CLIENT = 20


@pytest.fixture(scope="module")
def undisturbed(dovecot):
    chaos.deliver_mailbox(dovecot, "calm")
    return chaos.fetch(dovecot.port, "calm")


def test_the_calm_frame_is_complete(undisturbed):
    assert undisturbed.groupby("folder", observed=True).size().to_dict() == chaos.FOLDERS


def test_cuts_stalls_splits_and_delays_change_no_cell(dovecot, undisturbed):
    for seed, frame in chaos.fetches(dovecot, "calm", range(RUNS)):
        chaos.assert_same(frame, undisturbed, seed)


def test_nor_do_they_beside_a_client_that_delivers_flags_and_expunges(dovecot, user, undisturbed):
    chaos.deliver_mailbox(dovecot, user)
    before = chaos.fetch(dovecot.port, user)
    with chaos.another_client(dovecot, user) as other:
        seeds = range(1000, 1000 + RUNS_BESIDE_ANOTHER_CLIENT)
        for seed, frame in chaos.fetches(dovecot, user, seeds):
            assert not frame.duplicated(["folder", "uid"]).any()
            kept = chaos.untouched(before, other.touched)
            chaos.assert_same(chaos.untouched(frame, other.touched), kept, seed)
