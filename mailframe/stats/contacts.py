"""Correspondents as a graph: who writes to whom, how often, since when."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.errors import ConfigurationError
from mailframe.stats import dates, vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import networkx as nx
    from numpy.typing import NDArray

    from mailframe.stats.vectors import Ints

    Floats = NDArray[np.float64]

# Betweenness looks at every shortest path; from this many sources the estimate is close (Brandes
# and Pich, 2007), from fewer where a source has millions of edges to look at.
SOURCES, LEAST = 100, 10
WORK = 30_000_000  # edges looked at: two seconds
SEED = 7  # communities and the sample are then the same each time


class Edges(NamedTuple):
    """Who writes to whom, as numbers of ``names``; by how often, then in the order of names."""

    names: pa.Array  # in the order of the alphabet
    source: Ints
    target: Ints
    messages: Ints
    first: Ints
    last: Ints


def edges(df: pd.DataFrame, least: int) -> Edges:
    """Find who writes to whom."""
    vectors.require(df, "from_addr", "to", "cc", "date")
    sender, *named = vectors.together(df, ("from_addr", "to", "cc"), "address", fold=True)
    order = vectors.numpy(pc.array_sort_indices(sender.labels)).astype(np.int64)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    width, names = max(len(order), 1), sender.labels.take(pa.array(order))
    source = np.full(len(df), -1, dtype=np.int64)
    source[sender.rows] = rank[sender.codes]
    rows = np.concatenate([part.rows for part in named])
    target = rank[np.concatenate([part.codes for part in named])]
    keep = (source[rows] >= 0) & (source[rows] != target)
    rows, target = rows[keep], target[keep]
    # One message counts once for each pair, though it name somebody in To and in Cc.
    edge, rows = _distinct(source[rows] * width + target, rows, width * width, len(df))
    starts = np.flatnonzero(vectors.starts_of(edge))
    group = np.cumsum(vectors.starts_of(edge)) - 1
    used, messages = edge[starts], np.diff(starts, append=len(edge))

    when = dates.micros(df)[rows]
    known = when != vectors.NEVER
    last = vectors.latest(group[known], when[known], len(used))
    first = vectors.earliest(group[known], when[known], len(used))
    first = np.where(last == vectors.NEVER, last, first)
    order = np.argsort(-messages, kind="stable")
    order = order[messages[order] >= least]
    source, target = np.divmod(used[order], width)
    return Edges(names, source, target, messages[order], first[order], last[order])


def _distinct(left: Ints, right: Ints, lefts: int, rights: int) -> tuple[Ints, Ints]:
    """Give the distinct pairs of two columns in their order."""
    if lefts * rights < np.iinfo(np.int64).max:  # as one number a pair is sorted much faster
        both = vectors.unique(left * rights + right)
        pair = np.divmod(both, max(rights, 1))
        return pair[0], pair[1]
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    fresh = vectors.starts_of(left) | vectors.starts_of(right)
    return left[fresh], right[fresh]


def contacts(df: pd.DataFrame, least: int) -> pd.DataFrame:
    """List who writes to whom; see ``df.mail.contacts``."""
    found = edges(df, least)
    names = vectors.text(found.names)
    return pd.DataFrame(
        {
            "source": names.take(found.source),
            "target": names.take(found.target),
            "messages": found.messages,
            "first": vectors.stamps(found.first),
            "last": vectors.stamps(found.last),
        },
        index=pd.RangeIndex(len(found.source), name="edge"),
    )


class Ranked(NamedTuple):
    """People in the graph, and what each one's place in it is."""

    address: list[str]
    community: Ints
    degree: Floats
    betweenness: Floats
    source: Ints  # of each edge, as numbers of people
    target: Ints


def contact_graph(df: pd.DataFrame, least: int) -> nx.DiGraph[str]:
    """Build a networkx graph; see ``df.mail.contact_graph``."""
    try:
        import networkx as nx  # noqa: PLC0415 -- optional, and slow to import
    except ImportError as error:
        raise ConfigurationError(
            'contact_graph() needs networkx: pip install "mailframe[graph]"; contacts() gives the '
            "edges without it"
        ) from error
    written = edges(df, least)
    found = ranked(written)
    graph = nx.DiGraph()
    ranks = zip(*(column.tolist() for column in found[1:4]), strict=True)
    names = np.array(found.address, dtype=object)
    with _uncollected():
        graph.add_nodes_from(
            (name, {"community": community, "degree": degree, "betweenness": between})
            for name, (community, degree, between) in zip(found.address, ranks, strict=True)
        )
        graph.add_weighted_edges_from(
            zip(names[found.source], names[found.target], written.messages.tolist(), strict=True),
            weight="messages",
        )
    return graph


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector off while millions of dicts are made: it would look at all of them."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def contact_ranks(df: pd.DataFrame, least: int) -> pd.DataFrame:
    """Rank people in the graph; see ``df.mail.contact_ranks``."""
    found = ranked(edges(df, least))
    table = pd.DataFrame(
        {name: getattr(found, name) for name in ("community", "degree", "betweenness")},
        index=pd.Index(found.address, name="address", dtype="str"),
    )
    return vectors.ranked(table, "degree")


