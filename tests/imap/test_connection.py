"""The connection: what travels when, and what the answers are worth (the rules of pipelining)."""

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.errors import ConfigurationError, ConnectionLost, ProtocolError
from mailframe.ground.uidset import UidSet
from mailframe.imap import commands, responses
from mailframe.imap.connection import Connection, found, vanished
from mailframe.imap.limits import Limits
from mailframe.imap.search import parse_keys

ITEMS = commands.header_items(["DATE"])


def talk(connection, *lines):
    """Let the server say lines; give what we say next and which commands ended."""
    finished = connection.receive_data(b"".join(line + b"\r\n" for line in lines))
    return connection.data_to_send(), finished


def greeted(capabilities=b"IMAP4rev1", limits=None):
    connection = Connection(limits or Limits())
    talk(connection, b"* OK [CAPABILITY " + capabilities + b"] hello")
    return connection


def fetch(first, last=None):
    return commands.uid_fetch(UidSet.of((first, last or first)), ITEMS)


def row(sequence, uid, text=b"Date: x\r\n\r\n"):
    head = b"* %d FETCH (UID %d FLAGS () INTERNALDATE " % (sequence, uid)
    date = b'"17-Jul-1996 02:44:25 -0700" RFC822.SIZE 9 BODY[HEADER.FIELDS (DATE)]'
    return head + date + b" {%d}\r\n%s)" % (len(text), text)


# Out -------------------------------------------------------------------------------------------


def test_nothing_is_said_before_the_greeting():
    connection = Connection()
    connection.send(commands.noop())
    assert connection.data_to_send() == b""
    assert talk(connection, b"* OK hi")[0] == b"M1 NOOP\r\n"


def test_commands_travel_together_without_waiting():
    connection = greeted()
    connection.send(commands.examine(b"INBOX"))
    connection.send(fetch(1, 5))
    connection.send(commands.examine(b"a b"))
    assert connection.data_to_send() == (
        b"M1 EXAMINE INBOX\r\nM2 UID FETCH 1:5 (" + ITEMS + b')\r\nM3 EXAMINE "a b"\r\n'
    )


def test_nothing_travels_behind_a_login_before_its_answer():
    connection = greeted()
    connection.send(commands.login("ann", "pass word"))
    connection.send(commands.noop())
    assert connection.data_to_send() == b'M1 LOGIN ann "pass word"\r\n'
    assert talk(connection, b"M1 OK in")[0] == b"M2 NOOP\r\n"


def test_a_literal_waits_for_its_continuation_and_others_wait_for_it():
    connection = greeted()
    connection.send(commands.login("ann", "p\r\nq\xe4"))
    connection.send(commands.noop())
    assert connection.data_to_send() == b"M1 LOGIN ann {6}\r\n"
    assert talk(connection, b"+ go")[0] == "p\r\nqä\r\n".encode()
    assert talk(connection, b"M1 OK in")[0] == b"M2 NOOP\r\n"


def test_a_literal_flows_where_the_server_lets_it():
    connection = greeted(b"IMAP4rev1 LITERAL+")
    connection.send(commands.examine(b"a\xff"))
    connection.send(commands.noop())
    assert connection.data_to_send() == b"M1 EXAMINE {2+}\r\na\xff\r\nM2 NOOP\r\n"


@pytest.mark.parametrize("initial", [True, False])
def test_authenticate_plain_with_and_without_initial_response(initial):
    connection = greeted()
    connection.send(commands.authenticate("PLAIN", "ann", "pässword", initial=initial))
    said = connection.data_to_send()
    if not initial:
        said += talk(connection, b"+")[0]
    token = said.rstrip().split()[-1]
    assert base64.b64decode(token) == "\0ann\0pässword".encode()


def test_an_error_challenge_gets_its_empty_line():
    connection = greeted()
    connection.send(commands.authenticate("PLAIN", "ann", "x", initial=True))
    connection.data_to_send()
    assert talk(connection, b"+ eyJzdGF0dXMiOiI0MDAifQ==")[0] == b"\r\n"


