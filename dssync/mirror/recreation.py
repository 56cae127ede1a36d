"""Make a record again that the server has lost: a create under the same key.

The record's `id` becomes NULL, and what the server last showed of it, a tombstone, waits in the
pending table as side `gone`. It moves to history when the new record is there, and comes back
into the row when the re-creation is taken back.

The old id is another record from now on, with a key of its own: should the server ever show it
again, that is what it is. A dataset's items still lie there, so they point at it, as base and
theirs, while ours points at the dataset that is made again: each is an ordinary change.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dssync.core.fields import KINDS, ContractName, KindName
from dssync.core.merge import merge
from dssync.errors import UsageError
from dssync.mirror import history, records, touched
from dssync.mirror.columns import COLUMNS, SERVER
from dssync.mirror.transaction import Transaction

GONE = "gone"
"""The side of a pending row that holds the tombstone of a record that is made again."""


@dataclass(frozen=True, slots=True)
class Left:
    """What became of a dataset's items: how many wait to move along, how many stay behind."""

    moving: int = 0
    staying: int = 0


def begin(tx: Transaction, kind: KindName, key: str, contract: ContractName) -> Left:
    """Turn a record that the server has lost into a create; needs the program's unit.

    Raises UsageError where there is nothing to make again.
    """
    record = records.get(tx, kind, key)
    _refuse(tx, record)
    tombstone = touched.triple(tx, kind, key)
    _keep_tombstone(tx, kind, key, from_pending=tombstone is not None)
    table, blank = KINDS[kind].table, ", ".join(f"{n} = NULL" for n in ("id", *SERVER))
    tx.exec_driver_sql(f"DELETE FROM {table}_pending WHERE key = ? AND side <> ?", (key, GONE))
    tx.exec_driver_sql(f"UPDATE {table} SET {blank}, deleted = 0 WHERE key = ?", (key,))
    other = _free_key(tx, kind, record.remote, str(record.id))
    _rename(tx, kind, record.remote, str(record.id), other)
    return _leave_items(tx, key, other, contract) if kind == "dataset" else Left()


def waits(tx: Transaction, kind: KindName, key: str) -> bool:
    """Tell whether a record waits to be made again."""
    query = f"SELECT 1 FROM {KINDS[kind].table}_pending WHERE key = ? AND side = ?"
    return tx.exec_driver_sql(query, (key, GONE)).first() is not None


def refused(tx: Transaction, kind: KindName, keys: Collection[str]) -> set[str]:
    """Return those of `keys` whose undelete the server answered with 404 since they are gone."""
    rows = tx.exec_driver_sql(
        f"SELECT s.key FROM receipts AS s JOIN {KINDS[kind].table} AS r ON r.key = s.key"
        " WHERE s.kind = ? AND s.action = 'undelete' AND s.status = 404"
        " AND r.absent_since IS NOT NULL AND s.run >= r.run"
        " AND s.key IN (SELECT value FROM json_each(?))",
        (kind, json.dumps(list(keys))),
    )
    return {row[0] for row in rows}


def take_back(tx: Transaction, kind: KindName, key: str) -> None:
    """Let a record be the tombstone it was; its edits are dropped. Needs the program's unit."""
    _restore(tx, kind, key, names=COLUMNS[kind][1:])
    pending = f"{KINDS[kind].table}_pending"
    tx.exec_driver_sql(f"DELETE FROM {pending} WHERE key = ?", (key,))


def came_back(tx: Transaction, remote: str, kind: KindName, ids: Iterable[str]) -> bool:
    """Tell whether the server shows old ids of records that wait to be made again.

    Then there is nothing to make: they have their ids again, and what was edited here are edits
    of what comes back. One whose re-creation was sent, and is in doubt, stays as it is.
    """
    table = KINDS[kind].table
    unsent = f"SELECT key FROM {table} WHERE id IS NULL"
    in_doubt = "SELECT key FROM journal WHERE closed_at IS NULL"
    found = tx.exec_driver_sql(
        f"SELECT key FROM {table}_pending WHERE side = ? AND remote = ?"
        " AND id IN (SELECT value FROM json_each(?))"
        f" AND key IN ({unsent}) AND key NOT IN ({in_doubt})",
        (GONE, remote, json.dumps(list(ids))),
    ).fetchall()
    for (key,) in found:
        _restore(tx, kind, key, names=("id", *SERVER))
        _split(tx, kind, key)
    return bool(found)


def finish(tx: Transaction, kind: KindName, key: str, run: int) -> None:
    """Move the tombstone to history: from this run on the record is what was made again."""
    pending = f"{KINDS[kind].table}_pending"
    history.keep(
        tx, kind, f"{pending} WHERE key = ? AND side = ? AND run <> ?", [key, GONE, run], run
    )
    tx.exec_driver_sql(f"DELETE FROM {pending} WHERE key = ? AND side = ?", (key, GONE))


def _refuse(tx: Transaction, record: records.Record) -> None:
    name = f"{record.kind} {record.key}"
    in_doubt = "SELECT 1 FROM journal WHERE key = ? AND closed_at IS NULL"
    if record.id is None:
        raise UsageError(f"{name} waits to be made already", hint="send it: dssync push")
    if record.absent_since is None:
        raise UsageError(
            f"{name} is still on the server, so there is nothing to make again",
            hint=f"dssync undelete {record.key}",
        )
    if tx.exec_driver_sql(in_doubt, (record.key,)).first():
        raise UsageError(
            f"an earlier request for {name} may have been applied", hint="find out: dssync pull"
        )
    if record.updated_at is None:
        raise UsageError(f"the server never showed {name}, so nothing is known to make it of")


