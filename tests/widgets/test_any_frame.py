"""Whatever pandas made of a frame: an explorer shows it, or says what is wrong with it."""

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from tests.widgets.frames import make

FRAME = make(60)
MISSING = {"to": None, "cc": np.nan, "date": pd.NaT, "size": None, "subject": None, "seen": None}
SHOWN = {
    "objects": FRAME.astype(object),
    "two accounts": pd.concat([FRAME, FRAME]),
    "Arrow throughout": FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "categories": FRAME.astype({"subject": "category", "from_addr": "category"}),
    "no zone": FRAME.assign(date=FRAME["date"].dt.tz_localize(None)),
    "numbers as text": FRAME.astype({"size": str, "uid": str}),
    "flags as numbers": FRAME.astype({"seen": int}),
    "lists of NumPy": FRAME.assign(to=[np.array(["a@b"], object)] * len(FRAME)),
    "nothing known": FRAME.assign(**MISSING),
    "subjects of any kind": FRAME.assign(subject=[1, None, "x", 2.5, b"y"] * 12),
}
REFUSED = {
    "exploded": FRAME.explode("to"),
    "exploded, with a new index": FRAME.explode("cc").reset_index(drop=True),
    "lists as text": FRAME.astype({"to": "str"}),
}


@pytest.mark.parametrize("df", SHOWN.values(), ids=SHOWN)
def test_an_explorer_shows_what_pandas_made_of_a_frame(df):
    explorer = mf.explore(df, tz="UTC")
    explorer.search = "subject:x OR larger:1 OR to:a"
    explorer.search = ""
    assert len(explorer.data) == len(df)
    mf.dashboard(df, tz="UTC")


@pytest.mark.parametrize("df", REFUSED.values(), ids=REFUSED)
def test_a_frame_whose_lists_are_gone_is_refused_with_a_hint(df):
    with pytest.raises(mf.MailframeError, match=r"should hold lists.*explode"):
        mf.explore(df, tz="UTC")
