"""Conversations, by the References algorithm of RFC 5256 section 3 (J. Zawinski's threading).

The algorithm walks message by message and keeps a tree; here its outcome is reached on whole
columns. A message that is present hangs under the last id of its References (else under its
In-Reply-To); an id that is only ever referred to hangs under the id before it in the first
References that names both. So every node has at most one parent, chosen without looking at any
other node, and what is left is to break loops and to find roots: pointer doubling, in as many
steps as the logarithm of the deepest thread. No recursion; a chain of a million replies is fine.

Rows of one mail are copies of one message, wherever they are filed; different mails that bear one
Message-ID are different messages, of which the first has the id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.views import SERVER_IDS as MAIL_IDS
from mailframe.stats import dates, subjects, vectors
from mailframe.stats import mails as copies
from mailframe.stats.kept import kept

if TYPE_CHECKING:
    from typing import Any

    from pandas.api.extensions import ExtensionArray

    from mailframe.stats.mails import Mails
    from mailframe.stats.vectors import Bools, Ints

SERVER_IDS = ("x_gm_thrid", "thread_id")  # X-GM-THRID; THREADID (RFC 8474)
# A loop of ids costs a round, and forged References could hold any number of them; what still
# goes round after these becomes a root.
LOOP_ROUNDS = 16


@dataclass(frozen=True)
class Forest:
    """The reply trees. Nodes are messages, and ids that are referred to but not in the frame."""

    node: Ints  # of each row
    parent: Ints  # of each node, -1 at a root
    first: Ints  # the first row of each node, -1 where it is not in the frame
    labels: pa.Array  # the Message-ID of each node; nodes beyond these have none of their own
    mails: Mails

    @property
    def single(self) -> Bools:
        """One row for each message: copies of it in other folders are no mail of their own."""
        return np.equal(self.first[self.node], np.arange(len(self.node)))

    @property
    def present(self) -> Bools:
        """Which nodes are in the frame."""
        return np.greater_equal(self.first, 0)


def forest(df: pd.DataFrame) -> Forest:
    """Give the reply trees of a frame; built once, as long as its columns live."""
    names = ("message_id", "in_reply_to", "references")
    vectors.require(df, *names)
    told_apart = ("date", "from_addr", "account", *MAIL_IDS)
    return kept(df, (*names, *told_apart), _forest, "forest")


def _forest(df: pd.DataFrame) -> Forest:
    own, replied, referred = vectors.together(
        df, ("message_id", "in_reply_to", "references"), "message_id"
    )
    total, rows = len(own.labels), len(df)
    # Nothing answers itself: an own id at the end of References hides the one before it.
    ids = own.dense(rows)
    replied, referred = (_but_own(named, ids) for named in (replied, referred))
    mails = copies.mails(df, ids)
    # Of the mails of one id the first has it, the others a fresh one (RFC 5256 section 3, step 1).
    named = ids[mails.first]
    having = np.flatnonzero(named >= 0)
    holder = np.full(total, -1, dtype=np.int64)
    holder[named[having][::-1]] = having[::-1]
    fresh = np.ones(len(named), dtype=bool)
    fresh[having] = holder[named[having]] != having
    of_mail = np.where(fresh, total + np.cumsum(fresh) - 1, named)
    node = of_mail[mails.of]
    first = np.full(total + int(fresh.sum()), -1, dtype=np.int64)
    first[of_mail] = mails.first

    nearest = np.full(rows, -1, dtype=np.int64)
    nearest[replied.rows] = replied.codes
    ends = np.flatnonzero(np.diff(referred.rows, append=-1))  # the last id of each References
    nearest[referred.rows[ends]] = referred.codes[ends]

    parent = np.full(len(first), -1, dtype=np.int64)
    present = np.flatnonzero(first >= 0)
    parent[present] = nearest[first[present]]
    since = np.where(first >= 0, first, rows)  # the row that made the link, to break loops by
    spare = _spare_links(referred, first)
    _adopt(parent, since, spare)
    _break_loops(parent, since, spare)
    return Forest(node, parent, first, own.labels, mails)


def _but_own(named: vectors.Coded, own: Ints) -> vectors.Coded:
    """Leave out the ids by which messages name themselves."""
    others = np.not_equal(named.codes, own[named.rows])
    return named if others.all() else named.where(others)


def _spare_links(referred: vectors.Coded, first: Ints) -> tuple[Ints, Ints, Ints]:
    """List what References say of ids that are not in the frame: child, parent, row; in order."""
    inside = np.flatnonzero(referred.rows[1:] == referred.rows[:-1])
    child, above = referred.codes[inside + 1], referred.codes[inside]
    keep = (first[child] < 0) & (child != above)
    child, above, row = child[keep], above[keep], referred.rows[inside][keep]
    order = np.argsort(child, kind="stable")  # rows stay in order within a child
    return child[order], above[order], row[order]


def _adopt(parent: Ints, since: Ints, spare: tuple[Ints, Ints, Ints]) -> None:
    """Give each absent id the parent that the first of its links names."""
    child, above, row = spare
    lead = np.flatnonzero(vectors.starts_of(child))
    parent[child[lead]] = above[lead]
    since[child[lead]] = row[lead]


def _break_loops(parent: Ints, since: Ints, spare: tuple[Ints, Ints, Ints]) -> None:
    """Take from each loop the link that was made last: the algorithm would not have made it.

    An absent id gets the next parent that References offer it.
    """
    child, above, row = spare
    width = int(row.max(initial=0)) + len(parent) + 1
    offers = child * width + row
    parent[parent == np.arange(len(parent))] = -1
    for turn in range(LOOP_ROUNDS):
        inside = _in_loops(parent)
        if not len(inside):
            return
        loop = _loop_names(parent, inside)
        order = np.lexsort((-since[inside], loop))
        cut = inside[order][np.flatnonzero(vectors.starts_of(loop[order]))]
        parent[cut] = -1
        if turn < LOOP_ROUNDS - 1 and len(child):
            after = np.searchsorted(offers, cut * width + since[cut], side="right")
            after = np.minimum(after, len(child) - 1)
            offered = (child[after] == cut) & (row[after] > since[cut])
            parent[cut[offered]] = above[after[offered]]
            since[cut[offered]] = row[after[offered]]


def _in_loops(parent: Ints) -> Ints:
    """Find the nodes that are their own ancestors, by taking away everything that ends."""
    here = np.flatnonzero(parent >= 0)
    jump = parent.copy()
    for _ in range(len(parent).bit_length()):
        jump[here] = np.where(jump[here] >= 0, jump[jump[here]], -1)
        here = here[jump[here] >= 0]
        if not len(here):
            return here
    return vectors.unique(jump[here])  # after so many steps everything stands on a loop


def _loop_names(parent: Ints, inside: Ints) -> Ints:
    """Name the loop of each node by its smallest node, by doubling."""
    place = np.full(len(parent), -1, dtype=np.int64)
    place[inside] = np.arange(len(inside))
    step, name = place[parent[inside]], np.arange(len(inside))
    for _ in range(len(inside).bit_length()):
        name = np.minimum(name, name[step])
        step = step[step]
    return name


def climb(parent: Ints, weight: Ints) -> tuple[Ints, Ints]:
    """Find the root of each node, and the weight on the way from it, its own included.

    Pointer doubling: after k rounds each node has looked 2**k generations up.
    """
    above = np.where(parent >= 0, parent, np.arange(len(parent)))
    total = np.where(parent >= 0, weight, 0)
    while True:
        further = above[above]
        if np.array_equal(further, above):
            return above, total + weight[above]
        total = total + total[above]
        above = further


def _by_subject(df: pd.DataFrame, trees: Forest, root: Ints) -> Ints:
    """Hang threads of the same base subject together: RFC 5256 section 3, steps 4 and 5.

    Returns the parents with the roots so joined: replies under the thread that is no reply,
    others beside one another under a new, empty node.
    """
    subject = vectors.coded(df, "subject")
    bases, reply = subjects.base(subject.labels)
    merged = subject.merged(bases)
    base, marked = merged.dense(len(df)), np.zeros(len(df), dtype=bool)
    marked[subject.rows] = reply[subject.codes]

    rows = np.arange(len(df))
    when = dates.micros(df) if dates.has(df) else rows
    leads, top = _spokesmen(trees, root[trees.node], when)
    own = trees.first[top] >= 0
    empty = vectors.numpy(pc.equal(merged.labels, ""))
    known = base[leads] >= 0
    known[known] = ~empty[base[leads[known]]]
    leads, top, own = leads[known], top[known], own[known]
    # The thread that speaks for a subject: an empty root, else no reply, else the first.
    order = np.lexsort((rows[leads], when[leads], marked[leads], own, base[leads]))
    group = base[leads][order]
    starts = np.flatnonzero(vectors.starts_of(group))
    speaker = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    others = order != speaker
    speaker, other = speaker[others], order[others]

    under = ~own[speaker] | (marked[leads[other]] & ~marked[leads[speaker]])
    slots = vectors.unique(speaker[~under])  # subjects that need a new, empty root
    fresh = len(trees.parent) + np.arange(len(slots))
    parent = np.append(trees.parent, np.full(len(slots), -1, dtype=np.int64))
    parent[top[slots]] = fresh
    parent[top[other[under]]] = top[speaker[under]]
    parent[top[other[~under]]] = fresh[np.searchsorted(slots, speaker[~under])]
    return parent


def _spokesmen(trees: Forest, root: Ints, when: Ints) -> tuple[Ints, Ints]:
    """Give the row whose subject is each tree's, its root's or else its earliest, and the root."""
    rows = np.arange(len(root))
    order = np.lexsort((rows, when, trees.first[trees.node] != rows, root))
    order = order[np.flatnonzero(vectors.starts_of(root[order]))]
    top = root[order]
    return np.where(trees.first[top] >= 0, trees.first[top], order), top


@dataclass(frozen=True)
class Threaded:
    """Each row's thread, and its message and level there."""

    thread: Ints  # 0, 1, … in the order of the threads' first rows
    level: Ints  # 1 where nothing in the frame is above it
    trees: Forest
    root: Ints  # node at the top of each row's tree

    @property
    def lengths(self) -> Ints:
        """How many messages each thread has."""
        total = int(self.thread.max(initial=-1)) + 1
        return np.bincount(self.thread[self.trees.single], minlength=total)


