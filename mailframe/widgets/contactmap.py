"""The graph of correspondents as a picture, and as a file for other programs.

Everybody in a mailbox writes to its owner: with that address in it the picture would be a star. So
it is left out, and what is left falls into communities. Each is laid out by itself (force-directed:
Fruchterman and Reingold, 1991) and takes a place of its own, the largest in the middle; so a name
stands beside those that belong to it, and three hundred people stay readable. Names are written
where there is room, of the busiest first.
"""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mailframe.errors import ConfigurationError
from mailframe.ground.whole import replacing
from mailframe.stats import contacts
from mailframe.stats import me as owners
from mailframe.stats import people as persons
from mailframe.stats.describe import plain

if TYPE_CHECKING:
    import os

    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    from mailframe.stats.vectors import Ints

    Floats = NDArray[np.float64]
    Box = tuple[float, float, float, float]

PICTURES, GRAPHS = (".svg", ".png"), (".graphml", ".gexf")
MOST = 500  # people, more than which no picture can show
WIDTH, HEIGHT, MARGIN, HEAD = 1400, 1000, 60, 46  # pixels
SCALE = 2  # pixels of a PNG for each of these
FONT, LETTER = 11, 5.9  # pixels: the height of a name, and the width of an average letter
LONGEST = 24  # letters of a name
LEAST, EXTRA = 3.2, 8.0  # pixels: the radius of a person, and what the busiest has more
APART = 1.25  # how far communities are from one another, by their radii
GOLDEN = math.pi * (3 - math.sqrt(5))  # an angle that fills a disc evenly (Vogel, 1979)
SEED = 7  # the same picture each time
# Of the largest communities, told apart by people who see few colours (Okabe and Ito, 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f4fc9", "#8c564b")
OTHERS = "#8a939c"


class People(NamedTuple):
    """Who is in the picture, and who writes to whom of them."""

    address: list[str]
    name: list[str]
    messages: Ints
    community: Ints
    source: Ints
    target: Ints
    weight: Ints
    total: int  # how many there would be


def contact_map(
    df: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    people: int = 300,
    least: int = 1,
    me: owners.Given = None,
    title: str | None = None,
) -> Path:
    """Draw who writes to whom, or write the graph for another program (extra ``graph``).

    Parameters
    ----------
    df : DataFrame
        Mail, from any of the readers.
    path : path
        Where to; the ending tells what: ``.svg`` or ``.png`` a picture, ``.graphml`` (Gephi, yEd,
        igraph) or ``.gexf`` (Gephi, with places and colours) the graph that it shows.
    people : int
        How many people at most, 500 in a picture: those with most messages between them.
    least : int
        Messages that an edge has at least; a message counts once from its sender to each of those
        in To and Cc.
    me : str or iterable of str, optional
        Your addresses, which are left out; guessed by default.
    title : str, optional
        What stands above.

    Returns
    -------
    Path
        The file, readable by its owner only. Colours are communities (Leiden: Traag et al., 2019),
        and a circle is as large as its person is busy. Lines have no direction; edges of the graph
        have one.

    Raises
    ------
    ConfigurationError
        The ending is none of these, nobody is left to be drawn, the extra is not installed, or the
        place cannot be written to.
    """
    ending = Path(path).suffix.lower()
    if ending not in PICTURES + GRAPHS:
        raise ConfigurationError(
            f"{str(path)!r}: a picture ends in {' or '.join(PICTURES)}, a graph in "
            f"{' or '.join(GRAPHS)}"
        )
    if people < 1 or (ending in PICTURES and people > MOST):
        raise ConfigurationError(f"people={people}: a picture shows 1 to {MOST} people")
    found = _chosen(df, people, least, me)
    with replacing(path) as file:
        if ending in GRAPHS:
            file.write(_written(found, ending))
        else:
            file.write(_drawn(found, ending, title))
    return Path(path)


def _chosen(df: pd.DataFrame, most: int, least: int, own: owners.Given) -> People:
    """Choose the people with most messages between them, but for the owner."""
    edges = contacts.edges(df, least)
    mine = owners.own(df, own, must_send=None).has(edges.names)
    keep = ~mine[edges.source] & ~mine[edges.target]
    source, target, weight = edges.source[keep], edges.target[keep], edges.messages[keep]
    busy = np.bincount(source, weight, len(edges.names)) + np.bincount(
        target, weight, len(edges.names)
    )
    used = np.flatnonzero(busy)
    if not len(used):
        raise ConfigurationError(
            "nobody here writes to anybody but you, so there is no graph to draw: take mail along "
            "that goes to several people, or set least=1"
        )
    chosen = used[np.lexsort((used, -busy[used]))][:most]
    number = np.full(len(edges.names), -1)
    number[chosen] = np.arange(len(chosen))
    inside = (number[source] >= 0) & (number[target] >= 0)
    source, target, weight = number[source[inside]], number[target[inside]], weight[inside]
    address = edges.names.take(chosen).to_pylist()
    called = persons.best_names(df)["name"] if "from_name" in df.columns else None
    names = [str(called.get(one, "")) if called is not None else "" for one in address]
    community = contacts.communities(source, target, weight, len(chosen))
    return People(
        address,
        [name or one.partition("@")[0] for name, one in zip(names, address, strict=True)],
        busy[chosen].astype(np.int64),
        community,
        source,
        target,
        weight,
        len(used),
    )


