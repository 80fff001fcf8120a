"""Statistics of mail frames: importing this package registers the accessor ``df.mail``."""

from mailframe.stats.accessor import MailAccessor

__all__ = ["MailAccessor"]
