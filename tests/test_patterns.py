"""Regular expressions match alike on every Python that we support.

Before 3.11.5 (Debian 12 has 3.11.2), a possessive quantifier or an atomic group around a part that
can itself backtrack, or capture, fails to match what it should.
https://github.com/python/cpython/issues/106052
https://github.com/python/cpython/issues/101955
"""

import importlib
import pkgutil
import re
from re import _constants as op
from re import _parser

import mailframe

FRAGILE = {op.BRANCH, op.MAX_REPEAT, op.MIN_REPEAT, op.SUBPATTERN}


def patterns():
    """Find every compiled pattern that stands in a module or a class of ours."""
    for found in pkgutil.walk_packages(mailframe.__path__, "mailframe."):
        if found.name == "mailframe.demo.server":  # needs pymap, has none
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            values = value if isinstance(value, (tuple, list)) else (value,)
            yield from ((f"{found.name}.{name}", x) for x in values if isinstance(x, re.Pattern))


def parts(tree, *, inside=False):
    """Walk a parsed pattern; yield the operators that stand in a part that may not go back."""
    for operator, argument in tree:
        if inside:
            yield operator
        closed = inside or operator in {op.POSSESSIVE_REPEAT, op.ATOMIC_GROUP}
        for child in children(argument):
            yield from parts(child, inside=closed)


def children(argument):
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for one in argument:
            yield from children(one)


def test_nothing_that_may_not_go_back_holds_anything_that_can():
    found = {}
    seen = 0
    for name, pattern in patterns():
        seen += 1
        fragile = FRAGILE & set(parts(_parser.parse(pattern.pattern, pattern.flags)))
        if fragile:
            found[name] = sorted(map(str, fragile))
    assert seen > 20
    assert found == {}


def test_the_walk_finds_what_it_looks_for():
    def fragile(pattern):
        return bool(FRAGILE & set(parts(_parser.parse(pattern))))

    assert fragile(r"(?:ab|b)*+")
    assert fragile(r"x(?>a+b)")
    assert fragile(r"(?:(a))++")
    assert not fragile(r"[ab]*+(?:c|d+)*")
    assert not fragile(r"(?:\.[ab]++)*+")
