"""Who may import whom: the table of the house, held against the sources and the interpreter.

Imports for type checking only are free, as they do not exist at run time. The map for readers,
mailframe/README.md, shows the table; ``python -m tests.test_layers`` writes it there.
"""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import mailframe

ROOT = Path(mailframe.__file__).parents[1]
PACKAGE = ROOT / "mailframe"
MAP = PACKAGE / "README.md"
BEGIN, END = "<!-- rooms -->\n", "<!-- /rooms -->\n"
IO = {"asyncio", "logging", "socket", "ssl", "time"}
SHOWS = {"altair", "anywidget", "IPython", "ipywidgets", "itables", "traitlets", "vl_convert"}
FLEET = {"dask", "distributed"}


@dataclass(frozen=True)
class Room:
    """What a room may import of ours, and what it must never import of the world's."""

    ours: set[str]
    never: set[str] = field(default_factory=set)
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)  # what just these places may


ROOMS = {
    "errors": Room(set()),
    "ground": Room(
        {"errors"},
        {"logging", "pandas", "pyarrow", "numpy", "socket", "ssl"},
        {"asyncio": ("sync.py", "threads.py"), "time": ("progress.py",)},
    ),
    "imap": Room({"errors", "ground"}, IO | {"pandas", "pyarrow", "numpy"}),
    "headers": Room({"errors", "ground"}, IO | {"pandas"}, {"pyarrow": ("columns/",)}),
    "accounts": Room({"errors", "ground"}, {"asyncio", "pandas", "pyarrow", "numpy"}),
    "discovery": Room(
        {"accounts", "errors", "ground"},
        {"pandas", "pyarrow"},
        dict.fromkeys(("asyncio", "dns", "http", "socket"), "network.py")
        | {"ssl": ("network.py", "pinning.py")},
    ),
    "auth": Room({"accounts", "errors", "ground"}, {"pandas", "pyarrow"}),
    "fetcher": Room({"accounts", "errors", "ground", "imap"}, {"pandas", "pyarrow"}),
    "frame": Room({"errors", "ground", "headers"}, IO, {"pandas": ("adapter.py", "outgoing.py")}),
    "sources": Room({"errors", "frame", "ground", "headers"}, {"asyncio", "socket", "pandas"}),
    "store": Room({"errors", "frame", "ground"}, {"asyncio", "socket", "pandas"}),
    "stats": Room({"errors", "frame", "headers"}, IO - {"time"} | SHOWS | FLEET),
    # The face of the statistics, above the search language that is one of its verbs.
    "stats/accessor": Room({"errors", "frame", "headers", "search", "stats"}, SHOWS | FLEET),
    "census": Room({"errors", "frame", "stats", "store"}, SHOWS | FLEET | IO),
    # The face of the store, of whose verbs the census is one.
    "store/reader": Room(
        {"census", "errors", "frame", "ground", "store"}, {"asyncio", "socket", "pandas"}
    ),
    "search": Room({"errors", "headers", "stats"}, IO | SHOWS | FLEET),
    "charts": Room({"errors", "search", "stats"}, IO | SHOWS | FLEET),
    "widgets": Room(
        {"accounts", "census", "charts", "errors", "frame", "ground", "search", "stats"}
        | {"store"},
        {"socket", "ssl"} | FLEET,
    ),
    "gathering": Room(
        {"errors", "fetcher", "frame", "ground", "headers", "imap", "store"},
        {"pandas", "socket", "ssl"},
    ),
    "refresh": Room(
        {"errors", "fetcher", "frame", "gathering", "ground", "imap", "store"},
        {"pandas", "socket", "ssl"},
    ),
    # The top floor: everything below, but for each other's neighbours.
    "readers": Room(
        {"accounts", "auth", "discovery", "errors", "fetcher", "frame", "gathering", "ground"}
        | {"imap", "refresh", "sources", "store"},
        SHOWS | FLEET,
    ),
    "demo": Room({"errors", "frame", "readers"}, SHOWS | FLEET),
    "fleets": Room(
        {"accounts", "errors", "ground", "readers", "store"},
        SHOWS,
        {"distributed": ("running.py", "visits.py")},
    ),
    "application": Room(
        {"accounts", "auth", "discovery", "errors", "ground", "readers", "widgets"}, FLEET
    ),
    "cli": Room(
        {"accounts", "auth", "demo", "discovery", "errors", "fleets", "frame", "ground"}
        | {"readers", "search", "sources", "stats", "store", "widgets"}
    ),
    "__main__": Room({"cli"}),
    "registration": Room({"stats"}, {"pandas"}),
    "__init__": Room({"errors", "registration"}, SHOWS | FLEET | {"pandas"}),
}  # fmt: skip


def files():
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    whole = path.relative_to(PACKAGE).as_posix().removesuffix(".py")
    return whole if whole in ROOMS else whole.partition("/")[0]


def imported(path):
    """Full names of what a file imports at run time, anywhere in it."""
    tree = ast.parse(path.read_text())
    free = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in free:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module
            if node.module == "mailframe":
                rooms = (alias.name for alias in node.names if alias.name in ROOMS)
                yield from (f"mailframe.{room}" for room in rooms)


