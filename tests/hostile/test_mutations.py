"""A server whose answers are wrong at random: nothing is lost without a word, nothing invented."""

import pytest

from tests.hostile.mutations import try_one


@pytest.mark.parametrize("seed", range(60))
def test_whatever_a_server_says_a_message_is_in_the_frame_or_its_folder_is_a_problem(seed):
    assert try_one(seed) == []
