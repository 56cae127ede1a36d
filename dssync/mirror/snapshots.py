"""Snapshots: what a remote held at the end of each complete pull.

A snapshot is one row. What stood then is in the views `dataset_states` and `item_states`: the
states that a run up to it first saw, and that no run up to it ended.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dssync.core.snapshot import Snapshot, Tally, Unread, replay
from dssync.mirror import history, unreadable
from dssync.mirror.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Taken:
    """A new snapshot; `broken` is the one before it, if it can no longer be reproduced."""

    snapshot: Snapshot
    broken: Snapshot | None


def take(tx: Transaction, remote: str, run: int, now: str) -> Taken:
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
    tx.exec_driver_sql(
        f"INSERT INTO snapshots ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(taken)
    )
    return Taken(taken, None if before is None or before.holds(old + ended) else before)


def newest(tx: Transaction, remote: str) -> Snapshot | None:
    """Return the newest snapshot of a remote, if there is one."""
    found = known(tx, [remote])
    return found[-1] if found else None


def newest_run(tx: Transaction, remote: str) -> int:
    """Return the run of the newest snapshot of a remote, 0 if there is none."""
    # what damage made no number is no run
    query = "SELECT max(run) FROM snapshots WHERE remote = ? AND typeof(run) = 'integer'"
    return int(tx.exec_driver_sql(query, (remote,)).scalar_one() or 0)


def known(tx: Transaction, remotes: Sequence[str] = ()) -> list[Snapshot]:
    """Return the snapshots of these remotes, of all when none is named, oldest first."""
    named = "WHERE remote IN (SELECT value FROM json_each(?))" if remotes else ""
    rows = tx.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM snapshots {named} ORDER BY run, remote",
        (json.dumps(list(remotes)),) if remotes else (),
    )
    return [_kept(*row) for row in rows]


def _kept(run: Any, remote: Any, taken_at: Any, *rest: Any) -> Snapshot:
    """Make a snapshot of its row; what damage gave another type is put so that no seal fits it."""
    datasets, items, unread, total, seal = rest
    return Snapshot(
        run=run if isinstance(run, int) else 0,
        remote=str(remote),
        taken_at=taken_at if isinstance(taken_at, str) else "",
        datasets=datasets if isinstance(datasets, int) else -1,
        items=items if isinstance(items, int) else -1,
        unread=_unread(unread),
        total=total if isinstance(total, bytes) else b"",
        seal=seal if isinstance(seal, bytes) else b"",
    )


def lost(tx: Transaction, remote: str) -> list[Snapshot]:
    """Return the snapshots of a remote that the states there are do not add up to, oldest first.

    Reads every state once, however many snapshots there are.
    """
    taken = known(tx, [remote])
    replayed = replay(history.standing(tx, remote), [each.run for each in taken])
    return [each for each, (_, tally) in zip(taken, replayed, strict=True) if not each.holds(tally)]


def stands(tx: Transaction, snapshot: Snapshot) -> bool:
    """Tell whether the states there are add up to one snapshot; reads only those it holds."""
    run = snapshot.run
    condition = "run <= ? AND (until_run IS NULL OR until_run > ?)"
    return snapshot.holds(Tally.of(history.standing(tx, snapshot.remote, condition, [run, run])))


_COLUMNS = "run, remote, taken_at, datasets, items, unread, total, seal"


def _unread(text: Any) -> tuple[Unread, ...]:
    """Read what was unreadable; what is not as it was written fits no seal."""
    try:
        found = tuple(Unread(*each) for each in json.loads(text))
    except (TypeError, ValueError):
        return (Unread("item", str(text), 0),)
    return found if _dump(found) == text else (*found, Unread("item", str(text), 0))


def _dump(unread: Sequence[Unread]) -> str:
    return json.dumps([[each.kind, each.key, each.place] for each in unread])


def _row(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        snapshot.run,
        snapshot.remote,
        snapshot.taken_at,
        snapshot.datasets,
        snapshot.items,
        _dump(snapshot.unread),
        snapshot.total,
        snapshot.seal,
    )
