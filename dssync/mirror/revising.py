"""Make a mirror's schema, bring it to this program's, and put its triggers in place."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.pool import NullPool

from dssync.errors import MirrorDamaged
from dssync.mirror import schema
from dssync.mirror.place import APPLICATION_ID
from dssync.mirror.sqlite import program, program_digest, uninstall


def create(path: Path, version: str, revision: str) -> None:
    """Make the newest schema, of this revision, at once.

    A test holds it against what the revisions make.
    """
    with _exclusively(path, version) as connection:
        schema.metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql("INSERT INTO gate (one) VALUES (1)")
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revision,))


def upgrade(path: Path, version: str) -> None:
    """Run the missing revisions.

    Triggers are away meanwhile: a table cannot be rebuilt while one of them names it, and a rebuilt
    table has lost its own.
    """
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    with _exclusively(path, version) as connection:
        for statement in uninstall():
            connection.exec_driver_sql(statement)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:  # such as a schema number that damage set back
            raise error.orig or error from error
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise MirrorDamaged(f"{path} holds {len(broken)} rows whose parent is missing")


def reinstall(
    connection: sqlite3.Connection, path: Path, version: str, changed: Sequence[str] = ()
) -> None:
    """Put triggers and views in place; note for `doctor` which somebody had taken away."""
    if lost := lost_columns(connection):
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


def _install(connection: sqlite3.Connection, version: str) -> None:
    """Put this program's triggers in place; the caller's transaction holds it together."""
    for statement in program():
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [("program", program_digest()), ("version", version)],
    )


def lost_columns(connection: sqlite3.Connection) -> list[str]:
    """Name the tables and columns that are missing, and the tables that lost their key."""
    lost = []
    for table in schema.metadata.sorted_tables:
        found = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
        if not found:
            lost.append(f"the table {table.name}")
            continue
        names = {row[1] for row in found}
        lost += [f"{table.name}.{c.name}" for c in table.columns if c.name not in names]
        keys = [row[1] for row in sorted(found, key=lambda row: int(row[5])) if row[5]]
        if keys != [column.name for column in table.primary_key]:
            lost.append(f"the primary key of {table.name}")
    return lost
