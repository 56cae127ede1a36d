"""The open database, and the one scope in which the program writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dssync.mirror.reader import Readers
from dssync.mirror.transaction import Transaction

if TYPE_CHECKING:
    from dssync.mirror.writer import Writer


class Database:
    """One mirror file. Several may read; whoever writes does so in a unit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = Readers(path)

    @cached_property
    def _writer(self) -> "Writer":
        from dssync.mirror.writer import Writer

        return Writer(self.path)

    def close(self) -> None:
        """Let go of the file."""
        self._readers.close()
        if "_writer" in self.__dict__:
            self._writer.close()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Give a consistent view of the mirror, in which nothing can be written."""
        with self._readers.read() as reader:
            yield reader

    @contextmanager
    def edit(self) -> Iterator[Transaction]:
        """Write as a person would: the gate stays clear, so triggers guard and notice.

        Raises UsageError with the trigger's sentence.
        """
        with self._writer.write("NORMAL") as connection:
            yield connection

    @contextmanager
    def unit(self, run: int, *, durable: bool = False) -> Iterator[Transaction]:
        """Write as the program, for `run`; all of it is kept, or nothing.

        With `durable` it is on the disk when the unit ends, so before the next request is sent. The
        gate is open inside this transaction only, so no other connection sees it open.
        """
        with self._writer.write("FULL" if durable else "NORMAL") as connection:
            connection.exec_driver_sql("UPDATE gate SET run = ?", (run,))
            yield connection
            connection.exec_driver_sql("UPDATE gate SET run = NULL")

    @contextmanager
    def step(self, tx: Transaction, run: int | None = None) -> Iterator[None]:
        """Make one step of an edit, which is kept whole or not at all; with `run`, as the program.

        Whoever catches a refusal can go on with the edit: the step left nothing, and the gate is
        as it was. Raises what `edit` raises, and TemporaryError where the edit itself is lost.
        """
        with self._writer.step(tx):
            if run is not None:
                tx.exec_driver_sql("UPDATE gate SET run = ?", (run,))
            yield
            if run is not None:
                tx.exec_driver_sql("UPDATE gate SET run = NULL")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say in a sentence of ours what the driver of an edit says."""
        with self._writer.told():
            yield
