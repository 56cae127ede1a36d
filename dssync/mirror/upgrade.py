"""Bring a mirror to this program's schema, or refuse one from a newer program.

Alembic is imported only when a revision has to run: that costs a tenth of a second, and nearly
every command finds the mirror up to date.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.pool import NullPool

from dssync.errors import DssyncError, Locked, MirrorDamaged, MirrorTooNew, NoMirror
from dssync.mirror import place, schema, seal
from dssync.mirror.place import APPLICATION_ID
from dssync.mirror.sqlite import program, program_digest, uninstall

HEAD = "0004"
"""The newest revision in `migrations/`; a test keeps it true."""


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
    if fresh:
        _create(path, version)
        return
    found = _revision(connection, path)
    if found != HEAD:
        _refuse_newer(found, path)
        if not place.writable(path):
            raise place.no_room(path)
        _copy(connection, path, found or "none")
        _upgrade(path, version)
    elif place.writable(path) and _installed(connection) != program_digest():
        _reinstall(connection, path, version)
    elif place.writable(path) and (changed := seal.changed_objects(connection)):
        _reinstall(connection, path, version, changed)


def _reinstall(
    connection: sqlite3.Connection, path: Path, version: str, changed: Sequence[str] = ()
) -> None:
    """Put triggers and views in place; note for `doctor` which somebody had taken away."""
    if lost := seal.lost_columns(connection):
        raise MirrorDamaged(
            f"{path} is damaged: it lacks {', '.join(lost[:5])}",
            hint="restore it from a copy, or move it away and pull again",
        )
    connection.execute("BEGIN IMMEDIATE")
    _install(connection, version)
    if changed:
        connection.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('put_back', ?)",
            (", ".join(changed),),
        )
    connection.execute("COMMIT")


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


def _refuse_newer(found: str | None, path: Path) -> None:
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


def _create(path: Path, version: str) -> None:
    """Make the newest schema at once; a test holds it against what the revisions make."""
    with _exclusively(path, version) as connection:
        schema.metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql("INSERT INTO gate (one) VALUES (1)")
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))


def _upgrade(path: Path, version: str) -> None:
    """Run the missing revisions.

    Triggers are away meanwhile: a table cannot be rebuilt while one of them names it, and a rebuilt
    table has lost its own.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    with _exclusively(path, version) as connection:
        for statement in uninstall():
            connection.exec_driver_sql(statement)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise MirrorDamaged(f"{path} holds {len(broken)} rows whose parent is missing")


@contextmanager
def _exclusively(path: Path, version: str) -> Iterator[Connection]:
    """Give a transaction on an engine of its own; it is kept, with this program's triggers, or not.

    Foreign keys stay off, because Alembic's batch-alter of a parent table would otherwise delete
    its children; the transaction is explicit, because the driver's own would let a revision that
    fails half-way leave its tables behind.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"isolation_level": None},
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        _install(driver, version)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql("COMMIT")
    engine.dispose()


def scripts() -> Path:
    """Find the revisions: inside the installed package, or beside it in a checkout."""
    package = Path(str(files("dssync")))
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def _installed(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE name = 'program'").fetchone()
    return str(row[0]) if row else None


def _install(connection: sqlite3.Connection, version: str) -> None:
    """Put this program's triggers in place; the caller's transaction holds it together."""
    for statement in program():
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [("program", program_digest()), ("version", version)],
    )
