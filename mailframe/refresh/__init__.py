"""A header store brought up to date: its refresh plans, carried out by the pool.

One direction: `task` turns the store's plan for a folder into the pool's work, `keeping` takes what
comes back, `saving` makes batches of it in a thread, and merges them into the folder's file as soon
as the folder is closed. Rows of folders that are not closed yet are staged on the disk batch by
batch, so a refresh that was broken off goes on where it stopped.
"""

from mailframe.refresh.keeping import Keeping

__all__ = ["Keeping"]
