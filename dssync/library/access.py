"""What a Mirror and its records read and write through: one file, at most one block of edits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dssync.errors import ReadOnly, UsageError
from dssync.mirror import Mirror as Store
from dssync.mirror import Record as Row
from dssync.mirror import Transaction, records
from dssync.mirror.where import Selection, rowids

AT_ONCE = 200
"""So many records are in memory while somebody iterates."""


@dataclass(slots=True)
class Block:
    """One `with mirror.editing()`; `undone` tells that nothing of it was kept."""

    tx: Transaction
    undone: bool = False


class Access:
    """One open mirror file, for the remotes that are meant; of all when none is named."""

    def __init__(self, store: Store, remotes: Sequence[str] = ()) -> None:
        self.store = store
        self.remotes = tuple(remotes)
        self.block: Block | None = None
        self.closed = False

    def close(self) -> None:
        """Let go of the file."""
        self.closed = True
        self.store.close()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Give what the mirror holds now, edits of the open block included."""
        if self.closed:
            raise UsageError(f"the mirror {self.store.path} is closed", hint="open it again")
        if self.block is None:
            with self.store.database.read() as tx:
                yield tx
        else:
            with self.store.database.told():
                yield self.block.tx

    @contextmanager
    def editing(self) -> Iterator[None]:
        """Hold the mirror for edits, which are kept when the block ends well."""
        if self.closed or self.block is not None:
            state = "closed" if self.closed else "being edited already"
            raise UsageError(f"the mirror {self.store.path} is {state}")
        block: Block | None = None
        try:
            with self.store.database.edit() as tx:
                self.block = block = Block(tx)
                yield
                self.block = None
        except BaseException:
            # whatever ended the block: its records must not go on showing what was not kept
            if block is not None:
                block.undone = True
            raise
        finally:
            self.block = None

    @contextmanager
    def step(self, run: int | None = None) -> Iterator[Transaction]:
        """Make one edit of the open block, whole or not at all; with `run`, as the program."""
        if self.block is None:
            raise ReadOnly(
                "records are edited inside a block, which is kept whole or not at all",
                hint="with mirror.editing():",
            )
        with self.store.database.step(self.block.tx, run):
            yield self.block.tx

    def walk(self, selection: Selection) -> Iterator[Row]:
        """Yield the records that are meant, a page in memory; no transaction stays open between."""
        with self.reading() as tx:
            found = rowids(tx, selection)
        for at in range(0, len(found), AT_ONCE):
            with self.reading() as tx:
                page = records.page(tx, selection.kind, found[at : at + AT_ONCE])
            yield from page
