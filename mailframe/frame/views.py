r"""Views of mail that other folders hold, each message told once.

``\All``, ``\Flagged`` and ``\Important`` (RFC 6154, RFC 8457) show messages of other folders again;
but what is archived without a label at Gmail stands in ``\All`` alone. So a view is read beside the
others, and of its rows those are kept that stand nowhere else. Two rows are one message when the
server's own id says so, where it is a column, else when Message-ID, Date and size agree (without a
Message-ID: sender and subject).

Rows of a view wait until the other folders are complete; then they are judged, and later ones at
once. Of each message a 64-bit hash is kept, no text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SERVER_IDS = ("x_gm_msgid", "email_id")
# What two rows are told to be one message by.
JUDGED = ("message_id", "from_addr", "subject", "date", "size", *SERVER_IDS)
_BETWEEN = "\0"  # stands in no value


class Views:
    """Let rows pass, those of views only once and where no other folder has them.

    Parameters
    ----------
    names : sequence of str
        The folders that are views, as the rows call them; of a message in several of them the row
        of the first counts.

    Attributes
    ----------
    kept, left_out : dict
        Rows of each view that passed, and that stand elsewhere.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.kept = dict.fromkeys(names, 0)
        self.left_out = dict.fromkeys(names, 0)
        self._settled = not names
        self._seen: set[int] = set()  # in folders that are no views
        self._shown: dict[str, set[int]] = {name: set() for name in names}
        self._waiting: dict[str, list[pa.RecordBatch]] = {name: [] for name in names}

    def take(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take a batch, and give what can pass of it now."""
        if not self.kept:
            yield batch
            return
        folders = batch["folder"].cast(pa.large_string())
        within = pc.is_in(folders, pa.array([*self.kept], pa.large_string()))
        others = batch.filter(pc.invert(within)) if pc.any(within).as_py() else batch
        self._seen.update(_hashes(others))
        if others.num_rows:
            yield others
        for name in self.kept:
            rows = batch.filter(pc.equal(folders, name))
            if not rows.num_rows:
                continue
            if self._settled:
                yield from self._judge(name, rows)
            else:
                self._waiting[name].append(rows)

    def settle(self) -> Iterator[pa.RecordBatch]:
        """Note that no row of another folder will come; give what has waited and passes."""
        self._settled = True
        for name, batches in self._waiting.items():
            while batches:
                yield from self._judge(name, batches.pop(0))

    def all_of(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give all that passes of batches that are complete."""
        for batch in batches:
            yield from self.take(batch)
        yield from self.settle()

    def _judge(self, name: str, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        hashes = _hashes(rows)
        beside = [shown for other, shown in self._shown.items() if other != name]
        alone = np.array(
            [one not in self._seen and not any(one in shown for shown in beside) for one in hashes],
            dtype=bool,
        )
        kept = rows.filter(pa.array(alone))
        self._shown[name].update(one for one, passes in zip(hashes, alone, strict=True) if passes)
        self.kept[name] += kept.num_rows
        self.left_out[name] += rows.num_rows - kept.num_rows
        if kept.num_rows:
            yield kept


def _hashes(batch: pa.RecordBatch) -> list[int]:
    """Give one number for each message, the same wherever it stands."""
    between = pa.scalar(_BETWEEN, pa.large_string())  # not at import: it would load pandas
    found = pc.binary_join_element_wise(
        pc.coalesce(
            batch["message_id"].cast(pa.large_string()),
            pc.binary_join_element_wise(
                *(_text(batch[name]) for name in ("from_addr", "subject")), between
            ),
        ),
        _text(batch["date"].cast(pa.int64())),
        _text(batch["size"]),
        between,
    )
    for name in SERVER_IDS:
        if name in batch.schema.names:
            found = pc.coalesce(batch[name].cast(pa.large_string()), found)
    return [hash(one) for one in found.to_pylist()]


def _text(column: pa.Array) -> pa.Array:
    return pc.fill_null(column.cast(pa.large_string()), "")