def threaded(
    df: pd.DataFrame, trees: Forest | None = None, *, by_subject: bool = False, server: bool = True
) -> Threaded:
    """Sort messages into threads, of trees that somebody built already or of new ones."""
    trees = forest(df) if trees is None else trees
    parent, present = trees.parent, trees.present.astype(np.int64)
    root, depth = climb(parent, present)
    if by_subject:
        vectors.require(df, "subject")
        parent = _by_subject(df, trees, root)
        present = np.append(present, np.zeros(len(parent) - len(present), dtype=np.int64))
        root, depth = climb(parent, present)
    top = root[trees.node]
    name = top
    for column in set(SERVER_IDS) & set(df.columns) if server else ():
        given = vectors.coded(df, column)
        own = copies.paired(given.codes, copies.accounts(df)[given.rows])
        name = name.copy()
        name[given.rows] = int(name.max(initial=len(parent))) + 1 + own
    return Threaded(pd.factorize(name)[0].astype(np.int64), depth[trees.node], trees, top)


def thread_ids(df: pd.DataFrame, *, by_subject: bool, server: bool) -> pd.Series[Any]:
    """Give the number of each message's thread; see ``df.mail.thread_ids``."""
    found = threaded(df, by_subject=by_subject, server=server)
    return pd.Series(found.thread, index=df.index, name="thread")


