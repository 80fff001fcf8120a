"""The table in ``tests/README.md`` names tests, transcripts and behaviours that exist, and all."""

import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = (HERE.parent / "README.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("*.py"))


def test_every_test_that_the_table_names_exists():
    named = set(re.findall(r"`(test_\w+)`", TABLE))
    assert named <= set(re.findall(r"^def (test_\w+)", SOURCES, re.MULTILINE))


def test_every_transcript_stands_in_the_table_and_in_a_test():
    for path in (HERE / "transcripts").iterdir():
        assert f"`{path.stem}`" in TABLE, path.name
        assert f'"{path.stem}"' in SOURCES, f"{path.name} is played by no test"
