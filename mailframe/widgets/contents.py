"""What a dashboard and a report show, whoever counted it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mailframe.search.filterable import NO_INSTANT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.charts.forms import Figure

NOTHING = "\N{EN DASH}"
COPIES = "; the charts count a mail in every folder that it lies in"


class Contents(NamedTuple):
    """What a dashboard and a report show.

    Parameters
    ----------
    title : str
        Whose mail.
    period : str
        From when to when, and what the charts count.
    numbers : list of (str, str)
        The numbers that matter, with what each is.
    figures : list of Figure
        The charts.
    cube : dict
        What they draw; see ``cube.build``.
    """

    title: str
    period: str
    numbers: list[tuple[str, str]]
    figures: list[Figure]
    cube: dict[str, Any]

    def heading(self) -> str:
        """Title, period and numbers as HTML."""
        tiles = "".join(
            f"<div><b>{escape(number)}</b> <span>{escape(name)}</span></div>"
            for number, name in self.numbers
        )
        return (
            f"<header><h1><bdi>{escape(self.title)}</bdi></h1>"
            f"<p>Whole mailbox, {escape(self.period)}</p></header>"
            f'<div class="mf-numerals">{tiles}</div>'
        )


def period(wall: NDArray[np.int64]) -> str:
    """Say from which day to which the clocks on the wall went."""
    wall = wall[wall != NO_INSTANT]
    if not len(wall):
        return "no dated messages"
    first, last = (np.datetime64(int(edge), "us").item() for edge in (wall.min(), wall.max()))
    if first.date() == last.date():
        return f"{first:%d %B %Y}"
    return f"{first:%d %B %Y} to {last:%d %B %Y}"
