"""From an address to its IMAP server: what to ask (pure), and the asking."""
