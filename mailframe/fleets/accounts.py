"""Who is in a fleet: from addresses, URLs, accounts, paths, a frame, or a CSV file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe.accounts.account import Account
from mailframe.errors import ConfigurationError
from mailframe.fleets.order import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    Accounts: TypeAlias = (
        str | os.PathLike[str] | pd.DataFrame | Iterable[str | os.PathLike[str] | Account]
    )


def rows_of(accounts: Accounts) -> list[Mapping[str, Any]]:
    """Return what is said of each account, by the names of columns.

    Raises
    ------
    ConfigurationError
        It is none, comes with its password, or the file cannot be read.
    """
    if isinstance(accounts, pd.DataFrame):
        return [
            {str(name).lower(): value for name, value in row.items()}
            for row in accounts.to_dict("records")
        ]
    if isinstance(accounts, str | os.PathLike):
        path = Path(accounts)
        if path.suffix.lower() not in {".csv", ".txt"}:
            return [{"account": os.fspath(accounts)}]
        try:
            return list(read_rows(path.expanduser().read_text("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigurationError(
                f"Accounts cannot be read from {str(path)!r}: {why}"
            ) from error
    return [_row(each) for each in accounts]


def _row(account: object) -> dict[str, Any]:
    if isinstance(account, Account):
        if account.password is not None:
            raise ConfigurationError(
                f"{account.name} has its password with it, and passwords do not travel: say by"
                " credentials= where the workers find it",
                account=account.name,
            )
        return {"account": account.url, "login": account.login}
    if isinstance(account, str | os.PathLike):
        return {"account": os.fspath(account)}
    raise ConfigurationError("An account of a fleet is an address, a URL, an Account or a path")


def rows_in(known: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the accounts of a manifest, by name: it has them in the order in which they ended."""
    return [
        {"account": source, "credentials": row.get("credentials"), "login": row.get("login")}
        for source, row in sorted(known.items())
    ]
