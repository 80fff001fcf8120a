"""Fetching over asyncio: sessions drive the IMAP core, a plan shares the work, a pool runs it."""
