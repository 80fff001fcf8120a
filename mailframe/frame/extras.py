"""Header fields that a caller asks for beside the frame's own: the JMAP way to name them.

``"List-Unsubscribe"``, ``"Received:all"`` and ``"X-Foo:asAddresses"`` follow RFC 8621 section
4.1.3; without a form the field's own one is taken (section 4.1.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from mailframe.errors import ConfigurationError
from mailframe.frame.schema import ATTACHMENTS, EXTRAS, INSTANT, SCHEMA, TEXT, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable

# What the statistics of delivery (hops, delays, SPF, DKIM, DMARC) are made of.
DELIVERY = ("Authentication-Results:all", "Received:all")

_FORMS = {
    "asText": TEXT,
    "asAddresses": TEXTS,
    "asMessageIds": TEXTS,
    "asDate": INSTANT,
    "asURLs": TEXTS,
}
_RESENT = ("FROM", "SENDER", "REPLY-TO", "TO", "CC", "BCC")
_DEFAULTS = (
    dict.fromkeys([*_RESENT, *("RESENT-" + name for name in _RESENT)], "asAddresses")
    | dict.fromkeys(
        ["MESSAGE-ID", "IN-REPLY-TO", "REFERENCES", "RESENT-MESSAGE-ID"], "asMessageIds"
    )
    | dict.fromkeys(["DATE", "RESENT-DATE"], "asDate")
    | dict.fromkeys(
        [
            "LIST-" + kind
            for kind in ("HELP", "UNSUBSCRIBE", "SUBSCRIBE", "POST", "OWNER", "ARCHIVE")
        ],
        "asURLs",
    )
)
# Lists that stand in several fields are one list (RFC 5322 section 4.5.3, for destinations); who
# wrote or sent a message is told by the first field of several.
_LISTS = frozenset({"asAddresses", "asMessageIds", "asURLs"})
_FIRST = frozenset({"FROM", "SENDER", "MESSAGE-ID"})
# Columns of a frame that are not made of the header field of their name.
_NOT_HEADERS = frozenset(SCHEMA.names) - {
    *("date", "subject", "to", "cc", "message_id", "in_reply_to", "references", "list_id")
} | {"raw_headers", *ATTACHMENTS.names, *EXTRAS.names[3:]}
# Atoms of IMAP that are also field names: nothing that could end a command's argument.
_NAME = re.compile(r"[A-Za-z0-9!#$&'+./^_`|~-]{1,76}")


class Extra(NamedTuple):
    """One asked-for column.

    Attributes
    ----------
    column : str
        The field's name in snake case, with ``header_`` before it where the frame has a column of
        that name which is not made of that field (``Keywords``, ``Size``).
    field : str
        The field's name in upper case.
    form : str
        ``"asText"``, ``"asAddresses"``, ``"asMessageIds"``, ``"asDate"`` or ``"asURLs"``.
    every : bool
        Whether every instance of the field was asked for.
    """

    column: str
    field: str
    form: str
    every: bool

    @property
    def joined(self) -> bool:
        """Whether every instance of the field counts, not only the first."""
        listed = self.form in _LISTS and self.field.removeprefix("RESENT-") not in _FIRST
        return self.every or listed

    @property
    def type(self) -> pa.DataType:
        """Arrow type of the column."""
        if not self.every:
            return _FORMS[self.form]
        return pa.list_(INSTANT) if self.form == "asDate" else TEXTS


def known_fields() -> dict[str, pa.DataType]:
    """Give the type of each column that a field with a form of its own makes, asked for once."""
    fields = [_parse(field) for field in _DEFAULTS]
    return {extra.column: extra.type for extra in fields}


def parse_extras(headers: Iterable[str]) -> tuple[Extra, ...]:
    """Read the names that a caller gave.

    Raises
    ------
    ConfigurationError
        A name is no field name, a suffix is unknown, or a column would be there twice.
    """
    if isinstance(headers, str):
        raise ConfigurationError(f"headers wants a list of names, such as [{headers!r}].")
    found: dict[str, Extra] = {}
    for header in headers:
        extra = _parse(header)
        if extra.column in SCHEMA.names and header == header.partition(":")[0]:
            continue  # the frame has it already
        if extra.column in SCHEMA.names:
            raise ConfigurationError(
                f"{header!r}: the frame has a column {extra.column!r} already."
            )
        if extra.column in found:
            raise ConfigurationError(f"{header!r}: column {extra.column!r} was asked for twice.")
        found[extra.column] = extra
    return tuple(found.values())


def _parse(header: str) -> Extra:
    name, *suffixes = header.split(":")
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{header!r} is no header field name; try 'List-Unsubscribe'.")
    every = "all" in suffixes
    forms = [suffix for suffix in suffixes if suffix != "all"]
    if len(suffixes) > len(set(suffixes)) or len(forms) > 1 or not set(forms) <= set(_FORMS):
        raise ConfigurationError(
            f"{header!r}: after the name may stand ':all' and one of {', '.join(_FORMS)}."
        )
    field = name.upper()
    column = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not column or column in _NOT_HEADERS:
        # "Keywords" and "Size" are columns of another meaning.
        column = f"header_{column}"
    return Extra(column, field, forms[0] if forms else _DEFAULTS.get(field, "asText"), every)
