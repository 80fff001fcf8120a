"""Asking a person whether a host is theirs; where nobody can answer, the answer is no."""

from __future__ import annotations

import builtins
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailframe.discovery.steps import Found


def ask_person(found: Found) -> bool:
    """Ask in a terminal or a notebook whether the mail of an address is where DNS alone says."""
    if threading.current_thread() is not threading.main_thread():
        return False
    # A Jupyter kernel puts its own function in place of input; else somebody must sit there.
    in_notebook = type(builtins.input).__name__ == "method"
    if not in_notebook and not (sys.stdin and sys.stdin.isatty()):
        return False
    question = f"{found.reason} says that {found.address} is at {found.host}. Log in there? [y/N] "
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False
    except Exception as error:
        # A kernel whose front end cannot ask raises an error class of its own.
        if type(error).__name__ == "StdinNotImplementedError":
            return False
        raise
