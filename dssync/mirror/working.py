"""The working copy as it is carried out into files and back: many records, a few at a time."""

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.core.fields import KINDS, ContractName, KindName, Values
from dssync.mirror import aliases
from dssync.mirror.transaction import Transaction

AT_ONCE = 500

# without its Z, a time without a fraction sorts before the fractions of its second
_OLDEST_FIRST = "created_at IS NULL, rtrim(created_at, 'Z'), coalesce(id, key)"


@dataclass(frozen=True, slots=True)
class Working:
    """One record of the working copy. `listed` is false for one that no list has shown yet."""

    kind: KindName
    rowid: int
    key: str
    id: str | None
    remote: str
    listed: bool
    values: Values

    @property
    def name(self) -> str:
        """Return the id by which a server knows it, else its key."""
        return self.id or self.key


@dataclass(frozen=True, slots=True)
class Home:
    """A dataset as its items need it."""

    key: str
    name: str
    remote: str
    label: str


def contracts(tx: Transaction) -> dict[str, ContractName]:
    """Return the contract of each remote the mirror has met."""
    rows = tx.exec_driver_sql("SELECT name, contract FROM remotes ORDER BY name")
    return {name: contract for name, contract in rows}  # noqa: C416 - rows are no pairs to mypy


def homes(tx: Transaction) -> dict[str, Home]:
    """Return every dataset by key."""
    rows = tx.exec_driver_sql("SELECT key, coalesce(id, key), remote, name FROM datasets")
    return {key: Home(key, name, remote, label or key) for key, name, remote, label in rows}


def live_datasets(tx: Transaction, remote: str) -> list[Working]:
    """Return the live datasets of a remote, oldest first."""
    return list(_load(tx, "dataset", f"remote = ? AND deleted IS NOT 1 {_ORDER}", remote))


_ORDER = f"ORDER BY {_OLDEST_FIRST}"


def live_items(tx: Transaction, dataset: str) -> Iterator[Working]:
    """Yield the live items of a dataset, oldest first, new ones last.

    Only rowids are sorted and kept, so memory stays flat.
    """
    rows = tx.exec_driver_sql(
        f"SELECT rowid FROM items WHERE dataset = ? AND deleted IS NOT 1 {_ORDER}", (dataset,)
    )
    rowids = array("q", (rowid for (rowid,) in rows))
    for at in range(0, len(rowids), AT_ONCE):
        chunk = list(rowids[at : at + AT_ONCE])
        found = {r.rowid: r for r in _load(tx, "item", _AMONG.format("rowid"), json.dumps(chunk))}
        yield from (found[rowid] for rowid in chunk)


_AMONG = "{} IN (SELECT value FROM json_each(?))"


def longest(tx: Transaction, dataset: str, names: Sequence[str]) -> int:
    """Return the length of the longest value that the live items of a dataset have."""
    lengths = ", ".join(f"max(coalesce(length({name}), 0))" for name in names)
    row = tx.exec_driver_sql(
        f"SELECT {lengths} FROM items WHERE dataset = ? AND deleted IS NOT 1", (dataset,)
    ).one()
    return max((int(length or 0) for length in row), default=0)


def by_name(
    tx: Transaction, remote: str, kind: KindName, names: Sequence[str]
) -> dict[str, Working]:
    """Return the records of a remote that bear these ids or keys; any id they ever had counts."""
    known, _ = aliases.find(tx, remote, kind, names)
    keys = json.dumps([record.key for record in known.values()])
    found = {record.key: record for record in _load(tx, kind, _AMONG.format("key"), keys)}
    return {name: found[record.key] for name, record in known.items()}


def _load(tx: Transaction, kind: KindName, condition: str, argument: str) -> Iterator[Working]:
    fields = KINDS[kind].names
    rows = tx.exec_driver_sql(
        "SELECT rowid, key, id, remote, id IS NULL OR created_at IS NOT NULL,"
        f" {', '.join(fields)} FROM {KINDS[kind].table} WHERE {condition}",
        (argument,),
    ).fetchall()
    for rowid, key, id, remote, listed, *values in rows:
        named = dict(zip(fields, values, strict=True))
        yield Working(kind, rowid, key, id, remote, bool(listed), named)
