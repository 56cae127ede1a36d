"""Store what a scan shows: unchanged rows are recognised by digest and written nowhere."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.records import PARENT, Person, Reading, Row, Values
from dssync.mirror import aliases, history, people, recreation, theirs, touched
from dssync.mirror.aliases import Known
from dssync.mirror.columns import COLUMNS
from dssync.mirror.theirs import Columns, Look, SQLValue
from dssync.mirror.transaction import Transaction


@dataclass(slots=True)
class Seen:
    """Which rows a scan has seen, one bit each, so memory stays flat however many there are."""

    bits: bytearray = field(default_factory=bytearray)
    count: int = 0

    def add(self, rowid: int) -> None:
        """Note a row."""
        at, bit = rowid >> 3, 1 << (rowid & 7)
        if at >= len(self.bits):
            self.bits.extend(bytes(at + 1 - len(self.bits)))
        self.count += not self.bits[at] & bit
        self.bits[at] |= bit

    def __contains__(self, rowid: int) -> bool:
        at = rowid >> 3
        return at < len(self.bits) and bool(self.bits[at] & 1 << (rowid & 7))


@dataclass(slots=True)
class Counts:
    """What storing did, in records."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


class Inbox:
    """Where one scan's pages go. Use one per (run, remote, kind).

    A second look shares what the first has `seen`, and counts for itself. `mostly_new` tells
    whether the values of rows are likely to be asked for: those of known rows rarely are.

    Items need their datasets' keys: an item of a dataset that no list shows gets a placeholder,
    which a later scan completes.
    """

    def __init__(
        self, remote: str, kind: KindName, run: int, now: str, seen: Seen | None = None
    ) -> None:
        self.remote, self.kind, self.run, self.now = remote, kind, run, now
        self.counts = Counts()
        self.seen = Seen() if seen is None else seen
        self.mostly_new = True
        self._parents: dict[str, str] = {}
        self._people: dict[str, Person] = {}
        self._damaged_people: bool | None = None

    def store(self, tx: Transaction, readings: Sequence[Reading]) -> None:
        """Store some rows of the list, in the order in which they were read."""
        by_id = {reading.id: reading for reading in readings}
        known, fresh = self._find(tx, by_id)
        self._mend_people(tx, by_id)
        for row in known.values():
            self.seen.add(row.rowid)
        moved = self._moved(tx, by_id, known)
        self._insert(tx, {key: by_id[id].row() for id, key in fresh.items()})
        aliases.remember(tx, self.remote, self.kind, fresh)
        rows = self._lay_out(tx, {known[id].key: by_id[id].row() for id in moved})
        changed = theirs.replace_rows(tx, self.kind, rows, self.run)
        self.mostly_new = len(fresh) > len(known)
        self.counts.new += len(fresh)
        self.counts.changed += changed
        self.counts.unchanged += len(known) - changed

    def _find(self, tx: Transaction, ids: Iterable[str]) -> tuple[dict[str, Known], dict[str, str]]:
        known, fresh = aliases.find(tx, self.remote, self.kind, ids)
        unexpected = [*fresh, *(id for id, row in known.items() if row.absent)]
        if unexpected and recreation.came_back(tx, self.remote, self.kind, unexpected):
            return aliases.find(tx, self.remote, self.kind, ids)
        return known, fresh

    def unseen(self, tx: Transaction) -> list[str]:
        """Return the keys of live records of theirs that the scan did not show."""
        table = KINDS[self.kind].table
        rows = tx.exec_driver_sql(
            f"SELECT rowid FROM {table}"
            " WHERE remote = ? AND absent_since IS NULL AND id IS NOT NULL AND run <> ?",
            (self.remote, self.run),
        )
        missing = [rowid for (rowid,) in rows if rowid not in self.seen]
        keys = tx.exec_driver_sql(
            f"SELECT key FROM {table} WHERE rowid IN (SELECT value FROM json_each(?))"
            " ORDER BY rowid",
            (json.dumps(missing),),
        )
        return [key for (key,) in keys]

    def look_after(
        self, tx: Transaction, key: str, sent: Mapping[str, Stored], reading: Reading | None
    ) -> Look:
        """Store what a read after a push saw, None for a record no longer shown."""
        if reading is None:
            columns = theirs.gone_since(self.now, self.run)
        else:
            columns = self._lay_out(tx, {reading.id: reading.row()})[reading.id]
        return theirs.look_after(tx, self.kind, key, sent, columns, self.run)

    def note_sent(self, tx: Transaction, key: str, sent: Mapping[str, Stored]) -> None:
        """Note that a write was answered well: until it is looked for, theirs is what was sent."""
        gone = theirs.gone_since(self.now, self.run) if sent.get("deleted") else {}
        theirs.note_sent(tx, self.kind, key, sent, gone, self.run)

    def adopt(
        self, tx: Transaction, key: str, sent: Mapping[str, Stored], reading: Reading
    ) -> None:
        """Take what a create was answered: the record has an id now, and theirs is what was sent.

        Where somebody edited it meanwhile, it becomes a touched record with what was sent as base.
        """
        columns = self._lay_out(tx, {reading.id: reading.row()})[reading.id]
        # An answer is an echo; without its digest the next read brings the server's own slices.
        row = {**columns, **sent}
        theirs.adopt(tx, self.kind, key, {**row, "digest": history.believed(self.kind, row)})
        recreation.finish(tx, self.kind, key, self.run)
        aliases.remember(tx, self.remote, self.kind, {reading.id: key})

    def _moved(
        self, tx: Transaction, by_id: Mapping[str, Reading], known: Mapping[str, Known]
    ) -> list[str]:
        """Name the known records that differ by digest, came back, or wait to be settled."""
        edited = touched.pending_keys(tx, self.kind, [row.key for row in known.values()])
        return [
            id
            for id, row in known.items()
            if row.absent or row.key in edited or by_id[id].digest != row.digest
        ]

    def _insert(self, tx: Transaction, rows: Mapping[str, Row]) -> None:
        self._learn(tx, rows)
        remote, run = self.remote, self.run
        laid_out = [
            theirs.laid_out(key, row, remote, run, self._parent(row)) for key, row in rows.items()
        ]
        theirs.insert(tx, self.kind, laid_out)

    def _lay_out(self, tx: Transaction, rows: Mapping[str, Row]) -> dict[str, Columns]:
        self._learn(tx, rows)
        return {
            key: theirs.columns_of(row, self.remote, self.run, self._parent(row))
            for key, row in rows.items()
        }

    def _learn(self, tx: Transaction, rows: Mapping[str, Row]) -> None:
        self._keep_people(tx, rows)
        if self.kind == "item":
            self._learn_parents(tx, {str(row.fields[PARENT]) for row in rows.values()})

    def _parent(self, row: Row) -> str | None:
        return self._parents[str(row.fields[PARENT])] if self.kind == "item" else None

    def _keep_people(self, tx: Transaction, rows: Mapping[str, Row]) -> None:
        made = (row.created_by for row in rows.values())
        unknown = {
            person.id: person
            for person in made
            if isinstance(person, Person) and self._people.get(person.id) != person
        }
        if unknown:
            self._people.update(unknown)
            people.keep(tx, unknown.values())

    def _mend_people(self, tx: Transaction, by_id: Mapping[str, Reading]) -> None:
        """Where damage hit a profile, take over all profiles, also those of unchanged records."""
        if self._damaged_people is None:
            self._damaged_people = bool(people.unsealed(tx))
        if self._damaged_people:
            self._keep_people(tx, {id: reading.row() for id, reading in by_id.items()})

    def _learn_parents(self, tx: Transaction, ids: set[str]) -> None:
        unknown = ids - self._parents.keys()
        if not unknown:
            return
        known, fresh = aliases.find(tx, self.remote, "dataset", sorted(unknown))
        self._parents.update({id: row.key for id, row in known.items()})
        self._parents.update(fresh)
        theirs.insert(tx, "dataset", [self._placeholder(id, key) for id, key in fresh.items()])
        aliases.remember(tx, self.remote, "dataset", fresh)

    def _placeholder(self, id: str, key: str) -> tuple[SQLValue, ...]:
        known: dict[str, SQLValue] = {
            "key": key,
            "id": id,
            "remote": self.remote,
            "deleted": 1,
            "absent_since": self.now,
            "run": self.run,
        }
        return tuple(known.get(name) for name in COLUMNS["dataset"])


def values_of(tx: Transaction, remote: str, kind: KindName, reading: Reading) -> Values:
    """Return a reading's fields as the mirror would store them, storing nothing."""
    values = reading.row().values
    if kind == "item":
        id = str(values["dataset"])
        known, fresh = aliases.find(tx, remote, "dataset", [id])
        values["dataset"] = known[id].key if id in known else fresh[id]
    return values
