"""The header store: one Parquet file a folder, brought up to date by what changed."""

from mailframe.store.reader import Store, open_store

__all__ = ["Store", "open_store"]
