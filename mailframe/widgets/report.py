"""The report: the dashboard as one HTML file, which needs neither network nor kernel."""

from __future__ import annotations

import datetime as dt
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from mailframe.ground.whole import replacing
from mailframe.widgets import assets
from mailframe.widgets.dashboard import contents

if TYPE_CHECKING:
    import os

    import pandas as pd

    from mailframe.stats.me import Given
    from mailframe.store.reader import Store

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline' 'unsafe-eval'; img-src data:">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main class="mailframe mf-dashboard mf-report">
{heading}
<noscript><p>The charts need JavaScript; the numbers above do not.</p></noscript>
<div id="charts"></div>
<footer>Made with mailframe on {made}. This file holds counts and the names of the most frequent \
senders, domains, folders and lists, but no message.</footer>
</main>
<script type="application/json" id="contents">{data}</script>
<script>{vega}</script>
<script type="module">{script}
const told = JSON.parse(document.getElementById("contents").textContent);
new Linked(document.getElementById("charts"), told.figures, told.cube, window.vegaEmbed).draw();
</script>
</body>
</html>
"""


def report(
    df: pd.DataFrame | Store,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    tz: str | dt.tzinfo | None = None,
    me: Given = None,
) -> Path:
    """Write a report on a mailbox: one HTML file, to be opened, sent or printed.

    Parameters
    ----------
    df : DataFrame or Store
        Mail, from any of the readers; or what `open_store` gave. A store of more than 200,000
        messages is counted where it lies: replies and threads, which are of one account, are left
        out, and each copy of a mail counts.
    path : path
        Where to; an existing file is replaced, at once and only when the new one is complete.
    title : str, optional
        What stands above; the account otherwise.
    tz : str or tzinfo, optional
        The zone of days, weekdays and hours; the reader's own by default.
    me : str or iterable of str, optional
        Your addresses, for the time that your replies take; guessed by default.

    Returns
    -------
    Path
        The file, readable by its owner only. It asks nothing of any network; its size is that of
        its scripts (about 1 MB) and some hundred kilobytes of counts, whatever the mailbox.

    Raises
    ------
    ConfigurationError
        If ``df`` lacks columns of mail, ``path`` cannot be written to, or there is no zone ``tz``.
    """
    octets = page(df, title=title, tz=tz, me=me)
    with replacing(path) as file:
        file.write(octets)
    return Path(path)


def page(
    df: pd.DataFrame | Store,
    *,
    title: str | None = None,
    tz: str | dt.tzinfo | None = None,
    me: Given = None,
) -> bytes:
    """Return what `report` writes."""
    shown = contents(df, title, tz, me)
    data = {"figures": [figure.to_dict() for figure in shown.figures], "cube": shown.cube}
    text = PAGE.format(
        title=escape(shown.title),
        style=assets.text("mailframe.css") + assets.text("report.css"),
        heading=shown.heading(),
        made=dt.datetime.now(dt.UTC).date().isoformat(),
        data=_inline(json.dumps(data, separators=(",", ":"))).replace("<", "\\u003c"),
        vega=_inline(assets.vega()),
        script=_inline(assets.script("panel.js", "cube.js")),
    )
    return text.encode()


def _inline(script: str) -> str:
    # An HTML parser ends a script at the first closing tag, wherever it stands.
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
