"""Open a mirror's file, also where nothing can be written.

SQLite keeps two files of its own beside an open mirror, and takes them away when the last program
closes it. Where the folder cannot be written it can only be told that the file stands still, which
then is true of everything but another user's writing.
"""

import os
import sqlite3
from pathlib import Path

from dssync.errors import (
    DssyncError,
    Locked,
    MirrorDamaged,
    Refused,
    TemporaryError,
    UsageError,
)

APPLICATION_ID = 0x64737379
"""Marks the file as a mirror (`dssy`)."""


def writable(path: Path) -> bool:
    """Tell whether the folder of a mirror can be written."""
    return os.access(path.absolute().parent, os.W_OK)


def connect(path: Path) -> sqlite3.Connection:
    """Open a mirror's file; transactions are begun by hand, from any thread."""
    if not writable(path):
        return look(path)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def look(path: Path, wait: float = 5.0) -> sqlite3.Connection:
    """Open a mirror's file for reading, and leave nothing beside it; wait so long for a lock."""
    how = "mode=ro" if _unfinished(path) else "mode=ro&immutable=1"
    name = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(
        name, timeout=wait, isolation_level=None, check_same_thread=False, uri=True
    )


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


def path_of(location: str | Path) -> Path:
    """Return the file of a mirror's location. Raises UsageError for another database's URL."""
    text = str(location)
    if text.startswith("sqlite:///"):
        return Path(text.removeprefix("sqlite:///"))
    if "://" in text:
        raise UsageError(
            f"{text.split('://')[0]} is no kind of mirror this program knows",
            hint="give a path, or sqlite:///mirror.db",
        )
    return Path(text)


def sentence(error: BaseException, path: Path) -> DssyncError:
    """Turn a driver's error into one of ours; the original stays as its cause."""
    cause = str(error)
    if "locked" in cause or "busy" in cause:
        return Locked(
            f"{path} is locked by another program",
            hint="close the program that edits it, then run the same command again",
        )
    if "readonly" in cause:
        return no_room(path)
    if "full" in cause:
        return TemporaryError(
            f"{path} cannot grow: {cause}", hint="free some space, then run the same command again"
        )
    if isinstance(error, sqlite3.IntegrityError):
        return UsageError(f"the mirror refused the edit: {cause}")
    if "malformed" in cause:
        return MirrorDamaged(f"{path} is damaged: {cause}", hint="restore it from a copy")
    return MirrorDamaged(f"{path} cannot be used: {cause}")