def test_a_refused_bearer_token_gets_the_reply_that_its_mechanism_wants():
    connection = greeted()
    connection.send(commands.authenticate("OAUTHBEARER", "a=b,c", "token", initial=False))
    connection.data_to_send()
    sent = base64.b64decode(talk(connection, b"+")[0])
    assert sent == b"n,a=a=3Db=2Cc,\1auth=Bearer token\1\1"
    assert talk(connection, b"+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=")[0] == b"AQ==\r\n"


def test_secrets_do_not_show():
    for command in (
        commands.login("ann", "hunter2"),
        commands.authenticate("PLAIN", "ann", "hunter2", initial=True),
    ):
        pending = greeted().send(command)
        assert "hunter2" not in repr(command) + repr(pending)
        assert base64.b64encode(b"hunter2")[:6].decode() not in repr(command) + repr(pending)


def test_no_argument_can_smuggle_a_command():
    connection = greeted()
    connection.send(commands.examine(b"x\r\nM9 LOGOUT"))
    assert connection.data_to_send() == b"M1 EXAMINE {12}\r\n"
    with pytest.raises(ConfigurationError, match="NUL"):
        commands.examine(b"a\0b")
    with pytest.raises(ConfigurationError, match="NUL"):
        commands.login("ann", "a\0b")


# Capabilities ----------------------------------------------------------------------------------


def test_capabilities_are_forgotten_after_login_unless_told_again():
    for answers, expected in (
        ([b"M1 OK in"], set()),
        ([b"M1 OK [CAPABILITY IMAP4rev1 ID] in"], {"IMAP4REV1", "ID"}),
        ([b"* CAPABILITY IMAP4rev1 ESEARCH", b"M1 OK in"], {"IMAP4REV1", "ESEARCH"}),
    ):
        connection = greeted(b"IMAP4rev1 LOGINDISABLED")
        connection.send(commands.login("ann", "x"))
        talk(connection, *answers)
        assert connection.capabilities == expected
        assert connection.authenticated


def test_plaintext_is_forgotten_before_tls_and_smuggled_data_is_refused():
    connection = greeted(b"IMAP4rev1 STARTTLS AUTH=EVIL")
    connection.send(commands.starttls())
    talk(connection, b"M1 OK begin")
    connection.drop_plaintext_state()
    assert not connection.capabilities
    connection.send(commands.starttls())
    connection.receive_data(b"M2 OK begin\r\n* OK [CAP")
    with pytest.raises(ProtocolError, match="tampering"):
        connection.drop_plaintext_state()


# Rows ------------------------------------------------------------------------------------------


def examined(*fetches, uidvalidity=None, told=5, limits=None):
    """Give a connection with an answered EXAMINE and FETCH commands on the wire."""
    connection = greeted(limits=limits)
    examine = connection.send(commands.examine(b"INBOX", uidvalidity=uidvalidity))
    pendings = [connection.send(command) for command in fetches]
    talk(connection, b"* 3 EXISTS", b"* OK [UIDVALIDITY %d] x" % told, b"M1 OK [READ-ONLY] open")
    return connection, examine, pendings


def test_rows_belong_to_the_fetch_that_asked_for_them():
    connection, examine, (one, two) = examined(fetch(1, 2), fetch(7, 8))
    talk(connection, row(1, 1), row(2, 7), row(3, 2), b"M2 OK done", row(4, 8), b"M3 OK done")
    assert (examine.mailbox.exists, examine.mailbox.uidvalidity) == (3, 5)
    assert (one.rows.uid, two.rows.uid) == ([1, 2], [7, 8])


def test_a_row_counts_once_and_only_if_it_was_asked_for():
    connection, _, (one,) = examined(fetch(5, 9))
    talk(connection, row(1, 4), row(2, 6), row(3, 5), row(2, 6), row(9, 10), b"M2 OK done")
    assert one.rows.uid == [6, 5]


def test_a_row_counts_once_also_after_it_was_handed_over():
    connection, _, (one,) = examined(fetch(1, 9))
    talk(connection, row(1, 1), row(2, 2))
    assert one.take_rows().uid == [1, 2]
    talk(connection, row(1, 1), row(3, 3), b"M2 OK done")
    assert one.rows.uid == [3]


