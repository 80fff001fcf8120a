"""What parsers said of late: the same people, lists, zones and flags come again and again."""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Text = TypeVar("_Text", bytes, str)
_T = TypeVar("_T")

# So many values of each kind are kept, and none that is long: some tens of megabytes all together,
# and little more if somebody tries.
_REMEMBERED = 1 << 14
_LONG = 256


def remembering(parse: Callable[[_Text], _T]) -> Callable[[_Text], _T]:
    """Return a parser that remembers short values."""
    remembered = lru_cache(maxsize=_REMEMBERED)(parse)

    @wraps(parse)
    def recall(raw: _Text) -> _T:
        return remembered(raw) if len(raw) <= _LONG else parse(raw)

    return recall
