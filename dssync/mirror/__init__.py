"""The local database: schema, upgrades, records, pending edits, history, journal, lock."""

from dssync.mirror.mirror import Mirror
from dssync.mirror.records import Record
from dssync.mirror.remotes import KnownRemote
from dssync.mirror.unit import Transaction

__all__ = ["KnownRemote", "Mirror", "Record", "Transaction"]
