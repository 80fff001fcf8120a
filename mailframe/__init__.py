"""Your mail as a pandas DataFrame: pipelined IMAP, exact headers, one call."""
