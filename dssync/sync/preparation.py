"""The first half of a push: validate, read again what was touched, and say what would be sent.

Nothing here writes, neither to a server nor to the mirror.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial

from dssync.config import Remote
from dssync.core.brakes import Limit, check_push
from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.plan import Change, Conflicted, Plan
from dssync.core.pushed import settle
from dssync.core.receipt import Entry, Outcome, Trouble
from dssync.core.records import Reading, Triple
from dssync.core.rules import Problem, problems
from dssync.errors import ConfigError, DssyncError, InvalidRecords
from dssync.mirror import Mirror, Transaction, incoming, records, touched
from dssync.sync.adoption import foresee
from dssync.sync.planner import describer, make_plan
from dssync.sync.reread import Wanted, reread
from dssync.sync.session import Link, Session, check, link

Readings = Mapping[tuple[KindName, str], Reading | None]
"""What was read, by (kind, key); None for what the server does not show."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a push would send, what dropped out and why, and what was read for it."""

    plan: Plan
    planned: int
    dropped: tuple[Entry, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    readings: Mapping[str, Readings] = field(default_factory=dict)


def prepare_push(
    mirror: Mirror,
    remotes: Sequence[Remote],
    session: Session,
    *,
    plan: Plan | None = None,
    limit: Limit | None = None,
) -> Prepared:
    """Check every change against the server's rules, and against what the server holds now.

    With `plan`, only what still is what the plan shows stays in; without, the plan is made here.
    Sends GETs only. Raises InvalidRecords before any request, Brake after.
    """
    by_name = {remote.name: remote for remote in remotes}
    intended = plan or make_plan(mirror, tuple(by_name))
    refuse_invalid(mirror, intended.changes)
    pieces = [
        _prepare_remote(mirror, by_name, name, changes, session, exact=plan is not None)
        for name, changes in _by_remote(intended.changes).items()
    ]
    kept = [change for piece in pieces for change in piece.plan.changes]
    conflicts = [*intended.conflicts, *(c for piece in pieces for c in piece.plan.conflicts)]
    prepared = Prepared(
        plan=Plan.of(kept, conflicts),
        planned=len(intended.changes) + len(intended.conflicts),
        dropped=(*map(_conflicted, conflicts), *(e for piece in pieces for e in piece.dropped)),
        troubles=tuple(t for piece in pieces for t in piece.troubles),
        readings={name: r for piece in pieces for name, r in piece.readings.items()},
    )
    check_push(prepared.plan.deletions(), _totals(mirror, prepared.plan), limit or Limit())
    return prepared


def refuse_invalid(mirror: Mirror, changes: Iterable[Change]) -> None:
    """Raise InvalidRecords with everything that the server would refuse, all at once."""
    contracts = {remote.name: remote.contract for remote in mirror.remotes()}
    with mirror.database.read() as tx:
        found = [
            problem
            for change in changes
            for problem in _problems(tx, change, contracts.get(change.remote, "classic"))
        ]
    if found:
        raise InvalidRecords(found, hint="mend them with `dssync set` or `dssync revert`")


def _problems(tx: Transaction, change: Change, contract: str) -> list[Problem]:
    creating = change.action == "create"
    values: Values = change.after
    if creating:
        ours = records.get(tx, change.kind, change.key).values
        values = {name: value for name, value in ours.items() if name != "deleted"}
    return problems(
        change.kind,
        change.key,
        values,
        "versioned" if contract == "versioned" else "classic",
        label=f"{change.label!r} ({change.key})" if change.label != change.key else change.key,
        creating=creating,
    )


def _by_remote(changes: Iterable[Change]) -> dict[str, list[Change]]:
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.remote, []).append(change)
    return grouped


def _prepare_remote(
    mirror: Mirror,
    remotes: Mapping[str, Remote],
    name: str,
    changes: Sequence[Change],
    session: Session,
    *,
    exact: bool,
) -> Prepared:
    """Prepare one remote's changes; what keeps it from being reached becomes its trouble."""
    try:
        with ExitStack() as stack:
            reached = stack.enter_context(link(_configured(remotes, name), session, read_only=True))
            check(reached, mirror)
            with mirror.database.read() as tx:
                readings = _read(tx, reached, changes)
            doubted = foresee(reached, mirror, session)
            with mirror.database.read() as tx:
                return _sort_out(tx, name, changes, readings, doubted, exact=exact)
    except DssyncError as error:  # this remote stays out; the others still go
        reason = f"not sent: {error.message}"
        return Prepared(
            Plan(()),
            len(changes),
            tuple(entry_of(change, "skipped", reason) for change in changes),
            (Trouble.of(name, error),),
        )


