"""Header fields by the column: raw values in, Arrow columns out.

The values of one field lie in one buffer (`values`), and structure is read from the few octets in
it that mean anything (`marks`). What is plainly regular is decoded for the whole column at once:
texts and their encoded-words (`words`), address lists as the sum of their mailboxes (`lists`), ids
(`ids`). Everything else goes, value by value and as a whole, to the parsers of `mailframe.headers`,
which are the definition of what a value means.
"""
