"""Sets of UIDs behave as sets of numbers, whatever their ranges."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.ground.uidset import MAX_UID, UidSet

numbers = st.sets(st.integers(1, 60))


@given(numbers, numbers)
def test_set_algebra(left, right):
    a, b = UidSet.from_uids(left), UidSet.from_uids(right)
    assert set(a) == left
    assert len(a) == len(left)
    assert set(a - b) == left - right
    assert set(a | b) == left | right
    assert set(a & b) == left & right
    assert all((uid in a) == (uid in left) for uid in range(62))


@given(numbers, st.integers(0, 61), st.integers(0, 61))
def test_within_a_span_lie_the_ranges_that_reach_into_it(uids, first, last):
    held = UidSet.from_uids(uids)
    near = held.within(first, last).ranges
    assert near == tuple(pair for pair in held.ranges if pair[0] <= last and first <= pair[1])


@given(numbers)
def test_a_set_reads_back_as_written(uids):
    held = UidSet.from_uids(uids)
    if held:
        assert UidSet.parse(bytes(held)) == held
        assert (held.first, held.last) == (min(uids), max(uids))


@given(numbers, st.integers(1, 70))
def test_the_newest_are_the_largest(uids, count):
    assert list(UidSet.from_uids(uids).newest(count)) == sorted(uids)[-count:]


@given(numbers, st.integers(1, 20))
def test_splitting_loses_nothing(uids, size):
    held = UidSet.from_uids(uids)
    parts = list(held.split(size))
    assert [uid for part in parts for uid in part] == sorted(uids)
    assert all(0 < len(part) <= size for part in parts)
    lines = list(held.lines(size))
    assert [uid for line in lines for uid in line] == sorted(uids)
    assert all(len(bytes(line)) <= max(size, 5) for line in lines)


def test_ranges_up_to_the_end_are_written_with_a_star():
    assert bytes(UidSet.of((5, MAX_UID))) == b"5:*"


def test_a_backward_range_is_a_range():
    assert UidSet.parse(b"9:7,3") == UidSet.of((3, 3), (7, 9))


@pytest.mark.parametrize("text", [b"", b"a", b"1:", b"1,,2", b"1 2", b"-1"])
def test_other_text_is_no_set(text):
    with pytest.raises(ValueError, match="UID set"):
        UidSet.parse(text)


def test_what_is_told_again_and_again_is_held_once():
    text = b"10,20," * 100_000 + b"1"
    tracemalloc.start()
    try:
        assert len(UidSet.parse(text)) == 3
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
