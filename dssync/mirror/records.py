"""Find and read records of the working copy."""

import json
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dssync.core.fields import KINDS, KindName, Names, Spot, Stored, Values
from dssync.core.records import Position
from dssync.errors import UnknownRecord
from dssync.mirror import people
from dssync.mirror.transaction import Transaction

PREFIX = 4
"""The fewest characters that are taken for the beginning of a name or key."""

LAST = chr(sys.maxunicode)
"""Sorts after whatever may follow a prefix."""

SHOWN = 8
"""How many candidates an ambiguity lists."""

# without its Z, a time without a fraction sorts before the fractions of its second
NEWEST_FIRST = "created_at IS NOT NULL, rtrim(created_at, 'Z') DESC, key"
"""The order of a server's list, after what it has not yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in the working copy, edits included.

    `values` are stored values: JSON as text, flags as 0, 1 or None, an item's `dataset` as a key.
    """

    kind: KindName
    key: str
    id: str | None
    remote: str
    values: Values
    created_at: str | None
    updated_at: str | None
    created_by: str | None
    absent_since: str | None
    run: int | None

    @property
    def spot(self) -> Spot:
        """Name the record."""
        return self.kind, self.key

    @property
    def label(self) -> str:
        """Return what people call it: a dataset's name, an item's key."""
        return str(self.values.get("name") or self.key)

    @property
    def deleted(self) -> bool:
        """Tell whether it is deleted in the working copy."""
        return bool(self.values["deleted"])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the server's list; `dataset` is the key of an item's parent."""

    key: str
    id: str
    position: Position
    dataset: str | None


def select(
    tx: Transaction, kind: KindName, condition: str = "1", arguments: Sequence[Stored] = ()
) -> Iterator[Record]:
    """Yield records for an SQL condition, newest first as the server lists them."""
    names = KINDS[kind].names
    profile = "(SELECT profile FROM people WHERE people.id = created_by)"
    rows = tx.exec_driver_sql(
        "SELECT key, id, remote, created_at, updated_at,"
        f" {profile}, absent_since, run, {', '.join(names)}"
        f" FROM {KINDS[kind].table} WHERE {condition}"
        f" ORDER BY {NEWEST_FIRST}",
        tuple(arguments),
    )
    for key, id, remote, created, updated, person, absent, run, *values in rows:
        named = dict(zip(names, values, strict=True))
        by = people.known_as(person)
        yield Record(kind, key, id, remote, named, created, updated, by, absent, run)


def datasets(tx: Transaction, remotes: Sequence[str], deleted: bool) -> Iterator[Record]:
    """Yield datasets of these remotes, of all when none is named; live ones unless `deleted`."""
    yield from select(tx, "dataset", *_where(remotes, deleted))


def items(tx: Transaction, dataset: str, deleted: bool) -> Iterator[Record]:
    """Yield the items of a dataset, by its key."""
    condition, arguments = _where((), deleted)
    yield from select(tx, "item", f"dataset = ? AND {condition}", [dataset, *arguments])


def _where(remotes: Sequence[str], deleted: bool) -> tuple[str, list[Stored]]:
    condition = "1" if deleted else "deleted IS NOT 1"
    if not remotes:
        return condition, []
    named = "remote IN (SELECT value FROM json_each(?))"
    return f"{condition} AND {named}", [json.dumps(list(remotes))]


def get(tx: Transaction, kind: KindName, key: str) -> Record:
    """Return the record with this key. Raises UnknownRecord."""
    found = next(select(tx, kind, "key = ?", [key]), None)
    if found is None:
        raise UnknownRecord(f"there is no {kind} {key}", hint="`dssync list` shows what there is")
    return found


def keys(tx: Transaction, kind: KindName, condition: str, arguments: Sequence[Stored]) -> list[str]:
    """Return the keys of records for an SQL condition."""
    rows = tx.exec_driver_sql(
        f"SELECT key FROM {KINDS[kind].table} WHERE {condition} ORDER BY key", tuple(arguments)
    )
    return [row[0] for row in rows]


def page(tx: Transaction, kind: KindName, rowids: Sequence[int]) -> list[Record]:
    """Return the records with these rowids, newest first; those that are gone stay out."""
    among = "rowid IN (SELECT value FROM json_each(?))"
    return list(select(tx, kind, among, [json.dumps(list(rowids))]))


def chosen(tx: Transaction, kind: KindName, keys: Sequence[str]) -> Iterator[Record]:
    """Yield the records with these keys, in the order of the list."""
    yield from select(tx, kind, "key IN (SELECT value FROM json_each(?))", [json.dumps(list(keys))])


def find(tx: Transaction, text: str, remotes: Sequence[str]) -> Record:
    """Find the record that `text` names: a key or id, else a dataset's name, else a prefix.

    Raises UnknownRecord when nothing fits, or several do; the candidates are listed.
    """
    for kinds, condition, values in _attempts(text):
        found = [
            fit for kind in kinds for fit in _fitting(tx, kind, f"({condition})", values, remotes)
        ]
        live = [fit for fit in found if not fit.deleted]
        if len(found) == 1 or len(live) == 1:
            fit = (live or found)[0]
            return get(tx, fit.kind, fit.key)
        if found:
            raise _ambiguous(text, [get(tx, f.kind, f.key) for f in found[:SHOWN]], len(found))
    raise UnknownRecord(
        f"no record is called {text!r}", hint="`dssync list` shows the datasets there are"
    )


class _Fit(NamedTuple):
    """A record that a text may mean; a prefix may fit every item there is."""

    kind: KindName
    key: str
    deleted: bool


def _fitting(
    tx: Transaction,
    kind: KindName,
    condition: str,
    values: Sequence[Stored],
    remotes: Sequence[str],
) -> Iterator[_Fit]:
    scope, arguments = _where(remotes, deleted=True)
    rows = tx.exec_driver_sql(
        f"SELECT key, deleted IS 1 FROM {KINDS[kind].table} WHERE {condition} AND {scope}"
        f" ORDER BY {NEWEST_FIRST}",
        (*values, *arguments),
    )
    yield from (_Fit(kind, key, deleted) for key, deleted in rows)


def _attempts(text: str) -> Iterator[tuple[Sequence[KindName], str, list[Stored]]]:
    """Yield what a text may mean, the likeliest first; each is found by an index.

    An id that is not its record's key is among the aliases.
    """
    both: Sequence[KindName] = tuple(KINDS)
    named = ", ".join(f"'{kind}'" for kind in both)
    aliases = (
        f"SELECT key FROM aliases WHERE remote IN (SELECT name FROM remotes) AND kind IN ({named})"
    )
    yield both, f"key = ? OR key IN ({aliases} AND id = ?)", [text, text]
    yield ("dataset",), "name = ?", [text]
    text = text.removesuffix("…")  # a table may have cut it
    if len(text) >= PREFIX:
        begins, span = "{0} >= ? AND {0} < ?", [text, text + LAST]
        ids = f"{aliases} AND {begins.format('id')}"
        yield both, f"{begins.format('key')} OR key IN ({ids})", [*span, *span]
        pattern = re.sub(r"([%_\\])", r"\\\1", text) + "%"
        yield ("dataset",), r"name LIKE ? ESCAPE '\'", [pattern]


def _ambiguous(text: str, shown: Sequence[Record], total: int) -> UnknownRecord:
    listed = [f"{r.kind} {r.label} ({r.key}, {r.remote})" for r in shown]
    more = [f"and {total - SHOWN} more"] if total > SHOWN else []
    return UnknownRecord(
        f"{text!r} fits {total} records: {'; '.join([*listed, *more])}",
        hint="give the whole key, or name the remote with -r",
    )


def describe(tx: Transaction, kind: KindName, key: str, values: Values) -> tuple[str, str]:
    """Return a record's label and, for an item, the name of its dataset."""
    if kind == "dataset":
        return str(values.get("name") or key), ""
    row = tx.exec_driver_sql(
        "SELECT name FROM datasets WHERE key = ?", (values.get("dataset"),)
    ).first()
    return key, str(row[0]) if row and row[0] is not None else str(values.get("dataset"))