def test_of_messages_that_claim_one_uid_none_counts():
    connection, _, (one,) = examined(fetch(1, 9))
    talk(connection, row(1, 1, b"A: a"), row(1, 1, b"A: b"), row(1, 1, b"A: c"), b"M2 OK done")
    assert not one.rows.uid
    assert one.malformed == {1}


def test_messages_that_claim_one_uid_for_ever_are_no_answer():
    connection, _, _ = examined(fetch(1, 9), limits=Limits(unsolicited=50))
    with pytest.raises(ProtocolError, match="without a result"):
        talk(connection, *[row(1, 1, b"A: a"), row(1, 1, b"A: b")] * 50)


def test_flag_updates_are_no_rows():
    connection, _, (one,) = examined(fetch(1, 9))
    talk(connection, b"* 2 FETCH (FLAGS (\\Seen))", row(1, 1), b"* 1 FETCH (UID 1 FLAGS ())")
    talk(connection, b"M2 OK done")
    assert one.rows.uid == [1]


@pytest.mark.parametrize("again", [b"* 1 FETCH (UID 1 FLAGS (\\Seen))", row(1, 1)])
def test_what_is_told_again_of_a_message_slows_no_other_down(again, monkeypatch):
    read = []
    reader = responses.read_response
    monkeypatch.setattr(responses, "read_response", lambda frame: read.append(1) or reader(frame))
    connection, _, (one,) = examined(fetch(1, 99))
    talk(connection, row(1, 1), row(2, 2), again)
    before = len(read)
    talk(connection, *[row(uid, uid) for uid in range(3, 100)], row(50, 50), b"M2 OK done")
    assert one.rows.uid == [*range(1, 100)]
    assert not one.malformed
    assert len(read) - before == 2


def test_a_message_may_come_in_two_parts():
    connection, _, (one,) = examined(fetch(1, 9))
    talk(
        connection,
        b"* 1 FETCH (UID 4 FLAGS (\\Seen) INTERNALDATE NIL RFC822.SIZE 7)",
        b"* 1 FETCH (BODY[HEADER.FIELDS (DATE)] {3}\r\nabc)",
        b"M2 OK done",
    )
    assert (one.rows.uid, one.rows.size, one.rows.header) == ([4], [b"7"], [b"abc"])


def test_rows_of_a_folder_that_did_not_open_are_void():
    connection = greeted()
    connection.send(commands.examine(b"gone"))
    void = connection.send(fetch(1, 9))
    connection.send(commands.examine(b"there"))
    good = connection.send(fetch(1, 9))
    talk(connection, b"M1 NO gone", row(1, 1), b"M2 BAD no mailbox", b"M3 OK", row(1, 1), b"M4 OK")
    assert void.void
    assert not void.rows.uid
    assert good.rows.uid == [1]


def test_what_waits_behind_a_folder_that_did_not_open_is_not_sent():
    connection = greeted()
    connection.pipelined = False
    connection.send(commands.examine(b"gone"))
    void = connection.send(fetch(1, 9))
    connection.send(commands.examine(b"there"))
    assert connection.data_to_send() == b"M1 EXAMINE gone\r\n"
    said, finished = talk(connection, b"M1 NO gone")
    assert said == b"M3 EXAMINE there\r\n"
    assert finished[1] is void
    assert not void.ok


def test_rows_under_another_uidvalidity_are_void():
    connection, examine, (one,) = examined(fetch(1, 9), uidvalidity=4, told=5)
    talk(connection, row(1, 1), b"M2 OK done")
    assert examine.ok
    assert not examine.opened
    assert not one.rows.uid


def test_a_malformed_row_costs_itself_and_tells_whose_it_was():
    connection, _, (one,) = examined(fetch(1, 9))
    talk(connection, row(1, 1), b"* 2 FETCH (UID 2 FLAGS (", b")", b"junk", row(3, 3), b"M2 OK")
    assert one.rows.uid == [1, 3]
    assert one.malformed == {2}


