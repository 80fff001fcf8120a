"""Sets of UIDs say what the columns that they were made of say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mailframe.ground.uidset import UidSet
from mailframe.store.uids import inside, set_of

sets = st.sets(st.integers(1, 40))


def column(uids):
    return np.array(sorted(uids), np.uint32)


@given(sets)
def test_a_column_is_the_set_of_its_uids(uids):
    assert set_of(column(uids)) == UidSet.from_uids(uids)


@given(sets, sets)
def test_membership_is_that_of_sets(one, other):
    found = inside(column(one), UidSet.from_uids(other))
    assert found.tolist() == [uid in other for uid in sorted(one)]
