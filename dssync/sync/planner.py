"""Make the plan of a push from the mirror alone."""

from collections.abc import Callable, Sequence

from dssync.core.differ import difference
from dssync.core.fields import KINDS
from dssync.core.plan import Change, Conflicted, Plan
from dssync.core.records import Triple
from dssync.mirror import Mirror, Transaction, records, touched

Describe = Callable[[Triple], tuple[str, str]]


def make_plan(mirror: Mirror, remotes: Sequence[str] = ()) -> Plan:
    """Find what was edited here since the last agreement; reads only, and needs no network."""
    with mirror.database.read() as tx:
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
    return lambda triple: records.describe(tx, triple.kind, triple.key, triple.ours)
