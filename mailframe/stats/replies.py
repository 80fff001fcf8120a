"""How fast mail is answered, and what waits for an answer.

A reply is a mail whose nearest ancestor, by References or In-Reply-To, is in the frame: the same
links that make threads. My reply answers somebody else's mail, a reply to me answers mine; what
others answer one another is not counted. No reply is what nobody wrote or nobody sent: a program's
answer (column ``auto``), a forward, a draft, what was deleted. What asks me is told by `asks`.
Unanswered mail is counted, never averaged in.

Who answers whom is told by these links alone, never by dates: clocks are wrong, and two mails may
be of one second. Dates only say how long it took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import asks, clock, dates, me, subjects, threads, vectors, volume

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo
    from typing import Any

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from mailframe.stats.office import Office
    from mailframe.stats.vectors import Bools, Ints

    Floats = NDArray[np.float64]

DIRECTIONS = ["mine", "theirs"]
WAITING = ["owe", "owed"]
MARKED = ("draft", "deleted", "auto")
NO_REPLY = (*MARKED, "forward")


class Replies(NamedTuple):
    """Replies and what they answer, as rows of the frame; in order of the reply's row."""

    reply: Ints
    original: Ints
    mine: Bools
    lead: Bools  # one for each mail and person who answers it: the first that can be timed
    start: Ints
    end: Ints

    @property
    def timed(self) -> Bools:
        """Where both dates are known and in order: clocks may be wrong."""
        return np.greater_equal(self.end, self.start) & np.not_equal(self.start, vectors.NEVER)

    def only(self, keep: Bools) -> Replies:
        """Give those marked."""
        return Replies(
            self.reply[keep],
            self.original[keep],
            self.mine[keep],
            self.lead[keep],
            self.start[keep],
            self.end[keep],
        )


class Correspondence:
    """A frame as questions and answers.

    Attributes
    ----------
    own : me.Own
    trees : threads.Forest
    when : int64 array
        The instant of each row.
    found : Replies
        My replies to others and theirs to me.
    left_out : dict of str to int
        How many mails would be replies, were they not of a kind in `NO_REPLY`.
    """

    def __init__(
        self,
        df: pd.DataFrame,
        me_: me.Given,
        *,
        must_send: bool | None = True,
        trees: threads.Forest | None = None,
    ) -> None:
        vectors.require(df, "from_addr")
        self.df = df
        self.own = me.own(df, me_, must_send=must_send)
        self.trees = threads.forest(df) if trees is None else trees
        self.when = dates.micros(df)
        self.marked = {name: asks.kind(df, name) for name in MARKED}
        self.counts, kinds = _counted(df, self.trees, self.marked)
        self.left_out = dict.fromkeys(NO_REPLY, 0)
        self.found = self._pairs(kinds)

    def _pairs(self, kinds: dict[str, Bools]) -> Replies:
        trees, mine = self.trees, self.own.mine
        above = trees.parent[trees.node]
        answers = trees.single & (above >= 0)
        answers[answers] = trees.present[above[answers]]
        reply = np.flatnonzero(answers)
        original = trees.first[above[reply]]
        keep = mine[reply] != mine[original]
        for name, marked in kinds.items():
            out = marked[reply] & keep
            self.left_out[name] = int(out.sum())
            keep &= ~out
        reply, original = reply[keep], original[keep]
        who = vectors.coded(self.df, "from_addr", fold=True).dense(len(self.df))[reply]
        who[mine[reply]] = -1  # whichever of my addresses: it is me
        start, end = self.when[original], self.when[reply]
        late = (start == vectors.NEVER) | (end < start)
        order = np.lexsort((reply, end, late, who, original))
        lead = np.zeros(len(reply), dtype=bool)
        fresh = vectors.starts_of(original[order]) | vectors.starts_of(who[order])
        lead[order[fresh]] = True
        return Replies(reply, original, mine[reply], lead, start, end)

    def asked(self, exclude: Iterable[str]) -> asks.Asked:
        """Find what asks me."""
        return asks.asked(self.df, self.own, self.trees.mails, exclude, self.marked)

    def tell(self, table: pd.DataFrame, **left_out: dict[str, int]) -> pd.DataFrame:
        """Say in a result's ``attrs`` whose mail is mine, and what was left out."""
        table.attrs["left_out"] = {"replies": self.left_out, **left_out}
        return self.own.tell(table)


