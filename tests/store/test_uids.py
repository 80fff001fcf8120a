"""Ranges say what the sets that they stand for say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mailframe.store.uids import count, inside, intersect, normal, ranges_of, subtract

sets = st.sets(st.integers(1, 40))


def ranges(uids):
    return ranges_of(np.array(sorted(uids), np.uint32))


def members(found):
    return {uid for first, last in found for uid in range(first, last + 1)}


@given(sets, sets)
def test_differences_and_intersections_are_those_of_sets(one, other):
    assert members(subtract(ranges(one), ranges(other))) == one - other
    assert members(intersect(ranges(one), ranges(other))) == one & other
    assert subtract(ranges(one), ranges(other)) == ranges(one - other)


@given(sets, sets)
def test_membership_is_that_of_sets(one, other):
    uids = np.array(sorted(one), np.uint32)
    assert inside(uids, ranges(other)).tolist() == [uid in other for uid in sorted(one)]
    assert count(ranges(one)) == len(one)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_ranges_in_any_order_have_one_normal_form(pairs):
    expected = {uid for a, b in pairs for uid in range(min(a, b), max(a, b) + 1)}
    assert normal(pairs) == ranges(expected)


def test_a_range_over_every_uid_there_can_be_costs_nothing():
    everything = ((1, 2**32 - 1),)
    assert subtract(((5, 9),), everything) == ()
    assert count(subtract(everything, ((5, 9),))) == 2**32 - 6