def _configured(remotes: Mapping[str, Remote], name: str) -> Remote:
    if name not in remotes:
        raise ConfigError(
            f"there are changes for {name}, but no remote of that name is configured",
            hint=f"dssync remote add {name} --environment ID",
        )
    return remotes[name]


def _read(tx: Transaction, link: Link, changes: Sequence[Change]) -> Readings:
    family = cache(partial(records.family, tx))
    wanted = {
        (change.kind, change.key): _wanted(tx, change, family)
        for change in changes
        if change.id is not None
    }
    found = reread(link.contract, list(wanted.values()))
    return {place: found.get((w.kind, w.id)) for place, w in wanted.items()}


def _wanted(tx: Transaction, change: Change, family: Callable[[str], records.Family]) -> Wanted:
    """Say how to read a record; an item is looked for where the server last had it."""
    triple = touched.triple(tx, change.kind, change.key)
    there = triple.theirs if triple and triple.theirs else {}
    home = family(str(there.get("dataset"))) if change.kind == "item" else None
    return Wanted(change.kind, str(change.id), home, hidden=bool(there.get("deleted")))


def _sort_out(
    tx: Transaction,
    remote: str,
    changes: Sequence[Change],
    readings: Readings,
    doubted: Mapping[tuple[KindName, str], str],
    *,
    exact: bool,
) -> Prepared:
    """Decide for each change whether it still holds, given what the server holds now."""
    kept: list[Change] = []
    conflicts: list[Conflicted] = []
    dropped: list[Entry] = []
    for change in changes:
        place = (change.kind, change.key)
        if place in doubted:
            dropped.append(entry_of(change, "in doubt", doubted[place]))
            continue
        now = _now(tx, change, readings)
        if isinstance(now, Conflicted):
            conflicts.append(now)
        elif now is None:
            dropped.append(entry_of(change, "skipped", "the server already holds it"))
        elif exact and now.deltas != change.deltas:
            reason = "it changed since the plan was made; look at `dssync diff` again"
            dropped.append(entry_of(change, "skipped", reason))
        else:
            kept.append(now)
    return Prepared(
        Plan.of(kept, conflicts), len(changes), tuple(dropped), readings={remote: readings}
    )


def _now(tx: Transaction, change: Change, readings: Readings) -> Change | Conflicted | None:
    triple = touched.triple(tx, change.kind, change.key)
    if triple is None:
        return None
    return difference(_with(tx, triple, readings), describer(tx))


def _with(tx: Transaction, triple: Triple, readings: Readings) -> Triple:
    """Return the record's three values with theirs as just read."""
    place = (triple.kind, triple.key)
    if triple.theirs is None or place not in readings:
        return triple
    reading = readings[place]
    if reading is not None:
        seen = incoming.values_of(tx, triple.remote, triple.kind, reading)
        return replace(settle(triple, seen), absent=False)
    return replace(settle(triple, {**triple.theirs, "deleted": 1}), absent=True)


def _totals(mirror: Mirror, plan: Plan) -> Mapping[tuple[str, str], int]:
    with mirror.database.read() as tx:
        return {
            (remote, kind.name): records.rowcount(tx, remote, kind.name)
            for remote in {change.remote for change in plan.changes}
            for kind in KINDS.values()
        }


def _conflicted(conflict: Conflicted) -> Entry:
    reasons = "; ".join(f"{c.field}: {c.reason.value}" for c in conflict.conflicts)
    return Entry(
        conflict.remote,
        conflict.kind,
        conflict.key,
        "update",
        "conflicted",
        reason=reasons,
        label=conflict.label,
        where=conflict.where,
    )


def entry_of(change: Change, outcome: Outcome, reason: str = "", **facts: object) -> Entry:
    """Return the receipt's row for a change."""
    return replace(
        Entry(
            change.remote,
            change.kind,
            change.key,
            change.action,
            outcome,
            change.deltas,
            reason,
            label=change.label,
            where=change.where,
        ),
        **facts,  # type: ignore[arg-type]
    )


def entries_of(changes: Iterable[Change], outcome: Outcome, reason: str) -> Iterator[Entry]:
    """Return one row for each of several changes with the same outcome."""
    return (entry_of(change, outcome, reason) for change in changes)
