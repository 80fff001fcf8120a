"""A whole application as one anywidget, for programs that show no other Jupyter widgets (marimo).

The messages of every widget within, in the protocol of ipywidgets, go through the one widget that
the program knows; ``static/stage.js`` plays the widget manager that the program lacks. So the
applications stay what they are, traits and all: only the way of their messages changes.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as ipw
import traitlets

from mailframe.widgets import assets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FIXED = {"_esm", "_css", "text"}  # scripts and styles: large, and ever the same
_REFERENCE = re.compile(r'"IPY_MODEL_(\w+)"')


class Stage(anywidget.AnyWidget):
    """Shows one widget with all that it is made of.

    Parameters
    ----------
    root : Widget
        The application.

    Attributes
    ----------
    root : str
        The id of the application's model.
    models : dict
        Id → state of every model that it leads to, as they were when it was put on.
    """

    _esm = assets.text("stage.js")

    root = traitlets.Unicode().tag(sync=True)
    models = traitlets.Dict().tag(sync=True)

    def __init__(self, root: ipw.Widget) -> None:
        self._cast: dict[str, ipw.Widget] = {}
        super().__init__()
        self.models = self._enter(root)
        self.root = root.model_id
        self.on_msg(self._hear)

    def get_state(self, *args: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401 -- as in ipywidgets
        """Give the state, with the models as they are now: a view may open much later."""
        state: dict[str, Any] = super().get_state(*args, **named)
        if "models" in state:
            state["models"] = {name: widget.get_state() for name, widget in self._cast.items()}
        return state

    def _enter(self, widget: ipw.Widget) -> dict[str, Any]:
        """Take ``widget`` and whatever it leads to in; gives the states of those that are new."""
        found: dict[str, Any] = {}
        waiting = [widget]
        while waiting:
            each = waiting.pop()
            if each.model_id in self._cast:
                continue
            self._cast[each.model_id] = each
            each.comm = _Line(self, each.model_id)
            found[each.model_id] = each.get_state()
            waiting += self._named(found[each.model_id])
        return found

    def _named(self, state: dict[str, Any]) -> list[ipw.Widget]:
        widgets = ipw.widgets.widget._instances  # noqa: SLF001 -- where ipywidgets itself looks an id up
        names = _REFERENCE.findall(json.dumps(state, default=str))
        return [widgets[name] for name in names if name in widgets]

    def pass_on(self, name: str, data: dict[str, Any], buffers: Sequence[bytes]) -> None:
        """Send what a widget within says, after the models that it names for the first time."""
        new: dict[str, Any] = {}
        for widget in self._named(data.get("state", {})):
            new |= self._enter(widget)
        self.send({"id": name, "data": data, "models": new}, buffers=list(buffers))

    def _catch_up(self, known: set[str]) -> None:
        """Tell a view that opens what has happened since the stage was put on."""
        states = {name: widget.get_state() for name, widget in self._cast.items()}
        self.send({"models": {name: states[name] for name in states.keys() - known}})
        for name in states.keys() & known:
            news = {key: value for key, value in states[name].items() if key not in _FIXED}
            self.send({"id": name, "data": {"method": "update", "state": news}})

    def leave(self, name: str) -> None:
        """Forget a widget that was closed."""
        self._cast.pop(name, None)

    def _hear(self, _widget: object, message: dict[str, Any], buffers: list[bytes]) -> None:
        if "known" in message:
            self._catch_up(set(message["known"]))
        widget = self._cast.get(str(message.get("id")))
        if widget is not None:
            content = {"data": message.get("data", {})}
            widget._handle_msg({"content": content, "buffers": buffers})  # noqa: SLF001 -- as a comm calls it


class _Line:
    """What a widget takes for its comm."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.comm_id = name
        self._stage = stage

    def send(
        self,
        data: dict[str, Any],
        metadata: object = None,  # noqa: ARG002 -- as in comm.BaseComm
        buffers: Sequence[bytes] | None = None,
    ) -> None:
        self._stage.pass_on(self.comm_id, data, buffers or [])

    def on_msg(self, _callback: Callable[[dict[str, Any]], None]) -> None:
        """Nothing comes by this way: see ``Stage._hear``."""

    def close(self, *_: object, **__: object) -> None:
        self._stage.leave(self.comm_id)


# Colab shows widgets of others only where somebody switched that on:
# https://colab.research.google.com/notebooks/snippets/advanced_outputs.ipynb
COLAB = (
    "If nothing shows here, run this first:\n"
    "    from google.colab import output; output.enable_custom_widget_manager()"
)


class Application(ipw.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """What people show as the last line of a cell: explorer, dashboard, form."""

    _stage: Stage | None = None

    def _repr_mimebundle_(self, **named: Any) -> Any:  # noqa: ANN401 -- as in ipywidgets
        if "google.colab" in sys.modules:
            print(COLAB)  # noqa: T201 -- to the cell, beside the widget
        return super()._repr_mimebundle_(**named)

    def _display_(self) -> Stage:
        """Give marimo what it can show (its guide: "Displaying objects")."""
        if self._stage is None or self._stage.comm is None:
            self._stage = Stage(self)
        return self._stage
