"""What lets people in: kept so that nothing shows it by accident.

A traceback that tells variables (IPython's, rich's, an error tracker's) tells those of every call
on the way. So a public function never holds a password as plain text: `sealing` puts it, and a URL
that may hold one, into a ``Secret`` before the function begins. Making one never fails; `check`
does, where nothing but the ``Secret`` itself can be seen.
"""

from __future__ import annotations

import functools
import hmac
import inspect
import itertools
import re
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from mailframe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

_CONTROLS = re.compile(r"[\r\n\0]")
_SECRET = {"account", "password"}  # arguments that may hold a password


class Secret:
    """A password or token that shows itself only to the one who asks by name.

    Printing, formatting and ``repr`` give stars; pickling is refused.

    Parameters
    ----------
    value : str or bytes
        What to keep; bytes are UTF-8.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value; for the moment of sending only."""
        return self._value.decode() if isinstance(self._value, bytes) else self._value

    def check(self, kind: str = "password") -> None:
        """Refuse what cannot be sent.

        Raises
        ------
        ConfigurationError
            It is no text, no UTF-8, or would end the command that carries it. Nothing is quoted.
        """
        if not isinstance(self._value, str | bytes):
            raise ConfigurationError(f"The {kind} is not text: give a str")
        if not self.is_text():
            raise ConfigurationError(
                f"The {kind} is not UTF-8, and no server takes it as it stands; write it in UTF-8"
            )
        if _CONTROLS.search(self.reveal()):
            raise ConfigurationError(f"The {kind} holds a line break or a NUL; no server takes it")

    def is_text(self) -> bool:
        """Whether it can be revealed, and sent as UTF-8."""
        try:
            self.reveal().encode()
        except (UnicodeError, AttributeError):
            return False
        return True

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, others = (repr(each._value).encode() for each in (self, other))  # noqa: SLF001 -- ours
        return hmac.compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash(Secret)  # says nothing about the value, and stays the same for equal ones

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled; hand the password over by another way")


def sealing(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function get what may hold a password as a ``Secret``, whatever it was given as."""
    seal = sealer(inspect.signature(function))

    @functools.wraps(function)
    def sealed(*args: P.args, **options: P.kwargs) -> R:
        args, options = seal(args, options)
        return function(*args, **options)

    return sealed


def sealer(signature: inspect.Signature) -> Callable[..., tuple[Any, Any]]:
    """Give what seals arguments; those that no parameter takes may be misplaced passwords."""
    parameters = signature.parameters.values()
    placed = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    named = {each.name for each in parameters}

    def seal(args: tuple[object, ...], options: dict[str, object]) -> tuple[Any, Any]:
        names = itertools.chain(placed, itertools.repeat("password"))
        return (
            tuple(_sealed(name, value) for name, value in zip(names, args)),  # noqa: B905 -- one is endless
            {
                name: _sealed(name if name in named else "password", value)
                for name, value in options.items()
            },
        )

    return seal


def _sealed(name: str, value: object) -> object:
    plain = value is not None and type(value).__module__ == "builtins" and not callable(value)
    # A URL where the name of a server should be is refused later, and never shown.
    misplaced = name == "host" and isinstance(value, str) and "@" in value
    return Secret(value) if misplaced or (plain and name in _SECRET) else value  # type: ignore[arg-type]  # told by check
