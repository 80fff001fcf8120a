"""Regular expressions that mean the same on every Python that we support.

A possessive quantifier around a group keeps no way back, hence no memory for one: a field of ten
megabytes costs nothing extra. Before Python 3.11.5 (Debian 12 has 3.11.2) such a group loses
matches where its last, partial round fails (https://github.com/python/cpython/issues/106052).
There the quantifier is taken as an ordinary one: the same matches, at the price of that memory.
"""

from __future__ import annotations

import re
import sys
from typing import AnyStr

_BROKEN = sys.version_info < (3, 11, 5)
_GROUPS = re.compile(r"(?<!\\)\)([*+?]|\{\d+(?:,\d*)?\})\+")
_GROUPS_OF_BYTES = re.compile(_GROUPS.pattern.encode())


def compile_pattern(
    pattern: AnyStr, flags: int = 0, *, broken: bool = _BROKEN
) -> re.Pattern[AnyStr]:
    """Compile a pattern whose groups may be repeated possessively."""
    if broken and isinstance(pattern, str):
        pattern = _GROUPS.sub(r")\1", pattern)
    elif broken and isinstance(pattern, bytes):
        pattern = _GROUPS_OF_BYTES.sub(rb")\1", pattern)
    return re.compile(pattern, flags)
