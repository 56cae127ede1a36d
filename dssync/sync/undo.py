"""Take a push back: an ordinary plan of the inverse of what was applied."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.fields import Spot
from dssync.core.plan import Conflicted, Plan
from dssync.core.planned import PlannedEdit
from dssync.core.receipt import Entry, KeptRun, Outcome, Receipt, Trouble
from dssync.core.undo import inverse_action, outliving, undo
from dssync.errors import Brake, DssyncError, UnknownRecord, UnknownRun, UsageError
from dssync.mirror import Mirror, Record, Transaction, journal, kept, pruning, story
from dssync.sync import settler
from dssync.sync.log import find_run
from dssync.sync.planned import PlannedEdits, triple_of
from dssync.sync.preparation import Prepared, conflicted_entry, entry_of, prepare_push
from dssync.sync.session import Session, link, meet, run

UNDOABLE = ("push", "migrate", "undo")

IN_DOUBT = "nobody knows yet whether it was applied; the same command finds out later"


@dataclass(frozen=True, slots=True)
class Inverse:
    """What takes a run back, as far as the mirror knows: edits, and what stays as it is.

    `made` has the keys of the datasets that the run made.
    """

    edits: PlannedEdits
    conflicts: tuple[Conflicted, ...]
    dropped: tuple[Entry, ...]
    made: frozenset[str]


def undoable(mirror: Mirror, number: int) -> KeptRun:
    """Return a run that can be taken back. Raises UnknownRun, UsageError for another command's."""
    try:
        with mirror.database.read() as tx:
            found = find_run(tx, number)
    except UnknownRun as error:
        raise UnknownRun(error.message, hint=what_to_undo(mirror)) from None
    if found.command not in UNDOABLE:
        raise UsageError(
            f"run {number} is a {found.command}, and only a push, a migrate or an undo can be"
            " taken back",
            hint=what_to_undo(mirror),
        )
    return found


def what_to_undo(mirror: Mirror) -> str:
    """Say what to type to take back the newest run that can be."""
    with mirror.database.read() as tx:
        newest = [run for name in UNDOABLE for run in kept.recent(tx, 1, name, ())]
    if not newest:
        return "nothing was pushed yet; see the runs: dssync log"
    run = max(newest, key=lambda run: run.number)
    return f"the newest {run.command}: dssync undo {run.number}; all runs: dssync log"


def settle_first(
    mirror: Mirror, number: int, remotes: Sequence[Remote], session: Session
) -> Receipt | None:
    """Find out what is in doubt of a run, in a run of its own; None where nothing is.

    Raises Locked. A remote that cannot be reached is a trouble of the receipt.
    """
    with mirror.database.read() as tx:
        asked = {i.remote for i in journal.open_intents(tx) if i.run == number}
    if not asked:
        return None
    notes: list[str] = []
    troubles: list[Trouble] = []
    with run(mirror, "undo", session) as current:
        for remote in (remote for remote in remotes if remote.name in asked):
            try:
                with link(remote, session) as reached:
                    meet(reached, current)
                    notes += settler.sentences(settler.settle(reached, current))
            except DssyncError as error:  # the outcome of this remote; the others are still asked
                troubles.append(Trouble.of(remote.name, error))
        return current.finish(
            Receipt("undo", current.number, troubles=tuple(troubles), notes=tuple(notes))
        )


def prepare_undo(
    mirror: Mirror,
    number: int,
    remotes: Sequence[Remote],
    session: Session,
    *,
    records: Collection[Record] = (),
    names: Collection[str] = (),
    limit: Limit | None = None,
) -> Prepared:
    """Say what would take a run back, given what the server holds now.

    All of it, or what it did to these `records` and on the remotes of these `names`. Writes nothing
    and sends GETs only; `apply_push` makes the edits, and sends them. Raises what `prepare_push`
    raises, and UsageError for a record that the run did not touch.
    """
    found = _inverse(mirror, number, names, {record.spot: record for record in records})
    try:
        prepared = prepare_push(mirror, remotes, session, edits=found.edits, limit=limit)
    except Brake as brake:
        _, _, flag = brake.hint.partition("; ")
        raise Brake(brake.message, hint=f"look at `dssync log {number}`; {flag}") from None
    prepared = _spare_parents(mirror, prepared, found.made)
    return replace(
        prepared,
        plan=Plan.of(prepared.plan.changes, (*prepared.plan.conflicts, *found.conflicts)),
        planned=prepared.planned + len(found.conflicts) + len(found.dropped),
        dropped=(*prepared.dropped, *map(conflicted_entry, found.conflicts), *found.dropped),
    )


