"""Correspondents as a graph: who writes to whom, how often, since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import columns, dates

if TYPE_CHECKING:
    import networkx as nx

# Betweenness looks at every shortest path; from this many sources the estimate is close and
# takes seconds on tens of thousands of people (Brandes and Pich, 2007).
SOURCES = 100
SEED = 7  # communities and the sample are then the same each time


def contacts(df: pd.DataFrame, least: int) -> pd.DataFrame:
    """List who writes to whom; see ``df.mail.contacts``."""
    columns.require(df, "from_addr", "to", "cc", "date")
    sender, *named = columns.together(df, ("from_addr", "to", "cc"), "address", fold=True)
    width = max(len(sender.labels), 1)
    source = sender.dense(len(df))
    rows = np.concatenate([part.rows for part in named])
    target = np.concatenate([part.codes for part in named])
    keep = (source[rows] >= 0) & (source[rows] != target)
    rows, target = rows[keep], target[keep]
    # One message counts once for each pair, though it name somebody in To and in Cc.
    order = np.lexsort((rows, source[rows] * width + target))
    rows, edge = rows[order], (source[rows] * width + target)[order]
    fresh = columns.starts_of(edge) | columns.starts_of(rows)
    rows, edge = rows[fresh], edge[fresh]
    used, group = np.unique(edge, return_inverse=True)

    when = dates.micros(df)[rows]
    known = when != columns.NEVER
    last = columns.latest(group[known], when[known], len(used))
    first = columns.earliest(group[known], when[known], len(used))
    names = columns.text(sender.labels)
    table = pd.DataFrame(
        {
            "source": names.take(used // width),
            "target": names.take(used % width),
            "messages": np.bincount(group, minlength=len(used)),
            "first": columns.stamps(np.where(last == columns.NEVER, last, first)),
            "last": columns.stamps(last),
        }
    )
    table = table[table["messages"] >= least]
    table = table.sort_values(["messages", "source", "target"], ascending=[False, True, True])
    return table.set_axis(pd.RangeIndex(len(table), name="edge"))


def contact_graph(df: pd.DataFrame, least: int) -> nx.DiGraph[str]:
    """Build a networkx graph; see ``df.mail.contact_graph``."""
    try:
        import networkx as nx  # noqa: PLC0415 -- optional, and slow to import
    except ImportError as error:
        raise ConfigurationError(
            "contact_graph() needs networkx: pip install networkx; contacts() gives the edges "
            "without it"
        ) from error
    edges = contacts(df, least)
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(
        zip(edges["source"], edges["target"], edges["messages"].tolist(), strict=True),
        weight="messages",
    )
    sample = min(SOURCES, len(graph))
    between = nx.betweenness_centrality(graph, k=sample, seed=SEED) if sample else {}
    parts = nx.community.louvain_communities(graph, weight="messages", seed=SEED) if sample else []
    community = {
        name: number
        for number, part in enumerate(sorted(parts, key=lambda p: (-len(p), min(p))))
        for name in part
    }
    # Of two who write to one another each is one neighbour, so that no share exceeds 1.
    nx.set_node_attributes(graph, nx.degree_centrality(graph.to_undirected()), "degree")
    nx.set_node_attributes(graph, between, "betweenness")
    nx.set_node_attributes(graph, community, "community")
    return graph


def contact_ranks(df: pd.DataFrame, least: int) -> pd.DataFrame:
    """Rank people in the graph; see ``df.mail.contact_ranks``."""
    graph = contact_graph(df, least)
    rows = {name: dict(values) for name, values in graph.nodes(data=True)}
    kinds = {"community": "int64", "degree": "float64", "betweenness": "float64"}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(kinds)).astype(kinds)
    table.index = pd.Index(list(rows), name="address", dtype="str")
    return columns.ranked(table, "degree")
