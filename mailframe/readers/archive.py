"""Local mail in a store: the folders of an mbox, a Maildir and their kin as those of an account.

An archive is read again only where something in it changed: a digest of its files' names, sizes and
times stands in the state of each folder, in the place of a server.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.ground.uidset import UidSet
from mailframe.sources.local import open_local
from mailframe.store.filecolumns import stored_schema
from mailframe.store.merge import Answers, Merge
from mailframe.store.parquet import constant
from mailframe.store.state import FolderState
from mailframe.store.uids import set_of
from mailframe.store.writer import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from mailframe.store.writer import AccountWriter


def keep_local(root: Path, source: str) -> dict[str, Any]:
    """Bring the part of a store up to date that keeps local mail; its account is the full path.

    The messages of a folder are in memory at once.

    Returns
    -------
    dict
        ``account``, ``messages``, ``new``, ``expunged`` and ``folders``; where something was left
        out also ``status``, ``problems``, ``error`` and ``text``.

    Raises
    ------
    ConfigurationError
        The path names nothing, or no mail.
    StoreError
        The store cannot be written, or another process is at it.
    """
    path = Path(source).expanduser().absolute()
    account, mark = str(path), _digest(path)
    told: dict[str, Any] = {"account": account, "new": 0, "expunged": 0}
    reading = open_local(path, errors="ignore", progress=False)
    with writing(root, account) as writer:
        if (held := _held(writer, mark)) is not None:
            return told | held
        folders: dict[str, list[pa.RecordBatch]] = {}
        for batch in reading:
            place = batch.schema.get_field_index("account")
            named = constant(account, batch.num_rows)
            whole = batch.set_column(place, batch.schema.field(place), named)
            for folder, rows in _by_folder(whole):
                folders.setdefault(folder, []).append(rows)
        begun = datetime.now(UTC)
        writer.expect(len(folders))
        for folder, batches in folders.items():
            added, gone = _save(writer, folder, batches, mark)
            told["new"] += added
            told["expunged"] += gone
        writer.finish()
        writer.forget_others([*folders], begun)
    told |= {"messages": reading.report["messages"], "folders": len(folders)}
    if problems := reading.report["problems"]:
        told |= {"status": "partial", "problems": len(problems)}
        told |= {"error": problems[0]["error"], "text": problems[0]["text"]}
    return told


def _digest(path: Path) -> str:
    found = hashlib.blake2b(digest_size=16)
    for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if each.is_file():
            stat = each.stat()
            said = f"{each.relative_to(path)}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
            found.update(said.encode("utf-8", "surrogatepass"))
    return f"files {found.hexdigest()}"


def _held(writer: AccountWriter, mark: str) -> dict[str, int] | None:
    """Count what is held of an archive that is as it was; None where it is not."""
    held = writer.all_held()
    if not held or any(each.state.server != mark for each in held):
        return None
    return {"messages": sum(each.rows for each in held), "folders": len(held)}


def _by_folder(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    folders = batch["folder"]
    start = 0
    codes = folders.indices.to_pylist()
    for stop in range(1, len(codes) + 1):
        if stop == len(codes) or codes[stop] != codes[start]:
            yield folders.dictionary[codes[start]].as_py(), batch.slice(start, stop - start)
            start = stop


def _save(
    writer: AccountWriter, folder: str, batches: list[pa.RecordBatch], mark: str
) -> tuple[int, int]:
    """Merge a folder's messages into what is held of it; tell how many are new and gone."""
    now = datetime.now(UTC)
    held = writer.held(folder)
    there = UidSet()
    for batch in batches:
        there |= set_of(batch["uid"].to_numpy())
    lost = held.uids - there if held else UidSet()
    state = FolderState(writer.account, folder, 1, there.last + 1 if there else 1)
    state = dataclasses.replace(state, server=mark, refreshed=now.isoformat()).with_gone(lost)
    merge = Merge(stored_schema(()), Answers(rows=batches), lost=lost, at=now)
    writer.save(state, merge.batches(held.batches() if held else ()))
    return merge.added, len(lost)
