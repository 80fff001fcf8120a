"""OAuth 2.0: a log-in that lasts. What to say (pure), the asking, and where tokens are kept."""