def threads(df: pd.DataFrame, *, by_subject: bool, server: bool) -> pd.DataFrame:
    """Tell of each thread; see ``df.mail.threads``."""
    vectors.require(df, "date", "from_addr", "subject")
    found = threaded(df, by_subject=by_subject, server=server)
    thread = found.thread
    total = int(thread.max(initial=-1)) + 1
    when, rows = dates.micros(df), np.arange(len(df))
    unknown = when == vectors.NEVER
    begun = np.where(unknown, np.iinfo(np.int64).max, when)
    order = np.lexsort((rows, begun, thread))
    lead = order[np.flatnonzero(vectors.starts_of(thread[order]))]
    end = vectors.latest(thread, when, total)
    start = np.where(end == vectors.NEVER, end, begun[lead])
    people = vectors.coded(df, "from_addr", fold=True)
    pairs = vectors.unique(thread[people.rows] * max(len(people.labels), 1) + people.codes)
    participants = np.bincount(pairs // max(len(people.labels), 1), minlength=total)

    table = pd.DataFrame(
        {
            "messages": found.lengths,
            "depth": vectors.latest(thread, found.level, total),
            "participants": participants,
            "start": vectors.stamps(start),
            "end": vectors.stamps(end),
        },
        index=pd.RangeIndex(total, name="thread"),
    )
    table["duration"] = table["end"] - table["start"]
    table["subject"] = df["subject"].array.take(lead)
    table["started_by"] = df["from_addr"].array.take(lead)
    table["root"] = _root_ids(found, lead)
    return table


def _root_ids(found: Threaded, lead: Ints) -> ExtensionArray:
    top = found.root[lead]
    known = top < len(found.trees.labels)
    ids = found.trees.labels.take(pa.array(np.where(known, top, 0), mask=~known))
    return vectors.text(ids)
