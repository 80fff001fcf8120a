"""``df.mail``: every statistic by its name. Definitions stand here, the work in the modules.

Each method takes any part of a mail frame, filtered, sorted or indexed anew, and gives a Series or
DataFrame with a named index. The frame is never changed; its copies and reply trees are found once,
as long as its columns stay what they are. Addresses, domains and list ids that differ only in case
are one; an instant is UTC until a zone is named.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pandas as pd

from mailframe.stats import (
    alignment,
    anonymise,
    answers,
    asks,
    attached,
    clutter,
    contacts,
    dates,
    delivery,
    describe,
    habits,
    identities,
    mails,
    me,
    people,
    replies,
    routes,
    threads,
    topics,
    volume,
)
from mailframe.stats.office import Hours, Office

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    import networkx as nx

    Zone = str | dt.tzinfo | None


Method = TypeVar("Method", bound=Callable[..., Any])


class MailAccessor:
    """Statistics of the messages in a frame.

    Parameters
    ----------
    df : pandas.DataFrame
        What a reader of mailframe returned, or a part of it.

    Raises
    ------
    AttributeError
        When the frame has none of the columns that mail is told by.

    Notes
    -----
    Rows are counted: a mail that lies in three folders counts three times. ``df.mail.unique()``
    has one row for each mail. Threads, replies and what awaits one count mails in any case.

    Five arguments mean the same everywhere:

    ``tz``
        The zone that days, weekdays and hours are told in: a name as ``"Europe/Berlin"``, the
        reader's own by default, or ``"sender"`` for the zone that each message's Date names
        (not on office clocks, where one zone must do for question and answer).
    ``date``
        ``"best"``: the Date field (RFC 5322 section 3.6.1) where it lies between 1990 and two days
        after the arrival (or, where that is unknown, after now); else the arrival, INTERNALDATE
        (RFC 9051 section 2.3.3); else the oldest Received, where that header was read. In a
        Maildir the newest Received counts before the arrival, which is the time of the file.
        ``dates()`` lists the Dates that cannot be right. ``"date"`` and ``"internaldate"`` are
        these columns as they are.
    ``me``
        The user's own addresses, compared without case and detail (``me+shop@``); a name beside
        an address does no harm. By default a guess for each account: who the mail in Sent folders
        is from, else the login, else whom most personal mail is to. ``result.attrs["me"]`` says
        which and how; where no mail is from them there is a warning.
    ``people``
        Which addresses are one person's, as ``mf.identities`` proposes; every method takes it.
    ``exclude``
        What is no question to me: by default "draft", "deleted", "junk" and "trash" (by flags and
        by folders, as the server said what these are for, ``df.attrs["mailframe"]["special_use"]``,
        else, as where ``pd.concat`` dropped that, by their names; of a mail with copies every
        copy), "bulk" (sent to many: the column, List-Id, List-Unsubscribe) and "auto" (sent by a
        program: the column, no-reply senders). Fewer of these names leave out less.
        ``result.attrs["left_out"]`` counts: ``asking``, the mails to me that were left out of the
        questions, by reason, each once; ``replies``, the mails left out of the replies, as
        ``response_times`` has it.
    """

    def __init__(self, df: pd.DataFrame) -> None:
        if not {"date", "from_addr", "message_id", "folder"} & set(df.columns):
            raise AttributeError(
                "df.mail is for frames of mail headers, and this one has none of their columns: "
                "read one with mf.read_imap(), mf.read_mbox() or another reader"
            )
        self._df = df

    def volume(
        self,
        freq: str = "W",
        *,
        by: str | None = None,
        top: int = 10,
        cumulative: bool = False,
        tz: Zone = None,
        date: str = dates.BEST,
    ) -> pd.Series[Any] | pd.DataFrame:
        """Count messages by period.

        Rows are counted: a mail in two folders counts twice. Periods are those of ``tz``.

        Parameters
        ----------
        freq : str
            "D", "W" (from Monday), "M", "Q", "Y": days, weeks and so on of the calendar in
            ``tz``; several of them as "7D", from the first one with mail; other weeks and quarters
            by pandas' names, "W-SAT" (ends on Saturday), "Q-NOV" (of a year that ends in
            November), "QS-FEB"; or a fixed step of time, "h", "15min".
        by : str, optional
            A column, each of whose values becomes a column of the result: "folder",
            "from_domain", "seen", also a list column as "to". Addresses, domains and list ids
            stand in lower case.
        top : int
            How many of these values; "(other)" takes in the rest and "(none)" the messages
            without a value, so that a row adds up to the messages of its period (but for a list
            column, whose messages stand under each of their values).
        cumulative : bool
            Whether to add up from the first period on.
        tz, date
            See the class.

        Returns
        -------
        pandas.Series of int64, or pandas.DataFrame with ``by``
            Indexed by the start of each period from the first with mail to the last; periods
            without mail are 0. Messages without any date are left out. ``attrs["partial"]`` names
            the first and the last period: mail begins and ends somewhere within them.
        """
        return volume.volume(
            self._df, freq, by=by, top=top, cumulative=cumulative, tz=tz, date=date
        )

    def matrix(self, *, tz: Zone = None, date: str = dates.BEST) -> pd.DataFrame:
        """Count messages by weekday and hour on the wall clock of ``tz``.

        Rows are counted: a mail in two folders counts twice.

        With ``tz="sender"`` a message counts as UTC where its Date names no zone ("-0000"); so
        many stand in ``attrs["zoneless"]``.

        Returns
        -------
        pandas.DataFrame of int64, 7 by 24
            Index "weekday" from Mon to Sun, columns "hour" from 0 to 23.
        """
        return volume.matrix(self._df, tz=tz, date=date)

    def calendar(self, *, tz: Zone = None, date: str = dates.BEST) -> pd.Series[Any]:
        """Count messages by day of the calendar in ``tz``.

        Rows are counted: a mail in two folders counts twice.

        Returns
        -------
        pandas.Series of int64
            Indexed by "day" (without a zone: a day, not an instant), with no day left out from
            the first to the last.
        """
        return volume.calendar(self._df, tz=tz, date=date)

    def trend(self, freq: str = "M", *, tz: Zone = None, date: str = dates.BEST) -> pd.DataFrame:
        """Compare how much mail there is with the period before; periods as in ``volume``.

        Rows are counted: a mail in two folders counts twice.

        Returns
        -------
        pandas.DataFrame
            Indexed by the start of each period in ``tz``: ``messages`` (rows), ``before``, those of
            the period before, ``change`` (0.1: a tenth more), ``z``, how far from the median of
            whole periods in robust deviations (1.4826 times the median deviation; beyond 3.5 a
            burst or a lull: Iglewicz and Hoaglin, 1993), ``partial``: the first and the last
            period, which may not be whole; and ``unusual``, "burst" or "lull" of whole periods.
        """
        return habits.trend(self._df, freq, tz=tz, date=date)

    def kinds(
        self,
        freq: str | None = None,
        *,
        me: me.Given = None,
        tz: Zone = None,
        date: str = dates.BEST,
    ) -> pd.DataFrame:
        r"""Tell how much of what others sent is personal, of lists and of machines.

        Counted are mails (copies once) from others, drafts left out. A machine's are sent by a
        program (column ``auto``, no-reply senders), a list's else sent to many (column ``bulk``,
        List-Id, List-Unsubscribe); what is neither is personal.

        Parameters
        ----------
        freq : str, optional
            A period as in ``volume``, in ``tz``: then there is a row for each.
        me, tz, date
            See the class.

        Returns
        -------
        pandas.DataFrame
            Indexed by "kind": ``messages``, ``share`` of all these mails, ``read``, the share of
            which any copy is flagged ``\Seen``. With ``freq`` the messages of each kind as columns,
            indexed by the start of each period; mails without any date are left out then.
        """
        return habits.kinds(self._df, freq, me_=me, tz=tz, date=date)

    def flow(
        self,
        freq: str = "W",
        *,
        me: me.Given = None,
        tz: Zone = None,
        date: str = dates.BEST,
    ) -> pd.DataFrame:
        """Count sent against received messages by period.

        Sent is what is from one of the user's own addresses and neither a draft nor deleted;
        received is everything from others but drafts. Rows are counted, copies too.

        Returns
        -------
        pandas.DataFrame of int64
            Columns "sent" and "received"; index and ``attrs["partial"]`` as in ``volume``.
        """
        return volume.flow(self._df, freq, me_=me, tz=tz, date=date)

    def top(self, column: str = "from_addr", n: int = 10) -> pd.Series[Any]:
        """Count messages by the values of any column, the commonest first.

        Rows are counted: a mail in two folders counts twice.

        Addresses, domains and list ids that differ only in case are one. A message counts once
        for each value that a list column holds. Equal counts are in the order of the values.

        Returns
        -------
        pandas.Series of int64
            Named "messages", indexed by the value.
        """
        return people.top(self._df, column, n)

    def senders(self) -> pd.DataFrame:
        r"""Tell of each sender's address how much it wrote, how much was read, and since when.

        Rows are counted: a mail in two folders counts twice. Instants are UTC.

        Returns
        -------
        pandas.DataFrame
            Indexed by "address" (lower case): ``name`` the commonest display name, ``names`` how
            many there are, ``messages``, ``bytes``, ``read`` (share flagged ``\Seen``, RFC 9051
            section 2.3.2), ``first``, ``last``.
        """
        return people.senders(self._df)

    def names(self) -> pd.Series[Any]:
        """Count the display names that each address writes under.

        Rows are counted: a mail in two folders counts twice.

        Returns
        -------
        pandas.Series of int64
            Indexed by "address" and "name", the commonest name of an address first.
        """
        return people.names(self._df)

    def domains(self, level: str = "domain") -> pd.DataFrame:
        """Tell of each domain that mail is from.

        Rows are counted: a mail in two folders counts twice. Instants are UTC.

        Parameters
        ----------
        level : {"domain", "organisation"}
            Whether ``mail.example.co.uk`` and ``example.co.uk`` are two, or one organisation: what
            somebody registered under a public suffix (publicsuffix.org, the list that the package
            ``publicsuffixlist`` brings; its private part too, so that users of one host are many).

        Returns
        -------
        pandas.DataFrame
            Indexed by "domain", or by "organisation": ``messages``, ``senders`` (distinct
            addresses), ``bytes``, ``read`` share, ``first``, ``last``.
        """
        return people.domains(self._df, level)

    def recipients(self) -> pd.DataFrame:
        """List every recipient of every message: the frame in long form.

        Returns
        -------
        pandas.DataFrame
            One row a recipient, in the order of the messages and their fields; indexed by the
            message's label in the frame ("message" where the index has no name). ``kind`` is
            "to", "cc" or "bcc" (where that header was asked for); ``name`` is the commonest name
            that the address itself writes under in this frame, missing where it never does;
            ``address`` as written; ``domain`` lower case.
        """
        return people.recipients(self._df)

    def people(self) -> pd.DataFrame:
        """Tell of every address in From, To or Cc.

        Rows are counted: a mail in two folders counts twice. Instants are UTC.

        Returns
        -------
        pandas.DataFrame
            Indexed by "address" (lower case): ``name`` and ``domain``, ``messages`` it occurs
            in, how many of these it ``wrote`` and was ``addressed`` by, ``first`` and ``last``
            seen.
        """
        return people.people(self._df)

    def newcomers(
        self,
        freq: str = "M",
        *,
        column: str = "from_addr",
        tz: Zone = None,
        date: str = dates.BEST,
    ) -> pd.DataFrame:
        """List who was seen for the first time, by period.

        Rows are counted: a mail in two folders counts twice. Periods are those of ``tz``,
        ``first`` is UTC.

        ``.groupby(level=0).size()`` counts them. Take the whole frame: in a part of it everyone
        is new at its beginning.

        Returns
        -------
        pandas.DataFrame
            One row an address (or a value of ``column``), indexed by the start of the period of
            its ``first`` message, in that order; ``messages`` counts all of its mail;
            ``attrs["partial"]`` as in ``volume``.
        """
        return people.newcomers(self._df, freq, column=column, tz=tz, date=date)

    def internal(
        self, domains: str | Iterable[str] | None = None, *, me: me.Given = None
    ) -> pd.DataFrame:
        """Compare mail from inside an organisation with mail from outside.

        Rows are counted: a mail in two folders counts twice. Instants are UTC.

        Parameters
        ----------
        domains : str or iterable of str, optional
            What is inside; by default the domains of the user's own addresses. With an address
            at a public provider give them: not everyone there is a colleague.
        me
            See the class.

        Returns
        -------
        pandas.DataFrame
            Indexed by "side", "internal" and "external": ``messages``, ``bytes``, ``read``
            share, ``first``, ``last``. Mail without a sender's domain is on neither side.
        """
        return people.internal(self._df, own=domains, me_=me)

    def thread_ids(self, *, by_subject: bool = False, server: bool = True) -> pd.Series[Any]:
        """Give each message the number of its thread.

        Threads are the trees of the REFERENCES algorithm (RFC 5256 section 3, after
        J. Zawinski): a message hangs under the last id of its References, else under its
        In-Reply-To. The copies of a mail (see ``unique``) are one message; of different mails that
        bear one Message-ID the first has it, and the others are messages without an id.

        Parameters
        ----------
        by_subject : bool
            Whether to join threads of one base subject (RFC 5256 section 2.1, and the "AW:" and
            "回复:" of other languages) as well, as the algorithm's last steps do. It finds
            replies of programs that write no References, and joins every "Hello".
        server : bool
            Whether the server's own thread decides (columns ``x_gm_thrid``; ``thread_id``, RFC
            8474), where there is one.

        Returns
        -------
        pandas.Series of int64
            Aligned to the frame, named "thread": 0, 1, … in the order of first rows.
        """
        return threads.thread_ids(self._df, by_subject=by_subject, server=server)

    def threads(self, *, by_subject: bool = False, server: bool = True) -> pd.DataFrame:
        """Tell of each thread; parameters as in ``thread_ids``.

        Messages are counted, copies once; instants are UTC.

        Returns
        -------
        pandas.DataFrame
            Indexed by "thread", the number that ``thread_ids`` gives: ``messages`` (copies not
            counted), ``depth`` (the longest chain of replies, 1 for a single message),
            ``participants`` (distinct senders), ``start``, ``end``, ``duration``, ``subject`` and
            ``started_by`` of the earliest message, and ``root``, the Message-ID at the top, which
            need not be in the frame (missing where nothing has an id).
        """
        return threads.threads(self._df, by_subject=by_subject, server=server)

    def response_times(
        self,
        *,
        me: me.Given = None,
        days: Iterable[int] = (0, 1, 2, 3, 4),
        hours: Hours = (9, 17),
        holidays: Iterable[dt.date | str] | str = (),
        tz: Zone = None,
        exclude: Iterable[str] = asks.EXCLUDED,
    ) -> pd.DataFrame:
        """Time each of my replies to others, and each of theirs to me.

        A reply is a mail whose parent (the last id of References, else In-Reply-To; RFC 5322
        section 3.6.4) is in the frame, one of the two from me and the other not. No replies are
        drafts, deleted mail, automatic replies (column ``auto``; RFC 3834) and forwards (by their
        subject, "Fwd: "); ``attrs["left_out"]["replies"]`` counts them. Copies of a mail count
        once. Time runs from the parent's date to the reply's, by ``date="best"``. The business
        clock runs on work days only, from opening to closing, in ``tz``.

        Parameters
        ----------
        days : iterable of int
            Work days, Monday is 0.
        hours : tuple of (float, float), or mapping of int to such
            Opening and closing, in hours after midnight; a mapping gives the work days, each with
            its own: ``{0: (9, 17), 4: (9, 13)}``.
        holidays : iterable of date or str, or str
            Days without work, and leave as "2024-07-15/2024-07-26" (both days included); a country
            as "CH", or a part of one as "CH-ZH" (ISO 3166), whose public holidays the package
            ``holidays`` knows; or several of these.
        me, tz, exclude
            See the class.

        Returns
        -------
        pandas.DataFrame
            One row a reply, indexed by its label in the frame: ``direction`` "mine" or "theirs";
            ``person`` the other side; ``received`` and ``replied``, instants of the parent and
            the reply; ``hours`` and ``business_hours``, missing where a date is, or where the
            reply is dated before its parent (a clock was wrong); the latter also where both are
            outside of business hours, with none between; ``first``, whether it is the earliest
            with a time of this person's replies to this parent (mine are one person's); ``asked``,
            whether the parent asked for it: always of theirs, of mine as ``exclude`` has it.
        """
        office = Office(days, hours, holidays, tz)
        return replies.response_times(self._df, me_=me, office=office, exclude=exclude)

    def response_summary(  # noqa: PLR0913 -- an office has its days and hours
        self,
        by: str = "person",
        *,
        direction: str = "mine",
        quantiles: tuple[float, ...] = (0.5, 0.9),
        me: me.Given = None,
        days: Iterable[int] = (0, 1, 2, 3, 4),
        hours: Hours = (9, 17),
        holidays: Iterable[dt.date | str] | str = (),
        tz: Zone = None,
        exclude: Iterable[str] = asks.EXCLUDED,
    ) -> pd.DataFrame:
        r"""Sum up the first replies by person, domain or period.

        Of mine count those to mails that ask me: they name me in To, are not from me, and are not
        of a kind in ``exclude``. Each counts once, be it answered, answered without a time, or
        not at all. Of theirs each person's first reply to each mail of mine counts.

        Parameters
        ----------
        by : str
            "person" or "domain" (of the other side; mail that names no sender is nobody's), or a
            period as "M" (when the question came).
        direction : str
            "mine", how fast I answer, or "theirs", how fast I am answered.
        quantiles : tuple of float
            Which to give; linear between values, as NumPy has them.
        me, days, hours, holidays, tz, exclude
            See ``response_times``.

        Returns
        -------
        pandas.DataFrame
            ``replies``, the number of first replies with a time, which the quantiles of hours are
            of; ``untimed``, questions whose replies have none (no date, or one before the
            question's); for "mine" ``unanswered``, the mails that ask me, that no reply of mine
            answers, and that are not flagged ``\Answered`` (RFC 9051 section 2.3.2): in no
            average; ``outside``, how many of the replies came, as their questions, outside of
            business hours with none between: in no quantile of business hours; ``hours_50%`` and
            so on, then the same in business hours, of ``replies`` less ``outside``. By period,
            ``attrs["partial"]`` is as in ``volume``.
        """
        office = Office(days, hours, holidays, tz)
        return replies.response_summary(
            self._df,
            by,
            direction=direction,
            quantiles=quantiles,
            me_=me,
            office=office,
            exclude=exclude,
        )

    def awaiting_reply(
        self,
        *,
        me: me.Given = None,
        now: dt.datetime | None = None,
        exclude: Iterable[str] = asks.EXCLUDED,
    ) -> pd.DataFrame:
        r"""List the threads that wait for an answer: what I owe, and what is owed to me.

        A conversation stands at its ends, the mails that nothing hangs under: dates do not say
        who answered whom. No ends are drafts, deleted mail, automatic replies and forwards of
        mine, nor what others sent that lies in Junk or Trash. I owe an answer where an end asks
        me (see ``exclude``) and no copy of it is flagged ``\Answered``; else one is owed to me
        where an end is mine, went to no list (bulk, as ``exclude`` has it) and has somebody else
        in To. (In threads of Gmail that no reference holds together, a later mail of mine is an
        answer.) Headers do not tell a question from a
        last word of thanks: both wait, and ``age`` tells what is still worth a look.

        Returns
        -------
        pandas.DataFrame
            One row a thread, longest waiting first, indexed by the label of that end (of several
            the deepest, of these the last in the frame): ``waiting`` "owe" or "owed", ``person``,
            ``subject``, ``date``, ``thread`` (as in ``thread_ids``), ``age`` up to ``now`` (the
            present by default).
        """
        return replies.awaiting_reply(self._df, me_=me, now=now, exclude=exclude)

    def unique(self) -> pd.DataFrame:
        r"""Keep one row of each mail, whatever the number of folders it lies in.

        Copies share the server's own id (columns ``x_gm_msgid``, ``email_id``) where there is one,
        else Message-ID, Date and sender; a mail without a Message-ID is alone.

        Returns
        -------
        pandas.DataFrame
            The first row of each mail, in the order of the frame. ``seen``, ``answered``,
            ``flagged``, ``bulk`` and ``auto`` are set where any copy has them, ``draft`` and
            ``deleted`` where every copy has (what was moved leaves a deleted copy behind);
            ``keywords`` are those of all copies; ``folders`` (list of str) tells where they lie.
        """
        return mails.unique(self._df)

    def search(self, line: str, *, tz: Zone = None, me: me.Given = None) -> pd.DataFrame:
        """Keep the messages that a line of the search language finds.

        The language is the explorer's: ``from:ann subject:"plan b" newer_than:7d larger:1M
        is:unread -list:dev``, with ``OR`` and parentheses; its "?" shows all of it.

        Parameters
        ----------
        line : str
            Terms that must all hold; an empty line keeps everything.
        tz : str or tzinfo, optional
            Where days, weekdays and hours are told; your own zone by default.
        me : str or iterable of str, optional
            Your addresses, for ``from:me`` and ``to:me``; guessed by default.

        Returns
        -------
        pandas.DataFrame
            These rows, with their labels.

        Raises
        ------
        ConfigurationError
            The line cannot be read, or the frame lacks a column that it asks for.
        """
        from mailframe.search.matching import find  # noqa: PLC0415 -- a floor above the statistics

        return find(self._df, line, tz=tz, me=me)

    def flat(self) -> pd.DataFrame:
        """Give the frame with its lists as text, on which every verb of pandas works.

        Arrow's lists are compact and fast, but pandas cannot compare, sort or count them:
        ``drop_duplicates``, ``nunique``, ``describe(include="all")``, ``sort_values("to")`` and
        ``value_counts`` want this form.

        Returns
        -------
        pandas.DataFrame
            A new frame; each column of lists is str, its items joined by "; ".
        """
        return mails.flat(self._df)

    def when(self, date: str = dates.BEST) -> pd.Series[Any]:
        """Give the instant of each message, as every other method takes it; see the class.

        Returns
        -------
        pandas.Series of datetime64[us, UTC]
            Aligned to the frame, named "date"; NaT where nothing tells.
        """
        stamps = dates.stamps(self._df, date)
        return pd.Series(stamps, index=self._df.index, name=dates.name(date))

    def dates(self) -> pd.DataFrame:
        """List the messages whose Date cannot be right: before 1990, or after the arrival.

        Two days after the arrival are allowed for, or after now where the arrival is unknown.

        Returns
        -------
        pandas.DataFrame
            Indexed by the message's label in the frame: ``date`` as it says, ``best``, what
            counts instead, by which ``witness`` ("arrival", "received", missing where there is
            none), ``from_addr``, ``subject``.
        """
        return dates.impossible(self._df)

    def sizes(self, by: str = "folder", *, tz: Zone = None) -> pd.DataFrame:
        """Add up RFC822.SIZE (RFC 9051 section 2.3.4) by any column, or by "year".

        Rows are counted: a mail in two folders counts twice. Years are those of ``tz``.

        Returns
        -------
        pandas.DataFrame
            Largest sum first (years in order): ``messages``, ``bytes``, ``share`` of the bytes of
            the frame, ``mean``, ``largest``. Messages of unknown size count 0 bytes. By year,
            ``attrs["partial"]`` names the first and the last.
        """
        return clutter.sizes(self._df, by, tz)

    def attachments(self, by: str | None = None) -> pd.DataFrame:
        """List what is attached, or add it up: of a frame read with ``attachments=True``.

        A part is an attachment by the rule of `mailframe.headers.attachments`; its size is the
        decoded one, estimated from what travels. Copies count each; see ``unique``.

        Parameters
        ----------
        by : str, optional
            "type", "size" (classes at powers of ten), or any column with one value a message, such
            as "from_addr", "from_domain" or "folder".

        Returns
        -------
        pandas.DataFrame
            Without ``by`` one row an attachment, largest first, indexed by the message's label in
            the frame: ``name`` (missing where it has none), ``type``, ``bytes`` (Int64). With it
            largest sum first (sizes in order): ``attachments``, ``messages``, ``bytes``, ``share``
            of all bytes attached, ``largest``. An unknown size counts 0 bytes.
        """
        return attached.attachments(self._df, by)

    def largest(self, n: int = 20) -> pd.DataFrame:
        """List the largest messages.

        Returns
        -------
        pandas.DataFrame
            Largest first, indexed by their labels in the frame: ``folder``, ``uid``, ``date``,
            ``from_addr``, ``subject``, ``size``.
        """
        return clutter.largest(self._df, n)

    def read_share(self, by: str = "from_addr", *, least: int = 1) -> pd.DataFrame:
        r"""Tell what is read of each sender's, list's or folder's mail.

        Rows are counted: a mail in two folders counts twice. ``messages`` is the n of ``share``.

        Returns
        -------
        pandas.DataFrame
            Of values with at least ``least`` messages: ``messages``, ``read`` (flagged
            ``\Seen``), ``share``.
        """
        return clutter.read_share(self._df, by, least)

    def lists(self) -> pd.DataFrame:
        """Tell of each mailing list (List-Id, RFC 2919), and how to leave it.

        Rows are counted: a mail in two folders counts twice. ``messages`` is the n of ``read``;
        instants are UTC.

        Returns
        -------
        pandas.DataFrame
            Indexed by "list_id": ``messages``, ``bytes``, ``read`` share, ``first``, ``last``,
            ``last_read``, the date of its newest read message; and ``unsubscribe``, the link its
            newest message names (List-Unsubscribe, RFC 2369; https before mailto), where the
            frame was read with ``headers=["List-Unsubscribe"]``.
        """
        return clutter.lists(self._df)

    def inbox_age(self, folder: str = "INBOX", *, now: dt.datetime | None = None) -> pd.Series[Any]:
        """Count the mail in a folder by age: up to 1, 7, 30, 90, 365 days before ``now``, older.

        Rows are counted; ages are spans of time, the same in any zone.

        Of folders that differ in case only the one named counts; INBOX is one in any case.

        Returns
        -------
        pandas.Series of int64
            Indexed by "age". Dates in the future count as today.

        Raises
        ------
        ConfigurationError
            There is no such folder in the frame.
        """
        return clutter.inbox_age(self._df, folder, now)

    def duplicates(self) -> pd.DataFrame:
        """List mails that are kept more than once (see ``unique``).

        Different mails that bear one Message-ID are no copies, and nothing of them is wasted.

        Returns
        -------
        pandas.DataFrame
            Indexed by "message_id", the most wasteful first: ``copies``, ``folders`` (list of
            str), ``bytes`` of all, ``wasted`` by all but the largest. Servers may store copies
            once (Gmail's labels do), so this is what the mailbox shows, not what the disk holds.
        """
        return clutter.duplicates(self._df)

    def authentication(self, *, authserv: str | Iterable[str] | None = None) -> pd.DataFrame:
        """Give each message's SPF, DKIM and DMARC results, as its receiving server wrote them.

        From Authentication-Results (RFC 8601), of a frame read with ``headers=mf.DELIVERY``.

        Parameters
        ----------
        authserv : str or iterable of str, optional
            The servers (authserv-id) to believe; by default the one on top of most messages, and
            ``result.attrs["authserv"]`` names it. Results under other names are ignored, since
            anyone can send them along. A server that gives no name (Exchange Online does not) is
            "(unnamed)".

        Returns
        -------
        pandas.DataFrame
            Aligned to the frame: ``checked``, whether a believed server left results; ``spf``,
            ``dkim``, ``dmarc``: "pass", "fail", "none" … (RFC 8601 section 2.7), missing where
            there is none; of several DKIM signatures "pass" if one passed; ``arc``, what the server
            made of the seals of those who passed it on (RFC 8617).
        """
        return delivery.authentication(self._df, authserv)

    def alignment(self, *, authserv: str | Iterable[str] | None = None) -> pd.DataFrame:
        """Tell whether what passed SPF or DKIM is the author's domain: DMARC alignment.

        Relaxed, by organisation (RFC 7489 section 3.1; see ``domains``). From
        Authentication-Results of believed servers, as ``authentication`` has it.

        Returns
        -------
        pandas.DataFrame
            Aligned to the frame: ``checked``, whether a believed server left results; ``domain``
            of the author (header.from, else ``from_domain``); ``spf``, whether it passed for a
            smtp.mailfrom of the same organisation; ``dkim``, the same of a header.d (else
            header.i); ``aligned``, whether one of both.
        """
        return alignment.alignment(self._df, authserv)

    def hops(self) -> pd.DataFrame:
        """List the relays of each message, from Received (RFC 5321 section 4.4).

        Each field is a row; instants are UTC.

        Of a frame read with ``headers=mf.DELIVERY``. All but the last few fields were written by
        strangers' servers.

        Returns
        -------
        pandas.DataFrame
            Indexed by the message's label and ``hop``, 1 for the first relay: ``from_host``,
            ``by_host``, ``protocol`` (of RFC 3848, upper case), ``tls`` (missing where mail was
            not handed over by SMTP or LMTP), ``time``, ``seconds`` since the hop before, which
            are negative where clocks differ.
        """
        return delivery.hops(self._df)

    def route(self) -> pd.DataFrame:
        """Tell of each message where it came in from outside, and where it lost time.

        From Received (RFC 5321 section 4.4), of a frame read with ``headers=mf.DELIVERY``. The
        border is the newest handover by SMTP between two organisations (what somebody registered
        under a public suffix, as in ``domains``); all below it was written by strangers.

        Returns
        -------
        pandas.DataFrame
            Aligned to the frame: ``hops``, the number of fields; ``seconds`` from the first relay
            to the last; ``border_from``, ``border_by``, the hosts, ``border_tls``, whether that
            handover was encrypted, ``border_version`` as "TLS 1.3" where the server notes it, all
            missing where no border is to be seen; ``slowest``, the number of the hop (as in
            ``hops``) before which the message waited longest, ``slowest_by``, who took it then,
            ``slowest_seconds``; missing where no two hops in a row have times in order.
        """
        return routes.route(self._df)

    def delivery(
        self, by: str = "from_domain", *, authserv: str | Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Sum up authentication and the way of the mail by domain, or any other column.

        Rows are counted: a mail in two folders counts twice. Each share has its n beside it.

        Returns
        -------
        pandas.DataFrame
            ``messages``; ``checked``, those with results of a believed server (see
            ``authentication``); ``spf``, ``dkim``, ``dmarc``, the share of ``checked`` that
            passed; and with a column ``received``: ``traced``, the messages with such a field, of
            which ``hops`` is the mean number; ``handovers``, their hops by SMTP, of which ``tls``
            is the share that was encrypted (LMTP only puts mail into a mailbox);
            ``seconds``, the median from the first relay to the last.
        """
        return delivery.delivery(self._df, by, authserv)

    def contacts(self, *, least: int = 1) -> pd.DataFrame:
        """List who writes to whom, as the edges of a graph.

        A row counts once for each pair of addresses; instants are UTC.

        Returns
        -------
        pandas.DataFrame
            Indexed by "edge", the busiest first: ``source`` (From), ``target`` (each of To and
            Cc, oneself left out), ``messages`` (at least ``least``), ``first``, ``last``.
        """
        return contacts.contacts(self._df, least)

    def contact_graph(self, *, least: int = 1) -> nx.DiGraph[str]:
        """Build a ``networkx.DiGraph`` of ``contacts``; needs the extra ``graph``.

        Edges carry ``messages``; people ``degree`` (the share of all others whom one writes to or
        hears from, 0 to 1), ``betweenness`` (Brandes, 2001: exact up to 100 people, else estimated
        from 100 of them, from fewer beyond 300,000 edges) and ``community`` (Leiden: Traag et al.,
        2019, by modularity; 0 is the largest). Other programs read what
        ``networkx.write_graphml`` and ``networkx.write_gexf`` write of it.

        Raises
        ------
        ConfigurationError
            When the extra ``graph`` is not installed.
        """
        return contacts.contact_graph(self._df, least)

    def contact_ranks(self, *, least: int = 1) -> pd.DataFrame:
        """Give the centralities and communities of ``contact_graph`` as a table (extra ``graph``).

        Returns
        -------
        pandas.DataFrame
            Indexed by "address": ``community``, ``degree``, ``betweenness``.
        """
        return contacts.contact_ranks(self._df, least)

    def describe(self, *, me: me.Given = None, tz: Zone = None) -> describe.Description:
        """Sum up the mailbox on one screen; prints as text with bars, shows as HTML in a notebook.

        Text of strangers is made safe for a terminal, and escaped in HTML.
        """
        return describe.describe(self._df, me_=me, tz=tz)

    def anonymise(self, key: str | bytes, *, coarsen: str | None = None) -> pd.DataFrame:
        """Replace who and what by keyed hashes, so that the frame can be shared.

        The same value has the same hash everywhere, under the same key: threads, people, domains
        and lists stay what they were. Replaced are accounts, addresses, names, domains, subjects
        (of replies, "Re: " stays), message and list ids, folders and keywords but for common ones.
        Kept are UIDs, flags, sizes and times; columns of other headers and ``attrs`` are dropped.
        Who knows a message's exact time and size can still find it.

        Parameters
        ----------
        key : str or bytes
            At least 8 octets, random (``secrets.token_hex(16)``): who can guess it can find out
            by trial which address is which.
        coarsen : str, optional
            Cut times down to a step as "h" or "D" (of UTC). Different mails of one Message-ID
            are told apart by their dates only: within a step they become one.

        Returns
        -------
        pandas.DataFrame
            Rows, index and dtypes of the frame; of its columns those that mailframe always reads.
        """
        return anonymise.anonymise(self._df, key, coarsen)

    def joined(self, people: Mapping[str, str]) -> pd.DataFrame:
        """Give the frame with one address for each person; every method's ``people=`` does this.

        Parameters
        ----------
        people : mapping of str to str
            An address to the address that stands for its person, compared without case:
            ``mf.identities(df)`` proposes one, to be read and mended.

        Returns
        -------
        pandas.DataFrame
            The rows and columns of the frame; in ``from_addr``, ``to``, ``cc`` and so on each
            address of the mapping replaced, and ``from_domain`` with it.
        """
        return identities.joined(self._df, people)

    def subjects(self, *, local: bool = False) -> pd.DataFrame:
        """Tell of each base subject (RFC 5256 section 2.1): what mail is about.

        Counted are messages (rows) with a subject, whatever the zone.

        Parameters
        ----------
        local : bool
            Whether marks of replies and forwards in other languages are taken off as well: AW, WG,
            SV, VS, Antw, RES, RV, TR, 回复, 答复. Some subjects begin with such a word by right.

        Returns
        -------
        pandas.DataFrame
            Indexed by "subject" (lower case, without "Re:", "Fwd:" and tags), the commonest first:
            ``messages``, ``people`` (distinct senders), ``tags`` (list of str, the "[tags]" that
            stood in front, without brackets), ``bytes``, ``read`` share, ``first``, ``last``.
        """
        return topics.by_subject(self._df, local=local)

    def clients(self) -> pd.DataFrame:
        """Tell of each program that mail was written with: User-Agent, else X-Mailer.

        Of a frame read with ``headers=["User-Agent", "X-Mailer"]``. Neither field is standard for
        mail, and many programs write none: ``messages`` are of those that do.

        Returns
        -------
        pandas.DataFrame
            Indexed by "client", the name without its version: ``messages``, ``people`` (distinct
            senders), ``versions`` (distinct texts), ``bytes``, ``read``, ``first``, ``last``.
        """
        return topics.clients(self._df)

    def answered(
        self,
        by: str | None = None,
        *,
        within: Iterable[str] = answers.WITHIN,
        per: str = "mail",
        me: me.Given = None,
        now: dt.datetime | None = None,
        exclude: Iterable[str] = asks.EXCLUDED,
        tz: Zone = None,
    ) -> pd.DataFrame:
        r"""Tell how much of what asked me I answered, and how soon, of all that asked.

        A question is a mail that asks me (see ``exclude``) and has a date; answered it is by a
        reply of mine, or where any copy is flagged ``\Answered`` (RFC 9051 section 2.3.2).

        Parameters
        ----------
        by : str, optional
            "person" or "domain" that asked, "hour" or "weekday" of the question in ``tz``, or a
            period as "M"; all in one row by default.
        within : iterable of str
            Spans of time as "1h", "7D".
        per : {"mail", "conversation"}
            Whether each mail is a question, or only the first one of each thread, which any reply
            of mine in the thread answers.
        now : datetime, optional
            Until when a question without an answer was open; the present by default.
        me, exclude, tz
            See the class.

        Returns
        -------
        pandas.DataFrame
            ``asked``, the n of all; ``answered``; ``untimed``, those whose answer has no time;
            ``share`` answered of asked with its interval ``low`` to ``high`` (Wilson, 1927; 95 %);
            for each span ``within_4h``, the share answered by then of ``n_4h``: the questions that
            were answered by then or are at least so old (what came an hour ago cannot tell, and
            ``untimed`` neither); ``median_hours`` by Kaplan and Meier (1958), of ``asked`` less
            ``untimed``: open questions count for as long as they are open, and where fewer than
            half are answered there is none. By period, ``attrs["partial"]`` is as in ``volume``.
        """
        return answers.answered(
            self._df, by, within=within, per=per, me_=me, now=now, exclude=exclude, tz=tz
        )

    def backlog(
        self,
        *,
        me: me.Given = None,
        now: dt.datetime | None = None,
        exclude: Iterable[str] = asks.EXCLUDED,
        tz: Zone = None,
    ) -> pd.DataFrame:
        """Count the questions that were open at the end of each day in ``tz``.

        Questions and answers as in ``answered``; those whose answer has no time are left out.

        Returns
        -------
        pandas.DataFrame of int64
            Indexed by "day", from the first question to ``now``: ``asked`` and ``answered`` on
            that day, ``open`` at its end.
        """
        return answers.backlog(self._df, me_=me, now=now, exclude=exclude, tz=tz)

    def after_hours(
        self,
        by: str = "side",
        *,
        me: me.Given = None,
        days: Iterable[int] = (0, 1, 2, 3, 4),
        hours: Hours = (9, 17),
        holidays: Iterable[dt.date | str] | str = (),
        tz: Zone = None,
    ) -> pd.DataFrame:
        """Tell how much is written outside of working hours, on the office clock of ``tz``.

        Parameters
        ----------
        by : {"side", "person"}
            What I wrote against what others wrote, or each sender.
        me, days, hours, holidays, tz
            See ``response_times``.

        Returns
        -------
        pandas.DataFrame
            ``messages``, mails that have a date (copies once; no drafts, of mine no deleted ones);
            of these ``after_hours``, the share on work days before opening or after closing, and
            ``days_off``, the share on other days and holidays.
        """
        return habits.after_hours(self._df, by, me_=me, office=Office(days, hours, holidays, tz))


def _for_people(method: Method) -> Method:
    """Let a method take ``people=``: it then sees one address for each person."""
    signature = inspect.signature(method)
    keyword = inspect.Parameter(
        "people",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation="Mapping[str, str] | None",
    )

    @functools.wraps(method)
    def told(
        self: MailAccessor,
        *args: Any,  # noqa: ANN401 -- whatever the method takes
        people: Mapping[str, str] | None = None,
        **named: Any,  # noqa: ANN401 -- the same
    ) -> Any:  # noqa: ANN401 -- whatever it gives
        if people:
            self = MailAccessor(self.joined(people))
            if named.get("me") is not None:
                named["me"] = identities.persons(named["me"], people)
        return method(self, *args, **named)

    given = [*signature.parameters.values(), keyword]
    vars(told)["__signature__"] = signature.replace(parameters=given)
    return cast("Method", told)


for _name, _method in list(vars(MailAccessor).items()):
    if not _name.startswith("_") and _name != "joined":
        setattr(MailAccessor, _name, _for_people(_method))
