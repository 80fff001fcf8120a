"""Header field values, sans I/O: bytes in, text, addresses, instants and ids out."""
