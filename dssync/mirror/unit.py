"""The open database, and the one scope in which the program writes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from dssync.core.values import digest_of
from dssync.errors import DssyncError, Locked, MirrorDamaged, TemporaryError, UsageError
from dssync.mirror import place
from dssync.mirror.sqlite import SETTINGS

Transaction = Connection
"""What a unit, an edit or a read is given to work with."""

CACHE = {"reader": 2_000, "writer": 16_000}
"""Kilobytes of the file that each connection keeps in memory. Keys are random, so a unit touches
pages all over an index; with less cache the writer writes them several times.
"""

READ = {"begin": "BEGIN", "synchronous": "NORMAL"}
WRITE = {"begin": "BEGIN IMMEDIATE", "synchronous": "NORMAL"}
DURABLE = {"begin": "BEGIN IMMEDIATE", "synchronous": "FULL"}
"""Transactions that must be on the disk before the next request is sent."""


class Database:
    """One mirror file. Several may read; whoever writes does so in a unit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = _engine(path, CACHE["reader"])
        self._writer = _engine(path, CACHE["writer"])

    def close(self) -> None:
        """Let go of the file."""
        self._reader.dispose()
        self._writer.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a consistent view of the mirror."""
        with self._transaction(self._reader, READ) as connection:
            yield connection

    @contextmanager
    def edit(self) -> Iterator[Connection]:
        """Write as a person would: the gate stays clear, so triggers guard and notice.

        Raises UsageError with the trigger's sentence.
        """
        with self._transaction(self._writer, WRITE) as connection:
            yield connection

    @contextmanager
    def unit(self, run: int, *, durable: bool = False) -> Iterator[Connection]:
        """Write as the program, for `run`; all of it is kept, or nothing.

        The gate is open inside this transaction only, so no other connection sees it open.
        """
        with self._transaction(self._writer, DURABLE if durable else WRITE) as connection:
            connection.exec_driver_sql("UPDATE gate SET run = ?", (run,))
            yield connection
            connection.exec_driver_sql("UPDATE gate SET run = NULL")

    @contextmanager
    def step(self, tx: Connection, run: int | None = None) -> Iterator[None]:
        """Make one step of an edit, which is kept whole or not at all; with `run`, as the program.

        Whoever catches a refusal can go on with the edit: the step left nothing, and the gate is
        as it was. Raises what `edit` raises, and TemporaryError where the edit itself is lost.
        """
        driver = tx.connection.driver_connection
        if not (driver and driver.in_transaction):
            raise TemporaryError(
                f"{self.path} took the whole edit back after an error", hint="make the edit again"
            )
        with self.told(), tx.begin_nested():
            if run is not None:
                tx.exec_driver_sql("UPDATE gate SET run = ?", (run,))
            yield
            if run is not None:
                tx.exec_driver_sql("UPDATE gate SET run = NULL")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say in a sentence of ours what the driver says."""
        try:
            yield
        except DBAPIError as error:
            raise _sentence(error.orig or error, self.path) from error
        except sqlite3.Error as error:  # from BEGIN, which the driver is told directly
            raise _sentence(error, self.path) from error

    @contextmanager
    def _transaction(self, engine: Engine, options: dict[str, str]) -> Iterator[Connection]:
        with self.told(), engine.connect() as bare:
            connection = bare.execution_options(**options)
            with connection.begin():
                yield connection


def _engine(path: Path, cache: int) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: place.connect(path), poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, record: Any) -> None:
        for setting in (*SETTINGS, f"PRAGMA cache_size = -{cache}"):
            connection.execute(setting)
        connection.create_function("digest_of", -1, digest_of, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        driver = connection.connection.driver_connection
        if driver is None:
            raise MirrorDamaged(f"{path} was closed while it was used")
        driver.execute(f"PRAGMA synchronous = {options['synchronous']}")
        driver.execute(options["begin"])

    return engine


def _sentence(error: BaseException, path: Path) -> DssyncError:
    """Turn a driver's error into one of ours; the original stays as its cause."""
    cause = str(error)
    if "locked" in cause or "busy" in cause:
        return Locked(
            f"{path} is locked by another program",
            hint="close the program that edits it, then run the same command again",
        )
    if "readonly" in cause:
        return place.no_room(path)
    if "full" in cause:
        return TemporaryError(
            f"{path} cannot grow: {cause}", hint="free some space, then run the same command again"
        )
    if isinstance(error, sqlite3.IntegrityError):
        return UsageError(f"the mirror refused the edit: {cause}")
    if "malformed" in cause:
        return MirrorDamaged(f"{path} is damaged: {cause}", hint="restore it from a copy")
    return MirrorDamaged(f"{path} cannot be used: {cause}")