def ranked(written: Edges) -> Ranked:
    """Find everyone's place in a graph."""
    used = np.zeros(len(written.names), dtype=bool)
    used[written.source] = used[written.target] = True
    number = np.cumsum(used) - 1
    source, target, total = number[written.source], number[written.target], int(used.sum())
    one, other, weight = _pairs(source, target, written.messages, total)
    neighbours = np.bincount(one, minlength=total) + np.bincount(other, minlength=total)
    return Ranked(
        written.names.filter(pa.array(used)).to_pylist(),
        _communities(one, other, weight, total),
        neighbours / max(total - 1, 1),
        _betweenness(source, target, total),
        source,
        target,
    )


def communities(source: Ints, target: Ints, messages: Ints, total: int) -> Ints:
    """Part people into communities; 0 is the largest."""
    return _communities(*_pairs(source, target, messages, total), total)


def _pairs(source: Ints, target: Ints, messages: Ints, total: int) -> tuple[Ints, Ints, Floats]:
    """Give pairs of people and their messages, whoever wrote them.

    Of two who write to one another each is one neighbour, so that no share exceeds 1.
    """
    pairs = np.minimum(source, target) * total + np.maximum(source, target)
    order = np.argsort(pairs)
    starts = np.flatnonzero(vectors.starts_of(pairs[order]))
    weight = np.add.reduceat(messages[order], starts) if len(starts) else starts
    one, other = np.divmod(pairs[order[starts]], max(total, 1))
    return one, other, weight.astype(np.float64)


def _communities(one: Ints, other: Ints, weight: Floats, total: int) -> Ints:
    """Part people into communities by the Leiden algorithm; 0 is the largest."""
    try:
        from scipy.sparse import csr_matrix  # noqa: PLC0415 -- optional, and slow to import
        from sknetwork.clustering import Leiden  # noqa: PLC0415 -- the same
    except ImportError as error:
        raise ConfigurationError(
            'Communities need scikit-network: pip install "mailframe[graph]"; contacts() gives '
            "the edges without it"
        ) from error
    if not total:
        return np.zeros(0, dtype=np.int64)
    ends = (np.concatenate([one, other]), np.concatenate([other, one]))
    both = csr_matrix((np.concatenate([weight, weight]), ends), shape=(total, total))
    part: Ints = Leiden(random_state=SEED).fit_predict(both).astype(np.int64)
    sizes = np.bincount(part)
    first = np.full(len(sizes), total)
    np.minimum.at(first, part, np.arange(total))
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return rank[part]


def _betweenness(source: Ints, target: Ints, total: int) -> Floats:
    """Estimate betweenness (Brandes, 2001) from a sample of sources.

    Each source is searched in breadth, a whole level at a time, and what its shortest paths owe
    to each person is handed back level by level.
    """
    between = np.zeros(total)
    if total <= 2:  # noqa: PLR2004 -- nobody is between two
        return between
    order = np.argsort(source, kind="stable")
    ends = target[order]
    begins = np.searchsorted(source[order], np.arange(total + 1))
    count = min(total, SOURCES, max(WORK // max(len(ends), 1), LEAST))
    sample = np.arange(total)
    if count < total:
        sample = np.random.default_rng(SEED).choice(total, count, replace=False)
    for start in sample.tolist():
        between += _owed(start, ends, begins, total)
    return between * (total / count) / ((total - 1) * (total - 2))


def _owed(start: int, ends: Ints, begins: Ints, total: int) -> Floats:
    """Tell what the shortest paths from one person owe to each other one."""
    level, paths = np.full(total, -1), np.zeros(total)
    level[start], paths[start] = 0, 1
    front = np.array([start])
    steps: list[tuple[Ints, Ints]] = []
    while len(front):
        lengths = begins[front + 1] - begins[front]
        tail = np.repeat(front, lengths)
        place = np.arange(len(tail)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        head = ends[np.repeat(begins[front], lengths) + place]
        level[head[level[head] < 0]] = len(steps) + 1
        onward = level[head] == len(steps) + 1
        tail, head = tail[onward], head[onward]
        paths += np.bincount(head, paths[tail], total)
        steps.append((tail, head))
        front = np.flatnonzero(level == len(steps))
    owed = np.zeros(total)
    for tail, head in reversed(steps):
        owed += np.bincount(tail, paths[tail] / paths[head] * (1 + owed[head]), total)
    owed[start] = 0
    return owed
