"""What the browser gets: our scripts, our style and Vega, all of it from this machine."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from mailframe.errors import ConfigurationError
from mailframe.frame.whole import replacing


@cache
def text(name: str) -> str:
    """Read one of our static files."""
    return files("mailframe.widgets").joinpath("static", name).read_text("utf-8")


@cache
def vega() -> str:
    """Give Vega, Vega-Lite and vega-embed as one script that sets ``window.vegaEmbed``.

    vl-convert carries them, but putting them together takes it more than a second, in which
    nothing else runs: the script is kept in the user's cache for the next process.
    """
    kept = _cache() / f"vega-{version('vl-convert-python')}-own-ids.js"
    with suppress(OSError):  # the first time it is not there
        return kept.read_text("utf-8")
    import vl_convert  # noqa: PLC0415 -- 80 MB that are not needed again

    bundle = _own_ids(str(vl_convert.javascript_bundle()))  # type: ignore[call-arg]  # optional, but for its stub
    with suppress(OSError, ConfigurationError):  # without a place to keep it, it is made each time
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(kept) as file:
            file.write(bundle.encode())
    return bundle


def _own_ids(bundle: str) -> str:
    """Give what Vega draws ids of our own.

    It numbers clip paths and gradients from 1, and so does every other copy of it on a page:
    ``url(#clip5)`` would find the one that stands first, whosever it is.
    """
    return re.sub(r'"(clip|gradient_)"(?=\+)', r'"mailframe-\1"', bundle)


def _cache() -> Path:
    """Where programs keep what they can make again (XDG Base Directory Specification)."""
    return Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache"), "mailframe")  # noqa: PTH111 -- Path.expanduser raises where there is no home


def script(*names: str) -> str:
    """Join static modules, in order, into one: what they share needs no import between them."""
    return "\n".join(text(name).replace("\nexport ", "\n") for name in names)


def charts_module() -> str:
    """Give the module of the chart widget; Vega comes to the page once, for all of them."""
    return f"{script('cube.js', 'panel.js')}\n{text('charts.js')}"


def table_module(itables: Path) -> str:
    """Give the module of the table widget, which carries itables' own as text."""
    return f"const ITABLES = {json.dumps(itables.read_text('utf-8'))};\n{text('table.js')}"