def _counted(
    df: pd.DataFrame, trees: threads.Forest, marks: dict[str, Bools]
) -> tuple[Bools, dict[str, Bools]]:
    """Mark the rows of mail that people wrote and sent, and those of each kind in `NO_REPLY`."""
    kinds, mails = {}, trees.mails
    for name, marked in marks.items():
        kinds[name] = (mails.any if name == "auto" else mails.every)(marked)[mails.of]
    kinds["forward"] = np.zeros(len(df), dtype=bool)
    if "subject" in df.columns:
        subject = vectors.coded(df, "subject")
        under = trees.parent[trees.node] >= 0  # nothing else can be a reply: few texts to look at
        subject = subject.where(under[subject.rows]).used()
        forwarded = subjects.forwarded(subject.labels)
        kinds["forward"][subject.rows[forwarded[subject.codes]]] = True
    return ~np.logical_or.reduce(list(kinds.values())), kinds


def response_times(
    df: pd.DataFrame, *, me_: me.Given, office: Office, exclude: Iterable[str]
) -> pd.DataFrame:
    """Time each reply; see ``df.mail.response_times``."""
    mail = Correspondence(df, me_)
    found, asked = mail.found, mail.asked(exclude)
    timed = found.timed
    start, end = found.start[timed], found.end[timed]
    other = np.where(found.mine, found.original, found.reply)
    table = pd.DataFrame(
        {
            "direction": vectors.kinds((~found.mine).astype(np.int8), DIRECTIONS),
            "person": _people(df, other),
            "received": vectors.stamps(found.start),
            "replied": vectors.stamps(found.end),
            "hours": _spread((end - start) / clock.HOUR, timed),
            "business_hours": _spread(office.hours_between(start, end), timed),
            "first": found.lead & timed,
            "asked": ~found.mine | asked.asks[found.original],
        },
        index=vectors.labelled(df, found.reply),
    )
    return mail.tell(table, asking=asked.left_out)


def delays(df: pd.DataFrame, trees: threads.Forest) -> Ints:
    """Give the seconds that each reply took, whoever wrote it; -1 for what is none or untimed."""
    when = dates.micros(df)
    above = trees.parent[trees.node]
    marked = {name: asks.kind(df, name) for name in MARKED}
    reply = np.flatnonzero(trees.single & (above >= 0) & _counted(df, trees, marked)[0])
    reply = reply[trees.present[above[reply]]]
    original = trees.first[above[reply]]
    timed = (when[original] != vectors.NEVER) & (when[reply] >= when[original])
    seconds = np.full(len(df), -1, dtype=np.int64)
    seconds[reply[timed]] = (when[reply] - when[original])[timed] // clock.SECOND
    return seconds


def _people(df: pd.DataFrame, rows: Ints) -> ExtensionArray:
    """Give the senders of rows, in lower case."""
    who = vectors.coded(df, "from_addr", fold=True)
    return vectors.text(who.labels).take(who.dense(len(df))[rows], allow_fill=True)


def _spread(values: Floats, where: Bools) -> Floats:
    out = np.full(len(where), np.nan)
    out[where] = values
    return out


