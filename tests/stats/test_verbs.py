"""What a person who knows pandas does in the first five minutes, on a frame of mail."""

import pandas as pd
import pytest

import mailframe as mf
from mailframe.errors import ConfigurationError
from tests.widgets.frames import make

MAIL = make(300)
FLAT = MAIL.mail.flat()
VERBS = {
    "drop_duplicates": lambda df: df.drop_duplicates(),
    "duplicated": lambda df: df.duplicated(),
    "nunique": lambda df: df.nunique(),
    "describe": lambda df: df.describe(include="all"),
    "convert_dtypes": lambda df: df.convert_dtypes(),
    "sort_values": lambda df: df.sort_values("to"),
    "value_counts": lambda df: df["to"].value_counts(),
    "unique": lambda df: df["cc"].unique(),
    "groupby": lambda df: df.groupby("to").size(),
    "isin": lambda df: df["keywords"].isin(["todo"]),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_works_on_the_flat_form(verb):
    assert len(VERBS[verb](FLAT))


def test_the_flat_form_joins_lists_and_leaves_the_rest():
    for name in ("to", "cc", "references", "keywords"):
        assert FLAT[name].tolist() == ["; ".join(items) for items in MAIL[name]]
    others = [name for name in MAIL if FLAT[name].dtype == MAIL[name].dtype]
    assert len(others) == len(MAIL.columns) - 4
    pd.testing.assert_frame_equal(FLAT[others], MAIL[others])


def test_the_flat_form_goes_through_parquet_as_pandas_writes_it(tmp_path):
    FLAT.to_parquet(tmp_path / "flat.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "flat.parquet"), FLAT)
    mf.to_parquet(MAIL, tmp_path / "mail.parquet")
    assert pd.read_parquet(tmp_path / "mail.parquet").mail.threads().equals(MAIL.mail.threads())


def test_statistics_of_lists_refuse_the_flat_form_instead_of_counting_wrongly():
    with pytest.raises(ConfigurationError, match="list"):
        FLAT.mail.recipients()


@pytest.mark.parametrize(
    "part",
    [MAIL, pd.concat([MAIL, MAIL]), MAIL[MAIL["seen"]], MAIL.iloc[:0], MAIL.set_index("uid")],
)
def test_any_frame_has_a_flat_form(part):
    flat = part.mail.flat()
    assert flat.index.equals(part.index)
    assert flat["to"].tolist() == ["; ".join(items) for items in part["to"]]


def test_search_keeps_what_a_line_finds():
    found = MAIL.mail.search("is:unread from:ann", tz="UTC")
    assert 0 < len(found) < len(MAIL)
    assert not found["seen"].any()
    assert MAIL.mail.search("") is MAIL
    with pytest.raises(ConfigurationError, match="did you mean from:"):
        MAIL.mail.search("form:ann")
