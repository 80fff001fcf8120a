"""IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051) as far as reading headers needs them, sans I/O.

Bytes go in, typed responses and finished commands come out; nothing here opens a socket, looks at
a clock or knows a DataFrame.
"""