def _graph(found: People) -> nx.DiGraph[str]:
    import networkx as nx  # noqa: PLC0415 -- optional, and slow to import

    graph = nx.DiGraph()
    for place, address in enumerate(found.address):
        graph.add_node(
            _lawful(address),
            label=_lawful(found.name[place]),
            community=int(found.community[place]),
            messages=int(found.messages[place]),
        )
    named = [_lawful(address) for address in found.address]
    for source, target, weight in zip(
        found.source.tolist(), found.target.tolist(), found.weight.tolist(), strict=True
    ):
        graph.add_edge(named[source], named[target], messages=weight, weight=weight)
    return graph


def _written(found: People, ending: str) -> bytes:
    """Write the graph as XML."""
    import networkx as nx  # noqa: PLC0415 -- optional, and slow to import

    graph = _graph(found)
    if ending == ".graphml":
        return "\n".join(nx.generate_graphml(graph)).encode()
    if len(graph) <= MOST:
        at, radius = _placed(found)
        for place, node in enumerate(graph):
            red, green, blue = (
                int(_colour(int(found.community[place]))[i : i + 2], 16) for i in (1, 3, 5)
            )
            graph.nodes[node]["viz"] = {
                "position": {"x": float(at[place, 0]), "y": float(-at[place, 1]), "z": 0.0},
                "size": float(radius[place]),
                "color": {"r": red, "g": green, "b": blue, "a": 1.0},
            }
    return "\n".join(nx.generate_gexf(graph)).encode()


def _placed(found: People) -> tuple[Floats, Floats]:
    """Give everyone a place in the picture and a radius, in pixels."""
    total = len(found.address)
    at, sizes = np.zeros((total, 2)), np.bincount(found.community)
    room: list[tuple[float, float, float]] = []
    for community in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(found.community == community)
        reach = math.sqrt(len(members)) + 0.35
        centre = _free(room, reach * APART)
        room.append((*centre, reach * APART))
        at[members] = _laid_out(found, members) * reach + centre
    radius = LEAST + EXTRA * np.sqrt(found.messages / found.messages.max())
    low, high = at.min(axis=0), at.max(axis=0)
    space = np.array([WIDTH - 3 * MARGIN, HEIGHT - HEAD - 2 * MARGIN])
    scale = (space / np.maximum(high - low, 1e-9)).min()
    shift = (space - (high - low) * scale) / 2 + [MARGIN, MARGIN + HEAD]
    return _apart((at - low) * scale + shift, radius), radius


def _free(room: list[tuple[float, float, float]], reach: float) -> tuple[float, float]:
    """Find the place nearest to the middle where a community has room; wide rather than high."""
    step = 0
    while True:
        far, angle = 0.25 * math.sqrt(step), step * GOLDEN
        x, y = 1.3 * far * math.cos(angle), far * math.sin(angle)
        if all(math.hypot(x - a, y - b) >= reach + r for a, b, r in room):
            return x, y
        step += 1


def _laid_out(found: People, members: Ints) -> Floats:
    """Lay a community out in a disc of radius 1."""
    import networkx as nx  # noqa: PLC0415 -- optional, and slow to import

    if len(members) == 1:
        return np.zeros((1, 2))
    graph = nx.Graph()
    graph.add_nodes_from(range(len(members)))
    number = np.full(len(found.address), -1)
    number[members] = np.arange(len(members))
    one, other = number[found.source], number[found.target]
    inside = (one >= 0) & (other >= 0)
    for a, b, weight in zip(one[inside], other[inside], found.weight[inside], strict=True):
        graph.add_edge(int(a), int(b), weight=1 + math.log(float(weight)))
    wide = 2.2 / math.sqrt(len(members))
    layout = nx.spring_layout(graph, k=wide, iterations=120, seed=SEED, method="force")
    at = np.array([layout[place] for place in range(len(members))])
    at -= at.mean(axis=0)
    far = np.hypot(*at.T)
    # Evenly over the disc: by its rank each is as far from the middle as its share of the area.
    rank = np.empty(len(members))
    rank[np.argsort(far, kind="stable")] = np.arange(len(members))
    even = np.sqrt((rank + 0.5) / len(members))
    disc: Floats = (
        at / np.maximum(far, 1e-9)[:, None] * (0.5 * even + 0.5 * far / far.max())[:, None]
    )
    return disc


def _apart(at: Floats, radius: Floats) -> Floats:
    """Push circles apart that lie on one another."""
    for _ in range(60):
        between = at[:, None] - at[None]
        far = np.hypot(between[..., 0], between[..., 1])
        np.fill_diagonal(far, np.inf)
        short = np.maximum(radius[:, None] + radius[None] + 5 - far, 0)
        if not short.any():
            break
        at = at + (between / np.maximum(far, 1e-9)[..., None] * (short / 2)[..., None]).sum(axis=1)
    return at