def _spare_parents(mirror: Mirror, prepared: Prepared, made: Collection[str]) -> Prepared:
    """Leave made datasets alone that other items lie in than those which the undo takes away."""
    leaving = [
        change.key
        for change in prepared.plan.changes
        if change.kind == "item" and (change.action == "delete" or "dataset" in change.after)
    ]
    leaving += [e.key for e in prepared.dropped if e.kind == "item" and e.outcome == "skipped"]
    with mirror.database.read() as tx:
        inside = {
            change: story.others_inside(tx, change.key, leaving)
            for change in prepared.plan.changes
            if change.kind == "dataset" and change.action == "delete" and change.key in made
        }
    spared = {change: count for change, count in inside.items() if count}
    return replace(
        prepared,
        plan=Plan.of(
            (change for change in prepared.plan.changes if change not in spared),
            prepared.plan.conflicts,
        ),
        dropped=(
            *prepared.dropped,
            *(entry_of(c, "skipped", outliving(count)) for c, count in spared.items()),
        ),
    )


def _inverse(
    mirror: Mirror, number: int, names: Collection[str], chosen: Mapping[Spot, Record]
) -> Inverse:
    edits: dict[Spot, PlannedEdit] = {}
    conflicts: list[Conflicted] = []
    dropped: list[Entry] = []
    made: set[str] = set()
    with mirror.database.read() as tx:
        doubtful = {i.spot for i in journal.open_intents(tx) if i.run == number}
        for entry in _chosen(tx, number, chosen):
            if names and entry.remote not in names:
                continue
            if entry.outcome != "applied" and entry.spot not in doubtful:
                continue
            if entry.kind == "dataset" and entry.action == "create":
                made.add(entry.key)
            found = _take_back(tx, number, entry, in_doubt=entry.spot in doubtful)
            if isinstance(found, PlannedEdit):
                edits[entry.spot] = found
            elif isinstance(found, Conflicted):
                conflicts.append(found)
            else:
                dropped.append(found)
    return Inverse(PlannedEdits(edits), tuple(conflicts), tuple(dropped), frozenset(made))


def _chosen(tx: Transaction, number: int, chosen: Mapping[Spot, Record]) -> list[Entry]:
    """Return the planned rows of a run, of some records or of all."""
    planned = [entry for entry in kept.entries(tx, number) if entry.planned]
    spots = {entry.spot for entry in planned}
    for spot, record in chosen.items():
        if spot not in spots:
            raise UsageError(
                f"run {number} had nothing to do with {record.kind} {record.label}",
                hint=f"dssync log {number}",
            )
    return [entry for entry in planned if not chosen or entry.spot in chosen]


def _take_back(
    tx: Transaction, number: int, entry: Entry, *, in_doubt: bool
) -> PlannedEdit | Conflicted | Entry:
    if in_doubt:
        return _left(entry, "in doubt", IN_DOUBT)
    _refuse_pruned(tx, number, entry)
    try:
        triple = triple_of(tx, entry.kind, entry.key)
        found = undo(entry, triple, story.left_by(tx, entry.kind, entry.key, number))
    except UnknownRecord:
        return _left(entry, "skipped", "the mirror no longer holds it")
    return _left(entry, "skipped", found) if isinstance(found, str) else found


def _refuse_pruned(tx: Transaction, number: int, entry: Entry) -> None:
    """Raise UnknownRun where nobody can tell any more what the run left of a record.

    Without that, a change that somebody made since could not be told from the run's own.
    """
    through = pruning.pruned_through(tx, entry.remote)
    if number <= through and not story.knows(tx, entry.kind, entry.key, number):
        raise UnknownRun(
            f"run {number} cannot be taken back: what it left of {entry.kind} {entry.label}"
            f" was pruned, with the past of {entry.remote} up to run {through}",
            hint=f"name those that can be: dssync undo {number} RECORD; see `dssync log {number}`",
        )


def _left(entry: Entry, outcome: Outcome, reason: str) -> Entry:
    """Return the row of a record that the undo leaves as it is."""
    return replace(
        entry,
        action=inverse_action(entry),
        outcome=outcome,
        deltas=(),
        reason=reason,
        status=None,
        updated_at=None,
        attempts=0,
    )
