"""What was new, changed or gone since a moment: read off the rows and the state of a folder.

New and changed rows carry their times. Expunged ones are no rows any more; the folder's state
remembers their UIDs, refresh by refresh.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from mailframe.frame.schema import CATEGORY, INSTANT, SCHEMA
from mailframe.store.filecolumns import CHANGED, STORED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailframe.store.pack import PackedFolder
    from mailframe.store.parquet import FolderFile
    from mailframe.store.state import FolderState

CHANGES = pa.schema(
    [*SCHEMA, pa.field("change", CATEGORY), pa.field("at", INSTANT, nullable=False)]
)


def changes_in(file: FolderFile | PackedFolder, start: datetime) -> Iterator[pa.RecordBatch]:
    """Yield what the refreshes after `start` found changed in one folder, as of `CHANGES`."""
    moment = pa.scalar(start, INSTANT)
    for batch in file.batches([*SCHEMA.names, STORED, CHANGED]):
        new = pc.greater(batch[STORED], moment)
        touched = pc.or_(new, pc.fill_null(pc.greater(batch[CHANGED], moment), fill_value=False))
        kind = pc.if_else(new, "new", "flags").cast(pa.string()).dictionary_encode()
        at = pc.if_else(new, batch[STORED], batch[CHANGED])
        columns = [*(batch[name] for name in SCHEMA.names), kind, at]
        yield pa.RecordBatch.from_arrays(columns, schema=CHANGES).filter(touched)
    for entry in file.state.gone:
        at = datetime.fromisoformat(entry.at)
        if at > start:
            yield _gone(file.state, [*entry.uids], at)


def _gone(state: FolderState, uids: Sequence[int], at: datetime) -> pa.RecordBatch:
    known = {"change": "gone", "at": at, "account": state.account, "folder": state.folder}
    columns = [
        pa.array(
            uids if field.name == "uid" else [known.get(field.name, _nothing(field))] * len(uids),
            field.type,
        )
        for field in CHANGES
    ]
    return pa.RecordBatch.from_arrays(columns, schema=CHANGES)


def _nothing(field: pa.Field) -> object:
    """Return what stands in a column of a message that is no more."""
    if pa.types.is_list(field.type):
        return []
    if field.nullable:
        return None
    return False if pa.types.is_boolean(field.type) else 0