def purpose(room):
    """Give the first sentence of a room's docstring, in Markdown."""
    path = PACKAGE / room
    tree = ast.parse(
        (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    )
    first = " ".join(ast.get_docstring(tree).split("\n\n")[0].split())
    return first.replace("``", "`").replace("|", r"\|")


def line_of(room):
    path = PACKAGE / room
    name = f"{room}/" if path.is_dir() else f"{room}.py"
    below = ", ".join(sorted(ROOMS[room].ours - {room})) or "nothing of ours"
    return f"| `{name}` | {purpose(room)} | {below} |\n"


def table():
    return "| room | what it is for | may import |\n|---|---|---|\n" + "".join(map(line_of, ROOMS))


def test_the_map_shows_every_room_and_no_other():
    shown = MAP.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].splitlines()
    meant = table().splitlines()
    put = "\n".join(line for line in meant if line not in shown)
    drop = "\n".join(line for line in shown if line not in meant)
    assert shown == meant, (
        "mailframe/README.md: run `.venv/bin/python -m tests.test_layers`, or by hand\n"
        f"put:\n{put}\ndrop:\n{drop}"
    )


def test_the_map_leads_to_files_that_are_there():
    text = MAP.read_text("utf-8").partition(BEGIN)[0]
    paths = re.findall(r"`((?:[\w-]+/)*(?:[\w-]+/|[\w-]+\.(?:py|js|md)))`", text)
    paths += re.findall(r"^# (tests/\S+\.py):", text, re.MULTILINE)
    assert len(paths) > 40  # of which each begins here or in the package
    assert [path for path in paths if not any((at / path).exists() for at in (ROOT, PACKAGE))] == []


def test_the_examples_of_the_map_stand_in_the_tests_that_they_name():
    text = MAP.read_text("utf-8")
    examples = re.findall(r"^# (tests/\S+\.py):.*\n((?:(?!#|```).+\n)+)", text, re.MULTILINE)
    assert len(examples) == text.count("\n# tests/")
    for path, example in examples:
        assert example.strip() in (ROOT / path).read_text("utf-8"), f"{path} has no such line"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_room_may(path):
    room = ROOMS[room_of(path)]
    for name in imported(path):
        top, _, rest = name.partition(".")
        if top == "mailframe":
            other = rest.partition(".")[0]
            assert other in room.ours | {room_of(path), ""}, f"{name} is not a room below"
        else:
            assert top not in room.never, f"{top} must stay out of here"
            place = path.relative_to(PACKAGE / room_of(path)).as_posix() if room.only else ""
            assert place.startswith(room.only.get(top, "")), f"{top} belongs into another file"


def test_no_module_is_called_utils():
    names = {path.stem for path in files()}
    assert not names & {"util", "utils", "helpers", "common", "misc"}


def loaded(code):
    """Top-level modules, and ours in full, that a fresh interpreter has after some code."""
    ask = "import sys; print(*(n for n in sys.modules if '.' not in n or n[:9] == 'mailframe'))"
    command = [sys.executable, "-c", f"{code}\n{ask}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("room", "left_out", "never"),
    [
        ("imap", set(), IO | {"pandas", "pyarrow", "numpy"}),
        ("headers", set(), IO | {"pandas", "pyarrow"}),
        ("fetcher", set(), {"pandas", "pyarrow"}),
        ("frame", {"adapter", "excel", "export", "fromcsv", "fromjsonl", "outgoing"}, {"pandas"}),
        ("sources", set(), {"pandas", "mailframe.imap", "mailframe.fetcher"}),
        ("store", set(), {"pandas", "mailframe.imap", "mailframe.fetcher"}),
    ],
)
def test_a_room_loads_nothing_that_it_must_not_have(room, left_out, never):
    modules = [path.stem for path in (PACKAGE / room).glob("*.py") if path.stem not in left_out]
    code = f"import importlib\nfor m in {modules}: importlib.import_module('mailframe.{room}.' + m)"
    builtin = {"time"}  # in every interpreter
    assert not (loaded(code) - loaded("import mailframe")) & (never - builtin)


def test_import_mailframe_loads_nothing_that_shows_or_spreads():
    modules = loaded("import mailframe")
    assert not modules & (SHOWS | FLEET | IO - {"time"})
    assert not modules & {"pandas", "pyarrow", "numpy", "tqdm", "click", "keyring", "nest_asyncio2"}
    assert not {name for name in modules if name.startswith("mailframe.")} - {
        "mailframe.registration",
        "mailframe.errors",
    }


def test_a_fetch_begins_without_pandas():
    # It is loaded while the server answers.
    assert "pandas" not in loaded("import mailframe.readers.server")


@pytest.mark.parametrize(
    "imports",
    [
        "import mailframe, pandas as pd",
        "import pandas as pd, mailframe",
        "import mailframe.imap, pyarrow, pandas as pd",
        "import mailframe.stats, pandas as pd",
        "import mailframe.readers.server, mailframe, pandas as pd",
        "import mailframe, importlib; importlib.reload(mailframe); import pandas as pd",
        "import mailframe, importlib.util as u; u.find_spec('pandas'); import pandas as pd",
        "import mailframe, polars, pandas as pd",
    ],
)
def test_the_accessor_comes_with_pandas_whatever_is_imported_first(imports):
    code = f"{imports}\nassert pd.DataFrame.mail is mailframe.MailAccessor\n"
    code += "import inspect; assert inspect.getsource(pd)"  # pandas' loader still does its work
    assert "pandas" in loaded(code)


def test_every_public_name_is_there_and_typed():
    assert sorted(mailframe.__all__) == sorted(set(mailframe.__all__))
    for name in mailframe.__all__:
        assert getattr(mailframe, name) is not None
        assert name in dir(mailframe)
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = {
        (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        for alias in node.names
    }
    lazy = {(home, name) for name, home in mailframe._HOME.items()}
    assert typed == lazy | {("mailframe", "demo")}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'read_pop3'"):
        mailframe.read_pop3  # noqa: B018 -- the access is the test


if __name__ == "__main__":
    before, _, rest = MAP.read_text("utf-8").partition(BEGIN)
    MAP.write_text(before + BEGIN + table() + END + rest.partition(END)[2], "utf-8")