def test_a_literal_one_octet_short_costs_its_message_alone():
    connection, _, (one,) = examined(fetch(1, 9))
    broken = b"* 2 FETCH (UID 2 BODY[HEADER.FIELDS (DATE)] {10}\r\nDate: x\r\n\r\n)"
    talk(connection, row(1, 1), broken, row(3, 3), b"M2 OK")
    assert one.rows.uid == [1, 3]


def test_a_row_whose_line_is_not_whole_is_looked_at_once(monkeypatch):
    looks = []
    scan = responses.scan_rows
    monkeypatch.setattr(
        responses, "scan_rows", lambda *args, **options: looks.append(1) or scan(*args, **options)
    )
    connection, _, (one,) = examined(fetch(1, 9))
    connection.receive_data(b"* 9 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (")
    before = len(looks)
    for _ in range(100):
        connection.receive_data(b"a")
    assert len(looks) == before
    rest = b") INTERNALDATE NIL RFC822.SIZE 1 BODY[HEADER.FIELDS (DATE)] {1}"
    talk(connection, rest, b"A)", row(2, 2), b"M2 OK done")
    assert one.rows.uid == [1, 2]


def test_an_expunged_message_is_no_row():
    connection, _, (one,) = examined(fetch(1, 9))
    items = b"FLAGS () INTERNALDATE NIL RFC822.SIZE 0 BODY[HEADER.FIELDS (DATE)] NIL"
    nil = b"* 2 FETCH (UID 2 " + items + b")"
    talk(connection, row(1, 1), nil, b"* 2 EXPUNGE", b"M2 OK [EXPUNGEISSUED] some are gone")
    assert one.rows.uid == [1]


def test_a_message_without_the_fields_asked_for_is_a_row_however_small():
    asked = commands.uid_fetch(UidSet.of((1, 9)), commands.extra_items(["X"]))
    empty = b"* 1 FETCH (UID 1 RFC822.SIZE 0 BODY[HEADER.FIELDS (X)] {0}\r\n)\r\n"
    for size in (len(empty), 1):
        connection, _, (one,) = examined(asked)
        for start in range(0, len(empty), size):
            connection.receive_data(empty[start : start + size])
        assert one.rows.uid == [1]


def test_flags_headers_and_a_search_may_be_answered_side_by_side():
    flags = commands.uid_fetch(UidSet.of((1, 2)), commands.FLAG_ITEMS)
    search = commands.uid_search([b"ALL"])
    connection, _, pendings = examined(flags, fetch(1, 2), search)
    lines = [rb"* 1 FETCH (UID 1 FLAGS (\Seen))", row(1, 1), b"* SEARCH 1 2", row(2, 2)]
    lines += [rb"* 2 FETCH (UID 2 FLAGS ())"]
    ends = [f"{pending.tag} OK done".encode() for pending in pendings]
    _, finished = talk(connection, *lines, *ends)
    assert finished == pendings
    assert (pendings[0].rows.uid, pendings[0].rows.flags) == ([1, 2], [rb"\Seen", b""])
    assert pendings[1].rows.uid == [1, 2]
    assert str(found(pendings[2].responses)) == "1:2"


def test_what_vanished_is_told_to_the_fetch_that_asked():
    changes = commands.changed_since(7, vanished=True)
    asked = commands.uid_fetch(UidSet.of((1, 9)), commands.FLAG_ITEMS, modifier=changes)
    assert bytes(asked.segments[0]) == b"UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 7 VANISHED)"
    connection, _, (pending,) = examined(asked)
    talk(
        connection,
        b"* VANISHED (EARLIER) 3:4,900",
        b"* 1 FETCH (UID 5 MODSEQ (9) FLAGS ())",
        f"{pending.tag} OK done".encode(),
    )
    assert str(vanished(pending.responses)) == "3:4,900"
    assert pending.rows.uid == [5]


def test_search_results_unite():
    connection = greeted()
    connection.send(commands.examine(b"INBOX"))
    keys = parse_keys('FROM "ann"')
    pending = connection.send(commands.uid_search(keys.segments, esearch=True))
    assert connection.data_to_send().endswith(b"M2 UID SEARCH RETURN (ALL) FROM ann\r\n")
    talk(connection, b"M1 OK", b"* SEARCH 1 2", b"* SEARCH 9 ", b"M2 OK")
    assert found(pending.responses) == UidSet.of((1, 2), (9, 9))


