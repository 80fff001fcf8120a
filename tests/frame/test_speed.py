"""The builder keeps its pace on the mail that needs the most work.

No stopwatch: processor time of this process, as a share of what the standard library takes for the
same blocks in the same run, so that a slow or a busy machine slows both.
"""

from time import process_time

from mailframe.frame.batch import BatchBuilder
from mailframe.frame.schema import HEADER_FIELDS
from tests import corpora
from tests.bench.mailboxes import worldwide
from tests.frame.rowwise import rows
from tests.headers.others import PARSERS

MESSAGES = 4000
SAMPLE = 400
# What it is on a busy machine, the least of several tries. To be raised by nobody without a reason.
SHARE = 0.07


def taken(work):
    began = process_time()
    work()
    return process_time() - began


def test_mail_in_many_languages_takes_no_larger_share_of_what_the_standard_library_takes():
    mail = [message.raw for message in worldwide(MESSAGES, seed=1)]
    blocks = corpora.chosen(mail, HEADER_FIELDS)
    given, builder = rows(blocks), BatchBuilder("ann@example.org")
    theirs = PARSERS["email (legacy)"]
    shares = []
    for _ in range(7):
        ours = taken(lambda: builder.build(given)) / MESSAGES
        others = taken(lambda: list(map(theirs, blocks[:SAMPLE]))) / SAMPLE
        shares.append(ours / others)
    print(shares)
    assert min(shares) < 1.5 * SHARE
