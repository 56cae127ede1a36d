"""Open a mirror's file, also where nothing can be written.

SQLite keeps two files of its own beside an open mirror, and takes them away when the last program
closes it. Where the folder cannot be written it can only be told that the file stands still, which
then is true of everything but another user's writing.
"""

import os
import sqlite3
from pathlib import Path

from dssync.errors import Refused


def writable(path: Path) -> bool:
    """Tell whether the folder of a mirror can be written."""
    return os.access(path.absolute().parent, os.W_OK)


def connect(path: Path) -> sqlite3.Connection:
    """Open a mirror's file; transactions are begun by hand, from any thread."""
    name, uri = str(path), not writable(path)
    if uri:
        name = f"{path.absolute().as_uri()}?{'mode=ro' if _unfinished(path) else 'immutable=1'}"
    return sqlite3.connect(name, isolation_level=None, check_same_thread=False, uri=uri)


def _unfinished(path: Path) -> bool:
    """Tell whether what was written last still stands in a file of SQLite's own."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def no_room(path: Path) -> Refused:
    """Return the error of a write where none is possible."""
    return Refused(
        f"{path} cannot be changed: nothing can be written in its folder",
        hint="copy it to a folder of yours, and name that with --mirror",
    )