def response_summary(
    df: pd.DataFrame,
    by: str,
    *,
    direction: str,
    quantiles: tuple[float, ...],
    me_: me.Given,
    office: Office,
    exclude: Iterable[str],
) -> pd.DataFrame:
    """Sum up response times; see ``df.mail.response_summary``."""
    if direction not in DIRECTIONS:
        raise ConfigurationError(f"direction={direction!r}: 'mine' or 'theirs'")
    mail = Correspondence(df, me_)
    asked = mail.asked(exclude)
    found = _firsts(mail, asked, direction)
    groups, index = grouped(df, by, office.tz)
    # Theirs are grouped by who answered, mine by whom I answered: the other side, both times.
    side = found.original if direction == "mine" or volume.is_period(by) else found.reply
    cell = groups[side]
    timed = found.timed & (cell >= 0)
    start, end = found.start[timed], found.end[timed]
    business = office.hours_between(start, end)
    taken = {"hours": (end - start) / clock.HOUR, "business_hours": business}
    times = pd.DataFrame(taken).groupby(cell[timed])

    def counted(rows: Ints) -> Ints:
        return np.bincount(rows[rows >= 0], minlength=len(index))

    table = pd.DataFrame({"replies": counted(cell[timed])}, index=index)
    table["untimed"] = counted(cell[~timed])
    if direction == "mine":
        table["unanswered"] = counted(groups[unanswered(mail, asked)])
    table["outside"] = counted(cell[timed][np.isnan(business)])
    for name in taken:
        for quantile in quantiles:
            found_at = times[name].quantile(quantile).reindex(range(len(index)))
            table[f"{name}_{quantile * 100:g}%"] = found_at.to_numpy(dtype=np.float64)
    shown = table["replies"] + table["untimed"] + table.get("unanswered", 0) > 0
    if volume.is_period(by):
        volume.partial(table)
    else:
        table = vectors.ranked(table[shown], "replies")
    return mail.tell(table, asking=asked.left_out)


def _firsts(mail: Correspondence, asked: asks.Asked, direction: str) -> Replies:
    """Give the first replies of a direction: mine to what asked me, or theirs to me."""
    found = mail.found.only(mail.found.lead)
    if direction == "theirs":
        return found.only(~found.mine)
    return found.only(found.mine & asked.asks[found.original])


def hours_of_mine(mail: Correspondence, asked: asks.Asked) -> Floats:
    """Give the hours that my first replies to what asked me took."""
    found = _firsts(mail, asked, "mine")
    hours: Floats = (found.end - found.start)[found.timed] / clock.HOUR
    return hours


def unanswered(mail: Correspondence, asked: asks.Asked) -> Ints:
    r"""Give the rows of the mails that ask me, that none of mine answers, unflagged as answered."""
    waiting = asked.asks & mail.trees.single
    waiting[mail.found.original[mail.found.mine]] = False
    return np.flatnonzero(waiting & ~_flagged_answered(mail))


def _flagged_answered(mail: Correspondence) -> Bools:
    r"""Mark the rows of which any copy is flagged ``\Answered``."""
    if "answered" not in mail.df.columns:
        return np.zeros(len(mail.df), dtype=bool)
    mails = mail.trees.mails
    return mails.any(vectors.flags(mail.df, "answered"))[mails.of]


def grouped(df: pd.DataFrame, by: str, tz: str | tzinfo | None) -> tuple[Ints, pd.Index[Any]]:
    """Give the number of each row's person, domain or period."""
    if volume.is_period(by):
        rows, bins, index = volume.binned(df, by, tz, dates.BEST)
        groups = np.full(len(df), -1, dtype=np.int64)
        groups[rows] = bins
        return groups, index
    names = {"person": "from_addr", "domain": "from_domain"}
    if by not in names:
        raise ConfigurationError(f"by={by!r}: 'person', 'domain', or a period such as 'M'")
    who = vectors.coded(df, names[by], fold=True)
    return who.dense(len(df)), who.index(by)


