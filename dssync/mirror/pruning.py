"""Forget snapshots, and free the space that only they took.

A state goes when no snapshot that is left holds it. Never pruned: what stands now, base and theirs
of touched records (both are in tables of their own), whatever was replaced after the newest
snapshot, whatever was replaced since an open intent was sent, because who settles it asks which
record was first seen when, and what a link says that two remotes agreed on. Receipts stay as well.
"""

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dssync.core.fields import KINDS
from dssync.core.story import Pruned
from dssync.errors import MirrorDamaged
from dssync.mirror import place, snapshots
from dssync.mirror.transaction import Transaction

SPARE = 0.05
"""A file with a smaller share of free pages is left alone: the next pulls fill them."""

_LOOSE = (
    "remote = :remote AND until_run <= :reach"
    # what others changed while a push was under way lasted no run, and an undo must know of it
    " AND (run < until_run OR run < (SELECT min(run) FROM snapshots WHERE remote = :remote))"
    " AND NOT EXISTS (SELECT 1 FROM snapshots AS s"
    " WHERE s.remote = h.remote AND s.run >= h.run AND s.run < h.until_run)"
    # the base of what was carried elsewhere
    " AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.source = h.remote AND l.kind = :kind"
    " AND l.source_key = h.key AND l.run >= h.run AND l.run < h.until_run)"
)
"""The SQL condition for states `h` that no snapshot holds and that nothing else needs."""


def pruned_through(tx: Transaction, remote: str) -> int:
    """Return the newest run up to which states of a remote were pruned, 0 for none.

    Up to it, only what a snapshot holds is known to be there; after it everything is. Raises
    MirrorDamaged.
    """
    query = "SELECT value FROM meta WHERE name = ?"
    found = tx.exec_driver_sql(query, (_mark(remote),)).scalar() or 0
    try:
        return int(found)
    except ValueError:
        raise MirrorDamaged(
            f"up to which run the past of {remote} was pruned can no longer be read",
            hint="restore the mirror's file from a copy, or move it away and pull again",
        ) from None


def _mark(remote: str) -> str:
    return f"pruned {remote}"


def kept_of(tx: Transaction, remote: str) -> Pruned:
    """Return how far back the past of a remote is kept."""
    query = "SELECT first_run FROM remotes WHERE name = ?"
    first = tx.exec_driver_sql(query, (remote,)).scalar()
    return Pruned(pruned_through(tx, remote), int(first or 0))


def known_at(tx: Transaction, remote: str, run: int) -> bool:
    """Tell whether the mirror still knows all that a remote held at the end of a run."""
    return run > pruned_through(tx, remote) or any(
        each.run == run for each in snapshots.known(tx, [remote])
    )


def forget(tx: Transaction, remote: str, runs: Collection[int]) -> None:
    """Forget snapshots of a remote by their runs; the states stay until they are pruned."""
    among = "run IN (SELECT value FROM json_each(?))"
    tx.exec_driver_sql(
        f"DELETE FROM snapshots WHERE remote = ? AND {among}", (remote, json.dumps(list(runs)))
    )


def prune(tx: Transaction, remote: str) -> int:
    """Delete the states that no snapshot of a remote holds; return how many they were."""
    reach = _reach(tx, remote)
    bound = {"remote": remote, "reach": reach}
    pruned = sum(
        tx.exec_driver_sql(
            f"DELETE FROM {kind.table}_history AS h WHERE {_LOOSE}", {**bound, "kind": kind.name}
        ).rowcount
        for kind in KINDS.values()
    )
    if reach > pruned_through(tx, remote):
        tx.exec_driver_sql(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_mark(remote), str(reach))
        )
    return pruned


def _reach(tx: Transaction, remote: str) -> int:
    """Return the run up to which replaced states may go."""
    query = "SELECT min(run) FROM journal WHERE remote = ? AND closed_at IS NULL"
    waiting = tx.exec_driver_sql(query, (remote,)).scalar()
    newest = snapshots.newest_run(tx, remote)
    return newest if waiting is None else min(newest, int(waiting) - 1)


@dataclass(frozen=True, slots=True)
class Freed:
    """How many bytes a file gave back, how many lie free inside it, and why not more."""

    given_back: int
    inside: int
    reason: str = ""


def free(path: Path) -> Freed:
    """Give the room inside a mirror's file back to the disk, where there is enough to be worth it.

    The file is written anew, which needs its size once more on the disk for a moment. Where that
    is not there, or somebody else writes, nothing is lost: the room stays inside, and is used.
    """
    with closing(place.connect(path)) as connection:
        before, inside = _sizes(connection)
        if inside <= SPARE * before:
            return Freed(0, inside)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            return Freed(0, inside, str(error))
        after, left = _sizes(connection)
        return Freed(before - after, left)


def _sizes(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the bytes of all pages, and of the free ones."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return pages * size, free * size