def names(tx: Transaction, keys: Collection[Stored]) -> Names:
    """Return what the datasets with these keys are called, as far as they have a name."""
    if not keys:
        return ()
    found = tx.exec_driver_sql(
        "SELECT key, name FROM datasets WHERE key IN (SELECT value FROM json_each(?))"
        " AND name IS NOT NULL ORDER BY key",
        (json.dumps(list(keys)),),
    )
    return tuple((str(key), str(name)) for key, name in found)


def places(tx: Transaction, kind: KindName, keys: Sequence[str]) -> list[Place]:
    """Return where records with an id stand in the server's list, and in which dataset."""
    parent = "dataset" if kind == "item" else "NULL"
    rows = tx.exec_driver_sql(
        f"SELECT key, id, created_at, {parent} FROM {KINDS[kind].table}"
        " WHERE id IS NOT NULL AND key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    return [Place(key, id, Position.of(created, id), parent) for key, id, created, parent in rows]


def rowcount(tx: Transaction, remote: str, kind: KindName) -> int:
    """Count the live records of theirs that a remote has."""
    return int(
        tx.exec_driver_sql(
            f"SELECT count(*) FROM {KINDS[kind].table}"
            " WHERE remote = ? AND absent_since IS NULL AND id IS NOT NULL",
            (remote,),
        ).scalar_one()
    )


@dataclass(frozen=True, slots=True)
class Family:
    """A dataset as a place to look for items: its id, how many the mirror holds, and their size.

    `row_bytes` is the mean of a few of them.
    """

    id: str | None
    items: int
    row_bytes: float


SAMPLE = 50
"""How many items tell how large those of a dataset are."""


def family(tx: Transaction, dataset: str) -> Family:
    """Return a dataset's family, by its key."""
    sizes = " + ".join(f"coalesce(length({name}), 0)" for name in KINDS["item"].names)
    row = tx.exec_driver_sql(
        "SELECT id, (SELECT count(*) FROM items WHERE dataset = datasets.key),"
        f" (SELECT avg(size) FROM (SELECT {sizes} AS size FROM items"
        f" WHERE dataset = datasets.key LIMIT {SAMPLE}))"
        " FROM datasets WHERE key = ?",
        (dataset,),
    ).first()
    return Family(row[0], int(row[1]), float(row[2] or 0)) if row else Family(None, 0, 0)
