"""A consistent copy of a mirror in use, and the lasting name of a mirror among copies."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from secrets import token_hex

from dssync.mirror import place
from dssync.mirror.transaction import Transaction


def copy(path: Path, target: Path) -> None:
    """Copy a mirror, as it was at one moment, into a new file, which is on the disk then.

    Others may write meanwhile. Unlike the mirror the copy is one file, with nothing beside it, so
    any SQLite opens it, also where nothing can be written. Raises DssyncError.
    """
    target.touch(mode=0o600)
    try:
        with closing(place.connect(path)) as source, closing(sqlite3.connect(target)) as into:
            source.execute("PRAGMA busy_timeout = 10000")
            source.backup(into)
            into.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        full = "full" in str(error)  # where the copy goes, not where the mirror is
        raise place.sentence(error, target if full else path) from error
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def identity(tx: Transaction) -> str | None:
    """Return the name that tells this mirror's copies from others', None where it has none yet."""
    found = tx.exec_driver_sql("SELECT value FROM meta WHERE name = 'identity'").first()
    return str(found[0]) if found else None


def give_identity(tx: Transaction) -> None:
    """Give the mirror a name, unless it has one; needs the program's unit."""
    tx.exec_driver_sql(
        "INSERT OR IGNORE INTO meta (name, value) VALUES ('identity', ?)", (token_hex(4),)
    )
