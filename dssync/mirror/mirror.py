"""The mirror as one object: open it, read it, edit it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from dssync import version
from dssync.core.fields import KINDS, KindName, Names, Spot, Stored
from dssync.core.merge import Conflict
from dssync.core.resolve import Choice
from dssync.errors import NoMirror
from dssync.mirror import edits, records, recreation, remotes, touched, upgrade
from dssync.mirror.place import path_of
from dssync.mirror.records import Record
from dssync.mirror.recreation import Left
from dssync.mirror.remotes import KnownRemote
from dssync.mirror.unit import Database

LOCAL = 0
"""The gate's run for what the program does outside any run."""


class Mirror:
    """A local database of datasets and items, for any number of remotes.

    >>> with Mirror.open("mirror.db") as mirror:
    ...     for dataset in mirror.datasets():
    ...         print(dataset.label)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(path)

    @classmethod
    def open(cls, location: str | Path, *, create: bool = False) -> Self:
        """Open a mirror, upgrading its schema where needed; make one with `create`.

        `location` is a path or `sqlite:///path`. Raises NoMirror, MirrorTooNew, MirrorDamaged.
        """
        path = path_of(location)
        if not create and (not path.exists() or path.stat().st_size == 0):
            raise NoMirror(
                f"there is no mirror at {path}",
                hint="make one with `dssync pull`, or name another with --mirror",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        upgrade.prepare(path, version())
        return cls(path)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def remotes(self) -> tuple[KnownRemote, ...]:
        """Return the remotes the mirror has met, by name."""
        with self.database.read() as tx:
            return tuple(remotes.known(tx))

    def datasets(self, remotes: Sequence[str] = (), *, deleted: bool = False) -> Iterator[Record]:
        """Yield datasets, newest first; live ones unless `deleted` adds the rest."""
        with self.database.read() as tx:
            yield from records.datasets(tx, remotes, deleted)

    def items(self, dataset: str, *, deleted: bool = False) -> Iterator[Record]:
        """Yield the items of the dataset with this key, newest first."""
        with self.database.read() as tx:
            yield from records.items(tx, dataset, deleted)

    def find(self, text: str, remotes: Sequence[str] = ()) -> Record:
        """Find a record by key or id, dataset name, or a prefix of at least 4 characters.

        Raises UnknownRecord when none fits or several do.
        """
        with self.database.read() as tx:
            return records.find(tx, text, remotes)

    def names(self, keys: Collection[str]) -> Names:
        """Return what the datasets with these keys are called."""
        with self.database.read() as tx:
            return records.names(tx, keys)

    def edit(self, kind: KindName, key: str, values: Mapping[str, Stored]) -> None:
        """Set fields of a record, offline. Raises UsageError for what the server would refuse."""
        with self.database.edit() as tx:
            edits.change(tx, kind, key, values)

    def new(self, kind: KindName, remote: str | None, values: Mapping[str, Stored]) -> str:
        """Make a record offline and return its key; a push creates it on the server."""
        with self.database.edit() as tx:
            return edits.create(tx, kind, remote, values)

    def delete(self, kind: KindName, key: str) -> None:
        """Mark a record deleted; one that never left this mirror really goes."""
        with self.database.read() as tx:
            waits = recreation.waits(tx, kind, key)
        if waits:
            self.revert(kind, key)
            return
        with self.database.edit() as tx:
            edits.remove(tx, kind, key)

    def undelete(self, kind: KindName, key: str) -> None:
        """Bring a deleted record back."""
        self.edit(kind, key, {"deleted": 0})

    def recreate(self, kind: KindName, key: str) -> Left:
        """Make a record again that the server has lost; a push creates it, under the same key.

        Raises UsageError where there is nothing to make again.
        """
        with self.database.unit(LOCAL) as tx:
            return edits.recreate(tx, kind, key)

    def revert(self, kind: KindName, key: str, fields: Collection[str] = ()) -> bool:
        """Drop local edits of these fields, or of the whole record; tell whether there were any."""
        edits.refuse_unknown(kind, fields)
        with self.database.unit(LOCAL) as tx:
            return edits.take_back(tx, kind, key, fields)

    def resolve(
        self,
        kind: KindName,
        key: str,
        choices: Mapping[str, Choice],
        shown: Mapping[str, Conflict],
    ) -> None:
        """Settle conflicts of a record, by field, as they were `shown` to whoever decided.

        Raises UsageError where they moved since, or an edited value would be refused.
        """
        with self.database.unit(LOCAL) as tx:
            edits.decide(tx, kind, key, choices, shown)

    def put_back(self) -> str:
        """Name the triggers and views that were put back since this was last asked."""
        with self.database.read() as tx:
            row = tx.exec_driver_sql("SELECT value FROM meta WHERE name = 'put_back'").first()
        if row is None:
            return ""
        with self.database.unit(LOCAL) as tx:
            tx.exec_driver_sql("DELETE FROM meta WHERE name = 'put_back'")
        return str(row[0])

    def touched_keys(self, remotes: Sequence[str] = ()) -> list[Spot]:
        """Return every record somebody edited or made, items first."""
        with self.database.read() as tx:
            return [
                triple.spot
                for kind in reversed(tuple(KINDS))
                for triple in touched.triples(tx, kind, remotes)
            ]
