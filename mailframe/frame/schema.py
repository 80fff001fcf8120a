"""The columns of a mail frame, told once.

Batches, frames, files and stores all follow ``SCHEMA``; extra header columns are appended to it.
Parsed forms follow RFC 8621 (JMAP) section 4.1.2.
"""

from __future__ import annotations

import pyarrow as pa

from mailframe.headers import automatic

# Text lives in large_string because that is what pandas' own ``str`` dtype wraps without a copy.
TEXT = pa.large_string()
TEXTS = pa.list_(pa.string())
CATEGORY = pa.dictionary(pa.int32(), pa.string())
INSTANT = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema(
    [
        pa.field("account", CATEGORY, nullable=False),
        pa.field("folder", CATEGORY, nullable=False),
        pa.field("uid", pa.uint32(), nullable=False),
        pa.field("date", INSTANT),
        pa.field("date_offset", pa.int16()),
        pa.field("internaldate", INSTANT),
        pa.field("from_name", TEXT),
        pa.field("from_addr", TEXT),
        pa.field("from_domain", TEXT),
        pa.field("to", TEXTS),
        pa.field("cc", TEXTS),
        pa.field("subject", TEXT),
        pa.field("message_id", TEXT),
        pa.field("in_reply_to", TEXT),
        pa.field("references", TEXTS),
        pa.field("list_id", TEXT),
        pa.field("bulk", pa.bool_(), nullable=False),
        pa.field("auto", pa.bool_(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("seen", pa.bool_(), nullable=False),
        pa.field("answered", pa.bool_(), nullable=False),
        pa.field("flagged", pa.bool_(), nullable=False),
        pa.field("draft", pa.bool_(), nullable=False),
        pa.field("deleted", pa.bool_(), nullable=False),
        pa.field("keywords", TEXTS),
        pa.field("defects", pa.uint8(), nullable=False),
    ]
)

# What is known of a message beside its header, where that was asked for (``attachments=``) …
ATTACHMENTS = pa.schema(
    [
        pa.field("attachments", pa.int64()),
        pa.field("attachment_bytes", pa.int64()),
        pa.field("attachment_names", TEXTS),
        pa.field("attachment_types", TEXTS),
        pa.field("attachment_sizes", pa.list_(pa.int64())),
    ]
)
# … and where a server tells it: Google's X-GM-EXT-1, RFC 8474, RFC 8514, RFC 8970.
EXTRAS = pa.schema(
    [
        pa.field("x_gm_msgid", TEXT),
        pa.field("x_gm_thrid", TEXT),
        pa.field("x_gm_labels", TEXTS),
        pa.field("email_id", TEXT),
        pa.field("thread_id", TEXT),
        pa.field("savedate", INSTANT),
        pa.field("preview", TEXT),
    ]
)
KNOWN = pa.schema([*SCHEMA, *ATTACHMENTS, *EXTRAS])

# The header fields that the columns above are made of, as they stand in a FETCH.
HEADER_FIELDS = (
    "DATE",
    "FROM",
    "TO",
    "CC",
    "SUBJECT",
    "MESSAGE-ID",
    "IN-REPLY-TO",
    "REFERENCES",
    "LIST-ID",
    *automatic.FIELDS,
)
