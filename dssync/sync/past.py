"""Where a restore reads the past from, and the proof that it is still what the server sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dssync.core.fields import KINDS, KindName, Spot
from dssync.core.snapshot import Snapshot, Tally, Unread
from dssync.errors import MirrorDamaged
from dssync.mirror import Mirror, Transaction, history, past, records
from dssync.mirror.past import Past
from dssync.sync.seal import check_seals

NAMED = 5
"""So many broken records are named."""


@dataclass(frozen=True, slots=True)
class Source:
    """The records of one remote as they were once.

    `remote` is whose they are, in this mirror's words; `title` says it to people. `run` is the
    snapshot in this mirror, None where they come from elsewhere. `unread` could not be read then.
    `read` yields the records of a kind, the deleted and the absent among them.
    """

    remote: str
    run: int | None
    title: str
    unread: tuple[Unread, ...]
    read: Callable[[KindName], Iterator[Past]]


@contextmanager
def open_snapshot(mirror: Mirror, snapshot: Snapshot) -> Iterator[Source]:
    """Give what a snapshot holds, once it is proved. Raises MirrorDamaged."""
    remote, run = snapshot.remote, snapshot.run
    _refuse_broken(mirror, snapshot)
    with mirror.database.read() as tx:
        yield Source(
            remote,
            run,
            f"snapshot {run} of {remote}, taken at {snapshot.taken_at[:19]}Z",
            snapshot.unread,
            lambda kind: past.held(tx, remote, run, kind),
        )


def _refuse_broken(mirror: Mirror, snapshot: Snapshot) -> None:
    written_past = check_seals(mirror, [snapshot.remote])
    spots = [
        spot
        for kind in KINDS
        for spot in _unsound(
            mirror, snapshot, kind, [b.key for b in written_past if b.kind == kind]
        )
    ]
    if spots:
        named = ", ".join(f"{kind} {key}" for kind, key in spots[:NAMED])
        more = f" and {len(spots) - NAMED:,} more" if len(spots) > NAMED else ""
        raise _lost(snapshot, f"what it holds of {named}{more} is not what the server sent")
    with mirror.database.read() as tx:
        if not snapshot.holds(_tally(tx, snapshot)):
            raise _lost(snapshot, "its records are no longer those that were summed up")


def _unsound(
    mirror: Mirror, snapshot: Snapshot, kind: KindName, written_past: list[str]
) -> list[Spot]:
    """Return the records of a snapshot whose content cannot be trusted."""
    with mirror.database.read() as tx:
        keys = past.unsound(tx, snapshot.remote, snapshot.run, kind)
        keys += [
            record.key
            for record in records.chosen(tx, kind, written_past)
            if record.run is not None and record.run <= snapshot.run
        ]
    return [(kind, key) for key in sorted(set(keys))]


def _tally(tx: Transaction, snapshot: Snapshot) -> Tally:
    condition = "run <= ? AND (until_run IS NULL OR until_run > ?)"
    return Tally.of(history.standing(tx, snapshot.remote, condition, [snapshot.run, snapshot.run]))


def _lost(snapshot: Snapshot, why: str) -> MirrorDamaged:
    return MirrorDamaged(
        f"snapshot {snapshot.run} of {snapshot.remote} can no longer be restored: {why}",
        hint="restore another; `dssync snapshots` lists them",
    )
