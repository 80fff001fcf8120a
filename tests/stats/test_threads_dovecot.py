"""Threads of real mail beside another implementation: Dovecot's THREAD=REFS and =REFERENCES.

REFS is the algorithm without its grouping by subject. Every difference is of one of these kinds,
and the tests show that there is no other:

1. Copies. Several messages of one Message-ID are one message here; to RFC 5256 all but the first
   are strangers without an id. Dovecot gets one of each.
2. Sentences. Of ``In-Reply-To: Message from Ann <ann@example.org> of "Wed" <id@host>`` Dovecot
   takes the first bracket, an address, for the id (that field's phrases are obsolete syntax). So
   each person seems to be a message, whose replies join; here the id is taken. The comparison
   reads the field as Dovecot does.
3. Passing loops. Dovecot decides message by message, and refuses a link that would close a loop at
   that moment, even if a link in it is withdrawn later, when an id turns up as a message of its
   own. Here all links are known before the first loop is looked for. One message of the corpora.
4. What Dovecot cannot read: subjects in raw 8-bit or in UTF-7, header blocks with bare CR.
5. Messages whose own id ends their References. Dovecot leaves them alone; here they answer the one
   before.
"""

from __future__ import annotations

import email
import imaplib
import re

import numpy as np
import pandas as pd
import pytest

import mailframe.stats  # noqa: F401 -- registers df.mail
from mailframe.sources.maildir import read_maildir
from mailframe.stats import threads
from tests import corpora
from tests.servers.dovecot import HOST, PASSWORD

LINE = 10_000_000  # octets: the answer to THREAD is one line
# Messages that Dovecot leaves alone because of a passing loop (3), by corpus.
ALONE = {"spamassassin-ham": 1, "nasty-permissive": 0, "sisimai-bounces": 0}


def answers(server, user, folder, algorithm):
    """Ask Dovecot; give each UID's parent and thread."""
    with imaplib.IMAP4(HOST, server.port) as client:
        client.login(user, PASSWORD)
        client.select(folder, readonly=True)
        found = client.uid("THREAD", algorithm, "UTF-8", "ALL")[1]
    parents, thread, stack, above, number = {}, {}, [], None, 0
    for token in re.findall(r"[()]|\d+", b"".join(found).decode()):
        if token == "(":
            number += not stack
            stack.append(above)
        elif token == ")":
            above = stack.pop()
        else:
            uid = int(token)
            parents[uid], thread[uid], above = above, number, uid
    return parents, thread


def first_bracket(raw):
    """Give the id that In-Reply-To names to one who takes the first bracket for it."""
    header = re.split(rb"\n\n", raw.replace(b"\r\n", b"\n"), maxsplit=1)[0]
    field = re.search(rb"(?im)^In-Reply-To:(.*(?:\n[ \t].*)*)", header)
    found = re.search(rb"<([^<>@]*@[^<>]*)>", field[1]) if field else None
    return re.sub(rb"\s", b"", found[1]).decode("latin-1") if found else None


def readable(raw, subject):
    """Say whether Dovecot reads header and subject (4)."""
    return not re.search(rb"\r(?!\n)", raw) and subject.isascii()


@pytest.fixture(scope="module", params=corpora.NAMES)
def corpus(request, dovecot):
    """Give a corpus at the server, one message for each Message-ID, and the frame of it."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(imaplib, "_MAXLINE", LINE)
    name = request.param
    # What has no header field is no message to a reader of files.
    raws = [raw for raw in corpora.messages(name) if email.message_from_bytes(raw).keys()]
    user = f"threads-{name}"
    dovecot.deliver(user, "Everything", raws)
    df = read_maildir(dovecot.folder(user, "Everything"), progress=False)
    copies = df["message_id"].notna() & df["message_id"].duplicated()
    plain = [readable(r, str(s)) for r, s in zip(raws, df["subject"].fillna(""), strict=True)]
    itself = [
        isinstance(m, str) and list(r)[-1:] == [m]  # (5)
        for m, r in zip(df["message_id"], df["references"], strict=True)
    ]
    keep = np.flatnonzero(~copies & np.array(plain) & ~np.array(itself))
    kept = [raws[i] for i in keep]
    dovecot.deliver(user, "Once", kept)
    df = df.iloc[keep]
    df = df.assign(
        uid=np.arange(1, len(df) + 1),
        in_reply_to=pd.array([first_bracket(raw) for raw in kept], dtype="str"),
    )
    yield name, df, user, dovecot
    monkey.undo()


def differing(ours, theirs):
    """List the messages that are not with the same companions in both partitions."""
    table = pd.DataFrame({"ours": ours, "theirs": theirs})
    sizes = [table.groupby(keys)["ours"].transform("size") for keys in ("ours", "theirs")]
    both = table.groupby(["ours", "theirs"])["ours"].transform("size")
    return table[(both != sizes[0]) | (both != sizes[1])]


def nearest_present(df):
    """Give the UID of the nearest message above each message, 0 at the top of a thread."""
    trees = threads.forest(df)
    above = trees.parent[trees.node]
    while (absent := (above >= 0) & (trees.first[above] < 0)).any():
        above[absent] = trees.parent[above[absent]]
    uids = df["uid"].to_numpy()
    return np.where(above >= 0, uids[trees.first[above]], 0)


def test_the_same_threads_as_dovecot(corpus):
    name, df, user, server = corpus
    _, thread = answers(server, user, "Once", "REFS")
    wrong = differing(df.mail.thread_ids(), df["uid"].map(thread))
    alone = wrong.groupby("theirs").filter(lambda group: len(group) == 1)
    assert len(alone) == ALONE[name]
    assert wrong["ours"].nunique() == ALONE[name]
    assert wrong["theirs"].nunique() == 2 * ALONE[name]


def test_the_same_trees_as_dovecot(corpus):
    name, df, user, server = corpus
    parents, _ = answers(server, user, "Once", "REFS")
    theirs = df["uid"].map(parents).fillna(0).to_numpy(dtype=np.int64)
    # What is left alone (3) counts; so does what Dovecot hangs under it for its References.
    assert (nearest_present(df) != theirs).sum() <= 2 * ALONE[name]


def test_the_same_threads_as_dovecot_when_joined_by_subject(corpus):
    _, df, user, server = corpus
    _, thread = answers(server, user, "Once", "REFERENCES")
    assert differing(df.mail.thread_ids(by_subject=True), df["uid"].map(thread)).empty