def _keep_tombstone(tx: Transaction, kind: KindName, key: str, *, from_pending: bool) -> None:
    table, names = KINDS[kind].table, ", ".join(COLUMNS[kind])
    source = f"{table}_pending WHERE side = 'theirs' AND" if from_pending else f"{table} WHERE"
    tx.exec_driver_sql(
        f"INSERT INTO {table}_pending (side, {names}) SELECT ?, {names} FROM {source} key = ?",
        (GONE, key),
    )


def _free_key(tx: Transaction, kind: KindName, remote: str, id: str) -> str:
    """Return a key for what an old id would be now; REMOTE/ID, unless a record has that."""
    key = f"{remote}/{id}"
    taken = f"SELECT 1 FROM {KINDS[kind].table} WHERE key = ?"
    while tx.exec_driver_sql(taken, (key,)).first():
        key = f"{remote}/{key}"
    return key


def _rename(tx: Transaction, kind: KindName, remote: str, id: str, key: str) -> None:
    tx.exec_driver_sql(
        "INSERT OR REPLACE INTO aliases (remote, kind, id, key) VALUES (?, ?, ?, ?)",
        (remote, kind, id, key),
    )


def _leave_items(tx: Transaction, key: str, other: str, contract: ContractName) -> Left:
    """Let items point at the dataset that is gone, as the server has it, and move what can be."""
    names = ", ".join(COLUMNS["item"])
    moved = ", ".join("?" if n == "dataset" else n for n in COLUMNS["item"])
    there = "dataset = ? AND id IS NOT NULL"
    untouched = "NOT EXISTS (SELECT 1 FROM items_pending AS p WHERE p.key = items.key)"
    _placeholder(tx, key, other)
    tx.exec_driver_sql("UPDATE items_pending SET dataset = ? WHERE dataset = ?", (other, key))
    rule = KINDS["item"].by_name["dataset"].rule(contract)
    if rule is not None and rule.edit == "always":
        tx.exec_driver_sql(
            f"INSERT INTO items_pending (side, {names}) SELECT side, {moved} FROM items,"
            " (SELECT 'base' AS side UNION ALL SELECT 'theirs')"
            f" WHERE {there} AND absent_since IS NULL AND {untouched}",
            (other, key),
        )
    tx.exec_driver_sql(f"UPDATE items SET dataset = ? WHERE {there} AND {untouched}", (other, key))
    count = f"SELECT count(*) FROM items WHERE {there} AND absent_since IS NULL"
    return Left(*(int(tx.exec_driver_sql(count, (d,)).scalar_one()) for d in (key, other)))


def _placeholder(tx: Transaction, key: str, other: str) -> None:
    """Stand a dataset in for the lost one where items lie in it, as pulls do for unseen ones."""
    tx.exec_driver_sql(
        "INSERT INTO datasets (key, id, remote, name, deleted, absent_since, run)"
        " SELECT ?, id, remote, name, 1, absent_since, run FROM datasets_pending"
        " WHERE key = ? AND side = ?"
        " AND EXISTS (SELECT 1 FROM items WHERE dataset = ? AND id IS NOT NULL"
        " UNION ALL SELECT 1 FROM items_pending WHERE dataset = ?)",
        (other, key, GONE, key, key),
    )


def _restore(tx: Transaction, kind: KindName, key: str, names: Iterable[str]) -> None:
    """Give a record these columns of its tombstone, its old id, and its items again."""
    table, columns = KINDS[kind].table, ", ".join(names)
    tombstone = f"SELECT {columns} FROM {table}_pending WHERE key = ? AND side = ?"
    tx.exec_driver_sql(
        f"UPDATE {table} SET ({columns}) = ({tombstone}) WHERE key = ?", (key, GONE, key)
    )
    record = records.get(tx, kind, key)
    other = tx.exec_driver_sql(
        "SELECT key FROM aliases WHERE remote = ? AND kind = ? AND id = ?",
        (record.remote, kind, record.id),
    ).scalar_one()
    if kind == "dataset":
        _fetch_items(tx, key, str(other))
    if record.id == key:
        forget = "DELETE FROM aliases WHERE remote = ? AND kind = ? AND id = ?"
        tx.exec_driver_sql(forget, (record.remote, kind, record.id))
    else:
        _rename(tx, kind, record.remote, str(record.id), key)


def _fetch_items(tx: Transaction, key: str, other: str) -> None:
    """Let what points at the lost dataset's stand-in point at the dataset, and settle that."""
    tx.exec_driver_sql("UPDATE items SET dataset = ? WHERE dataset = ?", (key, other))
    moved = tx.exec_driver_sql(
        "UPDATE items_pending SET dataset = ? WHERE dataset = ? RETURNING key", (key, other)
    ).fetchall()
    for item in sorted({row[0] for row in moved}):
        triple = touched.triple(tx, "item", item)
        if triple is not None and triple.base is not None:
            touched.save(tx, triple, merge(triple))
    tx.exec_driver_sql("DELETE FROM datasets WHERE key = ? AND digest IS NULL", (other,))


def _split(tx: Transaction, kind: KindName, key: str) -> None:
    """Make base and theirs of a tombstone."""
    pending, names = f"{KINDS[kind].table}_pending", ", ".join(COLUMNS[kind])
    tx.exec_driver_sql(
        f"INSERT INTO {pending} (side, {names}) SELECT 'base', {names}"
        f" FROM {pending} WHERE key = ? AND side = ?",
        (key, GONE),
    )
    tx.exec_driver_sql(
        f"UPDATE {pending} SET side = 'theirs' WHERE key = ? AND side = ?", (key, GONE)
    )
