"""Regular expressions match alike on every Python that we support.

Before 3.11.5 (Debian 12 has 3.11.2), a possessive quantifier around more than one character at a
time misses matches: where the last, partial round fails, its beginning is not given back
(https://github.com/python/cpython/issues/106052). `mailframe.ground.patterns` knows a way round.
"""

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from re import _constants as op
from re import _parser

import mailframe
from mailframe.ground.patterns import compile_pattern

ONE_CHARACTER = {op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY}


def patterns():
    """Find every compiled pattern that stands in a module of ours."""
    for found in pkgutil.walk_packages(mailframe.__path__, "mailframe."):
        if found.name == "mailframe.demo.server":  # needs pymap, has none
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            values = value if isinstance(value, (tuple, list)) else (value,)
            yield from ((f"{found.name}.{name}", x) for x in values if isinstance(x, re.Pattern))


def is_fragile(tree):
    """Say whether anything but one character is repeated without a way back."""
    for operator, argument in tree:
        if operator is op.ATOMIC_GROUP:
            return True
        if operator is op.POSSESSIVE_REPEAT:
            body = argument[2]
            if len(body) != 1 or body[0][0] not in ONE_CHARACTER:
                return True
        if any(is_fragile(child) for child in children(argument)):
            return True
    return False


def children(argument):
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for one in argument:
            yield from children(one)


def test_every_pattern_means_the_same_on_old_versions():
    known = dict(patterns())
    assert len(known) > 20
    kept = [
        name
        for name, found in known.items()
        if is_fragile(
            _parser.parse(compile_pattern(found.pattern, broken=True).pattern, found.flags)
        )
    ]
    assert kept == []


def test_patterns_that_need_it_are_compiled_for_it():
    for path in Path(mailframe.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
                text = ast.unparse(node.args[0])
                assert not re.search(r"(?<!\\)\)(?:[*+?]|\{[\d,]+\})\+", text), f"{path}: {text}"


def test_the_walk_finds_what_it_looks_for():
    def fragile(pattern):
        return is_fragile(_parser.parse(pattern))

    assert fragile(r"(?:ab|b)*+")
    assert fragile(r"x(y(?>a+b))")
    assert fragile(r"(?:\.[ab]++)*+")
    assert not fragile(r"[ab]*+(?:c|d++)*\s{1,3}+.?+")
