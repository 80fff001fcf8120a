"""How each account of a fleet ended the last time: one JSON line each, in the store's directory."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from mailframe.store.atomic import refuse_link, replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Readers of datasets pass over names that begin with a dot.
MANIFEST = ".fleet.jsonl"
_COLUMNS = {
    "account": "str",
    "status": "str",
    "messages": "int64",
    "new": "int64",
    "changed": "int64",
    "expunged": "int64",
    "folders": "int64",
    "octets": "int64",
    "seconds": "float64",
    "attempts": "int64",
    "problems": "int64",
    "error": "str",
    "text": "str",
    "host": "str",
    "worker": "str",
    "at": "datetime64[us, UTC]",
    "source": "str",
}


class Manifest:
    """One JSON line an account, added as each ends; of several of one account the last counts."""

    def __init__(self, root: Path, known: dict[str, dict[str, Any]]) -> None:
        self._path = root / MANIFEST
        self._known = known

    def __enter__(self) -> Self:
        refuse_link(self._path)
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, summary: dict[str, Any]) -> None:
        """Keep how a visit ended."""
        self._known[summary["source"]] = summary
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(summary) + "\n")

    def of(self, source: str) -> dict[str, Any]:
        """Give what is known of an account."""
        return self._known[source]

    def _write(self) -> None:
        lines = "".join(json.dumps(row) + "\n" for row in self._known.values())
        with replacing(self._path) as file:
            file.write(lines.encode())


def read_manifest(root: Path) -> dict[str, dict[str, Any]]:
    """Return what is known of each account, by its source."""
    path = root / MANIFEST
    refuse_link(path)
    found: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text("utf-8", "replace").splitlines():
            with contextlib.suppress(ValueError):  # whoever was killed has left half a line
                row = json.loads(line)
                if isinstance(row, dict) and isinstance(row.get("source"), str):
                    found[row["source"]] = {"account": row["source"]} | row
    return found


def framed(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of a manifest as `mailframe.fleet` shows them."""
    df = pd.DataFrame([dict(row) for row in rows], columns=[*_COLUMNS], dtype="object")
    for name, dtype in _COLUMNS.items():
        if dtype == "str":
            df[name] = df[name].fillna("").astype("str")
        elif name == "at":
            df[name] = pd.to_datetime(df[name], utc=True).dt.as_unit("us")
        elif dtype == "float64":
            df[name] = pd.to_numeric(df[name]).fillna(0.0).astype("float64")
        else:
            df[name] = pd.to_numeric(df[name]).fillna(0).astype("int64")
    return df
