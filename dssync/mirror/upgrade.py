"""Bring a mirror to this program's schema, or refuse one from a newer program.

Nearly every command finds the mirror up to date. What is needed otherwise (`revising`) is imported
only then: SQLAlchemy takes two tenths of a second, and Alembic one more.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from dssync.errors import DssyncError, Locked, MirrorDamaged, MirrorTooNew, NoMirror
from dssync.mirror import place, seal
from dssync.mirror.place import APPLICATION_ID
from dssync.mirror.sqlite import program_digest

HEAD = "0007"
"""The newest revision in `migrations/`; a test keeps it true."""

_REVISION = re.compile("(?!0000)[0-9]{4}")


def prepare(path: Path, version: str) -> None:
    """Create or upgrade the mirror at `path`; do nothing when it is current.

    An existing file is copied beside itself before a revision touches it. Raises NoMirror for a
    file that is none, MirrorTooNew for one of a newer program, MirrorDamaged for a broken one.
    """
    if path.exists() and not path.is_file():
        raise NoMirror(f"{path} is no file", hint="name another with --mirror")
    fresh = not path.exists() or path.stat().st_size == 0
    if fresh:
        path.touch(mode=0o600)
    try:
        with closing(place.connect(path)) as connection:
            _bring_up(connection, path, version, fresh)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _unusable(error, path) from None


def _bring_up(connection: sqlite3.Connection, path: Path, version: str, fresh: bool) -> None:
    found = None if fresh else _revision(connection, path)
    _refuse_unknown(found, path)
    current = found == HEAD
    if current and not place.writable(path):
        return
    own = current and _installed(connection) == program_digest()
    changed = seal.changed_objects(connection) if own else []
    if own and not changed:
        return

    from dssync.mirror import revising

    if fresh:
        revising.create(path, version, HEAD)
    elif current:
        revising.reinstall(connection, path, version, changed)
    elif not place.writable(path):
        raise place.no_room(path)
    else:
        _copy(connection, path, found or "none")
        revising.upgrade(path, version)


def _revision(connection: sqlite3.Connection, path: Path) -> str | None:
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark != APPLICATION_ID:
        raise NoMirror(
            f"{path} is a database, but no mirror of dssync",
            hint="name another file with --mirror",
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _unusable(error: sqlite3.DatabaseError | UnicodeDecodeError, path: Path) -> DssyncError:
    if "locked" in str(error):
        return Locked(f"{path} is locked by another program", hint="close it, then try again")
    if "readonly" in str(error):
        return place.no_room(path)
    if isinstance(error, sqlite3.OperationalError):
        return MirrorDamaged(f"{path} cannot be read as a mirror: {error}")
    if "not a database" in str(error):
        return NoMirror(f"{path} is no mirror: {error}", hint="name another file with --mirror")
    return MirrorDamaged(f"{path} is damaged: {error}", hint="restore it from a copy")


def _refuse_unknown(found: str | None, path: Path) -> None:
    """Refuse a schema that no program ever wrote, and one of a newer program."""
    if found is not None and not _REVISION.fullmatch(found):
        raise MirrorDamaged(
            f"{path} is damaged: no dssync ever wrote a schema {ascii(found)[:20]}",
            hint="restore it from a copy",
        )
    if found is not None and found > HEAD:
        raise MirrorTooNew(
            f"{path} was written by a newer dssync (schema {found}, this program knows {HEAD})",
            hint="upgrade dssync: pip install --upgrade dssync",
        )


def _copy(connection: sqlite3.Connection, path: Path, found: str) -> None:
    copy = path.with_name(f"{path.name}.before-{HEAD}-from-{found}")
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)


def _installed(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE name = 'program'").fetchone()
    return str(row[0]) if row else None
