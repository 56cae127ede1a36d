"""The first half of a push: validate, read again what was touched, and say what would be sent.

Nothing here writes, neither to a server nor to the mirror.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial

from dssync.config import Remote
from dssync.core.brakes import Limit, check_push
from dssync.core.fields import KINDS, KindName, Spot, Stored
from dssync.core.plan import Change, Conflicted, Delta, Plan, referred
from dssync.core.pushed import settle
from dssync.core.receipt import Entry, Outcome, Trouble
from dssync.core.records import Reading, Triple
from dssync.core.standing import Moved, Standing, stand
from dssync.errors import ConfigError, DssyncError, StalePlan, UnknownRecord
from dssync.mirror import Mirror, Transaction, incoming, records
from dssync.sync.adoption import foresee
from dssync.sync.planned import PlannedEdits, triple_of
from dssync.sync.planner import make_plan, references
from dssync.sync.reread import Wanted, reread
from dssync.sync.session import Link, Session, check, link
from dssync.sync.validation import refuse_invalid

Readings = Mapping[Spot, Reading | None]
"""What was read; None for what the server does not show."""

NOT_REACHED = "not sent: the run ended before it came to this record"
"""What a row says from the start of a run until its record has an outcome, whatever happens."""

STALE = StalePlan("").code
"""The code of the trouble that changes of a plan dropped out; their remote was reached."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a push would send, what dropped out and why, and what was read for it.

    `approved` is the digest of the plan that a person saw: the one that was handed over, or this
    one; empty for a plan without changes. `moved` are the changes of a plan handed over that are
    no longer what was reviewed. `edits` are made in the working copy before anything is sent.
    `read_at` is when it was read, by the session's monotonic clock.
    """

    plan: Plan
    planned: int
    dropped: tuple[Entry, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    readings: Mapping[str, Readings] = field(default_factory=dict)
    moved: tuple[Moved, ...] = ()
    approved: str = ""
    edits: PlannedEdits = field(default_factory=PlannedEdits)
    read_at: float = math.inf

    @property
    def whole(self) -> bool:
        """Tell whether all that was planned can go, or is there already."""
        kept_back = any(entry.outcome != "skipped" for entry in self.dropped)
        return not (kept_back or self.moved or self.troubles)


def prepare_push(
    mirror: Mirror,
    remotes: Sequence[Remote],
    session: Session,
    *,
    plan: Plan | None = None,
    approved: str = "",
    edits: PlannedEdits | None = None,
    limit: Limit | None = None,
) -> Prepared:
    """Check every change against the server's rules, and against what the server holds now.

    With `plan`, exactly its changes are sent, and those whose record moved since drop out; without,
    the plan is made here: of `edits` alone, as if they stood in the working copy already, else of
    what was edited there. `approved` is the digest of the plan that `plan` is what is left of.
    Sends GETs only. Raises InvalidRecords before any request, Brake after.
    """
    read_at = session.clock.monotonic()
    by_name = {remote.name: remote for remote in remotes}
    made = make_plan(mirror, tuple(by_name)) if edits is None else edits.plan(mirror)
    intended = made if plan is None else plan
    refuse_invalid(mirror, intended.changes)
    asking = _Asking(mirror, session, plan is not None, edits or PlannedEdits())
    pieces = [
        asking.remote(by_name, name, changes)
        for name, changes in _by_remote(intended.changes).items()
    ]
    prepared = _joined(intended, pieces)
    limits = {name: limit or remote.max_delete or Limit() for name, remote in by_name.items()}
    check_push(prepared.plan.deletions(), _totals(mirror, prepared.plan), limits)
    shown = prepared.plan if plan is None else plan
    return replace(
        prepared,
        approved=approved or (shown.digest if shown else ""),
        edits=edits or PlannedEdits(),
        read_at=read_at,
    )


def _joined(intended: Plan, pieces: Sequence[Prepared]) -> Prepared:
    """Join what was prepared remote by remote."""
    kept = [change for piece in pieces for change in piece.plan.changes]
    conflicts = [*intended.conflicts, *(c for piece in pieces for c in piece.plan.conflicts)]
    return Prepared(
        plan=Plan.of(kept, conflicts),
        planned=len(intended.changes) + len(intended.conflicts),
        dropped=(
            *map(conflicted_entry, conflicts),
            *(e for piece in pieces for e in piece.dropped),
        ),
        troubles=tuple(t for piece in pieces for t in piece.troubles),
        readings={name: r for piece in pieces for name, r in piece.readings.items()},
        moved=tuple(m for piece in pieces for m in piece.moved),
    )


def _by_remote(changes: Iterable[Change]) -> dict[str, list[Change]]:
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.remote, []).append(change)
    return grouped


@dataclass(frozen=True, slots=True)
class _Asking:
    """Prepares one remote after the other; `exact` holds the changes to what was reviewed."""

    mirror: Mirror
    session: Session
    exact: bool
    edits: PlannedEdits

    def remote(
        self, remotes: Mapping[str, Remote], name: str, changes: Sequence[Change]
    ) -> Prepared:
        """Prepare one remote's changes; what keeps it from being reached becomes its trouble."""
        try:
            with ExitStack() as stack:
                place = _configured(remotes, name)
                reached = stack.enter_context(link(place, self.session, read_only=True))
                check(reached, self.mirror)
                with self.mirror.database.read() as tx:
                    readings = _read(tx, reached, changes, self.edits)
                doubted = foresee(reached, self.mirror, self.session)
                with self.mirror.database.read() as tx:
                    sorting = _Sorting(tx, readings, doubted, self.edits)
                    sorting.sort(changes, exact=self.exact)
                return sorting.result(name, len(changes))
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


