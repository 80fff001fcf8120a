"""What the browser gets: our scripts, our style and Vega, all of it from this machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from mailframe.errors import ConfigurationError
from mailframe.ground.whole import replacing


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
    with suppress(OSError, ValueError):  # the first time it is not there
        return _trusted(kept)
    import vl_convert  # noqa: PLC0415 -- 80 MB that are not needed again

    bundle = _own_ids(str(vl_convert.javascript_bundle()))  # type: ignore[call-arg]  # optional, but for its stub
    with suppress(OSError, ConfigurationError):  # without a place to keep it, it is made each time
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)  # were it a link, what it leads to would be written
        with replacing(kept) as file:
            file.write(_sealed(bundle.encode()))
    return bundle


def _own_ids(bundle: str) -> str:
    """Give what Vega draws ids of our own.

    It numbers clip paths and gradients from 1, and so does every other copy of it on a page:
    ``url(#clip5)`` would find the one that stands first, whosever it is.
    """
    return re.sub(r'"(clip|gradient_)"(?=\+)', r'"mailframe-\1"', bundle)


def _sealed(script: bytes) -> bytes:
    return b"// %b\n%b" % (hashlib.sha256(script).hexdigest().encode(), script)


def _trusted(kept: Path) -> str:
    """Read what was kept; raises where there is any doubt that it is whole, and ours.

    It will run in the browser, and whoever may write a cache may not be whom it is read by.
    """
    descriptor = os.open(kept, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- what was opened, not what is called so
        for found in (os.fstat(file.fileno()), kept.parent.lstat()):
            foreign = hasattr(os, "getuid") and found.st_uid != os.getuid()
            if foreign or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise PermissionError(f"{kept} may be written by others")
        content = file.read()
    script = content.partition(b"\n")[2]
    if not script or content != _sealed(script):
        raise ValueError(f"{kept} is not as it was written")
    return script.decode()


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