def test_a_search_that_is_told_nothing_has_found_nothing_out():
    connection = greeted()
    connection.send(commands.examine(b"INBOX"))
    pending = connection.send(commands.uid_search([b"ALL"]))
    talk(connection, b"M1 OK", b"M2 OK")
    assert found(pending.responses) is None


def test_junk_may_have_been_for_any_command_that_is_being_answered():
    connection, examine, pendings = examined(fetch(1, 5), fetch(6, 9))
    later = connection.send(commands.examine(b"other"))
    talk(connection, b"* FE", *(f"{pending.tag} OK".encode() for pending in pendings))
    assert [one.junk for one in (examine, *pendings, later)] == [0, 1, 1, 0]


# Trust -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"M9 OK what", b"M1 OK again"])
def test_an_answer_to_nothing_ends_the_connection(line):
    connection = greeted()
    connection.send(commands.noop())
    talk(connection, b"M1 OK done")
    with pytest.raises(ConnectionLost, match="not waiting"):
        talk(connection, line)


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        (b"* OK Still here", Limits(unsolicited=50)),
        (b"* 3 EXISTS", Limits(unsolicited=50)),
        (b"what?", Limits(junk=50)),
    ],
)
def test_endless_talk_is_cut_short(line, limits):
    connection = greeted(limits=limits)
    connection.send(commands.noop())
    with pytest.raises(ProtocolError, match="more than 50"):
        talk(connection, *[line] * 60)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (fetch(1, 99), b"* %d FETCH (BODY[HEADER.FIELDS (DATE)] {900}\r\n" + b"x" * 900 + b")"),
        (fetch(1, 99), b"* VANISHED 1,3,5,7,9"),
        (fetch(1, 99), b"* VANISHED 1"),
        (commands.uid_search((b"ALL",)), b"* SEARCH 1 3 5 7 9"),
        (commands.uid_search((b"ALL",)), b"* SEARCH"),
        (commands.list_mailboxes(), b'* LIST () "/" "%d' + b"x" * 900 + b'"'),
        (commands.list_mailboxes(), b"* LIST (\\%d \\" + b"x" * 900 + b') "/" a'),
        (commands.list_mailboxes(), b"* STATUS a ()"),
        (commands.status(b"a", ["MESSAGES"]), b"* STATUS a ()"),
    ],
)
def test_what_a_server_makes_us_keep_is_bounded_in_memory(command, line):
    connection = greeted(limits=Limits(kept=20_000))
    connection.send(command)
    lines = [line.replace(b"%d", b"%d" % number) for number in range(1, 90)]
    talk(connection, *lines[:10])
    with pytest.raises(ProtocolError, match="beside messages takes more than 20,000 octets"):
        talk(connection, *lines[10:])


def test_what_is_kept_is_bounded_for_all_commands_together_until_it_is_taken():
    connection = greeted(limits=Limits(kept=20_000))
    sent = [connection.send(commands.status(b"f%d" % n, ["MESSAGES"])) for n in range(90)]
    answers = [b"* STATUS f (MESSAGES 1)\r\n%b OK" % pending.tag.encode() for pending in sent]
    for pending, answer in zip(sent[:45], answers, strict=False):
        talk(connection, answer)
        assert [told.items for told in pending.take_responses()] == [{"MESSAGES": 1}]
    with pytest.raises(ProtocolError, match="beside messages"):
        talk(connection, *answers[45:])


def test_half_a_message_is_kept_until_its_other_half_comes_or_the_command_ends():
    first = b"* %d FETCH (UID %d FLAGS ())"
    connection, _, sent = examined(*[fetch(1, 99)] * 9, limits=Limits(kept=20_000))
    for uid in range(1, 100):
        talk(connection, first % (uid, uid), row(uid, uid))
    assert len(sent[0].rows) == 99
    for pending in sent[1:]:
        talk(connection, f"{sent[0].tag} OK".encode()) if pending is sent[1] else None
        talk(connection, *[first % (uid, uid) for uid in range(1, 31)])
        assert talk(connection, f"{pending.tag} OK".encode())[1] == [pending]
        assert [half.uid for half in pending.halves] == list(range(1, 31))


