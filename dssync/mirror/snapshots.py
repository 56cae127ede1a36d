"""Snapshots: what a remote held at the end of each complete pull.

A snapshot is one row. What stood then is in the views `dataset_states` and `item_states`: the
states that a run up to it first saw, and that no run up to it ended.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from dssync.core.snapshot import Snapshot, Tally, Unread, replay
from dssync.mirror import history, schema, unreadable


@dataclass(frozen=True, slots=True)
class Taken:
    """A new snapshot; `broken` is the one before it, if it can no longer be reproduced."""

    snapshot: Snapshot
    broken: Snapshot | None


def take(tx: Connection, remote: str, run: int, now: str) -> Taken:
    """Sum up what a remote holds, once both of its lists were read whole; needs the run's unit.

    The states that stood at the snapshot before it are summed up on the way, so that damage is
    noticed by the pull that comes after it.
    """
    before = newest(tx, remote)
    last = before.run if before else 0
    old = Tally.of(history.standing(tx, remote, "until_run IS NULL AND run <= ?", [last]))
    new = Tally.of(history.standing(tx, remote, "until_run IS NULL AND run > ?", [last]))
    ended = Tally.of(history.standing(tx, remote, "run <= ? AND until_run > ?", [last, last]))
    found = [
        Unread(each.kind, each.key, each.hole.offset + 1) for each in unreadable.known(tx, [remote])
    ]
    taken = Snapshot.of(run, remote, now, found, old + new)
    tx.execute(insert(schema.snapshots).values(_row(taken)))
    return Taken(taken, None if before is None or before.holds(old + ended) else before)


def newest(tx: Connection, remote: str) -> Snapshot | None:
    """Return the newest snapshot of a remote, if there is one."""
    found = known(tx, [remote])
    return found[-1] if found else None


def newest_run(tx: Connection, remote: str) -> int:
    """Return the run of the newest snapshot of a remote, 0 if there is none."""
    query = "SELECT max(run) FROM snapshots WHERE remote = ?"
    return int(tx.exec_driver_sql(query, (remote,)).scalar_one() or 0)


def known(tx: Connection, remotes: Sequence[str] = ()) -> list[Snapshot]:
    """Return the snapshots of these remotes, of all when none is named, oldest first."""
    table = schema.snapshots
    query = select(table).order_by(table.c.run, table.c.remote)
    if remotes:
        query = query.where(table.c.remote.in_(remotes))
    return [
        Snapshot(
            run=row["run"],
            remote=row["remote"],
            taken_at=row["taken_at"],
            datasets=row["datasets"],
            items=row["items"],
            unread=tuple(Unread(*each) for each in json.loads(row["unread"])),
            total=row["total"],
            seal=row["seal"],
        )
        for row in tx.execute(query).mappings()
    ]


def lost(tx: Connection, remote: str) -> list[Snapshot]:
    """Return the snapshots of a remote that the states there are do not add up to, oldest first.

    Reads every state once, however many snapshots there are.
    """
    taken = known(tx, [remote])
    replayed = replay(history.standing(tx, remote), [each.run for each in taken])
    return [each for each, (_, tally) in zip(taken, replayed, strict=True) if not each.holds(tally)]


def _row(snapshot: Snapshot) -> dict[str, object]:
    return {
        "run": snapshot.run,
        "remote": snapshot.remote,
        "taken_at": snapshot.taken_at,
        "datasets": snapshot.datasets,
        "items": snapshot.items,
        "unread": json.dumps([[each.kind, each.key, each.place] for each in snapshot.unread]),
        "total": snapshot.total,
        "seal": snapshot.seal,
    }
