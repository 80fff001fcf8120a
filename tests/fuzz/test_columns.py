"""What is decoded by the column is what the value parsers say, on damaged real values."""

from tests.fuzz.columns import differences


def test_columns_agree_with_single_values():
    assert not list(differences(20_000, seed=1))