def awaiting_reply(
    df: pd.DataFrame, *, me_: me.Given, now: datetime | None, exclude: Iterable[str]
) -> pd.DataFrame:
    """List the threads that wait for an answer; see ``df.mail.awaiting_reply``."""
    vectors.require(df, "subject", "to")
    mail = Correspondence(df, me_)
    asked, own, when = mail.asked(exclude), mail.own, mail.when
    threaded = threads.threaded(df, mail.trees)
    ends = _ends(mail, asked)
    ends &= when != vectors.NEVER

    to = vectors.coded(df, "to", fold=True)
    others = to.where(~own.has(to.labels)[to.codes])
    lead = np.flatnonzero(vectors.starts_of(others.rows))
    recipient = np.full(len(df), -1, dtype=np.int64)
    recipient[others.rows[lead]] = others.codes[lead]
    owe = ends & asked.asks & ~_flagged_answered(mail) & ~_answered_apart(mail, threaded)
    owed = ends & own.mine & (recipient >= 0)
    if "bulk" in asked.left_out:  # what went to a list waits for nobody
        owed &= ~mail.trees.mails.any(asks.kind(df, "bulk"))[mail.trees.mails.of]

    rows = np.flatnonzero(owe | owed)
    # Of several ends the deepest, then the last row: dates would choose others once they are cut.
    order = rows[np.lexsort((rows, threaded.level[rows], owe[rows], threaded.thread[rows]))]
    last = order[np.flatnonzero(np.diff(threaded.thread[order], append=-1))]
    theirs = owed[last]
    # Whom it is: the sender of what I owe, the first other recipient of what is owed to me.
    names = vectors.text(to.labels)
    person = pd.Series(_people(df, last))
    person[theirs] = names.take(recipient[last[theirs]])
    table = pd.DataFrame(
        {
            "waiting": vectors.kinds(theirs.astype(np.int8), WAITING),
            "person": person.to_numpy(),
            "subject": df["subject"].array.take(last),
            "date": vectors.stamps(when[last]),
            "thread": threaded.thread[last],
        },
        index=vectors.labelled(df, last),
    )
    table["age"] = pd.to_timedelta(clock.now(now) - when[last], unit="us")
    table["person"] = table["person"].astype("str")
    table = table.iloc[np.lexsort((last, when[last]))]
    return mail.tell(table, asking=asked.left_out)


def _ends(mail: Correspondence, asked: asks.Asked) -> Bools:
    """Mark the mails that no other mail of people hangs under: where a conversation stands.

    A draft, a program's answer, a forward of mine and unwanted or deleted mail are no ends, and
    what they hang under is one.
    """
    trees = mail.trees
    away = asks.kind(mail.df, "junk") | asks.kind(mail.df, "trash")
    away = trees.mails.every(away)[trees.mails.of]
    # Thrown away, an answer of mine was one all the same.
    here = trees.single & ((mail.counts & (~away | mail.own.mine)) | asked.asks)
    counts = np.zeros(len(trees.parent), dtype=bool)
    counts[trees.node[here]] = True
    followed = np.zeros(len(trees.parent), dtype=bool)
    above = vectors.unique(trees.parent[counts])
    while len(above := above[above >= 0]):  # over what does not count, or is not in the frame
        above = above[~followed[above]]
        followed[above] = True
        above = vectors.unique(trees.parent[above[~counts[above]]])
    return here & ~followed[trees.node]


def _answered_apart(mail: Correspondence, threaded: threads.Threaded) -> Bools:
    """Mark what I answered later in the same thread, where nothing links the two.

    Only the server can have joined them (X-GM-THRID), so dates are all that is left to go by.
    """
    thread, root = threaded.thread, threaded.root
    wrote = mail.own.mine & mail.counts & mail.trees.single & (mail.when != vectors.NEVER)
    rows = np.flatnonzero(wrote)
    total = int(thread.max(initial=-1)) + 1
    last = vectors.latest(thread[rows], mail.when[rows], total)
    latest = np.full(total, -1, dtype=np.int64)
    newest = rows[mail.when[rows] == last[thread[rows]]]
    latest[thread[newest]] = root[newest]
    apart: Bools = (latest[thread] >= 0) & (latest[thread] != root) & (last[thread] >= mail.when)
    return apart
