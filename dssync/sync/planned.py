"""Edits to be made when a plan is applied: planned as if they stood, made as a person would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dssync.core.differ import difference
from dssync.core.fields import KindName, Spot
from dssync.core.plan import Change, Conflicted, Plan
from dssync.core.planned import PlannedEdit, believe, judge
from dssync.core.records import Triple
from dssync.mirror import Mirror, Transaction, edits, records, touched
from dssync.sync.planner import describer


@dataclass(frozen=True, slots=True)
class PlannedEdits:
    """The edits by record. Until they are made, nobody else sees them."""

    edits: Mapping[Spot, PlannedEdit] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.edits)

    def plan(self, mirror: Mirror) -> Plan:
        """Make the plan of these edits alone, from the mirror."""
        with mirror.database.read() as tx:
            triples = [self.triple(tx, kind, key) for kind, key in self.edits]
            found = [self.judge(tx, triple) for triple in triples if triple]
        return Plan.of(
            (change for change in found if isinstance(change, Change)),
            (conflict for conflict in found if isinstance(conflict, Conflicted)),
        )

    def triple(self, tx: Transaction, kind: KindName, key: str) -> Triple | None:
        """Return a record's three values, also of one that only these edits touch."""
        edit = self.edits.get((kind, key))
        if edit is None:
            return touched.triple(tx, kind, key)
        return believe(triple_of(tx, kind, key), edit)

    def imagine(self, triple: Triple) -> Triple:
        """Return a record's three values as they will be once its edit is made."""
        edit = self.edits.get(triple.spot)
        return replace(triple, ours={**triple.ours, **edit.values}) if edit else triple

    def judge(self, tx: Transaction, triple: Triple) -> Change | Conflicted | None:
        """Say what would be sent of a record, or why not."""
        edit = self.edits.get(triple.spot)
        describe = describer(tx)
        return difference(triple, describe) if edit is None else judge(triple, edit, describe)

    def make(self, tx: Transaction, changes: Sequence[Change]) -> None:
        """Make the edits of these changes; a record that was edited meanwhile is left alone."""
        for change in changes:
            edit = self.edits.get(change.spot)
            if edit and not difference(triple_of(tx, *change.spot)):
                edits.change(tx, change.kind, change.key, edit.values)


def triple_of(tx: Transaction, kind: KindName, key: str) -> Triple:
    """Return a record's three values; they are the same where nobody touched it.

    Raises UnknownRecord.
    """
    found = touched.triple(tx, kind, key)
    if found is not None:
        return found
    record = records.get(tx, kind, key)
    return Triple(
        kind=kind,
        key=key,
        id=record.id,
        remote=record.remote,
        ours=record.values,
        base=record.values,
        theirs=record.values,
        absent=record.absent_since is not None,
    )
