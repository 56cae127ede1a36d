"""What the mirror's functions work with: a transaction, which may only read, or also write.

Whoever reads is given plain `sqlite3` (`reader`), whoever writes SQLAlchemy (`writer`). Both answer
to the same few names, so each query is written once; they are SQLAlchemy's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement found, or how many rows it changed."""

    @property
    def rowcount(self) -> int:
        """Return how many rows an UPDATE or DELETE changed."""
        ...

    def __iter__(self) -> Iterator[Any]: ...

    def fetchall(self) -> Sequence[Any]:
        """Return the rows that are left."""
        ...

    def first(self) -> Any:
        """Return the first row, None without one."""
        ...

    def one(self) -> Any:
        """Return the only row. Raises where there is none, or another."""
        ...

    def scalar(self) -> Any:
        """Return the first value of the first row, None without one."""
        ...

    def scalar_one(self) -> Any:
        """Return the only value. Raises where there is none, or another."""
        ...


class Driven(Protocol):
    """What leads to the connection of `sqlite3` itself."""

    @property
    def driver_connection(self) -> Any:
        """Return it; None once it is closed."""
        ...


class Transaction(Protocol):
    """What a unit, an edit or a read is given to work with."""

    @property
    def connection(self) -> Driven:
        """Return what leads to the connection of `sqlite3`, for what is no statement."""
        ...

    def exec_driver_sql(
        self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> Rows:
        """Run one statement; with a sequence of sequences, once for each."""
        ...