def _drawn(found: People, ending: str, title: str | None) -> bytes:
    """Draw the picture."""
    at, radius = _placed(found)
    name = _safe(title or "Who writes to whom")
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" font-family="sans-serif"',
        f'  width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f"<title>{name}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="24" y="34" font-size="20" font-weight="bold" fill="#1f2429">{name}</text>',
        f'<text x="{WIDTH - 24}" y="34" font-size="12" text-anchor="end" fill="#59636e">',
        f"{_safe(_told(found))}</text>",
        *_lines(found, at),
        *_circles(found, at, radius),
        *_names(found, at, radius),
        "</svg>",
    ]
    text = "\n".join(parts)
    if ending == ".svg":
        return text.encode()
    import vl_convert  # noqa: PLC0415 -- 30 MB, for this alone

    png: bytes = vl_convert.svg_to_png(text, scale=SCALE)
    return png


def _told(found: People) -> str:
    count = len(found.address)
    more = f" of {found.total:,}" if found.total > count else ""
    groups = int(found.community.max()) + 1
    return (
        f"{count:,}{more} people in {groups:,} {'communities' if groups > 1 else 'community'}, "
        "without you; a circle is as large as its person is busy"
    )


def _lines(found: People, at: Floats) -> list[str]:
    """Draw lines between people; those within a community above those between two."""
    one, other = np.minimum(found.source, found.target), np.maximum(found.source, found.target)
    pairs, place = np.unique(one * len(found.address) + other, return_inverse=True)
    weight = np.bincount(place, found.weight)
    one, other = np.divmod(pairs, len(found.address))
    same = found.community[one] == found.community[other]
    wide = 0.6 + 1.8 * np.log1p(weight) / np.log1p(weight.max())
    # The more lines a community has for each of its people, the paler they are: names come first.
    groups = found.community[one]
    crowd = np.bincount(groups[same], minlength=int(found.community.max()) + 1)
    dense = crowd / np.bincount(found.community, minlength=len(crowd))
    depth = np.where(same, np.clip(0.55 / np.sqrt(np.maximum(dense[groups], 1)), 0.1, 0.45), 0.13)
    lines = []
    for row in np.lexsort((weight, same)).tolist():
        a, b = at[one[row]], at[other[row]]
        colour = _colour(int(found.community[one[row]])) if same[row] else "#7a8793"
        lines.append(
            f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
            f'stroke="{colour}" stroke-width="{wide[row]:.2f}" '
            f'stroke-opacity="{depth[row]:.2f}"/>'
        )
    return lines


def _circles(found: People, at: Floats, radius: Floats) -> list[str]:
    return [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{_colour(community)}" '
        f'stroke="#ffffff" stroke-width="1"><title>{_safe(f"{name} <{address}>, {count:,}")}'
        "</title></circle>"
        for (x, y), r, community, name, address, count in zip(
            at.tolist(),
            radius.tolist(),
            found.community.tolist(),
            found.name,
            found.address,
            found.messages.tolist(),
            strict=True,
        )
    ]


def _names(found: People, at: Floats, radius: Floats) -> list[str]:
    """Write names where there is room, of the busiest first."""
    taken: list[Box] = [
        (x - r, y - r, x + r, y + r) for (x, y), r in zip(at.tolist(), radius.tolist(), strict=True)
    ]
    names = []
    for place in range(len(found.address)):  # in the order of how busy they are
        text = found.name[place]
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        (x, y), r = at[place].tolist(), float(radius[place])
        wide = LETTER * sum(2 if ord(letter) >= 0x2E80 else 1 for letter in text)  # noqa: PLR2004 -- wide scripts begin there
        for left, base in (
            (x + r + 3, y + 4),
            (x - r - 3 - wide, y + 4),
            (x - wide / 2, y - r - 4),
            (x - wide / 2, y + r + FONT),
        ):
            box = (left - 1, base - FONT + 1, left + wide + 1, base + 3)
            inside = box[0] >= 4 and box[2] <= WIDTH - 4 and box[3] <= HEIGHT - 4 and box[1] > HEAD  # noqa: PLR2004 -- pixels from the edge
            if inside and not any(_meet(box, other) for other in taken):
                taken.append(box)
                names.append(
                    f'<text x="{left:.1f}" y="{base:.1f}" font-size="{FONT}" fill="#1f2429" '
                    'stroke="#ffffff" stroke-width="2.5" stroke-opacity="0.85" '
                    f'paint-order="stroke">{_safe(text)}</text>'
                )
                break
    return names


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _colour(community: int) -> str:
    return COLOURS[community] if community < len(COLOURS) else OTHERS


def _lawful(text: str) -> str:
    """Leave out what XML cannot hold."""
    return plain(text)


def _safe(text: str) -> str:
    return escape(plain(text))
