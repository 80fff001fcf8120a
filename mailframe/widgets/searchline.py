"""The search line on the screen: judged where a term is finished, completed where one begins.

What is typed arrives with its caret. The part that is finished becomes the filter once typing has
come to rest; the rest is left alone until a blank, Enter, or until the field is left. Offers are
answered at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from mailframe.errors import ConfigurationError
from mailframe.search.completion import complete
from mailframe.search.keys import KEYS
from mailframe.search.language import last_term, settled
from mailframe.widgets import assets
from mailframe.widgets.controls import Later

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.search.filterable import Bools, Columns
    from mailframe.widgets.filters import Filters

EXAMPLE = 'from:ann subject:"plan b" before:2024-05 larger:1M is:unread -list:dev'
# What is no key: how terms go together.
_GRAMMAR = (
    ("plan budget", "both words, each in the subject or the sender"),
    ('"plan b"', "these words as they stand"),
    ("a OR b", "one of the two"),
    ("-list:dev", "not this"),
    ("(a OR b) -c", "held together"),
    (r"/invoice \d+/", "a regular expression"),
)


class SearchLine(anywidget.AnyWidget):
    """A field for the search line.

    Parameters
    ----------
    filters : Filters
        Whose ``search`` it sets and follows.
    columns : Columns
        The mail that values are offered from.
    among : callable
        Gives one verdict a row for the rest of the line: the messages that offers are counted in.
    """

    _esm = assets.text("search.js")

    value = traitlets.Unicode().tag(sync=True)
    placeholder = traitlets.Unicode(f"Search: {EXAMPLE}").tag(sync=True)
    language = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)

    def __init__(self, filters: Filters, columns: Columns, among: Callable[[str], Bools]) -> None:
        told = [[key.example, key.means] for key in KEYS.values()]
        super().__init__(value=filters.search, language=[*map(list, _GRAMMAR), *told])
        self._filters = filters
        self._columns = columns
        self._among = among
        self._typed = filters.search
        self._judge = Later(self._set)
        self.on_msg(self._hear)
        filters.observe(self._follow, "search")

    def _hear(self, _widget: object, message: dict[str, Any], _buffers: object) -> None:
        line, done = str(message.get("line", "")), bool(message.get("done"))
        self._typed = line if done else settled(line, self._filters.scope)
        self._judge.cancel()
        if done:
            self._set(line)
        else:
            self._judge(self._typed)
        answer: dict[str, Any] = {"id": message.get("id"), "done": done}
        if not done:
            caret = int(message.get("caret", 0))
            rest = f"{line[: last_term(line[:caret])]} {line[caret:]}"
            found = complete(line, caret, self._columns, self._among(rest))
            offers = [offer._asdict() for offer in found.offers]
            answer |= {"start": found.start, "end": found.end, "offers": offers}
        self.send(answer)

    def _set(self, line: Any) -> None:  # noqa: ANN401 -- as Later hands it on
        try:
            self._filters.search = line.strip()
        except ConfigurationError as error:
            self._filters.problem = f"{error} (what is shown is as before)"
        else:
            self._filters.problem = ""

    def _follow(self, _change: object) -> None:
        """Show what somebody else asked; what is being typed here stands already."""
        if self._filters.search != self._typed.strip():
            self._judge.cancel()
            self._typed = self._filters.search
            self.send({"follow": self._typed})
        self.value = self._filters.search  # for a view that opens later