def _read(tx: Transaction, link: Link, changes: Sequence[Change], edits: PlannedEdits) -> Readings:
    family = cache(partial(records.family, tx))
    wanted = {
        change.spot: _wanted(change, edits.triple(tx, change.kind, change.key), family)
        for change in changes
        if change.id is not None
    }
    found = reread(link.contract, list(wanted.values()))
    return {spot: found.get((w.kind, w.id)) for spot, w in wanted.items()}


def _wanted(
    change: Change, triple: Triple | None, family: Callable[[str], records.Family]
) -> Wanted:
    """Say how to read a record; an item is looked for where the server last had it."""
    there = triple.theirs if triple and triple.theirs else {}
    home = family(str(there.get("dataset"))) if change.kind == "item" else None
    return Wanted(change.kind, str(change.id), home, hidden=bool(there.get("deleted")))


@dataclass(slots=True)
class _Sorting:
    """Decides for each change whether it still holds, given what the server holds now."""

    tx: Transaction
    readings: Readings
    doubted: Mapping[Spot, str]
    edits: PlannedEdits
    kept: list[Change] = field(default_factory=list)
    conflicts: list[Conflicted] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    dropped: list[Entry] = field(default_factory=list)

    def sort(self, changes: Sequence[Change], *, exact: bool) -> None:
        """Sort every change; a record with a request in doubt stays out."""
        for change in changes:
            if reason := self.doubted.get(change.spot):
                self.dropped.append(entry_of(change, "in doubt", reason))
            elif exact:
                self._exactly(change)
            else:
                self._as_it_is_now(change)

    def result(self, remote: str, planned: int) -> Prepared:
        """Return what came of it."""
        return Prepared(
            Plan.of(self.kept, self.conflicts),
            planned,
            tuple(self.dropped),
            tuple(_stale(remote, len(self.moved), planned)),
            {remote: self.readings},
            tuple(self.moved),
        )

    def _as_it_is_now(self, change: Change) -> None:
        triple = self._triple(change)
        now = self.edits.judge(self.tx, triple) if triple else None
        if isinstance(now, Conflicted):
            self.conflicts.append(now)
        elif now is None:
            self.dropped.append(entry_of(change, "skipped", Standing.HELD.value))
        else:
            self.kept.append(now)

    def _exactly(self, change: Change) -> None:
        triple = self._triple(change)
        change = replace(change, names=records.names(self.tx, _references(change, triple)))
        found = stand(change, self.edits.imagine(triple) if triple else None)
        if found is Standing.STANDS:
            self.kept.append(change)
        elif isinstance(found, Moved):
            outcome: Outcome = "conflicted" if found.conflicted else "skipped"
            self.moved.append(found)
            self.dropped.append(entry_of(change, outcome, found.reason))
        else:
            self.dropped.append(entry_of(change, "skipped", found.value))

    def _triple(self, change: Change) -> Triple | None:
        """Return a record's three values, theirs as just read; untouched ones are all theirs."""
        found = self.edits.triple(self.tx, *change.spot) or _untouched(self.tx, *change.spot)
        return self._as_read(found) if found else None

    def _as_read(self, triple: Triple) -> Triple:
        if triple.theirs is None or triple.spot not in self.readings:
            return triple
        reading = self.readings[triple.spot]
        if reading is not None:
            seen = incoming.values_of(self.tx, triple.remote, triple.kind, reading)
            return replace(settle(triple, seen), absent=False)
        return replace(settle(triple, {**triple.theirs, "deleted": 1}), absent=True)


def _untouched(tx: Transaction, kind: KindName, key: str) -> Triple | None:
    try:
        return triple_of(tx, kind, key)
    except UnknownRecord:
        return None


def _references(change: Change, triple: Triple | None) -> set[Stored]:
    """Return the keys of the datasets that a change and its record refer to."""
    return referred(change.deltas) | (references(triple) if triple else set())


def _stale(remote: str, moved: int, planned: int) -> Iterator[Trouble]:
    if moved:
        error = StalePlan(
            f"{moved:,} of {planned:,} planned change{'' if planned == 1 else 's'} moved after the"
            f" review, and {'was' if moved == 1 else 'were'} left out",
            hint="look again, and make a new plan: dssync diff",
        )
        yield Trouble.of(remote, error)


def _totals(mirror: Mirror, plan: Plan) -> Mapping[tuple[str, str], int]:
    with mirror.database.read() as tx:
        return {
            (remote, kind.name): records.rowcount(tx, remote, kind.name)
            for remote in {change.remote for change in plan.changes}
            for kind in KINDS.values()
        }


def conflicted_entry(conflict: Conflicted) -> Entry:
    """Return the receipt's row for a record that stays out, with what it would have replaced."""
    reasons = "; ".join(f"{c.field}: {c.reason.value}" for c in conflict.conflicts)
    return Entry(
        conflict.remote,
        conflict.kind,
        conflict.key,
        "update",
        "conflicted",
        tuple(Delta(c.field, c.theirs, c.ours) for c in conflict.conflicts),
        reason=reasons,
        label=conflict.label,
        where=conflict.where,
        names=conflict.names,
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
            names=change.names,
        ),
        **facts,  # type: ignore[arg-type]
    )


def entries_of(changes: Iterable[Change], outcome: Outcome, reason: str) -> Iterator[Entry]:
    """Return one row for each of several changes with the same outcome."""
    return (entry_of(change, outcome, reason) for change in changes)
