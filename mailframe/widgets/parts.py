"""The pieces of the screen that ipywidgets does not have: charts, a folder tree, buttons that save.

Each is an anywidget: traits are its only state, and its script is one of our own static files.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from mailframe.errors import MailframeError
from mailframe.widgets import assets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mailframe.charts.forms import Figure

CHUNK = 4_000_000  # octets a message to the browser: a proxy in between may refuse more


class Vega(anywidget.AnyWidget):
    """What draws charts, sent to the browser once, however many widgets draw with it.

    Attributes
    ----------
    text : str
        The script; see ``assets.vega``.
    """

    _esm = "export default { render() {} };"
    _shared: ClassVar[Vega | None] = None

    text = traitlets.Unicode().tag(sync=True)

    @classmethod
    def shared(cls) -> Vega:
        """Give the one there is, made anew where all widgets have been closed."""
        if cls._shared is None or cls._shared.comm is None:
            cls._shared = cls(text=assets.vega())
        return cls._shared


class Charts(anywidget.AnyWidget):
    """Charts side by side.

    Parameters
    ----------
    figures : sequence of Figure
        What to draw.
    cube : dict, optional
        Makes the charts follow one another in the browser; see ``cube.py``.
    choices : mapping, optional
        Name → title of the charts that a chooser beside them offers.

    Attributes
    ----------
    rows : dict
        Name of a figure → the records that it draws.
    chosen : list of str
        The names ticked in the chooser, up to four; whoever fills the charts follows it.
    gesture : dict
        The last click or finished brush: ``chart`` (name), ``value`` (in fields of its rows).
    """

    vega = traitlets.Instance(Vega).tag(sync=True, **ipywidgets.widget_serialization)
    figures = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.Dict().tag(sync=True)
    cube = traitlets.Dict().tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)
    gesture = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        figures: Sequence[Figure],
        cube: dict[str, Any] | None = None,
        choices: Mapping[str, str] | None = None,
    ) -> None:
        # Set on the instance: a class attribute would build the module at import already.
        super().__init__(
            figures=[figure.to_dict() for figure in figures],
            cube=cube or {},
            choices=dict(choices or {}),
            vega=Vega.shared(),
            _esm=assets.charts_module(),
        )


class Folders(anywidget.AnyWidget):
    """A tree of folders with counts.

    Parameters
    ----------
    names : iterable of str
        The folders there are.

    Attributes
    ----------
    chosen : list of str
        The folders ticked.
    counts : dict
        Name → how many messages to show beside it.
    """

    _esm = assets.text("folders.js")

    nodes = traitlets.List(traitlets.Dict()).tag(sync=True)
    counts = traitlets.Dict().tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__(nodes=tree(names))


def tree(names: Iterable[str]) -> list[dict[str, Any]]:
    """Lay folder names out as the lines of a tree.

    Servers separate levels by ``/`` or by ``.``; the one that occurs is taken, ``/`` first.

    Returns
    -------
    list of dict
        ``name`` (None for a level that is no folder itself), ``label`` (its last part), ``depth``.
    """
    known = set(names)
    separator = "/" if any("/" in name for name in known) else "."
    paths = [re.split(f"(?<=.){re.escape(separator)}(?=.)", name) for name in known]
    # INBOX first, as in every mail program; else by the alphabet, level by level.
    paths.sort(key=lambda path: [(part.upper() != "INBOX", part.casefold(), part) for part in path])
    lines: dict[str, dict[str, Any]] = {}
    for path in paths:
        for depth, label in enumerate(path):
            name = separator.join(path[: depth + 1])
            own = name if name in known else None
            lines.setdefault(name, {"name": own, "label": label, "depth": depth})
    return list(lines.values())


class Actions(anywidget.AnyWidget):
    """Buttons: copy the line of pandas, save as CSV, save a report.

    Parameters
    ----------
    make : callable
        Given ``"csv"`` or ``"report"``, returns file name, media type and content; or a sentence,
        where the file lies on the kernel's disk.
    undo, redo : callable
        What the two arrows do.
    """

    _esm = assets.text("actions.js")

    query = traitlets.Unicode().tag(sync=True)
    undoable = traitlets.Bool().tag(sync=True)
    redoable = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        make: Callable[[str], tuple[str, str, bytes] | str],
        undo: Callable[[], None],
        redo: Callable[[], None],
    ) -> None:
        super().__init__()
        self._make = make
        self._steps = {"undo": undo, "redo": redo}
        self.on_msg(self._wish)

    def _wish(self, _widget: object, message: dict[str, Any], _buffers: object) -> None:
        wish = str(message.get("wish"))
        if wish in self._steps:
            self._steps[wish]()
            return
        try:
            made = self._make(wish)
        except MailframeError as error:
            made = str(error)
        if isinstance(made, str):
            self.send({"said": made})
            return
        name, media, content = made
        for start in range(0, max(len(content), 1), CHUNK):
            part = content[start : start + CHUNK]
            done = start + CHUNK >= len(content)
            self.send({"name": name, "type": media, "done": done}, buffers=[part])


class Message(anywidget.AnyWidget):
    """The message that is read, as HTML of ``message.py``.

    Attributes
    ----------
    html : str
        What is shown.
    wanted : int
        Row number in the frame of the message of its thread that was clicked.
    """

    _esm = assets.text("message.js")

    html = traitlets.Unicode().tag(sync=True)
    wanted = traitlets.Int(-1).tag(sync=True)


def problem(sentence: str) -> str:
    """Write what went wrong as HTML, so that it is seen and read out."""
    return f'<em role="alert">{escape(sentence)}</em>'


class Page(anywidget.AnyWidget):
    """What each application shows once: the style of everything here, and the page of its keys.

    It keeps keys that are pressed within the application from the program around it, which would
    take a letter for a command: ``x`` cuts a cell in JupyterLab.
    """

    _esm = assets.text("page.js")
    _css = assets.text("mailframe.css")