@pytest.mark.parametrize(
    "line",
    [
        b"* OK [X " + b"x" * 90_000 + b"] Still here",
        b"* NO [" + b"x" * 90_000 + b"]",
        b"* FLAGS (" + b"x" * 90_000 + b")",
        b"* 3 EXPUNGE",
        b"* ENABLED X" + b"x" * 90_000,
        b'* LIST () "/" a',
    ],
    ids=lambda line: repr(line)[:20],
)
def test_what_nobody_asks_for_is_not_kept(line):
    connection = greeted(limits=Limits(kept=0))
    pending = connection.send(commands.enable(["CONDSTORE"]))
    before = connection.enabled, connection.capabilities
    talk(connection, *[line] * 90, b"M1 OK [X " + b"x" * 9_000 + b"] done")
    assert (connection.enabled, connection.capabilities) == before
    assert pending.result == responses.Status("M1", "OK", "X", text="done")
    assert not pending.responses


def test_what_was_asked_for_is_enabled():
    connection = greeted()
    connection.send(commands.enable(["CONDSTORE", "QRESYNC"]))
    talk(connection, b"* ENABLED QRESYNC UTF8=ACCEPT", b"M1 OK")
    assert connection.enabled == {"QRESYNC"}


# A thousandth of what there can be, and of the room for it.
SCALED = Limits(kept=Limits().kept // 1_000, folders=Limits().folders // 1_000)


def test_as_many_folders_as_there_can_be_are_kept():
    connection = greeted(limits=SCALED)
    listing = connection.send(commands.list_mailboxes(status=["MESSAGES"]))
    name, numbers = b"x" * 700, b"(MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 UNSEEN 4 HIGHESTMODSEQ 5)"
    listed = b'* LIST (\\HasNoChildren \\Subscribed) "/" ' + name
    lines = [listed, b"* STATUS %b %b" % (name, numbers)] * SCALED.folders
    assert talk(connection, *lines, b"M1 OK")[1] == [listing]
    assert len(listing.take_responses()) == 2 * SCALED.folders


def test_as_many_messages_as_there_can_be_are_found_however_short_the_lines():
    searches = commands.uid_search((b"ALL",)), commands.uid_search((b"ALL",), esearch=True)
    connection, _, (plain, extended) = examined(*searches, limits=SCALED)
    for first in range(1, 20_000, 100):
        uids = b" ".join(b"%d" % uid for uid in range(first, first + 100))
        talk(connection, b"* SEARCH " + uids)
    assert found(plain.responses) == UidSet.of((1, 20_000))
    talk(connection, b"M2 OK")
    plain.take_responses()
    scattered = UidSet.from_uids(range(1, 4_000, 2))
    assert talk(connection, b"* ESEARCH UID ALL " + bytes(scattered), b"M3 OK")[1] == [extended]
    assert found(extended.responses) == scattered


def test_rows_that_are_void_are_kept_nowhere_and_count_nothing():
    limits = Limits(kept=0, unsolicited=20)
    connection, _, (one,) = examined(fetch(1, 9_999), uidvalidity=4, told=5, limits=limits)
    assert talk(connection, *[row(n, n) for n in range(1, 500)], b"M2 OK done")[1] == [one]
    assert not one.rows.uid


def test_void_rows_that_come_again_and_again_are_no_answer():
    connection, _, _ = examined(fetch(1, 99), uidvalidity=4, told=5, limits=Limits(unsolicited=20))
    with pytest.raises(ProtocolError, match="without a result"):
        talk(connection, *[row(1, 1)] * 50)


def test_a_server_that_lists_without_end_is_cut_short():
    connection = greeted(limits=Limits(folders=50))
    connection.send(commands.list_mailboxes())
    with pytest.raises(ProtocolError, match="50 folders"):
        talk(connection, *[b'* LIST () "/" f%d' % n for n in range(120)])


def test_the_server_s_goodbye_is_in_the_error():
    connection = greeted()
    talk(connection, b"* BYE too busy")
    with pytest.raises(ConnectionLost, match="too busy"):
        connection.receive_eof()


# The fast path agrees with the slow one ----------------------------------------------------------

LINES = [
    row(1, 1),
    row(2, 2, b""),
    row(3, 5, b"Date: \xff\x00\r\r\n\r\n"),
    row(2, 2),
    row(9, 40),
    row(4, 6).replace(b"UID 6 FLAGS ()", b"FLAGS (\\Seen $x) UID 6"),
    row(5, 7).replace(b"(DATE)]", b'("DATE")]'),
    row(5, 8)[:-1] + b" FLAGS (\\Draft))",
    row(6, 9).replace(b"{11}", b"{10}"),
    row(6, 10).replace(b"UID 10 ", b""),
    row(7, 11).replace(b' INTERNALDATE "17-Jul-1996 02:44:25 -0700"', b""),
    b"* 7 FETCH (UID 11 RFC822.SIZE 0 BODY[HEADER.FIELDS (X)] {0}\r\n)",
    b"* 7 FETCH (UID 11 RFC822.SIZE 0 BODY[HEADER.FIELDS (X)] NIL)",
    b"* 8 FETCH (UID 12 FLAGS (\\Seen))",
    b"* 8 FETCH (BODY[HEADER.FIELDS (DATE)] {1}\r\nx)",
    b"* 1 FETCH (UID 1 FLAGS (\\Seen))",
    b"* 2 EXPUNGE",
    b"junk {4}",
    b"",
]


FLAG_LINES = [
    *(b"* %d FETCH (UID %d FLAGS (\\Seen $x))" % (uid, uid) for uid in range(1, 9)),
    b"* 2 FETCH (UID 2 FLAGS ())",
    b"* 9 FETCH (MODSEQ (12) FLAGS () UID 9)",
    b"* 9 FETCH (UID 9 MODSEQ (12) FLAGS (\\Draft) )",
    b"* 10 FETCH (FLAGS (\\Seen))",
    b"* 10 FETCH (UID 10)",
    b"* 11 FETCH (UID 11 FLAGS (a (b)))",
    b"* 12 FETCH (UID 12FLAGS ())",
    b"* 30 FETCH (UID 30 FLAGS ())",
    b"* 30 FETCH FLAGS (\\Seen)",
    b"* VANISHED (EARLIER) 3",
    b"* 2 EXPUNGE",
    b"junk {4}",
    b"",
]


@pytest.mark.parametrize(("known", "items"), [(LINES, ITEMS), (FLAG_LINES, commands.FLAG_ITEMS)])
@given(st.data(), st.lists(st.integers(0, 3000)))
def test_any_split_of_a_fetch_gives_the_same_rows(known, items, data, cuts):
    lines = data.draw(st.lists(st.sampled_from(known), max_size=25))
    stream = b"".join(line + b"\r\n" for line in [*lines, b"M2 OK done"])
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    outcomes = []
    for pieces in (
        [stream],
        [stream[a:b] for a, b in pairwise(edges)],
        [stream[i : i + 1] for i in range(len(stream))],  # here the scanner gets no whole row
    ):
        asked = commands.uid_fetch(UidSet.of((1, 20)), items)
        connection, _, (one,) = examined(asked)
        for piece in pieces:
            connection.receive_data(piece)
        outcomes.append((one.rows, one.malformed, connection.junk, one.result))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=30), max_size=25))
def test_garbage_raises_nothing_but_our_own_errors(pieces):
    connection, _, _ = examined(fetch(1, 20))
    try:
        for piece in pieces:
            connection.receive_data(piece)
    except (ProtocolError, ConnectionLost):
        pass


def test_a_row_that_was_handed_on_does_not_come_again_behind_two_that_contradict_each_other():
    connection = greeted()
    connection.send(commands.examine(b"INBOX"))
    talk(connection, b"M1 OK")
    pending = connection.send(fetch(1, 9))
    talk(connection, row(1, 7))
    assert pending.take_rows().uid == [7]
    talk(connection, row(2, 8), row(3, 6), row(2, 8, b"Date: y\r\n"))
    talk(connection, row(1, 7))
    assert pending.rows.uid == [6]
    assert pending.malformed == {8}
