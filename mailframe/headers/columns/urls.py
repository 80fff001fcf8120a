"""Lists of URLs by the column: each distinct value is read once, for most lists have only one."""

from __future__ import annotations

from mailframe.headers import urls
from mailframe.headers.columns.values import Lists, Values, lists_one_by_one
from mailframe.headers.memory import remembering


def url_lists(values: Values) -> Lists:
    """Decode the values of List-Unsubscribe and its kin."""
    return lists_one_by_one(values.raw, _urls)


_urls = remembering(urls.urls)
