"""What the browser gets: our scripts, our style and Vega, all of it from this machine."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import vl_convert

if TYPE_CHECKING:
    from pathlib import Path


@cache
def text(name: str) -> str:
    """Read one of our static files."""
    return files("mailframe.widgets").joinpath("static", name).read_text("utf-8")


@cache
def vega() -> str:
    """Give Vega, Vega-Lite and vega-embed as one script that sets ``window.vegaEmbed``.

    vl-convert carries them; putting them together takes it about a second, once a process.
    """
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # optional, but for its stub
    return str(bundle)


def script(*names: str) -> str:
    """Join static modules, in order, into one: what they share needs no import between them."""
    return "\n".join(text(name).replace("\nexport ", "\n") for name in names)


def charts_module() -> str:
    """Give the module of the chart widget."""
    return f"{vega()}\n{script('cube.js', 'panel.js')}\n{text('charts.js')}"


def table_module(itables: Path) -> str:
    """Give the module of the table widget, which carries itables' own as text."""
    return f"const ITABLES = {json.dumps(itables.read_text('utf-8'))};\n{text('table.js')}"
