"""Statistics of mail frames, all of them by ``df.mail``."""

from mailframe.stats.accessor import MailAccessor

__all__ = ["MailAccessor"]
