"""The mirror for Python programs: records as typed values, edited in transactions."""

from dssync.library.mirror import Match, Mirror
from dssync.library.pending import Edit, Pending, PendingChange, PendingConflict, Sides
from dssync.library.record import Dataset, DatasetFields, Item, ItemFields, Record

__all__ = [
    "Dataset",
    "DatasetFields",
    "Edit",
    "Item",
    "ItemFields",
    "Match",
    "Mirror",
    "Pending",
    "PendingChange",
    "PendingConflict",
    "Record",
    "Sides",
]
