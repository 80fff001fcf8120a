"""Messages that lie in a file each: Maildir, MH, folders and archives of ``.eml``."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import TYPE_CHECKING

from mailframe.sources.files import shown
from mailframe.sources.reading import Message, Options, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator


class FileReading(Reading):
    """A source whose messages are files; what cannot be read costs itself alone, and is told.

    Attributes
    ----------
    unread : list of OSError
        Folders that could not be read and have not been told of.
    """

    unit = "messages"

    def __init__(self, account: str, options: Options) -> None:
        super().__init__(account, options)
        self.unread: list[OSError] = []

    @abstractmethod
    def found(self) -> Iterator[Message]:
        """Yield the messages."""

    def messages(self) -> Iterator[Message]:
        """Yield the messages, and tell of folders that cannot be read."""
        for message in self.found():
            self._tell_unread()
            yield message
        self._tell_unread()

    def note_unread(self, error: OSError) -> None:
        """Keep in mind that a folder cannot be read, where it can be told of only later."""
        self.unread.append(error)

    def _tell_unread(self) -> None:
        for error in self.unread:
            path = os.fsdecode(error.filename or "")
            self.unreadable(shown(path), path, error)
        self.unread.clear()
