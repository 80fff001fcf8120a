"""The README tells the truth: its example runs and prints that, and it shows every public name."""

import contextlib
import io
import re
from pathlib import Path

import pytest

import mailframe as mf
from mailframe.cli.main import cli

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize("name", mf.__all__)
def test_every_public_name_is_shown(name):
    assert re.search(rf"\bmf\.{name}\b", README), f"mf.{name} is missing in README.md"


@pytest.mark.parametrize("command", cli.commands)
def test_every_command_is_shown(command):
    assert re.search(rf"\bmailframe {command}\b", README), f"mailframe {command} is missing"


def test_the_example_prints_what_the_readme_shows(tmp_path, monkeypatch):
    pytest.importorskip("pymap", reason="pymap is not installed: the extra `demo`")
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), "README.md", "exec"), {})
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    assert lines == block("text").splitlines()
    assert (tmp_path / "headers.csv").stat().st_size > 100_000
