"""The same values as other parsers see them: the standard library's two ways, and one in Rust."""

import email
import email.header
import email.policy
import email.utils
import inspect
from datetime import UTC

from fast_mail_parser import parse_email

FIELDS = ("subject", "from_name", "from_addr", "to", "cc", "date", "message_id", "references")

# Newer versions, and older ones that distributions mended, refuse whole fields (CVE-2023-27043).
_STRICT = "strict" in inspect.signature(email.utils.getaddresses).parameters
LENIENT = {"strict": False} if _STRICT else {}


def _seconds(when):
    if when is None:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return int(when.timestamp())


def _bare(value):
    return value.strip().removeprefix("<").removesuffix(">") if value is not None else None


def _caught(read):
    """Call a reader; what it raises is what it says."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 -- another parser's failure is a result here
        return type(error).__name__


def legacy(block):
    """Read a block as ``message_from_bytes`` with `email.utils` and `email.header` does."""
    message = email.message_from_bytes(block)

    def text(name):
        value = message[name]
        return (
            None
            if value is None
            else str(email.header.make_header(email.header.decode_header(value))).strip()
        )

    def people(name):
        return [
            each
            for _, each in email.utils.getaddresses(
                [str(x) for x in message.get_all(name, [])[:1]], **LENIENT
            )
            if each
        ]

    def sender(part):
        value = message["From"]
        if value is None:
            return None
        name, addr = email.utils.parseaddr(str(value), **LENIENT)
        if part:
            return addr or None
        return str(email.header.make_header(email.header.decode_header(name))).strip() or None

    def date():
        value = message["Date"]
        return None if value is None else _seconds(email.utils.parsedate_to_datetime(str(value)))

    readers = {
        "subject": lambda: text("Subject"),
        "from_name": lambda: sender(0),
        "from_addr": lambda: sender(1),
        "to": lambda: people("To"),
        "cc": lambda: people("Cc"),
        "date": date,
        "message_id": lambda: _bare(message["Message-ID"]),
        "references": lambda: [_bare(x) for x in (message["References"] or "").split()],
    }
    return {name: _caught(read) for name, read in readers.items()}


def modern(block):
    """Read a block as ``policy.default`` does."""
    message = email.message_from_bytes(block, policy=email.policy.default)

    def people(name):
        value = message[name]
        return (
            []
            if value is None
            else [x.addr_spec for x in value.addresses if x.addr_spec not in {"", "<>"}]
        )

    def sender(part):
        value = message["From"]
        if value is None or not value.addresses:
            return None
        first = value.addresses[0]
        return (first.addr_spec if part else first.display_name.strip()) or None

    def date():
        value = message["Date"]
        return None if value is None else _seconds(value.datetime)

    def string(name):
        value = message[name]
        return None if value is None else str(value).strip()

    readers = {
        "subject": lambda: string("Subject"),
        "from_name": lambda: sender(0),
        "from_addr": lambda: sender(1),
        "to": lambda: people("To"),
        "cc": lambda: people("Cc"),
        "date": date,
        "message_id": lambda: _bare(string("Message-ID")),
        "references": lambda: [_bare(x) for x in (string("References") or "").split()],
    }
    return {name: _caught(read) for name, read in readers.items()}


def rust(block):
    """Read a block as fast-mail-parser does."""
    try:
        mail = parse_email(block + b"\r\n\r\n")
    except Exception as error:  # noqa: BLE001 -- as above
        return dict.fromkeys(FIELDS, type(error).__name__)

    def string(name):
        found = [x for key, values in mail.headers.items() if key.lower() == name for x in values]
        return found[0].strip() if found else None

    def people(found):
        return [each.address for each in found if each.address]

    sender = mail.from_
    return {
        "subject": string("subject"),
        "from_name": ((sender.display_name or "").strip() or None) if sender else None,
        "from_addr": (sender.address or None) if sender else None,
        "to": people(mail.to),
        "cc": people(mail.cc),
        "date": _seconds(mail.date_parsed),
        "message_id": _bare(string("message-id")),
        "references": [_bare(x) for x in (string("references") or "").split()],
    }


PARSERS = {"email (legacy)": legacy, "email (policy.default)": modern, "fast-mail-parser": rust}


def ours(block):
    """Read a block as mailframe does, one row."""
    from tests.frame.rowwise import header_row  # noqa: PLC0415 -- the benchmark imports this module

    row, _ = header_row(block)
    if row["date"] is not None:
        row["date"] //= 1_000_000
    return {name: row[name] for name in FIELDS}


def same(field, mine, theirs):
    """Tell whether two parsers say the same, letter case of domains apart."""
    if field == "from_addr" and mine and theirs:
        return mine.lower() == theirs.lower()
    if field in {"to", "cc"} and isinstance(theirs, list):
        return [x.lower() for x in mine] == [x.lower() for x in theirs]
    return mine == theirs or (not mine and not theirs)
