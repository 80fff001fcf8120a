"""One mailbox read in four ways has the same numbers in every method."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import mailframe as mf
from tests.servers.dovecot import Message
from tests.stats.test_any_frame import METHODS

ME = "me@example.org"
FILES = {"INBOX", "Archive", "Sent", "Junk"}
START = dt.datetime(2024, 6, 3, 10, tzinfo=dt.UTC)
HOP = "Received: from a.example.net by mx.example.org with ESMTPS id {n};\r\n\t{date}"
CHECKED = "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.net; dkim=fail"


def letter(  # noqa: PLR0913 -- what a claim is about is told, the rest is plain
    n, sender, to, *, minutes=0, under=None, date=None, more=(), seen=True, answered=False
):
    """Write a message with its flags in header fields, as files of mail keep them, too."""
    when = START + dt.timedelta(minutes=minutes)
    day = f"{when:%a, %d %b %Y %H:%M:%S +0000}"
    lines = [
        HOP.format(n=n, date=day),
        CHECKED,
        *([] if date == "" else [f"Date: {date or day}"]),
        f"From: {sender.partition('@')[0].title()} <{sender}>",
        f"To: {to}",
        f"Subject: {'Re: ' if under else ''}Plan",
        f"Message-ID: <{n}@id>",
        *([f"In-Reply-To: <{under}@id>", f"References: <{under}@id>"] if under else []),
        f"Status: {'R' if seen else ''}O",
        f"X-Status: {'A' if answered else ''}",
        *more,
        "",
        "Hello; there.\r\n",
    ]
    flags = [*(["\\Seen"] if seen else []), *(["\\Answered"] if answered else [])]
    return Message("\r\n".join(lines).encode(), tuple(flags), when)


BOB, CARA = "bob@example.net", "Cara@Example.com"
MAILBOX = {
    "INBOX": [
        letter(1, BOB, ME),
        letter(2, CARA, f"{ME}, {BOB}", minutes=30, seen=False),
        letter(3, "news@shop.example", ME, minutes=40, more=["List-Unsubscribe: <https://x/u>"]),
        letter(4, "no-reply@shop.example", ME, minutes=50, seen=False),
        letter(5, BOB, ME, minutes=60, date="Fri, 01 Jan 9999 00:00:00 +0000"),
        letter(6, BOB, ME, minutes=70, date=""),
        letter(7, CARA, "dev@lists.example", minutes=80, more=["List-Id: <Dev.lists.example>"]),
        letter(8, BOB, ME, minutes=2000, under=20),
        letter(9, CARA, ME, minutes=91, under=20, more=["Auto-Submitted: auto-replied"]),
    ],
    "Archive": [
        letter(1, BOB, ME, answered=True),
        letter(1, BOB, ME, minutes=5000),
        letter(7, CARA, "dev@lists.example", minutes=80, more=["List-Id: <dev.lists.example>"]),
    ],
    "Sent": [
        letter(20, ME, f"{BOB}, {CARA}", minutes=90),
        letter(21, ME, BOB, minutes=-2, under=1),
        letter(22, ME, "me+notes@example.org", minutes=95),
    ],
    "Junk": [letter(30, "eve@example.net", ME, minutes=99)],
}
CALLS = {
    "anonymise": {"key": "a key of enough octets", "coarsen": "h"},
    "describe": {},
    **{call: options for call, options in METHODS.items() if call != "anonymise"},
}
TOLD_IN = {"volume", "matrix", "calendar", "flow", "newcomers", "response_times"}
TOLD_IN |= {"response_summary", "sizes", "describe"}
ASKED_WHO = {"flow", "internal", "response_times", "response_summary", "awaiting_reply", "describe"}


@pytest.fixture(scope="module")
def frames(dovecot, tmp_path_factory):
    """Read the mailbox from a server, from mbox files, and back from what was written of it."""
    place = tmp_path_factory.mktemp("mailbox")
    for folder, letters in MAILBOX.items():
        dovecot.deliver("readers", folder, letters)
        with (place / folder).with_suffix(".mbox").open("wb") as file:
            for each in letters:
                line = f"From x@y {each.internaldate:%a %b %d %H:%M:%S %Y}\r\n"
                file.write(line.encode() + each.raw + b"\r\n")
    options = {"headers": ["List-Unsubscribe", *mf.DELIVERY], "progress": False}
    from_server = mf.read_imap(dovecot.url("readers"), **options)
    mf.to_csv(from_server, place / "mail.csv")
    mf.to_parquet(from_server, place / "mail.parquet")
    return {
        "imap": from_server,
        "mbox": mf.read_mbox(sorted(place.glob("*.mbox")), **options),
        "csv": mf.read_csv(place / "mail.csv"),
        "parquet": pd.read_parquet(place / "mail.parquet"),
    }


def test_the_mailbox_holds_what_could_make_a_difference(frames):
    df = frames["imap"]
    assert len(df) == sum(map(len, MAILBOX.values()))
    assert set(df["folder"]) == FILES
    assert len(df.mail.unique()) == len(df) - 2
    assert len(df.mail.dates()) == 1
    assert df["bulk"].sum() == 3
    assert df["auto"].sum() == 2
    waits = df.mail.awaiting_reply(me=ME)["waiting"]
    assert sorted(waits) == ["owe", "owe", "owe", "owe", "owe", "owed"]


@pytest.mark.parametrize("reader", ["mbox", "csv", "parquet"])
@pytest.mark.parametrize("call", CALLS)
def test_every_method_gives_the_same_numbers_of_it(frames, call, reader):
    name, options = call.split()[0], dict(CALLS[call])
    if name in TOLD_IN:
        options["tz"] = options.get("tz", "UTC")
    if name in ASKED_WHO:
        options["me"] = ME
    ours, theirs = (getattr(df.mail, name)(**options) for df in (frames["imap"], frames[reader]))
    if name == "describe":
        assert str(ours) == str(theirs)
    elif isinstance(ours, pd.Series):
        pd.testing.assert_series_equal(plain(ours), plain(theirs), check_freq=False)
    else:
        pd.testing.assert_frame_equal(plain(ours), plain(theirs), check_freq=False)


def plain(result):
    """Give a result without the name of the account, and lists as tuples, whoever keeps them."""
    if isinstance(result, pd.Series):
        return result
    result = result.drop(columns="account", errors="ignore")
    lists = [name for name in result if any(map(pd.api.types.is_list_like, result[name]))]
    lists += [name for name in ("keywords", "cc", "references") if name in result]
    return result.assign(**{name: [tuple(each) for each in result[name]] for name in set(lists)})
