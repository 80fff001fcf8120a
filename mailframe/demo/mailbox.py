"""A plausible mailbox, made up from a seed: two years, twelve folders, people who answer.

Five plots write posts for ever and are cut at their share of the messages: conversations (with the
replies in Sent), mailing lists, newsletters, shops and junk. Then some posts are copied to the
Archive, a few are spoilt, and everything becomes bytes in the order of arrival. The same seed gives
the same bytes.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from mailframe.demo import cast
from mailframe.demo.cast import OWNER, Letter, MailingList, Person
from mailframe.demo.post import FAULTS, Post, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENDS = datetime(2026, 6, 30, 18, 0, tzinfo=UTC)
DAYS = 730

#: What part of the mailbox each plot writes; conversations get the rest.
SHARES = {"lists": 0.27, "newsletters": 0.13, "shops": 0.06, "junk": 0.06, "copies": 0.05}
FAULTY = 0.01

#: How likely an hour of the writer's day is to see a message.
_HOURS = (1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 12, 10, 7, 9, 11, 11, 10, 8, 6, 5, 6, 6, 4, 2)
_AUGUST = 8
_SATURDAY = 5


class Mail(NamedTuple):
    """A message as a server stores it."""

    folder: str
    flags: tuple[str, ...]
    internaldate: datetime
    raw: bytes


def generate(count: int = 2000, *, seed: int = 20, ends: datetime = ENDS) -> list[Mail]:
    """Make up a mailbox.

    Parameters
    ----------
    count
        How many messages; below a hundred not all twelve folders are filled.
    seed
        The same seed gives the same mailbox.
    ends
        The moment of the newest message, at most; the oldest is two years older.

    Returns
    -------
    list of Mail
        In the order of arrival.
    """
    author = _Author(Random(seed), ends)  # noqa: S311 -- nothing here is secret
    posts = author.write(count)
    mails = [
        Mail(post.folder, tuple(sorted(post.flags)), post.arrived, render(post)) for post in posts
    ]
    return sorted(mails, key=lambda mail: mail.internaldate)


class _Author:
    """Writes the posts; every choice comes from one random source."""

    def __init__(self, random: Random, ends: datetime) -> None:
        self.random = random
        self.ends = ends.replace(microsecond=0)
        self.begins = ends - timedelta(days=DAYS)
        self.numbers = itertools.count(1)
        days = [self.begins + timedelta(days=n) for n in range(DAYS)]
        self.weights = list(accumulate(_busy(day, n / DAYS) for n, day in enumerate(days)))

    def write(self, count: int) -> list[Post]:
        parts = {name: int(share * count) for name, share in SHARES.items()}
        plots = {
            "lists": self.discussions(),
            "newsletters": self.letters(cast.NEWSLETTERS, "Newsletters", bulk=True),
            "shops": self.letters(cast.SHOPS, "Receipts", bulk=False),
            "junk": self.junk(),
        }
        posts = list(islice(self.conversations(), count - sum(parts.values())))
        for name, plot in plots.items():
            posts += islice(plot, parts[name])
        self.spoil(self.random.sample(posts, math.ceil(FAULTY * count)))
        self.mark(posts)
        posts += self.copies(posts, parts["copies"])
        return posts

    # -- plots

    def conversations(self) -> Iterator[Post]:
        """People and the owner write to each other; now and then a draft or a binned message."""
        circles: list[tuple[Sequence[Person], str]] = [
            (cast.FRIENDS, "INBOX"),
            (cast.FRIENDS, "INBOX"),
            (cast.COLLEAGUES, "Projects/Lighthouse"),
            (cast.FAMILY, "Família"),
        ]
        while True:
            circle, folder = self.random.choice(circles)
            chosen = self.random.sample(circle, self.random.choice((1, 1, 1, 2, 2, 3)))
            yield from self.thread([OWNER, *chosen], folder)
            if self.chance(0.06):  # one thread in sixteen
                yield self.post(OWNER, chosen, self.moment(OWNER), self.subject(OWNER), "Drafts")
            if self.chance(0.08):  # one thread in twelve
                sender = chosen[0]
                yield self.post(sender, [OWNER], self.moment(sender), self.subject(sender), "Trash")

    def discussions(self) -> Iterator[Post]:
        """Members of two lists discuss; what the owner says there stands in Sent, too."""
        while True:
            group = self.random.choice(cast.LISTS)
            members = self.random.sample(cast.MEMBERS, self.random.randint(2, 6))
            if self.chance(0.25):  # the owner mostly listens
                members.append(OWNER)
            yield from self.thread(members, group.folder, group)

    def letters(self, senders: Sequence[Letter], folder: str, *, bulk: bool) -> Iterator[Post]:
        """Each sender writes at its own rhythm; the number in the subject grows with time."""
        issues = [(one, n) for one in senders for n in range(math.ceil(DAYS / one.days))]
        self.random.shuffle(issues)
        for letter, issue in itertools.cycle(issues):
            habit = len(letter.sender.name)  # a weekday and an hour of its own
            date = self.begins + timedelta(days=int(issue * letter.days) + habit % 5)
            date = date.replace(hour=6 + habit % 12)
            date += timedelta(seconds=self.random.randrange(90 * 60))
            subject = letter.subjects[issue % len(letter.subjects)].format(n=issue + 100)
            date = min(max(date, self.begins), self.ends)
            post = self.post(letter.sender, [OWNER], date, subject, folder)
            post.bulk, post.automatic = bulk, not bulk
            yield post

    def junk(self) -> Iterator[Post]:
        """Unwanted mail, most of it failing its authentication."""
        while True:
            subject, address = self.random.choice(cast.JUNK)
            sender = Person(subject.split()[-1].title(), address, "en", 60)
            post = self.post(sender, [OWNER], self.moment(sender), subject, "Junk")
            post.junk = True
            post.flags.add("$Junk")
            yield post

    def thread(
        self, people: Sequence[Person], folder: str, group: MailingList | None = None
    ) -> Iterator[Post]:
        """One conversation: somebody begins, others answer at their pace, until it dies away."""
        author = self.random.choice(people)
        date = self.moment(author)
        subject = self.subject(author)
        posts: list[Post] = []
        while date < self.ends:
            asked = bool(posts) and author is OWNER and OWNER in posts[-1].to
            parent = posts[-1] if asked else self.random.choice(posts[-3:]) if posts else None
            others = [person for person in people if person is not author]
            post = self.post(author, others or [OWNER], date, subject, folder, parent)
            if parent and parent.author is not author:
                post.to, post.cc = [parent.author], [p for p in others if p is not parent.author]
            yield from self.delivered(post, group)
            posts.append(post)
            if parent and author is OWNER:
                parent.flags.add("\\Answered")
            waits = OWNER in post.to and author is not OWNER
            # Threads of three messages, on average; who asks the owner mostly gets an answer.
            if self.chance(0.05 if waits else 0.5):
                return
            subject = subject if subject.startswith("Re: ") else f"Re: {subject}"
            author = OWNER if waits and self.chance(0.9) else self.random.choice(others or people)
            date = self.answered(author, post.arrived)

    def delivered(self, post: Post, group: MailingList | None) -> Iterator[Post]:
        """Put a post where it belongs: own mail into Sent, and what went to a list also there."""
        if group:
            post.mailing_list, post.cc = group, ()
            post.to = [Person(group.name, group.address)]
        if post.author is not OWNER:
            yield post
            return
        if group:
            yield post
            post = Post(OWNER, post.to, post.date, post.subject, post.identifier, "Sent")
        post.folder = "Sent"
        yield post

    # -- finishing

    def mark(self, posts: Sequence[Post]) -> None:
        """Set flags as a reader would have: old mail read, some of it flagged."""
        for post in posts:
            read = 0.97 if self.ends - post.date > timedelta(days=21) else 0.55
            own = post.folder in {"Sent", "Drafts"}
            if own or "\\Answered" in post.flags or self.chance(read):
                post.flags.add("\\Seen")
            if not own and self.chance(0.04):  # one in 25
                post.flags.add("\\Flagged")
            if post.folder == "Drafts":
                post.flags.add("\\Draft")
            if post.folder == "Projects/Lighthouse":
                post.flags.add("Work")

    def copies(self, posts: Sequence[Post], number: int) -> Iterator[Post]:
        """Copy some of the older posts to the Archive, message id and all."""
        old = [p for p in posts if p.folder in {"INBOX", "Projects/Lighthouse", "Família"}]
        old = sorted(old, key=lambda post: post.date)[: len(old) * 2 // 3]
        for post in self.random.sample(old if len(old) >= number else posts, number):
            copy = Post(**{**vars(post), "folder": "Archive", "flags": {"\\Seen"}})
            copy.filed = timedelta(days=30)
            yield copy

    def spoil(self, posts: Sequence[Post]) -> None:
        """Give some posts one of the faults of real mail."""
        faults = list(FAULTS)
        for n, post in enumerate(posts):
            post.fault = faults[n % len(faults)]

    # -- choices

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def post(
        self,
        author: Person,
        to: Sequence[Person],
        date: datetime,
        subject: str,
        folder: str,
        parent: Post | None = None,
    ) -> Post:
        domain = author.address.partition("@")[2].encode("idna").decode()
        token = f"{next(self.numbers):04x}.{self.random.getrandbits(48):012x}@{domain}"
        post = Post(author, to, date, subject, token, folder, parent=parent)
        post.delay = min(self.random.lognormvariate(1.8, 1.3), 7200.0)
        if self.chance(0.07):  # one in fourteen has an attachment
            post.octets = int(min(self.random.lognormvariate(9.5, 1.2), 200_000))
        return post

    def subject(self, author: Person) -> str:
        subjects = cast.LANGUAGES[author.language].subjects
        if subjects and self.chance(0.8):  # else they write English
            return self.random.choice(subjects)
        return f"{self.random.choice(cast.OPENINGS)} {self.random.choice(cast.THINGS)}"

    def moment(self, author: Person) -> datetime:
        """Choose when somebody writes: workdays more than weekends, by the hours of their day."""
        day = bisect(self.weights, self.random.random() * self.weights[-1])
        hour = self.random.choices(range(24), _HOURS)[0]
        seconds = self.random.randrange(3600)
        midnight = (self.begins + timedelta(days=min(day, DAYS - 1))).replace(hour=0, minute=0)
        when = midnight + timedelta(hours=hour, seconds=seconds, minutes=-author.offset)
        return min(max(when, self.begins), self.ends)

    def answered(self, author: Person, date: datetime) -> datetime:
        """Choose when somebody answers a message of that date: at their pace, but not at night."""
        hours = self.random.lognormvariate(math.log(author.pace), 1.1)
        when = date + timedelta(seconds=int(3600 * min(hours, 24 * 20)))
        local_hour = (when + timedelta(minutes=author.offset)).hour
        if not _HOURS[local_hour]:
            when += timedelta(hours=7 - local_hour, minutes=self.random.randrange(120))
        return when


def _busy(day: datetime, progress: float) -> float:
    """Weigh a day: mail grows over the years, rests at weekends and in August."""
    weight = 0.7 + 0.6 * progress
    if day.weekday() >= _SATURDAY:
        weight *= 0.35
    if day.month == _AUGUST:
        weight *= 0.5
    return weight
