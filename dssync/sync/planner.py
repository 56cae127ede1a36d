"""Make the plan of a push from the mirror alone."""

from collections.abc import Sequence

from dssync.core.differ import Describe, Described, difference
from dssync.core.fields import KINDS, Names, Stored
from dssync.core.plan import Change, Conflicted, Plan
from dssync.core.records import Triple
from dssync.mirror import Mirror, Transaction, records, touched


def make_plan(mirror: Mirror, remotes: Sequence[str] = ()) -> Plan:
    """Find what was edited here since the last agreement; reads only, and needs no network."""
    with mirror.database.read() as tx:
        return plan_within(tx, remotes)


def plan_within(tx: Transaction, remotes: Sequence[str] = ()) -> Plan:
    """Make the plan of what a transaction sees."""
    found = [
        difference(triple, describer(tx))
        for kind in KINDS
        for triple in touched.triples(tx, kind, remotes)
    ]
    return Plan.of(
        (change for change in found if isinstance(change, Change)),
        (conflict for conflict in found if isinstance(conflict, Conflicted)),
    )


def describer(tx: Transaction) -> Describe:
    """Return what names records for people."""

    def describe(triple: Triple) -> Described:
        label, where = records.describe(tx, triple.kind, triple.key, triple.ours)
        keys = references(triple)
        # most items refer to the one dataset whose name is known by now
        return label, where, records.names(tx, keys) if len(keys) > 1 else _one(keys, where)

    return describe


def _one(keys: set[Stored], name: str) -> Names:
    return tuple((key, name) for key in keys if isinstance(key, str) and key != name)


def references(triple: Triple) -> set[Stored]:
    """Return the keys of the datasets that the three values of an item refer to."""
    sides = (triple.ours, triple.base, triple.theirs) if triple.kind == "item" else ()
    return {side["dataset"] for side in sides if side}
