"""What is given to others: the wheel and the sdist are whole, small, and work where they land."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_bytes
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import mailframe

pytest.importorskip("hatchling", reason="hatchling is not installed: the group `test`")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = f"mailframe-{mailframe.__version__}"
IGNORED = {"__pycache__", ".ipynb_checkpoints"}

# Typed as a user would; `assert_type` is checked by mypy, and by pyright just as well.
SCRIPT = """
from typing import assert_type

import mailframe as mf
import pandas as pd

df = mf.read_imap("ann@example.org", folders=["INBOX"], newest=100, progress=False)
assert_type(df, pd.DataFrame)
assert_type(mf.read_mbox("a.mbox", headers=["Received:all"]), pd.DataFrame)
account = mf.Account.parse("imaps://ann@imap.example.org")
assert_type(mf.list_folders(account), pd.DataFrame)
explorer = mf.explore(df, tz="Europe/Zurich")
assert_type(explorer, mf.Explorer)
assert_type(explorer.data, pd.DataFrame)
mf.to_csv(df, "a.csv", separator=";")
assert_type(mf.open_store("mail"), mf.Store)
assert_type(mf.MailAccessor(df).threads(), pd.DataFrame)
with mf.demo.serve() as server:
    assert_type(server.url, str)


async def main() -> None:
    assert_type(await mf.aread_imap(account, since="2024-01-01"), pd.DataFrame)
    async for batch in mf.aiter_batches(account):
        print(batch.num_rows)
"""
WRONG = 'import mailframe as mf\n\nmf.read_imap("ann@example.org", newest="ten")\n'


def built(source, target, into):
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=100)
    return next(Path(into).glob(f"{NAME}*"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return built(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Give the wheel that is built of the sdist alone, as an installer would build it."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return built(folder / NAME, "wheel", folder / "dist")


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """Give a Python that has the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=os.name != "nt")
    places = {"base": str(folder), "platbase": str(folder)}
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sysconfig.get_path("purelib", "venv", places))
    return Path(sysconfig.get_path("scripts", "venv", places)) / "python"


def run(python, *arguments, **surroundings):
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | surroundings
    return subprocess.run(
        [python, *arguments], env=plain, cwd=python.parent, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_the_wheel_holds_every_file_of_the_package(wheel):
    package = ROOT / "mailframe"
    meant = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and not IGNORED & set(path.parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("mailframe/")}
    assert held == meant
    assert {"mailframe/py.typed", "mailframe/widgets/static/charts.js"} <= held


def test_the_sdist_holds_the_tests_and_nothing_that_lay_about(sdist):
    with tarfile.open(sdist) as archive:
        top = {name.split("/")[1] for name in archive.getnames()}
    assert top == {
        *(".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md"),
        *("mailframe", "notebooks", "pyproject.toml", "tests"),
    }
    assert sdist.stat().st_size < 4_000_000


def test_what_an_index_is_told_is_whole(wheel):
    with zipfile.ZipFile(wheel) as archive:
        told = message_from_bytes(archive.read(f"{NAME}.dist-info/METADATA"))
        scripts = archive.read(f"{NAME}.dist-info/entry_points.txt").decode()
        licence = archive.read(f"{NAME}.dist-info/licenses/LICENSE")
    assert told["Version"] == mailframe.__version__
    assert told["License-Expression"] == "Apache-2.0"
    assert told["Requires-Python"] == ">=3.11"
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert set(told.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])
    assert told.get_payload(decode=True).strip() == (ROOT / "README.md").read_bytes().strip()
    assert "mailframe = mailframe.cli.main:main" in scripts


def test_it_is_imported_where_nothing_else_is_installed(bare):
    done = run(bare, "-c", "import mailframe as m; print(m.__version__, m.__file__)")
    version, place = done.stdout.split(maxsplit=1)
    assert version == mailframe.__version__
    assert Path(place.strip()).is_relative_to(bare.parents[1])


def test_it_works_where_the_wheel_was_unpacked(bare, tmp_path):
    mbox = tmp_path / "a.mbox"
    mbox.write_bytes(b"From ann@example.org Thu Jan  1 00:00:00 2026\nSubject: hello\n\nx\n")
    # The packages that it depends on, from here; the wheel itself is found before them.
    here = sysconfig.get_path("purelib")
    code = f"import sys; sys.path.append({here!r}); from mailframe.cli.main import main; main()"
    done = run(bare, "-c", code, "fetch", str(mbox), "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert '"subject": "hello"' in done.stdout


def test_every_dependency_of_the_core_is_used_by_it():
    texts = "\n".join(path.read_text("utf-8") for path in (ROOT / "mailframe").rglob("*.py"))
    asked = {normal(re.match(r"[\w.-]+", one)[0]) for one in PROJECT["dependencies"]}
    used = {
        normal(name)
        for top, names in packages_distributions().items()
        if re.search(rf'(?:import |from |in \("){top}\b', texts)
        for name in names
    }
    assert asked - used <= {"chardet"}  # of two detectors one is installed


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


PYRIGHT = Path(sys.prefix) / "node_modules" / ".bin" / "pyright"
CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict"],
    "pyright": [str(PYRIGHT), "--pythonpath", sys.executable],
}


@pytest.mark.parametrize(("script", "verdict"), [(SCRIPT, 0), (WRONG, 1)])
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_script_of_a_user_is_checked(tmp_path, checker, script, verdict):
    if checker == "mypy" and shutil.which("mypy", path=sysconfig.get_path("scripts")) is None:
        pytest.skip("mypy is not installed: the group `test`")
    if checker == "pyright" and not PYRIGHT.exists():
        pytest.skip("pyright is not installed: tests/run does, with npm")
    path = tmp_path / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [*CHECKERS[checker], str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == verdict, done.stdout


def test_the_reference_is_one_page_with_every_public_name():
    pytest.importorskip("pdoc", reason="pdoc is not installed: the group `test`")
    html = importlib.import_module("tests.reference").page()
    named = set(re.findall(r'\bid="([\w.]+)"', html))
    public = set(mailframe.__all__) - {"__version__", "demo"}  # a module has a page of its own
    assert public <= named
    methods = {name for name in dir(mailframe.MailAccessor) if not name.startswith("_")}
    assert {f"MailAccessor.{name}" for name in methods} <= named
    assert "<script src" not in html  # it is read without a network
    assert "<link" not in html
