"""Write a mirror, by SQLAlchemy: the one connection at a time that changes it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from dssync.core.values import digest_of
from dssync.errors import MirrorDamaged, TemporaryError
from dssync.mirror import place
from dssync.mirror.sqlite import SETTINGS
from dssync.mirror.transaction import Transaction

CACHE = 16_000
"""Kilobytes of the file that a connection keeps in memory. Keys are random, so a unit touches pages
all over an index; with less cache the writer writes them several times.
"""


class Writer:
    """Begins transactions that write, and keeps them or takes them back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _engine(path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def write(self, synchronous: str) -> Iterator[Connection]:
        """Give a transaction; all of it is kept, or nothing. Raises a DssyncError."""
        with self.told(), self._engine.connect() as bare:
            connection = bare.execution_options(synchronous=synchronous)
            with connection.begin():
                yield connection

    @contextmanager
    def step(self, tx: Transaction) -> Iterator[None]:
        """Give a part of a transaction, which is kept whole or not at all."""
        assert isinstance(tx, Connection)
        driver = tx.connection.driver_connection
        if not (driver and driver.in_transaction):
            raise TemporaryError(
                f"{self.path} took the whole edit back after an error", hint="make the edit again"
            )
        with self.told(), tx.begin_nested():
            yield

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say in a sentence of ours what the driver says."""
        try:
            yield
        except DBAPIError as error:
            raise place.sentence(error.orig or error, self.path) from error
        except sqlite3.Error as error:  # from BEGIN, which the driver is told directly
            raise place.sentence(error, self.path) from error


def _engine(path: Path) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: place.connect(path), poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, record: Any) -> None:
        for setting in (*SETTINGS, f"PRAGMA cache_size = -{CACHE}"):
            connection.execute(setting)
        connection.create_function("digest_of", -1, digest_of, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        if driver is None:
            raise MirrorDamaged(f"{path} was closed while it was used")
        driver.execute(f"PRAGMA synchronous = {connection.get_execution_options()['synchronous']}")
        driver.execute("BEGIN IMMEDIATE")

    return engine
