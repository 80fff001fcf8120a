"""What the code imports is declared: a fresh environment lacks nothing."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

#: Imported only where they happen to be installed: by benchmarks and fuzzing, never by `tests/run`.
OPTIONAL = {"imapclient", "imap_tools", "aioimaplib", "atheris", "resource", "nest_asyncio"}
#: The project's own packages, and what no distribution brings.
OURS = {"mailframe", "tests", "_typeshed"}  # the last is for type checkers alone


def imported(folder):
    """Give the top-level names of every import statement below a folder, and where they stand."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names | OPTIONAL | OURS:
                    yield top, path.relative_to(ROOT).as_posix()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*lists):
    return {normal(re.match(r"[\w.-]+", one)[0]) for given in lists for one in given}


def undeclared(folder, known):
    distributions = packages_distributions()
    return {
        (top, path)
        for top, path in imported(folder)
        if not known & {normal(name) for name in distributions.get(top, [top])}
    }


RUNTIME = declared(
    PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()
)


def test_what_the_package_imports_is_declared():
    # pymap is made of these two, and brings them along.
    assert undeclared("mailframe", RUNTIME | {"pysasl", "proxy-protocol"}) == set()


def test_what_the_tests_import_is_declared():
    test = declared(PROJECT["dependency-groups"]["test"])
    assert undeclared("tests", RUNTIME | test) == set()
