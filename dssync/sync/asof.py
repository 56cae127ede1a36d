"""Look at the past: one record, or what became of a whole remote; reads the mirror only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from dssync.core.compared import compared
from dssync.core.differ import Describe
from dssync.core.fields import KINDS, Values
from dssync.core.plan import Change, Plan
from dssync.errors import MirrorDamaged, UnknownRecord
from dssync.mirror import Mirror, Record, asof, past, remotes
from dssync.mirror.past import Past
from dssync.sync.planner import describer


@dataclass(frozen=True, slots=True)
class Between:
    """What became of remotes between two moments; `broken` names what can no longer be believed.

    `runs` has for each remote the runs as of whose ends they are meant, None for now.
    """

    plan: Plan
    runs: tuple[tuple[str, int, int | None], ...]
    broken: tuple[str, ...]


def record_at(mirror: Mirror, record: Record, when: str) -> tuple[Record, int]:
    """Return a record as its remote held it, and the run as of whose end.

    Raises UsageError, UnknownRun, UnknownRecord where it was not there, and MirrorDamaged where
    what is kept of it is not what the server sent.
    """
    with mirror.database.read() as tx:
        run = asof.run_at(tx, record.remote, when)
        found = next(past.among(tx, record.remote, run, record.kind, [record.key]), None)
    called = f"{record.kind} {record.label}"
    if found is None:
        raise UnknownRecord(
            f"{record.remote} did not have {called} at run {run}", hint=f"dssync log {record.key}"
        )
    if found.broken:
        raise MirrorDamaged(
            f"what is kept of {called} at run {run} is not what the server sent",
            hint="dssync verify says where the mirror is damaged",
        )
    person = json.loads(found.created_by) if found.created_by else {}
    by = person.get("email") or person.get("uuid") or person.get("id")
    return (
        Record(
            record.kind,
            found.key,
            found.id,
            record.remote,
            found.values,
            found.created_at,
            found.updated_at,
            None if by is None else str(by),
            found.absent_since,
            found.run,
        ),
        run,
    )


def between(mirror: Mirror, names: Sequence[str], first: str, second: str | None) -> Between:
    """Say what became of these remotes, of all when none is named, from one moment to another.

    Without a second moment: to what they held last. Raises UsageError, UnknownRun.
    """
    changes: list[Change | None] = []
    broken: list[str] = []
    runs: list[tuple[str, int, int | None]] = []
    with mirror.database.read() as tx:
        describe = describer(tx)
        for remote in names or [each.name for each in remotes.known(tx)]:
            low, high = (asof.run_at(tx, remote, when) for when in (first, second))
            runs.append((remote, low, None if second is None else high))
            for kind in KINDS:
                for before, after in asof.changed(tx, remote, kind, low, high):
                    changes.append(_change(remote, before, after, describe))
                    broken += (f"{kind} {s.key}" for s in (before, after) if s and s.broken)
    plan = Plan.of(change for change in changes if change is not None)
    return Between(plan, tuple(runs), tuple(dict.fromkeys(broken)))


def _change(
    remote: str, before: Past | None, after: Past | None, describe: Describe
) -> Change | None:
    """Compare two states; what the server did not show counts as deleted."""
    there = after or before
    if there is None:
        return None
    spot = there.kind, there.key
    return compared(remote, spot, there.id, _shown(before), _shown(after), describe)


def _shown(state: Past | None) -> Values | None:
    return {**state.values, "deleted": int(not state.live)} if state else None
