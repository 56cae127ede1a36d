"""The local database: schema, upgrades, records, pending edits, history, journal, lock.

Names are resolved on first use: `names`, which a TAB waits for, must not load SQLAlchemy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dssync.mirror.mirror import Mirror as Mirror
    from dssync.mirror.records import Record as Record
    from dssync.mirror.remotes import KnownRemote as KnownRemote
    from dssync.mirror.transaction import Transaction as Transaction

_HOME = {
    "KnownRemote": "dssync.mirror.remotes",
    "Mirror": "dssync.mirror.mirror",
    "Record": "dssync.mirror.records",
    "Transaction": "dssync.mirror.transaction",
}

__all__ = ["KnownRemote", "Mirror", "Record", "Transaction"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'dssync.mirror' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
