"""Look up what a snapshot holds, by the server's ids, a page at a time."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dssync.core.against import Side
from dssync.core.fields import KINDS, KindName
from dssync.core.snapshot import Snapshot
from dssync.mirror import aliases
from dssync.mirror.past import AS_OF
from dssync.mirror.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Held:
    """One live record of a snapshot; `rowid` is its own row's, and tells it from all others."""

    rowid: int
    key: str
    id: str
    side: Side


def by_ids(
    tx: Transaction, snapshot: Snapshot, kind: KindName, ids: Collection[str]
) -> dict[str, Held]:
    """Return what a snapshot holds of these ids, live; an item's dataset is the id it has now."""
    renamed = aliases.aliases(tx, snapshot.remote, kind, ids)
    keys = [renamed.get(id, id) for id in ids]
    named = "s.key IN (SELECT value FROM json_each(:keys))"
    found = _select(tx, snapshot, kind, named, json.dumps(keys))
    return {held.id: held for held in found if held.id in ids}


def live(tx: Transaction, snapshot: Snapshot, kind: KindName) -> Iterator[Held]:
    """Yield what a snapshot holds, live, in the order of the keys."""
    yield from _select(tx, snapshot, kind, "1", "", " ORDER BY s.key")


def _select(
    tx: Transaction, snapshot: Snapshot, kind: KindName, condition: str, keys: str, order: str = ""
) -> Iterator[Held]:
    parent = "(SELECT coalesce(d.id, s.dataset) FROM datasets AS d WHERE d.key = s.dataset)"
    names = KINDS[kind].names
    fields = ", ".join(parent if name == "dataset" else f"s.{name}" for name in names)
    rows = tx.exec_driver_sql(
        "SELECT (SELECT rowid FROM"
        f" {KINDS[kind].table} AS l WHERE l.key = s.key), s.key, s.id, s.updated_at, s.digest,"
        f" {fields} FROM {kind}_states AS s WHERE {AS_OF} AND s.deleted IS NOT 1"
        f" AND s.absent_since IS NULL AND {condition}{order}",
        {"remote": snapshot.remote, "run": snapshot.run, "keys": keys},
    )
    for rowid, key, id, updated, digest, *values in rows:
        said = dict(zip(names, values, strict=True))
        yield Held(rowid or 0, key, id, Side(said, updated, bytes.fromhex(digest)))
