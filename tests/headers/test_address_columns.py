"""Address lists by the column agree with address lists one by one."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers import addresses
from mailframe.headers.columns.lists import addr_specs, read_lists
from mailframe.headers.columns.values import laid
from mailframe.headers.text import unfold

words = st.sampled_from(["Ann", "b.c", "O'Neil", "R&D", "ü", '"a, b"', "=?utf-8?q?x,y?=", "(c)"])
addr = st.sampled_from(
    [
        "a@b.c",
        "a.b@C.Org",
        "x@xn--bcher-kva.example",
        "a..b@c",
        ".a@b",
        "a@-b.c",
        "1@2",
        '"a"@b',
        "a",
    ]
)
mailbox = st.builds("{} <{}>".format, st.lists(words, max_size=3).map(" ".join), addr) | addr
values = st.lists(mailbox, max_size=4).flatmap(
    lambda boxes: st.sampled_from(
        [",", ", ", ",\r\n\t", ",\r\n     ", ",\r", " , ", ",,", ";"]
    ).map(lambda comma: comma.join(boxes).encode())
)


@given(st.lists(values, min_size=1, max_size=12), st.booleans())
def test_a_column_of_lists_is_its_lists(raw, as_few):
    # A column so short is read one by one, but for enough others.
    some = [*raw, *([] if as_few else [b"a@b.example"] * 200)]
    lists = addr_specs(*read_lists([laid(pa.array(map(unfold, some), pa.large_binary()))]))
    ends = np.cumsum(lists.lengths)
    items = lists.items.to_pylist()
    got = [items[end - length : end] for end, length in zip(ends, lists.lengths, strict=True)]
    one_by_one = [addresses.mailboxes(each) for each in some]
    assert got == [[box.addr for box in boxes if box.addr] for boxes, _ in one_by_one]
    assert lists.mended.tolist() == [mended for _, mended in one_by_one]
