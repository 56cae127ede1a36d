"""Read a mirror by plain `sqlite3`: whoever only reads need not wait for SQLAlchemy's import.

That import takes longer than all else that `dssync list` does. SQL is text for readers and writers
alike, so this is no second way to ask, only a lighter one to be answered.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dssync.errors import MirrorDamaged
from dssync.mirror import place

CACHE = 2_000
"""Kilobytes of the file that a connection keeps in memory."""

SETTINGS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA query_only = 1",
    f"PRAGMA cache_size = -{CACHE}",
)


class Found:
    """What a statement found."""

    rowcount = -1
    """Readers change nothing."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def __iter__(self) -> Iterator[Any]:
        return self._cursor

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return self._cursor.fetchall()

    def first(self) -> Any:
        """Return the first row, None without one."""
        found = self._cursor.fetchone()
        self._cursor.close()
        return found

    def one(self) -> Any:
        """Return the only row. Raises ValueError where there is none, or another."""
        (row,) = self._cursor
        return row

    def scalar(self) -> Any:
        """Return the first value of the first row, None without one."""
        row = self.first()
        return row and row[0]

    def scalar_one(self) -> Any:
        """Return the only value. Raises ValueError where there is none, or another."""
        (value,) = self.one()
        return value


class Reader:
    """One connection, inside a transaction that sees the mirror as it was at its first query."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.driver_connection = connection

    @property
    def connection(self) -> Self:
        """Return what leads to the connection of `sqlite3`: itself."""
        return self

    def exec_driver_sql(
        self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> Found:
        """Run a query."""
        return Found(self.driver_connection.execute(statement, parameters or ()))


class Readers:
    """The connections that read one mirror, as many as are reading at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    def close(self) -> None:
        """Let go of the file; who still reads does so when it ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Give a consistent view of the mirror. Raises Locked, MirrorDamaged."""
        if self._closed:
            raise MirrorDamaged(f"{self.path} was closed while it was used")
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                connection.execute("BEGIN")
                yield Reader(connection)
            finally:
                self._put_back(connection)
        except sqlite3.Error as error:
            raise place.sentence(error, self.path) from error

    def _connect(self) -> sqlite3.Connection:
        connection = place.connect(self.path)
        for setting in SETTINGS:
            connection.execute(setting)
        return connection

    def _put_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.rollback()
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)
